//! What a policy says, validated.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// `[defaults]`, filled in where the file is silent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// What a (role, model) pair that no entry covers is: `deny`, `warn` (a violation of severity low) or `allow`.
    pub unknown_model: &'static str,
    /// The severity from which a run exits with 1.
    pub fail_on: &'static str,
    /// What a rule says where a needed column was not recorded: `not_assessed`, never a pass.
    pub assess_missing: &'static str,
}

impl Default for Defaults {
    fn default() -> Self {
        Self { unknown_model: "deny", fail_on: "high", assess_missing: "not_assessed" }
    }
}

/// `[[environment]]`: accounts that live under the same rules. Patterns are globs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Its name, as in `events.environment`.
    pub name: String,
    /// Account ids or globs of them.
    pub accounts: Vec<String>,
    /// Regions that may be called; empty: not ruled.
    pub regions: Vec<String>,
    /// Geographies where models may run, `*` for any; empty: not ruled.
    pub geographies: Vec<String>,
    /// Guardrails of which one has to be used; empty: not ruled.
    pub guardrails: Vec<String>,
    /// VPC endpoints that calls have to come through; empty: not ruled.
    pub vpc_endpoints: Vec<String>,
    /// Networks (CIDR) that calls may come from; empty: not ruled.
    pub cidrs: Vec<String>,
    /// Credential class (`bearer_tokens`, `long_term_keys`, `console`) and setting (`allow`, `warn`,
    /// `short_only`, `deny`).
    pub credentials: Vec<(&'static str, &'static str)>,
    /// When people work there.
    pub business_hours: Option<BusinessHours>,
    /// What data is processed there, e.g. `personal`.
    pub data_class: Option<String>,
    /// The mode of data retention that its accounts are to have.
    pub data_retention: Option<String>,
    /// `required` where prompts and completions have to be logged.
    pub content_logging: Option<&'static str>,
    /// `used` where its accounts are said to call bedrock-mantle.
    pub mantle: Option<&'static str>,
}

/// `business_hours`, in the policy's time zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BusinessHours {
    /// ISO day numbers, Monday is 1.
    pub days: Vec<u8>,
    /// From this time on.
    pub start: NaiveTime,
    /// Before this time; `None` is the end of the day.
    pub end: Option<NaiveTime>,
}

/// `[[allow]]` or `[[deny]]`. Patterns are globs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// Its id, unique among its kind.
    pub id: String,
    /// Names of environments; empty: every one.
    pub environments: Vec<String>,
    /// Role ARNs.
    pub roles: Vec<String>,
    /// Model ids.
    pub models: Vec<String>,
    /// Values of `events.activity`; empty: every one.
    pub activities: Vec<&'static str>,
    /// Clients (`claude-code`, `codex-cli`, …) these roles may use; only of an allow entry.
    pub tools: Vec<String>,
    /// What the use is for; only of an allow entry.
    pub purpose: Option<String>,
    /// Who answers for it; only of an allow entry.
    pub owner: Option<String>,
    /// Why it is denied; only of a deny entry.
    pub reason: Option<String>,
}

/// `[[model_end]]`: a model that may not be used from a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelEnd {
    /// A glob over model ids.
    pub model: String,
    /// The first instant, UTC, at which it may not be used.
    pub after: NaiveDateTime,
    /// What to use instead.
    pub replacement: Option<String>,
}

/// `[[agent]]`: who an agent is and what it may do. Patterns are globs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agent {
    /// Its name.
    pub name: String,
    /// ARN of its runtime.
    pub runtime: Option<String>,
    /// ARN of the role it acts with.
    pub execution_role: Option<String>,
    /// Principals that may invoke it.
    pub callers: Vec<String>,
    /// Services it may call: event sources without `.amazonaws.com`.
    pub services: Vec<String>,
    /// Actions (`service:Name`) it may never try.
    pub deny_actions: Vec<String>,
    /// Credential providers it may take tokens from.
    pub providers: Vec<String>,
    /// ARNs of its action groups' Lambda functions.
    pub lambdas: Vec<String>,
    /// ARNs or ids of gateways, memories, tools, knowledge bases and flows that belong to it.
    pub uses: Vec<String>,
}

/// `[rules.BTnnn]`: how a rule is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSetting {
    /// False where the rule is switched off.
    pub enabled: bool,
    /// The severity that replaces the rule's own.
    pub severity: Option<&'static str>,
    /// Why.
    pub reason: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Parameter values by name.
    pub parameters: BTreeMap<String, Parameter>,
}

/// A rule parameter's value, as the file gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// A whole number.
    Int(i64),
    /// Text.
    Text(String),
    /// A list of texts.
    List(Vec<String>),
    /// A TOML date or date-time, UTC.
    Timestamp(NaiveDateTime),
}

/// `[[custom]]`: a rule of the user's own, checked but run elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Custom {
    /// Its code.
    pub id: String,
    /// One line.
    pub title: String,
    /// critical, high, medium, low or info.
    pub severity: &'static str,
    /// Controls, like `SOC2:CC6.1`.
    pub frameworks: Vec<String>,
    /// ATT&CK techniques.
    pub attack: Vec<String>,
    /// ATLAS techniques.
    pub atlas: Vec<String>,
    /// A condition on one event.
    pub when: String,
    /// Expressions to group by; empty: one row per principal.
    pub group_by: Vec<String>,
    /// A condition on a group.
    pub having: Option<String>,
}

/// `[[waiver]]`: findings that an owner accepts for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// Its id.
    pub id: String,
    /// Rule codes it covers.
    pub rules: Vec<String>,
    /// A condition on events; `None` covers every event.
    pub condition: Option<String>,
    /// Who asked for it and answers for it.
    pub owner: String,
    /// Who agreed.
    pub approver: String,
    /// Why.
    pub reason: String,
    /// Where it was decided.
    pub ticket: Option<String>,
    /// The first day it covers.
    pub created: NaiveDate,
    /// The first day it no longer covers.
    pub expires: NaiveDate,
    /// Whether events before `created` are covered too.
    pub retroactive: bool,
}

impl Waiver {
    /// Whether it is `pending`, `active` or `expired` at an instant, UTC.
    pub fn state(&self, at: NaiveDateTime) -> &'static str {
        if at < self.created.and_time(NaiveTime::MIN) {
            "pending"
        } else if at < self.expires.and_time(NaiveTime::MIN) {
            "active"
        } else {
            "expired"
        }
    }
}

/// `[logging]`: where logs go. Patterns are globs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logging {
    /// Targets of model-invocation logging: log groups or buckets.
    pub invocation_log_targets: Vec<String>,
    /// Buckets that hold logs.
    pub buckets: Vec<String>,
    /// Keys that encrypt logs.
    pub keys: Vec<String>,
}

/// `[approved]`: who and what is known and approved. All are globs; an empty list rules nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approved {
    /// Principals that may change, import and customise models.
    pub model_admins: Vec<String>,
    /// Principals that may ask for access to models and accept their terms.
    pub entitlement_admins: Vec<String>,
    /// Principals that may change agents, gateways and what they may use.
    pub agent_admins: Vec<String>,
    /// Principals that may buy and change throughput.
    pub capacity_admins: Vec<String>,
    /// Principals that may try many models.
    pub evaluators: Vec<String>,
    /// Roles of one-purpose workloads, behind which there need be no person.
    pub shared_roles: Vec<String>,
    /// Where batch jobs may read and write: bucket names or `s3://bucket/prefix`.
    pub batch_buckets: Vec<String>,
    /// Where knowledge bases and trainings may take data from: bucket names or `s3://bucket/prefix`.
    pub data_buckets: Vec<String>,
    /// Accounts that may share in what is ours.
    pub trusted_accounts: Vec<String>,
    /// User agents of agent runtimes.
    pub runtime_agents: Vec<String>,
}
