-- title = "Many calls were denied within a short time"
-- severity = "medium"
-- kind = "window"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "surface", "model_id", "outcome",
--   "source_ip", "source_kind", "aws_region", "record_kind",
-- ]
-- attack = ["T1580"]
-- attack_old = []
-- atlas = ["AML.T0075"]
-- why = """\
-- Somebody who holds a credential and does not know what it may do finds out by trying. The rule counts denied calls \
-- to Bedrock, bedrock-mantle, AgentCore and the Marketplace in a sliding window, for each principal and for each \
-- public address: a burst has no fixed start, so 10 denials before a full hour and 10 after it count together. Denied \
-- means every form of refusal, whatever the error code is called. Calls of an address count only where they are not \
-- yet part of a principal's burst, and only where at least two principals called from it. A burst over several \
-- operations or models is high; one call repeated, as a broken deployment repeats it, is medium. The population is \
-- all denied calls."""
-- fix = """\
-- Ask the owner of the principal what ran. Unless it was a deployment whose permissions were missing, revoke the \
-- sessions or the key, and look at what the same principal and address did successfully around that time."""
-- false_positives = """\
-- A deployment that came before its IAM change, with a client that retries. A scanner of the security team. An \
-- address shared by many people, such as a company's gateway."""
--
-- [controls]
-- "ISO/IEC 27001" = ["A.8.16"]
-- "NIST SP 800-53" = ["SI-4", "AU-6"]
-- "PCI DSS" = ["10.4.1"]
-- "SOC 2" = ["CC7.2", "CC7.3"]
--
-- [parameters.min_denied]
-- type = "int"
-- default = 20
-- meaning = "How many denied calls make a burst."
--
-- [parameters.window_minutes]
-- type = "int"
-- default = 60
-- meaning = "Within how many minutes they must lie."

WITH denials AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name || COALESCE(' ' || model_id, '') AS attempt,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    CASE WHEN source_kind = 'public' THEN source_ip END AS address,
    -- Callers that the record does not name are many callers: only their addresses can be counted.
    principal IN ('anonymous', 'unknown') AS nameless
  FROM events
  WHERE record_kind = 'api_call'
    AND outcome = 'denied'
    AND (
      surface IN ('runtime', 'mantle', 'agents', 'agentcore', 'gateway', 'control', 'marketplace')
      OR event_source = 'bedrock.amazonaws.com'
    )
),
counted AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    attempt AS attempt,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    address AS address,
    nameless AS nameless,
    COUNT(*) OVER (
      PARTITION BY principal ORDER BY event_time ASC
      RANGE BETWEEN INTERVAL $window_minutes MINUTE PRECEDING AND CURRENT ROW
    ) AS by_principal
  FROM denials
),
-- A denial is part of a burst if any window that holds it is full.
principals AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    attempt AS attempt,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    address AS address,
    CASE
      WHEN nameless THEN 0
      ELSE MAX(by_principal) OVER (
        PARTITION BY principal ORDER BY event_time ASC
        RANGE BETWEEN CURRENT ROW AND INTERVAL $window_minutes MINUTE FOLLOWING
      )
    END AS peak
  FROM counted
),
addressed AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    attempt AS attempt,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    address AS address,
    peak AS peak,
    peak >= $min_denied AS burst,
    CASE
      WHEN address IS NOT NULL AND peak < $min_denied THEN COUNT(*) OVER (
        PARTITION BY address, peak < $min_denied ORDER BY event_time ASC
        RANGE BETWEEN INTERVAL $window_minutes MINUTE PRECEDING AND CURRENT ROW
      )
      ELSE 0
    END AS by_address
  FROM principals
),
places AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    attempt AS attempt,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    address AS address,
    peak AS peak,
    burst AS burst,
    CASE
      WHEN burst OR address IS NULL THEN 0
      ELSE MAX(by_address) OVER (
        PARTITION BY address, burst ORDER BY event_time ASC
        RANGE BETWEEN CURRENT ROW AND INTERVAL $window_minutes MINUTE FOLLOWING
      )
    END AS address_peak
  FROM addressed
),
keyed AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    attempt AS attempt,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    address AS address,
    peak AS peak,
    burst AS burst,
    address_peak AS address_peak,
    CASE WHEN burst THEN principal WHEN address_peak >= $min_denied THEN 'address ' || address END AS burst_of
  FROM places
),
spread AS (
  SELECT
    burst_of AS burst_of,
    MIN(attempt) AS first_attempt,
    MAX(attempt) AS last_attempt,
    MIN(principal) <> MAX(principal) AS several,
    MIN(principal) IN ('anonymous', 'unknown') AS nameless
  FROM keyed
  WHERE burst_of IS NOT NULL
  GROUP BY burst_of
)
SELECT
  CASE
    WHEN k.burst OR (s.burst_of IS NOT NULL AND (s.several OR s.nameless)) THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  k.account_id AS account_id,
  k.aws_region AS aws_region,
  CASE WHEN k.burst THEN k.principal END AS principal,
  CASE WHEN k.burst THEN 'denied calls' ELSE 'denied calls from ' || k.address END AS subject,
  'at least ' || CAST($min_denied AS VARCHAR) || ' calls were denied within ' || CAST($window_minutes AS VARCHAR)
    || ' minutes' AS reason,
  'fewer than ' || CAST($min_denied AS VARCHAR) || ' denied calls within ' || CAST($window_minutes AS VARCHAR)
    || ' minutes' AS expected,
  'denied: ' || s.first_attempt || CASE WHEN s.first_attempt <> s.last_attempt THEN ' … ' || s.last_attempt ELSE '' END
    AS observed,
  k.event_time AS event_time,
  k.event_id AS event_id,
  k.outcome AS outcome,
  CASE WHEN s.first_attempt <> s.last_attempt THEN 'high' ELSE 'medium' END AS severity
FROM keyed AS k
LEFT JOIN spread AS s ON s.burst_of = k.burst_of
