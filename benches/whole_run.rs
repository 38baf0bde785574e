//! Whole runs of `bedtrail report` against the floor, which is inflating the same files and nothing else.
//!
//! `cargo bench --bench whole_run -- --full` makes 300 files of 4 MB (1.2 GB of JSON) and 300,000 files of one or two
//! records once, below `target/`, and then measures in turn, five times: the report, `libdeflate-gunzip -c` on as many
//! cores as there are, and DuckDB where `--duckdb PYTHON` names an interpreter that has it. Without `--full` the
//! corpora are a tenth and a thirtieth of that. Times are printed, never judged; but the report must equal the truth.
//!
//! All are measured with warm caches: the first round is thrown away. Peak memory is what `/proc` tells every 10 ms:
//! the kernel's own high-water mark (`VmHWM`), summed over a process and its children. What grows within the last
//! 10 ms of a process is missed.

#![expect(unreachable_pub, reason = "a bench has no outside")]

#[path = "whole_run/answer.rs"]
mod answer;
#[path = "corpus/mod.rs"]
mod corpus;
#[path = "whole_run/measure.rs"]
mod measure;

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, thread};

use clap::Parser;
use corpus::Corpus;
use corpus::truth::Truth;
use measure::{Run, Runs};

/// DuckDB's best plain answer to the same question: no duplicates removed, no models resolved, no ledger.
const DUCKDB: &str = r#"
import duckdb, sys
rows = duckdb.connect().execute("""
    SELECT r.recipientAccountId AS account_id,
           coalesce(r.userIdentity.sessionContext.sessionIssuer.arn, r.userIdentity.arn) AS principal,
           coalesce(r.requestParameters.modelId, r.requestParameters.model) AS model,
           count(*) AS calls
    FROM (SELECT unnest(Records) AS r
          FROM read_json(?, format = 'auto', maximum_object_size = 134217728, columns = {Records: 'STRUCT(
              eventSource VARCHAR, eventName VARCHAR, eventType VARCHAR, recipientAccountId VARCHAR,
              userIdentity STRUCT(arn VARCHAR, sessionContext STRUCT(sessionIssuer STRUCT(arn VARCHAR))),
              requestParameters STRUCT(modelId VARCHAR, model VARCHAR))[]'}))
    WHERE r.eventSource IN ('bedrock.amazonaws.com', 'bedrock-mantle.amazonaws.com')
      AND r.eventName IN ('InvokeModel', 'InvokeModelWithResponseStream', 'Converse', 'ConverseStream',
                          'CreateInference')
      AND r.eventType = 'AwsApiCall'
    GROUP BY ALL ORDER BY ALL""", [sys.argv[1]]).fetchall()
print(sum(row[3] for row in rows))
"#;

/// Measures whole runs.
#[derive(Parser)]
struct Args {
    /// The full corpora: 1.2 GB of JSON, and 300,000 small files.
    #[arg(long)]
    full: bool,
    /// Another binary than the one just built.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_bedtrail"))]
    bin: PathBuf,
    /// A Python interpreter that has the package `duckdb`.
    #[arg(long)]
    duckdb: Option<PathBuf>,
    /// Rounds that count.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Measure only the corpus of that name: `large` or `small`.
    #[arg(long)]
    only: Option<String>,
    /// Cargo's own flag.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A corpus on disk.
struct Logs {
    name: &'static str,
    root: PathBuf,
    truth: Truth,
    files: Vec<PathBuf>,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args = Args::parse();
    let (large, small) = if args.full { (300, 300_000) } else { (30, 10_000) };
    let corpora = [
        ("large", Corpus { files: large, records: 2500..=2500, ..Corpus::new(1) }),
        ("small", Corpus::small(2, small)),
    ];
    let mut out = io::stdout();
    let mut right = true;
    for (name, corpus) in corpora {
        if args.only.as_deref().is_none_or(|only| only == name) {
            let logs = prepare(name, &corpus, &mut out)?;
            right &= compare(&args, &logs, &mut out)?;
        }
    }
    Ok(if right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes the corpus unless it is there already.
fn prepare(name: &'static str, corpus: &Corpus, out: &mut impl Write) -> Result<Logs, Box<dyn Error>> {
    // A generator that writes something else gives the folder another name.
    let print = corpus.file(0).text.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().ok_or("no target folder")?;
    let folder = target.join(format!("corpus-{name}-{}-{print:08x}", corpus.files));
    let (root, truth) = (folder.join("logs"), folder.join("truth.json"));
    if !truth.exists() {
        writeln!(out, "writing {} ({} files) …", folder.display(), corpus.files)?;
        let written = corpus.write(&root)?;
        fs::write(&truth, serde_json::to_string_pretty(&written)?)?;
    }
    let truth = serde_json::from_str(&fs::read_to_string(&truth)?)?;
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(&root).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() {
            files.push(entry.into_path());
        }
    }
    Ok(Logs { name, root, truth, files })
}

/// Measures everybody on one corpus; whether the report was right.
fn compare(args: &Args, logs: &Logs, out: &mut impl Write) -> Result<bool, Box<dyn Error>> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let folder = tempfile::tempdir()?;
    let (csv, list) = (folder.path().join("usage.csv"), folder.path().join("files"));
    let names: Vec<String> = logs.files.iter().map(|file| format!("{}\0", file.display())).collect();
    fs::write(&list, names.concat())?;
    let gunzip = in_path("libdeflate-gunzip");
    if gunzip.is_none() {
        writeln!(
            out,
            "\n*** libdeflate-gunzip is not in PATH: THE FLOOR IS NOT MEASURED. It is in libdeflate-tools. ***"
        )?;
    }

    let bedtrail = || -> io::Result<Run> {
        let mut command = Command::new(&args.bin);
        command.args(["report", "usage-by-role-model", "--format", "csv", "-s"]).arg(&logs.root);
        measure::run(command.stdout(File::create(&csv)?))
    };
    let floor = |gunzip: &Path| -> io::Result<Run> {
        // A few rounds for each core, so that none waits long for the last.
        let batch = logs.files.len().div_ceil(cores * 8).clamp(1, 1000).to_string();
        let mut command = Command::new("xargs");
        command.args(["-0", "-n", &batch, "-P", &cores.to_string()]).arg(gunzip).arg("-c");
        measure::run(command.stdin(File::open(&list)?).stdout(std::process::Stdio::null()))
    };
    let peer = |python: &Path| -> io::Result<Run> {
        let mut command = Command::new(python);
        command.args(["-c", DUCKDB]).arg(logs.root.join("**/*.json.gz"));
        measure::run(command.stdout(std::process::Stdio::null()))
    };

    let (mut ours, mut theirs, mut duckdb) = (Runs::default(), Runs::default(), Runs::default());
    for round in 0..=args.rounds {
        let ours_run = bedtrail()?;
        let floor_run = gunzip.as_deref().map(floor).transpose()?;
        let duckdb_run = args.duckdb.as_deref().map(peer).transpose()?;
        if round > 0 {
            ours.push(ours_run);
            theirs.extend(done("libdeflate-gunzip", floor_run, out)?);
            duckdb.extend(done("duckdb", duckdb_run, out)?);
        }
    }

    let stored: u64 = logs.files.iter().filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum();
    writeln!(
        out,
        "\n{}: {} files, {} MiB stored, {} records, {} of them kept; {cores} cores, {} rounds",
        logs.name,
        logs.files.len(),
        stored >> 20,
        logs.truth.records.seen,
        logs.truth.records.kept,
        args.rounds
    )?;
    writeln!(out, "{:<28} {:>9} {:>17} {:>9} {:>10}", "", "median s", "range s", "x floor", "peak MiB")?;
    ours.line("bedtrail report", theirs.median(), out)?;
    theirs.line(&format!("libdeflate-gunzip x{cores}"), theirs.median(), out)?;
    duckdb.line("duckdb", theirs.median(), out)?;
    if let (Some(ours), Some(duckdb)) = (ours.median(), duckdb.median()) {
        writeln!(out, "duckdb takes {:.1} times as long", duckdb / ours)?;
    }
    match answer::check(&csv, &logs.truth) {
        Ok(groups) => writeln!(out, "the report equals the truth: {groups} groups")?,
        Err(reason) => {
            writeln!(out, "*** THE REPORT IS WRONG: {reason} ***")?;
            return Ok(false);
        }
    }
    Ok(true)
}

/// A run of another program, if it went well: the time of a failure is no time.
fn done(name: &str, run: Option<Run>, out: &mut impl Write) -> io::Result<Option<Run>> {
    match run {
        Some(run) if !run.status.is_empty() => {
            writeln!(out, "*** {name} failed, {}: not measured ***", run.status)?;
            Ok(None)
        }
        run => Ok(run),
    }
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
