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
    'called with outcome ' || COALESCE(c.outcome, 'unknown') AS observed,
    CASE WHEN c.outcome = 'ok' THEN 4 ELSE 2 END AS severity_rank,
    c.event_id AS event_id,
    c.event_time AS event_time
  FROM calls AS c
  JOIN environments AS e ON e.environment = c.environment
  LEFT JOIN allowed AS a ON a.environment = c.environment AND a.aws_region = c.aws_region
),
folded AS (
  SELECT
    verdict AS verdict,
    CASE WHEN verdict <> 'pass' THEN account_id END AS account_id,
    CASE WHEN verdict <> 'pass' THEN principal END AS principal,
    CASE WHEN verdict <> 'pass' THEN subject END AS subject,
    CASE WHEN verdict <> 'pass' THEN event_id END AS event_id,
    CASE WHEN verdict <> 'pass' THEN aws_region END AS aws_region,
    CASE WHEN verdict <> 'pass' THEN reason END AS reason,
    CASE WHEN verdict <> 'pass' THEN expected END AS expected,
    CASE WHEN verdict <> 'pass' THEN observed END AS observed,
    CASE WHEN verdict = 'violation' THEN severity_rank END AS severity_rank,
    MIN(event_time) AS first_seen,
    MAX(event_time) AS last_seen,
    COUNT(*) AS events
  FROM judged
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
),
ranked AS (
  SELECT
    verdict AS verdict,
    account_id AS account_id,
    principal AS principal,
    subject AS subject,
    event_id AS event_id,
    aws_region AS aws_region,
    reason AS reason,
    expected AS expected,
    observed AS observed,
    severity_rank AS severity_rank,
    first_seen AS first_seen,
    last_seen AS last_seen,
    events AS events,
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
    CASE WHEN MIN(aws_region) = MAX(aws_region) THEN MIN(aws_region) END AS aws_region,
    principal AS principal,
    subject AS subject,
    array_join(array_agg(DISTINCT reason ORDER BY reason) FILTER (WHERE reason IS NOT NULL), '; ') AS reason,
    array_join(array_agg(DISTINCT expected ORDER BY expected) FILTER (WHERE expected IS NOT NULL), '; ') AS expected,
    array_join(array_agg(DISTINCT observed ORDER BY observed) FILTER (WHERE observed IS NOT NULL), '; ') AS observed,
    MIN(first_seen) AS first_seen,
    MAX(last_seen) AS last_seen,
    CAST(SUM(events) AS BIGINT) AS event_count,
    array_join(
      array_agg(event_id ORDER BY place) FILTER (WHERE event_id IS NOT NULL AND place <= 5), ' '
    ) AS sample_event_ids,
    MAX(severity_rank) AS severity_rank
  FROM ranked
  GROUP BY verdict, account_id, principal, subject
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
  CAST(SUM(event_count) OVER () AS BIGINT) AS population,
  CASE WHEN verdict IN ('not_assessed', 'not_applicable') THEN reason END AS not_assessed_reason,
  sample_event_ids AS sample_event_ids,
  CASE severity_rank
    WHEN 5 THEN 'critical'
    WHEN 4 THEN 'high'
    WHEN 3 THEN 'medium'
    WHEN 2 THEN 'low'
    WHEN 1 THEN 'info'
  END AS severity
FROM grouped
ORDER BY
  verdict ASC NULLS LAST,
  account_id ASC NULLS LAST,
  principal ASC NULLS LAST,
  subject ASC NULLS LAST
