-- title = "bedrock-mantle is in use but its model calls are not recorded"
-- severity = "high"
-- kind = "coverage"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "surface", "invoked_by", "outcome",
--   "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- The OpenAI-compatible and Anthropic Messages endpoint bedrock-mantle logs its model calls as data events \
-- (CreateInference). They are off by default and cost extra, and model invocation logging does not cover this \
-- endpoint. An account that uses it without that selector has no record of a single call: OpenAI models on Bedrock \
-- and Codex, for example, are then not assessed. The rule takes each account and Region with a trace of \
-- bedrock-mantle (its management events, a service call on its behalf) and reports those without any \
-- CreateInference event. A trace in IAM or the marketplace (a policy or subscription that names bedrock-mantle) \
-- has no Region of its own: it counts against the whole account."""
-- fix = """\
-- Add an advanced event selector with resources.type AWS::BedrockMantle::Project to the trail, in every account \
-- and Region. Until then state in every report that the use of this endpoint is not assessed."""
-- false_positives = """\
-- Somebody only listed models in the console. A refused attempt to use the endpoint. A Region where the endpoint \
-- was looked at, but all calls went elsewhere."""
--
-- [controls]
-- "EU AI Act" = ["Art. 12"]
-- "FedRAMP Moderate" = ["AU-2", "AU-12"]
-- "HIPAA" = ["164.308(a)(1)(ii)(D)", "164.312(b)"]
-- "ISO/IEC 27001" = ["A.8.15"]
-- "ISO/IEC 42001" = ["A.6.2.8"]
-- "NIST SP 800-53" = ["AU-2", "AU-12"]
-- "SOC 2" = ["CC7.2"]

WITH traces AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    CASE WHEN surface IN ('iam', 'marketplace') THEN NULL ELSE aws_region END AS aws_region,
    outcome AS outcome,
    CASE WHEN event_source = 'bedrock-mantle.amazonaws.com' AND event_name = 'CreateInference' THEN 1 ELSE 0 END AS inference
  FROM events
  WHERE record_kind = 'api_call'
    AND account_id IS NOT NULL
    AND (
      event_source = 'bedrock-mantle.amazonaws.com'
      OR invoked_by = 'bedrock-mantle.amazonaws.com'
      OR (surface IN ('iam', 'marketplace') AND strpos(request_parameters, 'bedrock-mantle') > 0)
    )
),
regions AS (
  SELECT account_id AS account_id, aws_region AS aws_region, SUM(inference) AS inferences
  FROM traces
  WHERE aws_region IS NOT NULL
  GROUP BY account_id, aws_region
),
accounts AS (
  SELECT account_id AS account_id, SUM(inference) AS inferences
  FROM traces
  GROUP BY account_id
),
judged AS (
  SELECT
    CASE WHEN COALESCE(r.inferences, a.inferences) > 0 THEN 'pass' ELSE 'violation' END AS verdict,
    t.account_id AS account_id,
    t.aws_region AS aws_region,
    CAST(NULL AS VARCHAR) AS principal,
    'bedrock-mantle ' || COALESCE(t.aws_region, 'in any Region') AS subject,
    'bedrock-mantle is in use and no CreateInference event is recorded: OpenAI-compatible and Codex use is not assessed' AS reason,
    'CreateInference data events are recorded' AS expected,
    'seen: ' || t.event_name AS observed,
    4 AS severity_rank,
    t.event_id AS event_id,
    t.event_time AS event_time,
    t.outcome AS outcome
  FROM traces AS t
  JOIN accounts AS a ON a.account_id = t.account_id
  LEFT JOIN regions AS r ON r.account_id = t.account_id AND r.aws_region = t.aws_region
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
