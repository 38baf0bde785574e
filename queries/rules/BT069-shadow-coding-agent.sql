-- title = "A coding agent was used where no allow entry names it"
-- severity = "medium"
-- kind = "row"
-- needs = ["policy_allow_tool"]
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "role_arn", "role_path_known", "person",
--   "person_basis", "surface", "outcome", "client", "client_version", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = ["AML.T0103"]
-- why = """\
-- A coding agent runs commands and sends source code to a model. Allow entries name under `tools` which of them each \
-- role may use. The rule finds calls whose user agent is that of a coding agent and that no such entry covers for the \
-- role and the environment. It says so when no person stands behind the role: a workload that suddenly shows a coding \
-- agent is stranger than a developer who tries one. The user agent is chosen by the caller: it finds, but it never \
-- proves that other calls are free of such tools. Success is medium, anything else low. A role whose path the record \
-- lost is not assessed."""
-- fix = """\
-- Ask the person or team. Add the tool to their allow entry, or move them to the account and model meant for it. For a \
-- workload role, find out who took its credentials."""
-- false_positives = """\
-- A proxy or library that copies another tool's user agent. A build job that runs a coding agent on purpose: name it in \
-- an allow entry."""
--
-- [controls]
-- "ISO/IEC 42001" = ["A.9.2"]
-- "SOC 2" = ["CC6.1"]
--
-- [parameters.coding_agents]
-- type = "list"
-- default = [
--   "amazon-q-cli", "amazon-q-vscode", "aws-toolkit-jetbrains", "aws-toolkit-vscode", "claude-code", "cline",
--   "codex-atlas", "codex-cli", "codex-desktop", "codex-vscode", "kiro", "roo-code",
-- ]
-- meaning = "Clients that count as coding agents, as in events.client."

WITH calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    account_id AS account_id,
    COALESCE(environment, '') AS environment_key,
    environment AS environment,
    aws_region AS aws_region,
    principal AS principal,
    COALESCE(role_arn, principal) AS role_key,
    COALESCE(role_path_known, TRUE) AS path_known,
    -- A workload's name and a bare session name are no person.
    CASE WHEN NOT person_basis IN ('workload', 'session_name') THEN person END AS person,
    outcome AS outcome,
    client AS client,
    client_version AS client_version
  FROM events
  WHERE record_kind = 'api_call'
    AND surface IN ('runtime', 'mantle', 'agents', 'agentcore', 'gateway', 'control')
    AND client IN ($coding_agents)
),
users AS (
  SELECT DISTINCT environment_key AS environment_key, role_key AS role_key, client AS client
  FROM calls
),
covered AS (
  SELECT DISTINCT u.environment_key AS environment_key, u.role_key AS role_key, u.client AS client
  FROM users AS u
  JOIN policy_allow_tool AS t
    ON t.tool = u.client
    AND (t.environment IS NULL OR t.environment = u.environment_key)
    AND regexp_like(u.role_key, t.role_re)
)
SELECT
  CASE
    WHEN v.client IS NOT NULL THEN 'pass'
    WHEN NOT c.path_known THEN 'not_assessed'
    ELSE 'violation'
  END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  c.client AS subject,
  CASE
    WHEN NOT c.path_known THEN 'the record lost the path of the role, so that it cannot be compared'
    WHEN c.person IS NULL THEN 'a workload shows a coding agent, and no allow entry names it for the role'
    ELSE 'no allow entry names the coding agent for the role'
  END AS reason,
  'an allow entry with the tool ' || c.client || COALESCE(' in environment ' || c.environment, '') AS expected,
  'user agent of ' || c.client || COALESCE(' ' || c.client_version, '') || COALESCE(', used by ' || c.person, '')
    AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome,
  CASE WHEN c.outcome = 'ok' THEN 'medium' ELSE 'low' END AS severity
FROM calls AS c
LEFT JOIN covered AS v
  ON v.environment_key = c.environment_key
  AND v.role_key = c.role_key
  AND v.client = c.client
