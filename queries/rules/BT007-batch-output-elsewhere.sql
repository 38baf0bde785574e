-- title = "A batch job writes its results to a bucket that the policy does not list"
-- severity = "high"
-- kind = "row"
-- needs = ["policy_batch_bucket"]
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "outcome",
--   "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = ["AML.T0040"]
-- why = """\
-- A batch job sends thousands of prompts to a model and writes the answers to S3. CloudTrail has one record of it, \
-- the job's creation: no call inside the job is logged. Whoever may create jobs can therefore move much data with \
-- few traces, to any bucket that the job's role may write to. This rule holds the output location of each job \
-- against approved.batch_buckets. An accepted job is high, a refused attempt medium; a job that was rejected for \
-- another reason passes. A job whose record does not show where it writes is not assessed. Whether the role may \
-- use the model at all is the subject of BT001 and BT002, where the input comes from that of BT024."""
-- fix = """\
-- Ask the owner of the job what it was for and who can read the bucket. If the bucket is right, list it under \
-- approved.batch_buckets. If not, stop the job, secure or delete the results, and limit what the job's role may \
-- write to."""
-- false_positives = """\
-- A new project's bucket that the policy does not list yet. A pattern that names a prefix with or without its last \
-- part: a pattern must cover the whole address, so end it with an asterisk."""
--
-- [controls]
-- "NIST SP 800-53" = ["AC-4"]
-- "SOC 2" = ["CC6.7"]

WITH jobs AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    json_extract_scalar(request_parameters, '$.outputDataConfig.s3OutputDataConfig.s3Uri') AS uri,
    json_extract_scalar(request_parameters, '$.outputDataConfig.s3OutputDataConfig.s3BucketOwner') AS bucket_owner
  FROM events
  WHERE record_kind = 'api_call'
    AND event_source = 'bedrock.amazonaws.com'
    AND event_name = 'CreateModelInvocationJob'
),
places AS (
  SELECT DISTINCT uri AS uri, split_part(uri, '/', 3) AS bucket
  FROM jobs
  WHERE starts_with(uri, 's3://')
),
listed AS (
  SELECT DISTINCT p.uri AS uri
  FROM places AS p
  JOIN policy_batch_bucket AS b
    ON regexp_like(p.bucket, b.pattern_re)
    OR regexp_like('s3://' || p.bucket, b.pattern_re)
    OR regexp_like('s3://' || p.bucket || '/', b.pattern_re)
    OR regexp_like(p.uri, b.pattern_re)
    OR regexp_like(p.uri || '/', b.pattern_re)
)
SELECT
  CASE
    WHEN j.outcome NOT IN ('ok', 'denied') THEN 'pass'
    WHEN p.uri IS NULL THEN 'not_assessed'
    WHEN l.uri IS NULL THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  j.account_id AS account_id,
  j.aws_region AS aws_region,
  j.principal AS principal,
  COALESCE('s3://' || p.bucket, 'output not recorded') AS subject,
  CASE
    WHEN p.uri IS NULL THEN 'the record does not show where the job writes its results'
    WHEN j.outcome = 'denied' THEN 'a batch job with output to a bucket outside the list was refused'
    ELSE 'the bucket of the results is not among those for batch jobs'
  END AS reason,
  'results go to a bucket of approved.batch_buckets' AS expected,
  'output to ' || COALESCE(j.uri, 'a place that is not recorded')
    || COALESCE(', bucket of account ' || j.bucket_owner, '') AS observed,
  j.event_time AS event_time,
  j.event_id AS event_id,
  j.outcome AS outcome,
  CASE WHEN j.outcome = 'ok' THEN 'high' ELSE 'medium' END AS severity
FROM jobs AS j
LEFT JOIN places AS p ON p.uri = j.uri
LEFT JOIN listed AS l ON l.uri = j.uri
