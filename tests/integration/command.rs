//! A run of the program as a person or a scheduler starts it, and what came of it.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

/// The present of every run.
pub const NOW: &str = "2026-11-01T00:00:00Z";

/// A command line in the making. It runs in the repository, so that paths read as in the documentation.
pub struct Run {
    command: Command,
    stdin: Option<Vec<u8>>,
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// The words that leave out every rule but the one that a query asks after: judging by all takes its time.
pub fn only(sql: &str) -> Vec<String> {
    let rule =
        sql.split_once("rule_id = '").and_then(|(_, rest)| rest.split_once('\'')).map(|(rule, _)| rule);
    rule.into_iter().flat_map(|rule| ["--rule".to_owned(), rule.to_owned()]).collect()
}

/// `bedtrail` with nothing of the caller's environment that could change what it does.
pub fn bedtrail<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedtrail"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("BEDTRAIL_")
            || text.starts_with("AWS_")
            || ["NO_COLOR", "COLUMNS", "LINES"].contains(&&*text)
        {
            command.env_remove(&name);
        }
    }
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("BEDTRAIL_NOW", NOW).args(arguments);
    Run { command, stdin: None }
}

/// A subcommand on Acme's trail under Acme's policy.
pub fn acme(subcommand: &str) -> Run {
    bedtrail([subcommand]).source("fixtures/trail").policy("fixtures/policy.toml")
}

/// The whole audit of Acme's trail, as one document; run once for all tests.
pub fn audited() -> &'static Value {
    static AUDIT: LazyLock<Value> = LazyLock::new(|| acme("audit").format("json").run().exits(1).json());
    &AUDIT
}

impl Run {
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    pub fn source(self, path: impl AsRef<Path>) -> Self {
        self.args([OsStr::new("-s"), path.as_ref().as_os_str()])
    }

    pub fn policy(self, path: impl AsRef<Path>) -> Self {
        self.args([OsStr::new("--policy"), path.as_ref().as_os_str()])
    }

    pub fn out(self, path: impl AsRef<Path>) -> Self {
        self.args([OsStr::new("--out"), path.as_ref().as_os_str()])
    }

    pub fn format(self, format: &str) -> Self {
        self.args(["--format", format])
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// The command itself, for a test that wires it otherwise.
    pub fn into_command(self) -> Command {
        self.command
    }

    pub fn run(mut self) -> Outcome {
        let stdin = if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child = self
            .command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let mut pipe = child.stdin.take();
        let bytes = self.stdin.unwrap_or_default();
        let output = std::thread::scope(|scope| {
            // The program may end before it has read all: a closed pipe is its answer, not a failure of ours.
            scope.spawn(move || pipe.as_mut().map(|pipe| pipe.write_all(&bytes)));
            child.wait_with_output().expect("the program ends")
        });
        let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
        Outcome {
            code: output.status.code().expect("no signal"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Outcome {
    /// Insists on an exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Insists on words on standard error.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "no {words:?} in\n{}", self.stderr);
        self
    }

    /// Insists on an empty standard output.
    #[track_caller]
    pub fn prints_nothing(self) -> Self {
        assert_eq!(self.stdout, "", "stderr:\n{}", self.stderr);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!(
                "no JSON ({error}), exit {}\nstdout:\n{}\nstderr:\n{}",
                self.code, self.stdout, self.stderr
            )
        })
    }
}
