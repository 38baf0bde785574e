-- title = "A principal that had long been idle uses models again"
-- severity = "high"
-- kind = "baseline"
-- needs = []
-- columns = [
--   "event_id", "event_time", "account_id", "principal", "activity", "outcome", "aws_region", "record_kind",
-- ]
-- attack = ["T1078.004"]
-- attack_old = []
-- atlas = []
-- why = """\
-- A role or user that nobody uses any more is missed by nobody when somebody else uses it. The rule finds principals \
-- with successful use of models, agents or knowledge bases, then none for more than 60 days, then some again, and \
-- reports the calls of the day on which it began again. A first use ever is not reported here. Where the records, \
-- history included, begin less than 60 days before a principal's first known use, earlier use is unknown: the calls \
-- of that first day are not assessed, together for each account. The population is all such successful calls."""
-- fix = """\
-- Ask the owner of the principal why it is needed again. If nobody answers, disable it. Remove principals that have \
-- been idle for as long as the policy on accounts says."""
-- false_positives = "Work that is done once a quarter or once a year. A product that was put aside and taken up again."
--
-- [controls]
-- "FedRAMP 20x" = ["KSI-IAM", "KSI-IAM-AAM"]
-- "FedRAMP Moderate" = ["AC-2", "AC-2(1)", "AC-2(3)", "AC-6"]
-- "ISO/IEC 27001" = ["A.5.15", "A.5.18"]
-- "NIST SP 800-53" = ["AC-2", "AC-2(1)", "AC-2(3)", "AC-3(8)", "AC-6"]
-- "SOC 2" = ["CC6.2", "CC7.2"]
--
-- [parameters.dormant_days]
-- type = "int"
-- default = 60
-- meaning = "After how many days without use a principal counts as idle."

WITH uses AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    date_trunc('day', event_time) AS use_day,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome
  FROM events
  WHERE record_kind = 'api_call'
    AND outcome = 'ok'
    AND activity IN ('model_invocation', 'batch', 'agent_invocation', 'retrieval', 'flow')
    AND principal NOT IN ('anonymous', 'unknown')
),
known AS (
  SELECT MIN(event_time) AS known_from
  FROM (
    SELECT MIN(event_time) AS event_time
    FROM events
    UNION ALL
    SELECT MIN(event_time) AS event_time
    FROM history
  ) AS ends
),
days AS (
  SELECT principal AS principal, use_day AS use_day
  FROM uses
  GROUP BY principal, use_day
  UNION
  SELECT principal AS principal, date_trunc('day', event_time) AS use_day
  FROM history
  WHERE record_kind = 'api_call'
    AND outcome = 'ok'
    AND activity IN ('model_invocation', 'batch', 'agent_invocation', 'retrieval', 'flow')
),
ordered AS (
  SELECT
    principal AS principal,
    use_day AS use_day,
    LAG(use_day) OVER (PARTITION BY principal ORDER BY use_day ASC) AS previous_day
  FROM days
),
judged AS (
  SELECT
    o.principal AS principal,
    o.use_day AS use_day,
    o.previous_day AS previous_day,
    CASE
      WHEN o.previous_day < o.use_day - INTERVAL $dormant_days DAY THEN 'violation'
      WHEN o.previous_day IS NULL AND k.known_from > o.use_day - INTERVAL $dormant_days DAY THEN 'not_assessed'
      ELSE 'pass'
    END AS verdict
  FROM ordered AS o
  CROSS JOIN known AS k
)
SELECT
  j.verdict AS verdict,
  u.account_id AS account_id,
  u.aws_region AS aws_region,
  -- What is not known of many principals is one question for each account, not one for each of them.
  CASE WHEN j.verdict <> 'not_assessed' THEN u.principal END AS principal,
  CASE
    WHEN j.verdict = 'not_assessed' THEN 'principals whose earlier use is not known'
    ELSE 'use on ' || substring(CAST(j.use_day AS VARCHAR), 1, 10)
  END AS subject,
  CASE
    WHEN j.verdict = 'not_assessed' THEN 'the records begin less than ' || CAST($dormant_days AS VARCHAR)
      || ' days before the first known use'
    ELSE 'used again after more than ' || CAST($dormant_days AS VARCHAR) || ' days without use'
  END AS reason,
  'principals that are no longer used are removed' AS expected,
  CASE
    WHEN j.verdict = 'not_assessed' THEN 'first known use'
    ELSE 'last used before on ' || substring(CAST(j.previous_day AS VARCHAR), 1, 10)
  END AS observed,
  u.event_time AS event_time,
  u.event_id AS event_id,
  u.outcome AS outcome
FROM uses AS u
JOIN judged AS j ON j.principal = u.principal AND j.use_day = u.use_day
