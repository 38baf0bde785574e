-- title = "Model calls after a guardrail was changed"
-- question = "Who called models within a day after a guardrail was changed or deleted, and was it who changed it?"
-- frameworks = ["SOC 2 CC7.2", "SOC 2 CC8.1", "ISO/IEC 42001 A.6.2.6", "NIST SP 800-53 CM-3"]
-- audit = "folder"
-- glance = ["changed_at", "event_name", "guardrail", "changed_by", "caller", "relation", "calls", "ok", "first_call", "models", "account_id"]
--
-- [columns]
-- changed_at = "When the guardrail was changed, UTC."
-- account_id = "The account that received the record."
-- aws_region = "The Region: the calls are those of the same account and Region."
-- event_name = "UpdateGuardrail, DeleteGuardrail or DeleteEnforcedGuardrailConfiguration and their kin."
-- guardrail = "The guardrail, as the request names it."
-- changed_by = "Who changed it."
-- caller = "Who called models within the 24 hours after."
-- relation = "same_principal: the one who changed it; same_guardrail: another one whose calls name this guardrail; other: any other caller of the account and Region, of whom nothing is suggested."
-- calls = "Model calls within the 24 hours, whatever their outcome."
-- ok = "Those that succeeded."
-- naming_it = "Those that name this guardrail."
-- models = "The base models."
-- first_call = "Time of the first, UTC."
-- last_call = "Time of the last within the 24 hours, UTC."
-- event_id = "CloudTrail's identifier of the change; what it asked for stands in the report changes."

WITH guardrail_changes AS (
  SELECT
    event_id AS event_id,
    event_time AS changed_at,
    account_id AS account_id,
    aws_region AS aws_region,
    event_name AS event_name,
    guardrail_id AS guardrail,
    regexp_replace(guardrail_id, '\A.*:guardrail/', '') AS guardrail_key,
    principal AS changed_by
  FROM events
  WHERE record_kind = 'api_call'
    AND activity = 'guardrail_admin'
    AND outcome = 'ok'
    AND event_name IN (
      'UpdateGuardrail', 'DeleteGuardrail', 'DeleteGuardrailVersion', 'PutEnforcedGuardrailConfiguration',
      'DeleteEnforcedGuardrailConfiguration'
    )
),
calls AS (
  SELECT
    account_id AS account_id,
    aws_region AS aws_region,
    event_time AS event_time,
    principal AS principal,
    model_id AS model_id,
    regexp_replace(guardrail_id, '\A.*:guardrail/', '') AS guardrail_key,
    outcome AS outcome,
    COUNT(*) AS calls
  FROM events
  WHERE record_kind = 'api_call'
    AND activity = 'model_invocation'
  GROUP BY 1, 2, 3, 4, 5, 6, 7
),
after AS (
  SELECT
    g.event_id AS event_id,
    g.changed_at AS changed_at,
    g.account_id AS account_id,
    g.aws_region AS aws_region,
    g.event_name AS event_name,
    g.guardrail AS guardrail,
    g.changed_by AS changed_by,
    c.principal AS caller,
    c.principal = g.changed_by AS is_changer,
    MAX(CASE WHEN c.guardrail_key = g.guardrail_key THEN 1 ELSE 0 END) AS names_it,
    CAST(SUM(c.calls) AS BIGINT) AS calls,
    CAST(COALESCE(SUM(c.calls) FILTER (WHERE c.outcome = 'ok'), 0) AS BIGINT) AS ok,
    CAST(COALESCE(SUM(c.calls) FILTER (WHERE c.guardrail_key = g.guardrail_key), 0) AS BIGINT) AS naming_it,
    array_join(array_agg(DISTINCT c.model_id ORDER BY c.model_id) FILTER (WHERE c.model_id IS NOT NULL), ' ') AS models,
    MIN(c.event_time) AS first_call,
    MAX(c.event_time) AS last_call
  FROM guardrail_changes AS g
  JOIN calls AS c
    ON c.account_id = g.account_id
    AND c.aws_region = g.aws_region
    AND c.event_time >= g.changed_at
    AND c.event_time < g.changed_at + INTERVAL '24' HOUR
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
)
SELECT
  a.changed_at AS changed_at,
  a.account_id AS account_id,
  a.aws_region AS aws_region,
  a.event_name AS event_name,
  a.guardrail AS guardrail,
  a.changed_by AS changed_by,
  a.caller AS caller,
  CASE
    WHEN a.is_changer THEN 'same_principal'
    WHEN a.names_it = 1 THEN 'same_guardrail'
    ELSE 'other'
  END AS relation,
  a.calls AS calls,
  a.ok AS ok,
  a.naming_it AS naming_it,
  NULLIF(a.models, '') AS models,
  a.first_call AS first_call,
  a.last_call AS last_call,
  a.event_id AS event_id
FROM after AS a
ORDER BY
  a.changed_at ASC NULLS LAST,
  a.event_id ASC NULLS LAST,
  CASE WHEN a.is_changer THEN 1 WHEN a.names_it = 1 THEN 2 ELSE 3 END ASC,
  a.caller ASC NULLS LAST,
  a.account_id ASC NULLS LAST,
  a.aws_region ASC NULLS LAST
