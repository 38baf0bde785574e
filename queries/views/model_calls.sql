-- title = "Model invocations and batch jobs, with the model behind what they sent"
-- meaning = """\
-- One row per model invocation or batch job, whatever its outcome, with every column of events. Where the record does \
-- not name a model, the columns model_id, model_vendor, model_family, model_version and profile_scope say what \
-- model_references knows to stand behind the reference at that time; model_requested and model_kind are as recorded."""
-- uses = ["model_references"]
--
-- [columns]
-- model_known_by = "How the base model is known: recorded, trail (records of what was made), policy or file (their aliases); null where it is not."
-- model_evidence = "The id of the event, the version of the policy or the file that says it."
-- model_otherwise = "What else is said of the reference and differs, and which models it may be where there are several."

SELECT
  e.event_id AS event_id,
  e.event_time AS event_time,
  e.event_source AS event_source,
  e.event_name AS event_name,
  e.event_category AS event_category,
  e.event_type AS event_type,
  e.record_kind AS record_kind,
  e.read_only AS read_only,
  e.aws_region AS aws_region,
  e.account_id AS account_id,
  e.account_name AS account_name,
  e.environment AS environment,
  e.surface AS surface,
  e.activity AS activity,
  e.outcome AS outcome,
  e.error_code AS error_code,
  e.error_message AS error_message,
  e.gateway_status AS gateway_status,
  e.principal AS principal,
  e.principal_type AS principal_type,
  e.principal_arn AS principal_arn,
  e.principal_id AS principal_id,
  e.principal_account_id AS principal_account_id,
  e.role_arn AS role_arn,
  e.role_path_known AS role_path_known,
  e.role_name AS role_name,
  e.session_name AS session_name,
  e.source_identity AS source_identity,
  e.user_name AS user_name,
  e.person AS person,
  e.person_basis AS person_basis,
  e.access_key_id AS access_key_id,
  e.credential AS credential,
  e.from_console AS from_console,
  e.mfa AS mfa,
  e.invoked_by AS invoked_by,
  e.credentials_issued_to AS credentials_issued_to,
  e.delegate_account_id AS delegate_account_id,
  e.jwt_issuer AS jwt_issuer,
  e.jwt_subject AS jwt_subject,
  e.model_requested AS model_requested,
  COALESCE(r.model_id, e.model_id) AS model_id,
  CASE WHEN r.model_id IS NULL THEN e.model_vendor ELSE r.model_vendor END AS model_vendor,
  CASE WHEN r.model_id IS NULL THEN e.model_family ELSE r.model_family END AS model_family,
  CASE WHEN r.model_id IS NULL THEN e.model_version ELSE r.model_version END AS model_version,
  e.model_kind AS model_kind,
  COALESCE(r.profile_scope, e.profile_scope) AS profile_scope,
  e.inference_region AS inference_region,
  e.streaming AS streaming,
  e.mantle_project_id AS mantle_project_id,
  e.agent_id AS agent_id,
  e.agent_alias_id AS agent_alias_id,
  e.agent_session_id AS agent_session_id,
  e.runtime_arn AS runtime_arn,
  e.gateway_arn AS gateway_arn,
  e.memory_id AS memory_id,
  e.tool_name AS tool_name,
  e.credential_provider AS credential_provider,
  e.knowledge_base_id AS knowledge_base_id,
  e.flow_id AS flow_id,
  e.lambda_arn AS lambda_arn,
  e.guardrail_id AS guardrail_id,
  e.guardrail_version AS guardrail_version,
  e.source_ip AS source_ip,
  e.source_kind AS source_kind,
  e.vpc_endpoint_id AS vpc_endpoint_id,
  e.tls_version AS tls_version,
  e.endpoint_host AS endpoint_host,
  e.user_agent AS user_agent,
  e.client AS client,
  e.client_version AS client_version,
  e.input_tokens AS input_tokens,
  e.output_tokens AS output_tokens,
  e.cache_read_tokens AS cache_read_tokens,
  e.cache_write_tokens AS cache_write_tokens,
  e.resource_type AS resource_type,
  e.resource_arn AS resource_arn,
  e.request_id AS request_id,
  e.shared_event_id AS shared_event_id,
  e.params_omitted AS params_omitted,
  e.request_parameters AS request_parameters,
  e.response_elements AS response_elements,
  e.additional_event_data AS additional_event_data,
  e.service_event_details AS service_event_details,
  e.user_identity AS user_identity,
  e.resources AS resources,
  e.addendum AS addendum,
  e.log_object AS log_object,
  e.log_index AS log_index,
  e.delivered_at AS delivered_at,
  CASE
    WHEN r.reference IS NOT NULL AND (r.known_by IS NOT NULL OR r.model_id IS NOT NULL) THEN r.known_by
    WHEN e.model_kind IN ('foundation', 'inference_profile') THEN 'recorded'
  END AS model_known_by,
  r.evidence AS model_evidence,
  r.otherwise AS model_otherwise
FROM events AS e
LEFT JOIN model_references AS r
  ON r.account_key = COALESCE(e.account_id, '')
  AND r.region_key = COALESCE(e.aws_region, '')
  AND r.reference = e.model_requested
  AND (r.valid_from IS NULL OR r.valid_from <= e.event_time)
  AND (r.valid_to IS NULL OR r.valid_to > e.event_time)
WHERE e.record_kind = 'api_call'
  AND e.activity IN ('model_invocation', 'batch')
