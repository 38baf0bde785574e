-- title = "A model was used that the policy does not allow for this role"
-- severity = "high"
-- kind = "row"
-- needs = ["policy_version"]
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "role_arn", "role_path_known", "model_id",
--   "model_requested", "model_kind", "profile_scope", "activity", "outcome", "aws_region", "record_kind",
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
-- path: such calls are not assessed rather than reported. A model under a new name: entries \
-- and ids are compared with and without date, version and context size, but a new family is another model."""
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
    (SELECT COUNT(*) FROM policy_allow) AS allow_entries,
    (SELECT COUNT(*) FROM policy_deny) AS deny_entries
)
SELECT
  CASE
    WHEN d.decision = 'denied_entry' THEN 'violation'
    WHEN d.decision = 'not_assessed' THEN 'not_assessed'
    WHEN d.decision = 'uncovered' AND p.allow_entries > 0 AND p.unknown_model <> 'allow' THEN 'violation'
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
  d.event_time AS event_time,
  d.event_id AS event_id,
  d.outcome AS outcome,
  CASE
    WHEN d.decision = 'uncovered' AND p.unknown_model = 'warn' THEN 'low'
    WHEN starts_with(d.environment, 'prod') THEN 'critical'
    ELSE 'high'
  END AS severity
FROM decisions AS d
CROSS JOIN defaults AS p
WHERE d.outcome = 'ok'
  AND (p.allow_entries > 0 OR p.deny_entries > 0)
