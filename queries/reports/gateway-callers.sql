-- title = "Callers of AgentCore gateways"
-- question = "Which token subjects called which gateway and tool, from where, and who was turned away?"
-- frameworks = ["SOC 2 CC6.1", "SOC 2 CC6.6", "NIST SP 800-53 AC-3", "NIST SP 800-53 IA-9"]
-- audit = "folder"
-- empty = "Calls of gateways are data events, which a trail records only where a selector asks for them: bedtrail selectors --for agentcore."
-- glance = ["issuer", "subject", "gateway", "tool", "status_class", "calls", "source_ip", "scope", "last_seen", "account_id"]
--
-- [columns]
-- account_id = "The account that received the records."
-- environment = "The policy's environment for the account."
-- aws_region = "The Region."
-- gateway = "The gateway."
-- issuer = "Who issued the token; empty where the record has no token. A gateway records no IAM caller."
-- subject = "The token's subject; empty where the record has no token."
-- scope = "The token's scopes, where recorded; its length only, unless contents are kept."
-- source_ip = "The source address, as logged."
-- method = "The JSON-RPC method."
-- tool = "The tool, with its target before the underscores."
-- status = "The HTTP status the gateway answered."
-- status_class = "answered, not_authenticated (401), not_authorised (403), client_error, server_error, or not_recorded. An answer can still carry a tool's error."
-- calls = "Calls, whatever their outcome."
-- ok = "Calls that succeeded."
-- denied = "Calls that were refused."
-- other = "Calls that were throttled, invalid or failed."
-- tool_errors = "Calls that the gateway did not turn away and whose answer carries an error: JSON-RPC's, with or without a code, or the tool's own (isError)."
-- first_seen = "Time of the first, UTC."
-- last_seen = "Time of the last, UTC."

SELECT
  account_id AS account_id,
  environment AS environment,
  aws_region AS aws_region,
  regexp_replace(gateway_arn, '\A.*:gateway/', '') AS gateway,
  jwt_issuer AS issuer,
  jwt_subject AS subject,
  json_extract_scalar(additional_event_data, '$.jwt.claims.scope') AS scope,
  source_ip AS source_ip,
  json_extract_scalar(request_parameters, '$.body.method') AS method,
  tool_name AS tool,
  gateway_status AS status,
  CASE
    WHEN gateway_status = 401 THEN 'not_authenticated'
    WHEN gateway_status = 403 THEN 'not_authorised'
    WHEN gateway_status BETWEEN 400 AND 499 THEN 'client_error'
    WHEN gateway_status >= 500 THEN 'server_error'
    WHEN gateway_status IS NULL THEN 'not_recorded'
    ELSE 'answered'
  END AS status_class,
  CAST(COUNT(*) AS BIGINT) AS calls,
  CAST(COUNT(*) FILTER (WHERE outcome = 'ok') AS BIGINT) AS ok,
  CAST(COUNT(*) FILTER (WHERE outcome = 'denied') AS BIGINT) AS denied,
  CAST(COUNT(*) FILTER (WHERE outcome NOT IN ('ok', 'denied')) AS BIGINT) AS other,
  -- The outcome is made of the whole answer, whose contents are kept only where they are asked for.
  CAST(COUNT(*) FILTER (
    WHERE outcome <> 'ok' AND error_code IS NULL AND error_message IS NULL AND COALESCE(gateway_status, 200) < 400
  ) AS BIGINT) AS tool_errors,
  MIN(event_time) AS first_seen,
  MAX(event_time) AS last_seen
FROM events
WHERE record_kind = 'api_call'
  AND activity = 'tool'
  AND surface = 'gateway'
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
