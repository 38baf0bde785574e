-- title = "Calls of agents"
-- question = "Who invoked which agent, runtime, harness or flow, in which sessions, and with what outcome?"
-- frameworks = ["SOC 2 CC6.1", "SOC 2 CC7.2", "ISO/IEC 42001 A.6.2.8", "NIST SP 800-53 AU-12", "NIST SP 800-53 AC-3"]
-- audit = "folder"
-- empty = "Calls of agents, runtimes and flows are data events, which a trail records only where a selector asks for them: bedtrail selectors."
-- glance = ["principal", "person", "target", "endpoint", "calls", "ok", "denied", "sessions", "approved_caller", "last_seen", "event_names", "account_id"]
--
-- [columns]
-- account_id = "The account that received the records."
-- environment = "The policy's environment for the account."
-- aws_region = "The Region."
-- target_kind = "agent, inline_agent, runtime, harness or flow."
-- target = "Agent, runtime, harness or flow id; empty for inline agents."
-- endpoint = "Agent alias or runtime endpoint."
-- agent = "The policy's names of the agent; empty where the policy does not know it."
-- approved_caller = "yes: the policy lists the caller for this agent; no: it lists others; not_assessed: the policy does not know the agent, or lists no callers for it."
-- principal = "Who called: role, user, token issuer and subject, service or account."
-- person = "The person or workload behind the calls, where the records name one."
-- person_basis = "How the person is known; session_name and sso_session are the caller's own words or the sign-in's."
-- invoked_by = "The AWS service that called on the caller's behalf."
-- event_names = "The operations."
-- calls = "Calls, whatever their outcome."
-- ok = "Calls that succeeded."
-- denied = "Calls that were refused."
-- other = "Calls that were throttled, invalid or failed."
-- sessions = "Distinct sessions."
-- first_session = "The smallest session id in text order."
-- source_ips = "Distinct source addresses."
-- first_seen = "Time of the first call, UTC."
-- last_seen = "Time of the last call, UTC."

WITH calls AS (
  SELECT
    account_id AS account_id,
    environment AS environment,
    aws_region AS aws_region,
    CASE
      WHEN activity = 'flow' THEN 'flow'
      WHEN event_name = 'InvokeInlineAgent' THEN 'inline_agent'
      WHEN strpos(event_name, 'Harness') > 0 OR strpos(COALESCE(runtime_arn, ''), ':harness/') > 0 THEN 'harness'
      WHEN surface = 'agentcore' THEN 'runtime'
      ELSE 'agent'
    END AS target_kind,
    CASE WHEN activity = 'flow' THEN flow_id ELSE agent_id END AS target,
    agent_alias_id AS endpoint,
    runtime_arn AS runtime_arn,
    principal AS principal,
    role_arn AS role_arn,
    person AS person,
    person_basis AS person_basis,
    invoked_by AS invoked_by,
    event_name AS event_name,
    agent_session_id AS agent_session_id,
    source_ip AS source_ip,
    COUNT(*) AS calls,
    COUNT(*) FILTER (WHERE outcome = 'ok') AS ok,
    COUNT(*) FILTER (WHERE outcome = 'denied') AS denied,
    MIN(event_time) AS first_seen,
    MAX(event_time) AS last_seen
  FROM events
  WHERE record_kind = 'api_call'
    AND activity IN ('agent_invocation', 'flow')
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
),
targets AS (
  SELECT DISTINCT
    account_id AS account_id,
    aws_region AS aws_region,
    target_kind AS target_kind,
    target AS target,
    runtime_arn AS runtime_arn
  FROM calls
  WHERE target_kind IN ('agent', 'runtime', 'harness', 'flow')
    AND target IS NOT NULL
),
registered AS (
  SELECT DISTINCT
    t.account_id AS account_id,
    t.aws_region AS aws_region,
    t.target_kind AS target_kind,
    t.target AS target,
    p.agent AS agent
  FROM targets AS t
  JOIN policy_agent AS p
    ON regexp_like(t.target, p.runtime_re)
    OR regexp_like(COALESCE(t.runtime_arn, ''), p.runtime_re)
    OR regexp_like(
      'arn:' || CASE
        WHEN starts_with(t.aws_region, 'us-gov-') THEN 'aws-us-gov'
        WHEN starts_with(t.aws_region, 'cn-') THEN 'aws-cn'
        ELSE 'aws'
      END || ':bedrock:' || COALESCE(t.aws_region, '') || ':' || COALESCE(t.account_id, '')
        || CASE WHEN t.target_kind = 'flow' THEN ':flow/' ELSE ':agent/' END || t.target,
      p.runtime_re
    )
),
agents AS (
  SELECT
    account_id AS account_id,
    aws_region AS aws_region,
    target_kind AS target_kind,
    target AS target,
    array_join(array_agg(agent ORDER BY agent), ' ') AS agent
  FROM registered
  GROUP BY account_id, aws_region, target_kind, target
),
-- Whether a caller is on the list of one of the names its target has in the policy.
judged AS (
  SELECT
    c.account_id AS account_id,
    c.aws_region AS aws_region,
    c.target_kind AS target_kind,
    c.target AS target,
    c.principal AS principal,
    MAX(
      CASE WHEN regexp_like(c.principal, l.caller_re) OR regexp_like(COALESCE(c.role_arn, ''), l.caller_re) THEN 1 ELSE 0 END
    ) AS approved
  FROM (
    SELECT DISTINCT account_id AS account_id, aws_region AS aws_region, target_kind AS target_kind, target AS target,
      principal AS principal, role_arn AS role_arn
    FROM calls
  ) AS c
  JOIN registered AS r
    ON r.account_id = c.account_id
    AND r.aws_region = c.aws_region
    AND r.target_kind = c.target_kind
    AND r.target = c.target
  JOIN policy_agent_caller AS l ON l.agent = r.agent
  GROUP BY c.account_id, c.aws_region, c.target_kind, c.target, c.principal
),
parts AS (
  SELECT
    account_id AS account_id,
    environment AS environment,
    aws_region AS aws_region,
    target_kind AS target_kind,
    target AS target,
    endpoint AS endpoint,
    principal AS principal,
    person AS person,
    person_basis AS person_basis,
    invoked_by AS invoked_by,
    event_name AS event_name,
    agent_session_id AS agent_session_id,
    source_ip AS source_ip,
    CASE
      WHEN GROUPING(event_name) = 0 THEN 1
      WHEN GROUPING(agent_session_id) = 0 THEN 2
      WHEN GROUPING(source_ip) = 0 THEN 3
    END AS part,
    SUM(calls) AS calls,
    SUM(ok) AS ok,
    SUM(denied) AS denied,
    MIN(first_seen) AS first_seen,
    MAX(last_seen) AS last_seen
  FROM calls
  GROUP BY GROUPING SETS (
    (account_id, environment, aws_region, target_kind, target, endpoint, principal, person, person_basis, invoked_by, event_name),
    (account_id, environment, aws_region, target_kind, target, endpoint, principal, person, person_basis, invoked_by, agent_session_id),
    (account_id, environment, aws_region, target_kind, target, endpoint, principal, person, person_basis, invoked_by, source_ip)
  )
),
lines AS (
  SELECT
    account_id AS account_id,
    environment AS environment,
    aws_region AS aws_region,
    target_kind AS target_kind,
    target AS target,
    endpoint AS endpoint,
    principal AS principal,
    person AS person,
    person_basis AS person_basis,
    invoked_by AS invoked_by,
    array_join(array_agg(event_name ORDER BY event_name) FILTER (WHERE part = 1), ' ') AS event_names,
    CAST(SUM(calls) FILTER (WHERE part = 1) AS BIGINT) AS calls,
    CAST(SUM(ok) FILTER (WHERE part = 1) AS BIGINT) AS ok,
    CAST(SUM(denied) FILTER (WHERE part = 1) AS BIGINT) AS denied,
    CAST(COUNT(agent_session_id) FILTER (WHERE part = 2) AS BIGINT) AS sessions,
    MIN(agent_session_id) FILTER (WHERE part = 2) AS first_session,
    CAST(COUNT(source_ip) FILTER (WHERE part = 3) AS BIGINT) AS source_ips,
    MIN(first_seen) AS first_seen,
    MAX(last_seen) AS last_seen
  FROM parts
  GROUP BY account_id, environment, aws_region, target_kind, target, endpoint, principal, person, person_basis, invoked_by
)
SELECT
  l.account_id AS account_id,
  l.environment AS environment,
  l.aws_region AS aws_region,
  l.target_kind AS target_kind,
  l.target AS target,
  l.endpoint AS endpoint,
  a.agent AS agent,
  CASE WHEN j.approved = 1 THEN 'yes' WHEN j.approved = 0 THEN 'no' ELSE 'not_assessed' END AS approved_caller,
  l.principal AS principal,
  l.person AS person,
  l.person_basis AS person_basis,
  l.invoked_by AS invoked_by,
  l.event_names AS event_names,
  l.calls AS calls,
  l.ok AS ok,
  l.denied AS denied,
  l.calls - l.ok - l.denied AS other,
  l.sessions AS sessions,
  l.first_session AS first_session,
  l.source_ips AS source_ips,
  l.first_seen AS first_seen,
  l.last_seen AS last_seen
FROM lines AS l
LEFT JOIN agents AS a
  ON a.account_id = l.account_id
  AND a.aws_region = l.aws_region
  AND a.target_kind = l.target_kind
  AND a.target = l.target
LEFT JOIN judged AS j
  ON j.account_id = l.account_id
  AND j.aws_region = l.aws_region
  AND j.target_kind = l.target_kind
  AND j.target = l.target
  AND j.principal = l.principal
ORDER BY
  l.target_kind ASC NULLS LAST,
  l.target ASC NULLS LAST,
  l.endpoint ASC NULLS LAST,
  l.principal ASC NULLS LAST,
  l.person ASC NULLS LAST,
  l.person_basis ASC NULLS LAST,
  l.invoked_by ASC NULLS LAST,
  l.account_id ASC NULLS LAST,
  l.aws_region ASC NULLS LAST,
  l.environment ASC NULLS LAST
