-- title = "Access review of roles and models"
-- question = "Which role may use which model, does it, is it refused, and which grants are never used?"
-- frameworks = ["SOC 2 CC6.2", "SOC 2 CC6.3", "ISO/IEC 27001 A.5.18", "ISO/IEC 42001 A.9.4", "NIST SP 800-53 AC-2", "NIST SP 800-53 AC-6", "PCI DSS 7.2"]
-- audit = "folder"
-- glance = ["principal", "model_id", "allowed", "ok", "denied", "grant_id", "recommendation", "last_used", "environment", "activity", "calls", "line"]
--
-- [columns]
-- line = "use: calls that were made; unused_grant: a pair of role and model of an allow entry that no successful call in the window matches."
-- account_id = "The account that received the records; empty for a grant."
-- environment = "The policy's environment; empty for a grant that holds in every one."
-- principal = "Who called; for a grant its role, as the policy writes it."
-- model_id = "The base model; for a grant its model, as the policy writes it."
-- activity = "model_invocation or batch; empty for a grant of every activity."
-- allowed = "yes, no (no entry covers it), denied (a deny entry covers it) or not_assessed."
-- grant_id = "The allow or deny entry that decided."
-- policy_version = "The version of the policy it was judged by; empty for a grant."
-- purpose = "What the allow entry says the use is for."
-- owner = "Who answers for the allow entry."
-- calls = "Calls, whatever their outcome."
-- ok = "Calls that succeeded."
-- denied = "Calls that were refused."
-- other = "Calls that were throttled, invalid or failed."
-- first_used = "Time of the first successful call, UTC."
-- last_used = "Time of the last successful call, UTC."
-- last_denied = "Time of the last refused call, UTC."
-- recommendation = "What the numbers suggest; the reviewer decides."

WITH versions AS (
  SELECT COUNT(*) AS versions
  FROM policy_version
),
-- Without a policy there are no decisions: the calls themselves then make the lines.
judged AS (
  SELECT
    account_id AS account_id,
    environment AS environment,
    principal AS principal,
    model_id AS model_id,
    activity AS activity,
    decision AS decision,
    grant_id AS grant_id,
    policy_version AS policy_version,
    outcome AS outcome,
    event_time AS event_time
  FROM decisions
  UNION ALL
  SELECT
    e.account_id AS account_id,
    e.environment AS environment,
    e.principal AS principal,
    e.model_id AS model_id,
    e.activity AS activity,
    'not_assessed' AS decision,
    CAST(NULL AS VARCHAR) AS grant_id,
    CAST(NULL AS VARCHAR) AS policy_version,
    e.outcome AS outcome,
    e.event_time AS event_time
  FROM model_calls AS e
  CROSS JOIN versions AS v
  WHERE v.versions = 0
),
uses AS (
  SELECT
    account_id AS account_id,
    environment AS environment,
    principal AS principal,
    model_id AS model_id,
    activity AS activity,
    decision AS decision,
    grant_id AS grant_id,
    policy_version AS policy_version,
    CAST(COUNT(*) AS BIGINT) AS calls,
    CAST(COUNT(*) FILTER (WHERE outcome = 'ok') AS BIGINT) AS ok,
    CAST(COUNT(*) FILTER (WHERE outcome = 'denied') AS BIGINT) AS denied,
    MIN(event_time) FILTER (WHERE outcome = 'ok') AS first_used,
    MAX(event_time) FILTER (WHERE outcome = 'ok') AS last_used,
    MAX(event_time) FILTER (WHERE outcome = 'denied') AS last_denied
  FROM judged
  GROUP BY account_id, environment, principal, model_id, activity, decision, grant_id, policy_version
),
-- What was used at all, each combination once: expressions are never held against single events.
used AS (
  SELECT DISTINCT
    COALESCE(environment, '') AS environment_key,
    COALESCE(role_arn, principal, '') AS caller,
    COALESCE(model_id, '') AS model_key,
    COALESCE(model_requested, '') AS requested_key,
    COALESCE(profile_scope, '') AS scope_key,
    COALESCE(role_path_known, TRUE) AS path_known,
    activity AS activity
  FROM model_calls
  WHERE outcome = 'ok'
),
names AS (
  SELECT DISTINCT model_key AS model_key, requested_key AS requested_key, scope_key AS scope_key
  FROM used
),
matched_models AS (
  SELECT DISTINCT n.model_key AS model_key, n.requested_key AS requested_key, n.scope_key AS scope_key,
    p.model_pattern AS model_pattern
  FROM names AS n
  JOIN (SELECT DISTINCT model_pattern AS model_pattern, model_re AS model_re FROM policy_allow) AS p
    ON regexp_like(n.model_key, p.model_re)
    OR regexp_like(n.requested_key, p.model_re)
    OR (n.scope_key <> '' AND regexp_like(n.scope_key || '.' || n.model_key, p.model_re))
),
-- A role whose path the record lost may be the one meant: its use keeps a grant off the list of unused ones.
matched_callers AS (
  SELECT DISTINCT c.caller AS caller, c.path_known AS path_known, p.role_pattern AS role_pattern
  FROM (SELECT DISTINCT caller AS caller, path_known AS path_known FROM used) AS c
  JOIN (
    SELECT DISTINCT role_pattern AS role_pattern, role_re AS role_re, role_pathless_re AS role_pathless_re
    FROM policy_allow
  ) AS p
    ON regexp_like(c.caller, p.role_re)
    OR (NOT c.path_known AND regexp_like(c.caller, p.role_pathless_re))
),
matched AS (
  SELECT DISTINCT
    u.environment_key AS environment_key,
    u.activity AS activity,
    c.role_pattern AS role_pattern,
    m.model_pattern AS model_pattern
  FROM used AS u
  JOIN matched_callers AS c ON c.caller = u.caller AND c.path_known = u.path_known
  JOIN matched_models AS m
    ON m.model_key = u.model_key
    AND m.requested_key = u.requested_key
    AND m.scope_key = u.scope_key
),
used_grants AS (
  SELECT DISTINCT
    a.allow_id AS allow_id,
    COALESCE(a.environment, '') AS environment_key,
    a.role_pattern AS role_pattern,
    a.model_pattern AS model_pattern,
    COALESCE(a.activity, '') AS activity_key
  FROM policy_allow AS a
  JOIN matched AS m
    ON m.role_pattern = a.role_pattern
    AND m.model_pattern = a.model_pattern
  WHERE (a.environment IS NULL OR a.environment = m.environment_key)
    AND (a.activity IS NULL OR a.activity = m.activity)
),
grants AS (
  SELECT allow_id AS allow_id, MIN(purpose) AS purpose, MIN(owner) AS owner
  FROM policy_allow
  GROUP BY allow_id
),
lines AS (
  SELECT
    'use' AS line,
    u.account_id AS account_id,
    u.environment AS environment,
    u.principal AS principal,
    u.model_id AS model_id,
    u.activity AS activity,
    CASE
      WHEN u.decision = 'allowed' THEN 'yes'
      WHEN u.decision = 'uncovered' THEN 'no'
      WHEN u.decision = 'denied_entry' THEN 'denied'
      ELSE 'not_assessed'
    END AS allowed,
    u.grant_id AS grant_id,
    u.policy_version AS policy_version,
    g.purpose AS purpose,
    g.owner AS owner,
    u.calls AS calls,
    u.ok AS ok,
    u.denied AS denied,
    u.calls - u.ok - u.denied AS other,
    u.first_used AS first_used,
    u.last_used AS last_used,
    u.last_denied AS last_denied
  FROM uses AS u
  LEFT JOIN grants AS g ON g.allow_id = u.grant_id AND u.decision = 'allowed'
  UNION ALL
  SELECT
    'unused_grant' AS line,
    CAST(NULL AS VARCHAR) AS account_id,
    a.environment AS environment,
    a.role_pattern AS principal,
    a.model_pattern AS model_id,
    a.activity AS activity,
    'yes' AS allowed,
    a.allow_id AS grant_id,
    CAST(NULL AS VARCHAR) AS policy_version,
    a.purpose AS purpose,
    a.owner AS owner,
    CAST(0 AS BIGINT) AS calls,
    CAST(0 AS BIGINT) AS ok,
    CAST(0 AS BIGINT) AS denied,
    CAST(0 AS BIGINT) AS other,
    CAST(NULL AS TIMESTAMP) AS first_used,
    CAST(NULL AS TIMESTAMP) AS last_used,
    CAST(NULL AS TIMESTAMP) AS last_denied
  FROM policy_allow AS a
  LEFT JOIN used_grants AS g
    ON g.allow_id = a.allow_id
    AND g.environment_key = COALESCE(a.environment, '')
    AND g.role_pattern = a.role_pattern
    AND g.model_pattern = a.model_pattern
    AND g.activity_key = COALESCE(a.activity, '')
  WHERE g.allow_id IS NULL
    AND (a.activity IS NULL OR a.activity IN ('model_invocation', 'batch'))
)
SELECT
  line AS line,
  account_id AS account_id,
  environment AS environment,
  principal AS principal,
  model_id AS model_id,
  activity AS activity,
  allowed AS allowed,
  grant_id AS grant_id,
  policy_version AS policy_version,
  purpose AS purpose,
  owner AS owner,
  calls AS calls,
  ok AS ok,
  denied AS denied,
  other AS other,
  first_used AS first_used,
  last_used AS last_used,
  last_denied AS last_denied,
  CASE
    WHEN line = 'unused_grant' THEN 'withdraw the grant, or say why it stays: no successful call in the records read'
    WHEN allowed = 'denied' AND ok > 0 THEN 'block it in IAM: a deny entry of the policy was passed over'
    WHEN allowed = 'denied' AND denied > 0 THEN 'ask why it was tried: the policy denies it, and AWS refused it'
    WHEN allowed = 'denied' THEN 'ask why it was tried: the policy denies it, and no call succeeded'
    WHEN allowed = 'no' AND ok > 0 THEN 'approve it in the policy, or take the access away'
    WHEN allowed = 'no' AND denied > 0 THEN 'ask why it was tried: nothing allows it, and AWS refused it'
    WHEN allowed = 'no' THEN 'ask why it was tried: nothing allows it, and no call succeeded'
    WHEN allowed = 'yes' AND ok > 0 AND denied > 0 THEN 'keep the grant, and find out why some calls were refused'
    WHEN allowed = 'yes' AND ok > 0 THEN 'keep the grant'
    WHEN allowed = 'yes' AND denied > 0 THEN 'withdraw the grant, or repair IAM: AWS refuses what the policy allows'
    WHEN allowed = 'yes' THEN 'withdraw the grant, or find out why no call succeeds'
    ELSE 'judge it by hand: the records or the policy do not say enough'
  END AS recommendation
FROM lines
ORDER BY
  line DESC,
  account_id ASC NULLS LAST,
  environment ASC NULLS LAST,
  principal ASC NULLS LAST,
  model_id ASC NULLS LAST,
  activity ASC NULLS LAST,
  allowed ASC NULLS LAST,
  grant_id ASC NULLS LAST,
  policy_version ASC NULLS LAST
