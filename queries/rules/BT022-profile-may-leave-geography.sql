-- title = "An inference profile was used that may leave the allowed geographies"
-- severity = "medium"
-- kind = "row"
-- needs = ["policy_geography"]
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "model_id", "model_kind", "profile_scope",
--   "activity", "outcome", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- An inference profile can run a model in any of its Regions; which one is AWS's choice, call by call. If one of \
-- them lies outside the allowed geographies, staying inside was luck. This rule finds the use of such profiles \
-- even where this call stayed inside, and refused attempts too. A global profile may run anywhere. For the others \
-- the rule reads a dated table of the Regions each profile reaches from the Region that is called; where the table \
-- has no row for the model and the Region it takes all Regions that the prefix is known to reach. Where the record \
-- does not show whether a profile stands behind the reference (no model, a stored prompt, a router), and for \
-- accounts in no environment, the call is not assessed. BT021 reports the calls that did leave."""
-- fix = """\
-- Use the profile of the right geography, and deny the others with a service control policy on the profile's ARN."""
-- false_positives = """\
-- The table is out of date, or the union of a prefix holds a Region that this model does not reach: state the case \
-- in a waiver. Some prefixes reach a Region outside the geography of that name for callers in that Region."""
--
-- [controls]
-- "ISO/IEC 27001" = ["A.5.34"]
-- "NIST SP 800-53" = ["AC-4"]
-- "SOC 2" = ["CC6.7"]

WITH calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    account_id AS account_id,
    environment AS environment,
    principal AS principal,
    outcome AS outcome,
    aws_region AS aws_region,
    model_id AS model_id,
    model_kind AS model_kind,
    profile_scope AS profile_scope
  FROM model_calls
  WHERE profile_scope IS NOT NULL
    OR model_id IS NULL
    OR (
      model_kind IN ('application_profile', 'prompt', 'router', 'unresolved')
      AND COALESCE(model_known_by, '') <> 'trail'
    )
),
profiles AS (
  SELECT DISTINCT
    profile_scope AS profile_scope,
    COALESCE(model_id, '') AS model_key,
    COALESCE(aws_region, '') AS region_key
  FROM calls
  WHERE profile_scope IS NOT NULL
),
exact AS (
  SELECT p.profile_scope AS profile_scope, p.model_key AS model_key, p.region_key AS region_key,
    d.destination_region AS destination_region
  FROM profiles AS p
  JOIN ref_profile_destination AS d
    ON d.profile_scope = p.profile_scope
    AND d.model_id = p.model_key
    AND d.source_region = p.region_key
  WHERE d.destination_region IS NOT NULL
),
-- Some Regions (il-central-1 of eu, ca-central-1 of us) answer only callers of their own: for others they are no destination.
shared AS (
  SELECT DISTINCT profile_scope AS profile_scope, destination_region AS destination_region
  FROM ref_profile_destination
  WHERE model_id <> '*'
    AND source_region <> '*'
    AND destination_region <> source_region
),
known AS (
  SELECT DISTINCT profile_scope AS profile_scope, model_key AS model_key, region_key AS region_key
  FROM exact
),
destinations AS (
  SELECT profile_scope AS profile_scope, model_key AS model_key, region_key AS region_key,
    destination_region AS destination_region
  FROM exact
  UNION
  SELECT p.profile_scope AS profile_scope, p.model_key AS model_key, p.region_key AS region_key,
    d.destination_region AS destination_region
  FROM profiles AS p
  JOIN ref_profile_destination AS d
    ON d.profile_scope = p.profile_scope
    AND d.model_id = '*'
    AND d.source_region = '*'
  LEFT JOIN shared AS s
    ON s.profile_scope = d.profile_scope
    AND s.destination_region = d.destination_region
  LEFT JOIN known AS k
    ON k.profile_scope = p.profile_scope
    AND k.model_key = p.model_key
    AND k.region_key = p.region_key
  WHERE d.destination_region IS NOT NULL
    AND (s.destination_region IS NOT NULL OR d.destination_region = p.region_key)
    AND k.profile_scope IS NULL
),
environments AS (
  SELECT
    environment AS environment,
    array_join(array_agg(DISTINCT geography ORDER BY geography), ' ') AS allowed,
    COUNT(*) FILTER (WHERE geography = '*') AS anywhere
  FROM policy_geography
  GROUP BY environment
),
pairs AS (
  SELECT DISTINCT environment AS environment, geography AS geography
  FROM policy_geography
),
reach AS (
  SELECT
    v.environment AS environment,
    d.profile_scope AS profile_scope,
    d.model_key AS model_key,
    d.region_key AS region_key,
    COUNT(*) FILTER (
      WHERE d.destination_region = 'ALL-COMMERCIAL' OR (r.geography IS NOT NULL AND p.geography IS NULL)
    ) AS outside,
    COUNT(*) FILTER (WHERE d.destination_region <> 'ALL-COMMERCIAL' AND r.geography IS NULL) AS unplaced,
    array_join(
      array_agg(DISTINCT d.destination_region ORDER BY d.destination_region)
        FILTER (WHERE d.destination_region <> 'ALL-COMMERCIAL' AND r.geography IS NOT NULL AND p.geography IS NULL),
      ' '
    ) AS outside_regions
  FROM environments AS v
  CROSS JOIN destinations AS d
  LEFT JOIN ref_region AS r ON r.region = d.destination_region
  LEFT JOIN pairs AS p ON p.environment = v.environment AND p.geography = r.geography
  GROUP BY v.environment, d.profile_scope, d.model_key, d.region_key
)
SELECT
  CASE
    WHEN c.environment IS NULL THEN 'not_assessed'
    WHEN v.anywhere > 0 THEN 'pass'
    WHEN c.profile_scope = 'global' OR d.outside > 0 THEN 'violation'
    WHEN c.profile_scope IS NULL OR d.outside IS NULL OR d.unplaced > 0 THEN 'not_assessed'
    ELSE 'pass'
  END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  COALESCE(c.profile_scope || '.', '') || COALESCE(c.model_id, 'model not recorded')
    || ' from ' || COALESCE(c.aws_region, 'a Region that is not recorded') AS subject,
  CASE
    WHEN c.environment IS NULL THEN 'the account is in no environment of the policy'
    WHEN c.profile_scope = 'global' THEN 'a global inference profile may run in any commercial Region'
    WHEN d.outside > 0 THEN 'the profile reaches Regions outside the geographies of environment ' || c.environment
    WHEN c.model_id IS NULL THEN 'the record names no model, so a profile may stand behind the call'
    WHEN c.model_kind IN ('prompt', 'router', 'unresolved')
      THEN 'the record does not name the profile behind this reference'
    WHEN c.profile_scope IS NULL
      THEN 'an application inference profile: the record does not say which Regions it reaches'
    WHEN d.outside IS NULL THEN 'the Regions that this profile reaches are not known'
    ELSE 'the geography of a Region that this profile reaches is not known'
  END AS reason,
  COALESCE('a profile that stays in ' || v.allowed, 'an environment for the account') AS expected,
  'called' || CASE WHEN d.outside > 0 THEN COALESCE(', reaches ' || NULLIF(d.outside_regions, ''), '') ELSE '' END AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome
FROM calls AS c
LEFT JOIN environments AS v ON v.environment = c.environment
LEFT JOIN reach AS d
  ON d.environment = c.environment
  AND d.profile_scope = c.profile_scope
  AND d.model_key = COALESCE(c.model_id, '')
  AND d.region_key = COALESCE(c.aws_region, '')
WHERE v.environment IS NOT NULL OR c.environment IS NULL
