//! ⓪ Exit codes: the contract with whatever schedules the program.

use std::process::ExitCode;

/// How a run ended, as its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Code {
    /// Ran, and found nothing at or above `--fail-on`.
    Clean = 0,
    /// Ran, and found violations at or above `--fail-on`.
    Violations = 1,
    /// The command line, configuration or policy is wrong, or a named policy does not exist.
    Usage = 2,
    /// Ran, but the evidence is incomplete; reports are written and say so.
    Incomplete = 3,
    /// Could not run: no input, credentials, network, disk, internal error.
    Failed = 4,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// What held at the end of a run. Several can hold at once: the code tells one, the manifest all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// The command line, configuration or policy is wrong.
    pub usage: bool,
    /// The run could not be carried out.
    pub failed: bool,
    /// A violation at or above `--fail-on`; waived ones do not count.
    pub violations_at_or_above: bool,
    /// An object or record could not be read, an expected account or Region is silent, a digest is broken.
    pub evidence_incomplete: bool,
    /// Something could not be judged, because the trail does not record it.
    pub not_assessed: bool,
    /// `--strict-evidence`: incomplete evidence comes before violations, and not assessed is incomplete.
    pub strict: bool,
}

impl Conditions {
    /// The exit code: 2 and 4 come first, then 1 beats 3; under `strict`, 3 beats 1.
    pub fn code(self) -> Code {
        let incomplete = self.evidence_incomplete || (self.strict && self.not_assessed);
        match self {
            Self { usage: true, .. } => Code::Usage,
            Self { failed: true, .. } => Code::Failed,
            Self { strict: true, .. } if incomplete => Code::Incomplete,
            Self { violations_at_or_above: true, .. } => Code::Violations,
            _ if incomplete => Code::Incomplete,
            _ => Code::Clean,
        }
    }

    /// The names of all conditions that held, in a fixed order, for the manifest.
    pub fn names(self) -> Vec<&'static str> {
        [
            (self.usage, "usage"),
            (self.failed, "failed"),
            (self.violations_at_or_above, "violations_at_or_above"),
            (self.evidence_incomplete, "evidence_incomplete"),
            (self.not_assessed, "not_assessed"),
            (self.strict, "strict_evidence"),
        ]
        .into_iter()
        .filter_map(|(held, name)| held.then_some(name))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every() -> impl Iterator<Item = Conditions> {
        (0u8..64).map(|bits| {
            let bit = |n: u8| bits & (1 << n) != 0;
            Conditions {
                usage: bit(0),
                failed: bit(1),
                violations_at_or_above: bit(2),
                evidence_incomplete: bit(3),
                not_assessed: bit(4),
                strict: bit(5),
            }
        })
    }

    #[test]
    fn precedence_holds_for_every_combination() {
        for held in every() {
            let expected = if held.usage {
                2
            } else if held.failed {
                4
            } else {
                let order = if held.strict { [3, 1] } else { [1, 3] };
                let holds = |code| match code {
                    1 => held.violations_at_or_above,
                    _ => held.evidence_incomplete || (held.strict && held.not_assessed),
                };
                order.into_iter().find(|code| holds(*code)).unwrap_or(0)
            };
            assert_eq!(held.code() as u8, expected, "{held:?}");
        }
    }

    #[test]
    fn names_tell_exactly_what_held() {
        let mut seen = std::collections::BTreeSet::new();
        for held in every() {
            let names = held.names();
            assert_eq!(names.contains(&"not_assessed"), held.not_assessed);
            assert!(seen.insert(names), "two combinations read alike");
        }
    }
}
