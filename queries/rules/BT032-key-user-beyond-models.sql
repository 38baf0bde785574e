-- title = "The user of an API key acts outside Bedrock, or was given real credentials"
-- severity = "critical"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "principal_type", "user_name",
--   "invoked_by", "outcome", "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = ["T1078.004", "T1098.001"]
-- attack_old = []
-- atlas = []
-- why = """\
-- For a long-term API key the console makes an IAM user whose name starts with BedrockAPIKey- (AeaApiKey- for \
-- Claude Platform on AWS). It has no password and no access key, and nobody looks at it. An intruder who gives it \
-- an access key or a password has a quiet way back in, with all rights that its policies grant. The rule finds \
-- CreateAccessKey, CreateLoginProfile and UpdateLoginProfile for such a user, and any call by such a user to another \
-- service than Bedrock, bedrock-mantle, Claude Platform and the marketplace: an API key cannot make that call, so \
-- the user has other credentials. GetCallerIdentity, and calls that an AWS service makes for the user, do not count. \
-- Success is critical, a refused attempt high; giving credentials in a call that failed otherwise passes. Every call \
-- of such users is kept as evidence, whatever service it goes to, reads included. One that only calls models passes."""
-- fix = """\
-- Treat the user as compromised: deactivate its access keys, delete its login profile and its API key, and read all \
-- its records in every service (look the user up in CloudTrail by name). Then find out who gave it credentials. \
-- Deny iam:CreateAccessKey and iam:CreateLoginProfile on user/BedrockAPIKey-*."""
-- false_positives = """\
-- An inventory tool that somebody runs with such a user. An IAM user of another purpose that was named alike."""
--
-- [controls]
-- "NIST SP 800-53" = ["AC-2", "IA-5"]
-- "SOC 2" = ["CC6.1"]

WITH calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_source AS event_source,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    COALESCE(
      principal_type IN ('IAMUser', 'FederatedUser')
        AND (starts_with(user_name, 'BedrockAPIKey-') OR starts_with(user_name, 'AeaApiKey-')),
      FALSE
    ) AS by_key_user,
    invoked_by IS NULL
      AND event_name <> 'GetCallerIdentity'
      AND event_source NOT IN (
        'bedrock.amazonaws.com', 'bedrock-runtime.amazonaws.com', 'bedrock-mantle.amazonaws.com',
        'bedrock-websearch.amazonaws.com', 'aws-external-anthropic.amazonaws.com',
        'bedrock-agent.amazonaws.com', 'bedrock-agent-runtime.amazonaws.com',
        'bedrock-data-automation.amazonaws.com', 'aws-marketplace.amazonaws.com',
        'agreement-marketplace.amazonaws.com', 'discovery-marketplace.amazonaws.com'
      ) AS elsewhere,
    CASE
      WHEN event_source = 'iam.amazonaws.com'
        AND event_name IN ('CreateAccessKey', 'CreateLoginProfile', 'UpdateLoginProfile')
        THEN json_extract_scalar(request_parameters, '$.userName')
    END AS given_to
  FROM events
  WHERE record_kind = 'api_call'
    AND (
      starts_with(user_name, 'BedrockAPIKey-')
      OR starts_with(user_name, 'AeaApiKey-')
      OR (
        event_source = 'iam.amazonaws.com'
        AND event_name IN ('CreateAccessKey', 'CreateLoginProfile', 'UpdateLoginProfile')
      )
    )
),
judged_calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_source AS event_source,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    given_to AS given_to,
    by_key_user AS by_key_user,
    CASE
      WHEN (starts_with(given_to, 'BedrockAPIKey-') OR starts_with(given_to, 'AeaApiKey-'))
        AND (outcome IN ('ok', 'denied') OR by_key_user)
        THEN 'given'
      WHEN by_key_user AND elsewhere THEN 'elsewhere'
      WHEN by_key_user THEN 'inside'
      ELSE 'other'
    END AS finding
  FROM calls
)
SELECT
  CASE
    WHEN finding IN ('given', 'elsewhere') THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  CASE
    WHEN finding = 'given' THEN event_name || ' for ' || given_to
    ELSE event_source
  END AS subject,
  CASE
    WHEN finding = 'given' AND outcome <> 'ok' THEN 'an attempt to give credentials to the user of an API key was refused'
    WHEN finding = 'given' THEN 'the user of an API key was given credentials'
    ELSE 'the user of an API key called another service'
  END AS reason,
  'the user of an API key holds its key only, and calls models only' AS expected,
  event_name AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome,
  CASE WHEN outcome = 'ok' THEN 'critical' ELSE 'high' END AS severity
FROM judged_calls
