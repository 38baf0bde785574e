//! Findings as events of OCSF 1.8.0, one JSON object per line. Answers without findings are passed over.

use std::io::Write;

use super::Format;
use super::json::spell;
use crate::output::finding::ocsf;
use crate::output::{Answer, Error, Options};

/// See the module.
pub(super) struct Ocsf;

impl Format for Ocsf {
    fn name(&self) -> &'static str {
        "ocsf"
    }

    fn extension(&self) -> &'static str {
        "ocsf.json"
    }

    fn about(&self) -> &'static str {
        "Findings only, for a SIEM: OCSF 1.8.0 Compliance and Detection Findings, one per line."
    }

    fn rows_only(&self) -> bool {
        true
    }

    fn findings_only(&self) -> bool {
        true
    }

    fn write(&self, answers: &[Answer], _: &Options, out: &mut dyn Write) -> Result<(), Error> {
        for findings in answers.iter().filter_map(|answer| answer.findings.as_ref()) {
            for case in &findings.cases {
                writeln!(out, "{}", spell(&ocsf::event(case, findings.found_at))?)?;
            }
        }
        Ok(())
    }
}
