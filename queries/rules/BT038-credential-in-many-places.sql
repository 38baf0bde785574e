-- title = "One credential was used from many networks within a day"
-- severity = "high"
-- kind = "window"
-- needs = []
-- columns = [
--   "event_id", "event_time", "account_id", "principal", "principal_type", "access_key_id", "credential", "source_ip",
--   "source_kind", "invoked_by", "outcome", "aws_region", "record_kind",
-- ]
-- attack = ["T1078.004"]
-- attack_old = []
-- atlas = ["AML.T0091.000"]
-- why = """\
-- A stolen key is sold and shared: soon it is used from many places at once. The rule takes each access key (that of \
-- a session, too) and each user of an API key, and counts the public addresses and the networks (/16 of IPv4, /32 of \
-- IPv6) it was used from within any stretch of 24 whole hours. At least max_ips addresses in at least max_nets \
-- networks is a violation, and the events of those hours are its evidence. Every kept record with a public source \
-- address counts, whatever its outcome; calls from a VPC endpoint and by AWS services do not. A call that names no \
-- access key, by a caller that is no IAM user, is not assessed: many people may stand behind such a caller."""
-- fix = """\
-- Revoke the sessions or delete the key at once, and read what it did from each address. Bind keys to networks \
-- with aws:SourceIp, aws:SourceVpc or a VPC endpoint policy."""
-- false_positives = """\
-- People who travel, or whose telephone and VPN take turns. Workloads that leave through a pool of many NAT \
-- addresses or a proxy service: raise max_nets, or waive their principal."""
--
-- [controls]
-- "SOC 2" = ["CC7.2"]
--
-- [parameters.max_ips]
-- type = "int"
-- default = 3
-- meaning = "From this many addresses on a credential is reported."
--
-- [parameters.max_nets]
-- type = "int"
-- default = 3
-- meaning = "From this many networks on a credential is reported; both numbers must be reached."

WITH calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    date_trunc('hour', event_time) AS hour_start,
    source_ip AS source_ip,
    CASE
      WHEN strpos(source_ip, ':') > 0 THEN split_part(source_ip, ':', 1) || ':' || split_part(source_ip, ':', 2)
      ELSE split_part(source_ip, '.', 1) || '.' || split_part(source_ip, '.', 2)
    END AS network,
    CASE
      WHEN access_key_id IS NOT NULL THEN access_key_id
      WHEN principal_type = 'IAMUser' THEN principal
    END AS credential_key
  FROM events
  WHERE record_kind = 'api_call'
    AND source_kind = 'public'
    AND invoked_by IS NULL
    AND COALESCE(credential, '') NOT IN ('jwt', 'none', 'service')
),
-- All that follows is about the few credentials that could reach both numbers at all.
candidates AS (
  SELECT credential_key AS credential_key
  FROM (
    SELECT credential_key AS credential_key, network AS network, COUNT(*) AS addresses
    FROM (
      SELECT DISTINCT credential_key AS credential_key, network AS network, source_ip AS source_ip
      FROM calls
      WHERE credential_key IS NOT NULL
    ) AS places
    GROUP BY credential_key, network
  ) AS networks
  GROUP BY credential_key
  HAVING COUNT(*) >= $max_nets AND SUM(addresses) >= $max_ips
),
hours AS (
  SELECT DISTINCT
    c.credential_key AS credential_key, c.hour_start AS hour_start, c.network AS network, c.source_ip AS source_ip
  FROM candidates AS k
  JOIN calls AS c ON c.credential_key = k.credential_key
),
offsets AS (
  SELECT later AS later
  FROM (
    VALUES
      (INTERVAL '0' HOUR), (INTERVAL '1' HOUR), (INTERVAL '2' HOUR), (INTERVAL '3' HOUR), (INTERVAL '4' HOUR),
      (INTERVAL '5' HOUR), (INTERVAL '6' HOUR), (INTERVAL '7' HOUR), (INTERVAL '8' HOUR), (INTERVAL '9' HOUR),
      (INTERVAL '10' HOUR), (INTERVAL '11' HOUR), (INTERVAL '12' HOUR), (INTERVAL '13' HOUR), (INTERVAL '14' HOUR),
      (INTERVAL '15' HOUR), (INTERVAL '16' HOUR), (INTERVAL '17' HOUR), (INTERVAL '18' HOUR), (INTERVAL '19' HOUR),
      (INTERVAL '20' HOUR), (INTERVAL '21' HOUR), (INTERVAL '22' HOUR), (INTERVAL '23' HOUR)
  ) AS numbers (later)
),
-- An hour takes part in the stretches that end with it and with each of the 23 hours after it.
stretches AS (
  SELECT DISTINCT
    h.credential_key AS credential_key,
    h.hour_start AS hour_start,
    h.network AS network,
    h.source_ip AS source_ip,
    h.hour_start + o.later AS last_hour
  FROM hours AS h
  CROSS JOIN offsets AS o
),
counted AS (
  SELECT
    credential_key AS credential_key, last_hour AS last_hour, COUNT(*) AS networks, SUM(addresses) AS addresses
  FROM (
    SELECT credential_key AS credential_key, last_hour AS last_hour, network AS network, COUNT(*) AS addresses
    FROM (
      SELECT DISTINCT
        credential_key AS credential_key, last_hour AS last_hour, network AS network, source_ip AS source_ip
      FROM stretches
    ) AS places
    GROUP BY credential_key, last_hour, network
  ) AS networks
  GROUP BY credential_key, last_hour
  HAVING COUNT(*) >= $max_nets AND SUM(addresses) >= $max_ips
),
peaks AS (
  SELECT credential_key AS credential_key, MAX(networks) AS networks, MAX(addresses) AS addresses
  FROM counted
  GROUP BY credential_key
),
flagged AS (
  SELECT DISTINCT s.credential_key AS credential_key, s.hour_start AS hour_start
  FROM counted AS c
  JOIN stretches AS s ON s.credential_key = c.credential_key AND s.last_hour = c.last_hour
)
SELECT
  CASE
    WHEN c.credential_key IS NULL THEN 'not_assessed'
    WHEN f.credential_key IS NOT NULL THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  COALESCE(c.credential_key, 'access key not recorded') AS subject,
  CASE
    WHEN c.credential_key IS NULL THEN 'the record names no access key'
    ELSE 'one credential was used from many networks within 24 hours'
  END AS reason,
  'fewer than ' || CAST($max_ips AS VARCHAR) || ' addresses or fewer than ' || CAST($max_nets AS VARCHAR)
    || ' networks in 24 hours' AS expected,
  CASE
    WHEN f.credential_key IS NOT NULL THEN 'up to ' || CAST(p.addresses AS VARCHAR) || ' addresses in '
      || CAST(p.networks AS VARCHAR) || ' networks in 24 hours'
    ELSE 'calls from public addresses'
  END AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome
FROM calls AS c
LEFT JOIN flagged AS f ON f.credential_key = c.credential_key AND f.hour_start = c.hour_start
LEFT JOIN peaks AS p ON p.credential_key = c.credential_key
