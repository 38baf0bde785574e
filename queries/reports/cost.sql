-- title = "What model calls cost, as an estimate"
-- question = "What did each role's use of each model cost, about, and for how many calls is that not known?"
-- frameworks = ["ISO/IEC 42001: A.4.2"]
-- glance = ["day", "account_id", "principal", "model_id", "calls", "unknown_share", "input_tokens", "output_tokens", "estimated_usd", "price_as_of"]
--
-- [columns]
-- day = "The day, UTC."
-- account_id = "The account."
-- principal = "Who called: role, user, API key or identity of a token."
-- role_arn = "The role, where there is one."
-- model_id = "The model."
-- calls = "Calls that succeeded."
-- calls_without_tokens = "Calls of these whose tokens no source records: they cost something, and are not in the estimate."
-- unknown_share = "calls_without_tokens as a share of calls, from 0 to 1."
-- input_tokens = "Tokens in, where recorded; null where none are."
-- output_tokens = "Tokens out."
-- cache_read_tokens = "Tokens read from a cache."
-- cache_write_tokens = "Tokens written to a cache."
-- model_known_by = "How the model is known: recorded, trail, policy or file; of several, each."
-- estimated_usd = "Tokens times list price, in US dollars: an estimate, without discounts, commitments or taxes. Null where no price is known for some of the tokens."
-- price_class = "The class of Region or profile whose price was taken; of several, the first by alphabet."
-- price_as_of = "The date of the price."
-- price_source = "Where the price comes from, of several the first by alphabet; null where the price table has none for this model."
-- unpriced = "Why calls have no price by tokens: provisioned throughput is paid by the hour, and a custom, imported or marketplace model by terms of its own."

WITH called AS (
  SELECT
    CAST(date_trunc('day', event_time) AS DATE) AS day,
    account_id AS account_id,
    principal AS principal,
    role_arn AS role_arn,
    model_id AS model_id,
    model_vendor AS model_vendor,
    model_known_by AS model_known_by,
    CASE WHEN model_kind IN ('provisioned', 'custom', 'imported', 'marketplace') THEN model_kind END AS paid_otherwise,
    aws_region AS aws_region,
    profile_scope AS profile_scope,
    CASE
      WHEN COALESCE(input_tokens, 0) + COALESCE(cache_read_tokens, 0) + COALESCE(cache_write_tokens, 0)
        > CASE WHEN model_vendor = 'openai' THEN 272000 ELSE 200000 END THEN 'standard-long-context'
      ELSE 'standard'
    END AS tier,
    COUNT(*) AS calls,
    COUNT(*) FILTER (WHERE token_source IS NULL) AS calls_without_tokens,
    SUM(input_tokens) AS input_tokens,
    SUM(output_tokens) AS output_tokens,
    SUM(cache_read_tokens) AS cache_read_tokens,
    SUM(cache_write_tokens) AS cache_write_tokens
  FROM usage
  WHERE outcome = 'ok'
  GROUP BY
    CAST(date_trunc('day', event_time) AS DATE), account_id, principal, role_arn, model_id, model_vendor, aws_region,
    profile_scope, model_known_by,
    CASE WHEN model_kind IN ('provisioned', 'custom', 'imported', 'marketplace') THEN model_kind END,
    CASE
      WHEN COALESCE(input_tokens, 0) + COALESCE(cache_read_tokens, 0) + COALESCE(cache_write_tokens, 0)
        > CASE WHEN model_vendor = 'openai' THEN 272000 ELSE 200000 END THEN 'standard-long-context'
      ELSE 'standard'
    END
),
prices AS (
  SELECT
    model_id AS model_id,
    region_class AS region_class,
    tier AS tier,
    CAST(input_usd_per_1k AS DECIMAL(18, 10)) AS input_usd,
    CAST(output_usd_per_1k AS DECIMAL(18, 10)) AS output_usd,
    CAST(cache_read_usd_per_1k AS DECIMAL(18, 10)) AS cache_read_usd,
    CAST(cache_write_usd_per_1k AS DECIMAL(18, 10)) AS cache_write_usd,
    as_of AS as_of,
    source AS source
  FROM ref_price
),
combinations AS (
  SELECT DISTINCT
    model_id AS model_id, aws_region AS aws_region, profile_scope AS profile_scope, tier AS tier
  FROM called
),
-- The nearest price, of two the newer: of the profile, else of the Region, else of its class, else the one without a class.
ranked AS (
  SELECT
    c.model_id AS model_id,
    COALESCE(c.aws_region, '') AS region_key,
    COALESCE(c.profile_scope, '') AS scope_key,
    c.tier AS tier,
    p.region_class AS region_class,
    p.input_usd AS input_usd,
    p.output_usd AS output_usd,
    p.cache_read_usd AS cache_read_usd,
    p.cache_write_usd AS cache_write_usd,
    p.as_of AS as_of,
    p.source AS source,
    ROW_NUMBER() OVER (
      PARTITION BY c.model_id, c.aws_region, c.profile_scope, c.tier
      ORDER BY
        CASE WHEN p.tier = c.tier THEN 0 ELSE 1 END ASC,
        CASE WHEN p.model_id = c.model_id THEN 0 ELSE 1 END ASC,
        CASE
          WHEN p.region_class IN (c.profile_scope, c.aws_region) THEN 0
          WHEN p.region_class IN ('geo', 'in-region', 'us-gov') THEN 1
          ELSE 2
        END ASC,
        p.as_of DESC NULLS LAST,
        p.model_id ASC,
        p.region_class ASC,
        p.source ASC NULLS LAST,
        p.input_usd ASC NULLS LAST,
        p.output_usd ASC NULLS LAST
    ) AS place
  FROM combinations AS c
  JOIN prices AS p
    ON split_part(p.model_id, ':', 1) = split_part(c.model_id, ':', 1)
  WHERE p.tier IN (c.tier, 'standard')
    AND (
      p.region_class = 'default'
      OR (c.profile_scope IS NOT NULL AND p.region_class = c.profile_scope)
      OR (c.profile_scope IS NOT NULL AND c.profile_scope <> 'global' AND p.region_class = 'geo')
      OR (c.profile_scope IS NULL AND p.region_class IN (c.aws_region, 'in-region'))
      OR (starts_with(c.aws_region, 'us-gov-') AND p.region_class IN (c.aws_region, 'us-gov'))
    )
),
priced AS (
  SELECT
    c.day AS day,
    c.account_id AS account_id,
    c.principal AS principal,
    c.role_arn AS role_arn,
    c.model_id AS model_id,
    c.model_known_by AS model_known_by,
    c.paid_otherwise AS paid_otherwise,
    c.calls AS calls,
    c.calls_without_tokens AS calls_without_tokens,
    c.input_tokens AS input_tokens,
    c.output_tokens AS output_tokens,
    c.cache_read_tokens AS cache_read_tokens,
    c.cache_write_tokens AS cache_write_tokens,
    -- Decimals: their sum does not depend on the order of the rows. Tokens without a price of their kind are not free.
    CASE
      WHEN r.source IS NOT NULL AND c.calls_without_tokens < c.calls
        THEN (
          CAST(COALESCE(c.input_tokens, 0) AS DECIMAL(18, 0))
            * CASE WHEN c.input_tokens > 0 THEN r.input_usd ELSE CAST(0 AS DECIMAL(18, 10)) END
          + CAST(COALESCE(c.output_tokens, 0) AS DECIMAL(18, 0))
            * CASE WHEN c.output_tokens > 0 THEN r.output_usd ELSE CAST(0 AS DECIMAL(18, 10)) END
          + CAST(COALESCE(c.cache_read_tokens, 0) AS DECIMAL(18, 0))
            * CASE
              WHEN c.cache_read_tokens > 0 THEN COALESCE(r.cache_read_usd, r.input_usd)
              ELSE CAST(0 AS DECIMAL(18, 10))
            END
          + CAST(COALESCE(c.cache_write_tokens, 0) AS DECIMAL(18, 0))
            * CASE
              WHEN c.cache_write_tokens > 0 THEN COALESCE(r.cache_write_usd, r.input_usd)
              ELSE CAST(0 AS DECIMAL(18, 10))
            END
        )
    END AS milli_usd,
    r.region_class AS region_class,
    r.as_of AS as_of,
    r.source AS source
  FROM called AS c
  LEFT JOIN ranked AS r
    ON r.model_id = c.model_id
    AND r.region_key = COALESCE(c.aws_region, '')
    AND r.scope_key = COALESCE(c.profile_scope, '')
    AND r.tier = c.tier
    AND r.place = 1
    AND c.paid_otherwise IS NULL
)
SELECT
  day AS day,
  account_id AS account_id,
  principal AS principal,
  role_arn AS role_arn,
  model_id AS model_id,
  SUM(calls) AS calls,
  SUM(calls_without_tokens) AS calls_without_tokens,
  CAST(CAST(CAST(SUM(calls_without_tokens) AS DOUBLE) / CAST(SUM(calls) AS DOUBLE) AS DECIMAL(9, 4)) AS DOUBLE) AS unknown_share,
  SUM(input_tokens) AS input_tokens,
  SUM(output_tokens) AS output_tokens,
  SUM(cache_read_tokens) AS cache_read_tokens,
  SUM(cache_write_tokens) AS cache_write_tokens,
  array_join(
    array_agg(DISTINCT model_known_by ORDER BY model_known_by) FILTER (WHERE model_known_by IS NOT NULL), ' '
  ) AS model_known_by,
  CAST(CAST(CAST(SUM(milli_usd) AS DOUBLE) / 1000 AS DECIMAL(18, 6)) AS DOUBLE) AS estimated_usd,
  MIN(region_class) AS price_class,
  MIN(as_of) AS price_as_of,
  MIN(source) AS price_source,
  CASE
    WHEN MIN(paid_otherwise) = 'provisioned' THEN 'provisioned throughput is paid by the hour'
    WHEN MIN(paid_otherwise) = 'custom' THEN 'a custom model has prices of its own'
    WHEN MIN(paid_otherwise) = 'imported' THEN 'an imported model has prices of its own'
    WHEN MIN(paid_otherwise) = 'marketplace' THEN 'a marketplace model is paid by its own terms'
  END AS unpriced
FROM priced
GROUP BY day, account_id, principal, role_arn, model_id
ORDER BY
  day ASC NULLS LAST, account_id ASC NULLS LAST, principal ASC NULLS LAST, role_arn ASC NULLS LAST,
  model_id ASC NULLS LAST
