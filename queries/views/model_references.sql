-- title = "What stands behind references that do not name a model"
-- meaning = """\
-- One row per reference that calls of an account and Region sent (application inference profile, provisioned \
-- throughput, deployment, prompt, prompt router, marketplace endpoint, a name) and stretch of time, with the model \
-- behind it, where something says it: a record of its making or change (trail), an alias of the policy, or one of a \
-- file (--aliases). What is dated counts from its time on, the latest before the call first; before the first of \
-- these an alias without a date, the policy's before a file's. Where there is none, an ARN, or the id in it, was never \
-- another thing, and the first record of its making tells of the time before; a name may have been another thing's, \
-- and nothing is known. The stretches of a reference do not overlap. Records before the window count where there is a history."""
-- uses = []
--
-- [columns]
-- account_key = "The account that received the calls; empty where it is not recorded."
-- region_key = "The Region called; empty where it is not recorded."
-- reference = "The reference as sent, as in events.model_requested."
-- valid_from = "The first instant for which the row holds, UTC; null: from the beginning."
-- valid_to = "The first instant for which it holds no longer, UTC; null: to the end."
-- model_id = "The model behind it: a base id, or the ARN of a custom or marketplace model; null where it is one of several."
-- model_vendor = "The base id up to the first dot."
-- model_family = "The family, for known models."
-- model_version = "The version, for known models."
-- profile_scope = "The prefix of the inference profile behind it: us, eu, global, …"
-- known_by = "trail, policy or file; null where what is known does not name a base model: a custom model, or one of several."
-- evidence = "The id of the event, the version of the policy or the file that says it."
-- otherwise = "What else is said of it and differs, or which models it may be where it is one of several."

WITH calls AS (
  SELECT DISTINCT
    COALESCE(account_id, '') AS account_key,
    COALESCE(aws_region, '') AS region_key,
    model_requested AS reference,
    model_id AS model_id
  FROM (
    SELECT account_id AS account_id, aws_region AS aws_region, model_requested AS model_requested, model_id AS model_id
    FROM events
    WHERE record_kind = 'api_call'
      AND activity IN ('model_invocation', 'batch')
      AND model_requested IS NOT NULL
    UNION ALL
    SELECT account_id AS account_id, aws_region AS aws_region, model_requested AS model_requested, model_id AS model_id
    FROM history
    WHERE record_kind = 'api_call'
      AND activity IN ('model_invocation', 'batch')
      AND model_requested IS NOT NULL
  ) AS sent
),
records AS (
  SELECT
    event_id AS event_id, event_time AS event_time, event_name AS event_name, account_id AS account_id,
    aws_region AS aws_region, model_requested AS model_requested, request_parameters AS request_parameters,
    response_elements AS response_elements
  FROM events
  WHERE record_kind = 'api_call'
    AND outcome = 'ok'
    AND event_name IN (
      'CreateCustomModelDeployment', 'CreateInferenceProfile', 'CreateMarketplaceModelEndpoint', 'CreatePrompt',
      'CreatePromptRouter', 'CreatePromptVersion', 'CreateProvisionedModelThroughput',
      'RegisterMarketplaceModelEndpoint', 'UpdateCustomModelDeployment', 'UpdatePrompt',
      'UpdateProvisionedModelThroughput'
    )
  UNION ALL
  SELECT
    event_id AS event_id, event_time AS event_time, event_name AS event_name, account_id AS account_id,
    aws_region AS aws_region, model_requested AS model_requested, request_parameters AS request_parameters,
    response_elements AS response_elements
  FROM history
  WHERE record_kind = 'api_call'
    AND outcome = 'ok'
    AND event_name IN (
      'CreateCustomModelDeployment', 'CreateInferenceProfile', 'CreateMarketplaceModelEndpoint', 'CreatePrompt',
      'CreatePromptRouter', 'CreatePromptVersion', 'CreateProvisionedModelThroughput',
      'RegisterMarketplaceModelEndpoint', 'UpdateCustomModelDeployment', 'UpdatePrompt',
      'UpdateProvisionedModelThroughput'
    )
),
noted AS (
  SELECT
    event_id AS event_id,
    event_time AS since,
    starts_with(event_name, 'Update') AS changed,
    COALESCE(account_id, '') AS account_key,
    COALESCE(aws_region, '') AS region_key,
    CASE
      WHEN event_name = 'CreateInferenceProfile' THEN json_extract_scalar(response_elements, '$.inferenceProfileArn')
      WHEN event_name = 'CreateProvisionedModelThroughput'
        THEN json_extract_scalar(response_elements, '$.provisionedModelArn')
      WHEN event_name = 'UpdateProvisionedModelThroughput'
        THEN json_extract_scalar(request_parameters, '$.provisionedModelId')
      WHEN event_name IN ('CreateCustomModelDeployment', 'UpdateCustomModelDeployment')
        THEN COALESCE(
          json_extract_scalar(response_elements, '$.customModelDeploymentArn'),
          json_extract_scalar(request_parameters, '$.customModelDeploymentIdentifier')
        )
      WHEN event_name = 'CreatePromptRouter' THEN json_extract_scalar(response_elements, '$.promptRouterArn')
      WHEN event_name IN ('CreateMarketplaceModelEndpoint', 'RegisterMarketplaceModelEndpoint')
        THEN json_extract_scalar(response_elements, '$.marketplaceModelEndpoint.endpointArn')
      ELSE json_extract_scalar(response_elements, '$.arn')
    END AS thing,
    CASE
      WHEN event_name = 'CreateProvisionedModelThroughput'
        THEN json_extract_scalar(request_parameters, '$.provisionedModelName')
      WHEN event_name = 'CreateCustomModelDeployment'
        THEN json_extract_scalar(request_parameters, '$.modelDeploymentName')
    END AS name,
    CASE
      WHEN event_name IN (
        'CreateInferenceProfile', 'CreateProvisionedModelThroughput', 'UpdateProvisionedModelThroughput'
      ) THEN model_requested
      WHEN event_name IN ('CreateCustomModelDeployment', 'UpdateCustomModelDeployment')
        THEN json_extract_scalar(request_parameters, '$.modelArn')
      WHEN event_name IN ('CreateMarketplaceModelEndpoint', 'RegisterMarketplaceModelEndpoint')
        THEN json_extract_scalar(request_parameters, '$.modelSourceIdentifier')
      WHEN event_name IN ('CreatePrompt', 'CreatePromptVersion', 'UpdatePrompt')
        AND json_array_length(json_extract(response_elements, '$.variants')) = 1
        THEN json_extract_scalar(response_elements, '$.variants[0].modelId')
    END AS target,
    -- A router chooses: its models, if they are few enough to be named.
    CASE
      WHEN event_name = 'CreatePromptRouter' AND json_array_length(json_extract(request_parameters, '$.models')) < 5
        THEN json_extract_scalar(request_parameters, '$.models[0].modelArn')
          || COALESCE(', ' || json_extract_scalar(request_parameters, '$.models[1].modelArn'), '')
          || COALESCE(', ' || json_extract_scalar(request_parameters, '$.models[2].modelArn'), '')
          || COALESCE(', ' || json_extract_scalar(request_parameters, '$.models[3].modelArn'), '')
          || COALESCE(', ' || json_extract_scalar(request_parameters, '$.fallbackModel.modelArn'), '')
    END AS among
  FROM records
),
-- A change may name the throughput by its name, a call too: whoever made it says which ARN has that name, until another
-- is made that has it.
numbered AS (
  SELECT
    event_id AS event_id, since AS since, changed AS changed, account_key AS account_key, region_key AS region_key,
    name AS name, thing AS thing, target AS target, among AS among,
    COUNT(name) OVER (
      PARTITION BY account_key, region_key, COALESCE(name, thing)
      ORDER BY since ASC NULLS FIRST, CASE WHEN name IS NULL THEN 1 ELSE 0 END ASC, event_id ASC NULLS LAST
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS making
  FROM noted
  WHERE thing IS NOT NULL
    AND COALESCE(target, among) IS NOT NULL
),
called AS (
  SELECT
    event_id AS event_id, since AS since, changed AS changed, account_key AS account_key, region_key AS region_key,
    name AS name, target AS target, among AS among,
    COALESCE(
      MAX(CASE WHEN name IS NOT NULL THEN thing END) OVER (
        PARTITION BY account_key, region_key, COALESCE(name, thing), making
      ),
      thing
    ) AS thing
  FROM numbered
),
told AS (
  SELECT
    thing AS thing,
    CASE
      WHEN starts_with(thing, 'arn:')
        THEN account_key || ' ' || region_key || ' ' || MAX(name) OVER (PARTITION BY account_key, region_key, thing)
    END AS name_key,
    since AS since,
    changed AS changed,
    target AS target,
    among AS among,
    'trail' AS told_by,
    1 AS place,
    event_id AS evidence,
    NULLIF(since, since) AS holds_from,
    NULLIF(since, since) AS holds_to
  FROM called
  UNION ALL
  SELECT
    reference AS thing,
    CAST(NULL AS VARCHAR) AS name_key,
    since AS since,
    FALSE AS changed,
    model_id AS target,
    CAST(NULL AS VARCHAR) AS among,
    known_by AS told_by,
    CASE WHEN known_by = 'policy' THEN 2 ELSE 3 END AS place,
    evidence AS evidence,
    valid_from AS holds_from,
    valid_to AS holds_to
  FROM aliases
),
-- A custom model stands for its base model only where an alias says so.
bases AS (
  SELECT reference AS reference, model_id AS model_id, known_by AS known_by
  FROM (
    SELECT
      reference AS reference, model_id AS model_id, known_by AS known_by,
      ROW_NUMBER() OVER (
        PARTITION BY reference
        ORDER BY known_by DESC NULLS LAST, valid_from DESC NULLS LAST, since DESC NULLS LAST, model_id ASC NULLS LAST
      ) AS place
    FROM aliases
  ) AS numbered
  WHERE place = 1
),
behind AS (
  SELECT
    t.thing AS thing, t.name_key AS name_key, t.since AS since, t.changed AS changed, t.among AS among,
    t.told_by AS told_by, t.place AS place, t.evidence AS evidence, t.holds_from AS holds_from,
    t.holds_to AS holds_to, COALESCE(b.known_by, t.told_by) AS known_by,
    COALESCE(
      regexp_extract(
        COALESCE(b.model_id, t.target),
        '\Aarn:[^:]*:bedrock:[^:]*:[^:]*:(?:foundation-model|inference-profile)/(.+)\z', 1
      ),
      b.model_id, t.target
    ) AS model
  FROM told AS t
  LEFT JOIN bases AS b ON b.reference = t.target
),
split AS (
  SELECT
    thing AS thing, name_key AS name_key, since AS since, changed AS changed, among AS among, told_by AS told_by,
    place AS place, evidence AS evidence, holds_from AS holds_from, holds_to AS holds_to,
    -- The prefixes of queries/data/inference-profile-geographies.csv; none of them is a vendor.
    regexp_extract(model, '\A(apac|au|ca|eu|global|in|jp|us|us-gov)\.', 1) AS profile_scope,
    regexp_replace(model, '\A(apac|au|ca|eu|global|in|jp|us|us-gov)\.', '') AS model_id,
    -- The trail's word for a custom model does not say what it is made of.
    CASE
      WHEN known_by <> 'trail' OR NOT starts_with(model, 'arn:') OR strpos(model, ':hub-content/') > 0 THEN known_by
    END AS known_by
  FROM behind
),
-- Whatever a call may have sent for a thing: its ARN, encoded or not, the last part of it, or its name.
forms AS (
  SELECT
    CASE
      WHEN f.form = 1 THEN s.thing
      WHEN f.form = 2 THEN
        CASE
          WHEN starts_with(s.thing, 'arn:')
            THEN split_part(s.thing, ':', 5) || ' ' || split_part(s.thing, ':', 4) || ' '
              || regexp_extract(s.thing, '/([^/]+)\z', 1)
        END
      ELSE s.name_key
    END AS form_key,
    f.form = 3 OR NOT starts_with(s.thing, 'arn:') AS by_name,
    s.since AS since, s.changed AS changed, s.among AS among, s.told_by AS told_by, s.place AS place,
    s.evidence AS evidence, s.holds_from AS holds_from, s.holds_to AS holds_to, s.profile_scope AS profile_scope,
    s.model_id AS model_id, s.known_by AS known_by
  FROM split AS s
  CROSS JOIN (VALUES (1), (2), (3)) AS f (form)
),
sent AS (
  SELECT
    c.account_key AS account_key, c.region_key AS region_key, c.reference AS reference,
    CASE
      WHEN f.form = 1 THEN c.reference
      WHEN f.form = 2 THEN CASE WHEN c.model_id <> c.reference THEN c.model_id END
      ELSE c.account_key || ' ' || c.region_key || ' ' || c.reference
    END AS form_key
  FROM calls AS c
  CROSS JOIN (VALUES (1), (2), (3)) AS f (form)
),
-- Words with a date, and words without: how many there are of each, and what they say at least and at most.
matched AS (
  SELECT
    s.account_key AS account_key, s.region_key AS region_key, s.reference AS reference, f.since AS since,
    f.by_name AS by_name, f.changed AS changed, f.among AS among, f.told_by AS told_by, f.evidence AS evidence,
    f.holds_from AS holds_from, f.holds_to AS holds_to, f.profile_scope AS profile_scope, f.model_id AS model_id,
    f.known_by AS known_by,
    MIN(f.since) OVER (PARTITION BY s.account_key, s.region_key, s.reference) AS first_since,
    COUNT(CASE WHEN f.since IS NULL THEN 1 END) OVER (
      PARTITION BY s.account_key, s.region_key, s.reference
    ) AS undated,
    COUNT(CASE WHEN f.since IS NULL AND f.told_by = 'policy' THEN 1 END) OVER (
      PARTITION BY s.account_key, s.region_key, s.reference
    ) AS of_policy,
    MIN(CASE WHEN f.since IS NULL THEN f.told_by || ': ' || f.model_id END) OVER (
      PARTITION BY s.account_key, s.region_key, s.reference
    ) AS undated_low,
    MAX(CASE WHEN f.since IS NULL THEN f.told_by || ': ' || f.model_id END) OVER (
      PARTITION BY s.account_key, s.region_key, s.reference
    ) AS undated_high,
    MIN(f.told_by || ': ' || f.model_id) OVER (
      PARTITION BY s.account_key, s.region_key, s.reference, f.since, f.holds_from
    ) AS same_low,
    MAX(f.told_by || ': ' || f.model_id) OVER (
      PARTITION BY s.account_key, s.region_key, s.reference, f.since, f.holds_from
    ) AS same_high,
    ROW_NUMBER() OVER (
      PARTITION BY s.account_key, s.region_key, s.reference, f.since, f.holds_from
      ORDER BY
        f.place ASC, f.model_id ASC NULLS LAST, f.profile_scope ASC NULLS LAST, f.evidence ASC NULLS LAST,
        f.known_by ASC NULLS LAST, f.among ASC NULLS LAST
    ) AS place
  FROM sent AS s
  JOIN forms AS f ON f.form_key = s.form_key
),
chosen AS (
  SELECT
    account_key AS account_key, region_key AS region_key, reference AS reference, among AS among,
    evidence AS evidence, profile_scope AS profile_scope, model_id AS model_id, known_by AS known_by,
    CASE
      WHEN since IS NULL THEN holds_from
      WHEN since > first_since OR by_name OR changed OR undated > 0 THEN since
    END AS valid_from,
    CASE
      WHEN since IS NOT NULL THEN LEAD(since) OVER (
        PARTITION BY account_key, region_key, reference ORDER BY since ASC NULLS FIRST, holds_from ASC NULLS FIRST
      )
      WHEN holds_to IS NULL OR first_since < holds_to THEN first_since
      ELSE holds_to
    END AS valid_to,
    -- Without a date beside dates: the policy's word or a file's; else the other words of the same time.
    CASE WHEN since IS NULL THEN same_low ELSE COALESCE(undated_low, same_low) END AS low,
    CASE WHEN since IS NULL THEN same_high ELSE COALESCE(undated_high, same_high) END AS high
  FROM matched
  WHERE place = 1
    AND (since IS NOT NULL OR told_by = 'policy' OR of_policy = 0)
    AND (since IS NOT NULL OR holds_from IS NULL OR first_since IS NULL OR holds_from < first_since)
),
weighed AS (
  SELECT
    account_key AS account_key, region_key AS region_key, reference AS reference, among AS among,
    evidence AS evidence, profile_scope AS profile_scope, model_id AS model_id, known_by AS known_by,
    valid_from AS valid_from, valid_to AS valid_to,
    CASE WHEN low NOT IN ('trail: ' || model_id, 'policy: ' || model_id, 'file: ' || model_id) THEN low END AS low,
    CASE
      WHEN high <> low AND high NOT IN ('trail: ' || model_id, 'policy: ' || model_id, 'file: ' || model_id) THEN high
    END AS high
  FROM chosen
)
SELECT
  w.account_key AS account_key,
  w.region_key AS region_key,
  w.reference AS reference,
  w.valid_from AS valid_from,
  w.valid_to AS valid_to,
  w.model_id AS model_id,
  CASE
    WHEN NOT starts_with(w.model_id, 'arn:') AND strpos(w.model_id, '.') > 0 THEN split_part(w.model_id, '.', 1)
  END AS model_vendor,
  m.family AS model_family,
  m.version AS model_version,
  w.profile_scope AS profile_scope,
  w.known_by AS known_by,
  w.evidence AS evidence,
  COALESCE(w.low || ', ' || w.high, w.low, w.high, w.among) AS otherwise
FROM weighed AS w
LEFT JOIN ref_model AS m ON m.model_id = w.model_id
