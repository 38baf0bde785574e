-- title = "AI coding agents"
-- question = "Who uses Codex, Claude Code and other coding agents, in which version, from which role, with which models, and is it approved?"
-- frameworks = ["ISO/IEC 42001 A.4.2", "ISO/IEC 42001 A.9.2", "SOC 2 CC6.1", "NIST SP 800-53 CM-11"]
-- empty = "Model calls of bedrock-mantle, Codex's by default, are data events, which a trail records only where a selector asks for them: bedtrail selectors --for mantle."
-- glance = ["client", "client_version", "person", "approval", "model_id", "calls", "ok", "endpoint", "credential", "last_seen", "role_arn", "helper", "account_id"]
--
-- [columns]
-- account_id = "The account that received the records."
-- environment = "The policy's environment for the account."
-- client = "The client that the user agent names. The caller chooses it: it finds a coding agent, and never clears anyone of using one."
-- client_version = "Its version, as it says."
-- principal = "Who called."
-- role_arn = "The IAM role; empty for callers without one."
-- person = "The person or workload behind the calls, where the records name one."
-- person_basis = "How the person is known."
-- approval = "approved: an allow entry lists the client for this role; shadow: none does; not_assessed: no policy was given, or it lists no tools at all."
-- allow_ids = "The allow entries that list it."
-- model_id = "The base model."
-- helper = "yes: a model that this client calls by itself beside the one that was chosen, as its public code says; empty: no such model is known. The person may have chosen it all the same."
-- surface = "runtime or mantle."
-- endpoint = "The host that was called, where recorded."
-- aws_regions = "The Regions called."
-- inference_regions = "Where the model ran, where the records say so."
-- credential = "The kind of credential."
-- calls = "Calls, whatever their outcome."
-- ok = "Calls that succeeded."
-- denied = "Calls that were refused."
-- input_tokens = "Input tokens over the calls for which they are known; empty where none is recorded."
-- output_tokens = "Output tokens over the calls for which they are known; empty where none is recorded."
-- first_seen = "Time of the first call, UTC."
-- last_seen = "Time of the last call, UTC."

WITH coding AS (
  SELECT
    account_id AS account_id,
    environment AS environment,
    client AS client,
    client_version AS client_version,
    principal AS principal,
    role_arn AS role_arn,
    person AS person,
    person_basis AS person_basis,
    model_id AS model_id,
    surface AS surface,
    endpoint_host AS endpoint,
    credential AS credential,
    aws_region AS aws_region,
    inference_region AS inference_region,
    COUNT(*) AS calls,
    COUNT(*) FILTER (WHERE outcome = 'ok') AS ok,
    COUNT(*) FILTER (WHERE outcome = 'denied') AS denied,
    SUM(input_tokens) AS input_tokens,
    SUM(output_tokens) AS output_tokens,
    MIN(event_time) AS first_seen,
    MAX(event_time) AS last_seen
  FROM usage
  WHERE client IN (
    'amazon-q-cli', 'amazon-q-vscode', 'aws-toolkit-jetbrains', 'aws-toolkit-vscode', 'claude-code',
    'cline', 'codex-atlas', 'codex-cli', 'codex-desktop', 'codex-vscode',
    'kiro', 'roo-code'
  )
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
),
tools AS (
  SELECT COUNT(*) AS tools
  FROM policy_allow_tool
),
approved AS (
  SELECT
    c.environment_key AS environment_key,
    c.client AS client,
    c.principal AS principal,
    array_join(array_agg(DISTINCT t.allow_id ORDER BY t.allow_id), ' ') AS allow_ids
  FROM (
    SELECT DISTINCT COALESCE(environment, '') AS environment_key, client AS client, principal AS principal,
      COALESCE(role_arn, principal, '') AS caller
    FROM coding
  ) AS c
  JOIN policy_allow_tool AS t
    ON t.tool = c.client
    AND (t.environment IS NULL OR t.environment = c.environment_key)
    AND regexp_like(c.caller, t.role_re)
  GROUP BY c.environment_key, c.client, c.principal
),
lines AS (
  SELECT
    account_id AS account_id,
    environment AS environment,
    client AS client,
    client_version AS client_version,
    principal AS principal,
    role_arn AS role_arn,
    person AS person,
    person_basis AS person_basis,
    model_id AS model_id,
    surface AS surface,
    endpoint AS endpoint,
    credential AS credential,
    array_join(array_agg(DISTINCT aws_region ORDER BY aws_region), ' ') AS aws_regions,
    array_join(
      array_agg(DISTINCT inference_region ORDER BY inference_region) FILTER (WHERE inference_region IS NOT NULL), ' '
    ) AS inference_regions,
    CAST(SUM(calls) AS BIGINT) AS calls,
    CAST(SUM(ok) AS BIGINT) AS ok,
    CAST(SUM(denied) AS BIGINT) AS denied,
    CAST(SUM(input_tokens) AS BIGINT) AS input_tokens,
    CAST(SUM(output_tokens) AS BIGINT) AS output_tokens,
    MIN(first_seen) AS first_seen,
    MAX(last_seen) AS last_seen
  FROM coding
  GROUP BY account_id, environment, client, client_version, principal, role_arn, person, person_basis, model_id, surface,
    endpoint, credential
)
SELECT
  l.account_id AS account_id,
  l.environment AS environment,
  l.client AS client,
  l.client_version AS client_version,
  l.principal AS principal,
  l.role_arn AS role_arn,
  l.person AS person,
  l.person_basis AS person_basis,
  CASE
    WHEN t.tools = 0 THEN 'not_assessed'
    WHEN a.client IS NOT NULL THEN 'approved'
    ELSE 'shadow'
  END AS approval,
  a.allow_ids AS allow_ids,
  l.model_id AS model_id,
  -- Codex's own calls: approval reviews and memory extraction, memory consolidation.
  CASE
    WHEN starts_with(l.client, 'codex') AND regexp_like(l.model_id, '\Aopenai[.]gpt-5[.]6-(luna|terra)') THEN 'yes'
  END AS helper,
  l.surface AS surface,
  l.endpoint AS endpoint,
  l.aws_regions AS aws_regions,
  NULLIF(l.inference_regions, '') AS inference_regions,
  l.credential AS credential,
  l.calls AS calls,
  l.ok AS ok,
  l.denied AS denied,
  l.input_tokens AS input_tokens,
  l.output_tokens AS output_tokens,
  l.first_seen AS first_seen,
  l.last_seen AS last_seen
FROM lines AS l
CROSS JOIN tools AS t
LEFT JOIN approved AS a
  ON a.client = l.client
  AND a.principal = l.principal
  AND a.environment_key = COALESCE(l.environment, '')
ORDER BY
  l.client ASC NULLS LAST,
  l.client_version ASC NULLS LAST,
  l.principal ASC NULLS LAST,
  l.person ASC NULLS LAST,
  l.model_id ASC NULLS LAST,
  l.surface ASC NULLS LAST,
  l.endpoint ASC NULLS LAST,
  l.credential ASC NULLS LAST,
  l.account_id ASC NULLS LAST,
  l.environment ASC NULLS LAST,
  l.role_arn ASC NULLS LAST,
  l.person_basis ASC NULLS LAST
