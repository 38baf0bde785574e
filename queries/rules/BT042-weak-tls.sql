-- title = "A call used a version of TLS below 1.2"
-- severity = "medium"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "account_id", "principal", "surface", "outcome", "invoked_by", "from_console",
--   "source_kind", "tls_version", "endpoint_host", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- Prompts and answers travel under TLS. Versions before 1.2 are withdrawn; standards such as PCI DSS do not count \
-- them as strong encryption. CloudTrail records the version that the client and the endpoint agreed on. The rule \
-- judges every call of the Bedrock family that came from a client: those that an AWS service or the console made \
-- carry no TLS details of the caller and are left out. Where the version is missing otherwise, or not one that the \
-- rule knows, the call is not assessed."""
-- fix = """\
-- Update the client or its TLS library, or the proxy that ends its connection. Deny old versions in policies with the \
-- condition key aws:TlsVersion."""
-- false_positives = """\
-- None where the version is recorded. Records of old exports may lack TLS details altogether: those calls are not \
-- assessed."""
--
-- [controls]
-- "HIPAA" = ["164.312(e)(2)"]
-- "NIST SP 800-53" = ["SC-8"]
-- "PCI DSS" = ["4.2"]

SELECT
  CASE
    WHEN tls_version IN ('TLSv1.2', 'TLSv1.3') THEN 'pass'
    WHEN tls_version IN ('SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.0', 'TLSv1.1') THEN 'violation'
    ELSE 'not_assessed'
  END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  COALESCE(tls_version, 'TLS not recorded') || ' ' || surface AS subject,
  CASE
    WHEN tls_version IS NULL THEN 'the record carries no TLS details'
    WHEN tls_version IN ('SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.0', 'TLSv1.1')
      THEN 'the connection used ' || tls_version
    ELSE 'the rule does not know the TLS version'
  END AS reason,
  'TLS 1.2 or later' AS expected,
  COALESCE(tls_version, 'no version') || COALESCE(' to ' || endpoint_host, '') AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome
FROM events
WHERE record_kind = 'api_call'
  AND surface IN ('runtime', 'mantle', 'agents', 'agentcore', 'gateway', 'control')
  -- A version that is recorded counts, whoever called.
  AND (
    tls_version IS NOT NULL
    OR (
      invoked_by IS NULL
      AND COALESCE(source_kind, '') NOT IN ('aws_service', 'aws_internal')
      AND from_console IS NULL
    )
  )
