-- title = "An agent's role called a service that the agent does not need"
-- severity = "high"
-- kind = "row"
-- needs = ["policy_agent_service"]
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "role_arn", "outcome",
--   "invoked_by", "aws_region", "record_kind",
-- ]
-- attack = ["T1078.004"]
-- attack_old = []
-- atlas = ["AML.T0086"]
-- why = """\
-- An agent needs few services, and the policy lists them. A successful call to any other shows that the execution role \
-- may do more than it should, and that somebody made use of it: a hostile prompt, code in the agent's runtime, or \
-- whoever took the role's credentials. The rule takes successful calls by execution roles of [[agent]] entries that \
-- list services, those left out that an AWS service made on the role's behalf. Records of other services are kept \
-- only in a run with --scope agents; without it a call to a listed service is not assessed, for it proves nothing \
-- about the rest, while what is there and is not listed counts all the same."""
-- fix = """\
-- Take the service out of the role's policies. If the agent needs it, add it to the agent's services. Look for the \
-- session in which it was called and read what led to it."""
-- false_positives = """\
-- A library that asks sts or ssm for something at start. A role that several workloads share: give the agent one of \
-- its own."""
--
-- [controls]
-- "NIST SP 800-53" = ["AC-6", "SI-4"]
-- "SOC 2" = ["CC6.3", "CC7.2"]

WITH calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_source AS event_source,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    role_arn AS role_arn,
    outcome AS outcome
  FROM events
  WHERE record_kind = 'api_call'
    AND outcome = 'ok'
    AND role_arn IS NOT NULL
    AND invoked_by IS NULL
),
-- Some exports name parts of a service as if they were services.
used AS (
  SELECT DISTINCT
    role_arn AS role_arn,
    event_source AS event_source,
    CASE
      WHEN event_source IN (
        'bedrock-agent.amazonaws.com', 'bedrock-agent-runtime.amazonaws.com', 'bedrock-runtime.amazonaws.com'
      )
        THEN 'bedrock'
      WHEN event_source = 'bedrock-agentcore-control.amazonaws.com' THEN 'bedrock-agentcore'
      ELSE replace(event_source, '.amazonaws.com', '')
    END AS service
  FROM calls
),
agent_roles AS (
  SELECT DISTINCT u.role_arn AS role_arn, a.agent AS agent
  FROM (SELECT DISTINCT role_arn AS role_arn FROM calls) AS u
  JOIN policy_agent AS a ON regexp_like(u.role_arn, a.execution_role_re)
  WHERE a.agent IN (SELECT agent FROM policy_agent_service)
),
-- A role of several agents may call what any of them needs.
listed AS (
  SELECT
    r.role_arn AS role_arn,
    MIN(r.agent) AS agent,
    array_join(array_agg(DISTINCT s.service ORDER BY s.service), ' ') AS services
  FROM agent_roles AS r
  JOIN policy_agent_service AS s ON s.agent = r.agent
  GROUP BY r.role_arn
),
expected AS (
  SELECT DISTINCT u.role_arn AS role_arn, u.event_source AS event_source
  FROM used AS u
  JOIN agent_roles AS r ON r.role_arn = u.role_arn
  JOIN policy_agent_service AS s ON s.agent = r.agent AND s.service = u.service
),
scope AS (
  SELECT MAX(scope) AS scope
  FROM run
)
SELECT
  CASE
    WHEN x.role_arn IS NULL THEN 'violation'
    WHEN COALESCE(s.scope, 'default') = 'agents' THEN 'pass'
    ELSE 'not_assessed'
  END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  CASE
    WHEN x.role_arn IS NULL THEN c.event_source
    ELSE 'other services'
  END AS subject,
  CASE
    WHEN x.role_arn IS NULL THEN 'the service is not among those of agent ' || l.agent
    ELSE 'the run kept the calls of agents'' roles to Bedrock only: use --scope agents'
  END AS reason,
  'one of ' || l.services AS expected,
  'called ' || c.event_name || ' of ' || c.event_source AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome
FROM calls AS c
JOIN listed AS l ON l.role_arn = c.role_arn
CROSS JOIN scope AS s
LEFT JOIN expected AS x ON x.role_arn = c.role_arn AND x.event_source = c.event_source
