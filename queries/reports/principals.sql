-- title = "People and workloads behind each caller"
-- question = "Who stands behind a shared role, and how do we know?"
-- frameworks = ["SOC 2 CC6.1", "NIST SP 800-53 AU-3", "NIST SP 800-53 AU-10", "PCI DSS 8.2.2"]
-- glance = ["principal", "person", "person_basis", "calls", "ok", "sessions", "last_seen", "clients", "models", "first_seen"]
--
-- [columns]
-- account_id = "The account that received the record."
-- principal = "Who called: the role's ARN, or the user, token issuer and subject, service or account where there is no role."
-- role_arn = "The IAM role's own ARN; empty for callers without a role."
-- person = "The person or workload behind the calls; empty where the record names none."
-- person_basis = "How that is known: identity_center, source_identity, sso_session, iam_user, root, jwt, workload or session_name."
-- credentials_issued_to = "The Lambda function, task or instance the credentials were issued to, where recorded."
-- calls = "Calls to models, batch jobs, agents, knowledge bases, flows, tools, memory and token vending, whatever their outcome."
-- ok = "Calls that succeeded."
-- sessions = "Distinct role session names."
-- session_names = "The first five session names in text order."
-- models = "The models called."
-- clients = "The programs that called, by their user agent."
-- first_seen = "Time of the first call, UTC."
-- last_seen = "Time of the last call, UTC."

WITH folded AS (
  SELECT
    account_id AS account_id,
    principal AS principal,
    role_arn AS role_arn,
    person AS person,
    person_basis AS person_basis,
    credentials_issued_to AS credentials_issued_to,
    session_name AS session_name,
    model_id AS model_id,
    client AS client,
    COUNT(*) AS calls,
    COUNT(*) FILTER (WHERE outcome = 'ok') AS ok,
    MIN(event_time) AS first_seen,
    MAX(event_time) AS last_seen
  FROM events
  WHERE record_kind = 'api_call'
    AND principal IS NOT NULL
    AND activity IN (
      'model_invocation', 'batch', 'agent_invocation', 'retrieval', 'flow', 'tool', 'memory', 'token_vending'
    )
  GROUP BY
    account_id, principal, role_arn, person, person_basis, credentials_issued_to, session_name, model_id, client
),
-- DENSE_RANK numbers the session names, so one name under several models or clients is one.
ranked AS (
  SELECT
    account_id AS account_id,
    principal AS principal,
    role_arn AS role_arn,
    person AS person,
    person_basis AS person_basis,
    credentials_issued_to AS credentials_issued_to,
    session_name AS session_name,
    model_id AS model_id,
    client AS client,
    calls AS calls,
    ok AS ok,
    first_seen AS first_seen,
    last_seen AS last_seen,
    DENSE_RANK() OVER (
      PARTITION BY account_id, principal, role_arn, person, person_basis, credentials_issued_to
      ORDER BY session_name ASC NULLS LAST
    ) AS place
  FROM folded
)
SELECT
  account_id AS account_id,
  principal AS principal,
  role_arn AS role_arn,
  person AS person,
  person_basis AS person_basis,
  credentials_issued_to AS credentials_issued_to,
  CAST(SUM(calls) AS BIGINT) AS calls,
  CAST(SUM(ok) AS BIGINT) AS ok,
  CAST(COALESCE(MAX(CASE WHEN session_name IS NOT NULL THEN place END), 0) AS BIGINT) AS sessions,
  array_join(
    array_agg(DISTINCT session_name ORDER BY session_name) FILTER (WHERE session_name IS NOT NULL AND place <= 5), ' '
  ) AS session_names,
  array_join(array_agg(DISTINCT model_id ORDER BY model_id) FILTER (WHERE model_id IS NOT NULL), ' ') AS models,
  array_join(array_agg(DISTINCT client ORDER BY client) FILTER (WHERE client IS NOT NULL), ' ') AS clients,
  MIN(first_seen) AS first_seen,
  MAX(last_seen) AS last_seen
FROM ranked
GROUP BY account_id, principal, role_arn, person, person_basis, credentials_issued_to
ORDER BY
  account_id ASC NULLS LAST,
  principal ASC NULLS LAST,
  role_arn ASC NULLS LAST,
  person ASC NULLS LAST,
  person_basis ASC NULLS LAST,
  credentials_issued_to ASC NULLS LAST
