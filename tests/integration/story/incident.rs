//! What happens once.

use super::usual::{GUARDRAIL, GUARDRAIL_GONE, NOVA_LITE, NOVA_PRO, SONNET};
use super::{DATA, FRANKFURT, IRELAND, PROD, Story, VIRGINIA};
use crate::corpus::caller::Caller;
use crate::corpus::cast::BOTO;
use crate::corpus::control;
use crate::corpus::model::{Failure, LEGACY, Model};
use crate::corpus::random::Random;
use crate::corpus::record::{Draft, Event, october};
use crate::corpus::runtime::Invoke;
use crate::corpus::truth::{Fact, Outcome};

/// The Region's trail that is stopped.
const TRAIL: &str = "arn:aws:cloudtrail:eu-west-1:111122224444:trail/prod-data-regional";

pub fn play(story: &mut Story, day: i64) {
    let mut random = Story::random(&format!("incident {day}"));
    match day {
        9 => legacy_model(story, &mut random),
        12 | 19 => application_profile(story, day, &mut random),
        13 => marketing(story, &mut random),
        14 => throttled(story, &mut random),
        15 => global_profile(story, &mut random),
        16 => root(story, &mut random),
        20 => guardrail(story, &mut random),
        21 => stop_logging(story, &mut random),
        _ => {}
    }
}

/// Who was turned away at the VPC endpoint on 10-11.
pub fn stranger() -> Caller {
    let mut random = Story::random("stranger");
    Caller::role("777788889999", "/", "crawler", "crawler", BOTO, &mut random)
}

fn legacy_model(story: &mut Story, random: &mut Random) {
    let caller = story.people.summarizer.clone();
    for attempt in 0..3 {
        let time = october(9) + 9 * 3600 + attempt * 45;
        let model = Model::base("anthropic.claude-3-5-sonnet-20240620-v1:0");
        let mut call = Invoke::new(&caller, time, FRANKFURT, "Converse", model);
        call.failure = Some(Failure {
            code: "ResourceNotFoundException",
            message: LEGACY.to_owned(),
            outcome: Outcome::Denied,
        });
        story.log(DATA, FRANKFURT, call.events(random));
    }
}

fn application_profile(story: &mut Story, day: i64, random: &mut Random) {
    let caller = story.people.summarizer.clone();
    for number in 0..5 {
        let time = october(day) + 15 * 3600 + number * 61;
        let model = Model::application("a1b2c3d4e5f6", IRELAND, DATA);
        let mut call = Invoke::new(&caller, time, IRELAND, "Converse", model);
        call.tokens = Some((random.between(900, 4000), random.between(50, 400)));
        story.log(DATA, IRELAND, call.events(random));
    }
}

fn marketing(story: &mut Story, random: &mut Random) {
    let caller = story.people.marketing.clone();
    for number in 0..4 {
        let time = october(13) + 11 * 3600 + number * 130;
        let mut call = Invoke::new(&caller, time, FRANKFURT, "Converse", Model::profile("eu", NOVA_PRO));
        call.tokens = Some((random.between(300, 900), random.between(200, 800)));
        story.log(PROD, FRANKFURT, call.events(random));
    }
}

fn throttled(story: &mut Story, random: &mut Random) {
    let caller = story.people.claims_bot.clone();
    for number in 0..12 {
        let time = october(14) + 10 * 3600 + number * 2;
        let mut call = Invoke::new(&caller, time, FRANKFURT, "Converse", Model::profile("eu", SONNET));
        call.guardrail = Some((GUARDRAIL, "3"));
        call.failure = Some(Failure::named("ThrottlingException"));
        story.log(PROD, FRANKFURT, call.events(random));
    }
}

fn global_profile(story: &mut Story, random: &mut Random) {
    let caller = story.people.claims_bot.clone();
    for (number, ran_in) in [(0, Some("us-east-2")), (1, None)] {
        let time = october(15) + 14 * 3600 + number * 600;
        let mut call = Invoke::new(&caller, time, FRANKFURT, "Converse", Model::profile("global", SONNET));
        call.guardrail = Some((GUARDRAIL, "3"));
        call.tokens = Some((random.between(800, 6000), random.between(60, 900)));
        call.inference_region = ran_in;
        story.log(PROD, FRANKFURT, call.events(random));
    }
}

fn root(story: &mut Story, random: &mut Random) {
    let caller = story.people.root.clone();
    let time = october(16) + 20 * 3600;
    let mut login = Draft::new(&caller, time, VIRGINIA, "signin.amazonaws.com", "ConsoleLogin", random)
        .response(r#"{"ConsoleLogin":"Success"}"#);
    login.kind = "AwsConsoleSignIn";
    login.request_id = None;
    login.console = false;
    login.additional = Some(
        r#"{"LoginTo":"https://console.aws.amazon.com/console/home","MobileVersion":"No","MFAUsed":"Yes"}"#
            .to_owned(),
    );
    login.host = Some("signin.aws.amazon.com".to_owned());
    story.log(PROD, VIRGINIA, [login.event(Fact::NotOurs)]);
    let mut calls = vec![control::list_models(&caller, time + 60, VIRGINIA, random)];
    for number in 0..2 {
        let model = Model::base(NOVA_LITE);
        let call = Invoke::new(&caller, time + 120 + number * 50, VIRGINIA, "ConverseStream", model);
        calls.append(&mut call.events(random));
    }
    story.log(PROD, VIRGINIA, calls);
}

fn guardrail(story: &mut Story, random: &mut Random) {
    let caller = story.people.admin.clone();
    let parameters = format!(r#"{{"guardrailIdentifier":"{GUARDRAIL}"}}"#);
    let look = control::read(&caller, GUARDRAIL_GONE - 95, FRANKFURT, "GetGuardrail", &parameters, random);
    let delete = control::draft(&caller, GUARDRAIL_GONE, FRANKFURT, "DeleteGuardrail", random)
        .parameters(parameters)
        .write()
        .event(Fact::Call("guardrail_admin", None));
    story.log(PROD, FRANKFURT, [look, delete]);
}

fn stop_logging(story: &mut Story, random: &mut Random) {
    let (contractor, admin) = (story.people.contractor.clone(), story.people.data_admin.clone());
    let time = october(21) + 18 * 3600;
    let refused = format!(
        "User: {} is not authorized to perform: cloudtrail:StopLogging on resource: {TRAIL} because no \
         identity-based policy allows the cloudtrail:StopLogging action",
        contractor.arn()
    );
    let denied = trail(&contractor, time, random).error("AccessDenied", &refused);
    let done = trail(&admin, time + 1500, random);
    let events: Vec<Event> =
        [denied, done].iter().map(|draft| draft.event(Fact::Scope("trail_admin"))).collect();
    story.log(DATA, IRELAND, events);
}

fn trail(caller: &Caller, time: i64, random: &mut Random) -> Draft {
    Draft::new(caller, time, IRELAND, "cloudtrail.amazonaws.com", "StopLogging", random)
        .parameters(format!(r#"{{"name":"{TRAIL}"}}"#))
        .write()
}
