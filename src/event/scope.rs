//! Which records are kept: `queries/scope.toml`, compiled in. The file says why.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use hashbrown::{HashMap, HashSet};
use serde::Deserialize;

const FILE: &str = include_str!("../../queries/scope.toml");

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    needles: Vec<String>,
    activities: Vec<String>,
    made_by: Vec<String>,
    users: Vec<String>,
    family: Vec<String>,
    at_endpoint: AtEndpoint,
    alias: BTreeMap<String, String>,
    left_out: Vec<Names>,
    wanted: Vec<Names>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    source: String,
    names: Vec<String>,
}

/// Which refusals of VPC endpoints are kept.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AtEndpoint {
    error_code: String,
    sources: Vec<String>,
}

/// What bedtrail keeps of CloudTrail.
#[derive(Debug)]
pub struct Scope {
    needles: Vec<&'static str>,
    made_by: Vec<String>,
    users: Vec<String>,
    family: HashSet<String>,
    at_endpoint: AtEndpoint,
    alias: HashMap<String, String>,
    wanted: HashMap<String, HashSet<String>>,
    names: BTreeSet<String>,
}

impl Scope {
    /// The compiled-in scope.
    pub fn get() -> &'static Self {
        static SCOPE: OnceLock<Scope> = OnceLock::new();
        // A file that does not parse would keep nothing; a test holds it to the catalogue.
        SCOPE.get_or_init(|| Self::of(toml::from_str(FILE).unwrap_or_default()))
    }

    /// The text of `queries/scope.toml`, for a store to remember what it was collected with.
    pub fn text() -> &'static str {
        FILE
    }

    fn of(file: File) -> Self {
        let names = file.wanted.iter().flat_map(|wanted| wanted.names.iter().cloned()).collect();
        Self {
            needles: file.needles.into_iter().map(|needle| &*needle.leak()).collect(),
            made_by: file.made_by,
            users: file.users,
            family: file.family.into_iter().collect(),
            at_endpoint: file.at_endpoint,
            alias: file.alias.into_iter().collect(),
            wanted: file.wanted.into_iter().map(|w| (w.source, w.names.into_iter().collect())).collect(),
            names,
        }
    }

    /// Whether a record of this source and name is kept. `invoked_by` is `userIdentity.invokedBy`, or else
    /// `sourceIPAddress`; see [`made_by`](Self::made_by).
    pub fn ours(&self, source: &str, name: &str, invoked_by: Option<&str>) -> bool {
        self.family(source)
            || self.wanted.get(source).is_some_and(|names| names.contains(name))
            || invoked_by.is_some_and(|service| self.made_by(service))
    }

    /// Whether the source belongs to the Bedrock family, of which every record is kept.
    pub fn family(&self, source: &str) -> bool {
        self.family.contains(source)
    }

    /// Whether `service`, from `invokedBy` or `sourceIPAddress`, is a Bedrock service.
    pub fn made_by(&self, service: &str) -> bool {
        self.made_by.iter().any(|prefix| service.starts_with(&**prefix))
    }

    /// Whether an IAM user of this name is one that was made for an API key, whose every call is kept.
    pub fn user(&self, name: &str) -> bool {
        self.users.iter().any(|prefix| name.starts_with(&**prefix))
    }

    /// Whether the policy of a VPC endpoint refused a call to this source, so that its network activity event is kept.
    pub fn refused_at_endpoint(&self, source: &str, error_code: Option<&str>) -> bool {
        error_code == Some(&*self.at_endpoint.error_code)
            && self.at_endpoint.sources.iter().any(|one| one == source)
    }

    /// The error code of such events, and the sources outside the family of which they are kept, sorted.
    pub fn at_endpoint(&self) -> (&str, impl Iterator<Item = &str>) {
        (&self.at_endpoint.error_code, self.at_endpoint.sources.iter().map(String::as_str))
    }

    /// Whether some source outside the family wants this event name: a record whose `eventName` is none of these and
    /// in which no text begins with one of the [`needles`](Self::needles) is not ours.
    pub fn wanted_name(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The names of [`wanted_name`](Self::wanted_name), sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The sources of the family, sorted.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.family.iter().map(String::as_str).collect::<BTreeSet<_>>().into_iter()
    }

    /// The other sources, sorted, with the names that are wanted of each, sorted.
    pub fn wanted(&self) -> impl Iterator<Item = (&str, BTreeSet<&str>)> {
        let mut wanted = BTreeMap::new();
        for (source, names) in self.wanted.iter().collect::<BTreeMap<_, _>>() {
            wanted.insert(source.as_str(), names.iter().map(String::as_str).collect());
        }
        wanted.into_iter()
    }

    /// How the name of a Bedrock service begins, which makes a record ours if the service made it.
    pub fn makers(&self) -> impl Iterator<Item = &str> {
        self.made_by.iter().map(String::as_str)
    }

    /// How the names of IAM users begin that were made for API keys.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.users.iter().map(String::as_str)
    }

    /// Text of which one stands in every record that is kept for its source, for the service that made it, for the
    /// user who called or for the error code.
    pub fn needles(&self) -> &[&'static str] {
        &self.needles
    }

    /// The source under which the catalogue lists this one's events.
    pub fn alias<'a>(&'a self, source: &'a str) -> &'a str {
        self.alias.get(source).map_or(source, |source| source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> File {
        toml::from_str(FILE).unwrap()
    }

    /// (source, name, activity) of the whole catalogue.
    fn catalogue() -> Vec<(String, String, String)> {
        let mut reader =
            csv::Reader::from_reader(&include_bytes!("../../queries/data/event-catalogue.csv")[..]);
        let rows = reader.records().map(|row| row.unwrap());
        rows.map(|row| (row[0].to_owned(), row[1].to_owned(), row[8].to_owned())).collect()
    }

    fn pairs(names: &[Names]) -> BTreeSet<(String, String)> {
        let pair = |w: &Names| w.names.iter().map(|n| (w.source.clone(), n.clone())).collect::<Vec<_>>();
        names.iter().flat_map(pair).collect()
    }

    #[test]
    fn wanted_is_what_the_catalogue_gives_these_activities() {
        let file = file();
        let family: BTreeSet<_> = file.family.iter().collect();
        let left_out = pairs(&file.left_out);
        let want: BTreeSet<_> = catalogue()
            .into_iter()
            .filter(|(source, _, activity)| !family.contains(source) && file.activities.contains(activity))
            .map(|(source, name, _)| (source, name))
            .collect();
        assert!(left_out.is_subset(&want), "only what would be wanted can be left out");
        assert_eq!(pairs(&file.wanted), want.difference(&left_out).cloned().collect());
    }

    #[test]
    fn lists_are_sorted_and_unique() {
        let file = file();
        let sources = file.wanted.iter().map(|wanted| wanted.source.clone()).collect();
        let lists = file.wanted.iter().map(|wanted| wanted.names.clone());
        for list in lists.chain([
            sources,
            file.family,
            file.at_endpoint.sources,
            file.needles,
            file.made_by,
            file.users,
            file.activities,
        ]) {
            assert!(
                !list.is_empty() && list.is_sorted() && list.windows(2).all(|pair| pair[0] != pair[1]),
                "{list:?}"
            );
        }
    }

    #[test]
    fn every_family_record_holds_a_needle() {
        let scope = Scope::get();
        let file = file();
        let error_code = [file.at_endpoint.error_code];
        for text in file.family.iter().chain(&file.made_by).chain(&file.users).chain(&error_code) {
            assert!(scope.needles().iter().any(|needle| text.starts_with(needle)), "{text}");
        }
        for needle in scope.needles() {
            assert!(needle.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-'), "{needle}");
        }
    }

    #[test]
    fn keeps_the_family_the_wanted_and_what_bedrock_did() {
        let scope = Scope::get();
        let cases = [
            ("bedrock.amazonaws.com", "InvokeModel", None, true),
            ("bedrock-mantle.amazonaws.com", "SomethingNew", None, true),
            ("agent-registry.amazonaws.com", "GetRecord", None, true),
            ("aws-external-anthropic.amazonaws.com", "CreateInference", None, true),
            ("iam.amazonaws.com", "CreateServiceSpecificCredential", None, true),
            ("iam.amazonaws.com", "ListRoles", None, false),
            ("cloudtrail.amazonaws.com", "StopLogging", None, true),
            ("s3.amazonaws.com", "StopLogging", None, false),
            ("s3.amazonaws.com", "PutBucketPolicy", None, true),
            ("s3.amazonaws.com", "GetObject", None, false),
            ("s3.amazonaws.com", "GetObject", Some("bedrock.amazonaws.com"), true),
            ("sts.amazonaws.com", "AssumeRole", Some("lambda.amazonaws.com"), false),
            ("sts.amazonaws.com", "AssumeRole", Some("bedrock-agentcore.amazonaws.com"), true),
            ("kms.amazonaws.com", "RetireGrant", None, false),
            ("signin.amazonaws.com", "ConsoleLogin", None, false),
        ];
        for (source, name, invoked_by, want) in cases {
            assert_eq!(scope.ours(source, name, invoked_by), want, "{source} {name} {invoked_by:?}");
        }
        for frequent in
            ["AssumeRole", "Decrypt", "GenerateDataKey", "GetObject", "PutObject", "Invoke", "CreateGrant"]
        {
            assert!(!scope.wanted_name(frequent), "{frequent}");
        }
        assert!(scope.wanted_name("StopLogging"));
        for (user, key) in [
            ("BedrockAPIKey-ab12", true),
            ("AeaApiKey-1", true),
            ("bedrockapikey-1", false),
            ("ci-BedrockAPIKey-1", false),
        ] {
            assert_eq!(scope.user(user), key, "{user}");
        }
        for (source, error_code, kept) in [
            ("s3.amazonaws.com", Some("VpceAccessDenied"), true),
            ("lambda.amazonaws.com", Some("VpceAccessDenied"), true),
            ("kms.amazonaws.com", Some("VpceAccessDenied"), false),
            ("s3.amazonaws.com", Some("AccessDenied"), false),
            ("s3.amazonaws.com", None, false),
        ] {
            assert_eq!(scope.refused_at_endpoint(source, error_code), kept, "{source} {error_code:?}");
        }
        assert_eq!(scope.alias("bedrock-runtime.amazonaws.com"), "bedrock.amazonaws.com");
        assert_eq!(scope.alias("iam.amazonaws.com"), "iam.amazonaws.com");
    }
}
