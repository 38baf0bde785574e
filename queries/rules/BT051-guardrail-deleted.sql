-- title = "A guardrail or its enforcement was deleted"
-- severity = "high"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "guardrail_id",
--   "guardrail_version", "activity", "outcome", "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = ["T1685"]
-- attack_old = ["T1562.001"]
-- atlas = ["AML.T0054"]
-- why = """\
-- A guardrail filters what goes into a model and what comes out. Whoever deletes it, or the configuration that \
-- enforces it for the whole account, takes that control away from every application behind it. The rule finds \
-- DeleteGuardrail, DeleteGuardrailVersion and DeleteEnforcedGuardrailConfiguration. Success is high, a refused \
-- attempt medium, an attempt that failed for another reason low. The population is all changes to guardrails."""
-- fix = """\
-- Ask for the change ticket. If there is none, restore the guardrail from its definition in code, check which \
-- applications named it, and read the model calls made since first_seen. Allow bedrock:DeleteGuardrail only to the \
-- deployment role."""
-- false_positives = """\
-- The clean-up of drafts and old versions that no application names. A test environment that is built and torn \
-- down by code."""
--
-- [controls]
-- "NIST SP 800-53" = ["CM-3", "SI-4"]
-- "SOC 2" = ["CC8.1"]

SELECT
  CASE
    WHEN event_name IN ('DeleteGuardrail', 'DeleteGuardrailVersion', 'DeleteEnforcedGuardrailConfiguration')
      THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  CASE
    WHEN event_name = 'DeleteEnforcedGuardrailConfiguration' THEN 'enforced configuration '
      || COALESCE(json_extract_scalar(request_parameters, '$.configId'), 'not named')
    ELSE COALESCE(
      guardrail_id, json_extract_scalar(request_parameters, '$.guardrailIdentifier'), 'guardrail not named'
    )
  END || ' ' || COALESCE(aws_region, 'Region not recorded') AS subject,
  CASE
    WHEN outcome = 'denied' THEN 'an attempt to delete a guardrail was refused'
    WHEN outcome <> 'ok' THEN 'an attempt to delete a guardrail failed'
    WHEN event_name = 'DeleteEnforcedGuardrailConfiguration' THEN 'the enforcement of a guardrail was deleted'
    WHEN event_name = 'DeleteGuardrailVersion' OR guardrail_version IS NOT NULL THEN 'a guardrail version was deleted'
    ELSE 'a guardrail was deleted'
  END AS reason,
  'guardrails stay in place, or a change ticket covers the deletion' AS expected,
  event_name || COALESCE(' of version ' || guardrail_version, '') AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome,
  CASE WHEN outcome = 'ok' THEN 'high' WHEN outcome = 'denied' THEN 'medium' ELSE 'low' END AS severity
FROM events
WHERE record_kind = 'api_call'
  AND event_source = 'bedrock.amazonaws.com'
  AND (
    activity = 'guardrail_admin'
    OR event_name IN ('DeleteGuardrail', 'DeleteGuardrailVersion', 'DeleteEnforcedGuardrailConfiguration')
  )
