//! Which model a reference means: ids, profile ids, ARNs and names, normalised to one base id.
//!
//! Forms: botocore's `InvokeModelIdentifier` pattern and the Bedrock guide. A reference that does not say its model
//! (an application profile, a provisioned or custom model, …) stays itself: unresolved is never a guess.

use std::borrow::Cow;
use std::sync::OnceLock;

use hashbrown::HashSet;

use super::arn::Arn;

const MODELS: &str = include_str!("../../queries/data/models.csv");

/// Vendors whose ids occur without being in the table.
const MORE_VENDORS: &[&str] = &[
    "ai21",
    "amazon",
    "anthropic",
    "cohere",
    "deepseek",
    "google",
    "luma",
    "meta",
    "minimax",
    "mistral",
    "moonshot",
    "moonshotai",
    "nvidia",
    "openai",
    "qwen",
    "stability",
    "twelvelabs",
    "writer",
    "xai",
    "zai",
];

/// Prefixes of system inference profiles, as in queries/data/inference-profile-geographies.csv: never a vendor, also
/// where the vendor after them is not known.
const SCOPES: &[&str] = &["apac", "au", "ca", "eu", "global", "in", "jp", "us", "us-gov"];

/// A model reference, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model<'a> {
    /// The base id, or the reference itself where it cannot be resolved.
    pub id: Cow<'a, str>,
    /// One of [`KINDS`].
    pub kind: &'static str,
    /// The inference profile's prefix: `us`, `eu`, `global`, …
    pub scope: Option<Cow<'a, str>>,
    /// The base id up to the first dot.
    pub vendor: Option<Cow<'a, str>>,
    /// The base id without vendor, date and version.
    pub family: Option<Cow<'a, str>>,
    /// Date and version, `20241022/v2:0`; a context suffix belongs to the version.
    pub version: Option<Cow<'a, str>>,
}

/// Every kind of model reference.
pub const KINDS: &[&str] = &[
    "foundation",
    "inference_profile",
    "application_profile",
    "provisioned",
    "custom",
    "imported",
    "prompt",
    "router",
    "marketplace",
    "unresolved",
];

impl Model<'_> {
    /// The same model, borrowing nothing.
    pub fn into_owned(self) -> Model<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Model {
            id: Cow::Owned(self.id.into_owned()),
            kind: self.kind,
            scope: self.scope.map(own),
            vendor: self.vendor.map(own),
            family: self.family.map(own),
            version: self.version.map(own),
        }
    }
}

/// Takes a model reference apart.
pub fn normalise(reference: &str) -> Model<'_> {
    match decoded(reference) {
        Cow::Borrowed(text) => of_text(text),
        Cow::Owned(text) => of_text(&text).into_owned(),
    }
}

/// The longest model reference that the API takes (`InvokeModel`, `modelId`).
const LONGEST: usize = 2048;

/// Trimmed and percent-decoded, until neither changes anything: an ARN in a path can be encoded twice.
fn decoded(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim();
    // Longer than the service takes: nothing to be found in it, and each round of decoding would read it anew.
    if trimmed.len() > LONGEST {
        return Cow::Borrowed(trimmed);
    }
    let Some(mut current) = decode_once(trimmed) else { return Cow::Borrowed(trimmed) };
    while let Some(next) = decode_once(current.trim()) {
        current = next;
    }
    Cow::Owned(current.trim().to_owned())
}

/// Percent-decoded; `None` where nothing is encoded. Bytes beyond ASCII stay encoded: no id or ARN holds them.
fn decode_once(text: &str) -> Option<String> {
    let (mut out, mut rest, mut changed) = (String::new(), text, false);
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let hex = rest.get(at + 1..at + 3).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(u8::is_ascii) {
            out.push(char::from(byte));
            rest = &rest[at + 3..];
            changed = true;
        } else {
            out.push('%');
            rest = &rest[at + 1..];
        }
    }
    out.push_str(rest);
    changed.then_some(out)
}

fn of_text(text: &str) -> Model<'_> {
    let Some(arn) = Arn::parse(text) else {
        return of_id(text).unwrap_or_else(|| opaque(text, "unresolved"));
    };
    let Some((resource, tail)) = arn.resource.split_once('/').filter(|(_, tail)| !tail.is_empty()) else {
        return opaque(text, "unresolved");
    };
    match (arn.service, resource) {
        ("bedrock", "foundation-model") => {
            let unlisted = || match tail.split_once('.') {
                Some((scope, id)) if SCOPES.contains(&scope) => {
                    is_base(id).then(|| base(id, "inference_profile", Some(scope)))
                }
                _ => is_base(tail).then(|| base(tail, "foundation", None)),
            };
            of_id(tail).or_else(unlisted).unwrap_or_else(|| opaque(text, "unresolved"))
        }
        ("bedrock", "inference-profile") => of_profile(tail).unwrap_or_else(|| opaque(text, "unresolved")),
        ("bedrock", "application-inference-profile") => opaque(text, "application_profile"),
        ("bedrock", "provisioned-model") => opaque(text, "provisioned"),
        ("bedrock", "custom-model") if tail.starts_with("imported/") => opaque(text, "imported"),
        ("bedrock", "imported-model") => opaque(text, "imported"),
        ("bedrock", "custom-model" | "custom-model-deployment") | ("bedrock-mantle", "customized-model") => {
            opaque(text, "custom")
        }
        ("bedrock", "prompt") => opaque(text, "prompt"),
        ("bedrock", "prompt-router" | "default-prompt-router") => opaque(text, "router"),
        ("sagemaker", "endpoint" | "hub-content") | ("bedrock", "marketplace") => opaque(text, "marketplace"),
        _ => opaque(text, "unresolved"),
    }
}

fn opaque<'a>(reference: &'a str, kind: &'static str) -> Model<'a> {
    Model { id: Cow::Borrowed(reference), kind, scope: None, vendor: None, family: None, version: None }
}

/// A base id or the id of a system inference profile; only a known vendor tells a prefix from a base id, since base ids
/// hold dots of their own.
fn of_id(text: &str) -> Option<Model<'_>> {
    let (first, rest) = text.split_once('.')?;
    if vendors().contains(first) && !rest.is_empty() {
        return Some(base(text, "foundation", None));
    }
    let vendor = rest.split_once('.').filter(|(_, name)| !name.is_empty())?.0;
    (is_label(first) && vendors().contains(vendor)).then(|| base(rest, "inference_profile", Some(first)))
}

/// The tail of an inference-profile ARN: here the first label is the prefix, whoever the vendor is.
fn of_profile(tail: &str) -> Option<Model<'_>> {
    of_id(tail).filter(|model| model.scope.is_some()).or_else(|| {
        let (label, rest) = tail.split_once('.')?;
        (is_label(label) && !vendors().contains(label) && is_base(rest))
            .then(|| base(rest, "inference_profile", Some(label)))
    })
}

/// Whether the text has the shape of a base id of any vendor and is no profile id.
fn is_base(text: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.split_once('.').is_some_and(|(vendor, name)| word(vendor) && !name.is_empty())
        && of_id(text).is_none_or(|model| model.scope.is_none())
}

/// A geography prefix: short, in lower-case letters, like `us`, `us-gov`, `apac`, `global`.
fn is_label(text: &str) -> bool {
    (2..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

fn vendors() -> &'static HashSet<&'static str> {
    static VENDORS: OnceLock<HashSet<&'static str>> = OnceLock::new();
    VENDORS.get_or_init(|| {
        let listed = MODELS.lines().skip(1).filter_map(|line| line.split_once('.').map(|(vendor, _)| vendor));
        listed.chain(MORE_VENDORS.iter().copied()).collect()
    })
}

fn base<'a>(id: &'a str, kind: &'static str, scope: Option<&'a str>) -> Model<'a> {
    let (vendor, name) = id.split_once('.').unwrap_or_default();
    let (family, version) = split_version(name);
    Model {
        id: Cow::Borrowed(id),
        kind,
        scope: scope.map(Cow::Borrowed),
        vendor: Some(Cow::Borrowed(vendor)),
        family: Some(Cow::Borrowed(family)).filter(|family| !family.is_empty()),
        version,
    }
}

/// A name of a model, taken apart: `family[-date][-vN][:M[:context]]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// The name without date and version.
    pub family: &'a str,
    /// `YYYYMMDD` or `YYYY-MM-DD`.
    pub date: Option<&'a str>,
    /// `vN`, or `N` before a colon.
    pub number: Option<&'a str>,
    /// What follows the first colon.
    pub revision: Option<&'a str>,
}

impl<'a> Name<'a> {
    /// Takes a name apart; an id, with its vendor, is taken apart at the same places.
    pub fn of(name: &'a str) -> Self {
        let (head, revision) =
            name.split_once(':').map_or((name, None), |(head, revision)| (head, Some(revision)));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_v_number = |text: &str| text.strip_prefix('v').is_some_and(is_number);
        let cut = head.rsplit_once('-').filter(|(before, last)| {
            // In `rerank-v3-5:0` the number belongs to a version that is part of the name.
            let in_name = before.rsplit_once('-').is_some_and(|(_, word)| is_v_number(word));
            is_v_number(last) || (revision.is_some() && is_number(last) && !in_name)
        });
        let (dated, number) = cut.map_or((head, None), |(before, last)| (before, Some(last)));
        let (family, date) = match date_length(dated) {
            0 => (dated, None),
            length => {
                let (family, date) = dated.split_at(dated.len() - length - 1);
                (family, Some(&date[1..]))
            }
        };
        Self { family, date, number, revision }
    }
}

/// Family and version of a name: the version is what [`Name`] finds behind the family, its date first.
fn split_version(name: &str) -> (&str, Option<Cow<'_, str>>) {
    let Name { family, date, number, revision } = Name::of(name);
    let length = match (number, revision) {
        (Some(number), None) => number.len(),
        (Some(number), Some(revision)) => number.len() + 1 + revision.len(),
        (None, revision) => revision.map_or(0, str::len),
    };
    let version = &name[name.len() - length..];
    let version = match date {
        None => Cow::Borrowed(version),
        Some(date) if version.is_empty() => Cow::Borrowed(date),
        Some(date) => Cow::Owned(format!("{date}/{version}")),
    };
    (family, Some(version).filter(|version| !version.is_empty()))
}

/// The length of a date, `YYYYMMDD` or `YYYY-MM-DD`, at the end of a name and after a dash; 0 where there is none.
fn date_length(name: &str) -> usize {
    let ends_in = |shape: &[u8]| {
        let tail = name.len().checked_sub(shape.len()).and_then(|start| name.as_bytes().get(start..));
        tail.is_some_and(|tail| {
            tail.iter()
                .zip(shape)
                .all(|(byte, want)| if *want == b'9' { byte.is_ascii_digit() } else { byte == want })
        })
    };
    match () {
        () if ends_in(b"-99999999") => 8,
        () if ends_in(b"-9999-99-99") => 10,
        () => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_reference_longer_than_the_service_takes_is_not_decoded() {
        let long = format!("%{}", "25".repeat(100_000));
        assert_eq!(normalise(&long).kind, "unresolved");
    }

    #[test]
    fn every_known_model_is_taken_apart_as_the_table_has_it() {
        let mut reader = csv::Reader::from_reader(MODELS.as_bytes());
        for row in reader.records() {
            let row = row.unwrap();
            for (reference, kind, scope) in [
                (row[0].to_owned(), "foundation", None),
                (format!("arn:aws:bedrock:eu-west-1::foundation-model/{}", &row[0]), "foundation", None),
                (format!("us-gov.{}", &row[0]), "inference_profile", Some("us-gov")),
                (
                    format!("arn:aws:bedrock:us-east-1:111122223333:inference-profile/global.{}", &row[0]),
                    "inference_profile",
                    Some("global"),
                ),
                (
                    format!(" arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Afoundation-model%2F{} ", &row[0]),
                    "foundation",
                    None,
                ),
            ] {
                let found = normalise(&reference);
                assert_eq!(
                    (&*found.id, found.kind, found.scope.as_deref()),
                    (&row[0], kind, scope),
                    "{reference}"
                );
                assert_eq!(found.family.as_deref(), Some(&row[2]), "{reference}");
                assert_eq!(found.version.as_deref().unwrap_or_default(), &row[3], "{reference}");
                assert_eq!(found.vendor.as_deref(), row[0].split('.').next(), "{reference}");
            }
        }
    }

    #[test]
    fn dots_in_base_ids_stay() {
        for id in ["deepseek.v3.2", "openai.gpt-5.6-sol", "minimax.minimax-m2.1", "zai.glm-4.7-flash"] {
            assert_eq!((&*normalise(id).id, normalise(id).kind), (id, "foundation"));
        }
        let profile = normalise("us.openai.gpt-5.6-terra");
        assert_eq!((&*profile.id, profile.scope.as_deref()), ("openai.gpt-5.6-terra", Some("us")));
        assert_eq!(profile.version, None);
    }

    #[test]
    fn what_does_not_say_its_model_stays_itself() {
        let account = "arn:aws:bedrock:us-east-1:111122223333:";
        for (tail, kind) in [
            ("application-inference-profile/abcdefghijkl", "application_profile"),
            ("provisioned-model/abcdefghijkl", "provisioned"),
            ("custom-model/amazon.nova-lite-v1:0:256k/abcdefghijkl", "custom"),
            ("custom-model/imported/abcdefghijkl", "imported"),
            ("custom-model-deployment/abcdefghijkl", "custom"),
            ("imported-model/abcdefghijkl", "imported"),
            ("prompt/ABCDEFGHIJ:1", "prompt"),
            ("prompt-router/abcdefghijkl", "router"),
            ("default-prompt-router/anthropic.claude:1", "router"),
            ("async-invoke/abcdefghijkl", "unresolved"),
            ("foundation-model/", "unresolved"),
        ] {
            let reference = format!("{account}{tail}");
            let found = normalise(&reference);
            assert_eq!((&*found.id, found.kind, found.vendor), (&*reference, kind, None));
        }
        for (reference, kind) in [
            ("arn:aws:sagemaker:us-east-1:111122223333:endpoint/my-endpoint", "marketplace"),
            ("my-provisioned-model", "unresolved"),
            ("us.newvendor.model-v1:0", "unresolved"),
            ("newvendor.model", "unresolved"),
            ("anthropic.", "unresolved"),
            ("HIDDEN_DUE_TO_SECURITY_REASONS", "unresolved"),
            ("", "unresolved"),
        ] {
            assert_eq!((&*normalise(reference).id, normalise(reference).kind), (reference, kind));
        }
    }

    #[test]
    fn every_known_prefix_is_listed() {
        let table = include_str!("../../queries/data/inference-profile-geographies.csv");
        let listed: std::collections::BTreeSet<_> =
            table.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
        assert!(listed.into_iter().eq(SCOPES.iter().copied()));
    }

    #[test]
    fn an_arn_says_what_it_names_whoever_the_vendor_is() {
        let found = normalise("arn:aws:bedrock:us-east-1::foundation-model/newvendor.model-v1:0");
        assert_eq!((&*found.id, found.kind), ("newvendor.model-v1:0", "foundation"));
        let found = normalise("arn:aws:bedrock:us-east-1::foundation-model/us.newvendor.model");
        assert_eq!((&*found.id, found.vendor.as_deref()), ("newvendor.model", Some("newvendor")));
        assert_eq!((found.kind, found.scope.as_deref()), ("inference_profile", Some("us")));
        let found = normalise("arn:aws:bedrock:us-east-1::foundation-model/acme.v3.2");
        assert_eq!((&*found.id, found.scope), ("acme.v3.2", None), "a base id holds dots of its own");
        assert_eq!(normalise("arn:aws:bedrock:us-east-1::foundation-model/us.model").kind, "unresolved");
        let found =
            normalise("arn:aws:bedrock:us-east-1:111122223333:inference-profile/jp.newvendor.model-v1:0");
        assert_eq!((&*found.id, found.scope.as_deref()), ("newvendor.model-v1:0", Some("jp")));
    }

    proptest! {
        #[test]
        fn normalising_is_idempotent(
            text in "\\PC{0,40}",
            shaped in "(arn(:|%3A)aws:bedrock:[a-z0-9-]{0,9}:[0-9]{0,12}:)?((foundation-model|inference-profile|prompt|custom-model)(/|%2F|%252f))?((us|eu|global)\\.){0,2}(anthropic|deepseek|x)?[.a-z0-9:% -]{0,20}",
        ) {
            for text in [text, shaped] {
                let once = normalise(&text);
                let twice = normalise(&once.id);
                prop_assert_eq!(&once.id, &twice.id);
                prop_assert!(KINDS.contains(&once.kind));
            }
        }
    }
}
