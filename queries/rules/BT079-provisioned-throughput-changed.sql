-- title = "Reserved model capacity was bought, changed or given up"
-- severity = "high"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "outcome",
--   "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = ["T1496.004"]
-- attack_old = []
-- atlas = ["AML.T0034"]
-- why = """\
-- Provisioned throughput and reservations cost by the hour whether they are used or not, some for months ahead, and \
-- give whoever holds them capacity that no quota limits. The rule finds each creation, change and deletion of \
-- provisioned throughput on Bedrock and of reservations on bedrock-mantle by a principal that the policy does not list \
-- under capacity_admins. Where the list is empty, that is everybody. To buy or enlarge is high, to delete medium (it \
-- takes capacity away from an application), a refused attempt medium; an attempt that failed for another reason bought \
-- nothing and is no violation. The population is all such calls."""
-- fix = """\
-- Ask for the order or the change ticket. Without one, delete the capacity, which is possible at once only where no \
-- term was committed, and treat the caller as compromised. List the pipeline that may buy capacity under \
-- capacity_admins and deny the actions to everybody else."""
-- false_positives = "A capacity plan that is carried out by hand. A pipeline that the policy does not list yet."
--
-- [controls]
-- "NIST SP 800-53" = ["CM-3"]
-- "SOC 2" = ["CC8.1"]

WITH changes AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    COALESCE(
      json_extract_scalar(request_parameters, '$.provisionedModelName'),
      json_extract_scalar(request_parameters, '$.provisionedModelId'),
      json_extract_scalar(request_parameters, '$.reservation'),
      json_extract_scalar(request_parameters, '$.name')
    ) AS name,
    json_extract_scalar(request_parameters, '$.modelUnits') AS units,
    json_extract_scalar(request_parameters, '$.commitmentDuration') AS term,
    starts_with(event_name, 'Delete') AS given_up
  FROM events
  WHERE record_kind = 'api_call'
    AND (
      (
        event_source = 'bedrock.amazonaws.com'
        AND event_name IN (
          'CreateProvisionedModelThroughput', 'UpdateProvisionedModelThroughput', 'DeleteProvisionedModelThroughput'
        )
      )
      OR (
        event_source = 'bedrock-mantle.amazonaws.com'
        AND event_name IN ('CreateReservation', 'UpdateReservation', 'DeleteReservation')
      )
    )
),
admins AS (
  SELECT DISTINCT c.principal AS principal
  FROM (SELECT DISTINCT principal AS principal FROM changes) AS c
  JOIN policy_capacity_admin AS p
    ON regexp_like(c.principal, p.pattern_re)
    OR regexp_like(c.principal, p.pathless_re)
)
SELECT
  CASE WHEN c.outcome IN ('ok', 'denied') AND a.principal IS NULL THEN 'violation' ELSE 'pass' END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  c.event_name || ' ' || COALESCE(c.name, 'capacity not named') || ' '
    || COALESCE(c.aws_region, 'Region not recorded') AS subject,
  CASE
    WHEN c.outcome = 'denied' THEN 'an attempt to change reserved capacity was refused'
    WHEN c.given_up THEN 'reserved capacity was given up'
    ELSE 'reserved capacity was bought or changed'
  END AS reason,
  'a principal listed under capacity_admins' AS expected,
  c.event_name || COALESCE(', ' || c.units || ' units', '') || COALESCE(', term ' || c.term, '') AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome,
  CASE WHEN c.outcome = 'ok' AND NOT c.given_up THEN 'high' ELSE 'medium' END AS severity
FROM changes AS c
LEFT JOIN admins AS a ON a.principal = c.principal
