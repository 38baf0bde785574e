-- title = "The enforcement of AgentCore policies was switched off or weakened"
-- severity = "critical"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "outcome", "gateway_arn",
--   "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = ["T1685"]
-- attack_old = ["T1562.001"]
-- atlas = ["AML.T0051"]
-- why = """\
-- A policy engine decides which tools an agent may call through a gateway. In mode LOG_ONLY it writes down what it \
-- would refuse and lets it pass. The rule finds policies that are updated to log only or to ignore what their \
-- validation finds (IGNORE_ALL_FINDINGS), gateways that are updated to run their policy engine in LOG_ONLY, and the \
-- deletion of policies, policy engines and gateway rules. Success is critical, a refused attempt high, one that \
-- failed for another reason low. The population is all changes to policies, policy engines and gateway rules, and \
-- the updates of gateways. An update whose parameters are not recorded is not assessed. A gateway update without a \
-- policy engine may never have had one: it passes."""
-- fix = """\
-- Put the policy or the mode back from its definition in code. Read the tool calls made through the gateway since \
-- first_seen: nothing was refused meanwhile. Allow UpdateGateway, UpdatePolicy and the deletions only to the \
-- deployment role, for no condition key protects the mode alone."""
-- false_positives = """\
-- A pipeline that tries a policy in LOG_ONLY before it enforces it. A new policy or gateway that starts in LOG_ONLY is \
-- no finding."""
--
-- [controls]
-- "ISO/IEC 42001" = ["A.6.2.4", "A.9.2"]
-- "NIST SP 800-53" = ["CM-3"]
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
    request_parameters IS NULL AS unread,
    json_extract_scalar(request_parameters, '$.enforcementMode') AS enforcement,
    json_extract_scalar(request_parameters, '$.validationMode') AS validation,
    json_extract_scalar(request_parameters, '$.policyEngineConfiguration.mode') AS engine_mode,
    COALESCE(
      json_extract_scalar(request_parameters, '$.policyId'),
      json_extract_scalar(request_parameters, '$.ruleId'),
      json_extract_scalar(request_parameters, '$.policyEngineId'),
      json_extract_scalar(request_parameters, '$.gatewayIdentifier'),
      gateway_arn,
      json_extract_scalar(request_parameters, '$.name'),
      'not named'
    ) AS thing
  FROM events
  WHERE record_kind = 'api_call'
    AND event_source IN ('bedrock-agentcore.amazonaws.com', 'bedrock-agentcore-control.amazonaws.com')
    AND event_name IN (
      'CreatePolicy', 'UpdatePolicy', 'DeletePolicy', 'CreatePolicyEngine', 'UpdatePolicyEngine',
      'DeletePolicyEngine', 'CreateGatewayRule', 'UpdateGatewayRule', 'DeleteGatewayRule', 'UpdateGateway'
    )
),
judged_changes AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    thing AS thing,
    unread AND event_name IN ('UpdatePolicy', 'UpdateGateway') AS unread,
    COALESCE(enforcement, validation, 'policy engine in mode ' || engine_mode) AS setting,
    CASE
      WHEN event_name IN ('DeletePolicy', 'DeletePolicyEngine', 'DeleteGatewayRule') THEN 'it was deleted'
      WHEN event_name = 'UpdatePolicy' AND enforcement = 'LOG_ONLY' THEN 'its enforcement mode is now LOG_ONLY'
      WHEN event_name = 'UpdatePolicy' AND validation = 'IGNORE_ALL_FINDINGS'
        THEN 'its validation mode is now IGNORE_ALL_FINDINGS'
      WHEN event_name = 'UpdateGateway' AND engine_mode = 'LOG_ONLY' THEN 'its policy engine is now in mode LOG_ONLY'
    END AS weakening
  FROM changes
)
SELECT
  CASE WHEN weakening IS NOT NULL THEN 'violation' WHEN unread THEN 'not_assessed' ELSE 'pass' END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  regexp_replace(event_name, '\A(Create|Update|Delete)', '') || ' ' || thing || ' '
    || COALESCE(aws_region, 'Region not recorded') AS subject,
  CASE
    WHEN weakening IS NULL THEN 'the record does not show what was set'
    WHEN outcome = 'denied' THEN 'an attempt to weaken it was refused'
    WHEN outcome <> 'ok' THEN 'an attempt to weaken it failed'
    ELSE weakening
  END AS reason,
  'policies stay enforced, or a change ticket covers the change' AS expected,
  event_name || COALESCE(' with ' || setting, '') AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome,
  CASE WHEN outcome = 'ok' THEN 'critical' WHEN outcome = 'denied' THEN 'high' ELSE 'low' END AS severity
FROM judged_changes
