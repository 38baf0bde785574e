//! Bedrock's own records in their variety.

use super::agent;
use super::caller::Caller;
use super::cast::Cast;
use super::control;
use super::mantle::{self, Inference};
use super::model::{Failure, Model};
use super::random::Random;
use super::record::Event;
use super::runtime::{Invoke, Place};
use super::truth::Fact;

const OPERATIONS: &[(u64, &str)] =
    &[(40, "InvokeModel"), (25, "Converse"), (15, "ConverseStream"), (20, "InvokeModelWithResponseStream")];

/// Some call of the Bedrock family, with its twin if it has one.
pub fn bedrock(cast: &Cast, time: i64, random: &mut Random) -> Vec<Event> {
    let region = cast.region.as_str();
    let caller = random.pick(&cast.callers).clone();
    let session = format!("{}-{}", random.lower(8), random.lower(12));
    vec![match random.below(100) {
        0..68 => return invoke(cast, time, random),
        68..80 => inference(cast, time, random),
        80..83 => agent::invoke_agent(&caller, time, region, ("AGENT12345", "TSTALIASID"), &session, random),
        83..86 => agent::retrieve(&caller, time, region, "KB12345678", random),
        86..89 => agent::apply_guardrail(&caller, time, region, ("gr4pr0d00001", "3"), random),
        89..92 => agent::invoke_runtime(&caller, time, region, "refund-Xk29aLm3Qp", &session, random)
            .event(Fact::Call("agent_invocation", None)),
        92..93 => agent::memory_event(&caller, time, region, "refunds-a1b2c3d4e5", &session, random),
        93..94 => agent::oauth_token(&caller, time, region, "zendesk-oauth", random),
        94..96 => {
            let status = if random.chance(200) { 401 } else { 200 };
            agent::gateway_tool(
                &cast.account,
                time,
                region,
                "tools-q1w2e3r4t5",
                "Orders___Refund",
                status,
                random,
            )
        }
        96..98 => control::list_models(&caller, time, region, random),
        _ => mantle::list_models(random.pick(&cast.people), time, region, None, random),
    }]
}

fn invoke(cast: &Cast, time: i64, random: &mut Random) -> Vec<Event> {
    let region = cast.region.as_str();
    let person = random.chance(120).then(|| random.pick(&cast.people));
    let key_user = person.is_none() && random.chance(40);
    let caller = if key_user { &cast.key_user } else { person.unwrap_or_else(|| random.pick(&cast.callers)) };
    let model = Model::runtime(region, &cast.account, random);
    let mut call = Invoke::new(caller, time, region, random.weighted(OPERATIONS), model);
    call.bearer = key_user || random.chance(20);
    call.place = match random.below(1000) {
        0..5 => Place::Nowhere,
        5..60 if call.operation == "ConverseStream" => Place::Resource,
        _ => Place::Parameter,
    };
    if random.chance(120) {
        let action = format!("bedrock:{}", call.operation);
        call.failure = Some(Failure::some(&caller.arn(), &action, &call.model.requested, random));
    } else {
        match random.below(100) {
            0..35 => call.tokens = Some((random.between(8, 24_000), random.between(1, 4_000))),
            35..45 => call.twin_tokens = Some((random.between(8, 24_000), random.between(1, 4_000))),
            _ => {}
        }
        call.inference_region = match call.model.scope() {
            Some("eu") if random.chance(700) => {
                Some(random.one(&["eu-central-1", "eu-north-1", "eu-west-3"]))
            }
            Some("us") if random.chance(700) => Some(random.one(&["us-east-2", "us-west-2"])),
            Some("global") if random.chance(500) => Some(random.one(&["ap-southeast-4", "us-east-2"])),
            _ => None,
        };
    }
    if random.chance(150) {
        call.guardrail = Some(("gr4pr0d00001", "3"));
    }
    call.events(random)
}

fn inference(cast: &Cast, time: i64, random: &mut Random) -> Event {
    let key_user = random.chance(100);
    let caller = if key_user { &cast.key_user } else { random.pick(&cast.people) };
    let mut call = Inference::new(caller, time, &cast.region, Model::mantle(random));
    call.stream = random.chance(800);
    call.bearer = if key_user {
        Some("ABSK")
    } else if random.chance(100) {
        Some("SHORT_TERM")
    } else {
        None
    };
    if random.chance(150) {
        call.metadata = Some(r#"{"team":"platform","ticket":"GRC-4411"}"#.to_owned());
    }
    if random.chance(60) {
        let model = &call.model.requested;
        call.failure = Some(Failure::denied(&caller.arn(), "bedrock-mantle:CreateInference", model));
    }
    call.event(random)
}

/// A call on something of `neighbour`'s: the caller's account gets the record, and the neighbour a copy of it.
pub fn cross_account(cast: &Cast, neighbour: &str, time: i64, random: &mut Random) -> (Event, Event) {
    let caller: &Caller = &cast.callers[0];
    let shared = random.uuid();
    let (mut original, fact) = if random.chance(500) {
        let call = agent::invoke_runtime(caller, time, &cast.region, "shared-Zz81kKq2Wm", "shared", random);
        (call, Fact::Call("agent_invocation", None))
    } else {
        let model = Model::base("anthropic.claude-sonnet-4-6");
        let call = Invoke::new(caller, time, &cast.region, "InvokeModel", model);
        (call.draft(random), Fact::Call("model_invocation", Some(call.usage())))
    };
    original.shared_id = Some(shared);
    let mut copy = original.clone();
    copy.event_id = random.uuid();
    neighbour.clone_into(&mut copy.recipient);
    (original.event(fact), copy.event(Fact::SharedCopy))
}
