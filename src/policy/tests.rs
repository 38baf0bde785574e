use arrow::array::Array as _;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::*;

mod approved;
mod mistake;
mod relation;

const ACME: &str = include_str!("../../fixtures/policy.toml");
const DRAFT: &str = include_str!("../../fixtures/policy/draft-vocabulary.toml");
const HEAD: &str = "schema = 1\nname = 'n'\nversion = 'v'\n";

fn policy(text: &str) -> Policy {
    Policy::parse("p.toml", text.as_bytes()).unwrap_or_else(|problems| panic!("{}", lines(&problems)))
}

fn problems(text: &str) -> String {
    lines(&Policy::parse("p.toml", text.as_bytes()).unwrap_err())
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Each case after the three lines of HEAD, with what is said about it.
fn told(cases: &[&str]) -> String {
    let one = |case: &&str| match Policy::parse("p.toml", format!("{HEAD}{case}\n").as_bytes()) {
        Ok(_) => format!("{case}\n  => loads"),
        Err(problems) => format!("{case}\n  => {}", lines(&problems).replace('\n', "\n  => ")),
    };
    cases.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn day(text: &str) -> DateTime<Utc> {
    text.parse::<NaiveDate>().unwrap().and_time(NaiveTime::MIN).and_utc()
}

fn shown(relations: &[(&'static str, RecordBatch)], name: &str, limit: usize) -> String {
    let (_, batch) = relations.iter().find(|(relation, _)| *relation == name).unwrap();
    let options = FormatOptions::default().with_null("-");
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap())
        .collect();
    let mut text = name.to_owned();
    for row in 0..batch.num_rows().min(limit) {
        let cells: Vec<String> = columns.iter().map(|column| column.value(row).to_string()).collect();
        text.push_str("\n  ");
        text.push_str(&cells.join(" | "));
    }
    text
}

#[test]
fn acme_loads_and_says_what_it_says() {
    let policy = policy(ACME);
    assert_eq!((policy.name(), policy.version()), ("acme-genai-policy", "2026.11"));
    assert_eq!(policy.sha256().len(), 64);
    assert_eq!(policy.timezone(), "Europe/Zurich");
    assert_eq!(policy.defaults(), &Defaults::default());
    assert_eq!(lines(policy.notes()), "");
    assert_eq!(policy.environment_of("111122223333"), Some("prod"));
    assert_eq!(policy.environment_of("111122224444"), Some("prod-data"));
    assert_eq!(policy.environment_of("999999999999"), None);
    assert_eq!(policy.environment_of(""), None);
    assert_eq!(policy.rule_setting("BT001").unwrap().severity, Some("critical"));
    assert!(!policy.rule_setting("BT072").unwrap().enabled);
    assert!(policy.rule_setting("BT002").is_none());
    assert_eq!(policy.rule_parameters("BT070").unwrap()["min_denied"], Parameter::Int(20));
    assert!(policy.rule_parameters("BT001").is_none());
    assert_eq!(policy.customs().len(), 2);
    let waiver = &policy.waivers()[0];
    let states =
        ["2026-09-30", "2026-10-01", "2026-12-30", "2026-12-31"].map(|at| waiver.state(day(at).naive_utc()));
    assert_eq!(states, ["pending", "active", "active", "expired"]);
    let hours = policy.environments()[0].business_hours.clone().unwrap();
    assert_eq!((hours.days, hours.start.to_string().as_str()), (vec![1, 2, 3, 4, 5], "06:00:00"));
}

#[test]
fn the_template_loads_as_it_is_and_with_every_example_taken() {
    policy(TEMPLATE);
    let taken: String = TEMPLATE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(code) if !code.starts_with(' ') => format!("{code}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let policy = policy(&taken);
    assert_eq!(policy.waivers().len(), 1);
    assert_eq!(lines(policy.notes()), "");
}

#[test]
fn the_template_and_acme_have_every_key() {
    let written = include_str!("written.rs");
    for line in written.lines() {
        let Some((key, _)) = line.trim().strip_prefix("pub(super) ").and_then(|rest| rest.split_once(": "))
        else {
            continue;
        };
        let key = key.trim_start_matches("r#");
        // Only other spellings, which both explain or leave out.
        if ["env", "operations"].contains(&key) {
            continue;
        }
        for (name, text) in [("template", TEMPLATE), ("acme", ACME)] {
            let found = text.lines().any(|line| {
                let line = line.trim_start_matches('#');
                line.starts_with(&format!("{key} ="))
                    || line.contains(&format!("[{key}]"))
                    || line.contains(&format!("[{key}."))
                    || line.contains(&format!(" {key} = "))
            });
            assert!(found, "{name} lacks {key}");
        }
    }
}

#[test]
fn the_draft_vocabulary_loads_but_for_its_predicates() {
    insta::assert_snapshot!(problems(DRAFT), @r#"
    p.toml:81:13: when: unknown column 'op' (help: did you mean activity?)
    p.toml:81:18: when: activity is never 'invoke' (help: did you mean 'model_invocation'?)
    p.toml:81:90: when: unknown column 'env' (help: did you mean environment?)
    p.toml:87:13: when: unknown column 'op' (help: did you mean activity?)
    p.toml:87:20: when: activity is never 'invoke' (help: did you mean 'model_invocation'?)
    "#);
    let now = DRAFT
        .replace("op = 'invoke'", "activity = 'model_invocation'")
        .replace("env = 'prod'\"", "environment = 'prod'\"")
        .replace("op IN ('invoke','discovery')", "activity IN ('model_invocation','discovery')");
    let policy = policy(&now);
    assert_eq!(policy.environment_of("555566667777"), Some("sandbox"));
    let relations = policy.relations(day("2026-11-22"));
    insta::assert_snapshot!(shown(&relations, "policy_allow", 9), @r"
    policy_allow
      claims-bot | 0 | prod | arn:aws:iam::111122223333:role/claims-bot-* | \A(?s:arn:aws:iam::111122223333:role/claims-bot-.*)\z | \A(?s:arn:aws:iam::111122223333:role/claims-bot-.*)\z | 43 | anthropic.claude-sonnet-* | \A(?s:anthropic\.claude-sonnet-.*)\z | model_invocation | - | -
      claims-bot | 0 | prod | arn:aws:iam::111122223333:role/claims-bot-* | \A(?s:arn:aws:iam::111122223333:role/claims-bot-.*)\z | \A(?s:arn:aws:iam::111122223333:role/claims-bot-.*)\z | 43 | amazon.titan-embed-text-v2* | \A(?s:amazon\.titan-embed-text-v2.*)\z | model_invocation | - | -
      developers-coding-agents | 1 | sandbox | arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Developer_* | \A(?s:arn:aws:iam::.*:role/aws-reserved/sso\.amazonaws\.com/.*/AWSReservedSSO_Developer_.*)\z | \A(?s:arn:aws:iam::.*:role/aws-reserved/sso\.amazonaws\.com/.*/AWSReservedSSO_Developer_.*|arn:aws:iam::.*:role/(?:.*|AWSReservedSSO_Developer_.*))\z | 79 | anthropic.claude-* | \A(?s:anthropic\.claude-.*)\z | - | - | -
      developers-coding-agents | 1 | sandbox | arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Developer_* | \A(?s:arn:aws:iam::.*:role/aws-reserved/sso\.amazonaws\.com/.*/AWSReservedSSO_Developer_.*)\z | \A(?s:arn:aws:iam::.*:role/aws-reserved/sso\.amazonaws\.com/.*/AWSReservedSSO_Developer_.*|arn:aws:iam::.*:role/(?:.*|AWSReservedSSO_Developer_.*))\z | 79 | openai.gpt-* | \A(?s:openai\.gpt-.*)\z | - | - | -
    ");
    insta::assert_snapshot!(shown(&relations, "policy_allow_tool", 9), @r#"
    policy_allow_tool
      developers-coding-agents | sandbox | arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Developer_* | \A(?s:arn:aws:iam::.*:role/aws-reserved/sso\.amazonaws\.com/.*/AWSReservedSSO_Developer_.*)\z | claude-code
      developers-coding-agents | sandbox | arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Developer_* | \A(?s:arn:aws:iam::.*:role/aws-reserved/sso\.amazonaws\.com/.*/AWSReservedSSO_Developer_.*)\z | codex-cli
    "#);
}
