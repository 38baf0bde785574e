-- title = "Which allow entries cover each model invocation and batch job"
-- meaning = """\
-- One row per model invocation or batch job and allow entry that covers it, whatever its outcome and whatever a deny \
-- entry says: an entry that is in no row allows nothing that was done. Names are matched as in decisions; a role whose \
-- path the record lost counts where it may be meant. Empty without a policy."""
-- uses = ["model_calls"]
--
-- [columns]
-- allow_id = "The id of the allow entry."
-- policy_version = "The version of the policy that has it."

WITH calls AS (
  SELECT DISTINCT
    COALESCE(environment, '') AS environment_key,
    COALESCE(role_arn, principal, '') AS caller,
    COALESCE(role_path_known, TRUE) AS path_known,
    COALESCE(model_id, '') AS model_key,
    COALESCE(model_requested, '') AS requested_key,
    COALESCE(profile_scope, '') AS scope_key,
    activity AS activity
  FROM model_calls
),
version AS (
  SELECT MAX(policy_version) AS policy_version
  FROM policy_version
  HAVING COUNT(*) > 0
),
names AS (
  SELECT DISTINCT model_key AS model_key, requested_key AS requested_key, scope_key AS scope_key
  FROM calls
),
matched_models AS (
  SELECT
    n.model_key AS model_key,
    n.requested_key AS requested_key,
    n.scope_key AS scope_key,
    p.model_pattern AS model_pattern
  FROM names AS n
  JOIN (SELECT DISTINCT model_pattern AS model_pattern, model_re AS model_re FROM policy_allow) AS p
    ON regexp_like(n.model_key, p.model_re)
    OR regexp_like(n.requested_key, p.model_re)
    OR (n.scope_key <> '' AND regexp_like(n.scope_key || '.' || n.model_key, p.model_re))
),
matched_callers AS (
  SELECT c.caller AS caller, c.path_known AS path_known, p.role_pattern AS role_pattern
  FROM (SELECT DISTINCT caller AS caller, path_known AS path_known FROM calls) AS c
  JOIN (
    SELECT DISTINCT role_pattern AS role_pattern, role_re AS role_re, role_pathless_re AS role_pathless_re
    FROM policy_allow
  ) AS p
    ON regexp_like(c.caller, p.role_re)
    OR (NOT c.path_known AND regexp_like(c.caller, p.role_pathless_re))
),
covered AS (
  SELECT DISTINCT
    c.environment_key AS environment_key,
    c.caller AS caller,
    c.path_known AS path_known,
    c.model_key AS model_key,
    c.requested_key AS requested_key,
    c.scope_key AS scope_key,
    c.activity AS activity,
    a.allow_id AS allow_id,
    v.policy_version AS policy_version
  FROM calls AS c
  CROSS JOIN version AS v
  JOIN matched_callers AS r
    ON r.caller = c.caller
    AND r.path_known = c.path_known
  JOIN matched_models AS m
    ON m.model_key = c.model_key
    AND m.requested_key = c.requested_key
    AND m.scope_key = c.scope_key
  JOIN policy_allow AS a ON a.role_pattern = r.role_pattern AND a.model_pattern = m.model_pattern
  WHERE (a.environment IS NULL OR a.environment = c.environment_key)
    AND (a.activity IS NULL OR a.activity = c.activity)
)
SELECT
  e.event_id AS event_id,
  e.log_object AS log_object,
  e.log_index AS log_index,
  e.event_time AS event_time,
  e.account_id AS account_id,
  e.environment AS environment,
  e.principal AS principal,
  e.role_arn AS role_arn,
  e.model_id AS model_id,
  e.activity AS activity,
  e.outcome AS outcome,
  x.allow_id AS allow_id,
  x.policy_version AS policy_version
FROM covered AS x
JOIN model_calls AS e
  ON x.environment_key = COALESCE(e.environment, '')
  AND x.caller = COALESCE(e.role_arn, e.principal, '')
  AND x.path_known = COALESCE(e.role_path_known, TRUE)
  AND x.model_key = COALESCE(e.model_id, '')
  AND x.requested_key = COALESCE(e.model_requested, '')
  AND x.scope_key = COALESCE(e.profile_scope, '')
  AND x.activity = e.activity
