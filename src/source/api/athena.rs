//! `athena:DATABASE.TABLE`: a CloudTrail table that somebody has made, by StartQueryExecution and its kin.
//!
//! The catalogue says which columns and partition keys there are: tables differ in SerDe, in age and in partitioning.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_athena::Client;
use aws_sdk_athena::types::{QueryExecutionContext, QueryExecutionState, ResultConfiguration, Row};
use tokio::sync::mpsc::Sender;

use super::column::Selection;
use super::error::ApiError;
use super::hive::Type;
use super::part::{Form, Gone, Parts};
use super::partition::{Key, partitions};
use super::relevant::{Names, condition, quoted};
use super::slice::{Slice, days, whole};
use super::{Running, Setting, Shared, Wait};
use crate::clock;
use crate::event::scope::Scope;
use crate::source::feed::Word;
use crate::source::s3::Session;
use crate::source::{Extent, LogObject, Place};

/// How long after a day's end the last of its files are there.
const LAG: i64 = 24 * 3_600_000_000;
/// Rows of one answer, at most.
const ROWS: i32 = 1000;
/// How often a query waits for others of the account to end.
const TURNS: usize = 30;

/// Without these a table tells nothing of who did what, when and where.
const REQUIRED: [&str; 6] = ["awsregion", "eventid", "eventname", "eventsource", "eventtime", "useridentity"];
/// Without these some of our columns are not recorded.
const USEFUL: [&str; 9] = [
    "additionaleventdata",
    "errorcode",
    "recipientaccountid",
    "requestid",
    "requestparameters",
    "resources",
    "responseelements",
    "sourceipaddress",
    "useragent",
];

/// A query under way, which an interrupt stops.
#[derive(Debug, Clone)]
pub(super) struct Query {
    client: Client,
    id: String,
}

impl Query {
    /// Stops it; one that has ended already needs none.
    pub(super) async fn cancel(&self) {
        let _ = self.client.stop_query_execution().query_execution_id(&self.id).send().await;
    }
}

/// A table.
#[derive(Debug)]
pub(super) struct Athena {
    client: Client,
    catalog: String,
    database: String,
    table: String,
    workgroup: Option<String>,
    output: Option<String>,
    columns: Vec<(String, Type)>,
    keys: Vec<Key>,
    parameters: BTreeMap<String, String>,
    selection: Selection,
    slices: Vec<Slice>,
    extent: Extent,
    late_days: i64,
    hold: bool,
    shared: Arc<Shared>,
}

impl Athena {
    /// Looks the table up in its catalogue.
    pub(super) async fn new(
        session: &Session,
        given: &str,
        setting: &Setting,
        extent: &Extent,
        shared: Arc<Shared>,
    ) -> Result<Self, ApiError> {
        let source_name = format!("athena:{given}");
        let Some((database, table)) = given.split_once('.') else {
            return Err(ApiError::Source { given: source_name, form: "athena:DATABASE.TABLE" });
        };
        let Some(from) = extent.from else { return Err(ApiError::Endless { source_name }) };
        let client = Client::new(session.config());
        let catalog = setting.catalog.clone().unwrap_or_else(|| "AwsDataCatalog".to_owned());
        let asked = client
            .get_table_metadata()
            .catalog_name(&catalog)
            .database_name(database)
            .table_name(table)
            .set_work_group(setting.workgroup.clone())
            .send()
            .await
            .map_err(|error| ApiError::of(&error, "athena:GetTableMetadata", &source_name))?;
        let Some(metadata) = asked.table_metadata else {
            return Err(ApiError::failed(&source_name, "GetTableMetadata", "no such table"));
        };
        let mut columns = Vec::new();
        for column in metadata.columns.unwrap_or_default() {
            let kind = column.r#type.as_deref().unwrap_or("string");
            match Type::parse(kind) {
                Some(kind) => columns.push((column.name.to_ascii_lowercase(), kind)),
                None => shared.note(format!(
                    "{source_name}: column {} is passed over, its type is {kind}",
                    column.name
                )),
            }
        }
        let lacks = |names: &[&str]| -> Vec<String> {
            let there = |name: &&&str| !columns.iter().any(|(column, _)| column == *name);
            names.iter().filter(there).map(|name| (*name).to_owned()).collect()
        };
        let missing = lacks(&REQUIRED);
        if !missing.is_empty() {
            return Err(ApiError::Columns { table: source_name, missing: missing.join(", ") });
        }
        let missing = lacks(&USEFUL);
        if !missing.is_empty() {
            shared.note(format!(
                "{source_name} has no columns {}: what they hold is not recorded",
                missing.join(", ")
            ));
        }
        let keys: Vec<Key> = metadata
            .partition_keys
            .unwrap_or_default()
            .into_iter()
            .map(|key| {
                let kind = key.r#type.unwrap_or_else(|| "string".to_owned()).to_ascii_lowercase();
                (key.name.to_ascii_lowercase(), kind)
            })
            .collect();
        let parameters: BTreeMap<String, String> =
            metadata.parameters.unwrap_or_default().into_iter().collect();
        let to = extent.to.unwrap_or(setting.now).min(setting.now);
        let bounds = partitions(&keys, &parameters, extent, from, to, setting.late_days);
        if !bounds.unknown.is_empty() {
            shared.note(format!(
                "{source_name}: nothing is known of the partition keys {}",
                bounds.unknown.join(", ")
            ));
        }
        if !bounds.days {
            shared.note(format!(
                "{source_name} is not partitioned by day as far as is known: the query scans all of it"
            ));
        }
        shared.note(match setting.max_scan {
            Some(limit) => format!("Athena bills what a query scans: it is stopped beyond {limit} bytes"),
            None => "Athena bills what a query scans: --max-scan sets a limit".to_owned(),
        });
        let slices = if setting.hold && bounds.days {
            days(from, to, setting.now, LAG, None)
        } else {
            vec![whole(from, to, setting.now)]
        };
        let selection = Selection::of(&columns, true);
        Ok(Self {
            client,
            catalog,
            database: database.to_owned(),
            table: table.to_owned(),
            workgroup: setting.workgroup.clone(),
            output: setting.output.clone(),
            columns,
            keys,
            parameters,
            selection,
            slices,
            extent: extent.clone(),
            late_days: setting.late_days,
            hold: setting.hold,
            shared,
        })
    }

    fn slice_name(&self, slice: &Slice) -> String {
        format!("athena:{}.{}/{}", self.database, self.table, slice.name)
    }

    /// What would be read.
    pub(super) fn list(&self) -> Vec<LogObject> {
        let name = |slice: &Slice| format!("{}/{}0001", self.slice_name(slice), super::REBUILT);
        self.slices.iter().map(|slice| LogObject::new(name(slice), Place::Fed)).collect()
    }

    /// Reads the slices that are wanted, one after the other.
    pub(super) async fn read(self: Arc<Self>, wanted: Arc<BTreeSet<String>>, out: Sender<Word>) {
        for slice in &self.slices {
            let name = self.slice_name(slice);
            let listed = format!("{name}/{}0001", super::REBUILT);
            if wanted.contains(&listed) && self.slice(slice, &name, &out).await.is_err() {
                return;
            }
        }
    }

    async fn slice(&self, slice: &Slice, name: &str, out: &Sender<Word>) -> Result<(), Gone> {
        let mut parts = Parts::new(name, Form::Rebuilt, self.hold, out);
        match self.query(slice, name, &mut parts).await? {
            Ok(()) => parts.complete().await,
            Err(error) if error.fatal() => {
                let _ = out.send(Err(error.to_string())).await;
                Err(Gone)
            }
            Err(error) => parts.floor(&error.to_string()).await,
        }
    }

    fn statement(&self, slice: &Slice) -> String {
        let type_of =
            |name: &str| self.columns.iter().find(|(column, _)| column == name).map(|(_, kind)| kind);
        let there = |name: &str| type_of(name).is_some();
        let identity = |field: &str, key: &str| match type_of("useridentity") {
            Some(Type::Struct(fields)) if fields.iter().any(|(one, _)| one == field) => {
                Some(format!("\"useridentity\".\"{field}\""))
            }
            Some(Type::Scalar(_)) => Some(format!("json_extract_scalar(\"useridentity\", '$.{key}')")),
            _ => None,
        };
        let (invoked_by, user) = (identity("invokedby", "invokedBy"), identity("username", "userName"));
        let names = Names {
            source: "\"eventsource\"",
            name: "\"eventname\"",
            invoked_by: invoked_by.as_deref(),
            user: user.as_deref(),
            address: Some("\"sourceipaddress\"").filter(|_| there("sourceipaddress")),
            region: "\"awsregion\"",
            account: Some("\"recipientaccountid\"").filter(|_| there("recipientaccountid")),
        };
        let time = |micros: i64| match type_of("eventtime") {
            Some(Type::Scalar(kind)) if kind.starts_with("timestamp") => {
                format!("TIMESTAMP '{}'", clock::format_micros(micros).replace('T', " ").replace('Z', ""))
            }
            // Text of one form: it sorts as time does.
            _ => quoted(&clock::format_micros(micros)),
        };
        let mut all =
            partitions(&self.keys, &self.parameters, &self.extent, slice.from, slice.to, self.late_days)
                .conditions;
        all.push(format!("\"eventtime\" >= {} AND \"eventtime\" < {}", time(slice.from), time(slice.to)));
        all.push(condition(Scope::get(), &self.extent, &names));
        let name = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        format!(
            "SELECT {} FROM {}.{} WHERE {}",
            self.selection.list(),
            name(&self.database),
            name(&self.table),
            all.join(" AND ")
        )
    }

    /// Asks and reads the answer; the inner error says why it is not whole.
    async fn query(
        &self,
        slice: &Slice,
        name: &str,
        parts: &mut Parts,
    ) -> Result<Result<(), ApiError>, Gone> {
        if self.shared.over(0) {
            return Ok(Err(self.shared.too_much(name)));
        }
        let id = match self.start(&self.statement(slice), name).await {
            Ok(id) => id,
            Err(error) => return Ok(Err(error)),
        };
        let query = Query { client: self.client.clone(), id: id.clone() };
        let _running = self.shared.runs(Running::Athena(query));
        match self.ended(&id, name, parts).await? {
            Ok(()) => self.results(&id, name, parts).await,
            Err(error) => Ok(Err(error)),
        }
    }

    async fn start(&self, statement: &str, name: &str) -> Result<String, ApiError> {
        let context =
            QueryExecutionContext::builder().catalog(&self.catalog).database(&self.database).build();
        let result =
            self.output.as_ref().map(|output| ResultConfiguration::builder().output_location(output).build());
        let mut waits = Wait::new(Duration::from_secs(1), Duration::from_secs(20));
        for turn in 0.. {
            let started = self
                .client
                .start_query_execution()
                .query_string(statement)
                .query_execution_context(context.clone())
                .set_work_group(self.workgroup.clone())
                .set_result_configuration(result.clone())
                .send()
                .await;
            match started {
                Ok(started) => return Ok(started.query_execution_id.unwrap_or_default()),
                Err(error) => match ApiError::of(&error, "athena:StartQueryExecution", name) {
                    // So many queries of an account run at a time.
                    ApiError::Throttled { .. } if turn < TURNS => waits.next().await,
                    error => return Err(error),
                },
            }
        }
        Err(ApiError::failed(name, "QUEUED", "other queries did not end"))
    }

    async fn ended(&self, id: &str, name: &str, parts: &Parts) -> Result<Result<(), ApiError>, Gone> {
        let mut waits = Wait::new(Duration::from_millis(200), Duration::from_secs(3));
        loop {
            let asked = self.client.get_query_execution().query_execution_id(id).send().await;
            let found = match asked {
                Ok(found) => found.query_execution,
                Err(error) => return Ok(Err(ApiError::of(&error, "athena:GetQueryExecution", name))),
            };
            let status = found.as_ref().and_then(|found| found.status.as_ref());
            let state =
                status.and_then(|status| status.state.clone()).unwrap_or(QueryExecutionState::Running);
            let reason = status.and_then(|status| status.state_change_reason.clone()).unwrap_or_default();
            let statistics = found.as_ref().and_then(|found| found.statistics.as_ref());
            let scanned = statistics.and_then(|statistics| statistics.data_scanned_in_bytes);
            let scanned = scanned.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0);
            if matches!(state, QueryExecutionState::Queued | QueryExecutionState::Running) {
                let over = self.shared.over(scanned);
                if over || !parts.wanted() {
                    let _ = self.client.stop_query_execution().query_execution_id(id).send().await;
                    self.shared.scanned(scanned, &format!("query {id} of {name}, stopped, had scanned"));
                    return if over { Ok(Err(self.shared.too_much(name))) } else { Err(Gone) };
                }
                waits.next().await;
                continue;
            }
            self.shared.scanned(scanned, &format!("query {id} of {name} scanned"));
            return Ok(match state {
                QueryExecutionState::Succeeded => Ok(()),
                other => Err(ApiError::failed(name, other.as_str(), &reason)),
            });
        }
    }

    async fn results(&self, id: &str, name: &str, parts: &mut Parts) -> Result<Result<(), ApiError>, Gone> {
        let mut token = None::<String>;
        let mut first = true;
        loop {
            let request = self.client.get_query_results().query_execution_id(id).max_results(ROWS);
            let answer = match request.set_next_token(token).send().await {
                Ok(answer) => answer,
                Err(error) => return Ok(Err(ApiError::of(&error, "athena:GetQueryResults", name))),
            };
            let rows = answer.result_set.and_then(|set| set.rows).unwrap_or_default();
            for row in &rows {
                let cells = cells(row);
                // The first row of a SELECT's answer says what its columns are called.
                if std::mem::take(&mut first) && cells.first() == Some(&Some("c0")) {
                    continue;
                }
                parts.push(&self.selection.record(&cells)).await?;
            }
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(Ok(()));
            }
        }
    }
}

fn cells(row: &Row) -> Vec<Option<&str>> {
    row.data().iter().map(|cell| cell.var_char_value()).collect()
}
