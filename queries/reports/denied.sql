-- title = "Refused calls"
-- question = "Who was refused what, where, and with which error?"
-- frameworks = ["SOC 2 CC6.1", "SOC 2 CC7.2", "PCI DSS 10.2.1.4", "NIST SP 800-53 AC-3"]
-- glance = ["principal", "event_name", "model_id", "error_code", "denied", "last_seen", "aws_region", "first_seen", "account_id"]
--
-- [columns]
-- account_id = "The account that received the record."
-- principal = "Who called."
-- activity = "What the call would have done."
-- event_source = "The service that was called."
-- event_name = "The operation."
-- model_id = "The base model, where the call names one."
-- aws_region = "The Region that was called."
-- error_code = "The error code, as logged. A legacy model is refused as ResourceNotFoundException; a gateway has no code."
-- denied = "Refused calls."
-- example_message = "One error message, the smallest in text order."
-- first_seen = "Time of the first refusal, UTC."
-- last_seen = "Time of the last refusal, UTC."

SELECT
  account_id AS account_id,
  principal AS principal,
  activity AS activity,
  event_source AS event_source,
  event_name AS event_name,
  model_id AS model_id,
  aws_region AS aws_region,
  error_code AS error_code,
  CAST(COUNT(*) AS BIGINT) AS denied,
  MIN(error_message) AS example_message,
  MIN(event_time) AS first_seen,
  MAX(event_time) AS last_seen
FROM events
WHERE record_kind = 'api_call'
  AND outcome = 'denied'
  AND principal IS NOT NULL
  AND (
    surface IN ('runtime', 'mantle', 'agents', 'agentcore', 'gateway', 'control', 'marketplace')
    OR activity IN ('model_invocation', 'batch')
  )
GROUP BY account_id, principal, activity, event_source, event_name, model_id, aws_region, error_code
ORDER BY
  account_id ASC NULLS LAST,
  principal ASC NULLS LAST,
  activity ASC NULLS LAST,
  event_source ASC NULLS LAST,
  event_name ASC NULLS LAST,
  model_id ASC NULLS LAST,
  aws_region ASC NULLS LAST,
  error_code ASC NULLS LAST
