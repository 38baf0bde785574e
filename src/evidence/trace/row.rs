//! The columns of `events` that a trace is made of, as plain values.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;

macro_rules! texts {
    ($($field:ident = $sql:literal,)*) => {
        /// One record. Texts are null where it does not say; see the columns of `events` for their meaning.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Row {
            /// `event_time`, microseconds UTC.
            pub event_time: i64,
            /// `input_tokens`.
            pub input_tokens: Option<i64>,
            /// `output_tokens`.
            pub output_tokens: Option<i64>,
            /// `log_index`: with `log_object` the one thing that no two records share.
            pub log_index: Option<i64>,
            $(#[doc = $sql] pub $field: Option<String>,)*
            /// `request_parameters`, if content was asked for.
            pub request_parameters: Option<String>,
            /// `additional_event_data`, likewise.
            pub additional_event_data: Option<String>,
        }

        const COLUMNS: &str =
            concat!("event_time AS event_time, input_tokens AS input_tokens, output_tokens AS output_tokens, \
                log_index AS log_index"
                $(, ", ", $sql, " AS ", stringify!($field))*);

        /// The rows of a batch with the columns of [`select`].
        pub(super) fn rows(batch: &RecordBatch) -> Result<Vec<Row>, ArrowError> {
            let column = |name: &str, kind: &DataType| {
                let found = batch.column_by_name(name);
                cast(found.ok_or_else(|| ArrowError::SchemaError(format!("no column {name}")))?, kind)
            };
            let time = column("event_time", &DataType::Timestamp(TimeUnit::Microsecond, None))?;
            let time = time.as_primitive::<TimestampMicrosecondType>();
            let mut rows: Vec<Row> = (0..batch.num_rows())
                .map(|at| Row { event_time: time.value(at), ..Row::default() })
                .collect();
            for (name, put) in [
                ("input_tokens", (|row, value| row.input_tokens = value) as fn(&mut Row, Option<i64>)),
                ("output_tokens", |row, value| row.output_tokens = value),
                ("log_index", |row, value| row.log_index = value),
            ] {
                let array = column(name, &DataType::Int64)?;
                let array = array.as_primitive::<Int64Type>();
                for (at, row) in rows.iter_mut().enumerate() {
                    put(row, array.is_valid(at).then(|| array.value(at)));
                }
            }
            $({
                let array = column(stringify!($field), &DataType::Utf8View)?;
                let array = array.as_string_view();
                for (at, row) in rows.iter_mut().enumerate() {
                    row.$field = array.is_valid(at).then(|| array.value(at).to_owned());
                }
            })*
            for (name, put) in [
                (CONTENT[0], (|row, value| row.request_parameters = value) as fn(&mut Row, Option<String>)),
                (CONTENT[1], |row, value| row.additional_event_data = value),
            ] {
                if batch.column_by_name(name).is_some() {
                    let array = column(name, &DataType::Utf8View)?;
                    let array = array.as_string_view();
                    for (at, row) in rows.iter_mut().enumerate() {
                        put(row, array.is_valid(at).then(|| array.value(at).to_owned()));
                    }
                }
            }
            Ok(rows)
        }
    };
}

texts! {
    event_id = "event_id",
    event_source = "event_source",
    event_name = "event_name",
    record_kind = "record_kind",
    account_id = "account_id",
    aws_region = "aws_region",
    surface = "surface",
    activity = "activity",
    outcome = "outcome",
    error_code = "error_code",
    principal = "principal",
    role_arn = "role_arn",
    session_name = "session_name",
    person = "person",
    person_basis = "person_basis",
    credential = "credential",
    access_key_id = "access_key_id",
    credentials_issued_to = "credentials_issued_to",
    source_ip = "source_ip",
    invoked_by = "invoked_by",
    client = "client",
    model_id = "model_id",
    agent_id = "agent_id",
    agent_session_id = "agent_session_id",
    runtime_arn = "runtime_arn",
    gateway_arn = "gateway_arn",
    memory_id = "memory_id",
    tool_name = "tool_name",
    credential_provider = "credential_provider",
    knowledge_base_id = "knowledge_base_id",
    flow_id = "flow_id",
    lambda_arn = "lambda_arn",
    resource_arn = "resource_arn",
    request_id = "request_id",
    log_object = "log_object",
    assumed_role = "CASE WHEN event_name = 'AssumeRole' THEN json_extract_scalar(request_parameters, '$.roleArn') END",
    vended_key = "CASE WHEN event_name = 'AssumeRole' THEN json_extract_scalar(response_elements, '$.credentials.accessKeyId') END",
    target = "CASE WHEN NOT starts_with(event_source, 'bedrock') THEN COALESCE(\
        json_extract_scalar(request_parameters, '$.bucketName') \
            || COALESCE('/' || json_extract_scalar(request_parameters, '$.key'), ''), \
        json_extract_scalar(request_parameters, '$.tableName'), json_extract_scalar(request_parameters, '$.secretId'), \
        json_extract_scalar(request_parameters, '$.keyId'), json_extract_scalar(request_parameters, '$.queueUrl'), \
        json_extract_scalar(request_parameters, '$.topicArn'), json_extract_scalar(request_parameters, '$.streamName'), \
        json_extract_scalar(request_parameters, '$.logGroupName'), \
        json_extract_scalar(request_parameters, '$.dBInstanceIdentifier'), \
        json_extract_scalar(request_parameters, '$.trailName'), json_extract_scalar(request_parameters, '$.roleName'), \
        json_extract_scalar(request_parameters, '$.userName'), resource_arn) END",
    gateway_data = "CASE WHEN surface = 'gateway' THEN additional_event_data END",
}

/// Columns that hold what callers put in by hand.
const CONTENT: [&str; 2] = ["request_parameters", "additional_event_data"];

/// The select list that [`rows`] reads, with what callers put in by hand or without.
pub(super) fn select(content: bool) -> String {
    let more = CONTENT.iter().filter(|_| content).map(|name| format!(", {name} AS {name}"));
    std::iter::once(COLUMNS.to_owned()).chain(more).collect()
}

impl Row {
    /// Ids of requests that a gateway made for this one (`additionalEventData.downstreamRequestIds`).
    pub(super) fn downstream(&self) -> Vec<String> {
        #[derive(Default, serde::Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Data {
            downstream_request_ids: Vec<String>,
        }
        let data = self.gateway_data.as_deref().and_then(|data| serde_json::from_str::<Data>(data).ok());
        data.unwrap_or_default().downstream_request_ids
    }

    /// Whether it starts something that other records belong to: a call of an agent, a flow or a gateway.
    pub(super) fn invokes(&self) -> bool {
        matches!(self.activity.as_deref(), Some("agent_invocation" | "flow"))
            || self.surface.as_deref() == Some("gateway")
    }

    /// The Lambda function that it is about, without its version or alias.
    pub(super) fn function(&self) -> Option<&str> {
        self.lambda_arn.as_deref().map(unversioned)
    }

    /// Whether it runs a Lambda function.
    pub(super) fn runs_function(&self) -> bool {
        self.event_source.as_deref() == Some("lambda.amazonaws.com")
            && self.event_name.as_deref().is_some_and(|name| name.starts_with("Invoke"))
    }

    /// The Lambda function whose credentials made it.
    pub(super) fn issued_to(&self) -> Option<&str> {
        self.credentials_issued_to.as_deref().filter(|arn| arn.contains(":function:")).map(unversioned)
    }

    /// What was called: runtime, agent, gateway or flow.
    pub fn agent(&self) -> Option<&str> {
        [&self.runtime_arn, &self.agent_id, &self.gateway_arn, &self.flow_id]
            .into_iter()
            .find_map(|id| id.as_deref())
    }
}

/// A function's ARN without the version or alias after its name.
fn unversioned(arn: &str) -> &str {
    let name = arn.find(":function:").map_or(arn.len(), |at| at + ":function:".len());
    let end = arn.get(name..).and_then(|rest| rest.find(':')).map_or(arn.len(), |at| name + at);
    arn.get(..end).unwrap_or(arn)
}
