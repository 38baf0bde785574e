-- title = "Tools that were run"
-- question = "Who ran code interpreters, browsers, gateway tools and Bedrock tools, in which sessions?"
-- frameworks = ["SOC 2 CC6.1", "ISO/IEC 42001 A.6.2.8", "NIST SP 800-53 AU-12"]
-- audit = "folder"
-- empty = "Uses of tools are data events, which a trail records only where a selector asks for them: bedtrail selectors."
-- glance = ["kind", "tool", "principal", "person", "event_name", "session", "calls", "ok", "denied", "last_seen", "account_id"]
--
-- [columns]
-- account_id = "The account that received the records."
-- environment = "The policy's environment for the account."
-- aws_region = "The Region."
-- kind = "code_interpreter, browser, gateway_tool, bedrock_tool, web_search, payment or other; gateway: a call of a gateway that runs no tool, such as initialize or tools/list."
-- tool = "The tool: aws.codeinterpreter.v1 and aws.browser.v1 are AWS's own, on the public network; others are the account's."
-- event_name = "The operation."
-- principal = "Who called: role, user, token issuer and subject, service or account."
-- person = "The person or workload behind the calls, where the records name one."
-- person_basis = "How the person is known."
-- session = "The tool's session."
-- session_name = "The role session's name."
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
  CASE
    WHEN surface = 'gateway' AND tool_name IS NULL THEN 'gateway'
    WHEN surface = 'gateway' THEN 'gateway_tool'
    WHEN strpos(event_name, 'CodeInterpreter') > 0 THEN 'code_interpreter'
    WHEN strpos(event_name, 'Browser') > 0 THEN 'browser'
    WHEN event_name = 'ProcessPayment' THEN 'payment'
    WHEN event_source = 'bedrock-websearch.amazonaws.com' OR event_name = 'InvokeWebSearch' THEN 'web_search'
    WHEN strpos(surface, 'agentcore') = 0 THEN 'bedrock_tool'
    ELSE 'other'
  END AS kind,
  COALESCE(tool_name, json_extract_scalar(request_parameters, '$.toolName'), resource_arn) AS tool,
  event_name AS event_name,
  principal AS principal,
  person AS person,
  person_basis AS person_basis,
  COALESCE(
    agent_session_id, json_extract_scalar(response_elements, '$.sessionId'),
    json_extract_scalar(request_parameters, '$.paymentSessionId')
  ) AS session,
  session_name AS session_name,
  error_code AS error_code,
  CAST(COUNT(*) AS BIGINT) AS calls,
  CAST(COUNT(*) FILTER (WHERE outcome = 'ok') AS BIGINT) AS ok,
  CAST(COUNT(*) FILTER (WHERE outcome = 'denied') AS BIGINT) AS denied,
  CAST(COUNT(*) FILTER (WHERE outcome NOT IN ('ok', 'denied')) AS BIGINT) AS other,
  MIN(event_time) AS first_seen,
  MAX(event_time) AS last_seen
FROM events
WHERE record_kind = 'api_call'
  AND activity = 'tool'
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
