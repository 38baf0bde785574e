-- title = "A model of one's own was brought in by somebody who is not approved to do so"
-- severity = "medium"
-- kind = "row"
-- needs = ["policy_model_admin"]
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "role_arn", "role_path_known",
--   "outcome", "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = ["T1525"]
-- attack_old = []
-- atlas = ["AML.T0010.003"]
-- why = """\
-- Bedrock offers models that their providers have published and tested. Beside these an account can import weights, \
-- fine-tune a model, copy one from another account, deploy a custom model or attach an endpoint from the \
-- marketplace. Nobody but the account answers for what such a model does, and weights can carry a back door. The \
-- policy names who may bring models in (approved.model_admins); this rule finds everybody else who did. Success is \
-- medium, a refused attempt low; a call that failed for another reason passes. A role whose path the record lost \
-- is not assessed where it may be one of those approved."""
-- fix = """\
-- Find out where the model comes from, who asked for it and whether it was evaluated. If it is wanted, record it in \
-- the inventory of models and bring it in through the approved pipeline; if not, delete the model, its deployments \
-- and endpoints. Deny these actions to everybody but the pipeline's role."""
-- false_positives = """\
-- A new pipeline that the policy does not list yet. An experiment in a sandbox account: write a waiver for it."""
--
-- [controls]
-- "ISO/IEC 42001" = ["A.6.2.4", "A.10.3"]
-- "NIST SP 800-53" = ["SR-3", "CM-3"]
-- "SOC 2" = ["CC8.1"]

WITH changes AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    COALESCE(role_arn, principal, '') AS caller,
    COALESCE(role_path_known, TRUE) AS path_known,
    COALESCE(
      json_extract_scalar(request_parameters, '$.importedModelName'),
      json_extract_scalar(request_parameters, '$.customModelName'),
      json_extract_scalar(request_parameters, '$.targetModelName'),
      json_extract_scalar(request_parameters, '$.modelDeploymentName'),
      json_extract_scalar(request_parameters, '$.customModelDeploymentIdentifier'),
      json_extract_scalar(request_parameters, '$.modelName'),
      json_extract_scalar(request_parameters, '$.endpointName'),
      json_extract_scalar(request_parameters, '$.endpointIdentifier'),
      json_extract_scalar(request_parameters, '$.model'),
      'model not named'
    ) AS target,
    COALESCE(
      json_extract_scalar(request_parameters, '$.sourceModelArn'),
      json_extract_scalar(request_parameters, '$.modelSourceIdentifier'),
      json_extract_scalar(request_parameters, '$.baseModelIdentifier'),
      json_extract_scalar(request_parameters, '$.modelArn'),
      json_extract_scalar(request_parameters, '$.modelDataSource.s3DataSource.s3Uri')
    ) AS origin
  FROM events
  WHERE record_kind = 'api_call'
    AND (
      (
        event_source = 'bedrock.amazonaws.com'
        AND event_name IN (
          'CreateModelImportJob', 'CreateModelCustomizationJob', 'CreateModelCopyJob', 'CreateCustomModel',
          'CreateCustomModelDeployment', 'UpdateCustomModelDeployment', 'CreateMarketplaceModelEndpoint',
          'RegisterMarketplaceModelEndpoint'
        )
      )
      OR (event_source = 'bedrock-mantle.amazonaws.com' AND event_name = 'CreateFineTuningJob')
    )
),
approved AS (
  SELECT
    c.caller AS caller,
    COUNT(*) FILTER (WHERE regexp_like(c.caller, a.pattern_re)) AS fits
  FROM (SELECT DISTINCT caller AS caller FROM changes) AS c
  JOIN policy_model_admin AS a
    ON regexp_like(c.caller, a.pattern_re)
    OR regexp_like(c.caller, a.pathless_re)
  GROUP BY c.caller
)
SELECT
  CASE
    WHEN a.fits > 0 OR c.outcome NOT IN ('ok', 'denied') THEN 'pass'
    WHEN a.fits = 0 AND NOT c.path_known THEN 'not_assessed'
    ELSE 'violation'
  END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  c.event_name || ' ' || c.target AS subject,
  CASE
    WHEN a.fits = 0 AND NOT c.path_known THEN 'role path not recorded: the role may be one of the approved'
    WHEN c.outcome = 'denied' THEN 'an attempt by a principal that may not bring models in was refused'
    ELSE 'the principal is not among those who may bring models in'
  END AS reason,
  'one of approved.model_admins' AS expected,
  c.event_name || COALESCE(' from ' || c.origin, '') AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome,
  CASE WHEN c.outcome = 'ok' THEN 'medium' ELSE 'low' END AS severity
FROM changes AS c
LEFT JOIN approved AS a ON a.caller = c.caller
