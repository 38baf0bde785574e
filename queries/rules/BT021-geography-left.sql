-- title = "A model ran outside the allowed geographies"
-- severity = "high"
-- kind = "row"
-- needs = ["policy_geography"]
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "model_kind", "profile_scope",
--   "inference_region", "activity", "outcome", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- A cross-Region inference profile may send a prompt to another Region. CloudTrail logs the call where it was made \
-- and, if it was sent on, the Region that ran it. This rule holds that Region against the geographies the policy \
-- allows for the environment. If the record names no other Region, the model ran in the Region that was called. \
-- For a global profile, and for an application inference profile that may stand for one, a missing Region proves \
-- nothing: such calls are not assessed. Calls that did not succeed are judged only if the record says where they \
-- were sent. The geography eu holds the Regions whose code starts with eu, London and Zurich among them."""
-- fix = """\
-- Use a profile of the right geography (eu. instead of global.) or a Region that offers the model itself. Deny the \
-- others with a service control policy on the profile's ARN. If personal data went out, tell those who answer for \
-- data protection: the sample events name the calls."""
-- false_positives = """\
-- None if the policy's geographies are right. A Region too new for the built-in table is not assessed."""
--
-- [controls]
-- "GDPR" = ["Art. 44"]
-- "HIPAA" = ["164.312(e)(1)"]
-- "ISO/IEC 27001" = ["A.5.34"]
-- "SOC 2" = ["CC6.7"]

WITH calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    account_id AS account_id,
    environment AS environment,
    principal AS principal,
    outcome AS outcome,
    aws_region AS aws_region,
    inference_region AS inference_region,
    COALESCE(inference_region, aws_region) AS run_region,
    CASE
      WHEN inference_region IS NOT NULL THEN NULL
      WHEN profile_scope = 'global' THEN 'a global inference profile, and the record does not say where the model ran'
      WHEN model_kind = 'application_profile'
        THEN 'an application inference profile, and the record does not say where the model ran'
      WHEN aws_region IS NULL THEN 'the record names no Region'
    END AS obstacle
  FROM events
  WHERE record_kind = 'api_call'
    AND activity = 'model_invocation'
    AND (inference_region IS NOT NULL OR outcome = 'ok')
),
environments AS (
  SELECT
    environment AS environment,
    array_join(array_agg(DISTINCT geography ORDER BY geography), ' ') AS allowed,
    COUNT(*) FILTER (WHERE geography = '*') AS anywhere
  FROM policy_geography
  GROUP BY environment
),
pairs AS (
  SELECT DISTINCT environment AS environment, geography AS geography
  FROM policy_geography
),
judged AS (
  SELECT
    CASE
      WHEN v.anywhere > 0 THEN 'pass'
      WHEN c.obstacle IS NOT NULL OR r.geography IS NULL THEN 'not_assessed'
      WHEN p.geography IS NULL THEN 'violation'
      ELSE 'pass'
    END AS verdict,
    c.account_id AS account_id,
    c.aws_region AS aws_region,
    c.principal AS principal,
    CASE WHEN c.obstacle IS NULL THEN c.run_region ELSE 'Region not recorded' END AS subject,
    CASE
      WHEN c.obstacle IS NOT NULL THEN c.obstacle
      WHEN r.geography IS NULL THEN 'the geography of this Region is not known'
      ELSE 'geography ' || r.geography || ' is not among those of environment ' || c.environment
    END AS reason,
    'a Region in one of ' || v.allowed AS expected,
    'called in ' || COALESCE(c.aws_region, 'a Region that is not recorded')
      || CASE WHEN c.obstacle IS NULL THEN ', ran in ' || c.run_region ELSE '' END AS observed,
    4 AS severity_rank,
    c.event_id AS event_id,
    c.event_time AS event_time,
    c.outcome AS outcome
  FROM calls AS c
  JOIN environments AS v ON v.environment = c.environment
  LEFT JOIN ref_region AS r ON r.region = c.run_region
  LEFT JOIN pairs AS p ON p.environment = c.environment AND p.geography = r.geography
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
