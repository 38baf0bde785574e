-- title = "A caller of an account that the policy does not trust used models or agents here"
-- severity = "high"
-- kind = "row"
-- needs = ["policy_trusted_account"]
-- columns = [
--   "event_id", "event_time", "event_name", "account_id", "principal", "principal_type", "principal_account_id",
--   "credential", "surface", "outcome", "aws_region", "record_kind",
-- ]
-- attack = ["T1199"]
-- attack_old = []
-- atlas = []
-- why = """\
-- A resource policy can let another account call an agent, a knowledge base, a gateway or a model of this one. The \
-- bill and the data are this account's; who the caller is, only the other account knows. The rule compares the \
-- account of the caller with the account that was called and finds callers of accounts that are not among \
-- approved.trusted_accounts. If the other account is itself in an environment of the policy it is medium, else \
-- high; a refused attempt is one step lower. Where both accounts deliver their logs, the record of the account \
-- that was called is judged. Whoever first takes on a role of this account calls as that role and does not show \
-- here. Callers that are AWS services or proved themselves by a token (JWT) are left out; a caller whose account \
-- is not recorded is not assessed."""
-- fix = """\
-- Find the resource policy that lets the account in (GetResourcePolicy) and ask its owner. If the account is right, \
-- list it under approved.trusted_accounts; if not, remove it from the policy and read what it called."""
-- false_positives = """\
-- A central account for AI that the policy does not list yet. A new account of the organisation."""
--
-- [controls]
-- "NIST SP 800-53" = ["AC-4"]
-- "SOC 2" = ["CC6.6"]

WITH calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    principal_account_id AS caller_account,
    surface AS surface,
    event_name AS event_name,
    outcome AS outcome
  FROM events
  WHERE (record_kind = 'api_call' OR (record_kind = 'shared_copy' AND principal_account_id <> account_id))
    AND surface IN ('runtime', 'mantle', 'agents', 'agentcore', 'gateway', 'control')
    AND COALESCE(principal_type, '') <> 'AWSService'
    AND COALESCE(credential, '') NOT IN ('jwt', 'service')
    AND COALESCE(principal_account_id, '') <> 'anonymous'
),
strangers AS (
  SELECT DISTINCT caller_account AS caller_account
  FROM calls
  WHERE caller_account <> account_id
),
trusted AS (
  SELECT DISTINCT s.caller_account AS caller_account
  FROM strangers AS s
  JOIN policy_trusted_account AS t ON regexp_like(s.caller_account, t.pattern_re)
),
own AS (
  SELECT s.caller_account AS caller_account, MIN(v.environment) AS environment
  FROM strangers AS s
  JOIN policy_environment AS v ON regexp_like(s.caller_account, v.account_re)
  GROUP BY s.caller_account
)
SELECT
  CASE
    WHEN c.caller_account IS NULL OR c.account_id IS NULL THEN 'not_assessed'
    WHEN c.caller_account = c.account_id OR t.caller_account IS NOT NULL THEN 'pass'
    ELSE 'violation'
  END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  'account ' || COALESCE(c.caller_account, 'not recorded') || ' on ' || c.surface AS subject,
  CASE
    WHEN c.caller_account IS NULL THEN 'the record does not say from which account the caller is'
    WHEN c.account_id IS NULL THEN 'the record does not say which account was called'
    WHEN o.environment IS NOT NULL THEN 'the caller''s account is of the policy, but not among the trusted ones'
    ELSE 'the caller''s account is not among the trusted ones'
  END AS reason,
  'a caller of this account or of approved.trusted_accounts' AS expected,
  c.event_name AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome,
  CASE
    WHEN o.environment IS NULL AND c.outcome <> 'denied' THEN 'high'
    WHEN o.environment IS NULL OR c.outcome <> 'denied' THEN 'medium'
    ELSE 'low'
  END AS severity
FROM calls AS c
LEFT JOIN trusted AS t ON t.caller_account = c.caller_account
LEFT JOIN own AS o ON o.caller_account = c.caller_account
