//! `[approved]`, and what environments say besides.

use super::*;

#[test]
fn mistakes_are_told_with_their_place() {
    insta::assert_snapshot!(told(&[
        "[approved]\nmodel_admin = ['*']\nevaluators = 'a'",
        "[approved]\nevaluators = []\nshared_roles = ['']\nruntime_agents = ['agent/[0-9]']",
        "[approved]\nmodel_admins = ['arn:aws:sts::111122223333:assumed-role/ops/alice', 'a', 'a']",
        "[approved]\nbatch_buckets = ['arn:aws:s3:::b', 's3://', 'b/p', 's3://b/p*', 'b-*']",
        "[approved]\ntrusted_accounts = [111122223333]",
        "[approved]\ntrusted_accounts = ['1111', 'acme', '1111*']",
        "[[environment]]\nname = 'a'\naccounts = ['1*']\ndata_retention = ''\ncontent_logging = 'require'",
        "[[environment]]\nname = 'a'\naccounts = ['1*']\ntimezone = 'UTC'",
        "timezone = '+5'",
    ]), @r#"
    [approved]
    model_admin = ['*']
    evaluators = 'a'
      => p.toml:5:1: unknown key 'approved.model_admin' (help: did you mean model_admins?)
      => p.toml:6:14: approved.evaluators wants a list, like ["…", "…"], not text
    [approved]
    evaluators = []
    shared_roles = ['']
    runtime_agents = ['agent/[0-9]']
      => p.toml:5:14: an empty list (help: leave the key out, or say what is meant)
      => p.toml:6:17: an empty pattern matches nothing: '' (help: write "*" for everything, or leave the key out)
      => p.toml:7:19: a pattern knows no [ ] or { }: 'agent/[0-9]' (help: patterns know only * (any text) and ? (one character); list several patterns instead)
    [approved]
    model_admins = ['arn:aws:sts::111122223333:assumed-role/ops/alice', 'a', 'a']
      => p.toml:5:17: a session is no principal: 'arn:aws:sts::111122223333:assumed-role/ops/alice' (help: write the role's own ARN, like arn:aws:iam::111122223333:role/name)
      => p.toml:5:74: 'a' stands twice in the list
    [approved]
    batch_buckets = ['arn:aws:s3:::b', 's3://', 'b/p', 's3://b/p*', 'b-*']
      => p.toml:5:18: no bucket: 'arn:aws:s3:::b' (help: write its name, or s3://bucket/prefix*)
      => p.toml:5:36: no bucket: 's3://' (help: write its name, or s3://bucket/prefix*)
      => p.toml:5:45: no bucket: 'b/p' (help: write its name, or s3://bucket/prefix*)
    [approved]
    trusted_accounts = [111122223333]
      => p.toml:5:21: approved.trusted_accounts wants text in quotes, not a number (help: an account id is text, since a number loses its leading zeros: write "111122223333")
    [approved]
    trusted_accounts = ['1111', 'acme', '1111*']
      => p.toml:5:21: no account id: '1111' (help: an account id has twelve digits)
      => p.toml:5:29: no account id: 'acme' (help: an account id is twelve digits; * and ? may stand for some)
    [[environment]]
    name = 'a'
    accounts = ['1*']
    data_retention = ''
    content_logging = 'require'
      => p.toml:7:18: data_retention is empty (help: leave the key out instead)
      => p.toml:8:19: content_logging is never 'require' (help: did you mean 'required'?)
    [[environment]]
    name = 'a'
    accounts = ['1*']
    timezone = 'UTC'
      => p.toml:7:1: unknown key 'environment.timezone' (help: known here: name, accounts, regions, inference_geographies, require_guardrail, vpc_endpoints, source_cidrs, credentials, business_hours, data_class, data_retention, content_logging, mantle)
    timezone = '+5'
      => p.toml:4:12: unknown time zone '+5' (help: write an IANA name, like Europe/Zurich)
    "#);
}

#[test]
fn lists_become_relations() {
    let text = format!(
        "{HEAD}timezone = 'America/St_Johns'\n\
         [[environment]]\nname = 'a'\naccounts = ['1*']\ndata_retention = 'none'\ncontent_logging = 'required'\nmantle = 'used'\n\
         business_hours = {{ days = ['mon', 'sun'], start = '06:30', end = '24:00' }}\n\
         [[environment]]\nname = 'b'\naccounts = ['2*']\ndata_class = 'public'\n\
         business_hours = {{ days = ['sat'], start = '00:00', end = '12:15' }}\n\
         [approved]\nmodel_admins = ['arn:aws:iam::*:role/ops/a.b']\nbatch_buckets = ['s3://b/p*']\n\
         trusted_accounts = ['1111*']\n"
    );
    let relations = policy(&text).relations(day("2026-11-22"));
    let names = [
        "policy_environment_setting",
        "policy_business_hours",
        "policy_model_admin",
        "policy_evaluator",
        "policy_batch_bucket",
        "policy_trusted_account",
        "policy_offset",
    ];
    insta::assert_snapshot!(names.map(|name| shown(&relations, name, 3)).join("\n"), @r"
    policy_environment_setting
      a | data_retention | none
      a | content_logging | required
      a | mantle | used
    policy_business_hours
      a | 1 | 390 | 1440
      a | 7 | 390 | 1440
      b | 6 | 0 | 735
    policy_model_admin
      arn:aws:iam::*:role/ops/a.b | \A(?s:arn:aws:iam::.*:role/ops/a\.b)\z | \A(?s:arn:aws:iam::.*:role/ops/a\.b|arn:aws:iam::.*:role/(?:a\.b))\z
    policy_evaluator
    policy_batch_bucket
      s3://b/p* | \A(?s:s3://b/p.*)\z
    policy_trusted_account
      1111* | \A(?s:1111.*)\z
    policy_offset
      2010-01-01T00:00:00 | 2010-03-14T03:31:00 | -210
      2010-03-14T03:31:00 | 2010-11-07T02:31:00 | -150
      2010-11-07T02:31:00 | 2011-03-13T03:31:00 | -210
    ");
}

#[test]
fn every_list_fills_its_own_relation() {
    let relations = policy(ACME).relations(day("2026-11-22"));
    let lists: Vec<&str> = include_str!("../written.rs")
        .split_once("struct Approved {")
        .and_then(|(_, rest)| rest.split_once('}'))
        .map(|(body, _)| body.lines().filter_map(|line| line.trim().strip_prefix("pub(super) ")).collect())
        .unwrap();
    assert_eq!(lists.len(), 10);
    for list in lists {
        let key = list.split(':').next().unwrap();
        let name = format!("policy_{}", key.strip_suffix('s').unwrap());
        let (_, batch) = relations.iter().find(|(relation, _)| **relation == name).unwrap();
        assert!(batch.num_rows() > 0, "{name}");
    }
}

proptest::proptest! {
    #[test]
    fn names_are_data_in_every_list(name in "[a-z\"';$()|^.+\\\\&~#% -]{0,8}[a-z;'\\\\]", other in "[a-z\"';$()|^.+\\\\]{1,9}") {
        proptest::prop_assume!(name.trim() == name);
        let list = format!("[{}]", super::super::draft::quote(&name));
        let text = format!(
            "{HEAD}[approved]\nmodel_admins = {list}\nshared_roles = {list}\nruntime_agents = {list}\n\
             [logging]\nlog_buckets = {list}\n"
        );
        let relations = policy(&text).relations(day("2026-11-22"));
        for relation in ["policy_model_admin", "policy_shared_role", "policy_runtime_agent"] {
            let (_, batch) = relations.iter().find(|(found, _)| *found == relation).unwrap();
            let cell = |at: usize| arrow::util::display::array_value_to_string(batch.column(at), 0).unwrap();
            proptest::prop_assert_eq!(cell(0), name.clone());
            let regex = regex::Regex::new(&cell(1)).unwrap();
            proptest::prop_assert!(regex.is_match(&name));
            proptest::prop_assert_eq!(regex.is_match(&other), name == other);
        }
    }
}
