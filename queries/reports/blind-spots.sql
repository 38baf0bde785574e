-- title = "Blind spots"
-- question = "Which uses of models and agents would the records read not show, and which setting would show them?"
-- frameworks = ["ISO/IEC 42001 A.6.2.8", "NIST SP 800-53 AU-2", "NIST SP 800-53 AU-12", "SOC 2 CC7.2", "EU AI Act Art. 12"]
-- audit = "folder"
-- glance = ["topic", "verdict", "account_id", "aws_region", "signs", "records", "meaning", "fix", "selectors"]
--
-- [columns]
-- topic = "What is or is not seen."
-- verdict = "not_assessed: in use or set up, and its calls are not recorded; not_recordable: no AWS setting records it; not_seen: no trace at all, which proves nothing; recorded: calls are recorded, which does not show that all are."
-- account_id = "The account; empty where the line is about every account read."
-- aws_region = "The Region; empty where the line is about every Region read."
-- signs = "Records that show it in use or set up, other than records of the calls themselves."
-- records = "Recorded calls."
-- last_sign = "The latest of the signs and calls, UTC."
-- meaning = "What it means for the numbers."
-- fix = "What would show it."
-- selectors = "The exact JSON for aws cloudtrail put-event-selectors --advanced-event-selectors, of a trail that covers the account and Region. The call replaces all selectors of the trail: keep those it has, except a management selector that is there already. Data events cost money per event."

WITH topics AS (
  SELECT t.place AS place, t.topic AS topic, t.what AS what, t.selectors AS selectors
  FROM (
    VALUES
      (1, 'bedrock-mantle calls', 'CreateInference, the model calls of the OpenAI- and Anthropic-compatible endpoint, Codex''s among them', '[{"Name":"management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},{"Name":"BedrockMantle Project","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::BedrockMantle::Project"]}]}]'),
      (2, 'agents', 'InvokeAgent and InvokeInlineAgent', '[{"Name":"management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},{"Name":"Bedrock AgentAlias","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::Bedrock::AgentAlias"]}]},{"Name":"Bedrock InlineAgent","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::Bedrock::InlineAgent"]}]}]'),
      (3, 'knowledge bases', 'Retrieve and RetrieveAndGenerate', '[{"Name":"management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},{"Name":"Bedrock KnowledgeBase","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::Bedrock::KnowledgeBase"]}]}]'),
      (4, 'flows', 'InvokeFlow and flow executions', '[{"Name":"management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},{"Name":"Bedrock FlowAlias","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::Bedrock::FlowAlias"]}]},{"Name":"Bedrock FlowExecution","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::Bedrock::FlowExecution"]}]}]'),
      (5, 'sessions', 'sessions of the Bedrock session service', '[{"Name":"management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},{"Name":"Bedrock Session","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::Bedrock::Session"]}]}]'),
      (6, 'guardrail checks', 'ApplyGuardrail and what guardrails decide inside calls', '[{"Name":"management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},{"Name":"Bedrock Guardrail","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::Bedrock::Guardrail"]}]}]'),
      (7, 'asynchronous and bidirectional calls', 'StartAsyncInvoke and InvokeModelWithBidirectionalStream', '[{"Name":"management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},{"Name":"Bedrock Model","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::Bedrock::Model"]}]},{"Name":"Bedrock AsyncInvoke","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::Bedrock::AsyncInvoke"]}]}]'),
      (8, 'data automation', 'InvokeDataAutomationAsync and its kin', '[{"Name":"management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},{"Name":"Bedrock DataAutomationProject","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::Bedrock::DataAutomationProject"]}]},{"Name":"Bedrock DataAutomationInvocation","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::Bedrock::DataAutomationInvocation"]}]},{"Name":"Bedrock DataAutomationProfile","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::Bedrock::DataAutomationProfile"]}]},{"Name":"Bedrock Blueprint","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::Bedrock::Blueprint"]}]}]'),
      (9, 'Bedrock tools', 'InvokeTool', '[{"Name":"management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},{"Name":"Bedrock Tool","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::Bedrock::Tool"]}]}]'),
      (10, 'AgentCore runtimes', 'InvokeAgentRuntime', '[{"Name":"management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},{"Name":"BedrockAgentCore Runtime","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::BedrockAgentCore::Runtime"]}]},{"Name":"BedrockAgentCore RuntimeEndpoint","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::BedrockAgentCore::RuntimeEndpoint"]}]}]'),
      (11, 'AgentCore gateways', 'InvokeGateway, and with it the callers by JWT', '[{"Name":"management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},{"Name":"BedrockAgentCore Gateway","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::BedrockAgentCore::Gateway"]}]}]'),
      (12, 'AgentCore memory', 'what agents remember and read back', '[{"Name":"management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},{"Name":"BedrockAgentCore Memory","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::BedrockAgentCore::Memory"]}]}]'),
      (13, 'AgentCore tools', 'code interpreter and browser sessions', '[{"Name":"management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},{"Name":"BedrockAgentCore CodeInterpreter","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::BedrockAgentCore::CodeInterpreter"]}]},{"Name":"BedrockAgentCore CodeInterpreterCustom","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::BedrockAgentCore::CodeInterpreterCustom"]}]},{"Name":"BedrockAgentCore Browser","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::BedrockAgentCore::Browser"]}]},{"Name":"BedrockAgentCore BrowserCustom","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::BedrockAgentCore::BrowserCustom"]}]}]'),
      (14, 'AgentCore identity', 'tokens and keys handed to agents', '[{"Name":"management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},{"Name":"BedrockAgentCore WorkloadIdentity","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::BedrockAgentCore::WorkloadIdentity"]}]},{"Name":"BedrockAgentCore WorkloadIdentityDirectory","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::BedrockAgentCore::WorkloadIdentityDirectory"]}]},{"Name":"BedrockAgentCore TokenVault","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::BedrockAgentCore::TokenVault"]}]},{"Name":"BedrockAgentCore OAuth2CredentialProvider","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::BedrockAgentCore::OAuth2CredentialProvider"]}]},{"Name":"BedrockAgentCore APIKeyCredentialProvider","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::BedrockAgentCore::APIKeyCredentialProvider"]}]}]'),
      (15, 'AgentCore payments', 'what agents paid, with which instrument', '[{"Name":"management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},{"Name":"BedrockAgentCore Payments","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::BedrockAgentCore::Payments"]}]}]'),
      (16, 'functions of agents', 'invocations of the Lambda functions behind action groups and gateways', '[{"Name":"management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},{"Name":"Lambda Function","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::Lambda::Function"]}]}]'),
      (17, 'web search', 'what was searched and fetched for models', '[{"Name":"management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},{"Name":"BedrockWebSearch Tool","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::BedrockWebSearch::Tool"]}]}]'),
      (18, 'Claude Platform on AWS', 'the model calls and agents of aws-external-anthropic', '[{"Name":"management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},{"Name":"AWSExternalAnthropic Workspace","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::AWSExternalAnthropic::Workspace"]}]}]'),
      (19, 'refusals at VPC endpoints', 'calls that the policy of a VPC endpoint refused before the service saw them', '[{"Name":"management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},{"Name":"bedrock refused at VPC endpoints","FieldSelectors":[{"Field":"eventCategory","Equals":["NetworkActivity"]},{"Field":"eventSource","Equals":["bedrock.amazonaws.com"]},{"Field":"errorCode","Equals":["VpceAccessDenied"]}]},{"Name":"bedrock-agentcore refused at VPC endpoints","FieldSelectors":[{"Field":"eventCategory","Equals":["NetworkActivity"]},{"Field":"eventSource","Equals":["bedrock-agentcore.amazonaws.com"]},{"Field":"errorCode","Equals":["VpceAccessDenied"]}]},{"Name":"bedrock-mantle refused at VPC endpoints","FieldSelectors":[{"Field":"eventCategory","Equals":["NetworkActivity"]},{"Field":"eventSource","Equals":["bedrock-mantle.amazonaws.com"]},{"Field":"errorCode","Equals":["VpceAccessDenied"]}]},{"Name":"lambda refused at VPC endpoints","FieldSelectors":[{"Field":"eventCategory","Equals":["NetworkActivity"]},{"Field":"eventSource","Equals":["lambda.amazonaws.com"]},{"Field":"errorCode","Equals":["VpceAccessDenied"]}]},{"Name":"s3 refused at VPC endpoints","FieldSelectors":[{"Field":"eventCategory","Equals":["NetworkActivity"]},{"Field":"eventSource","Equals":["s3.amazonaws.com"]},{"Field":"errorCode","Equals":["VpceAccessDenied"]}]}]')
  ) AS t (place, topic, what, selectors)
),
-- Each record is a call of one topic, a sign of one, or neither. Reads of lists are no sign: scanners read everywhere.
told AS (
  SELECT
    account_id AS account_id,
    aws_region AS aws_region,
    CASE
      WHEN surface = 'mantle' AND (activity = 'model_invocation' OR event_category = 'Data') THEN 'bedrock-mantle calls'
      WHEN event_source = 'aws-external-anthropic.amazonaws.com' AND (activity = 'model_invocation' OR event_category = 'Data')
        THEN 'Claude Platform on AWS'
      WHEN event_source = 'bedrock-websearch.amazonaws.com' THEN 'web search'
      WHEN event_source = 'lambda.amazonaws.com' AND activity = 'downstream' AND lambda_arn IS NOT NULL THEN 'functions of agents'
      WHEN surface = 'agentcore' AND event_category = 'Data' AND strpos(event_name, 'Payment') > 0 AND activity <> 'token_vending'
        THEN 'AgentCore payments'
      WHEN event_name IN ('StartAsyncInvoke', 'GetAsyncInvoke', 'InvokeModelWithBidirectionalStream') THEN 'asynchronous and bidirectional calls'
      WHEN activity = 'agent_invocation' AND surface = 'agents' THEN 'agents'
      WHEN activity = 'agent_invocation' AND surface = 'agentcore' THEN 'AgentCore runtimes'
      WHEN activity = 'retrieval' THEN 'knowledge bases'
      WHEN activity = 'flow' THEN 'flows'
      WHEN activity = 'session' AND surface = 'agents' THEN 'sessions'
      WHEN activity = 'guardrail_check' THEN 'guardrail checks'
      WHEN activity = 'tool' AND surface = 'gateway' THEN 'AgentCore gateways'
      WHEN activity = 'tool' AND surface = 'agentcore' THEN 'AgentCore tools'
      WHEN activity = 'tool' THEN 'Bedrock tools'
      WHEN activity = 'memory' AND surface = 'agentcore' THEN 'AgentCore memory'
      WHEN activity = 'token_vending' THEN 'AgentCore identity'
      WHEN event_category = 'Data' AND strpos(event_name, 'DataAutomation') > 0 THEN 'data automation'
    END AS call_topic,
    CASE
      WHEN surface = 'mantle' THEN 'bedrock-mantle calls'
      WHEN event_source = 'aws-external-anthropic.amazonaws.com' THEN 'Claude Platform on AWS'
      WHEN outcome <> 'ok' THEN NULL
      WHEN event_name IN ('CreateAgentActionGroup', 'UpdateAgentActionGroup') AND lambda_arn IS NOT NULL THEN 'functions of agents'
      WHEN activity IN ('agent_admin', 'credential_admin', 'guardrail_admin', 'model_admin') THEN
        CASE
          WHEN event_source = 'bedrock.amazonaws.com' AND regexp_like(event_name, 'KnowledgeBase|DataSource|IngestionJob') THEN 'knowledge bases'
          WHEN event_source = 'bedrock.amazonaws.com' AND strpos(event_name, 'Flow') > 0 THEN 'flows'
          WHEN event_source = 'bedrock.amazonaws.com' AND activity = 'agent_admin' AND strpos(event_name, 'Agent') > 0 THEN 'agents'
          WHEN event_source = 'bedrock.amazonaws.com' AND strpos(event_name, 'Guardrail') > 0 THEN 'guardrail checks'
          WHEN event_source = 'bedrock.amazonaws.com' AND regexp_like(event_name, 'DataAutomation|Blueprint') THEN 'data automation'
          WHEN event_source = 'bedrock-agentcore.amazonaws.com' AND strpos(event_name, 'Payment') > 0 THEN 'AgentCore payments'
          WHEN event_source = 'bedrock-agentcore.amazonaws.com' AND regexp_like(event_name, 'AgentRuntime|Harness') THEN 'AgentCore runtimes'
          WHEN event_source = 'bedrock-agentcore.amazonaws.com' AND strpos(event_name, 'Gateway') > 0 THEN 'AgentCore gateways'
          WHEN event_source = 'bedrock-agentcore.amazonaws.com' AND strpos(event_name, 'Memory') > 0 THEN 'AgentCore memory'
          WHEN event_source = 'bedrock-agentcore.amazonaws.com' AND regexp_like(event_name, 'CodeInterpreter|Browser') THEN 'AgentCore tools'
          WHEN event_source = 'bedrock-agentcore.amazonaws.com' AND regexp_like(event_name, 'CredentialProvider|WorkloadIdentity|TokenVault') THEN 'AgentCore identity'
        END
      -- What agents and knowledge bases do under their own roles shows them at work.
      WHEN starts_with(role_name, 'AmazonBedrockExecutionRoleForAgents') THEN 'agents'
      WHEN starts_with(role_name, 'AmazonBedrockExecutionRoleForKnowledgeBase') THEN 'knowledge bases'
      WHEN starts_with(role_name, 'AmazonBedrockAgentCore') THEN 'AgentCore runtimes'
    END AS sign_topic,
    event_time AS event_time
  FROM events
  WHERE record_kind = 'api_call'
  UNION ALL
  SELECT
    account_id AS account_id,
    aws_region AS aws_region,
    'refusals at VPC endpoints' AS call_topic,
    CAST(NULL AS VARCHAR) AS sign_topic,
    event_time AS event_time
  FROM events
  WHERE record_kind = 'network_activity'
),
counted AS (
  SELECT
    account_id AS account_id,
    aws_region AS aws_region,
    COALESCE(call_topic, sign_topic) AS topic,
    CAST(COUNT(*) FILTER (WHERE call_topic IS NULL) AS BIGINT) AS signs,
    CAST(COUNT(*) FILTER (WHERE call_topic IS NOT NULL) AS BIGINT) AS records,
    MAX(event_time) AS last_sign
  FROM told
  WHERE call_topic IS NOT NULL
    OR sign_topic IS NOT NULL
  GROUP BY account_id, aws_region, COALESCE(call_topic, sign_topic)
),
-- What no setting of CloudTrail records.
others AS (
  SELECT
    account_id AS account_id,
    aws_region AS aws_region,
    k.place AS place,
    k.topic AS topic,
    CAST(COUNT(*) AS BIGINT) AS signs,
    MAX(event_time) AS last_sign
  FROM events AS e
  JOIN (
    VALUES
      (101, 'requests inside batch jobs'), (102, 'prompts and answers of bedrock-mantle'),
      (103, 'making of short-term keys'), (104, 'read-only management events')
  ) AS k (place, topic)
    ON (k.place = 101 AND e.activity = 'batch' AND e.outcome = 'ok')
    OR (k.place = 102 AND e.surface = 'mantle')
    OR (k.place = 103 AND e.credential IN ('bearer_short', 'bearer_unknown'))
    OR (
      k.place = 104 AND e.event_name IN ('PutEventSelectors', 'CreateTrail') AND e.outcome = 'ok'
      AND regexp_like(
        e.request_parameters,
        '"readWriteType"[ ]*:[ ]*"WriteOnly"|"field"[ ]*:[ ]*"readOnly"[ ]*,[ ]*"equals"[ ]*:[ ]*\[[ ]*"false"'
      )
    )
  WHERE e.record_kind = 'api_call'
    AND (
      e.activity = 'batch' OR e.surface = 'mantle' OR e.credential IN ('bearer_short', 'bearer_unknown')
      OR e.event_name IN ('PutEventSelectors', 'CreateTrail')
    )
  GROUP BY e.account_id, e.aws_region, k.place, k.topic
),
lines AS (
  SELECT
    t.place AS place,
    t.topic AS topic,
    CASE WHEN c.records > 0 THEN 'recorded' ELSE 'not_assessed' END AS verdict,
    c.account_id AS account_id,
    c.aws_region AS aws_region,
    c.signs AS signs,
    c.records AS records,
    c.last_sign AS last_sign,
    CASE
      WHEN c.records > 0 THEN 'Calls are recorded and counted. That every account, Region and thing has the selector is not shown: ' || t.what || '.'
      WHEN t.topic IN ('bedrock-mantle calls', 'Claude Platform on AWS') THEN 'The endpoint is in use here, and none of its model calls is recorded. Missing from every number: ' || t.what || '.'
      ELSE 'Set up or at work here, and none of its calls is recorded. Missing from every number: ' || t.what || '.'
    END AS meaning,
    CASE
      WHEN c.records > 0 THEN 'Check the selectors of the trail against these.'
      ELSE 'Add these data event selectors to a trail that covers this account and Region.'
    END AS fix,
    t.selectors AS selectors
  FROM counted AS c
  JOIN topics AS t ON t.topic = c.topic
  UNION ALL
  SELECT
    t.place AS place,
    t.topic AS topic,
    'not_seen' AS verdict,
    CAST(NULL AS VARCHAR) AS account_id,
    CAST(NULL AS VARCHAR) AS aws_region,
    CAST(0 AS BIGINT) AS signs,
    CAST(0 AS BIGINT) AS records,
    CAST(NULL AS TIMESTAMP) AS last_sign,
    'No trace in any account or Region read. These are ' || CASE WHEN t.place = 19 THEN 'network activity' ELSE 'data' END
      || ' events and off by default, so that it does not show that there were none: ' || t.what || '.' AS meaning,
    CASE
      WHEN t.place = 19 THEN 'Add these network activity selectors, if calls come through VPC endpoints.'
      ELSE 'Add these data event selectors, or forbid the service.'
    END AS fix,
    t.selectors AS selectors
  FROM topics AS t
  LEFT JOIN (SELECT topic AS topic, COUNT(*) AS places FROM counted GROUP BY topic) AS c ON c.topic = t.topic
  WHERE c.topic IS NULL
  UNION ALL
  SELECT
    o.place AS place,
    o.topic AS topic,
    CASE WHEN o.place = 104 THEN 'not_assessed' ELSE 'not_recordable' END AS verdict,
    o.account_id AS account_id,
    o.aws_region AS aws_region,
    o.signs AS signs,
    CAST(0 AS BIGINT) AS records,
    o.last_sign AS last_sign,
    CASE
      WHEN o.place = 101 THEN 'Jobs were submitted; what is inside a job leaves no record. Requests and tokens of batch jobs are missing from every number.'
      WHEN o.place = 102 THEN 'Model invocation logging does not cover this endpoint: no prompts and answers, and no token counts. The CreateInference data event is the only record of a call.'
      WHEN o.place = 103 THEN 'Short-term keys are in use, or keys of an unknown kind. A short-term key is made on the caller''s machine, and nobody records it: how many exist is not known, only calls made with them.'
      ELSE 'A trail was set to record writes only. Calls of models on bedrock-runtime are read-only events: that trail does not record them.'
    END AS meaning,
    CASE
      WHEN o.place = 101 THEN 'Read the manifest and output that the job wrote to its bucket.'
      WHEN o.place = 102 THEN 'No setting. Keep prompts and answers in the client or in a gateway, or send the calls through bedrock-runtime.'
      WHEN o.place = 103 THEN 'No setting. Deny bedrock:CallWithBearerToken and bedrock-mantle:CallWithBearerToken to roles that need no keys; the second is not covered by the first.'
      ELSE 'Let the trail record reads and writes of management events.'
    END AS fix,
    CASE
      WHEN o.place = 104 THEN '[{"Name":"management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]}]'
    END AS selectors
  FROM others AS o
)
SELECT
  topic AS topic,
  verdict AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  signs AS signs,
  records AS records,
  last_sign AS last_sign,
  meaning AS meaning,
  fix AS fix,
  selectors AS selectors
FROM lines
ORDER BY
  CASE WHEN verdict = 'not_assessed' THEN 1 WHEN verdict = 'not_recordable' THEN 2 WHEN verdict = 'not_seen' THEN 3 ELSE 4 END ASC,
  place ASC,
  account_id ASC NULLS LAST,
  aws_region ASC NULLS LAST
