//! `bedtrail athena ddl`: the statements that Athena needs, printed and run.

use super::{account_name, times};
use crate::cli;
use crate::clock::{self, Clock, Window};
use crate::command::trail::{put, query_failure};
use crate::command::version::Versions;
use crate::command::{Failure, listing, print, say};
use crate::data;
use crate::engine::athena::adopt;
use crate::engine::athena::ddl::{self, Apply, Layout, Standing, Statement};
use crate::engine::{Engine, Limits};
use crate::exit::Code;
use crate::ingest::store::ddl as store;
use crate::policy;
use crate::source::Extent;
use crate::source::api::athena::{Service, Table};
use crate::source::s3::Session;

/// Runs the subcommand.
pub(in crate::command) fn run(given: &cli::Ddl) -> Result<Code, Failure> {
    let system = clock::System.now_micros();
    let now = given.now.as_deref().map_or(Ok(system), |text| clock::parse_when(text, system));
    let now = now.map_err(Failure::usage)?;
    let window =
        clock::parse_window(given.from.as_deref(), given.to.as_deref(), now).map_err(Failure::usage)?;
    if given.location.is_none() && given.adopt.is_none() && given.store.is_none() {
        return Err(Failure::usage(
            "nothing to make: say where the trail writes, which table there is, or where a store is",
        )
        .help("--location s3://bucket/prefix/AWSLogs, --adopt DATABASE.TABLE, --store s3://bucket/prefix"));
    }
    ddl::identifier(&given.database).map_err(Failure::usage)?;
    let connect = given.apply || given.adopt.is_some();
    let session = connect.then(|| Session::open(given.aws.access())).transpose().map_err(Failure::failed)?;
    let service = session.as_ref().map(|session| {
        let api = &given.api;
        let [catalog, workgroup, output] =
            [&api.athena_catalog, &api.athena_workgroup, &api.athena_output].map(Option::as_deref);
        Service::new(session, catalog, workgroup, output)
    });
    let mut statements = Vec::new();
    let table = match (&given.adopt, &given.location, &session, &service) {
        (Some(name), _, Some(session), Some(service)) => {
            Some(session.block_on(service.table(name)).map_err(listing::refusal)?)
        }
        (_, Some(location), ..) => {
            let made = ddl::table(&given.database, &given.table, &layout(given, location, &window)?);
            let made = made.map_err(Failure::usage)?;
            let table = own(given, &made);
            let sql = format!("CREATE DATABASE IF NOT EXISTS {}", given.database);
            statements.push(Statement { what: format!("the database {}", given.database), sql });
            statements.push(made);
            Some(table)
        }
        _ => None,
    };
    if let Some(place) = &given.store {
        ddl::identifier(&given.store_table).map_err(Failure::usage)?;
        let full = format!("{}.{}", given.database, given.store_table);
        let plain = store::create(place, &given.store_table).map_err(Failure::usage)?;
        let sql = plain.trim().trim_end_matches(';').replacen(
            "CREATE EXTERNAL TABLE ",
            &format!("CREATE EXTERNAL TABLE IF NOT EXISTS {}.", given.database),
            1,
        );
        statements.push(Statement { what: format!("the table {full} over the store {place}"), sql });
    }
    let view = table.map(|table| select(given, &table, &window, now)).transpose()?;
    if let Some(select) = &view {
        let made = ddl::view(&given.database, &given.view, select, given.replace).map_err(Failure::usage)?;
        statements.push(made);
    }
    let mut text = String::new();
    for statement in &statements {
        text = format!("{text}-- {}\n{};\n\n", statement.what, statement.sql);
    }
    if let (true, Some(session), Some(service)) = (given.apply, session, service) {
        let apply = Apply::new(session, service);
        for statement in &statements {
            let is_view = statement.what.starts_with("the view ");
            if let (true, Some(select)) = (is_view, &view)
                && !free(&apply, given, select)?
            {
                continue;
            }
            apply.run(&given.database, &statement.sql, &statement.what).map_err(listing::refusal)?;
            say(&format!("{} is there", statement.what));
        }
        return Ok(Code::Clean);
    }
    print(text.trim_end_matches('\n'))?;
    print("\n").map(|()| Code::Clean)
}

/// Whether the view is to be made: one that is there stays, unless it is to be replaced.
fn free(apply: &Apply, given: &cli::Ddl, select: &str) -> Result<bool, Failure> {
    let name = format!("{}.{}", given.database, given.view);
    match apply.standing(&given.database, &given.view, select).map_err(listing::refusal)? {
        Standing::Free => Ok(true),
        Standing::Same => {
            say(&format!("the view {name} is there, and is this one"));
            Ok(false)
        }
        Standing::Other(_) if given.replace => Ok(true),
        Standing::Other(version) => Err(Failure::usage(format!(
            "the view {name} is of another version ({version}; this is {}): it stays as it is",
            ddl::version(select)
        ))
        .help("--replace puts this one in its place; --view gives this one another name")),
        Standing::Foreign => Err(Failure::usage(format!("{name} is there and is no view of bedtrail's"))
            .help("give the view another name with --view, or another database with --database")),
    }
}

fn layout(given: &cli::Ddl, location: &str, window: &Window) -> Result<Layout, Failure> {
    if given.accounts.is_empty() {
        return Err(Failure::usage("the accounts are not given: the table reckons its partitions from them")
            .help("name each with --account; `aws organizations list-accounts` tells them"));
    }
    let regions = if given.regions.is_empty() {
        let all = data::regions().map_err(Failure::failed)?;
        all.into_iter().filter(|region| region.partition == "aws").map(|region| region.name).collect()
    } else {
        given.regions.clone()
    };
    let first = window.from.map_or_else(
        || "2023/01/01".to_owned(),
        |from| clock::format_micros(from).chars().take(10).collect::<String>().replace('-', "/"),
    );
    Ok(Layout { location: location.to_owned(), accounts: given.accounts.clone(), regions, from: first })
}

/// The table that the statement makes, as the catalogue will show it.
fn own(given: &cli::Ddl, made: &Statement) -> Table {
    Table::of_statement(&given.database, &given.table, &made.sql)
}

/// The relation `events` over a table.
fn select(given: &cli::Ddl, table: &Table, window: &Window, now: i64) -> Result<String, Failure> {
    let limits = Limits { memory: 64 << 20, spill_dir: None, partitions: 1 };
    let mut engine = Engine::new(limits).map_err(Failure::failed)?;
    for (name, batch) in policy::empty_relations() {
        put(&engine, name, batch)?;
    }
    if let Some(path) = &given.policy {
        Versions::load(path, window, now)?.register(&mut engine, now)?;
    }
    let environment = engine.environment("e.account_id").map_err(query_failure)?;
    let mut conditions = Vec::new();
    if let Some(from) = window.from {
        let extent =
            Extent { from: Some(from), to: window.to, late_days: given.late_days, ..Extent::default() };
        // Without an end the view goes on: only the beginning bounds its days.
        let to = window.to.unwrap_or(now.saturating_add(FAR));
        let (bounds, notes) = table.bounds(&extent, from, to, given.late_days);
        for note in &notes {
            say(&format!("note: {note}"));
        }
        conditions.extend(bounds);
    } else {
        say("note: without --from the view reads everything that there is, and Athena bills it each time");
    }
    if window.from.is_some() || window.to.is_some() {
        conditions.push(times(table, window.from, window.to));
    }
    let adopted = adopt(table, &conditions, &environment, &account_name(None));
    if !adopted.missing.is_empty() {
        let missing: Vec<&str> = adopted.missing.iter().map(String::as_str).collect();
        say(&format!(
            "note: the table lacks {}: columns of events that rest on them are null",
            missing.join(", ")
        ));
    }
    Ok(adopted.sql)
}

/// Further than any view is asked: twenty years, in microseconds.
const FAR: i64 = 20 * 366 * 86_400_000_000;
