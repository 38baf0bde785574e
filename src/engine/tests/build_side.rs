//! Which side of a join is held.

use super::*;
use crate::engine::variant::frugal;

/// A session with a table of many rows.
fn many(partitions: usize) -> Engine {
    let engine = Engine::new(Limits { memory: 64 << 20, spill_dir: None, partitions }).unwrap();
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..10_000));
    let keys: ArrayRef = Arc::new(Int64Array::from_iter_values((0..10_000).map(|n| n % 10)));
    let batch = RecordBatch::try_from_iter([("n", numbers), ("k", keys)]).unwrap();
    engine.register("numbers", &batch.schema(), vec![batch]).unwrap();
    engine
}

/// The lines of the physical plan from the first join on: the join, and what it holds.
fn join(engine: &Engine, sql: &str) -> Vec<String> {
    let plan = engine.explain(sql).unwrap();
    let (_, physical) = plan.split_once("\n\n").unwrap();
    let from_join = physical.lines().skip_while(|line| !line.contains("JoinExec"));
    from_join.map(|line| line.trim().to_owned()).collect()
}

const GROUPED: &str = "SELECT k AS k, COUNT(*) AS c FROM numbers WHERE n > 5 GROUP BY k";

#[test]
fn of_rows_and_groups_of_them_the_groups_are_held_whichever_stand_first() {
    for partitions in [1, 2] {
        let engine = many(partitions);
        for sql in [
            format!("SELECT a.n AS n, g.c AS c FROM numbers AS a LEFT JOIN ({GROUPED}) AS g ON g.k = a.k"),
            format!("SELECT a.n AS n, g.c AS c FROM ({GROUPED}) AS g JOIN numbers AS a ON g.k = a.k"),
        ] {
            let plan = join(&engine, &sql);
            assert!(plan[0].contains("HashJoinExec: mode=CollectLeft"), "{plan:#?}");
            let held = plan[1..].iter().position(|line| line.contains("AggregateExec")).unwrap();
            let table = plan[1..].iter().position(|line| line.contains("DataSourceExec")).unwrap();
            assert!(held < table, "{plan:#?}");
            let counted = format!("SELECT COUNT(c) AS n, SUM(c) AS s FROM ({sql}) AS x");
            assert_eq!(lines(&engine.run(&counted).unwrap()), ["10000|9994000"]);
        }
    }
}

#[test]
fn with_little_memory_only_two_large_sides_are_sorted() {
    let engine = many(2);
    let frugal = frugal(&engine.context.state());
    let physical = |sql: &str| {
        let plan = engine.plan_sharing(sql).unwrap();
        let planner = Arc::clone(frugal.query_planner());
        let plan = engine.runtime.block_on(planner.create_physical_plan(&plan, &frugal)).unwrap();
        displayable(plan.as_ref()).indent(false).to_string()
    };
    let groups =
        format!("SELECT a.n AS n, g.c AS c FROM numbers AS a LEFT JOIN ({GROUPED}) AS g ON g.k = a.k");
    let plan = physical(&groups);
    assert!(plan.contains("HashJoinExec: mode=CollectLeft") && !plan.contains("SortMerge"), "{plan}");
    let plan = physical("SELECT COUNT(*) AS n FROM numbers AS a LEFT JOIN numbers AS b ON a.n = b.n");
    assert!(plan.contains("SortMergeJoin"), "{plan}");
}
