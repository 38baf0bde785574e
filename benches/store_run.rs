//! Buckets and stores, measured: what reading from S3 costs beside reading files, what collecting takes, and how long a
//! report over a store is.
//!
//! `cargo bench --bench store_run -- --full` measures, each several times:
//!
//! - `latency`: `report usage-by-role-model` over 300 files of 4 MB (1.2 GB of JSON), from disk and from an S3 server that
//!   answers every request 30 ms late;
//! - `collect`: collecting 300,000 files of one or two records from that server, and collecting again with nothing new;
//! - `report`: the same report over a store of 10 million Bedrock events, and the same SQL on DuckDB over the same Parquet,
//!   where `--duckdb PYTHON` names an interpreter that has it.
//!
//! Without `--full` the corpora are a tenth, a thirtieth and a hundredth of that. The server runs in this process and checks
//! signatures; its work is part of the clock's time but not of the program's seconds of processors. Times are printed, never
//! judged, but every answer must be the same. The least of the rounds is shown: others may use the machine.

#![expect(unreachable_pub, reason = "a bench has no outside")]

#[path = "../tests/integration/bucket.rs"]
#[expect(dead_code, reason = "tests use all of it")]
mod bucket;
#[path = "corpus/mod.rs"]
mod corpus;
#[path = "whole_run/measure.rs"]
mod measure;

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use bucket::{BUCKET, Fault, KEY, SECRET, Server};
use clap::Parser;
use corpus::Corpus;
use measure::{Run, Runs};

/// How late the server answers.
const LATENCY: Duration = Duration::from_millis(30);

/// DuckDB on the report's own SQL and the views below it, over the Parquet of the store. Of the other relations, `query --tables`
/// tells the columns; all are empty here but the models that the program knows.
const DUCKDB: &str = "
import duckdb, subprocess, sys
program, store, queries = sys.argv[1:]
def told(*words):
    return subprocess.run([program, 'query', *words], capture_output=True, text=True, check=True).stdout
c = duckdb.connect()
c.execute('CREATE MACRO array_join(a, s) AS array_to_string(a, s)')
c.execute('CREATE MACRO json_extract_scalar(a, s) AS json_extract_string(a, s)')
c.execute(f\"CREATE VIEW events AS SELECT * FROM read_parquet('{store}/events/*/*.parquet')\")
views = ['model_references', 'model_calls', 'call_tokens', 'usage']
types = {'text': 'VARCHAR', 'int': 'BIGINT', 'bool': 'BOOLEAN', 'time': 'TIMESTAMP'}
for block in told('--tables').split('\\n\\n'):
    name, *lines = block.strip('\\n').split('\\n')
    columns = [line.split()[:2] for line in lines if line.startswith('    ')]
    columns = ', '.join(f'{column} {types.get(kind, \"VARCHAR\")}' for column, kind in columns)
    if columns and name not in ['events', *views]:
        c.execute(f'CREATE TABLE {name} ({columns})')
c.execute('DROP TABLE ref_model')
models = told('SELECT * FROM ref_model', '-s', store, '-f', 'csv', '-q')
with open(store + '.models.csv', 'w') as file:
    file.write(models)
c.execute(f\"CREATE TABLE ref_model AS SELECT * FROM read_csv('{store}.models.csv', header = true)\")
for view in views:
    c.execute(f'CREATE VIEW {view} AS ' + open(f'{queries}/views/{view}.sql').read())
rows = c.execute(open(f'{queries}/reports/usage-by-role-model.sql').read()).fetchall()
print(len(rows), sum(row[5] for row in rows))
";

/// Measures buckets and stores.
#[derive(Parser)]
struct Args {
    /// The full corpora: 1.2 GB of JSON, 300,000 small files, 10 million events.
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
    /// Measure only that: `latency`, `collect` or `report`.
    #[arg(long)]
    only: Option<String>,
    /// Where corpora are kept; below `target/` by default.
    #[arg(long)]
    corpora: Option<PathBuf>,
    /// Cargo's own flag.
    #[arg(long, hide = true)]
    bench: bool,
}

type Done = Result<(), Box<dyn Error>>;
type Part = fn(&Args, &mut dyn Write) -> Done;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args = Args::parse();
    let mut out = io::stdout();
    let parts: [(&str, Part); 3] = [("latency", latency), ("collect", collect), ("report", report)];
    for (name, part) in parts {
        if args.only.as_deref().is_none_or(|only| only == name) {
            part(&args, &mut out)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a corpus unless it is there already; its folder.
fn prepare(args: &Args, name: &str, corpus: &Corpus, out: &mut dyn Write) -> Result<PathBuf, Box<dyn Error>> {
    // A generator that writes something else gives the folder another name.
    let print = corpus.file(0).text.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().ok_or("no target folder")?;
    let place = args.corpora.as_deref().unwrap_or(target);
    let folder = place.join(format!("corpus-{name}-{}-{print:08x}", corpus.files));
    if !folder.join("truth.json").exists() {
        writeln!(out, "writing {} ({} files) …", folder.display(), corpus.files)?;
        let truth = corpus.write(&folder.join("logs"))?;
        fs::write(folder.join("truth.json"), serde_json::to_string_pretty(&truth)?)?;
    }
    Ok(folder)
}

fn program(args: &Args, arguments: &[&str]) -> Command {
    let mut command = Command::new(&args.bin);
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
    command
}

/// The same, with access to the server.
fn remote(args: &Args, server: &Server, arguments: &[&str]) -> Command {
    let mut command = program(args, arguments);
    command.args(["--endpoint-url", &server.url, "--path-style"]);
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("NO_PROXY", "127.0.0.1"),
    ] {
        command.env(name, value);
    }
    command
}

fn late(folder: &Path) -> Server {
    Server::faulty(folder, |_, _| Some(Fault::Waits(LATENCY)))
}

/// A run that ended well: what failed is no time.
fn sound(run: Run) -> io::Result<Run> {
    if run.status.is_empty() { Ok(run) } else { Err(io::Error::other(run.status)) }
}

fn line(name: &str, runs: &Runs, out: &mut dyn Write) -> io::Result<()> {
    let (seconds, processor) = (runs.least().unwrap_or(f64::NAN), runs.processor());
    writeln!(out, "{name:<36} {seconds:>9.3} {processor:>11.2} {:>9}", runs.peak())
}

fn head(title: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{title}\n{:<36} {:>9} {:>11} {:>9}", "", "least s", "processor s", "peak MiB")
}

const REPORT: [&str; 5] = ["report", "usage-by-role-model", "--format", "csv", "--quiet"];

fn latency(args: &Args, out: &mut dyn Write) -> Done {
    let files = if args.full { 300 } else { 30 };
    let corpus = Corpus { files, records: 2500..=2500, ..Corpus::new(1) };
    let logs = prepare(args, "large", &corpus, out)?.join("logs");
    let server = late(&logs);
    let folder = tempfile::tempdir()?;
    let (here, there) = (folder.path().join("here.csv"), folder.path().join("there.csv"));
    let (mut local, mut bucket) = (Runs::default(), Runs::default());
    for round in 0..=args.rounds {
        let mut command = program(args, &REPORT);
        let one = sound(measure::run(command.arg("-s").arg(&logs).stdout(File::create(&here)?))?)?;
        let mut command = remote(args, &server, &REPORT);
        command.args(["-s", &format!("s3://{BUCKET}")]).stdout(File::create(&there)?);
        let other = sound(measure::run(&mut command)?)?;
        if fs::read(&here)? != fs::read(&there)? {
            return Err("the report of the bucket is not that of the files".into());
        }
        // The first round warms the caches.
        if round > 0 {
            local.push(one);
            bucket.push(other);
        }
    }
    head(&format!("usage-by-role-model over {files} files of 4 MB, {} rounds", args.rounds), out)?;
    line("from files", &local, out)?;
    line("from S3, 30 ms late", &bucket, out)?;
    if let (Some(local), Some(bucket)) = (local.least(), bucket.least()) {
        writeln!(out, "S3 takes {:.2} times as long", bucket / local)?;
    }
    Ok(())
}

fn collect(args: &Args, out: &mut dyn Write) -> Done {
    let files = if args.full { 300_000 } else { 10_000 };
    let logs = prepare(args, "small", &Corpus::small(2, files), out)?.join("logs");
    let folder = tempfile::tempdir()?;
    let store = folder.path().join("store");
    let source = format!("s3://{BUCKET}");
    let server = late(&logs);
    let run = || -> io::Result<(Runs, usize, usize)> {
        let before = server.counts();
        let mut command =
            remote(args, &server, &["collect", "--quiet", "-s", &source, "--from", "2026-01-01"]);
        let mut runs = Runs::default();
        runs.push(sound(measure::run(command.arg("--store").arg(&store).stdout(Stdio::null()))?)?);
        let after = server.counts();
        Ok((runs, after.0 - before.0, after.1 - before.1))
    };
    let (first, second) = (run()?, run()?);
    head(&format!("collecting {files} small files from S3, 30 ms late"), out)?;
    for (name, (runs, lists, gets)) in [("the first time", first), ("with nothing new", second)] {
        line(name, &runs, out)?;
        writeln!(out, "    {lists} LIST and {gets} GET")?;
    }
    Ok(())
}

fn report(args: &Args, out: &mut dyn Write) -> Done {
    let files = if args.full { 4000 } else { 40 };
    let corpus = Corpus { files, records: 2500..=2500, bedrock: 1000, side_files: false, ..Corpus::new(3) };
    let folder = prepare(args, "bedrock", &corpus, out)?;
    let store = folder.join("store");
    let logs = folder.join("logs");
    let collected = program(args, &["collect", "--quiet", "--compact", "--store"])
        .arg(&store)
        .arg("-s")
        .arg(&logs)
        .status()?;
    if !collected.success() {
        return Err("the logs could not be collected".into());
    }
    let temporary = tempfile::tempdir()?;
    let here = temporary.path().join("here.csv");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries");
    let (mut ours, mut duckdb) = (Runs::default(), Runs::default());
    for round in 0..=args.rounds {
        let mut command = program(args, &REPORT);
        let one = sound(measure::run(command.arg("-s").arg(&store).stdout(File::create(&here)?))?)?;
        let other = match &args.duckdb {
            Some(python) => {
                let mut command = Command::new(python);
                command.args(["-c", DUCKDB]).arg(&args.bin).arg(&store).arg(&root);
                let told = temporary.path().join("told");
                let run = sound(measure::run(command.stdout(File::create(&told)?))?)?;
                agree(&here, &fs::read_to_string(told)?)?;
                Some(run)
            }
            None => None,
        };
        if round > 0 {
            ours.push(one);
            duckdb.extend(other);
        }
    }
    let info = program(args, &["store", "info"]).arg(&store).output()?.stdout;
    head(&format!("usage-by-role-model over a store, {} rounds", args.rounds), out)?;
    for told in String::from_utf8_lossy(&info).lines().filter(|line| line.starts_with(['e', 'f'])) {
        writeln!(out, "    {told}")?;
    }
    line("bedtrail report", &ours, out)?;
    if duckdb.least().is_some() {
        line("duckdb, the same SQL", &duckdb, out)?;
    }
    Ok(())
}

/// DuckDB's groups and calls are the report's.
fn agree(csv: &Path, told: &str) -> Done {
    let (mut groups, mut calls) = (0_u64, 0_u64);
    for row in csv::Reader::from_path(csv)?.records() {
        groups += 1;
        calls += row?.get(5).unwrap_or_default().parse::<u64>()?;
    }
    let ours = format!("{groups} {calls}");
    if told.trim() == ours { Ok(()) } else { Err(format!("DuckDB says {told}, not {ours}").into()) }
}
