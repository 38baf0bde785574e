-- title = "Reads and writes of agent memory"
-- question = "Who read and wrote which memory, for which actor and session?"
-- frameworks = ["SOC 2 CC6.1", "ISO/IEC 42001 A.6.2.8", "NIST SP 800-53 AU-12", "ISO/IEC 27001 A.5.34"]
-- audit = "folder"
-- empty = "Reads and writes of memory are data events, which a trail records only where a selector asks for them: bedtrail selectors --for agentcore."
-- glance = ["memory", "access", "event_name", "principal", "actor", "namespace", "session", "calls", "ok", "denied", "last_seen", "account_id"]
--
-- [columns]
-- account_id = "The account that received the records."
-- environment = "The policy's environment for the account."
-- aws_region = "The Region."
-- memory = "The memory."
-- access = "read, write or not_recorded, by CloudTrail's readOnly flag."
-- event_name = "The operation."
-- actor = "The actor the request names."
-- session = "The session the request names."
-- namespace = "The namespace that was searched."
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
  memory_id AS memory,
  CASE WHEN read_only THEN 'read' WHEN NOT read_only THEN 'write' ELSE 'not_recorded' END AS access,
  event_name AS event_name,
  json_extract_scalar(request_parameters, '$.actorId') AS actor,
  agent_session_id AS session,
  json_extract_scalar(request_parameters, '$.namespace') AS namespace,
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
  AND activity = 'memory'
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
ORDER BY
  1 ASC NULLS LAST,
  2 ASC NULLS LAST,
  3 ASC NULLS LAST,
  4 ASC NULLS LAST,
  5 ASC NULLS LAST,
  6 ASC NULLS LAST,
  7 ASC NULLS LAST,
  8 ASC NULLS LAST,
  9 ASC NULLS LAST,
  10 ASC NULLS LAST,
  11 ASC NULLS LAST,
  12 ASC NULLS LAST,
  13 ASC NULLS LAST
