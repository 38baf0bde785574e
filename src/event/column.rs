//! The columns of `events`: the single truth for names, types and meanings.
//!
//! The names are a public contract: users write SQL against them and exports carry them. Every column is
//! nullable, and null means "the record does not say", never zero or empty.

/// The type of a column, kept to those that mean the same in DataFusion, Parquet and Trino.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text (`Utf8View` in memory).
    Text,
    /// A boolean.
    Bool,
    /// A signed 64-bit integer.
    Int,
    /// Microseconds since the epoch, UTC, without a zone (`Timestamp(Microsecond, None)`).
    Time,
}

/// One column of `events`.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The name in SQL and in every export.
    pub name: &'static str,
    /// The type.
    pub kind: Kind,
    /// The group it is listed under: `what`, `meaning`, `who`, …
    pub group: &'static str,
    /// What a value says, and where in the CloudTrail record it comes from.
    pub meaning: &'static str,
}

macro_rules! columns {
    ($($group:literal { $($field:ident $name:ident $kind:ident $meaning:literal,)* })*) => {
        /// A column of `events` by name, in table order.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Field { $($(#[doc = $meaning] $field,)*)* }

        /// Every column of `events`, in table order; `COLUMNS[field as usize]` describes `field`.
        pub const COLUMNS: &[Column] = &[
            $($(Column { name: stringify!($name), kind: Kind::$kind, group: $group, meaning: $meaning },)*)*
        ];

        /// Every field, in table order.
        pub const FIELDS: &[Field] = &[$($(Field::$field,)*)*];
    };
}

columns! {
    "what" {
        EventId event_id Text "CloudTrail's identifier of the record (`eventID`); copies of one record share it.",
        EventTime event_time Time "When the request completed (`eventTime`), UTC.",
        EventSource event_source Text "The service that recorded it (`eventSource`), as logged.",
        EventName event_name Text "The API operation (`eventName`).",
        EventCategory event_category Text "Management, Data or NetworkActivity (`eventCategory`); from `managementEvent` where absent.",
        EventType event_type Text "AwsApiCall, AwsServiceEvent, AwsConsoleAction, … (`eventType`).",
        RecordKind record_kind Text "api_call, service_event, network_activity or shared_copy; only api_call counts as a call.",
        ReadOnly read_only Bool "CloudTrail's `readOnly` flag; no guide to risk: invocations are read-only.",
        AwsRegion aws_region Text "The Region that was called (`awsRegion`).",
        AccountId account_id Text "The account that received the record (`recipientAccountId`), twelve digits as text; where that is missing, the caller's or the first resource's.",
        AccountName account_name Text "The account's name, where an organisation list gives one.",
        Environment environment Text "The policy's environment for the account.",
    }
    "meaning" {
        Surface surface Text "runtime, mantle, agents, agentcore, gateway, control, marketplace, iam, trail or other.",
        Activity activity Text "What the call does: model_invocation, agent_invocation, retrieval, guardrail_admin, …",
        Outcome outcome Text "ok, denied, throttled, invalid or failed, from error code, message and gateway status.",
        ErrorCode error_code Text "`errorCode`, as logged.",
        ErrorMessage error_message Text "`errorMessage`; of an AI service only its length, unless it refuses the call or content is kept.",
        GatewayStatus gateway_status Int "HTTP status an AgentCore gateway answered (`responseElements.statusCode`).",
    }
    "who" {
        Principal principal Text "Who called; never null: role ARN, else user ARN, issuer + subject, service:…, account:…, unknown.",
        PrincipalType principal_type Text "`userIdentity.type`; ServiceEvent where a service event carries none.",
        PrincipalArn principal_arn Text "`userIdentity.arn`: the session's or user's ARN.",
        PrincipalId principal_id Text "`userIdentity.principalId`.",
        PrincipalAccountId principal_account_id Text "The caller's account.",
        RoleArn role_arn Text "The IAM role's own ARN with its path, never the session's; null for callers without a role.",
        RolePathKnown role_path_known Bool "False where the role ARN was rebuilt from the session ARN and its path is unknown.",
        RoleName role_name Text "The role's name; for roles under IAM Identity Center's path, or of its names where the path is unknown, the permission set.",
        SessionName session_name Text "The role session's name.",
        SourceIdentity source_identity Text "`sessionContext.sourceIdentity`.",
        UserName user_name Text "`userIdentity.userName`, or the issuer's.",
        Person person Text "The person or workload behind the call, where the record names one.",
        PersonBasis person_basis Text "How `person` is known: identity_center, source_identity, sso_session, iam_user, root, jwt, workload, session_name.",
        AccessKeyId access_key_id Text "`userIdentity.accessKeyId`.",
        Credential credential Text "long_term, temporary, bearer_long, bearer_short, bearer_unknown, service, jwt or none.",
        FromConsole from_console Bool "True when the console made the call (`sessionCredentialFromConsole`); null otherwise.",
        Mfa mfa Bool "`sessionContext.attributes.mfaAuthenticated`; null where not recorded; false says nothing for SSO.",
        InvokedBy invoked_by Text "The AWS service that called on the caller's behalf (`userIdentity.invokedBy`).",
        CredentialsIssuedTo credentials_issued_to Text "The Lambda function, task or instance the credentials were issued to (`inScopeOf`).",
        DelegateAccountId delegate_account_id Text "The partner account acting by delegation (`invokedByDelegate.accountId`).",
        JwtIssuer jwt_issuer Text "Issuer of the JWT an AgentCore gateway accepted.",
        JwtSubject jwt_subject Text "Subject of the JWT an AgentCore gateway accepted.",
    }
    "which model" {
        ModelRequested model_requested Text "The model as sent: id, ARN or name.",
        ModelId model_id Text "The base model id, without profile prefix or ARN; the reference itself where it cannot be resolved.",
        ModelVendor model_vendor Text "Vendor: the part of the base id before the first dot.",
        ModelFamily model_family Text "Family: the base id without vendor, date and version.",
        ModelVersion model_version Text "Version and date parts of the base id.",
        ModelKind model_kind Text "foundation, inference_profile, application_profile, provisioned, custom, imported, prompt, router, marketplace or unresolved.",
        ProfileScope profile_scope Text "The inference profile's geography prefix: us, eu, apac, global, …",
        InferenceRegion inference_region Text "Where the model ran, if the record says so (`additionalEventData.inferenceRegion`).",
        Streaming streaming Bool "True for streaming operations, or where the request asked for a stream.",
        MantleProjectId mantle_project_id Text "The bedrock-mantle project.",
    }
    "which agent" {
        AgentId agent_id Text "Bedrock agent, AgentCore runtime or harness id.",
        AgentAliasId agent_alias_id Text "Agent alias, or runtime endpoint qualifier.",
        AgentSessionId agent_session_id Text "Session id the caller gave or the runtime made.",
        RuntimeArn runtime_arn Text "AgentCore runtime or harness ARN.",
        GatewayArn gateway_arn Text "AgentCore gateway ARN.",
        MemoryId memory_id Text "AgentCore memory, or agent memory id.",
        ToolName tool_name Text "The tool called: MCP tool, code interpreter, browser.",
        CredentialProvider credential_provider Text "The credential provider a token was vended from.",
        KnowledgeBaseId knowledge_base_id Text "Knowledge base id.",
        FlowId flow_id Text "Flow id.",
        LambdaArn lambda_arn Text "Lambda function called by an agent's action group.",
    }
    "guard" {
        GuardrailId guardrail_id Text "Guardrail id or ARN the request names.",
        GuardrailVersion guardrail_version Text "Guardrail version the request names.",
    }
    "from where" {
        SourceIp source_ip Text "`sourceIPAddress`, as logged.",
        SourceKind source_kind Text "public, private, aws_service or aws_internal; null where it is no address.",
        VpcEndpointId vpc_endpoint_id Text "`vpcEndpointId`.",
        TlsVersion tls_version Text "`tlsDetails.tlsVersion`.",
        EndpointHost endpoint_host Text "`tlsDetails.clientProvidedHostHeader`.",
        UserAgent user_agent Text "`userAgent`, as logged; the caller chooses it.",
        Client client Text "The client the user agent names: codex-cli, claude-code, boto3, console, …; finds, never clears.",
        ClientVersion client_version Text "The client's version, from the user agent.",
    }
    "how much" {
        InputTokens input_tokens Int "Input tokens, where the record carries them; null is not recorded.",
        OutputTokens output_tokens Int "Output tokens, where the record carries them.",
        CacheReadTokens cache_read_tokens Int "Tokens read from the prompt cache, where recorded.",
        CacheWriteTokens cache_write_tokens Int "Tokens written to the prompt cache, where recorded.",
    }
    "raw" {
        ResourceType resource_type Text "Type of the first resource (`resources[0].type`).",
        ResourceArn resource_arn Text "ARN of the first resource (`resources[0].ARN`).",
        RequestId request_id Text "`requestID`; the parent call's for a service event twin (`parentRequestId`).",
        SharedEventId shared_event_id Text "`sharedEventID`: shared by copies delivered to several accounts. The copy of the caller's account is the api_call; of callers that are no account, that of the smallest account that owns a resource of the call; where neither is recorded, each is.",
        ParamsOmitted params_omitted Bool "True where CloudTrail left the request parameters out for their size.",
        RequestParameters request_parameters Text "`requestParameters` as JSON text.",
        ResponseElements response_elements Text "`responseElements` as JSON text.",
        AdditionalEventData additional_event_data Text "`additionalEventData` as JSON text.",
        ServiceEventDetails service_event_details Text "`serviceEventDetails` as JSON text.",
        UserIdentity user_identity Text "`userIdentity` as JSON text.",
        Resources resources Text "`resources` as JSON text.",
        Addendum addendum Text "`addendum` as JSON text: late delivery or updated data.",
        LogObject log_object Text "The log file, object or API page the row came from.",
        LogIndex log_index Int "Position of the record in that object, from 0.",
        DeliveredAt delivered_at Time "Delivery time in the object's name, UTC.",
    }
}

impl Field {
    /// The column's description.
    pub fn column(self) -> &'static Column {
        &COLUMNS[self as usize]
    }

    /// The name in SQL.
    pub fn name(self) -> &'static str {
        self.column().name
    }

    /// The field of that name.
    pub fn named(name: &str) -> Option<Self> {
        COLUMNS.iter().position(|column| column.name == name).map(|index| FIELDS[index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_snake_case_and_described() {
        let mut seen = std::collections::BTreeSet::new();
        for (field, column) in FIELDS.iter().zip(COLUMNS) {
            assert_eq!(field.name(), column.name);
            assert!(seen.insert(column.name), "{} stands twice", column.name);
            assert!(column.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", column.name);
            assert!(column.meaning.ends_with('.') || column.meaning.ends_with('…'), "{}", column.name);
        }
    }
}
