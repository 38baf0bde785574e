-- title = "Configuration changes"
-- question = "Who changed models, access, guardrails, agents, keys, logging or trails, from what to what?"
-- frameworks = ["SOC 2 CC8.1", "SOC 2 CC6.3", "ISO/IEC 27001 A.8.32", "NIST SP 800-53 CM-3", "NIST SP 800-53 AC-6(9)", "PCI DSS 10.2.1.2"]
-- audit = "folder"
-- glance = ["event_time", "principal", "event_name", "object", "outcome", "after", "before", "person", "log_target", "account_id"]
--
-- [columns]
-- event_time = "When the change was made, UTC."
-- account_id = "The account that received the record."
-- environment = "The policy's environment for the account."
-- aws_region = "The Region."
-- principal = "Who made it."
-- person = "The person or workload behind it, where the record names one."
-- person_basis = "How the person is known."
-- credential = "The kind of credential."
-- source_ip = "Where it came from, as logged."
-- activity = "What was changed: entitlement, guardrail_admin, logging_admin, agent_admin, model_admin, credential_admin or trail_admin."
-- event_source = "The service."
-- event_name = "The operation: what was done."
-- object = "The thing that was changed, as far as the record names it."
-- log_target = "True where the policy lists the object as a log bucket, log key or target of invocation logs; empty where it is no such thing or the policy lists none."
-- outcome = "ok: it took effect; denied, throttled, invalid or failed: it did not."
-- error_code = "The error code, as logged."
-- before = "What the change before it of the same kind and object asked for, if that succeeded and is known; empty where none is known."
-- before_event = "That change: operation, time and event id; it may lie before the window."
-- after = "What this change asked for: its request parameters, contents left out; empty where the record has none."
-- approved_ticket = "Empty, for the reviewer."
-- event_id = "CloudTrail's identifier of the record."
-- log_object = "The log object the record stands in."
-- log_index = "Its position in that object, from 0."

WITH records AS (
  SELECT
    'window' AS part,
    event_time AS event_time,
    account_id AS account_id,
    environment AS environment,
    aws_region AS aws_region,
    principal AS principal,
    person AS person,
    person_basis AS person_basis,
    credential AS credential,
    source_ip AS source_ip,
    activity AS activity,
    event_source AS event_source,
    event_name AS event_name,
    outcome AS outcome,
    error_code AS error_code,
    request_parameters AS request_parameters,
    response_elements AS response_elements,
    agent_id AS agent_id,
    gateway_arn AS gateway_arn,
    memory_id AS memory_id,
    credential_provider AS credential_provider,
    knowledge_base_id AS knowledge_base_id,
    flow_id AS flow_id,
    guardrail_id AS guardrail_id,
    model_requested AS model_requested,
    resource_arn AS resource_arn,
    event_id AS event_id,
    log_object AS log_object,
    log_index AS log_index
  FROM events
  WHERE record_kind = 'api_call'
    AND activity IN (
      'entitlement', 'guardrail_admin', 'logging_admin', 'agent_admin', 'model_admin', 'credential_admin', 'trail_admin'
    )
  UNION ALL
  SELECT
    'history' AS part,
    event_time AS event_time,
    account_id AS account_id,
    environment AS environment,
    aws_region AS aws_region,
    principal AS principal,
    person AS person,
    person_basis AS person_basis,
    credential AS credential,
    source_ip AS source_ip,
    activity AS activity,
    event_source AS event_source,
    event_name AS event_name,
    outcome AS outcome,
    error_code AS error_code,
    request_parameters AS request_parameters,
    response_elements AS response_elements,
    agent_id AS agent_id,
    gateway_arn AS gateway_arn,
    memory_id AS memory_id,
    credential_provider AS credential_provider,
    knowledge_base_id AS knowledge_base_id,
    flow_id AS flow_id,
    guardrail_id AS guardrail_id,
    model_requested AS model_requested,
    resource_arn AS resource_arn,
    event_id AS event_id,
    log_object AS log_object,
    log_index AS log_index
  FROM history
  WHERE record_kind = 'api_call'
    AND outcome = 'ok'
    AND activity IN (
      'entitlement', 'guardrail_admin', 'logging_admin', 'agent_admin', 'model_admin', 'credential_admin', 'trail_admin'
    )
),
-- One kind of thing is what its operations share: CreateGuardrail, UpdateGuardrail and DeleteGuardrail concern a Guardrail.
named AS (
  SELECT
    r.part AS part,
    r.event_time AS event_time,
    r.account_id AS account_id,
    r.environment AS environment,
    r.aws_region AS aws_region,
    r.principal AS principal,
    r.person AS person,
    r.person_basis AS person_basis,
    r.credential AS credential,
    r.source_ip AS source_ip,
    r.activity AS activity,
    r.event_source AS event_source,
    r.event_name AS event_name,
    r.outcome AS outcome,
    r.error_code AS error_code,
    r.request_parameters AS request_parameters,
    r.event_id AS event_id,
    r.log_object AS log_object,
    r.log_index AS log_index,
    regexp_replace(
      regexp_replace(
        r.event_name,
        '\A(BatchPut|BatchDelete|Create|Update|Put|Delete|Attach|Detach|Associate|Disassociate|Start|Stop|Enable|Disable|Register|Deregister|Add|Remove|Accept|Cancel|Archive|Deactivate|Submit|Set|Schedule|Reset)',
        ''
      ),
      'Configuration\z', ''
    ) AS kind,
    -- The id of what was changed; of what was made, the id the answer gives, so that a later change meets it.
    COALESCE(
      CASE
        WHEN r.event_source = 'bedrock.amazonaws.com' AND r.activity = 'guardrail_admin' THEN COALESCE(
          r.guardrail_id,
          json_extract_scalar(r.response_elements, '$.guardrailId'),
          json_extract_scalar(r.request_parameters, '$.policyArn'),
          json_extract_scalar(r.response_elements, '$.policyArn')
        )
        WHEN r.activity = 'agent_admin' THEN COALESCE(
          json_extract_scalar(r.request_parameters, '$.agentRuntimeId'),
          json_extract_scalar(r.response_elements, '$.agentRuntimeId'),
          r.agent_id,
          json_extract_scalar(r.response_elements, '$.agent.agentId'),
          json_extract_scalar(r.response_elements, '$.agentId'),
          r.knowledge_base_id,
          json_extract_scalar(r.response_elements, '$.knowledgeBase.knowledgeBaseId'),
          r.flow_id,
          json_extract_scalar(r.response_elements, '$.id'),
          r.gateway_arn,
          json_extract_scalar(r.request_parameters, '$.gatewayIdentifier'),
          json_extract_scalar(r.response_elements, '$.gatewayId'),
          r.memory_id,
          json_extract_scalar(r.response_elements, '$.memory.id'),
          json_extract_scalar(r.request_parameters, '$.resourceArn'),
          json_extract_scalar(r.response_elements, '$.codeInterpreterId'),
          json_extract_scalar(r.response_elements, '$.browserId')
        )
        WHEN r.activity = 'credential_admin' AND r.event_source <> 'iam.amazonaws.com' THEN r.credential_provider
        WHEN r.activity = 'entitlement' THEN r.model_requested
      END,
      json_extract_scalar(r.request_parameters, '$.trailName'),
      json_extract_scalar(r.request_parameters, '$.eventDataStore'),
      json_extract_scalar(r.request_parameters, '$.bucketName'),
      json_extract_scalar(r.request_parameters, '$.roleName'),
      json_extract_scalar(r.request_parameters, '$.userName'),
      json_extract_scalar(r.request_parameters, '$.groupName'),
      json_extract_scalar(r.request_parameters, '$.policyArn'),
      json_extract_scalar(r.request_parameters, '$.keyId'),
      json_extract_scalar(r.request_parameters, '$.logGroupName'),
      json_extract_scalar(r.request_parameters, '$.resourceArn'),
      json_extract_scalar(r.request_parameters, '$.inferenceProfileIdentifier'),
      json_extract_scalar(r.request_parameters, '$.provisionedModelId'),
      json_extract_scalar(r.request_parameters, '$.project_id'),
      json_extract_scalar(r.request_parameters, '$.policyEngineId'),
      json_extract_scalar(r.request_parameters, '$.detectorId'),
      json_extract_scalar(r.request_parameters, '$.policyId'),
      json_extract_scalar(r.request_parameters, '$.agreementId'),
      json_extract_scalar(r.request_parameters, '$.name'),
      json_extract_scalar(r.request_parameters, '$.jobName'),
      json_extract_scalar(r.request_parameters, '$.jobIdentifier'),
      r.resource_arn,
      CASE WHEN r.activity = 'logging_admin' AND r.event_source = 'bedrock.amazonaws.com' THEN r.aws_region END
    ) AS thing,
    COALESCE(
      json_extract_scalar(r.request_parameters, '$.actionGroupId'),
      json_extract_scalar(r.response_elements, '$.agentActionGroup.actionGroupId'),
      json_extract_scalar(r.request_parameters, '$.agentAliasId'),
      json_extract_scalar(r.response_elements, '$.agentAlias.agentAliasId'),
      json_extract_scalar(r.request_parameters, '$.dataSourceId'),
      json_extract_scalar(r.response_elements, '$.dataSource.dataSourceId'),
      json_extract_scalar(r.request_parameters, '$.targetId'),
      json_extract_scalar(r.response_elements, '$.targetId'),
      json_extract_scalar(r.request_parameters, '$.endpointName'),
      json_extract_scalar(r.request_parameters, '$.accessKeyId'),
      json_extract_scalar(r.request_parameters, '$.serviceSpecificCredentialId'),
      CASE
        WHEN r.event_source = 'iam.amazonaws.com' AND json_extract_scalar(r.request_parameters, '$.policyArn') IS NOT NULL
          AND COALESCE(
            json_extract_scalar(r.request_parameters, '$.roleName'),
            json_extract_scalar(r.request_parameters, '$.userName'),
            json_extract_scalar(r.request_parameters, '$.groupName')
          ) IS NOT NULL
          THEN json_extract_scalar(r.request_parameters, '$.policyArn')
        WHEN r.event_source = 'iam.amazonaws.com' THEN json_extract_scalar(r.request_parameters, '$.policyName')
      END
    ) AS inner_thing
  FROM records AS r
),
-- ARN and id of one thing are one object: what stands after the ARN's type counts.
objects_of AS (
  SELECT
    n.part AS part,
    n.event_time AS event_time,
    n.account_id AS account_id,
    n.environment AS environment,
    n.aws_region AS aws_region,
    n.principal AS principal,
    n.person AS person,
    n.person_basis AS person_basis,
    n.credential AS credential,
    n.source_ip AS source_ip,
    n.activity AS activity,
    n.event_source AS event_source,
    n.event_name AS event_name,
    n.outcome AS outcome,
    n.error_code AS error_code,
    n.request_parameters AS request_parameters,
    n.event_id AS event_id,
    n.log_object AS log_object,
    n.log_index AS log_index,
    n.kind AS kind,
    n.thing AS thing,
    regexp_replace(n.thing, '\Aarn:[^:]*:[^:]*:[^:]*:[^:]*:[A-Za-z-]+/', '')
      || COALESCE(' ' || n.inner_thing, '') AS object_key
  FROM named AS n
),
-- Of every change, the last one before it that took effect, of the same kind and object.
ordered AS (
  SELECT
    o.part AS part,
    o.event_time AS event_time,
    o.account_id AS account_id,
    o.environment AS environment,
    o.aws_region AS aws_region,
    o.principal AS principal,
    o.person AS person,
    o.person_basis AS person_basis,
    o.credential AS credential,
    o.source_ip AS source_ip,
    o.activity AS activity,
    o.event_source AS event_source,
    o.event_name AS event_name,
    o.outcome AS outcome,
    o.error_code AS error_code,
    o.request_parameters AS request_parameters,
    o.event_id AS event_id,
    o.log_object AS log_object,
    o.log_index AS log_index,
    o.kind AS kind,
    o.thing AS thing,
    o.object_key AS object_key,
    COUNT(CASE WHEN o.outcome = 'ok' THEN 1 END) OVER (
      PARTITION BY o.account_id, o.aws_region, o.event_source, o.kind, o.object_key
      ORDER BY o.event_time ASC NULLS LAST, o.event_id ASC NULLS LAST, o.log_object ASC NULLS LAST, o.log_index ASC NULLS LAST
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS effective
  FROM objects_of AS o
),
effects AS (
  SELECT
    account_id AS account_id,
    aws_region AS aws_region,
    event_source AS event_source,
    kind AS kind,
    object_key AS object_key,
    effective AS effective,
    event_name AS event_name,
    event_time AS event_time,
    event_id AS event_id,
    request_parameters AS request_parameters
  FROM ordered
  WHERE outcome = 'ok'
    AND object_key IS NOT NULL
),
targets AS (
  SELECT DISTINCT pattern_re AS pattern_re
  FROM policy_log_target
),
listed AS (
  SELECT DISTINCT n.thing AS thing
  FROM (SELECT DISTINCT thing AS thing FROM named WHERE thing IS NOT NULL) AS n
  JOIN targets AS t ON regexp_like(n.thing, t.pattern_re)
)
SELECT
  o.event_time AS event_time,
  o.account_id AS account_id,
  o.environment AS environment,
  o.aws_region AS aws_region,
  o.principal AS principal,
  o.person AS person,
  o.person_basis AS person_basis,
  o.credential AS credential,
  o.source_ip AS source_ip,
  o.activity AS activity,
  o.event_source AS event_source,
  o.event_name AS event_name,
  o.object_key AS object,
  CASE WHEN l.thing IS NOT NULL THEN TRUE END AS log_target,
  o.outcome AS outcome,
  o.error_code AS error_code,
  b.request_parameters AS before,
  b.event_name || ' ' || replace(substr(CAST(b.event_time AS VARCHAR), 1, 19), ' ', 'T') || ' ' || b.event_id AS before_event,
  o.request_parameters AS after,
  CAST(NULL AS VARCHAR) AS approved_ticket,
  o.event_id AS event_id,
  o.log_object AS log_object,
  o.log_index AS log_index
FROM ordered AS o
LEFT JOIN effects AS b
  ON b.account_id = o.account_id
  AND b.aws_region = o.aws_region
  AND b.event_source = o.event_source
  AND b.kind = o.kind
  AND b.object_key = o.object_key
  AND b.effective = CASE WHEN o.outcome = 'ok' THEN o.effective - 1 ELSE o.effective END
LEFT JOIN listed AS l ON l.thing = o.thing
WHERE o.part = 'window'
ORDER BY
  o.event_time ASC NULLS LAST,
  o.event_id ASC NULLS LAST,
  o.log_object ASC NULLS LAST,
  o.log_index ASC NULLS LAST
