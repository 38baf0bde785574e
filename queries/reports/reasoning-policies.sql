-- title = "Automated reasoning policies"
-- question = "Who changed, tested and read automated reasoning policies?"
-- frameworks = ["SOC 2 CC8.1", "ISO/IEC 42001 A.6.2.6", "NIST SP 800-53 CM-3"]
-- audit = "folder"
-- glance = ["kind", "event_name", "reasoning_policy", "principal", "person", "calls", "ok", "denied", "last_seen", "account_id"]
--
-- [columns]
-- account_id = "The account that received the records."
-- environment = "The policy's environment for the account."
-- aws_region = "The Region."
-- kind = "change, test or read."
-- event_name = "The operation."
-- reasoning_policy = "The policy's ARN, where recorded."
-- principal = "Who called: role, user, token issuer and subject, service or account."
-- person = "The person or workload behind the calls, where the records name one."
-- person_basis = "How the person is known."
-- error_code = "The error code, as logged."
-- calls = "Calls, whatever their outcome."
-- ok = "Calls that succeeded."
-- denied = "Calls that were refused."
-- other = "Calls that were throttled, invalid or failed."
-- first_seen = "Time of the first, UTC."
-- last_seen = "Time of the last, UTC."

SELECT
  account_id AS account_id,
  environment AS environment,
  aws_region AS aws_region,
  CASE
    WHEN activity <> 'guardrail_admin' THEN 'read'
    WHEN regexp_like(event_name, 'TestCase|TestWorkflow|BuildWorkflow') THEN 'test'
    ELSE 'change'
  END AS kind,
  event_name AS event_name,
  COALESCE(
    json_extract_scalar(request_parameters, '$.policyArn'), json_extract_scalar(response_elements, '$.policyArn'), resource_arn
  ) AS reasoning_policy,
  principal AS principal,
  person AS person,
  person_basis AS person_basis,
  error_code AS error_code,
  CAST(COUNT(*) AS BIGINT) AS calls,
  CAST(COUNT(*) FILTER (WHERE outcome = 'ok') AS BIGINT) AS ok,
  CAST(COUNT(*) FILTER (WHERE outcome = 'denied') AS BIGINT) AS denied,
  CAST(COUNT(*) FILTER (WHERE outcome NOT IN ('ok', 'denied')) AS BIGINT) AS other,
  MIN(event_time) AS first_seen,
  MAX(event_time) AS last_seen
FROM events
WHERE record_kind = 'api_call'
  AND event_source = 'bedrock.amazonaws.com'
  AND (
    strpos(event_name, 'AutomatedReasoning') > 0
    OR starts_with(resource_type, 'AWS::Bedrock::AutomatedReasoningPolicy')
  )
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ORDER BY
  1 ASC NULLS LAST,
  2 ASC NULLS LAST,
  3 ASC NULLS LAST,
  4 ASC NULLS LAST,
  5 ASC NULLS LAST,
  6 ASC NULLS LAST,
  7 ASC NULLS LAST,
  8 ASC NULLS LAST,
  9 ASC NULLS LAST,
  10 ASC NULLS LAST
