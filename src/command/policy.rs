//! `bedtrail policy`: a start, commented or made of what is observed, a check, and what an SCP says.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

use arrow::array::{Array as _, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};

use super::judge::Judgement;
use super::trail::{self, Prepared, Trail, query_failure};
use super::version::Versions;
use super::{Failure, print, say, setting};
use crate::cli::{self, Input, Told};
use crate::clock::{Clock as _, System, Window};
use crate::engine::{self, Engine};
use crate::exit::Code;
use crate::output::{sarif, shown};
use crate::policy::draft::{self, Use};
use crate::policy::{self, Problem, ProblemKind, scp};

/// Calls alike in all that a policy could say of them; a denied one is no use.
const USES: &str = "SELECT e.account_id AS account_id, COALESCE(e.role_arn, e.principal) AS caller, \
     COALESCE(e.model_id, e.model_requested) AS model, e.activity AS activity, e.aws_region AS region, \
     MIN(r.geography) AS geography, CAST(COUNT(*) AS BIGINT) AS calls, MAX(e.event_time) AS last \
     FROM model_calls AS e LEFT JOIN call_tokens AS t ON t.account_id = e.account_id \
     AND t.request_id = e.request_id AND t.log_object = e.log_object AND t.log_index = e.log_index \
     LEFT JOIN ref_region AS r ON r.region = COALESCE(e.inference_region, t.inference_region, e.aws_region) \
     WHERE e.outcome <> 'denied' \
     GROUP BY 1, 2, 3, 4, 5, r.geography ORDER BY 1, 2, 3, 4, 5, 6";

/// How often each allow entry covers something.
const ENTRIES: &str = "SELECT policy_version, allow_id, CAST(COUNT(*) AS BIGINT) AS events, MAX(event_time) AS last \
     FROM allowances GROUP BY 1, 2 ORDER BY 1, 2";

/// What several entries cover.
const SEVERAL: &str = "SELECT policy_version, entries, CAST(COUNT(*) AS BIGINT) AS events FROM (\
     SELECT policy_version, log_object, log_index, array_join(array_agg(DISTINCT allow_id ORDER BY allow_id), ', ') AS \
     entries, COUNT(DISTINCT allow_id) AS number FROM allowances GROUP BY 1, 2, 3) AS e \
     WHERE number > 1 GROUP BY 1, 2 ORDER BY 1, 2";

/// Runs the subcommand.
pub(super) fn run(arguments: &cli::Policy) -> Result<Code, Failure> {
    match arguments {
        cli::Policy::Init { from_usage: false, input } => {
            if !input.sources.is_empty() {
                return Err(Failure::usage("-s is read with --from-usage only"));
            }
            print(policy::TEMPLATE)?;
            Ok(Code::Clean)
        }
        cli::Policy::Init { from_usage: true, input } => from_usage(input),
        cli::Policy::Check { file, format: Told::Text, input } => check(file, input),
        cli::Policy::Check { file, format: Told::Sarif, input } => sarif(file, input),
        cli::Policy::ImportScp { file } => import(file),
    }
}

/// Checks every version, and what they cover if there is something to read.
fn check(file: &Path, input: &Input) -> Result<Code, Failure> {
    let (notes, valid) = checked(file, input)?;
    for note in &notes {
        say(&format!("note: {note}"));
    }
    print(&valid)?;
    if input.sources.is_empty() && input.store.is_none() {
        return Ok(Code::Clean);
    }
    let input = Input { policy: Some(file.to_owned()), ..input.clone() };
    cover(&input)
}

/// The same as a SARIF document. What is wrong is said on standard error as well, and the exit code is the same.
fn sarif(file: &Path, input: &Input) -> Result<Code, Failure> {
    if !input.sources.is_empty() || input.store.is_some() {
        return Err(Failure::usage(
            "SARIF tells what is wrong with the files alone: leave -s and --store out",
        ));
    }
    match checked(file, input) {
        Ok((notes, _)) => print(&sarif::document(&notes)?).map(|()| Code::Clean),
        Err(failure) => {
            let whole = || Problem {
                kind: ProblemKind::Invalid,
                file: file.display().to_string(),
                line: 0,
                column: 0,
                message: failure.message.clone(),
                help: failure.help.clone(),
            };
            let problems = if failure.problems.is_empty() { vec![whole()] } else { failure.problems.clone() };
            print(&sarif::document(&problems)?)?;
            Err(failure)
        }
    }
}

/// The notes on every version, and a line for each that it is valid.
fn checked(file: &Path, input: &Input) -> Result<(Vec<Problem>, String), Failure> {
    let (mut notes, mut valid) = (Vec::new(), String::new());
    let now = System.now_micros();
    let versions = Versions::load(file, &Window::default(), now)?;
    let limits = engine::Limits { memory: 64 << 20, spill_dir: None, partitions: 1 };
    let engine = Engine::new(limits).map_err(Failure::failed)?;
    let own = crate::rule::folder::read(&input.rules).map_err(Failure::usage)?;
    for policy in versions.timeline().versions().iter().chain(versions.timeline().pending()) {
        let rules = trail::rules(&own, Some(policy), &engine)?;
        setting::check_rules(policy, rules)?;
        setting::check_conditions(policy, &engine)?;
        let absent = setting::absent_rules(policy, rules)?;
        notes.extend(policy.notes().iter().cloned().chain(absent));
        let (file, name, version, sha256) = (policy.file(), policy.name(), policy.version(), policy.sha256());
        let line = format!("{file}: policy {name} version {version} is valid, sha256 {sha256}");
        valid.push_str(&shown(&line));
        valid.push('\n');
    }
    Ok((notes, valid))
}

/// What the entries and waivers of a policy cover.
fn cover(input: &Input) -> Result<Code, Failure> {
    let prepared = Prepared::new(input)?;
    let Some(versions) = prepared.versions.clone() else { return Ok(Code::Clean) };
    let mut waivers = Vec::new();
    for (_, waiver) in versions.timeline().waivers() {
        waivers.push((waiver.id.clone(), setting::covered(waiver)?));
    }
    let mut queries = vec![ENTRIES.to_owned(), SEVERAL.to_owned()];
    queries.extend(waivers.iter().map(|(_, sql)| sql.clone()));
    let trail = prepared.open(input, &queries, &Judgement::COLUMNS, false)?;
    let mut out = String::new();
    let mut counts: BTreeMap<(String, String), (i64, String)> = BTreeMap::new();
    rows(&trail, ENTRIES, 2, |texts, number, last| {
        counts.insert((text(texts, 0), text(texts, 1)), (number, last));
    })?;
    for policy in versions.used() {
        for grant in policy.allow() {
            let key = (policy.version().to_owned(), grant.id.clone());
            let whose =
                format!("allow {} of version {}", grant.id.escape_debug(), policy.version().escape_debug());
            let _ = match counts.get(&key) {
                Some((number, last)) => writeln!(out, "{whose}: {number} events, last {last}"),
                None => writeln!(out, "{whose}: covers no event"),
            };
        }
    }
    for (id, sql) in &waivers {
        let mut number = 0;
        rows(&trail, sql, 0, |_, events, _| number = events)?;
        let covers = if number == 0 { "covers no event".to_owned() } else { format!("{number} events") };
        let _ = writeln!(out, "waiver {}: {covers}", id.escape_debug());
    }
    rows(&trail, SEVERAL, 2, |texts, number, _| {
        let _ = writeln!(
            out,
            "{number} events are covered by several allow entries of version {}: {}",
            text(texts, 0).escape_debug(),
            text(texts, 1).escape_debug()
        );
    })?;
    print(&out)?;
    Ok(if trail.complete() { Code::Clean } else { Code::Incomplete })
}

/// A policy made of what is observed.
fn from_usage(input: &Input) -> Result<Code, Failure> {
    if input.policy.is_some() {
        return Err(Failure::usage("a policy is made here: leave --policy out"));
    }
    let prepared = Prepared::new(input)?;
    let trail = prepared.open(input, &[USES.to_owned()], &Judgement::COLUMNS, false)?;
    let mut uses = Vec::new();
    rows(&trail, USES, 6, |texts, calls, last| {
        let some = |at: usize| texts.get(at).cloned().flatten();
        uses.push(Use {
            account: some(0),
            caller: some(1).unwrap_or_default(),
            model: some(2),
            activity: some(3).unwrap_or_default(),
            region: some(4),
            geography: some(5),
            calls,
            last,
        });
    })?;
    let calls: i64 = uses.iter().map(|one| one.calls).sum();
    let mut basis = format!("{calls} model invocations and batch jobs that were not refused");
    if let Some(to) = uses.iter().map(|one| one.last.as_str()).max() {
        let _ = write!(basis, ", the last at {to}");
    }
    let version = crate::clock::format_micros(trail.now);
    let version = version.split('T').next().unwrap_or(&version);
    print(&draft::draft(&uses, version, &basis))?;
    Ok(if trail.complete() { Code::Clean } else { Code::Incomplete })
}

/// An SCP as a policy file.
fn import(file: &Path) -> Result<Code, Failure> {
    let unread = |error| Failure::usage(format!("cannot read {}: {error}", file.display()));
    let json = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(unread)?;
        text
    } else {
        std::fs::read_to_string(file).map_err(unread)?
    };
    let name =
        file.file_name().map_or_else(|| "standard input".to_owned(), |name| name.to_string_lossy().into());
    let text = scp::import(&json, &name)
        .map_err(|error| Failure::usage(format!("{} cannot be imported: {error}", file.display())))?;
    print(&text)?;
    Ok(Code::Clean)
}

/// The rows of a query: so many texts, then a number, then a time if there is one.
fn rows(
    trail: &Trail,
    sql: &str,
    texts: usize,
    mut each: impl FnMut(&[Option<String>], i64, String),
) -> Result<(), Failure> {
    for batch in trail.engine.run(sql).map_err(query_failure)? {
        let column = |at: usize, kind: &DataType| cast(batch.column(at), kind).map_err(Failure::failed);
        let cells = (0..texts).map(|at| column(at, &DataType::Utf8)).collect::<Result<Vec<_>, _>>()?;
        let numbers = column(texts, &DataType::Int64)?;
        for row in 0..RecordBatch::num_rows(&batch) {
            let cell = |array: &arrow::array::ArrayRef| {
                let array = array.as_string::<i32>();
                array.is_valid(row).then(|| array.value(row).to_owned())
            };
            let cells: Vec<Option<String>> = cells.iter().map(cell).collect();
            let last = match batch.columns().get(texts + 1) {
                Some(times) => {
                    let times = cast(times, &DataType::Int64).map_err(Failure::failed)?;
                    crate::clock::format_micros(times.as_primitive::<Int64Type>().value(row))
                }
                None => String::new(),
            };
            each(&cells, numbers.as_primitive::<Int64Type>().value(row), last);
        }
    }
    Ok(())
}

fn text(texts: &[Option<String>], at: usize) -> String {
    texts.get(at).cloned().flatten().unwrap_or_default()
}
