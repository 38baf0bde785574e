//! One JSON document, laid out one row per line so that two runs can be compared by eye.
//!
//! Keys come in column order. Null is written out. Integers are numbers, also beyond 2^53; times are
//! RFC 3339 with `Z`; a float that is not a number is null. What could act on a terminal is `\uXXXX`.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use serde::Serialize;

use super::Format;
use crate::output::cell::{self, Value};
use crate::output::{Answer, Error, Options, text};

/// See the module.
pub(super) struct Json;

#[derive(Serialize)]
struct Column<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    meaning: Option<&'a str>,
}

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "One document with every report, its columns, its rows and what is not assessed."
    }

    fn write(&self, answers: &[Answer], _: &Options, out: &mut dyn Write) -> Result<(), Error> {
        write!(out, "{{\"schema\":\"bedtrail/1\",\"reports\":[")?;
        for (index, answer) in answers.iter().enumerate() {
            out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
            report(answer, out)?;
        }
        out.write_all(b"\n]}\n")?;
        Ok(())
    }
}

fn report(answer: &Answer, out: &mut dyn Write) -> Result<(), Error> {
    let schema = cell::schema(answer, &[]);
    let columns: Vec<Column> = schema
        .fields()
        .iter()
        .map(|field| Column {
            name: field.name(),
            kind: cell::kind(field.data_type()),
            meaning: field.metadata().get(cell::MEANING).map(String::as_str),
        })
        .collect();
    let members = [
        ("{\"name\":", spell(&answer.name)?),
        (",\"title\":", spell(&answer.title)?),
        (",\"question\":", spell(&answer.question)?),
        (",\"not_assessed\":", spell(&answer.preamble.iter().map(ToString::to_string).collect::<Vec<_>>())?),
        (",\"columns\":", spell(&columns)?),
    ];
    for (key, value) in members {
        write!(out, "{key}{value}")?;
    }
    out.write_all(b",\"rows\":[")?;
    let mut next: &[u8] = b"\n";
    let keys = keys(&schema)?;
    let mut line = String::new();
    for batch in cell::batches(answer, &schema) {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            line.clear();
            line.push('{');
            members_of(&keys, &batch, row, &mut line)?;
            line.push('}');
            out.write_all(next)?;
            out.write_all(line.as_bytes())?;
            next = b",\n";
        }
    }
    write!(out, "],\"footer\":{}}}", spell(&answer.footer)?)?;
    Ok(())
}

/// A value in compact JSON that a terminal can print.
pub(super) fn spell<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    Ok(text::json(&serde_json::to_string(value)?).into_owned())
}

/// The columns' names as JSON keys, with the colon.
pub(super) fn keys(schema: &Schema) -> Result<Vec<String>, Error> {
    schema.fields().iter().map(|field| Ok(spell(field.name())? + ":")).collect()
}

/// A row's members, without braces.
pub(super) fn members_of(
    keys: &[String],
    batch: &RecordBatch,
    row: usize,
    line: &mut String,
) -> Result<(), Error> {
    for (index, (key, array)) in keys.iter().zip(batch.columns()).enumerate() {
        if index > 0 {
            line.push(',');
        }
        line.push_str(key);
        match cell::value(array, row) {
            Value::Null => line.push_str("null"),
            Value::Text(value) => line.push_str(&spell(value)?),
            Value::Time(value) => line.push_str(&spell(&value)?),
            Value::Float(value) => line.push_str(&spell(&value)?),
            value => line.push_str(&value.plain()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;
    use proptest::prelude::*;

    fn json(answers: &[Answer]) -> String {
        let mut out = Vec::new();
        Json.write(answers, &Options::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_small_answer() {
        insta::assert_snapshot!(json(&[sample::usage()]), @r#"
        {"schema":"bedtrail/1","reports":[
        {"name":"usage","title":"Usage by principal","question":"Who calls which model?","not_assessed":["completeness: It is not verified. More of it here."],"columns":[{"name":"principal","type":"text","meaning":"Who called."},{"name":"input_tokens","type":"int"},{"name":"model_id","type":"text"},{"name":"last_seen","type":"time"},{"name":"streaming","type":"bool"}],"rows":[
        {"principal":"arn:aws:iam::111122223333:role/ops/Summariser","input_tokens":9007199254740993,"model_id":"anthropic.claude-sonnet-4","last_seen":"2026-10-01T12:00:00Z","streaming":true},
        {"principal":"unknown","input_tokens":null,"model_id":null,"last_seen":null,"streaming":null},
        {"principal":"","input_tokens":-5,"model_id":"a,\"b\"","last_seen":"2026-10-01T12:00:00.250Z","streaming":false}],"footer":["12 records seen = 3 kept + 9 not ours"]}
        ]}
        "#);
    }

    #[test]
    fn none_and_several_are_documents_too() {
        insta::assert_snapshot!(json(&[]), @r#"
        {"schema":"bedtrail/1","reports":[
        ]}
        "#);
        let two = [sample::texts(&["a"]), sample::texts(&[])];
        insta::assert_snapshot!(json(&two), @r#"
        {"schema":"bedtrail/1","reports":[
        {"name":"texts","title":"","question":"","not_assessed":[],"columns":[{"name":"text","type":"text"},{"name":"number","type":"int"}],"rows":[
        {"text":"a","number":-1}],"footer":[]},
        {"name":"texts","title":"","question":"","not_assessed":[],"columns":[{"name":"text","type":"text"},{"name":"number","type":"int"}],"rows":[],"footer":[]}
        ]}
        "#);
    }

    #[test]
    fn every_type_has_a_spelling() {
        insta::assert_snapshot!(json(&[sample::types()]), @r#"
        {"schema":"bedtrail/1","reports":[
        {"name":"types","title":"","question":"","not_assessed":[],"columns":[{"name":"uint","type":"int"},{"name":"float","type":"float"},{"name":"decimal","type":"decimal"},{"name":"date","type":"date"},{"name":"zoned","type":"time"},{"name":"list","type":"text"},{"name":"null","type":"text"}],"rows":[
        {"uint":1,"float":0.25,"decimal":-0.05,"date":"2024-10-04","zoned":"2026-10-01T12:00:00.000001Z","list":"[1, null]","null":null},
        {"uint":null,"float":null,"decimal":null,"date":null,"zoned":null,"list":null,"null":null}],"footer":[]}
        ]}
        "#);
    }

    proptest! {
        #[test]
        fn every_value_reads_back(cells in prop::collection::vec(sample::hostile(), 0..8)) {
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            let text = json(&[sample::texts(&cells)]);
            prop_assert!(text.chars().all(|c| c == '\n' || text::shown(c.encode_utf8(&mut [0; 4])).len() == c.len_utf8()));
            let document: serde_json::Value = serde_json::from_str(&text).unwrap();
            let rows = document["reports"][0]["rows"].as_array().unwrap();
            prop_assert_eq!(rows.len(), cells.len());
            for (row, cell) in rows.iter().zip(cells) {
                prop_assert_eq!(row["text"].as_str(), Some(cell));
            }
        }
    }
}
