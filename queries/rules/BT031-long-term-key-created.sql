-- title = "A long-term API key for models, or the user that carries one, was made"
-- severity = "high"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "environment", "principal", "outcome",
--   "request_parameters", "response_elements", "aws_region", "record_kind",
-- ]
-- attack = ["T1098.001"]
-- attack_old = []
-- atlas = []
-- why = """\
-- A long-term Bedrock API key is a password for models that works until somebody deletes it, from anywhere and \
-- without a signature. In IAM it is a service-specific credential for bedrock.amazonaws.com; the console makes an \
-- IAM user for it whose name starts with BedrockAPIKey-. A key for Claude Platform on AWS works alike (its users \
-- start with AeaApiKey-). The rule finds CreateServiceSpecificCredential for these services, and CreateUser and \
-- ResetServiceSpecificCredential for such users. Success is high, a refused attempt medium; a call that failed for \
-- another reason passes. Where the policy's setting bearer_tokens for the environment is allow, these calls pass; \
-- where it is warn, they are low. IAM writes its records in us-east-1 whatever the Region of use: read that one \
-- too. A short-term key is made on the client and leaves no record. The key's use is the subject of BT030."""
-- fix = """\
-- Ask who asked for the key. Delete it (DeleteServiceSpecificCredential) and the user made for it, and give the \
-- workload a role or a short-term key. Deny iam:CreateServiceSpecificCredential with a service control policy on \
-- iam:ServiceSpecificCredentialServiceName."""
-- false_positives = """\
-- A key for emergencies, or a trial, that was agreed on: write a waiver with an end. A key for another service, \
-- such as CodeCommit or Keyspaces, does not fire."""
--
-- [controls]
-- "NIST SP 800-53" = ["IA-5", "AC-2"]
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
),
changes AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    environment AS environment,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    COALESCE(
      json_extract_scalar(request_parameters, '$.userName'),
      json_extract_scalar(response_elements, '$.serviceSpecificCredential.userName'),
      ''
    ) AS user_name,
    COALESCE(
      json_extract_scalar(request_parameters, '$.serviceName'),
      json_extract_scalar(response_elements, '$.serviceSpecificCredential.serviceName')
    ) AS service
  FROM events
  WHERE record_kind = 'api_call'
    AND event_source = 'iam.amazonaws.com'
    AND event_name IN ('CreateServiceSpecificCredential', 'ResetServiceSpecificCredential', 'CreateUser')
),
named AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    environment AS environment,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    user_name AS user_name,
    service AS service,
    starts_with(user_name, 'BedrockAPIKey-') OR starts_with(user_name, 'AeaApiKey-') AS key_user,
    COALESCE(starts_with(service, 'bedrock') OR starts_with(service, 'aws-external-anthropic'), FALSE) AS key_service
  FROM changes
)
SELECT
  CASE
    WHEN n.outcome NOT IN ('ok', 'denied') OR s.setting = 'allow' THEN 'pass'
    WHEN n.key_user OR n.key_service THEN 'violation'
    WHEN n.event_name = 'CreateServiceSpecificCredential' AND n.service IS NULL THEN 'not_assessed'
    ELSE 'pass'
  END AS verdict,
  n.account_id AS account_id,
  n.aws_region AS aws_region,
  n.principal AS principal,
  CASE WHEN n.user_name = '' THEN 'user not named' ELSE 'user ' || n.user_name END AS subject,
  CASE
    WHEN n.event_name = 'CreateServiceSpecificCredential' AND n.service IS NULL AND NOT n.key_user
      THEN 'the record does not say for which service the credential is'
    WHEN n.outcome = 'denied' THEN 'an attempt to make a long-term API key was refused'
    WHEN n.event_name = 'CreateUser' THEN 'a user was made that carries an API key'
    WHEN n.event_name = 'ResetServiceSpecificCredential' THEN 'a long-term API key was given a new secret'
    ELSE 'a long-term API key was made'
  END AS reason,
  CASE
    WHEN s.setting = 'warn' THEN 'no long-term API key without notice'
    ELSE 'roles or short-term API keys'
  END AS expected,
  n.event_name || COALESCE(' for ' || n.service, '') AS observed,
  n.event_time AS event_time,
  n.event_id AS event_id,
  n.outcome AS outcome,
  CASE WHEN s.setting = 'warn' THEN 'low' WHEN n.outcome = 'denied' THEN 'medium' ELSE 'high' END AS severity
FROM named AS n
CROSS JOIN in_force AS f
LEFT JOIN settings AS s
  ON s.environment = n.environment
  AND (f.in_force_from IS NULL OR n.event_time >= f.in_force_from)
