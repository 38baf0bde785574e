-- title = "What the policy says about each model invocation and batch job"
-- meaning = """\
-- One row per model invocation or batch job, whatever its outcome. decision is allowed, denied_entry, uncovered or \
-- not_assessed. A deny entry beats every allow entry; among allow entries the one with the longest role pattern is \
-- named. A pattern is held against the model id, the id with the prefix of its inference profile (eu.), and the \
-- reference as sent. Ids are taken apart as family-date-vN:M:context. A pattern and an id are of one model if what \
-- they both say is the same, whatever one of them leaves out: amazon.nova-pro means every version, amazon.nova-pro-v1:0 \
-- means amazon.nova-pro-v1:0:24k and an id without a version too, and never another version. A role whose path the record lost may be \
-- any that an entry names with a path: not_assessed where a deny entry may mean it, and where an allow entry may and \
-- none fits. A call whose model the record does not name (an application inference profile, a \
-- provisioned, custom or imported model, a prompt, a router, a marketplace endpoint) is not_assessed unless an entry \
-- covers the reference itself, or model_calls knows what stands behind it: from the trail, an alias of the policy or \
-- of a file. A call from before the policy's first day \
-- (effective_from) is not_assessed. Empty without a policy."""
-- uses = ["model_calls"]
--
-- [columns]
-- decision = "allowed, denied_entry (a deny entry covers it), uncovered (no entry covers it) or not_assessed."
-- grant_id = "The id of the allow or deny entry that decided; null where none did."
-- policy_version = "The version of the policy it was judged by; null where none was in force."
-- reason = "Why: the deny entry's reason, what covers the call, or why it is not assessed."

WITH version AS (
  SELECT
    MAX(policy_version) AS policy_version,
    -- Before this no version was in force; null where one always was.
    CASE WHEN COUNT(effective_from) = COUNT(*) THEN MIN(effective_from) END AS in_force_from
  FROM policy_version
  HAVING COUNT(*) > 0
),
calls AS (
  SELECT DISTINCT
    COALESCE(environment, '') AS environment_key,
    COALESCE(role_arn, principal, '') AS caller,
    COALESCE(model_id, '') AS model_key,
    COALESCE(model_requested, '') AS requested_key,
    COALESCE(profile_scope, '') AS scope_key,
    COALESCE(model_kind, '') AS kind_key,
    model_known_by IS NOT NULL AS model_known,
    COALESCE(role_path_known, TRUE) AS path_known,
    activity AS activity
  FROM model_calls
),
names AS (
  SELECT DISTINCT model_key AS model_key, requested_key AS requested_key, scope_key AS scope_key
  FROM calls
),
model_patterns AS (
  SELECT model_pattern AS model_pattern, model_re AS model_re FROM policy_allow
  UNION
  SELECT model_pattern AS model_pattern, model_re AS model_re FROM policy_deny
),
role_patterns AS (
  SELECT role_pattern AS role_pattern, role_re AS role_re, role_pathless_re AS role_pathless_re FROM policy_allow
  UNION
  SELECT role_pattern AS role_pattern, role_re AS role_re, role_pathless_re AS role_pathless_re FROM policy_deny
),
-- Expressions meet each distinct model and each distinct caller once; all further joins are on equality.
matched_models AS (
  SELECT n.model_key AS model_key, n.requested_key AS requested_key, n.scope_key AS scope_key,
    p.model_pattern AS model_pattern
  FROM names AS n
  JOIN model_patterns AS p
    ON regexp_like(n.model_key, p.model_re)
    OR regexp_like(n.requested_key, p.model_re)
    OR (n.scope_key <> '' AND regexp_like(n.scope_key || '.' || n.model_key, p.model_re))
),
-- A role whose path the record lost may be any that an entry names with its path: it may be meant, and does not fit.
matched_callers AS (
  SELECT c.caller AS caller, p.role_pattern AS role_pattern, regexp_like(c.caller, p.role_re) AS fits
  FROM (
    SELECT caller AS caller, COUNT(*) FILTER (WHERE NOT path_known) AS pathless
    FROM calls
    GROUP BY caller
  ) AS c
  JOIN role_patterns AS p
    ON regexp_like(c.caller, p.role_re)
    OR (c.pathless > 0 AND regexp_like(c.caller, p.role_pathless_re))
),
asked AS (
  SELECT DISTINCT
    environment_key AS environment_key,
    caller AS caller,
    model_key AS model_key,
    requested_key AS requested_key,
    scope_key AS scope_key,
    activity AS activity
  FROM calls
),
allows AS (
  SELECT
    c.environment_key AS environment_key,
    c.caller AS caller,
    c.model_key AS model_key,
    c.requested_key AS requested_key,
    c.scope_key AS scope_key,
    c.activity AS activity,
    a.allow_id AS allow_id,
    r.fits AS fits,
    ROW_NUMBER() OVER (
      PARTITION BY c.environment_key, c.caller, c.model_key, c.requested_key, c.scope_key, c.activity
      ORDER BY
        CASE WHEN r.fits THEN 0 ELSE 1 END ASC, a.role_length DESC NULLS LAST, a.position ASC NULLS LAST,
        a.allow_id ASC NULLS LAST
    ) AS place
  FROM asked AS c
  JOIN matched_callers AS r ON r.caller = c.caller
  JOIN matched_models AS m
    ON m.model_key = c.model_key
    AND m.requested_key = c.requested_key
    AND m.scope_key = c.scope_key
  JOIN policy_allow AS a ON a.role_pattern = r.role_pattern AND a.model_pattern = m.model_pattern
  WHERE (a.environment IS NULL OR a.environment = c.environment_key)
    AND (a.activity IS NULL OR a.activity = c.activity)
),
denies AS (
  SELECT
    c.environment_key AS environment_key,
    c.caller AS caller,
    c.model_key AS model_key,
    c.requested_key AS requested_key,
    c.scope_key AS scope_key,
    c.activity AS activity,
    d.deny_id AS deny_id,
    d.reason AS reason,
    r.fits AS fits,
    ROW_NUMBER() OVER (
      PARTITION BY c.environment_key, c.caller, c.model_key, c.requested_key, c.scope_key, c.activity
      ORDER BY
        CASE WHEN r.fits THEN 0 ELSE 1 END ASC, d.position ASC NULLS LAST, d.deny_id ASC NULLS LAST,
        d.reason ASC NULLS LAST
    ) AS place
  FROM asked AS c
  JOIN matched_callers AS r ON r.caller = c.caller
  JOIN matched_models AS m
    ON m.model_key = c.model_key
    AND m.requested_key = c.requested_key
    AND m.scope_key = c.scope_key
  JOIN policy_deny AS d ON d.role_pattern = r.role_pattern AND d.model_pattern = m.model_pattern
  WHERE (d.environment IS NULL OR d.environment = c.environment_key)
    AND (d.activity IS NULL OR d.activity = c.activity)
),
-- Each distinct combination is judged once; what it is judged to be then meets the events in one join, whose smaller
-- side stands first.
verdicts AS (
  SELECT
    c.environment_key AS environment_key,
    c.caller AS caller,
    c.model_key AS model_key,
    c.requested_key AS requested_key,
    c.scope_key AS scope_key,
    c.kind_key AS kind_key,
    c.model_known AS model_known,
    c.path_known AS path_known,
    c.activity AS activity,
    v.policy_version AS policy_version,
    v.in_force_from AS in_force_from,
    a.allow_id AS allow_id,
    d.deny_id AS deny_id,
    d.reason AS deny_reason,
    CASE
      WHEN d.fits THEN 'denied_entry'
      WHEN d.place IS NOT NULL AND NOT c.path_known THEN 'not_assessed'
      WHEN a.fits THEN 'allowed'
      WHEN NOT c.model_known THEN 'not_assessed'
      WHEN a.place IS NOT NULL AND NOT c.path_known THEN 'not_assessed'
      ELSE 'uncovered'
    END AS decision,
    CASE
      WHEN d.place IS NOT NULL AND NOT c.path_known THEN 'role path not recorded: a deny entry may mean this role'
      WHEN c.model_known THEN 'role path not recorded'
      WHEN c.model_key = '' THEN 'model not recorded'
      WHEN c.kind_key = 'application_profile' THEN 'application inference profile: the record does not name the model behind it'
      WHEN c.kind_key = 'provisioned' THEN 'provisioned model: the record does not name the model behind it'
      WHEN c.kind_key = 'custom' THEN 'custom model: nothing says what it is made of'
      WHEN c.kind_key = 'imported' THEN 'imported model: the record does not say what it is'
      WHEN c.kind_key = 'prompt' THEN 'stored prompt: the record does not name the model it uses'
      WHEN c.kind_key = 'router' THEN 'prompt router: the record does not name the model it chose'
      WHEN c.kind_key = 'marketplace' THEN 'marketplace endpoint: the record does not name the model behind it'
      WHEN c.kind_key = 'unresolved' THEN 'the model reference is of no known form'
      ELSE 'role path not recorded'
    END AS obstacle
  FROM calls AS c
  CROSS JOIN version AS v
  LEFT JOIN allows AS a
    ON a.environment_key = c.environment_key
    AND a.caller = c.caller
    AND a.model_key = c.model_key
    AND a.requested_key = c.requested_key
    AND a.scope_key = c.scope_key
    AND a.activity = c.activity
    AND a.place = 1
  LEFT JOIN denies AS d
    ON d.environment_key = c.environment_key
    AND d.caller = c.caller
    AND d.model_key = c.model_key
    AND d.requested_key = c.requested_key
    AND d.scope_key = c.scope_key
    AND d.activity = c.activity
    AND d.place = 1
),
judged AS (
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
    e.model_requested AS model_requested,
    e.model_kind AS model_kind,
    e.activity AS activity,
    e.outcome AS outcome,
    e.aws_region AS aws_region,
    CASE WHEN e.event_time < x.in_force_from THEN NULL ELSE x.policy_version END AS policy_version,
    x.allow_id AS allow_id,
    x.deny_id AS deny_id,
    x.deny_reason AS deny_reason,
    CASE WHEN e.event_time < x.in_force_from THEN 'not_assessed' ELSE x.decision END AS decision,
    CASE WHEN e.event_time < x.in_force_from THEN 'no policy was in force' ELSE x.obstacle END AS obstacle
  FROM verdicts AS x
  JOIN model_calls AS e
    ON x.environment_key = COALESCE(e.environment, '')
    AND x.caller = COALESCE(e.role_arn, e.principal, '')
    AND x.model_key = COALESCE(e.model_id, '')
    AND x.requested_key = COALESCE(e.model_requested, '')
    AND x.scope_key = COALESCE(e.profile_scope, '')
    AND x.kind_key = COALESCE(e.model_kind, '')
    AND x.model_known = (e.model_known_by IS NOT NULL)
    AND x.path_known = COALESCE(e.role_path_known, TRUE)
    AND x.activity = e.activity
)
SELECT
  event_id AS event_id,
  log_object AS log_object,
  log_index AS log_index,
  event_time AS event_time,
  account_id AS account_id,
  environment AS environment,
  principal AS principal,
  role_arn AS role_arn,
  model_id AS model_id,
  model_requested AS model_requested,
  model_kind AS model_kind,
  activity AS activity,
  outcome AS outcome,
  decision AS decision,
  CASE WHEN decision = 'denied_entry' THEN deny_id WHEN decision = 'allowed' THEN allow_id END AS grant_id,
  policy_version AS policy_version,
  CASE
    WHEN decision = 'denied_entry' THEN COALESCE(deny_reason, 'a deny entry covers it')
    WHEN decision = 'allowed' THEN 'an allow entry covers it'
    WHEN decision = 'not_assessed' THEN obstacle
    ELSE 'no allow entry covers this role, model and activity'
  END AS reason,
  aws_region AS aws_region
FROM judged
