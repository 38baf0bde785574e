-- title = "What each change of a guardrail made weaker"
-- meaning = """\
-- One row per UpdateGuardrail and PutEnforcedGuardrailConfiguration, whatever its outcome, held against the last \
-- successful creation or change of the same guardrail or enforced configuration, the history before the window \
-- included. What is weaker is told entry by entry: one that is gone, a lower strength or threshold, a milder action, a \
-- check that is off, fewer models covered."""
-- uses = []
--
-- [columns]
-- guardrail = "The guardrail's id, or the enforced configuration."
-- weakened = "What is weaker than before, separated by commas; null where nothing is, or where it cannot be told."
-- obstacle = "Why the two could not be compared, or only in part; null where they could."

WITH recorded AS (
  SELECT
    event_id AS event_id, event_time AS event_time, event_source AS event_source, event_name AS event_name,
    account_id AS account_id, aws_region AS aws_region, principal AS principal, outcome AS outcome,
    request_parameters AS request_parameters, response_elements AS response_elements, record_kind AS record_kind,
    TRUE AS in_window
  FROM events
  UNION ALL
  SELECT
    event_id AS event_id, event_time AS event_time, event_source AS event_source, event_name AS event_name,
    account_id AS account_id, aws_region AS aws_region, principal AS principal, outcome AS outcome,
    request_parameters AS request_parameters, response_elements AS response_elements, record_kind AS record_kind,
    FALSE AS in_window
  FROM history
),
changes AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    in_window AS in_window,
    request_parameters AS settings,
    CASE
      WHEN event_name = 'PutEnforcedGuardrailConfiguration' THEN 'enforced configuration '
        || COALESCE(
          json_extract_scalar(request_parameters, '$.configId'), json_extract_scalar(response_elements, '$.configId'),
          'of the account'
        )
      ELSE COALESCE(
        json_extract_scalar(response_elements, '$.guardrailId'),
        regexp_replace(json_extract_scalar(request_parameters, '$.guardrailIdentifier'), '\A.*:guardrail/', ''),
        'guardrail not named'
      )
    END AS thing
  FROM recorded
  WHERE record_kind = 'api_call'
    AND event_source = 'bedrock.amazonaws.com'
    AND event_name IN ('CreateGuardrail', 'UpdateGuardrail', 'PutEnforcedGuardrailConfiguration')
    AND (in_window OR outcome = 'ok')
    AND (event_name <> 'CreateGuardrail' OR outcome = 'ok')
),
-- The settings of the newest change before each that went through, behind its time: text sorts as time does.
ordered AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    in_window AS in_window,
    settings AS settings,
    thing AS thing,
    MAX(
      CASE
        WHEN outcome = 'ok' THEN CAST(event_time AS VARCHAR) || ' ' || event_id || '|' || COALESCE(settings, '')
      END
    ) OVER (
      PARTITION BY COALESCE(account_id, ''), COALESCE(aws_region, ''), thing
      ORDER BY event_time ASC, event_id ASC
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS newest
  FROM changes
),
pairs AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    thing AS thing,
    settings AS settings,
    newest IS NOT NULL AS has_before,
    NULLIF(substr(newest, strpos(newest, '|') + 1), '') AS settings_before
  FROM ordered
  WHERE in_window
    AND event_name <> 'CreateGuardrail'
),
-- Both sides of each pair, so that their lists are taken apart in one way.
lists AS (
  SELECT
    p.event_id AS event_id,
    d.side AS side,
    k.kind AS kind,
    json_format(json_extract(CASE WHEN d.side = 'now' THEN p.settings ELSE p.settings_before END, k.path)) AS list
  FROM pairs AS p
  CROSS JOIN (VALUES ('now'), ('before')) AS d (side)
  CROSS JOIN (
    VALUES
      ('content filter', '$.contentPolicyConfig.filtersConfig'),
      ('topic', '$.topicPolicyConfig.topicsConfig'),
      ('word', '$.wordPolicyConfig.wordsConfig'),
      ('word list', '$.wordPolicyConfig.managedWordListsConfig'),
      ('personal data', '$.sensitiveInformationPolicyConfig.piiEntitiesConfig'),
      ('pattern', '$.sensitiveInformationPolicyConfig.regexesConfig'),
      ('grounding filter', '$.contextualGroundingPolicyConfig.filtersConfig'),
      ('reasoning policy', '$.automatedReasoningPolicyConfig.policies')
  ) AS k (kind, path)
  WHERE p.event_name = 'UpdateGuardrail'
),
counts AS (
  SELECT
    event_id AS event_id,
    kind AS kind,
    MAX(CASE WHEN side = 'before' THEN COALESCE(json_array_length(list), 0) END) AS entries_before,
    MAX(CASE WHEN side = 'now' THEN COALESCE(json_array_length(list), 0) END) AS entries,
    MAX(
      CASE
        WHEN kind IN ('word', 'reasoning policy') THEN 1
        -- Entries whose names are hidden can be counted only.
        WHEN regexp_like(COALESCE(list, ''), '"(HIDDEN_DUE_TO_SECURITY_REASONS|REDACTED|[*]{3})"') THEN 1
        ELSE 0
      END
    ) AS is_counted
  FROM lists
  GROUP BY event_id, kind
),
elements AS (
  SELECT
    l.event_id AS event_id,
    l.side AS side,
    l.kind AS kind,
    COALESCE(
      json_extract_scalar(l.list, '$[' || CAST(t.tens * 8 + u.ones AS VARCHAR) || '].type'),
      json_extract_scalar(l.list, '$[' || CAST(t.tens * 8 + u.ones AS VARCHAR) || '].name')
    ) AS kind_name,
    json_extract_scalar(l.list, '$[' || CAST(t.tens * 8 + u.ones AS VARCHAR) || '].name') AS given_name,
    json_extract_scalar(l.list, '$[' || CAST(t.tens * 8 + u.ones AS VARCHAR) || '].inputStrength') AS input_strength,
    json_extract_scalar(l.list, '$[' || CAST(t.tens * 8 + u.ones AS VARCHAR) || '].outputStrength') AS output_strength,
    json_extract_scalar(l.list, '$[' || CAST(t.tens * 8 + u.ones AS VARCHAR) || '].action') AS plain_action,
    json_extract_scalar(l.list, '$[' || CAST(t.tens * 8 + u.ones AS VARCHAR) || '].inputAction') AS input_action,
    json_extract_scalar(l.list, '$[' || CAST(t.tens * 8 + u.ones AS VARCHAR) || '].outputAction') AS output_action,
    json_extract_scalar(l.list, '$[' || CAST(t.tens * 8 + u.ones AS VARCHAR) || '].enabled') AS plain_enabled,
    json_extract_scalar(l.list, '$[' || CAST(t.tens * 8 + u.ones AS VARCHAR) || '].inputEnabled') AS input_enabled,
    json_extract_scalar(l.list, '$[' || CAST(t.tens * 8 + u.ones AS VARCHAR) || '].outputEnabled') AS output_enabled,
    json_extract_scalar(l.list, '$[' || CAST(t.tens * 8 + u.ones AS VARCHAR) || '].threshold') AS threshold
  FROM lists AS l
  CROSS JOIN (VALUES (0), (1), (2), (3), (4), (5), (6), (7)) AS t (tens)
  CROSS JOIN (VALUES (0), (1), (2), (3), (4), (5), (6), (7)) AS u (ones)
  WHERE l.kind IN ('content filter', 'topic', 'word list', 'personal data', 'pattern', 'grounding filter')
    AND t.tens * 8 + u.ones < json_array_length(l.list)
),
-- What each entry sets, as levels: more is stricter. What an entry leaves out is AWS's default.
leaves AS (
  SELECT
    e.event_id AS event_id,
    e.side AS side,
    e.kind || ' ' || CASE WHEN e.kind = 'topic' THEN e.given_name ELSE e.kind_name END AS entry,
    a.attribute AS attribute,
    CASE
      WHEN a.attribute = 'input strength' THEN e.input_strength
      WHEN a.attribute = 'output strength' THEN e.output_strength
      WHEN a.attribute = 'input action' THEN COALESCE(e.input_action, e.plain_action, 'BLOCK')
      WHEN a.attribute = 'output action' THEN COALESCE(e.output_action, e.plain_action, 'BLOCK')
      WHEN a.attribute = 'input check' THEN COALESCE(e.input_enabled, e.plain_enabled, 'true')
      WHEN a.attribute = 'output check' THEN COALESCE(e.output_enabled, e.plain_enabled, 'true')
      WHEN a.attribute = 'threshold' THEN e.threshold
    END AS value
  FROM elements AS e
  CROSS JOIN (
    VALUES
      ('input strength'), ('output strength'), ('input action'), ('output action'), ('input check'), ('output check'),
      ('threshold')
  ) AS a (attribute)
  WHERE NOT COALESCE(CASE WHEN e.kind = 'topic' THEN e.given_name ELSE e.kind_name END, 'HIDDEN_DUE_TO_SECURITY_REASONS')
    IN ('HIDDEN_DUE_TO_SECURITY_REASONS', 'REDACTED', '***')
),
levelled AS (
  SELECT
    event_id AS event_id,
    side AS side,
    entry AS entry,
    attribute AS attribute,
    value AS value,
    CASE
      WHEN value IN ('NONE', 'false') THEN 0
      WHEN value IN ('LOW', 'DETECT', 'true') THEN 1
      WHEN value IN ('MEDIUM', 'ANONYMIZE') THEN 2
      WHEN value IN ('HIGH', 'BLOCK') THEN 3
      -- Thresholds are fractions below one: four digits of them.
      WHEN attribute = 'threshold' AND regexp_like(value, '\A[0-9]{0,3}([.][0-9]*)?\z')
        THEN 10000 * CAST(COALESCE(NULLIF(split_part(value, '.', 1), ''), '0') AS BIGINT)
          + CAST(substr(split_part(value, '.', 2) || '0000', 1, 4) AS BIGINT)
    END AS level
  FROM leaves
),
levels AS (
  SELECT
    event_id AS event_id,
    entry AS entry,
    attribute AS attribute,
    COUNT(*) FILTER (WHERE side = 'before') AS were,
    COUNT(*) FILTER (WHERE side = 'now') AS are,
    MIN(CASE WHEN side = 'before' THEN value END) AS value_before,
    MIN(CASE WHEN side = 'now' THEN value END) AS value,
    MIN(CASE WHEN side = 'before' THEN level END) AS level_before,
    MIN(CASE WHEN side = 'now' THEN level END) AS level
  FROM levelled
  GROUP BY event_id, entry, attribute
),
weaker AS (
  SELECT
    event_id AS event_id,
    CASE
      WHEN are = 0 THEN entry || ' is gone'
      ELSE entry || ' ' || attribute || ' '
        || CASE WHEN value_before = 'true' THEN 'on' WHEN value_before = 'false' THEN 'off' ELSE value_before END || ' to '
        || CASE WHEN value = 'true' THEN 'on' WHEN value = 'false' THEN 'off' ELSE value END
    END AS change
  FROM levels
  -- An entry that is gone is told once, by its action, which every entry has.
  WHERE (were > 0 AND are = 0 AND attribute = 'input action')
    OR level < level_before
  UNION ALL
  SELECT
    event_id AS event_id,
    'entries of kind ' || kind || ': ' || CAST(entries_before AS VARCHAR) || ' to ' || CAST(entries AS VARCHAR) AS change
  FROM counts
  WHERE is_counted = 1
    AND entries < entries_before
  UNION ALL
  SELECT event_id AS event_id, change AS change
  FROM (
    SELECT
      event_id AS event_id,
      CASE
        WHEN (
            COALESCE(json_array_length(json_extract(settings, '$.guardrailInferenceConfig.modelEnforcement.excludedModels')), 0)
              > COALESCE(
                json_array_length(json_extract(settings_before, '$.guardrailInferenceConfig.modelEnforcement.excludedModels')), 0
              )
            -- Without a list of models included, every model is.
            OR COALESCE(
              json_array_length(json_extract(settings, '$.guardrailInferenceConfig.modelEnforcement.includedModels')), 1000000
            )
              < COALESCE(
                json_array_length(json_extract(settings_before, '$.guardrailInferenceConfig.modelEnforcement.includedModels')),
                1000000
              )
          )
          THEN 'fewer models are covered'
        WHEN (
            (
              json_extract_scalar(settings, '$.guardrailInferenceConfig.inputTags') = 'HONOR'
              AND json_extract_scalar(settings_before, '$.guardrailInferenceConfig.inputTags') = 'IGNORE'
            )
            OR (
              json_extract_scalar(settings, '$.guardrailInferenceConfig.selectiveContentGuarding.messages') = 'SELECTIVE'
              AND json_extract_scalar(settings_before, '$.guardrailInferenceConfig.selectiveContentGuarding.messages')
                = 'COMPREHENSIVE'
            )
            OR (
              json_extract_scalar(settings, '$.guardrailInferenceConfig.selectiveContentGuarding.system') = 'SELECTIVE'
              AND json_extract_scalar(settings_before, '$.guardrailInferenceConfig.selectiveContentGuarding.system')
                = 'COMPREHENSIVE'
            )
          )
          THEN 'callers may choose what is checked'
      END AS change
    FROM pairs
    WHERE event_name = 'PutEnforcedGuardrailConfiguration'
      AND settings IS NOT NULL
      AND settings_before IS NOT NULL
  ) AS enforced
  WHERE change IS NOT NULL
),
told AS (
  SELECT event_id AS event_id, array_join(array_agg(DISTINCT change ORDER BY change), ', ') AS changes
  FROM weaker
  GROUP BY event_id
),
compared AS (
  SELECT
    p.event_id AS event_id,
    p.event_time AS event_time,
    p.event_name AS event_name,
    p.account_id AS account_id,
    p.aws_region AS aws_region,
    p.principal AS principal,
    p.outcome AS outcome,
    p.thing AS thing,
    CASE
      WHEN p.event_name <> 'UpdateGuardrail' OR (
          json_extract(p.settings, '$.contentPolicyConfig') IS NOT NULL
          OR json_extract(p.settings, '$.topicPolicyConfig') IS NOT NULL
          OR json_extract(p.settings, '$.wordPolicyConfig') IS NOT NULL
          OR json_extract(p.settings, '$.sensitiveInformationPolicyConfig') IS NOT NULL
          OR json_extract(p.settings, '$.contextualGroundingPolicyConfig') IS NOT NULL
          OR json_extract(p.settings, '$.automatedReasoningPolicyConfig') IS NOT NULL
        )
        THEN w.changes
    END AS changes,
    CASE
      WHEN p.settings IS NULL OR (p.event_name = 'UpdateGuardrail' AND NOT (
      json_extract(p.settings, '$.contentPolicyConfig') IS NOT NULL
      OR json_extract(p.settings, '$.topicPolicyConfig') IS NOT NULL
      OR json_extract(p.settings, '$.wordPolicyConfig') IS NOT NULL
      OR json_extract(p.settings, '$.sensitiveInformationPolicyConfig') IS NOT NULL
      OR json_extract(p.settings, '$.contextualGroundingPolicyConfig') IS NOT NULL
      OR json_extract(p.settings, '$.automatedReasoningPolicyConfig') IS NOT NULL
    ))
        THEN 'the record does not show the settings'
      WHEN NOT p.has_before THEN 'no earlier settings are known'
      WHEN p.settings_before IS NULL OR (p.event_name = 'UpdateGuardrail' AND NOT (
      json_extract(p.settings_before, '$.contentPolicyConfig') IS NOT NULL
      OR json_extract(p.settings_before, '$.topicPolicyConfig') IS NOT NULL
      OR json_extract(p.settings_before, '$.wordPolicyConfig') IS NOT NULL
      OR json_extract(p.settings_before, '$.sensitiveInformationPolicyConfig') IS NOT NULL
      OR json_extract(p.settings_before, '$.contextualGroundingPolicyConfig') IS NOT NULL
      OR json_extract(p.settings_before, '$.automatedReasoningPolicyConfig') IS NOT NULL
    ))
        THEN 'the earlier record does not show the settings'
      WHEN regexp_like(
        COALESCE(json_format(json_extract(p.settings, '$.contentPolicyConfig')), '')
        || COALESCE(json_format(json_extract(p.settings, '$.topicPolicyConfig')), '')
        || COALESCE(json_format(json_extract(p.settings, '$.wordPolicyConfig')), '')
        || COALESCE(json_format(json_extract(p.settings, '$.sensitiveInformationPolicyConfig')), '')
        || COALESCE(json_format(json_extract(p.settings, '$.contextualGroundingPolicyConfig')), '')
        || COALESCE(json_format(json_extract(p.settings_before, '$.contentPolicyConfig')), '')
        || COALESCE(json_format(json_extract(p.settings_before, '$.topicPolicyConfig')), '')
        || COALESCE(json_format(json_extract(p.settings_before, '$.wordPolicyConfig')), '')
        || COALESCE(json_format(json_extract(p.settings_before, '$.sensitiveInformationPolicyConfig')), '')
        || COALESCE(json_format(json_extract(p.settings_before, '$.contextualGroundingPolicyConfig')), ''),
        '"(HIDDEN_DUE_TO_SECURITY_REASONS|REDACTED|[*]{3}|[*]{3}OMITTED[*]{3})"'
      )
        THEN 'the records hide parts of the settings'
      WHEN p.event_name = 'PutEnforcedGuardrailConfiguration'
        AND (
          COALESCE(json_extract_scalar(p.settings, '$.guardrailInferenceConfig.guardrailIdentifier'), '')
            <> COALESCE(json_extract_scalar(p.settings_before, '$.guardrailInferenceConfig.guardrailIdentifier'), '')
          OR COALESCE(json_extract_scalar(p.settings, '$.guardrailInferenceConfig.guardrailVersion'), '')
            <> COALESCE(json_extract_scalar(p.settings_before, '$.guardrailInferenceConfig.guardrailVersion'), '')
        )
        THEN 'another guardrail or version is enforced now: compare the two'
    END AS unknown
  FROM pairs AS p
  LEFT JOIN told AS w ON w.event_id = p.event_id
)
SELECT
  event_id AS event_id,
  event_time AS event_time,
  event_name AS event_name,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  outcome AS outcome,
  thing AS guardrail,
  changes AS weakened,
  unknown AS obstacle
FROM compared
