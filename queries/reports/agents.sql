-- title = "Agents and what belongs to them"
-- question = "Which agents, runtimes, gateways, memories, tools, knowledge bases and flows are there, who made, changed and uses them, and does the policy know them?"
-- frameworks = ["ISO/IEC 42001 A.4.2", "ISO/IEC 42001 A.6.2.6", "SOC 2 CC6.1", "NIST SP 800-53 CM-8", "NIST AI RMF GOVERN 1.6"]
-- glance = ["kind", "thing", "registered", "calls", "denied", "callers", "execution_role", "models_called", "last_used", "created_by", "last_changed_by", "account_id"]
--
-- [columns]
-- account_id = "The account that received the records."
-- environment = "The policy's environment for the account."
-- aws_region = "The Region."
-- kind = "agent, agent_alias, inline_agent, runtime, runtime_endpoint, harness, harness_endpoint, gateway, gateway_target, gateway_tool, code_interpreter, browser, bedrock_tool, action_lambda, memory, knowledge_base, flow, flow_alias, prompt, credential_provider or workload_identity."
-- thing = "Its id, of a function its ARN; of an alias, endpoint, target or gateway tool with the id of what it belongs to before the slash."
-- registered = "yes: an [[agent]] of the policy names it, as runtime or under uses, action_lambdas or credential_providers; no: used or made, and not in the policy; not_assessed: the policy has no such list at all."
-- agent = "The policy's names of the agent."
-- execution_role = "The roles that the records of its making and changing name, else the policy's; empty where neither is known."
-- role_basis = "recorded: from a record; policy: from the policy's agent; empty: unknown."
-- models_configured = "Models that its configuration or its calls name."
-- models_called = "Models that its execution roles called: all that these roles called, whatever for."
-- calls = "Recorded uses: data events, which exist only where a selector asks for them."
-- ok = "Uses that succeeded."
-- denied = "Uses that were refused."
-- caller_count = "Distinct callers."
-- callers = "The callers: principals that used it, whether or not they were let in."
-- first_seen = "The earliest record, UTC."
-- last_seen = "The latest record, UTC."
-- last_used = "The latest use, UTC; empty where no use is recorded, which does not show that there was none."
-- created_by = "Who made it; empty where it was made outside the records read."
-- created_at = "When, UTC."
-- last_changed_by = "Who last changed it."
-- last_changed_at = "When, UTC."
-- last_change = "The operation."

WITH raw AS (
  SELECT
    account_id AS account_id,
    environment AS environment,
    aws_region AS aws_region,
    event_name AS event_name,
    surface AS surface,
    activity AS activity,
    outcome AS outcome,
    principal AS principal,
    agent_id AS agent_id,
    agent_alias_id AS agent_alias_id,
    runtime_arn AS runtime_arn,
    gateway_arn AS gateway_arn,
    memory_id AS memory_id,
    tool_name AS tool_name,
    credential_provider AS credential_provider,
    knowledge_base_id AS knowledge_base_id,
    flow_id AS flow_id,
    -- A version or an alias makes a function no other.
    CASE WHEN lambda_arn IS NOT NULL THEN
      regexp_replace(lambda_arn, '\A(arn:[^:]*:lambda:[^:]*:[^:]*:function:[^:]*):.*\z', '$1')
    WHEN event_name IN ('CreateGatewayTarget', 'UpdateGatewayTarget') THEN
      json_extract_scalar(request_parameters, '$.targetConfiguration.mcp.lambda.lambdaArn')
    END AS function_arn,
    CASE WHEN activity IN ('flow', 'agent_admin') THEN
      regexp_replace(
        COALESCE(
          json_extract_scalar(request_parameters, '$.flowAliasIdentifier'),
          CASE WHEN event_name IN ('UpdateFlowAlias', 'DeleteFlowAlias') THEN json_extract_scalar(request_parameters, '$.aliasIdentifier') END,
          CASE WHEN event_name = 'CreateFlowAlias' THEN json_extract_scalar(response_elements, '$.id') END
        ), '\A.*/', ''
      )
    END AS flow_alias,
    CASE WHEN event_name IN ('CreatePrompt', 'UpdatePrompt', 'DeletePrompt', 'CreatePromptVersion') THEN
      regexp_replace(
        COALESCE(json_extract_scalar(request_parameters, '$.promptIdentifier'), json_extract_scalar(response_elements, '$.id')), '\A.*/', ''
      )
    END AS made_prompt,
    CASE WHEN event_name IN ('CreateGatewayTarget', 'UpdateGatewayTarget', 'DeleteGatewayTarget') THEN COALESCE(
      json_extract_scalar(request_parameters, '$.targetId'), json_extract_scalar(response_elements, '$.targetId')
    ) END AS made_target,
    model_id AS model_id,
    CASE
      WHEN resource_type IN ('AWS::Bedrock::Tool', 'AWS::BedrockAgentCore::WorkloadIdentity') THEN resource_arn
    END AS named_arn,
    CASE WHEN activity = 'agent_admin' THEN COALESCE(
      json_extract_scalar(response_elements, '$.agent.agentId'),
      json_extract_scalar(response_elements, '$.agentAlias.agentId')
    ) END AS made_agent,
    CASE WHEN activity = 'agent_admin' THEN
      json_extract_scalar(response_elements, '$.agentAlias.agentAliasId')
    END AS made_alias,
    CASE WHEN activity = 'agent_admin' THEN COALESCE(
      json_extract_scalar(response_elements, '$.agentRuntimeId'), json_extract_scalar(response_elements, '$.harness.harnessId'),
      json_extract_scalar(response_elements, '$.harnessId')
    ) END AS made_runtime,
    CASE WHEN regexp_like(event_name, '\A(Create|Update|Delete)(AgentRuntime|Harness)Endpoint\z') THEN
      COALESCE(json_extract_scalar(request_parameters, '$.endpointName'), json_extract_scalar(request_parameters, '$.name'))
    END AS made_endpoint,
    CASE WHEN activity = 'agent_admin' THEN COALESCE(
      json_extract_scalar(response_elements, '$.gatewayId'), json_extract_scalar(request_parameters, '$.gatewayIdentifier')
    ) END AS made_gateway,
    CASE WHEN activity = 'agent_admin' THEN json_extract_scalar(response_elements, '$.memory.id') END AS made_memory,
    CASE WHEN activity = 'agent_admin' THEN COALESCE(
      json_extract_scalar(response_elements, '$.codeInterpreterId'), json_extract_scalar(response_elements, '$.browserId'),
      json_extract_scalar(request_parameters, '$.codeInterpreterId'), json_extract_scalar(request_parameters, '$.browserId')
    ) END AS made_tool,
    CASE WHEN activity = 'agent_admin' THEN
      json_extract_scalar(response_elements, '$.knowledgeBase.knowledgeBaseId')
    END AS made_knowledge_base,
    CASE WHEN event_name IN ('CreateFlow', 'UpdateFlow') THEN json_extract_scalar(response_elements, '$.id') END AS made_flow,
    CASE WHEN activity = 'agent_admin' AND outcome = 'ok' THEN COALESCE(
      json_extract_scalar(request_parameters, '$.agentResourceRoleArn'),
      json_extract_scalar(request_parameters, '$.roleArn'),
      json_extract_scalar(request_parameters, '$.executionRoleArn'),
      json_extract_scalar(request_parameters, '$.memoryExecutionRoleArn'),
      json_extract_scalar(response_elements, '$.agent.agentResourceRoleArn'),
      json_extract_scalar(response_elements, '$.executionRoleArn')
    ) END AS named_role,
    CASE WHEN activity IN ('agent_admin', 'agent_invocation') THEN
      json_extract_scalar(request_parameters, '$.foundationModel')
    END AS named_model,
    COUNT(*) AS records,
    MIN(event_time) AS first_seen,
    MAX(event_time) AS last_seen
  FROM events
  WHERE record_kind = 'api_call'
    AND (
      activity IN ('agent_invocation', 'retrieval', 'flow', 'memory', 'tool', 'token_vending', 'agent_admin')
      OR (activity IN ('credential_admin', 'session') AND surface = 'agentcore')
      OR (event_source = 'lambda.amazonaws.com' AND activity = 'downstream' AND lambda_arn IS NOT NULL)
    )
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
    31, 32, 33, 34
),
-- One record can concern several things: an alias and its agent, a tool and its gateway.
things AS (
  SELECT
    r.account_id AS account_id,
    r.environment AS environment,
    r.aws_region AS aws_region,
    k.kind AS kind,
    CASE
      WHEN k.kind = 'agent' THEN
        CASE WHEN r.surface = 'agents' THEN COALESCE(r.agent_id, r.made_agent) END
      WHEN k.kind = 'agent_alias' THEN
        CASE
          WHEN r.surface = 'agents'
            THEN COALESCE(r.agent_id, r.made_agent) || '/' || COALESCE(r.agent_alias_id, r.made_alias)
        END
      WHEN k.kind = 'inline_agent' THEN
        CASE WHEN r.event_name = 'InvokeInlineAgent' THEN '(inline)' END
      WHEN k.kind = 'runtime' THEN
        CASE
          WHEN r.surface = 'agentcore' AND strpos(r.event_name, 'Harness') = 0
            AND strpos(COALESCE(r.runtime_arn, ''), ':harness/') = 0
            THEN COALESCE(r.agent_id, r.made_runtime)
        END
      WHEN k.kind = 'runtime_endpoint' THEN
        CASE
          WHEN r.surface = 'agentcore' AND strpos(r.event_name, 'Harness') = 0
            AND strpos(COALESCE(r.runtime_arn, ''), ':harness/') = 0
            THEN COALESCE(r.agent_id, r.made_runtime) || '/' || COALESCE(r.agent_alias_id, r.made_endpoint)
        END
      WHEN k.kind = 'harness' THEN
        CASE
          WHEN strpos(r.event_name, 'Harness') > 0 OR strpos(COALESCE(r.runtime_arn, ''), ':harness/') > 0
            THEN COALESCE(r.agent_id, r.made_runtime)
        END
      WHEN k.kind = 'harness_endpoint' THEN
        CASE
          WHEN strpos(r.event_name, 'Harness') > 0 OR strpos(COALESCE(r.runtime_arn, ''), ':harness/') > 0
            THEN COALESCE(r.agent_id, r.made_runtime) || '/' || COALESCE(r.agent_alias_id, r.made_endpoint)
        END
      WHEN k.kind = 'gateway' THEN COALESCE(regexp_replace(r.gateway_arn, '\A.*:gateway/', ''), r.made_gateway)
      WHEN k.kind = 'gateway_target' THEN
        COALESCE(regexp_replace(r.gateway_arn, '\A.*:gateway/', ''), r.made_gateway) || '/' || r.made_target
      WHEN k.kind = 'gateway_tool' THEN
        CASE
          WHEN r.activity = 'tool' THEN regexp_replace(r.gateway_arn, '\A.*:gateway/', '') || '/' || r.tool_name
        END
      WHEN k.kind = 'code_interpreter' THEN
        CASE WHEN strpos(r.event_name, 'CodeInterpreter') > 0 THEN COALESCE(r.tool_name, r.made_tool) END
      WHEN k.kind = 'browser' THEN
        CASE WHEN strpos(r.event_name, 'Browser') > 0 THEN COALESCE(r.tool_name, r.made_tool) END
      WHEN k.kind = 'bedrock_tool' THEN
        CASE
          WHEN strpos(COALESCE(r.named_arn, ''), ':workload-identity') = 0
            THEN regexp_replace(r.named_arn, '\Aarn:[^:]*:[^:]*:[^:]*:[^:]*:[A-Za-z-]+/', '')
        END
      WHEN k.kind = 'workload_identity' THEN
        CASE
          WHEN strpos(COALESCE(r.named_arn, ''), '/workload-identity/') > 0
            THEN regexp_replace(r.named_arn, '\A.*/workload-identity/', '')
        END
      WHEN k.kind = 'action_lambda' THEN r.function_arn
      WHEN k.kind = 'memory' THEN COALESCE(r.memory_id, r.made_memory)
      WHEN k.kind = 'knowledge_base' THEN COALESCE(r.knowledge_base_id, r.made_knowledge_base)
      WHEN k.kind = 'flow' THEN COALESCE(r.flow_id, r.made_flow)
      WHEN k.kind = 'flow_alias' THEN r.flow_id || '/' || r.flow_alias
      WHEN k.kind = 'prompt' THEN r.made_prompt
      WHEN k.kind = 'credential_provider' THEN r.credential_provider
    END AS thing,
    r.runtime_arn AS runtime_arn,
    r.event_name AS event_name,
    r.activity IN ('agent_admin', 'credential_admin') AS is_change,
    -- Making an alias, an endpoint or a target makes these, and changes what they belong to.
    r.event_name IN (
      'CreateAgent', 'CreateAgentRuntime', 'CreateHarness', 'CreateGateway', 'CreateMemory', 'CreateCodeInterpreter',
      'CreateBrowser', 'CreateKnowledgeBase', 'CreateFlow', 'CreateOauth2CredentialProvider', 'CreateApiKeyCredentialProvider',
      'CreatePaymentCredentialProvider', 'CreateWorkloadIdentity', 'CreatePrompt'
    ) OR (k.kind = 'agent_alias' AND r.event_name = 'CreateAgentAlias')
      OR (k.kind = 'runtime_endpoint' AND r.event_name = 'CreateAgentRuntimeEndpoint')
      OR (k.kind = 'harness_endpoint' AND r.event_name = 'CreateHarnessEndpoint')
      OR (k.kind = 'gateway_target' AND r.event_name = 'CreateGatewayTarget')
      OR (k.kind = 'flow_alias' AND r.event_name = 'CreateFlowAlias') AS is_making,
    r.outcome AS outcome,
    r.principal AS principal,
    CASE WHEN k.kind IN ('agent', 'runtime', 'harness', 'gateway', 'memory', 'knowledge_base', 'flow') THEN r.named_role END AS named_role,
    COALESCE(r.named_model, CASE WHEN NOT r.activity IN ('agent_admin', 'credential_admin') THEN r.model_id END) AS named_model,
    r.records AS records,
    r.first_seen AS first_seen,
    r.last_seen AS last_seen
  FROM raw AS r
  CROSS JOIN (
    VALUES
      ('agent'), ('agent_alias'), ('inline_agent'), ('runtime'), ('runtime_endpoint'), ('harness'), ('harness_endpoint'),
      ('gateway'), ('gateway_target'), ('gateway_tool'), ('code_interpreter'), ('browser'), ('bedrock_tool'),
      ('action_lambda'), ('workload_identity'), ('memory'), ('knowledge_base'), ('flow'), ('flow_alias'), ('prompt'),
      ('credential_provider')
  ) AS k (kind)
),
seen AS (
  SELECT
    account_id AS account_id,
    environment AS environment,
    aws_region AS aws_region,
    kind AS kind,
    thing AS thing,
    COALESCE(account_id, '') || ' ' || COALESCE(aws_region, '') || ' ' || kind || ' ' || thing AS thing_key,
    split_part(thing, '/', 1) AS base,
    runtime_arn AS runtime_arn,
    event_name AS event_name,
    is_change AS is_change,
    is_making AS is_making,
    outcome AS outcome,
    principal AS principal,
    named_role AS named_role,
    named_model AS named_model,
    records AS records,
    first_seen AS first_seen,
    last_seen AS last_seen
  FROM things
  WHERE thing IS NOT NULL
),
-- What a thing may be called in the policy: its id, the ARN that records carry, and the ARN it must have.
names AS (
  SELECT DISTINCT
    s.thing_key AS thing_key,
    s.kind AS kind,
    s.thing AS thing,
    s.base AS base,
    COALESCE(s.runtime_arn, '') AS runtime_arn,
    'arn:' || CASE
      WHEN starts_with(s.aws_region, 'us-gov-') THEN 'aws-us-gov'
      WHEN starts_with(s.aws_region, 'cn-') THEN 'aws-cn'
      ELSE 'aws'
    END || CASE
      WHEN s.kind IN ('agent', 'agent_alias', 'knowledge_base', 'flow', 'flow_alias', 'prompt') THEN ':bedrock:'
      ELSE ':bedrock-agentcore:'
    END || COALESCE(s.aws_region, '') || ':' || COALESCE(s.account_id, '') || CASE
      WHEN s.kind IN ('agent', 'agent_alias') THEN ':agent/'
      WHEN s.kind = 'knowledge_base' THEN ':knowledge-base/'
      WHEN s.kind IN ('flow', 'flow_alias') THEN ':flow/'
      WHEN s.kind = 'prompt' THEN ':prompt/'
      WHEN s.kind IN ('harness', 'harness_endpoint') THEN ':harness/'
      WHEN s.kind IN ('gateway', 'gateway_target', 'gateway_tool') THEN ':gateway/'
      WHEN s.kind = 'memory' THEN ':memory/'
      WHEN s.kind = 'code_interpreter' THEN ':code-interpreter-custom/'
      WHEN s.kind = 'browser' THEN ':browser-custom/'
      WHEN s.kind = 'workload_identity' THEN ':workload-identity-directory/default/workload-identity/'
      ELSE ':runtime/'
    END || s.base AS arn
  FROM seen AS s
),
-- All lists at once, and each thing once for each list that may name it: Athena reads the events anew wherever `seen` stands.
listed AS (
  SELECT
    'runtime' AS list,
    agent AS agent,
    runtime_re AS name_re,
    CAST(NULL AS VARCHAR) AS name,
    execution_role_pattern AS execution_role_pattern,
    execution_role_re AS execution_role_re
  FROM policy_agent
  UNION ALL
  SELECT
    'use' AS list,
    agent AS agent,
    thing_re AS name_re,
    CAST(NULL AS VARCHAR) AS name,
    CAST(NULL AS VARCHAR) AS execution_role_pattern,
    CAST(NULL AS VARCHAR) AS execution_role_re
  FROM policy_agent_use
  UNION ALL
  SELECT
    'lambda' AS list,
    agent AS agent,
    lambda_re AS name_re,
    CAST(NULL AS VARCHAR) AS name,
    CAST(NULL AS VARCHAR) AS execution_role_pattern,
    CAST(NULL AS VARCHAR) AS execution_role_re
  FROM policy_agent_lambda
  UNION ALL
  SELECT
    'provider' AS list,
    agent AS agent,
    CAST(NULL AS VARCHAR) AS name_re,
    provider AS name,
    CAST(NULL AS VARCHAR) AS execution_role_pattern,
    CAST(NULL AS VARCHAR) AS execution_role_re
  FROM policy_agent_provider
),
candidates AS (
  SELECT
    s.thing_key AS thing_key,
    l.list AS list,
    CASE WHEN l.list IN ('runtime', 'use') THEN s.base END AS base,
    CASE WHEN l.list IN ('runtime', 'use') THEN s.arn END AS arn,
    CASE WHEN l.list = 'runtime' THEN s.runtime_arn ELSE s.thing END AS name
  FROM names AS s
  CROSS JOIN (VALUES ('runtime'), ('use'), ('lambda'), ('provider')) AS l (list)
  WHERE (
      l.list = 'runtime'
      AND s.kind NOT IN ('inline_agent', 'bedrock_tool', 'credential_provider', 'workload_identity', 'action_lambda')
    )
    OR (
      l.list = 'use'
      AND s.kind NOT IN (
        'inline_agent', 'agent', 'agent_alias', 'runtime', 'runtime_endpoint', 'harness', 'harness_endpoint', 'credential_provider',
        'action_lambda'
      )
    )
    OR (l.list = 'lambda' AND s.kind = 'action_lambda')
    OR (l.list = 'provider' AND s.kind = 'credential_provider')
),
agents_known AS (
  SELECT DISTINCT
    s.thing_key AS thing_key,
    p.agent AS agent,
    p.execution_role_pattern AS execution_role_pattern,
    p.execution_role_re AS execution_role_re
  FROM candidates AS s
  JOIN listed AS p
    ON p.list = s.list
    AND (
      regexp_like(s.base, p.name_re)
      OR regexp_like(s.arn, p.name_re)
      OR regexp_like(s.name, p.name_re)
      OR s.name = p.name
    )
),
known AS (
  SELECT
    thing_key AS thing_key,
    array_join(array_agg(DISTINCT agent ORDER BY agent), ' ') AS agent,
    array_join(array_agg(DISTINCT execution_role_pattern ORDER BY execution_role_pattern), ' ') AS execution_role
  FROM agents_known
  GROUP BY thing_key
),
-- Which lists the policy has at all.
registry AS (
  SELECT
    (SELECT COUNT(*) AS agents FROM policy_agent) AS agents,
    (SELECT COUNT(*) AS uses FROM policy_agent_use) AS uses,
    (SELECT COUNT(*) AS lambdas FROM policy_agent_lambda) AS lambdas,
    (SELECT COUNT(*) AS providers FROM policy_agent_provider) AS providers
),
role_calls AS (
  SELECT DISTINCT role_arn AS role_arn, model_id AS model_id
  FROM events
  WHERE record_kind = 'api_call'
    AND activity = 'model_invocation'
    AND role_arn IS NOT NULL
    AND model_id IS NOT NULL
),
models_called AS (
  SELECT
    m.thing_key AS thing_key,
    array_join(array_agg(DISTINCT m.model_id ORDER BY m.model_id), ' ') AS models
  FROM (
    SELECT s.thing_key AS thing_key, c.model_id AS model_id
    FROM (SELECT DISTINCT thing_key AS thing_key, named_role AS named_role FROM seen WHERE named_role IS NOT NULL) AS s
    JOIN role_calls AS c ON c.role_arn = s.named_role
    UNION
    SELECT a.thing_key AS thing_key, c.model_id AS model_id
    FROM agents_known AS a
    JOIN role_calls AS c ON regexp_like(c.role_arn, a.execution_role_re)
  ) AS m
  GROUP BY m.thing_key
),
changes AS (
  SELECT
    thing_key AS thing_key,
    principal AS principal,
    event_name AS event_name,
    last_seen AS changed_at,
    is_making AS is_making,
    ROW_NUMBER() OVER (
      PARTITION BY thing_key, is_making
      ORDER BY last_seen DESC NULLS LAST, event_name ASC NULLS LAST, principal ASC NULLS LAST
    ) AS place
  FROM seen
  WHERE is_change
    AND outcome = 'ok'
),
last_changes AS (
  SELECT
    thing_key AS thing_key,
    MAX(principal) FILTER (WHERE is_making) AS created_by,
    MAX(changed_at) FILTER (WHERE is_making) AS created_at,
    MAX(principal) FILTER (WHERE NOT is_making) AS last_changed_by,
    MAX(changed_at) FILTER (WHERE NOT is_making) AS last_changed_at,
    MAX(event_name) FILTER (WHERE NOT is_making) AS last_change
  FROM changes
  WHERE place = 1
  GROUP BY thing_key
),
users AS (
  SELECT
    thing_key AS thing_key,
    principal AS principal
  FROM seen
  WHERE NOT is_change
    AND principal IS NOT NULL
  GROUP BY thing_key, principal
),
callers AS (
  SELECT
    thing_key AS thing_key,
    CAST(COUNT(*) AS BIGINT) AS caller_count,
    array_join(array_agg(principal ORDER BY principal), ' ') AS callers
  FROM users
  GROUP BY thing_key
),
totals AS (
  SELECT
    account_id AS account_id,
    environment AS environment,
    aws_region AS aws_region,
    kind AS kind,
    thing AS thing,
    thing_key AS thing_key,
    array_join(array_agg(DISTINCT named_role ORDER BY named_role) FILTER (WHERE named_role IS NOT NULL), ' ') AS roles,
    array_join(array_agg(DISTINCT named_model ORDER BY named_model) FILTER (WHERE named_model IS NOT NULL), ' ') AS models,
    CAST(COALESCE(SUM(records) FILTER (WHERE NOT is_change), 0) AS BIGINT) AS calls,
    CAST(COALESCE(SUM(records) FILTER (WHERE NOT is_change AND outcome = 'ok'), 0) AS BIGINT) AS ok,
    CAST(COALESCE(SUM(records) FILTER (WHERE NOT is_change AND outcome = 'denied'), 0) AS BIGINT) AS denied,
    MIN(first_seen) AS first_seen,
    MAX(last_seen) AS last_seen,
    MAX(last_seen) FILTER (WHERE NOT is_change) AS last_used
  FROM seen
  GROUP BY account_id, environment, aws_region, kind, thing, thing_key
)
SELECT
  t.account_id AS account_id,
  t.environment AS environment,
  t.aws_region AS aws_region,
  t.kind AS kind,
  t.thing AS thing,
  CASE
    WHEN p.thing_key IS NOT NULL THEN 'yes'
    WHEN CASE
      WHEN t.kind IN ('agent', 'agent_alias', 'runtime', 'runtime_endpoint', 'harness', 'harness_endpoint', 'inline_agent') THEN g.agents
      WHEN t.kind = 'credential_provider' THEN g.providers
      WHEN t.kind = 'action_lambda' THEN g.lambdas
      ELSE g.uses
    END = 0 THEN 'not_assessed'
    ELSE 'no'
  END AS registered,
  p.agent AS agent,
  COALESCE(NULLIF(t.roles, ''), NULLIF(p.execution_role, '')) AS execution_role,
  CASE
    WHEN t.roles <> '' THEN 'recorded'
    WHEN p.execution_role <> '' THEN 'policy'
  END AS role_basis,
  NULLIF(t.models, '') AS models_configured,
  m.models AS models_called,
  t.calls AS calls,
  t.ok AS ok,
  t.denied AS denied,
  COALESCE(c.caller_count, 0) AS caller_count,
  c.callers AS callers,
  t.first_seen AS first_seen,
  t.last_seen AS last_seen,
  t.last_used AS last_used,
  h.created_by AS created_by,
  h.created_at AS created_at,
  h.last_changed_by AS last_changed_by,
  h.last_changed_at AS last_changed_at,
  h.last_change AS last_change
FROM totals AS t
CROSS JOIN registry AS g
LEFT JOIN known AS p ON p.thing_key = t.thing_key
LEFT JOIN models_called AS m ON m.thing_key = t.thing_key
LEFT JOIN callers AS c ON c.thing_key = t.thing_key
LEFT JOIN last_changes AS h ON h.thing_key = t.thing_key
ORDER BY
  t.kind ASC NULLS LAST,
  t.account_id ASC NULLS LAST,
  t.aws_region ASC NULLS LAST,
  t.thing ASC NULLS LAST,
  t.environment ASC NULLS LAST
