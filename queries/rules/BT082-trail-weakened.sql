-- title = "A trail was redirected or weakened"
-- severity = "high"
-- kind = "sequence"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "outcome",
--   "request_parameters", "response_elements", "aws_region", "record_kind",
-- ]
-- attack = ["T1685.002"]
-- attack_old = ["T1562.008"]
-- atlas = []
-- why = """\
-- UpdateTrail can leave a trail running and yet make it useless: logs go to another bucket, other Regions or global \
-- services fall silent, or files are no longer signed. The rule compares what an UpdateTrail asks for with what the \
-- trail's earlier changes set: another bucket, multi-Region, global services or log file validation set to false, \
-- another key or prefix. A value that was so before is no violation, as when infrastructure code applies the same \
-- values again; neither is a bucket or key that the policy lists under [logging]. A value of false is reported even if \
-- the value before is not known; another bucket, key or prefix whose predecessor is not known is not assessed, unless \
-- the policy lists others. Success is high, a changed prefix alone and refused attempts are medium; an attempt that \
-- failed for another reason changed nothing. The population is all UpdateTrail calls."""
-- fix = """\
-- Put the former values back from the trail's definition in code and ask for the change ticket. Treat the time \
-- between as not covered, or not proven, and read what arrived in the new bucket. Allow UpdateTrail to one role only."""
-- false_positives = "Buckets that are merged or moved with approval: list the new one in the policy first. A key that is exchanged on schedule."
--
-- [controls]
-- "EU AI Act" = ["Art. 12"]
-- "HIPAA" = ["164.312(b)"]
-- "ISO/IEC 27001" = ["A.8.15"]
-- "NIST SP 800-53" = ["AU-9", "AU-12"]
-- "PCI DSS" = ["10.7"]
-- "SOC 2" = ["CC7.2"]

WITH changes AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    request_parameters AS parameters,
    response_elements AS response,
    COALESCE(json_extract_scalar(request_parameters, '$.name'), 'not named') AS name,
    TRUE AS judged
  FROM events
  WHERE record_kind = 'api_call'
    AND event_source = 'cloudtrail.amazonaws.com'
    AND event_name IN ('UpdateTrail', 'CreateTrail')
  UNION ALL
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    request_parameters AS parameters,
    response_elements AS response,
    COALESCE(json_extract_scalar(request_parameters, '$.name'), 'not named') AS name,
    FALSE AS judged
  FROM history
  WHERE record_kind = 'api_call'
    AND event_source = 'cloudtrail.amazonaws.com'
    AND event_name IN ('UpdateTrail', 'CreateTrail')
),
numbered AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    parameters AS parameters,
    response AS response,
    judged AS judged,
    CASE WHEN starts_with(name, 'arn:') THEN split_part(name, '/', 2) ELSE name END AS trail,
    ROW_NUMBER() OVER (ORDER BY event_time ASC, event_id ASC) AS place
  FROM changes
),
-- One row per change and setting: what was asked for, and what stood afterwards.
settings AS (
  SELECT
    n.event_id AS event_id, n.place AS place, n.outcome AS outcome, n.account_id AS account_id,
    n.aws_region AS aws_region, n.trail AS trail, s.setting AS setting,
    json_extract_scalar(n.parameters, '$.' || s.setting) AS asked,
    COALESCE(
      json_extract_scalar(n.response, '$.' || s.answered), json_extract_scalar(n.parameters, '$.' || s.setting)
    ) AS value
  FROM numbered AS n
  CROSS JOIN (
    VALUES
      ('s3BucketName', 's3BucketName'),
      ('s3KeyPrefix', 's3KeyPrefix'),
      ('kmsKeyId', 'kmsKeyId'),
      ('isMultiRegionTrail', 'isMultiRegionTrail'),
      ('includeGlobalServiceEvents', 'includeGlobalServiceEvents'),
      ('enableLogFileValidation', 'logFileValidationEnabled')
  ) AS s (setting, answered)
),
remembered AS (
  SELECT
    event_id AS event_id,
    place AS place,
    setting AS setting,
    asked AS asked,
    value AS value,
    MAX(CASE WHEN outcome = 'ok' AND value IS NOT NULL THEN place END) OVER (
      PARTITION BY account_id, aws_region, trail, setting ORDER BY place ASC
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS previous_place
  FROM settings
),
compared AS (
  SELECT
    r.event_id AS event_id,
    r.place AS place,
    r.setting AS setting,
    r.asked AS asked,
    r.value AS value,
    -- A key may be asked for by its id, an alias or its ARN; the answer says which one it is. A refusal says nothing.
    COALESCE(
      p.value = r.value
        OR (
          r.value = r.asked
          AND (p.asked = r.asked OR (r.setting = 'kmsKeyId' AND regexp_replace(p.value, '\A.*:key/', '') = r.asked))
        ),
      FALSE
    ) AS same,
    p.value AS was
  FROM remembered AS r
  LEFT JOIN settings AS p ON p.place = r.previous_place AND p.setting = r.setting
  WHERE r.asked IS NOT NULL
),
targets AS (
  SELECT kind AS kind, pattern_re AS pattern_re
  FROM policy_log_target
  WHERE kind IN ('bucket', 'key')
),
listed AS (
  SELECT DISTINCT c.setting AS setting, c.asked AS asked, c.value AS value
  FROM compared AS c
  JOIN targets AS t
    ON (
      (c.setting = 's3BucketName' AND t.kind = 'bucket')
      OR (c.setting = 'kmsKeyId' AND t.kind = 'key')
    )
    AND (
      regexp_like(c.asked, t.pattern_re)
      OR regexp_like(c.value, t.pattern_re)
      OR regexp_like('arn:aws:s3:::' || c.asked, t.pattern_re)
      OR regexp_like('arn:aws-us-gov:s3:::' || c.asked, t.pattern_re)
      OR regexp_like('arn:aws-cn:s3:::' || c.asked, t.pattern_re)
      OR regexp_like('s3://' || c.asked, t.pattern_re)
    )
),
kinds AS (
  SELECT
    SUM(CASE WHEN kind = 'bucket' THEN 1 ELSE 0 END) AS bucket_patterns,
    SUM(CASE WHEN kind = 'key' THEN 1 ELSE 0 END) AS key_patterns
  FROM targets
),
weighed AS (
  SELECT
    c.event_id AS event_id,
    c.setting AS setting,
    c.setting || ' ' || COALESCE('from ' || c.was || ' ', '') || 'to '
      || CASE WHEN c.asked = '' THEN 'none' ELSE c.asked END AS change,
    CASE
      WHEN c.same THEN 0
      WHEN c.setting IN ('isMultiRegionTrail', 'includeGlobalServiceEvents', 'enableLogFileValidation')
        THEN CASE WHEN c.asked = 'false' THEN 3 ELSE 0 END
      WHEN l.asked IS NOT NULL THEN 0
      WHEN c.setting = 's3KeyPrefix' THEN CASE WHEN c.was IS NULL THEN 0 ELSE 2 END
      WHEN c.was IS NOT NULL THEN 3
      WHEN (c.setting = 's3BucketName' AND k.bucket_patterns > 0) OR (c.setting = 'kmsKeyId' AND k.key_patterns > 0) THEN 3
      ELSE 1
    END AS weight
  FROM compared AS c
  CROSS JOIN kinds AS k
  LEFT JOIN listed AS l ON l.setting = c.setting AND l.asked = c.asked AND l.value = c.value
),
told AS (
  SELECT
    event_id AS event_id,
    MAX(weight) AS weight,
    array_join(array_agg(change ORDER BY change ASC) FILTER (WHERE weight > 1), ', ') AS weakened,
    array_join(array_agg(change ORDER BY change ASC) FILTER (WHERE weight = 1), ', ') AS open_changes
  FROM weighed
  GROUP BY event_id
)
SELECT
  CASE
    WHEN n.outcome NOT IN ('ok', 'denied') THEN 'pass'
    WHEN n.parameters IS NULL OR n.trail = 'not named' THEN 'not_assessed'
    WHEN t.weight >= 2 THEN 'violation'
    WHEN t.weight = 1 THEN 'not_assessed'
    ELSE 'pass'
  END AS verdict,
  n.account_id AS account_id,
  n.aws_region AS aws_region,
  n.principal AS principal,
  'trail ' || n.trail || ' ' || COALESCE(n.aws_region, 'Region not recorded') AS subject,
  CASE
    WHEN n.parameters IS NULL OR n.trail = 'not named' THEN 'the record does not show what was changed'
    WHEN t.weight >= 2 AND n.outcome = 'denied' THEN 'an attempt to weaken or redirect the trail was refused'
    WHEN t.weight >= 2 THEN 'the trail was weakened or redirected'
    ELSE 'what the trail had before is not known, and the policy lists no log targets to compare with'
  END AS reason,
  'the values set before, or targets that the policy lists' AS expected,
  COALESCE(CASE WHEN t.weight >= 2 THEN t.weakened ELSE t.open_changes END, n.event_name) AS observed,
  n.event_time AS event_time,
  n.event_id AS event_id,
  n.outcome AS outcome,
  CASE WHEN n.outcome = 'ok' AND t.weight = 3 THEN 'high' ELSE 'medium' END AS severity
FROM numbered AS n
LEFT JOIN told AS t ON t.event_id = n.event_id
WHERE n.judged
  AND n.event_name = 'UpdateTrail'
