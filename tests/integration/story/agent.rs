//! The refund agent.

use super::usual::SONNET;
use super::{FRANKFURT, PROD, Story, weekend};
use crate::corpus::agent;
use crate::corpus::model::Model;
use crate::corpus::random::Random;
use crate::corpus::record::october;
use crate::corpus::runtime::Invoke;
use crate::corpus::truth::Fact;

pub const RUNTIME: &str = "refund-Xk29aLm3Qp";
pub const MEMORY: &str = "refunds-a1b2c3d4e5";

pub fn play(story: &mut Story, day: i64) {
    if weekend(day) {
        return;
    }
    let mut random = Story::random(&format!("agent {day}"));
    let (api, role) = (story.people.refund_api.clone(), story.people.refund_agent.clone());
    for _ in 0..4 {
        let random = &mut random;
        let start = october(day) + random.seconds(7 * 3600, 16 * 3600);
        // A runtime session id has at least 33 characters.
        let session = format!("refund-{}", random.uuid());
        let ask = |time: i64, random: &mut Random| {
            let mut call =
                Invoke::new(&role, time, FRANKFURT, "ConverseStream", Model::profile("eu", SONNET));
            call.tokens = Some((random.between(1800, 2500), random.between(90, 390)));
            call.events(random)
        };
        let mut events = vec![
            agent::invoke_runtime(&api, start + 19, FRANKFURT, RUNTIME, &session, random)
                .event(Fact::Call("agent_invocation", None)),
            agent::memory_search(&role, start + 1, FRANKFURT, MEMORY, random),
            agent::workload_token(&role, start + 6, FRANKFURT, "refund-agent", random),
            agent::oauth_token(&role, start + 7, FRANKFURT, "zendesk-oauth", random),
            agent::action_lambda(
                &role,
                "bedrock-agentcore.amazonaws.com",
                start + 9,
                FRANKFURT,
                "refund-issue",
                random,
            ),
            agent::memory_event(&role, start + 17, FRANKFURT, MEMORY, &session, random),
        ];
        events.append(&mut ask(start + 4, random));
        events.append(&mut ask(start + 15, random));
        story.log(PROD, FRANKFURT, events);
    }
}
