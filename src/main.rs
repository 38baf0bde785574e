//! The program: parse, run, exit code.

use std::process::ExitCode;

use bedtrail::cli::Cli;
use clap::Parser as _;

fn main() -> ExitCode {
    bedtrail::command::run(Cli::parse()).into()
}
