//! `bedtrail selectors`: the event selectors with which a trail records all that bedtrail can use.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Failure, print, say};
use crate::cli;
use crate::exit::Code;
use crate::output;

const CATALOGUE: &str = include_str!("../../queries/data/event-catalogue.csv");

/// Runs the subcommand.
pub(super) fn run(arguments: &cli::Selectors) -> Result<Code, Failure> {
    let types = types(arguments.wanted)?;
    print(&output::document(&selectors(&types).to_string()))?;
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
            cli::Recorded::All => true,
            cli::Recorded::Mantle => service == "bedrock-mantle",
            cli::Recorded::Agents => cell(surface) == "agents",
            cli::Recorded::Agentcore => matches!(cell(surface), "agentcore" | "gateway"),
        };
        if cell(category) == "data" && ours && asked {
            types.extend(cell(kind).split(';').filter(|kind| !kind.is_empty()).map(str::to_owned));
        }
    }
    Ok(types)
}

/// One selector for management events, read and write, and one for each type: a type stands alone in a selector.
fn selectors(types: &BTreeSet<String>) -> Value {
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
    Value::Array(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_a_selector_of_its_own() {
        let types = types(cli::Recorded::Mantle).unwrap();
        let selectors = selectors(&types);
        let list = selectors.as_array().unwrap();
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
        assert!(all.iter().all(|kind| !kind.contains("S3") && !kind.contains("CloudTrail")), "{all:?}");
    }
}
