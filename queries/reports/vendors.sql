-- title = "Models by vendor"
-- question = "Whose models does each role use, through which endpoint, under which credential, and in which geography did they run?"
-- frameworks = ["ISO/IEC 42001 A.10.2", "ISO/IEC 42001 A.10.3", "ISO/IEC 27001 A.5.23", "SOC 2 CC9.2", "NIST AI RMF MAP 4.1"]
-- audit = "folder"
-- glance = ["vendor", "principal", "surface", "credential", "models", "calls", "ok", "denied", "geographies", "unplaced", "last_seen", "account_id"]
--
-- [columns]
-- vendor = "The model's vendor, as its id has it; empty where the record names no model or one that hides it."
-- vendor_name = "The vendor's name, for known models."
-- account_id = "The account that received the records."
-- environment = "The policy's environment for the account."
-- principal = "Who called."
-- role_arn = "The IAM role; empty for callers without one."
-- surface = "runtime: bedrock-runtime; mantle: the OpenAI- and Anthropic-compatible endpoint; control: batch jobs."
-- credential = "The kind of credential."
-- models = "The base models."
-- calls = "Model invocations and batch jobs, whatever their outcome."
-- ok = "Those that succeeded."
-- denied = "Those that were refused."
-- geographies = "Where the successful ones ran: the recorded Region's geography, else that of the Region called where the request cannot have left it unrecorded."
-- recorded = "Successful ones whose record says where they ran."
-- unplaced = "Successful ones of which it is not known: a global profile or an unresolved model without a recorded Region, and batch jobs."
-- input_tokens = "Input tokens over the calls for which they are known; empty where none is recorded."
-- output_tokens = "Output tokens over the calls for which they are known; empty where none is recorded."
-- first_seen = "Time of the first, UTC."
-- last_seen = "Time of the last, UTC."

WITH calls AS (
  SELECT
    model_vendor AS model_vendor,
    account_id AS account_id,
    environment AS environment,
    principal AS principal,
    role_arn AS role_arn,
    surface AS surface,
    credential AS credential,
    model_id AS model_id,
    -- Where the record has no Region, a call of a base model ran where it was made, and one of a geography's profile too:
    -- such a call is recorded when it is sent elsewhere.
    CASE
      WHEN outcome <> 'ok' THEN NULL
      WHEN inference_region IS NOT NULL THEN inference_region
      WHEN activity = 'batch' THEN NULL
      WHEN surface = 'mantle' THEN aws_region
      WHEN profile_scope = 'global' THEN NULL
      WHEN profile_scope IS NOT NULL OR model_known_by = 'trail' THEN aws_region
      WHEN model_kind IN ('foundation', 'inference_profile', 'provisioned', 'custom', 'imported') THEN aws_region
    END AS ran_in,
    inference_region IS NOT NULL AS is_recorded,
    outcome AS outcome,
    COUNT(*) AS calls,
    SUM(input_tokens) AS input_tokens,
    SUM(output_tokens) AS output_tokens,
    MIN(event_time) AS first_seen,
    MAX(event_time) AS last_seen
  FROM (
    SELECT
      m.model_vendor AS model_vendor, m.account_id AS account_id, m.environment AS environment,
      m.principal AS principal, m.role_arn AS role_arn, m.surface AS surface, m.credential AS credential,
      m.model_id AS model_id, m.outcome AS outcome,
      COALESCE(m.inference_region, t.inference_region) AS inference_region, m.activity AS activity,
      m.aws_region AS aws_region, m.profile_scope AS profile_scope, m.model_kind AS model_kind,
      m.model_known_by AS model_known_by, m.event_time AS event_time,
      CASE
        WHEN m.activity = 'batch' THEN NULL
        WHEN m.input_tokens BETWEEN 0 AND 1000000000000 THEN m.input_tokens
        ELSE t.input_tokens
      END AS input_tokens,
      CASE
        WHEN m.activity = 'batch' THEN NULL
        WHEN m.output_tokens BETWEEN 0 AND 1000000000000 THEN m.output_tokens
        ELSE t.output_tokens
      END AS output_tokens
    -- Jobs and calls in one pass: jobs, which usage leaves out, have no tokens.
    FROM model_calls AS m
    LEFT JOIN call_tokens AS t
      ON t.account_id = m.account_id
      AND t.request_id = m.request_id
      AND t.log_object = m.log_object
      AND t.log_index = m.log_index
  ) AS calls_and_jobs
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
),
vendors AS (
  SELECT split_part(model_id, '.', 1) AS vendor, MIN(vendor) AS vendor_name
  FROM ref_model
  GROUP BY split_part(model_id, '.', 1)
)
SELECT
  c.model_vendor AS vendor,
  MIN(v.vendor_name) AS vendor_name,
  c.account_id AS account_id,
  c.environment AS environment,
  c.principal AS principal,
  c.role_arn AS role_arn,
  c.surface AS surface,
  c.credential AS credential,
  array_join(array_agg(DISTINCT c.model_id ORDER BY c.model_id) FILTER (WHERE c.model_id IS NOT NULL), ' ') AS models,
  CAST(SUM(c.calls) AS BIGINT) AS calls,
  CAST(COALESCE(SUM(c.calls) FILTER (WHERE c.outcome = 'ok'), 0) AS BIGINT) AS ok,
  CAST(COALESCE(SUM(c.calls) FILTER (WHERE c.outcome = 'denied'), 0) AS BIGINT) AS denied,
  array_join(
    array_agg(DISTINCT COALESCE(r.geography, c.ran_in) ORDER BY COALESCE(r.geography, c.ran_in)) FILTER (WHERE c.ran_in IS NOT NULL), ' '
  ) AS geographies,
  CAST(COALESCE(SUM(c.calls) FILTER (WHERE c.outcome = 'ok' AND c.is_recorded), 0) AS BIGINT) AS recorded,
  CAST(COALESCE(SUM(c.calls) FILTER (WHERE c.outcome = 'ok' AND c.ran_in IS NULL), 0) AS BIGINT) AS unplaced,
  CAST(SUM(c.input_tokens) AS BIGINT) AS input_tokens,
  CAST(SUM(c.output_tokens) AS BIGINT) AS output_tokens,
  MIN(c.first_seen) AS first_seen,
  MAX(c.last_seen) AS last_seen
FROM calls AS c
LEFT JOIN ref_region AS r ON r.region = c.ran_in
LEFT JOIN vendors AS v ON v.vendor = c.model_vendor
GROUP BY c.model_vendor, c.account_id, c.environment, c.principal, c.role_arn, c.surface, c.credential
ORDER BY
  c.model_vendor ASC NULLS LAST,
  c.account_id ASC NULLS LAST,
  c.environment ASC NULLS LAST,
  c.principal ASC NULLS LAST,
  c.role_arn ASC NULLS LAST,
  c.surface ASC NULLS LAST,
  c.credential ASC NULLS LAST
