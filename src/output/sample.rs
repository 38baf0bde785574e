//! Answers for the tests of this floor.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray, NullArray,
    RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray, TimestampNanosecondArray,
    UInt64Array, new_null_array,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef, TimeUnit};
use proptest::prelude::*;

use super::{Answer, Caveat};
use crate::engine::Answered;

/// Batches as the rows of an answer; at least one.
pub(super) fn rows(batches: Vec<RecordBatch>) -> Answered {
    Answered::new(batches[0].schema(), batches)
}

/// The first batch of an answer.
pub(super) fn first(answer: &Answer) -> RecordBatch {
    answer.rows.batches().next().unwrap().unwrap()
}

/// An answer of one batch.
pub(super) fn answer(name: &str, columns: Vec<(&str, ArrayRef)>) -> Answer {
    let fields = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true));
    let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap();
    Answer {
        name: name.to_owned(),
        title: String::new(),
        question: String::new(),
        preamble: Vec::new(),
        glance: Vec::new(),
        rows: rows(vec![batch]),
        schema,
        footer: Vec::new(),
        findings: None,
    }
}

/// Three rows in two batches: text, numbers, a time and a boolean, with nulls.
pub(super) fn usage() -> Answer {
    let role = "arn:aws:iam::111122223333:role/ops/Summariser";
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("principal", Arc::new(StringViewArray::from(vec![Some(role), Some("unknown"), Some("")]))),
        ("input_tokens", Arc::new(Int64Array::from(vec![Some(9_007_199_254_740_993), None, Some(-5)]))),
        (
            "model_id",
            Arc::new(StringViewArray::from(vec![Some("anthropic.claude-sonnet-4"), None, Some("a,\"b\"")])),
        ),
        (
            "last_seen",
            Arc::new(TimestampMicrosecondArray::from(vec![
                Some(1_790_856_000_000_000),
                None,
                Some(1_790_856_000_250_000),
            ])),
        ),
        ("streaming", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
    ];
    let mut answer = answer("usage", columns);
    let meaning = HashMap::from([("meaning".to_owned(), "Who called.".to_owned())]);
    let mut fields: Vec<Field> = answer.schema.fields().iter().map(|field| field.as_ref().clone()).collect();
    fields[0].set_metadata(meaning);
    answer.schema = Arc::new(Schema::new(fields));
    let whole = first(&answer);
    answer.rows = rows(vec![whole.slice(0, 1), whole.slice(1, 2)]);
    answer.title = "Usage by principal".to_owned();
    answer.question = "Who calls which model?".to_owned();
    answer.preamble = vec![Caveat::new("completeness", "It is not verified. More of it here.")];
    answer.footer = vec!["12 records seen = 3 kept + 9 not ours".to_owned()];
    answer
}

/// One row per text, beside the number -1.
pub(super) fn texts(cells: &[&str]) -> Answer {
    let numbers = Int64Array::from(vec![-1; cells.len()]);
    answer(
        "texts",
        vec![("text", Arc::new(StringArray::from(cells.to_vec()))), ("number", Arc::new(numbers))],
    )
}

/// One row of numbers under these names.
pub(super) fn columns(names: &[&str]) -> Answer {
    let array: ArrayRef = Arc::new(Int64Array::from(vec![7]));
    answer("columns", names.iter().map(|name| (*name, Arc::clone(&array))).collect())
}

/// Types that queries return beside those of the tables.
pub(super) fn types() -> Answer {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None]);
    let decimal = Decimal128Array::from(vec![Some(-5), None]).with_precision_and_scale(10, 2).unwrap();
    let time = TimestampNanosecondArray::from(vec![Some(1_790_856_000_000_001_000), None]);
    answer(
        "types",
        vec![
            ("uint", Arc::new(UInt64Array::from(vec![Some(1), None])) as ArrayRef),
            ("float", Arc::new(Float64Array::from(vec![Some(0.25), Some(f64::NAN)]))),
            ("decimal", Arc::new(decimal)),
            ("date", Arc::new(Date32Array::from(vec![Some(20_000), None]))),
            ("zoned", Arc::new(time.with_timezone("+02:00"))),
            ("list", Arc::new(list)),
            ("null", Arc::new(NullArray::new(2))),
        ],
    )
}

/// Rows of nulls.
pub(super) fn nulls(schema: &SchemaRef, rows: usize) -> RecordBatch {
    let arrays = schema.fields().iter().map(|field| new_null_array(field.data_type(), rows)).collect();
    RecordBatch::try_new(Arc::clone(schema), arrays).unwrap()
}

/// A table too wide for most terminals.
pub(super) fn wide() -> Answer {
    let text = |value: &str| Arc::new(StringArray::from(vec![Some(value), None])) as ArrayRef;
    let time = TimestampMicrosecondArray::from(vec![Some(1_790_856_000_000_000), None]);
    let mut wide = answer(
        "wide",
        vec![
            ("severity", text("high")),
            ("account_id", text("111122223333")),
            ("principal", text("arn:aws:iam::111122223333:role/ops/Summariser")),
            ("reason", text("The role called a model that no allow entry of the policy covers.")),
            ("first_seen", Arc::new(time) as ArrayRef),
            ("event_count", Arc::new(Int64Array::from(vec![12_345, 1]))),
            (
                "sample_event_ids",
                text("6f1c6b6e-0000-4000-8000-000000000001 6f1c6b6e-0000-4000-8000-000000000002"),
            ),
        ],
    );
    wide.schema = first(&wide).schema();
    assert_eq!(wide.schema.field(4).data_type(), &DataType::Timestamp(TimeUnit::Microsecond, None));
    wide
}

/// Text that a caller may choose, with more than its share of what hurts.
pub(super) fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        "[ -~]{0,40}",
        prop::sample::select(vec![
            "\u{1b}[2J",
            "\u{9b}1m",
            "\r\n",
            "\n",
            "\t",
            "\0",
            "\u{7f}",
            "=",
            "+",
            "-",
            "@",
            ",",
            "\"",
            "'",
            "\u{202e}",
            "\u{2066}",
            "\u{200f}",
            "\u{61c}",
            "\u{200b}",
            "\u{feff}",
            "\u{2028}",
            "\u{ffff}",
            "\u{e0041}",
            "数据",
            "👩\u{200d}💻",
            "e\u{301}",
            "\\",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}
