-- title = "The steps of somebody who takes over a foreign account's models"
-- severity = "critical"
-- kind = "sequence"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_name", "account_id", "principal", "surface", "activity", "model_id", "invoked_by",
--   "outcome", "source_ip", "source_kind", "aws_region", "record_kind", "log_object", "log_index",
-- ]
-- attack = ["T1526", "T1098", "T1496"]
-- attack_old = []
-- atlas = ["AML.T0034"]
-- why = """\
-- Stolen credentials are sold as access to models. Before that, the thief looks what there is, whether prompts are \
-- logged, opens models that are closed, tries them with calls that are cheap or invalid, and then uses them. Each step \
-- alone is ordinary. The rule counts five kinds of step: discovery of models, offers and availability; a look at the \
-- setting of model invocation logging; an entitlement or agreement; a model call refused or found invalid; the first \
-- successful call of a model by this principal. It looks back from every step, so that a harmless step long ago \
-- hides nothing: three kinds by one principal within 24 hours are a chain. So are four kinds from one public \
-- address by several principals, if a look at the logging or an entitlement is among them. A chain with one of these \
-- two steps is critical; discovery, failed calls and a first success alone are high, for a developer who starts \
-- leaves the same traces. Principals that the policy lists under entitlement_admins are not counted. The population \
-- is all such steps; the first of each kind makes the timeline."""
-- fix = """\
-- Read the timeline. If the owner of the principal does not vouch for every step, revoke the key or the sessions now, \
-- then look at what was called since, in every Region, and whether logging was changed (BT084) or more credentials were \
-- made. Withdraw agreements that nobody ordered."""
-- false_positives = """\
-- A platform team that opens models for others: list its role under entitlement_admins. A developer's first day. An \
-- application's first day in the records: its first success is known only as far back as the records, or the store's \
-- history, go."""
--
-- [controls]
-- "ISO/IEC 27001" = ["A.8.16", "A.5.7"]
-- "NIST SP 800-53" = ["SI-4", "AU-6"]
-- "PCI DSS" = ["10.4.1"]
-- "SOC 2" = ["CC7.2", "CC7.3", "CC3.3"]
--
-- [parameters.hours]
-- type = "int"
-- default = 24
-- meaning = "Within how many hours the steps must lie."
--
-- [parameters.min_steps]
-- type = "int"
-- default = 3
-- meaning = "How many kinds of step make a chain of one principal."
--
-- [parameters.min_steps_of_address]
-- type = "int"
-- default = 4
-- meaning = "How many kinds of step make a chain of several principals at one public address."

WITH calls AS (
  SELECT
    log_object AS log_object,
    log_index AS log_index,
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    model_id AS model_id,
    outcome AS outcome,
    CASE WHEN source_kind = 'public' THEN source_ip END AS address,
    CASE
      WHEN event_name = 'GetModelInvocationLoggingConfiguration' THEN 'logging'
      WHEN activity = 'entitlement' THEN 'entitlement'
      WHEN activity = 'model_invocation' AND outcome IN ('denied', 'invalid') THEN 'attempt'
      WHEN activity = 'model_invocation' AND outcome = 'ok' THEN 'use'
      WHEN activity = 'discovery' THEN 'discovery'
    END AS step
  FROM events
  WHERE record_kind = 'api_call'
    AND invoked_by IS NULL
    AND (
      activity IN ('model_invocation', 'entitlement')
      OR event_name IN (
        'GetModelInvocationLoggingConfiguration', 'ListFoundationModels', 'GetFoundationModel',
        'GetFoundationModelAvailability', 'ListFoundationModelAgreementOffers', 'ListInferenceProfiles',
        'ListProvisionedModelThroughputs', 'ListCustomModels', 'GetUseCaseForModelAccess', 'SearchAgreements'
      )
      OR (surface = 'mantle' AND event_name = 'ListModels')
    )
),
firsts AS (
  SELECT principal AS principal, model_id AS model_id, MIN(event_time) AS first_time
  FROM (
    SELECT principal AS principal, model_id AS model_id, event_time AS event_time
    FROM calls
    WHERE step = 'use'
    UNION ALL
    SELECT principal AS principal, model_id AS model_id, event_time AS event_time
    FROM history
    WHERE record_kind = 'api_call'
      AND activity = 'model_invocation'
      AND outcome = 'ok'
      AND invoked_by IS NULL
  ) AS uses
  GROUP BY principal, model_id
),
-- Every row is distinct: it is asked for once, held, and read many times.
steps AS (
  SELECT DISTINCT
    c.log_object AS log_object,
    c.log_index AS log_index,
    c.event_id AS event_id,
    c.event_time AS event_time,
    c.event_name AS event_name,
    c.account_id AS account_id,
    c.aws_region AS aws_region,
    c.principal AS principal,
    c.model_id AS model_id,
    c.outcome AS outcome,
    c.address AS address,
    c.step AS step
  FROM calls AS c
  LEFT JOIN firsts AS f
    ON f.principal = c.principal
    AND f.first_time = c.event_time
    AND COALESCE(f.model_id, '') = COALESCE(c.model_id, '')
    AND c.step = 'use'
  WHERE c.step <> 'use'
    OR f.principal IS NOT NULL
),
admins AS (
  SELECT DISTINCT s.principal AS principal
  FROM (SELECT DISTINCT principal AS principal FROM steps) AS s
  JOIN policy_entitlement_admin AS p
    ON regexp_like(s.principal, p.pattern_re)
    OR regexp_like(s.principal, p.pathless_re)
),
-- An admin's steps stay in the population and out of every count.
suspects AS (
  SELECT
    s.event_id AS event_id,
    s.event_time AS event_time,
    s.event_name AS event_name,
    s.account_id AS account_id,
    s.aws_region AS aws_region,
    s.principal AS principal,
    s.model_id AS model_id,
    s.outcome AS outcome,
    s.step AS step,
    CASE WHEN a.principal IS NULL THEN s.step END AS counted_step,
    CASE WHEN a.principal IS NULL THEN s.address END AS address,
    a.principal IS NULL AND s.principal NOT IN ('anonymous', 'unknown') AS countable
  FROM steps AS s
  LEFT JOIN admins AS a ON a.principal = s.principal
),
-- Only who took enough kinds of step at any time can have taken them within some hours: few, and windows are dear.
principals AS (
  SELECT principal AS principal
  FROM suspects
  WHERE countable
  GROUP BY principal
  HAVING COUNT(DISTINCT counted_step) >= $min_steps
),
addresses AS (
  SELECT address AS address
  FROM suspects
  WHERE address IS NOT NULL
  GROUP BY address
  HAVING COUNT(DISTINCT counted_step) >= $min_steps_of_address
),
candidates AS (
  SELECT
    s.event_id AS event_id,
    s.event_time AS event_time,
    s.event_name AS event_name,
    s.account_id AS account_id,
    s.aws_region AS aws_region,
    s.principal AS principal,
    s.model_id AS model_id,
    s.outcome AS outcome,
    s.step AS step,
    s.counted_step AS counted_step,
    s.address AS address,
    s.countable AS countable,
    p.principal IS NOT NULL OR a.address IS NOT NULL AS candidate
  FROM suspects AS s
  LEFT JOIN principals AS p ON p.principal = s.principal
  LEFT JOIN addresses AS a ON a.address = s.address
),
counted AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    model_id AS model_id,
    outcome AS outcome,
    step AS step,
    address AS address,
    countable AS countable,
    CASE WHEN COUNT(CASE WHEN counted_step = 'discovery' THEN 1 END) OVER of_principal > 0 THEN 1 ELSE 0 END
      + CASE WHEN COUNT(CASE WHEN counted_step = 'logging' THEN 1 END) OVER of_principal > 0 THEN 1 ELSE 0 END
      + CASE WHEN COUNT(CASE WHEN counted_step = 'entitlement' THEN 1 END) OVER of_principal > 0 THEN 1 ELSE 0 END
      + CASE WHEN COUNT(CASE WHEN counted_step = 'attempt' THEN 1 END) OVER of_principal > 0 THEN 1 ELSE 0 END
      + CASE WHEN COUNT(CASE WHEN counted_step = 'use' THEN 1 END) OVER of_principal > 0 THEN 1 ELSE 0 END
      AS principal_kinds,
    COUNT(CASE WHEN counted_step IN ('logging', 'entitlement') THEN 1 END) OVER of_address AS grave_steps,
    CASE WHEN COUNT(CASE WHEN counted_step = 'discovery' THEN 1 END) OVER of_address > 0 THEN 1 ELSE 0 END
      + CASE WHEN COUNT(CASE WHEN counted_step = 'logging' THEN 1 END) OVER of_address > 0 THEN 1 ELSE 0 END
      + CASE WHEN COUNT(CASE WHEN counted_step = 'entitlement' THEN 1 END) OVER of_address > 0 THEN 1 ELSE 0 END
      + CASE WHEN COUNT(CASE WHEN counted_step = 'attempt' THEN 1 END) OVER of_address > 0 THEN 1 ELSE 0 END
      + CASE WHEN COUNT(CASE WHEN counted_step = 'use' THEN 1 END) OVER of_address > 0 THEN 1 ELSE 0 END
      AS address_kinds
  FROM candidates
  WHERE candidate
  WINDOW
    of_principal AS (
      PARTITION BY principal ORDER BY event_time ASC
      RANGE BETWEEN INTERVAL $hours HOUR PRECEDING AND CURRENT ROW
    ),
    of_address AS (
      PARTITION BY address ORDER BY event_time ASC
      RANGE BETWEEN INTERVAL $hours HOUR PRECEDING AND CURRENT ROW
    )
),
-- A step is part of a chain if any stretch of time that holds it is one.
chains AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    model_id AS model_id,
    outcome AS outcome,
    step AS step,
    address AS address,
    countable AND MAX(principal_kinds) OVER (
      PARTITION BY principal ORDER BY event_time ASC
      RANGE BETWEEN CURRENT ROW AND INTERVAL $hours HOUR FOLLOWING
    ) >= $min_steps AS in_principal_chain,
    address IS NOT NULL AND MAX(CASE WHEN grave_steps > 0 THEN address_kinds ELSE 0 END) OVER (
      PARTITION BY address ORDER BY event_time ASC
      RANGE BETWEEN CURRENT ROW AND INTERVAL $hours HOUR FOLLOWING
    ) >= $min_steps_of_address AS in_address_chain
  FROM counted
),
judged AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    model_id AS model_id,
    outcome AS outcome,
    step AS step,
    CASE WHEN in_principal_chain THEN principal END AS principal_chain,
    CASE
      WHEN in_address_chain
        AND MIN(principal) OVER (PARTITION BY address, in_address_chain)
          <> MAX(principal) OVER (PARTITION BY address, in_address_chain)
        THEN 'address ' || address
    END AS address_chain
  FROM chains
),
-- The time line of an address shows all its steps, also those that a principal's own chain reports. A text that begins
-- with its time sorts by time.
firsts_of_kind AS (
  SELECT
    j.account_id AS account_id,
    CASE WHEN p.part = 1 THEN j.principal_chain ELSE j.address_chain END AS chain,
    j.step AS step,
    MIN(
      substring(replace(CAST(j.event_time AS VARCHAR), 'T', ' '), 1, 16) || ' ' || j.event_name
        || CASE WHEN j.outcome = 'ok' THEN '' ELSE ' (' || j.outcome || ')' END
        || CASE WHEN j.step IN ('attempt', 'use') THEN COALESCE(' ' || j.model_id, '') ELSE '' END
    ) AS entry
  FROM judged AS j
  CROSS JOIN (VALUES (1), (2)) AS p (part)
  WHERE CASE WHEN p.part = 1 THEN j.principal_chain ELSE j.address_chain END IS NOT NULL
  GROUP BY j.account_id, CASE WHEN p.part = 1 THEN j.principal_chain ELSE j.address_chain END, j.step
),
told AS (
  SELECT
    account_id AS account_id,
    chain AS chain,
    array_join(array_agg(entry ORDER BY entry ASC), '; ') AS timeline,
    MAX(CASE WHEN step IN ('logging', 'entitlement') THEN 1 ELSE 0 END) AS grave
  FROM firsts_of_kind
  GROUP BY account_id, chain
)
SELECT
  CASE WHEN COALESCE(j.principal_chain, j.address_chain) IS NULL THEN 'pass' ELSE 'violation' END AS verdict,
  j.account_id AS account_id,
  j.aws_region AS aws_region,
  j.principal_chain AS principal,
  CASE
    WHEN j.principal_chain IS NULL THEN 'steps from ' || j.address_chain ELSE 'steps of a take-over'
  END AS subject,
  'at least ' || CASE
    WHEN j.principal_chain IS NULL THEN CAST($min_steps_of_address AS VARCHAR) ELSE CAST($min_steps AS VARCHAR)
  END || ' kinds of step towards foreign models within ' || CAST($hours AS VARCHAR) || ' hours' AS reason,
  'models are opened and tried by principals listed under entitlement_admins' AS expected,
  'first of each kind: ' || t.timeline AS observed,
  j.event_time AS event_time,
  j.event_id AS event_id,
  j.outcome AS outcome,
  CASE WHEN t.grave = 1 THEN 'critical' ELSE 'high' END AS severity
FROM judged AS j
LEFT JOIN told AS t
  ON t.chain = COALESCE(j.principal_chain, j.address_chain)
  AND COALESCE(t.account_id, '') = COALESCE(j.account_id, '')
UNION ALL
SELECT
  'pass' AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  CAST(NULL AS VARCHAR) AS principal,
  'steps of a take-over' AS subject,
  CAST(NULL AS VARCHAR) AS reason,
  CAST(NULL AS VARCHAR) AS expected,
  CAST(NULL AS VARCHAR) AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome,
  CAST(NULL AS VARCHAR) AS severity
FROM candidates
WHERE NOT candidate
