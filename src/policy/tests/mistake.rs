//! Mistakes a policy is told of, each with its place.

use super::*;

#[test]
fn mistakes_of_form_are_told_with_their_place() {
    insta::assert_snapshot!(told(&[
        "nam = 'x'",
        "[[environment]]\nname = 'prod'\naccounts = [111122223333, '111122224444', 55]",
        "[[environment]]\nname = 'prod'\naccounts = [011122223333]",
        "[[environment]]\nname = 'prod'\naccounts = '111122223333'",
        "[[environment]]\nname = 'prod'\nacounts = ['111122223333']\nregoins = ['*']\nregions = 5",
        "[[allow]]\nid = 'a'\nroles = ['*']\nmodels = ['*', 5, true]\ncolour = 'red'\npurpose = 7",
        "[[waiver]]\ncreated = '2026-10-01'\nexpires = 2026-13-01",
        "[[waiver]]\ncreated = '2026-10-01'\nexpires = 20261231",
        "effective_from = 1.5",
        "[defaults]\nfail_on = true",
        "[rules.BT001]\nenabled = 'no'",
        "[rules]\nBT001 = 'off'",
        "[environment]\nname = 'prod'",
        "[[allow]]\nid = 'a'\nid = 'b'",
        "name = 'again'",
        "text = 'open",
        "[[waiver]]\nretroactive = 1\n[logging]\nbuckets = []",
    ]), @r#"
    nam = 'x'
      => p.toml:4:1: unknown key 'nam' (help: did you mean name?)
    [[environment]]
    name = 'prod'
    accounts = [111122223333, '111122224444', 55]
      => p.toml:6:13: environment.accounts wants text in quotes, not a number (help: an account id is text, since a number loses its leading zeros: write "111122223333")
      => p.toml:6:43: environment.accounts wants text in quotes, not a number (help: an account id is text, since a number loses its leading zeros: write "55")
    [[environment]]
    name = 'prod'
    accounts = [011122223333]
      => p.toml:6:13: not TOML: unexpected leading zero, expected nothing (help: an account id is text, since a number loses its leading zeros: write "011122223333")
    [[environment]]
    name = 'prod'
    accounts = '111122223333'
      => p.toml:6:12: environment.accounts wants a list, like ["…", "…"], not text
    [[environment]]
    name = 'prod'
    acounts = ['111122223333']
    regoins = ['*']
    regions = 5
      => p.toml:6:1: unknown key 'environment.acounts' (help: did you mean accounts?)
      => p.toml:7:1: unknown key 'environment.regoins' (help: did you mean regions?)
      => p.toml:8:11: environment.regions wants a list, like ["…", "…"], not a number
    [[allow]]
    id = 'a'
    roles = ['*']
    models = ['*', 5, true]
    colour = 'red'
    purpose = 7
      => p.toml:7:16: allow.models wants text in quotes, not a number (help: write "5")
      => p.toml:7:19: allow.models wants text in quotes, not true or false (help: write "true")
      => p.toml:8:1: unknown key 'allow.colour' (help: known here: id, env, environment, roles, models, operations, activities, tools, purpose, owner)
      => p.toml:9:11: allow.purpose wants text in quotes, not a number (help: write "7")
    [[waiver]]
    created = '2026-10-01'
    expires = 2026-13-01
      => p.toml:6:11: not TOML: invalid date, expected month between 01 and 12
    [[waiver]]
    created = '2026-10-01'
    expires = 20261231
      => p.toml:5:11: waiver.created wants a date, like 2026-12-31, not text (help: without quotes: created = 2026-10-01)
      => p.toml:6:11: waiver.expires wants a date, like 2026-12-31, not a number
    effective_from = 1.5
      => p.toml:4:18: effective_from wants a date, like 2026-12-31, not a number with a fraction
    [defaults]
    fail_on = true
      => p.toml:5:11: defaults.fail_on wants text in quotes, not true or false (help: write "true")
    [rules.BT001]
    enabled = 'no'
      => p.toml:5:11: rules.BT001.enabled wants true or false, not text
    [rules]
    BT001 = 'off'
      => p.toml:5:9: rules.BT001 wants a table, not text
    [environment]
    name = 'prod'
      => p.toml:4:1: environment wants a list, like ["…", "…"], not a table or date (help: write [[environment]], once for each)
    [[allow]]
    id = 'a'
    id = 'b'
      => p.toml:6:1: not TOML: duplicate key
    name = 'again'
      => p.toml:4:1: not TOML: duplicate key
    text = 'open
      => p.toml:4:13: not TOML: invalid literal string, expected `'`
    [[waiver]]
    retroactive = 1
    [logging]
    buckets = []
      => p.toml:5:15: waiver.retroactive wants true or false, not a number
      => p.toml:7:1: unknown key 'logging.buckets' (help: known here: invocation_log_targets, log_buckets, log_keys)
    "#);
}

#[test]
fn mistakes_of_meaning_are_told_with_their_place() {
    insta::assert_snapshot!(told(&[
        "timezone = 'Europe/Zuerich'",
        "effective_from = 2026-10-01T00:00:00Z",
        "[defaults]\nunknown_model = 'refuse'\nfail_on = 'hihg'\nassess_missing = 'pass'",
        "[[environment]]\nname = 'prod'",
        "[[environment]]\nname = 'prod'\naccounts = []",
        "[[environment]]\naccounts = ['1111', 'acme', '111122223333', '111122223333']",
        "[[environment]]\nname = 'a'\naccounts = ['1*']\n[[environment]]\nname = 'a'\naccounts = ['2*']",
        "[[environment]]\nname = 'a'\naccounts = ['1*']\nregions = ['eu-[cw]*', '', 'eu-{central,west}-1']\n\
         inference_geographies = ['EU', 'europe', 'uss', 'asia', '*']\nsource_cidrs = ['10.0.0.1/8', 'x']\n\
         credentials = { bearer_tokens = 'never', console = 'short_only' }",
        "[[environment]]\nname = 'a'\naccounts = ['1*']\n\
         business_hours = { days = ['monday'], start = '6', end = '05:00' }",
        "[[environment]]\nname = 'a'\naccounts = ['1*']\nbusiness_hours = { days = ['mon'] }",
        "[[allow]]\nid = 'a'",
        "[[allow]]\nroles = ['*']\nmodels = ['*']\noperations = ['invoke', 'sing', 'model_invocatoin']",
        "[[allow]]\nid = 'a'\nroles = ['*']\nmodels = ['*']\nenv = ['prd']\nenvironment = ['prod']",
        "[[allow]]\nid = 'a'\nroles = ['*']\nmodels = ['*']\n[[allow]]\nid = 'a'\nroles = ['*']\nmodels = ['*']",
        "[[deny]]\nid = 'd'",
        "[[deny]]\nid = ''\nmodels = []",
        "[[model_end]]\nmodel = 'a'",
        "[[model_end]]\nmodel = 'a[b]'\nafter = 07:00:00",
        "[[agent]]\nname = 'a'\ndeny_actions = ['DeleteTable']",
        "[[alias]]\nreference = 'r'",
        "[aliases]\nr = 'm'\n[[alias]]\nreference = 'r'\nmodel_id = 'm'",
        "[rules.BT1]\n[rules.BT002]\nseverity = 'worst'\n[rules.BT003]\nenabled = false\nreason = 'r'",
        "[rules.BT070]\nparams = { a = 1.5, b = [1], c = { d = 1 }, e = true }",
        "[[custom]]\nid = 'BT001'\nhaving = 'count(*) > 1'",
        "[[custom]]\nid = 'A1'\ntitle = 't'\nseverity = 'low'\n\
         when = \"\"\"\noutcome = 'ok'\n  AND op = 'x'\"\"\"\ngroup_by = ['principal', 'human']",
    ]), @r#"
    timezone = 'Europe/Zuerich'
      => p.toml:4:12: unknown time zone 'Europe/Zuerich' (help: write an IANA name, like Europe/Zurich)
    effective_from = 2026-10-01T00:00:00Z
      => p.toml:4:18: effective_from is a day, not '2026-10-01T00:00:00Z' (help: write effective_from = 2026-12-31)
    [defaults]
    unknown_model = 'refuse'
    fail_on = 'hihg'
    assess_missing = 'pass'
      => p.toml:5:17: unknown_model is never 'refuse' (help: one of deny, warn, allow)
      => p.toml:6:11: fail_on is never 'hihg' (help: did you mean 'high'?)
      => p.toml:7:18: assess_missing is never 'pass' (help: one of not_assessed)
    [[environment]]
    name = 'prod'
      => p.toml:4:1: environment 'prod' has no accounts (help: write accounts = ["111122223333"])
    [[environment]]
    name = 'prod'
    accounts = []
      => p.toml:6:12: an empty list (help: leave the key out, or say what is meant)
    [[environment]]
    accounts = ['1111', 'acme', '111122223333', '111122223333']
      => p.toml:4:1: [[environment]] has no name (help: write name = "…")
      => p.toml:5:13: no account id: '1111' (help: an account id has twelve digits)
      => p.toml:5:21: no account id: 'acme' (help: an account id is twelve digits; * and ? may stand for some)
      => p.toml:5:45: '111122223333' stands twice in the list
    [[environment]]
    name = 'a'
    accounts = ['1*']
    [[environment]]
    name = 'a'
    accounts = ['2*']
      => p.toml:8:8: name 'a' of [[environment]] stands twice (help: the first is on line 5)
    [[environment]]
    name = 'a'
    accounts = ['1*']
    regions = ['eu-[cw]*', '', 'eu-{central,west}-1']
    inference_geographies = ['EU', 'europe', 'uss', 'asia', '*']
    source_cidrs = ['10.0.0.1/8', 'x']
    credentials = { bearer_tokens = 'never', console = 'short_only' }
      => p.toml:7:12: a pattern knows no [ ] or { }: 'eu-[cw]*' (help: patterns know only * (any text) and ? (one character); list several patterns instead)
      => p.toml:7:24: an empty pattern matches nothing: '' (help: write "*" for everything, or leave the key out)
      => p.toml:7:28: a pattern knows no [ ] or { }: 'eu-{central,west}-1' (help: patterns know only * (any text) and ? (one character); list several patterns instead)
      => p.toml:8:26: no geography: 'EU' (help: did you mean 'eu'? one of af, apac, ca, cn, eu, il, me, mx, sa, us, or * for any)
      => p.toml:8:32: no geography: 'europe' (help: did you mean 'eu'? one of af, apac, ca, cn, eu, il, me, mx, sa, us, or * for any)
      => p.toml:8:42: no geography: 'uss' (help: did you mean 'us'? one of af, apac, ca, cn, eu, il, me, mx, sa, us, or * for any)
      => p.toml:8:49: no geography: 'asia' (help: one of af, apac, ca, cn, eu, il, me, mx, sa, us, or * for any)
      => p.toml:9:17: no network: '10.0.0.1/8' (help: a network begins at its first address: 10.0.0.0/8)
      => p.toml:9:31: no network: 'x' (help: write address/bits, like 10.0.0.0/8 or 2001:db8::/32)
      => p.toml:10:33: bearer_tokens is never 'never' (help: one of allow, warn, short_only, deny)
      => p.toml:10:52: console is never 'short_only' (help: one of allow, warn, deny)
    [[environment]]
    name = 'a'
    accounts = ['1*']
    business_hours = { days = ['monday'], start = '6', end = '05:00' }
      => p.toml:7:28: no day of the week: 'monday' (help: one of mon, tue, wed, thu, fri, sat, sun)
      => p.toml:7:47: no time of day: '6' (help: write hours and minutes, like "06:00")
    [[environment]]
    name = 'a'
    accounts = ['1*']
    business_hours = { days = ['mon'] }
      => p.toml:7:18: business_hours wants days, start and end
    [[allow]]
    id = 'a'
      => p.toml:4:1: allow 'a' has no roles (help: write roles = ["…"]; "*" is every one)
      => p.toml:4:1: allow 'a' has no models (help: write models = ["…"]; "*" is every one)
    [[allow]]
    roles = ['*']
    models = ['*']
    operations = ['invoke', 'sing', 'model_invocatoin']
      => p.toml:4:1: [[allow]] has no id (help: write id = "…")
      => p.toml:7:25: no activity: 'sing' (help: one of model_invocation, batch, agent_invocation, retrieval, flow, guardrail_check, tool, memory, token_vending, session, discovery, entitlement, guardrail_admin, logging_admin, agent_admin, model_admin, credential_admin, trail_admin, downstream, other)
      => p.toml:7:33: no activity: 'model_invocatoin' (help: did you mean 'model_invocation'?)
    [[allow]]
    id = 'a'
    roles = ['*']
    models = ['*']
    env = ['prd']
    environment = ['prod']
      => p.toml:9:15: env and environment are the same key (help: keep environment)
      => p.toml:9:16: no environment 'prod' (help: add an [[environment]] of that name)
    [[allow]]
    id = 'a'
    roles = ['*']
    models = ['*']
    [[allow]]
    id = 'a'
    roles = ['*']
    models = ['*']
      => p.toml:9:6: id 'a' of [[allow]] stands twice (help: the first is on line 5)
    [[deny]]
    id = 'd'
      => p.toml:4:1: deny 'd' names no models and no roles (help: to deny everything, write models = ["*"])
    [[deny]]
    id = ''
    models = []
      => p.toml:5:6: id is empty (help: write id = "…")
      => p.toml:6:10: an empty list (help: leave the key out, or say what is meant)
    [[model_end]]
    model = 'a'
      => p.toml:4:1: [[model_end]] has no after (help: write the first day without it: after = 2026-12-31)
    [[model_end]]
    model = 'a[b]'
    after = 07:00:00
      => p.toml:5:9: a pattern knows no [ ] or { }: 'a[b]' (help: patterns know only * (any text) and ? (one character); list several patterns instead)
      => p.toml:6:9: after is a day, not '07:00:00' (help: write after = 2026-12-31)
    [[agent]]
    name = 'a'
    deny_actions = ['DeleteTable']
      => p.toml:4:1: agent 'a' cannot be told from others (help: write runtime, execution_role or both)
      => p.toml:6:17: no action: 'DeleteTable' (help: write service:Action, like s3:Delete*)
    [[alias]]
    reference = 'r'
      => p.toml:4:1: [[alias]] has no model_id (help: write model_id = "…")
    [aliases]
    r = 'm'
    [[alias]]
    reference = 'r'
    model_id = 'm'
      => p.toml:7:13: alias 'r' stands twice
    [rules.BT1]
    [rules.BT002]
    severity = 'worst'
    [rules.BT003]
    enabled = false
    reason = 'r'
      => p.toml:4:8: no rule code: 'BT1' (help: built-in rules are BT and three digits, like BT001)
      => p.toml:6:12: severity is never 'worst' (help: one of critical, high, medium, low, info)
      => p.toml:7:8: rule BT003 is off without a reason and an owner (help: write reason = "…" and owner = "…"; reports list every rule that is off)
    [rules.BT070]
    params = { a = 1.5, b = [1], c = { d = 1 }, e = true }
      => p.toml:5:16: parameter 'a' has a type that no rule takes (help: a whole number, text, a date or a list of texts)
      => p.toml:5:25: parameter 'b' has a type that no rule takes (help: a whole number, text, a date or a list of texts)
      => p.toml:5:34: parameter 'c' has a type that no rule takes (help: a whole number, text, a date or a list of texts)
      => p.toml:5:49: parameter 'e' has a type that no rule takes (help: a whole number, text, a date or a list of texts)
    [[custom]]
    id = 'BT001'
    having = 'count(*) > 1'
      => p.toml:4:1: custom rule 'BT001' has no severity (help: one of critical, high, medium, low, info)
      => p.toml:4:1: custom rule 'BT001' has having but no group_by (help: write group_by = ["principal"])
      => p.toml:4:1: custom rule 'BT001' has no title (help: write title = "…")
      => p.toml:4:1: custom rule 'BT001' has no when (help: write when = "…")
      => p.toml:5:6: codes of built-in rules are taken: 'BT001' (help: choose a prefix of your own)
    [[custom]]
    id = 'A1'
    title = 't'
    severity = 'low'
    when = """
    outcome = 'ok'
      AND op = 'x'"""
    group_by = ['principal', 'human']
      => p.toml:10:7: when: unknown column 'op' (help: did you mean activity?)
      => p.toml:10:12: when: activity is never 'x' (help: one of model_invocation, batch, agent_invocation, retrieval, flow, guardrail_check, tool, memory, token_vending, session, discovery, entitlement, guardrail_admin, logging_admin, agent_admin, model_admin, credential_admin, trail_admin, downstream, other)
      => p.toml:11:27: group_by: unknown column 'human' (help: did you mean person?)
    "#);
}

#[test]
fn waivers_are_held_to_their_rules() {
    let waiver = |change: &str| {
        let mut keys = vec![
            "id = 'W1'",
            "rules = ['BT020']",
            "match = \"principal = 'x'\"",
            "owner = 'o'",
            "approver = 'a'",
            "reason = 'r'",
            "created = 2026-01-01",
            "expires = 2027-01-02",
        ];
        let key = change.trim_start_matches('-').split(" =").next().unwrap();
        keys.retain(|line| !line.starts_with(&format!("{key} =")));
        if !change.starts_with('-') {
            keys.push(change);
        }
        format!("[[waiver]]\n{}", keys.join("\n"))
    };
    let cases: Vec<String> = [
        "ticket = 't'",
        "-owner",
        "-approver",
        "-reason",
        "-created",
        "-expires",
        "-rules",
        "-id",
        "rules = []",
        "rules = ['BT20', 'BT080', 'BT091', 'ACME001']",
        "owner = ' '",
        "expires = 2026-01-01",
        "expires = 2027-01-03",
        "match = \"op = 'invoke'\"",
        "match = \"true OR 1 = (SELECT 1)\"",
        "match = ''",
    ]
    .into_iter()
    .map(waiver)
    .collect();
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    let told = told(&cases);
    let answers: Vec<&str> = told.lines().filter(|line| line.starts_with("  =>")).collect();
    insta::assert_snapshot!(answers.join("\n"), @r#"
    => loads
    => p.toml:4:1: waiver 'W1' has no owner (help: write owner = "…")
    => p.toml:4:1: waiver 'W1' has no approver (help: write approver = "…")
    => p.toml:4:1: waiver 'W1' has no reason (help: write reason = "…")
    => p.toml:4:1: waiver 'W1' has no created (help: write created = 2026-12-31)
    => p.toml:4:1: waiver 'W1' has no expires (help: write expires = 2026-12-31)
    => p.toml:4:1: waiver 'W1' has no rules (help: write rules = ["BT020"])
    => p.toml:4:1: [[waiver]] has no id (help: write id = "…")
    => p.toml:12:9: an empty list (help: leave the key out, or say what is meant)
    => p.toml:12:10: no rule code: 'BT20' (help: built-in rules are BT and three digits, like BT001)
    => p.toml:12:18: BT080 guards the evidence itself and is not waived (help: set allow_tamper_waiver = true to do it all the same)
    => p.toml:12:27: BT091 guards the evidence itself and is not waived (help: set allow_tamper_waiver = true to do it all the same)
    => p.toml:12:9: owner is empty (help: write owner = "…")
    => p.toml:12:11: waiver 'W1' expires before it begins (help: expires is the first day not covered)
    => p.toml:12:11: waiver 'W1' lasts 367 days; at most 366 (help: renew it when it expires)
    => p.toml:12:10: match: unknown column 'op' (help: did you mean activity?)
    => p.toml:12:15: match: activity is never 'invoke' (help: did you mean 'model_invocation'?)
    => p.toml:12:23: match: a subquery may not stand in an expression: '(SELECT 1)' (help: use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, LIKE, CASE, CAST, arithmetic)
    => p.toml:12:9: match is empty (help: leave the key out instead)
    "#);
    let tamper = format!("{HEAD}allow_tamper_waiver = true\n{}\n", waiver("rules = ['BT080', 'BT091']"));
    assert_eq!(policy(&tamper).waivers()[0].rules, ["BT080", "BT091"]);
    let broad = policy(&format!("{HEAD}{}\n", waiver("-match")));
    insta::assert_snapshot!(lines(broad.notes()), @"p.toml:4:1: waiver 'W1' has no match: it covers every finding of its rules");
}

#[test]
fn environments_that_get_no_account_and_sessions_for_roles_are_refused() {
    insta::assert_snapshot!(told(&[
        "[[environment]]\nname = 'a'\naccounts = ['1*', '222222222222']\n[[environment]]\nname = 'b'\n\
         accounts = ['11*', '222222222222', '3*']",
        "[[allow]]\nid = 'a'\nroles = ['arn:aws:sts::111122223333:assumed-role/app/jane']\nmodels = ['*']\n\
         [[deny]]\nid = 'd'\nroles = ['*:assumed-role/app/*']",
        "[[agent]]\nname = 'a'\nexecution_role = 'arn:aws:sts::1:assumed-role/a/b'\n\
         callers = ['arn:aws:sts::1:assumed-role/c/d']",
    ]), @r#"
    [[environment]]
    name = 'a'
    accounts = ['1*', '222222222222']
    [[environment]]
    name = 'b'
    accounts = ['11*', '222222222222', '3*']
      => p.toml:9:13: accounts 11* are those of environment 'a' already, by 1*: the first match wins (help: take them out of one of the two, or write the narrower one first)
      => p.toml:9:20: accounts 222222222222 are those of environment 'a' already, by 222222222222: the first match wins (help: take them out of one of the two, or write the narrower one first)
    [[allow]]
    id = 'a'
    roles = ['arn:aws:sts::111122223333:assumed-role/app/jane']
    models = ['*']
    [[deny]]
    id = 'd'
    roles = ['*:assumed-role/app/*']
      => p.toml:6:10: a session is no principal: 'arn:aws:sts::111122223333:assumed-role/app/jane' (help: write the role's own ARN, like arn:aws:iam::111122223333:role/name)
      => p.toml:10:10: a session is no principal: '*:assumed-role/app/*' (help: write the role's own ARN, like arn:aws:iam::111122223333:role/name)
    [[agent]]
    name = 'a'
    execution_role = 'arn:aws:sts::1:assumed-role/a/b'
    callers = ['arn:aws:sts::1:assumed-role/c/d']
      => p.toml:6:18: a session is no principal: 'arn:aws:sts::1:assumed-role/a/b' (help: write the role's own ARN, like arn:aws:iam::111122223333:role/name)
      => p.toml:7:12: a session is no principal: 'arn:aws:sts::1:assumed-role/c/d' (help: write the role's own ARN, like arn:aws:iam::111122223333:role/name)
    "#);
}

#[test]
fn overlapping_environments_are_noted_where_something_is_left_of_the_later_one() {
    let text = format!(
        "{HEAD}[[environment]]\nname = 'a'\naccounts = ['555*', '111122223333']\n\
         [[environment]]\nname = 'b'\naccounts = ['55*', '1111*']\n\
         [[environment]]\nname = 'c'\naccounts = ['222222222222']\n"
    );
    let policy = policy(&text);
    insta::assert_snapshot!(lines(policy.notes()), @r#"
    p.toml:9:13: accounts 55* overlap 555* of environment 'a'; the first match wins, so 'a' keeps them
    p.toml:9:20: accounts 1111* overlap 111122223333 of environment 'a'; the first match wins, so 'a' keeps them
    "#);
    assert_eq!(policy.environment_of("555555555555"), Some("a"));
    assert_eq!(policy.environment_of("551111111111"), Some("b"));
    assert_eq!(policy.environment_of("111122223333"), Some("a"));
    assert_eq!(policy.environment_of("111122224444"), Some("b"));
    assert_eq!(policy.environment_of("222222222222"), Some("c"));
}

#[test]
fn unknown_rules_are_told_once_the_rules_are_known() {
    let text = ACME.replace("[rules.BT070]", "[rules.BT071]").replace("[rules.BT072]", "[rules.ACME003]");
    let policy = policy(&text);
    let (codes, problems): (Vec<String>, Vec<Problem>) =
        policy.unknown_rules(&["BT001", "BT020", "BT070", "BT072"]).into_iter().unzip();
    assert_eq!(codes.len(), problems.len());
    insta::assert_snapshot!(lines(&problems), @r"
    p.toml:128:8: no rule 'BT071' (help: `bedtrail rules list` shows all)
    p.toml:131:8: no rule 'ACME003' (help: did you mean ACME001? `bedtrail rules list` shows all)
    p.toml:157:19: no rule 'BT021' (help: `bedtrail rules list` shows all)
    ");
    insta::assert_snapshot!(policy.rule_problem("BT071", "no parameter 'min'").to_string(), @"p.toml:128:8: no parameter 'min'");
}

#[test]
fn a_file_that_is_not_there_or_not_text_says_so() {
    let missing = Policy::load(Path::new("no/such/policy.toml")).unwrap_err();
    assert_eq!(missing[0].kind, ProblemKind::Unreadable);
    insta::assert_snapshot!(lines(&missing), @"no/such/policy.toml: the policy cannot be read: No such file or directory (os error 2) (help: `bedtrail policy init` prints a file to begin with)");
    let bad = Policy::parse("p.toml", b"schema = 1\nname = \"\xff\"").unwrap_err();
    insta::assert_snapshot!(lines(&bad), @"p.toml:2:9: the file is not UTF-8");
    insta::assert_snapshot!(problems(""), @r#"
    p.toml:1:1: schema is missing (help: write schema = 1)
    p.toml:1:1: the policy has no name (help: write name = "…")
    p.toml:1:1: the policy has no version (help: write version = "…")
    "#);
    insta::assert_snapshot!(problems("schema = 2\nname = ''\n"), @r#"
    p.toml:1:1: the policy has no version (help: write version = "…")
    p.toml:1:10: schema 2 is not known (help: this version reads schema = 1)
    p.toml:2:8: name is empty (help: write name = "…")
    "#);
}

proptest::proptest! {
    #[test]
    fn no_damage_to_a_file_breaks_the_reader(from in 0usize..6000, length in 0usize..60, with in "[\\[\\]\"'=#.{}x\n\\\\é0,]{0,3}") {
        let characters: Vec<char> = ACME.chars().collect();
        let from = from.min(characters.len());
        let to = (from + length).min(characters.len());
        let text: String = characters[..from].iter().copied().chain(with.chars()).chain(characters[to..].iter().copied()).collect();
        if let Err(problems) = Policy::parse("p.toml", text.as_bytes()) {
            proptest::prop_assert!(!problems.is_empty());
            for problem in problems {
                proptest::prop_assert!((1..=text.lines().count() + 1).contains(&problem.line), "{}", problem);
            }
        }
    }
}
