-- title = "Usage by model"
-- question = "Which models are in use, by how many accounts and callers, and how much?"
-- frameworks = ["ISO/IEC 42001 A.4.2", "ISO/IEC 42001 A.10.3", "NIST AI RMF GOVERN 1.6"]
-- glance = ["model_id", "accounts", "principals", "calls", "ok", "denied", "input_tokens", "output_tokens", "last_seen", "profile_scopes", "throttled", "invalid", "failed", "token_calls", "regions"]
--
-- [columns]
-- model_id = "The base model; the reference as sent where it cannot be resolved; empty where the record names none."
-- model_vendor = "The model's vendor."
-- kinds = "How the model was named: foundation, inference_profile, application_profile, …"
-- profile_scopes = "Geography prefixes of the inference profiles used."
-- accounts = "Distinct accounts."
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
-- regions = "Regions that were called."
-- first_seen = "Time of the first call, UTC."
-- last_seen = "Time of the last call, UTC."
-- token_calls = "Calls for which token counts are known."
-- model_known_by = "How the model is known: recorded, trail (records of what was made), policy or file (their aliases); of several, each."

WITH folded AS (
  SELECT
    model_id AS model_id,
    model_vendor AS model_vendor,
    model_kind AS model_kind,
    profile_scope AS profile_scope,
    model_known_by AS model_known_by,
    account_id AS account_id,
    principal AS principal,
    aws_region AS aws_region,
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
  GROUP BY model_id, model_vendor, model_kind, profile_scope, model_known_by, account_id, principal, aws_region
)
SELECT
  model_id AS model_id,
  model_vendor AS model_vendor,
  array_join(array_agg(DISTINCT model_kind ORDER BY model_kind) FILTER (WHERE model_kind IS NOT NULL), ' ') AS kinds,
  array_join(
    array_agg(DISTINCT profile_scope ORDER BY profile_scope) FILTER (WHERE profile_scope IS NOT NULL), ' '
  ) AS profile_scopes,
  CAST(COUNT(DISTINCT account_id) AS BIGINT) AS accounts,
  CAST(COUNT(DISTINCT principal) AS BIGINT) AS principals,
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
  array_join(array_agg(DISTINCT aws_region ORDER BY aws_region) FILTER (WHERE aws_region IS NOT NULL), ' ') AS regions,
  MIN(first_seen) AS first_seen,
  MAX(last_seen) AS last_seen,
  CAST(SUM(token_calls) AS BIGINT) AS token_calls,
  array_join(
    array_agg(DISTINCT model_known_by ORDER BY model_known_by) FILTER (WHERE model_known_by IS NOT NULL), ' '
  ) AS model_known_by
FROM folded
GROUP BY model_id, model_vendor
ORDER BY
  model_id ASC NULLS LAST,
  model_vendor ASC NULLS LAST
