-- title = "A call went to a Region that the policy does not allow"
-- severity = "high"
-- kind = "row"
-- needs = ["policy_region"]
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "surface", "activity", "outcome",
--   "aws_region", "record_kind",
-- ]
-- attack = ["T1535"]
-- attack_old = []
-- atlas = []
-- why = """\
-- The policy lists the Regions in which each environment may work. A call elsewhere leaves the boundary that was \
-- assessed: other logging, other guardrails, other law. Attackers like Regions that nobody watches. The rule looks \
-- at calls to models (bedrock-runtime and bedrock-mantle), batch jobs, agents, knowledge bases, AgentCore and its \
-- gateways. IAM, CloudTrail and the rest of the control plane are not judged: some of them always answer from one \
-- Region. A call that succeeded is high, one that did not is low."""
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
    CASE WHEN activity = 'batch' THEN 'batch' ELSE surface END AS surface,
    outcome AS outcome,
    aws_region AS aws_region
  FROM events
  WHERE record_kind = 'api_call'
    AND (surface IN ('runtime', 'mantle', 'agents', 'agentcore', 'gateway') OR activity = 'batch')
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
)
SELECT
  CASE
    WHEN c.environment IS NULL THEN 'not_assessed'
    WHEN c.aws_region IS NULL THEN 'not_assessed'
    WHEN a.aws_region IS NULL THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  COALESCE(c.aws_region, 'Region not recorded') || ' ' || c.surface AS subject,
  CASE
    WHEN c.environment IS NULL THEN 'the account is in no environment of the policy'
    WHEN c.aws_region IS NULL THEN 'the record names no Region'
    ELSE 'the Region is not among those of environment ' || c.environment
  END AS reason,
  COALESCE('one of ' || e.allowed, 'an environment for the account') AS expected,
  'called in ' || COALESCE(c.aws_region, 'a Region that is not recorded') AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome,
  CASE WHEN c.outcome = 'ok' THEN 'high' ELSE 'low' END AS severity
FROM calls AS c
LEFT JOIN environments AS e ON e.environment = c.environment
LEFT JOIN allowed AS a ON a.environment = c.environment AND a.aws_region = c.aws_region
WHERE e.environment IS NOT NULL OR c.environment IS NULL
