//! The calls of Athena: start a query, ask how far it is, read its rows, stop it.

use std::time::Duration;

use aws_sdk_athena::Client;
use aws_sdk_athena::types::{
    QueryExecution, QueryExecutionContext, QueryExecutionState, ResultConfiguration, Row, WorkGroupState,
};

use crate::source::api::{ApiError, Wait};
use crate::source::s3::Session;

/// Rows of one answer, at most.
const ROWS: i32 = 1000;
/// How often a query waits for others of the account to end.
const TURNS: usize = 30;
/// What the catalogue of the account is called.
const CATALOG: &str = "AwsDataCatalog";

/// Athena, asked in one workgroup.
#[derive(Debug, Clone)]
pub struct Service {
    client: Client,
    catalog: String,
    workgroup: Option<String>,
    output: Option<String>,
}

/// How far a query is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Queued or running.
    Going,
    /// Its rows can be read.
    Succeeded,
    /// It failed or was cancelled: which of the two, and why.
    Ended(String, String),
}

/// A query as the service tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// How far it is.
    pub state: State,
    /// Bytes scanned so far.
    pub scanned: u64,
    /// Where its result lies, `s3://…`.
    pub output: Option<String>,
    /// What names the files that it wrote, `s3://…`, of a query that writes files.
    pub manifest: Option<String>,
}

/// Rows of a query, as texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The columns' names.
    pub names: Vec<String>,
    /// The rows, which on the first page of a SELECT begin with the names.
    pub rows: Vec<Vec<Option<String>>>,
    /// Asks for the next page.
    pub next: Option<String>,
}

/// What a workgroup prescribes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workgroup {
    /// Its name.
    pub name: String,
    /// Whether its settings go before those of a query.
    pub enforced: bool,
    /// Where its results go, `s3://…`.
    pub output: Option<String>,
    /// Bytes after which a query is cancelled.
    pub cutoff: Option<u64>,
    /// The engine's version in the service's words.
    pub engine: Option<String>,
}

impl Workgroup {
    /// What its settings mean for a run, for people.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.enforced {
            notes.push(format!(
                "the workgroup {} prescribes its settings: results and tables lie where it says",
                self.name
            ));
        }
        if let Some(cutoff) = self.cutoff {
            notes.push(format!("the workgroup {} cancels a query beyond {cutoff} bytes", self.name));
        }
        notes
    }
}

impl Service {
    /// Athena with the session's credentials; what is not given is as the service has it.
    pub fn new(
        session: &Session,
        catalog: Option<&str>,
        workgroup: Option<&str>,
        output: Option<&str>,
    ) -> Self {
        Self {
            client: Client::new(session.config()),
            catalog: catalog.unwrap_or(CATALOG).to_owned(),
            workgroup: workgroup.map(str::to_owned),
            output: output.map(str::to_owned),
        }
    }

    /// Where results go, as it was given.
    pub fn output(&self) -> Option<&str> {
        self.output.as_deref()
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn catalog(&self) -> &str {
        &self.catalog
    }

    pub(super) fn workgroup_name(&self) -> Option<&str> {
        self.workgroup.as_deref()
    }

    /// What the workgroup prescribes; `target` is what errors are told of.
    pub async fn workgroup(&self, target: &str) -> Result<Workgroup, ApiError> {
        let name = self.workgroup.clone().unwrap_or_else(|| "primary".to_owned());
        let target = format!("the workgroup {name} for {target}");
        let asked = self.client.get_work_group().work_group(&name).send().await;
        let asked = asked.map_err(|error| ApiError::of(&error, "athena:GetWorkGroup", &target))?;
        let group = asked.work_group;
        if group.as_ref().and_then(|group| group.state.as_ref()) == Some(&WorkGroupState::Disabled) {
            return Err(ApiError::failed(&target, "DISABLED", "the workgroup is disabled"));
        }
        let configuration = group.and_then(|group| group.configuration);
        let Some(found) = configuration else { return Ok(Workgroup { name, ..Workgroup::default() }) };
        Ok(Workgroup {
            name,
            enforced: found.enforce_work_group_configuration.unwrap_or(false),
            output: found.result_configuration.and_then(|result| result.output_location),
            cutoff: found.bytes_scanned_cutoff_per_query.and_then(|bytes| u64::try_from(bytes).ok()),
            engine: found
                .engine_version
                .and_then(|version| version.effective_engine_version.or(version.selected_engine_version)),
        })
    }

    /// Starts a query and tells its execution id. Where the account runs as many as it may, this waits.
    pub async fn start(&self, statement: &str, database: &str, target: &str) -> Result<String, ApiError> {
        let context = QueryExecutionContext::builder().catalog(&self.catalog).database(database).build();
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
                Err(error) => match ApiError::of(&error, "athena:StartQueryExecution", target) {
                    // So many queries of an account run at a time.
                    ApiError::Throttled { .. } if turn < TURNS => waits.pass().await,
                    error => return Err(error),
                },
            }
        }
        Err(ApiError::failed(target, "QUEUED", "other queries did not end"))
    }

    /// How far a query is.
    pub async fn execution(&self, id: &str, target: &str) -> Result<Execution, ApiError> {
        let asked = self.client.get_query_execution().query_execution_id(id).send().await;
        let found = asked.map_err(|error| ApiError::of(&error, "athena:GetQueryExecution", target))?;
        Ok(told(found.query_execution))
    }

    /// The next page of a query's rows.
    pub async fn page(&self, id: &str, token: Option<String>, target: &str) -> Result<Page, ApiError> {
        let request = self.client.get_query_results().query_execution_id(id).max_results(ROWS);
        let answer = request
            .set_next_token(token)
            .send()
            .await
            .map_err(|error| ApiError::of(&error, "athena:GetQueryResults", target))?;
        let next = answer.next_token.filter(|token| !token.is_empty());
        let set = answer.result_set;
        let names = set
            .as_ref()
            .and_then(|set| set.result_set_metadata.as_ref())
            .map(|metadata| metadata.column_info().iter().map(|column| column.name.clone()).collect())
            .unwrap_or_default();
        let rows = set.and_then(|set| set.rows).unwrap_or_default();
        Ok(Page { names, rows: rows.into_iter().map(cells).collect(), next })
    }

    /// Stops a query; one that has ended already needs none.
    pub async fn stop(&self, id: &str) {
        let _ = self.client.stop_query_execution().query_execution_id(id).send().await;
    }
}

fn cells(row: Row) -> Vec<Option<String>> {
    row.data.unwrap_or_default().into_iter().map(|cell| cell.var_char_value).collect()
}

fn told(found: Option<QueryExecution>) -> Execution {
    let Some(found) = found else {
        return Execution { state: State::Going, scanned: 0, output: None, manifest: None };
    };
    let statistics = found.statistics;
    let scanned = statistics.as_ref().and_then(|statistics| statistics.data_scanned_in_bytes);
    let manifest = statistics.and_then(|statistics| statistics.data_manifest_location);
    let status = found.status;
    let reason = status.as_ref().and_then(|status| status.state_change_reason.clone()).unwrap_or_default();
    let state = match status.and_then(|status| status.state) {
        None | Some(QueryExecutionState::Queued | QueryExecutionState::Running) => State::Going,
        Some(QueryExecutionState::Succeeded) => State::Succeeded,
        Some(other) => State::Ended(other.as_str().to_owned(), reason),
    };
    Execution {
        state,
        scanned: scanned.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0),
        output: found.result_configuration.and_then(|result| result.output_location),
        manifest: manifest.filter(|manifest| !manifest.is_empty()),
    }
}
