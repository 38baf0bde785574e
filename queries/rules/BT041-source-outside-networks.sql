-- title = "A call came from outside the allowed networks"
-- severity = "high"
-- kind = "row"
-- needs = ["policy_cidr"]
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "surface", "outcome", "invoked_by",
--   "source_ip", "source_kind", "aws_region", "record_kind",
-- ]
-- attack = ["T1078.004"]
-- attack_old = []
-- atlas = []
-- why = """\
-- Stolen credentials are used from elsewhere: a home line, a hosting company, another cloud. Where an environment \
-- lists source_cidrs, calls from public addresses have to come from these networks. The rule judges calls of the \
-- Bedrock family from public IPv4 and IPv6 addresses: both are written out in full and compared bit by bit. Private \
-- addresses come through a VPC endpoint and are a matter of BT040; calls that an AWS service makes show the service's \
-- name instead of an address and are left out. An address that is masked in the record is not assessed. A call that \
-- succeeded is high, a refused one medium, any other low."""
-- fix = """\
-- If the network is yours, add it to the environment's source_cidrs. If not, treat the credential as stolen: end its \
-- sessions, replace the key, and read everything that the principal did from that address on."""
-- false_positives = """\
-- A new NAT gateway, office line or VPN exit. People on the road, where the policy lists office networks only. A \
-- software service that holds a role in the account on purpose."""
--
-- [controls]
-- "NIST SP 800-53" = ["SC-7"]
-- "SOC 2" = ["CC6.6"]

WITH listed AS (
  SELECT
    environment AS environment,
    array_join(array_agg(DISTINCT cidr ORDER BY cidr), ' ') AS networks
  FROM policy_cidr
  GROUP BY environment
),
calls AS (
  SELECT
    e.event_id AS event_id,
    e.event_time AS event_time,
    e.account_id AS account_id,
    e.environment AS environment,
    e.principal AS principal,
    e.outcome AS outcome,
    e.aws_region AS aws_region,
    e.source_kind AS source_kind,
    e.source_ip AS source_ip,
    l.networks AS networks
  FROM events AS e
  LEFT JOIN listed AS l ON l.environment = e.environment
  WHERE e.record_kind = 'api_call'
    AND e.surface IN ('runtime', 'mantle', 'agents', 'agentcore', 'gateway', 'control')
    AND e.invoked_by IS NULL
    AND e.source_ip IS NOT NULL
    AND COALESCE(e.source_kind, 'unreadable') IN ('public', 'unreadable')
    AND (l.environment IS NOT NULL OR e.environment IS NULL)
),
-- Addresses of calls, and network addresses of the policy, each once.
texts AS (
  SELECT DISTINCT source_ip AS address, lower(trim(source_ip)) AS plain
  FROM calls
  WHERE source_kind = 'public'
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
)
SELECT
  CASE
    WHEN c.environment IS NULL OR c.source_kind IS NULL THEN 'not_assessed'
    WHEN i.source_ip IS NULL THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  c.source_ip AS subject,
  CASE
    WHEN c.environment IS NULL THEN 'the account is in no environment of the policy'
    WHEN c.source_kind IS NULL THEN 'the source is not a readable address'
    ELSE 'the address is in none of the networks of environment ' || c.environment
  END AS reason,
  COALESCE('from one of ' || c.networks, 'an environment for the account') AS expected,
  'called from ' || c.source_ip AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome,
  CASE WHEN c.outcome = 'ok' THEN 'high' WHEN c.outcome = 'denied' THEN 'medium' ELSE 'low' END AS severity
FROM calls AS c
LEFT JOIN inside AS i ON i.environment = c.environment AND i.source_ip = c.source_ip
