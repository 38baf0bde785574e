//! The relations that a policy becomes: names, columns, types and meanings.

use crate::event::column::Kind;

/// A relation, for discovery and as its schema.
#[derive(Clone, Copy, Debug)]
pub struct TableDoc {
    /// The name in SQL.
    pub name: &'static str,
    /// What a row is.
    pub meaning: &'static str,
    /// The columns, in order.
    pub columns: &'static [ColumnDoc],
}

/// A column of a relation; every one is nullable.
#[derive(Clone, Copy, Debug)]
pub struct ColumnDoc {
    /// The name in SQL.
    pub name: &'static str,
    /// The type.
    pub kind: Kind,
    /// What a value says.
    pub meaning: &'static str,
}

macro_rules! tables {
    ($($table:ident $row:literal { $($column:ident $kind:ident $meaning:literal,)* })*) => {
        /// Every relation, in the order in which they are made.
        pub(super) const TABLES: &[TableDoc] = &[$(TableDoc {
            name: stringify!($table),
            meaning: $row,
            columns: &[$(ColumnDoc { name: stringify!($column), kind: Kind::$kind, meaning: $meaning },)*],
        },)*];
    };
}

tables! {
    policy_version "The policy file in force; no row without a policy." {
        policy_name Text "Its name.",
        policy_version Text "Its version.",
        sha256 Text "SHA-256 of the file's bytes, hexadecimal.",
        effective_from Time "The first instant it is in force, UTC; null: always.",
        effective_to Time "The first instant the next version is in force, UTC; null: there is none.",
        file Text "The file's path as given.",
    }
    policy_default "One row per setting under [defaults]." {
        name Text "unknown_model, fail_on or assess_missing.",
        value Text "The setting.",
    }
    policy_environment "One row per environment and account pattern." {
        environment Text "The environment's name, as in events.environment.",
        position Int "Order in the file, from 0; the first match wins.",
        account_pattern Text "Account id or glob, as written.",
        account_re Text "The same as an anchored regular expression.",
    }
    policy_region "Regions that an environment may call." {
        environment Text "The environment.",
        region_pattern Text "Region or glob, as written.",
        region_re Text "The same as an anchored regular expression.",
    }
    policy_geography "Geographies where an environment's models may run." {
        environment Text "The environment.",
        geography Text "A geography such as eu or us; * is any.",
    }
    policy_credential "What an environment says of a class of credentials." {
        environment Text "The environment.",
        credential_class Text "bearer_tokens, long_term_keys or console.",
        setting Text "allow, warn, short_only or deny.",
    }
    policy_guardrail "Guardrails of which an environment requires one." {
        environment Text "The environment.",
        guardrail_pattern Text "Guardrail id, ARN or glob, as written.",
        guardrail_re Text "The same as an anchored regular expression.",
    }
    policy_vpc_endpoint "VPC endpoints that an environment's calls have to come through." {
        environment Text "The environment.",
        endpoint_pattern Text "Endpoint id or glob, as written.",
        endpoint_re Text "The same as an anchored regular expression.",
    }
    policy_cidr "Networks that an environment's calls may come from." {
        environment Text "The environment.",
        cidr Text "Network address and bits.",
    }
    policy_environment_setting "Further settings of an environment." {
        environment Text "The environment.",
        name Text "data_class, data_retention, content_logging or mantle.",
        value Text "The setting: a class, a retention mode, required and optional, or used and unused.",
    }
    policy_business_hours "When people work in an environment: one row per day." {
        environment Text "The environment.",
        day Int "Day of the week in local time: 1 is Monday, 7 Sunday.",
        start_minute Int "First minute of the day that counts, local time.",
        end_minute Int "First minute that no longer counts, local time; 1440 is the end of the day.",
    }
    policy_offset "The policy's time zone: local time is UTC and these minutes, from 2010 to 2040." {
        from_time Time "First instant of the stretch, UTC.",
        to_time Time "First instant after it, UTC.",
        minutes Int "Minutes that local time is ahead of UTC.",
    }
    policy_model_admin "Principals that may change, import and customise models." {
        pattern Text "Principal or glob, as written.",
        pattern_re Text "The same as an anchored regular expression.",
        pathless_re Text "The same for a role ARN whose path the record lost: every role it may mean.",
    }
    policy_entitlement_admin "Principals that may ask for access to models and accept their terms." {
        pattern Text "Principal or glob, as written.",
        pattern_re Text "The same as an anchored regular expression.",
        pathless_re Text "The same for a role ARN whose path the record lost: every role it may mean.",
    }
    policy_agent_admin "Principals that may change agents, gateways and what they may use." {
        pattern Text "Principal or glob, as written.",
        pattern_re Text "The same as an anchored regular expression.",
        pathless_re Text "The same for a role ARN whose path the record lost: every role it may mean.",
    }
    policy_capacity_admin "Principals that may buy and change throughput." {
        pattern Text "Principal or glob, as written.",
        pattern_re Text "The same as an anchored regular expression.",
        pathless_re Text "The same for a role ARN whose path the record lost: every role it may mean.",
    }
    policy_evaluator "Principals that may try many models." {
        pattern Text "Principal or glob, as written.",
        pattern_re Text "The same as an anchored regular expression.",
        pathless_re Text "The same for a role ARN whose path the record lost: every role it may mean.",
    }
    policy_shared_role "Roles of one-purpose workloads, behind which there need be no person." {
        pattern Text "Principal or glob, as written.",
        pattern_re Text "The same as an anchored regular expression.",
        pathless_re Text "The same for a role ARN whose path the record lost: every role it may mean.",
    }
    policy_batch_bucket "Where batch jobs may read and write." {
        pattern Text "Bucket name, s3://bucket/prefix or glob, as written.",
        pattern_re Text "The same as an anchored regular expression.",
    }
    policy_data_bucket "Where knowledge bases and trainings may take data from." {
        pattern Text "Bucket name, s3://bucket/prefix or glob, as written.",
        pattern_re Text "The same as an anchored regular expression.",
    }
    policy_trusted_account "Accounts that may share in what is ours." {
        pattern Text "Account id or glob, as written.",
        pattern_re Text "The same as an anchored regular expression.",
    }
    policy_runtime_agent "User agents of agent runtimes." {
        pattern Text "User agent or glob, as written.",
        pattern_re Text "The same as an anchored regular expression.",
    }
    policy_allow "Who may use which model: one row per combination of an [[allow]] entry." {
        allow_id Text "The entry's id.",
        position Int "Order in the file, from 0.",
        environment Text "The environment; null: every one.",
        role_pattern Text "Role ARN or glob, as written.",
        role_re Text "The same as an anchored regular expression.",
        role_pathless_re Text "The same for a role ARN whose path the record lost: every role it may mean.",
        role_length Int "Characters of role_pattern: the longest is the most specific.",
        model_pattern Text "Model id or glob, as written.",
        model_re Text "The same as an anchored regular expression, with the versions it covers: see the view decisions.",
        activity Text "The activity; null: every one.",
        purpose Text "What the use is for.",
        owner Text "Who answers for it.",
    }
    policy_allow_tool "Which clients the roles of an [[allow]] entry may use." {
        allow_id Text "The entry's id.",
        environment Text "The environment; null: every one.",
        role_pattern Text "Role ARN or glob, as written.",
        role_re Text "The same as an anchored regular expression.",
        tool Text "The client, as in events.client.",
    }
    policy_deny "Who may never use which model: one row per combination of a [[deny]] entry; beats allow." {
        deny_id Text "The entry's id.",
        position Int "Order in the file, from 0.",
        environment Text "The environment; null: every one.",
        role_pattern Text "Role ARN or glob, as written.",
        role_re Text "The same as an anchored regular expression.",
        role_pathless_re Text "The same for a role ARN whose path the record lost: every role it may mean.",
        model_pattern Text "Model id or glob, as written.",
        model_re Text "The same as an anchored regular expression, with the versions it covers: see the view decisions.",
        activity Text "The activity; null: every one.",
        reason Text "Why.",
    }
    policy_model_end "From when a model may not be used: the policy's own days and the built-in lifecycle table." {
        model_pattern Text "Model id or glob.",
        model_re Text "The same as an anchored regular expression: of the policy, with the versions it covers; of the table, of one version.",
        end_time Time "The first instant of its end of life, UTC.",
        legacy_time Time "The first instant its vendor calls it legacy, UTC.",
        aws_region Text "The Region it holds for; null: every one.",
        replacement Text "What to use instead.",
        basis Text "policy, or lifecycle and the day the table was taken.",
    }
    policy_alias "Opaque model references that the policy resolves." {
        reference Text "The reference, as in events.model_id.",
        model_id Text "The model it stands for.",
        since Time "The first instant it is known to hold, UTC; null: always.",
    }
    policy_log_target "Where logs go." {
        kind Text "invocation_log, bucket or key.",
        pattern Text "Name, ARN or glob, as written.",
        pattern_re Text "The same as an anchored regular expression.",
    }
    policy_agent "The agents the policy knows." {
        agent Text "The agent's name.",
        runtime_pattern Text "ARN of its runtime or a glob, as written.",
        runtime_re Text "The same as an anchored regular expression.",
        execution_role_pattern Text "ARN of the role it acts with or a glob, as written.",
        execution_role_re Text "The same as an anchored regular expression.",
    }
    policy_agent_caller "Principals that may invoke an agent." {
        agent Text "The agent's name.",
        caller_pattern Text "Principal or glob, as written.",
        caller_re Text "The same as an anchored regular expression.",
    }
    policy_agent_service "Services an agent may call." {
        agent Text "The agent's name.",
        service Text "The event source without .amazonaws.com.",
    }
    policy_agent_deny_action "Actions an agent may never try." {
        agent Text "The agent's name.",
        action_pattern Text "service:Action or a glob, as written.",
        action_re Text "The same as an anchored regular expression.",
    }
    policy_agent_provider "Credential providers an agent may take tokens from." {
        agent Text "The agent's name.",
        provider Text "The provider's name.",
    }
    policy_agent_lambda "Lambda functions of an agent's action groups." {
        agent Text "The agent's name.",
        lambda_pattern Text "Function ARN or glob, as written.",
        lambda_re Text "The same as an anchored regular expression.",
    }
    policy_agent_use "Gateways, memories, tools, knowledge bases and flows that belong to an agent." {
        agent Text "The agent's name.",
        thing_pattern Text "ARN, id or glob, as written.",
        thing_re Text "The same as an anchored regular expression.",
    }
    policy_waiver "Findings that an owner accepts for a time." {
        waiver_id Text "The waiver's id.",
        rules Text "Codes of the rules it covers, separated by spaces.",
        match Text "The condition on events; null: every event.",
        owner Text "Who asked for it and answers for it.",
        approver Text "Who agreed.",
        reason Text "Why.",
        ticket Text "Where it was decided.",
        created Time "The first instant it covers, UTC.",
        expires Time "The first instant it no longer covers, UTC.",
        retroactive Bool "Whether events before created are covered too.",
        state Text "pending, active or expired at the run's time.",
    }
    policy_rule "How the policy sets a rule." {
        rule Text "The rule's code.",
        enabled Bool "False where it is off.",
        severity Text "The severity that replaces the rule's own; null: unchanged.",
        reason Text "Why.",
        owner Text "Who answers for it.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_everything_is_described() {
        let mut names = std::collections::BTreeSet::new();
        for table in TABLES {
            assert!(names.insert(table.name) && table.name.starts_with("policy_"), "{}", table.name);
            assert!(table.meaning.ends_with('.'), "{}", table.name);
            let mut columns = std::collections::BTreeSet::new();
            for column in table.columns {
                assert!(columns.insert(column.name), "{}.{}", table.name, column.name);
                assert!(column.meaning.ends_with('.'), "{}.{}", table.name, column.name);
            }
        }
    }
}
