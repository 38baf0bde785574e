-- title = "Usage by day"
-- question = "How much was used on each day, per account and model?"
-- frameworks = ["NIST SP 800-53 AU-6", "SOC 2 CC7.2"]
-- glance = ["day", "account_id", "model_id", "calls", "ok", "denied", "throttled", "invalid", "failed", "principals", "input_tokens", "output_tokens", "token_calls"]
--
-- [columns]
-- day = "The day of the call, UTC."
-- account_id = "The account that received the record."
-- model_id = "The base model; the reference as sent where it cannot be resolved; empty where the record names none."
-- model_vendor = "The model's vendor."
-- principals = "Distinct callers."
-- calls = "Calls, whatever their outcome."
-- ok = "Calls that succeeded."
-- denied = "Calls that were refused."
-- throttled = "Calls turned away because of a limit."
-- invalid = "Calls whose request was not valid."
-- failed = "Calls that failed for any other reason."
-- streaming = "Calls that asked for a stream."
-- input_tokens = "Input tokens over the calls for which they are known; empty where none is recorded."
-- output_tokens = "Output tokens over the calls for which they are known; empty where none is recorded."
-- cache_read_tokens = "Tokens read from the prompt cache, where recorded."
-- cache_write_tokens = "Tokens written to the prompt cache, where recorded."
-- token_calls = "Calls for which token counts are known."

WITH folded AS (
  SELECT
    CAST(event_time AS DATE) AS day,
    account_id AS account_id,
    model_id AS model_id,
    model_vendor AS model_vendor,
    principal AS principal,
    COUNT(*) AS calls,
    COUNT(*) FILTER (WHERE outcome = 'ok') AS ok,
    COUNT(*) FILTER (WHERE outcome = 'denied') AS denied,
    COUNT(*) FILTER (WHERE outcome = 'throttled') AS throttled,
    COUNT(*) FILTER (WHERE outcome = 'invalid') AS invalid,
    COUNT(*) FILTER (WHERE outcome = 'failed') AS failed,
    COUNT(*) FILTER (WHERE streaming) AS streaming,
    SUM(input_tokens) AS input_tokens,
    SUM(output_tokens) AS output_tokens,
    SUM(cache_read_tokens) AS cache_read_tokens,
    SUM(cache_write_tokens) AS cache_write_tokens,
    COUNT(token_source) AS token_calls
  FROM usage
  WHERE principal IS NOT NULL
  GROUP BY CAST(event_time AS DATE), account_id, model_id, model_vendor, principal
)
SELECT
  day AS day,
  account_id AS account_id,
  model_id AS model_id,
  model_vendor AS model_vendor,
  CAST(COUNT(*) AS BIGINT) AS principals,
  CAST(SUM(calls) AS BIGINT) AS calls,
  CAST(SUM(ok) AS BIGINT) AS ok,
  CAST(SUM(denied) AS BIGINT) AS denied,
  CAST(SUM(throttled) AS BIGINT) AS throttled,
  CAST(SUM(invalid) AS BIGINT) AS invalid,
  CAST(SUM(failed) AS BIGINT) AS failed,
  CAST(SUM(streaming) AS BIGINT) AS streaming,
  CAST(SUM(input_tokens) AS BIGINT) AS input_tokens,
  CAST(SUM(output_tokens) AS BIGINT) AS output_tokens,
  CAST(SUM(cache_read_tokens) AS BIGINT) AS cache_read_tokens,
  CAST(SUM(cache_write_tokens) AS BIGINT) AS cache_write_tokens,
  CAST(SUM(token_calls) AS BIGINT) AS token_calls
FROM folded
GROUP BY day, account_id, model_id, model_vendor
ORDER BY
  day ASC NULLS LAST,
  account_id ASC NULLS LAST,
  model_id ASC NULLS LAST,
  model_vendor ASC NULLS LAST
