//! A table over the files of a store: some of their rows and columns, with what is known only at reading.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::DateTime;
use datafusion::arrow::array::{Array, AsArray, RecordBatch, StringViewBuilder};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::Result as PlanResult;
use datafusion::datasource::ViewTable;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::{Engine, Error, Result};

/// Relations and functions that stand under a name only while the table is planned.
const FILES: &str = "bedtrail_stored_files";
const MORE: &str = "bedtrail_stored_rows";
const LOOKUP: &str = "bedtrail_lookup_";

/// A text for an account, or none.
pub type Lookup = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Rows that lie in files.
pub struct Stored<'s> {
    /// The files.
    pub files: &'s [PathBuf],
    /// Their columns, as far as they are read.
    pub schema: SchemaRef,
    /// Which rows of the files, in SQL; all where there is none.
    pub predicate: Option<&'s str>,
    /// Further rows of the same schema.
    pub more: Vec<RecordBatch>,
    /// Columns whose value is found by the row's account, in place of what the files say.
    pub by_account: Vec<ByAccount>,
}

/// A column whose value is found by the row's account.
pub struct ByAccount {
    /// The column.
    pub column: &'static str,
    /// Only for events before this, in microseconds. Of a column there may be several: in order of time, the last one
    /// without an end.
    pub before: Option<i64>,
    /// What finds it.
    pub lookup: Lookup,
}

impl Engine {
    /// Puts stored rows under a name with the columns of `schema`, in place of what stood there.
    pub fn register_stored(&self, name: &str, schema: &SchemaRef, stored: Stored<'_>) -> Result<()> {
        self.register_parquet(FILES, stored.files, &stored.schema)?;
        let mut columns = String::new();
        for (at, field) in schema.fields().iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            let column = field.name();
            let found = found(&stored.by_account, column).unwrap_or_else(|| column.clone());
            let _ = write!(columns, "{comma}{found} AS {column}");
        }
        for (which, by_account) in stored.by_account.iter().enumerate() {
            self.context.register_udf(ScalarUDF::new_from_impl(LookUp {
                name: format!("{LOOKUP}{which}"),
                signature: Signature::exact(vec![DataType::Utf8View], Volatility::Immutable),
                lookup: Arc::clone(&by_account.lookup),
            }));
        }
        let mut sql = format!("SELECT {columns} FROM {FILES}");
        if let Some(predicate) = stored.predicate {
            let _ = write!(sql, " WHERE {predicate}");
        }
        if !stored.more.is_empty() {
            self.register(MORE, &stored.schema, stored.more)?;
            let _ = write!(sql, " UNION ALL SELECT {columns} FROM {MORE}");
        }
        let plan = self.plan(&sql).map_err(|error| Error::Internal(error.to_string()))?;
        self.context.deregister_table(FILES)?;
        self.context.deregister_table(MORE)?;
        for which in 0..stored.by_account.len() {
            self.context.deregister_udf(&format!("{LOOKUP}{which}"));
        }
        self.replace(name, Arc::new(ViewTable::new(plan, None)))
    }
}

/// What finds a column's value, in SQL.
fn found(by_account: &[ByAccount], column: &str) -> Option<String> {
    let mut found: Option<String> = None;
    // From the last one, which has no end, to the first.
    for (which, one) in by_account.iter().enumerate().rev().filter(|(_, one)| one.column == column) {
        let call = format!("{LOOKUP}{which}(account_id)");
        let before = one.before.and_then(DateTime::from_timestamp_micros);
        found = Some(match before.zip(found) {
            Some((before, after)) => {
                let before = before.format("%Y-%m-%d %H:%M:%S%.6f");
                format!("CASE WHEN event_time < TIMESTAMP '{before}' THEN {call} ELSE {after} END")
            }
            None => call,
        });
    }
    found
}

/// Looks an account up.
struct LookUp {
    name: String,
    signature: Signature,
    lookup: Lookup,
}

impl std::fmt::Debug for LookUp {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.name)
    }
}

impl PartialEq for LookUp {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && Arc::ptr_eq(&self.lookup, &other.lookup)
    }
}

impl Eq for LookUp {}

impl Hash for LookUp {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for LookUp {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> PlanResult<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let accounts = arrays[0].as_string_view();
        let mut known: BTreeMap<&str, Option<String>> = BTreeMap::new();
        let mut found = StringViewBuilder::with_capacity(accounts.len()).with_deduplicate_strings();
        for account in accounts {
            let value = account.and_then(|account| {
                known.entry(account).or_insert_with(|| (self.lookup)(account)).as_deref()
            });
            found.append_option(value);
        }
        Ok(ColumnarValue::Array(Arc::new(found.finish())))
    }
}
