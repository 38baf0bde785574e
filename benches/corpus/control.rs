//! Calls of the control plane: what is read before models are used, and what changes how they may be.

use super::caller::Caller;
use super::random::Random;
use super::record::{Draft, Event};
use super::truth::Fact;

/// The list of foundation models.
pub fn list_models(caller: &Caller, time: i64, region: &str, random: &mut Random) -> Event {
    read(caller, time, region, "ListFoundationModels", "null", random)
}

/// A read of the control plane.
pub fn read(
    caller: &Caller,
    time: i64,
    region: &str,
    name: &str,
    parameters: &str,
    random: &mut Random,
) -> Event {
    draft(caller, time, region, name, random).parameters(parameters).event(Fact::Call("discovery", None))
}

/// A control-plane call of Bedrock, to be completed.
pub fn draft(caller: &Caller, time: i64, region: &str, name: &str, random: &mut Random) -> Draft {
    Draft::new(caller, time, region, "bedrock.amazonaws.com", name, random)
}
