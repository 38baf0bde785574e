-- The relation `events` over a CloudTrail table in Amazon Athena (Trino): the columns of src/event/column.rs, with the
-- names, types and meanings that the Rust decoder gives them. MADE of queries/athena/events.template.sql,
-- queries/scope.toml and queries/data/*.csv by tests/athena/generate.py; never edit it by hand.
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
    w.event_source IN ('agent-registry.amazonaws.com', 'aws-external-anthropic.amazonaws.com', 'bedrock-agent-runtime.amazonaws.com', 'bedrock-agent.amazonaws.com', 'bedrock-agentcore-control.amazonaws.com', 'bedrock-agentcore.amazonaws.com', 'bedrock-data-automation.amazonaws.com', 'bedrock-mantle.amazonaws.com', 'bedrock-runtime.amazonaws.com', 'bedrock-websearch.amazonaws.com', 'bedrock.amazonaws.com') AS family,
    CASE
      WHEN w.event_source = 'bedrock-agent-runtime.amazonaws.com' THEN 'bedrock.amazonaws.com'
      WHEN w.event_source = 'bedrock-agent.amazonaws.com' THEN 'bedrock.amazonaws.com'
      WHEN w.event_source = 'bedrock-agentcore-control.amazonaws.com' THEN 'bedrock-agentcore.amazonaws.com'
      WHEN w.event_source = 'bedrock-data-automation.amazonaws.com' THEN 'bedrock.amazonaws.com'
      WHEN w.event_source = 'bedrock-runtime.amazonaws.com' THEN 'bedrock.amazonaws.com'
      ELSE w.event_source
    END AS source,
    COALESCE((starts_with(w.invoked_by, 'agent-registry.') OR starts_with(w.invoked_by, 'aws-external-anthropic.') OR starts_with(w.invoked_by, 'bedrock-') OR starts_with(w.invoked_by, 'bedrock.')), FALSE) OR COALESCE((starts_with(w.source_ip, 'agent-registry.') OR starts_with(w.source_ip, 'aws-external-anthropic.') OR starts_with(w.source_ip, 'bedrock-') OR starts_with(w.source_ip, 'bedrock.')), FALSE) AS by_bedrock,
    NULLIF(array_join(transform(COALESCE(w.raw_resources, ARRAY[]), x -> replace(x.arn, chr(10), '')), chr(10)), '') AS arns
  FROM raw AS w
  WHERE w.event_time IS NOT NULL
    AND COALESCE(w.raw_category, '') NOT IN ('Aggregated', 'Insight')
    AND COALESCE(w.event_type, '') NOT IN ('AwsAggregatedEvent', 'AwsCloudTrailInsight')
    AND (
      w.event_source IN ('agent-registry.amazonaws.com', 'aws-external-anthropic.amazonaws.com', 'bedrock-agent-runtime.amazonaws.com', 'bedrock-agent.amazonaws.com', 'bedrock-agentcore-control.amazonaws.com', 'bedrock-agentcore.amazonaws.com', 'bedrock-data-automation.amazonaws.com', 'bedrock-mantle.amazonaws.com', 'bedrock-runtime.amazonaws.com', 'bedrock-websearch.amazonaws.com', 'bedrock.amazonaws.com')
      OR COALESCE((starts_with(COALESCE(NULLIF(w.invoked_by, ''), w.source_ip), 'agent-registry.') OR starts_with(COALESCE(NULLIF(w.invoked_by, ''), w.source_ip), 'aws-external-anthropic.') OR starts_with(COALESCE(NULLIF(w.invoked_by, ''), w.source_ip), 'bedrock-') OR starts_with(COALESCE(NULLIF(w.invoked_by, ''), w.source_ip), 'bedrock.')), FALSE)
      OR (
        w.identity_type IN ('IAMUser', 'FederatedUser')
        AND COALESCE((starts_with(COALESCE(NULLIF(w.identity_user_name, ''), w.issuer_user_name), 'AeaApiKey-') OR starts_with(COALESCE(NULLIF(w.identity_user_name, ''), w.issuer_user_name), 'BedrockAPIKey-')), FALSE)
      )
      OR (
        (w.raw_category = 'NetworkActivity' OR w.event_type IN ('AwsVpceEvent', 'AwsVpceEvents'))
        AND w.error_code = 'VpceAccessDenied'
        AND w.event_source IN ('lambda.amazonaws.com', 's3.amazonaws.com')
      )
      OR (w.event_source = 'agreement-marketplace.amazonaws.com' AND w.event_name IN (
        'AcceptAgreementApprovalRequest', 'AcceptAgreementRequest', 'CancelAgreement', 'CancelAgreementRequest',
        'CreateAgreementRequest', 'RejectAgreementApprovalRequest', 'UpdateAgreementApprovalRequest'
      ))
      OR (w.event_source = 'aws-marketplace.amazonaws.com' AND w.event_name IN (
        'Subscribe', 'Unsubscribe'
      ))
      OR (w.event_source = 'cloudtrail.amazonaws.com' AND w.event_name IN (
        'CreateChannel', 'CreateEventDataStore', 'CreateTrail', 'DeleteChannel', 'DeleteEventDataStore',
        'DeleteResourcePolicy', 'DeleteTrail', 'DeregisterOrganizationDelegatedAdmin', 'DisableFederation',
        'EnableFederation', 'PutEventConfiguration', 'PutEventSelectors', 'PutInsightSelectors', 'PutResourcePolicy',
        'RegisterOrganizationDelegatedAdmin', 'RestoreEventDataStore', 'StartEventDataStoreIngestion', 'StartImport',
        'StartLogging', 'StopEventDataStoreIngestion', 'StopImport', 'StopLogging', 'UpdateChannel',
        'UpdateEventDataStore', 'UpdateTrail'
      ))
      OR (w.event_source = 'config.amazonaws.com' AND w.event_name IN (
        'DeleteAggregationAuthorization', 'DeleteConfigRule', 'DeleteConfigurationAggregator',
        'DeleteConfigurationRecorder', 'DeleteConformancePack', 'DeleteDeliveryChannel', 'DeleteEvaluationResults',
        'DeleteOrganizationConfigRule', 'DeleteOrganizationConformancePack', 'DeleteRetentionConfiguration',
        'DeleteServiceLinkedConfigurationRecorder', 'DisassociateResourceTypes', 'PutConfigurationRecorder',
        'PutDeliveryChannel', 'PutRetentionConfiguration', 'StopConfigurationRecorder'
      ))
      OR (w.event_source = 'guardduty.amazonaws.com' AND w.event_name IN (
        'ArchiveFindings', 'CreateFilter', 'CreateIPSet', 'CreateTrustedEntitySet', 'DeleteDetector',
        'DeleteMembers', 'DeletePublishingDestination', 'DisableOrganizationAdminAccount',
        'DisassociateFromAdministratorAccount', 'DisassociateFromMasterAccount', 'DisassociateMembers',
        'StopMonitoringMembers', 'UpdateDetector', 'UpdateFilter', 'UpdateIPSet', 'UpdateMemberDetectors',
        'UpdateOrganizationConfiguration', 'UpdatePublishingDestination', 'UpdateTrustedEntitySet'
      ))
      OR (w.event_source = 'iam.amazonaws.com' AND w.event_name IN (
        'AcceptDelegationRequest', 'AddClientIDToOpenIDConnectProvider', 'AddRoleToInstanceProfile',
        'AddUserToGroup', 'AttachGroupPolicy', 'AttachRolePolicy', 'AttachUserPolicy', 'ChangePassword',
        'CreateAccessKey', 'CreateDelegationRequest', 'CreateInstanceProfile', 'CreateLoginProfile',
        'CreateOpenIDConnectProvider', 'CreatePolicy', 'CreatePolicyVersion', 'CreateRole', 'CreateSAMLProvider',
        'CreateServiceLinkedRole', 'CreateServiceSpecificCredential', 'CreateUser', 'DeactivateMFADevice',
        'DeleteAccessKey', 'DeleteGroupPolicy', 'DeleteLoginProfile', 'DeleteOpenIDConnectProvider', 'DeletePolicy',
        'DeletePolicyVersion', 'DeleteRole', 'DeleteRolePermissionsBoundary', 'DeleteRolePolicy',
        'DeleteSAMLProvider', 'DeleteServiceLinkedRole', 'DeleteServiceSpecificCredential', 'DeleteUser',
        'DeleteUserPermissionsBoundary', 'DeleteUserPolicy', 'DeleteVirtualMFADevice', 'DetachGroupPolicy',
        'DetachRolePolicy', 'DetachUserPolicy', 'DisableOutboundWebIdentityFederation', 'EnableMFADevice',
        'EnableOutboundWebIdentityFederation', 'PutGroupPolicy', 'PutRolePermissionsBoundary', 'PutRolePolicy',
        'PutUserPermissionsBoundary', 'PutUserPolicy', 'RemoveUserFromGroup', 'ResetServiceSpecificCredential',
        'SendDelegationToken', 'SetDefaultPolicyVersion', 'TagRole', 'UntagRole', 'UpdateAccessKey',
        'UpdateAccountPasswordPolicy', 'UpdateAssumeRolePolicy', 'UpdateLoginProfile',
        'UpdateOpenIDConnectProviderThumbprint', 'UpdateRole', 'UpdateSAMLProvider',
        'UpdateServiceSpecificCredential', 'UpdateUser'
      ))
      OR (w.event_source = 'kms.amazonaws.com' AND w.event_name IN (
        'DeleteAlias', 'DeleteImportedKeyMaterial', 'DeleteKey', 'DisableKey', 'DisableKeyRotation', 'PutKeyPolicy',
        'ScheduleKeyDeletion', 'UpdateAlias', 'UpdatePrimaryRegion'
      ))
      OR (w.event_source = 'logs.amazonaws.com' AND w.event_name IN (
        'AssociateKmsKey', 'CreateDelivery', 'DeleteDataProtectionPolicy', 'DeleteDelivery',
        'DeleteDeliveryDestination', 'DeleteDeliverySource', 'DeleteLogGroup', 'DeleteLogStream',
        'DeleteResourcePolicy', 'DeleteRetentionPolicy', 'DeleteSubscriptionFilter', 'DisassociateKmsKey',
        'PutDataProtectionPolicy', 'PutDeliveryDestination', 'PutDeliverySource', 'PutLogGroupDeletionProtection',
        'PutResourcePolicy', 'PutRetentionPolicy', 'PutSubscriptionFilter', 'UpdateDeliveryConfiguration'
      ))
      OR (w.event_source = 'organizations.amazonaws.com' AND w.event_name IN (
        'AttachPolicy', 'CloseAccount', 'CreatePolicy', 'DeleteOrganization', 'DeletePolicy', 'DeleteResourcePolicy',
        'DeregisterDelegatedAdministrator', 'DetachPolicy', 'DisableAWSServiceAccess', 'DisablePolicyType',
        'EnablePolicyType', 'LeaveOrganization', 'MoveAccount', 'PutResourcePolicy', 'RemoveAccountFromOrganization',
        'UpdatePolicy'
      ))
      OR (w.event_source = 's3.amazonaws.com' AND w.event_name IN (
        'DeleteAccountPublicAccessBlock', 'DeleteBucket', 'DeleteBucketEncryption', 'DeleteBucketLifecycle',
        'DeleteBucketOwnershipControls', 'DeleteBucketPolicy', 'DeleteBucketPublicAccessBlock',
        'DeleteBucketReplication', 'PutAccountPublicAccessBlock', 'PutBucketAcl', 'PutBucketEncryption',
        'PutBucketLifecycle', 'PutBucketLifecycleConfiguration', 'PutBucketLogging', 'PutBucketNotification',
        'PutBucketObjectLockConfiguration', 'PutBucketOwnershipControls', 'PutBucketPolicy',
        'PutBucketPublicAccessBlock', 'PutBucketReplication', 'PutBucketVersioning', 'PutObjectLockConfiguration'
      ))
      OR (w.event_source = 'securityhub.amazonaws.com' AND w.event_name IN (
        'BatchDisableStandards', 'BatchUpdateStandardsControlAssociations', 'CreateAutomationRule',
        'CreateAutomationRuleV2', 'DeleteConfigurationPolicy', 'DeleteFindingAggregator', 'DeleteMembers',
        'DisableImportFindingsForProduct', 'DisableOrganizationAdminAccount', 'DisableSecurityHub',
        'DisableSecurityHubFeatureV2', 'DisableSecurityHubV2', 'DisassociateFromAdministratorAccount',
        'DisassociateFromMasterAccount', 'DisassociateMembers', 'StartConfigurationPolicyDisassociation',
        'UpdateOrganizationConfiguration', 'UpdateSecurityHubConfiguration', 'UpdateStandardsControl'
      ))
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
      ('account.amazonaws.com', 'other', 'other', 'DisableRegion EnableRegion GetRegionOptStatus ListRegions'),
      ('agent-registry.amazonaws.com', 'agentcore', 'agent_admin', 'CreateRegistry CreateRegistryRecord DeleteRegistry DeleteRegistryRecord SubmitRegistryRecordForApproval UpdateRegistry UpdateRegistryRecord UpdateRegistryRecordStatus'),
      ('agent-registry.amazonaws.com', 'agentcore', 'discovery', 'BatchGetDiscoverableRegistryRecord GetDiscoverableRegistryRecord GetRegistry GetRegistryRecord InvokeRegistryMcp ListDiscoverableRegistryRecords ListRegistries ListRegistryRecords SearchDiscoverableRegistryRecords'),
      ('agent-registry.amazonaws.com', 'agentcore', 'other', 'ListTagsForResource TagResource UntagResource'),
      ('agreement-marketplace.amazonaws.com', 'marketplace', 'discovery', 'DescribeAgreement GetAgreementEntitlements GetAgreementTerms SearchAgreements'),
      ('agreement-marketplace.amazonaws.com', 'marketplace', 'entitlement', 'AcceptAgreementApprovalRequest AcceptAgreementRequest CancelAgreement CancelAgreementRequest CreateAgreementRequest RejectAgreementApprovalRequest UpdateAgreementApprovalRequest'),
      ('agreement-marketplace.amazonaws.com', 'marketplace', 'other', 'AcceptAgreementCancellationRequest CancelAgreementCancellationRequest GetAgreementCancellationRequest ListAgreementCancellationRequests RejectAgreementCancellationRequest SendAgreementCancellationRequest'),
      ('aws-external-anthropic.amazonaws.com', 'other', 'agent_admin', 'ArchiveAgent ArchiveEnvironment CreateAgent CreateEnvironment CreateSkill CreateWebhook DeleteEnvironment DeleteSkill DeleteWebhook RotateWebhookSecret UpdateAgent UpdateEnvironment UpdateSkill UpdateWebhook'),
      ('aws-external-anthropic.amazonaws.com', 'other', 'batch', 'CreateBatchInference'),
      ('aws-external-anthropic.amazonaws.com', 'other', 'credential_admin', 'ArchiveVault CreateUserProfile CreateUserProfileEnrollmentUrl CreateVault DeleteVault UpdateUserProfile UpdateVault'),
      ('aws-external-anthropic.amazonaws.com', 'other', 'discovery', 'GetAgent GetEnvironment GetModel GetSkill GetUserProfile GetVault GetWebhook GetWorkspace ListAgents ListEnvironments ListModels ListSkills ListUserProfiles ListVaults ListWebhooks ListWorkspaces'),
      ('aws-external-anthropic.amazonaws.com', 'other', 'memory', 'ArchiveMemoryStore CreateMemoryStore DeleteMemoryStore GetMemoryStore ListMemoryStores UpdateMemoryStore'),
      ('aws-external-anthropic.amazonaws.com', 'other', 'model_admin', 'ArchiveWorkspace CreateWorkspace UpdateWorkspace'),
      ('aws-external-anthropic.amazonaws.com', 'other', 'model_invocation', 'CreateInference'),
      ('aws-external-anthropic.amazonaws.com', 'other', 'other', 'AssumeConsole CallWithBearerToken CancelBatchInference CountTokens CreateFile DeleteBatchInference DeleteFile GetAccountStatus GetBatchInference GetFile ListBatchInferences ListFiles ListTagsForResource ProcessEnvironmentWork TagResource UntagResource'),
      ('aws-external-anthropic.amazonaws.com', 'other', 'session', 'ArchiveSession CreateSession DeleteSession GetSession ListSessions UpdateSession'),
      ('aws-marketplace.amazonaws.com', 'marketplace', 'discovery', 'ViewSubscriptions'),
      ('aws-marketplace.amazonaws.com', 'marketplace', 'entitlement', 'Subscribe Unsubscribe'),
      ('bedrock-agentcore.amazonaws.com', 'agentcore', 'agent_admin', 'AddDatasetExamples CreateABTest CreateAgentRuntime CreateAgentRuntimeEndpoint CreateBrowser CreateBrowserProfile CreateCapacityProvider CreateCodeInterpreter CreateConfigurationBundle CreateDataset CreateDatasetVersion CreateEvaluator CreateHarness CreateHarnessEndpoint CreateMemory CreateOnlineEvaluationConfig CreatePaymentConnector CreatePaymentManager CreateRegistry CreateRegistryRecord DeleteABTest DeleteAgentRuntime DeleteAgentRuntimeEndpoint DeleteBrowser DeleteBrowserProfile DeleteCapacityProvider DeleteCodeInterpreter DeleteConfigurationBundle DeleteDataset DeleteDatasetExamples DeleteEvaluator DeleteHarness DeleteHarnessEndpoint DeleteMemory DeleteOnlineEvaluationConfig DeletePaymentConnector DeletePaymentManager DeleteRegistry DeleteRegistryRecord DeleteResourcePolicy PassCapacityProvider PutResourcePolicy SubmitRegistryRecordForApproval UpdateABTest UpdateAgentRuntime UpdateAgentRuntimeEndpoint UpdateCapacityProvider UpdateConfigurationBundle UpdateDataset UpdateDatasetExamples UpdateEvaluator UpdateHarness UpdateHarnessEndpoint UpdateMemory UpdateOnlineEvaluationConfig UpdatePaymentConnector UpdatePaymentManager UpdateRegistry UpdateRegistryRecord UpdateRegistryRecordStatus'),
      ('bedrock-agentcore.amazonaws.com', 'agentcore', 'agent_invocation', 'InvokeAgentRuntime InvokeAgentRuntimeCommand InvokeAgentRuntimeCommandShell InvokeAgentRuntimeForUser InvokeAgentRuntimeWithWebSocketStream InvokeAgentRuntimeWithWebSocketStreamForUser InvokeHarness'),
      ('bedrock-agentcore.amazonaws.com', 'agentcore', 'credential_admin', 'CreateApiKeyCredentialProvider CreateOauth2CredentialProvider CreatePaymentCredentialProvider CreatePaymentInstrument CreateWorkloadIdentity DeleteApiKeyCredentialProvider DeleteOauth2CredentialProvider DeletePaymentCredentialProvider DeletePaymentInstrument DeleteWorkloadIdentity SetTokenVaultCMK UpdateApiKeyCredentialProvider UpdateOauth2CredentialProvider UpdatePaymentCredentialProvider UpdateWorkloadIdentity'),
      ('bedrock-agentcore.amazonaws.com', 'agentcore', 'discovery', 'GetAgentCard GetAgentRuntime GetAgentRuntimeEndpoint GetApiKeyCredentialProvider GetBrowser GetBrowserProfile GetCapacityProvider GetCodeInterpreter GetConfigurationBundle GetConfigurationBundleVersion GetDataset GetEvaluator GetHarness GetHarnessEndpoint GetMemory GetOauth2CredentialProvider GetOnlineEvaluationConfig GetPaymentConnector GetPaymentCredentialProvider GetPaymentManager GetPolicy GetPolicyEngine GetPolicyEngineSummary GetPolicySummary GetRegistry GetRegistryRecord GetResourcePolicy GetTokenVault GetWorkloadIdentity InvokeRegistryMcp ListAgentRuntimeEndpoints ListAgentRuntimeVersions ListAgentRuntimeVersionsByCapacityProvider ListAgentRuntimes ListApiKeyCredentialProviders ListBrowserProfiles ListBrowsers ListCapacityProviders ListCodeInterpreters ListConfigurationBundleVersions ListConfigurationBundles ListDatasetExamples ListDatasetVersions ListDatasets ListEvaluators ListHarnessEndpoints ListHarnessVersions ListHarnesses ListMemories ListOauth2CredentialProviders ListOnlineEvaluationConfigs ListPaymentConnectors ListPaymentCredentialProviders ListPaymentManagers ListPolicies ListPolicyEngineSummaries ListPolicyEngines ListPolicyGenerationAssets ListPolicyGenerationSummaries ListPolicyGenerations ListPolicySummaries ListRegistries ListRegistryRecords ListWorkloadIdentities SearchRegistryRecords'),
      ('bedrock-agentcore.amazonaws.com', 'agentcore', 'guardrail_admin', 'CreatePolicy CreatePolicyEngine DeletePolicy DeletePolicyEngine ManageAdminPolicy ManageResourceScopedPolicy StartPolicyGeneration UpdatePolicy UpdatePolicyEngine'),
      ('bedrock-agentcore.amazonaws.com', 'agentcore', 'guardrail_check', 'AuthorizeAction PartiallyAuthorizeActions'),
      ('bedrock-agentcore.amazonaws.com', 'agentcore', 'logging_admin', 'AllowVendedLogDeliveryForResource'),
      ('bedrock-agentcore.amazonaws.com', 'agentcore', 'memory', 'BatchCreateMemoryRecords BatchDeleteMemoryRecords BatchUpdateMemoryRecords CreateEvent DeleteEvent DeleteMemoryRecord GetEvent GetMemoryRecord ListActors ListEvents ListMemoryExtractionJobs ListMemoryRecords ListSessions RetrieveMemoryRecords StartMemoryExtractionJob'),
      ('bedrock-agentcore.amazonaws.com', 'agentcore', 'other', 'DeleteBatchEvaluation DeleteRecommendation Evaluate GetABTest GetBatchEvaluation GetBrowserSession GetCodeInterpreterSession GetPaymentInstrument GetPaymentInstrumentBalance GetPolicyGeneration GetPolicyGenerationSummary GetRecommendation ListABTests ListBatchEvaluations ListBrowserSessions ListCodeInterpreterSessions ListPaymentInstruments ListRecommendations ListTagsForResource PutSystemLogEvents StartBatchEvaluation StartRecommendation StopBatchEvaluation TagResource UntagResource'),
      ('bedrock-agentcore.amazonaws.com', 'agentcore', 'session', 'CreatePaymentSession DeleteCapacityProviderSession DeletePaymentSession GetPaymentSession ListPaymentSessions StopRuntimeSession'),
      ('bedrock-agentcore.amazonaws.com', 'agentcore', 'token_vending', 'CompleteResourceTokenAuth GetResourceApiKey GetResourceOauth2Token GetResourcePaymentToken GetWorkloadAccessToken GetWorkloadAccessTokenForJWT GetWorkloadAccessTokenForUserId'),
      ('bedrock-agentcore.amazonaws.com', 'agentcore', 'tool', 'ConnectBrowserAutomationStream ConnectBrowserLiveViewStream InvokeBrowser InvokeCodeInterpreter InvokeWebSearch ProcessPayment SaveBrowserSessionProfile StartBrowserSession StartCodeInterpreterSession StopBrowserSession StopCodeInterpreterSession UpdateBrowserStream'),
      ('bedrock-agentcore.amazonaws.com', 'gateway', 'agent_admin', 'BatchPutGatewayRateLimits CreateGateway CreateGatewayRateLimit CreateGatewayRule CreateGatewayTarget DeleteGateway DeleteGatewayRateLimit DeleteGatewayRule DeleteGatewayTarget GatewayAssociateWebACL GatewayDisassociateWebACL SynchronizeGatewayTargets UpdateGateway UpdateGatewayRateLimit UpdateGatewayRule UpdateGatewayTarget'),
      ('bedrock-agentcore.amazonaws.com', 'gateway', 'discovery', 'GatewayGetWebACLForResource GatewayListResourcesForWebACL GetGateway GetGatewayRateLimit GetGatewayRule GetGatewayTarget ListGatewayRateLimits ListGatewayRules ListGatewayTargets ListGateways'),
      ('bedrock-agentcore.amazonaws.com', 'gateway', 'tool', 'InvokeGateway InvokeMcp'),
      ('bedrock-mantle.amazonaws.com', 'mantle', 'agent_admin', 'RegisterEnvironment'),
      ('bedrock-mantle.amazonaws.com', 'mantle', 'discovery', 'GetAccountDataRetention GetCustomizedModel GetModel GetProject GetReservation ListCustomizedModelAssociations ListCustomizedModels ListFineTuningJobs ListModels ListProjects ListReservations'),
      ('bedrock-mantle.amazonaws.com', 'mantle', 'model_admin', 'ArchiveProject AssociateCustomizedModel CancelFineTuningJob CreateCustomizedModel CreateFineTuningJob CreateProject CreateReservation DeleteCustomizedModel DeleteReservation DisassociateCustomizedModel PutAccountDataRetention UpdateProject UpdateReservation'),
      ('bedrock-mantle.amazonaws.com', 'mantle', 'model_invocation', 'CreateInference'),
      ('bedrock-mantle.amazonaws.com', 'mantle', 'other', 'CallWithBearerToken CancelInference CountTokens CreateFile DeleteFile DeleteInference GetFile GetFineTuningJob GetInference ListFiles ListTagsForResource TagResource UntagResource'),
      ('bedrock-mantle.amazonaws.com', 'mantle', 'session', 'ConnectEnvironment CreateAgentSession'),
      ('bedrock-websearch.amazonaws.com', 'other', 'tool', 'ExternalWebAccess InvokeFetch InvokeSearch'),
      ('bedrock.amazonaws.com', 'agents', 'agent_admin', 'AssociateAgentCollaborator AssociateAgentKnowledgeBase AssociateThirdPartyKnowledgeBase CreateAgent CreateAgentActionGroup CreateAgentAlias CreateDataSource CreateDataSourceToken CreateFlow CreateFlowAlias CreateFlowVersion CreateKnowledgeBase CreatePrompt CreatePromptVersion DeleteAgent DeleteAgentActionGroup DeleteAgentAlias DeleteAgentVersion DeleteDataSource DeleteFlow DeleteFlowAlias DeleteFlowVersion DeleteKnowledgeBase DeleteKnowledgeBaseDocuments DeletePrompt DisassociateAgentCollaborator DisassociateAgentKnowledgeBase IngestKnowledgeBaseDocuments InvokeBuilder PrepareAgent PrepareFlow StartIngestionJob StopIngestionJob UpdateAgent UpdateAgentActionGroup UpdateAgentAlias UpdateAgentCollaborator UpdateAgentKnowledgeBase UpdateDataSource UpdateFlow UpdateFlowAlias UpdateKnowledgeBase UpdatePrompt'),
      ('bedrock.amazonaws.com', 'agents', 'agent_invocation', 'InvokeAgent InvokeInlineAgent'),
      ('bedrock.amazonaws.com', 'agents', 'discovery', 'GetAgent GetAgentActionGroup GetAgentAlias GetAgentCollaborator GetAgentKnowledgeBase GetAgentVersion GetDataSource GetFlow GetFlowAlias GetFlowVersion GetKnowledgeBase GetKnowledgeBaseDocuments GetPrompt ListAgentActionGroups ListAgentAliases ListAgentCollaborators ListAgentKnowledgeBases ListAgentVersions ListAgents ListDataSources ListFlowAliases ListFlowVersions ListFlows ListIngestionJobs ListKnowledgeBaseDocuments ListKnowledgeBases ListPrompts'),
      ('bedrock.amazonaws.com', 'agents', 'flow', 'GetExecutionFlowSnapshot GetFlowExecution InvokeFlow ListFlowExecutionEvents ListFlowExecutions StartFlowExecution StopFlowExecution'),
      ('bedrock.amazonaws.com', 'agents', 'memory', 'DeleteAgentMemory GetAgentMemory'),
      ('bedrock.amazonaws.com', 'agents', 'other', 'CheckIngestedDocumentAcl GetDataSourceAuthorizationUrl GetIngestedDocumentAcl GetIngestionJob OptimizePrompt ValidateFlowDefinition'),
      ('bedrock.amazonaws.com', 'agents', 'retrieval', 'AgenticRetrieveStream GenerateQuery GetDocumentContent Rerank Retrieve RetrieveAndGenerate RetrieveAndGenerateStream'),
      ('bedrock.amazonaws.com', 'agents', 'session', 'CreateInvocation CreateSession DeleteSession EndSession GetInvocationStep GetSession ListInvocationSteps ListInvocations ListSessions PutInvocationStep UpdateSession'),
      ('bedrock.amazonaws.com', 'control', 'batch', 'CreateModelInvocationJob'),
      ('bedrock.amazonaws.com', 'control', 'discovery', 'GetAccountDataRetention GetAutomatedReasoningPolicy GetBlueprint GetCustomModel GetCustomModelDeployment GetDataAutomationLibrary GetDataAutomationLibraryEntity GetDataAutomationProject GetFoundationModel GetFoundationModelAvailability GetGuardrail GetImportedModel GetInferenceProfile GetMarketplaceModelEndpoint GetModelInvocationLoggingConfiguration GetPromptRouter GetProvisionedModelThroughput GetResourcePolicy GetUseCaseForModelAccess ListAdvancedPromptOptimizationJobs ListAutomatedReasoningPolicies ListAutomatedReasoningPolicyBuildWorkflows ListAutomatedReasoningPolicyTestCases ListAutomatedReasoningPolicyTestResults ListBlueprints ListCustomModelDeployments ListCustomModels ListDataAutomationLibraries ListDataAutomationLibraryEntities ListDataAutomationLibraryIngestionJobs ListDataAutomationProjects ListEnforcedGuardrailsConfiguration ListEvaluationJobs ListFoundationModelAgreementOffers ListFoundationModels ListGuardrails ListImportedModels ListInferenceProfiles ListMarketplaceModelEndpoints ListModelCopyJobs ListModelCustomizationJobs ListModelEvaluationJobs ListModelImportJobs ListModelInvocationJobs ListPromptRouters ListProvisionedModelThroughputs'),
      ('bedrock.amazonaws.com', 'control', 'entitlement', 'CreateFoundationModelAgreement DeleteFoundationModelAgreement DeleteMarketplaceModelAgreement PutFoundationModelEntitlement PutUseCaseForModelAccess'),
      ('bedrock.amazonaws.com', 'control', 'guardrail_admin', 'CancelAutomatedReasoningPolicyBuildWorkflow CreateAutomatedReasoningPolicy CreateAutomatedReasoningPolicyTestCase CreateAutomatedReasoningPolicyVersion CreateGuardrail CreateGuardrailVersion DeleteAutomatedReasoningPolicy DeleteAutomatedReasoningPolicyBuildWorkflow DeleteAutomatedReasoningPolicyTestCase DeleteEnforcedGuardrailConfiguration DeleteGuardrail DeleteGuardrailVersion PutEnforcedGuardrailConfiguration StartAutomatedReasoningPolicyBuildWorkflow StartAutomatedReasoningPolicyTestWorkflow UpdateAutomatedReasoningPolicy UpdateAutomatedReasoningPolicyAnnotations UpdateAutomatedReasoningPolicyTestCase UpdateGuardrail'),
      ('bedrock.amazonaws.com', 'control', 'logging_admin', 'AllowVendedLogDeliveryForResource DeleteModelInvocationLoggingConfiguration PutModelInvocationLoggingConfiguration'),
      ('bedrock.amazonaws.com', 'control', 'model_admin', 'BatchDeleteAdvancedPromptOptimizationJob BatchDeleteEvaluationJob CopyBlueprintStage CreateAdvancedPromptOptimizationJob CreateBlueprint CreateBlueprintVersion CreateCustomModel CreateCustomModelDeployment CreateDataAutomationLibrary CreateDataAutomationProject CreateEvaluationJob CreateInferenceProfile CreateMarketplaceModelEndpoint CreateModelCopyJob CreateModelCustomizationJob CreateModelEvaluationJob CreateModelImportJob CreatePromptRouter CreateProvisionedModelThroughput DeleteBlueprint DeleteCustomModel DeleteCustomModelDeployment DeleteDataAutomationLibrary DeleteDataAutomationProject DeleteImportedModel DeleteInferenceProfile DeleteMarketplaceModelEndpoint DeletePromptRouter DeleteProvisionedModelThroughput DeleteResourcePolicy DeregisterMarketplaceModelEndpoint InvokeDataAutomationLibraryIngestionJob PutAccountDataRetention PutResourcePolicy RegisterMarketplaceModelEndpoint StopAdvancedPromptOptimizationJob StopEvaluationJob StopModelCustomizationJob StopModelInvocationJob UpdateBlueprint UpdateCustomModelDeployment UpdateDataAutomationLibrary UpdateDataAutomationProject UpdateMarketplaceModelEndpoint UpdateProvisionedModelThroughput'),
      ('bedrock.amazonaws.com', 'control', 'other', 'ExportAutomatedReasoningPolicyVersion GetAdvancedPromptOptimizationJob GetAutomatedReasoningPolicyAnnotations GetAutomatedReasoningPolicyBuildWorkflow GetAutomatedReasoningPolicyBuildWorkflowResultAssets GetAutomatedReasoningPolicyNextScenario GetAutomatedReasoningPolicyTestCase GetAutomatedReasoningPolicyTestResult GetBlueprintOptimizationStatus GetBlueprintRecommendation GetDataAutomationLibraryIngestionJob GetEvaluationJob GetModelCopyJob GetModelCustomizationJob GetModelEvaluationJob GetModelImportJob GetModelInvocationJob InvokeBlueprintOptimizationAsync InvokeBlueprintRecommendationAsync ListTagsForResource TagResource UntagResource'),
      ('bedrock.amazonaws.com', 'other', 'other', 'DetectGeneratedContent'),
      ('bedrock.amazonaws.com', 'runtime', 'guardrail_check', 'ApplyGuardrail InvokeAutomatedReasoningPolicy InvokeGuardrailChecks'),
      ('bedrock.amazonaws.com', 'runtime', 'model_invocation', 'Converse ConverseStream ConverseWithResponseStream InvokeModel InvokeModelWithBidirectionalStream InvokeModelWithResponseStream StartAsyncInvoke StartAsyncInvokes'),
      ('bedrock.amazonaws.com', 'runtime', 'other', 'CallWithBearerToken CancelInvoke CountTokens DeleteInvoke GetAsyncInvoke GetDataAutomationStatus GetInvoke InvokeDataAutomation InvokeDataAutomationAsync ListAsyncInvokes RenderPrompt'),
      ('bedrock.amazonaws.com', 'runtime', 'tool', 'InvokeTool'),
      ('cloudtrail-data.amazonaws.com', 'trail', 'other', 'PutAuditEvents'),
      ('cloudtrail.amazonaws.com', 'trail', 'other', 'AddTags CancelQuery CreateDashboard DeleteDashboard DescribeQuery DescribeTrails GenerateQuery GetChannel GetDashboard GetEventConfiguration GetEventDataStore GetEventSelectors GetImport GetInsightSelectors GetQueryResults GetResourcePolicy GetTrail GetTrailStatus ListChannels ListDashboards ListEventDataStores ListImportFailures ListImports ListInsightsData ListInsightsMetricData ListPublicKeys ListQueries ListTags ListTrails LookupEvents RemoveTags SearchSampleQueries StartDashboardRefresh StartQuery UpdateDashboard'),
      ('cloudtrail.amazonaws.com', 'trail', 'trail_admin', 'CreateChannel CreateEventDataStore CreateTrail DeleteChannel DeleteEventDataStore DeleteResourcePolicy DeleteTrail DeregisterOrganizationDelegatedAdmin DisableFederation EnableFederation PutEventConfiguration PutEventSelectors PutInsightSelectors PutResourcePolicy RegisterOrganizationDelegatedAdmin RestoreEventDataStore StartEventDataStoreIngestion StartImport StartLogging StopEventDataStoreIngestion StopImport StopLogging UpdateChannel UpdateEventDataStore UpdateTrail'),
      ('config.amazonaws.com', 'other', 'other', 'StartConfigurationRecorder'),
      ('config.amazonaws.com', 'other', 'trail_admin', 'DeleteAggregationAuthorization DeleteConfigRule DeleteConfigurationAggregator DeleteConfigurationRecorder DeleteConformancePack DeleteDeliveryChannel DeleteEvaluationResults DeleteOrganizationConfigRule DeleteOrganizationConformancePack DeleteRetentionConfiguration DeleteServiceLinkedConfigurationRecorder DisassociateResourceTypes PutConfigurationRecorder PutDeliveryChannel PutRetentionConfiguration StopConfigurationRecorder'),
      ('discovery-marketplace.amazonaws.com', 'marketplace', 'discovery', 'GetListing GetListingView GetOffer GetOfferSet GetOfferTerms GetProduct GetSearchFacets ListFulfillmentOptions ListPurchaseOptions SearchFacets SearchListings'),
      ('dynamodb.amazonaws.com', 'other', 'downstream', 'DeleteTable'),
      ('ec2.amazonaws.com', 'other', 'downstream', 'TerminateInstances'),
      ('guardduty.amazonaws.com', 'other', 'other', 'CreateDetector'),
      ('guardduty.amazonaws.com', 'other', 'trail_admin', 'ArchiveFindings CreateFilter CreateIPSet CreateTrustedEntitySet DeleteDetector DeleteMembers DeletePublishingDestination DisableOrganizationAdminAccount DisassociateFromAdministratorAccount DisassociateFromMasterAccount DisassociateMembers StopMonitoringMembers UpdateDetector UpdateFilter UpdateIPSet UpdateMemberDetectors UpdateOrganizationConfiguration UpdatePublishingDestination UpdateTrustedEntitySet'),
      ('iam.amazonaws.com', 'iam', 'credential_admin', 'AcceptDelegationRequest AddClientIDToOpenIDConnectProvider AddRoleToInstanceProfile AddUserToGroup AttachGroupPolicy AttachRolePolicy AttachUserPolicy ChangePassword CreateAccessKey CreateDelegationRequest CreateInstanceProfile CreateLoginProfile CreateOpenIDConnectProvider CreatePolicy CreatePolicyVersion CreateRole CreateSAMLProvider CreateServiceLinkedRole CreateServiceSpecificCredential CreateUser DeactivateMFADevice DeleteAccessKey DeleteGroupPolicy DeleteLoginProfile DeleteOpenIDConnectProvider DeletePolicy DeletePolicyVersion DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy DeleteSAMLProvider DeleteServiceLinkedRole DeleteServiceSpecificCredential DeleteUser DeleteUserPermissionsBoundary DeleteUserPolicy DeleteVirtualMFADevice DetachGroupPolicy DetachRolePolicy DetachUserPolicy DisableOutboundWebIdentityFederation EnableMFADevice EnableOutboundWebIdentityFederation PutGroupPolicy PutRolePermissionsBoundary PutRolePolicy PutUserPermissionsBoundary PutUserPolicy RemoveUserFromGroup ResetServiceSpecificCredential SendDelegationToken SetDefaultPolicyVersion TagRole UntagRole UpdateAccessKey UpdateAccountPasswordPolicy UpdateAssumeRolePolicy UpdateLoginProfile UpdateOpenIDConnectProviderThumbprint UpdateRole UpdateSAMLProvider UpdateServiceSpecificCredential UpdateUser'),
      ('iam.amazonaws.com', 'iam', 'other', 'GetAccountAuthorizationDetails GetAccountSummary GetRole GetRolePolicy GetUser ListAccessKeys ListAttachedRolePolicies ListRolePolicies ListRoles ListServiceSpecificCredentials ListUsers'),
      ('kms.amazonaws.com', 'other', 'downstream', 'CreateGrant Decrypt DescribeKey Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext ReEncrypt'),
      ('kms.amazonaws.com', 'other', 'other', 'CancelKeyDeletion CreateAlias CreateKey EnableKey EnableKeyRotation GetKeyPolicy ReplicateKey'),
      ('kms.amazonaws.com', 'other', 'trail_admin', 'DeleteAlias DeleteImportedKeyMaterial DeleteKey DisableKey DisableKeyRotation PutKeyPolicy RetireGrant RevokeGrant ScheduleKeyDeletion UpdateAlias UpdatePrimaryRegion'),
      ('lambda.amazonaws.com', 'other', 'downstream', 'Invoke Invoke20150331 InvokeAsync InvokeWithResponseStream'),
      ('lambda.amazonaws.com', 'other', 'other', 'AddPermission20150331v2 CreateFunction20150331 DeleteFunction20150331 RemovePermission20150331v2 UpdateFunctionCode20150331v2 UpdateFunctionConfiguration20150331v2'),
      ('logs.amazonaws.com', 'other', 'logging_admin', 'CreateDelivery DeleteDelivery DeleteDeliveryDestination DeleteDeliverySource PutDeliveryDestination PutDeliverySource UpdateDeliveryConfiguration'),
      ('logs.amazonaws.com', 'other', 'trail_admin', 'AssociateKmsKey DeleteDataProtectionPolicy DeleteLogGroup DeleteLogStream DeleteResourcePolicy DeleteRetentionPolicy DeleteSubscriptionFilter DisassociateKmsKey PutDataProtectionPolicy PutLogGroupDeletionProtection PutResourcePolicy PutRetentionPolicy PutSubscriptionFilter'),
      ('organizations.amazonaws.com', 'other', 'credential_admin', 'AttachPolicy CreatePolicy DeletePolicy DeleteResourcePolicy DetachPolicy DisablePolicyType EnablePolicyType PutResourcePolicy UpdatePolicy'),
      ('organizations.amazonaws.com', 'other', 'other', 'AcceptHandshake CreateAccount CreateAccountResult EnableAWSServiceAccess EnableAllFeatures InviteAccountToOrganization ListAccounts RegisterDelegatedAdministrator'),
      ('organizations.amazonaws.com', 'other', 'trail_admin', 'CloseAccount DeleteOrganization DeregisterDelegatedAdministrator DisableAWSServiceAccess LeaveOrganization MoveAccount RemoveAccountFromOrganization'),
      ('s3.amazonaws.com', 'other', 'downstream', 'CopyObject DeleteObject DeleteObjects GetObject PutObject PutObjectAcl PutObjectLegalHold PutObjectRetention'),
      ('s3.amazonaws.com', 'other', 'other', 'CreateBucket GetBucketObjectLockConfiguration GetBucketPolicy GetBucketVersioning ListBuckets'),
      ('s3.amazonaws.com', 'other', 'trail_admin', 'DeleteAccountPublicAccessBlock DeleteBucket DeleteBucketEncryption DeleteBucketLifecycle DeleteBucketOwnershipControls DeleteBucketPolicy DeleteBucketPublicAccessBlock DeleteBucketReplication PutAccountPublicAccessBlock PutBucketAcl PutBucketEncryption PutBucketLifecycle PutBucketLifecycleConfiguration PutBucketLogging PutBucketNotification PutBucketObjectLockConfiguration PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock PutBucketReplication PutBucketVersioning PutObjectLockConfiguration'),
      ('secretsmanager.amazonaws.com', 'other', 'downstream', 'GetSecretValue'),
      ('secretsmanager.amazonaws.com', 'other', 'other', 'EndSecretVersionDelete StartSecretVersionDelete'),
      ('securityhub.amazonaws.com', 'other', 'other', 'BatchImportFindings EnableSecurityHub EnableSecurityHubV2'),
      ('securityhub.amazonaws.com', 'other', 'trail_admin', 'BatchDisableStandards BatchUpdateStandardsControlAssociations CreateAutomationRule CreateAutomationRuleV2 DeleteConfigurationPolicy DeleteFindingAggregator DeleteMembers DisableImportFindingsForProduct DisableOrganizationAdminAccount DisableSecurityHub DisableSecurityHubFeatureV2 DisableSecurityHubV2 DisassociateFromAdministratorAccount DisassociateFromMasterAccount DisassociateMembers StartConfigurationPolicyDisassociation UpdateOrganizationConfiguration UpdateSecurityHubConfiguration UpdateStandardsControl'),
      ('signin.amazonaws.com', 'iam', 'other', 'CheckMfa ConsoleLogin ExitRole GetSigninToken RenewRole SwitchRole'),
      ('sts.amazonaws.com', 'iam', 'downstream', 'AssumeRole'),
      ('sts.amazonaws.com', 'iam', 'other', 'AssumeRoleWithSAML AssumeRoleWithWebIdentity AssumeRoot DecodeAuthorizationMessage GetAccessKeyInfo GetCallerIdentity GetDelegatedAccessToken GetFederationToken GetSessionToken GetWebIdentityToken')
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
    NULLIF(json_extract_scalar(k.additional, '$.jwt.claims.iss'), '') AS jwt_issuer,
    NULLIF(json_extract_scalar(k.additional, '$.jwt.claims.sub'), '') AS jwt_subject,
    CASE WHEN k.event_type = 'AwsServiceEvent' THEN NULLIF(json_extract_scalar(k.service, '$.parentRequestId'), '') END AS parent_request_id,
    -- A service event's entries: an object, or a list of keys and values made into one.
    CASE
      WHEN NOT k.family OR COALESCE(k.event_type, '') <> 'AwsServiceEvent' THEN NULL
      WHEN starts_with(COALESCE(NULLIF(json_format(json_extract(k.service, '$.AdditionalEventData.additionalEntries')), 'null'), NULLIF(json_format(json_extract(k.service, '$.AdditionalEventData.AdditionalEntries')), 'null'), NULLIF(json_format(json_extract(k.service, '$.additionalEventData.additionalEntries')), 'null'), NULLIF(json_format(json_extract(k.service, '$.additionalEventData.AdditionalEntries')), 'null'), NULLIF(json_format(json_extract(k.service, '$.additionalEntries')), 'null'), NULLIF(json_format(json_extract(k.service, '$.AdditionalEntries')), 'null'), NULLIF(json_format(json_extract(k.service, '$.AdditionalEventData')), 'null'), NULLIF(json_format(json_extract(k.service, '$.additionalEventData')), 'null')), '[') THEN '{' || array_join(
        transform(
          CAST(json_parse(COALESCE(NULLIF(json_format(json_extract(k.service, '$.AdditionalEventData.additionalEntries')), 'null'), NULLIF(json_format(json_extract(k.service, '$.AdditionalEventData.AdditionalEntries')), 'null'), NULLIF(json_format(json_extract(k.service, '$.additionalEventData.additionalEntries')), 'null'), NULLIF(json_format(json_extract(k.service, '$.additionalEventData.AdditionalEntries')), 'null'), NULLIF(json_format(json_extract(k.service, '$.additionalEntries')), 'null'), NULLIF(json_format(json_extract(k.service, '$.AdditionalEntries')), 'null'), NULLIF(json_format(json_extract(k.service, '$.AdditionalEventData')), 'null'), NULLIF(json_format(json_extract(k.service, '$.additionalEventData')), 'null'))) AS ARRAY(JSON)),
          x -> json_format(COALESCE(json_extract(x, '$.key'), json_extract(x, '$.Key'), json_extract(x, '$.name'), json_extract(x, '$.Name')))
            || ':' || json_format(COALESCE(json_extract(x, '$.value'), json_extract(x, '$.Value')))
        ),
        ','
      ) || '}'
      ELSE COALESCE(NULLIF(json_format(json_extract(k.service, '$.AdditionalEventData.additionalEntries')), 'null'), NULLIF(json_format(json_extract(k.service, '$.AdditionalEventData.AdditionalEntries')), 'null'), NULLIF(json_format(json_extract(k.service, '$.additionalEventData.additionalEntries')), 'null'), NULLIF(json_format(json_extract(k.service, '$.additionalEventData.AdditionalEntries')), 'null'), NULLIF(json_format(json_extract(k.service, '$.additionalEntries')), 'null'), NULLIF(json_format(json_extract(k.service, '$.AdditionalEntries')), 'null'), NULLIF(json_format(json_extract(k.service, '$.AdditionalEventData')), 'null'), NULLIF(json_format(json_extract(k.service, '$.additionalEventData')), 'null'))
    END AS entries,
    CASE
      WHEN k.source = 'bedrock.amazonaws.com' THEN COALESCE(
        NULLIF(json_extract_scalar(k.request, '$.modelId'), ''),
        NULLIF(json_extract_scalar(k.request, '$.foundationModel'), ''),
        NULLIF(json_extract_scalar(k.request, '$.retrieveAndGenerateConfiguration.knowledgeBaseConfiguration.modelArn'), ''),
        NULLIF(json_extract_scalar(k.request, '$.retrieveAndGenerateConfiguration.externalSourcesConfiguration.modelArn'), ''),
        NULLIF(json_extract_scalar(k.request, '$.baseModelIdentifier'), ''),
        NULLIF(json_extract_scalar(k.request, '$.targetModelId'), ''),
        NULLIF(json_extract_scalar(k.request, '$.modelIdentifier'), ''),
        NULLIF(json_extract_scalar(k.request, '$.desiredModelId'), ''),
        NULLIF(json_extract_scalar(k.request, '$.modelSource.copyFrom'), ''),
        NULLIF(json_extract_scalar(k.request, '$.modelSource.modelArn'), ''),
        NULLIF(json_extract_scalar(k.request, '$.rerankingConfiguration.bedrockRerankingConfiguration.modelConfiguration.modelArn'), '')
      )
      WHEN k.source IN ('bedrock-mantle.amazonaws.com', 'aws-external-anthropic.amazonaws.com') THEN NULLIF(json_extract_scalar(k.request, '$.model'), '')
      WHEN k.source = 'bedrock-agentcore.amazonaws.com' AND regexp_like(k.event_name, 'Harness\z') THEN COALESCE(
        NULLIF(json_extract_scalar(k.request, '$.model'), ''),
        NULLIF(json_extract_scalar(k.request, '$.model.bedrockModelConfig.modelId'), ''),
        NULLIF(json_extract_scalar(k.request, '$.model.bedrockModelConfig.modelArn'), '')
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
    COALESCE(NULLIF(json_extract_scalar(k.request, '$.agentRuntimeArn'), ''), NULLIF(json_extract_scalar(k.request, '$.harnessArn'), '')) AS request_runtime,
    NULLIF(json_extract_scalar(k.request, '$.flowIdentifier'), '') AS request_flow,
    COALESCE(NULLIF(json_extract_scalar(k.request, '$.gatewayIdentifier'), ''), NULLIF(json_extract_scalar(k.request, '$.gatewayArn'), '')) AS request_gateway
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
      WHEN json_extract_scalar(c.additional, '$.callWithBearerToken') = 'true' THEN TRUE
      WHEN c.says_bearer AND json_extract_scalar(c.request, '$.callWithBearerToken') = 'true' THEN TRUE
      WHEN json_extract_scalar(c.additional, '$.callWithBearerToken') = 'false' THEN FALSE
      WHEN c.says_bearer AND json_extract_scalar(c.request, '$.callWithBearerToken') = 'false' THEN FALSE
    END AS bearer_flag,
    COALESCE(CASE WHEN c.says_bearer THEN NULLIF(json_extract_scalar(c.request, '$.bearerTokenType'), '') END, NULLIF(json_extract_scalar(c.additional, '$.bearerTokenType'), ''), '') AS bearer_kind,
    COALESCE(regexp_like(c.identity_user_name, '\A(BedrockAPIKey|AeaApiKey)-'), FALSE) AS key_user,
    COALESCE(c.access_key_id, '') AS key_id,
    COALESCE(c.response IS NOT NULL AND (
      c.surface = 'gateway'
      OR (c.surface = 'agentcore' AND regexp_extract(arns, '(?:\A|\n)arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:gateway/([^/:\n]+)', 1) IS NOT NULL)
    ), FALSE) AS answered,
    json_extract_scalar(c.response, '$.statusCode') AS status_text,
    COALESCE(json_format(json_extract(c.response, '$.body.error')), 'null') <> 'null' AS rpc_failed,
    json_extract_scalar(c.response, '$.body.error.code') AS rpc_text,
    COALESCE(json_extract_scalar(c.response, '$.body.result.isError') = 'true', FALSE) AS tool_failed,
    regexp_replace(c.error_code, '\AClient\.', '') AS plain_code,
    CASE WHEN c.family THEN COALESCE(
      c.named_model,
      regexp_extract(c.model_arns, '[^\n]*inference-profile/[^\n]*'),
      regexp_extract(c.model_arns, '[^\n]+')
    ) END AS model_requested,
    trim(c.source_ip) AS address,
    CASE
      WHEN c.user_agent = 'bedrock-agentcore.amazonaws.com' THEN 1
      WHEN c.user_agent = 'cloudformation.amazonaws.com' THEN 2
      WHEN c.user_agent = 'console.ec2.amazonaws.com' THEN 3
      WHEN c.user_agent = 'bedrock.amazonaws.com' THEN 4
      WHEN c.user_agent = 'console.amazonaws.com' THEN 5
      WHEN c.user_agent = 'signin.amazonaws.com' THEN 6
      WHEN starts_with(c.user_agent, 'claude-cli/') AND strpos(substr(c.user_agent, 12), '(external, sdk-cli)') > 0 THEN 7
      WHEN starts_with(c.user_agent, 'aws-cli/') AND strpos(substr(c.user_agent, 9), 'exec-env/CloudShell') > 0 THEN 8
      WHEN strpos(c.user_agent, 'AWS-Toolkit-For-JetBrains/') > 0 THEN 9
      WHEN strpos(c.user_agent, 'AWS-Toolkit-For-VSCode/') > 0 THEN 10
      WHEN starts_with(c.user_agent, 'codex_chatgpt_desktop/') THEN 11
      WHEN strpos(c.user_agent, 'AmazonQ-For-VSCode/') > 0 THEN 12
      WHEN starts_with(c.user_agent, 'codex-app-server/') THEN 13
      WHEN starts_with(c.user_agent, 'codex_mcp_server/') THEN 14
      WHEN strpos(c.user_agent, 'AmazonQ-For-CLI') > 0 THEN 15
      WHEN strpos(c.user_agent, 'claude-vscode') > 0 THEN 16
      WHEN starts_with(c.user_agent, 'codex_cli_rs/') THEN 17
      WHEN starts_with(c.user_agent, 'codex_sdk_ts/') THEN 18
      WHEN starts_with(c.user_agent, 'codex_vscode/') THEN 19
      WHEN starts_with(c.user_agent, 'codex_atlas/') THEN 20
      WHEN strpos(c.user_agent, 'app/RooCode') > 0 THEN 21
      WHEN starts_with(c.user_agent, 'claude-cli/') THEN 22
      WHEN starts_with(c.user_agent, 'codex_exec/') THEN 23
      WHEN starts_with(c.user_agent, 'codex-tui/') THEN 24
      WHEN starts_with(c.user_agent, 'roo-code/') THEN 25
      WHEN strpos(c.user_agent, 'KiroIDE-') > 0 THEN 26
      WHEN starts_with(c.user_agent, 'litellm/') THEN 27
      WHEN starts_with(c.user_agent, 'Cline/') THEN 28
      WHEN starts_with(c.user_agent, 'Codex ') THEN 29
      WHEN strpos(c.user_agent, 'x-client-framework:langgraph_agentcore_memory') > 0 THEN 30
      WHEN strpos(c.user_agent, 'x-client-framework:langchain-aws') > 0 THEN 31
      WHEN strpos(c.user_agent, 'x-client-framework:langgraph-') > 0 THEN 32
      WHEN strpos(c.user_agent, 'terraform-provider-aws/') > 0 THEN 33
      WHEN strpos(c.user_agent, 'ai-sdk/amazon-bedrock/') > 0 THEN 34
      WHEN strpos(c.user_agent, 'bedrock-agentcore-sdk') > 0 THEN 35
      WHEN strpos(c.user_agent, 'LangChainAWS#Agents#') > 0 THEN 36
      WHEN strpos(c.user_agent, 'bedrock-agentcore/') > 0 THEN 37
      WHEN strpos(c.user_agent, 'strands-agents') > 0 THEN 38
      WHEN strpos(c.user_agent, 'aws-internal/') > 0 THEN 39
      WHEN strpos(c.user_agent, 'Terraform/') > 0 THEN 40
      WHEN strpos(c.user_agent, 'langchain/') > 0 THEN 41
      WHEN starts_with(c.user_agent, 'AsyncAnthropicBedrockMantle/Python ') THEN 42
      WHEN starts_with(c.user_agent, 'AnthropicBedrockMantle/Python ') THEN 43
      WHEN starts_with(c.user_agent, 'AsyncAnthropicBedrock/Python ') THEN 44
      WHEN starts_with(c.user_agent, 'AnthropicBedrockMantle/JS ') THEN 45
      WHEN starts_with(c.user_agent, 'AsyncBedrockOpenAI/Python ') THEN 46
      WHEN starts_with(c.user_agent, 'AsyncAnthropicAWS/Python ') THEN 47
      WHEN starts_with(c.user_agent, 'AnthropicBedrock/Python ') THEN 48
      WHEN starts_with(c.user_agent, 'aws-sdk-dotnet-coreclr/') THEN 49
      WHEN starts_with(c.user_agent, 'AsyncAnthropic/Python ') THEN 50
      WHEN starts_with(c.user_agent, 'BedrockOpenAI/Python ') THEN 51
      WHEN starts_with(c.user_agent, 'AnthropicAWS/Python ') THEN 52
      WHEN starts_with(c.user_agent, 'AnthropicBedrock/JS ') THEN 53
      WHEN starts_with(c.user_agent, 'AsyncOpenAI/Python ') THEN 54
      WHEN starts_with(c.user_agent, 'AzureOpenAI/Python ') THEN 55
      WHEN starts_with(c.user_agent, 'aws-sdk-dotnet-45/') THEN 56
      WHEN starts_with(c.user_agent, 'Anthropic/Python ') THEN 57
      WHEN starts_with(c.user_agent, 'aws-sdk-nodejs/2.') THEN 58
      WHEN starts_with(c.user_agent, 'python-requests/') THEN 59
      WHEN starts_with(c.user_agent, 'Go-http-client/') THEN 60
      WHEN starts_with(c.user_agent, 'aws-sdk-java/1.') THEN 61
      WHEN starts_with(c.user_agent, 'aws-sdk-java/2.') THEN 62
      WHEN starts_with(c.user_agent, 'aws-sdk-kotlin/') THEN 63
      WHEN starts_with(c.user_agent, 'aws-sdk-python/') THEN 64
      WHEN starts_with(c.user_agent, 'OpenAI/Python ') THEN 65
      WHEN starts_with(c.user_agent, 'aws-sdk-go-v2/') THEN 66
      WHEN starts_with(c.user_agent, 'aws-sdk-ruby3/') THEN 67
      WHEN starts_with(c.user_agent, 'aws-sdk-swift/') THEN 68
      WHEN starts_with(c.user_agent, 'Anthropic/JS ') THEN 69
      WHEN starts_with(c.user_agent, 'aws-sdk-go/1.') THEN 70
      WHEN starts_with(c.user_agent, 'aws-sdk-js/3.') THEN 71
      WHEN starts_with(c.user_agent, 'aws-sdk-rust/') THEN 72
      WHEN starts_with(c.user_agent, 'python-httpx/') THEN 73
      WHEN starts_with(c.user_agent, 'AWS Internal') THEN 74
      WHEN starts_with(c.user_agent, 'aws-sdk-cpp/') THEN 75
      WHEN starts_with(c.user_agent, 'aws-sdk-php/') THEN 76
      WHEN starts_with(c.user_agent, 'pydantic-ai/') THEN 77
      WHEN starts_with(c.user_agent, 'Mozilla/5.0') THEN 78
      WHEN starts_with(c.user_agent, 'OpenAI/JS ') THEN 79
      WHEN starts_with(c.user_agent, 'TruffleHog') THEN 80
      WHEN starts_with(c.user_agent, 'aws-cli/1.') THEN 81
      WHEN starts_with(c.user_agent, 'aws-cli/2.') THEN 82
      WHEN starts_with(c.user_agent, 'Botocore/') THEN 83
      WHEN starts_with(c.user_agent, 'Boto3/') THEN 84
      WHEN starts_with(c.user_agent, 'curl/') THEN 85
    END AS client_rank
  FROM callers AS c
),
referred AS (
  SELECT
    u.*,
    CASE WHEN u.answered THEN CASE WHEN regexp_like(u.status_text, '\A[+-]?[0-9]{1,18}\z') THEN CAST(u.status_text AS BIGINT) WHEN regexp_like(u.status_text, '\A[-+0-9.eE]+\z') AND TRY_CAST(u.status_text AS DOUBLE) = floor(TRY_CAST(u.status_text AS DOUBLE)) AND abs(TRY_CAST(u.status_text AS DOUBLE)) <= 9007199254740992 THEN CAST(TRY_CAST(u.status_text AS DOUBLE) AS BIGINT) END END AS gateway_status,
    CASE WHEN u.answered AND u.rpc_failed THEN COALESCE(CASE WHEN regexp_like(u.rpc_text, '\A[+-]?[0-9]{1,18}\z') THEN CAST(u.rpc_text AS BIGINT) WHEN regexp_like(u.rpc_text, '\A[-+0-9.eE]+\z') AND TRY_CAST(u.rpc_text AS DOUBLE) = floor(TRY_CAST(u.rpc_text AS DOUBLE)) AND abs(TRY_CAST(u.rpc_text AS DOUBLE)) <= 9007199254740992 THEN CAST(TRY_CAST(u.rpc_text AS DOUBLE) AS BIGINT) END, 0) END AS rpc_error,
    trim(u.model_requested) AS reference_0,
    CASE
      WHEN regexp_like(u.address, '\A(?:0{0,2}[0-9]|0?[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])(\.(?:0{0,2}[0-9]|0?[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])){3}\z') THEN u.address
      ELSE regexp_extract(u.address, '\A(?i:(?:0{1,4}:){5}|::)(?i:ffff):((?:0{0,2}[0-9]|0?[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])(?:\.(?:0{0,2}[0-9]|0?[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])){3})\z', 1)
    END AS ipv4,
    element_at(ARRAY['aws-service', 'cloudformation', 'console', 'aws-service', 'console', 'console', 'claude-code', 'cloudshell',
      'aws-toolkit-jetbrains', 'aws-toolkit-vscode', 'codex-desktop', 'amazon-q-vscode', 'codex-cli', 'codex-cli',
      'amazon-q-cli', 'claude-code', 'codex-cli', 'codex-cli', 'codex-vscode', 'codex-atlas', 'roo-code',
      'claude-code', 'codex-cli', 'codex-cli', 'roo-code', 'kiro', 'litellm', 'cline', 'codex-desktop',
      'langgraph', 'langchain', 'langgraph', 'terraform', 'vercel-ai-sdk', 'agentcore-sdk', 'langchain',
      'agentcore-sdk', 'strands-agents', 'aws-internal', 'terraform', 'langchain', 'anthropic-python',
      'anthropic-python', 'anthropic-python', 'anthropic-js', 'openai-python', 'anthropic-python',
      'anthropic-python', 'aws-sdk-dotnet', 'anthropic-python', 'openai-python', 'anthropic-python',
      'anthropic-js', 'openai-python', 'openai-python', 'aws-sdk-dotnet', 'anthropic-python', 'aws-sdk-js',
      'python-requests', 'go-http', 'aws-sdk-java', 'aws-sdk-java', 'aws-sdk-kotlin', 'aws-sdk-python',
      'openai-python', 'aws-sdk-go', 'aws-sdk-ruby', 'aws-sdk-swift', 'anthropic-js', 'aws-sdk-go', 'aws-sdk-js',
      'aws-sdk-rust', 'python-httpx', 'aws-service', 'aws-sdk-cpp', 'aws-sdk-php', 'pydantic-ai', 'browser',
      'openai-js', 'trufflehog', 'aws-cli', 'aws-cli', 'botocore', 'boto3', 'curl'], u.client_rank) AS client_id,
    -- From where the pattern begins; the separator inside it, and behind it, before which a version may stand.
    substr(u.user_agent, CASE
      WHEN u.client_rank IN (9, 10, 12, 15, 16, 21, 26, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41) THEN strpos(u.user_agent, element_at(ARRAY['bedrock-agentcore.amazonaws.com', 'cloudformation.amazonaws.com', 'console.ec2.amazonaws.com',
      'bedrock.amazonaws.com', 'console.amazonaws.com', 'signin.amazonaws.com', 'claude-cli/', 'aws-cli/',
      'AWS-Toolkit-For-JetBrains/', 'AWS-Toolkit-For-VSCode/', 'codex_chatgpt_desktop/', 'AmazonQ-For-VSCode/',
      'codex-app-server/', 'codex_mcp_server/', 'AmazonQ-For-CLI', 'claude-vscode', 'codex_cli_rs/',
      'codex_sdk_ts/', 'codex_vscode/', 'codex_atlas/', 'app/RooCode', 'claude-cli/', 'codex_exec/', 'codex-tui/',
      'roo-code/', 'KiroIDE-', 'litellm/', 'Cline/', 'Codex ', 'x-client-framework:langgraph_agentcore_memory',
      'x-client-framework:langchain-aws', 'x-client-framework:langgraph-', 'terraform-provider-aws/',
      'ai-sdk/amazon-bedrock/', 'bedrock-agentcore-sdk', 'LangChainAWS#Agents#', 'bedrock-agentcore/',
      'strands-agents', 'aws-internal/', 'Terraform/', 'langchain/', 'AsyncAnthropicBedrockMantle/Python ',
      'AnthropicBedrockMantle/Python ', 'AsyncAnthropicBedrock/Python ', 'AnthropicBedrockMantle/JS ',
      'AsyncBedrockOpenAI/Python ', 'AsyncAnthropicAWS/Python ', 'AnthropicBedrock/Python ',
      'aws-sdk-dotnet-coreclr/', 'AsyncAnthropic/Python ', 'BedrockOpenAI/Python ', 'AnthropicAWS/Python ',
      'AnthropicBedrock/JS ', 'AsyncOpenAI/Python ', 'AzureOpenAI/Python ', 'aws-sdk-dotnet-45/',
      'Anthropic/Python ', 'aws-sdk-nodejs/2.', 'python-requests/', 'Go-http-client/', 'aws-sdk-java/1.',
      'aws-sdk-java/2.', 'aws-sdk-kotlin/', 'aws-sdk-python/', 'OpenAI/Python ', 'aws-sdk-go-v2/',
      'aws-sdk-ruby3/', 'aws-sdk-swift/', 'Anthropic/JS ', 'aws-sdk-go/1.', 'aws-sdk-js/3.', 'aws-sdk-rust/',
      'python-httpx/', 'AWS Internal', 'aws-sdk-cpp/', 'aws-sdk-php/', 'pydantic-ai/', 'Mozilla/5.0', 'OpenAI/JS ',
      'TruffleHog', 'aws-cli/1.', 'aws-cli/2.', 'Botocore/', 'Boto3/', 'curl/'], u.client_rank))
      ELSE 1
    END) AS client_text,
    element_at(ARRAY[0, 0, 0, 0, 0, 0, 12, 9, 27, 24, 23, 20, 18, 18, 0, 0, 14, 14, 14, 13, 5, 12, 12, 11, 10, 0, 9, 7, 7, 0, 0,
      0, 24, 23, 0, 21, 19, 0, 14, 11, 11, 36, 31, 30, 27, 27, 26, 25, 24, 23, 22, 21, 21, 20, 20, 19, 18, 16, 17,
      16, 14, 14, 16, 16, 15, 15, 15, 15, 14, 12, 12, 14, 14, 5, 13, 13, 13, 9, 11, 0, 9, 9, 10, 7, 6], u.client_rank) AS client_inside,
    element_at(ARRAY[31, 28, 25, 21, 21, 20, 11, 8, 26, 23, 22, 19, 17, 17, 15, 13, 13, 13, 13, 12, 11, 11, 11, 10, 9, 8, 8, 6, 6,
      45, 32, 29, 23, 22, 21, 20, 18, 14, 13, 10, 10, 35, 30, 29, 26, 26, 25, 24, 23, 22, 21, 20, 20, 19, 19, 18,
      17, 17, 16, 15, 15, 15, 15, 15, 14, 14, 14, 14, 13, 13, 13, 13, 13, 12, 12, 12, 12, 11, 10, 10, 10, 10, 9, 6,
      5], u.client_rank) AS client_length
  FROM uses AS u
),
-- An ARN in a path can be percent-encoded more than once.
decoded_1 AS (
  SELECT d.*, trim(CASE WHEN strpos(d.reference_0, '%') > 0 AND NOT regexp_like(d.reference_0, '%([^0-7]|[0-7][^0-9A-Fa-f]|[0-7]?\z)') THEN url_decode(replace(d.reference_0, '+', '%2B')) ELSE d.reference_0 END) AS reference_1 FROM referred AS d
),
decoded_2 AS (
  SELECT d.*, trim(CASE WHEN strpos(d.reference_1, '%') > 0 AND NOT regexp_like(d.reference_1, '%([^0-7]|[0-7][^0-9A-Fa-f]|[0-7]?\z)') THEN url_decode(replace(d.reference_1, '+', '%2B')) ELSE d.reference_1 END) AS reference_2 FROM decoded_1 AS d
),
decoded_3 AS (
  SELECT d.*, trim(CASE WHEN strpos(d.reference_2, '%') > 0 AND NOT regexp_like(d.reference_2, '%([^0-7]|[0-7][^0-9A-Fa-f]|[0-7]?\z)') THEN url_decode(replace(d.reference_2, '+', '%2B')) ELSE d.reference_2 END) AS reference FROM decoded_2 AS d
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
        WHEN regexp_like(m.model_text, '\A(moonshotai|twelvelabs|anthropic|stability|deepseek|moonshot|minimax|mistral|amazon|cohere|google|nvidia|openai|writer|ai21|luma|meta|qwen|xai|zai)\.(?s:.+)\z') THEN 'foundation'
        WHEN regexp_like(m.model_text, '\A[a-z-]{2,8}\.(moonshotai|twelvelabs|anthropic|stability|deepseek|moonshot|minimax|mistral|amazon|cohere|google|nvidia|openai|writer|ai21|luma|meta|qwen|xai|zai)\.(?s:.+)\z') THEN 'inference_profile'
        WHEN m.arn_service IS NULL THEN 'unresolved'
        WHEN regexp_like(m.model_text, '\A(global|us-gov|apac|au|ca|eu|in|jp|us)\.') THEN CASE
          WHEN regexp_like(m.model_text, '\A(global|us-gov|apac|au|ca|eu|in|jp|us)\.[A-Za-z0-9-]+\.(?s:.+)\z')
            AND NOT regexp_like(m.model_text, '\A(global|us-gov|apac|au|ca|eu|in|jp|us)\.[a-z-]{2,8}\.(moonshotai|twelvelabs|anthropic|stability|deepseek|moonshot|minimax|mistral|amazon|cohere|google|nvidia|openai|writer|ai21|luma|meta|qwen|xai|zai)\.(?s:.+)\z') THEN 'inference_profile'
          ELSE 'unresolved'
        END
        WHEN regexp_like(m.model_text, '\A[A-Za-z0-9-]+\.(?s:.+)\z') THEN 'foundation'
        ELSE 'unresolved'
      END
      -- Here the first label is the prefix, whoever the vendor is.
      WHEN m.arn_service = 'bedrock' AND m.arn_kind = 'inference-profile' THEN CASE
        WHEN regexp_like(m.model_text, '\A(moonshotai|twelvelabs|anthropic|stability|deepseek|moonshot|minimax|mistral|amazon|cohere|google|nvidia|openai|writer|ai21|luma|meta|qwen|xai|zai)\.') THEN 'unresolved'
        WHEN regexp_like(m.model_text, '\A[a-z-]{2,8}\.(moonshotai|twelvelabs|anthropic|stability|deepseek|moonshot|minimax|mistral|amazon|cohere|google|nvidia|openai|writer|ai21|luma|meta|qwen|xai|zai)\.(?s:.+)\z') THEN 'inference_profile'
        WHEN regexp_like(m.model_text, '\A[a-z-]{2,8}\.[A-Za-z0-9-]+\.(?s:.+)\z')
          AND NOT regexp_like(m.model_text, '\A[a-z-]{2,8}\.[a-z-]{2,8}\.(moonshotai|twelvelabs|anthropic|stability|deepseek|moonshot|minimax|mistral|amazon|cohere|google|nvidia|openai|writer|ai21|luma|meta|qwen|xai|zai)\.(?s:.+)\z') THEN 'inference_profile'
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
    COALESCE(json_extract_scalar(v.additional, '$.inputTokens'), json_extract_scalar(v.additional, '$.inputTokenCount'), json_extract_scalar(v.entries, '$.inputTokens'), json_extract_scalar(v.entries, '$.inputTokenCount')) AS input_tokens_text,
    COALESCE(json_extract_scalar(v.additional, '$.outputTokens'), json_extract_scalar(v.additional, '$.outputTokenCount'), json_extract_scalar(v.entries, '$.outputTokens'), json_extract_scalar(v.entries, '$.outputTokenCount')) AS output_tokens_text,
    COALESCE(json_extract_scalar(v.additional, '$.cacheReadInputTokens'), json_extract_scalar(v.additional, '$.cacheReadInputTokenCount'), json_extract_scalar(v.additional, '$.cacheReadTokens'), json_extract_scalar(v.entries, '$.cacheReadInputTokens'), json_extract_scalar(v.entries, '$.cacheReadInputTokenCount'), json_extract_scalar(v.entries, '$.cacheReadTokens')) AS cache_read_tokens_text,
    COALESCE(json_extract_scalar(v.additional, '$.cacheWriteInputTokens'), json_extract_scalar(v.additional, '$.cacheWriteInputTokenCount'), json_extract_scalar(v.additional, '$.cacheWriteTokens'), json_extract_scalar(v.entries, '$.cacheWriteInputTokens'), json_extract_scalar(v.entries, '$.cacheWriteInputTokenCount'), json_extract_scalar(v.entries, '$.cacheWriteTokens')) AS cache_write_tokens_text,
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
      NULLIF(json_extract_scalar(v.request, '$.guardrailIdentifier'), ''),
      NULLIF(json_extract_scalar(v.request, '$.guardrailConfig.guardrailIdentifier'), ''), NULLIF(json_extract_scalar(v.request, '$.guardrailConfig.guardrailId'), ''),
      NULLIF(json_extract_scalar(v.request, '$.guardrailConfiguration.guardrailIdentifier'), ''), NULLIF(json_extract_scalar(v.request, '$.guardrailConfiguration.guardrailId'), ''),
      NULLIF(json_extract_scalar(v.request, '$.guardrailInferenceConfig.guardrailIdentifier'), ''), NULLIF(json_extract_scalar(v.request, '$.guardrailInferenceConfig.guardrailId'), ''),
      NULLIF(json_extract_scalar(v.request, '$.retrieveAndGenerateConfiguration.knowledgeBaseConfiguration.generationConfiguration.guardrailConfiguration.guardrailId'), ''),
      NULLIF(json_extract_scalar(v.request, '$.retrieveAndGenerateConfiguration.knowledgeBaseConfiguration.generationConfiguration.guardrailConfiguration.guardrailIdentifier'), ''),
      NULLIF(json_extract_scalar(v.request, '$.retrieveAndGenerateConfiguration.externalSourcesConfiguration.generationConfiguration.guardrailConfiguration.guardrailId'), ''),
      NULLIF(json_extract_scalar(v.request, '$.retrieveAndGenerateConfiguration.externalSourcesConfiguration.generationConfiguration.guardrailConfiguration.guardrailIdentifier'), '')
    ) AS request_guardrail,
    CASE
      WHEN NULLIF(json_extract_scalar(v.request, '$.guardrailIdentifier'), '') IS NOT NULL THEN NULLIF(json_extract_scalar(v.request, '$.guardrailVersion'), '')
      WHEN COALESCE(NULLIF(json_extract_scalar(v.request, '$.guardrailConfig.guardrailIdentifier'), ''), NULLIF(json_extract_scalar(v.request, '$.guardrailConfig.guardrailId'), '')) IS NOT NULL
        THEN NULLIF(json_extract_scalar(v.request, '$.guardrailConfig.guardrailVersion'), '')
      WHEN COALESCE(NULLIF(json_extract_scalar(v.request, '$.guardrailConfiguration.guardrailIdentifier'), ''), NULLIF(json_extract_scalar(v.request, '$.guardrailConfiguration.guardrailId'), '')) IS NOT NULL
        THEN NULLIF(json_extract_scalar(v.request, '$.guardrailConfiguration.guardrailVersion'), '')
      WHEN COALESCE(NULLIF(json_extract_scalar(v.request, '$.guardrailInferenceConfig.guardrailIdentifier'), ''), NULLIF(json_extract_scalar(v.request, '$.guardrailInferenceConfig.guardrailId'), '')) IS NOT NULL
        THEN NULLIF(json_extract_scalar(v.request, '$.guardrailInferenceConfig.guardrailVersion'), '')
      WHEN NULLIF(json_extract_scalar(v.request, '$.retrieveAndGenerateConfiguration.knowledgeBaseConfiguration.generationConfiguration.guardrailConfiguration.guardrailId'), '') IS NOT NULL
        THEN NULLIF(json_extract_scalar(v.request, '$.retrieveAndGenerateConfiguration.knowledgeBaseConfiguration.generationConfiguration.guardrailConfiguration.guardrailVersion'), '')
      WHEN NULLIF(json_extract_scalar(v.request, '$.retrieveAndGenerateConfiguration.externalSourcesConfiguration.generationConfiguration.guardrailConfiguration.guardrailId'), '') IS NOT NULL
        THEN NULLIF(json_extract_scalar(v.request, '$.retrieveAndGenerateConfiguration.externalSourcesConfiguration.generationConfiguration.guardrailConfiguration.guardrailVersion'), '')
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
      OR regexp_like(e.plain_code, '\A(AuthFailure|Authorization|ExpiredToken|Forbidden|IncompleteSignature|InvalidAccessKeyId|InvalidClientTokenId|InvalidIdentityToken|InvalidSignature|InvalidToken|MissingAuthenticationToken|SignatureDoesNotMatch|UnrecognizedClient)')
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
      OR regexp_like(e.plain_code, '\A(AuthFailure|Authorization|ExpiredToken|Forbidden|IncompleteSignature|InvalidAccessKeyId|InvalidClientTokenId|InvalidIdentityToken|InvalidSignature|InvalidToken|MissingAuthenticationToken|SignatureDoesNotMatch|UnrecognizedClient)')
      OR e.by_code = 'throttled'
      OR regexp_like(e.error_message, '\A(?i:access denied|failed authentication|user is not authorized to perform|user: arn:)')
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
  CASE WHEN e.family THEN COALESCE(NULLIF(json_extract_scalar(e.additional, '$.inferenceRegion'), ''), NULLIF(json_extract_scalar(e.entries, '$.inferenceRegion'), '')) END AS inference_region,
  CASE
    WHEN NOT e.family THEN NULL
    WHEN e.event_name IN (
      'InvokeModelWithResponseStream', 'InvokeModelWithBidirectionalStream', 'ConverseStream', 'ConverseWithResponseStream',
      'RetrieveAndGenerateStream', 'AgenticRetrieveStream'
    ) THEN TRUE
    WHEN e.activity = 'model_invocation' AND json_extract_scalar(e.request, '$.stream') = 'true' THEN TRUE
    WHEN e.activity = 'model_invocation' AND json_extract_scalar(e.request, '$.stream') = 'false' THEN FALSE
    WHEN e.event_name IN ('InvokeModel', 'Converse', 'RetrieveAndGenerate') THEN FALSE
  END AS streaming,
  CASE WHEN e.family THEN COALESCE(
    NULLIF(json_extract_scalar(e.request, '$.project_id'), ''),
    regexp_extract(e.arns, '(?:\A|\n)arn:[^:\n]+:bedrock-mantle:[^:\n]*:[^:\n]*:project/([^/:\n]+)', 1)
  ) END AS mantle_project_id,
  CASE WHEN e.family THEN COALESCE(
    NULLIF(json_extract_scalar(e.request, '$.agentId'), ''), NULLIF(json_extract_scalar(e.request, '$.agentRuntimeId'), ''), NULLIF(json_extract_scalar(e.request, '$.harnessId'), ''),
    regexp_extract(e.request_runtime, '\Aarn:[^:]+:[^:]+:[^:]*:[^:]*:(?:runtime|harness)/([^/:]+)', 1), e.request_runtime,
    regexp_extract(arns, '(?:\A|\n)arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:agent-alias/([^/:\n]+)', 1), regexp_extract(arns, '(?:\A|\n)arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:agent/([^/:\n]+)', 1), regexp_extract(arns, '(?:\A|\n)arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:runtime/([^/:\n]+)', 1), regexp_extract(arns, '(?:\A|\n)arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:harness/([^/:\n]+)', 1)
  ) END AS agent_id,
  CASE WHEN e.family THEN COALESCE(
    NULLIF(json_extract_scalar(e.request, '$.agentAliasId'), ''), NULLIF(json_extract_scalar(e.request, '$.qualifier'), ''),
    regexp_extract(e.arns, '(?:\A|\n)arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:agent-alias/[^/\n]*/([^\n]*)', 1),
    regexp_extract(arns, '(?:\A|\n)arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:[^/:\n]*[/:](?:[^/:\n]*[/:])*?runtime-endpoint[/:]([^/:\n]+)', 1)
  ) END AS agent_alias_id,
  CASE WHEN e.family THEN COALESCE(
    NULLIF(json_extract_scalar(e.request, '$.runtimeSessionId'), ''), NULLIF(json_extract_scalar(e.request, '$.sessionId'), ''), NULLIF(json_extract_scalar(e.request, '$.sessionIdentifier'), ''), regexp_extract(arns, '(?:\A|\n)arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:session/([^/:\n]+)', 1)
  ) END AS agent_session_id,
  CASE WHEN e.family THEN COALESCE(
    CASE WHEN starts_with(e.request_runtime, 'arn:') THEN e.request_runtime END,
    regexp_replace(regexp_extract(arns, '(?:\A|\n)(arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:(?:runtime|harness)/[^/:\n][^\n]*)', 1), '/runtime-endpoint/[^\n]*', '')
  ) END AS runtime_arn,
  CASE WHEN e.family THEN COALESCE(
    CASE WHEN starts_with(e.request_gateway, 'arn:') THEN e.request_gateway END,
    regexp_extract(arns, '(?:\A|\n)(arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:(?:gateway)/[^/:\n][^\n]*)', 1)
  ) END AS gateway_arn,
  CASE WHEN e.family THEN COALESCE(NULLIF(json_extract_scalar(e.request, '$.memoryId'), ''), regexp_extract(arns, '(?:\A|\n)arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:memory/([^/:\n]+)', 1)) END AS memory_id,
  CASE WHEN e.family THEN COALESCE(
    CASE WHEN NULLIF(json_extract_scalar(e.request, '$.body.method'), '') = 'tools/call' THEN NULLIF(json_extract_scalar(e.request, '$.body.params.name'), '') END,
    NULLIF(json_extract_scalar(e.request, '$.codeInterpreterIdentifier'), ''), NULLIF(json_extract_scalar(e.request, '$.browserIdentifier'), ''),
    regexp_extract(arns, '(?:\A|\n)arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:code-interpreter/([^/:\n]+)', 1), regexp_extract(arns, '(?:\A|\n)arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:code-interpreter-custom/([^/:\n]+)', 1), regexp_extract(arns, '(?:\A|\n)arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:browser/([^/:\n]+)', 1), regexp_extract(arns, '(?:\A|\n)arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:browser-custom/([^/:\n]+)', 1)
  ) END AS tool_name,
  CASE WHEN e.family THEN COALESCE(
    NULLIF(json_extract_scalar(e.request, '$.resourceCredentialProviderName'), ''),
    regexp_extract(arns, '(?:\A|\n)arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:[^/:\n]*[/:](?:[^/:\n]*[/:])*?oauth2credentialprovider[/:]([^/:\n]+)', 1), regexp_extract(arns, '(?:\A|\n)arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:[^/:\n]*[/:](?:[^/:\n]*[/:])*?apikeycredentialprovider[/:]([^/:\n]+)', 1), regexp_extract(arns, '(?:\A|\n)arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:[^/:\n]*[/:](?:[^/:\n]*[/:])*?paymentcredentialprovider[/:]([^/:\n]+)', 1),
    CASE WHEN regexp_like(e.event_name, 'CredentialProvider\z') THEN NULLIF(json_extract_scalar(e.request, '$.name'), '') END
  ) END AS credential_provider,
  CASE WHEN e.family THEN COALESCE(
    NULLIF(json_extract_scalar(e.request, '$.knowledgeBaseId'), ''),
    NULLIF(json_extract_scalar(e.request, '$.retrieveAndGenerateConfiguration.knowledgeBaseConfiguration.knowledgeBaseId'), ''),
    regexp_extract(arns, '(?:\A|\n)arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:knowledge-base/([^/:\n]+)', 1)
  ) END AS knowledge_base_id,
  CASE WHEN e.family THEN COALESCE(
    regexp_extract(e.request_flow, '\Aarn:[^:]+:[^:]+:[^:]*:[^:]*:flow/([^/:]+)', 1), e.request_flow, regexp_extract(arns, '(?:\A|\n)arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:flow/([^/:\n]+)', 1)
  ) END AS flow_id,
  CASE WHEN e.family OR e.event_source = 'lambda.amazonaws.com' THEN COALESCE(
    NULLIF(json_extract_scalar(e.request, '$.actionGroupExecutor.lambda'), ''),
    CASE WHEN starts_with(NULLIF(json_extract_scalar(e.request, '$.functionName'), ''), 'arn:') THEN NULLIF(json_extract_scalar(e.request, '$.functionName'), '') END,
    regexp_extract(e.arns, '(?:\A|\n)(arn:[^:\n]+:lambda:[^:\n]*:[^:\n]*:[^\n]*)', 1)
  ) END AS lambda_arn,
  CASE WHEN e.family THEN COALESCE(e.request_guardrail, regexp_extract(arns, '(?:\A|\n)arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:guardrail/([^/:\n]+)', 1)) END AS guardrail_id,
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
    WHEN regexp_like(e.address, '\A(?i:(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}:){1,7}:|:(?::[0-9a-f]{1,4}){1,7}|::|(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,1}|(?:[0-9a-f]{1,4}:){1,5}(?::[0-9a-f]{1,4}){1,2}|(?:[0-9a-f]{1,4}:){1,4}(?::[0-9a-f]{1,4}){1,3}|(?:[0-9a-f]{1,4}:){1,3}(?::[0-9a-f]{1,4}){1,4}|(?:[0-9a-f]{1,4}:){1,2}(?::[0-9a-f]{1,4}){1,5}|(?:[0-9a-f]{1,4}:){1,1}(?::[0-9a-f]{1,4}){1,6}))\z') THEN CASE
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
  CASE WHEN e.family AND CASE WHEN regexp_like(e.input_tokens_text, '\A[+-]?[0-9]{1,18}\z') THEN CAST(e.input_tokens_text AS BIGINT) WHEN regexp_like(e.input_tokens_text, '\A[-+0-9.eE]+\z') AND TRY_CAST(e.input_tokens_text AS DOUBLE) = floor(TRY_CAST(e.input_tokens_text AS DOUBLE)) AND abs(TRY_CAST(e.input_tokens_text AS DOUBLE)) <= 9007199254740992 THEN CAST(TRY_CAST(e.input_tokens_text AS DOUBLE) AS BIGINT) END >= 0 THEN CASE WHEN regexp_like(e.input_tokens_text, '\A[+-]?[0-9]{1,18}\z') THEN CAST(e.input_tokens_text AS BIGINT) WHEN regexp_like(e.input_tokens_text, '\A[-+0-9.eE]+\z') AND TRY_CAST(e.input_tokens_text AS DOUBLE) = floor(TRY_CAST(e.input_tokens_text AS DOUBLE)) AND abs(TRY_CAST(e.input_tokens_text AS DOUBLE)) <= 9007199254740992 THEN CAST(TRY_CAST(e.input_tokens_text AS DOUBLE) AS BIGINT) END END AS input_tokens,
  CASE WHEN e.family AND CASE WHEN regexp_like(e.output_tokens_text, '\A[+-]?[0-9]{1,18}\z') THEN CAST(e.output_tokens_text AS BIGINT) WHEN regexp_like(e.output_tokens_text, '\A[-+0-9.eE]+\z') AND TRY_CAST(e.output_tokens_text AS DOUBLE) = floor(TRY_CAST(e.output_tokens_text AS DOUBLE)) AND abs(TRY_CAST(e.output_tokens_text AS DOUBLE)) <= 9007199254740992 THEN CAST(TRY_CAST(e.output_tokens_text AS DOUBLE) AS BIGINT) END >= 0 THEN CASE WHEN regexp_like(e.output_tokens_text, '\A[+-]?[0-9]{1,18}\z') THEN CAST(e.output_tokens_text AS BIGINT) WHEN regexp_like(e.output_tokens_text, '\A[-+0-9.eE]+\z') AND TRY_CAST(e.output_tokens_text AS DOUBLE) = floor(TRY_CAST(e.output_tokens_text AS DOUBLE)) AND abs(TRY_CAST(e.output_tokens_text AS DOUBLE)) <= 9007199254740992 THEN CAST(TRY_CAST(e.output_tokens_text AS DOUBLE) AS BIGINT) END END AS output_tokens,
  CASE WHEN e.family AND CASE WHEN regexp_like(e.cache_read_tokens_text, '\A[+-]?[0-9]{1,18}\z') THEN CAST(e.cache_read_tokens_text AS BIGINT) WHEN regexp_like(e.cache_read_tokens_text, '\A[-+0-9.eE]+\z') AND TRY_CAST(e.cache_read_tokens_text AS DOUBLE) = floor(TRY_CAST(e.cache_read_tokens_text AS DOUBLE)) AND abs(TRY_CAST(e.cache_read_tokens_text AS DOUBLE)) <= 9007199254740992 THEN CAST(TRY_CAST(e.cache_read_tokens_text AS DOUBLE) AS BIGINT) END >= 0 THEN CASE WHEN regexp_like(e.cache_read_tokens_text, '\A[+-]?[0-9]{1,18}\z') THEN CAST(e.cache_read_tokens_text AS BIGINT) WHEN regexp_like(e.cache_read_tokens_text, '\A[-+0-9.eE]+\z') AND TRY_CAST(e.cache_read_tokens_text AS DOUBLE) = floor(TRY_CAST(e.cache_read_tokens_text AS DOUBLE)) AND abs(TRY_CAST(e.cache_read_tokens_text AS DOUBLE)) <= 9007199254740992 THEN CAST(TRY_CAST(e.cache_read_tokens_text AS DOUBLE) AS BIGINT) END END AS cache_read_tokens,
  CASE WHEN e.family AND CASE WHEN regexp_like(e.cache_write_tokens_text, '\A[+-]?[0-9]{1,18}\z') THEN CAST(e.cache_write_tokens_text AS BIGINT) WHEN regexp_like(e.cache_write_tokens_text, '\A[-+0-9.eE]+\z') AND TRY_CAST(e.cache_write_tokens_text AS DOUBLE) = floor(TRY_CAST(e.cache_write_tokens_text AS DOUBLE)) AND abs(TRY_CAST(e.cache_write_tokens_text AS DOUBLE)) <= 9007199254740992 THEN CAST(TRY_CAST(e.cache_write_tokens_text AS DOUBLE) AS BIGINT) END >= 0 THEN CASE WHEN regexp_like(e.cache_write_tokens_text, '\A[+-]?[0-9]{1,18}\z') THEN CAST(e.cache_write_tokens_text AS BIGINT) WHEN regexp_like(e.cache_write_tokens_text, '\A[-+0-9.eE]+\z') AND TRY_CAST(e.cache_write_tokens_text AS DOUBLE) = floor(TRY_CAST(e.cache_write_tokens_text AS DOUBLE)) AND abs(TRY_CAST(e.cache_write_tokens_text AS DOUBLE)) <= 9007199254740992 THEN CAST(TRY_CAST(e.cache_write_tokens_text AS DOUBLE) AS BIGINT) END END AS cache_write_tokens,
  NULLIF(element_at(e.raw_resources, 1).type, '') AS resource_type,
  NULLIF(element_at(e.raw_resources, 1).arn, '') AS resource_arn,
  COALESCE(e.parent_request_id, NULLIF(e.raw_request_id, '')) AS request_id,
  NULLIF(e.shared_event_id, '') AS shared_event_id,
  CASE WHEN e.request IS NOT NULL THEN COALESCE(json_extract_scalar(e.request, '$.omitted') = 'true', FALSE) END AS params_omitted,
  CASE WHEN e.request IS NULL OR NOT (e.family OR e.refused) OR e.request IN ('null', '"HIDDEN_DUE_TO_SECURITY_REASONS"', '"REDACTED"', '"***"', '"***OMITTED***"') OR (e.asks AND regexp_like(e.request, '\A\{(?:\s*(?:"(?:agentAliasId|agentId|knowledgeBaseId|model|modelId|sessionId)"\s*:\s*"[A-Za-z0-9._:/-]{0,200}"|"(?:callWithBearerToken|stream)"\s*:\s*(?:true|false)|"(?:max_tokens)"\s*:\s*[0-9]{1,18})\s*[,}])*\z')) THEN e.request WHEN NOT regexp_like(e.request, '\A\s*\{') AND NOT (e.family AND NOT e.asks) THEN '"<' || CAST(length(to_utf8(trim(e.request))) - CASE WHEN starts_with(trim(e.request), chr(34)) THEN 2 ELSE 0 END AS VARCHAR) || ' bytes>"' ELSE reduce(transform(transform(transform(regexp_extract_all(e.request, '"(?:[^"\\]|\\.)*"\s*:\s*(?:[{\[]|"(?:[^"\\]|\\.)*"|[^"{}\[\],\s]+)?|"(?:[^"\\]|\\.)*"|[{}\[\]]|[^"{}\[\]]+|"'), x -> CAST(ROW(x, CASE WHEN strpos(regexp_extract(x, '\A"((?:[^"\\]|\\.)*)"\s*:', 1), '\') > 0 THEN json_extract_scalar('["' || regexp_extract(x, '\A"((?:[^"\\]|\\.)*)"\s*:', 1) || '"]', '$[0]') ELSE regexp_extract(x, '\A"((?:[^"\\]|\\.)*)"\s*:', 1) END, COALESCE(regexp_extract(x, '\A"(?:[^"\\]|\\.)*"\s*:\s*'), ''), COALESCE(regexp_extract(x, '\A"(?:[^"\\]|\\.)*"(\s*:\s*)', 1), ''), substr(x, length(COALESCE(regexp_extract(x, '\A"(?:[^"\\]|\\.)*"\s*:\s*'), '')) + 1)) AS ROW(txt VARCHAR, name VARCHAR, head VARCHAR, colon VARCHAR, val VARCHAR))), k -> CAST(ROW(k.txt, k.name, k.head, k.colon, k.val, CASE WHEN k.name IN ('omitted', 'originalSize', 'qualifier', 'versionId') THEN 'b' WHEN k.name IN ('abTestId', 'accountId', 'actionGroupId', 'actorId', 'after', 'agentAliasId', 'agentCollaboration', 'agentId', 'agentRuntimeArn', 'agentRuntimeId', 'agentRuntimeVersion', 'agentVersion', 'aliasIdentifier', 'assetId', 'assetType', 'authorizerType', 'batchEvaluationId', 'batchEvaluationName', 'bearerTokenType', 'bedrockModelConfig', 'bedrockRerankingConfiguration', 'blueprintArn', 'blueprintVersion', 'branchName', 'browserId', 'browserIdentifier', 'buildWorkflowId', 'bundleId', 'byCustomizationType', 'byInferenceType', 'bytes', 'callWithBearerToken', 'capacityProviderId', 'codeInterpreterId', 'codeInterpreterIdentifier', 'collaboratorId', 'contentType', 'createdAt', 'customModelDeploymentIdentifier', 'customerEncryptionKeyArn', 'dataAutomationConfiguration', 'dataAutomationProfileArn', 'dataAutomationProjectArn', 'dataSourceId', 'datasetId', 'datasetVersion', 'descriptorType', 'documentId', 'enableTrace', 'encryptionConfiguration', 'encryptionKeyArn', 'endSession', 'endpointArn', 'endpointName', 'entityId', 'entityType', 'evaluatorId', 'eventId', 'eventTimestamp', 'eventType', 'executionArn', 'executionId', 'executionIdentifier', 'executionStatus', 'externalSourcesConfiguration', 'extractionMode', 'file', 'filename', 'fineTuningJob', 'flowAliasIdentifier', 'flowExecutionName', 'flowIdentifier', 'flowVersion', 'foundationModel', 'gatewayArn', 'gatewayIdentifier', 'generationConfiguration', 'guardrailArn', 'guardrailConfig', 'guardrailConfiguration', 'guardrailId', 'guardrailIdentifier', 'guardrailVersion', 'harnessArn', 'harnessId', 'harnessVersion', 'inferenceConfig', 'inferenceProfileIdentifier', 'ingestionJobId', 'inputConfiguration', 'inputDataConfig', 'invocationArn', 'invocationId', 'invocationIdentifier', 'invocationStepId', 'jobArn', 'jobIdentifier', 'jobName', 'kmsKeyArn', 'kmsKeyId', 'knowledgeBaseConfiguration', 'knowledgeBaseId', 'latency', 'libraryArn', 'limit', 'maxResults', 'maxTokens', 'max_tokens', 'mcpName', 'mcpSessionId', 'memoryId', 'memoryRecordId', 'memoryStrategyId', 'memoryType', 'model', 'modelArn', 'modelConfiguration', 'modelId', 'modelIdentifier', 'modelInvocationType', 'modelSourceIdentifier', 'modelStatus', 'namespace', 'numberOfResults', 'oauth2Flow', 'offerType', 'onlineEvaluationConfigId', 'orchestrationType', 'order', 'outputConfiguration', 'outputDataConfig', 'paymentConnectorId', 'paymentInstrumentId', 'paymentInstrumentType', 'paymentManagerArn', 'paymentManagerId', 'paymentSession', 'paymentSessionId', 'paymentType', 'performanceConfig', 'performanceConfigLatency', 'policyArn', 'policyEngineId', 'policyGenerationId', 'policyId', 'previousResponse', 'previous_response_id', 'profileId', 'profileIdentifier', 'projectArn', 'project_id', 'promptIdentifier', 'promptRouterArn', 'promptVersion', 'provisionedModelId', 'purpose', 'rateLimitId', 'recommendationId', 'recordId', 'registryId', 'registryIds', 'rerankingConfiguration', 'resourceARN', 'resourceArn', 'resourceCredentialProviderName', 'response', 'retrievalConfiguration', 'retrieveAndGenerateConfiguration', 'roleArn', 'ruleId', 'runtimeSessionId', 'runtimeUserId', 's3BucketOwner', 's3InputDataConfig', 's3InputFormat', 's3OutputDataConfig', 's3Uri', 'scopes', 'serviceTier', 'service_tier', 'sessionArn', 'sessionId', 'sessionIdentifier', 'sessionStatus', 'sessionTimeoutSeconds', 'source', 'sourceArn', 'stage', 'status', 'statusCode', 'stream', 'streamProcessingMode', 'targetId', 'targetModelId', 'temperature', 'testCaseId', 'tokenVaultId', 'toolName', 'topP', 'trace', 'traceId', 'trainingFile', 'type', 'updatedAt', 'userId', 'vectorSearchConfiguration', 'workloadName') THEN 'm' WHEN k.name IN ('Host', 'bucketName', 'functionName', 'invocationType', 'key', 'logType', 'prefix', 'uploadId') THEN 'e' WHEN k.name IN ('Authorization', 'accessToken', 'addPrivateKey', 'additionalModelRequestFields', 'annotations', 'apiKey', 'appSecret', 'appendToPrompt', 'arguments', 'authorization', 'authorizationPrivateKey', 'basePromptTemplate', 'body', 'certificatePrivateKey', 'claims', 'clientSecret', 'collaborationInstruction', 'components', 'content', 'credentials', 'customHeaders', 'customParameters', 'customState', 'documents', 'environmentVariables', 'evaluationInput', 'evaluationReferenceInputs', 'examples', 'formData', 'guardContent', 'inlineContent', 'inlineSessionState', 'input', 'inputText', 'inputs', 'instruction', 'instructions', 'instructionsTemplate', 'jwt', 'messages', 'metadata', 'modelInput', 'newPassword', 'oldPassword', 'password', 'payload', 'paymentInput', 'paymentInstrumentDetails', 'privateKey', 'prompt', 'promptOverrideConfiguration', 'promptTemplate', 'promptVariables', 'queries', 'queryContent', 'queryGenerationInput', 'queryText', 'records', 'refreshToken', 'requestMetadata', 'retrievalQuery', 'searchCriteria', 'searchQuery', 'secret', 'secretAccessKey', 'secretString', 'sessionState', 'sessionToken', 'sourceContent', 'system', 'systemPrompt', 'systemPromptText', 'templateConfiguration', 'textPromptTemplate', 'tradeInToken', 'userContext', 'userIdentifier', 'userInput', 'userToken', 'walletSecret', 'webIdentityToken', 'workloadIdentityToken') THEN 'c' WHEN k.name IN ('AdditionalEntries', 'AdditionalEventData', '_meta', 'action', 'actionGroups', 'actions', 'additionalEntries', 'additionalEventData', 'agentName', 'alg', 'apiSchema', 'aud', 'auth_time', 'blockedInputMessaging', 'blockedOutputsMessaging', 'blueprintName', 'blueprints', 'cacheReadInputTokenCount', 'cacheReadInputTokens', 'cacheReadTokens', 'cacheWriteInputTokenCount', 'cacheWriteInputTokens', 'cacheWriteTokens', 'capabilities', 'certificates', 'checks', 'clientContext', 'clientInfo', 'clientToken', 'client_id', 'code', 'cognito:groups', 'collaboratorConfigurations', 'collaborators', 'contentPolicyConfig', 'contextualGroundingPolicyConfig', 'credentialProviderConfigurations', 'data', 'dataSourceConfiguration', 'definition', 'description', 'descriptors', 'documentIdentifiers', 'downstreamRequestIds', 'email', 'error', 'evaluationConfig', 'evaluatorConfig', 'exp', 'filter', 'filters', 'groups', 'headers', 'iat', 'id', 'inferenceRegion', 'inputTokenCount', 'inputTokens', 'isError', 'iss', 'jobDescription', 'jobIdentifiers', 'jsonrpc', 'jti', 'kid', 'knowledgeBases', 'libraryDescription', 'libraryName', 'memoryStrategies', 'message', 'method', 'name', 'nbf', 'nextToken', 'oauth2ProviderConfigInput', 'outputConfig', 'outputTokenCount', 'outputTokens', 'params', 'parentRequestId', 'paymentTokenRequest', 'policyDefinition', 'projectDescription', 'projectName', 'protocolConfiguration', 'protocolVersion', 'providerConfigurationInput', 'query', 'raw', 'reason', 'recommendationConfig', 'result', 'retrievers', 'role', 'schema', 'scope', 'serverInfo', 'sources', 'storageConfiguration', 'structuredContent', 'sub', 'targetConfiguration', 'text', 'token_use', 'tools', 'topicPolicyConfig', 'trainingDataConfig', 'typ', 'username', 'variants', 'version', 'wordPolicyConfig', 'x5c') THEN 'n' ELSE '' END, ((regexp_like(k.val, '\A"[A-Za-z0-9._:/@%+=,|*$-]*"\z') AND length(k.val) <= 258 OR regexp_like(k.val, '\A[^"{\[]') AND length(k.val) <= 256) OR (regexp_like(k.val, '\A"(?:arn:|s3://)[A-Za-z0-9._:/@%+=,|*$-]*"\z') AND length(k.val) <= 2050)), CASE WHEN COALESCE(k.name IN ('bytes', 'cacheReadInputTokenCount', 'cacheReadInputTokens', 'cacheReadTokens', 'cacheWriteInputTokenCount', 'cacheWriteInputTokens', 'cacheWriteTokens', 'inputTokenCount', 'inputTokens', 'limit', 'maxResults', 'maxTokens', 'max_tokens', 'numberOfResults', 'originalSize', 'outputTokenCount', 'outputTokens', 'sessionTimeoutSeconds', 'statusCode', 'temperature', 'topP'), FALSE) THEN (regexp_like(k.val, '\A"[0-9.eE+-]*"\z') AND length(k.val) <= 26 OR regexp_like(k.val, '\A[^"{\[]') AND length(k.val) <= 256) WHEN COALESCE(k.name IN ('agentCollaboration', 'assetType', 'authorizerType', 'bearerTokenType', 'byCustomizationType', 'byInferenceType', 'descriptorType', 'entityType', 'eventType', 'executionStatus', 'extractionMode', 'invocationType', 'latency', 'logType', 'memoryType', 'modelInvocationType', 'modelStatus', 'oauth2Flow', 'offerType', 'orchestrationType', 'order', 'paymentInstrumentType', 'paymentType', 'performanceConfigLatency', 'purpose', 's3InputFormat', 'serviceTier', 'service_tier', 'sessionStatus', 'source', 'stage', 'status', 'streamProcessingMode', 'trace', 'type'), FALSE) THEN (regexp_like(k.val, '\A"[A-Za-z0-9_-]*"\z') AND length(k.val) <= 66 OR regexp_like(k.val, '\A[^"{\[]') AND length(k.val) <= 256) ELSE ((regexp_like(k.val, '\A"[A-Za-z0-9._:/@%+=,|*$-]*"\z') AND length(k.val) <= 258 OR regexp_like(k.val, '\A[^"{\[]') AND length(k.val) <= 256) OR (regexp_like(k.val, '\A"(?:arn:|s3://)[A-Za-z0-9._:/@%+=,|*$-]*"\z') AND length(k.val) <= 2050)) END, COALESCE(k.name IN ('definition', 'key', 'name', 'pattern', 'policy', 'policyDocument', 'prefix', 'resourcePolicy', 'statement'), FALSE), substr(k.txt, -1) IN ('{', '[') AND (k.name IS NOT NULL OR length(k.txt) = 1)) AS ROW(txt VARCHAR, name VARCHAR, head VARCHAR, colon VARCHAR, val VARCHAR, kind VARCHAR, plain BOOLEAN, fits BOOLEAN, worded BOOLEAN, opens BOOLEAN))), k -> CAST(ROW(k.name, k.head, k.colon, k.val, CASE WHEN k.val IN ('null', '"HIDDEN_DUE_TO_SECURITY_REASONS"', '"REDACTED"', '"***"', '"***OMITTED***"') OR (k.name IS NULL AND NOT starts_with(k.val, '"')) OR (k.name IS NULL AND k.plain) THEN k.val ELSE '"<' || CAST(length(to_utf8(k.val)) - CASE WHEN starts_with(k.val, '"') THEN 2 ELSE 0 END AS VARCHAR) || ' bytes>"' END, length(to_utf8(k.txt)), k.opens, k.txt IN ('}', ']'), k.val = '{' AND strpos(k.name, '.') = 0, k.plain, COALESCE(k.name IN ('jsonrpc', 'method'), FALSE) AND k.val <> 'null', k.name IS NOT NULL AND CASE WHEN e.family AND NOT e.asks THEN k.kind = 'c' OR NOT regexp_like(k.name, '\A[A-Za-z0-9._:/-]{1,64}\z') OR NOT (k.opens OR k.worded OR k.plain) WHEN k.val = '{' THEN NOT k.kind IN ('b', CASE WHEN e.asks THEN 'm' ELSE 'e' END) WHEN k.val = '[' THEN NOT (k.kind IN ('b', CASE WHEN e.asks THEN 'm' ELSE 'e' END) AND COALESCE(k.name IN ('downstreamRequestIds', 'registryIds', 'scopes'), FALSE)) ELSE NOT (k.kind IN ('b', CASE WHEN e.asks THEN 'm' ELSE 'e' END) AND (k.worded OR k.fits)) AND NOT COALESCE(k.name || '=' || replace(k.val, chr(34), '') IN ('name=executeCode', 'name=executeCommand', 'name=getTask', 'name=listFiles', 'name=readFiles', 'name=removeFiles', 'name=startCommandExecution', 'name=stopTask', 'name=writeFiles', 'reason=additionalEventData too large', 'reason=requestParameters too large', 'reason=responseElements too large', 'reason=serviceEventDetails too large'), FALSE) END, k.name IS NOT NULL AND CASE WHEN e.family AND NOT e.asks THEN NOT regexp_like(k.name, '\A[A-Za-z0-9._:/-]{1,64}\z') ELSE k.kind = '' END) AS ROW(name VARCHAR, head VARCHAR, colon VARCHAR, val VARCHAR, cut VARCHAR, size BIGINT, opens BOOLEAN, closes BOOLEAN, is_object BOOLEAN, plain BOOLEAN, rpc BOOLEAN, anywhere BOOLEAN, unnamed BOOLEAN))), CAST(ROW('', '', FALSE, 0, 0, 0, 0, 0, '', 0, 0, 0) AS ROW(out VARCHAR, held VARCHAR, rpc BOOLEAN, length BIGINT, size BIGINT, depth BIGINT, hidden BIGINT, body BIGINT, part VARCHAR, part_depth BIGINT, unnamed BIGINT, before BIGINT)), (s, t) -> CAST(ROW(s.out || CASE WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (e.family AND NOT e.asks), FALSE) THEN t.head WHEN t.closes AND s.body > 0 AND s.depth = s.body THEN CASE WHEN s.rpc THEN s.held || '}' ELSE '"<' || CAST(s.length + 1 AS VARCHAR) || ' bytes>"' END WHEN s.body > 0 THEN '' ELSE CASE WHEN t.closes AND s.hidden > 0 AND s.depth = s.hidden THEN '"<' || CAST(s.size + 1 AS VARCHAR) || ' bytes>"' WHEN s.hidden > 0 THEN '' WHEN t.name IS NULL THEN t.cut WHEN s.hidden = 0 AND t.name IS NOT NULL AND NOT COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (e.family AND NOT e.asks), FALSE) AND NOT COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN COALESCE(s.part || '.' || t.name IN ('body', 'body.error', 'body.params', 'body.params.clientInfo', 'body.result', 'body.result.serverInfo', 'claims', 'jwt', 'jwt.claims', 'jwt.headers'), FALSE) ELSE FALSE END, FALSE) AND CASE WHEN s.part <> '' THEN t.opens OR NOT t.plain OR strpos(t.name, '.') > 0 OR NOT COALESCE(s.part || '.' || t.name IN ('body.error.code', 'body.id', 'body.jsonrpc', 'body.method', 'body.params.clientInfo.name', 'body.params.clientInfo.version', 'body.params.name', 'body.params.protocolVersion', 'body.result.isError', 'body.result.protocolVersion', 'body.result.serverInfo.name', 'body.result.serverInfo.version', 'claims.iss', 'claims.sub', 'jwt.claims.iss', 'jwt.claims.sub', 'jwt.headers.alg', 'jwt.headers.kid', 'jwt.headers.typ', 'jwt.type'), FALSE) ELSE t.anywhere END THEN CASE WHEN t.unnamed THEN '"<hidden ' || CAST(s.unnamed + 1 AS VARCHAR) || '>"' || t.colon ELSE t.head END || CASE WHEN t.opens THEN '' ELSE t.cut END ELSE CASE WHEN t.unnamed THEN '"<hidden ' || CAST(s.unnamed + 1 AS VARCHAR) || '>"' || t.colon ELSE t.head END || t.val END END, CASE WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (e.family AND NOT e.asks), FALSE) THEN '{' WHEN s.body > 0 THEN s.held || CASE WHEN t.closes AND s.hidden > 0 AND s.depth = s.hidden THEN '"<' || CAST(s.size + 1 AS VARCHAR) || ' bytes>"' WHEN s.hidden > 0 THEN '' WHEN t.name IS NULL THEN t.cut WHEN s.hidden = 0 AND t.name IS NOT NULL AND NOT COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (e.family AND NOT e.asks), FALSE) AND NOT COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN COALESCE(s.part || '.' || t.name IN ('body', 'body.error', 'body.params', 'body.params.clientInfo', 'body.result', 'body.result.serverInfo', 'claims', 'jwt', 'jwt.claims', 'jwt.headers'), FALSE) ELSE FALSE END, FALSE) AND CASE WHEN s.part <> '' THEN t.opens OR NOT t.plain OR strpos(t.name, '.') > 0 OR NOT COALESCE(s.part || '.' || t.name IN ('body.error.code', 'body.id', 'body.jsonrpc', 'body.method', 'body.params.clientInfo.name', 'body.params.clientInfo.version', 'body.params.name', 'body.params.protocolVersion', 'body.result.isError', 'body.result.protocolVersion', 'body.result.serverInfo.name', 'body.result.serverInfo.version', 'claims.iss', 'claims.sub', 'jwt.claims.iss', 'jwt.claims.sub', 'jwt.headers.alg', 'jwt.headers.kid', 'jwt.headers.typ', 'jwt.type'), FALSE) ELSE t.anywhere END THEN CASE WHEN t.unnamed THEN '"<hidden ' || CAST(s.unnamed + 1 AS VARCHAR) || '>"' || t.colon ELSE t.head END || CASE WHEN t.opens THEN '' ELSE t.cut END ELSE CASE WHEN t.unnamed THEN '"<hidden ' || CAST(s.unnamed + 1 AS VARCHAR) || '>"' || t.colon ELSE t.head END || t.val END ELSE '' END, s.body > 0 AND (s.rpc OR (t.rpc AND s.depth = s.body)), CASE WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (e.family AND NOT e.asks), FALSE) THEN 1 WHEN s.body > 0 THEN s.length + t.size ELSE 0 END, CASE WHEN s.hidden > 0 THEN s.size + t.size ELSE 1 END, s.depth + CASE WHEN t.opens THEN 1 WHEN t.closes THEN -1 ELSE 0 END, CASE WHEN t.closes AND s.hidden > 0 AND s.depth = s.hidden THEN 0 WHEN s.hidden > 0 THEN s.hidden WHEN t.opens AND s.hidden = 0 AND t.name IS NOT NULL AND NOT COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (e.family AND NOT e.asks), FALSE) AND NOT COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN COALESCE(s.part || '.' || t.name IN ('body', 'body.error', 'body.params', 'body.params.clientInfo', 'body.result', 'body.result.serverInfo', 'claims', 'jwt', 'jwt.claims', 'jwt.headers'), FALSE) ELSE FALSE END, FALSE) AND CASE WHEN s.part <> '' THEN t.opens OR NOT t.plain OR strpos(t.name, '.') > 0 OR NOT COALESCE(s.part || '.' || t.name IN ('body.error.code', 'body.id', 'body.jsonrpc', 'body.method', 'body.params.clientInfo.name', 'body.params.clientInfo.version', 'body.params.name', 'body.params.protocolVersion', 'body.result.isError', 'body.result.protocolVersion', 'body.result.serverInfo.name', 'body.result.serverInfo.version', 'claims.iss', 'claims.sub', 'jwt.claims.iss', 'jwt.claims.sub', 'jwt.headers.alg', 'jwt.headers.kid', 'jwt.headers.typ', 'jwt.type'), FALSE) ELSE t.anywhere END THEN s.depth + 1 ELSE 0 END, CASE WHEN t.closes AND s.body > 0 AND s.depth = s.body THEN 0 WHEN s.body > 0 THEN s.body WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (e.family AND NOT e.asks), FALSE) THEN s.depth + 1 ELSE 0 END, CASE WHEN t.closes AND s.hidden = 0 AND s.part <> '' AND s.depth = s.part_depth THEN COALESCE(regexp_extract(s.part, '\A(.*)[.][^.]*\z', 1), '') WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (e.family AND NOT e.asks), FALSE) THEN 'body' WHEN NOT COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN COALESCE(s.part || '.' || t.name IN ('body', 'body.error', 'body.params', 'body.params.clientInfo', 'body.result', 'body.result.serverInfo', 'claims', 'jwt', 'jwt.claims', 'jwt.headers'), FALSE) ELSE FALSE END, FALSE) THEN s.part WHEN s.part = '' THEN t.name ELSE s.part || '.' || t.name END, CASE WHEN t.closes AND s.hidden = 0 AND s.part <> '' AND s.depth = s.part_depth THEN s.part_depth - 1 WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (e.family AND NOT e.asks), FALSE) OR COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN COALESCE(s.part || '.' || t.name IN ('body', 'body.error', 'body.params', 'body.params.clientInfo', 'body.result', 'body.result.serverInfo', 'claims', 'jwt', 'jwt.claims', 'jwt.headers'), FALSE) ELSE FALSE END, FALSE) THEN s.depth + 1 ELSE s.part_depth END, CASE WHEN t.closes AND s.body > 0 AND s.depth = s.body AND NOT s.rpc THEN s.before WHEN s.hidden = 0 AND t.unnamed THEN s.unnamed + 1 ELSE s.unnamed END, CASE WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (e.family AND NOT e.asks), FALSE) THEN s.unnamed ELSE s.before END) AS ROW(out VARCHAR, held VARCHAR, rpc BOOLEAN, length BIGINT, size BIGINT, depth BIGINT, hidden BIGINT, body BIGINT, part VARCHAR, part_depth BIGINT, unnamed BIGINT, before BIGINT)), s -> s.out) END AS request_parameters,
  CASE WHEN e.response IS NULL OR NOT (e.family OR e.refused) OR e.response IN ('null', '"HIDDEN_DUE_TO_SECURITY_REASONS"', '"REDACTED"', '"***"', '"***OMITTED***"') OR (e.asks AND regexp_like(e.response, '\A\{(?:\s*(?:"(?:agentAliasId|agentId|knowledgeBaseId|model|modelId|sessionId)"\s*:\s*"[A-Za-z0-9._:/-]{0,200}"|"(?:callWithBearerToken|stream)"\s*:\s*(?:true|false)|"(?:max_tokens)"\s*:\s*[0-9]{1,18})\s*[,}])*\z')) THEN e.response WHEN NOT regexp_like(e.response, '\A\s*\{') AND NOT (e.family AND NOT e.asks) THEN '"<' || CAST(length(to_utf8(trim(e.response))) - CASE WHEN starts_with(trim(e.response), chr(34)) THEN 2 ELSE 0 END AS VARCHAR) || ' bytes>"' ELSE reduce(transform(transform(transform(regexp_extract_all(e.response, '"(?:[^"\\]|\\.)*"\s*:\s*(?:[{\[]|"(?:[^"\\]|\\.)*"|[^"{}\[\],\s]+)?|"(?:[^"\\]|\\.)*"|[{}\[\]]|[^"{}\[\]]+|"'), x -> CAST(ROW(x, CASE WHEN strpos(regexp_extract(x, '\A"((?:[^"\\]|\\.)*)"\s*:', 1), '\') > 0 THEN json_extract_scalar('["' || regexp_extract(x, '\A"((?:[^"\\]|\\.)*)"\s*:', 1) || '"]', '$[0]') ELSE regexp_extract(x, '\A"((?:[^"\\]|\\.)*)"\s*:', 1) END, COALESCE(regexp_extract(x, '\A"(?:[^"\\]|\\.)*"\s*:\s*'), ''), COALESCE(regexp_extract(x, '\A"(?:[^"\\]|\\.)*"(\s*:\s*)', 1), ''), substr(x, length(COALESCE(regexp_extract(x, '\A"(?:[^"\\]|\\.)*"\s*:\s*'), '')) + 1)) AS ROW(txt VARCHAR, name VARCHAR, head VARCHAR, colon VARCHAR, val VARCHAR))), k -> CAST(ROW(k.txt, k.name, k.head, k.colon, k.val, CASE WHEN k.name IN ('omitted', 'originalSize', 'qualifier', 'versionId') THEN 'b' WHEN k.name IN ('abTestId', 'accountId', 'actionGroupId', 'actorId', 'after', 'agentAliasId', 'agentCollaboration', 'agentId', 'agentRuntimeArn', 'agentRuntimeId', 'agentRuntimeVersion', 'agentVersion', 'aliasIdentifier', 'assetId', 'assetType', 'authorizerType', 'batchEvaluationId', 'batchEvaluationName', 'bearerTokenType', 'bedrockModelConfig', 'bedrockRerankingConfiguration', 'blueprintArn', 'blueprintVersion', 'branchName', 'browserId', 'browserIdentifier', 'buildWorkflowId', 'bundleId', 'byCustomizationType', 'byInferenceType', 'bytes', 'callWithBearerToken', 'capacityProviderId', 'codeInterpreterId', 'codeInterpreterIdentifier', 'collaboratorId', 'contentType', 'createdAt', 'customModelDeploymentIdentifier', 'customerEncryptionKeyArn', 'dataAutomationConfiguration', 'dataAutomationProfileArn', 'dataAutomationProjectArn', 'dataSourceId', 'datasetId', 'datasetVersion', 'descriptorType', 'documentId', 'enableTrace', 'encryptionConfiguration', 'encryptionKeyArn', 'endSession', 'endpointArn', 'endpointName', 'entityId', 'entityType', 'evaluatorId', 'eventId', 'eventTimestamp', 'eventType', 'executionArn', 'executionId', 'executionIdentifier', 'executionStatus', 'externalSourcesConfiguration', 'extractionMode', 'file', 'filename', 'fineTuningJob', 'flowAliasIdentifier', 'flowExecutionName', 'flowIdentifier', 'flowVersion', 'foundationModel', 'gatewayArn', 'gatewayIdentifier', 'generationConfiguration', 'guardrailArn', 'guardrailConfig', 'guardrailConfiguration', 'guardrailId', 'guardrailIdentifier', 'guardrailVersion', 'harnessArn', 'harnessId', 'harnessVersion', 'inferenceConfig', 'inferenceProfileIdentifier', 'ingestionJobId', 'inputConfiguration', 'inputDataConfig', 'invocationArn', 'invocationId', 'invocationIdentifier', 'invocationStepId', 'jobArn', 'jobIdentifier', 'jobName', 'kmsKeyArn', 'kmsKeyId', 'knowledgeBaseConfiguration', 'knowledgeBaseId', 'latency', 'libraryArn', 'limit', 'maxResults', 'maxTokens', 'max_tokens', 'mcpName', 'mcpSessionId', 'memoryId', 'memoryRecordId', 'memoryStrategyId', 'memoryType', 'model', 'modelArn', 'modelConfiguration', 'modelId', 'modelIdentifier', 'modelInvocationType', 'modelSourceIdentifier', 'modelStatus', 'namespace', 'numberOfResults', 'oauth2Flow', 'offerType', 'onlineEvaluationConfigId', 'orchestrationType', 'order', 'outputConfiguration', 'outputDataConfig', 'paymentConnectorId', 'paymentInstrumentId', 'paymentInstrumentType', 'paymentManagerArn', 'paymentManagerId', 'paymentSession', 'paymentSessionId', 'paymentType', 'performanceConfig', 'performanceConfigLatency', 'policyArn', 'policyEngineId', 'policyGenerationId', 'policyId', 'previousResponse', 'previous_response_id', 'profileId', 'profileIdentifier', 'projectArn', 'project_id', 'promptIdentifier', 'promptRouterArn', 'promptVersion', 'provisionedModelId', 'purpose', 'rateLimitId', 'recommendationId', 'recordId', 'registryId', 'registryIds', 'rerankingConfiguration', 'resourceARN', 'resourceArn', 'resourceCredentialProviderName', 'response', 'retrievalConfiguration', 'retrieveAndGenerateConfiguration', 'roleArn', 'ruleId', 'runtimeSessionId', 'runtimeUserId', 's3BucketOwner', 's3InputDataConfig', 's3InputFormat', 's3OutputDataConfig', 's3Uri', 'scopes', 'serviceTier', 'service_tier', 'sessionArn', 'sessionId', 'sessionIdentifier', 'sessionStatus', 'sessionTimeoutSeconds', 'source', 'sourceArn', 'stage', 'status', 'statusCode', 'stream', 'streamProcessingMode', 'targetId', 'targetModelId', 'temperature', 'testCaseId', 'tokenVaultId', 'toolName', 'topP', 'trace', 'traceId', 'trainingFile', 'type', 'updatedAt', 'userId', 'vectorSearchConfiguration', 'workloadName') THEN 'm' WHEN k.name IN ('Host', 'bucketName', 'functionName', 'invocationType', 'key', 'logType', 'prefix', 'uploadId') THEN 'e' WHEN k.name IN ('Authorization', 'accessToken', 'addPrivateKey', 'additionalModelRequestFields', 'annotations', 'apiKey', 'appSecret', 'appendToPrompt', 'arguments', 'authorization', 'authorizationPrivateKey', 'basePromptTemplate', 'body', 'certificatePrivateKey', 'claims', 'clientSecret', 'collaborationInstruction', 'components', 'content', 'credentials', 'customHeaders', 'customParameters', 'customState', 'documents', 'environmentVariables', 'evaluationInput', 'evaluationReferenceInputs', 'examples', 'formData', 'guardContent', 'inlineContent', 'inlineSessionState', 'input', 'inputText', 'inputs', 'instruction', 'instructions', 'instructionsTemplate', 'jwt', 'messages', 'metadata', 'modelInput', 'newPassword', 'oldPassword', 'password', 'payload', 'paymentInput', 'paymentInstrumentDetails', 'privateKey', 'prompt', 'promptOverrideConfiguration', 'promptTemplate', 'promptVariables', 'queries', 'queryContent', 'queryGenerationInput', 'queryText', 'records', 'refreshToken', 'requestMetadata', 'retrievalQuery', 'searchCriteria', 'searchQuery', 'secret', 'secretAccessKey', 'secretString', 'sessionState', 'sessionToken', 'sourceContent', 'system', 'systemPrompt', 'systemPromptText', 'templateConfiguration', 'textPromptTemplate', 'tradeInToken', 'userContext', 'userIdentifier', 'userInput', 'userToken', 'walletSecret', 'webIdentityToken', 'workloadIdentityToken') THEN 'c' WHEN k.name IN ('AdditionalEntries', 'AdditionalEventData', '_meta', 'action', 'actionGroups', 'actions', 'additionalEntries', 'additionalEventData', 'agentName', 'alg', 'apiSchema', 'aud', 'auth_time', 'blockedInputMessaging', 'blockedOutputsMessaging', 'blueprintName', 'blueprints', 'cacheReadInputTokenCount', 'cacheReadInputTokens', 'cacheReadTokens', 'cacheWriteInputTokenCount', 'cacheWriteInputTokens', 'cacheWriteTokens', 'capabilities', 'certificates', 'checks', 'clientContext', 'clientInfo', 'clientToken', 'client_id', 'code', 'cognito:groups', 'collaboratorConfigurations', 'collaborators', 'contentPolicyConfig', 'contextualGroundingPolicyConfig', 'credentialProviderConfigurations', 'data', 'dataSourceConfiguration', 'definition', 'description', 'descriptors', 'documentIdentifiers', 'downstreamRequestIds', 'email', 'error', 'evaluationConfig', 'evaluatorConfig', 'exp', 'filter', 'filters', 'groups', 'headers', 'iat', 'id', 'inferenceRegion', 'inputTokenCount', 'inputTokens', 'isError', 'iss', 'jobDescription', 'jobIdentifiers', 'jsonrpc', 'jti', 'kid', 'knowledgeBases', 'libraryDescription', 'libraryName', 'memoryStrategies', 'message', 'method', 'name', 'nbf', 'nextToken', 'oauth2ProviderConfigInput', 'outputConfig', 'outputTokenCount', 'outputTokens', 'params', 'parentRequestId', 'paymentTokenRequest', 'policyDefinition', 'projectDescription', 'projectName', 'protocolConfiguration', 'protocolVersion', 'providerConfigurationInput', 'query', 'raw', 'reason', 'recommendationConfig', 'result', 'retrievers', 'role', 'schema', 'scope', 'serverInfo', 'sources', 'storageConfiguration', 'structuredContent', 'sub', 'targetConfiguration', 'text', 'token_use', 'tools', 'topicPolicyConfig', 'trainingDataConfig', 'typ', 'username', 'variants', 'version', 'wordPolicyConfig', 'x5c') THEN 'n' ELSE '' END, ((regexp_like(k.val, '\A"[A-Za-z0-9._:/@%+=,|*$-]*"\z') AND length(k.val) <= 258 OR regexp_like(k.val, '\A[^"{\[]') AND length(k.val) <= 256) OR (regexp_like(k.val, '\A"(?:arn:|s3://)[A-Za-z0-9._:/@%+=,|*$-]*"\z') AND length(k.val) <= 2050)), CASE WHEN COALESCE(k.name IN ('bytes', 'cacheReadInputTokenCount', 'cacheReadInputTokens', 'cacheReadTokens', 'cacheWriteInputTokenCount', 'cacheWriteInputTokens', 'cacheWriteTokens', 'inputTokenCount', 'inputTokens', 'limit', 'maxResults', 'maxTokens', 'max_tokens', 'numberOfResults', 'originalSize', 'outputTokenCount', 'outputTokens', 'sessionTimeoutSeconds', 'statusCode', 'temperature', 'topP'), FALSE) THEN (regexp_like(k.val, '\A"[0-9.eE+-]*"\z') AND length(k.val) <= 26 OR regexp_like(k.val, '\A[^"{\[]') AND length(k.val) <= 256) WHEN COALESCE(k.name IN ('agentCollaboration', 'assetType', 'authorizerType', 'bearerTokenType', 'byCustomizationType', 'byInferenceType', 'descriptorType', 'entityType', 'eventType', 'executionStatus', 'extractionMode', 'invocationType', 'latency', 'logType', 'memoryType', 'modelInvocationType', 'modelStatus', 'oauth2Flow', 'offerType', 'orchestrationType', 'order', 'paymentInstrumentType', 'paymentType', 'performanceConfigLatency', 'purpose', 's3InputFormat', 'serviceTier', 'service_tier', 'sessionStatus', 'source', 'stage', 'status', 'streamProcessingMode', 'trace', 'type'), FALSE) THEN (regexp_like(k.val, '\A"[A-Za-z0-9_-]*"\z') AND length(k.val) <= 66 OR regexp_like(k.val, '\A[^"{\[]') AND length(k.val) <= 256) ELSE ((regexp_like(k.val, '\A"[A-Za-z0-9._:/@%+=,|*$-]*"\z') AND length(k.val) <= 258 OR regexp_like(k.val, '\A[^"{\[]') AND length(k.val) <= 256) OR (regexp_like(k.val, '\A"(?:arn:|s3://)[A-Za-z0-9._:/@%+=,|*$-]*"\z') AND length(k.val) <= 2050)) END, COALESCE(k.name IN ('definition', 'key', 'name', 'pattern', 'policy', 'policyDocument', 'prefix', 'resourcePolicy', 'statement'), FALSE), substr(k.txt, -1) IN ('{', '[') AND (k.name IS NOT NULL OR length(k.txt) = 1)) AS ROW(txt VARCHAR, name VARCHAR, head VARCHAR, colon VARCHAR, val VARCHAR, kind VARCHAR, plain BOOLEAN, fits BOOLEAN, worded BOOLEAN, opens BOOLEAN))), k -> CAST(ROW(k.name, k.head, k.colon, k.val, CASE WHEN k.val IN ('null', '"HIDDEN_DUE_TO_SECURITY_REASONS"', '"REDACTED"', '"***"', '"***OMITTED***"') OR (k.name IS NULL AND NOT starts_with(k.val, '"')) OR (k.name IS NULL AND k.plain) THEN k.val ELSE '"<' || CAST(length(to_utf8(k.val)) - CASE WHEN starts_with(k.val, '"') THEN 2 ELSE 0 END AS VARCHAR) || ' bytes>"' END, length(to_utf8(k.txt)), k.opens, k.txt IN ('}', ']'), k.val = '{' AND strpos(k.name, '.') = 0, k.plain, COALESCE(k.name IN ('jsonrpc', 'method'), FALSE) AND k.val <> 'null', k.name IS NOT NULL AND CASE WHEN e.family AND NOT e.asks THEN k.kind = 'c' OR NOT regexp_like(k.name, '\A[A-Za-z0-9._:/-]{1,64}\z') OR NOT (k.opens OR k.worded OR k.plain) WHEN k.val = '{' THEN NOT k.kind IN ('b', CASE WHEN e.asks THEN 'm' ELSE 'e' END) WHEN k.val = '[' THEN NOT (k.kind IN ('b', CASE WHEN e.asks THEN 'm' ELSE 'e' END) AND COALESCE(k.name IN ('downstreamRequestIds', 'registryIds', 'scopes'), FALSE)) ELSE NOT (k.kind IN ('b', CASE WHEN e.asks THEN 'm' ELSE 'e' END) AND (k.worded OR k.fits)) AND NOT COALESCE(k.name || '=' || replace(k.val, chr(34), '') IN ('name=executeCode', 'name=executeCommand', 'name=getTask', 'name=listFiles', 'name=readFiles', 'name=removeFiles', 'name=startCommandExecution', 'name=stopTask', 'name=writeFiles', 'reason=additionalEventData too large', 'reason=requestParameters too large', 'reason=responseElements too large', 'reason=serviceEventDetails too large'), FALSE) END, k.name IS NOT NULL AND CASE WHEN e.family AND NOT e.asks THEN NOT regexp_like(k.name, '\A[A-Za-z0-9._:/-]{1,64}\z') ELSE k.kind = '' END) AS ROW(name VARCHAR, head VARCHAR, colon VARCHAR, val VARCHAR, cut VARCHAR, size BIGINT, opens BOOLEAN, closes BOOLEAN, is_object BOOLEAN, plain BOOLEAN, rpc BOOLEAN, anywhere BOOLEAN, unnamed BOOLEAN))), CAST(ROW('', '', FALSE, 0, 0, 0, 0, 0, '', 0, 0, 0) AS ROW(out VARCHAR, held VARCHAR, rpc BOOLEAN, length BIGINT, size BIGINT, depth BIGINT, hidden BIGINT, body BIGINT, part VARCHAR, part_depth BIGINT, unnamed BIGINT, before BIGINT)), (s, t) -> CAST(ROW(s.out || CASE WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (e.family AND NOT e.asks), FALSE) THEN t.head WHEN t.closes AND s.body > 0 AND s.depth = s.body THEN CASE WHEN s.rpc THEN s.held || '}' ELSE '"<' || CAST(s.length + 1 AS VARCHAR) || ' bytes>"' END WHEN s.body > 0 THEN '' ELSE CASE WHEN t.closes AND s.hidden > 0 AND s.depth = s.hidden THEN '"<' || CAST(s.size + 1 AS VARCHAR) || ' bytes>"' WHEN s.hidden > 0 THEN '' WHEN t.name IS NULL THEN t.cut WHEN s.hidden = 0 AND t.name IS NOT NULL AND NOT COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (e.family AND NOT e.asks), FALSE) AND NOT COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN COALESCE(s.part || '.' || t.name IN ('body', 'body.error', 'body.params', 'body.params.clientInfo', 'body.result', 'body.result.serverInfo', 'claims', 'jwt', 'jwt.claims', 'jwt.headers'), FALSE) ELSE FALSE END, FALSE) AND CASE WHEN s.part <> '' THEN t.opens OR NOT t.plain OR strpos(t.name, '.') > 0 OR NOT COALESCE(s.part || '.' || t.name IN ('body.error.code', 'body.id', 'body.jsonrpc', 'body.method', 'body.params.clientInfo.name', 'body.params.clientInfo.version', 'body.params.name', 'body.params.protocolVersion', 'body.result.isError', 'body.result.protocolVersion', 'body.result.serverInfo.name', 'body.result.serverInfo.version', 'claims.iss', 'claims.sub', 'jwt.claims.iss', 'jwt.claims.sub', 'jwt.headers.alg', 'jwt.headers.kid', 'jwt.headers.typ', 'jwt.type'), FALSE) ELSE t.anywhere END THEN CASE WHEN t.unnamed THEN '"<hidden ' || CAST(s.unnamed + 1 AS VARCHAR) || '>"' || t.colon ELSE t.head END || CASE WHEN t.opens THEN '' ELSE t.cut END ELSE CASE WHEN t.unnamed THEN '"<hidden ' || CAST(s.unnamed + 1 AS VARCHAR) || '>"' || t.colon ELSE t.head END || t.val END END, CASE WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (e.family AND NOT e.asks), FALSE) THEN '{' WHEN s.body > 0 THEN s.held || CASE WHEN t.closes AND s.hidden > 0 AND s.depth = s.hidden THEN '"<' || CAST(s.size + 1 AS VARCHAR) || ' bytes>"' WHEN s.hidden > 0 THEN '' WHEN t.name IS NULL THEN t.cut WHEN s.hidden = 0 AND t.name IS NOT NULL AND NOT COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (e.family AND NOT e.asks), FALSE) AND NOT COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN COALESCE(s.part || '.' || t.name IN ('body', 'body.error', 'body.params', 'body.params.clientInfo', 'body.result', 'body.result.serverInfo', 'claims', 'jwt', 'jwt.claims', 'jwt.headers'), FALSE) ELSE FALSE END, FALSE) AND CASE WHEN s.part <> '' THEN t.opens OR NOT t.plain OR strpos(t.name, '.') > 0 OR NOT COALESCE(s.part || '.' || t.name IN ('body.error.code', 'body.id', 'body.jsonrpc', 'body.method', 'body.params.clientInfo.name', 'body.params.clientInfo.version', 'body.params.name', 'body.params.protocolVersion', 'body.result.isError', 'body.result.protocolVersion', 'body.result.serverInfo.name', 'body.result.serverInfo.version', 'claims.iss', 'claims.sub', 'jwt.claims.iss', 'jwt.claims.sub', 'jwt.headers.alg', 'jwt.headers.kid', 'jwt.headers.typ', 'jwt.type'), FALSE) ELSE t.anywhere END THEN CASE WHEN t.unnamed THEN '"<hidden ' || CAST(s.unnamed + 1 AS VARCHAR) || '>"' || t.colon ELSE t.head END || CASE WHEN t.opens THEN '' ELSE t.cut END ELSE CASE WHEN t.unnamed THEN '"<hidden ' || CAST(s.unnamed + 1 AS VARCHAR) || '>"' || t.colon ELSE t.head END || t.val END ELSE '' END, s.body > 0 AND (s.rpc OR (t.rpc AND s.depth = s.body)), CASE WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (e.family AND NOT e.asks), FALSE) THEN 1 WHEN s.body > 0 THEN s.length + t.size ELSE 0 END, CASE WHEN s.hidden > 0 THEN s.size + t.size ELSE 1 END, s.depth + CASE WHEN t.opens THEN 1 WHEN t.closes THEN -1 ELSE 0 END, CASE WHEN t.closes AND s.hidden > 0 AND s.depth = s.hidden THEN 0 WHEN s.hidden > 0 THEN s.hidden WHEN t.opens AND s.hidden = 0 AND t.name IS NOT NULL AND NOT COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (e.family AND NOT e.asks), FALSE) AND NOT COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN COALESCE(s.part || '.' || t.name IN ('body', 'body.error', 'body.params', 'body.params.clientInfo', 'body.result', 'body.result.serverInfo', 'claims', 'jwt', 'jwt.claims', 'jwt.headers'), FALSE) ELSE FALSE END, FALSE) AND CASE WHEN s.part <> '' THEN t.opens OR NOT t.plain OR strpos(t.name, '.') > 0 OR NOT COALESCE(s.part || '.' || t.name IN ('body.error.code', 'body.id', 'body.jsonrpc', 'body.method', 'body.params.clientInfo.name', 'body.params.clientInfo.version', 'body.params.name', 'body.params.protocolVersion', 'body.result.isError', 'body.result.protocolVersion', 'body.result.serverInfo.name', 'body.result.serverInfo.version', 'claims.iss', 'claims.sub', 'jwt.claims.iss', 'jwt.claims.sub', 'jwt.headers.alg', 'jwt.headers.kid', 'jwt.headers.typ', 'jwt.type'), FALSE) ELSE t.anywhere END THEN s.depth + 1 ELSE 0 END, CASE WHEN t.closes AND s.body > 0 AND s.depth = s.body THEN 0 WHEN s.body > 0 THEN s.body WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (e.family AND NOT e.asks), FALSE) THEN s.depth + 1 ELSE 0 END, CASE WHEN t.closes AND s.hidden = 0 AND s.part <> '' AND s.depth = s.part_depth THEN COALESCE(regexp_extract(s.part, '\A(.*)[.][^.]*\z', 1), '') WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (e.family AND NOT e.asks), FALSE) THEN 'body' WHEN NOT COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN COALESCE(s.part || '.' || t.name IN ('body', 'body.error', 'body.params', 'body.params.clientInfo', 'body.result', 'body.result.serverInfo', 'claims', 'jwt', 'jwt.claims', 'jwt.headers'), FALSE) ELSE FALSE END, FALSE) THEN s.part WHEN s.part = '' THEN t.name ELSE s.part || '.' || t.name END, CASE WHEN t.closes AND s.hidden = 0 AND s.part <> '' AND s.depth = s.part_depth THEN s.part_depth - 1 WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (e.family AND NOT e.asks), FALSE) OR COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN COALESCE(s.part || '.' || t.name IN ('body', 'body.error', 'body.params', 'body.params.clientInfo', 'body.result', 'body.result.serverInfo', 'claims', 'jwt', 'jwt.claims', 'jwt.headers'), FALSE) ELSE FALSE END, FALSE) THEN s.depth + 1 ELSE s.part_depth END, CASE WHEN t.closes AND s.body > 0 AND s.depth = s.body AND NOT s.rpc THEN s.before WHEN s.hidden = 0 AND t.unnamed THEN s.unnamed + 1 ELSE s.unnamed END, CASE WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (e.family AND NOT e.asks), FALSE) THEN s.unnamed ELSE s.before END) AS ROW(out VARCHAR, held VARCHAR, rpc BOOLEAN, length BIGINT, size BIGINT, depth BIGINT, hidden BIGINT, body BIGINT, part VARCHAR, part_depth BIGINT, unnamed BIGINT, before BIGINT)), s -> s.out) END AS response_elements,
  CASE WHEN e.additional IS NULL OR NOT (e.family OR e.refused) OR e.additional IN ('null', '"HIDDEN_DUE_TO_SECURITY_REASONS"', '"REDACTED"', '"***"', '"***OMITTED***"') OR (e.family AND regexp_like(e.additional, '\A\{(?:\s*(?:"(?:inferenceRegion|parentRequestId|targetId)"\s*:\s*"[A-Za-z0-9._:/-]{0,200}"|"(?:callWithBearerToken)"\s*:\s*(?:true|false)|"(?:inputTokens|outputTokens)"\s*:\s*[0-9]{1,18})\s*[,}])*\z')) THEN e.additional WHEN NOT regexp_like(e.additional, '\A\s*\{') AND NOT (FALSE) THEN '"<' || CAST(length(to_utf8(trim(e.additional))) - CASE WHEN starts_with(trim(e.additional), chr(34)) THEN 2 ELSE 0 END AS VARCHAR) || ' bytes>"' ELSE reduce(transform(transform(transform(regexp_extract_all(e.additional, '"(?:[^"\\]|\\.)*"\s*:\s*(?:[{\[]|"(?:[^"\\]|\\.)*"|[^"{}\[\],\s]+)?|"(?:[^"\\]|\\.)*"|[{}\[\]]|[^"{}\[\]]+|"'), x -> CAST(ROW(x, CASE WHEN strpos(regexp_extract(x, '\A"((?:[^"\\]|\\.)*)"\s*:', 1), '\') > 0 THEN json_extract_scalar('["' || regexp_extract(x, '\A"((?:[^"\\]|\\.)*)"\s*:', 1) || '"]', '$[0]') ELSE regexp_extract(x, '\A"((?:[^"\\]|\\.)*)"\s*:', 1) END, COALESCE(regexp_extract(x, '\A"(?:[^"\\]|\\.)*"\s*:\s*'), ''), COALESCE(regexp_extract(x, '\A"(?:[^"\\]|\\.)*"(\s*:\s*)', 1), ''), substr(x, length(COALESCE(regexp_extract(x, '\A"(?:[^"\\]|\\.)*"\s*:\s*'), '')) + 1)) AS ROW(txt VARCHAR, name VARCHAR, head VARCHAR, colon VARCHAR, val VARCHAR))), k -> CAST(ROW(k.txt, k.name, k.head, k.colon, k.val, CASE WHEN k.name IN ('omitted', 'originalSize') THEN 'b' WHEN k.name IN ('AdditionalEntries', 'AdditionalEventData', 'additionalEntries', 'additionalEventData', 'bearerTokenType', 'cacheReadInputTokenCount', 'cacheReadInputTokens', 'cacheReadTokens', 'cacheWriteInputTokenCount', 'cacheWriteInputTokens', 'cacheWriteTokens', 'callWithBearerToken', 'downstreamRequestIds', 'inferenceRegion', 'inputTokenCount', 'inputTokens', 'outputTokenCount', 'outputTokens', 'parentRequestId', 'targetId') THEN 'm' WHEN k.name IN ('Host', 'bucketName', 'functionName', 'invocationType', 'key', 'logType', 'prefix', 'qualifier', 'uploadId', 'versionId') THEN 'e' WHEN k.name IN ('Authorization', 'accessToken', 'addPrivateKey', 'additionalModelRequestFields', 'annotations', 'apiKey', 'appSecret', 'appendToPrompt', 'arguments', 'authorization', 'authorizationPrivateKey', 'basePromptTemplate', 'body', 'certificatePrivateKey', 'claims', 'clientSecret', 'collaborationInstruction', 'components', 'content', 'credentials', 'customHeaders', 'customParameters', 'customState', 'documents', 'environmentVariables', 'evaluationInput', 'evaluationReferenceInputs', 'examples', 'formData', 'guardContent', 'inlineContent', 'inlineSessionState', 'input', 'inputText', 'inputs', 'instruction', 'instructions', 'instructionsTemplate', 'jwt', 'messages', 'metadata', 'modelInput', 'newPassword', 'oldPassword', 'password', 'payload', 'paymentInput', 'paymentInstrumentDetails', 'privateKey', 'prompt', 'promptOverrideConfiguration', 'promptTemplate', 'promptVariables', 'queries', 'queryContent', 'queryGenerationInput', 'queryText', 'records', 'refreshToken', 'requestMetadata', 'retrievalQuery', 'searchCriteria', 'searchQuery', 'secret', 'secretAccessKey', 'secretString', 'sessionState', 'sessionToken', 'sourceContent', 'system', 'systemPrompt', 'systemPromptText', 'templateConfiguration', 'textPromptTemplate', 'tradeInToken', 'userContext', 'userIdentifier', 'userInput', 'userToken', 'walletSecret', 'webIdentityToken', 'workloadIdentityToken') THEN 'c' WHEN k.name IN ('_meta', 'abTestId', 'accountId', 'action', 'actionGroupId', 'actionGroups', 'actions', 'actorId', 'after', 'agentAliasId', 'agentCollaboration', 'agentId', 'agentName', 'agentRuntimeArn', 'agentRuntimeId', 'agentRuntimeVersion', 'agentVersion', 'alg', 'aliasIdentifier', 'apiSchema', 'assetId', 'assetType', 'aud', 'auth_time', 'authorizerType', 'batchEvaluationId', 'batchEvaluationName', 'bedrockModelConfig', 'bedrockRerankingConfiguration', 'blockedInputMessaging', 'blockedOutputsMessaging', 'blueprintArn', 'blueprintName', 'blueprintVersion', 'blueprints', 'branchName', 'browserId', 'browserIdentifier', 'buildWorkflowId', 'bundleId', 'byCustomizationType', 'byInferenceType', 'bytes', 'capabilities', 'capacityProviderId', 'certificates', 'checks', 'clientContext', 'clientInfo', 'clientToken', 'client_id', 'code', 'codeInterpreterId', 'codeInterpreterIdentifier', 'cognito:groups', 'collaboratorConfigurations', 'collaboratorId', 'collaborators', 'contentPolicyConfig', 'contentType', 'contextualGroundingPolicyConfig', 'createdAt', 'credentialProviderConfigurations', 'customModelDeploymentIdentifier', 'customerEncryptionKeyArn', 'data', 'dataAutomationConfiguration', 'dataAutomationProfileArn', 'dataAutomationProjectArn', 'dataSourceConfiguration', 'dataSourceId', 'datasetId', 'datasetVersion', 'definition', 'description', 'descriptorType', 'descriptors', 'documentId', 'documentIdentifiers', 'email', 'enableTrace', 'encryptionConfiguration', 'encryptionKeyArn', 'endSession', 'endpointArn', 'endpointName', 'entityId', 'entityType', 'error', 'evaluationConfig', 'evaluatorConfig', 'evaluatorId', 'eventId', 'eventTimestamp', 'eventType', 'executionArn', 'executionId', 'executionIdentifier', 'executionStatus', 'exp', 'externalSourcesConfiguration', 'extractionMode', 'file', 'filename', 'filter', 'filters', 'fineTuningJob', 'flowAliasIdentifier', 'flowExecutionName', 'flowIdentifier', 'flowVersion', 'foundationModel', 'gatewayArn', 'gatewayIdentifier', 'generationConfiguration', 'groups', 'guardrailArn', 'guardrailConfig', 'guardrailConfiguration', 'guardrailId', 'guardrailIdentifier', 'guardrailVersion', 'harnessArn', 'harnessId', 'harnessVersion', 'headers', 'iat', 'id', 'inferenceConfig', 'inferenceProfileIdentifier', 'ingestionJobId', 'inputConfiguration', 'inputDataConfig', 'invocationArn', 'invocationId', 'invocationIdentifier', 'invocationStepId', 'isError', 'iss', 'jobArn', 'jobDescription', 'jobIdentifier', 'jobIdentifiers', 'jobName', 'jsonrpc', 'jti', 'kid', 'kmsKeyArn', 'kmsKeyId', 'knowledgeBaseConfiguration', 'knowledgeBaseId', 'knowledgeBases', 'latency', 'libraryArn', 'libraryDescription', 'libraryName', 'limit', 'maxResults', 'maxTokens', 'max_tokens', 'mcpName', 'mcpSessionId', 'memoryId', 'memoryRecordId', 'memoryStrategies', 'memoryStrategyId', 'memoryType', 'message', 'method', 'model', 'modelArn', 'modelConfiguration', 'modelId', 'modelIdentifier', 'modelInvocationType', 'modelSourceIdentifier', 'modelStatus', 'name', 'namespace', 'nbf', 'nextToken', 'numberOfResults', 'oauth2Flow', 'oauth2ProviderConfigInput', 'offerType', 'onlineEvaluationConfigId', 'orchestrationType', 'order', 'outputConfig', 'outputConfiguration', 'outputDataConfig', 'params', 'paymentConnectorId', 'paymentInstrumentId', 'paymentInstrumentType', 'paymentManagerArn', 'paymentManagerId', 'paymentSession', 'paymentSessionId', 'paymentTokenRequest', 'paymentType', 'performanceConfig', 'performanceConfigLatency', 'policyArn', 'policyDefinition', 'policyEngineId', 'policyGenerationId', 'policyId', 'previousResponse', 'previous_response_id', 'profileId', 'profileIdentifier', 'projectArn', 'projectDescription', 'projectName', 'project_id', 'promptIdentifier', 'promptRouterArn', 'promptVersion', 'protocolConfiguration', 'protocolVersion', 'providerConfigurationInput', 'provisionedModelId', 'purpose', 'query', 'rateLimitId', 'raw', 'reason', 'recommendationConfig', 'recommendationId', 'recordId', 'registryId', 'registryIds', 'rerankingConfiguration', 'resourceARN', 'resourceArn', 'resourceCredentialProviderName', 'response', 'result', 'retrievalConfiguration', 'retrieveAndGenerateConfiguration', 'retrievers', 'role', 'roleArn', 'ruleId', 'runtimeSessionId', 'runtimeUserId', 's3BucketOwner', 's3InputDataConfig', 's3InputFormat', 's3OutputDataConfig', 's3Uri', 'schema', 'scope', 'scopes', 'serverInfo', 'serviceTier', 'service_tier', 'sessionArn', 'sessionId', 'sessionIdentifier', 'sessionStatus', 'sessionTimeoutSeconds', 'source', 'sourceArn', 'sources', 'stage', 'status', 'statusCode', 'storageConfiguration', 'stream', 'streamProcessingMode', 'structuredContent', 'sub', 'targetConfiguration', 'targetModelId', 'temperature', 'testCaseId', 'text', 'tokenVaultId', 'token_use', 'toolName', 'tools', 'topP', 'topicPolicyConfig', 'trace', 'traceId', 'trainingDataConfig', 'trainingFile', 'typ', 'type', 'updatedAt', 'userId', 'username', 'variants', 'vectorSearchConfiguration', 'version', 'wordPolicyConfig', 'workloadName', 'x5c') THEN 'n' ELSE '' END, ((regexp_like(k.val, '\A"[A-Za-z0-9._:/@%+=,|*$-]*"\z') AND length(k.val) <= 258 OR regexp_like(k.val, '\A[^"{\[]') AND length(k.val) <= 256) OR (regexp_like(k.val, '\A"(?:arn:|s3://)[A-Za-z0-9._:/@%+=,|*$-]*"\z') AND length(k.val) <= 2050)), CASE WHEN COALESCE(k.name IN ('bytes', 'cacheReadInputTokenCount', 'cacheReadInputTokens', 'cacheReadTokens', 'cacheWriteInputTokenCount', 'cacheWriteInputTokens', 'cacheWriteTokens', 'inputTokenCount', 'inputTokens', 'limit', 'maxResults', 'maxTokens', 'max_tokens', 'numberOfResults', 'originalSize', 'outputTokenCount', 'outputTokens', 'sessionTimeoutSeconds', 'statusCode', 'temperature', 'topP'), FALSE) THEN (regexp_like(k.val, '\A"[0-9.eE+-]*"\z') AND length(k.val) <= 26 OR regexp_like(k.val, '\A[^"{\[]') AND length(k.val) <= 256) WHEN COALESCE(k.name IN ('agentCollaboration', 'assetType', 'authorizerType', 'bearerTokenType', 'byCustomizationType', 'byInferenceType', 'descriptorType', 'entityType', 'eventType', 'executionStatus', 'extractionMode', 'invocationType', 'latency', 'logType', 'memoryType', 'modelInvocationType', 'modelStatus', 'oauth2Flow', 'offerType', 'orchestrationType', 'order', 'paymentInstrumentType', 'paymentType', 'performanceConfigLatency', 'purpose', 's3InputFormat', 'serviceTier', 'service_tier', 'sessionStatus', 'source', 'stage', 'status', 'streamProcessingMode', 'trace', 'type'), FALSE) THEN (regexp_like(k.val, '\A"[A-Za-z0-9_-]*"\z') AND length(k.val) <= 66 OR regexp_like(k.val, '\A[^"{\[]') AND length(k.val) <= 256) ELSE ((regexp_like(k.val, '\A"[A-Za-z0-9._:/@%+=,|*$-]*"\z') AND length(k.val) <= 258 OR regexp_like(k.val, '\A[^"{\[]') AND length(k.val) <= 256) OR (regexp_like(k.val, '\A"(?:arn:|s3://)[A-Za-z0-9._:/@%+=,|*$-]*"\z') AND length(k.val) <= 2050)) END, COALESCE(k.name IN ('definition', 'key', 'name', 'pattern', 'policy', 'policyDocument', 'prefix', 'resourcePolicy', 'statement'), FALSE), substr(k.txt, -1) IN ('{', '[') AND (k.name IS NOT NULL OR length(k.txt) = 1)) AS ROW(txt VARCHAR, name VARCHAR, head VARCHAR, colon VARCHAR, val VARCHAR, kind VARCHAR, plain BOOLEAN, fits BOOLEAN, worded BOOLEAN, opens BOOLEAN))), k -> CAST(ROW(k.name, k.head, k.colon, k.val, CASE WHEN k.val IN ('null', '"HIDDEN_DUE_TO_SECURITY_REASONS"', '"REDACTED"', '"***"', '"***OMITTED***"') OR (k.name IS NULL AND NOT starts_with(k.val, '"')) OR (k.name IS NULL AND k.plain) THEN k.val ELSE '"<' || CAST(length(to_utf8(k.val)) - CASE WHEN starts_with(k.val, '"') THEN 2 ELSE 0 END AS VARCHAR) || ' bytes>"' END, length(to_utf8(k.txt)), k.opens, k.txt IN ('}', ']'), k.val = '{' AND strpos(k.name, '.') = 0, k.plain, COALESCE(k.name IN ('jsonrpc', 'method'), FALSE) AND k.val <> 'null', k.name IS NOT NULL AND CASE WHEN FALSE THEN k.kind = 'c' OR NOT regexp_like(k.name, '\A[A-Za-z0-9._:/-]{1,64}\z') OR NOT (k.opens OR k.worded OR k.plain) WHEN k.val = '{' THEN NOT k.kind IN ('b', CASE WHEN e.family THEN 'm' ELSE 'e' END) WHEN k.val = '[' THEN NOT (k.kind IN ('b', CASE WHEN e.family THEN 'm' ELSE 'e' END) AND COALESCE(k.name IN ('downstreamRequestIds', 'registryIds', 'scopes'), FALSE)) ELSE NOT (k.kind IN ('b', CASE WHEN e.family THEN 'm' ELSE 'e' END) AND (k.worded OR k.fits)) AND NOT COALESCE(k.name || '=' || replace(k.val, chr(34), '') IN ('name=executeCode', 'name=executeCommand', 'name=getTask', 'name=listFiles', 'name=readFiles', 'name=removeFiles', 'name=startCommandExecution', 'name=stopTask', 'name=writeFiles', 'reason=additionalEventData too large', 'reason=requestParameters too large', 'reason=responseElements too large', 'reason=serviceEventDetails too large'), FALSE) END, k.name IS NOT NULL AND CASE WHEN FALSE THEN NOT regexp_like(k.name, '\A[A-Za-z0-9._:/-]{1,64}\z') ELSE k.kind = '' END) AS ROW(name VARCHAR, head VARCHAR, colon VARCHAR, val VARCHAR, cut VARCHAR, size BIGINT, opens BOOLEAN, closes BOOLEAN, is_object BOOLEAN, plain BOOLEAN, rpc BOOLEAN, anywhere BOOLEAN, unnamed BOOLEAN))), CAST(ROW('', '', FALSE, 0, 0, 0, 0, 0, '', 0, 0, 0) AS ROW(out VARCHAR, held VARCHAR, rpc BOOLEAN, length BIGINT, size BIGINT, depth BIGINT, hidden BIGINT, body BIGINT, part VARCHAR, part_depth BIGINT, unnamed BIGINT, before BIGINT)), (s, t) -> CAST(ROW(s.out || CASE WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (FALSE), FALSE) THEN t.head WHEN t.closes AND s.body > 0 AND s.depth = s.body THEN CASE WHEN s.rpc THEN s.held || '}' ELSE '"<' || CAST(s.length + 1 AS VARCHAR) || ' bytes>"' END WHEN s.body > 0 THEN '' ELSE CASE WHEN t.closes AND s.hidden > 0 AND s.depth = s.hidden THEN '"<' || CAST(s.size + 1 AS VARCHAR) || ' bytes>"' WHEN s.hidden > 0 THEN '' WHEN t.name IS NULL THEN t.cut WHEN s.hidden = 0 AND t.name IS NOT NULL AND NOT COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (FALSE), FALSE) AND NOT COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN COALESCE(s.part || '.' || t.name IN ('body', 'body.error', 'body.params', 'body.params.clientInfo', 'body.result', 'body.result.serverInfo', 'claims', 'jwt', 'jwt.claims', 'jwt.headers'), FALSE) ELSE COALESCE(t.name IN ('claims', 'jwt'), FALSE) AND e.family END, FALSE) AND CASE WHEN s.part <> '' THEN t.opens OR NOT t.plain OR strpos(t.name, '.') > 0 OR NOT COALESCE(s.part || '.' || t.name IN ('body.error.code', 'body.id', 'body.jsonrpc', 'body.method', 'body.params.clientInfo.name', 'body.params.clientInfo.version', 'body.params.name', 'body.params.protocolVersion', 'body.result.isError', 'body.result.protocolVersion', 'body.result.serverInfo.name', 'body.result.serverInfo.version', 'claims.iss', 'claims.sub', 'jwt.claims.iss', 'jwt.claims.sub', 'jwt.headers.alg', 'jwt.headers.kid', 'jwt.headers.typ', 'jwt.type'), FALSE) ELSE t.anywhere END THEN CASE WHEN t.unnamed THEN '"<hidden ' || CAST(s.unnamed + 1 AS VARCHAR) || '>"' || t.colon ELSE t.head END || CASE WHEN t.opens THEN '' ELSE t.cut END ELSE CASE WHEN t.unnamed THEN '"<hidden ' || CAST(s.unnamed + 1 AS VARCHAR) || '>"' || t.colon ELSE t.head END || t.val END END, CASE WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (FALSE), FALSE) THEN '{' WHEN s.body > 0 THEN s.held || CASE WHEN t.closes AND s.hidden > 0 AND s.depth = s.hidden THEN '"<' || CAST(s.size + 1 AS VARCHAR) || ' bytes>"' WHEN s.hidden > 0 THEN '' WHEN t.name IS NULL THEN t.cut WHEN s.hidden = 0 AND t.name IS NOT NULL AND NOT COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (FALSE), FALSE) AND NOT COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN COALESCE(s.part || '.' || t.name IN ('body', 'body.error', 'body.params', 'body.params.clientInfo', 'body.result', 'body.result.serverInfo', 'claims', 'jwt', 'jwt.claims', 'jwt.headers'), FALSE) ELSE COALESCE(t.name IN ('claims', 'jwt'), FALSE) AND e.family END, FALSE) AND CASE WHEN s.part <> '' THEN t.opens OR NOT t.plain OR strpos(t.name, '.') > 0 OR NOT COALESCE(s.part || '.' || t.name IN ('body.error.code', 'body.id', 'body.jsonrpc', 'body.method', 'body.params.clientInfo.name', 'body.params.clientInfo.version', 'body.params.name', 'body.params.protocolVersion', 'body.result.isError', 'body.result.protocolVersion', 'body.result.serverInfo.name', 'body.result.serverInfo.version', 'claims.iss', 'claims.sub', 'jwt.claims.iss', 'jwt.claims.sub', 'jwt.headers.alg', 'jwt.headers.kid', 'jwt.headers.typ', 'jwt.type'), FALSE) ELSE t.anywhere END THEN CASE WHEN t.unnamed THEN '"<hidden ' || CAST(s.unnamed + 1 AS VARCHAR) || '>"' || t.colon ELSE t.head END || CASE WHEN t.opens THEN '' ELSE t.cut END ELSE CASE WHEN t.unnamed THEN '"<hidden ' || CAST(s.unnamed + 1 AS VARCHAR) || '>"' || t.colon ELSE t.head END || t.val END ELSE '' END, s.body > 0 AND (s.rpc OR (t.rpc AND s.depth = s.body)), CASE WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (FALSE), FALSE) THEN 1 WHEN s.body > 0 THEN s.length + t.size ELSE 0 END, CASE WHEN s.hidden > 0 THEN s.size + t.size ELSE 1 END, s.depth + CASE WHEN t.opens THEN 1 WHEN t.closes THEN -1 ELSE 0 END, CASE WHEN t.closes AND s.hidden > 0 AND s.depth = s.hidden THEN 0 WHEN s.hidden > 0 THEN s.hidden WHEN t.opens AND s.hidden = 0 AND t.name IS NOT NULL AND NOT COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (FALSE), FALSE) AND NOT COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN COALESCE(s.part || '.' || t.name IN ('body', 'body.error', 'body.params', 'body.params.clientInfo', 'body.result', 'body.result.serverInfo', 'claims', 'jwt', 'jwt.claims', 'jwt.headers'), FALSE) ELSE COALESCE(t.name IN ('claims', 'jwt'), FALSE) AND e.family END, FALSE) AND CASE WHEN s.part <> '' THEN t.opens OR NOT t.plain OR strpos(t.name, '.') > 0 OR NOT COALESCE(s.part || '.' || t.name IN ('body.error.code', 'body.id', 'body.jsonrpc', 'body.method', 'body.params.clientInfo.name', 'body.params.clientInfo.version', 'body.params.name', 'body.params.protocolVersion', 'body.result.isError', 'body.result.protocolVersion', 'body.result.serverInfo.name', 'body.result.serverInfo.version', 'claims.iss', 'claims.sub', 'jwt.claims.iss', 'jwt.claims.sub', 'jwt.headers.alg', 'jwt.headers.kid', 'jwt.headers.typ', 'jwt.type'), FALSE) ELSE t.anywhere END THEN s.depth + 1 ELSE 0 END, CASE WHEN t.closes AND s.body > 0 AND s.depth = s.body THEN 0 WHEN s.body > 0 THEN s.body WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (FALSE), FALSE) THEN s.depth + 1 ELSE 0 END, CASE WHEN t.closes AND s.hidden = 0 AND s.part <> '' AND s.depth = s.part_depth THEN COALESCE(regexp_extract(s.part, '\A(.*)[.][^.]*\z', 1), '') WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (FALSE), FALSE) THEN 'body' WHEN NOT COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN COALESCE(s.part || '.' || t.name IN ('body', 'body.error', 'body.params', 'body.params.clientInfo', 'body.result', 'body.result.serverInfo', 'claims', 'jwt', 'jwt.claims', 'jwt.headers'), FALSE) ELSE COALESCE(t.name IN ('claims', 'jwt'), FALSE) AND e.family END, FALSE) THEN s.part WHEN s.part = '' THEN t.name ELSE s.part || '.' || t.name END, CASE WHEN t.closes AND s.hidden = 0 AND s.part <> '' AND s.depth = s.part_depth THEN s.part_depth - 1 WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (FALSE), FALSE) OR COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN COALESCE(s.part || '.' || t.name IN ('body', 'body.error', 'body.params', 'body.params.clientInfo', 'body.result', 'body.result.serverInfo', 'claims', 'jwt', 'jwt.claims', 'jwt.headers'), FALSE) ELSE COALESCE(t.name IN ('claims', 'jwt'), FALSE) AND e.family END, FALSE) THEN s.depth + 1 ELSE s.part_depth END, CASE WHEN t.closes AND s.body > 0 AND s.depth = s.body AND NOT s.rpc THEN s.before WHEN s.hidden = 0 AND t.unnamed THEN s.unnamed + 1 ELSE s.unnamed END, CASE WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (FALSE), FALSE) THEN s.unnamed ELSE s.before END) AS ROW(out VARCHAR, held VARCHAR, rpc BOOLEAN, length BIGINT, size BIGINT, depth BIGINT, hidden BIGINT, body BIGINT, part VARCHAR, part_depth BIGINT, unnamed BIGINT, before BIGINT)), s -> s.out) END AS additional_event_data,
  CASE WHEN e.service IS NULL OR NOT (e.family OR e.refused) OR e.service IN ('null', '"HIDDEN_DUE_TO_SECURITY_REASONS"', '"REDACTED"', '"***"', '"***OMITTED***"') OR (e.family AND regexp_like(e.service, '\A\{(?:\s*(?:"(?:inferenceRegion|parentRequestId|targetId)"\s*:\s*"[A-Za-z0-9._:/-]{0,200}"|"(?:callWithBearerToken)"\s*:\s*(?:true|false)|"(?:inputTokens|outputTokens)"\s*:\s*[0-9]{1,18})\s*[,}])*\z')) THEN e.service WHEN NOT regexp_like(e.service, '\A\s*\{') AND NOT (FALSE) THEN '"<' || CAST(length(to_utf8(trim(e.service))) - CASE WHEN starts_with(trim(e.service), chr(34)) THEN 2 ELSE 0 END AS VARCHAR) || ' bytes>"' ELSE reduce(transform(transform(transform(regexp_extract_all(e.service, '"(?:[^"\\]|\\.)*"\s*:\s*(?:[{\[]|"(?:[^"\\]|\\.)*"|[^"{}\[\],\s]+)?|"(?:[^"\\]|\\.)*"|[{}\[\]]|[^"{}\[\]]+|"'), x -> CAST(ROW(x, CASE WHEN strpos(regexp_extract(x, '\A"((?:[^"\\]|\\.)*)"\s*:', 1), '\') > 0 THEN json_extract_scalar('["' || regexp_extract(x, '\A"((?:[^"\\]|\\.)*)"\s*:', 1) || '"]', '$[0]') ELSE regexp_extract(x, '\A"((?:[^"\\]|\\.)*)"\s*:', 1) END, COALESCE(regexp_extract(x, '\A"(?:[^"\\]|\\.)*"\s*:\s*'), ''), COALESCE(regexp_extract(x, '\A"(?:[^"\\]|\\.)*"(\s*:\s*)', 1), ''), substr(x, length(COALESCE(regexp_extract(x, '\A"(?:[^"\\]|\\.)*"\s*:\s*'), '')) + 1)) AS ROW(txt VARCHAR, name VARCHAR, head VARCHAR, colon VARCHAR, val VARCHAR))), k -> CAST(ROW(k.txt, k.name, k.head, k.colon, k.val, CASE WHEN k.name IN ('omitted', 'originalSize') THEN 'b' WHEN k.name IN ('AdditionalEntries', 'AdditionalEventData', 'additionalEntries', 'additionalEventData', 'bearerTokenType', 'cacheReadInputTokenCount', 'cacheReadInputTokens', 'cacheReadTokens', 'cacheWriteInputTokenCount', 'cacheWriteInputTokens', 'cacheWriteTokens', 'callWithBearerToken', 'downstreamRequestIds', 'inferenceRegion', 'inputTokenCount', 'inputTokens', 'outputTokenCount', 'outputTokens', 'parentRequestId', 'targetId') THEN 'm' WHEN k.name IN ('Host', 'bucketName', 'functionName', 'invocationType', 'key', 'logType', 'prefix', 'qualifier', 'uploadId', 'versionId') THEN 'e' WHEN k.name IN ('Authorization', 'accessToken', 'addPrivateKey', 'additionalModelRequestFields', 'annotations', 'apiKey', 'appSecret', 'appendToPrompt', 'arguments', 'authorization', 'authorizationPrivateKey', 'basePromptTemplate', 'body', 'certificatePrivateKey', 'claims', 'clientSecret', 'collaborationInstruction', 'components', 'content', 'credentials', 'customHeaders', 'customParameters', 'customState', 'documents', 'environmentVariables', 'evaluationInput', 'evaluationReferenceInputs', 'examples', 'formData', 'guardContent', 'inlineContent', 'inlineSessionState', 'input', 'inputText', 'inputs', 'instruction', 'instructions', 'instructionsTemplate', 'jwt', 'messages', 'metadata', 'modelInput', 'newPassword', 'oldPassword', 'password', 'payload', 'paymentInput', 'paymentInstrumentDetails', 'privateKey', 'prompt', 'promptOverrideConfiguration', 'promptTemplate', 'promptVariables', 'queries', 'queryContent', 'queryGenerationInput', 'queryText', 'records', 'refreshToken', 'requestMetadata', 'retrievalQuery', 'searchCriteria', 'searchQuery', 'secret', 'secretAccessKey', 'secretString', 'sessionState', 'sessionToken', 'sourceContent', 'system', 'systemPrompt', 'systemPromptText', 'templateConfiguration', 'textPromptTemplate', 'tradeInToken', 'userContext', 'userIdentifier', 'userInput', 'userToken', 'walletSecret', 'webIdentityToken', 'workloadIdentityToken') THEN 'c' WHEN k.name IN ('_meta', 'abTestId', 'accountId', 'action', 'actionGroupId', 'actionGroups', 'actions', 'actorId', 'after', 'agentAliasId', 'agentCollaboration', 'agentId', 'agentName', 'agentRuntimeArn', 'agentRuntimeId', 'agentRuntimeVersion', 'agentVersion', 'alg', 'aliasIdentifier', 'apiSchema', 'assetId', 'assetType', 'aud', 'auth_time', 'authorizerType', 'batchEvaluationId', 'batchEvaluationName', 'bedrockModelConfig', 'bedrockRerankingConfiguration', 'blockedInputMessaging', 'blockedOutputsMessaging', 'blueprintArn', 'blueprintName', 'blueprintVersion', 'blueprints', 'branchName', 'browserId', 'browserIdentifier', 'buildWorkflowId', 'bundleId', 'byCustomizationType', 'byInferenceType', 'bytes', 'capabilities', 'capacityProviderId', 'certificates', 'checks', 'clientContext', 'clientInfo', 'clientToken', 'client_id', 'code', 'codeInterpreterId', 'codeInterpreterIdentifier', 'cognito:groups', 'collaboratorConfigurations', 'collaboratorId', 'collaborators', 'contentPolicyConfig', 'contentType', 'contextualGroundingPolicyConfig', 'createdAt', 'credentialProviderConfigurations', 'customModelDeploymentIdentifier', 'customerEncryptionKeyArn', 'data', 'dataAutomationConfiguration', 'dataAutomationProfileArn', 'dataAutomationProjectArn', 'dataSourceConfiguration', 'dataSourceId', 'datasetId', 'datasetVersion', 'definition', 'description', 'descriptorType', 'descriptors', 'documentId', 'documentIdentifiers', 'email', 'enableTrace', 'encryptionConfiguration', 'encryptionKeyArn', 'endSession', 'endpointArn', 'endpointName', 'entityId', 'entityType', 'error', 'evaluationConfig', 'evaluatorConfig', 'evaluatorId', 'eventId', 'eventTimestamp', 'eventType', 'executionArn', 'executionId', 'executionIdentifier', 'executionStatus', 'exp', 'externalSourcesConfiguration', 'extractionMode', 'file', 'filename', 'filter', 'filters', 'fineTuningJob', 'flowAliasIdentifier', 'flowExecutionName', 'flowIdentifier', 'flowVersion', 'foundationModel', 'gatewayArn', 'gatewayIdentifier', 'generationConfiguration', 'groups', 'guardrailArn', 'guardrailConfig', 'guardrailConfiguration', 'guardrailId', 'guardrailIdentifier', 'guardrailVersion', 'harnessArn', 'harnessId', 'harnessVersion', 'headers', 'iat', 'id', 'inferenceConfig', 'inferenceProfileIdentifier', 'ingestionJobId', 'inputConfiguration', 'inputDataConfig', 'invocationArn', 'invocationId', 'invocationIdentifier', 'invocationStepId', 'isError', 'iss', 'jobArn', 'jobDescription', 'jobIdentifier', 'jobIdentifiers', 'jobName', 'jsonrpc', 'jti', 'kid', 'kmsKeyArn', 'kmsKeyId', 'knowledgeBaseConfiguration', 'knowledgeBaseId', 'knowledgeBases', 'latency', 'libraryArn', 'libraryDescription', 'libraryName', 'limit', 'maxResults', 'maxTokens', 'max_tokens', 'mcpName', 'mcpSessionId', 'memoryId', 'memoryRecordId', 'memoryStrategies', 'memoryStrategyId', 'memoryType', 'message', 'method', 'model', 'modelArn', 'modelConfiguration', 'modelId', 'modelIdentifier', 'modelInvocationType', 'modelSourceIdentifier', 'modelStatus', 'name', 'namespace', 'nbf', 'nextToken', 'numberOfResults', 'oauth2Flow', 'oauth2ProviderConfigInput', 'offerType', 'onlineEvaluationConfigId', 'orchestrationType', 'order', 'outputConfig', 'outputConfiguration', 'outputDataConfig', 'params', 'paymentConnectorId', 'paymentInstrumentId', 'paymentInstrumentType', 'paymentManagerArn', 'paymentManagerId', 'paymentSession', 'paymentSessionId', 'paymentTokenRequest', 'paymentType', 'performanceConfig', 'performanceConfigLatency', 'policyArn', 'policyDefinition', 'policyEngineId', 'policyGenerationId', 'policyId', 'previousResponse', 'previous_response_id', 'profileId', 'profileIdentifier', 'projectArn', 'projectDescription', 'projectName', 'project_id', 'promptIdentifier', 'promptRouterArn', 'promptVersion', 'protocolConfiguration', 'protocolVersion', 'providerConfigurationInput', 'provisionedModelId', 'purpose', 'query', 'rateLimitId', 'raw', 'reason', 'recommendationConfig', 'recommendationId', 'recordId', 'registryId', 'registryIds', 'rerankingConfiguration', 'resourceARN', 'resourceArn', 'resourceCredentialProviderName', 'response', 'result', 'retrievalConfiguration', 'retrieveAndGenerateConfiguration', 'retrievers', 'role', 'roleArn', 'ruleId', 'runtimeSessionId', 'runtimeUserId', 's3BucketOwner', 's3InputDataConfig', 's3InputFormat', 's3OutputDataConfig', 's3Uri', 'schema', 'scope', 'scopes', 'serverInfo', 'serviceTier', 'service_tier', 'sessionArn', 'sessionId', 'sessionIdentifier', 'sessionStatus', 'sessionTimeoutSeconds', 'source', 'sourceArn', 'sources', 'stage', 'status', 'statusCode', 'storageConfiguration', 'stream', 'streamProcessingMode', 'structuredContent', 'sub', 'targetConfiguration', 'targetModelId', 'temperature', 'testCaseId', 'text', 'tokenVaultId', 'token_use', 'toolName', 'tools', 'topP', 'topicPolicyConfig', 'trace', 'traceId', 'trainingDataConfig', 'trainingFile', 'typ', 'type', 'updatedAt', 'userId', 'username', 'variants', 'vectorSearchConfiguration', 'version', 'wordPolicyConfig', 'workloadName', 'x5c') THEN 'n' ELSE '' END, ((regexp_like(k.val, '\A"[A-Za-z0-9._:/@%+=,|*$-]*"\z') AND length(k.val) <= 258 OR regexp_like(k.val, '\A[^"{\[]') AND length(k.val) <= 256) OR (regexp_like(k.val, '\A"(?:arn:|s3://)[A-Za-z0-9._:/@%+=,|*$-]*"\z') AND length(k.val) <= 2050)), CASE WHEN COALESCE(k.name IN ('bytes', 'cacheReadInputTokenCount', 'cacheReadInputTokens', 'cacheReadTokens', 'cacheWriteInputTokenCount', 'cacheWriteInputTokens', 'cacheWriteTokens', 'inputTokenCount', 'inputTokens', 'limit', 'maxResults', 'maxTokens', 'max_tokens', 'numberOfResults', 'originalSize', 'outputTokenCount', 'outputTokens', 'sessionTimeoutSeconds', 'statusCode', 'temperature', 'topP'), FALSE) THEN (regexp_like(k.val, '\A"[0-9.eE+-]*"\z') AND length(k.val) <= 26 OR regexp_like(k.val, '\A[^"{\[]') AND length(k.val) <= 256) WHEN COALESCE(k.name IN ('agentCollaboration', 'assetType', 'authorizerType', 'bearerTokenType', 'byCustomizationType', 'byInferenceType', 'descriptorType', 'entityType', 'eventType', 'executionStatus', 'extractionMode', 'invocationType', 'latency', 'logType', 'memoryType', 'modelInvocationType', 'modelStatus', 'oauth2Flow', 'offerType', 'orchestrationType', 'order', 'paymentInstrumentType', 'paymentType', 'performanceConfigLatency', 'purpose', 's3InputFormat', 'serviceTier', 'service_tier', 'sessionStatus', 'source', 'stage', 'status', 'streamProcessingMode', 'trace', 'type'), FALSE) THEN (regexp_like(k.val, '\A"[A-Za-z0-9_-]*"\z') AND length(k.val) <= 66 OR regexp_like(k.val, '\A[^"{\[]') AND length(k.val) <= 256) ELSE ((regexp_like(k.val, '\A"[A-Za-z0-9._:/@%+=,|*$-]*"\z') AND length(k.val) <= 258 OR regexp_like(k.val, '\A[^"{\[]') AND length(k.val) <= 256) OR (regexp_like(k.val, '\A"(?:arn:|s3://)[A-Za-z0-9._:/@%+=,|*$-]*"\z') AND length(k.val) <= 2050)) END, COALESCE(k.name IN ('definition', 'key', 'name', 'pattern', 'policy', 'policyDocument', 'prefix', 'resourcePolicy', 'statement'), FALSE), substr(k.txt, -1) IN ('{', '[') AND (k.name IS NOT NULL OR length(k.txt) = 1)) AS ROW(txt VARCHAR, name VARCHAR, head VARCHAR, colon VARCHAR, val VARCHAR, kind VARCHAR, plain BOOLEAN, fits BOOLEAN, worded BOOLEAN, opens BOOLEAN))), k -> CAST(ROW(k.name, k.head, k.colon, k.val, CASE WHEN k.val IN ('null', '"HIDDEN_DUE_TO_SECURITY_REASONS"', '"REDACTED"', '"***"', '"***OMITTED***"') OR (k.name IS NULL AND NOT starts_with(k.val, '"')) OR (k.name IS NULL AND k.plain) THEN k.val ELSE '"<' || CAST(length(to_utf8(k.val)) - CASE WHEN starts_with(k.val, '"') THEN 2 ELSE 0 END AS VARCHAR) || ' bytes>"' END, length(to_utf8(k.txt)), k.opens, k.txt IN ('}', ']'), k.val = '{' AND strpos(k.name, '.') = 0, k.plain, COALESCE(k.name IN ('jsonrpc', 'method'), FALSE) AND k.val <> 'null', k.name IS NOT NULL AND CASE WHEN FALSE THEN k.kind = 'c' OR NOT regexp_like(k.name, '\A[A-Za-z0-9._:/-]{1,64}\z') OR NOT (k.opens OR k.worded OR k.plain) WHEN k.val = '{' THEN NOT k.kind IN ('b', CASE WHEN e.family THEN 'm' ELSE 'e' END) WHEN k.val = '[' THEN NOT (k.kind IN ('b', CASE WHEN e.family THEN 'm' ELSE 'e' END) AND COALESCE(k.name IN ('downstreamRequestIds', 'registryIds', 'scopes'), FALSE)) ELSE NOT (k.kind IN ('b', CASE WHEN e.family THEN 'm' ELSE 'e' END) AND (k.worded OR k.fits)) AND NOT COALESCE(k.name || '=' || replace(k.val, chr(34), '') IN ('name=executeCode', 'name=executeCommand', 'name=getTask', 'name=listFiles', 'name=readFiles', 'name=removeFiles', 'name=startCommandExecution', 'name=stopTask', 'name=writeFiles', 'reason=additionalEventData too large', 'reason=requestParameters too large', 'reason=responseElements too large', 'reason=serviceEventDetails too large'), FALSE) END, k.name IS NOT NULL AND CASE WHEN FALSE THEN NOT regexp_like(k.name, '\A[A-Za-z0-9._:/-]{1,64}\z') ELSE k.kind = '' END) AS ROW(name VARCHAR, head VARCHAR, colon VARCHAR, val VARCHAR, cut VARCHAR, size BIGINT, opens BOOLEAN, closes BOOLEAN, is_object BOOLEAN, plain BOOLEAN, rpc BOOLEAN, anywhere BOOLEAN, unnamed BOOLEAN))), CAST(ROW('', '', FALSE, 0, 0, 0, 0, 0, '', 0, 0, 0) AS ROW(out VARCHAR, held VARCHAR, rpc BOOLEAN, length BIGINT, size BIGINT, depth BIGINT, hidden BIGINT, body BIGINT, part VARCHAR, part_depth BIGINT, unnamed BIGINT, before BIGINT)), (s, t) -> CAST(ROW(s.out || CASE WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (FALSE), FALSE) THEN t.head WHEN t.closes AND s.body > 0 AND s.depth = s.body THEN CASE WHEN s.rpc THEN s.held || '}' ELSE '"<' || CAST(s.length + 1 AS VARCHAR) || ' bytes>"' END WHEN s.body > 0 THEN '' ELSE CASE WHEN t.closes AND s.hidden > 0 AND s.depth = s.hidden THEN '"<' || CAST(s.size + 1 AS VARCHAR) || ' bytes>"' WHEN s.hidden > 0 THEN '' WHEN t.name IS NULL THEN t.cut WHEN s.hidden = 0 AND t.name IS NOT NULL AND NOT COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (FALSE), FALSE) AND NOT COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN COALESCE(s.part || '.' || t.name IN ('body', 'body.error', 'body.params', 'body.params.clientInfo', 'body.result', 'body.result.serverInfo', 'claims', 'jwt', 'jwt.claims', 'jwt.headers'), FALSE) ELSE COALESCE(t.name IN ('claims', 'jwt'), FALSE) AND e.family END, FALSE) AND CASE WHEN s.part <> '' THEN t.opens OR NOT t.plain OR strpos(t.name, '.') > 0 OR NOT COALESCE(s.part || '.' || t.name IN ('body.error.code', 'body.id', 'body.jsonrpc', 'body.method', 'body.params.clientInfo.name', 'body.params.clientInfo.version', 'body.params.name', 'body.params.protocolVersion', 'body.result.isError', 'body.result.protocolVersion', 'body.result.serverInfo.name', 'body.result.serverInfo.version', 'claims.iss', 'claims.sub', 'jwt.claims.iss', 'jwt.claims.sub', 'jwt.headers.alg', 'jwt.headers.kid', 'jwt.headers.typ', 'jwt.type'), FALSE) ELSE t.anywhere END THEN CASE WHEN t.unnamed THEN '"<hidden ' || CAST(s.unnamed + 1 AS VARCHAR) || '>"' || t.colon ELSE t.head END || CASE WHEN t.opens THEN '' ELSE t.cut END ELSE CASE WHEN t.unnamed THEN '"<hidden ' || CAST(s.unnamed + 1 AS VARCHAR) || '>"' || t.colon ELSE t.head END || t.val END END, CASE WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (FALSE), FALSE) THEN '{' WHEN s.body > 0 THEN s.held || CASE WHEN t.closes AND s.hidden > 0 AND s.depth = s.hidden THEN '"<' || CAST(s.size + 1 AS VARCHAR) || ' bytes>"' WHEN s.hidden > 0 THEN '' WHEN t.name IS NULL THEN t.cut WHEN s.hidden = 0 AND t.name IS NOT NULL AND NOT COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (FALSE), FALSE) AND NOT COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN COALESCE(s.part || '.' || t.name IN ('body', 'body.error', 'body.params', 'body.params.clientInfo', 'body.result', 'body.result.serverInfo', 'claims', 'jwt', 'jwt.claims', 'jwt.headers'), FALSE) ELSE COALESCE(t.name IN ('claims', 'jwt'), FALSE) AND e.family END, FALSE) AND CASE WHEN s.part <> '' THEN t.opens OR NOT t.plain OR strpos(t.name, '.') > 0 OR NOT COALESCE(s.part || '.' || t.name IN ('body.error.code', 'body.id', 'body.jsonrpc', 'body.method', 'body.params.clientInfo.name', 'body.params.clientInfo.version', 'body.params.name', 'body.params.protocolVersion', 'body.result.isError', 'body.result.protocolVersion', 'body.result.serverInfo.name', 'body.result.serverInfo.version', 'claims.iss', 'claims.sub', 'jwt.claims.iss', 'jwt.claims.sub', 'jwt.headers.alg', 'jwt.headers.kid', 'jwt.headers.typ', 'jwt.type'), FALSE) ELSE t.anywhere END THEN CASE WHEN t.unnamed THEN '"<hidden ' || CAST(s.unnamed + 1 AS VARCHAR) || '>"' || t.colon ELSE t.head END || CASE WHEN t.opens THEN '' ELSE t.cut END ELSE CASE WHEN t.unnamed THEN '"<hidden ' || CAST(s.unnamed + 1 AS VARCHAR) || '>"' || t.colon ELSE t.head END || t.val END ELSE '' END, s.body > 0 AND (s.rpc OR (t.rpc AND s.depth = s.body)), CASE WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (FALSE), FALSE) THEN 1 WHEN s.body > 0 THEN s.length + t.size ELSE 0 END, CASE WHEN s.hidden > 0 THEN s.size + t.size ELSE 1 END, s.depth + CASE WHEN t.opens THEN 1 WHEN t.closes THEN -1 ELSE 0 END, CASE WHEN t.closes AND s.hidden > 0 AND s.depth = s.hidden THEN 0 WHEN s.hidden > 0 THEN s.hidden WHEN t.opens AND s.hidden = 0 AND t.name IS NOT NULL AND NOT COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (FALSE), FALSE) AND NOT COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN COALESCE(s.part || '.' || t.name IN ('body', 'body.error', 'body.params', 'body.params.clientInfo', 'body.result', 'body.result.serverInfo', 'claims', 'jwt', 'jwt.claims', 'jwt.headers'), FALSE) ELSE COALESCE(t.name IN ('claims', 'jwt'), FALSE) AND e.family END, FALSE) AND CASE WHEN s.part <> '' THEN t.opens OR NOT t.plain OR strpos(t.name, '.') > 0 OR NOT COALESCE(s.part || '.' || t.name IN ('body.error.code', 'body.id', 'body.jsonrpc', 'body.method', 'body.params.clientInfo.name', 'body.params.clientInfo.version', 'body.params.name', 'body.params.protocolVersion', 'body.result.isError', 'body.result.protocolVersion', 'body.result.serverInfo.name', 'body.result.serverInfo.version', 'claims.iss', 'claims.sub', 'jwt.claims.iss', 'jwt.claims.sub', 'jwt.headers.alg', 'jwt.headers.kid', 'jwt.headers.typ', 'jwt.type'), FALSE) ELSE t.anywhere END THEN s.depth + 1 ELSE 0 END, CASE WHEN t.closes AND s.body > 0 AND s.depth = s.body THEN 0 WHEN s.body > 0 THEN s.body WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (FALSE), FALSE) THEN s.depth + 1 ELSE 0 END, CASE WHEN t.closes AND s.hidden = 0 AND s.part <> '' AND s.depth = s.part_depth THEN COALESCE(regexp_extract(s.part, '\A(.*)[.][^.]*\z', 1), '') WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (FALSE), FALSE) THEN 'body' WHEN NOT COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN COALESCE(s.part || '.' || t.name IN ('body', 'body.error', 'body.params', 'body.params.clientInfo', 'body.result', 'body.result.serverInfo', 'claims', 'jwt', 'jwt.claims', 'jwt.headers'), FALSE) ELSE COALESCE(t.name IN ('claims', 'jwt'), FALSE) AND e.family END, FALSE) THEN s.part WHEN s.part = '' THEN t.name ELSE s.part || '.' || t.name END, CASE WHEN t.closes AND s.hidden = 0 AND s.part <> '' AND s.depth = s.part_depth THEN s.part_depth - 1 WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (FALSE), FALSE) OR COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN COALESCE(s.part || '.' || t.name IN ('body', 'body.error', 'body.params', 'body.params.clientInfo', 'body.result', 'body.result.serverInfo', 'claims', 'jwt', 'jwt.claims', 'jwt.headers'), FALSE) ELSE COALESCE(t.name IN ('claims', 'jwt'), FALSE) AND e.family END, FALSE) THEN s.depth + 1 ELSE s.part_depth END, CASE WHEN t.closes AND s.body > 0 AND s.depth = s.body AND NOT s.rpc THEN s.before WHEN s.hidden = 0 AND t.unnamed THEN s.unnamed + 1 ELSE s.unnamed END, CASE WHEN COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT (FALSE), FALSE) THEN s.unnamed ELSE s.before END) AS ROW(out VARCHAR, held VARCHAR, rpc BOOLEAN, length BIGINT, size BIGINT, depth BIGINT, hidden BIGINT, body BIGINT, part VARCHAR, part_depth BIGINT, unnamed BIGINT, before BIGINT)), s -> s.out) END AS service_event_details,
  CASE WHEN e.has_identity THEN COALESCE(NULLIF('{' || array_join(ARRAY['"type":' || json_format(CAST(e.identity_type AS JSON)), '"principalId":' || json_format(CAST(e.principal_id AS JSON)), '"arn":' || json_format(CAST(e.principal_arn AS JSON)), '"accountId":' || json_format(CAST(e.identity_account AS JSON)), '"accessKeyId":' || json_format(CAST(e.access_key_id AS JSON)), '"userName":' || json_format(CAST(e.identity_user_name AS JSON)), '"invokedBy":' || json_format(CAST(e.invoked_by AS JSON)), '"identityProvider":' || json_format(CAST(e.identity_provider AS JSON)), '"credentialId":' || json_format(CAST(e.credential_id AS JSON)), '"onBehalfOf":' || NULLIF('{' || array_join(ARRAY['"userId":' || json_format(CAST(e.behalf_user AS JSON)), '"identityStoreArn":' || json_format(CAST(e.behalf_store AS JSON))], ',') || '}', '{}'), '"inScopeOf":' || NULLIF('{' || array_join(ARRAY['"sourceArn":' || json_format(CAST(e.scope_arn AS JSON)), '"sourceAccount":' || json_format(CAST(e.scope_account AS JSON)), '"issuerType":' || json_format(CAST(e.scope_issuer AS JSON)), '"credentialsIssuedTo":' || json_format(CAST(e.credentials_issued_to AS JSON))], ',') || '}', '{}'), '"invokedByDelegate":' || NULLIF('{' || array_join(ARRAY['"accountId":' || json_format(CAST(e.delegate_account_id AS JSON))], ',') || '}', '{}'), '"sessionContext":' || NULLIF('{' || array_join(ARRAY['"sourceIdentity":' || json_format(CAST(e.source_identity AS JSON)), '"ec2RoleDelivery":' || json_format(CAST(e.role_delivery AS JSON)), '"attributes":' || NULLIF('{' || array_join(ARRAY['"creationDate":' || json_format(CAST(e.session_created AS JSON)), '"mfaAuthenticated":' || json_format(CAST(e.mfa AS JSON))], ',') || '}', '{}'), '"sessionIssuer":' || NULLIF('{' || array_join(ARRAY['"type":' || json_format(CAST(e.issuer_type AS JSON)), '"principalId":' || json_format(CAST(e.issuer_id AS JSON)), '"arn":' || json_format(CAST(e.issuer_arn AS JSON)), '"accountId":' || json_format(CAST(e.issuer_account AS JSON)), '"userName":' || json_format(CAST(e.issuer_user_name AS JSON))], ',') || '}', '{}')], ',') || '}', '{}')], ',') || '}', '{}'), '{}') END AS user_identity,
  '[' || array_join(transform(
    e.raw_resources,
    x -> NULLIF('{' || array_join(ARRAY['"accountId":' || json_format(CAST(x.accountid AS JSON)), '"type":' || json_format(CAST(x.type AS JSON)), '"ARN":' || json_format(CAST(x.arn AS JSON))], ',') || '}', '{}')
  ), ',') || ']' AS resources,
  CASE WHEN e.has_addendum THEN COALESCE(NULLIF('{' || array_join(ARRAY['"reason":' || json_format(CAST(e.addendum_reason AS JSON)), '"updatedFields":' || json_format(CAST(e.addendum_fields AS JSON)), '"originalRequestID":' || json_format(CAST(e.addendum_request AS JSON)), '"originalEventID":' || json_format(CAST(e.addendum_event AS JSON))], ',') || '}', '{}'), '{}') END AS addendum,
  e.log_object AS log_object,
  CAST(e.log_index AS BIGINT) AS log_index,
  TRY_CAST(
    substr(e.stamp, 1, 4) || '-' || substr(e.stamp, 5, 2) || '-' || substr(e.stamp, 7, 2) || ' '
      || substr(e.stamp, 10, 2) || ':' || substr(e.stamp, 12, 2) || ':'
      || CASE WHEN length(e.stamp) > 14 THEN substr(e.stamp, 14, 2) ELSE '00' END
    AS TIMESTAMP(3)
  ) AS delivered_at
FROM e
