-- title = "A person used models outside business hours"
-- severity = "low"
-- kind = "window"
-- needs = ["policy_business_hours"]
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "person", "person_basis", "activity", "outcome",
--   "aws_region", "record_kind",
-- ]
-- attack = ["T1078.004"]
-- attack_old = []
-- atlas = []
-- why = """\
-- People work when they work; whoever uses their credentials at night may be somebody else. The rule looks at use of \
-- models, agents, knowledge bases, flows and tools by persons (IAM Identity Center, source identity, IAM user, root or \
-- JWT subject) in environments for which the policy sets business_hours. Time is local: the policy's time zone, \
-- daylight saving included. A person with at least five calls outside business hours on one local day is reported. \
-- Workloads and sessions that name no person are left out, for they have no working day. The population is all such \
-- use by persons."""
-- fix = """\
-- Ask the person, through another channel than the account itself. If it was not them, revoke the sessions and look at \
-- the address and the client of the calls."""
-- false_positives = """\
-- On-call duty, travel to another time zone, public holidays the other way round. A job that runs under a person's \
-- own user: give it a role."""
--
-- [controls]
-- "NIST SP 800-53" = ["AC-2(12)"]
-- "SOC 2" = ["CC7.2"]
--
-- [parameters.min_calls]
-- type = "int"
-- default = 5
-- meaning = "How many calls outside business hours on one local day are too many."

WITH uses AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    date_trunc('minute', event_time) AS call_minute,
    account_id AS account_id,
    environment AS environment,
    aws_region AS aws_region,
    principal AS principal,
    person AS person,
    outcome AS outcome
  FROM events
  WHERE record_kind = 'api_call'
    AND activity IN (
      'model_invocation', 'batch', 'agent_invocation', 'retrieval', 'flow', 'tool', 'memory', 'session'
    )
    AND person_basis IN ('identity_center', 'source_identity', 'sso_session', 'iam_user', 'root', 'jwt')
    AND environment IN (SELECT environment FROM policy_business_hours)
),
minutes AS (
  SELECT DISTINCT environment AS environment, call_minute AS call_minute
  FROM uses
),
local_minutes AS (
  SELECT
    m.environment AS environment,
    m.call_minute AS call_minute,
    date_add('minute', CAST(COALESCE(o.minutes, 0) AS BIGINT), m.call_minute) AS local_minute
  FROM minutes AS m
  LEFT JOIN policy_offset AS o
    ON (o.from_time IS NULL OR m.call_minute >= o.from_time)
    AND (o.to_time IS NULL OR m.call_minute < o.to_time)
),
placed AS (
  SELECT
    environment AS environment,
    call_minute AS call_minute,
    local_minute AS local_minute,
    date_trunc('day', local_minute) AS local_day,
    day_of_week(local_minute) AS week_day,
    EXTRACT(HOUR FROM local_minute) * 60 + EXTRACT(MINUTE FROM local_minute) AS minute_of_day
  FROM local_minutes
),
inside AS (
  SELECT DISTINCT p.environment AS environment, p.call_minute AS call_minute
  FROM placed AS p
  JOIN policy_business_hours AS b
    ON b.environment = p.environment
    AND b.day = p.week_day
    AND p.minute_of_day >= b.start_minute
    AND p.minute_of_day < b.end_minute
),
judged AS (
  SELECT
    u.event_id AS event_id,
    u.event_time AS event_time,
    u.account_id AS account_id,
    u.aws_region AS aws_region,
    u.principal AS principal,
    u.person AS person,
    u.outcome AS outcome,
    p.local_minute AS local_minute,
    p.local_day AS local_day,
    i.call_minute IS NULL AS outside,
    SUM(CASE WHEN i.call_minute IS NULL THEN 1 ELSE 0 END) OVER (
      PARTITION BY u.account_id, u.person, p.local_day
    ) AS outside_that_day
  FROM uses AS u
  JOIN placed AS p ON p.environment = u.environment AND p.call_minute = u.call_minute
  LEFT JOIN inside AS i ON i.environment = u.environment AND i.call_minute = u.call_minute
)
SELECT
  CASE WHEN outside AND outside_that_day >= $min_calls THEN 'violation' ELSE 'pass' END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  person AS subject,
  'at least ' || CAST($min_calls AS VARCHAR) || ' calls outside business hours on one day' AS reason,
  'use within the business hours of the environment' AS expected,
  'at ' || substring(replace(CAST(local_minute AS VARCHAR), 'T', ' '), 1, 16) || ' local time' AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome
FROM judged
