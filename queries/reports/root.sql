-- title = "Activity of root"
-- question = "What did root do: with models and agents, against the evidence, or elsewhere?"
-- frameworks = ["SOC 2 CC6.1", "ISO/IEC 27001 A.8.2", "NIST SP 800-53 AC-6(9)", "PCI DSS 10.2.1.2"]
-- audit = "folder"
-- glance = ["area", "event_name", "account_id", "calls", "ok", "denied", "source_ip", "last_seen"]
--
-- [columns]
-- account_id = "The account that received the records."
-- environment = "The policy's environment for the account."
-- area = "evidence: trails, logs and their keys and buckets; ai: models, agents and access to them; other: of what was kept."
-- event_source = "The service."
-- event_name = "The operation."
-- aws_region = "The Region."
-- source_ip = "The source address, as logged."
-- user_agent = "The user agent, as logged."
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
  CASE
    WHEN activity IN ('trail_admin', 'logging_admin') THEN 'evidence'
    WHEN surface IN ('runtime', 'mantle', 'agents', 'agentcore', 'gateway', 'control', 'marketplace') THEN 'ai'
    ELSE 'other'
  END AS area,
  event_source AS event_source,
  event_name AS event_name,
  aws_region AS aws_region,
  source_ip AS source_ip,
  user_agent AS user_agent,
  error_code AS error_code,
  CAST(COUNT(*) AS BIGINT) AS calls,
  CAST(COUNT(*) FILTER (WHERE outcome = 'ok') AS BIGINT) AS ok,
  CAST(COUNT(*) FILTER (WHERE outcome = 'denied') AS BIGINT) AS denied,
  CAST(COUNT(*) FILTER (WHERE outcome NOT IN ('ok', 'denied')) AS BIGINT) AS other,
  MIN(event_time) AS first_seen,
  MAX(event_time) AS last_seen
FROM events
WHERE record_kind = 'api_call'
  AND principal_type = 'Root'
  AND invoked_by IS NULL
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
ORDER BY
  1 ASC NULLS LAST,
  2 ASC NULLS LAST,
  3 ASC NULLS LAST,
  4 ASC NULLS LAST,
  5 ASC NULLS LAST,
  6 ASC NULLS LAST,
  7 ASC NULLS LAST,
  8 ASC NULLS LAST,
  9 ASC NULLS LAST
