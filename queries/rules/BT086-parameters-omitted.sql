-- title = "A record leaves out the request it is about"
-- severity = "medium"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "surface", "activity", "outcome",
--   "read_only", "params_omitted", "aws_region", "record_kind",
-- ]
-- attack = ["T1685.002"]
-- attack_old = ["T1562.008"]
-- atlas = []
-- why = """\
-- CloudTrail leaves out request parameters above 100 kilobytes. Who pads a request until it is too large makes a \
-- change of which the record shows only that it happened: which policy was put on which role, which guardrail \
-- was rewritten and how. The rule finds such records of Bedrock, AgentCore, the Marketplace, IAM and CloudTrail. A \
-- change is medium, a read or a model call low. Other services are left out. The population is all calls to these \
-- services."""
-- fix = """\
-- Look at the object itself now, in AWS Config or by its own API, and compare it with its definition in code. Ask \
-- the caller why the request was so large."""
-- false_positives = """\
-- Large requests with a reason: an OpenAPI schema of an action group, a long list of words in a guardrail, inline \
-- documents for a knowledge base."""
--
-- [controls]
-- "NIST SP 800-53" = ["AU-3"]

SELECT
  CASE WHEN params_omitted THEN 'violation' ELSE 'pass' END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  event_name || ' ' || event_source AS subject,
  'CloudTrail left the request parameters out because they were too large' AS reason,
  'a record that shows what was asked' AS expected,
  event_name || ' without parameters' AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome,
  CASE
    WHEN read_only
      OR activity IN (
        'model_invocation', 'agent_invocation', 'retrieval', 'flow', 'guardrail_check', 'tool', 'memory', 'discovery'
      )
      THEN 'low'
    ELSE 'medium'
  END AS severity
FROM events
WHERE record_kind = 'api_call'
  AND (
    surface IN ('runtime', 'mantle', 'agents', 'agentcore', 'gateway', 'control', 'marketplace', 'iam', 'trail')
    OR event_source = 'bedrock.amazonaws.com'
  )
