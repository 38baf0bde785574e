-- title = "Too many model calls name no person and no workload"
-- severity = "medium"
-- kind = "coverage"
-- needs = []
-- columns = [
--   "event_id", "event_time", "account_id", "principal", "person", "person_basis", "activity", "invoked_by", "outcome",
--   "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- A call is traceable if its record names a person (IAM Identity Center, source identity, IAM user, root, JWT subject) \
-- or the workload that held the credentials. A role shared by many, with session names that its callers choose, names \
-- neither. The rule takes the successful model calls of each account and reports those that name nobody, if they are \
-- more than a fifth of all. Roles that the policy lists under shared_roles serve one declared purpose and count as \
-- traceable; so do calls that an AWS service made. The population is all successful model calls."""
-- fix = """\
-- Give each application a role of its own, and persons IAM Identity Center or a required source identity. List roles \
-- with a single purpose under shared_roles."""
-- false_positives = "A workload role with one purpose that the policy does not list yet."
--
-- [controls]
-- "NIST SP 800-53" = ["AU-3", "AU-10"]
-- "PCI DSS" = ["8.2.2"]
-- "SOC 2" = ["CC6.1"]
--
-- [parameters.max_share]
-- type = "int"
-- default = 20
-- meaning = "How many percent of an account's calls may name nobody."
--
-- [parameters.min_calls]
-- type = "int"
-- default = 5
-- meaning = "Of how many calls of an account a share is told: of fewer it says little."

WITH calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    account_id AS account_id,
    COALESCE(account_id, '') AS account_key,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    invoked_by IS NULL AND (person IS NULL OR person_basis = 'session_name') AS nameless
  FROM events
  WHERE record_kind = 'api_call'
    AND activity = 'model_invocation'
    AND outcome = 'ok'
),
declared AS (
  SELECT DISTINCT c.principal AS principal
  FROM (SELECT DISTINCT principal AS principal FROM calls) AS c
  JOIN policy_shared_role AS p
    ON regexp_like(c.principal, p.pattern_re)
    OR regexp_like(c.principal, p.pathless_re)
),
judged AS (
  SELECT
    c.event_id AS event_id,
    c.event_time AS event_time,
    c.account_id AS account_id,
    c.account_key AS account_key,
    c.aws_region AS aws_region,
    c.principal AS principal,
    c.outcome AS outcome,
    c.nameless AND d.principal IS NULL AS nameless
  FROM calls AS c
  LEFT JOIN declared AS d ON d.principal = c.principal
),
shares AS (
  SELECT
    account_key AS account_key,
    COUNT(*) AS calls,
    SUM(CASE WHEN nameless THEN 1 ELSE 0 END) AS nameless
  FROM judged
  GROUP BY account_key
)
SELECT
  CASE WHEN j.nameless AND s.calls >= $min_calls AND s.nameless * 100 > s.calls * $max_share THEN 'violation' ELSE 'pass' END AS verdict,
  j.account_id AS account_id,
  j.aws_region AS aws_region,
  j.principal AS principal,
  'calls without a person' AS subject,
  CAST(s.nameless AS VARCHAR) || ' of ' || CAST(s.calls AS VARCHAR)
    || ' model calls of the account name no person and no workload' AS reason,
  'at most ' || CAST($max_share AS VARCHAR) || ' percent of the account''s calls' AS expected,
  'calls that name nobody' AS observed,
  j.event_time AS event_time,
  j.event_id AS event_id,
  j.outcome AS outcome
FROM judged AS j
JOIN shares AS s ON s.account_key = j.account_key
