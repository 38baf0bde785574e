-- title = "Usage by client"
-- question = "Which programs call the models, and for whom?"
-- frameworks = ["ISO/IEC 42001 A.4.2", "ISO/IEC 42001 A.9.2"]
-- glance = ["client", "principal", "calls", "ok", "denied", "input_tokens", "output_tokens", "last_seen", "versions", "models", "throttled", "invalid", "failed", "token_calls", "first_seen"]
--
-- [columns]
-- client = "The program the user agent names; empty where none is known. Callers choose the user agent, so this finds use and proves nothing."
-- account_id = "The account that received the record."
-- principal = "Who called: the role's ARN, or the user, token issuer and subject, service or account where there is no role."
-- versions = "Client versions seen."
-- models = "The models called."
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
-- first_seen = "Time of the first call, UTC."
-- last_seen = "Time of the last call, UTC."
-- token_calls = "Calls for which token counts are known."

WITH folded AS (
  SELECT
    client AS client,
    account_id AS account_id,
    principal AS principal,
    client_version AS client_version,
    model_id AS model_id,
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
    MIN(event_time) AS first_seen,
    MAX(event_time) AS last_seen,
    COUNT(token_source) AS token_calls
  FROM usage
  WHERE principal IS NOT NULL
  GROUP BY client, account_id, principal, client_version, model_id
)
SELECT
  client AS client,
  account_id AS account_id,
  principal AS principal,
  array_join(
    array_agg(DISTINCT client_version ORDER BY client_version) FILTER (WHERE client_version IS NOT NULL), ' '
  ) AS versions,
  array_join(array_agg(DISTINCT model_id ORDER BY model_id) FILTER (WHERE model_id IS NOT NULL), ' ') AS models,
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
  MIN(first_seen) AS first_seen,
  MAX(last_seen) AS last_seen,
  CAST(SUM(token_calls) AS BIGINT) AS token_calls
FROM folded
GROUP BY client, account_id, principal
ORDER BY
  client ASC NULLS LAST,
  account_id ASC NULLS LAST,
  principal ASC NULLS LAST
