//! The program: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    bedtrail::command::typed().into()
}
