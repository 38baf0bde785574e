-- title = "A model call in the invocation log is missing from the trail"
-- severity = "high"
-- kind = "coverage"
-- needs = ["invocation_logs"]
-- columns = ["account_id", "aws_region", "request_id", "event_time", "record_kind"]
-- attack = ["T1685.002"]
-- attack_old = ["T1562.008"]
-- atlas = []
-- why = """\
-- The model-invocation log and CloudTrail are written apart from each other, and both carry the request's id. A call \
-- that the log has and the trail lacks was recorded by Bedrock and lost on the way into the trail that was read: a \
-- trail without read-only management events, a trail that was stopped, objects that were deleted or not given to this \
-- run. Only calls inside the stretch of time that the trail's own records span are compared, for each account and \
-- Region; an account and Region of which the trail has nothing at all is not assessed."""
-- fix = """\
-- Look whether the trail records management events with readOnly true in this Region, whether it was stopped then \
-- (BT080), and whether every object of that day was read (the report coverage). Ask for the missing log files before \
-- the numbers are used as evidence."""
-- false_positives = """\
-- Objects of the trail that were delivered after this run. A model-invocation log that covers more accounts or \
-- Regions than the sources given."""
--
-- [controls]
-- "ISO/IEC 27001" = ["A.8.15"]
-- "ISO/IEC 42001" = ["A.6.2.8"]
-- "NIST SP 800-53" = ["AU-12"]
-- "SOC 2" = ["CC7.2"]

WITH spans AS (
  SELECT
    account_id AS account_id,
    aws_region AS aws_region,
    MIN(event_time) AS first_seen,
    MAX(event_time) AS last_seen
  FROM events
  WHERE record_kind = 'api_call'
  GROUP BY account_id, aws_region
),
requests AS (
  SELECT DISTINCT account_id AS account_id, request_id AS request_id
  FROM events
  WHERE request_id IS NOT NULL
),
logged AS (
  SELECT
    account_id AS account_id,
    aws_region AS aws_region,
    request_id AS request_id,
    MIN(event_time) AS event_time,
    MIN(identity_arn) AS identity_arn
  FROM invocation_logs
  WHERE request_id IS NOT NULL
  GROUP BY account_id, aws_region, request_id
),
judged AS (
  SELECT
    CASE
      WHEN s.first_seen IS NULL THEN 'not_assessed'
      WHEN l.event_time < s.first_seen OR l.event_time > s.last_seen THEN 'not_assessed'
      WHEN r.request_id IS NULL THEN 'violation'
      ELSE 'pass'
    END AS verdict,
    l.account_id AS account_id,
    l.aws_region AS aws_region,
    l.identity_arn AS identity_arn,
    l.event_time AS event_time,
    l.request_id AS request_id,
    CASE
      WHEN s.first_seen IS NULL THEN 'the trail that was read has no record of this account and Region'
      ELSE 'the call lies outside the time that the trail''s records of this account and Region span'
    END AS unread
  FROM logged AS l
  LEFT JOIN spans AS s
    ON s.account_id = l.account_id
    AND s.aws_region = l.aws_region
  LEFT JOIN requests AS r
    ON r.account_id = l.account_id
    AND r.request_id = l.request_id
),
total AS (
  SELECT COUNT(*) AS population
  FROM judged
),
grouped AS (
  SELECT
    verdict AS verdict,
    CASE WHEN verdict <> 'pass' THEN account_id END AS account_id,
    CASE WHEN verdict <> 'pass' THEN aws_region END AS aws_region,
    CASE WHEN verdict = 'violation' THEN identity_arn END AS principal,
    CASE WHEN verdict = 'not_assessed' THEN unread END AS unread,
    MIN(event_time) AS first_seen,
    MAX(event_time) AS last_seen,
    COUNT(*) AS event_count,
    MIN(request_id) AS example
  FROM judged
  GROUP BY
    verdict,
    CASE WHEN verdict <> 'pass' THEN account_id END,
    CASE WHEN verdict <> 'pass' THEN aws_region END,
    CASE WHEN verdict = 'violation' THEN identity_arn END,
    CASE WHEN verdict = 'not_assessed' THEN unread END
)
SELECT
  g.verdict AS verdict,
  g.account_id AS account_id,
  g.aws_region AS aws_region,
  g.principal AS principal,
  CASE WHEN g.verdict <> 'pass' THEN COALESCE(g.aws_region, 'Region not recorded') END AS subject,
  CASE WHEN g.verdict = 'violation' THEN 'the model-invocation log has calls that the trail lacks' END AS reason,
  CASE WHEN g.verdict = 'violation' THEN 'a CloudTrail record for every logged call' END AS expected,
  CASE
    WHEN g.verdict = 'violation'
      THEN CAST(g.event_count AS VARCHAR) || ' calls without a record, request ' || g.example || ' among them'
  END AS observed,
  g.first_seen AS first_seen,
  g.last_seen AS last_seen,
  CAST(g.event_count AS BIGINT) AS event_count,
  CAST(t.population AS BIGINT) AS population,
  g.unread AS not_assessed_reason,
  CAST(NULL AS VARCHAR) AS sample_event_ids
FROM grouped AS g
CROSS JOIN total AS t
ORDER BY
  g.verdict ASC, g.account_id ASC NULLS LAST, g.aws_region ASC NULLS LAST, g.principal ASC NULLS LAST,
  g.unread ASC NULLS LAST
