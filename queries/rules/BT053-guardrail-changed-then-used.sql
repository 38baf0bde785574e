-- title = "Somebody took a guardrail away and then called models"
-- severity = "high"
-- kind = "sequence"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "activity", "outcome",
--   "guardrail_id", "model_id", "request_parameters", "response_elements", "aws_region", "record_kind",
-- ]
-- attack = ["T1685"]
-- attack_old = ["T1562.001"]
-- atlas = ["AML.T0054"]
-- why = """\
-- A deployment role changes guardrails, an application calls models. If one principal does both within an hour, it \
-- may have removed the control in order to do what it stopped. The rule takes each successful deletion of a guardrail \
-- or of its enforcement, and each update that makes one weaker than it was, as BT052 compares them; where no earlier \
-- settings are known, each update that sets a filter, an action or a strength to NONE. It looks for successful model \
-- calls of the same principal in the same account and Region in the same second or in the `minutes` that follow. The \
-- timeline stands in observed. Calls by other principals are no finding here."""
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
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    CASE
      WHEN event_name = 'DeleteEnforcedGuardrailConfiguration' THEN 'enforced configuration '
        || COALESCE(json_extract_scalar(request_parameters, '$.configId'), 'not named')
      ELSE COALESCE(
        guardrail_id, json_extract_scalar(request_parameters, '$.guardrailIdentifier'), 'guardrail not named'
      )
    END AS thing,
    CAST(NULL AS VARCHAR) AS weakened
  FROM events
  WHERE record_kind = 'api_call'
    AND event_source = 'bedrock.amazonaws.com'
    AND outcome = 'ok'
    AND event_name IN ('DeleteGuardrail', 'DeleteGuardrailVersion', 'DeleteEnforcedGuardrailConfiguration')
  UNION ALL
  SELECT
    c.event_id AS event_id,
    c.event_time AS event_time,
    c.event_name AS event_name,
    c.account_id AS account_id,
    c.aws_region AS aws_region,
    c.principal AS principal,
    c.outcome AS outcome,
    c.guardrail AS thing,
    c.weakened AS weakened
  FROM guardrail_changes AS c
  LEFT JOIN (
    SELECT event_id AS event_id
    FROM events
    WHERE event_name = 'UpdateGuardrail'
      -- The output strength of the filter against prompt attacks is always NONE.
      AND regexp_like(request_parameters, '"(inputAction|outputAction|action|inputStrength)" *: *"NONE"')
  ) AS n ON n.event_id = c.event_id
  WHERE c.outcome = 'ok'
    AND (c.weakened IS NOT NULL OR (c.obstacle IS NOT NULL AND n.event_id IS NOT NULL))
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
    AND principal IN (
      SELECT principal
      FROM events
      WHERE event_source = 'bedrock.amazonaws.com'
        AND outcome = 'ok'
        AND event_name IN (
          'DeleteGuardrail', 'DeleteGuardrailVersion', 'DeleteEnforcedGuardrailConfiguration', 'UpdateGuardrail',
          'PutEnforcedGuardrailConfiguration'
        )
    )
  GROUP BY principal, COALESCE(account_id, ''), COALESCE(aws_region, ''), event_time
),
followed AS (
  SELECT
    c.event_id AS event_id,
    c.event_time AS event_time,
    c.event_name AS event_name,
    c.account_id AS account_id,
    c.aws_region AS aws_region,
    c.principal AS principal,
    c.outcome AS outcome,
    c.thing AS thing,
    c.weakened AS weakened,
    MIN(m.called_at) AS first_call,
    MAX(m.called_at) AS last_call,
    MIN(m.first_model) AS first_model,
    MAX(m.last_model) AS last_model,
    SUM(m.calls) AS calls
  FROM changes AS c
  LEFT JOIN call_seconds AS m
    ON m.principal = c.principal
    AND m.account_key = COALESCE(c.account_id, '')
    AND m.region_key = COALESCE(c.aws_region, '')
    AND m.called_at >= c.event_time
    AND m.called_at <= date_add('minute', $minutes, c.event_time)
  GROUP BY
    c.event_id, c.event_time, c.event_name, c.account_id, c.aws_region, c.principal, c.outcome, c.thing, c.weakened
)
SELECT
  CASE WHEN calls IS NULL THEN 'pass' ELSE 'violation' END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  thing || ' ' || COALESCE(aws_region, 'Region not recorded') AS subject,
  'who took the guardrail away called models soon after' AS reason,
  'no model calls by the same principal within ' || CAST($minutes AS VARCHAR) || ' minutes' AS expected,
  substr(CAST(event_time AS VARCHAR), 12, 5) || ' ' || event_name || COALESCE(' (' || weakened || ')', '') || ', '
    || substr(CAST(first_call AS VARCHAR), 12, 5) || ' to ' || substr(CAST(last_call AS VARCHAR), 12, 5) || ' '
    || CAST(calls AS VARCHAR) || ' model calls'
    || COALESCE(' of ' || first_model || CASE WHEN last_model <> first_model THEN ' to ' || last_model ELSE '' END, '')
    AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome
FROM followed
