-- title = "An agent's credentials were used outside the agent's runtime"
-- severity = "critical"
-- kind = "row"
-- needs = ["policy_agent"]
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "environment", "principal", "role_arn",
--   "outcome", "invoked_by", "source_ip", "source_kind", "vpc_endpoint_id", "user_agent", "client", "aws_region",
--   "record_kind",
-- ]
-- attack = ["T1552.005"]
-- attack_old = []
-- atlas = ["AML.T0083"]
-- why = """\
-- The execution role's credentials lie inside the agent's runtime, where a hostile prompt or package can read and send \
-- them out. Then they work from anywhere until they end. The rule takes calls by execution roles of [[agent]] entries \
-- that no AWS service made. A call through a listed VPC endpoint or from a listed network (vpc_endpoints and \
-- source_cidrs of the environment) passes. Else it is a finding if the client is one that people use by hand, such as \
-- the AWS CLI or a browser; if the policy lists runtime_agents and the user agent is none of them; or if it came from a \
-- public address while the environment lists networks. A runtime's user agent does not clear a call, for the caller \
-- chooses it: from a public address that nothing lists, the call is not assessed. Other calls from private addresses \
-- pass."""
-- fix = """\
-- End the role's sessions (revoke older sessions in IAM), find out from which runtime session the credentials came, and \
-- read what was done with them. Bind the role to its network with aws:SourceVpce or aws:SourceVpc. If the address is \
-- the runtime's own way out, add it to source_cidrs."""
-- false_positives = """\
-- A developer who assumes the role to test: forbid it or use another role. A runtime in public network mode whose \
-- addresses the policy does not list."""
--
-- [controls]
-- "NIST SP 800-53" = ["AC-3", "SC-7"]
-- "SOC 2" = ["CC6.1"]
--
-- [parameters.by_hand]
-- type = "list"
-- default = ["aws-cli", "browser", "cloudshell", "console", "claude-code", "codex-cli", "terraform"]
-- meaning = "Clients that no agent's runtime is, as in events.client."

WITH role_calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_source AS event_source,
    event_name AS event_name,
    account_id AS account_id,
    environment AS environment,
    aws_region AS aws_region,
    principal AS principal,
    role_arn AS role_arn,
    outcome AS outcome,
    source_ip AS source_ip,
    source_kind AS source_kind,
    vpc_endpoint_id AS vpc_endpoint_id,
    user_agent AS user_agent,
    COALESCE(client IN ($by_hand), FALSE) AS by_hand
  FROM events
  WHERE record_kind = 'api_call'
    AND role_arn IS NOT NULL
    AND invoked_by IS NULL
    AND COALESCE(source_kind, '') NOT IN ('aws_service', 'aws_internal')
),
agent_roles AS (
  SELECT u.role_arn AS role_arn, MIN(a.agent) AS agent
  FROM (SELECT DISTINCT role_arn AS role_arn FROM role_calls) AS u
  JOIN policy_agent AS a ON regexp_like(u.role_arn, a.execution_role_re)
  GROUP BY u.role_arn
),
calls AS (
  SELECT
    c.event_id AS event_id,
    c.event_time AS event_time,
    c.event_source AS event_source,
    c.event_name AS event_name,
    c.account_id AS account_id,
    c.environment AS environment,
    c.aws_region AS aws_region,
    c.principal AS principal,
    c.outcome AS outcome,
    c.source_ip AS source_ip,
    c.source_kind AS source_kind,
    c.vpc_endpoint_id AS vpc_endpoint_id,
    c.user_agent AS user_agent,
    c.by_hand AS by_hand,
    r.agent AS agent
  FROM role_calls AS c
  JOIN agent_roles AS r ON r.role_arn = c.role_arn
),
texts AS (
  SELECT DISTINCT source_ip AS address, lower(trim(source_ip)) AS plain
  FROM calls
  WHERE source_kind IN ('public', 'private')
  UNION
  SELECT DISTINCT split_part(cidr, '/', 1) AS address, lower(trim(split_part(cidr, '/', 1))) AS plain
  FROM policy_cidr
),
-- An IPv4 address in IPv6 clothes is an IPv4 address.
unmapped AS (
  SELECT
    address AS address,
    CASE
      WHEN starts_with(plain, '::ffff:') AND strpos(plain, '.') > 0 THEN substr(plain, 8)
      ELSE plain
    END AS plain
  FROM texts
),
octets AS (
  SELECT
    address AS address,
    CAST(split_part(plain, '.', 1) AS BIGINT) AS o1,
    CAST(split_part(plain, '.', 2) AS BIGINT) AS o2,
    CAST(split_part(plain, '.', 3) AS BIGINT) AS o3,
    CAST(split_part(plain, '.', 4) AS BIGINT) AS o4
  FROM unmapped
  WHERE regexp_like(plain, '\A[0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}\z')
),
-- '::' stands for as many groups of zeros as are missing from eight.
full_groups AS (
  SELECT
    address AS address,
    CASE
      WHEN strpos(plain, '::') = 0 THEN plain
      ELSE CASE WHEN starts_with(plain, '::') THEN '0' ELSE split_part(plain, '::', 1) END
        || substr(
          ':0:0:0:0:0:0:0:0', 1,
          2 * (
            8
            - CASE
              WHEN starts_with(plain, '::') THEN 1
              ELSE 1 + length(split_part(plain, '::', 1)) - length(replace(split_part(plain, '::', 1), ':', ''))
            END
            - CASE
              WHEN split_part(plain, '::', 2) = '' THEN 0
              ELSE 1 + length(split_part(plain, '::', 2)) - length(replace(split_part(plain, '::', 2), ':', ''))
            END
          )
        )
        || CASE WHEN split_part(plain, '::', 2) = '' THEN '' ELSE ':' || split_part(plain, '::', 2) END
    END AS plain
  FROM unmapped
  WHERE regexp_like(plain, '\A[0-9a-f:]*:[0-9a-f:]*\z')
),
-- Every address in hexadecimal digits, four bits each: eight of them for IPv4, thirty-two for IPv6.
digits AS (
  SELECT
    address AS address,
    substr('0123456789abcdef', o1 / 16 + 1, 1) || substr('0123456789abcdef', o1 - (o1 / 16) * 16 + 1, 1)
      || substr('0123456789abcdef', o2 / 16 + 1, 1) || substr('0123456789abcdef', o2 - (o2 / 16) * 16 + 1, 1)
      || substr('0123456789abcdef', o3 / 16 + 1, 1) || substr('0123456789abcdef', o3 - (o3 / 16) * 16 + 1, 1)
      || substr('0123456789abcdef', o4 / 16 + 1, 1) || substr('0123456789abcdef', o4 - (o4 / 16) * 16 + 1, 1)
      AS hex
  FROM octets
  UNION ALL
  SELECT
    address AS address,
    substr('0000' || split_part(plain, ':', 1), length(split_part(plain, ':', 1)) + 1)
      || substr('0000' || split_part(plain, ':', 2), length(split_part(plain, ':', 2)) + 1)
      || substr('0000' || split_part(plain, ':', 3), length(split_part(plain, ':', 3)) + 1)
      || substr('0000' || split_part(plain, ':', 4), length(split_part(plain, ':', 4)) + 1)
      || substr('0000' || split_part(plain, ':', 5), length(split_part(plain, ':', 5)) + 1)
      || substr('0000' || split_part(plain, ':', 6), length(split_part(plain, ':', 6)) + 1)
      || substr('0000' || split_part(plain, ':', 7), length(split_part(plain, ':', 7)) + 1)
      || substr('0000' || split_part(plain, ':', 8), length(split_part(plain, ':', 8)) + 1)
      AS hex
  FROM full_groups
),
networks AS (
  SELECT
    p.environment AS environment,
    d.hex AS hex,
    CAST(COALESCE(NULLIF(split_part(p.cidr, '/', 2), ''), CAST(4 * length(d.hex) AS VARCHAR)) AS BIGINT) AS bits
  FROM policy_cidr AS p
  JOIN digits AS d ON d.address = split_part(p.cidr, '/', 1)
),
inside AS (
  SELECT DISTINCT c.environment AS environment, c.source_ip AS source_ip
  FROM (SELECT DISTINCT environment AS environment, source_ip AS source_ip FROM calls) AS c
  JOIN digits AS d ON d.address = c.source_ip
  JOIN networks AS n
    ON n.environment = c.environment
    AND length(n.hex) = length(d.hex)
    -- Whole digits first, then the bits that are left of the next one.
    AND substr(n.hex, 1, n.bits / 4) = substr(d.hex, 1, n.bits / 4)
    AND CASE
      WHEN n.bits - (n.bits / 4) * 4 = 0 THEN TRUE
      WHEN n.bits - (n.bits / 4) * 4 = 1 THEN
        (strpos('0123456789abcdef', substr(n.hex, n.bits / 4 + 1, 1)) - 1) / 8
        = (strpos('0123456789abcdef', substr(d.hex, n.bits / 4 + 1, 1)) - 1) / 8
      WHEN n.bits - (n.bits / 4) * 4 = 2 THEN
        (strpos('0123456789abcdef', substr(n.hex, n.bits / 4 + 1, 1)) - 1) / 4
        = (strpos('0123456789abcdef', substr(d.hex, n.bits / 4 + 1, 1)) - 1) / 4
      ELSE
        (strpos('0123456789abcdef', substr(n.hex, n.bits / 4 + 1, 1)) - 1) / 2
        = (strpos('0123456789abcdef', substr(d.hex, n.bits / 4 + 1, 1)) - 1) / 2
    END
),
endpoints AS (
  SELECT DISTINCT c.environment AS environment, c.vpc_endpoint_id AS vpc_endpoint_id
  FROM (SELECT DISTINCT environment AS environment, vpc_endpoint_id AS vpc_endpoint_id FROM calls) AS c
  JOIN policy_vpc_endpoint AS p
    ON p.environment = c.environment
    AND regexp_like(c.vpc_endpoint_id, p.endpoint_re)
),
runtimes AS (
  SELECT DISTINCT c.user_agent AS user_agent
  FROM (SELECT DISTINCT user_agent AS user_agent FROM calls) AS c
  JOIN policy_runtime_agent AS p ON regexp_like(c.user_agent, p.pattern_re)
),
configured AS (
  SELECT COUNT(*) AS runtime_agents
  FROM policy_runtime_agent
),
networked AS (
  SELECT DISTINCT environment AS environment
  FROM policy_cidr
),
weighed AS (
  SELECT
    c.event_id AS event_id,
    c.event_time AS event_time,
    c.event_source AS event_source,
    c.event_name AS event_name,
    c.account_id AS account_id,
    c.aws_region AS aws_region,
    c.principal AS principal,
    c.outcome AS outcome,
    c.source_ip AS source_ip,
    c.vpc_endpoint_id AS vpc_endpoint_id,
    c.user_agent AS user_agent,
    c.agent AS agent,
    CASE
      WHEN i.source_ip IS NOT NULL OR v.vpc_endpoint_id IS NOT NULL THEN 'listed'
      WHEN c.by_hand THEN 'by hand'
      WHEN k.runtime_agents > 0 AND c.user_agent IS NOT NULL AND u.user_agent IS NULL THEN 'other client'
      WHEN c.source_kind = 'public' AND u.user_agent IS NOT NULL THEN 'runtime at large'
      WHEN c.source_kind = 'public' AND n.environment IS NOT NULL THEN 'other network'
      WHEN c.source_kind = 'public' THEN 'nothing listed'
      WHEN c.source_kind IS NULL THEN 'address not readable'
      ELSE 'private'
    END AS finding
  FROM calls AS c
  CROSS JOIN configured AS k
  LEFT JOIN inside AS i ON i.environment = c.environment AND i.source_ip = c.source_ip
  LEFT JOIN endpoints AS v ON v.environment = c.environment AND v.vpc_endpoint_id = c.vpc_endpoint_id
  LEFT JOIN runtimes AS u ON u.user_agent = c.user_agent
  LEFT JOIN networked AS n ON n.environment = c.environment
)
SELECT
  CASE
    WHEN finding IN ('listed', 'private') THEN 'pass'
    WHEN finding IN ('by hand', 'other client', 'other network') THEN 'violation'
    ELSE 'not_assessed'
  END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  COALESCE(source_ip, 'address not recorded') || CASE
    WHEN finding = 'by hand' THEN ' by hand'
    WHEN finding = 'other client' THEN ' other client'
    ELSE ''
  END AS subject,
  CASE
    WHEN finding = 'by hand' THEN 'a client that people use by hand holds the credentials of agent ' || agent
    WHEN finding = 'other client' THEN 'the user agent is none of runtime_agents'
    WHEN finding = 'other network' THEN 'the call came from a public address outside the listed networks'
    WHEN finding = 'runtime at large' THEN 'the user agent is a runtime''s, but nothing lists the public address it came from'
    WHEN finding = 'nothing listed' THEN 'the policy lists neither networks nor runtime_agents to compare with'
    ELSE 'the source is not a readable address'
  END AS reason,
  'calls from the runtime of agent ' || agent AS expected,
  event_name || ' of ' || event_source || ' from ' || COALESCE(source_ip, 'no address')
    || COALESCE(' through ' || vpc_endpoint_id, '') || COALESCE(' with ' || user_agent, '') AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome,
  CASE WHEN outcome = 'ok' THEN 'critical' WHEN outcome = 'denied' THEN 'high' ELSE 'medium' END AS severity
FROM weighed
