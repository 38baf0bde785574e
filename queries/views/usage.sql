-- title = "Model invocations, each call once, with the tokens known for it"
-- meaning = """\
-- One row per call that invoked a model, whatever its outcome, with every column of events, the model as in \
-- model_calls. Tokens and the Region where the model ran come from the record itself; what it lacks comes from what \
-- call_tokens knows of the call. Counts below 0 or above a million million are no counts. The AwsServiceEvents that tell \
-- of a call are no calls and are not rows here. token_source is cloudtrail, service_event or invocation_log, several of \
-- them with + between them, and null where no tokens are recorded: null is not zero."""
-- uses = ["call_tokens", "model_calls"]
--
-- [columns]
-- model_known_by = "How the base model is known: recorded, trail, policy or file, as in model_calls; null where it is not."
-- model_evidence = "The id of the event, the version of the policy or the file that says it."
-- model_otherwise = "What else is said of the reference and differs, and which models it may be where there are several."
-- token_source = "Where the tokens come from: cloudtrail (the record itself), service_event (its twin), invocation_log (the model-invocation log); several with + between them, as in cloudtrail+service_event, where each has a count that the one before lacks; null where none are recorded."

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
  e.model_id AS model_id,
  e.model_vendor AS model_vendor,
  e.model_family AS model_family,
  e.model_version AS model_version,
  e.model_kind AS model_kind,
  e.profile_scope AS profile_scope,
  COALESCE(e.inference_region, t.inference_region) AS inference_region,
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
  COALESCE(CASE WHEN e.input_tokens BETWEEN 0 AND 1000000000000 THEN e.input_tokens END, t.input_tokens) AS input_tokens,
  COALESCE(CASE WHEN e.output_tokens BETWEEN 0 AND 1000000000000 THEN e.output_tokens END, t.output_tokens) AS output_tokens,
  COALESCE(CASE WHEN e.cache_read_tokens BETWEEN 0 AND 1000000000000 THEN e.cache_read_tokens END, t.cache_read_tokens) AS cache_read_tokens,
  COALESCE(CASE WHEN e.cache_write_tokens BETWEEN 0 AND 1000000000000 THEN e.cache_write_tokens END, t.cache_write_tokens) AS cache_write_tokens,
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
  e.model_known_by AS model_known_by,
  e.model_evidence AS model_evidence,
  e.model_otherwise AS model_otherwise,
  CASE
    WHEN e.input_tokens BETWEEN 0 AND 1000000000000 OR e.output_tokens BETWEEN 0 AND 1000000000000
      OR e.cache_read_tokens BETWEEN 0 AND 1000000000000 OR e.cache_write_tokens BETWEEN 0 AND 1000000000000
      THEN 'cloudtrail' || COALESCE('+' || t.token_source, '')
    ELSE t.token_source
  END AS token_source
FROM model_calls AS e
LEFT JOIN call_tokens AS t
  ON t.account_id = e.account_id
  AND t.request_id = e.request_id
  AND t.log_object = e.log_object
  AND t.log_index = e.log_index
WHERE e.activity = 'model_invocation'
