-- title = "Where token counts come from, and whether the sources agree"
-- question = "Do CloudTrail and the model-invocation log tell of the same calls and the same tokens?"
-- frameworks = ["SOC 2: CC7.2", "ISO/IEC 42001: A.6.2.8"]
-- audit = "folder"
-- glance = ["account_id", "aws_region", "model_id", "calls", "in_both", "trail_only", "log_only", "differing", "input_tokens_trail", "input_tokens_log"]
--
-- [columns]
-- account_id = "The account."
-- aws_region = "The Region called."
-- model_id = "The model; null where neither source names one."
-- calls = "Calls that either source tells of."
-- in_both = "Calls that both tell of, by account and request id."
-- trail_only = "Calls in CloudTrail only: the log is off, does not cover the endpoint, or was not given whole."
-- log_only = "Calls in the log only: the trail lost them, or they lie outside what was read."
-- without_request_id = "Calls in CloudTrail without a request id, which cannot be compared; they count as trail_only."
-- differing = "Calls in both whose input or output tokens differ, where both have them."
-- input_tokens_trail = "Tokens in, as CloudTrail has them; null where it has none."
-- input_tokens_log = "Tokens in, as the log has them; null where it has none."
-- output_tokens_trail = "Tokens out, as CloudTrail has them."
-- output_tokens_log = "Tokens out, as the log has them."
-- first_seen = "The earliest of these calls, UTC."
-- last_seen = "The latest of these calls, UTC."

-- Beside tokens of CloudTrail's a log adds cache tokens only.
WITH trail AS (
  SELECT
    account_id AS account_id,
    aws_region AS aws_region,
    request_id AS request_id,
    model_id AS model_id,
    CASE WHEN token_source <> 'invocation_log' THEN input_tokens END AS input_tokens,
    CASE WHEN token_source <> 'invocation_log' THEN output_tokens END AS output_tokens,
    event_time AS event_time,
    ROW_NUMBER() OVER (
      PARTITION BY account_id, request_id
      ORDER BY event_time ASC NULLS LAST, event_id ASC NULLS LAST, log_object ASC NULLS LAST, log_index ASC NULLS LAST
    ) AS place
  FROM usage
),
logged AS (
  SELECT
    account_id AS account_id,
    request_id AS request_id,
    MIN(aws_region) AS aws_region,
    MIN(model_id) AS model_id,
    MAX(input_tokens) AS input_tokens,
    MAX(output_tokens) AS output_tokens,
    MIN(event_time) AS event_time
  FROM invocation_logs
  WHERE account_id IS NOT NULL
    AND request_id IS NOT NULL
  GROUP BY account_id, request_id
),
-- What has no request id of its own cannot be in both.
compared AS (
  SELECT
    COALESCE(t.account_id, l.account_id) AS account_id,
    COALESCE(t.aws_region, l.aws_region) AS aws_region,
    COALESCE(t.model_id, l.model_id) AS model_id,
    CASE
      WHEN t.event_time IS NULL THEN 'log_only'
      WHEN l.request_id IS NULL THEN 'trail_only'
      ELSE 'both'
    END AS found,
    t.event_time IS NOT NULL AND t.request_id IS NULL AS nameless,
    t.input_tokens AS input_trail,
    l.input_tokens AS input_log,
    t.output_tokens AS output_trail,
    l.output_tokens AS output_log,
    COALESCE(t.event_time, l.event_time) AS event_time
  FROM trail AS t
  FULL OUTER JOIN logged AS l
    ON l.account_id = t.account_id
    AND l.request_id = t.request_id
    AND t.place = 1
)
SELECT
  account_id AS account_id,
  aws_region AS aws_region,
  model_id AS model_id,
  COUNT(*) AS calls,
  COUNT(*) FILTER (WHERE found = 'both') AS in_both,
  COUNT(*) FILTER (WHERE found = 'trail_only') AS trail_only,
  COUNT(*) FILTER (WHERE found = 'log_only') AS log_only,
  COUNT(*) FILTER (WHERE nameless) AS without_request_id,
  COUNT(*) FILTER (WHERE found = 'both' AND (input_trail <> input_log OR output_trail <> output_log)) AS differing,
  SUM(input_trail) AS input_tokens_trail,
  SUM(input_log) AS input_tokens_log,
  SUM(output_trail) AS output_tokens_trail,
  SUM(output_log) AS output_tokens_log,
  MIN(event_time) AS first_seen,
  MAX(event_time) AS last_seen
FROM compared
WHERE EXISTS (SELECT 1 FROM invocation_logs)
GROUP BY account_id, aws_region, model_id
ORDER BY account_id ASC NULLS LAST, aws_region ASC NULLS LAST, model_id ASC NULLS LAST
