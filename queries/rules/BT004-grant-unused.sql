-- title = "An allow entry of the policy was not used"
-- severity = "info"
-- kind = "baseline"
-- needs = ["policy_allow"]
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "role_arn", "role_path_known", "model_id",
--   "model_requested", "model_kind", "profile_scope", "activity", "outcome", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- Least privilege wears off: projects end, and what they were allowed stays. All other rules hold use against the \
-- policy; this one holds the policy against use. For each role pattern and model pattern of an allow entry it looks \
-- for one successful call that both cover, in the entry's environments and activities, in the window and in the \
-- history before it. The newest days (90) of these records decide. An entry without such a call is reported, for the \
-- access review to end or to confirm. The population is pairs of patterns, not events. Where the records reach back \
-- less than these days, nothing is assessed but what was used. An entry is not assessed either where a call may \
-- have used it: the record names no model, or a reference without an alias, or not the path of the role. An entry \
-- that names no activities is judged by model calls and batch jobs."""
-- fix = """\
-- Ask the owner of the entry whether the grant is still needed. If not, take it out of the policy, and the right \
-- out of the role: AWS does not know this policy."""
-- false_positives = """\
-- Seasonal work, such as a yearly report. An entry that was added lately: the policy does not say when each entry \
-- came. A window that leaves out accounts or Regions in which the entry is used; data events (bedrock-mantle, \
-- agents) that the trail does not record."""
--
-- [controls]
-- "FedRAMP 20x" = ["KSI-IAM", "KSI-IAM-AAM"]
-- "FedRAMP Moderate" = ["AC-2", "AC-2(1)", "AC-2(3)", "AC-6"]
-- "ISO/IEC 27001" = ["A.5.15", "A.5.18"]
-- "NIST SP 800-53" = ["AC-2", "AC-2(1)", "AC-2(3)", "AC-3(8)", "AC-6"]
-- "SOC 2" = ["CC6.3"]
--
-- [parameters.days]
-- type = "int"
-- default = 90
-- meaning = "An entry without a successful use for this many days is reported."

WITH extent AS (
  SELECT MIN(event_time) AS began, MAX(event_time) AS ended
  FROM (
    SELECT event_time AS event_time FROM events
    UNION ALL
    SELECT event_time AS event_time FROM history
  ) AS known
),
span AS (
  SELECT
    began AS began,
    ended AS ended,
    date_trunc('day', ended) + INTERVAL '1' DAY - INTERVAL $days DAY AS since,
    COALESCE(
      date_trunc('day', began) <= date_trunc('day', ended) + INTERVAL '1' DAY - INTERVAL $days DAY, FALSE
    ) AS long_enough
  FROM extent
),
calls AS (
  SELECT
    environment AS environment, role_arn AS role_arn, principal AS principal, role_path_known AS role_path_known,
    model_id AS model_id, model_requested AS model_requested, profile_scope AS profile_scope,
    model_known_by IS NOT NULL AS model_known, activity AS activity, event_time AS event_time
  FROM model_calls
  WHERE outcome = 'ok'
  UNION ALL
  SELECT
    environment AS environment, role_arn AS role_arn, principal AS principal, role_path_known AS role_path_known,
    model_id AS model_id, model_requested AS model_requested, profile_scope AS profile_scope,
    model_kind IN ('foundation', 'inference_profile') AS model_known, activity AS activity, event_time AS event_time
  FROM events
  WHERE record_kind = 'api_call'
    AND outcome = 'ok'
    AND activity NOT IN ('model_invocation', 'batch', 'other', 'downstream')
  UNION ALL
  SELECT
    h.environment AS environment, h.role_arn AS role_arn, h.principal AS principal,
    h.role_path_known AS role_path_known, COALESCE(r.model_id, h.model_id) AS model_id,
    h.model_requested AS model_requested, COALESCE(r.profile_scope, h.profile_scope) AS profile_scope,
    r.known_by IS NOT NULL OR h.model_kind IN ('foundation', 'inference_profile') AS model_known,
    h.activity AS activity, h.event_time AS event_time
  FROM history AS h
  LEFT JOIN model_references AS r
    ON r.account_key = COALESCE(h.account_id, '')
    AND r.region_key = COALESCE(h.aws_region, '')
    AND r.reference = h.model_requested
    AND (r.valid_from IS NULL OR r.valid_from <= h.event_time)
    AND (r.valid_to IS NULL OR r.valid_to > h.event_time)
  WHERE h.record_kind = 'api_call'
    AND h.outcome = 'ok'
    AND h.activity NOT IN ('other', 'downstream')
),
-- Expressions meet each distinct model and each distinct caller once, as in the view decisions.
used AS (
  SELECT
    COALESCE(c.environment, '') AS environment_key,
    COALESCE(c.role_arn, c.principal, '') AS caller,
    COALESCE(c.role_path_known, TRUE) AS path_known,
    COALESCE(c.model_id, '') AS model_key,
    COALESCE(c.model_requested, '') AS requested_key,
    COALESCE(c.profile_scope, '') AS scope_key,
    COALESCE(c.model_known, FALSE) AS model_known,
    c.activity AS activity
  FROM calls AS c
  CROSS JOIN span AS s
  WHERE c.event_time >= s.since
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
),
names AS (
  SELECT DISTINCT model_key AS model_key, requested_key AS requested_key, scope_key AS scope_key
  FROM used
),
matched_models AS (
  SELECT n.model_key AS model_key, n.requested_key AS requested_key, n.scope_key AS scope_key,
    p.model_pattern AS model_pattern
  FROM names AS n
  JOIN (SELECT DISTINCT model_pattern AS model_pattern, model_re AS model_re FROM policy_allow) AS p
    ON regexp_like(n.model_key, p.model_re)
    OR regexp_like(n.requested_key, p.model_re)
    OR (n.scope_key <> '' AND regexp_like(n.scope_key || '.' || n.model_key, p.model_re))
),
matched_callers AS (
  SELECT c.caller AS caller, c.path_known AS path_known, p.role_pattern AS role_pattern,
    regexp_like(c.caller, p.role_re) AS fits
  FROM (SELECT DISTINCT caller AS caller, path_known AS path_known FROM used) AS c
  JOIN (
    SELECT DISTINCT role_pattern AS role_pattern, role_re AS role_re, role_pathless_re AS role_pathless_re
    FROM policy_allow
  ) AS p
    ON regexp_like(c.caller, p.role_re)
    OR (NOT c.path_known AND regexp_like(c.caller, p.role_pathless_re))
),
touched AS (
  SELECT
    a.allow_id AS allow_id,
    a.role_pattern AS role_pattern,
    a.model_pattern AS model_pattern,
    COUNT(*) FILTER (
      WHERE r.fits AND (m.model_pattern IS NOT NULL OR u.activity NOT IN ('model_invocation', 'batch'))
    ) AS fitting,
    -- What remains is a use only if the model, or the role, is the one that is meant.
    COUNT(*) FILTER (WHERE NOT u.model_known AND m.model_pattern IS NULL) AS opaque,
    COUNT(*) FILTER (WHERE NOT r.fits) AS pathless
  FROM used AS u
  JOIN matched_callers AS r ON r.caller = u.caller AND r.path_known = u.path_known
  JOIN policy_allow AS a ON a.role_pattern = r.role_pattern
  LEFT JOIN matched_models AS m
    ON m.model_key = u.model_key
    AND m.requested_key = u.requested_key
    AND m.scope_key = u.scope_key
    AND m.model_pattern = a.model_pattern
  WHERE (a.environment IS NULL OR a.environment = u.environment_key)
    AND (a.activity = u.activity OR (a.activity IS NULL AND u.activity IN ('model_invocation', 'batch')))
    AND (m.model_pattern IS NOT NULL OR NOT u.model_known)
  GROUP BY a.allow_id, a.role_pattern, a.model_pattern
),
grants AS (
  SELECT
    g.allow_id AS allow_id,
    g.role_pattern AS role_pattern,
    g.model_pattern AS model_pattern,
    MIN(g.owner) AS owner,
    MIN(g.purpose) AS purpose
  FROM policy_allow AS g
  GROUP BY g.allow_id, g.role_pattern, g.model_pattern
),
judged AS (
  SELECT
    CASE
      WHEN t.fitting > 0 THEN 'pass'
      WHEN NOT s.long_enough OR t.opaque > 0 OR t.pathless > 0 THEN 'not_assessed'
      ELSE 'violation'
    END AS verdict,
    g.allow_id || ': ' || g.role_pattern || ' on ' || g.model_pattern AS subject,
    CASE
      WHEN NOT s.long_enough THEN 'the records reach back less than ' || CAST($days AS VARCHAR) || ' days'
      WHEN t.pathless > 0 THEN 'a role whose path is not recorded may have used it'
      WHEN t.opaque > 0 THEN 'a call whose record does not name the model may have used it'
      ELSE 'no successful use in ' || CAST($days AS VARCHAR) || ' days'
    END AS reason,
    'none'
      || COALESCE('; purpose: ' || g.purpose, '') || COALESCE('; owner: ' || g.owner, '') AS observed,
    s.began AS began,
    s.ended AS ended
  FROM grants AS g
  CROSS JOIN span AS s
  LEFT JOIN touched AS t
    ON t.allow_id = g.allow_id
    AND t.role_pattern = g.role_pattern
    AND t.model_pattern = g.model_pattern
)
SELECT
  verdict AS verdict,
  CAST(NULL AS VARCHAR) AS account_id,
  CAST(NULL AS VARCHAR) AS aws_region,
  CAST(NULL AS VARCHAR) AS principal,
  CASE WHEN verdict <> 'pass' THEN subject END AS subject,
  CASE WHEN verdict = 'violation' THEN MIN(reason) END AS reason,
  CASE WHEN verdict = 'violation' THEN 'a successful use' END AS expected,
  CASE WHEN verdict <> 'pass' THEN MIN(observed) END AS observed,
  MIN(began) AS first_seen,
  MAX(ended) AS last_seen,
  COUNT(*) AS event_count,
  CAST(SUM(COUNT(*)) OVER () AS BIGINT) AS population,
  CASE WHEN verdict = 'not_assessed' THEN MIN(reason) END AS not_assessed_reason,
  '' AS sample_event_ids
FROM judged
GROUP BY verdict, CASE WHEN verdict <> 'pass' THEN subject END
ORDER BY verdict ASC NULLS LAST, subject ASC NULLS LAST
