-- title = "bedrock-mantle is in use but its model calls are not recorded"
-- severity = "high"
-- kind = "coverage"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "environment", "surface", "invoked_by",
--   "outcome", "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- The OpenAI-compatible and Anthropic Messages endpoint bedrock-mantle logs its model calls as data events \
-- (CreateInference). They are off by default and cost extra, and model invocation logging does not cover this \
-- endpoint. An account that uses it without that selector has no record of a single call: OpenAI models on Bedrock \
-- and Codex, for example, are then not assessed. The rule takes each account and Region with a trace of \
-- bedrock-mantle (its management events, a service call on its behalf) and reports those without any \
-- CreateInference event, unless a PutEventSelectors of the account, also from before the window where the run knows \
-- of it, names the type of these events: then there were no calls to record. A trace in IAM or the marketplace (a policy or subscription that names bedrock-mantle) \
-- has no Region of its own: it counts against the whole account. So does the policy's own word: an account of an \
-- environment with mantle = \"used\" that shows no trace at all is reported, one row for each day with records."""
-- fix = """\
-- Add an advanced event selector with resources.type AWS::BedrockMantle::Project to the trail, in every account \
-- and Region. Until then state in every report that the use of this endpoint is not assessed."""
-- false_positives = """\
-- Somebody only listed models in the console. A refused attempt to use the endpoint. A Region where the endpoint \
-- was looked at, but all calls went elsewhere. A selector that was set before the records begin, or by the management \
-- account for the whole organisation."""
--
-- [controls]
-- "EU AI Act" = ["Art. 12"]
-- "FedRAMP Moderate" = ["AU-2", "AU-12"]
-- "HIPAA" = ["164.308(a)(1)(ii)(D)", "164.312(b)"]
-- "ISO/IEC 27001" = ["A.8.15"]
-- "ISO/IEC 42001" = ["A.6.2.8"]
-- "NIST SP 800-53" = ["AU-2", "AU-12"]
-- "SOC 2" = ["CC7.2"]

WITH traces AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    COALESCE(account_id, '') AS account_key,
    CASE WHEN surface IN ('iam', 'marketplace') THEN NULL ELSE aws_region END AS aws_region,
    outcome AS outcome,
    CASE WHEN event_source = 'bedrock-mantle.amazonaws.com' AND event_name = 'CreateInference' THEN 1 ELSE 0 END AS inference
  FROM events
  WHERE record_kind = 'api_call'
    AND (
      event_source = 'bedrock-mantle.amazonaws.com'
      OR invoked_by = 'bedrock-mantle.amazonaws.com'
      OR (surface IN ('iam', 'marketplace') AND strpos(request_parameters, 'bedrock-mantle') > 0)
    )
),
regions AS (
  SELECT account_key AS account_key, aws_region AS aws_region, SUM(inference) AS inferences
  FROM traces
  WHERE aws_region IS NOT NULL
  GROUP BY account_key, aws_region
),
accounts AS (
  SELECT account_key AS account_key, SUM(inference) AS inferences
  FROM traces
  GROUP BY account_key
),
-- Where the policy says that it is in use, silence is no proof that it is not.
declared AS (
  SELECT e.account_id AS account_id, MIN(e.event_time) AS event_time
  FROM events AS e
  JOIN policy_environment_setting AS p ON p.environment = e.environment
  LEFT JOIN accounts AS a ON a.account_key = e.account_id
  WHERE p.name = 'mantle'
    AND p.value = 'used'
    AND e.record_kind = 'api_call'
    AND a.account_key IS NULL
  GROUP BY e.account_id, date_trunc('day', e.event_time)
),
selected AS (
  SELECT DISTINCT COALESCE(account_id, '') AS account_key
  FROM (
    SELECT account_id AS account_id, request_parameters AS request_parameters
    FROM events
    WHERE event_name = 'PutEventSelectors'
      AND event_source = 'cloudtrail.amazonaws.com'
      AND outcome = 'ok'
    UNION ALL
    SELECT account_id AS account_id, request_parameters AS request_parameters
    FROM history
    WHERE event_name = 'PutEventSelectors'
      AND event_source = 'cloudtrail.amazonaws.com'
      AND outcome = 'ok'
  ) AS puts
  WHERE strpos(request_parameters, '"AWS::BedrockMantle::Project"') > 0
)
SELECT
  CASE
    WHEN t.account_id IS NULL AND t.inference = 0 THEN 'not_assessed'
    WHEN COALESCE(r.inferences, a.inferences) > 0 OR s.account_key IS NOT NULL THEN 'pass'
    ELSE 'violation'
  END AS verdict,
  t.account_id AS account_id,
  t.aws_region AS aws_region,
  CAST(NULL AS VARCHAR) AS principal,
  'bedrock-mantle ' || COALESCE(t.aws_region, 'in any Region') AS subject,
  CASE
    WHEN t.account_id IS NULL THEN 'the record names no account whose model calls could be looked for'
    ELSE 'bedrock-mantle is in use and no CreateInference event is recorded: OpenAI-compatible and Codex use is not assessed'
  END AS reason,
  'CreateInference data events are recorded' AS expected,
  'seen: ' || t.event_name AS observed,
  t.event_time AS event_time,
  t.event_id AS event_id,
  t.outcome AS outcome
FROM traces AS t
JOIN accounts AS a ON a.account_key = t.account_key
LEFT JOIN regions AS r ON r.account_key = t.account_key AND r.aws_region = t.aws_region
LEFT JOIN selected AS s ON s.account_key = t.account_key
UNION ALL
SELECT
  CASE WHEN s.account_key IS NULL THEN 'violation' ELSE 'pass' END AS verdict,
  d.account_id AS account_id,
  CAST(NULL AS VARCHAR) AS aws_region,
  CAST(NULL AS VARCHAR) AS principal,
  'bedrock-mantle in any Region' AS subject,
  'the policy says that bedrock-mantle is in use and no CreateInference event is recorded: '
    || 'OpenAI-compatible and Codex use is not assessed' AS reason,
  'CreateInference data events are recorded' AS expected,
  'days without a trace of bedrock-mantle' AS observed,
  d.event_time AS event_time,
  CAST(NULL AS VARCHAR) AS event_id,
  CAST(NULL AS VARCHAR) AS outcome
FROM declared AS d
LEFT JOIN selected AS s ON s.account_key = d.account_id
