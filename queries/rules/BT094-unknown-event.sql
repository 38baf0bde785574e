-- title = "A generative-AI service recorded an event that bedtrail does not know"
-- severity = "medium"
-- kind = "coverage"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "outcome", "read_only",
--   "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- AWS adds operations every month. An event whose name is not in the built-in catalogue has no meaning to any other \
-- rule: it might be a model call that no report counts. The rule lists these names for the services that bedtrail \
-- keeps whole. A write is medium, a read low. The population is all calls to these services."""
-- fix = """\
-- Look the operation up in the service's documentation, judge whether it matters, and update bedtrail. Until then say \
-- in the report that these calls are not assessed by other rules."""
-- false_positives = "A new operation that only reads and shows nothing of value."
--
-- [controls]
-- "NIST SP 800-53" = ["AU-3"]

WITH calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_source AS event_source,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    outcome AS outcome,
    read_only AS read_only
  FROM events
  WHERE record_kind = 'api_call'
    AND event_source IN (
      'agent-registry.amazonaws.com', 'aws-external-anthropic.amazonaws.com', 'bedrock-agent-runtime.amazonaws.com',
      'bedrock-agent.amazonaws.com', 'bedrock-agentcore-control.amazonaws.com', 'bedrock-agentcore.amazonaws.com',
      'bedrock-data-automation.amazonaws.com', 'bedrock-mantle.amazonaws.com', 'bedrock-runtime.amazonaws.com',
      'bedrock-websearch.amazonaws.com', 'bedrock.amazonaws.com'
    )
),
-- Some records write a service's name for one of its endpoints; the catalogue knows one name for both.
names AS (
  SELECT
    event_source AS event_source,
    event_name AS event_name,
    CASE
      WHEN event_source IN (
        'bedrock-agent-runtime.amazonaws.com', 'bedrock-agent.amazonaws.com', 'bedrock-data-automation.amazonaws.com',
        'bedrock-runtime.amazonaws.com'
      ) THEN 'bedrock.amazonaws.com'
      WHEN event_source = 'bedrock-agentcore-control.amazonaws.com' THEN 'bedrock-agentcore.amazonaws.com'
      ELSE event_source
    END AS catalogue_source
  FROM calls
  GROUP BY event_source, event_name
),
unknown AS (
  SELECT n.event_source AS event_source, n.event_name AS event_name
  FROM names AS n
  LEFT JOIN ref_event AS r ON r.event_source = n.catalogue_source AND r.event_name = n.event_name
  WHERE r.event_name IS NULL
)
SELECT
  CASE WHEN u.event_name IS NULL THEN 'pass' ELSE 'violation' END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  CAST(NULL AS VARCHAR) AS principal,
  COALESCE(c.event_name, 'event not named') || ' ' || c.event_source AS subject,
  'the catalogue of events does not list this name: no other rule judges it' AS reason,
  'events that the catalogue lists' AS expected,
  COALESCE(c.event_name, 'an event without a name') AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome,
  CASE WHEN c.read_only THEN 'low' ELSE 'medium' END AS severity
FROM calls AS c
LEFT JOIN unknown AS u ON u.event_source = c.event_source AND u.event_name = c.event_name
