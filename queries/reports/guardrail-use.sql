-- title = "Use of guardrails"
-- question = "Which callers name which guardrail, and which model calls name none?"
-- frameworks = ["ISO/IEC 42001 A.6.2.6", "SOC 2 CC7.2", "EU AI Act Art. 26"]
-- audit = "folder"
-- glance = ["use", "guardrail", "principal", "model_id", "calls", "ok", "denied", "required", "last_seen", "account_id"]
--
-- [columns]
-- account_id = "The account that received the records."
-- environment = "The policy's environment for the account."
-- use = "check: ApplyGuardrail; named: a model call names it; none_named: the record of a model call names none, which is no proof, as CloudTrail need not record it and an account can enforce one; not_recorded: the endpoint records none."
-- guardrail = "The guardrail, as the request names it."
-- guardrail_version = "Its version."
-- event_name = "The operation."
-- principal = "Who called: role, user, token issuer and subject, service or account."
-- model_id = "The base model."
-- calls = "Calls, whatever their outcome."
-- ok = "Calls that succeeded."
-- denied = "Calls that were refused."
-- other = "Calls that were throttled, invalid or failed."
-- required = "yes: the policy requires a guardrail in this environment; no: it does not; not_assessed: no policy was given."
-- first_seen = "Time of the first, UTC."
-- last_seen = "Time of the last, UTC."

SELECT
  account_id AS account_id,
  environment AS environment,
  CASE
    WHEN activity = 'guardrail_check' THEN 'check'
    WHEN guardrail_id IS NOT NULL THEN 'named'
    WHEN surface = 'mantle' THEN 'not_recorded'
    ELSE 'none_named'
  END AS use,
  guardrail_id AS guardrail,
  guardrail_version AS guardrail_version,
  event_name AS event_name,
  principal AS principal,
  model_id AS model_id,
  CAST(COUNT(*) AS BIGINT) AS calls,
  CAST(COUNT(*) FILTER (WHERE outcome = 'ok') AS BIGINT) AS ok,
  CAST(COUNT(*) FILTER (WHERE outcome = 'denied') AS BIGINT) AS denied,
  CAST(COUNT(*) FILTER (WHERE outcome NOT IN ('ok', 'denied')) AS BIGINT) AS other,
  CASE WHEN MIN(g.required) = 1 THEN 'yes' WHEN MIN(v.versions) = 0 THEN 'not_assessed' ELSE 'no' END AS required,
  MIN(event_time) AS first_seen,
  MAX(event_time) AS last_seen
FROM events AS e
CROSS JOIN (SELECT COUNT(*) AS versions FROM policy_version) AS v
LEFT JOIN (SELECT DISTINCT environment AS name, 1 AS required FROM policy_guardrail) AS g ON g.name = e.environment
WHERE record_kind = 'api_call'
  AND activity IN ('guardrail_check', 'model_invocation')
  AND outcome IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
ORDER BY
  1 ASC NULLS LAST,
  2 ASC NULLS LAST,
  3 ASC NULLS LAST,
  4 ASC NULLS LAST,
  5 ASC NULLS LAST,
  6 ASC NULLS LAST,
  7 ASC NULLS LAST,
  8 ASC NULLS LAST
