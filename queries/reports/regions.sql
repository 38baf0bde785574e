-- title = "Where models were called and where they ran"
-- question = "In which Regions and geographies were prompts processed?"
-- frameworks = ["ISO/IEC 27001 A.5.23", "ISO/IEC 27001 A.5.34", "SOC 2 CC6.7", "GDPR Art. 44"]
-- glance = ["account_id", "called_region", "run_region", "run_geography", "run_basis", "profile_scope", "calls", "ok", "principals", "last_seen", "environment", "first_seen", "models"]
--
-- [columns]
-- account_id = "The account that received the record."
-- environment = "The policy's environment for the account."
-- called_region = "The Region that was called."
-- called_geography = "Its geography."
-- run_region = "The Region that ran the model: as recorded, else the called one; empty where the record does not settle it."
-- run_geography = "Its geography."
-- run_basis = "recorded; not_rerouted: the record names no other Region; unknown: a reference behind which a profile can run elsewhere, and no Region recorded."
-- profile_scope = "The inference profile's geography prefix, where one was used."
-- calls = "Calls, whatever their outcome; only those that succeeded processed a prompt to its end."
-- ok = "Calls that succeeded."
-- principals = "Distinct callers."
-- models = "The models called."
-- first_seen = "Time of the first call, UTC."
-- last_seen = "Time of the last call, UTC."

WITH folded AS (
  SELECT
    account_id AS account_id,
    environment AS environment,
    aws_region AS called_region,
    CASE
      WHEN inference_region IS NOT NULL THEN inference_region
      WHEN profile_scope = 'global' OR model_id IS NULL THEN NULL
      WHEN profile_scope IS NULL AND COALESCE(model_known_by, '') <> 'trail'
        AND model_kind IN ('application_profile', 'prompt', 'router', 'unresolved') THEN NULL
      ELSE aws_region
    END AS run_region,
    CASE
      WHEN inference_region IS NOT NULL THEN 'recorded'
      WHEN profile_scope = 'global' OR model_id IS NULL OR aws_region IS NULL THEN 'unknown'
      WHEN profile_scope IS NULL AND COALESCE(model_known_by, '') <> 'trail'
        AND model_kind IN ('application_profile', 'prompt', 'router', 'unresolved') THEN 'unknown'
      ELSE 'not_rerouted'
    END AS run_basis,
    profile_scope AS profile_scope,
    principal AS principal,
    model_id AS model_id,
    COUNT(*) AS calls,
    COUNT(*) FILTER (WHERE outcome = 'ok') AS ok,
    MIN(event_time) AS first_seen,
    MAX(event_time) AS last_seen
  FROM usage
  WHERE principal IS NOT NULL
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
),
grouped AS (
  SELECT
    account_id AS account_id,
    environment AS environment,
    called_region AS called_region,
    run_region AS run_region,
    run_basis AS run_basis,
    profile_scope AS profile_scope,
    CAST(SUM(calls) AS BIGINT) AS calls,
    CAST(SUM(ok) AS BIGINT) AS ok,
    CAST(COUNT(DISTINCT principal) AS BIGINT) AS principals,
    array_join(array_agg(DISTINCT model_id ORDER BY model_id) FILTER (WHERE model_id IS NOT NULL), ' ') AS models,
    MIN(first_seen) AS first_seen,
    MAX(last_seen) AS last_seen
  FROM folded
  GROUP BY account_id, environment, called_region, run_region, run_basis, profile_scope
)
SELECT
  g.account_id AS account_id,
  g.environment AS environment,
  g.called_region AS called_region,
  c.geography AS called_geography,
  g.run_region AS run_region,
  r.geography AS run_geography,
  g.run_basis AS run_basis,
  g.profile_scope AS profile_scope,
  g.calls AS calls,
  g.ok AS ok,
  g.principals AS principals,
  g.models AS models,
  g.first_seen AS first_seen,
  g.last_seen AS last_seen
FROM grouped AS g
LEFT JOIN ref_region AS c ON c.region = g.called_region
LEFT JOIN ref_region AS r ON r.region = g.run_region
ORDER BY
  g.account_id ASC NULLS LAST,
  g.environment ASC NULLS LAST,
  g.called_region ASC NULLS LAST,
  g.run_region ASC NULLS LAST,
  g.run_basis ASC NULLS LAST,
  g.profile_scope ASC NULLS LAST
