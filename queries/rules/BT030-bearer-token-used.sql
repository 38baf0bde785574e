-- title = "A Bedrock API key was used against the policy"
-- severity = "high"
-- kind = "row"
-- needs = ["policy_credential"]
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "surface", "activity", "outcome",
--   "credential", "aws_region", "record_kind",
-- ]
-- attack = ["T1550.001"]
-- attack_old = []
-- atlas = ["AML.T0091.000"]
-- why = """\
-- A Bedrock API key is a bearer token: whoever holds it is the caller, without a signature. A long-term key works \
-- until somebody deletes it and is often found in code and on laptops; a short-term key dies within twelve hours. \
-- The policy's setting bearer_tokens decides per environment: deny forbids every key (high), short_only forbids \
-- long-term keys (high), warn reports every key (low), allow permits all. A refused attempt is one step lower. \
-- CloudTrail writes the fact in two places, one for bedrock and one for bedrock-mantle; both are read. Where the \
-- record says that a key was used but not of which kind, short_only is not assessed. Environments that do not set \
-- bearer_tokens are not judged."""
-- fix = """\
-- Give the workload a role and let the SDK sign its calls. Delete the service-specific credential of a long-term \
-- key and the IAM user made for it (its name starts with BedrockAPIKey-). Deny bedrock:CallWithBearerToken and \
-- bedrock-mantle:CallWithBearerToken: a deny on the first does not cover the second."""
-- false_positives = """\
-- A trial of an OpenAI-compatible client that knows only API keys. Agree on it in a waiver with an end."""
--
-- [controls]
-- "ISO/IEC 27001" = ["A.8.5"]
-- "NIST SP 800-53" = ["IA-2", "IA-5"]
-- "PCI DSS" = ["8.3"]
-- "SOC 2" = ["CC6.1"]

WITH settings AS (
  SELECT environment AS environment, MIN(setting) AS setting
  FROM policy_credential
  WHERE credential_class = 'bearer_tokens'
  GROUP BY environment
),
judged AS (
  SELECT
    CASE
      WHEN s.setting = 'allow' THEN 'pass'
      WHEN e.credential IS NULL THEN 'not_assessed'
      WHEN e.credential NOT IN ('bearer_long', 'bearer_short', 'bearer_unknown') THEN 'pass'
      WHEN s.setting = 'short_only' AND e.credential = 'bearer_short' THEN 'pass'
      WHEN s.setting = 'short_only' AND e.credential = 'bearer_unknown' THEN 'not_assessed'
      ELSE 'violation'
    END AS verdict,
    e.account_id AS account_id,
    e.aws_region AS aws_region,
    e.principal AS principal,
    COALESCE(e.credential, 'credential not recorded') || ' ' || COALESCE(e.surface, 'other') AS subject,
    CASE
      WHEN e.credential IS NULL THEN 'the record does not show how the caller authenticated'
      WHEN e.credential = 'bearer_unknown' AND s.setting = 'short_only'
        THEN 'the record does not say whether the API key is a short-term or a long-term one'
      WHEN s.setting = 'short_only' THEN 'environment ' || e.environment || ' allows short-term API keys only'
      WHEN s.setting = 'warn' THEN 'environment ' || e.environment || ' wants to know of every API key'
      ELSE 'environment ' || e.environment || ' allows no API keys'
    END AS reason,
    CASE WHEN s.setting = 'short_only' THEN 'a signed call or a short-term API key' ELSE 'a signed call' END AS expected,
    COALESCE(e.credential, 'unknown credential') AS observed,
    CASE WHEN s.setting = 'warn' THEN 2 WHEN e.outcome = 'denied' THEN 3 ELSE 4 END AS severity_rank,
    e.event_id AS event_id,
    e.event_time AS event_time,
    e.outcome AS outcome
  FROM events AS e
  JOIN settings AS s ON s.environment = e.environment
  WHERE e.record_kind = 'api_call'
    AND (
      e.surface IN ('runtime', 'mantle', 'agents', 'agentcore', 'gateway', 'control')
      OR e.activity IN ('model_invocation', 'batch')
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
