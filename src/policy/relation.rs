//! A policy as relations.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions, StringViewArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike as _};

use super::Policy;
use super::entry::{Environment, Grant, Waiver};
use super::glob::{glob_to_pathless_regex, glob_to_regex};
use super::lifecycle::lifecycles;
use super::model::{model_glob_to_regex, model_version_to_regex};
use super::offset;
use super::table::{TABLES, TableDoc};
use crate::event::column::Kind;

/// One value of a row.
pub(super) enum Cell {
    Text(Option<String>),
    Int(i64),
    Bool(bool),
    Time(Option<NaiveDateTime>),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        Self::Text(Some(text.clone()))
    }
}

impl From<Option<&str>> for Cell {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_owned))
    }
}

impl From<&Option<String>> for Cell {
    fn from(text: &Option<String>) -> Self {
        Self::Text(text.clone())
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<Option<NaiveDate>> for Cell {
    fn from(day: Option<NaiveDate>) -> Self {
        Self::Time(day.map(|day| day.and_time(NaiveTime::MIN)))
    }
}

impl From<Option<NaiveDateTime>> for Cell {
    fn from(time: Option<NaiveDateTime>) -> Self {
        Self::Time(time)
    }
}

impl From<NaiveDateTime> for Cell {
    fn from(time: NaiveDateTime) -> Self {
        Self::Time(Some(time))
    }
}

macro_rules! row {
    ($($value:expr),* $(,)?) => { vec![$(Cell::from($value)),*] };
}

type Rows = Vec<Vec<Cell>>;

/// What the relations tell: a version of a policy, and what is known only beside the other versions.
pub(super) struct Told<'a> {
    pub(super) policy: &'a Policy,
    /// The waivers of all versions.
    pub(super) waivers: Vec<&'a Waiver>,
    /// The first instant at which another version is in force.
    pub(super) until: Option<NaiveDateTime>,
}

/// Every relation of a policy, in the order of [`TABLES`]; without one they are empty, but for the built-in
/// lifecycle rows.
pub(super) fn relations(told: Option<&Told<'_>>, now: NaiveDateTime) -> Vec<(&'static str, RecordBatch)> {
    TABLES
        .iter()
        .map(|table| {
            let mut rows = told.map(|told| rows(told, table.name, now)).unwrap_or_default();
            if table.name == "policy_model_end" {
                rows.extend(built_in_ends());
            }
            (table.name, batch(table, &rows))
        })
        .collect()
}

fn rows(told: &Told<'_>, table: &str, now: NaiveDateTime) -> Rows {
    let policy = told.policy;
    let content = &policy.content;
    let per = |patterns: fn(&Environment) -> &[String]| {
        let mut rows = Rows::new();
        for environment in &content.environments {
            rows.extend(patterns(environment).iter().map(|p| row![&environment.name, p, &glob_to_regex(p)]));
        }
        rows
    };
    let agents = |patterns: fn(&super::Agent) -> &[String], regex: bool| {
        let mut rows = Rows::new();
        for agent in &content.agents {
            for pattern in patterns(agent) {
                let mut row = row![&agent.name, pattern];
                row.extend(regex.then(|| Cell::from(&glob_to_regex(pattern))));
                rows.push(row);
            }
        }
        rows
    };
    let environments = content.environments.iter();
    match table {
        "policy_version" => {
            vec![row![
                &content.name,
                &content.version,
                &policy.sha256,
                content.effective_from,
                Cell::Time(told.until),
                &policy.source.file
            ]]
        }
        "policy_default" => vec![
            row!["unknown_model", content.defaults.unknown_model],
            row!["fail_on", content.defaults.fail_on],
            row!["assess_missing", content.defaults.assess_missing],
        ],
        "policy_environment" => environments
            .flat_map(|environment| environment.accounts.iter().map(move |account| (environment, account)))
            .enumerate()
            .map(|(at, (environment, account))| row![&environment.name, at, account, &glob_to_regex(account)])
            .collect(),
        "policy_region" => per(|environment| &environment.regions),
        "policy_guardrail" => per(|environment| &environment.guardrails),
        "policy_vpc_endpoint" => per(|environment| &environment.vpc_endpoints),
        "policy_geography" => environments
            .flat_map(|environment| environment.geographies.iter().map(|name| row![&environment.name, name]))
            .collect(),
        "policy_cidr" => environments
            .flat_map(|environment| environment.cidrs.iter().map(|cidr| row![&environment.name, cidr]))
            .collect(),
        "policy_credential" => environments
            .flat_map(|environment| {
                environment
                    .credentials
                    .iter()
                    .map(|(class, setting)| row![&environment.name, *class, *setting])
            })
            .collect(),
        "policy_environment_setting" => environments
            .flat_map(|environment| {
                let settings = [
                    ("data_class", environment.data_class.as_deref()),
                    ("data_retention", environment.data_retention.as_deref()),
                    ("content_logging", environment.content_logging),
                    ("mantle", environment.mantle),
                ];
                let given = settings.into_iter().filter_map(|(name, value)| Some((name, value?)));
                given.map(|(name, value)| row![&environment.name, name, value]).collect::<Rows>()
            })
            .collect(),
        "policy_business_hours" => environments.flat_map(business_hours).collect(),
        "policy_offset" => offset::stretches(&content.timezone)
            .into_iter()
            .map(|stretch| row![stretch.from, stretch.to, stretch.minutes])
            .collect(),
        "policy_model_admin" => principals(&content.approved.model_admins),
        "policy_entitlement_admin" => principals(&content.approved.entitlement_admins),
        "policy_agent_admin" => principals(&content.approved.agent_admins),
        "policy_capacity_admin" => principals(&content.approved.capacity_admins),
        "policy_evaluator" => principals(&content.approved.evaluators),
        "policy_shared_role" => principals(&content.approved.shared_roles),
        "policy_batch_bucket" => patterns(&content.approved.batch_buckets),
        "policy_data_bucket" => patterns(&content.approved.data_buckets),
        "policy_trusted_account" => patterns(&content.approved.trusted_accounts),
        "policy_runtime_agent" => patterns(&content.approved.runtime_agents),
        "policy_allow" => grants(&content.allow, true),
        "policy_deny" => grants(&content.deny, false),
        "policy_allow_tool" => tools(&content.allow),
        "policy_model_end" => content
            .model_ends
            .iter()
            .map(|end| {
                let regex = model_glob_to_regex(&end.model);
                row![
                    &end.model,
                    &regex,
                    end.after,
                    None::<NaiveDate>,
                    None::<&str>,
                    &end.replacement,
                    "policy"
                ]
            })
            .collect(),
        "policy_alias" => {
            content.aliases.iter().map(|alias| row![&alias.reference, &alias.model, alias.since]).collect()
        }
        "policy_log_target" => [
            ("invocation_log", &content.logging.invocation_log_targets),
            ("bucket", &content.logging.buckets),
            ("key", &content.logging.keys),
        ]
        .into_iter()
        .flat_map(|(kind, patterns)| patterns.iter().map(move |p| row![kind, p, &glob_to_regex(p)]))
        .collect(),
        "policy_agent" => content
            .agents
            .iter()
            .map(|agent| {
                let regex = |pattern: &Option<String>| pattern.as_deref().map(glob_to_regex);
                let (runtime_re, role_re) = (regex(&agent.runtime), regex(&agent.execution_role));
                row![&agent.name, &agent.runtime, &runtime_re, &agent.execution_role, &role_re]
            })
            .collect(),
        "policy_agent_caller" => agents(|agent| &agent.callers, true),
        "policy_agent_service" => agents(|agent| &agent.services, false),
        "policy_agent_deny_action" => agents(|agent| &agent.deny_actions, true),
        "policy_agent_provider" => agents(|agent| &agent.providers, false),
        "policy_agent_lambda" => agents(|agent| &agent.lambdas, true),
        "policy_agent_use" => agents(|agent| &agent.uses, true),
        "policy_waiver" => told
            .waivers
            .iter()
            .map(|waiver| {
                row![
                    &waiver.id,
                    &waiver.rules.join(" "),
                    &waiver.condition,
                    &waiver.owner,
                    &waiver.approver,
                    &waiver.reason,
                    &waiver.ticket,
                    Some(waiver.created),
                    Some(waiver.expires),
                    waiver.retroactive,
                    waiver.state(now),
                ]
            })
            .collect(),
        "policy_rule" => content
            .rules
            .iter()
            .map(|(code, rule)| row![code, rule.enabled, rule.severity, &rule.reason, &rule.owner])
            .collect(),
        // A test holds this list against the tables.
        _ => Rows::new(),
    }
}

fn principals(globs: &[String]) -> Rows {
    globs.iter().map(|glob| row![glob, &glob_to_regex(glob), &glob_to_pathless_regex(glob)]).collect()
}

fn patterns(globs: &[String]) -> Rows {
    globs.iter().map(|glob| row![glob, &glob_to_regex(glob)]).collect()
}

fn business_hours(environment: &Environment) -> Rows {
    let Some(hours) = &environment.business_hours else { return Rows::new() };
    let minute = |time: NaiveTime| i64::from(time.num_seconds_from_midnight() / 60);
    let end = hours.end.map_or(24 * 60, minute);
    let days = hours.days.iter();
    days.map(|day| row![&environment.name, i64::from(*day), minute(hours.start), end]).collect()
}

/// `None` alone where a list is empty, which stands for everything.
fn or_every<T>(list: &[T]) -> Vec<Option<&T>> {
    if list.is_empty() { vec![None] } else { list.iter().map(Some).collect() }
}

fn grants(grants: &[Grant], allow: bool) -> Rows {
    let mut rows = Rows::new();
    for (position, grant) in grants.iter().enumerate() {
        for environment in or_every(&grant.environments) {
            for role in &grant.roles {
                for model in &grant.models {
                    for activity in or_every(&grant.activities) {
                        let mut row = row![&grant.id, position, environment.map(String::as_str)];
                        row.extend(row![role, &glob_to_regex(role), &glob_to_pathless_regex(role)]);
                        row.extend(allow.then(|| Cell::from(role.chars().count())));
                        row.extend(row![model, &model_glob_to_regex(model), activity.copied()]);
                        row.extend(if allow {
                            row![&grant.purpose, &grant.owner]
                        } else {
                            row![&grant.reason]
                        });
                        rows.push(row);
                    }
                }
            }
        }
    }
    rows
}

fn tools(allow: &[Grant]) -> Rows {
    let mut rows = Rows::new();
    for grant in allow {
        for environment in or_every(&grant.environments) {
            for role in &grant.roles {
                for tool in &grant.tools {
                    rows.push(row![
                        &grant.id,
                        environment.map(String::as_str),
                        role,
                        &glob_to_regex(role),
                        tool
                    ]);
                }
            }
        }
    }
    rows
}

fn built_in_ends() -> Rows {
    lifecycles()
        .iter()
        .map(|life| {
            let regex = model_version_to_regex(&life.model);
            row![&life.model, &regex, life.end, life.legacy, &life.region, &life.replacement, &life.basis]
        })
        .collect()
}

pub(super) fn batch(table: &TableDoc, rows: &[Vec<Cell>]) -> RecordBatch {
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (index, column) in table.columns.iter().enumerate() {
        let cells = || rows.iter().map(move |row| row.get(index));
        let (kind, array): (DataType, ArrayRef) = match column.kind {
            Kind::Text => {
                let texts = cells().map(|cell| match cell {
                    Some(Cell::Text(text)) => text.as_deref(),
                    _ => None,
                });
                (DataType::Utf8View, Arc::new(texts.collect::<StringViewArray>()))
            }
            Kind::Int => {
                let numbers = cells().map(|cell| match cell {
                    Some(Cell::Int(number)) => Some(*number),
                    _ => None,
                });
                (DataType::Int64, Arc::new(numbers.collect::<Int64Array>()))
            }
            Kind::Bool => {
                let flags = cells().map(|cell| match cell {
                    Some(Cell::Bool(flag)) => Some(*flag),
                    _ => None,
                });
                (DataType::Boolean, Arc::new(flags.collect::<BooleanArray>()))
            }
            Kind::Time => {
                let times = cells().map(|cell| match cell {
                    Some(Cell::Time(time)) => time.map(|time| time.and_utc().timestamp_micros()),
                    _ => None,
                });
                let array = times.collect::<TimestampMicrosecondArray>();
                (DataType::Timestamp(TimeUnit::Microsecond, None), Arc::new(array))
            }
        };
        fields.push(Field::new(column.name, kind, true));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    // Schema and arrays are made side by side above, so they cannot disagree.
    RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options)
        .unwrap_or_else(|_| RecordBatch::new_empty(schema))
}
