-- title = "A long-term access key called a model, an agent or a knowledge base"
-- severity = "high"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "access_key_id", "activity", "outcome",
--   "credential", "aws_region", "record_kind",
-- ]
-- attack = ["T1078.004"]
-- attack_old = []
-- atlas = ["AML.T0012"]
-- why = """\
-- An access key of an IAM user (its id starts with AKIA) does not expire. Stolen ones are how most abuse of models \
-- in other people's accounts begins. Roles give credentials that last hours, and say which workload they went to. \
-- The rule judges model calls, batch jobs, agent invocations and retrievals. In an environment whose name starts \
-- with prod a finding is high, elsewhere medium. The policy's setting long_term_keys goes first: allow passes, \
-- warn makes it low, deny makes it high. A refused attempt is one step lower. Bedrock API keys are BT030's \
-- subject."""
-- fix = """\
-- Move the workload to a role (IAM Roles Anywhere outside AWS, OpenID Connect for build systems), then deactivate \
-- the key, watch for a while, and delete it."""
-- false_positives = """\
-- A supplier's product that supports only access keys: set long_term_keys for that environment or write a waiver."""
--
-- [controls]
-- "NIST SP 800-53" = ["IA-5"]
-- "PCI DSS" = ["8.6"]
-- "SOC 2" = ["CC6.1"]

WITH settings AS (
  SELECT environment AS environment, MIN(setting) AS setting
  FROM policy_credential
  WHERE credential_class = 'long_term_keys'
  GROUP BY environment
),
judged AS (
  SELECT
    CASE
      WHEN s.setting = 'allow' THEN 'pass'
      WHEN e.credential IS NULL THEN 'not_assessed'
      WHEN e.credential = 'long_term' THEN 'violation'
      ELSE 'pass'
    END AS verdict,
    e.account_id AS account_id,
    e.aws_region AS aws_region,
    e.principal AS principal,
    CASE
      WHEN e.credential IS NULL THEN 'credential not recorded'
      ELSE COALESCE(e.access_key_id, 'access key not recorded')
    END AS subject,
    CASE
      WHEN e.credential IS NULL THEN 'the record does not show how the caller authenticated'
      WHEN s.setting IN ('deny', 'short_only') THEN 'environment ' || e.environment || ' allows no long-term access keys'
      WHEN s.setting = 'warn' THEN 'environment ' || e.environment || ' wants to know of every long-term access key'
      ELSE 'a long-term access key was used'
    END AS reason,
    'temporary credentials of a role' AS expected,
    e.activity AS observed,
    CASE
      WHEN s.setting = 'warn' THEN 2
      WHEN (s.setting IN ('deny', 'short_only') OR starts_with(e.environment, 'prod')) AND e.outcome = 'denied' THEN 3
      WHEN s.setting IN ('deny', 'short_only') OR starts_with(e.environment, 'prod') THEN 4
      WHEN e.outcome = 'denied' THEN 2
      ELSE 3
    END AS severity_rank,
    e.event_id AS event_id,
    e.event_time AS event_time,
    e.outcome AS outcome
  FROM events AS e
  LEFT JOIN settings AS s ON s.environment = e.environment
  WHERE e.record_kind = 'api_call'
    AND e.activity IN ('model_invocation', 'batch', 'agent_invocation', 'retrieval')
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
