-- title = "A series of invalid model calls feels out what is open"
-- severity = "medium"
-- kind = "window"
-- needs = []
-- columns = [
--   "event_id", "event_time", "account_id", "principal", "activity", "model_id", "outcome", "aws_region",
--   "record_kind",
-- ]
-- attack = ["T1526"]
-- attack_old = []
-- atlas = []
-- why = """\
-- A model call with an impossible parameter costs nothing and answers a question: if it is found invalid rather than \
-- denied, the credential may call the model. The rule counts invalid model calls of a principal in a sliding window \
-- and reports four in five minutes if, in the same five minutes, the principal was also denied a model or called a \
-- model that it had never called before. A series on models that it has always called is a broken client. Where the \
-- records begin less than a day before the series, no model is known to be new; such a series without a denial is not \
-- assessed. The population is all invalid model calls."""
-- fix = """\
-- Ask the owner of the principal. If nobody tested anything, revoke the sessions or the key, and look for the first \
-- successful calls after the series."""
-- false_positives = """\
-- A developer who learns a new model's parameters. A release that changes model and client at once."""
--
-- [controls]
-- "ISO/IEC 27001" = ["A.8.16"]
-- "NIST SP 800-53" = ["SI-4", "AU-6"]
-- "PCI DSS" = ["10.4.1"]
-- "SOC 2" = ["CC7.2", "CC7.3"]
--
-- [parameters.min_invalid]
-- type = "int"
-- default = 4
-- meaning = "How many invalid calls make a series."
--
-- [parameters.window_minutes]
-- type = "int"
-- default = 5
-- meaning = "Within how many minutes they must lie."

WITH calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    model_id AS model_id,
    outcome AS outcome
  FROM events
  WHERE record_kind = 'api_call'
    AND activity = 'model_invocation'
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
many AS (
  SELECT principal AS principal
  FROM calls
  WHERE outcome = 'invalid'
    AND principal NOT IN ('anonymous', 'unknown')
  GROUP BY principal
  HAVING COUNT(*) >= $min_invalid
),
firsts AS (
  SELECT u.principal AS principal, u.model_id AS model_id, MIN(u.event_time) AS first_time
  FROM (
    SELECT c.principal AS principal, c.model_id AS model_id, c.event_time AS event_time
    FROM calls AS c
    WHERE c.model_id IS NOT NULL
    UNION ALL
    SELECT h.principal AS principal, h.model_id AS model_id, h.event_time AS event_time
    FROM history AS h
    WHERE h.record_kind = 'api_call'
      AND h.activity = 'model_invocation'
      AND h.model_id IS NOT NULL
  ) AS u
  JOIN many AS m ON m.principal = u.principal
  GROUP BY u.principal, u.model_id
),
marked AS (
  SELECT
    c.event_id AS event_id,
    c.event_time AS event_time,
    c.principal AS principal,
    CASE WHEN c.outcome = 'invalid' THEN 1 ELSE 0 END AS invalid,
    CASE WHEN c.outcome = 'denied' THEN 1 ELSE 0 END AS denied,
    CASE WHEN f.principal IS NOT NULL THEN 1 ELSE 0 END AS fresh
  FROM calls AS c
  JOIN many AS m ON m.principal = c.principal
  LEFT JOIN firsts AS f
    ON f.principal = c.principal
    AND f.model_id = c.model_id
    AND f.first_time = c.event_time
  WHERE c.outcome IN ('invalid', 'denied')
    OR f.principal IS NOT NULL
),
counted AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    principal AS principal,
    SUM(invalid) OVER back AS invalid,
    SUM(denied) OVER back AS denied,
    SUM(fresh) OVER back AS fresh
  FROM marked
  WINDOW back AS (
    PARTITION BY principal ORDER BY event_time ASC
    RANGE BETWEEN INTERVAL $window_minutes MINUTE PRECEDING AND CURRENT ROW
  )
),
series AS (
  SELECT
    event_id AS event_id,
    MAX(
      CASE WHEN invalid < $min_invalid THEN 0 WHEN denied > 0 THEN 2 WHEN fresh > 0 THEN 1 ELSE 0 END
    ) OVER (
      PARTITION BY principal ORDER BY event_time ASC
      RANGE BETWEEN CURRENT ROW AND INTERVAL $window_minutes MINUTE FOLLOWING
    ) AS grade
  FROM counted
)
SELECT
  CASE
    WHEN s.grade = 2 THEN 'violation'
    WHEN s.grade = 1 AND k.known_from <= c.event_time - INTERVAL '1' DAY THEN 'violation'
    WHEN s.grade = 1 THEN 'not_assessed'
    ELSE 'pass'
  END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  'invalid calls' AS subject,
  CASE
    WHEN s.grade = 2 THEN 'a series of invalid calls, and a denied one within the same minutes'
    WHEN k.known_from <= c.event_time - INTERVAL '1' DAY THEN 'a series of invalid calls around the first call of a model'
    ELSE 'the records begin less than a day before: whether a model was new to the principal is not known'
  END AS reason,
  'fewer than ' || CAST($min_invalid AS VARCHAR) || ' invalid calls within ' || CAST($window_minutes AS VARCHAR)
    || ' minutes' AS expected,
  'invalid: ' || COALESCE(c.model_id, 'model not recorded') AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome
FROM calls AS c
CROSS JOIN known AS k
LEFT JOIN series AS s ON s.event_id = c.event_id
WHERE c.outcome = 'invalid'
