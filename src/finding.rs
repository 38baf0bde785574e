//! ⓪ What a rule found: its severity, its verdict, its stable id, and the relation `findings`.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use sha2::{Digest, Sha256};

/// How bad a violation is, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing to mend.
    Info,
    /// Mend when convenient.
    Low,
    /// Mend in the normal course.
    Medium,
    /// Mend now.
    High,
    /// Drop everything.
    Critical,
}

impl Severity {
    /// All of them, in rising order.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The name, as written in headers, policies and exports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What a rule says of the events it looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// They break the rule.
    Violation,
    /// They break the rule, and a waiver covers them.
    Waived,
    /// The trail does not record what the rule would have to know.
    NotAssessed,
    /// The rule has nothing to say of them.
    NotApplicable,
    /// They keep the rule.
    Pass,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Violation, Self::Waived, Self::NotAssessed, Self::NotApplicable, Self::Pass];

    /// The name, as rules return it and exports carry it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Violation => "violation",
            Self::Waived => "waived",
            Self::NotAssessed => "not_assessed",
            Self::NotApplicable => "not_applicable",
            Self::Pass => "pass",
        }
    }
}

/// A text that is none of the accepted names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}: give one of {accepted}")]
pub struct UnknownName {
    /// The text as given.
    pub text: String,
    /// What it should have been.
    pub what: &'static str,
    /// The accepted names.
    pub accepted: String,
}

macro_rules! by_name {
    ($type:ty, $what:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl FromStr for $type {
            type Err = UnknownName;

            fn from_str(text: &str) -> Result<Self, UnknownName> {
                Self::ALL.into_iter().find(|one| one.name() == text).ok_or_else(|| UnknownName {
                    text: text.to_owned(),
                    what: $what,
                    accepted: Self::ALL.map(Self::name).join(", "),
                })
            }
        }
    };
}

by_name!(Severity, "severity");
by_name!(Verdict, "verdict");

/// One finding: what one rule says of one account, principal and subject. Times are microseconds, UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// See [`finding_id`].
    pub finding_id: String,
    /// The rule's code, `BT001`.
    pub rule_id: String,
    /// The rule's name, `model-not-allowed`.
    pub rule_name: String,
    /// The rule's title.
    pub rule_title: String,
    /// The policy's, else the row's, else the rule's.
    pub severity: Severity,
    /// Violation, waived or not assessed.
    pub status: Verdict,
    /// The account it is about.
    pub account_id: Option<String>,
    /// The Region, or several separated by spaces.
    pub aws_region: Option<String>,
    /// The environment that the policy gives the account.
    pub environment: Option<String>,
    /// Whose doing it is.
    pub principal: Option<String>,
    /// Who is behind the sample events, as far as they say: several separated by commas.
    pub person: Option<String>,
    /// What it is about: all that tells two findings of one principal apart.
    pub subject: Option<String>,
    /// What is wrong, in a sentence.
    pub reason: Option<String>,
    /// What the rule or the policy asks for.
    pub expected: Option<String>,
    /// What the trail shows.
    pub observed: Option<String>,
    /// Time of the first event.
    pub first_seen: Option<i64>,
    /// Time of the last event.
    pub last_seen: Option<i64>,
    /// How many events it stands for.
    pub event_count: i64,
    /// How many events the rule looked at.
    pub population: i64,
    /// The controls it speaks to: `SOC 2: CC6.1, CC6.3; …`.
    pub frameworks: Option<String>,
    /// MITRE ATT&CK techniques, separated by spaces.
    pub attack: Option<String>,
    /// MITRE ATLAS techniques, separated by spaces.
    pub atlas: Option<String>,
    /// Why it could not be judged.
    pub not_assessed_reason: Option<String>,
    /// The waiver that covers it.
    pub waiver_id: Option<String>,
    /// Who answers for that waiver.
    pub waiver_owner: Option<String>,
    /// When that waiver ends.
    pub waiver_expires: Option<i64>,
    /// At most five ids of events it stands for, sorted.
    pub sample_event_ids: Vec<String>,
    /// Where these events are, in the same order: log object, `#`, index of the record in it.
    pub sample_records: Vec<String>,
    /// What the rule judged by: see `Rule::version`.
    pub rule_version: Option<String>,
    /// Whether an earlier run did not have it as a violation; none where no earlier run was given.
    pub new_since_last_run: Option<bool>,
}

impl Finding {
    /// The total order of reports: worst first, then rule, account, principal, subject, status, waiver.
    pub fn sort_key(&self) -> impl Ord + '_ {
        (
            (Reverse(self.severity), &self.rule_id, &self.account_id, &self.principal, &self.subject),
            (self.status, &self.waiver_id),
            // Nothing below is needed to tell two findings of one run apart.
            &self.finding_id,
        )
    }
}

/// The id of a finding: the first 32 hexadecimal digits of SHA-256 over rule code, account, principal and
/// subject, separated by U+001F, a missing one being U+0000. The same from run to run and across policy edits.
pub fn finding_id(
    rule: &str,
    account_id: Option<&str>,
    principal: Option<&str>,
    subject: Option<&str>,
) -> String {
    let text = [Some(rule), account_id, principal, subject].map(|part| part.unwrap_or("\0")).join("\u{1f}");
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(16).fold(String::with_capacity(32), |mut hex, byte| {
        for nibble in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        hex
    })
}

/// The columns of the relation `findings`.
pub fn findings_schema() -> SchemaRef {
    let field = |name: &str| {
        let (kind, nullable) = match name {
            "first_seen" | "last_seen" | "waiver_expires" => {
                (DataType::Timestamp(TimeUnit::Microsecond, None), true)
            }
            "new_since_last_run" => (DataType::Boolean, true),
            "event_count" | "population" => (DataType::Int64, false),
            "finding_id" | "rule_id" | "rule_name" | "rule_title" | "severity" | "status" => {
                (DataType::Utf8View, false)
            }
            _ => (DataType::Utf8View, true),
        };
        Field::new(name, kind, nullable)
    };
    Arc::new(Schema::new(COLUMNS.iter().map(|name| field(name)).collect::<Vec<_>>()))
}

/// The names of the columns of `findings`, in order.
pub const COLUMNS: [&str; 33] = [
    "finding_id",
    "rule_id",
    "rule_name",
    "rule_title",
    "severity",
    "status",
    "account_id",
    "aws_region",
    "environment",
    "principal",
    "person",
    "subject",
    "reason",
    "expected",
    "observed",
    "first_seen",
    "last_seen",
    "event_count",
    "population",
    "frameworks",
    "attack",
    "atlas",
    "not_assessed_reason",
    "waiver_id",
    "waiver_owner",
    "waiver_expires",
    "sample_event_ids",
    "sample_records",
    "rule_version",
    "new_since_last_run",
    "reviewer",
    "review_date",
    "disposition",
];

/// Findings as rows of `findings`, in the order given.
pub fn findings_batch(findings: &[Finding]) -> Result<RecordBatch, ArrowError> {
    fn text<'a>(findings: &'a [Finding], get: impl Fn(&'a Finding) -> Option<&'a str>) -> ArrayRef {
        Arc::new(findings.iter().map(get).collect::<StringViewArray>())
    }
    let time = |get: fn(&Finding) -> Option<i64>| -> ArrayRef {
        Arc::new(findings.iter().map(get).collect::<TimestampMicrosecondArray>())
    };
    let int = |get: fn(&Finding) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(findings.iter().map(get)))
    };
    let joined = |get: fn(&Finding) -> &[String]| -> ArrayRef {
        let cells = findings.iter().map(|f| match get(f) {
            [] => None,
            texts => Some(texts.join(" ")),
        });
        Arc::new(cells.collect::<StringViewArray>())
    };
    // For the reviewer to fill in.
    let blank = || text(findings, |_| None);
    let columns = vec![
        text(findings, |f| Some(&f.finding_id)),
        text(findings, |f| Some(&f.rule_id)),
        text(findings, |f| Some(&f.rule_name)),
        text(findings, |f| Some(&f.rule_title)),
        text(findings, |f| Some(f.severity.name())),
        text(findings, |f| Some(f.status.name())),
        text(findings, |f| f.account_id.as_deref()),
        text(findings, |f| f.aws_region.as_deref()),
        text(findings, |f| f.environment.as_deref()),
        text(findings, |f| f.principal.as_deref()),
        text(findings, |f| f.person.as_deref()),
        text(findings, |f| f.subject.as_deref()),
        text(findings, |f| f.reason.as_deref()),
        text(findings, |f| f.expected.as_deref()),
        text(findings, |f| f.observed.as_deref()),
        time(|f| f.first_seen),
        time(|f| f.last_seen),
        int(|f| f.event_count),
        int(|f| f.population),
        text(findings, |f| f.frameworks.as_deref()),
        text(findings, |f| f.attack.as_deref()),
        text(findings, |f| f.atlas.as_deref()),
        text(findings, |f| f.not_assessed_reason.as_deref()),
        text(findings, |f| f.waiver_id.as_deref()),
        text(findings, |f| f.waiver_owner.as_deref()),
        time(|f| f.waiver_expires),
        joined(|f| &f.sample_event_ids),
        joined(|f| &f.sample_records),
        text(findings, |f| f.rule_version.as_deref()),
        Arc::new(findings.iter().map(|f| f.new_since_last_run).collect::<BooleanArray>()),
        blank(),
        blank(),
        blank(),
    ];
    RecordBatch::try_new(findings_schema(), columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding() -> Finding {
        Finding {
            finding_id: finding_id("BT001", Some("111122223333"), Some("role/a"), Some("model-x")),
            rule_id: "BT001".to_owned(),
            rule_name: "model-not-allowed".to_owned(),
            rule_title: "Model not allowed".to_owned(),
            severity: Severity::High,
            status: Verdict::Violation,
            account_id: Some("111122223333".to_owned()),
            aws_region: None,
            environment: None,
            principal: Some("role/a".to_owned()),
            person: Some("jane@acme.example".to_owned()),
            subject: Some("model-x".to_owned()),
            reason: None,
            expected: None,
            observed: None,
            first_seen: Some(1),
            last_seen: Some(2),
            event_count: 3,
            population: 4,
            frameworks: None,
            attack: None,
            atlas: None,
            not_assessed_reason: None,
            waiver_id: None,
            waiver_owner: None,
            waiver_expires: None,
            sample_event_ids: vec!["e1".to_owned(), "e2".to_owned()],
            sample_records: vec!["logs/a.json.gz#0".to_owned(), "logs/b%20c.json.gz#7".to_owned()],
            rule_version: None,
            new_since_last_run: None,
        }
    }

    #[test]
    fn severities_are_ordered_and_read_back() {
        assert!(Severity::ALL.is_sorted());
        assert!(Severity::Critical > Severity::High);
        for severity in Severity::ALL {
            assert_eq!(severity.to_string().parse(), Ok(severity));
        }
        for verdict in Verdict::ALL {
            assert_eq!(verdict.to_string().parse(), Ok(verdict));
        }
        let error = "High".parse::<Severity>().unwrap_err();
        insta::assert_snapshot!(error, @"`High` is no severity: give one of info, low, medium, high, critical");
    }

    #[test]
    fn ids_are_pinned() {
        // Jobs tell a new finding from a known one by these: they must never change.
        insta::assert_snapshot!(finding_id("BT001", Some("111122223333"), Some("role/a"), Some("model-x")), @"fe4675a0a33a5526603625b4ec582d6f");
        insta::assert_snapshot!(finding_id("BT001", None, None, None), @"359bc2cc0673f7fde10cd5fd18215545");
        insta::assert_snapshot!(finding_id("BT001", Some(""), Some(""), Some("")), @"4fbd65b075b6a6fd6c4500cdde378381");
    }

    #[test]
    fn ids_tell_every_part_apart() {
        let ids = [
            finding_id("BT001", Some("a"), Some("b"), None),
            finding_id("BT001", Some("a"), None, Some("b")),
            finding_id("BT001", Some("ab"), None, None),
            finding_id("BT002", Some("a"), Some("b"), None),
            finding_id("BT001", Some("a"), Some("b"), Some("")),
        ];
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
        assert!(ids.iter().all(|id| id.len() == 32));
    }

    #[test]
    fn order_is_worst_first_then_by_what_it_is() {
        let base = finding();
        let mut low = base.clone();
        low.severity = Severity::Low;
        low.rule_id = "BT000".to_owned();
        let mut waived = base.clone();
        waived.status = Verdict::Waived;
        let mut accountless = base.clone();
        accountless.account_id = None;
        let mut list = [low.clone(), waived.clone(), base.clone(), accountless.clone()];
        list.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        assert_eq!(list, [accountless, base, waived, low]);
    }

    #[test]
    fn batch_carries_every_column_in_its_place() {
        let named = |name: &str| Some(name.to_owned());
        let full = Finding {
            aws_region: named("aws_region"),
            environment: named("environment"),
            reason: named("reason"),
            expected: named("expected"),
            observed: named("observed"),
            frameworks: named("frameworks"),
            attack: named("attack"),
            atlas: named("atlas"),
            not_assessed_reason: named("not_assessed_reason"),
            waiver_id: named("waiver_id"),
            waiver_owner: named("waiver_owner"),
            waiver_expires: Some(5),
            rule_version: named("rule_version"),
            new_since_last_run: Some(true),
            ..finding()
        };
        let batch = findings_batch(&[full]).unwrap();
        let row: Vec<String> = COLUMNS
            .iter()
            .zip(batch.columns())
            .map(|(name, column)| {
                format!("{name} = {}", arrow::util::display::array_value_to_string(column, 0).unwrap())
            })
            .collect();
        insta::assert_snapshot!(row.join("\n"), @r"
        finding_id = fe4675a0a33a5526603625b4ec582d6f
        rule_id = BT001
        rule_name = model-not-allowed
        rule_title = Model not allowed
        severity = high
        status = violation
        account_id = 111122223333
        aws_region = aws_region
        environment = environment
        principal = role/a
        person = jane@acme.example
        subject = model-x
        reason = reason
        expected = expected
        observed = observed
        first_seen = 1970-01-01T00:00:00.000001
        last_seen = 1970-01-01T00:00:00.000002
        event_count = 3
        population = 4
        frameworks = frameworks
        attack = attack
        atlas = atlas
        not_assessed_reason = not_assessed_reason
        waiver_id = waiver_id
        waiver_owner = waiver_owner
        waiver_expires = 1970-01-01T00:00:00.000005
        sample_event_ids = e1 e2
        sample_records = logs/a.json.gz#0 logs/b%20c.json.gz#7
        rule_version = rule_version
        new_since_last_run = true
        reviewer = 
        review_date = 
        disposition = 
        ");
        assert_eq!(findings_batch(&[]).unwrap().schema(), findings_schema());
    }
}
