-- title = "Models and callers that could not be named"
-- question = "For which calls does the record not say which model or which role it was, and why?"
-- frameworks = ["NIST SP 800-53 AU-3", "ISO/IEC 42001 A.4.2"]
-- glance = ["kind", "principal", "reference", "calls", "ok", "reason", "last_seen", "first_seen", "account_id"]
--
-- [columns]
-- kind = "model or caller."
-- account_id = "The account that received the record."
-- principal = "Who called, as far as the record says."
-- reference = "What the record says instead: the model as sent, or the caller."
-- reason = "Why it could not be named, and what would help."
-- calls = "Model invocations, batch jobs and agent invocations, whatever their outcome."
-- ok = "Calls that succeeded."
-- first_seen = "Time of the first call, UTC."
-- last_seen = "Time of the last call, UTC."

WITH calls AS (
  SELECT
    account_id AS account_id, principal AS principal, role_path_known AS role_path_known, activity AS activity,
    model_id AS model_id, model_requested AS model_requested, model_kind AS model_kind,
    model_known_by AS model_known_by, model_otherwise AS model_otherwise, params_omitted AS params_omitted,
    outcome AS outcome, event_time AS event_time
  FROM model_calls
  WHERE principal IS NOT NULL
  UNION ALL
  SELECT
    account_id AS account_id, principal AS principal, role_path_known AS role_path_known, activity AS activity,
    model_id AS model_id, model_requested AS model_requested, model_kind AS model_kind,
    CAST(NULL AS VARCHAR) AS model_known_by, CAST(NULL AS VARCHAR) AS model_otherwise,
    params_omitted AS params_omitted, outcome AS outcome, event_time AS event_time
  FROM events
  WHERE record_kind = 'api_call'
    AND principal IS NOT NULL
    AND activity = 'agent_invocation'
),
folded AS (
  SELECT
    account_id AS account_id,
    principal AS principal,
    role_path_known AS role_path_known,
    activity AS activity,
    model_id AS model_id,
    model_requested AS model_requested,
    model_kind AS model_kind,
    model_known_by AS model_known_by,
    model_otherwise AS model_otherwise,
    params_omitted AS params_omitted,
    COUNT(*) AS calls,
    COUNT(*) FILTER (WHERE outcome = 'ok') AS ok,
    MIN(event_time) AS first_seen,
    MAX(event_time) AS last_seen
  FROM calls
  GROUP BY
    account_id, principal, role_path_known, activity, model_id, model_requested, model_kind, model_known_by,
    model_otherwise, params_omitted
),
-- The two kinds by a cross join: a union would read the events twice.
told AS (
  SELECT
    k.kind AS kind,
    f.account_id AS account_id,
    f.principal AS principal,
    CASE WHEN k.kind = 'caller' THEN f.principal ELSE COALESCE(f.model_requested, f.model_id) END AS reference,
    CASE
      WHEN k.kind = 'caller' AND f.role_path_known = FALSE
        THEN 'the record carries the session only: the role is known by name, its path is not'
      WHEN k.kind = 'caller' AND f.principal = 'unknown' THEN 'the record does not say who called'
      WHEN k.kind = 'caller' AND f.principal = 'anonymous'
        THEN 'the call was not signed and carries no token subject'
      WHEN k.kind = 'caller' AND f.principal = 'account:' || f.account_id
        THEN 'a caller of this account: the record names neither role nor user'
      WHEN k.kind = 'caller' AND starts_with(f.principal, 'account:') AND f.account_id IS NULL
        THEN 'the record names the caller''s account only'
      WHEN k.kind = 'caller' AND starts_with(f.principal, 'account:')
        THEN 'a caller of another account: its own account has the record that names the role'
      WHEN k.kind = 'caller' OR f.activity = 'agent_invocation' THEN NULL
      WHEN f.model_known_by IS NOT NULL AND f.model_otherwise IS NOT NULL
        THEN 'taken for ' || f.model_id || ' (' || f.model_known_by || '); but ' || f.model_otherwise
      WHEN f.model_known_by IS NOT NULL THEN NULL
      WHEN f.model_id IS NULL AND f.params_omitted
        THEN 'CloudTrail left the request parameters out because of their size'
      WHEN f.model_id IS NULL THEN 'the record names no model'
      WHEN f.model_kind = 'application_profile'
        THEN 'application inference profile: its making is not recorded here, and no alias names the model behind it'
      WHEN f.model_kind = 'provisioned' AND f.model_id <> f.model_requested
        THEN 'provisioned throughput for a custom model, ' || f.model_id || ': no alias names its base model'
      WHEN f.model_kind = 'provisioned'
        THEN 'provisioned throughput: its making is not recorded here, and no alias names the model behind it'
      WHEN f.model_kind = 'custom' THEN 'custom model: no alias names its base model'
      WHEN f.model_kind = 'imported' THEN 'imported model: the record does not say what it is'
      WHEN f.model_kind = 'prompt' THEN 'stored prompt: the record does not name the model it uses'
      WHEN f.model_kind = 'router'
        THEN 'prompt router: the record does not name the model it chose' || COALESCE(', one of ' || f.model_otherwise, '')
      WHEN f.model_kind = 'marketplace' THEN 'marketplace endpoint: the record does not name the model behind it'
      WHEN f.model_kind = 'unresolved' THEN 'the reference is of no known form'
    END AS reason,
    f.calls AS calls,
    f.ok AS ok,
    f.first_seen AS first_seen,
    f.last_seen AS last_seen
  FROM folded AS f
  CROSS JOIN (VALUES ('model'), ('caller')) AS k (kind)
)
SELECT
  kind AS kind,
  account_id AS account_id,
  principal AS principal,
  reference AS reference,
  reason AS reason,
  CAST(SUM(calls) AS BIGINT) AS calls,
  CAST(SUM(ok) AS BIGINT) AS ok,
  MIN(first_seen) AS first_seen,
  MAX(last_seen) AS last_seen
FROM told
WHERE reason IS NOT NULL
GROUP BY kind, account_id, principal, reference, reason
ORDER BY
  kind ASC NULLS LAST,
  account_id ASC NULLS LAST,
  principal ASC NULLS LAST,
  reference ASC NULLS LAST,
  reason ASC NULLS LAST
