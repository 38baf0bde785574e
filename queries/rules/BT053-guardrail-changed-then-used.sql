-- title = "Somebody took a guardrail away and then called models"
-- severity = "high"
-- kind = "sequence"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "activity", "outcome",
--   "guardrail_id", "model_id", "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = ["T1685"]
-- attack_old = ["T1562.001"]
-- atlas = ["AML.T0054"]
-- why = """\
-- A deployment role changes guardrails, an application calls models. If one principal does both within an hour, it \
-- may have removed the control in order to do what it stopped. The rule takes each successful deletion of a guardrail \
-- or of its enforcement, and each update that sets a filter, an action or a strength to NONE, and looks for \
-- successful model calls of the same principal in the same account and Region in the `minutes` that follow. The \
-- timeline stands in observed. Whether an update is weaker than what was there before is for BT052; calls by other \
-- principals are no finding here."""
-- fix = """\
-- Restore the guardrail. Read the calls in the timeline: model invocation logs, if they are on, hold what was asked and \
-- answered. Keep the right to change guardrails apart from the right to call models."""
-- false_positives = """\
-- The author of a guardrail who tries its next version. Release windows in which a pipeline changes guardrails and \
-- runs its smoke tests with one role."""
--
-- [controls]
-- "NIST SP 800-53" = ["SI-4"]
-- "SOC 2" = ["CC7.2"]
--
-- [parameters.minutes]
-- type = "int"
-- default = 60
-- meaning = "Minutes after the change in which model calls count."

WITH changes AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    COALESCE(account_id, '') AS account_key,
    aws_region AS aws_region,
    COALESCE(aws_region, '') AS region_key,
    principal AS principal,
    outcome AS outcome,
    CASE
      WHEN event_name = 'DeleteEnforcedGuardrailConfiguration' THEN 'enforced configuration '
        || COALESCE(json_extract_scalar(request_parameters, '$.configId'), 'not named')
      ELSE COALESCE(
        guardrail_id, json_extract_scalar(request_parameters, '$.guardrailIdentifier'), 'guardrail not named'
      )
    END AS thing
  FROM events
  WHERE record_kind = 'api_call'
    AND event_source = 'bedrock.amazonaws.com'
    AND outcome = 'ok'
    AND (
      event_name IN ('DeleteGuardrail', 'DeleteGuardrailVersion', 'DeleteEnforcedGuardrailConfiguration')
      OR (
        event_name = 'UpdateGuardrail'
        AND regexp_like(request_parameters, '"(inputAction|outputAction|action)" *: *"NONE"')
      )
      OR (
        -- The output strength of the filter against prompt attacks is always NONE.
        event_name = 'UpdateGuardrail'
        AND regexp_like(request_parameters, '"inputStrength" *: *"NONE"')
      )
    )
),
-- Calls are counted by the second first, so that a busy principal stays cheap.
call_seconds AS (
  SELECT
    principal AS principal,
    COALESCE(account_id, '') AS account_key,
    COALESCE(aws_region, '') AS region_key,
    event_time AS called_at,
    MIN(model_id) AS first_model,
    MAX(model_id) AS last_model,
    COUNT(*) AS calls
  FROM events
  WHERE record_kind = 'api_call'
    AND activity = 'model_invocation'
    AND outcome = 'ok'
    AND principal IN (SELECT principal FROM changes)
  GROUP BY principal, COALESCE(account_id, ''), COALESCE(aws_region, ''), event_time
),
followed AS (
  SELECT
    c.event_id AS event_id,
    MIN(m.called_at) AS first_call,
    MAX(m.called_at) AS last_call,
    MIN(m.first_model) AS first_model,
    MAX(m.last_model) AS last_model,
    SUM(m.calls) AS calls
  FROM changes AS c
  JOIN call_seconds AS m
    ON m.principal = c.principal
    AND m.account_key = c.account_key
    AND m.region_key = c.region_key
    AND m.called_at > c.event_time
    AND m.called_at <= date_add('minute', $minutes, c.event_time)
  GROUP BY c.event_id
)
SELECT
  CASE WHEN f.event_id IS NULL THEN 'pass' ELSE 'violation' END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  c.thing || ' ' || COALESCE(c.aws_region, 'Region not recorded') AS subject,
  'who took the guardrail away called models soon after' AS reason,
  'no model calls by the same principal within ' || CAST($minutes AS VARCHAR) || ' minutes' AS expected,
  substr(CAST(c.event_time AS VARCHAR), 12, 5) || ' ' || c.event_name || ', '
    || substr(CAST(f.first_call AS VARCHAR), 12, 5) || ' to ' || substr(CAST(f.last_call AS VARCHAR), 12, 5) || ' '
    || CAST(f.calls AS VARCHAR) || ' model calls'
    || COALESCE(
      ' of ' || f.first_model || CASE WHEN f.last_model <> f.first_model THEN ' to ' || f.last_model ELSE '' END, ''
    ) AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome
FROM changes AS c
LEFT JOIN followed AS f ON f.event_id = c.event_id
