-- title = "An agent without a guardrail was put into use"
-- severity = "medium"
-- kind = "sequence"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "agent_id", "outcome",
--   "request_parameters", "response_elements", "aws_region", "record_kind",
-- ]
-- attack = ["T1685"]
-- attack_old = ["T1562.001"]
-- atlas = ["AML.T0051"]
-- why = """\
-- A Bedrock agent takes its guardrail from its own settings; without one, what users and tools say goes to the model \
-- unchecked. The rule takes each successful PrepareAgent, CreateAgentAlias and UpdateAgentAlias, which put an agent \
-- into use, and looks up the last creation or update of that agent before, also from before the window where the run \
-- knows of it. If that record shows settings and no guardrailConfiguration among them, it is a finding. A draft that \
-- is never prepared is none. Not assessed: an agent whose settings no record shows, and an alias that names a version \
-- of its own choice. A guardrail that is enforced for the whole account protects the agent too, and does not show \
-- here."""
-- fix = """\
-- Give the agent a guardrailConfiguration, prepare it, and point the alias to the new version. For all agents at once, \
-- enforce a guardrail for the account."""
-- false_positives = """\
-- An account with an enforced guardrail: write a waiver. An agent that only other agents call, behind a supervisor \
-- with a guardrail."""
--
-- [controls]
-- "ISO/IEC 42001" = ["A.6.2.4", "A.9.2"]
-- "NIST SP 800-53" = ["CM-3"]
-- "SOC 2" = ["CC8.1"]

WITH recorded AS (
  SELECT
    event_id AS event_id, event_time AS event_time, event_source AS event_source, event_name AS event_name,
    account_id AS account_id, aws_region AS aws_region, principal AS principal, agent_id AS agent_id,
    outcome AS outcome, request_parameters AS request_parameters, response_elements AS response_elements,
    record_kind AS record_kind, TRUE AS in_window
  FROM events
  UNION ALL
  SELECT
    event_id AS event_id, event_time AS event_time, event_source AS event_source, event_name AS event_name,
    account_id AS account_id, aws_region AS aws_region, principal AS principal, agent_id AS agent_id,
    outcome AS outcome, request_parameters AS request_parameters, response_elements AS response_elements,
    record_kind AS record_kind, FALSE AS in_window
  FROM history
),
steps AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    in_window AS in_window,
    COALESCE(agent_id, json_extract_scalar(response_elements, '$.agent.agentId'), 'agent not named') AS agent,
    event_name IN ('CreateAgentAlias', 'UpdateAgentAlias')
      AND json_extract_scalar(request_parameters, '$.routingConfiguration[0].agentVersion') IS NOT NULL AS own_version,
    CASE
      WHEN NOT event_name IN ('CreateAgent', 'UpdateAgent') THEN NULL
      -- Other settings are there to be seen, so that the missing one is missing.
      WHEN json_extract_scalar(request_parameters, '$.agentName') IS NULL
        AND json_extract_scalar(request_parameters, '$.foundationModel') IS NULL
        THEN 'not shown'
      WHEN json_extract(request_parameters, '$.guardrailConfiguration') IS NULL THEN 'without'
      WHEN json_extract_scalar(request_parameters, '$.guardrailConfiguration.guardrailIdentifier') IS NULL
        AND json_extract_scalar(request_parameters, '$.guardrailConfiguration') IS NULL
        THEN 'without'
      ELSE 'with'
    END AS guardrail
  FROM recorded
  WHERE record_kind = 'api_call'
    AND event_source IN ('bedrock.amazonaws.com', 'bedrock-agent.amazonaws.com')
    AND event_name IN ('CreateAgent', 'UpdateAgent', 'PrepareAgent', 'CreateAgentAlias', 'UpdateAgentAlias')
    AND outcome = 'ok'
),
-- The last settings up to each step, those of the same second among them: text sorts as its time does.
known AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    in_window AS in_window,
    agent AS agent,
    own_version AS own_version,
    MAX(CASE WHEN guardrail IS NOT NULL THEN CAST(event_time AS VARCHAR) || ' ' || event_id || ' ' || guardrail END) OVER (
      PARTITION BY COALESCE(account_id, ''), COALESCE(aws_region, ''), agent
      ORDER BY event_time ASC
      RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS settings
  FROM steps
),
judged_steps AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    agent AS agent,
    CASE
      WHEN agent = 'agent not named' THEN 'the record does not name the agent'
      WHEN COALESCE(own_version, FALSE) THEN 'the alias names a version, whose settings are older than the last ones'
      WHEN settings IS NULL THEN 'no creation or update of the agent is known'
      WHEN regexp_like(settings, ' not shown\z') THEN 'the record does not show the settings of the agent'
    END AS unknown,
    regexp_like(COALESCE(settings, ''), ' without\z') AS is_bare
  FROM known
  WHERE in_window
    AND event_name IN ('PrepareAgent', 'CreateAgentAlias', 'UpdateAgentAlias')
)
SELECT
  CASE WHEN unknown IS NOT NULL THEN 'not_assessed' WHEN is_bare THEN 'violation' ELSE 'pass' END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  agent || ' ' || COALESCE(aws_region, 'Region not recorded') AS subject,
  COALESCE(unknown, 'the last settings of the agent name no guardrail') AS reason,
  'a guardrailConfiguration in the settings of the agent' AS expected,
  event_name || ' of agent ' || agent AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome
FROM judged_steps
