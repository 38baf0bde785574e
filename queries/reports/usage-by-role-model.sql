-- title = "Usage by role and model"
-- question = "Which role used which model, how often, with what outcome, how much, and from where?"
-- frameworks = ["SOC 2 CC6.1", "SOC 2 CC6.3", "ISO/IEC 42001 A.4.2", "NIST SP 800-53 AC-6", "NIST SP 800-53 AU-12"]
-- glance = ["principal", "model_id", "calls", "ok", "denied", "input_tokens", "output_tokens", "last_seen", "throttled", "invalid", "failed", "token_calls", "first_seen", "regions"]
--
-- [columns]
-- account_id = "The account that received the record."
-- principal = "Who called: the role's ARN, or the user, token issuer and subject, service or account where there is no role."
-- role_arn = "The IAM role's own ARN; empty for callers without a role."
-- model_id = "The base model; the reference as sent where it cannot be resolved; empty where the record names none."
-- model_vendor = "The model's vendor."
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
-- sessions = "Distinct role session names."
-- regions = "Regions that were called."
-- inference_regions = "Regions where the record says the model ran; empty where no record says so."
-- first_seen = "Time of the first call, UTC."
-- last_seen = "Time of the last call, UTC."
-- token_calls = "Calls for which token counts are known."
-- model_known_by = "How the model is known: recorded, trail (records of what was made), policy or file (their aliases); empty where it is not."

-- One pass makes three lists per group: sessions, Regions called and Regions run in. Each carries the group's counts.
-- Distinct values are then rows to count, where COUNT(DISTINCT …) would hold a set for every group.
WITH parts AS (
  SELECT
    account_id AS account_id,
    principal AS principal,
    role_arn AS role_arn,
    model_id AS model_id,
    model_vendor AS model_vendor,
    model_known_by AS model_known_by,
    session_name AS session_name,
    aws_region AS aws_region,
    inference_region AS inference_region,
    CASE
      WHEN GROUPING(session_name) = 0 THEN 1
      WHEN GROUPING(aws_region) = 0 THEN 2
      WHEN GROUPING(inference_region) = 0 THEN 3
    END AS part,
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
  GROUP BY GROUPING SETS (
    (account_id, principal, role_arn, model_id, model_vendor, model_known_by, session_name),
    (account_id, principal, role_arn, model_id, model_vendor, model_known_by, aws_region),
    (account_id, principal, role_arn, model_id, model_vendor, model_known_by, inference_region)
  )
)
SELECT
  account_id AS account_id,
  principal AS principal,
  role_arn AS role_arn,
  model_id AS model_id,
  model_vendor AS model_vendor,
  CAST(SUM(calls) FILTER (WHERE part = 1) AS BIGINT) AS calls,
  CAST(SUM(ok) FILTER (WHERE part = 1) AS BIGINT) AS ok,
  CAST(SUM(denied) FILTER (WHERE part = 1) AS BIGINT) AS denied,
  CAST(SUM(throttled) FILTER (WHERE part = 1) AS BIGINT) AS throttled,
  CAST(SUM(invalid) FILTER (WHERE part = 1) AS BIGINT) AS invalid,
  CAST(SUM(failed) FILTER (WHERE part = 1) AS BIGINT) AS failed,
  CAST(SUM(streaming) FILTER (WHERE part = 1) AS BIGINT) AS streaming,
  CAST(SUM(input_tokens) FILTER (WHERE part = 1) AS BIGINT) AS input_tokens,
  CAST(SUM(output_tokens) FILTER (WHERE part = 1) AS BIGINT) AS output_tokens,
  CAST(SUM(cache_read_tokens) FILTER (WHERE part = 1) AS BIGINT) AS cache_read_tokens,
  CAST(SUM(cache_write_tokens) FILTER (WHERE part = 1) AS BIGINT) AS cache_write_tokens,
  CAST(COUNT(session_name) FILTER (WHERE part = 1) AS BIGINT) AS sessions,
  array_join(
    array_agg(aws_region ORDER BY aws_region) FILTER (WHERE part = 2 AND aws_region IS NOT NULL), ' '
  ) AS regions,
  array_join(
    array_agg(inference_region ORDER BY inference_region) FILTER (WHERE part = 3 AND inference_region IS NOT NULL), ' '
  ) AS inference_regions,
  MIN(first_seen) AS first_seen,
  MAX(last_seen) AS last_seen,
  CAST(SUM(token_calls) FILTER (WHERE part = 1) AS BIGINT) AS token_calls,
  model_known_by AS model_known_by
FROM parts
GROUP BY account_id, principal, role_arn, model_id, model_vendor, model_known_by
ORDER BY
  account_id ASC NULLS LAST,
  principal ASC NULLS LAST,
  role_arn ASC NULLS LAST,
  model_id ASC NULLS LAST,
  model_vendor ASC NULLS LAST,
  model_known_by ASC NULLS LAST
