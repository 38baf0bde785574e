//! `bedtrail run`: collect, audit and write in one go, as a scheduler calls it.

use std::path::Path;

use super::configured::{self, Given};
use super::{Failure, audit, collect, stored};
use crate::cli;
use crate::config::{Config, FILE};
use crate::exit::Code;

/// Runs the subcommand.
pub(super) fn run(mut arguments: cli::Run, given: &Given) -> Result<Code, Failure> {
    let config = match &arguments.config {
        Some(path) => configured::load(path)?,
        None if Path::new(FILE).exists() => configured::load(Path::new(FILE))?,
        None if given.has("sources") || given.has("store") => Config::default(),
        None => {
            return Err(Failure::usage(format!("there is no {FILE} here"))
                .help("name one with --config; deploy/bedtrail.toml shows every key"));
        }
    };
    configured::input(&config, given, &mut arguments.input)?;
    // Given one of the two on the command line, the other may still come from the file.
    if arguments.input.store.is_none() {
        arguments.input.store.clone_from(&config.store);
    }
    if arguments.input.sources.is_empty() {
        arguments.input.sources.clone_from(&config.sources);
    }
    configured::answering(&config, given, &mut arguments.answering)?;
    if arguments.answering.engine == cli::Engine::Athena && arguments.input.store.is_some() {
        return Err(Failure::usage(
            "--engine athena collects nothing: the table of the source is read where it lies",
        )
        .help("leave out the store, or the engine"));
    }
    configured::output(&config, given, &mut arguments.output);
    configured::verdict(&config, given, &mut arguments.verdict);
    configured::adding(&config, given, &mut arguments.adding);
    arguments.input.keep_content |= config.collect.keep_content;
    let cli::Run { config: _, mut input, answering, output, verdict, adding } = arguments;
    let mut incomplete = false;
    if input.store.is_some() && !input.sources.is_empty() {
        let (from, to) = (input.from.take(), input.to.take());
        input.from.clone_from(&config.collect.from);
        let mut collecting = cli::Collect { input, dry_run: false, adding };
        let (accounts, regions) = (collecting.input.accounts.clone(), collecting.input.regions.clone());
        if !given.has("accounts") {
            collecting.input.accounts.clone_from(&config.accounts);
        }
        if !given.has("regions") {
            collecting.input.regions.clone_from(&config.regions);
        }
        incomplete = collect::run(&collecting)? != Code::Clean;
        input = collecting.input;
        (input.from, input.to) = (from, to);
        (input.accounts, input.regions) = (accounts, regions);
        input.sources.clear();
    }
    let audit = cli::Audit { config: None, input, answering, output, verdict };
    stored::steadily(&audit.input, || audit::carry_out(&audit, config.organization.clone(), incomplete))
}
