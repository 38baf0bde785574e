-- title = "One principal was throttled very often within an hour"
-- severity = "low"
-- kind = "window"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_name", "account_id", "principal", "surface", "model_id", "outcome", "aws_region",
--   "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = ["AML.T0029", "AML.T0034.000"]
-- why = """\
-- The quota of a model is shared by a whole account and Region. One caller that runs into it hundreds of times in an \
-- hour takes the model away from everybody else, and is either an application that retries without pause or somebody \
-- who draws as much as there is. The rule counts throttled calls in a sliding window for each principal and Region; \
-- the window has no fixed start. The population is all throttled calls."""
-- fix = """\
-- Let the client wait longer after each refusal, or ask for a higher quota. If the amount is not explained by the \
-- application, look at BT071 and BT072 for the same principal."""
-- false_positives = "A load test. A batch job that is meant to use up the quota at night."
--
-- [controls]
-- "NIST SP 800-53" = ["SC-5"]
-- "SOC 2" = ["A1.1"]
--
-- [parameters.min_throttled]
-- type = "int"
-- default = 200
-- meaning = "How many throttled calls are too many."
--
-- [parameters.window_minutes]
-- type = "int"
-- default = 60
-- meaning = "Within how many minutes they must lie."

WITH throttled AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name || COALESCE(' ' || model_id, '') AS attempt,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    COUNT(*) OVER (
      PARTITION BY principal, aws_region ORDER BY event_time ASC
      RANGE BETWEEN INTERVAL $window_minutes MINUTE PRECEDING AND CURRENT ROW
    ) AS calls
  FROM events
  WHERE record_kind = 'api_call'
    AND outcome = 'throttled'
    AND surface IN ('runtime', 'mantle', 'agents', 'agentcore', 'gateway', 'control')
),
storms AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    attempt AS attempt,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    MAX(calls) OVER (
      PARTITION BY principal, aws_region ORDER BY event_time ASC
      RANGE BETWEEN CURRENT ROW AND INTERVAL $window_minutes MINUTE FOLLOWING
    ) AS peak
  FROM throttled
)
SELECT
  CASE WHEN peak >= $min_throttled THEN 'violation' ELSE 'pass' END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  'throttled in ' || COALESCE(aws_region, 'a Region not recorded') AS subject,
  'at least ' || CAST($min_throttled AS VARCHAR) || ' calls were throttled within '
    || CAST($window_minutes AS VARCHAR) || ' minutes' AS reason,
  'fewer than ' || CAST($min_throttled AS VARCHAR) || ' throttled calls within '
    || CAST($window_minutes AS VARCHAR) || ' minutes' AS expected,
  'throttled: ' || attempt AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome
FROM storms
