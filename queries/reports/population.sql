-- title = "Every model call and batch job, with its decision"
-- question = "Which model invocations and batch jobs happened, and which entry of the policy in force covered each?"
-- frameworks = ["SOC 2 CC6.1", "SOC 2 CC6.3", "ISO/IEC 42001 A.9.4", "NIST SP 800-53 AC-3", "NIST SP 800-53 AU-3", "PCI DSS 10.2.2"]
-- audit = "never"
-- glance = ["event_time", "principal", "model_id", "outcome", "decision", "grant_id", "person", "input_tokens", "output_tokens", "aws_region", "inference_region", "policy_version", "event_id"]
--
-- [columns]
-- event_id = "CloudTrail's identifier of the record."
-- event_time = "When the request completed, UTC."
-- account_id = "The account that received the record."
-- account_name = "Its name, where an organisation list gives one."
-- environment = "The policy's environment for the account; empty where the policy has none."
-- aws_region = "The Region that was called."
-- inference_region = "Where the model ran, if the record, its twin or the model-invocation log says so."
-- surface = "runtime, mantle or control (batch jobs)."
-- event_source = "The service that recorded the call."
-- event_name = "The operation."
-- activity = "model_invocation or batch. The requests inside a batch job leave no records: a job is one row."
-- outcome = "ok, denied, throttled, invalid or failed."
-- error_code = "The error code, as logged."
-- principal = "Who called: the role's ARN, or the user, token issuer and subject, service or account where there is no role."
-- role_arn = "The IAM role's own ARN; empty for callers without a role."
-- session_name = "The role session's name."
-- person = "The person or workload behind the call, where the record names one."
-- person_basis = "How the person is known."
-- principal_type = "The identity type, as logged."
-- credential = "long_term, temporary, bearer_long, bearer_short, bearer_unknown, service, jwt or none."
-- from_console = "True where the console made the call; empty otherwise."
-- mfa = "Whether the session says it used MFA; empty where not recorded."
-- model_requested = "The model as sent."
-- model_id = "The base model; the reference as sent where it cannot be resolved; empty where the record names none."
-- model_vendor = "The model's vendor."
-- model_kind = "What the reference is: foundation, inference_profile, application_profile, …"
-- profile_scope = "The inference profile's prefix."
-- guardrail_id = "The guardrail the request names; empty does not prove that none was used."
-- agent_session_id = "The agent session, where recorded."
-- source_ip = "Where the call came from, as logged."
-- vpc_endpoint_id = "The VPC endpoint it came through."
-- tls_version = "The TLS version."
-- client = "The client that the user agent names."
-- user_agent = "The user agent, as logged; the caller chooses it."
-- input_tokens = "Input tokens; empty where none are recorded."
-- output_tokens = "Output tokens; empty where none are recorded."
-- token_source = "cloudtrail: the record itself; service_event: its twin; invocation_log: the log of --invocation-logs; several with + between them where each has a count that the one before lacks; empty where no tokens are recorded."
-- read_only = "CloudTrail's readOnly flag."
-- request_id = "The request id."
-- decision = "allowed, denied_entry (a deny entry covers it), uncovered (no entry covers it) or not_assessed."
-- grant_id = "The allow or deny entry that decided."
-- purpose = "What the allow entry says the use is for."
-- owner = "Who answers for the allow entry."
-- policy_version = "The version of the policy the call was judged by."
-- reason = "Why the decision is what it is."
-- log_object = "The log object the record stands in."
-- log_index = "Its position in that object, from 0."
-- log_sha256 = "SHA-256 of that object as stored."

WITH grants AS (
  SELECT allow_id AS allow_id, MIN(purpose) AS purpose, MIN(owner) AS owner
  FROM policy_allow
  GROUP BY allow_id
),
versions AS (
  SELECT COUNT(*) AS versions
  FROM policy_version
),
-- A batch job is a row like any call; it has no tokens.
calls AS (
  SELECT
    account_id AS account_id,
    account_name AS account_name,
    activity AS activity,
    agent_session_id AS agent_session_id,
    aws_region AS aws_region,
    client AS client,
    credential AS credential,
    environment AS environment,
    error_code AS error_code,
    event_id AS event_id,
    event_name AS event_name,
    event_source AS event_source,
    event_time AS event_time,
    from_console AS from_console,
    guardrail_id AS guardrail_id,
    inference_region AS inference_region,
    log_index AS log_index,
    log_object AS log_object,
    mfa AS mfa,
    model_id AS model_id,
    model_kind AS model_kind,
    model_requested AS model_requested,
    model_vendor AS model_vendor,
    outcome AS outcome,
    person AS person,
    person_basis AS person_basis,
    principal AS principal,
    principal_type AS principal_type,
    profile_scope AS profile_scope,
    read_only AS read_only,
    request_id AS request_id,
    role_arn AS role_arn,
    session_name AS session_name,
    source_ip AS source_ip,
    surface AS surface,
    tls_version AS tls_version,
    user_agent AS user_agent,
    vpc_endpoint_id AS vpc_endpoint_id,
    input_tokens AS input_tokens,
    output_tokens AS output_tokens,
    token_source AS token_source
  FROM usage
  UNION ALL
  SELECT
    account_id AS account_id,
    account_name AS account_name,
    activity AS activity,
    agent_session_id AS agent_session_id,
    aws_region AS aws_region,
    client AS client,
    credential AS credential,
    environment AS environment,
    error_code AS error_code,
    event_id AS event_id,
    event_name AS event_name,
    event_source AS event_source,
    event_time AS event_time,
    from_console AS from_console,
    guardrail_id AS guardrail_id,
    inference_region AS inference_region,
    log_index AS log_index,
    log_object AS log_object,
    mfa AS mfa,
    model_id AS model_id,
    model_kind AS model_kind,
    model_requested AS model_requested,
    model_vendor AS model_vendor,
    outcome AS outcome,
    person AS person,
    person_basis AS person_basis,
    principal AS principal,
    principal_type AS principal_type,
    profile_scope AS profile_scope,
    read_only AS read_only,
    request_id AS request_id,
    role_arn AS role_arn,
    session_name AS session_name,
    source_ip AS source_ip,
    surface AS surface,
    tls_version AS tls_version,
    user_agent AS user_agent,
    vpc_endpoint_id AS vpc_endpoint_id,
    CAST(NULL AS BIGINT) AS input_tokens,
    CAST(NULL AS BIGINT) AS output_tokens,
    CAST(NULL AS VARCHAR) AS token_source
  FROM events
  WHERE record_kind = 'api_call'
    AND activity = 'batch'
),
hashes AS (
  SELECT log_object AS log_object, MIN(sha256) AS sha256
  FROM objects
  GROUP BY log_object
)
SELECT
  e.event_id AS event_id,
  e.event_time AS event_time,
  e.account_id AS account_id,
  e.account_name AS account_name,
  e.environment AS environment,
  e.aws_region AS aws_region,
  e.inference_region AS inference_region,
  e.surface AS surface,
  e.event_source AS event_source,
  e.event_name AS event_name,
  e.activity AS activity,
  e.outcome AS outcome,
  e.error_code AS error_code,
  e.principal AS principal,
  e.role_arn AS role_arn,
  e.session_name AS session_name,
  e.person AS person,
  e.person_basis AS person_basis,
  e.principal_type AS principal_type,
  e.credential AS credential,
  e.from_console AS from_console,
  e.mfa AS mfa,
  e.model_requested AS model_requested,
  e.model_id AS model_id,
  e.model_vendor AS model_vendor,
  e.model_kind AS model_kind,
  e.profile_scope AS profile_scope,
  e.guardrail_id AS guardrail_id,
  e.agent_session_id AS agent_session_id,
  e.source_ip AS source_ip,
  e.vpc_endpoint_id AS vpc_endpoint_id,
  e.tls_version AS tls_version,
  e.client AS client,
  e.user_agent AS user_agent,
  e.input_tokens AS input_tokens,
  e.output_tokens AS output_tokens,
  e.token_source AS token_source,
  e.read_only AS read_only,
  e.request_id AS request_id,
  COALESCE(d.decision, 'not_assessed') AS decision,
  d.grant_id AS grant_id,
  g.purpose AS purpose,
  g.owner AS owner,
  d.policy_version AS policy_version,
  CASE
    WHEN d.decision IS NOT NULL THEN d.reason
    WHEN v.versions = 0 THEN 'no policy was given'
    ELSE 'no policy was in force'
  END AS reason,
  e.log_object AS log_object,
  e.log_index AS log_index,
  h.sha256 AS log_sha256
FROM calls AS e
CROSS JOIN versions AS v
LEFT JOIN decisions AS d ON d.log_object = e.log_object AND d.log_index = e.log_index
LEFT JOIN grants AS g ON g.allow_id = d.grant_id AND d.decision = 'allowed'
LEFT JOIN hashes AS h ON h.log_object = e.log_object
ORDER BY
  e.event_time ASC NULLS LAST,
  e.event_id ASC NULLS LAST,
  e.log_object ASC NULLS LAST,
  e.log_index ASC NULLS LAST
