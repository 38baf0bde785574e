-- title = "A model was used after its end of life or while it is legacy"
-- severity = "medium"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "account_id", "principal", "model_id", "model_requested", "model_kind", "profile_scope",
--   "activity", "outcome", "error_code", "error_message", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- Providers retire models. After the end-of-life date calls fail; between the legacy date and that day a model \
-- gets no fixes and new users are refused. An application that still calls such a model will stop working, and its \
-- results rest on software that is no longer maintained. The rule reads the built-in lifecycle table, whose date \
-- is part of the finding and which is of one version, and the policy's own model_end entries, which mean models as allow \
-- entries do: with and without version. Use after the end is high; use of a legacy \
-- model, or a refused attempt after the end, is medium; an unsuccessful call to a legacy model is low. A refusal \
-- whose message says that the provider marked the model as legacy is medium even where the table does not know the \
-- model. AWS reports it as ResourceNotFoundException."""
-- fix = """\
-- Move the application to the replacement that the provider names, test it, and change the policy's allow entry \
-- with it. If the table is out of date for a model, state the right dates in a model_end entry."""
-- false_positives = """\
-- The lifecycle table is out of date: read the date in the finding. Dates can differ between Regions, and the \
-- Region that was called decides here. A ResourceNotFoundException for a mistyped model id does not fire."""
--
-- [controls]
-- "ISO/IEC 42001" = ["A.6.2.6"]
-- "NIST SP 800-53" = ["SA-22"]
-- "SOC 2" = ["CC7.1", "CC8.1"]
--
-- [parameters.grace_days]
-- type = "int"
-- default = 0
-- meaning = "Days after its end of life in which a model is still judged as before it."

WITH calls AS (
  SELECT
    e.event_id AS event_id,
    e.event_time AS event_time,
    e.account_id AS account_id,
    e.principal AS principal,
    e.aws_region AS aws_region,
    e.outcome AS outcome,
    e.model_requested AS model_requested,
    e.model_known_by AS model_known_by,
    COALESCE(e.model_id, '') AS model_key,
    COALESCE(e.model_requested, '') AS requested_key,
    COALESCE(e.profile_scope, '') AS scope_key,
    COALESCE(e.aws_region, '') AS region_key,
    e.outcome IN ('denied', 'failed')
      AND strpos(lower(COALESCE(e.error_message, '')), 'marked by provider as legacy') > 0 AS refused_as_legacy
  FROM model_calls AS e
),
names AS (
  SELECT DISTINCT
    model_key AS model_key, requested_key AS requested_key, scope_key AS scope_key, region_key AS region_key
  FROM calls
),
-- The lifecycle table names versions exactly; the policy's own entries are patterns, as in allow entries. Their
-- expressions say so.
ends AS (
  SELECT
    n.model_key AS model_key,
    n.requested_key AS requested_key,
    n.scope_key AS scope_key,
    n.region_key AS region_key,
    m.end_time AS end_time,
    m.legacy_time AS legacy_time,
    m.replacement AS replacement,
    m.basis AS basis,
    ROW_NUMBER() OVER (
      PARTITION BY n.model_key, n.requested_key, n.scope_key, n.region_key
      -- What the policy says of a model goes before the table that comes with the program.
      ORDER BY
        CASE WHEN m.basis = 'policy' THEN 0 ELSE 1 END ASC, m.end_time ASC NULLS LAST, m.legacy_time ASC NULLS LAST, m.basis ASC NULLS LAST, m.model_pattern ASC NULLS LAST,
        m.replacement ASC NULLS LAST
    ) AS place,
    MIN(m.legacy_time) OVER (PARTITION BY n.model_key, n.requested_key, n.scope_key, n.region_key) AS first_legacy
  FROM names AS n
  JOIN policy_model_end AS m
    ON (m.aws_region IS NULL OR m.aws_region = n.region_key)
    AND (
      regexp_like(n.model_key, m.model_re)
      OR regexp_like(n.requested_key, m.model_re)
      OR (n.scope_key <> '' AND regexp_like(n.scope_key || '.' || n.model_key, m.model_re))
    )
),
dated AS (
  SELECT
    c.event_id AS event_id,
    c.event_time AS event_time,
    c.account_id AS account_id,
    c.principal AS principal,
    c.aws_region AS aws_region,
    c.outcome AS outcome,
    c.model_key AS model_key,
    c.model_requested AS model_requested,
    c.refused_as_legacy AS refused_as_legacy,
    c.model_known_by IS NULL AS unnamed,
    CASE WHEN c.event_time >= d.end_time + INTERVAL $grace_days DAY THEN TRUE ELSE FALSE END AS ended,
    CASE WHEN c.event_time >= d.first_legacy THEN TRUE ELSE FALSE END AS legacy,
    d.end_time AS end_time,
    d.first_legacy AS legacy_time,
    d.replacement AS replacement,
    d.basis AS basis
  FROM calls AS c
  LEFT JOIN ends AS d
    ON d.model_key = c.model_key
    AND d.requested_key = c.requested_key
    AND d.scope_key = c.scope_key
    AND d.region_key = c.region_key
    AND d.place = 1
)
SELECT
  CASE
    WHEN ended OR legacy OR refused_as_legacy THEN 'violation'
    WHEN unnamed AND basis IS NULL THEN 'not_assessed'
    ELSE 'pass'
  END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  CASE WHEN model_key = '' THEN COALESCE(model_requested, 'model not recorded') ELSE model_key END AS subject,
  CASE
    WHEN ended THEN 'past its end of life on ' || CAST(CAST(end_time AS DATE) AS VARCHAR) || ' (' || basis || ')'
    WHEN legacy THEN 'legacy since ' || CAST(CAST(legacy_time AS DATE) AS VARCHAR) || ' (' || basis || ')'
    WHEN refused_as_legacy THEN 'refused because the provider marked the model as legacy'
    WHEN unnamed THEN 'the record does not name the model'
  END AS reason,
  COALESCE('replacement: ' || replacement, 'a model that is still maintained') AS expected,
  'called ' || COALESCE(model_requested, model_key) AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome,
  CASE
    WHEN ended AND outcome = 'ok' THEN 'high'
    WHEN ended OR refused_as_legacy OR outcome = 'ok' THEN 'medium'
    ELSE 'low'
  END AS severity
FROM dated
