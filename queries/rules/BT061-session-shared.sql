-- title = "One agent session was used by several principals"
-- severity = "high"
-- kind = "window"
-- needs = []
-- columns = [
--   "event_id", "event_time", "account_id", "principal", "activity", "outcome", "invoked_by", "agent_id",
--   "agent_session_id", "runtime_arn", "tool_name", "resource_arn", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = ["AML.T0080.001"]
-- why = """\
-- A session keeps what was said before: memory, files, open pages. If two principals use one session id, one reads or \
-- steers the conversation of the other, and the actions of the agent can no longer be laid to one of them. The rule \
-- takes successful calls of agents, runtimes and tools that name a session, and finds calls of one session by \
-- different principals within 24 hours of each other. The principal is the role, not the role's session: another \
-- session name of the same role is no finding. AWS services that call on somebody's behalf are left out."""
-- fix = """\
-- Let the application make session ids that cannot be guessed and bind them to the user. Ask both principals' owners \
-- whether the hand-over was meant. If not, end the session and read what was done in it."""
-- false_positives = """\
-- A front end and a worker with roles of their own that carry one conversation on purpose. Session ids that tests fix \
-- to a constant."""
--
-- [controls]
-- "NIST SP 800-53" = ["AU-10"]
-- "SOC 2" = ["CC6.1"]

WITH calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    account_id AS account_id,
    COALESCE(account_id, '') AS account_key,
    aws_region AS aws_region,
    COALESCE(aws_region, '') AS region_key,
    principal AS principal,
    outcome AS outcome,
    COALESCE(runtime_arn, resource_arn, agent_id, tool_name) AS thing,
    agent_session_id AS session_id
  FROM events
  WHERE record_kind = 'api_call'
    AND activity IN ('agent_invocation', 'tool')
    AND outcome = 'ok'
    AND agent_session_id IS NOT NULL
    AND COALESCE(runtime_arn, resource_arn, agent_id, tool_name) IS NOT NULL
    AND invoked_by IS NULL
    AND NOT starts_with(principal, 'service:')
),
shared_sessions AS (
  SELECT account_key AS account_key, region_key AS region_key, thing AS thing, session_id AS session_id
  FROM calls
  GROUP BY account_key, region_key, thing, session_id
  HAVING MIN(principal) <> MAX(principal)
),
-- Lists are made of these few only: one for every session would take far more memory.
shared AS (
  SELECT
    c.account_key AS account_key, c.region_key AS region_key, c.thing AS thing, c.session_id AS session_id,
    array_join(array_agg(DISTINCT c.principal ORDER BY c.principal), ' ') AS principals
  FROM calls AS c
  JOIN shared_sessions AS s
    ON s.account_key = c.account_key
    AND s.region_key = c.region_key
    AND s.thing = c.thing
    AND s.session_id = c.session_id
  GROUP BY c.account_key, c.region_key, c.thing, c.session_id
),
near AS (
  SELECT
    c.event_id AS event_id,
    s.principals AS principals,
    MIN(c.principal) OVER around AS first_principal,
    MAX(c.principal) OVER around AS last_principal
  FROM calls AS c
  JOIN shared AS s
    ON s.account_key = c.account_key
    AND s.region_key = c.region_key
    AND s.thing = c.thing
    AND s.session_id = c.session_id
  WINDOW around AS (
    PARTITION BY c.account_key, c.region_key, c.thing, c.session_id
    ORDER BY c.event_time ASC
    RANGE BETWEEN INTERVAL '24' HOUR PRECEDING AND INTERVAL '24' HOUR FOLLOWING
  )
),
crossed AS (
  SELECT DISTINCT event_id AS event_id, principals AS principals
  FROM near
  WHERE first_principal <> last_principal
)
SELECT
  CASE WHEN x.event_id IS NULL THEN 'pass' ELSE 'violation' END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  -- The finding is about all of them: observed names them.
  CAST(NULL AS VARCHAR) AS principal,
  c.thing || ' session ' || c.session_id AS subject,
  'different principals used one session within 24 hours' AS reason,
  'one principal for each session' AS expected,
  'used by ' || x.principals AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome
FROM calls AS c
LEFT JOIN crossed AS x ON x.event_id = c.event_id
