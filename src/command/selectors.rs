//! `bedtrail selectors`: the event selectors with which a trail records all that bedtrail can use.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Failure, print, say};
use crate::cli;
use crate::exit::Code;
use crate::output;

const CATALOGUE: &str = include_str!("../../queries/data/event-catalogue.csv");

/// Types that a service's guide lists for selectors, but CloudTrail's own table of types does not.
const GUIDE_ONLY: &[&str] =
    &["AWS::Bedrock::Prompt", "AWS::BedrockMantle::CustomizedModel", "AWS::BedrockMantle::Reservation"];

/// Event sources whose endpoints refuse what concerns agents and models.
const AT_ENDPOINTS: &[&str] = &[
    "bedrock.amazonaws.com",
    "bedrock-agentcore.amazonaws.com",
    "bedrock-mantle.amazonaws.com",
    "lambda.amazonaws.com",
    "s3.amazonaws.com",
];

/// Runs the subcommand.
pub(super) fn run(arguments: &cli::Selectors) -> Result<Code, Failure> {
    let network = arguments.wanted == cli::Recorded::Network;
    let types = if network { BTreeSet::new() } else { types(arguments.wanted)? };
    let mut all = selectors(&types);
    if network {
        all.extend(AT_ENDPOINTS.iter().copied().map(refused_at_endpoint));
    }
    print(&output::document(&Value::Array(all).to_string()))?;
    let doubtful: Vec<&str> = GUIDE_ONLY.iter().copied().filter(|kind| types.contains(*kind)).collect();
    if !doubtful.is_empty() {
        say(&format!(
            "note: only the service's guide lists {}, CloudTrail's table of types does not: if put-event-selectors refuses \
             one of them, leave its selector out",
            doubtful.join(", ")
        ));
    }
    if network {
        for line in [
            "network activity is recorded only of calls that come through a VPC endpoint; each event costs",
            "which services have such events is CloudTrail's to say, and grows: if put-event-selectors refuses an event \
             source, leave its selector out",
        ] {
            say(&format!("note: {line}"));
        }
        return Ok(Code::Clean);
    }
    for line in [
        "put-event-selectors replaces all selectors that the trail has: add those you keep (aws cloudtrail \
         get-event-selectors --trail-name NAME), then: aws cloudtrail put-event-selectors --trail-name NAME \
         --advanced-event-selectors file://selectors.json",
        "data events cost: CloudTrail charges for each one, and a first copy of management events only is free; a selector's \
         resources.ARN can narrow it",
        "functions of action groups are recorded by data events of AWS::Lambda::Function, which this leaves out: select \
         these functions by resources.ARN",
    ] {
        say(&format!("note: {line}"));
    }
    Ok(Code::Clean)
}

/// Resource types of data events, sorted.
fn types(wanted: cli::Recorded) -> Result<BTreeSet<String>, Failure> {
    let mut reader = csv::Reader::from_reader(CATALOGUE.as_bytes());
    let headers = reader.headers().map_err(Failure::failed)?.clone();
    let at = |name: &str| headers.iter().position(|header| header == name).unwrap_or(usize::MAX);
    let (source, category, surface, kind) =
        (at("event_source"), at("category"), at("surface"), at("resource_type"));
    let mut types = BTreeSet::new();
    for row in reader.records() {
        let row = row.map_err(Failure::failed)?;
        let cell = |at: usize| row.get(at).unwrap_or_default();
        let service = cell(source).strip_suffix(".amazonaws.com").unwrap_or_default();
        let ours =
            service.starts_with("bedrock") || ["agent-registry", "aws-external-anthropic"].contains(&service);
        let asked = match wanted {
            cli::Recorded::All | cli::Recorded::Network => true,
            cli::Recorded::Mantle => service == "bedrock-mantle",
            cli::Recorded::Agents => cell(surface) == "agents",
            cli::Recorded::Agentcore => matches!(cell(surface), "agentcore" | "gateway"),
        };
        // Where AWS's pages disagree on the category, the type is a selector's all the same.
        if matches!(cell(category), "data" | "unknown") && ours && asked {
            types.extend(cell(kind).split(';').filter(|kind| !kind.is_empty()).map(str::to_owned));
        }
    }
    Ok(types)
}

/// One selector for management events, read and write, and one for each type: a type stands alone in a selector.
fn selectors(types: &BTreeSet<String>) -> Vec<Value> {
    let mut all = vec![json!({
        "Name": "management events",
        "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}],
    })];
    all.extend(types.iter().map(|kind| {
        json!({
            "Name": kind.trim_start_matches("AWS::").replace("::", " "),
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "resources.type", "Equals": [kind]},
            ],
        })
    }));
    all
}

/// What a policy of a VPC endpoint refused; such a selector names one event source.
fn refused_at_endpoint(source: &str) -> Value {
    json!({
        "Name": format!("{} refused at VPC endpoints", source.trim_end_matches(".amazonaws.com")),
        "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["NetworkActivity"]},
            {"Field": "eventSource", "Equals": [source]},
            {"Field": "errorCode", "Equals": ["VpceAccessDenied"]},
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_a_selector_of_its_own() {
        let types = types(cli::Recorded::Mantle).unwrap();
        let list = selectors(&types);
        assert_eq!(list.len(), 4);
        assert_eq!(
            list[2],
            json!({"Name": "BedrockMantle Project", "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "resources.type", "Equals": ["AWS::BedrockMantle::Project"]},
            ]})
        );
        assert_eq!(list[0]["FieldSelectors"].as_array().unwrap().len(), 1, "reads and writes");
    }

    #[test]
    fn refusals_at_endpoints_are_asked_of_every_source_that_is_kept_beside_the_family() {
        let (error_code, sources) = crate::event::scope::Scope::get().at_endpoint();
        assert!(sources.into_iter().all(|source| AT_ENDPOINTS.contains(&source)));
        let text = refused_at_endpoint("s3.amazonaws.com").to_string();
        assert!(
            text.contains("s3 refused") && text.contains("s3.amazonaws.com") && text.contains(error_code)
        );
    }

    #[test]
    fn all_is_every_data_type_of_ours_and_the_others_are_parts_of_it() {
        let all = types(cli::Recorded::All).unwrap();
        for (wanted, holds) in [
            (cli::Recorded::Mantle, "AWS::BedrockMantle::Project"),
            (cli::Recorded::Agents, "AWS::Bedrock::AgentAlias"),
            (cli::Recorded::Agentcore, "AWS::BedrockAgentCore::Gateway"),
        ] {
            let some = types(wanted).unwrap();
            assert!(some.contains(holds) && some.is_subset(&all) && some.len() < all.len(), "{some:?}");
        }
        assert!(all.contains("AWS::Bedrock::Model") && all.contains("AWS::AgentRegistry::Registry"));
        assert!(all.contains("AWS::BedrockAgentCore::PolicyEngine"), "its category is not known: {all:?}");
        assert!(all.iter().all(|kind| !kind.contains("S3") && !kind.contains("CloudTrail")), "{all:?}");
    }
}
