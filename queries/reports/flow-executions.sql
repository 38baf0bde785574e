-- title = "Executions of flows"
-- question = "Who started, stopped and read which execution of which flow?"
-- frameworks = ["ISO/IEC 42001 A.6.2.8", "NIST SP 800-53 AU-12"]
-- audit = "folder"
-- empty = "Calls of flows are data events, which a trail records only where a selector asks for them: bedtrail selectors --for agents."
-- glance = ["flow", "execution", "event_name", "principal", "person", "calls", "ok", "denied", "last_seen", "account_id"]
--
-- [columns]
-- account_id = "The account that received the records."
-- environment = "The policy's environment for the account."
-- aws_region = "The Region."
-- flow = "The flow."
-- alias = "Its alias."
-- execution = "The execution, by name or ARN; empty for InvokeFlow, which has none."
-- event_name = "The operation."
-- principal = "Who called: role, user, token issuer and subject, service or account."
-- person = "The person or workload behind the calls, where the records name one."
-- person_basis = "How the person is known."
-- error_code = "The error code, as logged."
-- calls = "Calls, whatever their outcome."
-- ok = "Calls that succeeded."
-- denied = "Calls that were refused."
-- other = "Calls that were throttled, invalid or failed."
-- first_seen = "Time of the first, UTC."
-- last_seen = "Time of the last, UTC."

SELECT
  account_id AS account_id,
  environment AS environment,
  aws_region AS aws_region,
  flow_id AS flow,
  json_extract_scalar(request_parameters, '$.flowAliasIdentifier') AS alias,
  COALESCE(
    json_extract_scalar(request_parameters, '$.flowExecutionName'),
    json_extract_scalar(request_parameters, '$.executionIdentifier')
  ) AS execution,
  event_name AS event_name,
  principal AS principal,
  person AS person,
  person_basis AS person_basis,
  error_code AS error_code,
  CAST(COUNT(*) AS BIGINT) AS calls,
  CAST(COUNT(*) FILTER (WHERE outcome = 'ok') AS BIGINT) AS ok,
  CAST(COUNT(*) FILTER (WHERE outcome = 'denied') AS BIGINT) AS denied,
  CAST(COUNT(*) FILTER (WHERE outcome NOT IN ('ok', 'denied')) AS BIGINT) AS other,
  MIN(event_time) AS first_seen,
  MAX(event_time) AS last_seen
FROM events
WHERE record_kind = 'api_call'
  AND activity = 'flow'
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ORDER BY
  1 ASC NULLS LAST,
  2 ASC NULLS LAST,
  3 ASC NULLS LAST,
  4 ASC NULLS LAST,
  5 ASC NULLS LAST,
  6 ASC NULLS LAST,
  16 ASC,
  7 ASC NULLS LAST,
  8 ASC NULLS LAST,
  9 ASC NULLS LAST,
  10 ASC NULLS LAST,
  11 ASC NULLS LAST
