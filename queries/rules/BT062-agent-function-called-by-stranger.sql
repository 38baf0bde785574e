-- title = "The Lambda function behind an agent was called by somebody else"
-- severity = "medium"
-- kind = "row"
-- needs = ["policy_agent_lambda"]
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "principal_account_id",
--   "role_arn", "outcome", "invoked_by", "lambda_arn", "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = ["T1648"]
-- attack_old = []
-- atlas = []
-- why = """\
-- The function of an action group does what the agent decides: it pays, books or deletes. Whoever calls it directly \
-- passes by the agent, its guardrail and its session log. The rule takes the invocations of functions that an \
-- [[agent]] entry lists under action_lambdas, and expects that Bedrock made them for the function's own account, or \
-- that they came from the agent's execution role. Anything else is a finding: a person, another role, an agent of \
-- another account. Lambda records invocations as data events, if a trail selects them. Of these a run keeps what \
-- Bedrock services did; with --scope agents all of these functions, whoever made them. Without it calls that are as \
-- they should be are not assessed: they do not show who else called."""
-- fix = """\
-- Remove the caller from the function's resource policy, and allow lambda:InvokeFunction to bedrock.amazonaws.com only, \
-- with the conditions aws:SourceAccount and aws:SourceArn. Read what the function did in these calls."""
-- false_positives = """\
-- Tests and warm-up calls by the function's own team or its pipeline. A function that serves other callers on purpose: \
-- take it out of action_lambdas, or give the agent one of its own."""
-- silence = "no call of these functions was read, and calls of Lambda are data events, which are off by default"
--
-- [controls]
-- "NIST SP 800-53" = ["AC-3"]
-- "SOC 2" = ["CC6.1"]

WITH invocations AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    COALESCE(principal_account_id, account_id) = account_id AS own_account,
    role_arn AS role_arn,
    outcome AS outcome,
    invoked_by AS invoked_by,
    -- A function may be named by its name alone; a version or alias after it is no other function.
    regexp_replace(
      COALESCE(
        lambda_arn,
        CASE
          WHEN starts_with(aws_region, 'us-gov-') THEN 'arn:aws-us-gov'
          WHEN starts_with(aws_region, 'cn-') THEN 'arn:aws-cn'
          ELSE 'arn:aws'
        END || ':lambda:' || aws_region || ':' || account_id || ':function:'
          || json_extract_scalar(request_parameters, '$.functionName')
      ),
      '\A(arn:[^:]*:lambda:[^:]*:[^:]*:function:[^:]*):.*\z', '$1'
    ) AS function_arn
  FROM events
  WHERE record_kind = 'api_call'
    AND event_source = 'lambda.amazonaws.com'
    AND starts_with(event_name, 'Invoke')
),
functions AS (
  SELECT f.function_arn AS function_arn, MIN(l.agent) AS agent
  FROM (SELECT DISTINCT function_arn AS function_arn FROM invocations) AS f
  JOIN policy_agent_lambda AS l ON regexp_like(f.function_arn, l.lambda_re)
  GROUP BY f.function_arn
),
own AS (
  SELECT DISTINCT r.role_arn AS role_arn, f.function_arn AS function_arn
  FROM (SELECT DISTINCT role_arn AS role_arn, function_arn AS function_arn FROM invocations) AS r
  JOIN functions AS f ON f.function_arn = r.function_arn
  JOIN policy_agent_lambda AS l ON regexp_like(f.function_arn, l.lambda_re)
  JOIN policy_agent AS a ON a.agent = l.agent AND regexp_like(r.role_arn, a.execution_role_re)
),
called AS (
  SELECT
    i.event_id AS event_id,
    i.event_time AS event_time,
    i.event_name AS event_name,
    i.account_id AS account_id,
    i.aws_region AS aws_region,
    i.principal AS principal,
    i.outcome AS outcome,
    i.function_arn AS function_arn,
    f.agent AS agent,
    i.invoked_by AS invoked_by,
    i.own_account AS own_account,
    i.own_account AND i.invoked_by IN ('bedrock.amazonaws.com', 'bedrock-agentcore.amazonaws.com') AS by_bedrock,
    o.role_arn IS NOT NULL AS by_agent
  FROM invocations AS i
  JOIN functions AS f ON f.function_arn = i.function_arn
  LEFT JOIN own AS o ON o.role_arn = i.role_arn AND o.function_arn = i.function_arn
),
kept AS (
  SELECT MAX(scope) AS scope
  FROM run
)
SELECT
  CASE
    WHEN NOT COALESCE(by_bedrock, FALSE) AND NOT by_agent THEN 'violation'
    WHEN COALESCE(k.scope, 'default') = 'agents' THEN 'pass'
    ELSE 'not_assessed'
  END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  function_arn AS subject,
  CASE
    WHEN COALESCE(by_bedrock, FALSE) OR by_agent
      THEN 'the run kept calls of Lambda by Bedrock only, so that others may be missing: use --scope agents'
    WHEN NOT own_account AND invoked_by IS NOT NULL
      THEN 'a Bedrock service called the function for another account than its own'
    ELSE 'the caller is neither Bedrock nor the execution role of agent ' || agent
  END AS reason,
  'calls by Bedrock, or by the execution role of agent ' || agent AS expected,
  event_name || COALESCE(' by ' || invoked_by, ' without a service in between') AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome,
  CASE WHEN outcome IN ('ok', 'denied') THEN 'medium' ELSE 'low' END AS severity
FROM called
CROSS JOIN kept AS k
