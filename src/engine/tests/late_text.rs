//! Conditions that a reader of files applies itself.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::physical_plan::{FileScanConfig, ParquetSource};
use datafusion::datasource::source::DataSourceExec;

use super::*;

/// Whether every reader of files in the plan of a query applies the conditions itself.
fn pushed(engine: &Engine, sql: &str) -> bool {
    let state = engine.context.state();
    let plan = engine.plan_sharing(sql).unwrap();
    let plan = engine.runtime.block_on(state.query_planner().create_physical_plan(&plan, &state)).unwrap();
    let mut readers = Vec::new();
    plan.apply(|node| {
        let config = node
            .downcast_ref::<DataSourceExec>()
            .and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>());
        if let Some(source) = config.and_then(|config| config.file_source().downcast_ref::<ParquetSource>()) {
            readers.push(source.table_parquet_options().global.pushdown_filters);
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .unwrap();
    assert!(!readers.is_empty(), "{sql} reads no file");
    readers.into_iter().all(|pushed| pushed)
}

#[test]
fn conditions_on_names_of_operations_are_applied_before_the_texts_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.parquet");
    let schema = schema::schema(crate::event::column::COLUMNS);
    let names: StringViewArray =
        (0..900).map(|n| Some(if n % 300 == 7 { "Delete" } else { "Converse" })).collect();
    let ids: StringViewArray = (0..900).map(|n| Some(format!("id-{n}"))).collect();
    let rows = RecordBatch::try_from_iter([
        ("event_name", Arc::new(names) as ArrayRef),
        ("event_id", Arc::new(ids) as ArrayRef),
    ])
    .unwrap();
    let mut writer = datafusion::parquet::arrow::ArrowWriter::try_new(
        std::fs::File::create(&file).unwrap(),
        rows.schema(),
        None,
    )
    .unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
    let engine = engine();
    engine.register_parquet("events", &[file], &schema).unwrap();
    for (condition, few) in [
        ("event_name = 'Delete'", true),
        ("event_name IN ('Delete', 'Deny', 'Stop', 'Put')", true),
        ("event_id > 'id' AND (event_name = 'Delete' OR event_name = 'Stop')", true),
        ("event_name <> 'Converse'", false),
        ("event_name NOT IN ('Converse', 'Invoke', 'Stop', 'Put')", false),
        ("event_name = 'Delete' OR event_id = 'id-1'", false),
        ("event_id = 'id-7'", false),
    ] {
        let sql = format!("SELECT event_id AS event_id FROM events WHERE {condition} ORDER BY event_id");
        assert_eq!(pushed(&engine, &sql), few, "{condition}");
        let found = lines(&engine.run(&sql).unwrap());
        assert!(found.contains(&"id-7".to_owned()) && found.len() <= 4, "{condition}: {found:?}");
    }
    assert_eq!(
        lines(&engine.run("SELECT event_id FROM events WHERE event_name = 'Delete' ORDER BY 1").unwrap()),
        ["id-307", "id-607", "id-7"]
    );
}
