-- title = "The root user worked with AI services or their evidence"
-- severity = "critical"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_name", "account_id", "principal", "principal_type", "invoked_by", "surface",
--   "activity", "outcome", "aws_region", "record_kind",
-- ]
-- attack = ["T1078.004"]
-- attack_old = []
-- atlas = []
-- why = """\
-- The root user of an account can do everything and belongs to nobody in particular. No daily work needs it. The \
-- rule finds root calling models, agents, AgentCore or the Bedrock control plane and marketplace, and root \
-- changing trails, logging, guardrails or credentials. A refused attempt is high. Calls that an AWS service makes \
-- on root's behalf are left out."""
-- fix = """\
-- Find out who signed in. Give that person a role. Delete root's access keys, protect the sign-in with a hardware \
-- key, and in an organisation take root access away from member accounts."""
-- false_positives = """\
-- The few tasks that AWS reserves for root. None of them concerns Bedrock."""
--
-- [controls]
-- "NIST SP 800-53" = ["AC-6"]
-- "PCI DSS" = ["8.2"]
-- "SOC 2" = ["CC6.1"]

WITH judged AS (
  SELECT
    CASE
      WHEN principal_type IS NULL THEN 'not_assessed'
      WHEN principal_type = 'Root' AND invoked_by IS NULL THEN 'violation'
      ELSE 'pass'
    END AS verdict,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    COALESCE(event_name, 'event not named') AS subject,
    CASE
      WHEN principal_type IS NULL THEN 'the record does not say what kind of identity called'
      ELSE 'the root user made the call'
    END AS reason,
    'a role with the rights for this task' AS expected,
    COALESCE(activity, 'other') AS observed,
    CASE WHEN outcome = 'denied' THEN 4 ELSE 5 END AS severity_rank,
    event_id AS event_id,
    event_time AS event_time,
    outcome AS outcome
  FROM events
  WHERE record_kind = 'api_call'
    AND (
      surface IN ('runtime', 'mantle', 'agents', 'agentcore', 'gateway', 'control', 'marketplace')
      OR activity IN (
        'model_invocation', 'batch', 'entitlement', 'guardrail_admin', 'logging_admin', 'agent_admin', 'model_admin',
        'credential_admin', 'trail_admin'
      )
    )
),
-- What passed folds into one row; all else stays one row per event, so that samples can be picked.
folded AS (
  SELECT
    verdict AS verdict,
    CASE WHEN verdict <> 'pass' THEN account_id END AS account_id,
    CASE WHEN verdict <> 'pass' THEN principal END AS principal,
    CASE WHEN verdict <> 'pass' THEN subject END AS subject,
    CASE WHEN verdict <> 'pass' THEN event_id END AS event_id,
    MIN(aws_region) AS first_region,
    MAX(aws_region) AS last_region,
    MIN(reason) AS first_reason,
    MAX(reason) AS last_reason,
    MIN(expected) AS expected,
    MIN(observed) AS first_observed,
    MAX(observed) AS last_observed,
    MAX(severity_rank) AS severity_rank,
    MIN(event_time) AS first_seen,
    MAX(event_time) AS last_seen,
    COUNT(*) AS events,
    COUNT(*) FILTER (WHERE outcome = 'ok') AS ok,
    COUNT(*) FILTER (WHERE outcome = 'denied') AS denied
  FROM judged
  GROUP BY 1, 2, 3, 4, 5
),
ranked AS (
  SELECT
    verdict AS verdict,
    account_id AS account_id,
    principal AS principal,
    subject AS subject,
    event_id AS event_id,
    first_region AS first_region,
    last_region AS last_region,
    first_reason AS first_reason,
    last_reason AS last_reason,
    expected AS expected,
    first_observed AS first_observed,
    last_observed AS last_observed,
    severity_rank AS severity_rank,
    first_seen AS first_seen,
    last_seen AS last_seen,
    events AS events,
    ok AS ok,
    denied AS denied,
    ROW_NUMBER() OVER (
      PARTITION BY verdict, account_id, principal, subject
      ORDER BY first_seen ASC NULLS LAST, event_id ASC NULLS LAST
    ) AS place
  FROM folded
),
grouped AS (
  SELECT
    verdict AS verdict,
    account_id AS account_id,
    principal AS principal,
    subject AS subject,
    MIN(first_region) AS first_region,
    MAX(last_region) AS last_region,
    MIN(first_reason) AS first_reason,
    MAX(last_reason) AS last_reason,
    MIN(expected) AS expected,
    MIN(first_observed) AS first_observed,
    MAX(last_observed) AS last_observed,
    MAX(severity_rank) AS severity_rank,
    MIN(first_seen) AS first_seen,
    MAX(last_seen) AS last_seen,
    CAST(SUM(events) AS BIGINT) AS events,
    CAST(SUM(ok) AS BIGINT) AS ok,
    CAST(SUM(denied) AS BIGINT) AS denied,
    array_join(
      array_agg(event_id ORDER BY place) FILTER (WHERE event_id IS NOT NULL AND place <= 5), ' '
    ) AS sample_event_ids
  FROM ranked
  GROUP BY verdict, account_id, principal, subject
),
told AS (
  SELECT
    verdict AS verdict,
    account_id AS account_id,
    CASE WHEN verdict <> 'pass' AND first_region = last_region THEN first_region END AS aws_region,
    principal AS principal,
    subject AS subject,
    CASE WHEN first_reason = last_reason THEN first_reason ELSE first_reason || '; ' || last_reason END AS reason,
    expected AS expected,
    CASE WHEN first_observed = last_observed THEN first_observed ELSE first_observed || '; ' || last_observed END
      || ' (' || CAST(ok AS VARCHAR) || ' ok, ' || CAST(denied AS VARCHAR) || ' denied, '
      || CAST(events - ok - denied AS VARCHAR) || ' other)' AS observed,
    first_seen AS first_seen,
    last_seen AS last_seen,
    events AS event_count,
    CAST(SUM(events) OVER () AS BIGINT) AS population,
    sample_event_ids AS sample_event_ids,
    severity_rank AS severity_rank
  FROM grouped
)
SELECT
  verdict AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  subject AS subject,
  CASE WHEN verdict = 'violation' THEN reason END AS reason,
  CASE WHEN verdict = 'violation' THEN expected END AS expected,
  CASE WHEN verdict <> 'pass' THEN observed END AS observed,
  first_seen AS first_seen,
  last_seen AS last_seen,
  event_count AS event_count,
  population AS population,
  CASE WHEN verdict IN ('not_assessed', 'not_applicable') THEN reason END AS not_assessed_reason,
  sample_event_ids AS sample_event_ids,
  CASE
    WHEN verdict <> 'violation' THEN NULL
    WHEN severity_rank = 5 THEN 'critical'
    WHEN severity_rank = 4 THEN 'high'
    WHEN severity_rank = 3 THEN 'medium'
    WHEN severity_rank = 2 THEN 'low'
    WHEN severity_rank = 1 THEN 'info'
  END AS severity
FROM told
ORDER BY
  verdict ASC NULLS LAST,
  account_id ASC NULLS LAST,
  principal ASC NULLS LAST,
  subject ASC NULLS LAST
