-- title = "A role was refused a model that the policy does not allow it"
-- severity = "low"
-- kind = "row"
-- needs = ["policy_version"]
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "role_arn", "role_path_known", "model_id",
--   "model_requested", "model_kind", "activity", "outcome", "error_code", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- The access control held: a call or batch job was refused, and the policy does not allow it either. One such \
-- attempt is often a mistake. Many, or attempts at costly new models, are how somebody who has stolen a credential \
-- finds out what it can do. An auditor wants to see that refused attempts are noticed. A refused call that the \
-- policy does allow passes here: it is a gap in permissions, not in obedience."""
-- fix = """\
-- Ask the owner of the role what the call was for. If it is wanted, add an allow entry first and the permission \
-- after it. If nobody knows, treat the credential as suspect and look at the report denied for what else it tried."""
-- false_positives = """\
-- Code that is deployed before its permission. Tests that expect a refusal. A model that the account has not \
-- subscribed to yet."""
--
-- [controls]
-- "HIPAA" = ["164.312(a)(1)"]
-- "ISO/IEC 42001" = ["A.9.4"]
-- "NIST SP 800-53" = ["AC-3", "AC-6"]
-- "PCI DSS" = ["7.2", "10.2.1.4"]
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
    'no attempt at this model by this role' AS expected,
    'refused ' || COALESCE(d.model_requested, d.model_id, 'a model that is not recorded')
      || COALESCE(' in environment ' || d.environment, ' in an account of no environment') AS observed,
    2 AS severity_rank,
    d.event_id AS event_id,
    d.event_time AS event_time,
    d.outcome AS outcome
  FROM decisions AS d
  CROSS JOIN defaults AS p
  WHERE d.outcome = 'denied'
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
