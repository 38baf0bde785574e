//! One JSON object per row and line, spelled as in `json`.
//!
//! With several answers each row says which it belongs to, in `report`, its first key; a column of that name
//! is then `report_2`. Rows only: what is not assessed is in `json` and in the manifest.

use std::io::Write;

use super::Format;
use super::json::{keys, members_of, spell};
use crate::output::{Answer, Error, Options, cell};

/// See the module.
pub(super) struct Ndjson;

impl Format for Ndjson {
    fn name(&self) -> &'static str {
        "ndjson"
    }

    fn extension(&self) -> &'static str {
        "ndjson"
    }

    fn about(&self) -> &'static str {
        "One JSON object per row and line, for pipes and log shippers."
    }

    fn rows_only(&self) -> bool {
        true
    }

    fn write(&self, answers: &[Answer], _: &Options, out: &mut dyn Write) -> Result<(), Error> {
        let several = answers.len() > 1;
        let taken: &[&str] = if several { &["report"] } else { &[] };
        let mut line = String::new();
        for answer in answers {
            let schema = cell::schema(answer, taken);
            let keys = keys(&schema)?;
            let start =
                if several { format!("{{\"report\":{},", spell(&answer.name)?) } else { "{".to_owned() };
            for batch in cell::batches(answer, &schema) {
                let batch = batch?;
                for row in 0..batch.num_rows() {
                    line.clear();
                    line.push_str(&start);
                    members_of(&keys, &batch, row, &mut line)?;
                    line.push_str("}\n");
                    out.write_all(line.as_bytes())?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    fn ndjson(answers: &[Answer]) -> String {
        let mut out = Vec::new();
        Ndjson.write(answers, &Options::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn one_answer() {
        insta::assert_snapshot!(ndjson(&[sample::usage()]), @r#"
        {"principal":"arn:aws:iam::111122223333:role/ops/Summariser","input_tokens":9007199254740993,"model_id":"anthropic.claude-sonnet-4","last_seen":"2026-10-01T12:00:00Z","streaming":true}
        {"principal":"unknown","input_tokens":null,"model_id":null,"last_seen":null,"streaming":null}
        {"principal":"","input_tokens":-5,"model_id":"a,\"b\"","last_seen":"2026-10-01T12:00:00.250Z","streaming":false}
        "#);
    }

    #[test]
    fn several_answers_name_themselves() {
        let two = [sample::texts(&["a\nb"]), sample::columns(&["report", "report_2", "report"])];
        insta::assert_snapshot!(ndjson(&two), @r#"
        {"report":"texts","text":"a\nb","number":-1}
        {"report":"columns","report_3":7,"report_2":7,"report_4":7}
        "#);
    }
}
