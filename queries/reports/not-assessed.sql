-- title = "What this answer cannot see"
-- question = "Which uses would leave no trace in the records read, and which could not be judged?"
-- frameworks = ["ISO/IEC 42001 A.6.2.8", "NIST SP 800-53 AU-2", "NIST SP 800-53 AU-12", "EU AI Act Art. 12"]
--
-- [columns]
-- topic = "What the line is about."
-- verdict = "not_assessed: the records cannot answer; partly: they answer for some calls; not_seen: no trace at all, which proves nothing; seen: the records answer it as far as they are complete."
-- seen_events = "The events that led to the verdict."
-- meaning = "What that means for the numbers."

WITH seen AS (
  SELECT
    CAST(COUNT(*) AS BIGINT) AS events,
    CAST(COUNT(*) FILTER (WHERE surface = 'runtime' AND activity = 'model_invocation') AS BIGINT) AS runtime_calls,
    CAST(COUNT(*) FILTER (WHERE surface = 'mantle' AND activity = 'model_invocation') AS BIGINT) AS mantle_calls,
    CAST(COUNT(*) FILTER (WHERE surface = 'mantle' AND activity <> 'model_invocation') AS BIGINT) AS mantle_other,
    CAST(COUNT(*) FILTER (WHERE surface = 'agents' AND event_category = 'Data') AS BIGINT) AS agent_calls,
    CAST(COUNT(*) FILTER (WHERE surface = 'agents' AND event_category <> 'Data') AS BIGINT) AS agent_other,
    CAST(COUNT(*) FILTER (
      WHERE surface IN ('agentcore', 'gateway') AND event_category = 'Data'
    ) AS BIGINT) AS agentcore_calls,
    CAST(COUNT(*) FILTER (
      WHERE surface IN ('agentcore', 'gateway') AND event_category <> 'Data'
    ) AS BIGINT) AS agentcore_other,
    CAST(COUNT(*) FILTER (WHERE activity = 'batch') AS BIGINT) AS batch_jobs,
    CAST(COUNT(*) FILTER (WHERE credential IN ('bearer_short', 'bearer_unknown')) AS BIGINT) AS short_keys,
    CAST(COUNT(*) FILTER (WHERE activity IN ('model_invocation', 'batch')) AS BIGINT) AS judged_calls,
    CAST(COUNT(*) FILTER (WHERE activity = 'model_invocation' AND outcome = 'ok') AS BIGINT) AS ok_calls,
    CAST(COUNT(*) FILTER (
      WHERE activity = 'model_invocation' AND outcome = 'ok'
        AND (
          input_tokens BETWEEN 0 AND 1000000000000 OR output_tokens BETWEEN 0 AND 1000000000000
          OR cache_read_tokens BETWEEN 0 AND 1000000000000 OR cache_write_tokens BETWEEN 0 AND 1000000000000
        )
    ) AS BIGINT) AS counted_calls
  FROM events
  WHERE record_kind = 'api_call'
),
named AS (
  SELECT CAST(COUNT(*) FILTER (WHERE model_known_by IS NULL) AS BIGINT) AS unnamed_models
  FROM model_calls
),
-- Calls whose Region is told elsewhere, as call_tokens has it, but without saying which.
placed AS (
  SELECT account_id AS account_id, request_id AS request_id
  FROM events
  WHERE record_kind = 'service_event'
    AND account_id IS NOT NULL
    AND request_id IS NOT NULL
    AND inference_region IS NOT NULL
  UNION
  SELECT account_id AS account_id, request_id AS request_id
  FROM invocation_logs
  WHERE account_id IS NOT NULL
    AND request_id IS NOT NULL
    AND inference_region <> ''
),
unplaced AS (
  SELECT CAST(COUNT(*) AS BIGINT) AS unplaced_calls
  FROM model_calls AS m
  LEFT JOIN placed AS p
    ON p.account_id = m.account_id
    AND p.request_id = m.request_id
  WHERE m.activity = 'model_invocation'
    AND m.outcome = 'ok'
    AND m.inference_region IS NULL
    AND p.request_id IS NULL
    AND (
      m.profile_scope = 'global'
      OR m.model_id IS NULL
      OR m.aws_region IS NULL
      OR (
        m.profile_scope IS NULL AND COALESCE(m.model_known_by, '') <> 'trail'
        AND m.model_kind IN ('application_profile', 'prompt', 'router', 'unresolved')
      )
    )
),
-- Calls whose tokens are told elsewhere, as call_tokens has them, but without saying how many.
told AS (
  SELECT account_id AS account_id, request_id AS request_id, 1 AS twins
  FROM events
  WHERE record_kind = 'service_event'
    AND account_id IS NOT NULL
    AND request_id IS NOT NULL
    AND (
      input_tokens BETWEEN 0 AND 1000000000000 OR output_tokens BETWEEN 0 AND 1000000000000
      OR cache_read_tokens BETWEEN 0 AND 1000000000000 OR cache_write_tokens BETWEEN 0 AND 1000000000000
    )
  UNION ALL
  SELECT account_id AS account_id, request_id AS request_id, 1 AS twins
  FROM nearby_service_events
  WHERE account_id IS NOT NULL
    AND request_id IS NOT NULL
    AND (
      input_tokens BETWEEN 0 AND 1000000000000 OR output_tokens BETWEEN 0 AND 1000000000000
      OR cache_read_tokens BETWEEN 0 AND 1000000000000 OR cache_write_tokens BETWEEN 0 AND 1000000000000
    )
  UNION ALL
  SELECT account_id AS account_id, request_id AS request_id, 0 AS twins
  FROM invocation_logs
  WHERE account_id IS NOT NULL
    AND request_id IS NOT NULL
    AND COALESCE(input_tokens, output_tokens) IS NOT NULL
),
requests AS (
  SELECT account_id AS account_id, request_id AS request_id, MAX(twins) AS twins
  FROM told
  GROUP BY account_id, request_id
),
answered AS (
  SELECT
    r.account_id AS account_id,
    r.request_id AS request_id,
    MAX(r.twins) AS twins,
    COUNT(*) AS records,
    COUNT(*) FILTER (WHERE e.outcome = 'ok') AS ok,
    COUNT(*) FILTER (
      WHERE e.input_tokens BETWEEN 0 AND 1000000000000 OR e.output_tokens BETWEEN 0 AND 1000000000000
        OR e.cache_read_tokens BETWEEN 0 AND 1000000000000 OR e.cache_write_tokens BETWEEN 0 AND 1000000000000
    ) AS counted,
    COUNT(COALESCE(e.input_tokens, e.output_tokens, e.cache_read_tokens, e.cache_write_tokens)) AS recorded
  FROM requests AS r
  JOIN events AS e
    ON e.account_id = r.account_id
    AND e.request_id = r.request_id
  WHERE e.record_kind = 'api_call'
    AND e.activity = 'model_invocation'
  GROUP BY r.account_id, r.request_id
),
-- Of records that share a request one has the tokens, and that one need not be one that succeeded.
several AS (
  SELECT
    a.twins AS twins,
    CASE WHEN e.outcome = 'ok' THEN 1 ELSE 0 END AS ok,
    CASE
      WHEN e.input_tokens BETWEEN 0 AND 1000000000000 OR e.output_tokens BETWEEN 0 AND 1000000000000
        OR e.cache_read_tokens BETWEEN 0 AND 1000000000000 OR e.cache_write_tokens BETWEEN 0 AND 1000000000000
      THEN 1
      ELSE 0
    END AS counted,
    CASE
      WHEN COALESCE(e.input_tokens, e.output_tokens, e.cache_read_tokens, e.cache_write_tokens) IS NULL THEN 0
      ELSE 1
    END AS recorded,
    ROW_NUMBER() OVER (
      PARTITION BY e.account_id, e.request_id
      ORDER BY
        CASE
          WHEN COALESCE(e.input_tokens, e.output_tokens, e.cache_read_tokens, e.cache_write_tokens) IS NULL THEN 1
          ELSE 0
        END ASC,
        e.log_object ASC NULLS LAST,
        e.log_index ASC NULLS LAST
    ) AS place
  FROM answered AS a
  JOIN events AS e
    ON e.account_id = a.account_id
    AND e.request_id = a.request_id
  WHERE a.records > 1
    AND e.record_kind = 'api_call'
    AND e.activity = 'model_invocation'
),
carrying AS (
  SELECT twins AS twins, ok AS ok, counted AS counted, recorded AS recorded
  FROM answered
  WHERE records = 1
  UNION ALL
  SELECT twins AS twins, ok AS ok, counted AS counted, recorded AS recorded
  FROM several
  WHERE place = 1
),
tokens AS (
  SELECT CAST(COUNT(*) AS BIGINT) AS told_calls
  FROM carrying
  WHERE ok > 0
    AND counted = 0
    AND (twins = 1 OR recorded = 0)
),
policy AS (
  SELECT COUNT(*) AS versions
  FROM policy_version
),
topics AS (
  SELECT
    t.place AS place,
    t.topic AS topic,
    CASE
      WHEN t.topic = 'completeness' THEN 'not_assessed'
      WHEN t.topic = 'policy' THEN CASE WHEN p.versions > 0 THEN 'seen' ELSE 'not_assessed' END
      WHEN t.topic = 'bedrock-runtime calls' THEN CASE WHEN s.runtime_calls > 0 THEN 'seen' ELSE 'not_seen' END
      WHEN t.topic = 'bedrock-mantle calls' THEN
        CASE WHEN s.mantle_calls > 0 THEN 'seen' WHEN s.mantle_other > 0 THEN 'not_assessed' ELSE 'not_seen' END
      WHEN t.topic = 'agent calls' THEN
        CASE WHEN s.agent_calls > 0 THEN 'seen' WHEN s.agent_other > 0 THEN 'not_assessed' ELSE 'not_seen' END
      WHEN t.topic = 'AgentCore calls' THEN
        CASE WHEN s.agentcore_calls > 0 THEN 'seen' WHEN s.agentcore_other > 0 THEN 'not_assessed' ELSE 'not_seen' END
      WHEN t.topic = 'batch jobs' THEN CASE WHEN s.batch_jobs > 0 THEN 'not_assessed' ELSE 'not_seen' END
      WHEN t.topic = 'short-term keys' THEN CASE WHEN s.short_keys > 0 THEN 'not_assessed' ELSE 'not_seen' END
      WHEN t.topic = 'invocation logging' THEN
        CASE WHEN s.mantle_calls + s.mantle_other > 0 THEN 'not_assessed' ELSE 'not_seen' END
      WHEN t.topic = 'model names' THEN
        CASE
          WHEN s.judged_calls = 0 THEN 'not_seen'
          WHEN n.unnamed_models = 0 THEN 'seen'
          WHEN n.unnamed_models < s.judged_calls THEN 'partly'
          ELSE 'not_assessed'
        END
      WHEN t.topic = 'token counts' THEN
        CASE
          WHEN s.ok_calls = 0 THEN 'not_seen'
          WHEN s.counted_calls + u.told_calls = s.ok_calls THEN 'seen'
          WHEN s.counted_calls + u.told_calls > 0 THEN 'partly'
          ELSE 'not_assessed'
        END
      WHEN t.topic = 'processing Region' THEN
        CASE WHEN r.unplaced_calls > 0 THEN 'not_assessed' WHEN s.ok_calls > 0 THEN 'seen' ELSE 'not_seen' END
      ELSE 'not_assessed'
    END AS verdict,
    CASE
      WHEN t.topic = 'completeness' THEN s.events
      WHEN t.topic = 'policy' THEN s.judged_calls
      WHEN t.topic = 'bedrock-runtime calls' THEN s.runtime_calls
      WHEN t.topic = 'bedrock-mantle calls' THEN CASE WHEN s.mantle_calls > 0 THEN s.mantle_calls ELSE s.mantle_other END
      WHEN t.topic = 'agent calls' THEN CASE WHEN s.agent_calls > 0 THEN s.agent_calls ELSE s.agent_other END
      WHEN t.topic = 'AgentCore calls' THEN CASE WHEN s.agentcore_calls > 0 THEN s.agentcore_calls ELSE s.agentcore_other END
      WHEN t.topic = 'batch jobs' THEN s.batch_jobs
      WHEN t.topic = 'short-term keys' THEN s.short_keys
      WHEN t.topic = 'invocation logging' THEN s.mantle_calls + s.mantle_other
      WHEN t.topic = 'model names' THEN CASE WHEN n.unnamed_models > 0 THEN n.unnamed_models ELSE s.judged_calls END
      WHEN t.topic = 'token counts' THEN s.counted_calls + u.told_calls
      WHEN t.topic = 'processing Region' THEN CASE WHEN r.unplaced_calls > 0 THEN r.unplaced_calls ELSE s.ok_calls END
      ELSE s.events
    END AS seen_events
  FROM seen AS s
  CROSS JOIN named AS n
  CROSS JOIN unplaced AS r
  CROSS JOIN tokens AS u
  CROSS JOIN policy AS p
  CROSS JOIN (
    VALUES
      (1, 'completeness'),
      (2, 'policy'),
      (3, 'bedrock-runtime calls'),
      (4, 'bedrock-mantle calls'),
      (5, 'agent calls'),
      (6, 'AgentCore calls'),
      (7, 'batch jobs'),
      (8, 'short-term keys'),
      (9, 'model names'),
      (10, 'token counts'),
      (11, 'processing Region'),
      (12, 'invocation logging'),
      (13, 'prompts and answers')
  ) AS t (place, topic)
)
SELECT
  topic AS topic,
  verdict AS verdict,
  seen_events AS seen_events,
  CASE
    WHEN topic = 'completeness' THEN
      'It was not verified that the records read are complete and unaltered. The numbers hold for these records only.'
    WHEN topic = 'policy' AND verdict = 'seen' THEN 'Model calls and batch jobs were held against the policy.'
    WHEN topic = 'policy' THEN
      'No policy was given. Whether a model call or batch job was allowed is not assessed.'
    WHEN topic = 'bedrock-runtime calls' AND verdict = 'seen' THEN
      'Calls to bedrock-runtime are recorded as management events and are counted.'
    WHEN topic = 'bedrock-runtime calls' THEN
      'No call to bedrock-runtime is recorded. These calls are read-only events: a trail that records only writes leaves them out.'
    WHEN topic = 'bedrock-mantle calls' AND verdict = 'seen' THEN
      'CreateInference data events are seen, but only where a selector asks for them. Those recorded are counted.'
    WHEN topic = 'bedrock-mantle calls' AND verdict = 'not_assessed' THEN
      'bedrock-mantle is in use, but no CreateInference data event is recorded. OpenAI-compatible and Codex calls are not in these numbers. bedtrail selectors --for mantle prints the setting that records them.'
    WHEN topic = 'bedrock-mantle calls' THEN
      'No trace of bedrock-mantle, whose model calls are data events and off by default. This does not show that there were none.'
    WHEN topic = 'agent calls' AND verdict = 'seen' THEN
      'Data events of Bedrock agents, flows or knowledge bases are seen, but only of types with a selector. Those recorded are counted.'
    WHEN topic = 'agent calls' AND verdict = 'not_assessed' THEN
      'Bedrock agents, flows or knowledge bases are managed here, but no data event of theirs is recorded. Their use is not in these numbers. bedtrail selectors --for agents prints the setting that records it.'
    WHEN topic = 'agent calls' THEN
      'No trace of Bedrock agents, flows or knowledge bases, whose calls are data events and off by default. This does not show that there were none.'
    WHEN topic = 'AgentCore calls' AND verdict = 'seen' THEN
      'Data events of AgentCore are seen, but only of types with a selector. Those recorded are counted.'
    WHEN topic = 'AgentCore calls' AND verdict = 'not_assessed' THEN
      'AgentCore is managed here, but no data event of it is recorded. Its runtimes, gateways, tools and memory are not in these numbers. bedtrail selectors --for agentcore prints the setting that records them.'
    WHEN topic = 'AgentCore calls' THEN
      'No trace of AgentCore, whose calls are data events and off by default. This does not show that there were none.'
    WHEN topic = 'batch jobs' AND verdict = 'not_assessed' THEN
      'Batch jobs were submitted, and the requests inside a job leave no records. Their number and tokens are not known.'
    WHEN topic = 'batch jobs' THEN 'No batch job is recorded.'
    WHEN topic = 'short-term keys' AND verdict = 'not_assessed' THEN
      'Calls were made with short-term keys, or keys of an unknown kind. Short-term keys are made on the caller''s machine: no record tells how many there are.'
    WHEN topic = 'short-term keys' THEN
      'No call with a short-term key is recorded. That one was made leaves no record.'
    WHEN topic = 'invocation logging' AND verdict = 'not_assessed' THEN
      'bedrock-mantle is in use, and model invocation logging does not cover it: a data event is the only record of such a call, without tokens.'
    WHEN topic = 'invocation logging' THEN 'No trace of bedrock-mantle, which model invocation logging does not cover.'
    WHEN topic = 'model names' AND verdict = 'seen' THEN 'Every model call names its model, or it is known from the trail or an alias.'
    WHEN topic = 'model names' AND verdict = 'not_seen' THEN 'No model call is recorded.'
    WHEN topic = 'model names' THEN
      'Some model calls do not name the model behind them, and nothing else does; the report unresolved lists them. Whether they were allowed is not assessed unless the policy covers the reference itself.'
    WHEN topic = 'token counts' AND verdict = 'seen' THEN 'Every successful model call has token counts.'
    WHEN topic = 'token counts' AND verdict = 'not_seen' THEN 'No successful model call is recorded.'
    WHEN topic = 'token counts' AND verdict = 'partly' THEN
      'Only some successful model calls have token counts. Token sums are lower bounds.'
    WHEN topic = 'token counts' THEN 'No successful model call has token counts. Empty sums do not mean zero.'
    WHEN topic = 'processing Region' AND verdict = 'seen' THEN
      'Each successful model call names the Region it ran in, or was not sent to another one.'
    WHEN topic = 'processing Region' AND verdict = 'not_seen' THEN 'No successful model call is recorded.'
    WHEN topic = 'processing Region' THEN
      'Some successful calls used a profile that can run elsewhere, or a reference that may stand for one, and their records do not say where the model ran.'
    ELSE 'CloudTrail records no prompt and no answer. What was asked and answered is not assessed.'
  END AS meaning
FROM topics
ORDER BY place ASC
