-- title = "Model invocation logging was switched off, narrowed or redirected"
-- severity = "critical"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "outcome",
--   "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = ["T1685.002"]
-- attack_old = ["T1562.008"]
-- atlas = []
-- why = """\
-- Model invocation logging keeps prompts and answers, which CloudTrail does not. It is set per Region, so one \
-- Region can be silent while the others log. Deleting the setting, or setting it without any destination, is critical. \
-- Setting it so that text, images, embeddings, video or audio are no longer delivered, or so that they go to a bucket \
-- or log group the policy does not list under invocation logs, is high. A refused attempt is one step lower, one that \
-- failed for another reason low. A change is not assessed where the record leaves out what was set, or where the policy lists no targets to compare \
-- with; a delivery that is switched off counts even then."""
-- fix = """\
-- Put the setting back from its definition in code, in every Region in use. Ask who changed it and what was called \
-- meanwhile: the report usage-by-role-model still knows the calls. Allow the two actions only to the deployment \
-- role."""
-- false_positives = """\
-- A move to a new bucket: list it in the policy first. A Region that leaves use. Image delivery switched off on \
-- purpose because only text models are in use: write a waiver."""
--
-- [controls]
-- "EU AI Act" = ["Art. 12", "Art. 26"]
-- "ISO/IEC 27001" = ["A.8.15"]
-- "ISO/IEC 42001" = ["A.6.2.8"]
-- "NIST SP 800-53" = ["AU-12"]
-- "SOC 2" = ["CC7.2", "A1.1"]

WITH changes AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    json_extract_scalar(request_parameters, '$.loggingConfig.s3Config.bucketName') AS bucket,
    json_extract_scalar(request_parameters, '$.loggingConfig.s3Config.keyPrefix') AS prefix,
    json_extract_scalar(request_parameters, '$.loggingConfig.cloudWatchConfig.logGroupName') AS log_group,
    json_extract_scalar(
      request_parameters, '$.loggingConfig.cloudWatchConfig.largeDataDeliveryS3Config.bucketName'
    ) AS large_bucket,
    json_extract_scalar(
      request_parameters, '$.loggingConfig.cloudWatchConfig.largeDataDeliveryS3Config.keyPrefix'
    ) AS large_prefix,
    -- A setting that is recorded and names neither a bucket nor a log group sends nothing anywhere.
    COALESCE(
      regexp_like(request_parameters, '"loggingConfig"[ ]*:[ ]*[{]')
        AND strpos(request_parameters, '"s3Config"') = 0
        AND strpos(request_parameters, '"cloudWatchConfig"') = 0,
      FALSE
    ) AS emptied,
    CASE
      WHEN json_extract_scalar(request_parameters, '$.loggingConfig.textDataDeliveryEnabled') = 'false'
        OR json_extract_scalar(request_parameters, '$.loggingConfig.imageDataDeliveryEnabled') = 'false'
        OR json_extract_scalar(request_parameters, '$.loggingConfig.embeddingDataDeliveryEnabled') = 'false'
        OR json_extract_scalar(request_parameters, '$.loggingConfig.videoDataDeliveryEnabled') = 'false'
        OR json_extract_scalar(request_parameters, '$.loggingConfig.audioDataDeliveryEnabled') = 'false'
        THEN TRUE
      ELSE FALSE
    END AS narrowed
  FROM events
  WHERE record_kind = 'api_call'
    AND event_source = 'bedrock.amazonaws.com'
    AND event_name IN ('DeleteModelInvocationLoggingConfiguration', 'PutModelInvocationLoggingConfiguration')
),
targets AS (
  SELECT pattern_re AS pattern_re
  FROM policy_log_target
  WHERE kind = 'invocation_log'
),
configured AS (
  SELECT COUNT(*) AS entries
  FROM targets
),
in_force AS (
  SELECT CASE WHEN COUNT(effective_from) = COUNT(*) THEN MIN(effective_from) END AS in_force_from
  FROM policy_version
),
-- A bucket lies in the partition of the Region that writes to it.
destinations AS (
  SELECT DISTINCT aws_region AS aws_region, bucket AS place, prefix AS prefix, 'bucket' AS kind
  FROM changes
  WHERE bucket IS NOT NULL
  UNION
  SELECT DISTINCT aws_region AS aws_region, large_bucket AS place, large_prefix AS prefix, 'bucket' AS kind
  FROM changes
  WHERE large_bucket IS NOT NULL
  UNION
  SELECT DISTINCT aws_region AS aws_region, log_group AS place, CAST(NULL AS VARCHAR) AS prefix, 'group' AS kind
  FROM changes
  WHERE log_group IS NOT NULL
),
located AS (
  SELECT
    d.aws_region AS aws_region,
    d.place AS place,
    d.prefix AS prefix,
    d.kind AS kind,
    'arn:' || COALESCE(r.partition, 'aws') || ':s3:::' || d.place AS arn
  FROM destinations AS d
  LEFT JOIN ref_region AS r ON r.region = d.aws_region
),
-- A target may be written as a name, an s3:// address or an ARN; log groups' ARNs hold Region and account.
listed AS (
  SELECT DISTINCT
    COALESCE(d.aws_region, '') AS region_key, d.place AS place, COALESCE(d.prefix, '') AS prefix, d.kind AS kind
  FROM located AS d
  JOIN targets AS t
    ON regexp_like(d.place, t.pattern_re)
    OR (
      d.kind = 'bucket'
      AND (
        regexp_like('s3://' || d.place, t.pattern_re)
        OR regexp_like('s3://' || d.place || '/', t.pattern_re)
        OR regexp_like('s3://' || d.place || '/' || COALESCE(d.prefix, ''), t.pattern_re)
        OR regexp_like('s3://' || d.place || '/' || COALESCE(d.prefix, '') || '/', t.pattern_re)
        OR regexp_like(d.arn, t.pattern_re)
        OR regexp_like(d.arn || '/' || COALESCE(d.prefix, ''), t.pattern_re)
      )
    )
),
listed_groups AS (
  SELECT DISTINCT c.account_id AS account_id, c.aws_region AS aws_region, c.log_group AS place
  FROM (
    SELECT DISTINCT
      g.account_id AS account_id, g.aws_region AS aws_region, g.log_group AS log_group,
      'arn:' || COALESCE(r.partition, 'aws') || ':logs:' || g.aws_region || ':' || g.account_id || ':log-group:'
        || g.log_group AS arn
    FROM changes AS g
    LEFT JOIN ref_region AS r ON r.region = g.aws_region
    WHERE g.log_group IS NOT NULL
  ) AS c
  JOIN targets AS t
    ON regexp_like(c.arn, t.pattern_re)
    OR regexp_like(c.arn || ':*', t.pattern_re)
),
compared AS (
  SELECT
    c.event_id AS event_id,
    c.event_time AS event_time,
    c.event_name AS event_name,
    c.account_id AS account_id,
    c.aws_region AS aws_region,
    c.principal AS principal,
    c.outcome AS outcome,
    c.narrowed AS narrowed,
    c.emptied AS emptied,
    c.event_name = 'DeleteModelInvocationLoggingConfiguration' AS deleted,
    COALESCE(c.bucket, c.log_group, c.large_bucket) IS NULL AS unread,
    COALESCE(
      CASE WHEN c.bucket IS NOT NULL AND b.place IS NULL THEN c.bucket END,
      CASE WHEN c.log_group IS NOT NULL AND g.place IS NULL AND n.place IS NULL THEN c.log_group END,
      CASE WHEN c.large_bucket IS NOT NULL AND l.place IS NULL THEN c.large_bucket END
    ) AS stranger,
    COALESCE(c.bucket, c.log_group, c.large_bucket) AS destination,
    CASE WHEN c.event_time < f.in_force_from THEN 0 ELSE k.entries END AS entries,
    COALESCE(c.event_time < f.in_force_from, FALSE) AS unruled
  FROM changes AS c
  CROSS JOIN configured AS k
  CROSS JOIN in_force AS f
  LEFT JOIN listed AS b
    ON b.kind = 'bucket'
    AND b.region_key = COALESCE(c.aws_region, '')
    AND b.place = c.bucket
    AND b.prefix = COALESCE(c.prefix, '')
  LEFT JOIN listed AS l
    ON l.kind = 'bucket'
    AND l.region_key = COALESCE(c.aws_region, '')
    AND l.place = c.large_bucket
    AND l.prefix = COALESCE(c.large_prefix, '')
  LEFT JOIN listed AS n
    ON n.kind = 'group'
    AND n.region_key = COALESCE(c.aws_region, '')
    AND n.place = c.log_group
  LEFT JOIN listed_groups AS g ON g.place = c.log_group AND g.account_id = c.account_id AND g.aws_region = c.aws_region
)
SELECT
  CASE
    WHEN deleted OR narrowed OR emptied THEN 'violation'
    WHEN unread OR entries = 0 THEN 'not_assessed'
    WHEN stranger IS NOT NULL THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  COALESCE(aws_region, 'Region not recorded')
    || CASE
      WHEN deleted THEN ' deleted'
      WHEN narrowed OR emptied THEN ' narrowed'
      WHEN stranger IS NOT NULL AND entries > 0 THEN ' redirected'
      ELSE ' set'
    END AS subject,
  CASE
    WHEN (deleted OR narrowed OR emptied) AND outcome = 'denied' THEN 'an attempt to switch logging off was refused'
    WHEN (deleted OR narrowed OR emptied) AND outcome <> 'ok' THEN 'an attempt to switch logging off failed'
    WHEN deleted THEN 'model invocation logging is deleted for this Region'
    WHEN emptied THEN 'logging is set without any destination'
    WHEN narrowed THEN 'a kind of data is no longer delivered'
    WHEN unread THEN 'the record does not show what was set'
    WHEN unruled THEN 'no policy was in force'
    WHEN entries = 0 THEN 'the policy lists no invocation log targets to compare with'
    ELSE 'the destination is not an invocation log target of the policy'
  END AS reason,
  'logging of every kind of data to a target of the policy' AS expected,
  event_name || COALESCE(' to ' || COALESCE(stranger, destination), '') AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome,
  CASE
    WHEN outcome NOT IN ('ok', 'denied') THEN 'low'
    WHEN (deleted OR emptied) AND outcome = 'ok' THEN 'critical'
    WHEN deleted OR emptied OR outcome = 'ok' THEN 'high'
    ELSE 'medium'
  END AS severity
FROM compared
