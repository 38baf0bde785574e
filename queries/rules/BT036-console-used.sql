-- title = "Models or agents were called from the console, where the policy forbids it"
-- severity = "medium"
-- kind = "row"
-- needs = ["policy_credential"]
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "person", "from_console", "client", "activity",
--   "outcome", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- In the console's playground a person types prompts and reads answers, outside every application and its \
-- guardrails, filters and logs. That is right for a trial, and a leak of data waiting to happen in production. The \
-- policy's setting console decides per environment: deny makes each model call, batch job, call of an agent or flow \
-- and retrieval from the console medium (low if it did not succeed), warn makes it low, allow permits it. A call is \
-- the console's if its session came from the console (sessionCredentialFromConsole) or its user agent names the \
-- console. Environments that do not set console are not judged."""
-- fix = """\
-- Ask what was tried and with whose data. Take the right to call models away from people's permission sets in this \
-- environment, or deny bedrock calls there by a policy; offer a sandbox for trials."""
-- false_positives = """\
-- Support staff who reproduce a fault. CloudShell and tools that a console session starts carry the same mark."""
--
-- [controls]
-- "ISO/IEC 42001" = ["A.9.2"]
-- "SOC 2" = ["CC6.1"]

WITH settings AS (
  SELECT environment AS environment, MIN(setting) AS setting
  FROM policy_credential
  WHERE credential_class = 'console'
  GROUP BY environment
)
SELECT
  CASE
    WHEN s.setting = 'allow' OR NOT (COALESCE(e.from_console, FALSE) OR COALESCE(e.client = 'console', FALSE))
      THEN 'pass'
    WHEN e.environment IS NULL THEN 'not_assessed'
    ELSE 'violation'
  END AS verdict,
  e.account_id AS account_id,
  e.aws_region AS aws_region,
  e.principal AS principal,
  COALESCE(e.person || ' ', '') || e.activity AS subject,
  CASE
    WHEN e.environment IS NULL THEN 'the account is in no environment of the policy'
    WHEN s.setting = 'warn' THEN 'environment ' || e.environment || ' wants to know of every use of the console'
    ELSE 'environment ' || e.environment || ' allows no use of the console'
  END AS reason,
  'calls by an application, not by the console' AS expected,
  CASE WHEN e.from_console THEN 'a session of the console' ELSE 'a user agent of the console' END AS observed,
  e.event_time AS event_time,
  e.event_id AS event_id,
  e.outcome AS outcome,
  CASE WHEN s.setting = 'warn' OR e.outcome <> 'ok' THEN 'low' ELSE 'medium' END AS severity
FROM events AS e
LEFT JOIN settings AS s ON s.environment = e.environment
WHERE e.record_kind = 'api_call'
  AND e.activity IN ('model_invocation', 'batch', 'agent_invocation', 'retrieval', 'flow')
  AND (s.environment IS NOT NULL OR e.environment IS NULL)
