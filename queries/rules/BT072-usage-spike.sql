-- title = "A principal used models far more than it used to"
-- severity = "medium"
-- kind = "baseline"
-- needs = []
-- columns = [
--   "event_id", "event_time", "account_id", "principal", "activity", "outcome", "aws_region", "record_kind",
-- ]
-- attack = ["T1496"]
-- attack_old = []
-- atlas = ["AML.T0034.000"]
-- why = """\
-- What a workload uses in a day varies little compared with what somebody draws who resells it. For each principal \
-- and UTC day the rule counts successful model calls and compares them with the days of use in the 28 days before: \
-- it reports a day above their mean by more than four standard deviations, if it also has more than 200 calls and at \
-- least twice the mean. Days without use do not count, so a quiet week-end does not lower the mean. A day above 200 \
-- calls with fewer than seven days of use before it is not assessed. The sums are kept as whole numbers, so that \
-- every engine decides alike. It also reports, as low, an hour of the week (UTC) with more than 50 calls in which \
-- the principal made none in these 28 days, nor in the hour before or after it, for a machine keeps its hours and \
-- daylight saving moves them by one. For that, its use must reach back two weeks. The population is all successful \
-- model calls."""
-- fix = """\
-- Ask the owner of the principal what changed that day. Without an answer, look at models, Regions and addresses \
-- of that day's calls, and at BT071 and BT073 for the same principal."""
-- false_positives = """\
-- A launch, a load test, a batch at the end of the quarter. Where a rise is lasting, it is reported on its first \
-- days only, for it becomes the new mean. A schedule that was moved is a new hour for one week. Persons work at new \
-- hours: BT075 judges them by business_hours."""
--
-- [controls]
-- "ISO/IEC 27001" = ["A.8.16"]
-- "NIST SP 800-53" = ["SI-4", "AU-6"]
-- "PCI DSS" = ["10.4.1"]
-- "SOC 2" = ["CC7.2", "CC7.3"]
--
-- [parameters.baseline_days]
-- type = "int"
-- default = 28
-- meaning = "How many days before a day are looked at."
--
-- [parameters.min_days]
-- type = "int"
-- default = 7
-- meaning = "How many days of use must be among them."
--
-- [parameters.deviations]
-- type = "int"
-- default = 4
-- meaning = "By how many standard deviations a day must exceed the mean."
--
-- [parameters.min_calls]
-- type = "int"
-- default = 200
-- meaning = "How many calls a day must exceed at all."
--
-- [parameters.min_calls_of_hour]
-- type = "int"
-- default = 50
-- meaning = "How many calls an hour must exceed to be a new hour of the week."
--
-- [parameters.min_reach_days]
-- type = "int"
-- default = 14
-- meaning = "How many days back use must reach before an hour of the week can be new."

WITH calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    date_trunc('hour', event_time) AS call_hour,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome
  FROM events
  WHERE record_kind = 'api_call'
    AND activity = 'model_invocation'
    AND outcome = 'ok'
),
hours AS (
  SELECT
    principal AS principal,
    call_hour AS call_hour,
    date_trunc('day', call_hour) AS call_day,
    -- Hours since 1970: their rest by 168 is the hour of the week.
    CAST(to_unixtime(call_hour) AS BIGINT) / 3600 AS hour_number,
    CAST(SUM(calls) AS BIGINT) AS calls
  FROM (
    SELECT principal AS principal, call_hour AS call_hour, COUNT(*) AS calls
    FROM calls
    GROUP BY principal, call_hour
    UNION ALL
    SELECT principal AS principal, date_trunc('hour', event_time) AS call_hour, COUNT(*) AS calls
    FROM history
    WHERE record_kind = 'api_call'
      AND activity = 'model_invocation'
      AND outcome = 'ok'
    GROUP BY principal, date_trunc('hour', event_time)
  ) AS parts
  GROUP BY principal, call_hour
),
days AS (
  SELECT principal AS principal, call_day AS call_day, CAST(SUM(calls) AS BIGINT) AS calls
  FROM hours
  GROUP BY principal, call_day
),
baselines AS (
  SELECT
    principal AS principal,
    call_day AS call_day,
    calls AS calls,
    COUNT(*) OVER before_it AS days,
    MIN(call_day) OVER before_it AS first_day,
    CAST(SUM(calls) OVER before_it AS BIGINT) AS total,
    CAST(SUM(calls * calls) OVER before_it AS BIGINT) AS squares
  FROM days
  WINDOW before_it AS (
    PARTITION BY principal ORDER BY call_day ASC
    RANGE BETWEEN INTERVAL $baseline_days DAY PRECEDING AND INTERVAL '1' DAY PRECEDING
  )
),
-- Use in one hour of the week makes the hours beside it known, too.
beside AS (
  SELECT
    h.principal AS principal,
    h.call_hour AS call_hour,
    h.calls AS calls,
    s.shift AS shift,
    COUNT(*) OVER (
      PARTITION BY h.principal, (h.hour_number + s.shift) % 168 ORDER BY h.call_hour ASC
      RANGE BETWEEN INTERVAL $baseline_days DAY PRECEDING AND INTERVAL '1' DAY PRECEDING
    ) AS uses
  FROM hours AS h
  CROSS JOIN (VALUES (-1), (0), (1)) AS s (shift)
),
new_hours AS (
  SELECT principal AS principal, call_hour AS call_hour, calls AS calls
  FROM beside
  WHERE shift = 0
    AND uses = 0
    AND calls > $min_calls_of_hour
),
judged AS (
  SELECT
    b.principal AS principal,
    h.call_hour AS call_hour,
    b.calls AS calls,
    b.days AS days,
    b.total AS total,
    CASE WHEN b.first_day <= b.call_day - INTERVAL $min_reach_days DAY THEN n.calls END AS calls_of_hour,
    CASE
      WHEN b.calls <= $min_calls THEN 'pass'
      WHEN b.days < $min_days THEN 'not_assessed'
      WHEN b.calls * b.days >= 2 * b.total
        AND b.calls * b.days > b.total
        AND (b.calls * b.days - b.total) * (b.calls * b.days - b.total)
          > $deviations * $deviations * (b.days * b.squares - b.total * b.total)
        THEN 'violation'
      ELSE 'pass'
    END AS verdict
  FROM hours AS h
  JOIN baselines AS b ON b.principal = h.principal AND b.call_day = h.call_day
  LEFT JOIN new_hours AS n ON n.principal = h.principal AND n.call_hour = h.call_hour
)
SELECT
  CASE WHEN j.verdict = 'pass' AND j.calls_of_hour IS NOT NULL THEN 'violation' ELSE j.verdict END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  -- The first days of a busy principal are one open question, not one for each day.
  CASE
    WHEN j.verdict = 'not_assessed' THEN 'calls of the first days'
    WHEN j.verdict = 'violation' THEN 'calls on ' || substring(CAST(c.call_hour AS VARCHAR), 1, 10)
    ELSE 'calls in a new hour on ' || substring(CAST(c.call_hour AS VARCHAR), 1, 10)
  END AS subject,
  CASE
    WHEN j.verdict = 'not_assessed' THEN 'fewer than ' || CAST($min_days AS VARCHAR) || ' days of use are known before this day'
    WHEN j.verdict = 'violation' THEN 'far more calls than on the days of use before'
    ELSE 'calls in an hour of the week without use before'
  END AS reason,
  CASE
    WHEN j.verdict = 'pass' THEN 'no calls in this hour of the week, as in the ' || CAST($baseline_days AS VARCHAR) || ' days before'
    ELSE 'about ' || CAST(CASE WHEN j.days > 0 THEN j.total / j.days ELSE 0 END AS VARCHAR) || ' calls, the mean of '
      || CAST(j.days AS VARCHAR) || ' days of use before'
  END AS expected,
  CASE
    WHEN j.verdict = 'pass'
      THEN CAST(j.calls_of_hour AS VARCHAR) || ' successful calls from ' || substring(CAST(c.call_hour AS VARCHAR), 12, 5) || ' UTC on'
    ELSE CAST(j.calls AS VARCHAR) || ' successful calls that day'
  END AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome,
  CASE WHEN j.verdict = 'pass' THEN 'low' ELSE 'medium' END AS severity
FROM calls AS c
JOIN judged AS j ON j.principal = c.principal AND j.call_hour = c.call_hour
