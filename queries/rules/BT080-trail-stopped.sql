-- title = "A trail or event data store was stopped or deleted"
-- severity = "critical"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "activity", "outcome",
--   "request_parameters", "resource_arn", "aws_region", "record_kind",
-- ]
-- attack = ["T1685.002"]
-- attack_old = ["T1562.008"]
-- atlas = []
-- why = """\
-- Everything in this report rests on CloudTrail. Whoever stops a trail or deletes one, or stops or deletes an \
-- event data store, blinds it. The rule finds StopLogging, DeleteTrail, DeleteEventDataStore and \
-- StopEventDataStoreIngestion. Success is critical and a refused attempt high. An attempt that failed for another \
-- reason (no such trail, an invalid name) touched no trail and is no violation; \
-- a query over events finds it. The population is all changes to trails and event data stores."""
-- fix = """\
-- Start logging again at once. Compare the digest files before and after, and treat the time between as not \
-- covered. Ask for the change ticket; without one treat the caller as compromised. Protect the trail with a \
-- service control policy that denies these four actions to all but one role."""
-- false_positives = """\
-- A trail that is replaced while its successor already runs. Test tools that build trails and tear them down. An \
-- account that is being closed."""
--
-- [controls]
-- "EU AI Act" = ["Art. 12"]
-- "HIPAA" = ["164.312(b)"]
-- "NIST SP 800-53" = ["AU-9", "AU-12"]
-- "PCI DSS" = ["10.3", "10.7"]
-- "SOC 2" = ["CC7.2"]

WITH judged AS (
  SELECT
    CASE
      WHEN event_name IN ('StopLogging', 'DeleteTrail', 'DeleteEventDataStore', 'StopEventDataStoreIngestion')
        AND outcome IN ('ok', 'denied')
        THEN 'violation'
      ELSE 'pass'
    END AS verdict,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    event_name || ' ' || COALESCE(
      json_extract_scalar(request_parameters, '$.name'),
      json_extract_scalar(request_parameters, '$.eventDataStore'),
      resource_arn,
      'trail not named'
    ) AS subject,
    CASE
      WHEN outcome = 'ok' AND event_name IN ('StopLogging', 'StopEventDataStoreIngestion') THEN 'logging was stopped'
      WHEN outcome = 'ok' THEN 'the record of events was deleted'
      ELSE 'an attempt to end logging was refused'
    END AS reason,
    'logging never stops' AS expected,
    event_name AS observed,
    CASE WHEN outcome = 'ok' THEN 5 ELSE 4 END AS severity_rank,
    event_id AS event_id,
    event_time AS event_time,
    outcome AS outcome
  FROM events
  WHERE record_kind = 'api_call'
    AND event_source = 'cloudtrail.amazonaws.com'
    AND (
      activity = 'trail_admin'
      OR event_name IN ('StopLogging', 'DeleteTrail', 'DeleteEventDataStore', 'StopEventDataStoreIngestion')
    )
),
-- What passed folds into one row; all else stays one row per event, so that samples can be picked.
folded AS (
  SELECT
    verdict AS verdict,
    CASE WHEN verdict <> 'pass' THEN account_id END AS account_id,
    CASE WHEN verdict <> 'pass' THEN principal END AS principal,
    CASE WHEN verdict <> 'pass' THEN subject END AS subject,
    CASE WHEN verdict <> 'pass' THEN event_id END AS event_id,
    MIN(aws_region) AS first_region,
    MAX(aws_region) AS last_region,
    MIN(reason) AS first_reason,
    MAX(reason) AS last_reason,
    MIN(expected) AS expected,
    MIN(observed) AS first_observed,
    MAX(observed) AS last_observed,
    MAX(severity_rank) AS severity_rank,
    MIN(event_time) AS first_seen,
    MAX(event_time) AS last_seen,
    COUNT(*) AS events,
    COUNT(*) FILTER (WHERE outcome = 'ok') AS ok,
    COUNT(*) FILTER (WHERE outcome = 'denied') AS denied
  FROM judged
  GROUP BY 1, 2, 3, 4, 5
),
ranked AS (
  SELECT
    verdict AS verdict,
    account_id AS account_id,
    principal AS principal,
    subject AS subject,
    event_id AS event_id,
    first_region AS first_region,
    last_region AS last_region,
    first_reason AS first_reason,
    last_reason AS last_reason,
    expected AS expected,
    first_observed AS first_observed,
    last_observed AS last_observed,
    severity_rank AS severity_rank,
    first_seen AS first_seen,
    last_seen AS last_seen,
    events AS events,
    ok AS ok,
    denied AS denied,
    ROW_NUMBER() OVER (
      PARTITION BY verdict, account_id, principal, subject
      ORDER BY first_seen ASC NULLS LAST, event_id ASC NULLS LAST
    ) AS place
  FROM folded
),
grouped AS (
  SELECT
    verdict AS verdict,
    account_id AS account_id,
    principal AS principal,
    subject AS subject,
    MIN(first_region) AS first_region,
    MAX(last_region) AS last_region,
    MIN(first_reason) AS first_reason,
    MAX(last_reason) AS last_reason,
    MIN(expected) AS expected,
    MIN(first_observed) AS first_observed,
    MAX(last_observed) AS last_observed,
    MAX(severity_rank) AS severity_rank,
    MIN(first_seen) AS first_seen,
    MAX(last_seen) AS last_seen,
    CAST(SUM(events) AS BIGINT) AS events,
    CAST(SUM(ok) AS BIGINT) AS ok,
    CAST(SUM(denied) AS BIGINT) AS denied,
    array_join(
      array_agg(event_id ORDER BY place) FILTER (WHERE event_id IS NOT NULL AND place <= 5), ' '
    ) AS sample_event_ids
  FROM ranked
  GROUP BY verdict, account_id, principal, subject
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
    sample_event_ids AS sample_event_ids,
    severity_rank AS severity_rank
  FROM grouped
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
