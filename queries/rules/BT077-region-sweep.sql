-- title = "One principal went through many Regions within an hour"
-- severity = "high"
-- kind = "window"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_name", "account_id", "principal", "surface", "activity", "invoked_by", "outcome",
--   "aws_region", "record_kind",
-- ]
-- attack = ["T1535"]
-- attack_old = []
-- atlas = []
-- why = """\
-- Quotas for models are set per Region, and Regions that nobody uses are watched by nobody: who uses a stolen \
-- credential tries them all. The rule counts, in a sliding window, the Regions in which a principal called models or \
-- asked which models and agents there are, and which it had not called in the window before. Refused and failed calls \
-- count like successful ones. Calls that an AWS service or a service-linked role made are left out. Cross-Region \
-- inference is no sweep: its calls all go to one Region. A sweep in which a model was called is high, one of questions \
-- only is medium. The window slides by full minutes. The population is all such calls."""
-- fix = """\
-- Ask the owner of the principal. Unless it was an inventory or a drill, revoke the sessions or the key and look in \
-- every Region for what it did. Deny unused Regions by a service control policy."""
-- false_positives = """\
-- A tool that takes stock of the whole account, such as a posture scanner or an infrastructure pipeline: write a \
-- waiver. A drill for the loss of a Region. An application that spreads its calls over many Regions all the time is \
-- found when it starts."""
--
-- [controls]
-- "ISO/IEC 27001" = ["A.5.18"]
-- "NIST SP 800-53" = ["AC-2(3)"]
-- "SOC 2" = ["CC6.2", "CC7.2"]
--
-- [parameters.min_regions]
-- type = "int"
-- default = 4
-- meaning = "How many Regions are too many."
--
-- [parameters.window_minutes]
-- type = "int"
-- default = 60
-- meaning = "Within how many minutes they must have been called."

WITH calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    date_trunc('minute', event_time) AS call_minute,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    activity AS activity,
    outcome AS outcome
  FROM events
  WHERE record_kind = 'api_call'
    AND activity IN ('model_invocation', 'batch', 'discovery')
    AND surface IN ('runtime', 'mantle', 'agents', 'agentcore', 'gateway', 'control')
    AND invoked_by IS NULL
    AND aws_region IS NOT NULL
    AND NOT starts_with(principal, 'service:')
    AND strpos(principal, ':role/aws-service-role/') = 0
),
minutes AS (
  SELECT
    principal AS principal,
    aws_region AS aws_region,
    call_minute AS call_minute,
    MAX(CASE WHEN activity = 'discovery' THEN 0 ELSE 1 END) AS used
  FROM calls
  GROUP BY principal, aws_region, call_minute
),
-- Only those who called that many Regions at all can have called them within an hour.
wide AS (
  SELECT principal AS principal
  FROM (SELECT DISTINCT principal AS principal, aws_region AS aws_region FROM minutes) AS pairs
  WHERE principal NOT IN ('anonymous', 'unknown')
  GROUP BY principal
  HAVING COUNT(*) >= $min_regions
),
earlier AS (
  SELECT
    m.principal AS principal,
    m.aws_region AS aws_region,
    m.call_minute AS call_minute,
    m.used AS used,
    LAG(m.call_minute) OVER (PARTITION BY m.principal, m.aws_region ORDER BY m.call_minute ASC) AS previous_minute
  FROM minutes AS m
  JOIN wide AS w ON w.principal = m.principal
),
fresh AS (
  SELECT principal AS principal, aws_region AS aws_region, call_minute AS call_minute, used AS used
  FROM earlier
  WHERE previous_minute IS NULL
    OR previous_minute < call_minute - INTERVAL $window_minutes MINUTE
),
counted AS (
  SELECT
    principal AS principal,
    aws_region AS aws_region,
    call_minute AS call_minute,
    used AS used,
    COUNT(*) OVER (
      PARTITION BY principal ORDER BY call_minute ASC
      RANGE BETWEEN INTERVAL $window_minutes MINUTE PRECEDING AND CURRENT ROW
    ) AS regions
  FROM fresh
),
sweeps AS (
  SELECT
    principal AS principal,
    aws_region AS aws_region,
    call_minute AS call_minute,
    used AS used,
    MAX(regions) OVER (
      PARTITION BY principal ORDER BY call_minute ASC
      RANGE BETWEEN CURRENT ROW AND INTERVAL $window_minutes MINUTE FOLLOWING
    ) AS regions
  FROM counted
),
found AS (
  SELECT
    principal AS principal,
    MAX(regions) AS regions,
    MAX(used) AS used,
    array_join(array_agg(DISTINCT aws_region ORDER BY aws_region ASC), ', ') AS names
  FROM sweeps
  WHERE regions >= $min_regions
  GROUP BY principal
)
SELECT
  CASE WHEN s.regions IS NULL THEN 'pass' ELSE 'violation' END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  'Regions called' AS subject,
  'up to ' || CAST(f.regions AS VARCHAR) || ' Regions were called within ' || CAST($window_minutes AS VARCHAR)
    || ' minutes' AS reason,
  'fewer than ' || CAST($min_regions AS VARCHAR) || ' Regions within ' || CAST($window_minutes AS VARCHAR)
    || ' minutes' AS expected,
  CASE WHEN f.used = 1 THEN 'models called' ELSE 'only asked what there is' END || '; Regions ' || f.names AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome,
  CASE WHEN f.used = 1 THEN 'high' ELSE 'medium' END AS severity
FROM calls AS c
LEFT JOIN sweeps AS s
  ON s.principal = c.principal
  AND s.aws_region = c.aws_region
  AND s.call_minute = c.call_minute
  AND s.regions >= $min_regions
LEFT JOIN found AS f ON f.principal = c.principal
