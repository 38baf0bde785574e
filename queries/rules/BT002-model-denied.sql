-- title = "A role was refused a model that the policy does not allow it"
-- severity = "low"
-- kind = "row"
-- needs = ["policy_version"]
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "role_arn", "role_path_known", "model_id",
--   "model_requested", "model_kind", "profile_scope", "activity", "outcome", "error_code", "aws_region", "record_kind",
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
  'no attempt at this model by this role' AS expected,
  'refused ' || COALESCE(d.model_requested, d.model_id, 'a model that is not recorded')
    || COALESCE(' in environment ' || d.environment, ' in an account of no environment') AS observed,
  d.event_time AS event_time,
  d.event_id AS event_id,
  d.outcome AS outcome
FROM decisions AS d
CROSS JOIN defaults AS p
WHERE d.outcome = 'denied'
  AND (p.allow_entries > 0 OR p.deny_entries > 0)
