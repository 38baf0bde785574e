-- title = "An account and Region delivered no logs, or stopped for a time"
-- severity = "high"
-- kind = "coverage"
-- needs = []
-- columns = []
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- No records is what an idle Region looks like, and what a blinded one looks like. The rule takes each account and \
-- Region that the list of the organisation expects or that delivered log files in the window. A pair that is expected \
-- and delivered nothing is a violation, unless the list declares it quiet. Of pairs that delivered, the rule looks at \
-- the times between one log file and the next, the time to the end of the window included where that end was given: \
-- more than 24 hours, and more than twice the pair's next longest silence, is a violation, so that a pair which rests \
-- every night or week-end is measured by its own habit. A pair with fewer than five files has no habit and is judged \
-- by delivery alone. The population is these pairs."""
-- fix = """\
-- Find out whether the trail was stopped, its selectors changed, its bucket refused writes (BT080 to BT083), or \
-- whether files were lost on the way here. Until then reports say nothing about that time. Declare pairs that are \
-- really idle as quiet."""
-- false_positives = """\
-- A pair with hardly any activity. The first long week-end of an office Region. Two outages of the same length \
-- hide each other."""
--
-- [controls]
-- "FedRAMP Moderate" = ["AU-2", "AU-12"]
-- "HIPAA" = ["164.308(a)(1)(ii)(D)", "164.312(b)"]
-- "ISO/IEC 27001" = ["A.8.15"]
-- "NIST SP 800-53" = ["AU-2", "AU-12"]
-- "PCI DSS" = ["10.7"]
-- "SOC 2" = ["CC7.2"]
--
-- [parameters.silence_hours]
-- type = "int"
-- default = 24
-- meaning = "How many hours without a log file are too many."

WITH deliveries AS (
  SELECT account_id AS account_id, aws_region AS aws_region, delivered_at AS delivered_at
  FROM objects
  WHERE kind = 'cloudtrail'
    AND account_id IS NOT NULL
    AND aws_region IS NOT NULL
    AND delivered_at IS NOT NULL
),
marks AS (
  SELECT account_id AS account_id, aws_region AS aws_region, delivered_at AS at_time
  FROM deliveries
  UNION
  -- The end of the window is a mark too: a pair that stopped delivers nothing after its last file.
  SELECT d.account_id AS account_id, d.aws_region AS aws_region, r.window_to AS at_time
  FROM deliveries AS d
  CROSS JOIN run AS r
  WHERE r.window_to IS NOT NULL
    AND r.window_to <= r.run_time
),
ordered AS (
  SELECT
    account_id AS account_id,
    aws_region AS aws_region,
    at_time AS at_time,
    LAG(at_time) OVER (PARTITION BY account_id, aws_region ORDER BY at_time ASC) AS before_time
  FROM marks
),
gaps AS (
  SELECT
    account_id AS account_id,
    aws_region AS aws_region,
    at_time AS at_time,
    before_time AS before_time,
    -- Whole seconds, so that the casts round nothing.
    (
      CAST(to_unixtime(date_trunc('second', at_time)) AS BIGINT)
      - CAST(to_unixtime(date_trunc('second', before_time)) AS BIGINT)
    ) / 60 AS minutes
  FROM ordered
  WHERE before_time IS NOT NULL
),
ranked AS (
  SELECT
    account_id AS account_id,
    aws_region AS aws_region,
    at_time AS at_time,
    before_time AS before_time,
    minutes AS minutes,
    LEAD(minutes) OVER (
      PARTITION BY account_id, aws_region ORDER BY minutes DESC, before_time ASC
    ) AS next_minutes,
    ROW_NUMBER() OVER (PARTITION BY account_id, aws_region ORDER BY minutes DESC, before_time ASC) AS place,
    COUNT(*) OVER (PARTITION BY account_id, aws_region) AS gaps
  FROM gaps
),
longest AS (
  SELECT
    account_id AS account_id,
    aws_region AS aws_region,
    at_time AS at_time,
    before_time AS before_time,
    minutes AS minutes,
    next_minutes AS next_minutes,
    gaps >= 4 AND minutes > $silence_hours * 60 AND minutes > 2 * COALESCE(next_minutes, 0) AS broken
  FROM ranked
  WHERE place = 1
),
judged AS (
  SELECT
    c.account_id AS account_id,
    c.aws_region AS aws_region,
    c.state AS state,
    c.reason AS quiet_reason,
    CASE
      WHEN c.state = 'silent' THEN 'violation'
      WHEN c.state = 'quiet' THEN 'not_applicable'
      WHEN c.state = 'pruned' THEN 'not_assessed'
      WHEN COALESCE(l.broken, FALSE) THEN 'violation'
      ELSE 'pass'
    END AS verdict,
    CASE WHEN l.broken THEN l.before_time ELSE c.first_delivered END AS first_seen,
    CASE WHEN l.broken THEN l.at_time ELSE c.last_delivered END AS last_seen,
    l.minutes / 60 AS hours,
    COALESCE(l.next_minutes, 0) / 60 AS next_hours
  FROM coverage AS c
  LEFT JOIN longest AS l ON l.account_id = c.account_id AND l.aws_region = c.aws_region
),
total AS (
  SELECT COUNT(*) AS population, COUNT(*) FILTER (WHERE verdict = 'pass') AS passed
  FROM judged
)
SELECT
  j.verdict AS verdict,
  j.account_id AS account_id,
  j.aws_region AS aws_region,
  CAST(NULL AS VARCHAR) AS principal,
  'delivery in ' || j.aws_region AS subject,
  CASE
    WHEN j.verdict <> 'violation' THEN NULL
    WHEN j.state = 'silent' THEN 'no log file was delivered, and none is declared as not to come'
    ELSE 'no log file came for far longer than this account and Region is used to'
  END AS reason,
  CASE WHEN j.verdict = 'violation' THEN 'log files as often as before, or a declaration that the pair is quiet' END AS expected,
  CASE
    WHEN j.verdict <> 'violation' THEN NULL
    WHEN j.state = 'silent' THEN 'nothing'
    ELSE 'silent for ' || CAST(j.hours AS VARCHAR) || ' hours; next longest silence ' || CAST(j.next_hours AS VARCHAR)
      || ' hours'
  END AS observed,
  j.first_seen AS first_seen,
  j.last_seen AS last_seen,
  CAST(1 AS BIGINT) AS event_count,
  t.population AS population,
  CASE
    WHEN j.verdict = 'not_applicable' THEN COALESCE(j.quiet_reason, 'declared quiet')
    WHEN j.verdict = 'not_assessed' THEN 'the days asked for were pruned from the store'
  END AS not_assessed_reason,
  CAST(NULL AS VARCHAR) AS sample_event_ids
FROM judged AS j
CROSS JOIN total AS t
WHERE j.verdict <> 'pass'
UNION ALL
SELECT
  'pass' AS verdict,
  CAST(NULL AS VARCHAR) AS account_id,
  CAST(NULL AS VARCHAR) AS aws_region,
  CAST(NULL AS VARCHAR) AS principal,
  CAST(NULL AS VARCHAR) AS subject,
  CAST(NULL AS VARCHAR) AS reason,
  CAST(NULL AS VARCHAR) AS expected,
  CAST(NULL AS VARCHAR) AS observed,
  CAST(NULL AS TIMESTAMP) AS first_seen,
  CAST(NULL AS TIMESTAMP) AS last_seen,
  t.passed AS event_count,
  t.population AS population,
  CAST(NULL AS VARCHAR) AS not_assessed_reason,
  CAST(NULL AS VARCHAR) AS sample_event_ids
FROM total AS t
WHERE t.passed > 0
ORDER BY verdict ASC, account_id ASC NULLS LAST, aws_region ASC NULLS LAST
