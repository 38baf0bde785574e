-- title = "A call did not come through an approved VPC endpoint"
-- severity = "medium"
-- kind = "row"
-- needs = ["policy_vpc_endpoint"]
-- columns = [
--   "event_id", "event_time", "account_id", "environment", "principal", "surface", "activity", "outcome",
--   "invoked_by", "source_kind", "vpc_endpoint_id", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- A VPC endpoint keeps prompts and answers off the public network, and its policy decides who may pass. Where an \
-- environment lists vpc_endpoints, every call that carries data to a model, an agent, a knowledge base, a tool or a \
-- memory has to come through one of them. Only calls that succeeded are judged. Calls that an AWS service made on \
-- behalf of somebody use no endpoint of the customer and are left out. A call from a public address that names no \
-- endpoint went over the internet. A private or unreadable address without an endpoint is not assessed: the record \
-- does not say which way the call took."""
-- fix = """\
-- Send the workload through the endpoint (private DNS on, or the endpoint's own URL) and deny other ways in the role's \
-- policy with aws:SourceVpce. If the endpoint is right but new, add it to the environment's vpc_endpoints."""
-- false_positives = """\
-- People in the console and developers' machines reach the public endpoint: set an environment of their own for such \
-- accounts. A gateway that outside clients are meant to call. An endpoint in a shared network account that the policy \
-- does not list yet."""
--
-- [controls]
-- "HIPAA" = ["164.312(e)(1)"]
-- "ISO/IEC 27001" = ["A.8.20", "A.8.21", "A.8.22"]
-- "NIST SP 800-53" = ["SC-7"]
-- "PCI DSS" = ["1.3", "1.2.8", "1.4.2", "1.5.1", "A1.1.3"]
-- "SOC 2" = ["CC6.6"]

WITH environments AS (
  SELECT
    environment AS environment,
    array_join(array_agg(DISTINCT endpoint_pattern ORDER BY endpoint_pattern), ' ') AS approved
  FROM policy_vpc_endpoint
  GROUP BY environment
),
calls AS (
  SELECT
    e.event_id AS event_id,
    e.event_time AS event_time,
    e.account_id AS account_id,
    e.environment AS environment,
    e.principal AS principal,
    e.surface AS surface,
    e.outcome AS outcome,
    e.aws_region AS aws_region,
    e.source_kind AS source_kind,
    e.vpc_endpoint_id AS vpc_endpoint_id,
    n.approved AS approved
  FROM events AS e
  LEFT JOIN environments AS n ON n.environment = e.environment
  WHERE e.record_kind = 'api_call'
    AND e.outcome = 'ok'
    AND e.surface IN ('runtime', 'mantle', 'agents', 'agentcore', 'gateway')
    AND e.activity IN (
      'model_invocation', 'batch', 'agent_invocation', 'retrieval', 'flow', 'guardrail_check', 'tool', 'memory',
      'token_vending', 'session'
    )
    AND e.invoked_by IS NULL
    AND COALESCE(e.source_kind, '') NOT IN ('aws_service', 'aws_internal')
    -- AWS writes its own name here where it called from inside.
    AND (e.vpc_endpoint_id IS NULL OR starts_with(e.vpc_endpoint_id, 'vpce-'))
    AND (n.environment IS NOT NULL OR e.environment IS NULL)
),
approved AS (
  SELECT DISTINCT c.environment AS environment, c.vpc_endpoint_id AS vpc_endpoint_id
  FROM (SELECT DISTINCT environment AS environment, vpc_endpoint_id AS vpc_endpoint_id FROM calls) AS c
  JOIN policy_vpc_endpoint AS p
    ON p.environment = c.environment
    AND regexp_like(c.vpc_endpoint_id, p.endpoint_re)
)
SELECT
  CASE
    WHEN c.environment IS NULL THEN 'not_assessed'
    WHEN a.vpc_endpoint_id IS NOT NULL THEN 'pass'
    WHEN c.vpc_endpoint_id IS NOT NULL OR c.source_kind = 'public' THEN 'violation'
    ELSE 'not_assessed'
  END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  COALESCE(c.vpc_endpoint_id, 'no endpoint') || ' ' || c.surface AS subject,
  CASE
    WHEN c.environment IS NULL THEN 'the account is in no environment of the policy'
    WHEN c.vpc_endpoint_id IS NOT NULL THEN 'the VPC endpoint is not among those of environment ' || c.environment
    WHEN c.source_kind = 'public' THEN 'the call came from a public address and names no VPC endpoint'
    WHEN c.source_kind = 'private' THEN 'the call came from a private address, but the record names no VPC endpoint'
    ELSE 'the record names neither a VPC endpoint nor a readable address'
  END AS reason,
  COALESCE('through one of ' || c.approved, 'an environment for the account') AS expected,
  'came through ' || COALESCE(c.vpc_endpoint_id, 'no VPC endpoint') AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome
FROM calls AS c
LEFT JOIN approved AS a ON a.environment = c.environment AND a.vpc_endpoint_id = c.vpc_endpoint_id
