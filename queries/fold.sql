-- What makes one row per judged event the groups that the runner reads; `judged` is the rule's own SELECT. What
-- passed is one group, all else is grouped by verdict, account, principal and subject. Events are met once and never
-- sorted; a group keeps its five earliest, and nothing is written out for an event that passed. $severity is the severity
-- of a row: its own, else the rule's. $unruled says that no policy was in force at the time of an event, of rules that
-- judge by a policy; $during leaves the events of one version of the policy, where there are several.
WITH timed AS (
  SELECT
    $unruled AS unruled,
    verdict AS verdict,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    subject AS subject,
    reason AS reason,
    expected AS expected,
    observed AS observed,
    event_time AS event_time,
    event_id AS event_id,
    outcome AS outcome,
    $severity AS severity
  FROM judged $during
),
dated AS (
  SELECT
    CASE WHEN unruled THEN 'not_assessed' ELSE verdict END AS verdict,
    account_id AS account_id,
    CASE WHEN unruled OR verdict <> 'pass' THEN aws_region END AS aws_region,
    principal AS principal,
    subject AS subject,
    CASE WHEN unruled THEN 'no policy was in force' WHEN verdict <> 'pass' THEN reason END AS reason,
    CASE WHEN verdict <> 'pass' THEN expected END AS expected,
    CASE WHEN unruled OR verdict <> 'pass' THEN observed END AS observed,
    event_time AS event_time,
    event_id AS event_id,
    outcome AS outcome,
    severity AS severity
  FROM timed
),
folded AS (
  SELECT
    verdict AS verdict,
    CASE WHEN verdict <> 'pass' THEN account_id END AS account_id,
    CASE WHEN verdict <> 'pass' THEN principal END AS principal,
    CASE WHEN verdict <> 'pass' THEN subject END AS subject,
    MIN(aws_region) AS first_region,
    MAX(aws_region) AS last_region,
    MIN(reason) AS first_reason,
    MAX(reason) AS last_reason,
    MIN(expected) AS expected,
    MIN(observed) AS first_observed,
    MAX(observed) AS last_observed,
    MAX(
      CASE
        WHEN severity = 'critical' THEN 5
        WHEN severity = 'high' THEN 4
        WHEN severity = 'medium' THEN 3
        WHEN severity = 'low' THEN 2
        WHEN severity = 'info' THEN 1
      END
    ) AS severity_rank,
    MIN(event_time) AS first_seen,
    MAX(event_time) AS last_seen,
    COUNT(*) AS events,
    COUNT(*) FILTER (WHERE outcome = 'ok') AS ok,
    COUNT(*) FILTER (WHERE outcome = 'denied') AS denied,
    -- No two events have one key, so that both engines keep the same ones.
    min_by(event_id, CASE WHEN verdict <> 'pass' THEN CAST(event_time AS VARCHAR) || ' ' || event_id END, 5) AS samples
  FROM dated
  GROUP BY 1, 2, 3, 4
),
told AS (
  SELECT
    verdict AS verdict,
    account_id AS account_id,
    CASE WHEN verdict <> 'pass' AND first_region = last_region THEN first_region END AS aws_region,
    principal AS principal,
    subject AS subject,
    CASE WHEN first_reason = last_reason THEN first_reason ELSE first_reason || '; ' || last_reason END AS reason,
    expected AS expected,
    CASE WHEN first_observed = last_observed THEN first_observed ELSE first_observed || '; ' || last_observed END
      || ' (' || CAST(ok AS VARCHAR) || ' ok, ' || CAST(denied AS VARCHAR) || ' denied, '
      || CAST(events - ok - denied AS VARCHAR) || ' other)' AS observed,
    first_seen AS first_seen,
    last_seen AS last_seen,
    events AS event_count,
    CAST(SUM(events) OVER () AS BIGINT) AS population,
    array_join(samples, ' ') AS sample_event_ids,
    severity_rank AS severity_rank
  FROM folded
)
SELECT
  verdict AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  subject AS subject,
  CASE WHEN verdict = 'violation' THEN reason END AS reason,
  CASE WHEN verdict = 'violation' THEN expected END AS expected,
  CASE WHEN verdict <> 'pass' THEN observed END AS observed,
  first_seen AS first_seen,
  last_seen AS last_seen,
  event_count AS event_count,
  population AS population,
  CASE WHEN verdict IN ('not_assessed', 'not_applicable') THEN reason END AS not_assessed_reason,
  sample_event_ids AS sample_event_ids,
  CASE
    WHEN verdict <> 'violation' THEN NULL
    WHEN severity_rank = 5 THEN 'critical'
    WHEN severity_rank = 4 THEN 'high'
    WHEN severity_rank = 3 THEN 'medium'
    WHEN severity_rank = 2 THEN 'low'
    WHEN severity_rank = 1 THEN 'info'
  END AS severity
FROM told
ORDER BY
  verdict ASC NULLS LAST,
  account_id ASC NULLS LAST,
  principal ASC NULLS LAST,
  subject ASC NULLS LAST
