//! The distinct texts of a group in ascending order, null last if there was one; null where there was no row.

use std::cmp::Ordering;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListBuilder, StringViewBuilder};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};

pub(super) const NAME: &str = "distinct_list";

pub(super) fn make() -> AggregateUDF {
    AggregateUDF::new_from_impl(DistinctList {
        signature: Signature::exact(vec![DataType::Utf8View], Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct DistinctList {
    signature: Signature,
}

fn list_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8View, true)))
}

impl AggregateUDFImpl for DistinctList {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(list_type())
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[held]", args.name), list_type(), true))])
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let mut lists = Lists::default();
        lists.grow(1);
        Ok(Box::new(Single(lists)))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Lists::default()))
    }
}

/// The texts of one group, sorted, and whether null was among them.
#[derive(Clone, Debug, Default)]
struct List {
    texts: Vec<Box<str>>,
    null: bool,
}

/// The texts of every group.
#[derive(Debug, Default)]
struct Lists {
    groups: Vec<List>,
    /// Bytes that the lists hold on to.
    held: usize,
}

impl Lists {
    fn grow(&mut self, groups: usize) {
        if groups > self.groups.len() {
            self.groups.resize_with(groups, List::default);
        }
    }

    fn offer(&mut self, group: usize, text: Option<&str>) {
        let Some(list) = self.groups.get_mut(group) else { return };
        let Some(text) = text else {
            list.null = true;
            return;
        };
        // What is read is often sorted: the last is asked first.
        let at = match list.texts.last().map(|last| (**last).cmp(text)) {
            None | Some(Ordering::Less) => list.texts.len(),
            Some(Ordering::Equal) => return,
            Some(Ordering::Greater) => match list.texts.binary_search_by(|held| (**held).cmp(text)) {
                Ok(_) => return,
                Err(at) => at,
            },
        };
        let before = list.texts.capacity();
        list.texts.insert(at, text.into());
        self.held += text.len() + (list.texts.capacity() - before) * size_of::<Box<str>>();
    }

    fn rows(
        &mut self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
        group: impl Fn(usize) -> usize,
    ) -> Result<()> {
        let texts = values.first().and_then(|array| array.as_string_view_opt()).ok_or_else(wrong)?;
        for (row, text) in texts.iter().enumerate() {
            if filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row)) {
                self.offer(group(row), text);
            }
        }
        Ok(())
    }

    fn merge(&mut self, values: &[ArrayRef], group: impl Fn(usize) -> usize) -> Result<()> {
        let lists = values.first().and_then(|array| array.as_list_opt::<i32>()).ok_or_else(wrong)?;
        let texts = lists.values().as_string_view_opt().ok_or_else(wrong)?;
        for (row, bounds) in lists.value_offsets().windows(2).enumerate() {
            if lists.is_null(row) {
                continue;
            }
            for at in bounds[0]..bounds[1] {
                let at = usize::try_from(at).unwrap_or_default();
                self.offer(group(row), texts.is_valid(at).then(|| texts.value(at)));
            }
        }
        Ok(())
    }

    fn take(&mut self, emit_to: EmitTo) -> ArrayRef {
        let taken = emit_to.take_needed(&mut self.groups);
        let mut lists = ListBuilder::new(StringViewBuilder::new());
        for list in &taken {
            for text in &list.texts {
                lists.values().append_value(text);
            }
            if list.null {
                lists.values().append_null();
            }
            lists.append(list.null || !list.texts.is_empty());
        }
        self.held = self.groups.iter().map(bytes).sum();
        Arc::new(lists.finish())
    }
}

fn bytes(list: &List) -> usize {
    let texts = list.texts.iter().map(|text| text.len()).sum::<usize>();
    texts + list.texts.capacity() * size_of::<Box<str>>()
}

fn wrong() -> datafusion::common::DataFusionError {
    exec_datafusion_err!("{NAME} was given something else than text")
}

impl GroupsAccumulator for Lists {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        self.rows(values, opt_filter, |row| group_indices.get(row).copied().unwrap_or(usize::MAX))
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        self.merge(values, |row| group_indices.get(row).copied().unwrap_or(usize::MAX))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(self.take(emit_to))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.take(emit_to)])
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let mut each = Self::default();
        each.grow(values.first().map_or(0, Array::len));
        each.rows(values, opt_filter, |row| row)?;
        Ok(vec![each.take(EmitTo::All)])
    }

    fn size(&self) -> usize {
        self.held + self.groups.capacity() * size_of::<List>()
    }
}

/// All rows as one group.
#[derive(Debug)]
struct Single(Lists);

impl Single {
    fn list(&self) -> Result<ScalarValue> {
        let mut copy = Lists { groups: self.0.groups.clone(), held: 0 };
        ScalarValue::try_from_array(&copy.take(EmitTo::All), 0)
    }
}

impl Accumulator for Single {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.rows(values, None, |_| 0)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge(states, |_| 0)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.list()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.list()?])
    }

    fn size(&self) -> usize {
        GroupsAccumulator::size(&self.0)
    }
}
