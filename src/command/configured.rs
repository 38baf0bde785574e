//! `bedtrail.toml` under what was typed: a flag or a variable wins over the file.

use std::collections::BTreeSet;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{ArgMatches, ValueEnum};

use super::Failure;
use crate::cli::{self, Adding, Input, Output, Verdict};
use crate::config::Config;
use crate::event::named;

/// Which arguments were typed, or set in a variable.
#[derive(Debug, Default)]
pub(super) struct Given(BTreeSet<String>);

impl Given {
    pub(super) fn has(&self, argument: &str) -> bool {
        self.0.contains(argument)
    }
}

/// Reads off what was given to the subcommand.
pub(super) fn given(matches: &ArgMatches) -> Given {
    let mut given = BTreeSet::new();
    let mut level = Some(matches);
    while let Some(matches) = level {
        for id in matches.ids() {
            let name = id.as_str();
            // Groups have no source of their own.
            let source = matches.value_source(name);
            if source.is_some_and(|source| source != ValueSource::DefaultValue) {
                given.insert(name.to_owned());
            }
        }
        level = matches.subcommand().map(|(_, matches)| matches);
    }
    Given(given)
}

/// Reads a configuration.
pub(super) fn load(path: &Path) -> Result<Config, Failure> {
    Config::load(path).map_err(|error| {
        Failure::usage(format!("the configuration cannot be used\n{error}"))
            .help("deploy/bedtrail.toml shows every key")
    })
}

/// Takes over what a field lacks.
fn lack<T: Clone>(field: &mut Option<T>, value: Option<&T>) {
    if field.is_none() {
        *field = value.cloned();
    }
}

fn lacks<T: Clone>(field: &mut Vec<T>, values: &[T]) {
    if field.is_empty() {
        *field = values.to_vec();
    }
}

/// Where events come from.
pub(super) fn input(config: &Config, given: &Given, input: &mut Input) -> Result<(), Failure> {
    let sources = given.has("sources");
    if !(sources || given.has("store")) {
        lacks(&mut input.sources, &config.sources);
        lack(&mut input.store, config.store.as_ref());
    }
    let wrong = |key: &str, text: &str, why: String| {
        Failure::usage(format!("the configuration, {key}: \"{}\": {why}", text.escape_debug()))
    };
    for account in &config.accounts {
        named::account(account).map_err(|why| wrong("accounts", account, why))?;
    }
    for region in &config.regions {
        named::region(region).map_err(|why| wrong("regions", region, why))?;
    }
    lacks(&mut input.accounts, &config.accounts);
    lacks(&mut input.regions, &config.regions);
    lack(&mut input.policy, config.policy.as_ref());
    lacks(&mut input.rules, &config.rules);
    lacks(&mut input.aliases, &config.aliases);
    lack(&mut input.history, config.history.as_ref());
    lack(&mut input.from, config.window.from.as_ref());
    lack(&mut input.to, config.window.to.as_ref());
    if let Some(days) = config.window.late_days.filter(|_| !given.has("late_days")) {
        input.late_days = days.clamp(0, 400);
    }
    let size = |text: &String| {
        cli::size(text).map_err(|error| Failure::usage(format!("the configuration, [limits]: {error}")))
    };
    if let Some(memory) = config.limits.memory.as_ref().filter(|_| !given.has("memory_limit")) {
        input.memory_limit = size(memory)?;
    }
    if let Some(object) = config.limits.object.as_ref().filter(|_| !given.has("max_object_size")) {
        input.max_object_size = size(object)?;
    }
    let api = &mut input.api;
    if api.max_scan.is_none() {
        api.max_scan = config.limits.scan.as_ref().map(size).transpose()?;
    }
    lack(&mut api.athena_workgroup, config.athena.workgroup.as_ref());
    if let Some(output) = &config.athena.output {
        cli::athena::place(output).map_err(|why| wrong("[athena] output", output, why))?;
    }
    lack(&mut api.athena_output, config.athena.output.as_ref());
    lack(&mut api.athena_catalog, config.athena.catalog.as_ref());
    lack(&mut input.threads, config.limits.threads.as_ref());
    lack(&mut input.temp_dir, config.limits.temp_dir.as_ref());
    let (aws, typed) = (&config.aws, &mut input.aws);
    lack(&mut typed.aws_profile, aws.profile.as_ref());
    lack(&mut typed.aws_region, aws.region.as_ref());
    lack(&mut typed.role_arn, aws.role_arn.as_ref());
    lack(&mut typed.external_id, aws.external_id.as_ref());
    lack(&mut typed.endpoint_url, aws.endpoint_url.as_ref());
    typed.path_style |= aws.path_style;
    typed.fips |= aws.fips;
    typed.dual_stack |= aws.dual_stack;
    typed.requester_pays |= aws.requester_pays;
    Ok(())
}

/// Where questions are answered.
pub(super) fn answering(
    config: &Config,
    given: &Given,
    answering: &mut cli::Answering,
) -> Result<(), Failure> {
    lack(&mut answering.athena_database, config.athena.database.as_ref());
    if let Some(engine) = config.engine.as_ref().filter(|_| !given.has("engine")) {
        answering.engine = cli::Engine::from_str(engine, false).map_err(|_| {
            Failure::usage(format!("the configuration, engine: \"{}\" is no engine", engine.escape_debug()))
                .help("local, or athena")
        })?;
    }
    Ok(())
}

/// Where results go.
pub(super) fn output(config: &Config, given: &Given, output: &mut Output) {
    lack(&mut output.out, config.output.out.as_ref());
    if !given.has("format") {
        lacks(&mut output.format, &config.output.format);
    }
}

/// When the run counts as failed.
pub(super) fn verdict(config: &Config, _: &Given, verdict: &mut Verdict) {
    lack(&mut verdict.fail_on, config.verdict.fail_on.as_ref());
    lack(&mut verdict.previous, config.verdict.previous.as_ref());
    verdict.fail_on_new |= config.verdict.fail_on_new;
    verdict.strict_evidence |= config.verdict.strict_evidence;
}

/// How the store is added to.
pub(super) fn adding(config: &Config, given: &Given, adding: &mut Adding) {
    lack(&mut adding.kms_key, config.collect.kms_key.as_ref());
    adding.compact |= config.collect.compact;
    if let Some(days) = config.collect.look_back.filter(|_| !given.has("look_back")) {
        adding.look_back = days.clamp(1, 4000);
    }
}
