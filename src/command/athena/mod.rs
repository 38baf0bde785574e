//! Amazon Athena in place of this machine: the trail whose `events` lie there.

pub(super) mod ddl;
mod scope;

use std::collections::BTreeSet;

use arrow::array::{Array as _, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};

pub(super) use scope::{Foreseen, Part, at_once};

use super::history::Asked as History;
use super::trail::{NEARBY_EVENTS, Prepared, Tables, Trail, query_failure, scans};
use super::{Failure, listing, reference, say, scratch};
use crate::cli::{self, Input};
use crate::clock::{self, Clock, Window};
use crate::config::Organization;
use crate::decode::record::NEARBY;
use crate::engine::athena::{
    Adopted, Asked, Athena, Beside, Frame, Told, Window as Materialised, adopt, expression,
};
use crate::engine::{Answered, Engine, schema};
use crate::event::column::Field;
use crate::ingest::ledger::{Balance, Ledger};
use crate::output::{Caveat, manifest};
use crate::source::Extent;
use crate::source::api::athena::{Table, Workgroup};
use crate::source::api::hive::Type;
use crate::source::api::{Api, quoted};
use crate::source::s3::Session;

/// Days before the window that are its baseline.
const BASELINE: i64 = 90;
const DAY: i64 = 86_400_000_000;
/// What Athena asks for a terabyte in most Regions, in dollars, and the least that it counts for a query.
const DOLLARS: f64 = 5.0;
const LEAST: u64 = 10 << 20;

/// Events by their kind.
const KINDS: &str = "SELECT record_kind, CAST(COUNT(*) AS BIGINT) AS events FROM events GROUP BY record_kind ORDER BY record_kind NULLS LAST";

/// A session with Athena. When it ends, however it ends, what was made in it is dropped.
pub(super) struct Asking {
    pub(super) athena: Athena,
    table: String,
    database: String,
    workgroup: Workgroup,
    kept: Vec<(String, i64)>,
    quiet: bool,
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.end();
    }
}

impl Asking {
    /// Drops what was made, and says what could not be.
    pub(super) fn end(&self) {
        for left in self.athena.close() {
            say(&format!("warning: {left}"));
        }
    }

    /// An error if something happened that no query could get over.
    pub(super) fn sound(&self) -> Result<(), Failure> {
        match self.athena.broken() {
            None => Ok(()),
            Some(message) => Err(Failure::failed(message)),
        }
    }

    /// Says what was scanned, and what that costs.
    pub(super) fn say_cost(&self) {
        if !self.quiet {
            say(&format!("note: {}", cost(&self.athena.told())));
        }
    }

    /// The lines under every report.
    pub(super) fn footer(&self) -> Vec<String> {
        let all: i64 = self.kept.iter().map(|(_, events)| events).sum();
        let kinds: Vec<String> = self.kept.iter().map(|(kind, events)| format!("{events} {kind}")).collect();
        let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
        vec![
            format!("Amazon Athena read {all} events{kinds} from {}.", self.table),
            "What was read and not kept is not counted: Athena shows no ledger of log objects.".to_owned(),
        ]
    }

    /// How many records were kept, by their kind.
    pub(super) fn balance(&self) -> Balance {
        let of = |kind: &str| {
            let found = self.kept.iter().find(|(name, _)| name == kind);
            found.and_then(|(_, events)| u64::try_from(*events).ok()).unwrap_or(0)
        };
        Balance {
            kept: self.kept.iter().filter_map(|(_, events)| u64::try_from(*events).ok()).sum(),
            api_calls: of("api_call"),
            service_events: of("service_event"),
            network_activity: of("network_activity"),
            shared_copies: of("shared_copy"),
            ..Balance::default()
        }
    }

    /// What was run, for the manifest.
    pub(super) fn described(&self) -> manifest::Athena {
        let told = self.athena.told();
        manifest::Athena {
            table: self.table.clone(),
            database: self.database.clone(),
            workgroup: self.workgroup.name.clone(),
            scanned_bytes: told.iter().map(|told| told.scanned).sum(),
            queries: told
                .into_iter()
                .map(|told| manifest::Query {
                    name: told.name,
                    execution_id: told.execution_id,
                    scanned_bytes: told.scanned,
                })
                .collect(),
        }
    }
}

/// What queries scanned, and the price of it.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn cost(told: &[Told]) -> String {
    let scanned: u64 = told.iter().map(|told| told.scanned).sum();
    let billed: u64 = told.iter().filter(|told| told.scanned > 0).map(|told| told.scanned.max(LEAST)).sum();
    let dollars = billed as f64 / (1u64 << 40) as f64 * DOLLARS;
    format!(
        "Athena scanned {scanned} bytes in {} queries: about {dollars:.4} USD at {DOLLARS} USD a terabyte, 10 MB at least for each query",
        told.len()
    )
}

/// The table that is asked.
fn given(input: &Input) -> Result<&str, Failure> {
    let help = "give one table with -s athena:DATABASE.TABLE, as --engine athena reads it";
    let wrong = |message: &str| Failure::usage(message).help(help);
    if input.store.is_some() && input.sources.is_empty() {
        return Err(wrong("--engine athena reads no store: a table over one has the events as they are"));
    }
    let [source] = &input.sources[..] else {
        return Err(wrong("--engine athena reads one table"));
    };
    let Some((Api::Athena, table)) = Api::of(source) else {
        return Err(wrong(&format!("--engine athena cannot read {source}")));
    };
    if input.scope != cli::Scope::Default {
        return Err(Failure::usage("--engine athena has the default scope only")
            .help("read the logs themselves with --scope agents"));
    }
    if input.keep_content {
        return Err(Failure::usage(
            "--engine athena hides what callers put in by hand: --keep-content is not for it",
        ));
    }
    Ok(table)
}

/// A time before the window's beginning is asked for, since without one everything would be scanned.
fn begins(source: &str, window: &Window) -> Result<i64, Failure> {
    window.from.ok_or_else(|| {
        Failure::usage(format!(
            "athena:{source} needs --from: the service bills what a query scans, and without a beginning that is all there is"
        ))
    })
}

/// Checks what can be checked before anything is asked.
pub(super) fn check(input: &Input, window: &Window) -> Result<(), Failure> {
    begins(given(input)?, window).map(drop)
}

/// The trail of a table: the window is materialised, and `queries` can be asked.
pub(super) fn open(
    prepared: Prepared,
    input: &Input,
    answering: &cli::Answering,
    queries: &[String],
    also: &[Field],
) -> Result<Trail, Failure> {
    let source = given(input)?;
    let from = begins(source, &prepared.window)?;
    let (tables, mut wanted) = scans(&prepared.engine, queries, also)?;
    wanted = wanted.union(crate::event::builder::FieldSet::of(&[Field::EventTime, Field::RecordKind]));
    let session = Session::open(input.aws.access()).map_err(Failure::failed)?;
    let asked = Asked {
        catalog: input.api.athena_catalog.clone(),
        workgroup: input.api.athena_workgroup.clone(),
        output: input.api.athena_output.clone(),
        database: answering.athena_database.clone(),
        max_scan: input.api.max_scan.map(|size| size as u64),
        // Two runs at the same time have tables of their own.
        run: format!("{:x}_{}", clock::System.now_micros(), std::process::id()),
    };
    let (athena, table, workgroup) = Athena::open(session, &asked, source).map_err(listing::refusal)?;
    scratch::before_interrupt(athena.closer());
    let mut asking = Asking {
        athena,
        table: format!("athena:{source}"),
        database: answering.athena_database.clone().unwrap_or_else(|| table.database.clone()),
        workgroup,
        kept: Vec::new(),
        quiet: input.quiet,
    };
    let Prepared { engine, policy, versions, rules, own, window, now, organization, scratch, .. } = prepared;
    let note = |text: &str| {
        if !input.quiet {
            say(&format!("note: {text}"));
        }
    };
    table.notes.iter().chain(&asking.workgroup.notes()).for_each(|text| note(text));
    if asked.max_scan.is_none() && asking.workgroup.cutoff.is_none() {
        note("Athena bills what a query scans: --max-scan sets a limit");
    }
    let environment = engine.environment("e.account_id").map_err(Failure::failed)?;
    let names = account_name(organization.as_ref().filter(|_| wanted.contains(Field::AccountName)));
    let to = window.to.unwrap_or(now);
    let asks = Ask { table: &table, input, environment: &environment, names: &names };
    // Service events just outside the window are read with it, if a query asks for them.
    let schema = schema::schema(schema::NEARBY_SERVICE_EVENTS);
    let margin = if tables.contains_key(NEARBY_EVENTS) { NEARBY } else { 0 };
    let (adopted, notes) = asks.adopt(from, to, margin);
    for text in &notes {
        note(text);
    }
    let mut columns: BTreeSet<String> = wanted.iter().map(|field| field.name().to_owned()).collect();
    let within = stretch("", from, to);
    let beside = (margin > 0).then(|| {
        columns.extend(schema.fields().iter().map(|field| field.name().clone()));
        let mut condition = asks.conditions(from - margin, to.saturating_add(margin));
        condition.push("e.record_kind = 'service_event'".to_owned());
        Beside { relation: NEARBY_EVENTS, schema, condition: condition.join(" AND "), within: &within }
    });
    note(&format!("reading the window of athena:{source} into a table of this run"));
    let told = asking
        .athena
        .materialise(&Materialised {
            relation: "events",
            adopted: &adopted,
            conditions: asks.conditions(from, to),
            columns,
            beside,
        })
        .map_err(query_failure)?;
    note(&format!("query {} scanned {} bytes", told.execution_id, told.scanned));
    let past = History {
        engine: &engine,
        input,
        versions: versions.as_ref(),
        organization: organization.as_ref(),
        window: &window,
        now,
        scratch: scratch.path(),
        follow: None,
    };
    let earlier = |asking: &mut Asking, tables: &Tables| match baseline(asking, &asks, &engine, tables, from)?
    {
        Some(line) => Ok(Some(line)),
        None => past.fill(tables, None).map(|found| found.line),
    };
    let lines = earlier(&mut asking, &tables)?;
    if tables.contains_key(reference::VIEW) {
        if input.history.is_some() && !tables.contains_key("history") {
            let calls =
                asking.athena.run(&engine, "calls of unknown models", reference::OPEN, &Frame::default());
            if reference::open(&calls.map_err(query_failure)?) {
                earlier(&mut asking, &reference::scans(&engine, &tables)?)?;
            }
        }
        asking.athena.keep(&engine, reference::VIEW).map_err(query_failure)?;
    }
    let logs = super::invocation::fill(&engine, input, &window, now, &tables)?;
    asking.kept = kinds(
        &asking.athena.run(&engine, "events by kind", KINDS, &Frame::default()).map_err(query_failure)?,
    )?;
    let balance = asking.balance();
    let mut blind = listing::blind(&input.sources);
    blind.extend(blanks(&adopted));
    Ok(Trail {
        engine,
        policy,
        versions,
        window,
        now,
        rules,
        own,
        ledger: Ledger::default(),
        balance,
        passed: listing::Passed::default(),
        blind,
        silent: Vec::new(),
        followed: None,
        logs,
        baseline: lines,
        stored: Vec::new(),
        lacks: Vec::new(),
        asking: Some(asking),
        _scratch: scratch,
    })
}

/// What is asked of the table.
struct Ask<'a> {
    table: &'a Table,
    input: &'a Input,
    environment: &'a str,
    names: &'a str,
}

impl Ask<'_> {
    /// The relation over the table in a stretch of time, with so much before and after it, and what is to be said of it.
    fn adopt(&self, from: i64, to: i64, margin: i64) -> (Adopted, Vec<String>) {
        let extent = Extent {
            from: Some(from),
            to: Some(to),
            accounts: self.input.accounts.clone(),
            regions: self.input.regions.clone(),
            late_days: self.input.late_days,
        };
        let (mut conditions, mut notes) = self.table.bounds(&extent, from, to, self.input.late_days);
        let within = times(self.table, Some(from.saturating_sub(margin)), Some(to.saturating_add(margin)));
        // What an update supersedes may lie within when the update itself does not.
        conditions.push(match expression(self.table, "addendum.reason") {
            Some(reason) => format!("({within} OR {reason} = 'UPDATED_DATA')"),
            None => within,
        });
        let adopted = adopt(self.table, &conditions, self.environment, self.names);
        let inner: Vec<&str> = adopted.missing.iter().map(String::as_str).collect();
        if !inner.is_empty() {
            let table = format!("athena:{}.{}", self.table.database, self.table.name);
            notes.push(format!("{table} lacks {}: what rests on them is not assessed", inner.join(", ")));
        }
        (adopted, notes)
    }

    /// The same stretch, exactly, and the accounts and Regions asked for.
    fn conditions(&self, from: i64, to: i64) -> Vec<String> {
        let mut all = vec![stretch("e.", from, to)];
        for (column, values) in [("account_id", &self.input.accounts), ("aws_region", &self.input.regions)] {
            if !values.is_empty() {
                let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
                all.push(format!("e.{column} IN ({})", values.join(", ")));
            }
        }
        all
    }
}

/// That an event lies in a stretch of time; `of` is what stands before its column.
fn stretch(of: &str, from: i64, to: i64) -> String {
    let time = |at: i64| clock::format_micros(at).replace('T', " ").trim_end_matches('Z').to_owned();
    format!("{of}event_time >= TIMESTAMP '{}' AND {of}event_time < TIMESTAMP '{}'", time(from), time(to))
}

/// The event time of a table's records within a stretch, in the type that the table gives it.
fn times(table: &Table, from: Option<i64>, to: Option<i64>) -> String {
    let time = |at: i64| match table.type_of("eventtime") {
        Some(Type::Scalar(kind)) if kind.starts_with("timestamp") => {
            format!("TIMESTAMP '{}'", clock::format_micros(at).replace('T', " ").trim_end_matches('Z'))
        }
        // Text of one form: it sorts as time does.
        _ => quoted(&clock::format_micros(at)),
    };
    let bounds = [
        from.map(|at| format!("r.eventtime >= {}", time(at))),
        to.map(|at| format!("r.eventtime < {}", time(at))),
    ];
    let bounds: Vec<String> = bounds.into_iter().flatten().collect();
    if bounds.is_empty() { "TRUE".to_owned() } else { bounds.join(" AND ") }
}

/// Materialises what was before the window, if a table is named for it; the line that tells of it.
fn baseline(
    asking: &mut Asking,
    asks: &Ask<'_>,
    engine: &Engine,
    tables: &Tables,
    from: i64,
) -> Result<Option<String>, Failure> {
    let Some((Api::Athena, source)) = asks.input.history.as_deref().and_then(Api::of) else {
        return Ok(None);
    };
    let Some(columns) = tables.get("history") else { return Ok(None) };
    if format!("athena:{source}") != asking.table {
        return Err(Failure::usage(format!("--history athena:{source} is not the table that is read"))
            .help("with --engine athena it is the same one, or a store or logs"));
    }
    let earlier = from - BASELINE * DAY;
    let (adopted, _) = asks.adopt(earlier, from, 0);
    let mut columns: BTreeSet<String> = columns.clone();
    columns.insert(Field::EventTime.name().to_owned());
    let conditions = asks.conditions(earlier, from);
    asking
        .athena
        .materialise(&Materialised {
            relation: "history",
            adopted: &adopted,
            conditions,
            columns,
            beside: None,
        })
        .map_err(query_failure)?;
    let sql = "SELECT CAST(COUNT(*) AS BIGINT) AS events FROM history";
    let found = asking.athena.run(engine, "baseline", sql, &Frame::default()).map_err(query_failure)?;
    let events = found.iter().find(|batch| batch.num_rows() > 0);
    let events = events.map_or(0, |batch| batch.column(0).as_primitive::<Int64Type>().value(0));
    Ok(Some(format!(
        "The baseline is {events} events of the {BASELINE} days before the window; they count nowhere else."
    )))
}

/// The organisation's names of accounts as an expression.
fn account_name(organization: Option<&Organization>) -> String {
    let names = organization.map(|organization| &organization.names);
    let cases: Vec<String> = names
        .into_iter()
        .flatten()
        .map(|(account, name)| format!("WHEN e.account_id = {} THEN {}", quoted(account), quoted(name)))
        .collect();
    if cases.is_empty() {
        "CAST(NULL AS VARCHAR)".to_owned()
    } else {
        format!("CASE {} END", cases.join(" "))
    }
}

/// What the table does not record.
fn blanks(adopted: &Adopted) -> Vec<Caveat> {
    let mut caveats = vec![Caveat::new(
        "ledger",
        "Athena shows no log objects: what was delivered, refused or twice there is not told, and rules that need it are not assessed.",
    )];
    if !adopted.missing.is_empty() {
        let missing: Vec<&str> = adopted.missing.iter().map(String::as_str).collect();
        caveats.push(Caveat::new(
            "table columns",
            format!("The table lacks {}: what rests on them is not assessed.", missing.join(", ")),
        ));
    }
    caveats
}

fn kinds(batches: &[RecordBatch]) -> Result<Vec<(String, i64)>, Failure> {
    let mut found = Vec::new();
    for batch in batches {
        let names = cast(batch.column(0), &DataType::Utf8).map_err(Failure::failed)?;
        let (names, counts) = (names.as_string::<i32>(), batch.column(1).as_primitive::<Int64Type>());
        for row in 0..batch.num_rows() {
            let name = if names.is_null(row) { "unknown" } else { names.value(row) };
            found.push((name.to_owned(), counts.value(row)));
        }
    }
    Ok(found)
}

/// Rows at hand as an answer.
pub(super) fn answered(batches: Vec<RecordBatch>) -> Result<Answered, Failure> {
    let schema = batches.first().map(RecordBatch::schema);
    let schema = schema.ok_or_else(|| Failure::failed("internal error: a query gave no batch"))?;
    Ok(Answered::new(schema, batches))
}

impl Trail {
    /// Answers a query of ours, where the events lie.
    pub(super) fn run(&self, name: &str, sql: &str) -> Result<Vec<RecordBatch>, Failure> {
        let answered = match &self.asking {
            None => self.engine.run(sql),
            Some(asking) => asking.athena.run(&self.engine, name, sql, &Frame::default()),
        };
        answered.map_err(query_failure)
    }

    /// The same for an answer that may be large.
    pub(super) fn answer(&self, name: &str, sql: &str) -> Result<Answered, Failure> {
        match &self.asking {
            None => self.engine.answer(sql).map_err(query_failure),
            Some(_) => self.run(name, sql).and_then(answered),
        }
    }

    /// Answers a user's query, its rows in a total order.
    pub(super) fn query(&self, sql: &str) -> Result<Answered, Failure> {
        match &self.asking {
            None => self.engine.query_answer(sql).map_err(query_failure),
            Some(asking) => asking.athena.query(&self.engine, sql).map_err(query_failure).and_then(answered),
        }
    }

    /// Has queries of ours answered at the same time, where that is of use.
    pub(super) fn foresee<'q>(
        &self,
        queries: impl Iterator<Item = (&'q str, &'q str)>,
    ) -> Result<(), Failure> {
        let Some(asking) = &self.asking else { return Ok(()) };
        let all: Vec<_> =
            queries.map(|(name, sql)| (name.to_owned(), sql.to_owned(), Frame::default())).collect();
        asking.athena.foresee(&self.engine, &all).map_err(query_failure)
    }
}
