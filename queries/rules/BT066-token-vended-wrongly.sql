-- title = "A token was taken for a provider or by a principal that is not approved"
-- severity = "high"
-- kind = "row"
-- needs = ["policy_agent"]
-- columns = [
--   "event_id", "event_time", "event_name", "account_id", "principal", "role_arn", "role_path_known", "activity",
--   "outcome", "invoked_by", "credential_provider", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = ["AML.T0098"]
-- why = """\
-- AgentCore hands out OAuth tokens and API keys for services outside AWS to agents that prove their workload identity. \
-- Whoever gets one acts there with the agent's or a user's rights, out of CloudTrail's sight. The rule judges each such \
-- call. A principal that is no execution role of an [[agent]] entry must take none (high). An execution role may take \
-- tokens of the agent's credential_providers only (high). A token for a user that the caller merely names \
-- (GetWorkloadAccessTokenForUserId) is low: no JWT proves the user. Refused attempts are medium, other failures low. \
-- Not assessed are records without the provider's name, agents for which the policy lists no providers, and callers \
-- whose role lost its path. Calls that AgentCore itself makes for a runtime pass."""
-- fix = """\
-- Revoke the token or key at the provider if the call was not meant. Restrict GetResourceOauth2Token, GetResourceApiKey \
-- and GetWorkloadAccessToken* to execution roles, by provider ARN. Use GetWorkloadAccessTokenForJWT for users."""
-- false_positives = """\
-- Developers who test an agent on their own machine. A provider that was renamed. An application that knows its users \
-- without a JWT, by design."""
-- silence = "no token was seen to be given out, and most such calls are data events, which are off by default"
--
-- [controls]
-- "NIST SP 800-53" = ["IA-5"]
-- "SOC 2" = ["CC6.1"]

WITH calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    role_arn AS role_arn,
    COALESCE(role_path_known, TRUE) AS path_known,
    outcome AS outcome,
    starts_with(event_name, 'GetWorkload') AS of_workload,
    starts_with(COALESCE(invoked_by, ''), 'bedrock-agentcore') OR starts_with(principal, 'service:bedrock-agentcore')
      AS by_service,
    credential_provider AS provider
  FROM events
  WHERE record_kind = 'api_call'
    AND event_name IN (
      'GetResourceOauth2Token', 'GetResourceApiKey', 'GetResourcePaymentToken', 'GetWorkloadAccessToken',
      'GetWorkloadAccessTokenForJWT', 'GetWorkloadAccessTokenForUserId'
    )
    AND activity = 'token_vending'
),
agent_roles AS (
  SELECT DISTINCT u.role_arn AS role_arn, a.agent AS agent
  FROM (SELECT DISTINCT role_arn AS role_arn FROM calls) AS u
  JOIN policy_agent AS a ON regexp_like(u.role_arn, a.execution_role_re)
),
providers AS (
  SELECT DISTINCT r.role_arn AS role_arn, p.provider AS provider
  FROM agent_roles AS r
  JOIN policy_agent_provider AS p ON p.agent = r.agent
),
roles AS (
  SELECT
    r.role_arn AS role_arn,
    MIN(r.agent) AS agent,
    COUNT(p.provider) AS listed,
    array_join(array_agg(DISTINCT p.provider ORDER BY p.provider), ' ') AS providers
  FROM agent_roles AS r
  LEFT JOIN providers AS p ON p.role_arn = r.role_arn
  GROUP BY r.role_arn
),
configured AS (
  SELECT COUNT(execution_role_re) AS execution_roles
  FROM policy_agent
),
compared AS (
  SELECT
    c.event_id AS event_id,
    c.event_time AS event_time,
    c.event_name AS event_name,
    c.account_id AS account_id,
    c.aws_region AS aws_region,
    c.principal AS principal,
    c.outcome AS outcome,
    c.provider AS provider,
    r.agent AS agent,
    r.providers AS providers,
    CASE
      WHEN c.by_service AND c.of_workload THEN 'made by the service'
      WHEN r.role_arn IS NULL AND c.by_service THEN 'role not shown'
      WHEN k.execution_roles = 0 THEN 'no roles'
      WHEN r.role_arn IS NULL AND NOT c.path_known THEN 'path lost'
      WHEN r.role_arn IS NULL THEN 'stranger'
      WHEN c.event_name = 'GetWorkloadAccessTokenForUserId' THEN 'user named'
      WHEN c.of_workload THEN 'own token'
      WHEN r.listed = 0 THEN 'no providers'
      WHEN c.provider IS NULL THEN 'provider not recorded'
      WHEN p.provider IS NULL THEN 'provider not listed'
      ELSE 'provider listed'
    END AS finding
  FROM calls AS c
  CROSS JOIN configured AS k
  LEFT JOIN roles AS r ON r.role_arn = c.role_arn
  LEFT JOIN providers AS p ON p.role_arn = c.role_arn AND p.provider = c.provider
)
SELECT
  CASE
    WHEN finding IN ('stranger', 'user named', 'provider not listed') THEN 'violation'
    WHEN finding IN ('made by the service', 'own token', 'provider listed') THEN 'pass'
    ELSE 'not_assessed'
  END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  event_name || COALESCE(' ' || provider, '') AS subject,
  CASE
    WHEN finding = 'stranger' THEN 'the principal is no execution role of an agent'
    WHEN finding = 'user named' THEN 'the caller named the user, and no JWT proves it'
    WHEN finding = 'provider not listed' THEN 'the provider is not among those of agent ' || agent
    WHEN finding = 'no providers' THEN 'the policy lists no credential providers for agent ' || agent
    WHEN finding = 'provider not recorded' THEN 'the record does not name the provider'
    WHEN finding = 'no roles' THEN 'no [[agent]] of the policy names an execution role'
    WHEN finding = 'path lost' THEN 'the record lost the path of the role, so that it cannot be compared'
    ELSE 'the record does not show for which role the service called'
  END AS reason,
  CASE
    WHEN finding = 'user named' THEN 'GetWorkloadAccessTokenForJWT'
    WHEN agent IS NULL THEN 'an execution role of an agent'
    ELSE 'one of ' || COALESCE(NULLIF(providers, ''), 'the agent''s providers')
  END AS expected,
  event_name || COALESCE(' for ' || provider, '') AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome,
  CASE
    WHEN outcome = 'ok' AND finding <> 'user named' THEN 'high'
    WHEN outcome = 'denied' AND finding <> 'user named' THEN 'medium'
    ELSE 'low'
  END AS severity
FROM compared
