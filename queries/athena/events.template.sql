-- The relation `events` over a CloudTrail table in Amazon Athena (Trino): the columns of src/event/column.rs, with the
-- names, types and meanings that the Rust decoder gives them. SOURCE of queries/athena/events.sql, which is made of
-- this file, queries/scope.toml and queries/data/*.csv by tests/athena/generate.py; never edit that one by hand.
--
-- Left for whoever runs events.sql to replace, each as plain text:
--   $table        the CloudTrail table, quoted where need be:             "default"."cloudtrail_logs"
--   $where        what prunes partitions and picks events; TRUE for all:  r.account IN ('111122223333') AND r.day >= '2026/10/01'
--                 (nothing outside of the innermost SELECT prunes: what removes copies stands between)
--   $environment  the policy's environment of e.account_id:               CAST(NULL AS VARCHAR)
--                 (CASE WHEN regexp_like(e.account_id, '\A(?s:1111.*)\z') THEN 'prod' … END, in the policy's order)
-- Lines that end in `--? path type` read a column which a user's table may lack: where it does, what stands before
-- ` AS ` becomes CAST(NULL AS type), and what rests on that column is not assessed.
--
-- Written without `CASE x WHEN`: Trino 435 fails to compile some of those. Lines are for people; only the header is comment
-- that must go before $where may span lines.
--
-- Not as in Rust, for Athena does not show it: log_index counts an object's kept rows by time and id; user_identity,
-- resources and addendum are written anew from what the table types; see queries/athena/README.md for all of it.

WITH raw AS (
  SELECT
    r."$path" AS log_object,
    r.eventversion AS event_version,                                            --? eventversion varchar
    r.eventid AS raw_event_id,                                                  --? eventid varchar
    TRY_CAST(regexp_replace(replace(r.eventtime, 'T', ' '), 'Z\z', '') AS TIMESTAMP(3)) AS event_time, --? eventtime timestamp(3)
    r.eventsource AS event_source,                                              --? eventsource varchar
    r.eventname AS event_name,                                                  --? eventname varchar
    r.eventcategory AS raw_category,                                            --? eventcategory varchar
    r.eventtype AS event_type,                                                  --? eventtype varchar
    lower(CAST(r.managementevent AS VARCHAR)) AS management_event,              --? managementevent varchar
    lower(CAST(r.readonly AS VARCHAR)) AS read_only,                            --? readonly varchar
    r.awsregion AS aws_region,                                                  --? awsregion varchar
    r.recipientaccountid AS recipient,                                          --? recipientaccountid varchar
    r.errorcode AS error_code,                                                  --? errorcode varchar
    r.errormessage AS error_message,                                            --? errormessage varchar
    r.requestid AS raw_request_id,                                              --? requestid varchar
    r.sharedeventid AS shared_event_id,                                         --? sharedeventid varchar
    r.sourceipaddress AS source_ip,                                             --? sourceipaddress varchar
    r.useragent AS user_agent,                                                  --? useragent varchar
    r.vpcendpointid AS vpc_endpoint_id,                                         --? vpcendpointid varchar
    lower(CAST(r.sessioncredentialfromconsole AS VARCHAR)) AS from_console,     --? sessioncredentialfromconsole varchar
    r.tlsdetails.tlsversion AS tls_version,                                     --? tlsdetails.tlsversion varchar
    r.tlsdetails.clientprovidedhostheader AS endpoint_host,                     --? tlsdetails.clientprovidedhostheader varchar
    r.useridentity.type AS identity_type,                                       --? useridentity.type varchar
    r.useridentity.principalid AS principal_id,                                 --? useridentity.principalid varchar
    r.useridentity.arn AS principal_arn,                                        --? useridentity.arn varchar
    r.useridentity.accountid AS identity_account,                               --? useridentity.accountid varchar
    r.useridentity.accesskeyid AS access_key_id,                                --? useridentity.accesskeyid varchar
    r.useridentity.username AS identity_user_name,                              --? useridentity.username varchar
    r.useridentity.invokedby AS invoked_by,                                     --? useridentity.invokedby varchar
    r.useridentity.identityprovider AS identity_provider,                       --? useridentity.identityprovider varchar
    r.useridentity.credentialid AS credential_id,                               --? useridentity.credentialid varchar
    r.useridentity.onbehalfof.userid AS behalf_user,                            --? useridentity.onbehalfof.userid varchar
    r.useridentity.onbehalfof.identitystorearn AS behalf_store,                 --? useridentity.onbehalfof.identitystorearn varchar
    r.useridentity.inscopeof.sourcearn AS scope_arn,                            --? useridentity.inscopeof.sourcearn varchar
    r.useridentity.inscopeof.sourceaccount AS scope_account,                    --? useridentity.inscopeof.sourceaccount varchar
    r.useridentity.inscopeof.issuertype AS scope_issuer,                        --? useridentity.inscopeof.issuertype varchar
    r.useridentity.inscopeof.credentialsissuedto AS credentials_issued_to,      --? useridentity.inscopeof.credentialsissuedto varchar
    r.useridentity.invokedbydelegate.accountid AS delegate_account_id,          --? useridentity.invokedbydelegate.accountid varchar
    r.useridentity.sessioncontext.sourceidentity AS source_identity,            --? useridentity.sessioncontext.sourceidentity varchar
    r.useridentity.sessioncontext.attributes.mfaauthenticated AS mfa,           --? useridentity.sessioncontext.attributes.mfaauthenticated varchar
    r.useridentity.sessioncontext.attributes.creationdate AS session_created,   --? useridentity.sessioncontext.attributes.creationdate varchar
    r.useridentity.sessioncontext.ec2roledelivery AS role_delivery,             --? useridentity.sessioncontext.ec2roledelivery varchar
    r.useridentity.sessioncontext.sessionissuer.type AS issuer_type,            --? useridentity.sessioncontext.sessionissuer.type varchar
    r.useridentity.sessioncontext.sessionissuer.principalid AS issuer_id,       --? useridentity.sessioncontext.sessionissuer.principalid varchar
    r.useridentity.sessioncontext.sessionissuer.arn AS issuer_arn,              --? useridentity.sessioncontext.sessionissuer.arn varchar
    r.useridentity.sessioncontext.sessionissuer.accountid AS issuer_account,    --? useridentity.sessioncontext.sessionissuer.accountid varchar
    r.useridentity.sessioncontext.sessionissuer.username AS issuer_user_name,   --? useridentity.sessioncontext.sessionissuer.username varchar
    r.useridentity.sessioncontext IS NOT NULL AS has_session,                   --? useridentity.sessioncontext boolean
    r.useridentity IS NOT NULL AS has_identity,                                 --? useridentity boolean
    r.addendum IS NOT NULL AS has_addendum,                                     --? addendum boolean
    r.requestparameters AS request,                                             --? requestparameters varchar
    r.responseelements AS response,                                             --? responseelements varchar
    r.additionaleventdata AS additional,                                        --? additionaleventdata varchar
    r.serviceeventdetails AS service,                                           --? serviceeventdetails varchar
    r.resources AS raw_resources,                                               --? resources array(row(arn varchar, accountid varchar, type varchar))
    r.addendum.reason AS addendum_reason,                                       --? addendum.reason varchar
    r.addendum.updatedfields AS addendum_fields,                                --? addendum.updatedfields varchar
    r.addendum.originalrequestid AS addendum_request,                           --? addendum.originalrequestid varchar
    r.addendum.originaleventid AS addendum_event                                --? addendum.originaleventid varchar
  FROM $table AS r
  WHERE $where
    AND r.eventsource <> ''
    AND r.eventname <> ''
    AND COALESCE(r.eventversion, '1.0') <> '1.'
    AND starts_with(COALESCE(r.eventversion, '1.0'), '1.')
),
-- What queries/scope.toml keeps; five-minute summaries and Insights restate other records.
ours AS (
  SELECT
    w.*,
    w.event_source IN (@family) AS family,
    CASE
@alias
      ELSE w.event_source
    END AS source,
    COALESCE(@made_by(w.invoked_by), FALSE) OR COALESCE(@made_by(w.source_ip), FALSE) AS by_bedrock,
    NULLIF(array_join(transform(COALESCE(w.raw_resources, ARRAY[]), x -> replace(x.arn, chr(10), '')), chr(10)), '') AS arns
  FROM raw AS w
  WHERE w.event_time IS NOT NULL
    AND COALESCE(w.raw_category, '') NOT IN ('Aggregated', 'Insight')
    AND COALESCE(w.event_type, '') NOT IN ('AwsAggregatedEvent', 'AwsCloudTrailInsight')
    AND (
      w.event_source IN (@family)
      OR COALESCE(@made_by(COALESCE(NULLIF(w.invoked_by, ''), w.source_ip)), FALSE)
      OR (
        w.identity_type IN ('IAMUser', 'FederatedUser')
        AND COALESCE(@made_for_key(COALESCE(NULLIF(w.identity_user_name, ''), w.issuer_user_name)), FALSE)
      )
      OR (
        (w.raw_category = 'NetworkActivity' OR w.event_type IN ('AwsVpceEvent', 'AwsVpceEvents'))
        AND w.error_code = @endpoint_error
        AND w.event_source IN (@endpoint_sources)
      )
@wanted
    )
),
-- Every text of the record that a copy would share, as one; parts that are absent differ from parts that are empty.
told AS (
  SELECT
    w.*,
    to_hex(md5(to_utf8(array_join(ARRAY[
      w.event_version, w.raw_event_id, CAST(w.event_time AS VARCHAR), w.event_source, w.event_name, w.raw_category, w.event_type,
      w.management_event, w.read_only, w.aws_region, w.recipient, w.error_code, w.error_message, w.raw_request_id,
      w.shared_event_id, w.source_ip, w.user_agent, w.vpc_endpoint_id, w.from_console, w.tls_version, w.endpoint_host,
      w.identity_type, w.principal_id, w.principal_arn, w.identity_account, w.access_key_id, w.identity_user_name,
      w.invoked_by, w.identity_provider, w.credential_id, w.behalf_user, w.behalf_store, w.scope_arn, w.scope_account,
      w.scope_issuer, w.credentials_issued_to, w.delegate_account_id, w.source_identity, w.mfa, w.session_created,
      w.role_delivery, w.issuer_type, w.issuer_id, w.issuer_arn, w.issuer_account, w.issuer_user_name,
      w.request, w.response, w.additional, w.service, w.arns,
      w.addendum_reason, w.addendum_fields, w.addendum_request, w.addendum_event
    ], chr(31), chr(30))))) AS content,
    w.addendum_reason = 'UPDATED_DATA' AND w.addendum_event IS NOT NULL AS updated
  FROM ours AS w
),
-- A record that updates another stands here three times: as itself, as a mark under the id it supersedes, and as a mark
-- under the call that it tells of, where updates that name each other in a ring meet.
marked AS (
  SELECT
    w.*,
    COALESCE(NULLIF(w.raw_event_id, ''), w.content) AS own_key,
    k.id_key AS id_key
  FROM told AS w
  CROSS JOIN UNNEST(
    CASE
      WHEN w.updated AND w.addendum_event <> COALESCE(w.raw_event_id, '')
        THEN ARRAY[
          COALESCE(NULLIF(w.raw_event_id, ''), w.content),
          w.addendum_event,
          chr(31) || COALESCE(w.addendum_request, w.raw_request_id, '')
        ]
      ELSE ARRAY[COALESCE(NULLIF(w.raw_event_id, ''), w.content)]
    END
  ) AS k (id_key)
),
judged AS (
  SELECT
    w.*,
    CASE WHEN w.id_key <> w.own_key THEN 1 ELSE 0 END AS mark,
    starts_with(w.id_key, chr(31)) AS ring,
    CAST(w.event_time AS VARCHAR) || ' ' || w.own_key AS version,
    MAX(CASE WHEN starts_with(w.id_key, chr(31)) THEN CAST(w.event_time AS VARCHAR) || ' ' || w.own_key END)
      OVER (PARTITION BY w.id_key) AS last_version,
    array_agg(CASE WHEN starts_with(w.id_key, chr(31)) THEN w.own_key END) OVER (PARTITION BY w.id_key) AS ring_ids,
    array_agg(CASE WHEN starts_with(w.id_key, chr(31)) THEN w.addendum_event END) OVER (PARTITION BY w.id_key) AS ring_names,
    CASE WHEN w.updated AND w.addendum_event = w.raw_event_id THEN 1 ELSE 0 END AS renewed,
    MAX(CASE WHEN w.id_key <> w.own_key THEN 1 ELSE 0 END) OVER (PARTITION BY w.id_key) AS superseded,
    MAX(CASE WHEN w.updated AND w.addendum_event = w.raw_event_id THEN 1 ELSE 0 END) OVER (PARTITION BY w.id_key) AS any_renewed,
    ROW_NUMBER() OVER (
      PARTITION BY w.id_key, w.own_key, w.content
      ORDER BY w.log_object ASC NULLS LAST
    ) AS place
  FROM marked AS w
),
kept AS (
  SELECT
    j.*,
    ROW_NUMBER() OVER (
      PARTITION BY j.log_object
      ORDER BY j.event_time ASC NULLS LAST, j.raw_event_id ASC NULLS LAST, j.content ASC NULLS LAST
    ) - 1 AS log_index
  FROM judged AS j
  WHERE j.place = 1
    AND (
      (j.mark = 0 AND j.superseded = 0 AND j.renewed = j.any_renewed)
      -- Where each update of a call is superseded by another, the latest stays: of equal times the larger id.
      OR (
        j.ring
        AND j.version = j.last_version
        AND cardinality(filter(j.ring_ids, x -> NOT contains(j.ring_names, x))) = 0
      )
    )
),
-- The event catalogue: (event_source, surface, activity, names).
catalogue AS (
  SELECT c.source AS source, n.name AS name, c.surface AS surface, c.activity AS activity
  FROM (
    VALUES
@catalogue
  ) AS c (source, surface, activity, names)
  CROSS JOIN UNNEST(split(c.names, ' ')) AS n (name)
),
-- The free-form parts, read once.
parts AS (
  SELECT
    k.*,
    COALESCE(c.surface, CASE
      WHEN split_part(k.event_source, '.', 1) IN ('bedrock-runtime') THEN 'runtime'
      WHEN split_part(k.event_source, '.', 1) IN ('bedrock-mantle') THEN 'mantle'
      WHEN split_part(k.event_source, '.', 1) IN ('bedrock-agent', 'bedrock-agent-runtime') THEN 'agents'
      WHEN split_part(k.event_source, '.', 1) IN ('bedrock-agentcore', 'bedrock-agentcore-control', 'agent-registry') THEN 'agentcore'
      WHEN split_part(k.event_source, '.', 1) IN ('aws-marketplace', 'agreement-marketplace', 'discovery-marketplace') THEN 'marketplace'
      WHEN split_part(k.event_source, '.', 1) IN ('iam', 'sts', 'signin') THEN 'iam'
      WHEN split_part(k.event_source, '.', 1) IN ('cloudtrail', 'cloudtrail-data') THEN 'trail'
      ELSE 'other'
    END) AS surface,
    CASE
      WHEN k.by_bedrock AND NOT k.family AND COALESCE(c.activity, 'other') IN ('other', 'discovery') THEN 'downstream'
      ELSE COALESCE(c.activity, 'other')
    END AS activity,
    COALESCE(k.event_type = 'AwsServiceEvent', FALSE) AS service_event,
    COALESCE(k.event_source IN ('bedrock-mantle.amazonaws.com', 'aws-external-anthropic.amazonaws.com'), FALSE) AS says_bearer,
    @text(k.additional, jwt.claims.iss) AS jwt_issuer,
    @text(k.additional, jwt.claims.sub) AS jwt_subject,
    CASE WHEN k.event_type = 'AwsServiceEvent' THEN @text(k.service, parentRequestId) END AS parent_request_id,
    -- A service event's entries: an object, or a list of keys and values made into one.
    CASE
      WHEN NOT k.family OR COALESCE(k.event_type, '') <> 'AwsServiceEvent' THEN NULL
      WHEN starts_with(@entries, '[') THEN '{' || array_join(
        transform(
          CAST(json_parse(@entries) AS ARRAY(JSON)),
          x -> json_format(COALESCE(json_extract(x, '$.key'), json_extract(x, '$.Key'), json_extract(x, '$.name'), json_extract(x, '$.Name')))
            || ':' || json_format(COALESCE(json_extract(x, '$.value'), json_extract(x, '$.Value')))
        ),
        ','
      ) || '}'
      ELSE @entries
    END AS entries,
    CASE
      WHEN k.source = 'bedrock.amazonaws.com' THEN COALESCE(
        @text(k.request, modelId),
        @text(k.request, foundationModel),
        @text(k.request, retrieveAndGenerateConfiguration.knowledgeBaseConfiguration.modelArn),
        @text(k.request, retrieveAndGenerateConfiguration.externalSourcesConfiguration.modelArn),
        @text(k.request, baseModelIdentifier),
        @text(k.request, targetModelId),
        @text(k.request, modelIdentifier),
        @text(k.request, desiredModelId),
        @text(k.request, modelSource.copyFrom),
        @text(k.request, modelSource.modelArn),
        @text(k.request, rerankingConfiguration.bedrockRerankingConfiguration.modelConfiguration.modelArn)
      )
      WHEN k.source IN ('bedrock-mantle.amazonaws.com', 'aws-external-anthropic.amazonaws.com') THEN @text(k.request, model)
      WHEN k.source = 'bedrock-agentcore.amazonaws.com' AND regexp_like(k.event_name, 'Harness\z') THEN COALESCE(
        @text(k.request, model),
        @text(k.request, model.bedrockModelConfig.modelId),
        @text(k.request, model.bedrockModelConfig.modelArn)
      )
    END AS named_model,
    array_join(transform(
      filter(COALESCE(k.raw_resources, ARRAY[]), x -> COALESCE(
        x.type = 'AWS::Bedrock::Model'
          OR regexp_like(x.arn, '\Aarn:[^:]+:[^:]+:[^:]*:[^:]*:(foundation-model|inference-profile|application-inference-profile)(/|\z)'),
        FALSE
      )),
      x -> replace(x.arn, chr(10), '')
    ), chr(10)) AS model_arns,
    COALESCE(@text(k.request, agentRuntimeArn), @text(k.request, harnessArn)) AS request_runtime,
    @text(k.request, flowIdentifier) AS request_flow,
    COALESCE(@text(k.request, gatewayIdentifier), @text(k.request, gatewayArn)) AS request_gateway
  FROM kept AS k
  LEFT JOIN catalogue AS c ON c.source = k.source AND c.name = k.event_name
),
-- What the caller is, in steps.
callers AS (
  SELECT
    p.*,
    CASE WHEN p.kind_role THEN COALESCE(p.whole_role, p.rebuilt_role) END AS role_arn,
    CASE WHEN p.kind_role AND COALESCE(p.whole_role, p.rebuilt_role) IS NOT NULL THEN p.whole_role IS NOT NULL END AS role_path_known,
    CASE
      WHEN p.kind_role AND p.whole_role IS NOT NULL THEN regexp_extract(p.whole_role, '([^/]*)\z', 1)
      WHEN p.kind_role THEN regexp_extract(p.principal_arn, '\Aarn:[^:]+:[^:]+:[^:]*:[^:]*:assumed-role/([^/:]+)', 1)
    END AS own_role_name,
    CASE
      WHEN p.kind_role AND p.whole_role IS NOT NULL
        THEN regexp_extract(p.whole_role, '\Aarn:[^:]+:[^:]+:[^:]*:[^:]*:role/aws-reserved/sso\.amazonaws\.com/(?:[^/]*/)*AWSReservedSSO_([^/]+)_[0-9A-Fa-f]{16}\z', 1)
      WHEN p.kind_role
        THEN regexp_extract(p.principal_arn, '\Aarn:[^:]+:[^:]+:[^:]*:[^:]*:assumed-role/AWSReservedSSO_([^/:]+)_[0-9A-Fa-f]{16}(?:[/:]|\z)', 1)
    END AS permission_set,
    COALESCE(
      NULLIF(regexp_extract(p.principal_arn, '\Aarn:[^:]+:[^:]+:[^:]*:[^:]*:(?:assumed-role/[^/]*|federated-user)/((?s:.*))\z', 1), ''),
      NULLIF(regexp_extract(p.principal_id, '\AAROA[^:]*:((?s:.*))\z', 1), '')
    ) AS session_name,
    COALESCE(
      NULLIF(regexp_extract(p.issuer_arn, '\Aarn:[^:]+:[^:]+:[^:]*:([^:]*):', 1), ''),
      NULLIF(regexp_extract(p.principal_arn, '\Aarn:[^:]+:[^:]+:[^:]*:([^:]*):', 1), ''),
      NULLIF(NULLIF(p.identity_account, ''), 'anonymous')
    ) AS principal_account_id
  FROM (
    SELECT
      q.*,
      COALESCE(q.identity_type, '') NOT IN ('FederatedUser', 'AWSService', 'AWSAccount', 'IdentityCenterUser', 'SAMLUser', 'WebIdentityUser') AS kind_role,
      CASE
        WHEN regexp_like(q.issuer_arn, '\Aarn:[^:]+:[^:]+:[^:]*:[^:]*:role/') THEN q.issuer_arn
        WHEN regexp_like(q.principal_arn, '\Aarn:[^:]+:[^:]+:[^:]*:[^:]*:role/') THEN q.principal_arn
      END AS whole_role,
      'arn:' || regexp_extract(q.principal_arn, '\Aarn:([^:]+):[^:]+:[^:]*:[^:]*:assumed-role/[^/:]+', 1)
        || ':iam::' || COALESCE(regexp_extract(q.principal_arn, '\Aarn:[^:]+:[^:]+:[^:]*:([^:]+):assumed-role/', 1), '')
        || ':role/' || regexp_extract(q.principal_arn, '\Aarn:[^:]+:[^:]+:[^:]*:[^:]*:assumed-role/([^/:]+)', 1) AS rebuilt_role
    FROM parts AS q
  ) AS p
),
-- What calls use, in steps: bearer tokens, the gateway's answer, the model reference, the address, the client.
uses AS (
  SELECT
    c.*,
    CASE
      WHEN @raw_text(c.additional, callWithBearerToken) = 'true' THEN TRUE
      WHEN c.says_bearer AND @raw_text(c.request, callWithBearerToken) = 'true' THEN TRUE
      WHEN @raw_text(c.additional, callWithBearerToken) = 'false' THEN FALSE
      WHEN c.says_bearer AND @raw_text(c.request, callWithBearerToken) = 'false' THEN FALSE
    END AS bearer_flag,
    COALESCE(CASE WHEN c.says_bearer THEN @text(c.request, bearerTokenType) END, @text(c.additional, bearerTokenType), '') AS bearer_kind,
    COALESCE(regexp_like(c.identity_user_name, '\A(BedrockAPIKey|AeaApiKey)-'), FALSE) AS key_user,
    COALESCE(c.access_key_id, '') AS key_id,
    COALESCE(c.response IS NOT NULL AND (
      c.surface = 'gateway'
      OR (c.surface = 'agentcore' AND @arn(gateway) IS NOT NULL)
    ), FALSE) AS answered,
    @raw_text(c.response, statusCode) AS status_text,
    COALESCE(json_format(json_extract(c.response, '$.body.error')), 'null') <> 'null' AS rpc_failed,
    @raw_text(c.response, body.error.code) AS rpc_text,
    COALESCE(@raw_text(c.response, body.result.isError) = 'true', FALSE) AS tool_failed,
    regexp_replace(c.error_code, '\AClient\.', '') AS plain_code,
    CASE WHEN c.family THEN COALESCE(
      c.named_model,
      regexp_extract(c.model_arns, '[^\n]*inference-profile/[^\n]*'),
      regexp_extract(c.model_arns, '[^\n]+')
    ) END AS model_requested,
    trim(c.source_ip) AS address,
    CASE
@client_rank
    END AS client_rank
  FROM callers AS c
),
referred AS (
  SELECT
    u.*,
    CASE WHEN u.answered THEN @int(u.status_text) END AS gateway_status,
    CASE WHEN u.answered AND u.rpc_failed THEN COALESCE(@int(u.rpc_text), 0) END AS rpc_error,
    trim(u.model_requested) AS reference_0,
    CASE
      WHEN regexp_like(u.address, '\A@octet(\.@octet){3}\z') THEN u.address
      ELSE regexp_extract(u.address, '\A(?i:(?:0{1,4}:){5}|::)(?i:ffff):(@octet(?:\.@octet){3})\z', 1)
    END AS ipv4,
    element_at(ARRAY[@client_ids], u.client_rank) AS client_id,
    -- From where the pattern begins; the separator inside it, and behind it, before which a version may stand.
    substr(u.user_agent, CASE
      WHEN u.client_rank IN (@client_contained) THEN strpos(u.user_agent, element_at(ARRAY[@client_texts], u.client_rank))
      ELSE 1
    END) AS client_text,
    element_at(ARRAY[@client_insides], u.client_rank) AS client_inside,
    element_at(ARRAY[@client_lengths], u.client_rank) AS client_length
  FROM uses AS u
),
-- An ARN in a path can be percent-encoded more than once.
decoded_1 AS (
  SELECT d.*, trim(@decoded(d.reference_0)) AS reference_1 FROM referred AS d
),
decoded_2 AS (
  SELECT d.*, trim(@decoded(d.reference_1)) AS reference_2 FROM decoded_1 AS d
),
decoded_3 AS (
  SELECT d.*, trim(@decoded(d.reference_2)) AS reference FROM decoded_2 AS d
),
models AS (
  SELECT
    r.*,
    regexp_extract(r.reference, '\Aarn:[^:]+:([^:]+):[^:]*:[^:]*:', 1) AS arn_service,
    regexp_extract(r.reference, '\Aarn:[^:]+:[^:]+:[^:]*:[^:]*:([^/]*)/(?s:.)', 1) AS arn_kind,
    CASE
      WHEN regexp_like(r.reference, '\Aarn:[^:]+:[^:]+:[^:]*:[^:]*:')
        THEN regexp_extract(r.reference, '\Aarn:[^:]+:[^:]+:[^:]*:[^:]*:[^/]*/((?s:.+))\z', 1)
      ELSE r.reference
    END AS model_text
  FROM decoded_3 AS r
),
named AS (
  SELECT
    m.*,
    CASE
      -- An id or the id of a system inference profile, told apart by the vendor alone.
      WHEN m.arn_service IS NULL OR (m.arn_service = 'bedrock' AND m.arn_kind = 'foundation-model') THEN CASE
        WHEN regexp_like(m.model_text, '\A(@vendors)\.(?s:.+)\z') THEN 'foundation'
        WHEN regexp_like(m.model_text, '\A[a-z-]{2,8}\.(@vendors)\.(?s:.+)\z') THEN 'inference_profile'
        WHEN m.arn_service IS NULL THEN 'unresolved'
        WHEN regexp_like(m.model_text, '\A(@scopes)\.') THEN CASE
          WHEN regexp_like(m.model_text, '\A(@scopes)\.[A-Za-z0-9-]+\.(?s:.+)\z')
            AND NOT regexp_like(m.model_text, '\A(@scopes)\.[a-z-]{2,8}\.(@vendors)\.(?s:.+)\z') THEN 'inference_profile'
          ELSE 'unresolved'
        END
        WHEN regexp_like(m.model_text, '\A[A-Za-z0-9-]+\.(?s:.+)\z') THEN 'foundation'
        ELSE 'unresolved'
      END
      -- Here the first label is the prefix, whoever the vendor is.
      WHEN m.arn_service = 'bedrock' AND m.arn_kind = 'inference-profile' THEN CASE
        WHEN regexp_like(m.model_text, '\A(@vendors)\.') THEN 'unresolved'
        WHEN regexp_like(m.model_text, '\A[a-z-]{2,8}\.(@vendors)\.(?s:.+)\z') THEN 'inference_profile'
        WHEN regexp_like(m.model_text, '\A[a-z-]{2,8}\.[A-Za-z0-9-]+\.(?s:.+)\z')
          AND NOT regexp_like(m.model_text, '\A[a-z-]{2,8}\.[a-z-]{2,8}\.(@vendors)\.(?s:.+)\z') THEN 'inference_profile'
        ELSE 'unresolved'
      END
      WHEN m.arn_service = 'bedrock' THEN CASE
        WHEN m.arn_kind = 'application-inference-profile' THEN 'application_profile'
        WHEN m.arn_kind = 'provisioned-model' THEN 'provisioned'
        WHEN m.arn_kind = 'custom-model' AND starts_with(m.model_text, 'imported/') THEN 'imported'
        WHEN m.arn_kind = 'imported-model' THEN 'imported'
        WHEN m.arn_kind IN ('custom-model', 'custom-model-deployment') THEN 'custom'
        WHEN m.arn_kind = 'prompt' THEN 'prompt'
        WHEN m.arn_kind IN ('prompt-router', 'default-prompt-router') THEN 'router'
        WHEN m.arn_kind = 'marketplace' THEN 'marketplace'
        ELSE 'unresolved'
      END
      WHEN m.arn_service = 'bedrock-mantle' AND m.arn_kind = 'customized-model' THEN 'custom'
      WHEN m.arn_service = 'sagemaker' AND m.arn_kind IN ('endpoint', 'hub-content') THEN 'marketplace'
      ELSE 'unresolved'
    END AS any_kind
  FROM models AS m
),
based AS (
  SELECT
    n.*,
    CASE
      WHEN n.any_kind = 'foundation' THEN n.model_text
      WHEN n.any_kind = 'inference_profile' THEN regexp_replace(n.model_text, '\A[^.]*\.', '')
    END AS base_id
  FROM named AS n
),
split_up AS (
  SELECT
    b.*,
    regexp_replace(b.base_id, '\A[^.]*\.', '') AS model_name
  FROM based AS b
),
versions AS (
  SELECT
    s.*,
    -- `-vN` or `-N` before a colon; in `rerank-v3-5:0` the number belongs to a version that is part of the name.
    CASE
      WHEN regexp_like(s.model_name, '\A[^:]*-v[0-9]+(:|\z)') THEN regexp_extract(s.model_name, '\A([^:]*)-v[0-9]+(?::|\z)', 1)
      WHEN regexp_like(s.model_name, '\A[^:]*-[0-9]+:') AND NOT regexp_like(s.model_name, '\A[^:]*-v[0-9]+-[0-9]+:')
        THEN regexp_extract(s.model_name, '\A([^:]*)-[0-9]+:', 1)
      ELSE split_part(s.model_name, ':', 1)
    END AS dated_family,
    CASE
      WHEN regexp_like(s.model_name, '\A[^:]*-v[0-9]+(:|\z)') THEN regexp_extract(s.model_name, '\A[^:]*-(v[0-9]+(?::(?s:.*))?)\z', 1)
      WHEN regexp_like(s.model_name, '\A[^:]*-[0-9]+:') AND NOT regexp_like(s.model_name, '\A[^:]*-v[0-9]+-[0-9]+:')
        THEN regexp_extract(s.model_name, '\A[^:]*-([0-9]+:(?s:.*))\z', 1)
      ELSE NULLIF(regexp_extract(s.model_name, '\A[^:]*:((?s:.*))\z', 1), '')
    END AS undated_version
  FROM split_up AS s
),
e AS (
  SELECT
    v.*,
    @count(inputTokens, inputTokenCount, inputTokens) AS input_tokens_text,
    @count(outputTokens, outputTokenCount, outputTokens) AS output_tokens_text,
    @count(cacheReadInputTokens, cacheReadInputTokenCount, cacheReadTokens) AS cache_read_tokens_text,
    @count(cacheWriteInputTokens, cacheWriteInputTokenCount, cacheWriteTokens) AS cache_write_tokens_text,
    regexp_extract(v.log_object, '[0-9]{12}_[^/_]*_[^/_]*_(?:[^/]*_)?([0-9]{8}T[0-9]{4}(?:[0-9]{2})?Z)[^/]*\z', 1) AS stamp,
    COALESCE(
      NULLIF(v.recipient, ''),
      CASE WHEN regexp_like(v.identity_account, '\A[0-9]{12}\z') THEN v.identity_account END,
      regexp_extract(element_at(v.raw_resources, 1).arn, '\Aarn:[^:]+:[^:]+:[^:]*:([0-9]{12}):', 1)
    ) AS account_id,
    COALESCE(
      CASE WHEN regexp_like(v.principal_account_id, '\A[0-9]{12}\z') THEN v.principal_account_id END,
      array_min(filter(
        transform(
          COALESCE(v.raw_resources, ARRAY[]),
          x -> COALESCE(NULLIF(x.accountid, ''), regexp_extract(x.arn, '\Aarn:[^:]+:[^:]+:[^:]*:([^:]*):', 1))
        ),
        x -> regexp_like(x, '\A[0-9]{12}\z')
      ))
    ) AS owner,
    CASE
      WHEN v.gateway_status IN (401, 403) THEN 'denied'
      WHEN v.gateway_status = 429 THEN 'throttled'
      WHEN v.gateway_status >= 500 THEN 'failed'
      WHEN v.gateway_status BETWEEN 400 AND 499 THEN 'invalid'
      WHEN v.rpc_error IN (-32700, -32600, -32601, -32602) THEN 'invalid'
      WHEN v.rpc_error IS NOT NULL THEN 'failed'
      WHEN v.answered AND v.tool_failed THEN 'failed'
      ELSE 'ok'
    END AS answer,
    CASE
      WHEN COALESCE(v.plain_code, '') = '' THEN 'failed'
      WHEN strpos(v.plain_code, 'ServiceQuotaExceeded') > 0
        OR regexp_like(v.plain_code, '\A(Throttl|TooManyRequests|RequestLimitExceeded|RequestThrottled|SlowDown)') THEN 'throttled'
      WHEN regexp_like(v.plain_code, '\A(BadRequest|InvalidInput|InvalidParam|InvalidRequest|Malformed|MissingParam|ParamValidation|Serialization|Validation)') THEN 'invalid'
      ELSE 'failed'
    END AS by_code,
    CASE
      WHEN v.kind_role THEN v.role_arn
      WHEN v.identity_type = 'FederatedUser' THEN NULLIF(v.issuer_arn, '')
      WHEN v.identity_type = 'AWSService' THEN 'service:' || NULLIF(v.invoked_by, '')
      WHEN v.identity_type = 'AWSAccount' AND v.jwt_subject IS NOT NULL THEN COALESCE(v.jwt_issuer, '') || '|' || v.jwt_subject
      WHEN v.identity_type = 'AWSAccount' AND v.identity_account = 'anonymous' THEN 'anonymous'
      WHEN v.identity_type = 'AWSAccount' THEN COALESCE('account:' || NULLIF(v.identity_account, ''), 'unknown')
      WHEN v.identity_type = 'IdentityCenterUser' THEN 'idc:' || NULLIF(v.behalf_user, '')
      ELSE NULLIF(v.identity_provider, '') || '|' || NULLIF(v.identity_user_name, '')
    END AS derived_principal,
    CASE WHEN v.ipv4 IS NOT NULL THEN CAST(split_part(v.ipv4, '.', 1) AS INTEGER) END AS octet_1,
    CASE WHEN v.ipv4 IS NOT NULL THEN CAST(split_part(v.ipv4, '.', 2) AS INTEGER) END AS octet_2,
    COALESCE(v.identity_type IN ('AssumedRole', 'FederatedUser'), FALSE) OR starts_with(v.key_id, 'ASIA') AS sessioned,
    v.key_id <> '' AND COALESCE(v.identity_type IN ('IAMUser', 'Root'), FALSE) AS masked,
    v.bearer_flag IS NULL AND v.family AND (
      (v.key_user AND NOT starts_with(v.key_id, 'AKIA') AND NOT starts_with(v.key_id, 'ASIA'))
      OR starts_with(v.key_id, 'ABSK')
    ) AS unsaid,
    -- Content::of_parts() of src/event/content.rs.
    v.family AND NOT regexp_like(v.activity, '_admin\z|\Aentitlement\z') AS asks,
    NOT v.family AND COALESCE(v.raw_category = 'NetworkActivity' OR v.event_type IN ('AwsVpceEvent', 'AwsVpceEvents'), FALSE)
      AND NOT regexp_like(v.activity, '_admin\z|\Aentitlement\z') AS refused,
    COALESCE(
      @text(v.request, guardrailIdentifier),
      @text(v.request, guardrailConfig.guardrailIdentifier), @text(v.request, guardrailConfig.guardrailId),
      @text(v.request, guardrailConfiguration.guardrailIdentifier), @text(v.request, guardrailConfiguration.guardrailId),
      @text(v.request, guardrailInferenceConfig.guardrailIdentifier), @text(v.request, guardrailInferenceConfig.guardrailId),
      @text(v.request, retrieveAndGenerateConfiguration.knowledgeBaseConfiguration.generationConfiguration.guardrailConfiguration.guardrailId),
      @text(v.request, retrieveAndGenerateConfiguration.knowledgeBaseConfiguration.generationConfiguration.guardrailConfiguration.guardrailIdentifier),
      @text(v.request, retrieveAndGenerateConfiguration.externalSourcesConfiguration.generationConfiguration.guardrailConfiguration.guardrailId),
      @text(v.request, retrieveAndGenerateConfiguration.externalSourcesConfiguration.generationConfiguration.guardrailConfiguration.guardrailIdentifier)
    ) AS request_guardrail,
    CASE
      WHEN @text(v.request, guardrailIdentifier) IS NOT NULL THEN @text(v.request, guardrailVersion)
      WHEN COALESCE(@text(v.request, guardrailConfig.guardrailIdentifier), @text(v.request, guardrailConfig.guardrailId)) IS NOT NULL
        THEN @text(v.request, guardrailConfig.guardrailVersion)
      WHEN COALESCE(@text(v.request, guardrailConfiguration.guardrailIdentifier), @text(v.request, guardrailConfiguration.guardrailId)) IS NOT NULL
        THEN @text(v.request, guardrailConfiguration.guardrailVersion)
      WHEN COALESCE(@text(v.request, guardrailInferenceConfig.guardrailIdentifier), @text(v.request, guardrailInferenceConfig.guardrailId)) IS NOT NULL
        THEN @text(v.request, guardrailInferenceConfig.guardrailVersion)
      WHEN @text(v.request, retrieveAndGenerateConfiguration.knowledgeBaseConfiguration.generationConfiguration.guardrailConfiguration.guardrailId) IS NOT NULL
        THEN @text(v.request, retrieveAndGenerateConfiguration.knowledgeBaseConfiguration.generationConfiguration.guardrailConfiguration.guardrailVersion)
      WHEN @text(v.request, retrieveAndGenerateConfiguration.externalSourcesConfiguration.generationConfiguration.guardrailConfiguration.guardrailId) IS NOT NULL
        THEN @text(v.request, retrieveAndGenerateConfiguration.externalSourcesConfiguration.generationConfiguration.guardrailConfiguration.guardrailVersion)
    END AS request_guardrail_version
  FROM versions AS v
)
SELECT
  NULLIF(e.raw_event_id, '') AS event_id,
  e.event_time AS event_time,
  e.event_source AS event_source,
  e.event_name AS event_name,
  COALESCE(
    NULLIF(e.raw_category, ''),
    CASE WHEN e.management_event = 'true' THEN 'Management' WHEN e.management_event = 'false' THEN 'Data' END
  ) AS event_category,
  NULLIF(e.event_type, '') AS event_type,
  CASE
    WHEN e.service_event THEN 'service_event'
    WHEN e.raw_category = 'NetworkActivity' OR e.event_type IN ('AwsVpceEvent', 'AwsVpceEvents') THEN 'network_activity'
    WHEN e.shared_event_id <> '' AND e.owner <> NULLIF(e.recipient, '') THEN 'shared_copy'
    ELSE 'api_call'
  END AS record_kind,
  CASE WHEN e.read_only = 'true' THEN TRUE WHEN e.read_only = 'false' THEN FALSE END AS read_only,
  NULLIF(e.aws_region, '') AS aws_region,
  e.account_id AS account_id,
  CAST(NULL AS VARCHAR) AS account_name,
  $environment AS environment,
  e.surface AS surface,
  e.activity AS activity,
  CASE
    WHEN COALESCE(e.error_code, '') = '' AND COALESCE(e.error_message, '') = '' THEN e.answer
    WHEN regexp_like(e.plain_code, 'AccessDenied|NotAuthorized|Unauthorized')
      OR regexp_like(e.plain_code, '\A(@denials)')
      THEN 'denied'
    WHEN e.by_code <> 'failed' THEN e.by_code
    WHEN regexp_like(e.error_message, '\A(?i:access denied|failed authentication)')
      OR strpos(e.error_message, 'is not authorized to perform') > 0 THEN 'denied'
    WHEN e.answer <> 'ok' THEN e.answer
    ELSE 'failed'
  END AS outcome,
  NULLIF(e.error_code, '') AS error_code,
  -- is_refusal() of src/event/outcome.rs.
  CASE
    WHEN e.error_message = '' OR NOT e.family THEN NULLIF(e.error_message, '')
    WHEN regexp_like(e.plain_code, 'AccessDenied|NotAuthorized|Unauthorized')
      OR regexp_like(e.plain_code, '\A(@denials)')
      OR e.by_code = 'throttled'
      OR regexp_like(e.error_message, '\A(?i:@refusals)')
      THEN e.error_message
    ELSE '<' || CAST(length(to_utf8(e.error_message)) AS VARCHAR) || ' bytes>'
  END AS error_message,
  e.gateway_status AS gateway_status,
  COALESCE(
    e.derived_principal,
    NULLIF(e.principal_arn, ''),
    'service:' || NULLIF(e.invoked_by, ''),
    'account:' || NULLIF(e.identity_account, ''),
    'unknown'
  ) AS principal,
  COALESCE(NULLIF(e.identity_type, ''), CASE WHEN e.service_event THEN 'ServiceEvent' END) AS principal_type,
  NULLIF(e.principal_arn, '') AS principal_arn,
  NULLIF(e.principal_id, '') AS principal_id,
  e.principal_account_id AS principal_account_id,
  e.role_arn AS role_arn,
  e.role_path_known AS role_path_known,
  NULLIF(COALESCE(e.permission_set, e.own_role_name), '') AS role_name,
  e.session_name AS session_name,
  NULLIF(e.source_identity, '') AS source_identity,
  COALESCE(NULLIF(e.identity_user_name, ''), NULLIF(e.issuer_user_name, '')) AS user_name,
  COALESCE(
    NULLIF(e.behalf_user, ''),
    NULLIF(e.source_identity, ''),
    CASE WHEN e.permission_set IS NOT NULL THEN e.session_name END,
    CASE WHEN e.identity_type = 'IAMUser' THEN NULLIF(e.identity_user_name, '') END,
    CASE WHEN e.identity_type = 'Root' THEN 'root' END,
    e.jwt_subject,
    NULLIF(e.credentials_issued_to, ''),
    NULLIF(e.scope_arn, ''),
    e.session_name
  ) AS person,
  CASE
    WHEN e.behalf_user <> '' THEN 'identity_center'
    WHEN e.source_identity <> '' THEN 'source_identity'
    WHEN e.permission_set IS NOT NULL AND e.session_name IS NOT NULL THEN 'sso_session'
    WHEN e.identity_type = 'IAMUser' AND e.identity_user_name <> '' THEN 'iam_user'
    WHEN e.identity_type = 'Root' THEN 'root'
    WHEN e.jwt_subject IS NOT NULL THEN 'jwt'
    WHEN e.credentials_issued_to <> '' OR e.scope_arn <> '' THEN 'workload'
    WHEN regexp_like(e.session_name, '\Ai-([0-9a-f]{8}|[0-9a-f]{17})\z') THEN 'workload'
    WHEN e.session_name IS NOT NULL THEN 'session_name'
  END AS person_basis,
  NULLIF(e.access_key_id, '') AS access_key_id,
  CASE
    WHEN e.bearer_kind = 'ABSK' THEN 'bearer_long'
    WHEN e.bearer_kind = 'SHORT_TERM' THEN 'bearer_short'
    WHEN COALESCE(e.bearer_flag, FALSE) OR e.bearer_kind <> '' OR e.unsaid THEN CASE
      WHEN e.key_user OR starts_with(e.key_id, 'ABSK') THEN 'bearer_long'
      WHEN e.sessioned THEN 'bearer_short'
      ELSE 'bearer_unknown'
    END
    WHEN e.jwt_subject IS NOT NULL OR e.jwt_issuer IS NOT NULL THEN 'jwt'
    WHEN starts_with(e.key_id, 'AKIA') THEN 'long_term'
    WHEN e.sessioned OR (e.masked AND e.has_session) THEN 'temporary'
    WHEN e.masked THEN 'long_term'
    WHEN e.identity_type = 'AWSService' OR (e.invoked_by <> '' AND e.key_id = '') THEN 'service'
    ELSE 'none'
  END AS credential,
  CASE WHEN e.from_console = 'true' THEN TRUE END AS from_console,
  CASE WHEN e.mfa = 'true' THEN TRUE WHEN e.mfa = 'false' THEN FALSE END AS mfa,
  NULLIF(e.invoked_by, '') AS invoked_by,
  NULLIF(e.credentials_issued_to, '') AS credentials_issued_to,
  NULLIF(e.delegate_account_id, '') AS delegate_account_id,
  e.jwt_issuer AS jwt_issuer,
  e.jwt_subject AS jwt_subject,
  e.model_requested AS model_requested,
  CASE WHEN e.model_requested IS NOT NULL THEN COALESCE(e.base_id, e.reference) END AS model_id,
  CASE WHEN e.base_id IS NOT NULL THEN split_part(e.base_id, '.', 1) END AS model_vendor,
  NULLIF(regexp_replace(e.dated_family, '-([0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2})\z', ''), '') AS model_family,
  NULLIF(array_join(ARRAY[
    regexp_extract(e.dated_family, '-([0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2})\z', 1), e.undated_version
  ], '/'), '') AS model_version,
  CASE WHEN e.model_requested IS NOT NULL THEN e.any_kind END AS model_kind,
  CASE WHEN e.any_kind = 'inference_profile' THEN regexp_extract(e.model_text, '\A([^.]*)\.', 1) END AS profile_scope,
  CASE WHEN e.family THEN @either(inferenceRegion) END AS inference_region,
  CASE
    WHEN NOT e.family THEN NULL
    WHEN e.event_name IN (
      'InvokeModelWithResponseStream', 'InvokeModelWithBidirectionalStream', 'ConverseStream', 'ConverseWithResponseStream',
      'RetrieveAndGenerateStream', 'AgenticRetrieveStream'
    ) THEN TRUE
    WHEN e.activity = 'model_invocation' AND @raw_text(e.request, stream) = 'true' THEN TRUE
    WHEN e.activity = 'model_invocation' AND @raw_text(e.request, stream) = 'false' THEN FALSE
    WHEN e.event_name IN ('InvokeModel', 'Converse', 'RetrieveAndGenerate') THEN FALSE
  END AS streaming,
  CASE WHEN e.family THEN COALESCE(
    @text(e.request, project_id),
    regexp_extract(e.arns, '(?:\A|\n)arn:[^:\n]+:bedrock-mantle:[^:\n]*:[^:\n]*:project/([^/:\n]+)', 1)
  ) END AS mantle_project_id,
  CASE WHEN e.family THEN COALESCE(
    @text(e.request, agentId), @text(e.request, agentRuntimeId), @text(e.request, harnessId),
    regexp_extract(e.request_runtime, '\Aarn:[^:]+:[^:]+:[^:]*:[^:]*:(?:runtime|harness)/([^/:]+)', 1), e.request_runtime,
    @arn(agent-alias), @arn(agent), @arn(runtime), @arn(harness)
  ) END AS agent_id,
  CASE WHEN e.family THEN COALESCE(
    @text(e.request, agentAliasId), @text(e.request, qualifier),
    regexp_extract(e.arns, '(?:\A|\n)arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:agent-alias/[^/\n]*/([^\n]*)', 1),
    @inner(runtime-endpoint)
  ) END AS agent_alias_id,
  CASE WHEN e.family THEN COALESCE(
    @text(e.request, runtimeSessionId), @text(e.request, sessionId), @text(e.request, sessionIdentifier), @arn(session)
  ) END AS agent_session_id,
  CASE WHEN e.family THEN COALESCE(
    CASE WHEN starts_with(e.request_runtime, 'arn:') THEN e.request_runtime END,
    regexp_replace(@whole(runtime|harness), '/runtime-endpoint/[^\n]*', '')
  ) END AS runtime_arn,
  CASE WHEN e.family THEN COALESCE(
    CASE WHEN starts_with(e.request_gateway, 'arn:') THEN e.request_gateway END,
    @whole(gateway)
  ) END AS gateway_arn,
  CASE WHEN e.family THEN COALESCE(@text(e.request, memoryId), @arn(memory)) END AS memory_id,
  CASE WHEN e.family THEN COALESCE(
    CASE WHEN @text(e.request, body.method) = 'tools/call' THEN @text(e.request, body.params.name) END,
    @text(e.request, codeInterpreterIdentifier), @text(e.request, browserIdentifier),
    @arn(code-interpreter), @arn(code-interpreter-custom), @arn(browser), @arn(browser-custom)
  ) END AS tool_name,
  CASE WHEN e.family THEN COALESCE(
    @text(e.request, resourceCredentialProviderName),
    @inner(oauth2credentialprovider), @inner(apikeycredentialprovider), @inner(paymentcredentialprovider),
    CASE WHEN regexp_like(e.event_name, 'CredentialProvider\z') THEN @text(e.request, name) END
  ) END AS credential_provider,
  CASE WHEN e.family THEN COALESCE(
    @text(e.request, knowledgeBaseId),
    @text(e.request, retrieveAndGenerateConfiguration.knowledgeBaseConfiguration.knowledgeBaseId),
    @arn(knowledge-base)
  ) END AS knowledge_base_id,
  CASE WHEN e.family THEN COALESCE(
    regexp_extract(e.request_flow, '\Aarn:[^:]+:[^:]+:[^:]*:[^:]*:flow/([^/:]+)', 1), e.request_flow, @arn(flow)
  ) END AS flow_id,
  CASE WHEN e.family OR e.event_source = 'lambda.amazonaws.com' THEN COALESCE(
    @text(e.request, actionGroupExecutor.lambda),
    CASE WHEN starts_with(@text(e.request, functionName), 'arn:') THEN @text(e.request, functionName) END,
    regexp_extract(e.arns, '(?:\A|\n)(arn:[^:\n]+:lambda:[^:\n]*:[^:\n]*:[^\n]*)', 1)
  ) END AS lambda_arn,
  CASE WHEN e.family THEN COALESCE(e.request_guardrail, @arn(guardrail)) END AS guardrail_id,
  CASE WHEN e.family THEN e.request_guardrail_version END AS guardrail_version,
  NULLIF(e.source_ip, '') AS source_ip,
  CASE
    WHEN starts_with(e.address, 'AWS Internal') THEN 'aws_internal'
    WHEN e.octet_1 IN (0, 10, 127)
      OR (e.octet_1 = 172 AND e.octet_2 BETWEEN 16 AND 31)
      OR (e.octet_1 = 192 AND e.octet_2 = 168)
      OR (e.octet_1 = 169 AND e.octet_2 = 254)
      OR (e.octet_1 = 100 AND e.octet_2 BETWEEN 64 AND 127) THEN 'private'
    WHEN e.octet_1 IS NOT NULL THEN 'public'
    WHEN regexp_like(e.address, '\A(?i:@ipv6)\z') THEN CASE
      WHEN regexp_like(e.address, '\A(?i:f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)') OR regexp_like(e.address, '\A[0:]*:0{0,3}[01]?\z') THEN 'private'
      ELSE 'public'
    END
    WHEN regexp_like(e.address, '\A[A-Za-z0-9.-]+\.amazonaws\.com(\.cn)?\z') THEN 'aws_service'
  END AS source_kind,
  NULLIF(e.vpc_endpoint_id, '') AS vpc_endpoint_id,
  NULLIF(e.tls_version, '') AS tls_version,
  NULLIF(e.endpoint_host, '') AS endpoint_host,
  NULLIF(e.user_agent, '') AS user_agent,
  CASE
    WHEN e.client_id = 'browser' AND e.from_console = 'true' THEN 'console'
    WHEN e.client_id IS NOT NULL THEN e.client_id
    WHEN regexp_like(e.user_agent, '\A[^ /]*\.amazonaws\.com\z') THEN 'aws-service'
  END AS client,
  CASE WHEN e.client_id NOT IN ('aws-service', 'browser', 'console') THEN COALESCE(
    CASE WHEN e.client_inside > 0 THEN
      regexp_extract(substr(e.client_text, e.client_inside), '\A([0-9][^ ;(),#/]{0,63})(?:[ ;(),#/]|\z)', 1)
    END,
    regexp_extract(substr(e.client_text, e.client_length + 1), '\A[/ #]([0-9][^ ;(),#/]{0,63})(?:[ ;(),#/]|\z)', 1)
  ) END AS client_version,
  CASE WHEN e.family AND @int(e.input_tokens_text) >= 0 THEN @int(e.input_tokens_text) END AS input_tokens,
  CASE WHEN e.family AND @int(e.output_tokens_text) >= 0 THEN @int(e.output_tokens_text) END AS output_tokens,
  CASE WHEN e.family AND @int(e.cache_read_tokens_text) >= 0 THEN @int(e.cache_read_tokens_text) END AS cache_read_tokens,
  CASE WHEN e.family AND @int(e.cache_write_tokens_text) >= 0 THEN @int(e.cache_write_tokens_text) END AS cache_write_tokens,
  NULLIF(element_at(e.raw_resources, 1).type, '') AS resource_type,
  NULLIF(element_at(e.raw_resources, 1).arn, '') AS resource_arn,
  COALESCE(e.parent_request_id, NULLIF(e.raw_request_id, '')) AS request_id,
  NULLIF(e.shared_event_id, '') AS shared_event_id,
  CASE WHEN e.request IS NOT NULL THEN COALESCE(@raw_text(e.request, omitted) = 'true', FALSE) END AS params_omitted,
  @asked(e.request) AS request_parameters,
  @asked(e.response) AS response_elements,
  @added(e.additional) AS additional_event_data,
  @added(e.service) AS service_event_details,
  CASE WHEN e.has_identity THEN COALESCE(@object(type=e.identity_type, principalId=e.principal_id, arn=e.principal_arn, accountId=e.identity_account, accessKeyId=e.access_key_id, userName=e.identity_user_name, invokedBy=e.invoked_by, identityProvider=e.identity_provider, credentialId=e.credential_id, onBehalfOf={userId=e.behalf_user, identityStoreArn=e.behalf_store}, inScopeOf={sourceArn=e.scope_arn, sourceAccount=e.scope_account, issuerType=e.scope_issuer, credentialsIssuedTo=e.credentials_issued_to}, invokedByDelegate={accountId=e.delegate_account_id}, sessionContext={sourceIdentity=e.source_identity, ec2RoleDelivery=e.role_delivery, attributes={creationDate=e.session_created, mfaAuthenticated=e.mfa}, sessionIssuer={type=e.issuer_type, principalId=e.issuer_id, arn=e.issuer_arn, accountId=e.issuer_account, userName=e.issuer_user_name}}), '{}') END AS user_identity,
  '[' || array_join(transform(
    e.raw_resources,
    x -> @object(accountId=x.accountid, type=x.type, ARN=x.arn)
  ), ',') || ']' AS resources,
  CASE WHEN e.has_addendum THEN COALESCE(@object(reason=e.addendum_reason, updatedFields=e.addendum_fields, originalRequestID=e.addendum_request, originalEventID=e.addendum_event), '{}') END AS addendum,
  e.log_object AS log_object,
  CAST(e.log_index AS BIGINT) AS log_index,
  TRY_CAST(
    substr(e.stamp, 1, 4) || '-' || substr(e.stamp, 5, 2) || '-' || substr(e.stamp, 7, 2) || ' '
      || substr(e.stamp, 10, 2) || ':' || substr(e.stamp, 12, 2) || ':'
      || CASE WHEN length(e.stamp) > 14 THEN substr(e.stamp, 14, 2) ELSE '00' END
    AS TIMESTAMP(3)
  ) AS delivered_at
FROM e
