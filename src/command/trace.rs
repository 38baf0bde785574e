//! `bedtrail trace`: one timeline from the caller to the last call.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::answer;
use super::deliver;
use super::trail::{Prepared, query_failure};
use super::{Failure, print};
use crate::cli;
use crate::evidence::trace::{self, Error, Spans};
use crate::exit::{Code, Conditions};
use crate::output;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Ambiguous { .. } => Self::usage(error),
            Error::NoMatch { .. } => Self::failed(error).help(
                "sessions, agents and people are in the columns agent_session_id, agent_id, runtime_arn and person of \
                 events; a wider --from may find it",
            ),
            Error::Engine(error) => query_failure(error),
            Error::Arrow(_) => Self::failed(error),
        }
    }
}

/// Reads a file of spans.
fn spans(path: &Path) -> Result<Spans, Failure> {
    let unreadable = |error| Failure::failed(format!("--spans: {} cannot be read: {error}", path.display()));
    let file = File::open(path).map_err(unreadable)?;
    Spans::read(BufReader::new(file)).map_err(unreadable)
}

/// Runs the subcommand.
pub(super) fn run(arguments: &cli::Trace) -> Result<Code, Failure> {
    let prepared = Prepared::new(&arguments.input)?;
    let spans = arguments.spans.as_deref().map(spans).transpose()?;
    let content = arguments.input.keep_content;
    let statements = trace::statements(&arguments.subject, content);
    let trail = prepared.open(&arguments.input, &statements, &[], false)?;
    let mut traced = trace::trace(&trail.engine, &arguments.subject, content)?;
    trail.intact()?;
    if let Some(spans) = spans {
        spans.hang(&mut traced);
    }
    traced.limits.extend(trail.footer());
    print(&match arguments.format {
        cli::Shape::Tree => {
            output::trace::tree(&traced, &answer::completeness().meaning, deliver::terminal_width())
        }
        cli::Shape::Json => output::trace::json(&traced),
    })?;
    let conditions = Conditions { evidence_incomplete: !trail.complete(), ..Conditions::default() };
    Ok(conditions.code())
}
