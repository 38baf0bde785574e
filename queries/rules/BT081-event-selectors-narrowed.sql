-- title = "A trail was set to record less than before"
-- severity = "critical"
-- kind = "sequence"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "outcome",
--   "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = ["T1685.002"]
-- attack_old = ["T1562.008"]
-- atlas = []
-- why = """\
-- PutEventSelectors replaces the whole set: whoever adds one type of data event and leaves out the rest has switched \
-- off management events. The rule reads the basic and the advanced form and compares each set with the one before it of \
-- the same trail; a trail begins with all management events. It looks at reads and writes of management events and of \
-- data events of the types AWS::Bedrock*, AWS::BedrockMantle* and AWS::BedrockAgentCore*, and tells apart what is \
-- recorded whole, only through a filter (on a name, source, ARN or identity), and not at all. Runtime model calls are \
-- read-only management events: a set for writes only loses every one of them. Loss of management events or of such \
-- a type is critical, a new filter high, and a refused attempt high; an attempt that failed for another reason changed \
-- nothing. Where no earlier set is known, a set without read management events is high, and everything else is \
-- not assessed. So is a filter that was exchanged for another. The population is all changes to selectors, and the \
-- trails created."""
-- fix = """\
-- Put the former set back from its definition in code. What was lost since then is not recorded anywhere: say so \
-- in the report. Ask for the change ticket, and allow the action to one role only."""
-- false_positives = """\
-- Cost tuning that was approved. A second trail meant for data events only: its first set without management events \
-- is found where the set before is not known. Types moved to another trail: the rule looks at one trail at a time."""
--
-- [controls]
-- "EU AI Act" = ["Art. 12"]
-- "HIPAA" = ["164.312(b)"]
-- "NIST SP 800-53" = ["AU-9", "AU-12"]
-- "PCI DSS" = ["10.7"]
-- "SOC 2" = ["CC7.2"]

WITH digits AS (
  SELECT i AS i
  FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) AS d (i)
),
places AS (
  SELECT CAST(t.i * 10 + u.i AS VARCHAR) AS place
  FROM digits AS t
  CROSS JOIN digits AS u
),
fields AS (
  SELECT CAST(i AS VARCHAR) AS place
  FROM digits
),
changes AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    request_parameters AS parameters,
    TRUE AS judged
  FROM events
  WHERE record_kind = 'api_call'
    AND event_source = 'cloudtrail.amazonaws.com'
    AND event_name IN ('PutEventSelectors', 'CreateTrail')
  UNION ALL
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    request_parameters AS parameters,
    FALSE AS judged
  FROM history
  WHERE record_kind = 'api_call'
    AND event_source = 'cloudtrail.amazonaws.com'
    AND event_name IN ('PutEventSelectors', 'CreateTrail')
),
-- A trail is named by its name or its ARN, always in its home Region.
named AS (
  SELECT
    c.event_id AS event_id,
    c.event_time AS event_time,
    c.event_name AS event_name,
    c.account_id AS account_id,
    c.aws_region AS aws_region,
    c.principal AS principal,
    c.outcome AS outcome,
    c.parameters AS parameters,
    c.judged AS judged,
    CASE WHEN starts_with(c.name, 'arn:') THEN split_part(c.name, '/', 2) ELSE c.name END AS trail,
    c.event_name = 'CreateTrail'
      OR json_extract_scalar(c.parameters, '$.eventSelectors[0].readWriteType') IS NOT NULL
      OR json_extract_scalar(c.parameters, '$.eventSelectors[0].includeManagementEvents') IS NOT NULL
      OR json_extract_scalar(c.parameters, '$.eventSelectors[0].dataResources[0].type') IS NOT NULL
      OR json_extract_scalar(c.parameters, '$.advancedEventSelectors[0].fieldSelectors[0].field') IS NOT NULL AS readable,
    json_extract_scalar(c.parameters, '$.advancedEventSelectors[100].fieldSelectors[0].field') IS NOT NULL AS too_long
  FROM (
    SELECT
      event_id AS event_id,
      event_time AS event_time,
      event_name AS event_name,
      account_id AS account_id,
      aws_region AS aws_region,
      principal AS principal,
      outcome AS outcome,
      parameters AS parameters,
      judged AS judged,
      COALESCE(
        json_extract_scalar(parameters, '$.trailName'), json_extract_scalar(parameters, '$.name'), 'not named'
      ) AS name
    FROM changes
  ) AS c
),
numbered AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    parameters AS parameters,
    judged AS judged,
    trail AS trail,
    readable AND NOT too_long AS readable,
    COALESCE(account_id, '') || ' ' || COALESCE(aws_region, '') || ' ' || trail AS trail_key,
    ROW_NUMBER() OVER (
      PARTITION BY account_id, aws_region, trail ORDER BY event_time ASC, event_id ASC
    ) AS place
  FROM named
),
following AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    judged AS judged,
    trail AS trail,
    trail_key AS trail_key,
    readable AS readable,
    place AS place,
    MAX(CASE WHEN outcome = 'ok' THEN place END) OVER (
      PARTITION BY trail_key ORDER BY place ASC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS previous_place
  FROM numbered
),
-- Basic form: one row per selector and data type.
basic AS (
  SELECT
    n.trail_key AS trail_key,
    n.place AS place,
    json_extract_scalar(n.parameters, '$.eventSelectors[' || f.place || '].readWriteType') AS read_write,
    json_extract_scalar(n.parameters, '$.eventSelectors[' || f.place || '].includeManagementEvents') AS management,
    json_extract_scalar(n.parameters, '$.eventSelectors[' || f.place || '].dataResources[0].type') AS data_type,
    json_extract_scalar(n.parameters, '$.eventSelectors[' || f.place || '].excludeManagementEventSources[0]') AS left_out
  FROM numbered AS n
  CROSS JOIN fields AS f
  WHERE n.event_name = 'PutEventSelectors'
),
-- Advanced form: one row per selector and field.
conditions AS (
  SELECT
    n.trail_key AS trail_key,
    n.place AS place,
    p.place AS selector,
    json_extract_scalar(
      n.parameters, '$.advancedEventSelectors[' || p.place || '].fieldSelectors[' || f.place || '].field'
    ) AS field,
    json_extract_scalar(
      n.parameters, '$.advancedEventSelectors[' || p.place || '].fieldSelectors[' || f.place || '].equals[0]'
    ) AS value,
    json_format(json_extract(
      n.parameters, '$.advancedEventSelectors[' || p.place || '].fieldSelectors[' || f.place || ']'
    )) AS text
  FROM numbered AS n
  CROSS JOIN places AS p
  CROSS JOIN fields AS f
  WHERE n.event_name = 'PutEventSelectors'
    AND json_extract_scalar(n.parameters, '$.advancedEventSelectors[0].fieldSelectors[0].field') IS NOT NULL
),
selectors AS (
  SELECT
    trail_key AS trail_key,
    place AS place,
    selector AS selector,
    MAX(CASE WHEN field = 'eventCategory' THEN value END) AS category,
    MAX(CASE WHEN field = 'resources.type' THEN value END) AS data_type,
    MAX(CASE WHEN field = 'readOnly' THEN value END) AS read_only,
    array_join(
      array_agg(
        CASE WHEN field NOT IN ('eventCategory', 'resources.type', 'readOnly') THEN text END
        ORDER BY CASE WHEN field NOT IN ('eventCategory', 'resources.type', 'readOnly') THEN text END ASC
      ),
      ' '
    ) AS filter
  FROM conditions
  WHERE field IS NOT NULL
  GROUP BY trail_key, place, selector
),
parts AS (
  SELECT trail_key AS trail_key, place AS place, 'management' AS kind, 'both' AS access, '' AS filter
  FROM numbered
  WHERE event_name = 'CreateTrail'
  UNION ALL
  SELECT
    trail_key AS trail_key,
    place AS place,
    'management' AS kind,
    CASE WHEN read_write = 'ReadOnly' THEN 'read' WHEN read_write = 'WriteOnly' THEN 'write' ELSE 'both' END AS access,
    COALESCE(left_out, '') AS filter
  FROM basic
  WHERE COALESCE(read_write, management, data_type) IS NOT NULL
    AND COALESCE(management, 'true') = 'true'
  UNION ALL
  SELECT
    trail_key AS trail_key,
    place AS place,
    CASE WHEN category = 'Management' THEN 'management' ELSE data_type END AS kind,
    CASE WHEN read_only = 'true' THEN 'read' WHEN read_only = 'false' THEN 'write' ELSE 'both' END AS access,
    filter AS filter
  FROM selectors
  WHERE category = 'Management'
    OR (category = 'Data' AND starts_with(data_type, 'AWS::Bedrock'))
),
-- 2 is whole, 1 is through a filter only.
atoms AS (
  SELECT
    s.trail_key AS trail_key,
    s.place AS place,
    s.kind || ' ' || s.access AS atom,
    MAX(CASE WHEN s.filter = '' THEN 2 ELSE 1 END) AS level,
    array_join(array_agg(DISTINCT s.filter ORDER BY s.filter ASC), ' ') AS filters
  FROM (
    SELECT trail_key AS trail_key, place AS place, kind AS kind, 'read' AS access, filter AS filter
    FROM parts
    WHERE access IN ('both', 'read')
    UNION ALL
    SELECT trail_key AS trail_key, place AS place, kind AS kind, 'write' AS access, filter AS filter
    FROM parts
    WHERE access IN ('both', 'write')
  ) AS s
  GROUP BY s.trail_key, s.place, s.kind, s.access
),
losses AS (
  SELECT
    c.trail_key AS trail_key,
    c.place AS place,
    MIN(CASE WHEN n.atom IS NULL THEN o.atom END) AS lost,
    MAX(CASE WHEN n.atom IS NULL THEN o.atom END) AS last_lost,
    MIN(CASE WHEN n.level < o.level THEN o.atom END) AS filtered,
    MIN(CASE WHEN n.level = 1 AND o.level = 1 AND n.filters <> o.filters THEN o.atom END) AS exchanged
  FROM following AS c
  JOIN atoms AS o ON o.trail_key = c.trail_key AND o.place = c.previous_place
  LEFT JOIN atoms AS n ON n.trail_key = c.trail_key AND n.place = c.place AND n.atom = o.atom
  GROUP BY c.trail_key, c.place
),
compared AS (
  SELECT
    c.event_id AS event_id,
    c.event_time AS event_time,
    c.event_name AS event_name,
    c.account_id AS account_id,
    c.aws_region AS aws_region,
    c.principal AS principal,
    c.outcome AS outcome,
    c.trail AS trail,
    c.readable AS readable,
    c.previous_place IS NOT NULL AND COALESCE(b.readable, FALSE) AS compared,
    r.level AS read_level,
    l.lost AS lost,
    l.last_lost AS last_lost,
    l.filtered AS filtered,
    l.exchanged AS exchanged
  FROM following AS c
  LEFT JOIN following AS b ON b.trail_key = c.trail_key AND b.place = c.previous_place
  LEFT JOIN atoms AS r ON r.trail_key = c.trail_key AND r.place = c.place AND r.atom = 'management read'
  LEFT JOIN losses AS l ON l.trail_key = c.trail_key AND l.place = c.place
  WHERE c.judged
)
SELECT
  CASE
    WHEN event_name = 'CreateTrail' OR outcome NOT IN ('ok', 'denied') THEN 'pass'
    WHEN NOT readable THEN 'not_assessed'
    WHEN compared AND (lost IS NOT NULL OR filtered IS NOT NULL) THEN 'violation'
    WHEN NOT compared AND read_level IS NULL THEN 'violation'
    WHEN NOT compared OR exchanged IS NOT NULL THEN 'not_assessed'
    ELSE 'pass'
  END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  'trail ' || trail || ' ' || COALESCE(aws_region, 'Region not recorded') AS subject,
  CASE
    WHEN NOT readable THEN 'the record does not show the selectors that were set'
    WHEN outcome = 'denied' AND (NOT compared OR lost IS NOT NULL OR filtered IS NOT NULL)
      THEN 'an attempt to record less was refused'
    WHEN compared AND lost IS NOT NULL THEN 'events that were recorded are no longer recorded'
    WHEN compared AND filtered IS NOT NULL THEN 'events that were recorded whole are filtered now'
    WHEN NOT compared AND read_level IS NULL THEN 'read management events, and with them model calls, are not recorded'
    WHEN NOT compared THEN 'no earlier selectors of this trail are known to compare with'
    ELSE 'one filter was exchanged for another: whether it lets less through is not decided'
  END AS reason,
  'a set that records at least what the one before it did' AS expected,
  CASE
    WHEN compared AND lost IS NOT NULL THEN 'lost: ' || lost
      || CASE WHEN last_lost <> lost THEN ' … ' || last_lost ELSE '' END
    WHEN compared AND filtered IS NOT NULL THEN 'filtered: ' || filtered
    WHEN NOT compared AND read_level IS NULL THEN 'no selector for read management events'
    ELSE event_name
  END AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome,
  CASE WHEN outcome = 'ok' AND compared AND lost IS NOT NULL THEN 'critical' ELSE 'high' END AS severity
FROM compared
