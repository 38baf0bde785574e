-- title = "An automated reasoning policy was changed or deleted"
-- severity = "medium"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "outcome",
--   "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = ["T1685"]
-- attack_old = ["T1562.001"]
-- atlas = ["AML.T0051"]
-- why = """\
-- An automated reasoning policy holds the rules by which a guardrail proves an answer right or wrong. Whoever changes \
-- the rules or their annotations changes what counts as true. The rule finds DeleteAutomatedReasoningPolicy, \
-- UpdateAutomatedReasoningPolicy and UpdateAutomatedReasoningPolicyAnnotations. Success and a refused attempt are \
-- medium, one that failed for another reason low. New policies and versions, test cases and builds pass: they change \
-- nothing that is in force."""
-- fix = """\
-- Ask for the change ticket, compare the policy with its last version, and put that back if nobody can say why. \
-- Guardrails name a version: check which version they use."""
-- false_positives = """\
-- The authors of the policy at work on its draft, in the console or a pipeline."""
--
-- [controls]
-- "ISO/IEC 42001" = ["A.6.2.4", "A.9.2"]
-- "NIST SP 800-53" = ["CM-3"]
-- "SOC 2" = ["CC8.1"]

SELECT
  CASE
    WHEN event_name IN (
      'DeleteAutomatedReasoningPolicy', 'UpdateAutomatedReasoningPolicy', 'UpdateAutomatedReasoningPolicyAnnotations'
    )
      THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  COALESCE(json_extract_scalar(request_parameters, '$.policyArn'), 'policy not named') || ' '
    || COALESCE(aws_region, 'Region not recorded') AS subject,
  CASE
    WHEN outcome = 'denied' THEN 'an attempt to change an automated reasoning policy was refused'
    WHEN outcome <> 'ok' THEN 'an attempt to change an automated reasoning policy failed'
    WHEN event_name = 'DeleteAutomatedReasoningPolicy' THEN 'an automated reasoning policy was deleted'
    ELSE 'an automated reasoning policy was changed'
  END AS reason,
  'automated reasoning policies stay as they are, or a change ticket covers the change' AS expected,
  event_name AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome,
  CASE WHEN outcome IN ('ok', 'denied') THEN 'medium' ELSE 'low' END AS severity
FROM events
WHERE record_kind = 'api_call'
  AND event_source = 'bedrock.amazonaws.com'
  AND event_name IN (
    'CancelAutomatedReasoningPolicyBuildWorkflow', 'CreateAutomatedReasoningPolicy',
    'CreateAutomatedReasoningPolicyTestCase', 'CreateAutomatedReasoningPolicyVersion',
    'DeleteAutomatedReasoningPolicy', 'DeleteAutomatedReasoningPolicyBuildWorkflow',
    'DeleteAutomatedReasoningPolicyTestCase', 'StartAutomatedReasoningPolicyBuildWorkflow',
    'StartAutomatedReasoningPolicyTestWorkflow', 'UpdateAutomatedReasoningPolicy',
    'UpdateAutomatedReasoningPolicyAnnotations', 'UpdateAutomatedReasoningPolicyTestCase'
  )
