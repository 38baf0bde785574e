-- title = "A model was used that the policy does not allow for this role"
-- severity = "high"
-- kind = "row"
-- needs = ["policy_version"]
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "role_arn", "role_path_known", "model_id",
--   "model_requested", "model_kind", "activity", "outcome", "aws_region", "record_kind",
-- ]
-- attack = ["T1078.004"]
-- attack_old = []
-- atlas = ["AML.T0040"]
-- why = """\
-- The policy lists which roles may use which models. This rule finds every successful model call and every \
-- accepted batch job that no allow entry covers, or that a deny entry forbids. A deny entry beats every allow \
-- entry. Uncovered use is the first thing an auditor asks about: access that nobody approved. In an environment \
-- whose name starts with prod the finding is critical. If defaults.unknown_model is warn, an uncovered call is \
-- low; if it is allow, only deny entries count. Without any allow entry, too, only deny entries are judged. Calls \
-- whose record does not name the model (an application inference profile, provisioned throughput, a custom or \
-- imported model, a router) are not assessed, unless an entry covers the reference itself or the policy gives it \
-- an alias."""
-- fix = """\
-- Find the owner of the role. If the use is right, add an allow entry with a purpose and an owner, as narrow as \
-- the use. If it is not, take bedrock:InvokeModel on that model away from the role, and look at what else the role \
-- did since first_seen. For calls that are not assessed, give the profile or endpoint an alias in the policy."""
-- false_positives = """\
-- A new role that waits for its policy entry. A role whose path the record lost and that an entry names with its \
-- path: such calls are not assessed rather than reported. A model under a new name: the policy compares the id \
-- with and without its version, but not families."""
--
-- [controls]
-- "HIPAA" = ["164.312(a)(1)"]
-- "ISO/IEC 27001" = ["A.8.2"]
-- "ISO/IEC 42001" = ["A.9.4"]
-- "NIST SP 800-53" = ["AC-3", "AC-6"]
-- "PCI DSS" = ["7.2"]
-- "SOC 2" = ["CC6.1", "CC6.3"]

WITH defaults AS (
  SELECT
    COALESCE((SELECT MIN(value) FROM policy_default WHERE name = 'unknown_model'), 'deny') AS unknown_model,
    (SELECT COUNT(*) FROM policy_allow) AS allow_entries
),
judged AS (
  SELECT
    CASE
      WHEN d.decision = 'denied_entry' THEN 'violation'
      WHEN d.decision = 'not_assessed' THEN 'not_assessed'
      WHEN d.decision = 'uncovered' AND p.unknown_model <> 'allow' THEN 'violation'
      ELSE 'pass'
    END AS verdict,
    d.account_id AS account_id,
    d.aws_region AS aws_region,
    d.principal AS principal,
    COALESCE(d.model_id, d.model_requested, 'model not recorded')
      || CASE WHEN d.activity = 'batch' THEN ' (batch)' ELSE '' END AS subject,
    CASE WHEN d.decision = 'denied_entry' THEN 'deny entry ' || d.grant_id || ': ' || d.reason ELSE d.reason END AS reason,
    CASE
      WHEN d.decision = 'denied_entry' THEN 'no use of this model by this role'
      ELSE 'an allow entry for this role, model and activity'
    END AS expected,
    'used ' || COALESCE(d.model_requested, d.model_id, 'a model that is not recorded')
      || COALESCE(' in environment ' || d.environment, ' in an account of no environment') AS observed,
    CASE
      WHEN d.decision = 'uncovered' AND p.unknown_model = 'warn' THEN 2
      WHEN starts_with(d.environment, 'prod') THEN 5
      ELSE 4
    END AS severity_rank,
    d.event_id AS event_id,
    d.event_time AS event_time,
    d.outcome AS outcome
  FROM decisions AS d
  CROSS JOIN defaults AS p
  WHERE d.outcome = 'ok'
    AND (p.allow_entries > 0 OR d.decision = 'denied_entry')
),
-- What passed folds into one row; all else stays one row per event, so that samples can be picked.
folded AS (
  SELECT
    verdict AS verdict,
    CASE WHEN verdict <> 'pass' THEN account_id END AS account_id,
    CASE WHEN verdict <> 'pass' THEN principal END AS principal,
    CASE WHEN verdict <> 'pass' THEN subject END AS subject,
    CASE WHEN verdict <> 'pass' THEN event_id END AS event_id,
    MIN(aws_region) AS first_region,
    MAX(aws_region) AS last_region,
    MIN(reason) AS first_reason,
    MAX(reason) AS last_reason,
    MIN(expected) AS expected,
    MIN(observed) AS first_observed,
    MAX(observed) AS last_observed,
    MAX(severity_rank) AS severity_rank,
    MIN(event_time) AS first_seen,
    MAX(event_time) AS last_seen,
    COUNT(*) AS events,
    COUNT(*) FILTER (WHERE outcome = 'ok') AS ok,
    COUNT(*) FILTER (WHERE outcome = 'denied') AS denied
  FROM judged
  GROUP BY 1, 2, 3, 4, 5
),
ranked AS (
  SELECT
    verdict AS verdict,
    account_id AS account_id,
    principal AS principal,
    subject AS subject,
    event_id AS event_id,
    first_region AS first_region,
    last_region AS last_region,
    first_reason AS first_reason,
    last_reason AS last_reason,
    expected AS expected,
    first_observed AS first_observed,
    last_observed AS last_observed,
    severity_rank AS severity_rank,
    first_seen AS first_seen,
    last_seen AS last_seen,
    events AS events,
    ok AS ok,
    denied AS denied,
    ROW_NUMBER() OVER (
      PARTITION BY verdict, account_id, principal, subject
      ORDER BY first_seen ASC NULLS LAST, event_id ASC NULLS LAST
    ) AS place
  FROM folded
),
grouped AS (
  SELECT
    verdict AS verdict,
    account_id AS account_id,
    principal AS principal,
    subject AS subject,
    MIN(first_region) AS first_region,
    MAX(last_region) AS last_region,
    MIN(first_reason) AS first_reason,
    MAX(last_reason) AS last_reason,
    MIN(expected) AS expected,
    MIN(first_observed) AS first_observed,
    MAX(last_observed) AS last_observed,
    MAX(severity_rank) AS severity_rank,
    MIN(first_seen) AS first_seen,
    MAX(last_seen) AS last_seen,
    CAST(SUM(events) AS BIGINT) AS events,
    CAST(SUM(ok) AS BIGINT) AS ok,
    CAST(SUM(denied) AS BIGINT) AS denied,
    array_join(
      array_agg(event_id ORDER BY place) FILTER (WHERE event_id IS NOT NULL AND place <= 5), ' '
    ) AS sample_event_ids
  FROM ranked
  GROUP BY verdict, account_id, principal, subject
),
told AS (
  SELECT
    verdict AS verdict,
    account_id AS account_id,
    CASE WHEN verdict <> 'pass' AND first_region = last_region THEN first_region END AS aws_region,
    principal AS principal,
    subject AS subject,
    CASE WHEN first_reason = last_reason THEN first_reason ELSE first_reason || '; ' || last_reason END AS reason,
    expected AS expected,
    CASE WHEN first_observed = last_observed THEN first_observed ELSE first_observed || '; ' || last_observed END
      || ' (' || CAST(ok AS VARCHAR) || ' ok, ' || CAST(denied AS VARCHAR) || ' denied, '
      || CAST(events - ok - denied AS VARCHAR) || ' other)' AS observed,
    first_seen AS first_seen,
    last_seen AS last_seen,
    events AS event_count,
    CAST(SUM(events) OVER () AS BIGINT) AS population,
    sample_event_ids AS sample_event_ids,
    severity_rank AS severity_rank
  FROM grouped
)
SELECT
  verdict AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  subject AS subject,
  CASE WHEN verdict = 'violation' THEN reason END AS reason,
  CASE WHEN verdict = 'violation' THEN expected END AS expected,
  CASE WHEN verdict <> 'pass' THEN observed END AS observed,
  first_seen AS first_seen,
  last_seen AS last_seen,
  event_count AS event_count,
  population AS population,
  CASE WHEN verdict IN ('not_assessed', 'not_applicable') THEN reason END AS not_assessed_reason,
  sample_event_ids AS sample_event_ids,
  CASE
    WHEN verdict <> 'violation' THEN NULL
    WHEN severity_rank = 5 THEN 'critical'
    WHEN severity_rank = 4 THEN 'high'
    WHEN severity_rank = 3 THEN 'medium'
    WHEN severity_rank = 2 THEN 'low'
    WHEN severity_rank = 1 THEN 'info'
  END AS severity
FROM told
ORDER BY
  verdict ASC NULLS LAST,
  account_id ASC NULLS LAST,
  principal ASC NULLS LAST,
  subject ASC NULLS LAST
