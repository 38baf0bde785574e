//! What happens every day.

use super::{DATA, FRANKFURT, IRELAND, PROD, SANDBOX, Story, VIRGINIA, weekend};
use crate::corpus::mantle::{self, Inference};
use crate::corpus::model::{Failure, Model};
use crate::corpus::random::Random;
use crate::corpus::record::october;
use crate::corpus::runtime::Invoke;

pub const SONNET: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";
pub const TITAN: &str = "amazon.titan-embed-text-v2:0";
pub const NOVA_PRO: &str = "amazon.nova-pro-v1:0";
pub const NOVA_LITE: &str = "amazon.nova-lite-v1:0";
/// Claims-bot's guardrail, until it is deleted.
pub const GUARDRAIL: &str = "gr4pr0d00001";
/// When the guardrail is deleted.
pub const GUARDRAIL_GONE: i64 = october(20) + 13 * 3600 + 2520;

pub fn play(story: &mut Story, day: i64) {
    claims(story, day);
    summaries(story, day);
    nightly(story, day);
    if !weekend(day) {
        codex(story, day);
        claude_code(story, day);
    }
}

/// A time in office hours.
fn office(day: i64, random: &mut Random) -> i64 {
    october(day) + random.seconds(6 * 3600, 17 * 3600)
}

/// Where an `eu.` call from Frankfurt ran; a record does not name the Region it was made in.
fn routed(random: &mut Random) -> Option<&'static str> {
    random.weighted(&[(5, None), (3, Some("eu-north-1")), (2, Some("eu-west-3"))])
}

fn claims(story: &mut Story, day: i64) {
    let mut random = Story::random(&format!("claims {day}"));
    let caller = story.people.claims_bot.clone();
    let (talks, embeddings) = if weekend(day) { (6, 2) } else { (22, 7) };
    for _ in 0..talks {
        let time = office(day, &mut random);
        let mut call = Invoke::new(&caller, time, FRANKFURT, "Converse", Model::profile("eu", SONNET));
        call.guardrail = (time < GUARDRAIL_GONE).then_some((GUARDRAIL, "3"));
        if random.chance(20) {
            call.failure = Some(Failure::named("ValidationException"));
        } else {
            call.tokens = Some((random.between(800, 6000), random.between(60, 900)));
            call.inference_region = routed(&mut random);
        }
        let events = call.events(&mut random);
        story.log(PROD, FRANKFURT, events);
    }
    for _ in 0..embeddings {
        let time = office(day, &mut random);
        let mut call = Invoke::new(&caller, time, FRANKFURT, "InvokeModel", Model::base(TITAN));
        call.tokens = random.chance(500).then(|| (random.between(50, 500), 0));
        let events = call.events(&mut random);
        story.log(PROD, FRANKFURT, events);
    }
}

fn summaries(story: &mut Story, day: i64) {
    let mut random = Story::random(&format!("summaries {day}"));
    let caller = story.people.summarizer.clone();
    for number in 0..if weekend(day) { 4 } else { 12 } {
        let time = office(day, &mut random);
        let model = if number % 3 == 0 { NOVA_LITE } else { NOVA_PRO };
        let operation = if number % 4 == 0 { "ConverseStream" } else { "InvokeModel" };
        let mut call = Invoke::new(&caller, time, IRELAND, operation, Model::profile("eu", model));
        let tokens = Some((random.between(1500, 9000), random.between(100, 700)));
        if number % 2 == 0 {
            call.tokens = tokens;
        } else {
            call.twin_tokens = tokens;
        }
        call.inference_region = routed(&mut random);
        let events = call.events(&mut random);
        story.log(DATA, IRELAND, events);
    }
}

fn nightly(story: &mut Story, day: i64) {
    let mut random = Story::random(&format!("nightly {day}"));
    let caller = story.people.legacy_batch.clone();
    for number in 0..5 {
        let time = october(day) + 2 * 3600 + number * 40;
        let mut call = Invoke::new(&caller, time, VIRGINIA, "InvokeModel", Model::profile("us", SONNET));
        call.tokens = Some((random.between(9000, 20_000), random.between(500, 1500)));
        call.inference_region = Some("us-west-2");
        let events = call.events(&mut random);
        story.log(PROD, VIRGINIA, events);
    }
}

/// Codex calls more than the model that was chosen: its reviews go to luna, its memory to terra.
fn codex(story: &mut Story, day: i64) {
    let mut random = Story::random(&format!("codex {day}"));
    let caller = story.people.codex.clone();
    let bearer = (day % 4 == 0).then_some("SHORT_TERM");
    let mut time = october(day) + random.seconds(7 * 3600, 9 * 3600);
    let list = mantle::list_models(&caller, time, FRANKFURT, bearer, &mut random);
    story.log(SANDBOX, FRANKFURT, [list]);
    for model in ["sol", "sol", "luna", "sol", "sol", "luna", "sol", "sol", "luna", "terra"] {
        time += random.seconds(20, 900);
        let mut call =
            Inference::new(&caller, time, FRANKFURT, Model::base(&format!("openai.gpt-5.6-{model}")));
        call.bearer = bearer;
        let event = call.event(&mut random);
        story.log(SANDBOX, FRANKFURT, [event]);
    }
}

fn claude_code(story: &mut Story, day: i64) {
    let mut random = Story::random(&format!("claude code {day}"));
    let caller = story.people.claude_code.clone();
    let mut time = october(day) + random.seconds(8 * 3600, 10 * 3600);
    for number in 0..9 {
        time += random.seconds(15, 700);
        let model = if number % 4 == 3 {
            "anthropic.claude-haiku-4-5-20251001-v1:0"
        } else {
            "anthropic.claude-sonnet-4-6"
        };
        let operation = "InvokeModelWithResponseStream";
        let mut call = Invoke::new(&caller, time, FRANKFURT, operation, Model::profile("eu", model));
        call.inference_region = routed(&mut random);
        let events = call.events(&mut random);
        story.log(SANDBOX, FRANKFURT, events);
    }
}
