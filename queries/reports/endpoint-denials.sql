-- title = "Refused at a VPC endpoint"
-- question = "Which calls did the policy of a VPC endpoint refuse?"
-- frameworks = ["SOC 2 CC6.6", "NIST SP 800-53 SC-7", "NIST SP 800-53 AC-4"]
-- audit = "folder"
-- empty = "Refusals at VPC endpoints are network activity events, which a trail records only where a selector asks for them: bedtrail selectors --for network."
-- glance = ["event_name", "event_source", "vpc_endpoint_id", "principal", "calls", "error_code", "source_ip", "last_seen", "account_id"]
--
-- [columns]
-- account_id = "The account that received the records."
-- environment = "The policy's environment for the account."
-- aws_region = "The Region."
-- vpc_endpoint_id = "The VPC endpoint."
-- event_source = "The service."
-- event_name = "The operation."
-- principal = "Who called: role, user, token issuer and subject, service or account."
-- source_ip = "The source address, as logged."
-- error_code = "The error code, as logged."
-- calls = "Records."
-- first_seen = "Time of the first, UTC."
-- last_seen = "Time of the last, UTC."

SELECT
  account_id AS account_id,
  environment AS environment,
  aws_region AS aws_region,
  vpc_endpoint_id AS vpc_endpoint_id,
  event_source AS event_source,
  event_name AS event_name,
  principal AS principal,
  source_ip AS source_ip,
  error_code AS error_code,
  CAST(COUNT(*) AS BIGINT) AS calls,
  MIN(event_time) AS first_seen,
  MAX(event_time) AS last_seen
FROM events
WHERE record_kind = 'network_activity'
  AND outcome = 'denied'
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
