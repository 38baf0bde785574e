-- title = "Where calls come from"
-- question = "From which addresses, endpoints and TLS versions do callers use models and agents?"
-- frameworks = ["SOC 2 CC6.6", "SOC 2 CC6.7", "NIST SP 800-53 SC-7", "NIST SP 800-53 SC-8", "PCI DSS 10.2.2"]
-- audit = "folder"
-- glance = ["principal", "source_ip", "source_kind", "vpc_endpoint_id", "activity", "calls", "ok", "denied", "tls_version", "last_seen", "account_id"]
--
-- [columns]
-- account_id = "The account that received the records."
-- environment = "The policy's environment for the account."
-- principal = "Who called: role, user, token issuer and subject, service or account."
-- person = "The person or workload behind the calls, where the records name one."
-- activity = "What the calls do."
-- source_ip = "The source address, as logged."
-- source_kind = "public, private, aws_service or aws_internal; empty where it is no address. Whether an address is one that the policy allows, the rules on networks say."
-- vpc_endpoint_id = "The VPC endpoint; empty where the record names none."
-- tls_version = "The TLS version; empty where an AWS service called."
-- from_console = "True where the console made the calls."
-- calls = "Calls, whatever their outcome."
-- ok = "Calls that succeeded."
-- denied = "Calls that were refused."
-- other = "Calls that were throttled, invalid or failed."
-- aws_regions = "The Regions called."
-- first_seen = "Time of the first, UTC."
-- last_seen = "Time of the last, UTC."

SELECT
  account_id AS account_id,
  environment AS environment,
  principal AS principal,
  person AS person,
  activity AS activity,
  source_ip AS source_ip,
  source_kind AS source_kind,
  vpc_endpoint_id AS vpc_endpoint_id,
  tls_version AS tls_version,
  from_console AS from_console,
  CAST(COUNT(*) AS BIGINT) AS calls,
  CAST(COUNT(*) FILTER (WHERE outcome = 'ok') AS BIGINT) AS ok,
  CAST(COUNT(*) FILTER (WHERE outcome = 'denied') AS BIGINT) AS denied,
  CAST(COUNT(*) FILTER (WHERE outcome NOT IN ('ok', 'denied')) AS BIGINT) AS other,
  array_join(array_agg(DISTINCT aws_region ORDER BY aws_region), ' ') AS aws_regions,
  MIN(event_time) AS first_seen,
  MAX(event_time) AS last_seen
FROM events
WHERE record_kind = 'api_call'
  AND activity IN (
    'model_invocation', 'batch', 'agent_invocation', 'retrieval', 'flow', 'guardrail_check', 'tool', 'memory', 'token_vending', 'session'
  )
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
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
  10 ASC NULLS LAST
