-- title = "An agent's role did, or tried to do, something destructive"
-- severity = "critical"
-- kind = "row"
-- needs = ["policy_agent"]
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "role_arn", "read_only",
--   "outcome", "invoked_by", "resource_arn", "aws_region", "record_kind",
-- ]
-- attack = ["T1485"]
-- attack_old = []
-- atlas = ["AML.T0101"]
-- why = """\
-- An agent can be talked into deleting data, ending machines or widening its own rights. Each [[agent]] entry lists \
-- under deny_actions what its role must never do, as service:Action. An entry without such a list is held to a built-in \
-- one: everything that deletes or terminates, all changes in iam and to bucket policies, and the deletion of keys; \
-- actions under `ordinary` are part of an agent's day and are left out of it. A success is critical. A refused attempt \
-- is high: it is evidence that the boundary held, and that something drove the agent against it. Any other failure is \
-- medium. Records of other services than Bedrock are kept only in a run with --scope agents; without it harmless calls \
-- are not assessed, for they prove nothing about the rest. Event names are compared without the API date that Lambda \
-- puts behind them. The event of a call is not always named as its IAM action: s3:DeleteObject is also recorded as \
-- DeleteObjects, so write s3:Delete*."""
-- fix = """\
-- For a success, restore what was lost and take the right away from the role. For a refused attempt, keep the boundary \
-- and read the session: the prompt, the document or the tool answer that led to it. Then close that way."""
-- false_positives = """\
-- An agent that cleans up what it made: give it deny_actions of its own, or add the action to `ordinary`."""
--
-- [controls]
-- "NIST SP 800-53" = ["AC-6"]
-- "SOC 2" = ["CC6.1", "CC7.2"]
--
-- [parameters.ordinary]
-- type = "list"
-- default = [
--   "bedrock-agentcore:BatchDeleteMemoryRecords", "bedrock-agentcore:DeleteEvent",
--   "bedrock-agentcore:DeleteMemoryRecord", "bedrock:DeleteAgentMemory", "bedrock:DeleteSession",
--   "sqs:DeleteMessage", "sqs:DeleteMessageBatch",
-- ]
-- meaning = "Actions that the built-in list leaves out, as service:Action."

WITH calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    role_arn AS role_arn,
    outcome AS outcome,
    resource_arn AS resource_arn,
    COALESCE(read_only, FALSE) AS read_only,
    CASE
      WHEN event_source IN (
        'bedrock-agent.amazonaws.com', 'bedrock-agent-runtime.amazonaws.com', 'bedrock-runtime.amazonaws.com'
      )
        THEN 'bedrock'
      WHEN event_source = 'bedrock-agentcore-control.amazonaws.com' THEN 'bedrock-agentcore'
      ELSE replace(event_source, '.amazonaws.com', '')
    END || ':' || regexp_replace(event_name, '[0-9]{8}(v[0-9]+)?\z', '') AS action
  FROM events
  WHERE record_kind = 'api_call'
    AND role_arn IS NOT NULL
    AND invoked_by IS NULL
),
agent_roles AS (
  SELECT DISTINCT u.role_arn AS role_arn, a.agent AS agent
  FROM (SELECT DISTINCT role_arn AS role_arn FROM calls) AS u
  JOIN policy_agent AS a ON regexp_like(u.role_arn, a.execution_role_re)
),
roles AS (
  SELECT role_arn AS role_arn, MIN(agent) AS agent
  FROM agent_roles
  GROUP BY role_arn
),
actions AS (
  SELECT DISTINCT c.role_arn AS role_arn, c.action AS action, c.read_only AS read_only
  FROM calls AS c
  JOIN roles AS r ON r.role_arn = c.role_arn
),
-- What the policy forbids an agent, else what nobody would expect of one.
forbidden AS (
  SELECT r.role_arn AS role_arn, c.action AS action, c.read_only AS read_only, MIN(d.action_pattern) AS basis
  FROM actions AS c
  JOIN agent_roles AS r ON r.role_arn = c.role_arn
  JOIN policy_agent_deny_action AS d ON d.agent = r.agent AND regexp_like(c.action, d.action_re)
  GROUP BY r.role_arn, c.action, c.read_only
  UNION ALL
  SELECT c.role_arn AS role_arn, c.action AS action, c.read_only AS read_only, 'the built-in list' AS basis
  FROM actions AS c
  WHERE NOT c.role_arn IN (
      SELECT r.role_arn
      FROM agent_roles AS r
      JOIN policy_agent_deny_action AS d ON d.agent = r.agent
    )
    AND NOT c.read_only
    AND NOT c.action IN ($ordinary)
    AND (
      regexp_like(c.action, ':(Batch)?(Delete|Terminate)')
      OR starts_with(c.action, 'iam:')
      OR c.action IN ('s3:PutBucketPolicy', 'kms:ScheduleKeyDeletion')
    )
),
scope AS (
  SELECT MAX(scope) AS scope
  FROM run
)
SELECT
  CASE
    WHEN f.role_arn IS NOT NULL THEN 'violation'
    WHEN COALESCE(s.scope, 'default') = 'agents' THEN 'pass'
    ELSE 'not_assessed'
  END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  CASE
    WHEN f.role_arn IS NULL THEN 'actions in other services'
    WHEN c.outcome = 'ok' THEN c.action || ' done'
    ELSE c.action || ' tried'
  END AS subject,
  CASE
    WHEN f.role_arn IS NULL THEN 'the run kept the calls of agents'' roles to Bedrock only: use --scope agents'
    WHEN c.outcome = 'ok' THEN 'agent ' || r.agent || ' did what it must not do'
    WHEN c.outcome = 'denied' THEN 'agent ' || r.agent || ' tried what it must not do, and was refused: the boundary held'
    ELSE 'agent ' || r.agent || ' tried what it must not do, and it failed'
  END AS reason,
  COALESCE('nothing that matches ' || f.basis, 'no destructive action') AS expected,
  c.action || COALESCE(' on ' || c.resource_arn, '') AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome,
  CASE WHEN c.outcome = 'ok' THEN 'critical' WHEN c.outcome = 'denied' THEN 'high' ELSE 'medium' END AS severity
FROM calls AS c
JOIN roles AS r ON r.role_arn = c.role_arn
CROSS JOIN scope AS s
LEFT JOIN forbidden AS f ON f.role_arn = c.role_arn AND f.action = c.action AND f.read_only = c.read_only
