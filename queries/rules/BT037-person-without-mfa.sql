-- title = "A person called models or changed settings in a session without a second factor"
-- severity = "medium"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "account_id", "principal", "principal_type", "person", "person_basis", "credential",
--   "mfa", "invoked_by", "activity", "outcome", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = []
-- why = """\
-- A password alone is guessed, reused and stolen. CloudTrail says of each session whether it began with a second \
-- factor (mfaAuthenticated). The rule looks at sessions of people who call models, agents or knowledge bases, or \
-- change models, agents, guardrails, logging or access, and finds those that say no. A refused attempt is low. For \
-- roles the mark cannot be trusted: sessions of IAM Identity Center and of other identity providers show false \
-- even where the provider asked for a second factor. So only IAM users are judged, unless identity_types names \
-- AssumedRole too. Calls signed with a long-term access key or an API key have no session and are left out: BT034 \
-- and BT030 judge them. A session whose record lacks the mark is not assessed."""
-- fix = """\
-- Require a second factor of the user, and deny all else by a policy on aws:MultiFactorAuthPresent. Better, replace \
-- IAM users by IAM Identity Center, and show the auditor the second factor there."""
-- false_positives = """\
-- Workloads that run as IAM users with temporary credentials. With AssumedRole in identity_types: every session \
-- whose second factor was asked for by the identity provider."""
--
-- [controls]
-- "HIPAA" = ["164.312(d)"]
-- "NIST SP 800-53" = ["IA-2(1)"]
-- "PCI DSS" = ["8.4"]
--
-- [parameters.identity_types]
-- type = "list"
-- default = ["IAMUser"]
-- meaning = "The kinds of identity whose sessions are judged: IAMUser, AssumedRole, FederatedUser, Root."

SELECT
  CASE
    WHEN mfa IS NULL THEN 'not_assessed'
    WHEN NOT mfa THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  person || ' ' || activity AS subject,
  CASE
    WHEN mfa IS NULL THEN 'the record does not say whether a second factor was used'
    ELSE 'the session began without a second factor'
  END AS reason,
  'a session with a second factor' AS expected,
  principal_type || COALESCE(' with ' || credential || ' credentials', '') AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome,
  CASE WHEN outcome = 'denied' THEN 'low' ELSE 'medium' END AS severity
FROM events
WHERE record_kind = 'api_call'
  AND principal_type IN ($identity_types)
  AND person IS NOT NULL
  AND person_basis IN ('iam_user', 'identity_center', 'sso_session', 'source_identity', 'root')
  AND invoked_by IS NULL
  AND COALESCE(credential, 'temporary') NOT IN (
    'long_term', 'bearer_long', 'bearer_short', 'bearer_unknown', 'service', 'jwt'
  )
  AND activity IN (
    'model_invocation', 'batch', 'agent_invocation', 'retrieval', 'flow', 'entitlement', 'guardrail_admin',
    'logging_admin', 'agent_admin', 'model_admin', 'credential_admin', 'trail_admin'
  )
