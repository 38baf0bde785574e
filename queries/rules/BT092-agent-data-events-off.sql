-- title = "Agents or knowledge bases are built but their use is not recorded"
-- severity = "high"
-- kind = "coverage"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "event_category", "account_id", "outcome",
--   "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- Building an agent is a management event and recorded by default; running it is a data event and recorded only if \
-- an advanced selector names its type. The rule takes each account, Region and type with a successful creation or change \
-- of an agent, knowledge base or flow of Bedrock, or a runtime, gateway, memory, browser or code interpreter of AgentCore. \
-- Type by type it looks for what shows that use is recorded: a data event, or a PutEventSelectors of the account \
-- that names the type. Where neither is known, seven days after the thing was built, nobody can say whether it was used \
-- and by whom. What was built later than that is not assessed. The population is these creations and changes."""
-- fix = """\
-- Add an advanced event selector for the type that the finding names to the trail. Until then state in every report \
-- that the use of these agents is not assessed."""
-- false_positives = """\
-- Something that was built and never run. A selector set before the records begin, of something that was never run."""
--
-- [controls]
-- "EU AI Act" = ["Art. 12"]
-- "FedRAMP Moderate" = ["AU-2", "AU-12"]
-- "HIPAA" = ["164.308(a)(1)(ii)(D)", "164.312(b)"]
-- "ISO/IEC 27001" = ["A.8.15"]
-- "ISO/IEC 42001" = ["A.6.2.8"]
-- "NIST SP 800-53" = ["AU-2", "AU-12"]
-- "SOC 2" = ["CC7.2"]
--
-- [parameters.grace_days]
-- type = "int"
-- default = 7
-- meaning = "How many days after a creation or change its use is waited for."

WITH builds AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    COALESCE(account_id, '') AS account_key,
    COALESCE(aws_region, '') AS region_key,
    aws_region AS aws_region,
    outcome AS outcome,
    CASE
      WHEN event_source = 'bedrock.amazonaws.com' THEN CASE
        WHEN event_name IN ('CreateAgent', 'UpdateAgent', 'PrepareAgent', 'CreateAgentAlias', 'UpdateAgentAlias')
          THEN 'AWS::Bedrock::AgentAlias'
        WHEN event_name IN ('CreateKnowledgeBase', 'UpdateKnowledgeBase', 'StartIngestionJob')
          THEN 'AWS::Bedrock::KnowledgeBase'
        WHEN event_name IN ('CreateFlow', 'UpdateFlow', 'PrepareFlow', 'CreateFlowAlias', 'UpdateFlowAlias')
          THEN 'AWS::Bedrock::FlowAlias'
      END
      ELSE CASE
        WHEN event_name IN ('CreateAgentRuntime', 'UpdateAgentRuntime', 'CreateAgentRuntimeEndpoint')
          THEN 'AWS::BedrockAgentCore::Runtime'
        WHEN event_name IN ('CreateGateway', 'UpdateGateway', 'CreateGatewayTarget')
          THEN 'AWS::BedrockAgentCore::Gateway'
        WHEN event_name IN ('CreateMemory', 'UpdateMemory') THEN 'AWS::BedrockAgentCore::Memory'
        WHEN event_name = 'CreateBrowser' THEN 'AWS::BedrockAgentCore::BrowserCustom'
        WHEN event_name = 'CreateCodeInterpreter' THEN 'AWS::BedrockAgentCore::CodeInterpreterCustom'
      END
    END AS data_type
  FROM events
  WHERE record_kind = 'api_call'
    AND outcome = 'ok'
    AND event_source IN ('bedrock.amazonaws.com', 'bedrock-agentcore.amazonaws.com')
),
built AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    account_key AS account_key,
    region_key AS region_key,
    aws_region AS aws_region,
    outcome AS outcome,
    data_type AS data_type
  FROM builds
  WHERE data_type IS NOT NULL
),
-- A type stands among the types that the catalogue gives an operation.
recorded AS (
  SELECT DISTINCT s.account_key AS account_key, s.region_key AS region_key, t.data_type AS data_type
  FROM (
    SELECT DISTINCT
      COALESCE(e.account_id, '') AS account_key, COALESCE(e.aws_region, '') AS region_key, r.resource_type AS resource_type
    FROM (
      SELECT DISTINCT
        account_id AS account_id, aws_region AS aws_region, event_source AS event_source, event_name AS event_name
      FROM events
      WHERE event_category = 'Data'
        AND record_kind IN ('api_call', 'shared_copy')
    ) AS e
    JOIN ref_event AS r ON r.event_source = e.event_source AND r.event_name = e.event_name
    WHERE r.resource_type IS NOT NULL
  ) AS s
  JOIN (SELECT DISTINCT data_type AS data_type FROM built) AS t
    ON strpos(';' || s.resource_type || ';', ';' || t.data_type || ';') > 0
),
settings AS (
  SELECT DISTINCT COALESCE(account_id, '') AS account_key, request_parameters AS parameters
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
),
selected AS (
  SELECT DISTINCT s.account_key AS account_key, t.data_type AS data_type
  FROM settings AS s
  JOIN (SELECT DISTINCT data_type AS data_type FROM built) AS t
    ON strpos(s.parameters, '"' || t.data_type || '"') > 0
),
ends AS (
  SELECT MAX(event_time) AS last_time
  FROM events
)
SELECT
  CASE
    WHEN r.data_type IS NOT NULL OR s.data_type IS NOT NULL THEN 'pass'
    WHEN b.event_time > e.last_time - INTERVAL $grace_days DAY THEN 'not_assessed'
    ELSE 'violation'
  END AS verdict,
  b.account_id AS account_id,
  b.aws_region AS aws_region,
  CAST(NULL AS VARCHAR) AS principal,
  b.data_type || ' ' || COALESCE(b.aws_region, 'Region not recorded') AS subject,
  CASE
    WHEN b.event_time > e.last_time - INTERVAL $grace_days DAY THEN 'built less than ' || CAST($grace_days AS VARCHAR)
      || ' days before the records end: use may still come'
    ELSE 'no data event and no selector of this type is known: whether it is used is not assessed'
  END AS reason,
  'a selector for data events of ' || b.data_type AS expected,
  'built or changed: ' || b.event_name AS observed,
  b.event_time AS event_time,
  b.event_id AS event_id,
  b.outcome AS outcome
FROM built AS b
CROSS JOIN ends AS e
LEFT JOIN recorded AS r
  ON r.account_key = b.account_key
  AND r.region_key = b.region_key
  AND r.data_type = b.data_type
LEFT JOIN selected AS s ON s.account_key = b.account_key AND s.data_type = b.data_type
