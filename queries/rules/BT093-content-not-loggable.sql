-- title = "Model calls whose content no log can keep"
-- severity = "medium"
-- kind = "coverage"
-- needs = ["policy_environment_setting"]
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "surface", "activity", "outcome", "aws_region",
--   "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- Model invocation logging keeps prompts and answers of bedrock-runtime only. The endpoint bedrock-mantle \
-- (OpenAI-compatible and Anthropic Messages) has no such log: CloudTrail shows that a call was made, and nothing \
-- shows what was said. In an environment for which the policy sets content_logging to required, each successful call \
-- of bedrock-mantle is a violation. The population is all successful model calls of these environments."""
-- fix = """\
-- Move the application to bedrock-runtime, or log content in the client or in a gateway and write a waiver that says \
-- where. Deny bedrock-mantle in such environments by a service control policy."""
-- false_positives = "Content that is logged in the client by design: a waiver declares it."
--
-- [controls]
-- "ISO/IEC 42001" = ["A.6.2.8"]
-- "SOC 2" = ["CC7.2"]

SELECT
  CASE WHEN surface = 'mantle' THEN 'violation' ELSE 'pass' END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  'bedrock-mantle in ' || environment AS subject,
  'the environment requires that content is logged, and model invocation logging does not cover bedrock-mantle' AS reason,
  'model calls through bedrock-runtime' AS expected,
  'called through bedrock-mantle' AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome
FROM events
WHERE record_kind = 'api_call'
  AND activity = 'model_invocation'
  AND outcome = 'ok'
  AND environment IN (
    SELECT environment
    FROM policy_environment_setting
    WHERE name = 'content_logging'
      AND value = 'required'
  )
