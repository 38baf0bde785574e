-- title = "A guardrail was weakened"
-- severity = "high"
-- kind = "sequence"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "outcome",
--   "request_parameters", "response_elements", "aws_region", "record_kind",
-- ]
-- attack = ["T1685"]
-- attack_old = ["T1562.001"]
-- atlas = []
-- why = """\
-- An update can hollow a guardrail out and leave it in place, so that every application still names it. The rule \
-- compares each UpdateGuardrail with the last successful creation or update of the same guardrail, also from before \
-- the window where the run knows of it. Weaker is: an entry that is gone (content filter, topic, word list, kind of \
-- personal data, pattern, grounding filter), fewer words or reasoning policies, a lower strength or threshold, a \
-- milder action, a check that is switched off. Of the enforcement of a guardrail for the whole account it compares \
-- which models it covers, and whether callers may choose what is checked. Success is high, a refused attempt medium, \
-- any other low. Not assessed is a change whose settings CloudTrail left out or hides, one without known earlier \
-- settings, and an enforcement that now names another guardrail or version."""
-- fix = """\
-- Ask for the change ticket. If there is none, put back the former values that observed names, \
-- make a new version, and read the model calls made meanwhile. Allow bedrock:UpdateGuardrail only to the deployment role."""
-- false_positives = """\
-- A filter that was relaxed on purpose because it stopped honest users. An entry that was renamed: the old name is \
-- gone."""
--
-- [controls]
-- "NIST SP 800-53" = ["CM-3", "SI-4"]
-- "SOC 2" = ["CC8.1"]

SELECT
  CASE WHEN weakened IS NOT NULL THEN 'violation' WHEN obstacle IS NOT NULL THEN 'not_assessed' ELSE 'pass' END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  guardrail || ' ' || COALESCE(aws_region, 'Region not recorded') AS subject,
  CASE
    WHEN weakened IS NULL THEN obstacle
    WHEN outcome = 'denied' THEN 'an attempt to weaken the guardrail was refused'
    WHEN outcome <> 'ok' THEN 'an attempt to weaken the guardrail failed'
    ELSE 'the guardrail is weaker than before'
  END AS reason,
  'settings at least as strict as before' AS expected,
  event_name || COALESCE(': ' || weakened, '') AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome,
  CASE WHEN outcome = 'ok' THEN 'high' WHEN outcome = 'denied' THEN 'medium' ELSE 'low' END AS severity
FROM guardrail_changes
