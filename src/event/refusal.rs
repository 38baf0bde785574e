//! Why a record gives no row.

use super::record::Record;
use super::time;

/// Longest text of a record that a reason repeats, in characters.
const SHOWN: usize = 60;

/// Why a record is refused. A refused record is counted and named, never dropped in silence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A field without which a record means nothing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// `eventTime` is no time.
    #[error("eventTime {0:?} is no ISO 8601 time")]
    Time(String),
    /// `eventVersion` is of a version that we cannot know.
    #[error("eventVersion {0:?} is none of 1.x")]
    Version(String),
    /// A field of CloudTrail's own has the wrong type or stands twice.
    #[error("{place}: {reason}")]
    Shape {
        /// `record` or `userIdentity`.
        place: &'static str,
        /// What does not fit.
        reason: String,
    },
}

impl Refusal {
    /// The reason in a parser's error, without the position in a buffer that nobody sees.
    pub fn shape(place: &'static str, error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let reason = text.rsplit_once(" at line ").map_or(&*text, |(reason, _)| reason);
        Self::Shape { place, reason: shown(reason) }
    }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

/// What every record must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Basics<'r> {
    /// `eventTime`, microseconds UTC.
    pub event_time: i64,
    /// `eventSource`.
    pub source: &'r str,
    /// `eventName`.
    pub name: &'r str,
}

impl<'r> Basics<'r> {
    /// Checks a record.
    pub fn of(record: &'r Record<'_>) -> Result<Self, Refusal> {
        let given =
            |text: Option<&'r str>, name| text.filter(|text| !text.is_empty()).ok_or(Refusal::Missing(name));
        if let Some(version) = record.event_version.as_deref() {
            // "1.10" is newer than "1.9", and both can be read; "2.0" could mean anything.
            let minor = version.strip_prefix("1.").unwrap_or_default();
            if minor.is_empty() || !minor.bytes().all(|digit| digit.is_ascii_digit()) {
                return Err(Refusal::Version(shown(version)));
            }
        }
        let time = given(record.event_time.as_deref(), "eventTime")?;
        Ok(Self {
            source: given(record.event_source.as_deref(), "eventSource")?,
            name: given(record.event_name.as_deref(), "eventName")?,
            event_time: time::parse(time).ok_or_else(|| Refusal::Time(shown(time)))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> String {
        match serde_json::from_str::<Record<'_>>(json) {
            Ok(record) => Basics::of(&record).map_or_else(|error| error.to_string(), |_| "fine".to_owned()),
            Err(error) => Refusal::shape("record", &error).to_string(),
        }
    }

    #[test]
    fn reasons_say_what_is_wrong() {
        let time = r#""eventTime":"2026-01-02T03:04:05Z""#;
        let source = r#""eventSource":"bedrock.amazonaws.com""#;
        for (json, want) in [
            (format!(r#"{{{time},{source},"eventName":"Converse","eventVersion":"1.11"}}"#), "fine"),
            (format!(r#"{{{time},{source},"eventName":"Converse"}}"#), "fine"),
            (format!(r#"{{{source},"eventName":"Converse"}}"#), "eventTime is missing"),
            (format!(r#"{{{time},{source},"eventName":""}}"#), "eventName is missing"),
            (format!(r#"{{{time},"eventName":"Converse"}}"#), "eventSource is missing"),
            (
                format!(r#"{{{time},{source},"eventName":"Converse","eventVersion":"2.0"}}"#),
                "eventVersion \"2.0\" is none of 1.x",
            ),
            (
                format!(r#"{{{source},"eventName":"x","eventTime":"yes\u001b[1m"}}"#),
                "eventTime \"yes\\u{1b}[1m\" is no ISO 8601 time",
            ),
            (
                format!(r#"{{{time},{source},{source},"eventName":"x"}}"#),
                "record: duplicate field `eventSource`",
            ),
            (
                format!(r#"{{{time},{source},"eventName":7}}"#),
                "record: invalid type: integer `7`, expected text",
            ),
        ] {
            assert_eq!(of(&json), want, "{json}");
        }
    }
}
