-- title = "A Bedrock API key was used"
-- severity = "high"
-- kind = "row"
-- needs = []
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
-- long-term keys (high), warn reports every key (low), allow permits all. Where no policy says anything, every key is \
-- reported, as high in an environment whose name starts with prod and as medium elsewhere. A refused attempt is one \
-- step lower. CloudTrail writes the fact in two places, one for bedrock and one for bedrock-mantle; both are read. \
-- Where the record says that a key was used but not of which kind, short_only is not assessed."""
-- fix = """\
-- Give the workload a role and let the SDK sign its calls. Delete the service-specific credential of a long-term \
-- key and the IAM user made for it (its name starts with BedrockAPIKey-). Deny bedrock:CallWithBearerToken and \
-- bedrock-mantle:CallWithBearerToken: a deny on the first does not cover the second."""
-- false_positives = """\
-- A trial of an OpenAI-compatible client that knows only API keys. Set bearer_tokens for that environment, or agree \
-- on it in a waiver with an end."""
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
in_force AS (
  SELECT CASE WHEN COUNT(effective_from) = COUNT(*) THEN MIN(effective_from) END AS in_force_from
  FROM policy_version
)
SELECT
  CASE
    WHEN s.setting = 'allow' THEN 'pass'
    WHEN e.credential NOT IN ('bearer_long', 'bearer_short', 'bearer_unknown') THEN 'pass'
    WHEN e.credential IS NULL THEN 'not_assessed'
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
    WHEN s.setting = 'deny' THEN 'environment ' || e.environment || ' allows no API keys'
    ELSE 'an API key was used, and no policy says whether it may be'
  END AS reason,
  CASE WHEN s.setting = 'short_only' THEN 'a signed call or a short-term API key' ELSE 'a signed call' END AS expected,
  COALESCE(e.credential, 'unknown credential') AS observed,
  e.event_time AS event_time,
  e.event_id AS event_id,
  e.outcome AS outcome,
  CASE
    WHEN s.setting = 'warn' THEN 'low'
    WHEN (s.setting IS NOT NULL OR starts_with(e.environment, 'prod')) AND e.outcome = 'denied' THEN 'medium'
    WHEN s.setting IS NOT NULL OR starts_with(e.environment, 'prod') THEN 'high'
    WHEN e.outcome = 'denied' THEN 'low'
    ELSE 'medium'
  END AS severity
FROM events AS e
CROSS JOIN in_force AS f
LEFT JOIN settings AS s
  ON s.environment = e.environment
  AND (f.in_force_from IS NULL OR e.event_time >= f.in_force_from)
WHERE e.record_kind = 'api_call'
  AND (
    e.surface IN ('runtime', 'mantle', 'agents', 'agentcore', 'gateway', 'control')
    OR e.activity IN ('model_invocation', 'batch')
  )
