//! LLMjacking in the sandbox: from the first look round to the key's end.

use super::{FRANKFURT, IRELAND, SANDBOX, Story, VIRGINIA};
use crate::corpus::caller::Caller;
use crate::corpus::control;
use crate::corpus::model::{Failure, Model};
use crate::corpus::random::Random;
use crate::corpus::record::{Draft, Event, october};
use crate::corpus::runtime::Invoke;
use crate::corpus::truth::Fact;

const OPUS: [&str; 3] =
    ["anthropic.claude-opus-4-6-v1", "anthropic.claude-opus-4-5-20251101-v1:0", "anthropic.claude-opus-4-7"];

/// Tried in every Region.
const PROBED: [&str; 10] = [
    "anthropic.claude-opus-4-6-v1",
    "anthropic.claude-opus-4-5-20251101-v1:0",
    "anthropic.claude-opus-4-7",
    "anthropic.claude-sonnet-4-6",
    "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "anthropic.claude-haiku-4-5-20251001-v1:0",
    "meta.llama4-maverick-17b-instruct-v1:0",
    "deepseek.v3.2",
    "mistral.ministral-3-14b-instruct",
    "openai.gpt-oss-120b-1:0",
];

const REGIONS: [&str; 3] = [VIRGINIA, FRANKFURT, IRELAND];

/// When it begins.
const START: i64 = october(17) + 2 * 3600 + 540;

pub fn play(story: &mut Story, day: i64) {
    let mut random = Story::random(&format!("attack {day}"));
    match day {
        17 => {
            look_round(story, &mut random);
            open_access(story, &mut random);
            probe(story, &mut random);
            succeed(story, &mut random);
            dig_in(story, &mut random);
            spend(story, october(17) + 6 * 3600, 14, &mut random);
        }
        18 => spend(story, october(18) + 3 * 3600, 16, &mut random),
        19 => end(story, &mut random),
        _ => {}
    }
}

fn look_round(story: &mut Story, random: &mut Random) {
    let caller = story.people.ci_deploy.clone();
    for (number, region) in (0_i64..).zip(REGIONS) {
        let time = START + number * 30;
        let mut read = |after: i64, name: &str, parameters: &str| {
            control::read(&caller, time + after, region, name, parameters, random)
        };
        let events = [
            read(0, "ListFoundationModels", "null"),
            read(2, "GetModelInvocationLoggingConfiguration", "null"),
            read(5, "ListInferenceProfiles", r#"{"maxResults":1000}"#),
            read(7, "GetUseCaseForModelAccess", "null"),
        ];
        story.log(SANDBOX, region, events);
    }
    for (number, model) in (0_i64..).zip(OPUS) {
        let parameters = format!(r#"{{"modelId":"{model}"}}"#);
        let time = START + 120 + number * 3;
        let event =
            control::read(&caller, time, VIRGINIA, "GetFoundationModelAvailability", &parameters, random);
        story.log(SANDBOX, VIRGINIA, [event]);
    }
}

fn open_access(story: &mut Story, random: &mut Random) {
    let caller = story.people.ci_deploy.clone();
    let mut entitle = |after: i64, name: &str, parameters: String, response: &str| {
        control::draft(&caller, START + after, VIRGINIA, name, random)
            .parameters(parameters)
            .response(response)
            .event(Fact::Call("entitlement", None))
    };
    // The form's data is hidden: the record has no parameters.
    let mut events = vec![entitle(180, "PutUseCaseForModelAccess", "null".to_owned(), "null")];
    for (number, model) in (0_i64..).zip(OPUS) {
        let parameters = format!(r#"{{"modelId":"{model}"}}"#);
        let agreed = format!(r#"{{"modelId":"{}"}}"#, model.trim_end_matches(":0"));
        let after = 200 + number * 12;
        events.push(entitle(after, "CreateFoundationModelAgreement", parameters.clone(), &agreed));
        events.push(entitle(
            after + 4,
            "PutFoundationModelEntitlement",
            parameters,
            r#"{"status":"SUCCESS"}"#,
        ));
    }
    story.log(SANDBOX, VIRGINIA, events);
}

/// Invalid requests that would cost nothing, then a hundred denied ones.
fn probe(story: &mut Story, random: &mut Random) {
    let caller = story.people.ci_deploy.clone();
    for (place, region) in (0_i64..).zip(REGIONS) {
        let start = START + 400 + place * 240;
        for (number, model) in (0_i64..).zip(OPUS) {
            let mut call = Invoke::new(&caller, start + number, region, "InvokeModel", Model::base(model));
            call.failure = Some(Failure::named("ValidationException"));
            story.log(SANDBOX, region, call.events(random));
        }
        for (attempt, model) in (0_i64..35).zip(PROBED.into_iter().cycle()) {
            let model = Model::base(model);
            let resource = Model::arn(&model.id, region).requested;
            let time = start + 10 + attempt * 4;
            let mut call = Invoke::new(&caller, time, region, "InvokeModel", model);
            call.failure = Some(Failure::denied(&caller.arn(), "bedrock:InvokeModel", &resource));
            story.log(SANDBOX, region, call.events(random));
        }
    }
}

fn succeed(story: &mut Story, random: &mut Random) {
    let caller = story.people.ci_deploy.clone();
    for number in 0..60 {
        let time = START + 1800 + number * 95 + random.seconds(0, 39);
        let model = Model::profile("us", OPUS[random.index(OPUS.len())]);
        let mut call = Invoke::new(&caller, time, VIRGINIA, "InvokeModelWithResponseStream", model);
        call.tokens = Some((random.between(20_000, 90_000), random.between(2000, 8000)));
        call.inference_region = Some(random.one(&["us-east-2", "us-west-2"]));
        story.log(SANDBOX, VIRGINIA, call.events(random));
    }
}

/// Nobody shall see the prompts, and the stolen key shall not be needed any more.
fn dig_in(story: &mut Story, random: &mut Random) {
    let caller = story.people.ci_deploy.clone();
    let delete = "DeleteModelInvocationLoggingConfiguration";
    let mut events = vec![
        control::draft(&caller, START + 2400, VIRGINIA, delete, random)
            .write()
            .event(Fact::Call("logging_admin", None)),
    ];
    let user = r#""userName":"BedrockAPIKey-x7k2""#;
    let calls = [
        (
            "CreateUser",
            String::new(),
            format!(
                r#"{{"user":{{"path":"/",{user},"arn":"arn:aws:iam::{SANDBOX}:user/BedrockAPIKey-x7k2"}}}}"#
            ),
        ),
        (
            "AttachUserPolicy",
            r#","policyArn":"arn:aws:iam::aws:policy/AmazonBedrockLimitedAccess""#.to_owned(),
            "null".to_owned(),
        ),
        (
            "CreateServiceSpecificCredential",
            r#","serviceName":"bedrock.amazonaws.com""#.to_owned(),
            format!(
                r#"{{"serviceSpecificCredential":{{{user},"serviceName":"bedrock.amazonaws.com","serviceSpecificCredentialId":"ACCAEXAMPLEX7K2EXAMPLE","status":"Active"}}}}"#
            ),
        ),
    ];
    for (number, (name, more, response)) in (0_i64..).zip(calls) {
        let time = START + 2500 + number * 3;
        events.push(iam(&caller, time, name, &format!("{{{user}{more}}}"), &response, random));
    }
    story.log(SANDBOX, VIRGINIA, events);
}

/// Calls with the long-term key.
fn spend(story: &mut Story, start: i64, count: i64, random: &mut Random) {
    let caller = story.people.key_user.clone();
    for number in 0..count {
        let time = start + number * 400 + random.seconds(0, 199);
        let model = Model::profile("us", OPUS[0]);
        let mut call = Invoke::new(&caller, time, VIRGINIA, "Converse", model);
        call.bearer = true;
        call.tokens = Some((random.between(20_000, 90_000), random.between(2000, 8000)));
        call.inference_region = Some("us-west-2");
        story.log(SANDBOX, VIRGINIA, call.events(random));
    }
}

fn end(story: &mut Story, random: &mut Random) {
    let caller = story.people.sandbox_admin.clone();
    let time = october(19) + 7 * 3600;
    let key = &story.people.ci_deploy.access_key;
    let deactivate = format!(r#"{{"userName":"ci-deploy","accessKeyId":"{key}","status":"Inactive"}}"#);
    let credential =
        r#"{"userName":"BedrockAPIKey-x7k2","serviceSpecificCredentialId":"ACCAEXAMPLEX7K2EXAMPLE"}"#;
    let events = [
        iam(&caller, time, "UpdateAccessKey", &deactivate, "null", random),
        iam(&caller, time + 80, "DeleteServiceSpecificCredential", credential, "null", random),
    ];
    story.log(SANDBOX, VIRGINIA, events);
    // Whoever has the key does not know yet.
    let caller = story.people.key_user.clone();
    for number in 0..6 {
        let model = Model::profile("us", OPUS[0]);
        let resource = format!("arn:aws:bedrock:{VIRGINIA}:{SANDBOX}:inference-profile/{}", model.requested);
        let mut call = Invoke::new(&caller, time + 600 + number * 20, VIRGINIA, "Converse", model);
        call.bearer = true;
        call.failure = Some(Failure::denied(&caller.arn(), "bedrock:CallWithBearerToken", &resource));
        story.log(SANDBOX, VIRGINIA, call.events(random));
    }
}

/// A change in IAM, which records in us-east-1.
fn iam(
    caller: &Caller,
    time: i64,
    name: &str,
    parameters: &str,
    response: &str,
    random: &mut Random,
) -> Event {
    let mut draft = Draft::new(caller, time, VIRGINIA, "iam.amazonaws.com", name, random)
        .parameters(parameters)
        .response(response);
    draft.host = Some("iam.amazonaws.com".to_owned());
    draft.event(Fact::Scope("credential_admin"))
}
