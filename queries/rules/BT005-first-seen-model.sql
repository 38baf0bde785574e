-- title = "A principal used a model for the first time"
-- severity = "medium"
-- kind = "baseline"
-- needs = []
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "role_arn", "role_path_known", "model_id",
--   "model_requested", "model_kind", "profile_scope", "activity", "outcome", "aws_region", "record_kind",
--   "log_object", "log_index",
-- ]
-- attack = ["T1078.004"]
-- attack_old = []
-- atlas = ["AML.T0012"]
-- why = """\
-- What an application calls changes with its releases, and with little else. A role that suddenly uses another model \
-- is a change that should have a ticket, or somebody else with its credentials. The rule takes each principal and \
-- model in an account and finds the first successful call or batch job that has none in the baseline_days (90) before \
-- it, in the window or in the history before it. Only that first call is reported. It is medium; low where an allow \
-- entry of the policy covers it, for then somebody has approved it. A role is one principal whatever its sessions are \
-- called. Where the records of the account begin less than min_days (14) before the call, or name no model, it is not \
-- assessed."""
-- fix = """\
-- Look for the change that explains it. If there is none, ask the owner of the role, and look at what else it did \
-- that day and from where. Give the audit a history (a store, or --history) that reaches back further than the window."""
-- false_positives = """\
-- A planned rollout. Work that is done each quarter, with a shorter baseline. A model under a new reference behind \
-- which nothing is known to stand: give it an alias."""
--
-- [controls]
-- "ISO/IEC 42001" = ["A.6.2.6"]
-- "NIST SP 800-53" = ["SI-4"]
-- "SOC 2" = ["CC7.2"]
--
-- [parameters.baseline_days]
-- type = "int"
-- default = 90
-- meaning = "A model not used for this many days counts as new again."
--
-- [parameters.min_days]
-- type = "int"
-- default = 14
-- meaning = "What was usual is known only if the records of the account begin this many days before the call."

WITH uses AS (
  SELECT
    COALESCE(account_id, '') AS account_key, principal AS principal,
    COALESCE(model_id, model_requested) AS model_key, event_time AS event_time
  FROM model_calls
  WHERE outcome = 'ok'
  UNION ALL
  SELECT
    COALESCE(h.account_id, '') AS account_key, h.principal AS principal,
    COALESCE(r.model_id, h.model_id, h.model_requested) AS model_key, h.event_time AS event_time
  FROM history AS h
  LEFT JOIN model_references AS r
    ON r.account_key = COALESCE(h.account_id, '')
    AND r.region_key = COALESCE(h.aws_region, '')
    AND r.reference = h.model_requested
    AND (r.valid_from IS NULL OR r.valid_from <= h.event_time)
    AND (r.valid_to IS NULL OR r.valid_to > h.event_time)
  WHERE h.record_kind = 'api_call'
    AND h.activity IN ('model_invocation', 'batch')
    AND h.outcome = 'ok'
),
days AS (
  SELECT
    account_key AS account_key, principal AS principal, model_key AS model_key,
    date_trunc('day', event_time) AS day_start, MIN(event_time) AS first_use, MAX(event_time) AS last_use
  FROM uses
  GROUP BY 1, 2, 3, 4
),
followed AS (
  SELECT
    account_key AS account_key,
    principal AS principal,
    model_key AS model_key,
    first_use AS first_use,
    LAG(last_use) OVER (PARTITION BY account_key, principal, model_key ORDER BY day_start ASC) AS used_before
  FROM days
),
firsts AS (
  SELECT
    account_key AS account_key,
    principal AS principal,
    model_key AS model_key,
    first_use AS first_use,
    used_before AS used_before
  FROM followed
  WHERE used_before IS NULL
    OR used_before < first_use - INTERVAL $baseline_days DAY
),
beginnings AS (
  SELECT account_key AS account_key, MIN(event_time) AS began
  FROM (
    SELECT COALESCE(account_id, '') AS account_key, event_time AS event_time FROM events
    UNION ALL
    SELECT COALESCE(account_id, '') AS account_key, event_time AS event_time FROM history
  ) AS known
  GROUP BY account_key
),
judged_calls AS (
  SELECT
    e.event_id AS event_id,
    e.event_time AS event_time,
    e.account_id AS account_id,
    e.aws_region AS aws_region,
    e.principal AS principal,
    e.outcome AS outcome,
    e.log_object AS log_object,
    e.log_index AS log_index,
    COALESCE(e.model_id, e.model_requested) AS model_key,
    f.first_use IS NOT NULL AS first,
    f.used_before AS used_before,
    b.began > e.event_time - INTERVAL $min_days DAY AS too_new
  FROM model_calls AS e
  JOIN beginnings AS b ON b.account_key = COALESCE(e.account_id, '')
  LEFT JOIN firsts AS f
    ON f.account_key = COALESCE(e.account_id, '')
    AND f.principal = e.principal
    AND f.model_key = COALESCE(e.model_id, e.model_requested)
    AND f.first_use = e.event_time
  WHERE e.outcome = 'ok'
)
SELECT
  CASE
    WHEN c.model_key IS NULL THEN 'not_assessed'
    WHEN NOT c.first THEN 'pass'
    WHEN c.too_new THEN 'not_assessed'
    ELSE 'violation'
  END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  COALESCE(c.model_key, 'model not recorded') AS subject,
  CASE
    WHEN c.model_key IS NULL THEN 'the record names no model'
    WHEN c.too_new THEN 'the records of the account begin less than ' || CAST($min_days AS VARCHAR) || ' days before'
    WHEN c.used_before IS NOT NULL
      THEN 'first use in more than ' || CAST($baseline_days AS VARCHAR) || ' days'
    ELSE 'first use of this model by this principal'
  END AS reason,
  'models that this principal is known to use' AS expected,
  CASE
    WHEN d.grant_id IS NOT NULL THEN 'allow entry ' || d.grant_id || ' covers it'
    ELSE 'a successful call'
  END || COALESCE('; last used on ' || CAST(CAST(c.used_before AS DATE) AS VARCHAR), '') AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome,
  CASE WHEN d.grant_id IS NOT NULL THEN 'low' ELSE 'medium' END AS severity
FROM judged_calls AS c
LEFT JOIN decisions AS d
  ON d.log_object = c.log_object
  AND d.log_index = c.log_index
  AND d.decision = 'allowed'
  AND c.first
