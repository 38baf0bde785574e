//! `bedtrail aliases`: a file of aliases out of what the AWS CLI printed.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::{Failure, print, say};
use crate::cli::Aliases;
use crate::exit::Code;
use crate::policy::alias::listed;

/// Things without an alias that are told one by one; more are counted.
const TOLD: usize = 20;

/// Runs the subcommand.
pub(super) fn run(arguments: &Aliases) -> Result<Code, Failure> {
    match arguments {
        Aliases::Import { files, out } => import(files, out.as_deref()),
    }
}

fn import(files: &[PathBuf], out: Option<&Path>) -> Result<Code, Failure> {
    let answers = files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
    let listed = listed::aliases(&answers).map_err(|message| {
        Failure::usage(message).help("save what the AWS CLI prints with --output json, whole")
    })?;
    for without in listed.without.iter().take(TOLD) {
        say(&format!("note: no alias for {without}"));
    }
    if listed.without.len() > TOLD {
        say(&format!("note: {} more have no alias; the file names them", listed.without.len() - TOLD));
    }
    match out {
        None => print(&listed.text)?,
        Some(out) => {
            std::fs::write(out, &listed.text)
                .map_err(|error| Failure::failed(format!("{} cannot be written: {error}", out.display())))?;
            say(&format!("{} aliases written to {}", listed.aliases, out.display()));
        }
    }
    Ok(Code::Clean)
}

/// The name and the text of an answer.
fn read(file: &Path) -> Result<(String, String), Failure> {
    let (name, text) = if file == Path::new("-") {
        let mut text = String::new();
        ("standard input".to_owned(), std::io::stdin().read_to_string(&mut text).map(|_| text))
    } else {
        (file.display().to_string(), std::fs::read_to_string(file))
    };
    let text = text.map_err(|error| Failure::usage(format!("{name} cannot be read: {error}")))?;
    Ok((name, text))
}
