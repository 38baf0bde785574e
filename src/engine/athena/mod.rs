//! Amazon Athena as the engine: the window is read once into a table, every question is put to that, then it is dropped.
//!
//! ```text
//! adopt ──SELECT──▶ materialise (CTAS) ──▶ statement ──▶ running ──pages──▶ answer ──RecordBatch──▶
//!  the user's table      our table           views, literals   Athena           Arrow
//! ```
//!
//! Calls block, as those of [`Engine`] do.

mod adopt;
mod answer;
pub mod ddl;
mod literal;
mod place;
mod policy;
mod running;
mod statement;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

pub use adopt::{Adopted, adopt, expression};
pub use running::Told;
pub use statement::Frame;

use self::running::{Running, Ticket};
use self::statement::Table as Made;
use super::{Engine, Error, Result, check_portable};
use crate::source::api::ApiError;
use crate::source::api::athena::{Service, Table, Workgroup};
use crate::source::s3::{Session, Url};

/// The relations that say what became of log objects: Athena shows none.
const LEDGER: [&str; 3] = ["coverage", "objects", "refusals"];

/// The relations made of the user's table.
const EVENTS: [&str; 2] = ["events", "history"];

/// How Athena is asked.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Its data catalogue.
    pub catalog: Option<String>,
    /// Its workgroup.
    pub workgroup: Option<String>,
    /// Where results go, `s3://…`.
    pub output: Option<String>,
    /// The database in which tables are made for the time of the run; that of the table otherwise.
    pub database: Option<String>,
    /// Bytes that all queries may scan together.
    pub max_scan: Option<u64>,
    /// What tells the tables of this run from those of others.
    pub run: String,
}

/// A session of questions to Athena.
#[derive(Debug)]
pub struct Athena {
    running: Arc<Running>,
    made: statement::Made,
    /// Columns of `events` that rest on what the user's table lacks, with that.
    unknown: BTreeMap<&'static str, String>,
    /// Large relations that have become tables, by name and version.
    tables: Mutex<BTreeMap<(String, Option<usize>), String>>,
    /// Queries that were started before anybody waits for them.
    foreseen: Mutex<BTreeMap<String, Ticket>>,
    /// What queries read: each is looked at several times in the course of a run.
    scans: Mutex<BTreeMap<String, Arc<Scans>>>,
    /// Statements of queries, but for those that read what changes.
    prepared: Mutex<BTreeMap<(String, Frame), (String, SchemaRef)>>,
}

/// Tables with the columns read of them.
type Scans = BTreeMap<String, BTreeSet<String>>;

/// What is materialised.
#[derive(Debug)]
pub struct Window<'w> {
    /// `events` or `history`.
    pub relation: &'static str,
    /// The relation over the user's table.
    pub adopted: &'w Adopted,
    /// Conditions on the columns of `events`.
    pub conditions: Vec<String>,
    /// The columns that queries read.
    pub columns: BTreeSet<String>,
    /// Rows beside it that are materialised with it, for a relation of their own.
    pub beside: Option<Beside<'w>>,
}

/// Rows of `events` just outside the window.
#[derive(Debug)]
pub struct Beside<'w> {
    /// The relation made of them.
    pub relation: &'static str,
    /// Its columns, of those of `events`.
    pub schema: SchemaRef,
    /// Which rows they are: a condition on the columns of `events`, with which `conditions` need not hold.
    pub condition: String,
    /// What tells the rows of the window from them, on the columns materialised.
    pub within: &'w str,
}

impl Athena {
    /// Looks at the workgroup and the table; nothing is scanned.
    pub fn open(session: Session, asked: &Asked, given: &str) -> Result<(Self, Table, Workgroup), ApiError> {
        let service = Service::new(
            &session,
            asked.catalog.as_deref(),
            asked.workgroup.as_deref(),
            asked.output.as_deref(),
        );
        let target = format!("athena:{given}");
        let table = session.block_on(service.table(given))?;
        let workgroup = match session.block_on(service.workgroup(&target)) {
            Ok(workgroup) => workgroup,
            // It prescribes what it prescribes, also to those who may not look.
            Err(ApiError::Denied { .. }) => {
                Workgroup { name: asked.workgroup.clone().unwrap_or_default(), ..Workgroup::default() }
            }
            Err(error) => return Err(error),
        };
        let output = if workgroup.enforced { workgroup.output.clone() } else { asked.output.clone() };
        let output = output.or_else(|| workgroup.output.clone());
        let output = output.and_then(|output| Url::parse(&output).ok());
        let database = asked.database.clone().unwrap_or_else(|| table.database.clone());
        let running = Running::new(session, service, asked, database, output, workgroup.enforced);
        let athena = Self {
            running: Arc::new(running),
            made: statement::Made::new(),
            unknown: BTreeMap::new(),
            tables: Mutex::default(),
            foreseen: Mutex::default(),
            scans: Mutex::default(),
            prepared: Mutex::default(),
        };
        Ok((athena, table, workgroup))
    }

    /// Reads the window of the user's table into one of ours.
    pub fn materialise(&mut self, window: &Window<'_>) -> Result<Told> {
        let schema = statement::events();
        let columns: BTreeSet<String> = schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .filter(|name| window.columns.contains(name))
            .collect();
        let list: Vec<String> = columns.iter().map(|column| format!("e.{}", literal::name(column))).collect();
        let within = window.conditions.join(" AND ");
        let some = match &window.beside {
            Some(beside) if !within.is_empty() => format!("\nWHERE ({within}) OR ({})", beside.condition),
            _ if within.is_empty() => String::new(),
            _ => format!("\nWHERE {within}"),
        };
        let select =
            format!("SELECT {}\nFROM (\n{}\n) AS e{some}", list.join(", "), window.adopted.sql.trim_end());
        let (quoted, told) = self.running.create(window.relation, &select)?;
        if let Some(beside) = &window.beside {
            let (quoted, schema) = (quoted.clone(), Arc::clone(&beside.schema));
            let only = Some(format!("NOT ({})", beside.within));
            self.made.insert(beside.relation, Made { quoted, schema, columns: columns.clone(), only });
        }
        let only = window.beside.as_ref().map(|beside| beside.within.to_owned());
        self.made.insert(window.relation, Made { quoted, schema, columns, only });
        if window.relation == "events" {
            self.unknown = window.adopted.unknown().map(|(column, path)| (column, path.to_owned())).collect();
        }
        Ok(told)
    }

    /// Answers a view that is held into a table of ours, over all that was materialised: see [`Engine::hold`].
    pub fn keep(&mut self, engine: &Engine, view: &'static str) -> Result<Told> {
        let schema = Arc::new(engine.plan(&format!("SELECT * FROM {view}"))?.schema().as_arrow().clone());
        let mut list = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            let name = literal::name(field.name());
            list.push(format!("CAST(v.{name} AS {}) AS {name}", literal::type_name(field.data_type())?));
        }
        let sql = format!("SELECT {} FROM {view} AS v", list.join(", "));
        let select = self.written(engine, &sql, &Frame::default())?;
        let (quoted, told) = self.running.create(view, &select)?;
        let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
        self.made.insert(view, Made { quoted, schema, columns, only: None });
        Ok(told)
    }

    fn scans(&self, engine: &Engine, sql: &str) -> Result<Arc<Scans>> {
        if let Some(known) = locked(&self.scans).get(sql) {
            return Ok(Arc::clone(known));
        }
        let scans = Arc::new(engine.scans(&[sql])?);
        locked(&self.scans).insert(sql.to_owned(), Arc::clone(&scans));
        Ok(scans)
    }

    /// Whether a query is answered by what was materialised, rather than by what the program knows itself.
    fn asks(&self, engine: &Engine, sql: &str) -> Result<bool> {
        Ok(self.scans(engine, sql)?.keys().any(|table| self.made.contains_key(table.as_str())))
    }

    /// Why what a query asks is not to be known here; none where it is.
    pub fn unknowable(&self, engine: &Engine, sql: &str) -> Option<String> {
        let scans = self.scans(engine, sql).ok()?;
        if let Some(ledger) = LEDGER.iter().find(|table| scans.contains_key(**table)) {
            return Some(format!(
                "it reads the ledger of log objects ({ledger}), which Athena does not show: run it without --engine athena"
            ));
        }
        let columns = EVENTS.iter().filter_map(|table| scans.get(*table)).flatten();
        let lacking: BTreeMap<&str, &str> = columns
            .filter_map(|column| self.unknown.get_key_value(column.as_str()))
            .map(|(column, path)| (path.as_str(), *column))
            .collect();
        let (path, column) = lacking.first_key_value()?;
        Some(format!("the table has no column {path}, on which {column} rests"))
    }

    /// Starts queries whose answers will be asked for, so many at a time.
    pub fn foresee(&self, engine: &Engine, queries: &[(String, String, Frame)]) -> Result<()> {
        for (name, sql, frame) in queries {
            if *frame == Frame::default() && !self.asks(engine, sql)? {
                continue;
            }
            let (statement, schema) = self.prepare(engine, sql, frame)?;
            let mut foreseen = locked(&self.foreseen);
            foreseen
                .entry(statement)
                .or_insert_with_key(|statement| self.running.submit(name, statement, Some(schema)));
        }
        Ok(())
    }

    /// Answers a query of ours, one that is known as `name`.
    pub fn run(&self, engine: &Engine, name: &str, sql: &str, frame: &Frame) -> Result<Vec<RecordBatch>> {
        if *frame == Frame::default() && !self.asks(engine, sql)? {
            return engine.run(sql);
        }
        let (statement, schema) = self.prepare(engine, sql, frame)?;
        let foreseen = locked(&self.foreseen).remove(&statement);
        let ticket = foreseen.unwrap_or_else(|| self.running.submit(name, &statement, Some(schema.clone())));
        let mut batches = self.running.wait(ticket)?;
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(answer::nullable(&schema)));
        }
        Ok(batches)
    }

    /// Answers a user's query, its rows in a total order. One that is not portable is refused before it costs anything.
    pub fn query(&self, engine: &Engine, sql: &str) -> Result<Vec<RecordBatch>> {
        portable(sql)?;
        if !self.asks(engine, sql)? {
            return engine.query(sql)?.collect_all();
        }
        self.run(engine, "query", &engine.ordered(sql)?, &Frame::default())
    }

    fn prepare(&self, engine: &Engine, sql: &str, frame: &Frame) -> Result<(String, SchemaRef)> {
        let key = (sql.to_owned(), frame.clone());
        if let Some(known) = locked(&self.prepared).get(&key) {
            return Ok(known.clone());
        }
        let made = self.write(engine, sql, frame)?;
        if !self.scans(engine, sql)?.keys().any(|table| CHANGING.contains(&table.as_str())) {
            locked(&self.prepared).insert(key, made.clone());
        }
        Ok(made)
    }

    fn write(&self, engine: &Engine, sql: &str, frame: &Frame) -> Result<(String, SchemaRef)> {
        let schema = Arc::new(engine.plan(sql)?.schema().as_arrow().clone());
        Ok((self.written(engine, sql, frame)?, schema))
    }

    /// The statement of a query; relations that are too large for it become tables.
    fn written(&self, engine: &Engine, sql: &str, frame: &Frame) -> Result<String> {
        let statement = engine.statement(sql, frame, &self.made)?;
        let mut tables = BTreeMap::new();
        for relation in statement.large() {
            let key = (relation.name.clone(), frame.era);
            let known = locked(&self.tables).get(&key).cloned();
            let table = match known {
                // What the rules found changes in the course of a run; nothing else does.
                Some(table) if !CHANGING.contains(&relation.name.as_str()) => table,
                _ => {
                    let table = self.running.put(&relation.name, &relation.schema, &relation.batches)?;
                    locked(&self.tables).insert(key, table.clone());
                    table
                }
            };
            tables.insert(relation.name.clone(), table);
        }
        let text = statement.text(&tables);
        if text.len() > statement::LONGEST {
            return Err(Error::Internal(format!(
                "the statement would have {} bytes, and Athena takes 262,144: run it without --engine athena",
                text.len()
            )));
        }
        Ok(text)
    }

    /// What was run, in the order in which it was asked for.
    pub fn told(&self) -> Vec<Told> {
        self.running.told()
    }

    /// What no later query could get over: credentials, permissions, the limit of bytes.
    pub fn broken(&self) -> Option<String> {
        self.running.broken()
    }

    /// What ends the session from elsewhere, for an interrupt.
    pub fn closer(&self) -> impl Fn() + Send + use<> {
        let running = Arc::clone(&self.running);
        move || drop(running.close())
    }

    /// Stops what runs and drops what was made; says what could not be.
    pub fn close(&self) -> Vec<String> {
        self.running.close()
    }
}

/// Relations whose rows change in the course of a run.
const CHANGING: [&str; 2] = ["findings", "rule_results"];

/// A query that does not mean the same on both engines is an error that says where and why.
pub fn portable(sql: &str) -> Result<()> {
    match check_portable(sql).into_iter().next() {
        None => Ok(()),
        Some(objection) => Err(Error::Sql {
            message: objection.message,
            line: (objection.line > 0).then_some(objection.line),
            column: (objection.line > 0).then_some(objection.column),
            help: Some("on Athena only what means the same on both engines is run".to_owned()),
        }),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
