-- title = "A long-term access key called a model, an agent or a knowledge base"
-- severity = "high"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "access_key_id", "activity", "outcome",
--   "credential", "aws_region", "record_kind",
-- ]
-- attack = ["T1078.004"]
-- attack_old = []
-- atlas = ["AML.T0012"]
-- why = """\
-- An access key of an IAM user (its id starts with AKIA) does not expire. Stolen ones are how most abuse of models \
-- in other people's accounts begins. Roles give credentials that last hours, and say which workload they went to. \
-- The rule judges model calls, batch jobs, agent invocations and retrievals. In an environment whose name starts \
-- with prod a finding is high, elsewhere medium. The policy's setting long_term_keys goes first: allow passes, \
-- warn makes it low, deny makes it high. A refused attempt is one step lower. Bedrock API keys are BT030's \
-- subject."""
-- fix = """\
-- Move the workload to a role (IAM Roles Anywhere outside AWS, OpenID Connect for build systems), then deactivate \
-- the key, watch for a while, and delete it."""
-- false_positives = """\
-- A supplier's product that supports only access keys: set long_term_keys for that environment or write a waiver."""
--
-- [controls]
-- "NIST SP 800-53" = ["IA-5"]
-- "PCI DSS" = ["8.6"]
-- "SOC 2" = ["CC6.1"]

WITH settings AS (
  SELECT environment AS environment, MIN(setting) AS setting
  FROM policy_credential
  WHERE credential_class = 'long_term_keys'
  GROUP BY environment
),
in_force AS (
  SELECT CASE WHEN COUNT(effective_from) = COUNT(*) THEN MIN(effective_from) END AS in_force_from
  FROM policy_version
)
SELECT
  CASE
    WHEN s.setting = 'allow' THEN 'pass'
    WHEN e.credential IS NULL THEN 'not_assessed'
    WHEN e.credential = 'long_term' THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  e.account_id AS account_id,
  e.aws_region AS aws_region,
  e.principal AS principal,
  CASE
    WHEN e.credential IS NULL THEN 'credential not recorded'
    ELSE COALESCE(e.access_key_id, 'access key not recorded')
  END AS subject,
  CASE
    WHEN e.credential IS NULL THEN 'the record does not show how the caller authenticated'
    WHEN s.setting IN ('deny', 'short_only') THEN 'environment ' || e.environment || ' allows no long-term access keys'
    WHEN s.setting = 'warn' THEN 'environment ' || e.environment || ' wants to know of every long-term access key'
    ELSE 'a long-term access key was used'
  END AS reason,
  'temporary credentials of a role' AS expected,
  e.activity AS observed,
  e.event_time AS event_time,
  e.event_id AS event_id,
  e.outcome AS outcome,
  CASE
    WHEN s.setting = 'warn' THEN 'low'
    WHEN (s.setting IN ('deny', 'short_only') OR starts_with(e.environment, 'prod')) AND e.outcome = 'denied' THEN 'medium'
    WHEN s.setting IN ('deny', 'short_only') OR starts_with(e.environment, 'prod') THEN 'high'
    WHEN e.outcome = 'denied' THEN 'low'
    ELSE 'medium'
  END AS severity
FROM events AS e
CROSS JOIN in_force AS f
LEFT JOIN settings AS s
  ON s.environment = e.environment
  AND (f.in_force_from IS NULL OR e.event_time >= f.in_force_from)
WHERE e.record_kind = 'api_call'
  AND e.activity IN ('model_invocation', 'batch', 'agent_invocation', 'retrieval')
