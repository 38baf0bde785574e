-- title = "Use of bedrock-mantle"
-- question = "Who uses which API, project, file and fine-tuning of the OpenAI- and Anthropic-compatible endpoint, and with which model?"
-- frameworks = ["ISO/IEC 42001 A.4.2", "ISO/IEC 42001 A.10.3", "SOC 2 CC6.1", "NIST SP 800-53 AU-12"]
-- audit = "folder"
-- empty = "Model calls of bedrock-mantle are data events, which a trail records only where a selector asks for them: bedtrail selectors --for mantle."
-- glance = ["api", "api_basis", "principal", "person", "model_id", "calls", "ok", "denied", "credential", "client", "project", "last_seen", "event_names", "account_id"]
--
-- [columns]
-- account_id = "The account that received the records."
-- environment = "The policy's environment for the account."
-- aws_region = "The Region."
-- project = "The project; empty where the record names none."
-- api = "responses, responses_compact, messages (Anthropic), embeddings, responses_or_chat_completions, not_told; stored_responses, token_count, files, fine_tuning, custom_models, projects, reservations, agent_sessions, models, settings or other."
-- api_basis = "recorded: the operation says so; inferred: CreateInference serves five routes and records none, so that the route is told from which parameters are there; empty: they tell nothing."
-- event_names = "The operations."
-- model_id = "The base model; empty for calls without one."
-- streaming = "Calls that asked for a stream."
-- principal = "Who called: role, user, service or account."
-- person = "The person or workload behind the calls, where the records name one."
-- person_basis = "How the person is known."
-- credential = "The kind of credential."
-- client = "The client that the user agent names, as the caller says."
-- files = "The names or ids of files, as the requests say them."
-- calls = "Calls, whatever their outcome."
-- ok = "Calls that succeeded."
-- denied = "Calls that were refused."
-- other = "Calls that were throttled, invalid or failed."
-- with_metadata = "Calls that carry metadata: text that callers choose, which CloudTrail logs word for word and this program keeps by its length."
-- first_seen = "Time of the first, UTC."
-- last_seen = "Time of the last, UTC."

WITH calls AS (
  SELECT
    account_id AS account_id,
    environment AS environment,
    aws_region AS aws_region,
    mantle_project_id AS project,
    -- The documented parameters of the routes: only /responses/compact has previous_response_id, only /responses
    -- previousResponse, only /anthropic/v1/messages max_tokens; only /embeddings has a model and nothing else.
    CASE
      WHEN event_name = 'CreateInference' THEN
        CASE
          WHEN json_extract_scalar(request_parameters, '$.previous_response_id') IS NOT NULL THEN 'responses_compact'
          WHEN json_extract_scalar(request_parameters, '$.previousResponse') IS NOT NULL THEN 'responses'
          WHEN json_extract_scalar(request_parameters, '$.max_tokens') IS NOT NULL THEN 'messages'
          WHEN strpos(request_parameters, '"stream"') > 0
            OR strpos(request_parameters, '"service_tier"') > 0
            OR strpos(request_parameters, '"metadata"') > 0
            THEN 'responses_or_chat_completions'
          WHEN strpos(model_id, 'embed') > 0 THEN 'embeddings'
          ELSE 'not_told'
        END
      WHEN event_name IN ('GetInference', 'CancelInference', 'DeleteInference') THEN 'stored_responses'
      WHEN event_name = 'CountTokens' THEN 'token_count'
      WHEN regexp_like(event_name, 'Files?\z') THEN 'files'
      WHEN strpos(event_name, 'FineTuning') > 0 THEN 'fine_tuning'
      WHEN strpos(event_name, 'CustomizedModel') > 0 THEN 'custom_models'
      WHEN strpos(event_name, 'Project') > 0 THEN 'projects'
      WHEN strpos(event_name, 'Reservation') > 0 THEN 'reservations'
      WHEN regexp_like(event_name, 'AgentSession|Environment') THEN 'agent_sessions'
      WHEN event_name IN ('ListModels', 'GetModel') THEN 'models'
      WHEN strpos(event_name, 'DataRetention') > 0 THEN 'settings'
      ELSE 'other'
    END AS api,
    event_name = 'CreateInference' AS is_inference,
    event_name AS event_name,
    model_id AS model_id,
    principal AS principal,
    person AS person,
    person_basis AS person_basis,
    credential AS credential,
    client AS client,
    COALESCE(
      json_extract_scalar(request_parameters, '$.filename'), json_extract_scalar(request_parameters, '$.file'),
      json_extract_scalar(request_parameters, '$.trainingFile')
    ) AS file,
    COUNT(*) AS calls,
    COUNT(*) FILTER (WHERE streaming) AS streaming,
    COUNT(*) FILTER (WHERE outcome = 'ok') AS ok,
    COUNT(*) FILTER (WHERE outcome = 'denied') AS denied,
    COUNT(*) FILTER (WHERE strpos(request_parameters, '"metadata"') > 0) AS with_metadata,
    MIN(event_time) AS first_seen,
    MAX(event_time) AS last_seen
  FROM events
  WHERE record_kind = 'api_call'
    AND surface = 'mantle'
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
)
SELECT
  account_id AS account_id,
  environment AS environment,
  aws_region AS aws_region,
  project AS project,
  api AS api,
  CASE WHEN api = 'not_told' THEN NULL WHEN is_inference THEN 'inferred' ELSE 'recorded' END AS api_basis,
  array_join(array_agg(DISTINCT event_name ORDER BY event_name), ' ') AS event_names,
  model_id AS model_id,
  CAST(SUM(streaming) AS BIGINT) AS streaming,
  principal AS principal,
  person AS person,
  person_basis AS person_basis,
  credential AS credential,
  client AS client,
  NULLIF(array_join(array_agg(DISTINCT file ORDER BY file) FILTER (WHERE file IS NOT NULL), ' '), '') AS files,
  CAST(SUM(calls) AS BIGINT) AS calls,
  CAST(SUM(ok) AS BIGINT) AS ok,
  CAST(SUM(denied) AS BIGINT) AS denied,
  CAST(SUM(calls) - SUM(ok) - SUM(denied) AS BIGINT) AS other,
  CAST(SUM(with_metadata) AS BIGINT) AS with_metadata,
  MIN(first_seen) AS first_seen,
  MAX(last_seen) AS last_seen
FROM calls
GROUP BY account_id, environment, aws_region, project, api, is_inference, model_id, principal, person, person_basis, credential, client
ORDER BY
  api ASC,
  account_id ASC NULLS LAST,
  aws_region ASC NULLS LAST,
  project ASC NULLS LAST,
  model_id ASC NULLS LAST,
  principal ASC NULLS LAST,
  person ASC NULLS LAST,
  person_basis ASC NULLS LAST,
  credential ASC NULLS LAST,
  client ASC NULLS LAST,
  environment ASC NULLS LAST
