//! What a call does: each known event name has one surface and one activity, from `queries/data/event-catalogue.csv`.

use std::sync::OnceLock;

use hashbrown::HashMap;

use super::scope::Scope;

const CATALOGUE: &str = include_str!("../../queries/data/event-catalogue.csv");

/// Every surface a record can have.
pub const SURFACES: &[&str] = &[
    "runtime",
    "mantle",
    "agents",
    "agentcore",
    "gateway",
    "control",
    "marketplace",
    "iam",
    "trail",
    "other",
];

/// Every activity a record can have.
pub const ACTIVITIES: &[&str] = &[
    "model_invocation",
    "batch",
    "agent_invocation",
    "retrieval",
    "flow",
    "guardrail_check",
    "tool",
    "memory",
    "token_vending",
    "session",
    "discovery",
    "entitlement",
    "guardrail_admin",
    "logging_admin",
    "agent_admin",
    "model_admin",
    "credential_admin",
    "trail_admin",
    "downstream",
    "other",
];

/// Surface and activity of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// One of [`SURFACES`].
    pub surface: &'static str,
    /// One of [`ACTIVITIES`].
    pub activity: &'static str,
}

type Catalogue = HashMap<&'static str, HashMap<&'static str, Meaning>>;

fn catalogue() -> &'static Catalogue {
    static MAP: OnceLock<Catalogue> = OnceLock::new();
    MAP.get_or_init(|| {
        let mut map = Catalogue::new();
        // The first nine columns are plain words, which a test holds them to; quotes come only after them.
        for line in CATALOGUE.lines().skip(1) {
            let mut cells = line.split(',');
            if let (Some(source), Some(name), Some(surface), Some(activity)) =
                (cells.next(), cells.next(), cells.nth(5), cells.next())
            {
                map.entry(source).or_default().insert(name, Meaning { surface, activity });
            }
        }
        map
    })
}

fn listed(source: &str, name: &str) -> Option<Meaning> {
    catalogue().get(Scope::get().alias(source))?.get(name).copied()
}

/// Whether the catalogue lists this event.
pub fn known(source: &str, name: &str) -> bool {
    listed(source, name).is_some()
}

/// Surface and activity of an event. `by_bedrock` says that a Bedrock service or an agent's role made the call: outside the Bedrock
/// family such a record is `downstream`, unless the catalogue gives it a weight of its own (an accepted agreement stays an
/// entitlement, whoever accepted it). A name the catalogue does not list has its source's surface and is `other`.
pub fn meaning(source: &str, name: &str, by_bedrock: bool) -> Meaning {
    let found = listed(source, name).unwrap_or(Meaning { surface: surface_of(source), activity: "other" });
    let light = matches!(found.activity, "other" | "discovery");
    if by_bedrock && light && !Scope::get().family(source) {
        return Meaning { activity: "downstream", ..found };
    }
    found
}

/// The surface of events the catalogue does not list. `bedrock.amazonaws.com` serves several, so it is `other`.
fn surface_of(source: &str) -> &'static str {
    match source.split_once('.').map_or(source, |(service, _)| service) {
        "bedrock-runtime" => "runtime",
        "bedrock-mantle" => "mantle",
        "bedrock-agent" | "bedrock-agent-runtime" => "agents",
        "bedrock-agentcore" | "bedrock-agentcore-control" | "agent-registry" => "agentcore",
        "aws-marketplace" | "agreement-marketplace" | "discovery-marketplace" => "marketplace",
        "iam" | "sts" | "signin" => "iam",
        "cloudtrail" | "cloudtrail-data" => "trail",
        _ => "other",
    }
}

/// Whether the operation streams its answer, where the name alone says so; `None` for calls that are no invocation
/// or whose request decides.
pub fn streaming(source: &str, name: &str) -> Option<bool> {
    match name {
        "InvokeModelWithResponseStream"
        | "InvokeModelWithBidirectionalStream"
        | "ConverseStream"
        | "ConverseWithResponseStream"
        | "RetrieveAndGenerateStream"
        | "AgenticRetrieveStream" => Some(true),
        "InvokeModel" | "Converse" | "RetrieveAndGenerate" if Scope::get().family(source) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(source: &str, name: &str, by_bedrock: bool) -> (&'static str, &'static str) {
        let meaning = meaning(&format!("{source}.amazonaws.com"), name, by_bedrock);
        (meaning.surface, meaning.activity)
    }

    #[test]
    fn the_catalogue_is_read_whole_and_in_our_words() {
        let mut rows = 0;
        let mut reader = csv::Reader::from_reader(CATALOGUE.as_bytes());
        assert_eq!(&reader.headers().unwrap().iter().collect::<Vec<_>>()[7..9], ["surface", "activity"]);
        for row in reader.records() {
            let row = row.unwrap();
            rows += 1;
            let found = listed(&row[0], &row[1]).unwrap();
            assert_eq!((found.surface, found.activity), (&row[7], &row[8]), "{} {}", &row[0], &row[1]);
            assert!(SURFACES.contains(&&row[7]) && ACTIVITIES.contains(&&row[8]), "{} {}", &row[0], &row[1]);
        }
        assert_eq!(catalogue().values().map(HashMap::len).sum::<usize>(), rows, "no line is broken in two");
    }

    #[test]
    fn known_events_have_their_meaning() {
        assert_eq!(of("bedrock", "InvokeModel", false), ("runtime", "model_invocation"));
        assert_eq!(of("bedrock-runtime", "Converse", false), ("runtime", "model_invocation"));
        assert_eq!(of("bedrock-mantle", "CreateInference", false), ("mantle", "model_invocation"));
        assert_eq!(of("bedrock-agentcore", "InvokeGateway", false), ("gateway", "tool"));
        assert_eq!(of("bedrock-agentcore", "InvokeMcp", false), ("gateway", "tool"));
        assert_eq!(
            of("bedrock-agentcore-control", "CreateAgentRuntime", false),
            ("agentcore", "agent_admin")
        );
        assert_eq!(of("bedrock", "CreateModelInvocationJob", false), ("control", "batch"));
        assert_eq!(of("iam", "CreateServiceSpecificCredential", false), ("iam", "credential_admin"));
        assert!(known("bedrock-runtime.amazonaws.com", "InvokeModel"));
    }

    #[test]
    fn unknown_events_have_their_sources_surface() {
        assert_eq!(of("bedrock-mantle", "BrandNew", false), ("mantle", "other"));
        assert_eq!(of("bedrock-agentcore", "BrandNew", true), ("agentcore", "other"));
        assert_eq!(of("agent-registry", "BrandNew", false), ("agentcore", "other"));
        assert_eq!(of("bedrock", "BrandNew", false), ("other", "other"));
        assert!(!known("bedrock.amazonaws.com", "BrandNew"));
        assert!(!known("s3.amazonaws.com", "InvokeModel"));
    }

    #[test]
    fn what_bedrock_does_elsewhere_is_downstream() {
        assert_eq!(of("dynamodb", "GetItem", true), ("other", "downstream"));
        assert_eq!(of("sts", "AssumeRole", true), ("iam", "downstream"));
        assert_eq!(of("kms", "CreateKey", true), ("other", "downstream"));
        assert_eq!(of("bedrock", "InvokeModel", true), ("runtime", "model_invocation"));
        assert_eq!(
            of("agreement-marketplace", "AcceptAgreementRequest", true),
            ("marketplace", "entitlement")
        );
    }

    #[test]
    fn streaming_is_in_the_name() {
        let of = |name| streaming("bedrock.amazonaws.com", name);
        assert_eq!(of("ConverseStream"), Some(true));
        assert_eq!(of("Converse"), Some(false));
        assert_eq!(of("CreateInference"), None);
        assert_eq!(of("ListGuardrails"), None);
    }
}
