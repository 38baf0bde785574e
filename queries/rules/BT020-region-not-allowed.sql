-- title = "A call went to a Region that the policy does not allow"
-- severity = "high"
-- kind = "row"
-- needs = ["policy_region"]
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "surface", "outcome", "aws_region",
--   "record_kind",
-- ]
-- attack = ["T1535"]
-- attack_old = []
-- atlas = []
-- why = """\
-- The policy lists the Regions in which each environment may work. A call elsewhere leaves the boundary that was \
-- assessed: other logging, other guardrails, other law. Attackers like Regions that nobody watches. The rule looks \
-- at calls to models (bedrock-runtime and bedrock-mantle), agents, knowledge bases, AgentCore and its gateways. \
-- IAM, CloudTrail and the control plane are not judged: some of them always answer from one Region. A call that \
-- succeeded is high, one that did not is low."""
-- fix = """\
-- If the Region is right, add it to the environment's regions. If not, block it with a service control policy on \
-- aws:RequestedRegion and find out which configuration or person chose it."""
-- false_positives = """\
-- A disaster-recovery test. A tool that lists agents in every Region to take stock. An account that belongs to \
-- another environment than the policy says."""
--
-- [controls]
-- "FedRAMP" = ["authorization boundary"]
-- "ISO/IEC 27001" = ["A.5.23", "A.5.34"]
-- "NIST SP 800-53" = ["AC-4"]
-- "SOC 2" = ["CC6.1"]

WITH calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    account_id AS account_id,
    environment AS environment,
    principal AS principal,
    surface AS surface,
    outcome AS outcome,
    aws_region AS aws_region
  FROM events
  WHERE record_kind = 'api_call'
    AND surface IN ('runtime', 'mantle', 'agents', 'agentcore', 'gateway')
),
environments AS (
  SELECT
    environment AS environment,
    array_join(array_agg(DISTINCT region_pattern ORDER BY region_pattern), ' ') AS allowed
  FROM policy_region
  GROUP BY environment
),
allowed AS (
  SELECT DISTINCT c.environment AS environment, c.aws_region AS aws_region
  FROM (SELECT DISTINCT environment AS environment, aws_region AS aws_region FROM calls) AS c
  JOIN policy_region AS p
    ON p.environment = c.environment
    AND regexp_like(c.aws_region, p.region_re)
),
judged AS (
  SELECT
    CASE
      WHEN c.aws_region IS NULL THEN 'not_assessed'
      WHEN a.aws_region IS NULL THEN 'violation'
      ELSE 'pass'
    END AS verdict,
    c.account_id AS account_id,
    c.aws_region AS aws_region,
    c.principal AS principal,
    COALESCE(c.aws_region, 'Region not recorded') || ' ' || c.surface AS subject,
    CASE
      WHEN c.aws_region IS NULL THEN 'the record names no Region'
      ELSE 'the Region is not among those of environment ' || c.environment
    END AS reason,
    'one of ' || e.allowed AS expected,
    'called in ' || COALESCE(c.aws_region, 'a Region that is not recorded') AS observed,
    CASE WHEN c.outcome = 'ok' THEN 4 ELSE 2 END AS severity_rank,
    c.event_id AS event_id,
    c.event_time AS event_time,
    c.outcome AS outcome
  FROM calls AS c
  JOIN environments AS e ON e.environment = c.environment
  LEFT JOIN allowed AS a ON a.environment = c.environment AND a.aws_region = c.aws_region
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
