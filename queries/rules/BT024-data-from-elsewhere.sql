-- title = "A knowledge base or a batch job reads from a bucket that the policy does not list"
-- severity = "medium"
-- kind = "row"
-- needs = ["policy_data_bucket"]
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "outcome",
--   "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = ["T1565.001"]
-- attack_old = []
-- atlas = []
-- why = """\
-- What a knowledge base reads becomes what a model says; what a batch job reads is sent to a model. A bucket in \
-- another account or Region takes data out of the boundary that was assessed, and whoever owns it can change the \
-- answers. The rule reads the S3 location of data sources (CreateDataSource, UpdateDataSource) and of the input of \
-- batch jobs, and holds the bucket against approved.data_buckets, for batch jobs against approved.batch_buckets \
-- too. Success is medium, a refused attempt low; a call that failed for another reason passes. CloudTrail may hide \
-- the configuration of a data source: then it is not assessed. Neither is the direct ingestion of documents \
-- (IngestKnowledgeBaseDocuments), whose records do not say where they lie. Sources that are no buckets (web pages, \
-- Confluence) are not judged. Where batch jobs write is the subject of BT007."""
-- fix = """\
-- Find out who owns the bucket. If it is right, list it under approved.data_buckets; if not, remove the data source \
-- and its vectors, and check what was answered from it. Limit the role of the knowledge base to its own buckets."""
-- false_positives = """\
-- A shared account for data, or a new bucket, that the policy does not list yet."""
--
-- [controls]
-- "ISO/IEC 27001" = ["A.5.23"]
-- "SOC 2" = ["CC6.7"]

WITH changes AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    COALESCE(
      json_extract_scalar(request_parameters, '$.knowledgeBaseId'),
      json_extract_scalar(request_parameters, '$.jobName'),
      'not named'
    ) AS target,
    CASE
      WHEN event_name IN ('CreateDataSource', 'UpdateDataSource')
        THEN json_extract_scalar(request_parameters, '$.dataSourceConfiguration.s3Configuration.bucketArn')
      WHEN event_name = 'CreateModelInvocationJob'
        THEN json_extract_scalar(request_parameters, '$.inputDataConfig.s3InputDataConfig.s3Uri')
    END AS place,
    COALESCE(
      json_extract_scalar(request_parameters, '$.dataSourceConfiguration.s3Configuration.bucketOwnerAccountId'),
      json_extract_scalar(request_parameters, '$.inputDataConfig.s3InputDataConfig.s3BucketOwner')
    ) AS bucket_owner
  FROM events
  WHERE record_kind = 'api_call'
    AND event_source = 'bedrock.amazonaws.com'
    AND (
      event_name IN ('CreateModelInvocationJob', 'IngestKnowledgeBaseDocuments')
      OR (
        event_name IN ('CreateDataSource', 'UpdateDataSource')
        AND COALESCE(json_extract_scalar(request_parameters, '$.dataSourceConfiguration.type'), 'S3')
          IN ('S3', 'HIDDEN_DUE_TO_SECURITY_REASONS')
      )
    )
),
-- A location as s3://bucket/key, be it given as such or as an ARN.
places AS (
  SELECT
    place AS place,
    regexp_replace(place, '\Aarn:[^:]*:s3:::', 's3://') AS uri,
    split_part(regexp_replace(place, '\Aarn:[^:]*:s3:::', 's3://'), '/', 3) AS bucket
  FROM (SELECT DISTINCT place AS place FROM changes WHERE place IS NOT NULL) AS named
  WHERE regexp_like(place, '\A(s3://|arn:[^:]*:s3:::)')
),
buckets AS (
  SELECT 'data' AS kind, pattern_re AS pattern_re FROM policy_data_bucket
  UNION ALL
  SELECT 'batch' AS kind, pattern_re AS pattern_re FROM policy_batch_bucket
),
listed AS (
  SELECT p.place AS place, COUNT(*) FILTER (WHERE b.kind = 'data') AS for_data
  FROM places AS p
  JOIN buckets AS b
    ON regexp_like(p.bucket, b.pattern_re)
    OR regexp_like('s3://' || p.bucket, b.pattern_re)
    OR regexp_like('s3://' || p.bucket || '/', b.pattern_re)
    OR regexp_like(p.uri, b.pattern_re)
    OR regexp_like(p.uri || '/', b.pattern_re)
  GROUP BY p.place
)
SELECT
  CASE
    WHEN c.outcome NOT IN ('ok', 'denied') THEN 'pass'
    WHEN p.place IS NULL THEN 'not_assessed'
    WHEN l.place IS NULL THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  CASE WHEN c.event_name = 'CreateModelInvocationJob' THEN 'batch job ' ELSE 'knowledge base ' END || c.target
    || COALESCE(' s3://' || p.bucket, '') AS subject,
  CASE
    WHEN p.place IS NULL THEN 'the record does not show where the data comes from'
    WHEN c.outcome = 'denied' THEN 'an attempt to read from a bucket outside the list was refused'
    ELSE 'the bucket is not among those for data'
  END AS reason,
  CASE
    WHEN c.event_name = 'CreateModelInvocationJob' THEN 'data from a bucket of approved.data_buckets or batch_buckets'
    ELSE 'data from a bucket of approved.data_buckets'
  END AS expected,
  c.event_name || COALESCE(' from ' || p.uri, '') || COALESCE(', bucket of account ' || c.bucket_owner, '') AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome,
  CASE WHEN c.outcome = 'ok' THEN 'medium' ELSE 'low' END AS severity
FROM changes AS c
LEFT JOIN places AS p ON p.place = c.place
LEFT JOIN listed AS l
  ON l.place = c.place
  AND (l.for_data > 0 OR c.event_name = 'CreateModelInvocationJob')
