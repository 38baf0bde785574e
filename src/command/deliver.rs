//! Answers to standard output, or to a folder with a manifest.

use std::collections::BTreeMap;
use std::io::IsTerminal;

use super::athena::Asking;
use super::trail::Trail;
use super::version::Versions;
use super::{Failure, say};
use crate::cli::{Colour, Input, Output};
use crate::clock;
use crate::exit::Conditions;
use crate::ingest::store::Store;
use crate::output::manifest::{self, Manifest};
use crate::output::upload::Upload;
use crate::output::{
    Answer, Caveat, FORMATS, Format, Options, clear, earlier, format, shown, write_folder, write_manifest,
    write_stream,
};
use crate::rule::folder::Own;
use crate::source::s3::Url;

/// The formats asked for, checked before anything runs.
pub(super) struct Delivery<'a> {
    output: &'a Output,
    formats: Vec<&'static dyn Format>,
}

impl<'a> Delivery<'a> {
    /// Resolves format names; `answers` is how many answers there will be. None of them brings findings.
    pub(super) fn new(output: &'a Output, answers: usize) -> Result<Self, Failure> {
        let delivery = Self::of_findings(output, answers)?;
        match delivery.formats.iter().find(|format| format.findings_only()) {
            Some(format) => {
                Err(Failure::usage(format!("{} holds findings, and there are none in this", format.name()))
                    .help("`bedtrail audit` and `bedtrail report violations` find them"))
            }
            None => Ok(delivery),
        }
    }

    /// The same where one of the answers brings findings.
    pub(super) fn of_findings(output: &'a Output, answers: usize) -> Result<Self, Failure> {
        let default = if output.out.is_some() { "csv" } else { "table" };
        let names = if output.format.is_empty() { vec![default.to_owned()] } else { output.format.clone() };
        let mut formats: Vec<&'static dyn Format> = Vec::new();
        for name in &names {
            let known = format::find(name.trim()).ok_or_else(|| {
                let all: Vec<&str> = FORMATS.iter().map(|format| format.name()).collect();
                Failure::usage(format!("there is no format {name}"))
                    .help(format!("formats: {}", all.join(", ")))
            })?;
            if !formats.iter().any(|format| format.name() == known.name()) {
                formats.push(known);
            }
        }
        if let Some(out) = output.out.as_ref().filter(|out| Upload::is(out)) {
            Url::parse(&out.to_string_lossy()).map_err(Failure::usage)?;
        }
        if output.out.is_none() {
            let [one] = formats[..] else {
                return Err(Failure::usage("several formats need a folder").help("name one with --out"));
            };
            // What cannot be written is refused before hours of reading, not after.
            if one.binary() || one.name() == "csv" && answers != 1 {
                return Err(Failure::usage(format!(
                    "{} {} not written to standard output",
                    one.name(),
                    if one.binary() { "is binary and" } else { "holds one report and several are" }
                ))
                .help("name a folder with --out"));
            }
        }
        Ok(Self { output, formats })
    }

    /// Whether a format is asked for that shows the events of findings.
    pub(super) fn shows_events(&self) -> bool {
        self.formats.iter().any(|format| format.findings_only())
    }

    /// Writes answers to standard output, or to the folder with the ledger and a manifest.
    pub(super) fn deliver(
        &self,
        input: &Input,
        trail: &Trail,
        not_assessed: &[Caveat],
        answers: &[Answer],
        parameters: BTreeMap<String, String>,
        conditions: Conditions,
    ) -> Result<(), Failure> {
        trail.intact()?;
        if let Some(asking) = &trail.asking {
            // The last question has been answered: what was made for them need not stay.
            asking.end();
            asking.say_cost();
        }
        let untold: usize = answers.iter().map(Answer::without_account).sum();
        if untold > 0 && self.formats.iter().any(|format| format.name() == "asff") {
            say(&format!(
                "note: asff leaves out {untold} findings that name no account; other formats have them"
            ));
        }
        let Some(out) = &self.output.out else {
            if !input.quiet && self.formats.iter().any(|format| format.rows_only()) {
                for caveat in not_assessed {
                    say(&format!("not assessed: {}: {}", caveat.topic, caveat.brief()));
                }
            }
            return self.stream(answers);
        };
        let remote = if Upload::is(out) { Some(Upload::open(out, input.aws.access())?) } else { None };
        let aside = remote.as_ref().map(|_| aside(input)).transpose()?;
        let folder = aside.as_ref().map_or(out.as_path(), |aside| aside.path());
        let options = Options::default();
        let before = earlier(folder);
        let mut outputs = write_folder(folder, answers, &self.formats, &options)?;
        let objects = trail.ledger.objects_batch().map_err(Failure::failed)?;
        let ledger = Answer {
            name: "ledger".to_owned(),
            title: "Ledger".to_owned(),
            question: "What was read, and what became of each record?".to_owned(),
            preamble: Vec::new(),
            schema: objects.schema(),
            rows: objects.into(),
            glance: Vec::new(),
            footer: trail.footer(),
            findings: None,
        };
        let parquet: Vec<&dyn Format> =
            FORMATS.iter().copied().filter(|format| format.name() == "parquet").collect();
        let ledger = write_folder(folder, &[ledger], &parquet, &options)?;
        let manifest = Manifest {
            schema: manifest::SCHEMA.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            run_time: clock::format_micros(trail.now),
            command: std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect(),
            window: manifest::Window {
                from: trail.window.from.map(clock::format_micros),
                to: trail.window.to.map(clock::format_micros),
            },
            sources: sources(input, trail),
            store: trail.stored.first().map(|(store, _)| kept(store)),
            athena: trail.asking.as_ref().map(Asking::described),
            parameters,
            policy: trail.versions.as_ref().map(Versions::described).unwrap_or_default(),
            rules: trail.own.iter().map(rule_file).collect(),
            balance: balance(trail),
            ledger: ledger.first().map(|written| manifest::Ledger {
                file: written.file.clone(),
                sha256: written.sha256.clone(),
                rows: written.rows,
            }),
            not_assessed: not_assessed.iter().map(ToString::to_string).collect(),
            conditions: conditions.names().into_iter().map(str::to_owned).collect(),
            outputs: {
                outputs.extend(ledger);
                outputs
            },
        };
        let mut stays = clear(folder, before, &manifest.outputs);
        write_manifest(folder, &manifest)?;
        if let Some(remote) = remote {
            stays = remote.send(folder, &manifest)?;
        }
        for file in stays {
            say(&format!("warning: {} is of an earlier run, but changed since: it stays", shown(&file)));
        }
        if !input.quiet {
            let files = manifest.outputs.len();
            say(&format!("{files} files and manifest.json written to {}", out.display()));
        }
        Ok(())
    }

    /// Writes answers that need no trail.
    pub(super) fn stream(&self, answers: &[Answer]) -> Result<(), Failure> {
        let stdout = std::io::stdout();
        let terminal = stdout.is_terminal();
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let options = Options {
            width: terminal_width(),
            colour: match self.output.color {
                Colour::Auto => terminal && !no_colour,
                Colour::Always => true,
                Colour::Never => false,
            },
        };
        let Some(format) = self.formats.first() else { return Ok(()) };
        let mut out = std::io::BufWriter::new(stdout.lock());
        let written = write_stream(*format, answers, &options, &mut out)
            .and_then(|()| std::io::Write::flush(&mut out).map_err(crate::output::Error::from));
        match written {
            Err(error) if error.closed_pipe() => Ok(()),
            written => Ok(written?),
        }
    }
}

/// How wide the terminal is: as it says, else as `COLUMNS` says, else as terminals always were.
/// The width of the terminal that standard output is, in characters; none where it is none.
pub(super) fn terminal_width() -> Option<usize> {
    let terminal = std::io::stdout().is_terminal();
    let size = terminal.then(terminal_size::terminal_size).flatten();
    terminal.then(|| width(size.map(|(width, _)| width.0)))
}

fn width(told: Option<u16>) -> usize {
    let variable = || std::env::var("COLUMNS").ok()?.parse().ok();
    told.filter(|width| *width > 0).or_else(variable).map_or(80, usize::from)
}

/// A folder that outlives the run no longer than until its files are in the bucket.
fn aside(input: &Input) -> Result<tempfile::TempDir, Failure> {
    let made = match &input.temp_dir {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    };
    made.map_err(|error| {
        Failure::failed(format!("no temporary folder: {error}")).help("choose another with --temp-dir")
    })
}

/// Where the logs were: as given, or as the store was collected from.
fn sources(input: &Input, trail: &Trail) -> Vec<String> {
    let last = trail.stored.first().and_then(|(store, _)| store.state().last.as_ref());
    last.map_or_else(|| input.sources.clone(), |last| last.scope.sources.clone())
}

fn kept(store: &Store) -> manifest::Store {
    manifest::Store {
        place: store.name(),
        commit: store.state().number(),
        time: store.state().last.as_ref().map(|last| last.time.clone()).unwrap_or_default(),
    }
}

fn rule_file(own: &Own) -> manifest::RuleFile {
    manifest::RuleFile {
        rule: own.rule.code.clone(),
        file: own.path.display().to_string(),
        sha256: own.sha256.clone(),
    }
}

/// Counts of events, rather than of objects and of what was left out.
const KEPT: [&str; 5] = ["api_calls", "kept", "network_activity", "service_events", "shared_copies"];

fn balance(trail: &Trail) -> BTreeMap<String, i64> {
    let balance = &trail.balance;
    // Athena tells of what was kept only.
    let known = |name: &str| trail.asking.is_none() || KEPT.contains(&name);
    [
        ("objects", balance.objects),
        ("objects_pruned", trail.passed.pruned),
        ("objects_refused", balance.objects_refused),
        ("objects_skipped", trail.passed.skipped),
        ("seen", balance.seen),
        ("kept", balance.kept),
        ("not_ours", balance.not_ours),
        ("out_of_range", balance.out_of_range),
        ("duplicate", balance.duplicate),
        ("superseded", balance.superseded),
        ("aggregated", balance.aggregated),
        ("insight", balance.insight),
        ("refused", balance.refused),
        ("api_calls", balance.api_calls),
        ("service_events", balance.service_events),
        ("network_activity", balance.network_activity),
        ("shared_copies", balance.shared_copies),
        ("conflicts", balance.conflicts),
    ]
    .into_iter()
    .filter(|(name, _)| known(name))
    .map(|(name, count)| (name.to_owned(), i64::try_from(count).unwrap_or(i64::MAX)))
    .collect()
}
