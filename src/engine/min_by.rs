//! `min_by(x, y, n)`: the values of x at the n smallest y, by y, as Trino gives it; DataFusion has no such function.
//!
//! For text only, and for n written in the query. Rows whose y is null do not count. Where several rows share a y, x
//! decides; Trino leaves that open, so a portable query gives every row a y of its own.
//!
//! It costs one comparison per row once a group is full: no sort, and no more than n values held per group.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListBuilder, StringViewBuilder};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use datafusion::physical_expr::expressions::Literal;

const NAME: &str = "min_by";

pub(super) fn make() -> AggregateUDF {
    AggregateUDF::new_from_impl(MinBy { signature: Signature::user_defined(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct MinBy {
    signature: Signature,
}

/// A list of text: the answer, and what one part of a run tells the next: y and x in turn.
fn list_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8View, true)))
}

/// The n of a call.
fn limit(args: &AccumulatorArgs<'_>) -> Result<usize> {
    let literal = args.exprs.get(2).and_then(|expr| expr.downcast_ref::<Literal>());
    let Some(ScalarValue::Int64(Some(n @ 1..=100))) = literal.map(Literal::value) else {
        return plan_err!("{NAME} wants a number from 1 to 100 as its third argument, written in the query");
    };
    Ok(usize::try_from(*n).unwrap_or(1))
}

impl AggregateUDFImpl for MinBy {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, kinds: &[DataType]) -> Result<Vec<DataType>> {
        let [value, key, number] = kinds else {
            return plan_err!("{NAME} takes a text, a text to order by, and how many to keep");
        };
        for kind in [value, key] {
            if !kind.is_null() && !kind.is_string() {
                return plan_err!("{NAME} wants text, not {kind}; CAST the argument AS VARCHAR");
            }
        }
        if !number.is_integer() {
            return plan_err!("{NAME} wants a whole number as its third argument, not {number}");
        }
        Ok(vec![DataType::Utf8View, DataType::Utf8View, DataType::Int64])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(list_type())
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[kept]", args.name), list_type(), true))])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Single(Groups { limit: limit(&args)?, kept: vec![Vec::new()] })))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups { limit: limit(&args)?, kept: Vec::new() }))
    }
}

/// The order of a kept value, then the value.
type Kept = (Box<str>, Option<Box<str>>);

/// What each group keeps, smallest first.
#[derive(Debug)]
struct Groups {
    limit: usize,
    kept: Vec<Vec<Kept>>,
}

impl Groups {
    fn offer(&mut self, group: usize, key: &str, value: Option<&str>) {
        let Some(kept) = self.kept.get_mut(group) else { return };
        let at = kept.partition_point(|(held, text)| (&**held, text.as_deref()) <= (key, value));
        if at < self.limit {
            kept.truncate(self.limit - 1);
            kept.insert(at, (key.into(), value.map(Into::into)));
        }
    }

    fn rows(
        &mut self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
        group: impl Fn(usize) -> usize,
    ) -> Result<()> {
        let [texts, keys, ..] = values else { return Err(wrong()) };
        let texts = texts.as_string_view_opt().ok_or_else(wrong)?;
        let keys = keys.as_string_view_opt().ok_or_else(wrong)?;
        for (row, key) in keys.iter().enumerate() {
            let Some(key) = key else { continue };
            if filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row)) {
                self.offer(group(row), key, texts.is_valid(row).then(|| texts.value(row)));
            }
        }
        Ok(())
    }

    fn merge(&mut self, values: &[ArrayRef], group: impl Fn(usize) -> usize) -> Result<()> {
        let lists = values.first().and_then(|array| array.as_list_opt::<i32>()).ok_or_else(wrong)?;
        for row in 0..lists.len() {
            if lists.is_null(row) {
                continue;
            }
            let list = lists.value(row);
            let list = list.as_string_view_opt().ok_or_else(wrong)?;
            for at in (0..list.len()).step_by(2) {
                let value = (at + 1 < list.len() && list.is_valid(at + 1)).then(|| list.value(at + 1));
                self.offer(group(row), list.value(at), value);
            }
        }
        Ok(())
    }

    fn answer(groups: &[Vec<Kept>]) -> ArrayRef {
        let mut lists = ListBuilder::new(StringViewBuilder::new());
        for kept in groups {
            for (_, value) in kept {
                lists.values().append_option(value.as_deref());
            }
            // As in Trino: nothing rather than an empty list.
            lists.append(!kept.is_empty());
        }
        Arc::new(lists.finish())
    }

    fn told(groups: &[Vec<Kept>]) -> ArrayRef {
        let mut lists = ListBuilder::new(StringViewBuilder::new());
        for kept in groups {
            for (key, value) in kept {
                lists.values().append_value(key);
                lists.values().append_option(value.as_deref());
            }
            lists.append(true);
        }
        Arc::new(lists.finish())
    }
}

fn wrong() -> datafusion::common::DataFusionError {
    exec_datafusion_err!("{NAME} was given something else than text")
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.kept.resize_with(total_num_groups, Vec::new);
        self.rows(values, opt_filter, |row| group_indices.get(row).copied().unwrap_or(usize::MAX))
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.kept.resize_with(total_num_groups, Vec::new);
        self.merge(values, |row| group_indices.get(row).copied().unwrap_or(usize::MAX))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(Self::answer(&emit_to.take_needed(&mut self.kept)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![Self::told(&emit_to.take_needed(&mut self.kept))])
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, Array::len);
        let mut each = Self { limit: self.limit, kept: vec![Vec::new(); rows] };
        each.rows(values, opt_filter, |row| row)?;
        Ok(vec![Self::told(&each.kept)])
    }

    fn size(&self) -> usize {
        let held = |(key, value): &Kept| {
            size_of::<Kept>() + key.len() + value.as_ref().map_or(0, |value| value.len())
        };
        let groups = self.kept.capacity() * size_of::<Vec<Kept>>();
        // Texts of one group are of like length: one stands for all.
        groups + self.kept.iter().map(|kept| kept.first().map_or(0, held) * kept.capacity()).sum::<usize>()
    }
}

/// All rows as one group.
#[derive(Debug)]
struct Single(Groups);

impl Accumulator for Single {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.rows(values, None, |_| 0)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge(states, |_| 0)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&Groups::answer(&self.0.kept), 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::try_from_array(&Groups::told(&self.0.kept), 0)?])
    }

    fn size(&self) -> usize {
        GroupsAccumulator::size(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::util::display::array_value_to_string;
    use datafusion::prelude::{SessionConfig, SessionContext};

    use super::*;

    async fn answer(partitions: usize, sql: &str) -> String {
        let context = SessionContext::new_with_config(
            SessionConfig::new().with_target_partitions(partitions).with_batch_size(2),
        );
        context.register_udaf(make());
        let told = async { context.sql(sql).await?.collect().await };
        match told.await {
            Ok(batches) => batches
                .iter()
                .flat_map(|batch| {
                    (0..batch.num_rows()).map(|row| {
                        let cells =
                            batch.columns().iter().map(|column| array_value_to_string(column, row).unwrap());
                        cells.collect::<Vec<_>>().join(" ")
                    })
                })
                .collect::<Vec<_>>()
                .join("; "),
            Err(error) => error.strip_backtrace().lines().next().unwrap_or_default().to_owned(),
        }
    }

    const ROWS: &str = "(VALUES ('p', 'd', '4'), ('q', 'z', '1'), ('p', 'a', '2'), ('p', 'c', '1'), ('q', 'y', NULL), \
         ('p', 'b', '2'), ('r', 'x', NULL), ('q', NULL, '0')) AS t(g, x, y)";

    #[tokio::test]
    async fn the_smallest_of_each_group_in_order() {
        let sql = format!("SELECT g, min_by(x, y, 3) AS m FROM {ROWS} GROUP BY g ORDER BY g");
        for partitions in [1, 3] {
            assert_eq!(answer(partitions, &sql).await, "p [c, a, b]; q [, z]; r ", "{partitions} partitions");
        }
    }

    #[tokio::test]
    async fn a_filter_and_no_groups() {
        let filtered = format!(
            "SELECT g, min_by(x, y, 2) FILTER (WHERE x <> 'c') AS m FROM {ROWS} GROUP BY g ORDER BY g"
        );
        assert_eq!(answer(2, &filtered).await, "p [a, b]; q [z]; r ");
        assert_eq!(answer(2, &format!("SELECT min_by(x, y, 2) AS m FROM {ROWS}")).await, "[, c]");
        assert_eq!(answer(2, &format!("SELECT min_by(x, y, 2) AS m FROM {ROWS} WHERE g = 's'")).await, "");
    }

    #[tokio::test]
    async fn more_groups_than_a_partial_aggregation_bears() {
        // Beyond 100 000 groups of one row each, rows are handed on as states of their own.
        let sql = "SELECT COUNT(*) AS n, MIN(m) AS low, MAX(m) AS high FROM (SELECT array_to_string(min_by(x, y, 5), ' ') \
             AS m FROM (SELECT CAST(value AS VARCHAR) AS x, CAST(value / 2 AS VARCHAR) AS g, CAST(1000000 - value AS VARCHAR) \
             AS y FROM range(200000)) GROUP BY g)";
        let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
        context.register_udaf(make());
        let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
        let cells: Vec<String> =
            batches[0].columns().iter().map(|column| array_value_to_string(column, 0).unwrap()).collect();
        assert_eq!(cells, ["100000", "0 1", "99999 99998"]);
    }

    #[tokio::test]
    async fn what_it_does_not_take() {
        let told = [
            answer(1, &format!("SELECT min_by(x, y) AS m FROM {ROWS}")).await,
            answer(1, &format!("SELECT min_by(x, 1, 3) AS m FROM {ROWS}")).await,
            answer(1, &format!("SELECT min_by(x, y, 'a') AS m FROM {ROWS}")).await,
            answer(1, &format!("SELECT min_by(x, y, 0) AS m FROM {ROWS}")).await,
            answer(1, &format!("SELECT min_by(x, y, length(x)) AS m FROM {ROWS}")).await,
        ]
        .map(|told| {
            told.rsplit("planning: ")
                .next()
                .unwrap_or_default()
                .split(" No function")
                .next()
                .unwrap_or_default()
                .to_owned()
        });
        insta::assert_snapshot!(told.join("\n"), @r"
        min_by takes a text, a text to order by, and how many to keep.
        min_by wants text, not Int64; CAST the argument AS VARCHAR.
        min_by wants a whole number as its third argument, not Utf8.
        min_by wants a number from 1 to 100 as its third argument, written in the query
        min_by wants a number from 1 to 100 as its third argument, written in the query
        ");
    }
}
