-- title = "How each caller authenticates"
-- question = "With which kind of credential does each role or user call models and agents?"
-- frameworks = ["SOC 2 CC6.1", "ISO/IEC 27001 A.8.5", "NIST SP 800-53 IA-5", "PCI DSS 8.3"]
-- glance = ["principal", "credential", "calls", "ok", "denied", "access_keys", "mfa", "last_seen", "from_console", "surfaces", "principal_type", "first_seen", "account_id"]
--
-- [columns]
-- account_id = "The account that received the record."
-- principal = "Who called: the role's ARN, or the user, token issuer and subject, service or account where there is no role."
-- role_arn = "The IAM role's own ARN; empty for callers without a role."
-- principal_type = "The identity type, as logged."
-- credential = "long_term, temporary, bearer_long, bearer_short, bearer_unknown, service, jwt or none."
-- from_console = "True when the console made the calls; empty otherwise."
-- mfa = "Whether the session says it used MFA; empty where not recorded. False says nothing about Identity Center or federated sessions."
-- calls = "Calls to models, batch jobs, agents, knowledge bases, flows, tools, memory and token vending, whatever their outcome."
-- ok = "Calls that succeeded."
-- denied = "Calls that were refused."
-- access_keys = "Distinct access key ids."
-- surfaces = "The surfaces called."
-- first_seen = "Time of the first call, UTC."
-- last_seen = "Time of the last call, UTC."

-- One pass makes two lists per group: access keys and surfaces. Each carries the group's counts.
-- Distinct values are then rows to count, where COUNT(DISTINCT …) would hold a set for every group.
WITH parts AS (
  SELECT
    account_id AS account_id,
    principal AS principal,
    role_arn AS role_arn,
    principal_type AS principal_type,
    credential AS credential,
    from_console AS from_console,
    mfa AS mfa,
    access_key_id AS access_key_id,
    surface AS surface,
    CASE
      WHEN GROUPING(access_key_id) = 0 THEN 1
      WHEN GROUPING(surface) = 0 THEN 2
    END AS part,
    COUNT(*) AS calls,
    COUNT(*) FILTER (WHERE outcome = 'ok') AS ok,
    COUNT(*) FILTER (WHERE outcome = 'denied') AS denied,
    MIN(event_time) AS first_seen,
    MAX(event_time) AS last_seen
  FROM events
  WHERE record_kind = 'api_call'
    AND principal IS NOT NULL
    AND activity IN (
      'model_invocation', 'batch', 'agent_invocation', 'retrieval', 'flow', 'tool', 'memory', 'token_vending'
    )
  GROUP BY GROUPING SETS (
    (account_id, principal, role_arn, principal_type, credential, from_console, mfa, access_key_id),
    (account_id, principal, role_arn, principal_type, credential, from_console, mfa, surface)
  )
)
SELECT
  account_id AS account_id,
  principal AS principal,
  role_arn AS role_arn,
  principal_type AS principal_type,
  credential AS credential,
  from_console AS from_console,
  mfa AS mfa,
  CAST(SUM(calls) FILTER (WHERE part = 1) AS BIGINT) AS calls,
  CAST(SUM(ok) FILTER (WHERE part = 1) AS BIGINT) AS ok,
  CAST(SUM(denied) FILTER (WHERE part = 1) AS BIGINT) AS denied,
  CAST(COUNT(access_key_id) FILTER (WHERE part = 1) AS BIGINT) AS access_keys,
  array_join(array_agg(surface ORDER BY surface) FILTER (WHERE part = 2 AND surface IS NOT NULL), ' ') AS surfaces,
  MIN(first_seen) AS first_seen,
  MAX(last_seen) AS last_seen
FROM parts
GROUP BY account_id, principal, role_arn, principal_type, credential, from_console, mfa
ORDER BY
  account_id ASC NULLS LAST,
  principal ASC NULLS LAST,
  role_arn ASC NULLS LAST,
  principal_type ASC NULLS LAST,
  credential ASC NULLS LAST,
  from_console ASC NULLS LAST,
  mfa ASC NULLS LAST
