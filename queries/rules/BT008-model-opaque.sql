-- title = "A call used a reference behind which the model cannot be seen"
-- severity = "medium"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "model_id", "model_requested",
--   "model_kind", "activity", "outcome", "request_parameters", "response_elements", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- Some references do not say which model answers: application inference profiles, provisioned throughput, custom \
-- and imported models, prompt routers, stored prompts, marketplace endpoints, and free names. CloudTrail records the \
-- reference and nothing else. Where the records show how the thing was made (CreateInferenceProfile, \
-- CreateProvisionedModelThroughput, …), or the policy or a file has an alias for it, the model is known; else BT001 \
-- cannot judge such a call and reports it as not assessed. This rule is the list of what to look up: every such \
-- reference that was used with success, in calls and batch jobs, and behind which nothing is known to stand. It also \
-- fires where an alias and the records, or two aliases, name different models: then one of them is wrong. A call \
-- whose record names no model at all is not assessed."""
-- fix = """\
-- Look up what stands behind the reference (GetInferenceProfile, GetProvisionedModelThroughput, GetCustomModel, …) \
-- and give it an alias in the policy, or save what the list calls of the AWS CLI answer, run `bedtrail aliases import`, \
-- and give the result to --aliases. Records from before the window help too: read a store, or give --history."""
-- false_positives = """\
-- The alias is written as a name and the call sends the ARN. An alias for an ARN holds for the last part of it too."""
--
-- [controls]
-- "ISO/IEC 42001" = ["A.4.2"]
-- "NIST SP 800-53" = ["AU-3"]

SELECT
  CASE
    WHEN e.model_id IS NULL AND e.model_requested IS NULL THEN 'not_assessed'
    WHEN e.model_known_by IS NULL OR e.model_otherwise IS NOT NULL THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  e.account_id AS account_id,
  e.aws_region AS aws_region,
  e.principal AS principal,
  COALESCE(e.model_requested, e.model_id, 'model not recorded') AS subject,
  CASE
    WHEN e.model_id IS NULL AND e.model_requested IS NULL THEN 'the record names no model'
    WHEN e.model_known_by IS NOT NULL
      THEN 'what is said of it differs: ' || e.model_known_by || ': ' || e.model_id || ', ' || e.model_otherwise
    WHEN e.model_kind = 'application_profile' THEN 'an application inference profile without an alias'
    WHEN e.model_kind = 'provisioned' THEN 'provisioned throughput without an alias'
    WHEN e.model_kind = 'custom' THEN 'a custom model without an alias'
    WHEN e.model_kind = 'imported' THEN 'an imported model without an alias'
    WHEN e.model_kind = 'prompt' THEN 'a stored prompt without an alias'
    WHEN e.model_kind = 'router' THEN 'a prompt router without an alias'
    WHEN e.model_kind = 'marketplace' THEN 'a marketplace endpoint without an alias'
    ELSE 'a reference of no known form, without an alias'
  END AS reason,
  CASE
    WHEN e.model_known_by IS NOT NULL THEN 'one model behind one reference'
    ELSE 'a record of its making, or an alias' || COALESCE('; it is one of ' || e.model_otherwise, '')
  END AS expected,
  e.activity || ' with ' || COALESCE(e.model_kind, 'an unknown reference')
    || CASE WHEN e.model_id <> e.model_requested THEN ', which stands for ' || e.model_id ELSE '' END AS observed,
  e.event_time AS event_time,
  e.event_id AS event_id,
  e.outcome AS outcome
FROM model_calls AS e
WHERE e.outcome = 'ok'
