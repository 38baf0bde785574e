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
-- reference and nothing else, so BT001 cannot judge such a call and reports it as not assessed. This rule is the \
-- list of what to look up: every such reference that was used with success, in calls and batch jobs, and to which \
-- the policy gives no alias. If the records show how an application inference profile was made, the finding names \
-- the model it was copied from. A call whose record names no model at all is not assessed."""
-- fix = """\
-- Look up what stands behind the reference (GetInferenceProfile, GetProvisionedModelThroughput, GetCustomModel, …) \
-- and give it an alias in the policy. Better still, name references in code that generates the policy too."""
-- false_positives = """\
-- The alias is written in another form than the call sends: both the ARN and the last part of it may be sent, and \
-- each form needs its line."""
--
-- [controls]
-- "ISO/IEC 42001" = ["A.4.2"]
-- "NIST SP 800-53" = ["AU-3"]

WITH aliases AS (
  SELECT reference AS reference, MIN(model_id) AS model_id
  FROM policy_alias
  GROUP BY reference
),
-- Records of profiles being made say what they were copied from.
made AS (
  SELECT
    json_extract_scalar(response_elements, '$.inferenceProfileArn') AS reference,
    MAX(json_extract_scalar(request_parameters, '$.modelSource.copyFrom')) AS source_model
  FROM (
    SELECT request_parameters AS request_parameters, response_elements AS response_elements
    FROM events
    WHERE event_name = 'CreateInferenceProfile' AND outcome = 'ok'
    UNION ALL
    SELECT request_parameters AS request_parameters, response_elements AS response_elements
    FROM history
    WHERE event_name = 'CreateInferenceProfile' AND outcome = 'ok'
  ) AS creations
  GROUP BY 1
)
SELECT
  CASE
    WHEN COALESCE(r.model_id, i.model_id) IS NOT NULL THEN 'pass'
    WHEN e.model_id IS NULL AND e.model_requested IS NULL THEN 'not_assessed'
    WHEN e.model_id IS NULL OR e.model_kind IN (
      'application_profile', 'provisioned', 'custom', 'imported', 'prompt', 'router', 'marketplace', 'unresolved'
    ) THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  e.account_id AS account_id,
  e.aws_region AS aws_region,
  e.principal AS principal,
  COALESCE(e.model_requested, e.model_id, 'model not recorded') AS subject,
  CASE
    WHEN e.model_id IS NULL AND e.model_requested IS NULL THEN 'the record names no model'
    WHEN e.model_kind = 'application_profile' THEN 'an application inference profile without an alias'
    WHEN e.model_kind = 'provisioned' THEN 'provisioned throughput without an alias'
    WHEN e.model_kind = 'custom' THEN 'a custom model without an alias'
    WHEN e.model_kind = 'imported' THEN 'an imported model without an alias'
    WHEN e.model_kind = 'prompt' THEN 'a stored prompt without an alias'
    WHEN e.model_kind = 'router' THEN 'a prompt router without an alias'
    WHEN e.model_kind = 'marketplace' THEN 'a marketplace endpoint without an alias'
    ELSE 'a reference of no known form, without an alias'
  END AS reason,
  'an alias in the policy' || COALESCE('; the profile was made from ' || m.source_model, '') AS expected,
  e.activity || ' with ' || COALESCE(e.model_kind, 'an unknown reference') AS observed,
  e.event_time AS event_time,
  e.event_id AS event_id,
  e.outcome AS outcome
FROM events AS e
LEFT JOIN aliases AS r ON r.reference = e.model_requested
LEFT JOIN aliases AS i ON i.reference = e.model_id
LEFT JOIN made AS m ON m.reference = e.model_requested
WHERE e.record_kind = 'api_call'
  AND e.activity IN ('model_invocation', 'batch')
  AND e.outcome = 'ok'
