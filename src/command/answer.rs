//! Reports run and dressed as answers: title, question, what is not assessed, rows, balance.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Field, Schema, SchemaRef};

use super::Failure;
use super::athena::answered;
use super::judge::{Found, JudgedReport, Judgement};
use super::trail::Trail;
use super::version::Versions;
use crate::engine::Answered;
use crate::output::{Answer, Caveat};
use crate::report::Report;

/// The report whose rows open every other report.
pub(super) const NOT_ASSESSED: &str = "not-assessed";

/// What every answer of a run opens and closes with.
pub(super) struct Frame {
    pub(super) preamble: Vec<Caveat>,
    pub(super) footer: Vec<String>,
    /// The time of the run.
    pub(super) now: i64,
    /// The rows of [`NOT_ASSESSED`], if it was asked.
    not_assessed: Vec<RecordBatch>,
}

impl Frame {
    /// What opens and closes the answer to a query of a person.
    pub(super) fn of_query(trail: &Trail) -> Self {
        let preamble = vec![completeness()];
        Self { preamble, footer: trail.footer(), now: trail.now, not_assessed: Vec::new() }
    }

    /// Asks the trail what it cannot show.
    pub(super) fn of(trail: &Trail, not_assessed: Option<&Report>) -> Result<Self, Failure> {
        let ask = |report: &Report| trail.run(&report.name, &report.sql);
        let not_assessed = not_assessed.map_or_else(|| Ok(Vec::new()), ask)?;
        let mut preamble = Vec::new();
        for batch in &not_assessed {
            preamble.extend(caveats(batch)?);
        }
        preamble.extend(trail.versions.as_ref().and_then(Versions::caveat));
        let told = trail.policy.as_ref().zip(trail.rules);
        preamble.extend(told.into_iter().flat_map(|(policy, rules)| super::setting::caveats(policy, rules)));
        preamble.extend(trail.blind.iter().cloned());
        if let (Some(to), true) = (trail.window.to, trail.passed.pruned > 0 || trail.passed.unlisted) {
            let end = crate::clock::format_micros(to);
            preamble.push(Caveat::new(
                "late delivery",
                format!("Files were left unread by the day in their names. Events before {end} that were delivered much later are not seen."),
            ));
        }
        preamble.extend(trail.lacks.iter().map(|lack| {
            let mut meaning = lack.what.clone();
            meaning.replace_range(..1, &meaning[..1].to_uppercase());
            Caveat::new("store", format!("{meaning}."))
        }));
        Ok(Self { preamble, footer: trail.footer(), now: trail.now, not_assessed })
    }

    /// The same, of a run that judged.
    pub(super) fn judged_by(mut self, judgement: Option<&Judgement>) -> Self {
        self.preamble.extend(judgement.and_then(Judgement::caveat));
        self
    }

    /// A report's rows; those of the one that opens every answer are there already.
    pub(super) fn rows(&self, trail: &Trail, report: &Report) -> Result<Answered, Failure> {
        if report.name == NOT_ASSESSED && !self.not_assessed.is_empty() {
            return answered(self.not_assessed.clone());
        }
        trail.answer(&report.name, &report.sql)
    }

    /// A report's rows as an answer.
    pub(super) fn report(&self, report: &Report, rows: Answered) -> Answer {
        Answer {
            name: report.name.clone(),
            title: report.title.clone(),
            question: report.question.clone(),
            preamble: self.preamble(report, &rows),
            schema: with_meanings(&rows.schema(), &report.columns),
            rows,
            glance: report.glance.clone(),
            footer: self.footer.clone(),
            findings: None,
        }
    }

    fn preamble(&self, report: &Report, rows: &Answered) -> Vec<Caveat> {
        if report.name == NOT_ASSESSED {
            return Vec::new();
        }
        let silent = !report.empty.is_empty() && rows.rows() == 0;
        let silence = silent.then(|| Caveat::new("no rows", report.empty.clone()));
        self.preamble.iter().cloned().chain(silence).collect()
    }

    /// What the rules found as an answer; with the findings themselves if they are to be `shown` with their events.
    pub(super) fn found(
        &self,
        report: &JudgedReport,
        judgement: &Judgement,
        found: &Found,
        shown: bool,
    ) -> Result<Answer, Failure> {
        let mut answer = self.judged(report, (report.rows)(found)?);
        if shown && report.relation == "findings" {
            answer.findings = Some(found.told(judgement, self.now));
        }
        Ok(answer)
    }

    fn judged(&self, report: &JudgedReport, batch: RecordBatch) -> Answer {
        let owned = |(name, meaning): &(&str, &str)| ((*name).to_owned(), (*meaning).to_owned());
        let columns: Vec<_> = report.columns.iter().map(owned).collect();
        Answer {
            name: report.name.to_owned(),
            title: report.title.to_owned(),
            question: report.question.to_owned(),
            preamble: self.preamble.clone(),
            schema: with_meanings(&batch.schema(), &columns),
            rows: batch.into(),
            glance: report.glance.iter().map(|&name| name.to_owned()).collect(),
            footer: self.footer.clone(),
            findings: None,
        }
    }
}

/// The one thing that no answer may leave unsaid.
pub(super) fn completeness() -> Caveat {
    Caveat::new("completeness", "It was not verified that the records read are complete and unaltered.")
}

/// What is off unless somebody turned it on, and is told of in every answer, seen or not.
const ALWAYS: [&str; 3] = ["bedrock-mantle calls", "agent calls", "AgentCore calls"];

/// The rows that limit what the numbers mean.
fn caveats(batch: &RecordBatch) -> Result<Vec<Caveat>, Failure> {
    let column = |name: &str| {
        let array = batch
            .column_by_name(name)
            .ok_or_else(|| Failure::failed(format!("internal error: {NOT_ASSESSED} has no column {name}")))?;
        arrow::compute::cast(array, &arrow::datatypes::DataType::Utf8).map_err(Failure::failed)
    };
    let (topic, verdict, meaning) = (column("topic")?, column("verdict")?, column("meaning")?);
    let (topic, verdict, meaning) =
        (topic.as_string::<i32>(), verdict.as_string::<i32>(), meaning.as_string::<i32>());
    let limits = |row: &usize| {
        matches!(verdict.value(*row), "not_assessed" | "partly") || ALWAYS.contains(&topic.value(*row))
    };
    Ok((0..batch.num_rows())
        .filter(limits)
        .map(|row| Caveat::new(topic.value(row), meaning.value(row)))
        .collect())
}

fn with_meanings(schema: &SchemaRef, columns: &[(String, String)]) -> SchemaRef {
    let field = |field: &Arc<Field>| {
        let meaning = columns.iter().find(|(name, _)| name == field.name());
        let metadata = meaning.map(|(_, text)| HashMap::from([("meaning".to_owned(), text.clone())]));
        field.as_ref().clone().with_metadata(metadata.unwrap_or_default())
    };
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}
