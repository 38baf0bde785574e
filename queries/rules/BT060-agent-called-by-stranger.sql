-- title = "An agent was called by a principal outside its set"
-- severity = "high"
-- kind = "row"
-- needs = ["policy_agent_caller"]
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "role_path_known", "activity",
--   "outcome", "invoked_by", "agent_id", "runtime_arn", "gateway_arn", "flow_id", "resource_arn", "aws_region",
--   "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = ["AML.T0053"]
-- why = """\
-- An agent acts with rights of its own: whoever may call it may make it act. The policy lists for each agent who may. \
-- The rule takes calls of agents, runtimes, harnesses, gateways and flows that an [[agent]] entry with callers names \
-- by the ARN of its runtime, and compares the principal: a role or user ARN, or issuer and subject of the JWT that \
-- a gateway accepted. Calls that a Bedrock service makes itself are left out, and so are agents that the policy does \
-- not know. Success is high, a refused attempt medium, any other low. A role whose path the record lost is not \
-- assessed unless it is listed as it stands."""
-- fix = """\
-- If the caller is right, add it to the agent's callers. If not, narrow the agent's resource policy, its authorizer or \
-- the callers' IAM policies, and read what the agent did in these sessions."""
-- false_positives = """\
-- Tests by the agent's own team. A new front end that was not added to the policy yet."""
-- silence = "no call of an agent was read, and calls of agents are data events, which are off by default"
--
-- [controls]
-- "ISO/IEC 42001" = ["A.9.4"]
-- "NIST SP 800-53" = ["AC-3"]
-- "SOC 2" = ["CC6.1"]

WITH calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    COALESCE(role_path_known, TRUE) AS path_known,
    outcome AS outcome,
    COALESCE(runtime_arn, '') AS runtime_arn,
    COALESCE(gateway_arn, '') AS gateway_arn,
    COALESCE(resource_arn, '') AS resource_arn,
    COALESCE(
      CASE WHEN agent_id IS NOT NULL THEN 'agent/' || agent_id END,
      CASE WHEN flow_id IS NOT NULL THEN 'flow/' || flow_id END,
      ''
    ) AS named,
    COALESCE(aws_region, '') AS region_key,
    COALESCE(account_id, '') AS account_key
  FROM events
  WHERE record_kind = 'api_call'
    AND (
      activity = 'agent_invocation'
      OR event_name IN ('InvokeFlow', 'StartFlowExecution', 'InvokeGateway', 'InvokeMcp')
    )
    AND (invoked_by IS NULL OR NOT starts_with(invoked_by, 'bedrock'))
    AND NOT starts_with(principal, 'service:bedrock')
),
things AS (
  SELECT DISTINCT
    runtime_arn AS runtime_arn, gateway_arn AS gateway_arn, resource_arn AS resource_arn, named AS named,
    region_key AS region_key, account_key AS account_key
  FROM calls
),
agents AS (
  SELECT DISTINCT
    a.agent AS agent, a.runtime_re AS runtime_re
  FROM policy_agent AS a
  WHERE a.agent IN (SELECT agent FROM policy_agent_caller)
    AND a.runtime_re IS NOT NULL
),
-- One call may be to several agents of the policy where their patterns overlap: any of them may let it in.
known AS (
  SELECT DISTINCT
    t.runtime_arn AS runtime_arn, t.gateway_arn AS gateway_arn, t.resource_arn AS resource_arn, t.named AS named,
    t.region_key AS region_key, t.account_key AS account_key, a.agent AS agent
  FROM things AS t
  LEFT JOIN ref_region AS p ON p.region = t.region_key
  JOIN agents AS a
    ON regexp_like(t.runtime_arn, a.runtime_re)
    OR regexp_like(t.gateway_arn, a.runtime_re)
    OR regexp_like(t.resource_arn, a.runtime_re)
    OR (
      t.named <> ''
      AND regexp_like(
        'arn:' || COALESCE(p.partition, 'aws') || ':bedrock:' || t.region_key || ':' || t.account_key || ':' || t.named,
        a.runtime_re
      )
    )
),
pairs AS (
  SELECT DISTINCT
    c.principal AS principal, k.agent AS agent
  FROM calls AS c
  JOIN known AS k
    ON k.runtime_arn = c.runtime_arn
    AND k.gateway_arn = c.gateway_arn
    AND k.resource_arn = c.resource_arn
    AND k.named = c.named
    AND k.region_key = c.region_key
    AND k.account_key = c.account_key
),
allowed AS (
  SELECT DISTINCT p.principal AS principal, p.agent AS agent
  FROM pairs AS p
  JOIN policy_agent_caller AS l
    ON l.agent = p.agent
    AND regexp_like(p.principal, l.caller_re)
),
callers AS (
  SELECT agent AS agent, array_join(array_agg(DISTINCT caller_pattern ORDER BY caller_pattern), ' ') AS listed
  FROM policy_agent_caller
  GROUP BY agent
),
matched AS (
  SELECT
    c.event_id AS event_id,
    c.event_time AS event_time,
    c.event_name AS event_name,
    c.account_id AS account_id,
    c.aws_region AS aws_region,
    c.principal AS principal,
    c.path_known AS path_known,
    c.outcome AS outcome,
    MIN(k.agent) AS agent,
    MAX(w.agent) AS let_in
  FROM calls AS c
  JOIN known AS k
    ON k.runtime_arn = c.runtime_arn
    AND k.gateway_arn = c.gateway_arn
    AND k.resource_arn = c.resource_arn
    AND k.named = c.named
    AND k.region_key = c.region_key
    AND k.account_key = c.account_key
  LEFT JOIN allowed AS w ON w.principal = c.principal AND w.agent = k.agent
  GROUP BY
    c.event_id, c.event_time, c.event_name, c.account_id, c.aws_region, c.principal, c.path_known, c.outcome
)
SELECT
  CASE
    WHEN m.let_in IS NOT NULL THEN 'pass'
    WHEN m.path_known THEN 'violation'
    ELSE 'not_assessed'
  END AS verdict,
  m.account_id AS account_id,
  m.aws_region AS aws_region,
  m.principal AS principal,
  m.agent AS subject,
  CASE
    WHEN m.path_known THEN 'the principal is not among the callers of agent ' || m.agent
    ELSE 'the record lost the path of the role, so that it cannot be compared'
  END AS reason,
  'one of ' || l.listed AS expected,
  m.event_name || ' of agent ' || m.agent AS observed,
  m.event_time AS event_time,
  m.event_id AS event_id,
  m.outcome AS outcome,
  CASE WHEN m.outcome = 'ok' THEN 'high' WHEN m.outcome = 'denied' THEN 'medium' ELSE 'low' END AS severity
FROM matched AS m
JOIN callers AS l ON l.agent = m.agent
