-- title = "Tokens and the Region that something else than its own record tells of a call"
-- meaning = """\
-- One row per record of a model invocation of which an AwsServiceEvent that names the call as its parent (the same account \
-- and request_id), or a model-invocation log, tells tokens or the Region where the model ran; such an event counts \
-- also where it lies at most an hour outside the window. If a call has several such \
-- twins, the largest number counts, and of several Regions the first by name. If several rows share the request, each \
-- has the Region and one of them carries the tokens: one with tokens of its own, else the first. What CloudTrail has comes \
-- first: where it has tokens, a log adds cache tokens only, and those only if both count alike, for it is not said whether \
-- CloudTrail's tokens in hold the ones that were cached. Counts below 0 or above a million million are no counts."""
-- uses = []
--
-- [columns]
-- account_id = "The account that received the call."
-- request_id = "The request's id."
-- log_object = "The object that the call's record was read from."
-- log_index = "Its place there."
-- inference_region = "Where the model ran; null where it is not told."
-- input_tokens = "Tokens in; null where they are not told."
-- output_tokens = "Tokens out; null where they are not told."
-- cache_read_tokens = "Tokens read from a cache; null where they are not told."
-- cache_write_tokens = "Tokens written to a cache; null where they are not told."
-- token_source = "Who tells a count that the call's own record lacks: service_event, invocation_log or service_event+invocation_log; null where nobody does."

WITH told AS (
  SELECT
    account_id AS account_id,
    request_id AS request_id,
    inference_region AS twin_region,
    CAST(NULL AS VARCHAR) AS log_region,
    CASE WHEN input_tokens BETWEEN 0 AND 1000000000000 THEN input_tokens END AS twin_input,
    CASE WHEN output_tokens BETWEEN 0 AND 1000000000000 THEN output_tokens END AS twin_output,
    CASE WHEN cache_read_tokens BETWEEN 0 AND 1000000000000 THEN cache_read_tokens END AS twin_cache_read,
    CASE WHEN cache_write_tokens BETWEEN 0 AND 1000000000000 THEN cache_write_tokens END AS twin_cache_write,
    CAST(NULL AS BIGINT) AS log_input,
    CAST(NULL AS BIGINT) AS log_output,
    CAST(NULL AS BIGINT) AS log_cache_read,
    CAST(NULL AS BIGINT) AS log_cache_write
  FROM events
  WHERE record_kind = 'service_event'
    AND account_id IS NOT NULL
    AND request_id IS NOT NULL
    AND (
      COALESCE(input_tokens, output_tokens, cache_read_tokens, cache_write_tokens) IS NOT NULL
      OR inference_region IS NOT NULL
    )
  UNION ALL
  -- What is told of a call just before or after the window tells of it all the same.
  SELECT
    account_id AS account_id,
    request_id AS request_id,
    inference_region AS twin_region,
    CAST(NULL AS VARCHAR) AS log_region,
    CASE WHEN input_tokens BETWEEN 0 AND 1000000000000 THEN input_tokens END AS twin_input,
    CASE WHEN output_tokens BETWEEN 0 AND 1000000000000 THEN output_tokens END AS twin_output,
    CASE WHEN cache_read_tokens BETWEEN 0 AND 1000000000000 THEN cache_read_tokens END AS twin_cache_read,
    CASE WHEN cache_write_tokens BETWEEN 0 AND 1000000000000 THEN cache_write_tokens END AS twin_cache_write,
    CAST(NULL AS BIGINT) AS log_input,
    CAST(NULL AS BIGINT) AS log_output,
    CAST(NULL AS BIGINT) AS log_cache_read,
    CAST(NULL AS BIGINT) AS log_cache_write
  FROM nearby_service_events
  WHERE account_id IS NOT NULL
    AND request_id IS NOT NULL
  UNION ALL
  SELECT
    account_id AS account_id,
    request_id AS request_id,
    CAST(NULL AS VARCHAR) AS twin_region,
    NULLIF(inference_region, '') AS log_region,
    CAST(NULL AS BIGINT) AS twin_input,
    CAST(NULL AS BIGINT) AS twin_output,
    CAST(NULL AS BIGINT) AS twin_cache_read,
    CAST(NULL AS BIGINT) AS twin_cache_write,
    input_tokens AS log_input,
    output_tokens AS log_output,
    cache_read_tokens AS log_cache_read,
    cache_write_tokens AS log_cache_write
  FROM invocation_logs
  WHERE account_id IS NOT NULL
    AND request_id IS NOT NULL
    AND (COALESCE(input_tokens, output_tokens) IS NOT NULL OR inference_region IS NOT NULL)
),
requests AS (
  SELECT
    account_id AS account_id,
    request_id AS request_id,
    COALESCE(MIN(twin_region), MIN(log_region)) AS inference_region,
    MAX(twin_input) AS twin_input,
    MAX(twin_output) AS twin_output,
    MAX(twin_cache_read) AS twin_cache_read,
    MAX(twin_cache_write) AS twin_cache_write,
    MAX(log_input) AS log_input,
    MAX(log_output) AS log_output,
    MAX(log_cache_read) AS log_cache_read,
    MAX(log_cache_write) AS log_cache_write
  FROM told
  GROUP BY account_id, request_id
),
answered AS (
  SELECT
    r.account_id AS account_id,
    r.request_id AS request_id,
    COUNT(*) AS records,
    MIN(e.log_object) AS log_object,
    MIN(e.log_index) AS log_index,
    MIN(e.input_tokens) AS own_input,
    MIN(e.output_tokens) AS own_output,
    MIN(e.cache_read_tokens) AS own_cache_read,
    MIN(e.cache_write_tokens) AS own_cache_write
  FROM requests AS r
  JOIN events AS e
    ON e.account_id = r.account_id
    AND e.request_id = r.request_id
  WHERE e.record_kind = 'api_call'
    AND e.activity = 'model_invocation'
  GROUP BY r.account_id, r.request_id
),
-- Records that share a request are one call told twice. They are few, and those alone are put in order.
several AS (
  SELECT
    e.account_id AS account_id,
    e.request_id AS request_id,
    e.log_object AS log_object,
    e.log_index AS log_index,
    e.input_tokens AS own_input,
    e.output_tokens AS own_output,
    e.cache_read_tokens AS own_cache_read,
    e.cache_write_tokens AS own_cache_write,
    ROW_NUMBER() OVER (
      PARTITION BY e.account_id, e.request_id
      ORDER BY
        CASE
          WHEN COALESCE(e.input_tokens, e.output_tokens, e.cache_read_tokens, e.cache_write_tokens) IS NULL THEN 1
          ELSE 0
        END ASC,
        e.log_object ASC NULLS LAST,
        e.log_index ASC NULLS LAST
    ) AS place
  FROM answered AS a
  JOIN events AS e
    ON e.account_id = a.account_id
    AND e.request_id = a.request_id
  WHERE a.records > 1
    AND e.record_kind = 'api_call'
    AND e.activity = 'model_invocation'
),
calls AS (
  SELECT
    account_id AS account_id, request_id AS request_id, log_object AS log_object, log_index AS log_index,
    own_input AS own_input, own_output AS own_output, own_cache_read AS own_cache_read,
    own_cache_write AS own_cache_write, 1 AS place
  FROM answered
  WHERE records = 1
  -- No row is there twice; without ALL it is seen that they are few, and others that stand on this hold them.
  UNION
  SELECT
    account_id AS account_id, request_id AS request_id, log_object AS log_object, log_index AS log_index,
    own_input AS own_input, own_output AS own_output, own_cache_read AS own_cache_read,
    own_cache_write AS own_cache_write, place AS place
  FROM several
),
weighed AS (
  SELECT
    c.account_id AS account_id,
    c.request_id AS request_id,
    c.log_object AS log_object,
    c.log_index AS log_index,
    r.inference_region AS inference_region,
    c.own_input BETWEEN 0 AND 1000000000000 AS has_input,
    c.own_output BETWEEN 0 AND 1000000000000 AS has_output,
    c.own_cache_read BETWEEN 0 AND 1000000000000 AS has_cache_read,
    c.own_cache_write BETWEEN 0 AND 1000000000000 AS has_cache_write,
    CASE WHEN c.place = 1 THEN r.twin_input END AS twin_input,
    CASE WHEN c.place = 1 THEN r.twin_output END AS twin_output,
    CASE WHEN c.place = 1 THEN r.twin_cache_read END AS twin_cache_read,
    CASE WHEN c.place = 1 THEN r.twin_cache_write END AS twin_cache_write,
    c.place = 1 AND COALESCE(r.log_input, r.log_output) IS NOT NULL AND (
      COALESCE(
        c.own_input, c.own_output, c.own_cache_read, c.own_cache_write,
        r.twin_input, r.twin_output, r.twin_cache_read, r.twin_cache_write
      ) IS NULL
      OR (
        COALESCE(c.own_cache_read, c.own_cache_write, r.twin_cache_read, r.twin_cache_write) IS NULL
        AND r.log_input = COALESCE(c.own_input, r.twin_input)
        AND r.log_output = COALESCE(c.own_output, r.twin_output)
      )
    ) AS takes_log,
    r.log_input AS log_input,
    r.log_output AS log_output,
    r.log_cache_read AS log_cache_read,
    r.log_cache_write AS log_cache_write
  FROM calls AS c
  JOIN requests AS r
    ON r.account_id = c.account_id
    AND r.request_id = c.request_id
  WHERE c.place = 1
    OR r.inference_region IS NOT NULL
),
-- Where a log is taken, it has cache tokens only where neither the record nor a twin has any.
sourced AS (
  SELECT
    account_id AS account_id,
    request_id AS request_id,
    log_object AS log_object,
    log_index AS log_index,
    inference_region AS inference_region,
    COALESCE(twin_input, CASE WHEN takes_log THEN log_input END) AS input_tokens,
    COALESCE(twin_output, CASE WHEN takes_log THEN log_output END) AS output_tokens,
    COALESCE(twin_cache_read, CASE WHEN takes_log THEN log_cache_read END) AS cache_read_tokens,
    COALESCE(twin_cache_write, CASE WHEN takes_log THEN log_cache_write END) AS cache_write_tokens,
    (twin_input IS NOT NULL AND NOT COALESCE(has_input, FALSE))
      OR (twin_output IS NOT NULL AND NOT COALESCE(has_output, FALSE))
      OR (twin_cache_read IS NOT NULL AND NOT COALESCE(has_cache_read, FALSE))
      OR (twin_cache_write IS NOT NULL AND NOT COALESCE(has_cache_write, FALSE)) AS of_twin,
    takes_log AND (
      (log_input IS NOT NULL AND twin_input IS NULL AND NOT COALESCE(has_input, FALSE))
      OR (log_output IS NOT NULL AND twin_output IS NULL AND NOT COALESCE(has_output, FALSE))
      OR COALESCE(log_cache_read, log_cache_write) IS NOT NULL
    ) AS of_log
  FROM weighed
)
SELECT
  account_id AS account_id,
  request_id AS request_id,
  log_object AS log_object,
  log_index AS log_index,
  inference_region AS inference_region,
  input_tokens AS input_tokens,
  output_tokens AS output_tokens,
  cache_read_tokens AS cache_read_tokens,
  cache_write_tokens AS cache_write_tokens,
  CASE
    WHEN of_twin AND of_log THEN 'service_event+invocation_log'
    WHEN of_twin THEN 'service_event'
    WHEN of_log THEN 'invocation_log'
  END AS token_source
FROM sourced
