-- title = "A VPC endpoint's policy refused a call"
-- severity = "medium"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "outcome", "error_code",
--   "vpc_endpoint_id", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- A VPC endpoint has a policy of its own. When it refuses a call, somebody inside the network tried to reach Bedrock \
-- with a principal, an account or an action that the network does not allow: for example with credentials of a foreign \
-- account, to carry data out. S3 and Lambda, where data and functions of agents are, count too. Such refusals appear only \
-- as network activity events with the error VpceAccessDenied, which a trail has to be set to record. The population is \
-- all network activity events of the Bedrock family, and of S3 and Lambda those that were refused, as no others are kept; \
-- a call that IAM refused is no finding here."""
-- fix = """\
-- Find the workload behind the endpoint and the address. If it should work, widen the endpoint's policy; if not, ask \
-- whose credentials it used. Keep VpceAccessDenied events selected for every endpoint of Bedrock, S3 and Lambda."""
-- false_positives = """\
-- A new application whose endpoint policy was not widened in time. A policy that is being narrowed on purpose, while \
-- the old callers still try. At an endpoint for S3 or Lambda, callers that have nothing to do with AI."""
-- silence = "no network activity event was read, and a trail has them only where a selector asks for them"
--
-- [controls]
-- "NIST SP 800-53" = ["SC-7"]

SELECT
  CASE WHEN error_code = 'VpceAccessDenied' THEN 'violation' ELSE 'pass' END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  COALESCE(vpc_endpoint_id, 'endpoint not named') || ' ' || event_source AS subject,
  'the policy of the VPC endpoint refused the call' AS reason,
  'calls that the policy of the VPC endpoint allows' AS expected,
  event_name AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome
FROM events
WHERE record_kind = 'network_activity'
  AND event_source IN (
    'agent-registry.amazonaws.com', 'aws-external-anthropic.amazonaws.com', 'bedrock.amazonaws.com',
    'bedrock-agent.amazonaws.com', 'bedrock-agent-runtime.amazonaws.com', 'bedrock-agentcore.amazonaws.com',
    'bedrock-agentcore-control.amazonaws.com', 'bedrock-data-automation.amazonaws.com',
    'bedrock-mantle.amazonaws.com', 'bedrock-runtime.amazonaws.com', 'bedrock-websearch.amazonaws.com',
    'lambda.amazonaws.com', 's3.amazonaws.com'
  )
