//! Rules in words: the list of them, and a manual page for each.

use std::fmt::Write as _;

use super::header::Rule;

/// How wide a page is.
const WIDTH: usize = 80;

/// All rules, one to a line; long titles go on below themselves.
pub fn list(rules: &[Rule]) -> String {
    let code = rules.iter().map(|rule| rule.code.len()).chain(["CODE".len()]).max().unwrap_or(0);
    let mut page = format!("{:code$}  {:8}  {:8}  TITLE\n", "CODE", "SEVERITY", "KIND");
    let indent = code + 22;
    for rule in rules {
        let head = format!("{:code$}  {:8}  {:8}  ", rule.code, rule.severity, rule.kind);
        put(&mut page, &head, indent, &rule.title);
    }
    page
}

/// The manual page of one rule.
pub fn explain(rule: &Rule) -> String {
    let mut page = String::new();
    put(&mut page, "", 0, &rule.title);
    page.push('\n');
    put(&mut page, "rule       ", 11, &format!("{} {}", rule.code, rule.name));
    put(&mut page, "severity   ", 11, rule.severity.name());
    put(&mut page, "kind       ", 11, &rule.kind.to_string());
    section(&mut page, "Why", &rule.why);
    if !rule.columns.is_empty() {
        section(&mut page, "What it looks at", &rule.columns.join(", "));
    }
    if !rule.needs.is_empty() {
        section(&mut page, "What it needs", &format!("Rows in {}.", rule.needs.join(", ")));
    }
    if !rule.parameters.is_empty() {
        page.push_str("\nParameters\n");
        for parameter in &rule.parameters {
            let line = format!("{} ({}, default {})", parameter.name, parameter.r#type, parameter.default);
            put(&mut page, "  ", 4, &line);
            put(&mut page, "    ", 4, &parameter.meaning);
        }
    }
    section(&mut page, "How to fix", &rule.fix);
    section(&mut page, "False positives", &rule.false_positives);
    if let Some(silence) = &rule.silence {
        section(&mut page, "Where there is nothing to judge", &format!("Not assessed: {silence}."));
    }
    if !rule.controls.is_empty() {
        page.push_str("\nControls\n");
        for (framework, controls) in &rule.controls {
            put(&mut page, "  ", 4, &format!("{framework}: {}", controls.join(", ")));
        }
    }
    let techniques =
        [("ATT&CK", &rule.attack), ("ATT&CK, older numbers", &rule.attack_old), ("ATLAS", &rule.atlas)];
    if techniques.iter().any(|(_, list)| !list.is_empty()) {
        page.push_str("\nTechniques\n");
        for (name, list) in techniques.iter().filter(|(_, list)| !list.is_empty()) {
            put(&mut page, "  ", 4, &format!("{name}: {}", list.join(", ")));
        }
    }
    page.push_str("\nSQL\n");
    for line in rule.sql.lines() {
        // Writing to a string does not fail.
        let _ = writeln!(page, "{}", format!("  {line}").trim_end());
    }
    page
}

fn section(page: &mut String, heading: &str, text: &str) {
    let _ = writeln!(page, "\n{heading}");
    put(page, "  ", 2, text);
}

/// Appends `text` behind `head`, wrapped at the width; further lines are indented. A word that is longer than
/// a line stays whole, so that it can be copied.
fn put(page: &mut String, head: &str, indent: usize, text: &str) {
    let mut line = head.to_owned();
    let mut bare = true;
    for word in text.split_whitespace() {
        if !bare && line.chars().count() + 1 + word.chars().count() > WIDTH {
            page.push_str(line.trim_end());
            page.push('\n');
            line = " ".repeat(indent);
            bare = true;
        }
        if !bare {
            line.push(' ');
        }
        line.push_str(word);
        bare = false;
    }
    page.push_str(line.trim_end());
    page.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::header::samples;

    #[test]
    fn list_is_a_table() {
        let mut rules = samples();
        rules[1].title =
            "A title that is so long that it cannot stand on one line with all the rest of it".to_owned();
        insta::assert_snapshot!(list(&rules), @r"
        CODE   SEVERITY  KIND      TITLE
        BT901  high      row       A forbidden model was called
        BT902  medium    window    A title that is so long that it cannot stand on one
                                   line with all the rest of it
        ");
    }

    #[test]
    fn page_tells_all() {
        insta::assert_snapshot!(explain(&samples()[1]), @r"
        Many denials

        rule       BT902 many-denials
        severity   medium
        kind       window

        Why
          Someone feels out what is allowed.

        What it looks at
          event_id, event_time, account_id, principal, outcome

        Parameters
          min_denied (int, default 3)
            Denials that are too many.
          until (timestamp, default 2030-01-01T00:00:00Z)
            Events before this are counted.

        How to fix
          Ask the owner of the role.

        False positives
          A broken deployment.

        Techniques
          ATT&CK, older numbers: T1580

        SQL
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
        ");
    }

    #[test]
    fn nothing_but_sql_is_wider_than_the_page() {
        for rule in samples() {
            let page = explain(&rule);
            let (words, _) = page.split_once("\nSQL\n").unwrap();
            assert!(words.lines().all(|line| line.chars().count() <= WIDTH), "{words}");
        }
    }
}
