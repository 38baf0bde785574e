//! Queries under way in Athena: so many at a time, counted in bytes, and everything made for them taken away at the end.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::{Asked, answer, literal, locked, place};
use crate::engine::{Error, Result};
use crate::source::api::athena::{Service, State};
use crate::source::api::{ApiError, Wait};
use crate::source::s3::{Session, Url};

/// Queries that run at a time: far fewer than any account may.
const AT_ONCE: usize = 8;
/// How long the end of a run may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// One query that was run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// What it answers: a report, a rule, or what is materialised.
    pub name: String,
    /// Athena's id of it.
    pub execution_id: String,
    /// Bytes it scanned.
    pub scanned: u64,
}

type Answer = Result<Vec<RecordBatch>, Refusal>;

/// Why there is no answer, and whether there will be none to any other query either.
#[derive(Clone, Debug)]
struct Refusal {
    message: String,
    fatal: bool,
}

/// An answer that will come.
#[derive(Debug)]
pub(super) struct Ticket(JoinHandle<Answer>);

/// A table made for the time of the run.
#[derive(Clone, Debug)]
struct Table {
    name: String,
    /// The prefix that holds its files, where it is known.
    files: Option<Url>,
}

#[derive(Debug, Default)]
struct Log {
    submitted: usize,
    told: BTreeMap<usize, Told>,
    /// Bytes scanned so far by what runs, by execution id.
    going: BTreeMap<String, u64>,
    tables: Vec<Table>,
    broken: Option<String>,
}

/// All queries of a run.
#[derive(Debug)]
pub(super) struct Running {
    session: Session,
    shared: Arc<Shared>,
    database: String,
    run: String,
    /// Where results go, if it is known.
    output: Option<Url>,
    /// Whether the workgroup says where tables lie.
    enforced: bool,
    /// Held while what was made is taken away.
    closing: Mutex<()>,
}

#[derive(Debug)]
struct Shared {
    service: Service,
    database: String,
    max_scan: Option<u64>,
    gate: Semaphore,
    log: Mutex<Log>,
    closed: AtomicBool,
}

impl Running {
    pub(super) fn new(
        session: Session,
        service: Service,
        asked: &Asked,
        database: String,
        output: Option<Url>,
        enforced: bool,
    ) -> Self {
        let shared = Shared {
            service,
            database: database.clone(),
            max_scan: asked.max_scan,
            gate: Semaphore::new(AT_ONCE),
            log: Mutex::default(),
            closed: AtomicBool::new(false),
        };
        let run = asked.run.clone();
        Self { session, shared: Arc::new(shared), database, run, output, enforced, closing: Mutex::default() }
    }

    /// Puts a query in line. `schema` is that of its rows; without one none are read.
    pub(super) fn submit(&self, name: &str, statement: &str, schema: Option<SchemaRef>) -> Ticket {
        let number = {
            let mut log = locked(&self.shared.log);
            log.submitted += 1;
            log.submitted
        };
        let shared = Arc::clone(&self.shared);
        let (name, statement) = (name.to_owned(), statement.to_owned());
        Ticket(self.session.handle().spawn(async move {
            let answered = shared.answer(number, &name, &statement, schema).await;
            if let Err(refusal) = &answered
                && refusal.fatal
            {
                locked(&shared.log).broken.get_or_insert_with(|| refusal.message.clone());
            }
            answered
        }))
    }

    /// Waits for an answer.
    pub(super) fn wait(&self, ticket: Ticket) -> Result<Vec<RecordBatch>> {
        let answered = self.session.block_on(ticket.0);
        let answered = answered.map_err(|_| Error::Internal("a query to Athena ended early".to_owned()))?;
        answered.map_err(|refusal| Error::Internal(refusal.message))
    }

    /// A table of the run's own, quoted as in a query, and as in a statement that makes or drops one.
    fn table(&self, relation: &str) -> (String, String) {
        let name = format!("bedtrail_run_{}_{relation}", self.run);
        (format!("{}.{}", literal::name(&self.database), literal::name(&name)), name)
    }

    fn below(&self, relation: &str) -> Option<Url> {
        let output = self.output.as_ref()?;
        let prefix = output.prefix.trim_end_matches('/');
        let slash = if prefix.is_empty() { "" } else { "/" };
        let prefix = format!("{prefix}{slash}bedtrail-run/{}/{relation}/", self.run);
        Some(Url { bucket: output.bucket.clone(), prefix })
    }

    /// Makes a table of a SELECT, which is dropped when the run ends.
    pub(super) fn create(&self, relation: &str, select: &str) -> Result<(String, Told)> {
        let (quoted, name) = self.table(relation);
        let files = self.below(relation).filter(|_| !self.enforced);
        let location = files.as_ref().map_or_else(String::new, |url| {
            format!(
                ", external_location = {}",
                crate::source::api::quoted(&format!("s3://{}/{}", url.bucket, url.prefix))
            )
        });
        let statement = format!("CREATE TABLE {quoted} WITH (format = 'PARQUET'{location}) AS\n{select}");
        // From now on: a query that is cut short may leave files.
        locked(&self.shared.log).tables.push(Table { name: name.clone(), files: files.clone() });
        self.wait(self.submit(relation, &statement, None))?;
        if files.is_none() {
            let found = self.session.block_on(self.shared.service.found(&self.database, &name));
            let location = found.ok().flatten().and_then(|(_, location)| location);
            let mut log = locked(&self.shared.log);
            if let Some(table) = log.tables.iter_mut().find(|table| table.name == name) {
                table.files = location.and_then(|location| Url::parse(&with_slash(&location)).ok());
            }
        }
        let told = self.told().into_iter().rfind(|told| told.name == relation).unwrap_or_default();
        Ok((quoted, told))
    }

    /// Makes a table of rows that are too many for a statement.
    pub(super) fn put(&self, relation: &str, schema: &SchemaRef, batches: &[RecordBatch]) -> Result<String> {
        let number = locked(&self.shared.log).tables.len();
        let relation = format!("{relation}_{number}");
        let Some(url) = self.below(&relation) else {
            return Err(Error::Internal(format!(
                "{relation} is too large for a statement, and there is no place for it; name one with --athena-output s3://bucket/prefix/"
            )));
        };
        let (quoted, name) = self.table(&relation);
        let file = place::parquet(schema, batches)?;
        let object = Url { bucket: url.bucket.clone(), prefix: format!("{}rows.parquet", url.prefix) };
        locked(&self.shared.log).tables.push(Table { name: name.clone(), files: Some(url.clone()) });
        self.session
            .block_on(place::put(&self.session, &object, file))
            .map_err(|error| Error::Internal(error.to_string()))?;
        let mut columns = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            columns.push(format!("`{}` {}", field.name(), place::hive_type(field.data_type())?));
        }
        let statement = format!(
            "CREATE EXTERNAL TABLE `{}`.`{name}` ({}) STORED AS PARQUET LOCATION 's3://{}/{}'",
            self.database,
            columns.join(", "),
            url.bucket,
            url.prefix
        );
        self.wait(self.submit(&relation, &statement, None))?;
        Ok(quoted)
    }

    pub(super) fn told(&self) -> Vec<Told> {
        locked(&self.shared.log).told.values().cloned().collect()
    }

    pub(super) fn broken(&self) -> Option<String> {
        locked(&self.shared.log).broken.clone()
    }

    /// Stops what runs and drops what was made; says what could not be. Once is enough, and whoever comes second waits for it.
    pub(super) fn close(&self) -> Vec<String> {
        let _closing = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.shared.closed.swap(true, Ordering::Relaxed) {
            return Vec::new();
        }
        let (going, tables) = {
            let mut log = locked(&self.shared.log);
            let going: Vec<String> = log.going.keys().cloned().collect();
            (going, std::mem::take(&mut log.tables))
        };
        self.session.block_on(async {
            let done = tokio::time::timeout(PATIENCE, self.drop_all(&going, &tables)).await;
            done.unwrap_or_else(|_| {
                let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
                vec![format!("it took too long to drop {} of {}", names.join(", "), self.database)]
            })
        })
    }

    async fn drop_all(&self, going: &[String], tables: &[Table]) -> Vec<String> {
        for id in going {
            self.shared.service.stop(id).await;
        }
        let mut left = Vec::new();
        for table in tables {
            let statement = format!("DROP TABLE IF EXISTS `{}`.`{}`", self.database, table.name);
            if let Err(refusal) = self.shared.carry_out(None, &table.name, &statement, None).await {
                left.push(format!("{}.{} was not dropped: {}", self.database, table.name, refusal.message));
            }
            if let Some(url) = &table.files
                && let Err(error) = self.session.empty(url).await
            {
                left.push(format!(
                    "files below s3://{}/{} were not removed: {error}",
                    url.bucket, url.prefix
                ));
            }
        }
        left
    }
}

fn with_slash(location: &str) -> String {
    format!("{}/", location.trim_end_matches('/'))
}

impl Shared {
    async fn answer(&self, number: usize, name: &str, statement: &str, schema: Option<SchemaRef>) -> Answer {
        let _permit = self.gate.acquire().await;
        if self.closed.load(Ordering::Relaxed) {
            return Err(over());
        }
        if let Some(message) = locked(&self.log).broken.clone() {
            return Err(Refusal { message, fatal: true });
        }
        if self.over() {
            return Err(self.too_much());
        }
        self.carry_out(Some(number), name, statement, schema).await
    }

    /// Starts a query, waits for its end and reads its rows. Without a number it is none of the run's questions.
    async fn carry_out(
        &self,
        number: Option<usize>,
        name: &str,
        statement: &str,
        schema: Option<SchemaRef>,
    ) -> Answer {
        let target = format!("query {name} on Athena");
        let id =
            self.service.start(statement, &self.database, &target).await.map_err(|error| refused(&error))?;
        locked(&self.log).going.insert(id.clone(), 0);
        // One that was on its way when the run was ended.
        if number.is_some() && self.closed.load(Ordering::Relaxed) {
            self.service.stop(&id).await;
        }
        let ended = self.ended(&id, name, number.is_some()).await;
        let scanned = locked(&self.log).going.remove(&id).unwrap_or(0);
        if let Some(number) = number {
            let told = Told { name: name.to_owned(), execution_id: id.clone(), scanned };
            locked(&self.log).told.insert(number, told);
        }
        // What is cancelled since the run was ended is no failure of its own.
        if number.is_some() && self.closed.load(Ordering::Relaxed) {
            return Err(over());
        }
        ended?;
        match schema {
            Some(schema) => self.rows(&id, name, &schema).await,
            None => Ok(Vec::new()),
        }
    }

    async fn ended(&self, id: &str, name: &str, limited: bool) -> Result<(), Refusal> {
        let target = query(id, name);
        let mut waits = Wait::new(Duration::from_millis(200), Duration::from_secs(2));
        loop {
            let found = self.service.execution(id, &target).await.map_err(|error| refused(&error))?;
            locked(&self.log).going.insert(id.to_owned(), found.scanned);
            match found.state {
                State::Going => {}
                State::Succeeded if limited && self.over() => return Err(self.too_much()),
                State::Succeeded => return Ok(()),
                State::Ended(state, reason) => {
                    return Err(refused(&ApiError::failed(&target, &state, &reason)));
                }
            }
            if limited && self.over() {
                self.service.stop(id).await;
                return Err(self.too_much());
            }
            waits.pass().await;
        }
    }

    async fn rows(&self, id: &str, name: &str, schema: &SchemaRef) -> Answer {
        let target = query(id, name);
        let (mut batches, mut token, mut first) = (Vec::new(), None, true);
        loop {
            let mut page = self.service.page(id, token, &target).await.map_err(|error| refused(&error))?;
            // The first row of a SELECT's answer says what its columns are called.
            if std::mem::take(&mut first) && !page.rows.is_empty() {
                page.rows.remove(0);
            }
            if !page.rows.is_empty() {
                let batch = answer::batch(schema, &page.rows);
                batches.push(batch.map_err(|error| Refusal { message: error.to_string(), fatal: false })?);
            }
            token = page.next;
            if token.is_none() {
                return Ok(batches);
            }
        }
    }

    fn over(&self) -> bool {
        let log = locked(&self.log);
        let done: u64 = log.told.values().map(|told| told.scanned).sum();
        let going: u64 = log.going.values().sum();
        self.max_scan.is_some_and(|limit| done + going > limit)
    }

    fn too_much(&self) -> Refusal {
        let limit = self.max_scan.unwrap_or(0);
        Refusal {
            message: format!(
                "Athena's queries scanned more than the {limit} bytes of --max-scan; ask for less time, or raise it"
            ),
            fatal: true,
        }
    }
}

/// A query as errors name it.
fn query(id: &str, name: &str) -> String {
    format!("query {id} ({name})")
}

fn over() -> Refusal {
    Refusal { message: "the run was ended".to_owned(), fatal: true }
}

/// A permission that is missing or a session that is over stays so for every other query.
fn refused(error: &ApiError) -> Refusal {
    Refusal { message: error.to_string(), fatal: error.fatal() || matches!(error, ApiError::Denied { .. }) }
}
