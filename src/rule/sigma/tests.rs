//! Rules there and back, and what is refused.

use super::*;
use crate::engine::{Engine, Limits, check_portable};
use crate::rule::Rule;

const SAMPLE: &str = r"title: A guardrail was taken away
id: 00000000-0000-4000-8000-000000000001
description: |
    Somebody deleted a guardrail,
    or a version of it.
author: Jane Roe
tags:
    - attack.defense-evasion
    - attack.t1562.001
logsource:
    product: aws
    service: cloudtrail
detection:
    selection:
        eventSource: bedrock.amazonaws.com
        eventName:
            - DeleteGuardrail
            - DeleteGuardrailVersion
        errorCode: null
    filter_main_role:
        userIdentity.arn|contains: ':assumed-role/Break''Glass_'
    filter_main_tool:
        - userAgent|startswith: 'terraform/'
        - requestParameters.tags|contains|all:
              - approved
              - 'change-*'
    condition: selection and not 1 of filter_main_*
falsepositives:
    - Planned work
    - Tests
level: high
";

fn parsed(imported: &Imported) -> Rule {
    assert_eq!(check_portable(&imported.sql), [], "{}", imported.sql);
    let rule = Rule::parse(&imported.stem, &imported.sql)
        .unwrap_or_else(|error| panic!("{error}\n{}", imported.sql));
    let engine = Engine::new(Limits { memory: 64 << 20, spill_dir: None, partitions: 1 }).unwrap();
    engine.columns(&rule.render(&std::collections::BTreeMap::new()).unwrap()).unwrap();
    rule
}

#[test]
fn a_rule_is_written_whole() {
    let imported = import(SAMPLE, "SIGMA001").unwrap();
    let rule = parsed(&imported);
    assert_eq!(
        (imported.stem.as_str(), rule.attack.join(" ").as_str()),
        ("SIGMA001-a-guardrail-was-taken-away", "T1562.001")
    );
    assert_eq!(imported.sources, ["bedrock.amazonaws.com"]);
    insta::assert_snapshot!(imported.sql, @r#"
    -- title = "A guardrail was taken away"
    -- severity = "high"
    -- kind = "row"
    -- columns = ["event_id", "event_time", "event_source", "event_name", "record_kind", "aws_region", "account_id", "outcome", "error_code", "principal", "principal_arn", "user_agent", "request_parameters"]
    -- controls = {}
    -- attack = ["T1562.001"]
    -- atlas = []
    -- why = "Somebody deleted a guardrail, or a version of it. Imported from the Sigma rule 00000000-0000-4000-8000-000000000001 by Jane Roe."
    -- fix = "Ask whoever answers for the principal whether it was meant, and undo it if it was not."
    -- false_positives = "Planned work; Tests"
    WITH seen AS (
      SELECT
        account_id AS account_id,
        aws_region AS aws_region,
        principal AS principal,
        event_source AS event_source,
        event_name AS event_name,
        error_code AS error_code,
        event_time AS event_time,
        event_id AS event_id,
        outcome AS outcome,
        COALESCE(
          lower(event_source) = 'bedrock.amazonaws.com'
          AND lower(event_name) IN ('deleteguardrail', 'deleteguardrailversion')
          AND error_code IS NULL,
          FALSE
        ) AS is_selection,
        COALESCE(
          strpos(lower(principal_arn), ':assumed-role/break''glass_') > 0,
          FALSE
        ) AS is_filter_main_role,
        COALESCE(
          (starts_with(lower(user_agent), 'terraform/'))
          OR ((strpos(lower(COALESCE(json_extract_scalar(request_parameters, '$.tags'), json_format(json_extract(request_parameters, '$.tags')))), 'approved') > 0 AND regexp_like(lower(COALESCE(json_extract_scalar(request_parameters, '$.tags'), json_format(json_extract(request_parameters, '$.tags')))), '(?s:change\-.*)'))),
          FALSE
        ) AS is_filter_main_tool
      FROM events
      WHERE record_kind <> 'shared_copy'
    )
    SELECT
      CASE WHEN is_selection AND NOT (is_filter_main_role OR is_filter_main_tool) THEN 'violation' ELSE 'pass' END AS verdict,
      account_id AS account_id,
      aws_region AS aws_region,
      principal AS principal,
      event_name AS subject,
      'A guardrail was taken away' AS reason,
      'no such event' AS expected,
      event_source || ' ' || event_name || COALESCE(' ' || error_code, '') AS observed,
      event_time AS event_time,
      event_id AS event_id,
      outcome AS outcome
    FROM seen
    "#);
}

#[test]
fn every_way_to_compare() {
    let conditions = [
        "eventName: X",
        "eventName: 'Get*'",
        "eventName: 'a\\*b\\\\c?'",
        "eventName|cased: X",
        "eventName|startswith: Get",
        "eventName|endswith: [Gateway, 'x.y']",
        "userAgent|contains: ['S3 Browser', '*x']",
        "userIdentity.arn|re: ':assumed-role/[a-z]+$'",
        "userIdentity.arn|fieldref: userIdentity.sessionContext.sessionIssuer.arn",
        "recipientAccountId: 111122223333",
        "errorCode: null",
        "errorCode: [null, Success]",
        "errorCode|exists: true",
        "readOnly: false",
        "readOnly: 'True'",
        "requestParameters.enable: false",
        "additionalEventData.MFAUsed: 'No'",
        "requestParameters|contains|all: ['\"a\"', b]",
        "vpcEndpointId|exists: false",
    ];
    let mut told = Vec::new();
    for condition in conditions {
        let text = format!(
            "title: T\nlogsource: {{product: aws, service: cloudtrail}}\ndetection:\n  s:\n    {condition}\n  condition: s\n"
        );
        let imported = import(&text, "SIGMA001").unwrap_or_else(|problem| panic!("{condition}: {problem}"));
        parsed(&imported);
        let line =
            imported.sql.lines().skip_while(|line| !line.contains("COALESCE(")).nth(1).unwrap_or_default();
        told.push(line.trim().trim_end_matches(',').to_owned());
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    lower(event_name) = 'x'
    regexp_like(lower(event_name), '\A(?s:get.*)\z')
    regexp_like(lower(event_name), '\A(?s:a\*b\\c.)\z')
    event_name = 'X'
    starts_with(lower(event_name), 'get')
    (regexp_like(lower(event_name), '(?s:gateway)\z') OR regexp_like(lower(event_name), '(?s:x\.y)\z'))
    (strpos(lower(user_agent), 's3 browser') > 0 OR regexp_like(lower(user_agent), '(?s:.*x)'))
    regexp_like(principal_arn, ':assumed-role/[a-z]+$')
    principal_arn = json_extract_scalar(user_identity, '$.sessionContext.sessionIssuer.arn')
    account_id = '111122223333'
    error_code IS NULL
    (error_code IS NULL OR lower(error_code) = 'success')
    error_code IS NOT NULL
    NOT read_only
    read_only
    lower(json_extract_scalar(request_parameters, '$.enable')) = 'false'
    lower(json_extract_scalar(additional_event_data, '$.MFAUsed')) = 'no'
    (strpos(lower(request_parameters), '"a"') > 0 AND strpos(lower(request_parameters), 'b') > 0)
    vpc_endpoint_id IS NULL
    "#);
}

#[test]
fn what_cannot_be_carried_over_is_told_at_its_place() {
    let with = |from: &str, to: &str| {
        assert!(SAMPLE.contains(from), "{from}");
        import(&SAMPLE.replace(from, to), "SIGMA001").unwrap_err().to_string()
    };
    let all = [
        import("", "SIGMA001").unwrap_err().to_string(),
        import("title: [", "SIGMA001").unwrap_err().to_string(),
        import("- a", "SIGMA001").unwrap_err().to_string(),
        import("title: a\n---\ntitle: b\n", "SIGMA001").unwrap_err().to_string(),
        with("title: A guardrail was taken away", "title: []"),
        with("service: cloudtrail", "service: guardduty"),
        with("eventSource:", "eventSorce:"),
        with("errorCode: null", "errorCode: {a: b}"),
        with("|contains|all", "|base64|contains"),
        with("userAgent|startswith", "userAgent|startswith|endswith"),
        with("- userAgent|startswith: 'terraform/'", "- terraform"),
        with("and not 1 of filter_main_*", "and not 1 of filter_x_*"),
        with("and not 1 of filter_main_*", "| count() by eventName > 5"),
        with("level: high", "level: urgent"),
        with("userAgent|startswith: 'terraform/'", "userAgent|re: '(?<!a)b'"),
        with("    condition:", "    timeframe: 5m\n    condition:"),
    ];
    insta::assert_snapshot!(all.join("\n"), @r"
    the file is empty
    2:1: no YAML: while parsing a node, did not find expected node content
    1:1: a Sigma rule is a mapping with title, logsource and detection
    3:1: one file holds one rule; collections and correlations are not read
    1:8: title is text
    12:14: only rules on CloudTrail are read: service is cloudtrail
    15:9: CloudTrail's field `eventSorce` is in no column; did you mean eventSource?
    19:20: a value is text, a number, true, false or null
    24:11: the modifier `base64` is not read; those read are all, cased, contains, startswith, endswith, re, fieldref, exists
    23:11: `userAgent|startswith|endswith` has two ways to compare
    23:11: keywords in the whole record cannot be searched: name a field
    27:16: the condition names `filter_x_*`, and no part is named so
    27:16: aggregations in a condition are not read; write a rule of your own
    31:8: `urgent` is no level
    23:25: the pattern means nothing to both engines: regex parse error: (?<!a)b ^^^^ error: look-around, including look-ahead and look-behind, is not supported
    27:5: a timeframe belongs to an aggregation, which is not read
    ");
}

#[test]
fn our_rules_as_sigma() {
    let rules = crate::rule::catalogue().unwrap();
    let deleted = crate::rule::find(rules, "BT051").unwrap();
    insta::assert_snapshot!(export(deleted).unwrap(), @r"
    title: 'A guardrail or its enforcement was deleted'
    id: ac1d3925-3a1a-8b83-a62a-f8abe76d8f25
    status: stable
    description: 'A guardrail filters what goes into a model and what comes out. Whoever deletes it, or the configuration that enforces it for the whole account, takes that control away from every application behind it. The rule finds DeleteGuardrail, DeleteGuardrailVersion and DeleteEnforcedGuardrailConfiguration. Success is high, a refused attempt medium, an attempt that failed for another reason low. The population is all changes to guardrails. Rule BT051 of bedtrail 0.1.0.'
    author: bedtrail
    tags:
        - attack.t1685
        - atlas.aml.t0054
    logsource:
        product: aws
        service: cloudtrail
    detection:
        part_1:
            eventName:
                - 'DeleteGuardrail'
                - 'DeleteGuardrailVersion'
                - 'DeleteEnforcedGuardrailConfiguration'
            eventSource: 'bedrock.amazonaws.com'
        part_2:
            eventType:
                - 'AwsServiceEvent'
                - 'AwsVpceEvent'
        condition: part_1 and not part_2
    falsepositives:
        - 'The clean-up of drafts and old versions that no application names. A test environment that is built and torn down by code.'
    level: high
    ");
    let mut told = Vec::new();
    for rule in rules {
        match export(rule) {
            // What is written can be read again.
            Ok(text) => {
                let imported = import(&text, "SIGMA001")
                    .unwrap_or_else(|problem| panic!("{}: {problem}\n{text}", rule.code));
                parsed(&imported);
            }
            Err(error) => told.push(error.to_string()),
        }
    }
    assert!(told.iter().any(|line| line.starts_with("rule BT001 ")), "{told:?}");
    assert!(told.iter().all(|line| line.contains("cannot be said in Sigma: ")), "{told:?}");
}

#[test]
fn words_that_hide_are_not_carried_over() {
    let file = SAMPLE.replace(
        "A guardrail was taken away",
        "\"A \\u202Eguardrail\\n\\\"\\\"\\\" -- \\u001b[31mwas\\u200b gone\"",
    );
    assert_ne!(file, SAMPLE);
    let imported = import(&file, "SIGMA001").unwrap();
    let rule = parsed(&imported);
    assert_eq!(rule.title, "A guardrail \"\"\" -- [31mwas gone");
    let hidden = |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{200b}'..='\u{202e}'));
    assert!(!imported.sql.contains(hidden), "{}", imported.sql);
}
