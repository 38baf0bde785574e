//! `bedtrail policy`: a commented start, and a check.

use super::trail::load_policy;
use super::{Failure, print, say};
use crate::engine::{self, Engine};
use crate::exit::Code;
use crate::{cli, policy};

/// Runs the subcommand.
pub(super) fn run(arguments: &cli::Policy) -> Result<Code, Failure> {
    match arguments {
        cli::Policy::Init => print(policy::TEMPLATE)?,
        cli::Policy::Check { file } => {
            let policy = load_policy(file)?;
            let limits = engine::Limits { memory: 64 << 20, spill_dir: None, partitions: 1 };
            let engine = Engine::new(limits).map_err(Failure::failed)?;
            let rules = super::trail::rules(&[], Some(&policy), &engine)?;
            super::judge::check_rules(&policy, rules)?;
            super::judge::check_conditions(&policy, &engine)?;
            let absent = super::judge::absent_rules(&policy, rules)?;
            for note in policy.notes().iter().map(ToString::to_string).chain(absent) {
                say(&format!("note: {note}"));
            }
            print(&format!(
                "{}: policy {} version {} is valid, sha256 {}\n",
                file.display(),
                policy.name(),
                policy.version(),
                policy.sha256()
            ))?;
        }
    }
    Ok(Code::Clean)
}
