-- title = "A bucket or key that keeps logs was weakened"
-- severity = "high"
-- kind = "row"
-- needs = ["policy_log_target"]
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "outcome",
--   "request_parameters", "resource_arn", "aws_region", "record_kind",
-- ]
-- attack = ["T1685.002", "T1485"]
-- attack_old = ["T1562.008"]
-- atlas = []
-- why = """\
-- Logs are safe only as long as their bucket and their key are. For buckets and keys that the policy lists under \
-- [logging] the rule finds what lets logs be deleted, read by others or made unreadable. To delete a bucket, its policy, \
-- its encryption or its block of public access, to suspend versioning, to delete objects, to disable a key or schedule \
-- its deletion, and to rewrite a policy, a lifecycle or Object Lock is high: whether the new text is weaker, the \
-- record alone does not say. To rewrite an ACL or the replication, to move a key's primary Region or stop its rotation \
-- is medium. A refused attempt is medium; an attempt that \
-- failed for another reason changed nothing. CloudTrail names S3's calls differently in places; both names are read. \
-- Deleted objects show only where data events of S3 are recorded and kept, which by default they are not. The \
-- population is all such changes to buckets and keys, listed or not."""
-- fix = """\
-- Undo the change, cancel the deletion of the key, and compare the bucket with its definition in code. Check the \
-- digest files of the time. Keep logs in an account of their own, under Object Lock."""
-- false_positives = "A lifecycle or policy change with approval. The change of a key by infrastructure code."
--
-- [controls]
-- "NIST SP 800-53" = ["AU-9(2)", "AU-11"]
-- "PCI DSS" = ["10.3.3", "10.5.1"]

WITH changes AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    CASE WHEN event_source = 's3.amazonaws.com' THEN 'bucket' ELSE 'key' END AS kind,
    CASE
      WHEN event_source = 's3.amazonaws.com' THEN json_extract_scalar(request_parameters, '$.bucketName')
      ELSE json_extract_scalar(request_parameters, '$.keyId')
    END AS object,
    CASE WHEN event_source = 'kms.amazonaws.com' THEN resource_arn END AS object_arn,
    CASE
      WHEN event_name IN (
        'DeleteBucket', 'DeleteBucketPolicy', 'DeleteBucketEncryption', 'DeleteBucketPublicAccessBlock',
        'DeleteObject', 'DeleteObjects', 'DisableKey', 'ScheduleKeyDeletion', 'DeleteImportedKeyMaterial', 'DeleteKey'
      ) THEN 'destroys'
      WHEN event_name = 'PutBucketVersioning'
        AND json_extract_scalar(request_parameters, '$.VersioningConfiguration.Status') = 'Suspended' THEN 'destroys'
      WHEN event_name = 'PutBucketPublicAccessBlock' AND regexp_like(request_parameters, ':[ ]*false') THEN 'destroys'
      WHEN event_name IN (
        'PutBucketPolicy', 'PutBucketLifecycle', 'PutBucketLifecycleConfiguration', 'PutBucketObjectLockConfiguration',
        'PutObjectLockConfiguration', 'PutKeyPolicy'
      ) THEN 'rewrites'
      WHEN event_name IN (
        'PutBucketAcl', 'PutBucketReplication', 'DeleteBucketReplication', 'UpdatePrimaryRegion', 'DisableKeyRotation'
      ) THEN 'touches'
    END AS effect
  FROM events
  WHERE record_kind = 'api_call'
    AND (
      (
        event_source = 's3.amazonaws.com'
        AND event_name IN (
          'DeleteBucket', 'DeleteBucketPolicy', 'DeleteBucketEncryption', 'DeleteBucketPublicAccessBlock',
          'DeleteObject', 'DeleteObjects', 'PutBucketVersioning', 'PutBucketPublicAccessBlock', 'PutBucketPolicy',
          'PutBucketLifecycle', 'PutBucketLifecycleConfiguration', 'PutBucketAcl', 'PutBucketReplication',
          'DeleteBucketReplication', 'PutBucketObjectLockConfiguration', 'PutObjectLockConfiguration'
        )
      )
      OR (
        event_source = 'kms.amazonaws.com'
        AND event_name IN (
          'DisableKey', 'ScheduleKeyDeletion', 'DeleteImportedKeyMaterial', 'DeleteKey', 'PutKeyPolicy',
          'UpdatePrimaryRegion', 'DisableKeyRotation'
        )
      )
    )
),
objects_of AS (
  SELECT DISTINCT kind AS kind, COALESCE(object, '') AS object, COALESCE(object_arn, '') AS object_arn
  FROM changes
),
listed AS (
  SELECT DISTINCT o.kind AS kind, o.object AS object, o.object_arn AS object_arn
  FROM objects_of AS o
  JOIN policy_log_target AS t
    ON (
      t.kind = o.kind
      OR (o.kind = 'bucket' AND t.kind = 'invocation_log')
    )
    AND (
      regexp_like(o.object, t.pattern_re)
      OR (o.object_arn <> '' AND regexp_like(o.object_arn, t.pattern_re))
      OR (
        o.kind = 'bucket'
        AND (
          regexp_like('arn:aws:s3:::' || o.object, t.pattern_re)
          OR regexp_like('arn:aws-us-gov:s3:::' || o.object, t.pattern_re)
          OR regexp_like('arn:aws-cn:s3:::' || o.object, t.pattern_re)
          OR regexp_like('s3://' || o.object, t.pattern_re)
          OR regexp_like('s3://' || o.object || '/', t.pattern_re)
        )
      )
    )
  WHERE o.object <> ''
    OR o.object_arn <> ''
)
SELECT
  CASE
    WHEN c.outcome NOT IN ('ok', 'denied') OR c.effect IS NULL THEN 'pass'
    WHEN l.kind IS NOT NULL THEN 'violation'
    WHEN COALESCE(c.object, c.object_arn) IS NULL THEN 'not_assessed'
    ELSE 'pass'
  END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  c.event_name || ' ' || COALESCE(c.object_arn, c.object, c.kind || ' not named') AS subject,
  CASE
    WHEN l.kind IS NULL THEN 'the record names no bucket and no key'
    WHEN c.outcome = 'denied' THEN 'an attempt to weaken what keeps logs was refused'
    WHEN c.effect <> 'destroys' THEN 'the rules of a log bucket or key were rewritten'
    WHEN c.kind = 'bucket' THEN 'a log bucket was weakened, or something in it was deleted'
    ELSE 'a log key was switched off or given to deletion'
  END AS reason,
  'log buckets and keys of the policy stay as they are' AS expected,
  c.event_name AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome,
  CASE WHEN c.outcome = 'ok' AND c.effect <> 'touches' THEN 'high' ELSE 'medium' END AS severity
FROM changes AS c
LEFT JOIN listed AS l
  ON l.kind = c.kind
  AND l.object = COALESCE(c.object, '')
  AND l.object_arn = COALESCE(c.object_arn, '')
