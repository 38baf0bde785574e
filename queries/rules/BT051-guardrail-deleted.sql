-- title = "A guardrail or its enforcement was deleted"
-- severity = "high"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "guardrail_id",
--   "guardrail_version", "activity", "outcome", "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = ["T1685"]
-- attack_old = ["T1562.001"]
-- atlas = ["AML.T0054"]
-- why = """\
-- A guardrail filters what goes into a model and what comes out. Whoever deletes it, or the configuration that \
-- enforces it for the whole account, takes that control away from every application behind it. The rule finds \
-- DeleteGuardrail, DeleteGuardrailVersion and DeleteEnforcedGuardrailConfiguration. Success is high, a refused \
-- attempt medium, an attempt that failed for another reason low. The population is all changes to guardrails."""
-- fix = """\
-- Ask for the change ticket. If there is none, restore the guardrail from its definition in code, check which \
-- applications named it, and read the model calls made since first_seen. Allow bedrock:DeleteGuardrail only to the \
-- deployment role."""
-- false_positives = """\
-- The clean-up of drafts and old versions that no application names. A test environment that is built and torn \
-- down by code."""
--
-- [controls]
-- "NIST SP 800-53" = ["CM-3", "SI-4"]
-- "SOC 2" = ["CC8.1"]

WITH judged AS (
  SELECT
    CASE
      WHEN event_name IN ('DeleteGuardrail', 'DeleteGuardrailVersion', 'DeleteEnforcedGuardrailConfiguration')
        THEN 'violation'
      ELSE 'pass'
    END AS verdict,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    CASE
      WHEN event_name = 'DeleteEnforcedGuardrailConfiguration' THEN 'enforced configuration '
        || COALESCE(json_extract_scalar(request_parameters, '$.configId'), 'not named')
      ELSE COALESCE(
        guardrail_id, json_extract_scalar(request_parameters, '$.guardrailIdentifier'), 'guardrail not named'
      )
    END || ' ' || COALESCE(aws_region, 'Region not recorded') AS subject,
    CASE
      WHEN outcome = 'denied' THEN 'an attempt to delete a guardrail was refused'
      WHEN outcome <> 'ok' THEN 'an attempt to delete a guardrail failed'
      WHEN event_name = 'DeleteEnforcedGuardrailConfiguration' THEN 'the enforcement of a guardrail was deleted'
      WHEN event_name = 'DeleteGuardrailVersion' OR guardrail_version IS NOT NULL THEN 'a guardrail version was deleted'
      ELSE 'a guardrail was deleted'
    END AS reason,
    'guardrails stay in place, or a change ticket covers the deletion' AS expected,
    event_name || COALESCE(' of version ' || guardrail_version, '') AS observed,
    CASE WHEN outcome = 'ok' THEN 4 WHEN outcome = 'denied' THEN 3 ELSE 2 END AS severity_rank,
    event_id AS event_id,
    event_time AS event_time,
    outcome AS outcome
  FROM events
  WHERE record_kind = 'api_call'
    AND event_source = 'bedrock.amazonaws.com'
    AND (
      activity = 'guardrail_admin'
      OR event_name IN ('DeleteGuardrail', 'DeleteGuardrailVersion', 'DeleteEnforcedGuardrailConfiguration')
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
