-- title = "An API key was used to change models, agents, guardrails, logging or access"
-- severity = "critical"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "activity", "outcome",
--   "credential", "aws_region", "record_kind",
-- ]
-- attack = ["T1685", "T1485"]
-- attack_old = ["T1562.001"]
-- atlas = ["AML.T0091.000"]
-- why = """\
-- A Bedrock API key is meant for calling models. Its holder can, if its policies allow, also delete guardrails, \
-- switch off invocation logging, buy throughput, or open access to more models; and a key is copied more easily than \
-- a role is taken over. The rule looks at every change in the control planes of Bedrock, bedrock-mantle and Claude \
-- Platform on AWS (guardrails, logging, models, agents, access and policies) and finds those made with a bearer \
-- token. Success is critical; an attempt, whatever stopped it, is high. A call whose record does not show how the \
-- caller authenticated is not assessed. Reads and model calls are not judged here: see BT030."""
-- fix = """\
-- Undo the change. Delete the key, and read what else it did. Give keys no more than the right to call models \
-- (bedrock:InvokeModel and bedrock:CallWithBearerToken), and let changes come from a pipeline with a role."""
-- false_positives = """\
-- Automation that was written with an API key, such as a script that makes bedrock-mantle projects or fine-tuning \
-- jobs. It should use a role."""
--
-- [controls]
-- "NIST SP 800-53" = ["AC-6", "CM-5"]
-- "SOC 2" = ["CC8.1"]

SELECT
  CASE
    WHEN credential IN ('bearer_long', 'bearer_short', 'bearer_unknown') THEN 'violation'
    WHEN credential IS NULL THEN 'not_assessed'
    ELSE 'pass'
  END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  COALESCE(event_name, 'event not named') AS subject,
  CASE
    WHEN credential IS NULL THEN 'the record does not show how the caller authenticated'
    WHEN outcome = 'ok' THEN 'an API key changed something'
    ELSE 'an API key was used in an attempt to change something'
  END AS reason,
  'changes by a role, with signed calls' AS expected,
  COALESCE(activity, 'other') || COALESCE(' with ' || credential, '') AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome,
  CASE WHEN outcome = 'ok' THEN 'critical' ELSE 'high' END AS severity
FROM events
WHERE record_kind = 'api_call'
  AND (starts_with(event_source, 'bedrock') OR event_source = 'aws-external-anthropic.amazonaws.com')
  AND activity IN (
    'guardrail_admin', 'logging_admin', 'model_admin', 'agent_admin', 'entitlement', 'credential_admin', 'trail_admin'
  )
