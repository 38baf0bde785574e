-- title = "An agent runtime, browser or code interpreter was given a public network"
-- severity = "high"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "outcome", "agent_id",
--   "tool_name", "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = ["AML.T0103", "AML.T0105"]
-- why = """\
-- Code that an agent writes or a page that it opens can be hostile. In network mode PUBLIC the AgentCore runtime, \
-- browser or code interpreter reaches the whole internet, with the execution role's credentials inside: the shortest \
-- way for data to leave. The rule reads the network mode that was asked for when such a thing is created or updated, \
-- and says who asked and whether an execution role comes with it. Success is high, a refused attempt medium, any \
-- other low. A runtime that is created without a word about its network is public. Any other record without a network \
-- mode is not assessed: an update may keep what was, and a record may leave its parameters out."""
-- fix = """\
-- Create it again in mode VPC, with subnets whose way out is filtered, or in mode SANDBOX for a code interpreter that \
-- needs no network. Give it an execution role that can do little."""
-- false_positives = """\
-- A code interpreter that has to fetch packages. A browser for public pages only, without an execution role."""
--
-- [controls]
-- "NIST SP 800-53" = ["SC-7"]
-- "SOC 2" = ["CC6.6"]
--
-- [parameters.open_modes]
-- type = "list"
-- default = ["PUBLIC"]
-- meaning = "Network modes that count as open; add SANDBOX to allow VPC only."

WITH changes AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    COALESCE(
      json_extract_scalar(request_parameters, '$.networkConfiguration.networkMode'),
      json_extract_scalar(
        request_parameters, '$.environment.agentCoreRuntimeEnvironment.networkConfiguration.networkMode'
      ),
      -- The name is there to be seen, so that the missing network is missing.
      CASE
        WHEN event_name = 'CreateAgentRuntime'
          AND json_extract_scalar(request_parameters, '$.agentRuntimeName') IS NOT NULL
          AND json_extract(request_parameters, '$.networkConfiguration') IS NULL
          THEN 'PUBLIC'
      END
    ) AS mode,
    json_extract(request_parameters, '$.networkConfiguration') IS NULL AS unsaid,
    COALESCE(
      json_extract_scalar(request_parameters, '$.executionRoleArn'),
      json_extract_scalar(request_parameters, '$.roleArn')
    ) AS execution_role,
    COALESCE(
      json_extract_scalar(request_parameters, '$.agentRuntimeName'),
      json_extract_scalar(request_parameters, '$.harnessName'),
      json_extract_scalar(request_parameters, '$.name'),
      agent_id,
      tool_name,
      'not named'
    ) AS thing
  FROM events
  WHERE record_kind = 'api_call'
    AND event_source IN ('bedrock-agentcore.amazonaws.com', 'bedrock-agentcore-control.amazonaws.com')
    AND event_name IN (
      'CreateAgentRuntime', 'UpdateAgentRuntime', 'CreateBrowser', 'UpdateBrowser', 'CreateCodeInterpreter',
      'UpdateCodeInterpreter', 'CreateHarness', 'UpdateHarness'
    )
)
SELECT
  CASE
    WHEN mode IS NULL OR NOT mode IN ('PUBLIC', 'SANDBOX', 'VPC') THEN 'not_assessed'
    WHEN mode IN ($open_modes) THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  regexp_replace(event_name, '\A(Create|Update)', '') || ' ' || thing || ' '
    || COALESCE(aws_region, 'Region not recorded') AS subject,
  CASE
    WHEN mode IS NULL THEN 'the record names no network mode'
    WHEN NOT mode IN ('PUBLIC', 'SANDBOX', 'VPC') THEN 'the rule does not know the network mode'
    WHEN outcome = 'denied' THEN 'an attempt to give it network mode ' || mode || ' was refused'
    WHEN outcome <> 'ok' THEN 'an attempt to give it network mode ' || mode || ' failed'
    WHEN unsaid AND event_name = 'CreateAgentRuntime' THEN 'no network mode was asked for, which gives it PUBLIC'
    ELSE 'it has network mode ' || mode
  END AS reason,
  'network mode VPC' AS expected,
  event_name || ' with network mode ' || COALESCE(mode, 'not recorded')
    || COALESCE(' and role ' || execution_role, ' and no execution role recorded') AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome,
  CASE WHEN outcome = 'ok' THEN 'high' WHEN outcome = 'denied' THEN 'medium' ELSE 'low' END AS severity
FROM changes
