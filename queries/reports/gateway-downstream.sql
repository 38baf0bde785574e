-- title = "What gateway calls set off"
-- question = "Which outside caller of a gateway drove which agent, function or other call behind it?"
-- frameworks = ["SOC 2 CC7.2", "ISO/IEC 42001 A.6.2.8", "NIST SP 800-53 AU-6(3)"]
-- audit = "folder"
-- empty = "Calls of gateways are data events, which a trail records only where a selector asks for them: bedtrail selectors --for agentcore."
-- glance = ["event_time", "caller", "tool", "link", "downstream_event", "downstream_target", "downstream_outcome", "gateway", "status", "source_ip", "account_id"]
--
-- [columns]
-- event_time = "When the gateway had answered, UTC."
-- account_id = "The account that received the record."
-- aws_region = "The Region."
-- gateway = "The gateway."
-- caller = "The token's issuer and subject, else anonymous."
-- source_ip = "Where the call came from."
-- tool = "The tool."
-- status = "The HTTP status the gateway answered."
-- link = "recorded: the gateway's record names the request id; unresolved: it names one of which no record was kept; derived: no id is named, and a Bedrock AgentCore service made the call in the two seconds before the answer; none: the gateway turned the call away with 401 or 403, and set nothing off; unknown: none of these. Derived links can be wrong where calls overlap."
-- downstream_request_id = "The request id, of the first five that the record can name."
-- downstream_time = "When that call completed, UTC."
-- downstream_source = "The service."
-- downstream_event = "The operation."
-- downstream_target = "Agent, runtime, function or resource that was called."
-- downstream_principal = "The role it was called with."
-- downstream_outcome = "Its outcome."
-- event_id = "CloudTrail's identifier of the gateway's record."
-- downstream_event_id = "That of the call behind it."

WITH gateway AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    account_id AS account_id,
    aws_region AS aws_region,
    regexp_replace(gateway_arn, '\A.*:gateway/', '') AS gateway,
    principal AS caller,
    source_ip AS source_ip,
    tool_name AS tool,
    gateway_status AS status,
    COALESCE(gateway_status IN (401, 403), FALSE) AS turned_away,
    json_extract_scalar(additional_event_data, '$.downstreamRequestIds[0]') AS id_1,
    json_extract_scalar(additional_event_data, '$.downstreamRequestIds[1]') AS id_2,
    json_extract_scalar(additional_event_data, '$.downstreamRequestIds[2]') AS id_3,
    json_extract_scalar(additional_event_data, '$.downstreamRequestIds[3]') AS id_4,
    json_extract_scalar(additional_event_data, '$.downstreamRequestIds[4]') AS id_5
  FROM events
  WHERE record_kind = 'api_call'
    AND surface = 'gateway'
    AND activity = 'tool'
),
named AS (
  SELECT
    g.event_id AS event_id,
    g.account_id AS account_id,
    CASE
      WHEN k.place = 1 THEN g.id_1
      WHEN k.place = 2 THEN g.id_2
      WHEN k.place = 3 THEN g.id_3
      WHEN k.place = 4 THEN g.id_4
      ELSE g.id_5
    END AS request_id
  FROM gateway AS g
  CROSS JOIN (VALUES (1), (2), (3), (4), (5)) AS k (place)
),
ids AS (
  SELECT DISTINCT event_id AS event_id, account_id AS account_id, request_id AS request_id
  FROM named
  WHERE request_id IS NOT NULL
),
calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    account_id AS account_id,
    aws_region AS aws_region,
    request_id AS request_id,
    event_source AS event_source,
    event_name AS event_name,
    COALESCE(runtime_arn, lambda_arn, agent_id, knowledge_base_id, flow_id, resource_arn) AS target,
    principal AS principal,
    outcome AS outcome,
    COALESCE(starts_with(invoked_by, 'bedrock-agentcore'), FALSE) AS by_agentcore
  FROM events
  WHERE record_kind = 'api_call'
    AND surface <> 'gateway'
),
-- What was called is carried along: to look it up again by its id would take another pass over all calls.
recorded AS (
  SELECT
    i.event_id AS gateway_event,
    CASE WHEN c.event_id IS NULL THEN 'unresolved' ELSE 'recorded' END AS link_kind,
    i.request_id AS request_id,
    c.event_id AS event_id,
    c.event_time AS event_time,
    c.event_source AS event_source,
    c.event_name AS event_name,
    c.target AS target,
    c.principal AS principal,
    c.outcome AS outcome
  FROM ids AS i
  LEFT JOIN calls AS c ON c.request_id = i.request_id AND c.account_id = i.account_id
),
unnamed AS (
  SELECT event_id AS event_id, account_id AS account_id, aws_region AS aws_region, event_time AS at_time
  FROM gateway
  WHERE id_1 IS NULL AND NOT turned_away
  UNION ALL
  SELECT event_id AS event_id, account_id AS account_id, aws_region AS aws_region, event_time - INTERVAL '1' SECOND AS at_time
  FROM gateway
  WHERE id_1 IS NULL AND NOT turned_away
  UNION ALL
  SELECT event_id AS event_id, account_id AS account_id, aws_region AS aws_region, event_time - INTERVAL '2' SECOND AS at_time
  FROM gateway
  WHERE id_1 IS NULL AND NOT turned_away
),
derived AS (
  SELECT
    u.event_id AS gateway_event,
    'derived' AS link_kind,
    c.request_id AS request_id,
    c.event_id AS event_id,
    c.event_time AS event_time,
    c.event_source AS event_source,
    c.event_name AS event_name,
    c.target AS target,
    c.principal AS principal,
    c.outcome AS outcome
  FROM unnamed AS u
  JOIN calls AS c
    ON c.account_id = u.account_id
    AND c.aws_region = u.aws_region
    AND c.event_time = u.at_time
  LEFT JOIN (SELECT DISTINCT request_id AS request_id FROM ids) AS taken ON taken.request_id = c.request_id
  WHERE c.by_agentcore
    AND taken.request_id IS NULL
),
links AS (
  SELECT
    gateway_event AS gateway_event, link_kind AS link_kind, request_id AS request_id, event_id AS event_id,
    event_time AS event_time, event_source AS event_source, event_name AS event_name, target AS target,
    principal AS principal, outcome AS outcome
  FROM recorded
  UNION ALL
  SELECT
    gateway_event AS gateway_event, link_kind AS link_kind, request_id AS request_id, event_id AS event_id,
    event_time AS event_time, event_source AS event_source, event_name AS event_name, target AS target,
    principal AS principal, outcome AS outcome
  FROM derived
)
SELECT
  g.event_time AS event_time,
  g.account_id AS account_id,
  g.aws_region AS aws_region,
  g.gateway AS gateway,
  g.caller AS caller,
  g.source_ip AS source_ip,
  g.tool AS tool,
  g.status AS status,
  COALESCE(l.link_kind, CASE WHEN g.turned_away THEN 'none' ELSE 'unknown' END) AS link,
  l.request_id AS downstream_request_id,
  l.event_time AS downstream_time,
  l.event_source AS downstream_source,
  l.event_name AS downstream_event,
  l.target AS downstream_target,
  l.principal AS downstream_principal,
  l.outcome AS downstream_outcome,
  g.event_id AS event_id,
  l.event_id AS downstream_event_id
FROM gateway AS g
LEFT JOIN links AS l ON l.gateway_event = g.event_id
ORDER BY
  g.event_time ASC NULLS LAST,
  g.event_id ASC NULLS LAST,
  l.link_kind ASC NULLS LAST,
  l.request_id ASC NULLS LAST,
  l.event_time ASC NULLS LAST,
  l.event_id ASC NULLS LAST,
  g.tool ASC NULLS LAST
