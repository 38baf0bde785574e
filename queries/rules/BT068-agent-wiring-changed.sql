-- title = "An agent was changed by a principal that is not approved for it"
-- severity = "high"
-- kind = "row"
-- needs = ["policy_agent_admin"]
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "role_path_known", "outcome",
--   "invoked_by", "agent_id", "agent_alias_id", "gateway_arn", "memory_id", "flow_id", "knowledge_base_id",
--   "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = ["T1505"]
-- attack_old = []
-- atlas = ["AML.T0081", "AML.T0110"]
-- why = """\
-- What an agent may do is decided by its wiring: instructions, tools, targets of gateways, knowledge bases, memory, and \
-- the version behind an alias. Whoever changes it changes what the agent does for everybody, without touching the \
-- application. The policy lists who may, under agent_admins. The rule judges changes of agents, action groups, \
-- collaborators, aliases, runtimes and their endpoints, harnesses, gateways with targets and rules, links to knowledge \
-- bases, memories, flows and resource policies of AgentCore. Success is high, a refused attempt medium, any other \
-- low. A role whose path the record lost is not assessed where it may be one of the list."""
-- fix = """\
-- Compare the agent with its definition in code and put it back. Point the alias to the last good version. Leave such \
-- changes to the deployment role, or add the principal to agent_admins."""
-- false_positives = """\
-- Developers at work on drafts in a development account: list their role there, or judge only production with a \
-- waiver."""
--
-- [controls]
-- "ISO/IEC 42001" = ["A.6.2.5"]
-- "SOC 2" = ["CC8.1"]

WITH changes AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    COALESCE(role_path_known, TRUE) AS path_known,
    outcome AS outcome,
    COALESCE(
      agent_id || COALESCE(' alias ' || agent_alias_id, ''),
      json_extract_scalar(request_parameters, '$.gatewayIdentifier'),
      gateway_arn,
      json_extract_scalar(request_parameters, '$.harnessId'),
      memory_id,
      flow_id,
      knowledge_base_id,
      json_extract_scalar(request_parameters, '$.resourceArn'),
      json_extract_scalar(request_parameters, '$.agentName'),
      json_extract_scalar(request_parameters, '$.agentRuntimeName'),
      json_extract_scalar(request_parameters, '$.harnessName'),
      json_extract_scalar(request_parameters, '$.name'),
      'not named'
    ) AS thing
  FROM events
  WHERE record_kind = 'api_call'
    AND (invoked_by IS NULL OR NOT starts_with(invoked_by, 'bedrock'))
    AND (
      (
        event_source IN ('bedrock.amazonaws.com', 'bedrock-agent.amazonaws.com')
        AND event_name IN (
          'CreateAgent', 'UpdateAgent', 'DeleteAgent', 'PrepareAgent', 'CreateAgentActionGroup',
          'UpdateAgentActionGroup', 'DeleteAgentActionGroup', 'CreateAgentAlias', 'UpdateAgentAlias',
          'DeleteAgentAlias', 'AssociateAgentCollaborator', 'UpdateAgentCollaborator',
          'DisassociateAgentCollaborator', 'AssociateAgentKnowledgeBase', 'UpdateAgentKnowledgeBase',
          'DisassociateAgentKnowledgeBase', 'UpdateFlow', 'PrepareFlow', 'CreateFlowAlias', 'UpdateFlowAlias',
          'DeleteFlowAlias'
        )
      )
      OR (
        event_source IN ('bedrock-agentcore.amazonaws.com', 'bedrock-agentcore-control.amazonaws.com')
        AND event_name IN (
          'CreateAgentRuntime', 'UpdateAgentRuntime', 'DeleteAgentRuntime', 'CreateAgentRuntimeEndpoint',
          'UpdateAgentRuntimeEndpoint', 'DeleteAgentRuntimeEndpoint', 'CreateHarness', 'UpdateHarness',
          'DeleteHarness', 'CreateHarnessEndpoint', 'UpdateHarnessEndpoint', 'DeleteHarnessEndpoint',
          'CreateGateway', 'UpdateGateway', 'DeleteGateway', 'CreateGatewayTarget', 'UpdateGatewayTarget',
          'DeleteGatewayTarget', 'CreateGatewayRule', 'UpdateGatewayRule', 'DeleteGatewayRule', 'CreateMemory',
          'UpdateMemory', 'DeleteMemory', 'PutResourcePolicy', 'DeleteResourcePolicy'
        )
      )
    )
),
principals AS (
  SELECT
    c.principal AS principal,
    c.path_known AS path_known,
    MAX(CASE WHEN regexp_like(c.principal, a.pattern_re) THEN 1 ELSE 0 END) AS approved,
    MAX(CASE WHEN NOT c.path_known AND regexp_like(c.principal, a.pathless_re) THEN 1 ELSE 0 END) AS may_be
  FROM (SELECT DISTINCT principal AS principal, path_known AS path_known FROM changes) AS c
  CROSS JOIN policy_agent_admin AS a
  GROUP BY c.principal, c.path_known
),
listed AS (
  SELECT array_join(array_agg(DISTINCT pattern ORDER BY pattern), ' ') AS admins
  FROM policy_agent_admin
)
SELECT
  CASE
    WHEN p.approved = 1 THEN 'pass'
    WHEN p.may_be = 1 THEN 'not_assessed'
    ELSE 'violation'
  END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  c.thing || ' ' || COALESCE(c.aws_region, 'Region not recorded') AS subject,
  CASE
    WHEN p.may_be = 1 THEN 'the record lost the path of the role, which may be one of agent_admins'
    WHEN c.outcome = 'denied' THEN 'an attempt to change the agent was refused'
    WHEN c.outcome <> 'ok' THEN 'an attempt to change the agent failed'
    ELSE 'the principal is not among agent_admins'
  END AS reason,
  'changed by one of ' || l.admins AS expected,
  c.event_name AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome,
  CASE WHEN c.outcome = 'ok' THEN 'high' WHEN c.outcome = 'denied' THEN 'medium' ELSE 'low' END AS severity
FROM changes AS c
JOIN principals AS p ON p.principal = c.principal AND p.path_known = c.path_known
CROSS JOIN listed AS l
