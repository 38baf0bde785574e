-- title = "The account's data retention was set to another mode than the policy's"
-- severity = "high"
-- kind = "row"
-- needs = ["policy_environment_setting"]
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "environment", "principal", "outcome",
--   "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- PutAccountDataRetention decides, for the account and Region, whether what users send to models may be kept \
-- outside the account, and for how long. One call can undo what was promised to customers and to those who answer \
-- for data protection. The rule holds the mode that was set against data_retention of the environment. Another \
-- mode is high, a refused attempt medium; setting the same mode again passes, as does a call that failed for \
-- another reason. Environments that state no data_retention are not judged. The form that bedrock-mantle writes is \
-- not documented: where its record, or a change of a bedrock-mantle project, speaks of retention and shows no mode, \
-- it is not assessed."""
-- fix = """\
-- Set the mode back, in the Region of the finding and in every other one. Find out what was sent to models \
-- meanwhile, and tell the owner of that data. Allow the action only to the platform's role."""
-- false_positives = """\
-- A change that was decided, with a policy that still says otherwise: change the policy first."""
--
-- [controls]
-- "HIPAA" = ["164.312"]
-- "ISO/IEC 27001" = ["A.5.34"]
-- "SOC 2" = ["C1.1"]

WITH changes AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_source AS event_source,
    event_name AS event_name,
    account_id AS account_id,
    environment AS environment,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    CASE
      WHEN event_name = 'PutAccountDataRetention' THEN json_extract_scalar(request_parameters, '$.mode')
    END AS mode
  FROM events
  WHERE record_kind = 'api_call'
    AND event_source IN ('bedrock.amazonaws.com', 'bedrock-mantle.amazonaws.com')
    AND (
      event_name = 'PutAccountDataRetention'
      OR (
        event_source = 'bedrock-mantle.amazonaws.com'
        AND event_name IN ('CreateProject', 'UpdateProject')
        AND strpos(lower(request_parameters), 'retention') > 0
      )
    )
),
wanted AS (
  SELECT environment AS environment, MIN(value) AS mode
  FROM policy_environment_setting
  WHERE name = 'data_retention'
  GROUP BY environment
)
SELECT
  CASE
    WHEN c.outcome NOT IN ('ok', 'denied') THEN 'pass'
    WHEN c.environment IS NULL OR c.mode IS NULL OR c.mode = 'HIDDEN_DUE_TO_SECURITY_REASONS' THEN 'not_assessed'
    WHEN lower(c.mode) = lower(w.mode) THEN 'pass'
    ELSE 'violation'
  END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  c.event_source || ' in ' || COALESCE(c.aws_region, 'a Region that is not recorded') AS subject,
  CASE
    WHEN c.environment IS NULL THEN 'the account is in no environment of the policy'
    WHEN c.mode IS NULL OR c.mode = 'HIDDEN_DUE_TO_SECURITY_REASONS' THEN 'the record does not show the mode'
    WHEN c.outcome = 'denied' THEN 'an attempt to change the data retention was refused'
    ELSE 'environment ' || c.environment || ' wants another mode'
  END AS reason,
  COALESCE('mode ' || w.mode, 'an environment for the account') AS expected,
  c.event_name || COALESCE(' to ' || c.mode, '') AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome,
  CASE WHEN c.outcome = 'ok' THEN 'high' ELSE 'medium' END AS severity
FROM changes AS c
LEFT JOIN wanted AS w ON w.environment = c.environment
WHERE w.environment IS NOT NULL OR c.environment IS NULL
