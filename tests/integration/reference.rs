//! References that name no model: application inference profiles, provisioned throughput, deployments, routers.

use serde_json::{Value, json};

use crate::command::bedtrail;
use crate::program::{Answer, ask, put, text};
use crate::record::{self, ACCOUNT};

const SONNET: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const PRO: &str = "amazon.nova-pro-v1:0";
const LITE: &str = "amazon.nova-lite-v1:0";

fn arn(tail: &str) -> String {
    format!("arn:aws:bedrock:eu-central-1:{ACCOUNT}:{tail}")
}

/// A call of a model at a time of 2026-10.
fn call(number: u32, time: &str, model: &str) -> Value {
    let mut call = record::call(number);
    call["eventTime"] = format!("2026-10-{time}Z").into();
    call["requestParameters"] = json!({"modelId": model});
    call
}

/// A successful call of the control plane.
fn made(number: u32, time: &str, name: &str, request: Value, response: Value) -> Value {
    let mut made = call(number, time, "");
    made["eventName"] = name.into();
    made["readOnly"] = false.into();
    made["requestParameters"] = request;
    made["responseElements"] = response;
    made
}

/// The model of each call in order of time, how it is known, and what differs.
fn models(answer: &Answer) -> Vec<String> {
    let cell = |row: &Value, name: &str| row[name].as_str().unwrap_or("-").to_owned();
    let told = |row: &Value| {
        let scope = row["profile_scope"].as_str().map(|scope| format!("{scope}.")).unwrap_or_default();
        let (by, other) = (cell(row, "model_known_by"), cell(row, "model_otherwise"));
        format!("{scope}{} {by} {other}", cell(row, "model_id"))
    };
    answer.rows.iter().map(told).collect()
}

const MODELS: &str = "SELECT model_id, profile_scope, model_known_by, model_otherwise FROM usage \
                      ORDER BY event_time, event_id";

#[test]
fn the_trail_says_what_was_made_and_a_change_holds_from_its_time() {
    let (profile, throughput) =
        (arn("application-inference-profile/abc123def456"), arn("provisioned-model/p1"));
    let (router, tuned) = (arn("prompt-router/r1"), arn("custom-model/amazon.nova-lite-v1:0:300k/c1"));
    let system = arn(&format!("inference-profile/eu.{SONNET}"));
    let foundation = |id: &str| format!("arn:aws:bedrock:eu-central-1::foundation-model/{id}");
    let records = [
        made(
            1,
            "01T08:00:00",
            "CreateInferenceProfile",
            json!({"inferenceProfileName": "claims", "modelSource": {"copyFrom": system}}),
            json!({"inferenceProfileArn": profile, "status": "ACTIVE"}),
        ),
        made(
            2,
            "01T08:00:01",
            "CreateProvisionedModelThroughput",
            json!({"modelId": foundation(LITE), "provisionedModelName": "lite-units", "modelUnits": 1}),
            json!({"provisionedModelArn": throughput}),
        ),
        made(
            3,
            "05T00:00:00",
            "UpdateProvisionedModelThroughput",
            json!({"provisionedModelId": "lite-units", "desiredModelId": PRO}),
            json!({}),
        ),
        made(
            4,
            "01T08:00:02",
            "CreatePromptRouter",
            json!({"promptRouterName": "r", "models": [{"modelArn": foundation(LITE)}, {"modelArn": foundation(PRO)}],
                "fallbackModel": {"modelArn": foundation(PRO)}}),
            json!({"promptRouterArn": router}),
        ),
        made(
            5,
            "01T08:00:03",
            "CreateCustomModelDeployment",
            json!({"modelDeploymentName": "mine", "modelArn": tuned}),
            json!({"customModelDeploymentArn": arn("custom-model-deployment/d1")}),
        ),
        call(10, "02T08:00:00", &profile),
        call(11, "02T08:00:01", &profile.replace(':', "%3A").replace('/', "%2F")),
        call(12, "02T08:00:02", "abc123def456"),
        call(13, "02T08:00:03", "lite-units"),
        call(14, "02T08:00:04", &throughput),
        call(15, "06T08:00:00", &throughput),
        call(16, "06T08:00:01", &router),
        call(17, "06T08:00:02", &arn("custom-model-deployment/d1")),
        call(18, "06T08:00:03", &arn("application-inference-profile/unknown")),
        call(19, "06T08:00:04", SONNET),
    ];
    let folder = tempfile::tempdir().expect("a temporary folder");
    record::write(folder.path(), "a", &records);
    let answer = ask(MODELS, &["-s", text(folder.path())]);
    let among = format!("{}, {}, {}", foundation(LITE), foundation(PRO), foundation(PRO));
    assert_eq!(
        models(&answer),
        [
            format!("eu.{SONNET} trail -"),
            format!("eu.{SONNET} trail -"),
            format!("eu.{SONNET} trail -"),
            format!("{LITE} trail -"),
            format!("{LITE} trail -"),
            format!("{PRO} trail -"),
            format!("{router} - {among}"),
            format!("{tuned} - -"),
            format!("{} - -", arn("application-inference-profile/unknown")),
            format!("{SONNET} recorded -"),
        ]
    );
    // Rows of events stay as they were logged.
    let raw = ask(
        "SELECT model_id FROM events WHERE model_kind = 'application_profile'",
        &["-s", text(folder.path())],
    );
    assert!(raw.rows.iter().all(|row| row["model_id"].as_str().is_some_and(|id| id.starts_with("arn:"))));
}

#[test]
fn a_name_means_nothing_before_it_was_given_and_an_arn_is_what_it_was_made_as() {
    let [first, second] = ["p1", "a2"].map(|tail| arn(&format!("provisioned-model/{tail}")));
    let throughput = |number, time, model: &str, arn: &str| {
        let model = format!("arn:aws:bedrock:eu-central-1::foundation-model/{model}");
        made(
            number,
            time,
            "CreateProvisionedModelThroughput",
            json!({"modelId": model, "provisionedModelName": "units", "modelUnits": 1}),
            json!({"provisionedModelArn": arn}),
        )
    };
    let records = [
        call(10, "01T09:00:00", "units"),
        call(11, "01T09:00:01", &first),
        call(12, "01T09:00:02", "p1"),
        throughput(1, "01T10:00:00", LITE, &first),
        call(13, "01T11:00:00", "units"),
        made(
            2,
            "01T11:30:00",
            "UpdateProvisionedModelThroughput",
            json!({"provisionedModelId": "units", "desiredModelId": PRO}),
            json!({}),
        ),
        call(14, "01T11:40:00", "units"),
        call(15, "01T11:40:01", &first),
        throughput(3, "01T12:00:00", SONNET, &second),
        call(16, "01T13:00:00", "units"),
        call(17, "01T13:00:01", &first),
    ];
    let folder = tempfile::tempdir().expect("a temporary folder");
    record::write(folder.path(), "a", &records);
    assert_eq!(
        models(&ask(MODELS, &["-s", text(folder.path())])),
        [
            "units - -".to_owned(),
            format!("{LITE} trail -"),
            format!("{LITE} trail -"),
            format!("{LITE} trail -"),
            format!("{PRO} trail -"),
            format!("{PRO} trail -"),
            format!("{SONNET} trail -"),
            format!("{PRO} trail -"),
        ]
    );
    let dated = "[[alias]]\nreference = 'units'\nmodel_id = 'amazon.nova-micro-v1:0'\nsince = 2026-10-05\n";
    let dated = put(folder.path(), "aliases.toml", dated);
    let trail = folder.path().join("b.json");
    std::fs::write(
        &trail,
        json!({"Records": [call(20, "04T00:00:00", "units"), call(21, "06T00:00:00", "units")]}).to_string(),
    )
    .expect("a file can be written");
    assert_eq!(
        models(&ask(MODELS, &["-s", text(&trail), "--aliases", &dated])),
        ["units - -", "amazon.nova-micro-v1:0 file -"]
    );
}

#[test]
fn policy_and_files_say_what_the_trail_does_not_and_where_they_differ_it_is_told() {
    let [first, second, third, tuned] =
        ["one", "two", "three", "tuned"].map(|tail| arn(&format!("application-inference-profile/{tail}")));
    let records = [
        made(
            1,
            "01T08:00:00",
            "CreateInferenceProfile",
            json!({"modelSource": {"copyFrom": format!("arn:aws:bedrock:eu-central-1::foundation-model/{LITE}")}}),
            json!({"inferenceProfileArn": first}),
        ),
        call(10, "02T08:00:00", &first),
        call(11, "02T08:00:01", &second),
        call(12, "02T08:00:02", &third),
        call(13, "02T08:00:03", &tuned),
        call(14, "06T08:00:00", &tuned),
    ];
    let folder = tempfile::tempdir().expect("a temporary folder");
    record::write(folder.path(), "a", &records);
    let policy = format!(
        "schema = 1\nname = 'p'\nversion = '7'\n[aliases]\n'{first}' = '{PRO}'\n'{second}' = 'eu.{SONNET}'\n\
         '{tuned}' = '{LITE}'\n[[allow]]\nid = 'a'\nroles = ['*']\nmodels = ['{LITE}', '{SONNET}']\n"
    );
    let policy = put(folder.path(), "policy.toml", policy);
    let answers = json!({"inferenceProfileSummaries": [
        {"inferenceProfileName": "third", "inferenceProfileArn": third, "type": "APPLICATION", "models": [
            {"modelArn": format!("arn:aws:bedrock:eu-west-1::foundation-model/{PRO}")},
            {"modelArn": format!("arn:aws:bedrock:eu-central-1::foundation-model/{PRO}")},
        ]},
        {"inferenceProfileName": "EU Pro", "inferenceProfileArn": arn(&format!("inference-profile/eu.{PRO}")),
            "type": "SYSTEM_DEFINED", "models": []},
    ]});
    let answers = put(folder.path(), "profiles.json", answers.to_string());
    let aliases = folder.path().join("aliases.toml");
    let import = bedtrail(["aliases", "import", &answers, "--out", text(&aliases)]).run();
    assert_eq!(import.code, 0, "{}", import.stderr);
    let written = std::fs::read_to_string(&aliases).expect("the file of aliases");
    let more = format!("[[alias]]\nreference = '{tuned}'\nmodel_id = '{PRO}'\nsince = 2026-10-05\n");
    std::fs::write(&aliases, written + &more).expect("the file of aliases");

    let trail = folder.path().join("a.json.gz");
    let input = ["-s", text(&trail), "--policy", &policy, "--aliases", text(&aliases)];
    assert_eq!(
        models(&ask(MODELS, &input)),
        [
            format!("{LITE} trail policy: {PRO}"),
            format!("eu.{SONNET} policy -"),
            format!("{PRO} file -"),
            format!("{LITE} policy -"),
            format!("{PRO} file policy: {LITE}"),
        ]
    );
    let decided = ask("SELECT model_id, decision FROM decisions ORDER BY event_time, event_id", &input);
    let decided: Vec<&str> = decided.rows.iter().filter_map(|row| row["decision"].as_str()).collect();
    assert_eq!(decided, ["allowed", "allowed", "uncovered", "allowed", "uncovered"]);

    let report = bedtrail(["report", "unresolved", "--format", "json"]).args(input).run();
    let rows = &report.json()["reports"][0]["rows"];
    let reasons: Vec<&str> =
        rows.as_array().expect("rows").iter().filter_map(|row| row["reason"].as_str()).collect();
    assert_eq!(
        reasons,
        [
            format!("taken for {LITE} (trail); but policy: {PRO}"),
            format!("taken for {PRO} (file); but policy: {LITE}"),
        ]
    );
}

#[test]
fn what_was_made_before_the_window_is_found_in_a_store() {
    let profile = arn("application-inference-profile/abc123def456");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let create = made(
        1,
        "01T08:00:00",
        "CreateInferenceProfile",
        json!({"modelSource": {"copyFrom": format!("arn:aws:bedrock:eu-central-1::foundation-model/{LITE}")}}),
        json!({"inferenceProfileArn": profile}),
    );
    record::write(folder.path(), "a", &[create, call(2, "20T08:00:00", &profile)]);
    let (logs, store) = (folder.path().join("a.json.gz"), folder.path().join("store"));
    let collected = bedtrail(["collect", "-s", text(&logs), "--store", text(&store)]).run();
    assert_eq!(collected.code, 0, "{}", collected.stderr);

    let within = ["--from", "2026-10-15", "--to", "2026-10-25"];
    let from_store = [&["--store", text(&store)][..], &within[..]].concat();
    assert_eq!(models(&ask(MODELS, &from_store)), [format!("{LITE} trail -")]);
    let from_logs = [&["-s", text(&logs)][..], &within[..]].concat();
    assert_eq!(models(&ask(MODELS, &from_logs)), [format!("{profile} - -")]);
    let with_history = [&["-s", text(&logs), "--history", text(&logs)][..], &within[..]].concat();
    assert_eq!(models(&ask(MODELS, &with_history)), [format!("{LITE} trail -")]);
}

#[test]
fn aliases_are_made_of_what_the_cli_prints() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let nothing = put(folder.path(), "buckets.json", r#"{"Buckets": []}"#);
    let ran = bedtrail(["aliases", "import", &nothing]).run();
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("buckets.json has none of"), "{}", ran.stderr);

    let wrong = put(folder.path(), "aliases.toml", "[[allow]]\nid = 'a'\n");
    let ran = bedtrail(["query", "SELECT 1 AS one", "-s", "fixtures/trail", "--aliases", &wrong]).run();
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("a file of aliases has no 'allow'"), "{}", ran.stderr);
}
