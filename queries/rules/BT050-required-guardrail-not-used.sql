-- title = "A model was called with another guardrail than the required one"
-- severity = "high"
-- kind = "row"
-- needs = ["policy_guardrail"]
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "activity", "outcome", "guardrail_id",
--   "guardrail_version", "model_id", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = ["AML.T0051", "AML.T0054"]
-- why = """\
-- Where an environment requires a guardrail, each model call that succeeds has to name one that the policy lists. A \
-- call that names another guardrail breaks the rule. A call whose record names none is not assessed, never a \
-- violation: CloudTrail does not reliably write the guardrail of a call, and a guardrail that is enforced for the \
-- whole account or organisation never shows in a single call. A guardrail may be listed by id or by ARN; either form \
-- is compared with either."""
-- fix = """\
-- Name the required guardrail in the application, or add the one it uses to the environment's require_guardrail. To \
-- make sure, enforce the guardrail for the account, or deny calls without it with the condition key \
-- bedrock:GuardrailIdentifier. For the calls not assessed, look into model invocation logs."""
-- false_positives = """\
-- A test of the next guardrail by its authors. A guardrail that was created anew and not yet listed."""
--
-- [controls]
-- "EU AI Act" = ["Art. 26"]
-- "ISO/IEC 42001" = ["A.9.2"]
-- "SOC 2" = ["CC6.1"]

WITH environments AS (
  SELECT
    environment AS environment,
    array_join(array_agg(DISTINCT guardrail_pattern ORDER BY guardrail_pattern), ' ') AS required
  FROM policy_guardrail
  GROUP BY environment
),
calls AS (
  SELECT
    e.event_id AS event_id,
    e.event_time AS event_time,
    e.account_id AS account_id,
    e.environment AS environment,
    e.principal AS principal,
    e.outcome AS outcome,
    e.aws_region AS aws_region,
    e.model_id AS model_id,
    e.guardrail_id AS guardrail_id,
    e.guardrail_version AS guardrail_version,
    n.required AS required
  FROM events AS e
  LEFT JOIN environments AS n ON n.environment = e.environment
  WHERE e.record_kind = 'api_call'
    AND e.activity = 'model_invocation'
    AND e.outcome = 'ok'
    AND (n.environment IS NOT NULL OR e.environment IS NULL)
),
named AS (
  SELECT
    u.environment AS environment,
    u.account_id AS account_id,
    u.aws_region AS aws_region,
    u.guardrail_id AS guardrail_id,
    regexp_replace(u.guardrail_id, '\A.*:guardrail/', '') AS short_id,
    CASE
      WHEN starts_with(u.guardrail_id, 'arn:') THEN u.guardrail_id
      ELSE 'arn:' || COALESCE(r.partition, 'aws') || ':bedrock:' || u.aws_region || ':' || u.account_id
        || ':guardrail/' || u.guardrail_id
    END AS arn
  FROM (
    SELECT DISTINCT
      environment AS environment, account_id AS account_id, aws_region AS aws_region, guardrail_id AS guardrail_id
    FROM calls
    WHERE guardrail_id IS NOT NULL
  ) AS u
  LEFT JOIN ref_region AS r ON r.region = u.aws_region
),
required AS (
  SELECT DISTINCT
    n.environment AS environment,
    COALESCE(n.account_id, '') AS account_key,
    COALESCE(n.aws_region, '') AS region_key,
    n.guardrail_id AS guardrail_id
  FROM named AS n
  JOIN policy_guardrail AS p
    ON p.environment = n.environment
    AND (regexp_like(n.short_id, p.guardrail_re) OR regexp_like(COALESCE(n.arn, ''), p.guardrail_re))
)
SELECT
  CASE
    WHEN c.environment IS NULL OR c.guardrail_id IS NULL THEN 'not_assessed'
    WHEN q.guardrail_id IS NULL THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  COALESCE(c.guardrail_id, 'guardrail not recorded') || ' ' || COALESCE(c.aws_region, 'Region not recorded') AS subject,
  CASE
    WHEN c.environment IS NULL THEN 'the account is in no environment of the policy'
    WHEN c.guardrail_id IS NULL THEN 'the record names no guardrail, which does not prove that none was used'
    ELSE 'the guardrail is not among those that environment ' || c.environment || ' requires'
  END AS reason,
  COALESCE('one of ' || c.required, 'an environment for the account') AS expected,
  COALESCE('guardrail ' || c.guardrail_id || COALESCE(' version ' || c.guardrail_version, ''), 'no guardrail recorded')
    || COALESCE(' with ' || c.model_id, '') AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome
FROM calls AS c
LEFT JOIN required AS q
  ON q.environment = c.environment
  AND q.account_key = COALESCE(c.account_id, '')
  AND q.region_key = COALESCE(c.aws_region, '')
  AND q.guardrail_id = c.guardrail_id
