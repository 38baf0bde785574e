-- title = "What the agents' roles did elsewhere"
-- question = "Which services and actions did each agent's execution role call, and which destructive attempts did the boundary stop?"
-- frameworks = ["SOC 2 CC6.1", "SOC 2 CC6.3", "ISO/IEC 42001 A.6.2.6", "NIST SP 800-53 AC-6", "NIST SP 800-53 AC-3", "EU AI Act Art. 26"]
-- audit = "folder"
-- empty = "No record is of a role that the policy or a record of its agent names as an agent's, or that a Bedrock service was seen to assume. An execution_role in the policy and --scope agents show what it does elsewhere."
-- glance = ["role_arn", "action", "effect", "boundary", "ok", "denied", "policy_says", "last_seen", "agents", "error_codes", "sessions", "kept"]
--
-- [columns]
-- account_id = "The account that received the records."
-- role_arn = "The execution role; where the policy names one of which no record was kept, its pattern."
-- role_basis = "How it is known to be one: policy; configuration: a recorded change of an agent names it; assumed: a Bedrock service assumed it; name: it has the name that Bedrock gives such roles."
-- agents = "The policy's names of the agents that act with it."
-- service = "The service that was called."
-- action = "service:Operation, in CloudTrail's names, which can differ from IAM's, without the API date that Lambda puts behind them; empty where no call of the role was kept."
-- effect = "destructive: deletes, stops, disables or takes access away; privilege: changes identities, policies or who may reach a thing, or takes up another role; write; read."
-- boundary = "stopped: every attempt was refused; passed: at least one succeeded; failed: none succeeded, and not every one was refused; empty: no call."
-- policy_says = "forbidden: a deny_actions entry; unlisted: a service that the agent's entry does not list; listed; not_assessed: the policy has no such list for the role."
-- calls = "Calls, whatever their outcome."
-- ok = "Calls that succeeded."
-- denied = "Calls that were refused."
-- other = "Calls that were throttled, invalid or failed."
-- error_codes = "The error codes."
-- sessions = "Distinct role sessions."
-- aws_regions = "The Regions called."
-- first_seen = "Time of the first call, UTC."
-- last_seen = "Time of the last call, UTC."
-- kept = "What the run kept of such roles. What was not kept was not counted, and its absence shows nothing."

WITH roles AS (
  SELECT DISTINCT role_arn AS role_arn, COALESCE(role_path_known, TRUE) AS path_known
  FROM events
  WHERE record_kind = 'api_call'
    AND role_arn IS NOT NULL
),
configured AS (
  SELECT DISTINCT COALESCE(
    json_extract_scalar(request_parameters, '$.agentResourceRoleArn'),
    json_extract_scalar(request_parameters, '$.roleArn'),
    json_extract_scalar(request_parameters, '$.executionRoleArn'),
    json_extract_scalar(response_elements, '$.agent.agentResourceRoleArn'),
    json_extract_scalar(response_elements, '$.executionRoleArn')
  ) AS role_arn
  FROM events
  WHERE record_kind = 'api_call'
    AND activity = 'agent_admin'
    AND outcome = 'ok'
),
assumed AS (
  SELECT DISTINCT json_extract_scalar(request_parameters, '$.roleArn') AS role_arn
  FROM events
  WHERE record_kind = 'api_call'
    AND event_source = 'sts.amazonaws.com'
    AND event_name = 'AssumeRole'
    AND outcome = 'ok'
    AND (starts_with(invoked_by, 'bedrock.') OR starts_with(invoked_by, 'bedrock-'))
),
-- A role is its ARN; where the record lost the path, the ARN without it is held against the name without it.
execution_roles AS (
  SELECT DISTINCT r.role_arn AS role_arn, 'policy' AS basis
  FROM roles AS r
  JOIN policy_agent AS p ON regexp_like(r.role_arn, p.execution_role_re)
  UNION
  SELECT DISTINCT r.role_arn AS role_arn, 'configuration' AS basis
  FROM roles AS r
  JOIN configured AS c
    ON c.role_arn = r.role_arn
    OR (NOT r.path_known AND split_part(c.role_arn, ':role/', 1) || ':role/' || regexp_extract(c.role_arn, '[^/]+\z') = r.role_arn)
  UNION
  SELECT DISTINCT r.role_arn AS role_arn, 'assumed' AS basis
  FROM roles AS r
  JOIN assumed AS c
    ON c.role_arn = r.role_arn
    OR (NOT r.path_known AND split_part(c.role_arn, ':role/', 1) || ':role/' || regexp_extract(c.role_arn, '[^/]+\z') = r.role_arn)
  UNION
  SELECT DISTINCT r.role_arn AS role_arn, 'name' AS basis
  FROM roles AS r
  WHERE regexp_like(r.role_arn, ':role/(.*/)?(AmazonBedrockExecutionRoleFor|AmazonBedrockAgentCore|AgentCore-)[^/]*\z')
),
bases AS (
  SELECT role_arn AS role_arn, array_join(array_agg(basis ORDER BY basis), ' ') AS role_basis
  FROM execution_roles
  GROUP BY role_arn
),
-- Only of these roles, before anything is grouped: most records are of none.
by_role AS (
  SELECT
    account_id AS account_id,
    e.role_arn AS role_arn,
    -- Some records write a service's name for one of its endpoints.
    CASE
      WHEN event_source IN (
        'bedrock-agent-runtime.amazonaws.com', 'bedrock-agent.amazonaws.com', 'bedrock-data-automation.amazonaws.com',
        'bedrock-runtime.amazonaws.com'
      ) THEN 'bedrock.amazonaws.com'
      WHEN event_source = 'bedrock-agentcore-control.amazonaws.com' THEN 'bedrock-agentcore.amazonaws.com'
      ELSE event_source
    END AS event_source,
    regexp_replace(event_name, '[0-9]{8}(v[0-9]+)?\z', '') AS event_name,
    read_only AS read_only,
    error_code AS error_code,
    session_name AS session_name,
    aws_region AS aws_region,
    COUNT(*) AS calls,
    COUNT(*) FILTER (WHERE outcome = 'ok') AS ok,
    COUNT(*) FILTER (WHERE outcome = 'denied') AS denied,
    MIN(event_time) AS first_seen,
    MAX(event_time) AS last_seen
  FROM bases AS b
  JOIN events AS e ON e.role_arn = b.role_arn
  WHERE e.record_kind = 'api_call'
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
),
role_agents AS (
  SELECT DISTINCT r.role_arn AS role_arn, p.agent AS agent
  FROM bases AS r
  JOIN policy_agent AS p ON regexp_like(r.role_arn, p.execution_role_re)
),
agent_names AS (
  SELECT role_arn AS role_arn, array_join(array_agg(agent ORDER BY agent), ' ') AS agents
  FROM role_agents
  GROUP BY role_arn
),
actions AS (
  SELECT DISTINCT
    c.role_arn AS role_arn,
    regexp_replace(c.event_source, '[.]amazonaws[.]com\z', '') AS service,
    c.event_name AS event_name
  FROM by_role AS c
),
forbidden AS (
  SELECT DISTINCT a.role_arn AS role_arn, a.service AS service, a.event_name AS event_name
  FROM actions AS a
  JOIN role_agents AS r ON r.role_arn = a.role_arn
  JOIN policy_agent_deny_action AS d
    ON d.agent = r.agent
    AND regexp_like(a.service || ':' || a.event_name, d.action_re)
),
listed AS (
  SELECT DISTINCT r.role_arn AS role_arn, s.service AS service
  FROM role_agents AS r
  JOIN policy_agent_service AS s ON s.agent = r.agent
),
with_lists AS (
  SELECT role_arn AS role_arn, COUNT(*) AS services
  FROM listed
  GROUP BY role_arn
),
parts AS (
  SELECT
    c.account_id AS account_id,
    c.role_arn AS role_arn,
    c.event_source AS event_source,
    c.event_name AS event_name,
    c.error_code AS error_code,
    c.session_name AS session_name,
    c.aws_region AS aws_region,
    CASE
      WHEN GROUPING(c.error_code) = 0 THEN 1
      WHEN GROUPING(c.session_name) = 0 THEN 2
      WHEN GROUPING(c.aws_region) = 0 THEN 3
    END AS part,
    -- One record that says it writes makes the action one that writes.
    MIN(CASE WHEN c.read_only THEN 1 ELSE 0 END) AS reads,
    SUM(c.calls) AS calls,
    SUM(c.ok) AS ok,
    SUM(c.denied) AS denied,
    MIN(c.first_seen) AS first_seen,
    MAX(c.last_seen) AS last_seen
  FROM by_role AS c
  GROUP BY GROUPING SETS (
    (c.account_id, c.role_arn, c.event_source, c.event_name, c.error_code),
    (c.account_id, c.role_arn, c.event_source, c.event_name, c.session_name),
    (c.account_id, c.role_arn, c.event_source, c.event_name, c.aws_region)
  )
),
lines AS (
  SELECT
    account_id AS account_id,
    role_arn AS role_arn,
    regexp_replace(event_source, '[.]amazonaws[.]com\z', '') AS service,
    event_name AS event_name,
    MIN(reads) AS reads,
    CAST(SUM(calls) FILTER (WHERE part = 1) AS BIGINT) AS calls,
    CAST(SUM(ok) FILTER (WHERE part = 1) AS BIGINT) AS ok,
    CAST(SUM(denied) FILTER (WHERE part = 1) AS BIGINT) AS denied,
    array_join(
      array_agg(error_code ORDER BY error_code) FILTER (WHERE part = 1 AND error_code IS NOT NULL), ' '
    ) AS error_codes,
    CAST(COUNT(session_name) FILTER (WHERE part = 2) AS BIGINT) AS sessions,
    array_join(
      array_agg(aws_region ORDER BY aws_region) FILTER (WHERE part = 3 AND aws_region IS NOT NULL), ' '
    ) AS aws_regions,
    MIN(first_seen) AS first_seen,
    MAX(last_seen) AS last_seen
  FROM parts
  GROUP BY account_id, role_arn, event_source, event_name
),
-- Roles of the policy of which no call at all was kept stand in a line of their own.
silent AS (
  SELECT
    p.execution_role_pattern AS role_arn,
    array_join(array_agg(DISTINCT p.agent ORDER BY p.agent), ' ') AS agents
  FROM policy_agent AS p
  LEFT JOIN (
    SELECT DISTINCT q.execution_role_pattern AS execution_role_pattern
    FROM policy_agent AS q
    JOIN roles AS r ON regexp_like(r.role_arn, q.execution_role_re)
  ) AS heard ON heard.execution_role_pattern = p.execution_role_pattern
  WHERE p.execution_role_pattern IS NOT NULL
    AND heard.execution_role_pattern IS NULL
  GROUP BY p.execution_role_pattern
),
told AS (
  SELECT
    l.account_id AS account_id,
    l.role_arn AS role_arn,
    b.role_basis AS role_basis,
    n.agents AS agents,
    l.service AS service,
    l.event_name AS event_name,
    CASE
      WHEN regexp_like(
        l.event_name,
        '\A((Batch)?(Delete|Terminate|Stop|Disable|Detach|Remove|Revoke|Purge|Reset|Cancel|Deregister|Disassociate|Archive|Deactivate|Drop|Destroy|Reboot|Suspend|Close|Leave)|Schedule[A-Za-z]*Deletion|PutBucketLifecycle)'
      ) THEN 'destructive'
      WHEN l.service = 'iam' AND l.reads = 0 THEN 'privilege'
      WHEN l.service = 'sts' AND regexp_like(l.event_name, '\A(AssumeRole|GetFederationToken)') THEN 'privilege'
      WHEN regexp_like(l.event_name, '\A((Put|Create|Update|Set|Attach).*Policy|CreateGrant|AddPermission|AuthorizeSecurityGroup|Put(Bucket|Object)Acl|PutBucketPublicAccessBlock|Modify(Image|Snapshot|DBSnapshot)Attribute)')
        THEN 'privilege'
      WHEN l.reads = 1 THEN 'read'
      ELSE 'write'
    END AS effect,
    CASE
      WHEN f.role_arn IS NOT NULL THEN 'forbidden'
      WHEN w.role_arn IS NULL THEN 'not_assessed'
      WHEN s.role_arn IS NULL THEN 'unlisted'
      ELSE 'listed'
    END AS policy_says,
    l.calls AS calls,
    l.ok AS ok,
    l.denied AS denied,
    l.error_codes AS error_codes,
    l.sessions AS sessions,
    l.aws_regions AS aws_regions,
    l.first_seen AS first_seen,
    l.last_seen AS last_seen
  FROM lines AS l
  JOIN bases AS b ON b.role_arn = l.role_arn
  LEFT JOIN agent_names AS n ON n.role_arn = l.role_arn
  LEFT JOIN forbidden AS f ON f.role_arn = l.role_arn AND f.service = l.service AND f.event_name = l.event_name
  LEFT JOIN with_lists AS w ON w.role_arn = l.role_arn
  LEFT JOIN listed AS s ON s.role_arn = l.role_arn AND s.service = l.service
  UNION ALL
  SELECT
    CAST(NULL AS VARCHAR) AS account_id,
    s.role_arn AS role_arn,
    'policy' AS role_basis,
    s.agents AS agents,
    CAST(NULL AS VARCHAR) AS service,
    CAST(NULL AS VARCHAR) AS event_name,
    CAST(NULL AS VARCHAR) AS effect,
    'not_assessed' AS policy_says,
    CAST(0 AS BIGINT) AS calls,
    CAST(0 AS BIGINT) AS ok,
    CAST(0 AS BIGINT) AS denied,
    CAST(NULL AS VARCHAR) AS error_codes,
    CAST(0 AS BIGINT) AS sessions,
    CAST(NULL AS VARCHAR) AS aws_regions,
    CAST(NULL AS TIMESTAMP) AS first_seen,
    CAST(NULL AS TIMESTAMP) AS last_seen
  FROM silent AS s
)
SELECT
  t.account_id AS account_id,
  t.role_arn AS role_arn,
  t.role_basis AS role_basis,
  t.agents AS agents,
  t.service AS service,
  t.service || ':' || t.event_name AS action,
  t.effect AS effect,
  CASE
    WHEN t.calls = 0 THEN NULL
    WHEN t.ok > 0 THEN 'passed'
    WHEN t.denied = t.calls THEN 'stopped'
    ELSE 'failed'
  END AS boundary,
  t.policy_says AS policy_says,
  t.calls AS calls,
  t.ok AS ok,
  t.denied AS denied,
  t.calls - t.ok - t.denied AS other,
  NULLIF(t.error_codes, '') AS error_codes,
  t.sessions AS sessions,
  t.aws_regions AS aws_regions,
  t.first_seen AS first_seen,
  t.last_seen AS last_seen,
  CASE
    WHEN r.scope = 'agents' AND strpos(t.role_basis, 'policy') > 0 THEN
      'every record of this role that was read, whatever the service'
    WHEN r.scope = 'agents' THEN
      'records of Bedrock and of what it does for the role; all others only if this role was known as an agent''s when they were read'
    ELSE 'records of Bedrock and of what it does for the role only: its own calls to other services were not kept'
  END AS kept
FROM told AS t
CROSS JOIN run AS r
ORDER BY
  CASE
    WHEN t.effect = 'destructive' THEN 1
    WHEN t.effect = 'privilege' THEN 2
    WHEN t.effect = 'write' THEN 3
    WHEN t.effect = 'read' THEN 4
    ELSE 5
  END ASC,
  t.role_arn ASC NULLS LAST,
  t.service ASC NULLS LAST,
  t.event_name ASC NULLS LAST,
  t.account_id ASC NULLS LAST
