//! Findings in the AWS Security Finding Format: one JSON array, a finding per line, for `BatchImportFindings`.
//!
//! It is never sent from here. A call takes at most 100 findings, all of one account: who sends them cuts the array.

use std::io::Write;

use super::Format;
use super::json::spell;
use crate::output::finding::asff;
use crate::output::{Answer, Error, Options};

/// See the module.
pub(super) struct Asff;

impl Format for Asff {
    fn name(&self) -> &'static str {
        "asff"
    }

    fn extension(&self) -> &'static str {
        "asff.json"
    }

    fn about(&self) -> &'static str {
        "Findings only, for Security Hub: a JSON array in the AWS Security Finding Format; nothing is sent."
    }

    fn rows_only(&self) -> bool {
        true
    }

    fn findings_only(&self) -> bool {
        true
    }

    fn write(&self, answers: &[Answer], _: &Options, out: &mut dyn Write) -> Result<(), Error> {
        let mut next = "[\n";
        for findings in answers.iter().filter_map(|answer| answer.findings.as_ref()) {
            for finding in findings.cases.iter().filter_map(|case| asff::finding(case, findings.found_at)) {
                write!(out, "{next}{}", spell(&finding)?)?;
                next = ",\n";
            }
        }
        out.write_all(if next == "[\n" { b"[]\n" } else { b"\n]\n" })?;
        Ok(())
    }
}
