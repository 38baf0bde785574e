-- title = "One principal tried many models within an hour"
-- severity = "high"
-- kind = "window"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_name", "account_id", "principal", "activity", "from_console", "model_id",
--   "model_kind", "outcome", "aws_region", "record_kind",
-- ]
-- attack = []
-- attack_old = []
-- atlas = ["AML.T0075"]
-- why = """\
-- An application calls the one or two models it was built for. Somebody who has found a credential wants to know which \
-- models it opens, and tries one after another. The rule counts, in a sliding window, the different models that a \
-- principal took up: models it had not called in the window before. Refused and failed calls count like successful \
-- ones. References that only the account knows (application profiles, provisioned and custom models, prompts, routers) \
-- do not count as models, since many of them may stand for one. The window slides by full minutes. A second score is \
-- breadth: tools that test stolen credentials ask not only for models but for offers, agreements, availability, the \
-- use-case form and the setting of logging, too. A principal that calls models or asks for access to them, and calls \
-- five different ones of these operations within 24 hours, is reported as medium; all calls of models are one \
-- operation. Calls from the console do not count for it, since one page of it makes most of them, nor do those of \
-- entitlement_admins. The population is all calls of models and of these operations."""
-- fix = """\
-- Ask the owner of the principal. If it is an evaluation, list the role under evaluators in the policy. If nobody \
-- knows of it, revoke the sessions or the key, and look at which of the models answered."""
-- false_positives = """\
-- An evaluation harness that compares models: list it under evaluators. A gateway whose users all appear as one \
-- role. A prompt router or fallback list of a few models stays below the number. A scanner of the account's settings \
-- that also calls models; a platform team that opens models: list it under entitlement_admins."""
--
-- [controls]
-- "ISO/IEC 27001" = ["A.8.16", "A.5.7"]
-- "NIST SP 800-53" = ["SI-4", "AU-6"]
-- "PCI DSS" = ["10.4.1"]
-- "SOC 2" = ["CC7.2", "CC7.3", "CC3.3"]
--
-- [parameters.min_models]
-- type = "int"
-- default = 8
-- meaning = "How many different models are too many."
--
-- [parameters.window_minutes]
-- type = "int"
-- default = 60
-- meaning = "Within how many minutes they must have been tried."
--
-- [parameters.min_operations]
-- type = "int"
-- default = 5
-- meaning = "How many different operations of a takeover are too many."
--
-- [parameters.breadth_minutes]
-- type = "int"
-- default = 1440
-- meaning = "Within how many minutes they must have been called."

WITH calls AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    date_trunc('minute', event_time) AS call_minute,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    activity IN ('model_invocation', 'batch', 'entitlement') AS opens,
    CASE
      WHEN from_console THEN NULL
      WHEN activity IN ('model_invocation', 'batch') THEN 'a model call'
      ELSE event_name
    END AS operation,
    CASE
      WHEN activity NOT IN ('model_invocation', 'batch') THEN NULL
      WHEN model_kind IN ('application_profile', 'provisioned', 'custom', 'imported', 'prompt', 'router') THEN NULL
      ELSE model_id
    END AS model
  FROM events
  WHERE record_kind = 'api_call'
    AND (
      activity IN ('model_invocation', 'batch', 'entitlement')
      OR event_name IN (
        'ListFoundationModels', 'GetFoundationModelAvailability', 'ListFoundationModelAgreementOffers',
        'ListInferenceProfiles', 'ListProvisionedModelThroughputs', 'GetUseCaseForModelAccess', 'SearchAgreements',
        'GetModelInvocationLoggingConfiguration', 'PutModelInvocationLoggingConfiguration',
        'DeleteModelInvocationLoggingConfiguration'
      )
    )
),
minutes AS (
  SELECT principal AS principal, model AS model, call_minute AS call_minute
  FROM calls
  WHERE model IS NOT NULL
  GROUP BY principal, model, call_minute
),
-- Only those who tried that many models at all can have tried them within an hour.
wide AS (
  SELECT principal AS principal
  FROM (SELECT DISTINCT principal AS principal, model AS model FROM minutes) AS pairs
  WHERE principal NOT IN ('anonymous', 'unknown')
  GROUP BY principal
  HAVING COUNT(*) >= $min_models
),
evaluators AS (
  SELECT DISTINCT w.principal AS principal
  FROM wide AS w
  JOIN policy_evaluator AS p
    ON regexp_like(w.principal, p.pattern_re)
    OR regexp_like(w.principal, p.pathless_re)
),
earlier AS (
  SELECT
    m.principal AS principal,
    m.model AS model,
    m.call_minute AS call_minute,
    LAG(m.call_minute) OVER (PARTITION BY m.principal, m.model ORDER BY m.call_minute ASC) AS previous_minute
  FROM minutes AS m
  JOIN wide AS w ON w.principal = m.principal
),
fresh AS (
  SELECT principal AS principal, model AS model, call_minute AS call_minute
  FROM earlier
  WHERE previous_minute IS NULL
    OR previous_minute < call_minute - INTERVAL $window_minutes MINUTE
),
counted AS (
  SELECT
    principal AS principal,
    model AS model,
    call_minute AS call_minute,
    COUNT(*) OVER (
      PARTITION BY principal ORDER BY call_minute ASC
      RANGE BETWEEN INTERVAL $window_minutes MINUTE PRECEDING AND CURRENT ROW
    ) AS models
  FROM fresh
),
sweeps AS (
  SELECT
    principal AS principal,
    model AS model,
    call_minute AS call_minute,
    MAX(models) OVER (
      PARTITION BY principal ORDER BY call_minute ASC
      RANGE BETWEEN CURRENT ROW AND INTERVAL $window_minutes MINUTE FOLLOWING
    ) AS models
  FROM counted
),
found AS (
  SELECT
    principal AS principal,
    model AS model,
    call_minute AS call_minute,
    MAX(models) OVER (PARTITION BY principal) AS models,
    MIN(model) OVER (PARTITION BY principal) AS first_model,
    MAX(model) OVER (PARTITION BY principal) AS last_model
  FROM sweeps
  WHERE models >= $min_models
),
-- Only those who called that many operations at all, one of them to use or open a model, are looked at closer.
curious AS (
  SELECT o.principal AS principal
  FROM (
    SELECT principal AS principal, operation AS operation, MAX(CASE WHEN opens THEN 1 ELSE 0 END) AS grave
    FROM calls
    WHERE operation IS NOT NULL
    GROUP BY principal, operation
  ) AS o
  WHERE o.principal NOT IN ('anonymous', 'unknown')
  GROUP BY o.principal
  HAVING COUNT(*) >= $min_operations
    AND MAX(o.grave) = 1
),
openers AS (
  SELECT DISTINCT w.principal AS principal
  FROM curious AS w
  JOIN policy_entitlement_admin AS p
    ON regexp_like(w.principal, p.pattern_re)
    OR regexp_like(w.principal, p.pathless_re)
),
operations AS (
  SELECT c.principal AS principal, c.operation AS operation, c.call_minute AS call_minute
  FROM calls AS c
  JOIN curious AS w ON w.principal = c.principal
  LEFT JOIN openers AS a ON a.principal = c.principal
  WHERE c.operation IS NOT NULL
    AND a.principal IS NULL
  GROUP BY c.principal, c.operation, c.call_minute
),
asked AS (
  SELECT
    principal AS principal,
    operation AS operation,
    call_minute AS call_minute,
    LAG(call_minute) OVER (PARTITION BY principal, operation ORDER BY call_minute ASC) AS previous_minute
  FROM operations
),
newly AS (
  SELECT
    principal AS principal,
    operation AS operation,
    call_minute AS call_minute,
    COUNT(*) OVER (
      PARTITION BY principal ORDER BY call_minute ASC
      RANGE BETWEEN INTERVAL $breadth_minutes MINUTE PRECEDING AND CURRENT ROW
    ) AS operations
  FROM asked
  WHERE previous_minute IS NULL
    OR previous_minute < call_minute - INTERVAL $breadth_minutes MINUTE
),
reached AS (
  SELECT
    principal AS principal,
    operation AS operation,
    call_minute AS call_minute,
    MAX(operations) OVER (
      PARTITION BY principal ORDER BY call_minute ASC
      RANGE BETWEEN CURRENT ROW AND INTERVAL $breadth_minutes MINUTE FOLLOWING
    ) AS operations
  FROM newly
),
broad AS (
  SELECT
    principal AS principal,
    operation AS operation,
    call_minute AS call_minute,
    MAX(operations) OVER (PARTITION BY principal) AS operations,
    MIN(operation) OVER (PARTITION BY principal) AS first_operation,
    MAX(operation) OVER (PARTITION BY principal) AS last_operation
  FROM reached
  WHERE operations >= $min_operations
)
SELECT
  CASE
    WHEN f.models IS NOT NULL AND v.principal IS NULL THEN 'violation'
    WHEN b.operations IS NOT NULL THEN 'violation'
    ELSE 'pass'
  END AS verdict,
  c.account_id AS account_id,
  c.aws_region AS aws_region,
  c.principal AS principal,
  CASE WHEN f.models IS NOT NULL AND v.principal IS NULL THEN 'models tried' ELSE 'operations tried' END AS subject,
  CASE
    WHEN f.models IS NOT NULL AND v.principal IS NULL
      THEN 'up to ' || CAST(f.models AS VARCHAR) || ' different models were tried within '
        || CAST($window_minutes AS VARCHAR) || ' minutes'
    ELSE 'up to ' || CAST(b.operations AS VARCHAR) || ' different operations of a takeover were called within '
      || CAST($breadth_minutes AS VARCHAR) || ' minutes'
  END AS reason,
  CASE
    WHEN f.models IS NOT NULL AND v.principal IS NULL
      THEN 'fewer than ' || CAST($min_models AS VARCHAR) || ' models within ' || CAST($window_minutes AS VARCHAR)
        || ' minutes, or a role listed under evaluators'
    ELSE 'fewer than ' || CAST($min_operations AS VARCHAR) || ' of these operations within '
      || CAST($breadth_minutes AS VARCHAR) || ' minutes, or a role listed under entitlement_admins'
  END AS expected,
  CASE
    WHEN f.models IS NOT NULL AND v.principal IS NULL THEN 'models from ' || f.first_model || ' to ' || f.last_model
    ELSE 'operations from ' || b.first_operation || ' to ' || b.last_operation
  END AS observed,
  c.event_time AS event_time,
  c.event_id AS event_id,
  c.outcome AS outcome,
  CASE WHEN f.models IS NOT NULL AND v.principal IS NULL THEN 'high' ELSE 'medium' END AS severity
FROM calls AS c
LEFT JOIN found AS f
  ON f.principal = c.principal
  AND f.call_minute = c.call_minute
  AND f.model = c.model
LEFT JOIN evaluators AS v ON v.principal = c.principal
LEFT JOIN broad AS b
  ON b.principal = c.principal
  AND b.call_minute = c.call_minute
  AND b.operation = c.operation
