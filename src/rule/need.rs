//! Why a rule does not apply, in the policy's words: which part of the policy it would judge by is missing.

/// What fills each relation of the policy.
const FILLED_BY: &[(&str, &str)] = &[
    ("policy_agent", "the policy has no [[agent]] entries"),
    ("policy_agent_admin", "[approved] of the policy has no agent_admins"),
    ("policy_agent_caller", "no [[agent]] of the policy names callers"),
    ("policy_agent_deny_action", "no [[agent]] of the policy names deny_actions"),
    ("policy_agent_lambda", "no [[agent]] of the policy names action_lambdas"),
    ("policy_agent_provider", "no [[agent]] of the policy names credential_providers"),
    ("policy_agent_service", "no [[agent]] of the policy names services"),
    ("policy_agent_use", "no [[agent]] of the policy names uses"),
    ("policy_alias", "the policy names no model aliases"),
    ("policy_allow", "the policy has no [[allow]] entries"),
    ("policy_allow_tool", "no [[allow]] entry of the policy names tools"),
    ("policy_batch_bucket", "[approved] of the policy has no batch_buckets"),
    ("policy_business_hours", "no [[environment]] of the policy has business_hours"),
    ("policy_capacity_admin", "[approved] of the policy has no capacity_admins"),
    ("policy_cidr", "no [[environment]] of the policy names source_cidrs"),
    ("policy_credential", "no [[environment]] of the policy sets credentials"),
    ("policy_data_bucket", "[approved] of the policy has no data_buckets"),
    ("policy_deny", "the policy has no [[deny]] entries"),
    ("policy_entitlement_admin", "[approved] of the policy has no entitlement_admins"),
    ("policy_environment", "the policy has no [[environment]] entries"),
    (
        "policy_environment_setting",
        "no [[environment]] of the policy has data_class, data_retention, content_logging or mantle",
    ),
    ("policy_evaluator", "[approved] of the policy has no evaluators"),
    ("policy_geography", "no [[environment]] of the policy names inference_geographies"),
    ("policy_guardrail", "no [[environment]] of the policy has require_guardrail"),
    ("policy_log_target", "the policy names no log targets"),
    ("policy_model_admin", "[approved] of the policy has no model_admins"),
    ("policy_region", "no [[environment]] of the policy names regions"),
    ("policy_runtime_agent", "[approved] of the policy has no runtime_agents"),
    ("policy_shared_role", "[approved] of the policy has no shared_roles"),
    ("policy_trusted_account", "[approved] of the policy has no trusted_accounts"),
    ("policy_vpc_endpoint", "no [[environment]] of the policy names vpc_endpoints"),
    ("policy_waiver", "the policy has no [[waiver]] entries"),
];

/// Why a rule that needs rows in `relation` does not apply.
pub(super) fn reason(relation: &str, policy_given: bool) -> String {
    if relation.starts_with("policy_") && !policy_given {
        return "no policy was given".to_owned();
    }
    let known = FILLED_BY.iter().find(|(name, _)| *name == relation);
    known.map_or_else(|| format!("the relation {relation} has no rows"), |(_, text)| (*text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_names_the_part_of_the_policy() {
        assert_eq!(reason("policy_allow", true), "the policy has no [[allow]] entries");
        assert_eq!(reason("policy_allow", false), "no policy was given");
        assert_eq!(reason("invocation_logs", false), "the relation invocation_logs has no rows");
    }

    #[test]
    fn table_is_sorted() {
        assert!(FILLED_BY.is_sorted_by(|a, b| a.0 < b.0));
    }
}
