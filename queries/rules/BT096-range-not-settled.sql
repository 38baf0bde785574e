-- title = "The records of the time asked for may not all have come"
-- severity = "low"
-- kind = "coverage"
-- needs = []
-- columns = ["event_id", "event_time", "account_id", "aws_region", "addendum", "delivered_at", "outcome", "record_kind"]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- CloudTrail delivers most records within minutes, and some much later. A report about a time that ended less than 24 \
-- hours before the run may still grow: the rule reports its last records. It also reports records that were delivered \
-- more than 24 hours after they happened, or that say of themselves that delivery was delayed, for a report made in \
-- between lacks them. Where files have no delivery time in their names, only the record's own word counts. The \
-- population is all records kept."""
-- fix = """\
-- Run again once the time has settled, and compare. Where records came late, make the reports of that time again and \
-- say so to whoever has the first version."""
-- false_positives = "A run that is meant to be preliminary. Log files that were copied and renamed."
--
-- [controls]
--
-- [parameters.settle_hours]
-- type = "int"
-- default = 24
-- meaning = "After how many hours records are taken to be complete."

WITH limits AS (
  SELECT
    run_time - INTERVAL $settle_hours HOUR AS settled_until
  FROM run
)
SELECT
  CASE
    WHEN e.event_time > l.settled_until
      OR e.delivered_at > e.event_time + INTERVAL $settle_hours HOUR
      OR json_extract_scalar(e.addendum, '$.reason') = 'DELIVERY_DELAY'
      THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  e.account_id AS account_id,
  e.aws_region AS aws_region,
  CAST(NULL AS VARCHAR) AS principal,
  CASE WHEN e.event_time > l.settled_until THEN 'records not settled' ELSE 'records delivered late' END AS subject,
  CASE
    WHEN e.event_time > l.settled_until THEN 'the time ended less than ' || CAST($settle_hours AS VARCHAR)
      || ' hours before this run: more records may come'
    ELSE 'records came so late that an earlier report on that time lacks them'
  END AS reason,
  'a time that ended at least ' || CAST($settle_hours AS VARCHAR) || ' hours before the run' AS expected,
  CASE
    WHEN e.event_time > l.settled_until THEN 'happened shortly before the run'
    WHEN e.delivered_at > e.event_time + INTERVAL $settle_hours HOUR THEN 'delivered late by the time in the file''s name'
    ELSE 'says DELIVERY_DELAY of itself'
  END AS observed,
  e.event_time AS event_time,
  e.event_id AS event_id,
  e.outcome AS outcome
FROM events AS e
CROSS JOIN limits AS l
WHERE e.record_kind IN ('api_call', 'service_event', 'network_activity')
