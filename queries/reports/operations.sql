-- title = "Operations of AI services"
-- question = "Which operations of which AI service were called, how often, and does this program know them?"
-- frameworks = ["ISO/IEC 42001 A.4.2", "NIST SP 800-53 AU-3", "NIST SP 800-53 AU-12"]
-- audit = "folder"
-- glance = ["event_source", "event_name", "known", "surface", "activity", "event_category", "calls", "ok", "denied", "callers", "last_seen"]
--
-- [columns]
-- event_source = "The service, as logged."
-- event_name = "The operation, as logged."
-- known = "yes: the built-in catalogue lists it; no: it does not, and no rule but BT094 judges it. The record is kept and counted all the same."
-- surface = "The surface it is counted under."
-- activity = "What it is counted as."
-- event_category = "Management or Data, as the records say; Data where a trail's selector asked for it."
-- resource_type = "The type of the first resource in the records."
-- calls = "Calls, whatever their outcome."
-- ok = "Calls that succeeded."
-- denied = "Calls that were refused."
-- other = "Calls that were throttled, invalid or failed."
-- callers = "Distinct callers."
-- accounts = "Distinct accounts."
-- first_seen = "Time of the first, UTC."
-- last_seen = "Time of the last, UTC."

WITH calls AS (
  SELECT
    event_source AS event_source,
    event_name AS event_name,
    -- Some records write a service's name for one of its endpoints; the catalogue knows one name for both.
    CASE
      WHEN event_source IN (
        'bedrock-agent-runtime.amazonaws.com', 'bedrock-agent.amazonaws.com', 'bedrock-data-automation.amazonaws.com',
        'bedrock-runtime.amazonaws.com'
      ) THEN 'bedrock.amazonaws.com'
      WHEN event_source = 'bedrock-agentcore-control.amazonaws.com' THEN 'bedrock-agentcore.amazonaws.com'
      ELSE event_source
    END AS catalogue_source,
    surface AS surface,
    activity AS activity,
    event_category AS event_category,
    resource_type AS resource_type,
    principal AS principal,
    account_id AS account_id,
    COUNT(*) AS calls,
    COUNT(*) FILTER (WHERE outcome = 'ok') AS ok,
    COUNT(*) FILTER (WHERE outcome = 'denied') AS denied,
    MIN(event_time) AS first_seen,
    MAX(event_time) AS last_seen
  FROM events
  WHERE record_kind = 'api_call'
    AND (
      starts_with(event_source, 'bedrock')
      OR event_source IN ('agent-registry.amazonaws.com', 'aws-external-anthropic.amazonaws.com')
    )
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
),
-- One pass makes two lists for each operation: its callers and its accounts. Each carries the counts.
parts AS (
  SELECT
    event_source AS event_source,
    event_name AS event_name,
    catalogue_source AS catalogue_source,
    surface AS surface,
    activity AS activity,
    event_category AS event_category,
    resource_type AS resource_type,
    principal AS principal,
    account_id AS account_id,
    GROUPING(principal) AS without_principal,
    SUM(calls) AS calls,
    SUM(ok) AS ok,
    SUM(denied) AS denied,
    MIN(first_seen) AS first_seen,
    MAX(last_seen) AS last_seen
  FROM calls
  GROUP BY GROUPING SETS (
    (event_source, event_name, catalogue_source, surface, activity, event_category, resource_type, principal),
    (event_source, event_name, catalogue_source, surface, activity, event_category, resource_type, account_id)
  )
)
SELECT
  p.event_source AS event_source,
  p.event_name AS event_name,
  CASE WHEN MIN(r.event_name) IS NULL THEN 'no' ELSE 'yes' END AS known,
  p.surface AS surface,
  p.activity AS activity,
  p.event_category AS event_category,
  p.resource_type AS resource_type,
  CAST(SUM(p.calls) FILTER (WHERE p.without_principal = 0) AS BIGINT) AS calls,
  CAST(SUM(p.ok) FILTER (WHERE p.without_principal = 0) AS BIGINT) AS ok,
  CAST(SUM(p.denied) FILTER (WHERE p.without_principal = 0) AS BIGINT) AS denied,
  CAST(SUM(p.calls - p.ok - p.denied) FILTER (WHERE p.without_principal = 0) AS BIGINT) AS other,
  CAST(COUNT(p.principal) FILTER (WHERE p.without_principal = 0) AS BIGINT) AS callers,
  CAST(COUNT(p.account_id) FILTER (WHERE p.without_principal = 1) AS BIGINT) AS accounts,
  MIN(p.first_seen) AS first_seen,
  MAX(p.last_seen) AS last_seen
FROM parts AS p
LEFT JOIN ref_event AS r ON r.event_source = p.catalogue_source AND r.event_name = p.event_name
GROUP BY p.event_source, p.event_name, p.surface, p.activity, p.event_category, p.resource_type
ORDER BY
  CASE WHEN MIN(r.event_name) IS NULL THEN 1 ELSE 2 END ASC,
  p.event_source ASC NULLS LAST,
  p.event_name ASC NULLS LAST,
  p.event_category ASC NULLS LAST,
  p.resource_type ASC NULLS LAST,
  p.surface ASC NULLS LAST,
  p.activity ASC NULLS LAST
