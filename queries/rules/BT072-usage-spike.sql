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
-- every engine decides alike. The population is all successful model calls."""
-- fix = """\
-- Ask the owner of the principal what changed that day. Without an answer, look at models, Regions and addresses \
-- of that day's calls, and at BT071 and BT073 for the same principal."""
-- false_positives = """\
-- A launch, a load test, a batch at the end of the quarter. Where a rise is lasting, it is reported on its first \
-- days only, for it becomes the new mean."""
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

WITH calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    date_trunc('day', event_time) AS call_day,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome
  FROM events
  WHERE record_kind = 'api_call'
    AND activity = 'model_invocation'
    AND outcome = 'ok'
),
days AS (
  SELECT principal AS principal, call_day AS call_day, CAST(SUM(calls) AS BIGINT) AS calls
  FROM (
    SELECT principal AS principal, call_day AS call_day, COUNT(*) AS calls
    FROM calls
    GROUP BY principal, call_day
    UNION ALL
    SELECT principal AS principal, date_trunc('day', event_time) AS call_day, COUNT(*) AS calls
    FROM history
    WHERE record_kind = 'api_call'
      AND activity = 'model_invocation'
      AND outcome = 'ok'
    GROUP BY principal, date_trunc('day', event_time)
  ) AS parts
  GROUP BY principal, call_day
),
baselines AS (
  SELECT
    principal AS principal,
    call_day AS call_day,
    calls AS calls,
    COUNT(*) OVER before_it AS days,
    CAST(SUM(calls) OVER before_it AS BIGINT) AS total,
    CAST(SUM(calls * calls) OVER before_it AS BIGINT) AS squares
  FROM days
  WINDOW before_it AS (
    PARTITION BY principal ORDER BY call_day ASC
    RANGE BETWEEN INTERVAL $baseline_days DAY PRECEDING AND INTERVAL '1' DAY PRECEDING
  )
),
judged AS (
  SELECT
    principal AS principal,
    call_day AS call_day,
    calls AS calls,
    days AS days,
    total AS total,
    CASE
      WHEN calls <= $min_calls THEN 'pass'
      WHEN days < $min_days THEN 'not_assessed'
      WHEN calls * days >= 2 * total
        AND calls * days > total
        AND (calls * days - total) * (calls * days - total)
          > $deviations * $deviations * (days * squares - total * total)
        THEN 'violation'
      ELSE 'pass'
    END AS verdict
  FROM baselines
)
SELECT
  j.verdict AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  -- The first days of a busy principal are one open question, not one for each day.
  CASE
    WHEN j.verdict = 'not_assessed' THEN 'calls of the first days'
    ELSE 'calls on ' || substring(CAST(c.call_day AS VARCHAR), 1, 10)
  END AS subject,
  CASE
    WHEN j.verdict = 'not_assessed' THEN 'fewer than ' || CAST($min_days AS VARCHAR) || ' days of use are known before this day'
    ELSE 'far more calls than on the days of use before'
  END AS reason,
  'about ' || CAST(CASE WHEN j.days > 0 THEN j.total / j.days ELSE 0 END AS VARCHAR) || ' calls, the mean of '
    || CAST(j.days AS VARCHAR) || ' days of use before' AS expected,
  CAST(j.calls AS VARCHAR) || ' successful calls that day' AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome
FROM calls AS c
JOIN judged AS j ON j.principal = c.principal AND j.call_day = c.call_day
