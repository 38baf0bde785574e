//! What a rule file says of itself: title, severity, controls, parameters, and the advice that goes with it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::fold::{self, Grain};
use super::parameter::{self, Parameter, Type};
use crate::finding::Severity;
use crate::query_file::{self, HeaderError};

/// How a rule looks at events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One event at a time.
    Row,
    /// Events counted over a stretch of time.
    Window,
    /// Events against what was usual before.
    Baseline,
    /// One step after another.
    Sequence,
    /// What should be there and is not: judged over all events, whatever a waiver covers.
    Coverage,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Row => "row",
            Self::Window => "window",
            Self::Baseline => "baseline",
            Self::Sequence => "sequence",
            Self::Coverage => "coverage",
        })
    }
}

/// One rule: its header, and the SELECT that judges.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// `BT001`; part of every finding's id.
    pub code: String,
    /// `model-not-allowed`.
    pub name: String,
    /// One line for lists.
    pub title: String,
    /// Of its violations, unless the policy or the row says otherwise.
    pub severity: Severity,
    /// How it looks at events.
    pub kind: Kind,
    /// Relations that must have rows; without them the rule is not applicable.
    pub needs: Vec<String>,
    /// The columns of `events` it reads.
    pub columns: Vec<String>,
    /// Framework to controls.
    pub controls: BTreeMap<String, Vec<String>>,
    /// MITRE ATT&CK techniques.
    pub attack: Vec<String>,
    /// Their identifiers in older versions of ATT&CK, for tools that lag behind.
    pub attack_old: Vec<String>,
    /// MITRE ATLAS techniques.
    pub atlas: Vec<String>,
    /// Why it matters.
    pub why: String,
    /// What to do about a violation.
    pub fix: String,
    /// When a violation is none.
    pub false_positives: String,
    /// What it means that there is nothing to judge, of records that a trail has only where somebody asked for them.
    pub silence: Option<String>,
    /// What a policy can set, sorted by name.
    pub parameters: Vec<Parameter>,
    /// The SELECT, without the header, with `$name` for each parameter.
    pub sql: String,
    /// What a row of that SELECT stands for.
    pub grain: Grain,
}

/// What is wrong with a rule file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file's name is not `CODE-name`.
    #[error("rule `{stem}`: the file is named CODE-kebab-name.sql, as BT001-model-not-allowed.sql")]
    Name {
        /// The file's name without `.sql`.
        stem: String,
    },
    /// The header is no TOML.
    #[error("rule `{stem}`: {source}")]
    Header {
        /// The file's name without `.sql`.
        stem: String,
        /// Where and what.
        source: HeaderError,
    },
    /// The header is TOML, but not that of a rule.
    #[error("rule `{stem}`: {message}")]
    Content {
        /// The file's name without `.sql`.
        stem: String,
        /// What is wrong.
        message: String,
    },
    /// The SQL does not go with the parameters.
    #[error("rule `{stem}`: {source}")]
    Parameter {
        /// The file's name without `.sql`.
        stem: String,
        /// What is wrong.
        source: parameter::Error,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    title: String,
    severity: String,
    kind: Kind,
    #[serde(default)]
    needs: Vec<String>,
    columns: Vec<String>,
    controls: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    attack: Vec<String>,
    #[serde(default)]
    attack_old: Vec<String>,
    #[serde(default)]
    atlas: Vec<String>,
    why: String,
    fix: String,
    false_positives: String,
    silence: Option<String>,
    #[serde(default)]
    parameters: BTreeMap<String, ParameterHeader>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ParameterHeader {
    r#type: Type,
    default: toml::Value,
    meaning: String,
}

impl Rule {
    /// Reads a rule file: strict, an unknown key, an empty text or a parameter unused is an error.
    pub fn parse(stem: &str, sql: &str) -> Result<Self, Error> {
        let rule = Self::trusted(stem, sql)?;
        let unfit = |source| Error::Parameter { stem: stem.to_owned(), source };
        rule.render(&BTreeMap::new()).map_err(unfit)?;
        Ok(rule)
    }

    /// Reads a rule file whose SQL is known to go with its parameters.
    pub(super) fn trusted(stem: &str, sql: &str) -> Result<Self, Error> {
        let owned = || stem.to_owned();
        let (code, name) = split_stem(stem).ok_or_else(|| Error::Name { stem: owned() })?;
        let (table, body) =
            query_file::split_header(sql).map_err(|source| Error::Header { stem: owned(), source })?;
        let wrong = |message: String| Error::Content { stem: owned(), message };
        let header: Header =
            table.try_into().map_err(|error: toml::de::Error| wrong(query_file::one_line(&error)))?;
        header.check().map_err(wrong)?;
        let severity = header.severity.parse().map_err(|error| wrong(format!("`severity`: {error}")))?;
        let unfit = |source| Error::Parameter { stem: owned(), source };
        let parameters = header
            .parameters
            .into_iter()
            .map(|(name, given)| Parameter::new(name, given.r#type, &given.default, given.meaning))
            .collect::<Result<Vec<_>, _>>()
            .map_err(unfit)?;
        Ok(Self {
            code: code.to_owned(),
            name: name.to_owned(),
            title: header.title,
            severity,
            kind: header.kind,
            needs: header.needs,
            columns: header.columns,
            controls: header.controls,
            attack: header.attack,
            attack_old: header.attack_old,
            atlas: header.atlas,
            why: header.why,
            fix: header.fix,
            false_positives: header.false_positives,
            silence: header.silence,
            parameters,
            sql: body.trim().to_owned(),
            grain: fold::grain(body),
        })
    }

    /// The SQL that is run: the policy's values, or the defaults, in place of the parameters, and events folded into
    /// groups.
    pub fn render(&self, overrides: &BTreeMap<String, toml::Value>) -> Result<String, parameter::Error> {
        self.render_during(overrides, None)
    }

    /// The same for the events of some time: `during` is a condition on them. A rule that groups events itself is not
    /// changed.
    pub fn render_during(
        &self,
        overrides: &BTreeMap<String, toml::Value>,
        during: Option<&str>,
    ) -> Result<String, parameter::Error> {
        let query = parameter::fill(&self.sql, &parameter::values(&self.parameters, overrides)?)?;
        match self.grain {
            Grain::Event { severity } => {
                let by_policy = self.needs.iter().any(|relation| relation.starts_with("policy_"));
                fold::wrap(query, severity, self.severity, by_policy, during)
            }
            Grain::Group => Ok(query.to_string()),
        }
    }

    /// Whether a policy or a person means this rule: its code in either case, its name, or both.
    pub fn is_called(&self, name: &str) -> bool {
        self.code.eq_ignore_ascii_case(name) || self.name == name || self.stem() == name
    }

    /// Code and name, as the file is called.
    pub fn stem(&self) -> String {
        format!("{}-{}", self.code, self.name)
    }

    /// What it judges by: the first twelve hexadecimal digits of SHA-256 over its SELECT. Another text is another
    /// version, whoever changed it.
    pub fn version(&self) -> String {
        let digest = format!("{:x}", Sha256::digest(self.sql.as_bytes()));
        digest.chars().take(12).collect()
    }

    /// The controls as one cell: `SOC 2: CC6.1, CC6.3; …`.
    pub fn frameworks(&self) -> Option<String> {
        let list: Vec<String> = self
            .controls
            .iter()
            .map(|(framework, controls)| format!("{framework}: {}", controls.join(", ")))
            .collect();
        (!list.is_empty()).then(|| list.join("; "))
    }
}

impl Header {
    fn check(&self) -> Result<(), String> {
        let texts = [
            ("title", &self.title),
            ("why", &self.why),
            ("fix", &self.fix),
            ("false_positives", &self.false_positives),
        ];
        let meanings = self.parameters.values().map(|parameter| ("meaning", &parameter.meaning));
        let lists = [
            ("needs", &self.needs),
            ("columns", &self.columns),
            ("attack", &self.attack),
            ("attack_old", &self.attack_old),
            ("atlas", &self.atlas),
        ];
        let entries = lists.into_iter().flat_map(|(key, list)| list.iter().map(move |text| (key, text)));
        let controls = self.controls.values().flatten().map(|text| ("controls", text));
        let silence = self.silence.iter().map(|text| ("silence", text));
        if let Some((key, _)) = texts
            .into_iter()
            .chain(silence)
            .chain(meanings)
            .chain(entries)
            .chain(controls)
            .find(|(_, text)| text.trim().is_empty())
        {
            return Err(format!("`{key}` must not be empty"));
        }
        if let Some((framework, _)) = self.controls.iter().find(|(_, list)| list.is_empty()) {
            return Err(format!("`controls`: `{framework}` names no control"));
        }
        if self.columns.is_empty() && self.kind != Kind::Coverage {
            return Err("`columns` must name the columns of events that it reads".to_owned());
        }
        Ok(())
    }
}

fn split_stem(stem: &str) -> Option<(&str, &str)> {
    let (code, name) = stem.split_once('-')?;
    let letters = code.bytes().take_while(u8::is_ascii_uppercase).count();
    let digits = code.bytes().skip(letters).filter(u8::is_ascii_digit).count();
    let kebab = name.split('-').all(|word| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    });
    (letters > 0 && digits > 0 && letters + digits == code.len() && kebab).then_some((code, name))
}

#[cfg(test)]
pub(super) const SAMPLE_ROW: &str = r#"-- title = "A forbidden model was called"
-- severity = "high"
-- kind = "row"
-- needs = ["policy_deny"]
-- columns = ["event_id", "event_time", "account_id", "aws_region", "principal", "model_id", "activity"]
-- controls = { "SOC 2" = ["CC6.1", "CC6.3"], "ISO/IEC 42001" = ["A.9.4"] }
-- attack = ["T1078.004"]
-- atlas = ["AML.T0040"]
-- why = "The policy forbids the model, and a role called it all the same; the control that should have stopped the call does not work."
-- fix = "Take the model out of the role's IAM policy, or put an explicit deny into the organisation's service control policy."
-- false_positives = "A model that was allowed until lately."
--
-- [parameters.models]
-- type = "list"
-- default = ["model-x", "it's"]
-- meaning = "The forbidden models."
WITH judged AS (
    SELECT event_id, event_time, account_id, aws_region, principal, model_id, model_id IN ($models) AS bad
    FROM events WHERE activity = 'model_invocation'
),
total AS (SELECT COUNT(*) AS population, COUNT(*) FILTER (WHERE NOT bad) AS good FROM judged)
SELECT
    'violation' AS verdict, account_id, MIN(aws_region) AS aws_region, principal, model_id AS subject,
    'forbidden model' AS reason, 'another model' AS expected, model_id AS observed,
    MIN(event_time) AS first_seen, MAX(event_time) AS last_seen, COUNT(*) AS event_count,
    MAX(population) AS population, CAST(NULL AS VARCHAR) AS not_assessed_reason,
    MIN(event_id) AS sample_event_ids
FROM judged CROSS JOIN total WHERE bad GROUP BY account_id, principal, model_id
UNION ALL
SELECT
    'pass' AS verdict, NULL AS account_id, NULL AS aws_region, NULL AS principal, NULL AS subject,
    NULL AS reason, NULL AS expected, NULL AS observed, NULL AS first_seen, NULL AS last_seen,
    good AS event_count, population, NULL AS not_assessed_reason, NULL AS sample_event_ids
FROM total
ORDER BY verdict, account_id, principal, subject
"#;

#[cfg(test)]
pub(super) const SAMPLE_WINDOW: &str = r#"-- title = "Many denials"
-- severity = "medium"
-- kind = "window"
-- columns = ["event_id", "event_time", "account_id", "principal", "outcome"]
-- controls = {}
-- attack_old = ["T1580"]
-- why = "Someone feels out what is allowed."
-- fix = "Ask the owner of the role."
-- false_positives = "A broken deployment."
--
-- [parameters.min_denied]
-- type = "int"
-- default = 3
-- meaning = "Denials that are too many."
--
-- [parameters.until]
-- type = "timestamp"
-- default = 2030-01-01T00:00:00Z
-- meaning = "Events before this are counted."
SELECT
    CASE WHEN account_id IS NULL THEN 'not_assessed' ELSE 'violation' END AS verdict,
    account_id, CAST(NULL AS VARCHAR) AS aws_region, principal, CAST(NULL AS VARCHAR) AS subject,
    'many denials' AS reason, 'fewer' AS expected, CAST(COUNT(*) AS VARCHAR) AS observed,
    MIN(event_time) AS first_seen, MAX(event_time) AS last_seen, COUNT(*) AS event_count,
    COUNT(*) AS population,
    CASE WHEN account_id IS NULL THEN 'no account is recorded' END AS not_assessed_reason,
    MIN(event_id) AS sample_event_ids,
    CASE WHEN COUNT(*) > 5 THEN 'critical' END AS severity
FROM events
WHERE outcome = 'denied' AND event_time < $until
GROUP BY account_id, principal
HAVING COUNT(*) >= $min_denied
ORDER BY account_id, principal
"#;

#[cfg(test)]
pub(super) fn samples() -> Vec<Rule> {
    [("BT901-model-forbidden", SAMPLE_ROW), ("BT902-many-denials", SAMPLE_WINDOW)]
        .map(|(stem, sql)| Rule::parse(stem, sql).expect("the samples are sound"))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_read() {
        let rule = &samples()[0];
        assert_eq!((rule.code.as_str(), rule.name.as_str()), ("BT901", "model-forbidden"));
        assert_eq!(rule.frameworks().unwrap(), "ISO/IEC 42001: A.9.4; SOC 2: CC6.1, CC6.3");
        assert_eq!(samples()[1].frameworks(), None);
        assert!(rule.sql.starts_with("WITH judged"));
    }

    #[test]
    fn strictness() {
        let error = |from: &str, to: &str| {
            assert!(SAMPLE_ROW.contains(from));
            Rule::parse("BT901-x", &SAMPLE_ROW.replace(from, to)).unwrap_err().to_string()
        };
        let said = [
            error("-- why =", "-- wy ="),
            error("-- fix =", "-- atlas_old = [] #"),
            error("-- severity = \"high\"", "-- severity = \"urgent\""),
            error("-- kind = \"row\"", "-- kind = \"line\""),
            error("\"A model that was allowed until lately.\"", "\" \""),
            error("-- attack = [\"T1078.004\"]", "-- attack = [\"\"]"),
            error("\"SOC 2\" = [\"CC6.1\", \"CC6.3\"]", "\"SOC 2\" = []"),
            error("-- meaning = \"The forbidden models.\"", "-- meaning = \"\""),
            error("-- type = \"list\"", "-- type = \"array\""),
            error("[\"model-x\", \"it's\"]", "\"model-x\""),
            error("IN ($models)", "IN ('x')"),
            error("IN ($models)", "IN ($model)"),
            error("-- kind = \"row\"", "-- kind = row"),
        ];
        insta::assert_snapshot!(said.join("\n"), @r#"
        rule `BT901-x`: unknown field `wy`, expected one of `title`, `severity`, `kind`, `needs`, `columns`, `controls`, `attack`, `attack_old`, `atlas`, `why`, `fix`, `false_positives`, `silence`, `parameters`
        rule `BT901-x`: unknown field `atlas_old`, expected one of `title`, `severity`, `kind`, `needs`, `columns`, `controls`, `attack`, `attack_old`, `atlas`, `why`, `fix`, `false_positives`, `silence`, `parameters`
        rule `BT901-x`: `severity`: `urgent` is no severity: give one of info, low, medium, high, critical
        rule `BT901-x`: unknown variant `line`, expected one of `row`, `window`, `baseline`, `sequence`, `coverage` in `kind`
        rule `BT901-x`: `false_positives` must not be empty
        rule `BT901-x`: `attack` must not be empty
        rule `BT901-x`: `controls`: `SOC 2` names no control
        rule `BT901-x`: `meaning` must not be empty
        rule `BT901-x`: unknown variant `array`, expected one of `int`, `text`, `timestamp`, `list` in `parameters.models.type`
        rule `BT901-x`: parameter `models` takes a list of texts or of whole numbers, not "model-x"
        rule `BT901-x`: parameter `models` is nowhere in the SQL
        rule `BT901-x`: `$model` in the SQL has no [parameters.model] in the header
        rule `BT901-x`: line 3, column 11: string values must be quoted, expected literal string
        "#);
    }

    #[test]
    fn file_names_carry_code_and_name() {
        for stem in
            ["BT001", "bt001-x", "BT-x", "001-x", "BT001-", "BT001-X", "BT001-a--b", "BT001x-a", "BT001-a_b"]
        {
            assert!(matches!(Rule::parse(stem, SAMPLE_ROW), Err(Error::Name { .. })), "{stem}");
        }
        assert_eq!(split_stem("ACME001-titan-v2"), Some(("ACME001", "titan-v2")));
    }
}
