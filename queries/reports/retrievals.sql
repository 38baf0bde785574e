-- title = "Reads of knowledge bases"
-- question = "Who read which knowledge base, from where, and with what outcome?"
-- frameworks = ["SOC 2 CC6.1", "ISO/IEC 42001 A.6.2.8", "NIST SP 800-53 AU-12", "HIPAA 164.312(b)"]
-- audit = "folder"
-- empty = "Reads of knowledge bases are data events, which a trail records only where a selector asks for them: bedtrail selectors --for agents."
-- glance = ["principal", "person", "knowledge_base", "event_name", "calls", "ok", "denied", "source_ip", "last_seen", "model_id", "account_id"]
--
-- [columns]
-- account_id = "The account that received the records."
-- environment = "The policy's environment for the account."
-- aws_region = "The Region."
-- knowledge_base = "The knowledge base; empty where the record names none."
-- event_name = "The operation."
-- principal = "Who called: role, user, token issuer and subject, service or account."
-- person = "The person or workload behind the calls, where the records name one."
-- person_basis = "How the person is known."
-- invoked_by = "The AWS service that called on the caller's behalf."
-- source_ip = "The source address, as logged."
-- model_id = "The model that wrote an answer from what was found, where the request names one."
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
  knowledge_base_id AS knowledge_base,
  event_name AS event_name,
  principal AS principal,
  person AS person,
  person_basis AS person_basis,
  invoked_by AS invoked_by,
  source_ip AS source_ip,
  model_id AS model_id,
  error_code AS error_code,
  CAST(COUNT(*) AS BIGINT) AS calls,
  CAST(COUNT(*) FILTER (WHERE outcome = 'ok') AS BIGINT) AS ok,
  CAST(COUNT(*) FILTER (WHERE outcome = 'denied') AS BIGINT) AS denied,
  CAST(COUNT(*) FILTER (WHERE outcome NOT IN ('ok', 'denied')) AS BIGINT) AS other,
  MIN(event_time) AS first_seen,
  MAX(event_time) AS last_seen
FROM events
WHERE record_kind = 'api_call'
  AND activity = 'retrieval'
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
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
  12 ASC NULLS LAST
