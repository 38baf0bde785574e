-- title = "A gateway was opened to everybody, or refuses one address again and again"
-- severity = "high"
-- kind = "window"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "outcome", "gateway_arn",
--   "gateway_status", "source_ip", "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = ["T1190"]
-- attack_old = []
-- atlas = ["AML.T0049"]
-- why = """\
-- An AgentCore gateway hands tools to whoever passes its authorizer. With authorizerType NONE everybody passes. The \
-- rule finds gateways that are created or updated so: success is high, a refused attempt medium, any other low; a \
-- record that does not show the authorizer is not assessed. It also finds an address whose calls a gateway answers \
-- with status 401 or 403 as often as `failures` says within `minutes`: somebody tries keys or tokens, or one expired \
-- (medium). The population is all such changes and all calls of gateways that name an address."""
-- fix = """\
-- Set the authorizer to CUSTOM_JWT or AWS_IAM and read the calls made meanwhile. For failing calls, find out whose \
-- address it is: renew the client's token, or block the address in front of the gateway."""
-- false_positives = """\
-- A token that expired: many failures from one known client, then success. Several clients behind one NAT address. A \
-- gateway for public tools that is open on purpose: write a waiver."""
--
-- [controls]
-- "NIST SP 800-53" = ["IA-2", "SC-7"]
-- "PCI DSS" = ["7.2"]
-- "SOC 2" = ["CC6.1"]
--
-- [parameters.failures]
-- type = "int"
-- default = 5
-- meaning = "Calls with status 401 or 403 from one address that make a finding."
--
-- [parameters.minutes]
-- type = "int"
-- default = 5
-- meaning = "Minutes within which they fall."

WITH gateway_events AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    COALESCE(account_id, '') AS account_key,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    event_name IN ('CreateGateway', 'UpdateGateway') AS is_change,
    COALESCE(gateway_status IN (401, 403), FALSE) OR outcome = 'denied' AS refused,
    source_ip AS source_ip,
    json_extract_scalar(request_parameters, '$.authorizerType') AS authorizer,
    COALESCE(
      json_extract_scalar(request_parameters, '$.gatewayIdentifier'),
      gateway_arn,
      json_extract_scalar(request_parameters, '$.name'),
      'gateway not named'
    ) AS gateway
  FROM events
  WHERE record_kind = 'api_call'
    AND event_source IN ('bedrock-agentcore.amazonaws.com', 'bedrock-agentcore-control.amazonaws.com')
    AND (
      event_name IN ('CreateGateway', 'UpdateGateway')
      OR (event_name IN ('InvokeGateway', 'InvokeMcp') AND source_ip IS NOT NULL)
    )
),
numbered AS (
  SELECT
    event_id AS event_id, event_time AS event_time, account_key AS account_key, source_ip AS source_ip,
    ROW_NUMBER() OVER (PARTITION BY account_key, source_ip ORDER BY event_time ASC, event_id ASC) AS place
  FROM gateway_events
  WHERE NOT is_change
    AND refused
),
-- Where a run of failures begins: the last one of it is near enough.
runs AS (
  SELECT a.account_key AS account_key, a.source_ip AS source_ip, a.place AS place
  FROM numbered AS a
  JOIN numbered AS z
    ON z.account_key = a.account_key
    AND z.source_ip = a.source_ip
    AND z.place = a.place + $failures - 1
  WHERE z.event_time <= date_add('minute', $minutes, a.event_time)
),
in_run AS (
  SELECT event_id AS event_id
  FROM (
    SELECT
      n.event_id AS event_id,
      n.place AS place,
      MAX(r.place) OVER (
        PARTITION BY n.account_key, n.source_ip
        ORDER BY n.place ASC
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS last_run
    FROM numbered AS n
    LEFT JOIN runs AS r
      ON r.account_key = n.account_key
      AND r.source_ip = n.source_ip
      AND r.place = n.place
  ) AS x
  WHERE x.place < x.last_run + $failures
)
SELECT
  CASE
    WHEN g.is_change AND g.authorizer = 'NONE' THEN 'violation'
    WHEN g.is_change AND g.authorizer IS NULL THEN 'not_assessed'
    WHEN i.event_id IS NOT NULL THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  g.account_id AS account_id,
  g.aws_region AS aws_region,
  g.principal AS principal,
  CASE WHEN g.is_change THEN g.gateway ELSE 'refused calls from ' || g.source_ip END || ' '
    || COALESCE(g.aws_region, 'Region not recorded') AS subject,
  CASE
    WHEN g.is_change AND g.authorizer IS NULL THEN 'the record does not show the authorizer'
    WHEN g.is_change AND g.outcome = 'denied' THEN 'an attempt to run the gateway without an authorizer was refused'
    WHEN g.is_change AND g.outcome <> 'ok' THEN 'an attempt to run the gateway without an authorizer failed'
    WHEN g.is_change THEN 'the gateway lets everybody in'
    ELSE 'the gateway refused one address again and again'
  END AS reason,
  CASE
    WHEN g.is_change THEN 'an authorizer: CUSTOM_JWT or AWS_IAM'
    ELSE 'fewer than ' || CAST($failures AS VARCHAR) || ' refused calls from one address in '
      || CAST($minutes AS VARCHAR) || ' minutes'
  END AS expected,
  CASE
    WHEN g.is_change THEN g.event_name || ' with authorizer ' || COALESCE(g.authorizer, 'not recorded')
    ELSE 'refused by ' || g.gateway
  END AS observed,
  g.event_time AS event_time,
  g.event_id AS event_id,
  g.outcome AS outcome,
  CASE
    WHEN NOT g.is_change THEN 'medium'
    WHEN g.outcome = 'ok' THEN 'high'
    WHEN g.outcome = 'denied' THEN 'medium'
    ELSE 'low'
  END AS severity
FROM gateway_events AS g
LEFT JOIN in_run AS i ON i.event_id = g.event_id
