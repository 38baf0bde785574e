-- title = "Agent sessions"
-- question = "What happened in each agent session: who called, with which agent, and what was read, run, remembered and refused under it?"
-- frameworks = ["ISO/IEC 42001 A.6.2.8", "SOC 2 CC7.2", "NIST SP 800-53 AU-6(3)", "EU AI Act Art. 12"]
-- audit = "folder"
-- empty = "Calls of agents, runtimes and flows are data events, which a trail records only where a selector asks for them: bedtrail selectors."
-- glance = ["session", "agents", "callers", "agent_calls", "model_calls", "memory_calls", "tool_calls", "refused", "refused_actions", "last_seen", "account_id"]
--
-- [columns]
-- account_id = "The account that received the records."
-- aws_region = "The Region."
-- session = "The session id that the caller gave or the runtime made."
-- agents = "The agents, runtimes and harnesses called in it."
-- callers = "Who called them."
-- persons = "The persons or workloads behind these calls, where recorded."
-- agent_calls = "Calls of agents in this session."
-- model_calls = "Model calls under a role session of the same name."
-- memory_calls = "Reads and writes of memory that name the session, or under a role session of its name."
-- tool_calls = "Tools, likewise."
-- token_calls = "Tokens vended, likewise."
-- other_calls = "Other calls, likewise: retrievals, guardrail checks, the end of the session, calls of other services."
-- linked_by_name = "Of all these, those tied to the session only by the name of the role session, which the one who assumed the role chose."
-- refused = "Refused calls among them."
-- refused_actions = "What was refused."
-- first_seen = "Time of the first, UTC."
-- last_seen = "Time of the last, UTC."

WITH known AS (
  SELECT DISTINCT account_id AS account_id, aws_region AS aws_region, agent_session_id AS session
  FROM events
  WHERE record_kind = 'api_call'
    AND (
      activity = 'agent_invocation'
      OR (surface = 'agentcore' AND runtime_arn IS NOT NULL)
    )
    AND agent_session_id IS NOT NULL
),
parts AS (
  SELECT
    e.account_id AS account_id,
    e.aws_region AS aws_region,
    k.session AS session,
    e.agent_session_id IS NULL AS by_name,
    e.activity AS activity,
    e.agent_id AS agent_id,
    CASE WHEN e.activity = 'agent_invocation' THEN e.principal END AS caller,
    CASE WHEN e.activity = 'agent_invocation' THEN e.person END AS person,
    CASE
      WHEN e.outcome = 'denied'
        THEN regexp_replace(e.event_source, '[.]amazonaws[.]com\z', '') || ':' || e.event_name
    END AS refused_action,
    COUNT(*) AS calls,
    MIN(e.event_time) AS first_seen,
    MAX(e.event_time) AS last_seen
  FROM known AS k
  JOIN events AS e
    ON e.account_id = k.account_id
    AND e.aws_region = k.aws_region
    AND COALESCE(e.agent_session_id, e.session_name) = k.session
  WHERE e.record_kind = 'api_call'
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
  UNION ALL
  -- A tool has a session of its own: the record then stands for the role session's name too.
  SELECT
    e.account_id AS account_id,
    e.aws_region AS aws_region,
    k.session AS session,
    TRUE AS by_name,
    e.activity AS activity,
    CAST(NULL AS VARCHAR) AS agent_id,
    CAST(NULL AS VARCHAR) AS caller,
    CAST(NULL AS VARCHAR) AS person,
    CASE
      WHEN e.outcome = 'denied'
        THEN regexp_replace(e.event_source, '[.]amazonaws[.]com\z', '') || ':' || e.event_name
    END AS refused_action,
    COUNT(*) AS calls,
    MIN(e.event_time) AS first_seen,
    MAX(e.event_time) AS last_seen
  FROM known AS k
  JOIN events AS e
    ON e.account_id = k.account_id
    AND e.aws_region = k.aws_region
    AND e.session_name = k.session
  WHERE e.record_kind = 'api_call'
    AND e.activity IN ('tool', 'memory')
    AND e.agent_session_id IS NOT NULL
    AND e.session_name <> e.agent_session_id
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
)
SELECT
  p.account_id AS account_id,
  p.aws_region AS aws_region,
  p.session AS session,
  array_join(array_agg(DISTINCT p.agent_id ORDER BY p.agent_id) FILTER (WHERE p.agent_id IS NOT NULL), ' ') AS agents,
  array_join(array_agg(DISTINCT p.caller ORDER BY p.caller) FILTER (WHERE p.caller IS NOT NULL), ' ') AS callers,
  array_join(array_agg(DISTINCT p.person ORDER BY p.person) FILTER (WHERE p.person IS NOT NULL), ' ') AS persons,
  CAST(COALESCE(SUM(p.calls) FILTER (WHERE p.activity = 'agent_invocation'), 0) AS BIGINT) AS agent_calls,
  CAST(COALESCE(SUM(p.calls) FILTER (WHERE p.activity = 'model_invocation'), 0) AS BIGINT) AS model_calls,
  CAST(COALESCE(SUM(p.calls) FILTER (WHERE p.activity = 'memory'), 0) AS BIGINT) AS memory_calls,
  CAST(COALESCE(SUM(p.calls) FILTER (WHERE p.activity = 'tool'), 0) AS BIGINT) AS tool_calls,
  CAST(COALESCE(SUM(p.calls) FILTER (WHERE p.activity = 'token_vending'), 0) AS BIGINT) AS token_calls,
  CAST(COALESCE(SUM(p.calls) FILTER (
    WHERE p.activity NOT IN ('agent_invocation', 'model_invocation', 'memory', 'tool', 'token_vending')
  ), 0) AS BIGINT) AS other_calls,
  CAST(COALESCE(SUM(p.calls) FILTER (WHERE p.by_name), 0) AS BIGINT) AS linked_by_name,
  CAST(COALESCE(SUM(p.calls) FILTER (WHERE p.refused_action IS NOT NULL), 0) AS BIGINT) AS refused,
  array_join(
    array_agg(DISTINCT p.refused_action ORDER BY p.refused_action) FILTER (WHERE p.refused_action IS NOT NULL), ' '
  ) AS refused_actions,
  MIN(p.first_seen) AS first_seen,
  MAX(p.last_seen) AS last_seen
FROM parts AS p
GROUP BY p.account_id, p.aws_region, p.session
ORDER BY
  p.account_id ASC NULLS LAST,
  p.aws_region ASC NULLS LAST,
  p.session ASC NULLS LAST
