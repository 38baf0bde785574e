-- title = "Access to a model was opened by somebody who is not approved to do so"
-- severity = "high"
-- kind = "row"
-- needs = ["policy_entitlement_admin"]
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "role_arn", "role_path_known",
--   "invoked_by", "outcome", "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = ["T1098"]
-- attack_old = []
-- atlas = ["AML.T0012"]
-- why = """\
-- Before an account can call a third party's model, somebody accepts the provider's terms for the whole account, \
-- states a use case, or subscribes in the marketplace. That is a contract, and a new supplier in the chain. It is \
-- also what thieves of credentials do first, to open the models that pay. The policy names who may \
-- (approved.entitlement_admins); this rule finds everybody else: success is high, a refused attempt medium, and a \
-- call that failed for another reason passes. bedrock-mantle may subscribe on its caller's behalf: such records \
-- count against the caller and say so. Records of the marketplace do not say what is sold; those that no Bedrock \
-- service made are not assessed. So is a role whose path the record lost and that may be one of those approved."""
-- fix = """\
-- Ask the caller what the model is for. If the access is wanted, have an approved person confirm the terms and the \
-- use case; if not, end the agreement (DeleteFoundationModelAgreement) and look at what else the caller did. Allow \
-- these actions, and aws-marketplace:Subscribe, only to the platform's role."""
-- false_positives = """\
-- The setting up of a new account by hand. A first call through bedrock-mantle to a model that needs a subscription."""
--
-- [controls]
-- "ISO/IEC 42001" = ["A.10.3"]
-- "NIST SP 800-53" = ["AC-6(10)"]
-- "SOC 2" = ["CC6.1", "CC9.2"]

WITH openings AS (
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
    event_source = 'bedrock.amazonaws.com' OR COALESCE(starts_with(invoked_by, 'bedrock'), FALSE) AS for_model,
    CASE WHEN starts_with(invoked_by, 'bedrock') THEN invoked_by END AS through,
    json_extract_scalar(request_parameters, '$.modelId') AS model_id
  FROM events
  WHERE record_kind = 'api_call'
    AND (
      (
        event_source = 'bedrock.amazonaws.com'
        AND event_name IN (
          'PutUseCaseForModelAccess', 'PutFoundationModelEntitlement', 'CreateFoundationModelAgreement'
        )
      )
      OR (
        event_source = 'agreement-marketplace.amazonaws.com'
        AND event_name IN ('AcceptAgreementRequest', 'AcceptAgreementApprovalRequest', 'CreateAgreementRequest')
      )
      OR (event_source = 'aws-marketplace.amazonaws.com' AND event_name = 'Subscribe')
    )
),
approved AS (
  SELECT
    c.caller AS caller,
    COUNT(*) FILTER (WHERE regexp_like(c.caller, a.pattern_re)) AS fits
  FROM (SELECT DISTINCT caller AS caller FROM openings) AS c
  JOIN policy_entitlement_admin AS a
    ON regexp_like(c.caller, a.pattern_re)
    OR regexp_like(c.caller, a.pathless_re)
  GROUP BY c.caller
)
SELECT
  CASE
    WHEN a.fits > 0 OR o.outcome NOT IN ('ok', 'denied') THEN 'pass'
    WHEN a.fits = 0 AND NOT o.path_known THEN 'not_assessed'
    WHEN NOT o.for_model THEN 'not_assessed'
    ELSE 'violation'
  END AS verdict,
  o.account_id AS account_id,
  o.aws_region AS aws_region,
  o.principal AS principal,
  o.event_name || COALESCE(' ' || o.model_id, '') || COALESCE(' through ' || o.through, '') AS subject,
  CASE
    WHEN a.fits = 0 AND NOT o.path_known THEN 'role path not recorded: the role may be one of the approved'
    WHEN NOT o.for_model THEN 'the record does not say whether the agreement is about a model'
    WHEN o.outcome = 'denied' THEN 'an attempt by a principal that may not open access to models was refused'
    WHEN o.through IS NOT NULL THEN o.through || ' opened the access on behalf of a principal that is not approved'
    ELSE 'the principal is not among those who may open access to models'
  END AS reason,
  'one of approved.entitlement_admins' AS expected,
  o.event_name AS observed,
  o.event_time AS event_time,
  o.event_id AS event_id,
  o.outcome AS outcome,
  CASE WHEN o.outcome = 'ok' THEN 'high' ELSE 'medium' END AS severity
FROM openings AS o
LEFT JOIN approved AS a ON a.caller = o.caller
