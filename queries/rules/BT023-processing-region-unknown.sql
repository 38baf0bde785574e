-- title = "The record does not say in which Region a model ran"
-- severity = "low"
-- kind = "coverage"
-- needs = []
-- columns = [
--   "event_id", "event_time", "account_id", "principal", "model_id", "model_requested", "model_kind", "profile_scope",
--   "inference_region", "activity", "outcome", "aws_region", "record_kind", "request_id",
-- ]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- For a question about where data was processed, a call whose Region is unknown is a gap in the evidence. CloudTrail \
-- names the Region that ran a call only if the call was sent on (additionalEventData.inferenceRegion); the \
-- AwsServiceEvent that belongs to the call and the model-invocation log (--invocation-logs) may name it, too. A foundation \
-- model runs where it is called, and a profile of one geography (eu., us.) that names no Region ran where it was \
-- called. A global profile may run anywhere, so silence proves nothing: this rule lists such calls, with low \
-- severity, so that a report can say how many there are. Batch jobs through a global profile count too. Application \
-- profiles, prompts, routers, calls without a model and batch jobs through another profile are not assessed: \
-- their records cannot tell. BT021 judges the calls whose Region is known, BT022 the profile itself."""
-- fix = """\
-- Call a profile of one geography, or the model in its own Region. If the global profile is needed, switch on model \
-- invocation logging, whose records name the Region, and keep these logs with the evidence."""
-- false_positives = """\
-- By AWS's present description, a call that was not sent on ran where it was called. Whoever relies on that may \
-- waive this rule for environments in which any geography is allowed."""
--
-- [controls]
-- "NIST SP 800-53" = ["AU-3"]

WITH placed AS (
  SELECT
    m.event_id AS event_id,
    m.event_time AS event_time,
    m.account_id AS account_id,
    m.principal AS principal,
    m.outcome AS outcome,
    m.aws_region AS aws_region,
    m.activity AS activity,
    m.profile_scope AS profile_scope,
    m.model_id AS model_id,
    m.model_requested AS model_requested,
    m.model_kind AS model_kind,
    m.model_known_by AS model_known_by,
    COALESCE(m.inference_region, t.inference_region) AS inference_region
  FROM model_calls AS m
  LEFT JOIN call_tokens AS t
    ON t.account_id = m.account_id
    AND t.request_id = m.request_id
    AND t.log_object = m.log_object
    AND t.log_index = m.log_index
  WHERE m.outcome = 'ok'
)
SELECT
  CASE
    WHEN inference_region IS NOT NULL THEN 'pass'
    WHEN profile_scope = 'global' THEN 'violation'
    WHEN model_id IS NULL
      OR (
        profile_scope IS NULL AND COALESCE(model_known_by, '') <> 'trail'
        AND model_kind IN ('application_profile', 'prompt', 'router', 'unresolved')
      )
      OR (profile_scope IS NOT NULL AND activity = 'batch')
      THEN 'not_assessed'
    ELSE 'pass'
  END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  CASE
    WHEN profile_scope = 'global' THEN 'global.' || COALESCE(model_id, 'model not recorded')
    ELSE COALESCE(model_requested, model_id, 'model not recorded')
  END || CASE WHEN activity = 'batch' THEN ' (batch)' ELSE '' END AS subject,
  CASE
    WHEN profile_scope = 'global' THEN 'a global inference profile, and the record does not say where the model ran'
    WHEN model_id IS NULL THEN 'the record names no model, so a profile may have moved the call'
    WHEN profile_scope IS NULL AND COALESCE(model_known_by, '') <> 'trail'
      AND model_kind IN ('application_profile', 'prompt', 'router', 'unresolved')
      THEN 'the record does not name the profile behind this reference, nor where the model ran'
    ELSE 'the record of a batch job does not say where its calls ran'
  END AS reason,
  'a record that names the Region, or a profile of one geography' AS expected,
  'called in ' || COALESCE(aws_region, 'a Region that is not recorded') AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome
FROM placed
