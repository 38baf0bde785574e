-- title = "Records do not go back as far as they must be kept"
-- severity = "medium"
-- kind = "coverage"
-- needs = []
-- columns = ["event_id", "event_time", "account_id", "record_kind"]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- Logs that must be kept for months are of use only if they are still there. For each account the rule looks for the \
-- oldest event, history included, and the oldest log or digest file, and compares it with the policy's target_days: 183 for the \
-- six months of the EU AI Act, 365 for PCI DSS. Without a target the rule does not apply. Where the run was asked for a \
-- shorter time only, nothing follows from what it did not read, and the account is not assessed. Accounts that are \
-- younger than the target can be named. The population is the accounts with records."""
-- fix = """\
-- Look at the lifecycle rules of the log bucket and who set them (BT083). Restore older files from a copy if there is \
-- one. Collect logs into a store of your own."""
-- false_positives = "An account that is younger than the target, or in which nothing happened before: name it in young_accounts."
--
-- [controls]
-- "EU AI Act" = ["Art. 19(1)", "Art. 26(6)"]
-- "NIST SP 800-53" = ["AU-11"]
-- "PCI DSS" = ["10.5.1"]
--
-- [parameters.target_days]
-- type = "int"
-- default = 0
-- meaning = "How many days back records must reach; 0 is no target."
--
-- [parameters.young_accounts]
-- type = "list"
-- default = ["none"]
-- meaning = "Accounts that are younger than that."

WITH times AS (
  SELECT account_id AS account_id, MIN(event_time) AS oldest
  FROM events
  WHERE account_id IS NOT NULL
  GROUP BY account_id
  UNION ALL
  SELECT account_id AS account_id, MIN(event_time) AS oldest
  FROM history
  WHERE account_id IS NOT NULL
  GROUP BY account_id
  UNION ALL
  SELECT account_id AS account_id, MIN(delivered_at) AS oldest
  FROM objects
  WHERE account_id IS NOT NULL
    AND kind IN ('cloudtrail', 'digest')
    AND delivered_at IS NOT NULL
  GROUP BY account_id
),
accounts AS (
  SELECT account_id AS account_id, MIN(oldest) AS oldest
  FROM times
  GROUP BY account_id
),
judged AS (
  SELECT
    a.account_id AS account_id,
    a.oldest AS oldest,
    CASE
      WHEN $target_days = 0 THEN 'not_applicable'
      WHEN a.oldest <= r.run_time - INTERVAL $target_days DAY THEN 'pass'
      WHEN a.account_id IN ($young_accounts) THEN 'not_applicable'
      WHEN r.window_from > r.run_time - INTERVAL $target_days DAY THEN 'not_assessed'
      ELSE 'violation'
    END AS verdict
  FROM accounts AS a
  CROSS JOIN run AS r
),
total AS (
  SELECT COUNT(*) FILTER (WHERE verdict <> 'not_applicable') AS population, COUNT(*) FILTER (WHERE verdict = 'pass') AS passed
  FROM judged
)
SELECT
  j.verdict AS verdict,
  j.account_id AS account_id,
  CAST(NULL AS VARCHAR) AS aws_region,
  CAST(NULL AS VARCHAR) AS principal,
  'oldest record' AS subject,
  CASE WHEN j.verdict = 'violation' THEN 'the oldest record is younger than the target' END AS reason,
  CASE
    WHEN j.verdict = 'violation' THEN 'records from at least ' || CAST($target_days AS VARCHAR) || ' days before the run'
  END AS expected,
  'oldest record of ' || CAST(CAST(j.oldest AS DATE) AS VARCHAR) AS observed,
  j.oldest AS first_seen,
  j.oldest AS last_seen,
  CAST(1 AS BIGINT) AS event_count,
  t.population AS population,
  CASE
    WHEN j.verdict = 'not_assessed' THEN 'the run was asked for a shorter time than the target'
    WHEN $target_days = 0 THEN 'the policy sets no target_days'
    WHEN j.verdict = 'not_applicable' THEN 'the account is younger than the target'
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
ORDER BY verdict ASC, account_id ASC NULLS LAST
