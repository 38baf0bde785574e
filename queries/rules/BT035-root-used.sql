-- title = "The root user worked with AI services or their evidence"
-- severity = "critical"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_name", "account_id", "principal", "principal_type", "invoked_by", "surface",
--   "activity", "outcome", "aws_region", "record_kind",
-- ]
-- attack = ["T1078.004"]
-- attack_old = []
-- atlas = []
-- why = """\
-- The root user of an account can do everything and belongs to nobody in particular. No daily work needs it. The \
-- rule finds root calling models, agents, AgentCore or the Bedrock control plane and marketplace, and root \
-- changing trails, logging, guardrails or credentials. A refused attempt is high. Calls that an AWS service makes \
-- on root's behalf are left out."""
-- fix = """\
-- Find out who signed in. Give that person a role. Delete root's access keys, protect the sign-in with a hardware \
-- key, and in an organisation take root access away from member accounts."""
-- false_positives = """\
-- The few tasks that AWS reserves for root. None of them concerns Bedrock."""
--
-- [controls]
-- "NIST SP 800-53" = ["AC-6"]
-- "PCI DSS" = ["8.2"]
-- "SOC 2" = ["CC6.1"]

SELECT
  CASE
    WHEN principal_type IS NULL THEN 'not_assessed'
    WHEN principal_type = 'Root' AND invoked_by IS NULL THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  COALESCE(event_name, 'event not named') AS subject,
  CASE
    WHEN principal_type IS NULL THEN 'the record does not say what kind of identity called'
    ELSE 'the root user made the call'
  END AS reason,
  'a role with the rights for this task' AS expected,
  COALESCE(activity, 'other') AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome,
  CASE WHEN outcome = 'denied' THEN 'high' ELSE 'critical' END AS severity
FROM events
WHERE record_kind = 'api_call'
  AND (
    surface IN ('runtime', 'mantle', 'agents', 'agentcore', 'gateway', 'control', 'marketplace')
    OR activity IN (
      'model_invocation', 'batch', 'entitlement', 'guardrail_admin', 'logging_admin', 'agent_admin', 'model_admin',
      'credential_admin', 'trail_admin'
    )
  )
