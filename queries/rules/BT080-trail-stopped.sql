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
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome,
  CASE WHEN outcome = 'ok' THEN 'critical' ELSE 'high' END AS severity
FROM events
WHERE record_kind = 'api_call'
  AND event_source = 'cloudtrail.amazonaws.com'
  AND (
    activity = 'trail_admin'
    OR event_name IN ('StopLogging', 'DeleteTrail', 'DeleteEventDataStore', 'StopEventDataStoreIngestion')
  )
