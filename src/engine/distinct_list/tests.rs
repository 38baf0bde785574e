use datafusion::arrow::util::display::array_value_to_string;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use proptest::prelude::*;

use super::*;

fn context(partitions: usize, sorted: bool) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(partitions).with_batch_size(2);
    "nulls_last".clone_into(&mut config.options_mut().sql_parser.default_null_ordering);
    let mut state = SessionStateBuilder::new_with_default_features().with_config(config);
    if sorted {
        state = state.with_analyzer_rule(Arc::new(Sorted::new()));
    }
    SessionContext::new_with_state(state.build())
}

async fn answer(context: &SessionContext, sql: &str) -> String {
    let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
    let mut lines = Vec::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| array_value_to_string(column, row).unwrap());
            lines.push(cells.collect::<Vec<_>>().join(" "));
        }
    }
    lines.join("; ")
}

const ROWS: &str = "(SELECT g, arrow_cast(x, 'Utf8View') AS x FROM (VALUES ('p', 'd'), ('q', 'z'), ('p', 'a'), \
     ('p', 'd'), ('q', NULL), ('p', 'b'), ('r', NULL), ('q', 'y')) AS v(g, x)) AS t";

#[tokio::test]
async fn every_text_of_a_group_once_in_order() {
    let sql = format!(
        "SELECT g, array_agg(DISTINCT x ORDER BY x) AS all_of, array_agg(DISTINCT x ORDER BY x) FILTER (WHERE x < 'd') \
         AS some FROM {ROWS} GROUP BY g ORDER BY g"
    );
    for partitions in [1, 3] {
        let context = context(partitions, true);
        assert_eq!(
            answer(&context, &sql).await,
            "p [a, b, d] [a, b]; q [y, z, ] ; r [] ",
            "{partitions} parts"
        );
        let plan = context.sql(&sql).await.unwrap().into_optimized_plan().unwrap().to_string();
        assert!(plan.contains(NAME) && !plan.contains("Sort: t.x"), "{plan}");
    }
}

#[tokio::test]
async fn without_groups() {
    let context = context(2, true);
    let of = |rows: &str| format!("SELECT array_agg(DISTINCT x ORDER BY x) AS m FROM {rows}");
    assert_eq!(answer(&context, &of(ROWS)).await, "[a, b, d, y, z, ]");
    assert_eq!(answer(&context, &of(&format!("{ROWS} WHERE g = 's'"))).await, "");
}

#[tokio::test]
async fn other_orders_are_left_alone() {
    let context = context(1, true);
    for call in [
        "array_agg(DISTINCT x ORDER BY x DESC)",
        "array_agg(DISTINCT x ORDER BY x NULLS FIRST)",
        "array_agg(x ORDER BY x)",
        "array_agg(DISTINCT x)",
        "array_agg(DISTINCT length(x) ORDER BY length(x))",
    ] {
        let sql = format!("SELECT {call} AS m FROM {ROWS}");
        let plan = context.sql(&sql).await.unwrap().into_optimized_plan().unwrap().to_string();
        assert!(!plan.contains(NAME), "{plan}");
    }
}

#[tokio::test]
async fn more_groups_than_a_partial_aggregation_bears() {
    // Beyond 100 000 groups of one row each, rows are handed on as states of their own.
    let sql = "SELECT COUNT(*) AS n, MIN(m) AS low, MAX(m) AS high FROM (SELECT array_to_string(array_agg(DISTINCT x \
         ORDER BY x), ' ') AS m FROM (SELECT arrow_cast(CAST(value AS VARCHAR), 'Utf8View') AS x, CAST(value / 2 AS \
         VARCHAR) AS g FROM range(200000)) GROUP BY g)";
    assert_eq!(answer(&context(2, true), sql).await, "100000 0 1 99998 99999");
}

proptest! {
    #[test]
    fn the_same_as_datafusion(
        rows in prop::collection::vec((0..4_u8, prop::option::of("[a-c]{0,3}")), 0..60),
        partitions in 1..4_usize,
    ) {
        let values: Vec<String> = rows
            .iter()
            .map(|(group, text)| format!("({group}, {})", text.as_ref().map_or("NULL".into(), |t| format!("'{t}'"))))
            .chain(["(9, 'z')".to_owned()])
            .collect();
        let sql = format!(
            "SELECT g, array_agg(DISTINCT x ORDER BY x) AS l, array_agg(DISTINCT x ORDER BY x) FILTER (WHERE x <> 'a') AS f \
             FROM (SELECT g, arrow_cast(x, 'Utf8View') AS x FROM (VALUES {}) AS v(g, x)) AS t GROUP BY g ORDER BY g",
            values.join(", ")
        );
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (ours, theirs) = runtime.block_on(async {
            (answer(&context(partitions, true), &sql).await, answer(&context(partitions, false), &sql).await)
        });
        prop_assert_eq!(ours, theirs);
    }
}
