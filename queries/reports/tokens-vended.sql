-- title = "Tokens and keys handed to agents"
-- question = "Which agent took which token or key, from which provider, for whom, and may it?"
-- frameworks = ["SOC 2 CC6.1", "NIST SP 800-53 IA-5", "NIST SP 800-53 AC-6", "ISO/IEC 27001 A.5.17"]
-- audit = "folder"
-- empty = "Most tokens handed to agents are data events, which a trail records only where a selector asks for them: bedtrail selectors --for agentcore."
-- glance = ["principal", "event_name", "provider", "approved", "workload", "for_user", "calls", "ok", "denied", "last_seen", "account_id"]
--
-- [columns]
-- account_id = "The account that received the records."
-- environment = "The policy's environment for the account."
-- aws_region = "The Region."
-- event_name = "The operation."
-- provider = "The credential provider; empty for workload access tokens, which come from none."
-- workload = "The workload identity."
-- for_user = "The user that the caller named; the caller's word."
-- flow = "The OAuth flow: M2M is the agent's own access, USER_FEDERATION a user's."
-- principal = "Who called: role, user, token issuer and subject, service or account."
-- person = "The person or workload behind the calls, where the records name one."
-- person_basis = "How the person is known."
-- session_name = "The role session's name."
-- error_code = "The error code, as logged."
-- calls = "Calls, whatever their outcome."
-- ok = "Calls that succeeded."
-- denied = "Calls that were refused."
-- other = "Calls that were throttled, invalid or failed."
-- approved = "yes: the policy's agent with this role lists the provider; no: it lists others; not_assessed: the policy knows no agent with this role, or lists no providers for it; empty: no provider."
-- first_seen = "Time of the first, UTC."
-- last_seen = "Time of the last, UTC."

SELECT
  account_id AS account_id,
  environment AS environment,
  aws_region AS aws_region,
  event_name AS event_name,
  credential_provider AS provider,
  COALESCE(
    json_extract_scalar(request_parameters, '$.workloadName'),
    CASE WHEN strpos(resource_arn, '/workload-identity/') > 0 THEN regexp_replace(resource_arn, '\A.*/workload-identity/', '') END
  ) AS workload,
  json_extract_scalar(request_parameters, '$.userId') AS for_user,
  json_extract_scalar(request_parameters, '$.oauth2Flow') AS flow,
  principal AS principal,
  person AS person,
  person_basis AS person_basis,
  session_name AS session_name,
  error_code AS error_code,
  CAST(COUNT(*) AS BIGINT) AS calls,
  CAST(COUNT(*) FILTER (WHERE outcome = 'ok') AS BIGINT) AS ok,
  CAST(COUNT(*) FILTER (WHERE outcome = 'denied') AS BIGINT) AS denied,
  CAST(COUNT(*) FILTER (WHERE outcome NOT IN ('ok', 'denied')) AS BIGINT) AS other,
  CASE
    WHEN MIN(credential_provider) IS NULL THEN NULL
    WHEN MAX(a.approved) = 1 THEN 'yes'
    WHEN MAX(a.approved) = 0 THEN 'no'
    ELSE 'not_assessed'
  END AS approved,
  MIN(event_time) AS first_seen,
  MAX(event_time) AS last_seen
FROM events AS e
LEFT JOIN (
  SELECT
    c.role_arn AS role_key,
    c.credential_provider AS provider_key,
    MAX(CASE WHEN p.provider = c.credential_provider THEN 1 ELSE 0 END) AS approved
  FROM (
    SELECT DISTINCT role_arn AS role_arn, credential_provider AS credential_provider
    FROM events
    WHERE activity = 'token_vending'
  ) AS c
  JOIN policy_agent AS g ON regexp_like(c.role_arn, g.execution_role_re)
  JOIN policy_agent_provider AS p ON p.agent = g.agent
  GROUP BY c.role_arn, c.credential_provider
) AS a ON a.role_key = e.role_arn AND a.provider_key = e.credential_provider
WHERE record_kind = 'api_call'
  AND activity = 'token_vending'
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
