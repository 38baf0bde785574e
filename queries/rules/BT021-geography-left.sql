-- title = "A model ran outside the allowed geographies"
-- severity = "high"
-- kind = "row"
-- needs = ["policy_geography"]
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "model_id", "model_kind", "profile_scope",
--   "inference_region", "activity", "outcome", "aws_region", "record_kind", "request_id",
-- ]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- A cross-Region inference profile may send a prompt to another Region. CloudTrail logs the call where it was made \
-- and, if it was sent on, the Region that ran it; where that record does not, the AwsServiceEvent that belongs to it or \
-- the model-invocation log may. This rule holds that Region against the geographies the policy allows for the \
-- environment. If none of them names another Region, the model ran in the Region that was called. \
-- For a global profile, and for an application inference profile that may stand for one, a missing Region proves \
-- nothing: such calls are not assessed. Nor is a batch job with a profile: its one record does not say where its calls \
-- ran. Calls that did not succeed are judged only if the record says where they \
-- were sent. A violation is high, and critical where the policy gives the environment the data_class personal. The \
-- geography eu holds the Regions whose code starts with eu, London and Zurich among them."""
-- fix = """\
-- Use a profile of the right geography (eu. instead of global.) or a Region that offers the model itself. Deny the \
-- others with a service control policy on the profile's ARN. If personal data went out, tell those who answer for \
-- data protection: the sample events name the calls."""
-- false_positives = """\
-- None if the policy's geographies are right. A Region too new for the built-in table is not assessed."""
--
-- [controls]
-- "GDPR" = ["Art. 44"]
-- "HIPAA" = ["164.312(e)(1)"]
-- "ISO/IEC 27001" = ["A.5.34"]
-- "SOC 2" = ["CC6.7"]

WITH placed AS (
  SELECT
    m.event_id AS event_id,
    m.event_time AS event_time,
    m.account_id AS account_id,
    m.environment AS environment,
    m.principal AS principal,
    m.outcome AS outcome,
    m.aws_region AS aws_region,
    m.activity AS activity,
    m.profile_scope AS profile_scope,
    m.model_id AS model_id,
    m.model_kind AS model_kind,
    m.model_known_by AS model_known_by,
    COALESCE(m.inference_region, t.inference_region) AS inference_region
  FROM model_calls AS m
  LEFT JOIN call_tokens AS t
    ON t.account_id = m.account_id
    AND t.request_id = m.request_id
    AND t.log_object = m.log_object
    AND t.log_index = m.log_index
),
calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    account_id AS account_id,
    environment AS environment,
    principal AS principal,
    outcome AS outcome,
    aws_region AS aws_region,
    inference_region AS inference_region,
    COALESCE(inference_region, aws_region) AS run_region,
    CASE
      WHEN inference_region IS NOT NULL THEN NULL
      WHEN activity = 'batch' AND profile_scope IS NOT NULL
        THEN 'the record of a batch job does not say where its calls ran'
      WHEN profile_scope = 'global' THEN 'a global inference profile, and the record does not say where the model ran'
      WHEN profile_scope IS NULL AND COALESCE(model_known_by, '') <> 'trail' AND model_kind = 'application_profile'
        THEN 'an application inference profile, and the record does not say where the model ran'
      WHEN model_id IS NULL THEN 'the record names no model, so a profile may have moved the call'
      WHEN profile_scope IS NULL AND COALESCE(model_known_by, '') <> 'trail'
        AND model_kind IN ('prompt', 'router', 'unresolved')
        THEN 'the record does not name the profile behind this reference, nor where the model ran'
      WHEN aws_region IS NULL THEN 'the record names no Region'
    END AS obstacle
  FROM placed
  WHERE inference_region IS NOT NULL
    OR outcome = 'ok'
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
personal AS (
  SELECT DISTINCT environment AS environment
  FROM policy_environment_setting
  WHERE name = 'data_class'
    AND lower(value) = 'personal'
)
SELECT
  CASE
    WHEN c.environment IS NULL THEN 'not_assessed'
    WHEN v.anywhere > 0 THEN 'pass'
    WHEN c.obstacle IS NOT NULL OR r.geography IS NULL THEN 'not_assessed'
    WHEN p.geography IS NULL THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  CASE WHEN c.obstacle IS NULL THEN c.run_region ELSE 'Region not recorded' END AS subject,
  CASE
    WHEN c.environment IS NULL THEN 'the account is in no environment of the policy'
    WHEN c.obstacle IS NOT NULL THEN c.obstacle
    WHEN r.geography IS NULL THEN 'the geography of this Region is not known'
    ELSE 'geography ' || r.geography || ' is not among those of environment ' || c.environment
  END AS reason,
  COALESCE('a Region in one of ' || v.allowed, 'an environment for the account') AS expected,
  'called in ' || COALESCE(c.aws_region, 'a Region that is not recorded')
    || CASE WHEN c.obstacle IS NULL THEN ', ran in ' || c.run_region ELSE '' END AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome,
  CASE WHEN d.environment IS NOT NULL THEN 'critical' ELSE 'high' END AS severity
FROM calls AS c
LEFT JOIN environments AS v ON v.environment = c.environment
LEFT JOIN personal AS d ON d.environment = c.environment
LEFT JOIN ref_region AS r ON r.region = c.run_region
LEFT JOIN pairs AS p ON p.environment = c.environment AND p.geography = r.geography
WHERE v.environment IS NOT NULL OR c.environment IS NULL
