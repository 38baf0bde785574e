//! ⑥ The subcommands: each resolves its arguments, wires the floors below and decides the exit code.

mod aliases;
mod answer;
mod athena;
mod audit;
mod collect;
mod configured;
mod deliver;
mod event;
mod follow;
mod history;
mod invocation;
mod judge;
mod listing;
mod policy;
mod previous;
mod progress;
mod query;
mod questions;
mod reference;
mod report;
mod rules;
mod run;
mod sample;
mod scratch;
mod selectors;
mod setting;
mod store;
mod stored;
mod trace;
mod trail;
mod version;
mod warning;

use std::io::Write as _;

use clap::{CommandFactory as _, FromArgMatches as _};
use configured::Given;

use crate::cli::{self, Cli, Command};
use crate::exit::Code;
use crate::output;
use crate::policy::Problem;

/// Why a command stopped before it had an answer.
#[derive(Debug)]
struct Failure {
    code: Code,
    message: String,
    help: Option<String>,
    /// What is wrong with the policy, place by place, if that is why.
    problems: Vec<Problem>,
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands over what it has")]
impl Failure {
    /// The command line, configuration or policy is wrong.
    fn usage(message: impl ToString) -> Self {
        Self { code: Code::Usage, message: message.to_string(), help: None, problems: Vec::new() }
    }

    /// The run cannot be carried out.
    fn failed(message: impl ToString) -> Self {
        Self { code: Code::Failed, message: message.to_string(), help: None, problems: Vec::new() }
    }

    /// What is wrong with the policy, in the order of the message.
    fn problems(mut self, problems: &[Problem]) -> Self {
        self.problems = problems.to_vec();
        self
    }

    fn help(mut self, help: impl ToString) -> Self {
        self.help = Some(help.to_string());
        self
    }
}

impl From<output::Error> for Failure {
    fn from(error: output::Error) -> Self {
        if matches!(error, output::Error::OneAnswer { .. } | output::Error::Binary { .. }) {
            Self::usage(error)
        } else {
            Self::failed(error)
        }
    }
}

/// Runs what was typed. A command line that cannot be parsed ends the process here, with code 2.
pub fn typed() -> Code {
    let matches = Cli::command().get_matches();
    match Cli::from_arg_matches(&matches) {
        Ok(cli) => with(cli, &configured::given(&matches)),
        Err(error) => error.exit(),
    }
}

/// Runs a command line; what went wrong is said on standard error.
pub fn run(cli: Cli) -> Code {
    with(cli, &Given::default())
}

/// Runs a command line of which some was typed and the rest is as it is by default.
fn with(cli: Cli, given: &Given) -> Code {
    let done = match cli.command {
        Command::Audit(audit) => audit::run(audit, given),
        Command::Run(run) => run::run(*run, given),
        Command::Report(report) => stored::steadily(&report.input, || report::run(&report)),
        Command::Collect(collect) => collect::run(&collect),
        Command::Store(store) => store::run(&store),
        Command::Query(query) => stored::steadily(&query.input, || query::run(&query)),
        Command::Trace(trace) => stored::steadily(&trace.input, || trace::run(&trace)),
        Command::Event(event) => stored::steadily(&event.input, || event::run(&event)),
        Command::Selectors(selectors) => selectors::run(&selectors),
        Command::Aliases(aliases) => aliases::run(&aliases),
        Command::Rules(rules) => rules::run(&rules),
        Command::Athena(cli::Athena::Ddl(ddl)) => athena::ddl::run(&ddl),
        Command::Questions { output } => questions::run(&output),
        Command::Policy(policy) => policy::run(&policy),
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            say(&format!("error: {}", failure.message));
            failure.help.iter().for_each(|help| say(&format!("help: {help}")));
            failure.code
        }
    }
}

/// A line for people, on standard error, harmless whatever text from a log is in it.
fn say(line: &str) {
    let mut err = std::io::stderr().lock();
    for part in line.split('\n') {
        // A closed standard error leaves nobody to tell.
        let _ = writeln!(err, "{}", output::shown(part));
    }
}

/// Text to standard output; a closed pipe is not an error.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}
