//! The policy file as it is written: every key optional and with its place, so that all mistakes can be told at once.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

pub(super) type Text = Spanned<String>;
pub(super) type Texts = Option<Spanned<Vec<Text>>>;
pub(super) type Date = Spanned<Datetime>;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) schema: Option<Spanned<i64>>,
    pub(super) name: Option<Text>,
    pub(super) version: Option<Text>,
    pub(super) timezone: Option<Text>,
    pub(super) effective_from: Option<Date>,
    pub(super) allow_tamper_waiver: bool,
    pub(super) defaults: Defaults,
    pub(super) environment: Vec<Spanned<Environment>>,
    pub(super) allow: Vec<Spanned<Grant>>,
    pub(super) deny: Vec<Spanned<Denial>>,
    pub(super) model_end: Vec<Spanned<ModelEnd>>,
    pub(super) agent: Vec<Spanned<Agent>>,
    pub(super) logging: Logging,
    pub(super) approved: Approved,
    pub(super) aliases: BTreeMap<Text, Text>,
    pub(super) alias: Vec<Spanned<Alias>>,
    pub(super) rules: BTreeMap<Text, Rule>,
    pub(super) custom: Vec<Spanned<Custom>>,
    pub(super) waiver: Vec<Spanned<Waiver>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Defaults {
    pub(super) unknown_model: Option<Text>,
    pub(super) fail_on: Option<Text>,
    pub(super) assess_missing: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Environment {
    pub(super) name: Option<Text>,
    pub(super) accounts: Texts,
    pub(super) regions: Texts,
    pub(super) inference_geographies: Texts,
    pub(super) require_guardrail: Texts,
    pub(super) vpc_endpoints: Texts,
    pub(super) source_cidrs: Texts,
    pub(super) credentials: Credentials,
    pub(super) business_hours: Option<Spanned<Hours>>,
    pub(super) data_class: Option<Text>,
    pub(super) data_retention: Option<Text>,
    pub(super) content_logging: Option<Text>,
    pub(super) mantle: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Credentials {
    pub(super) bearer_tokens: Option<Text>,
    pub(super) long_term_keys: Option<Text>,
    pub(super) console: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Hours {
    pub(super) days: Texts,
    pub(super) start: Option<Text>,
    pub(super) end: Option<Text>,
}

/// `[[allow]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Grant {
    pub(super) id: Option<Text>,
    pub(super) env: Texts,
    pub(super) environment: Texts,
    pub(super) roles: Texts,
    pub(super) models: Texts,
    pub(super) operations: Texts,
    pub(super) activities: Texts,
    pub(super) tools: Texts,
    pub(super) purpose: Option<Text>,
    pub(super) owner: Option<Text>,
}

/// `[[deny]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Denial {
    pub(super) id: Option<Text>,
    pub(super) env: Texts,
    pub(super) environment: Texts,
    pub(super) roles: Texts,
    pub(super) models: Texts,
    pub(super) operations: Texts,
    pub(super) activities: Texts,
    pub(super) reason: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ModelEnd {
    pub(super) model: Option<Text>,
    pub(super) after: Option<Date>,
    pub(super) replacement: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Agent {
    pub(super) name: Option<Text>,
    pub(super) runtime: Option<Text>,
    pub(super) execution_role: Option<Text>,
    pub(super) callers: Texts,
    pub(super) services: Texts,
    pub(super) deny_actions: Texts,
    pub(super) credential_providers: Texts,
    pub(super) action_lambdas: Texts,
    pub(super) uses: Texts,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Logging {
    pub(super) invocation_log_targets: Texts,
    pub(super) log_buckets: Texts,
    pub(super) log_keys: Texts,
}

/// `[approved]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Approved {
    pub(super) model_admins: Texts,
    pub(super) entitlement_admins: Texts,
    pub(super) agent_admins: Texts,
    pub(super) capacity_admins: Texts,
    pub(super) evaluators: Texts,
    pub(super) shared_roles: Texts,
    pub(super) batch_buckets: Texts,
    pub(super) data_buckets: Texts,
    pub(super) trusted_accounts: Texts,
    pub(super) runtime_agents: Texts,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Alias {
    pub(super) reference: Option<Text>,
    pub(super) model_id: Option<Text>,
    pub(super) since: Option<Date>,
}

/// `[rules.BTnnn]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rule {
    pub(super) severity: Option<Text>,
    pub(super) enabled: Option<bool>,
    pub(super) reason: Option<Text>,
    pub(super) owner: Option<Text>,
    pub(super) params: BTreeMap<Text, Spanned<toml::Value>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Custom {
    pub(super) id: Option<Text>,
    pub(super) title: Option<Text>,
    pub(super) severity: Option<Text>,
    pub(super) frameworks: Texts,
    pub(super) attack: Texts,
    pub(super) atlas: Texts,
    pub(super) when: Option<Text>,
    pub(super) group_by: Texts,
    pub(super) having: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Waiver {
    pub(super) id: Option<Text>,
    pub(super) rules: Texts,
    pub(super) r#match: Option<Text>,
    pub(super) owner: Option<Text>,
    pub(super) approver: Option<Text>,
    pub(super) reason: Option<Text>,
    pub(super) ticket: Option<Text>,
    pub(super) created: Option<Date>,
    pub(super) expires: Option<Date>,
    pub(super) retroactive: bool,
}
