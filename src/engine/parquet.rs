//! Local Parquet files as one table.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::{Result as PlanResult, exec_datafusion_err};
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::prelude::SessionContext;

use super::Result;

/// The table over all files.
pub(super) fn table(files: &[PathBuf], schema: &SchemaRef, context: &SessionContext) -> Result<ListingTable> {
    Ok(over(files, schema, &context.state())?)
}

/// The same for a session that is at work.
pub(super) fn over(files: &[PathBuf], schema: &SchemaRef, state: &dyn Session) -> PlanResult<ListingTable> {
    let urls = files.iter().map(|file| ListingTableUrl::parse(url(file)?)).collect::<PlanResult<Vec<_>>>()?;
    let format = ParquetFormat::new().with_options(state.default_table_options().parquet);
    // Files are named one by one: no ending is demanded of them.
    let options = ListingOptions::new(Arc::new(format)).with_file_extension("");
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(options)
        .with_schema(Arc::clone(schema));
    let cache = state.runtime_env().cache_manager.get_file_statistic_cache();
    Ok(ListingTable::try_new(config)?.with_cache(cache))
}

/// A `file:` URL. The path itself would do, but that its `*`, `?` and `[` would be read as a pattern.
fn url(file: &Path) -> PlanResult<String> {
    let path = std::path::absolute(file)
        .map_err(|error| exec_datafusion_err!("{} cannot be read: {error}", file.display()))?;
    let mut url = "file://".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => url.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => url.push(char::from(*byte)),
            byte => {
                let _ = write!(url, "%{byte:02X}");
            }
        }
    }
    Ok(url)
}
