//! Which models a policy's pattern means: an id with and without its date, version and context size.
//!
//! One model goes by several ids: `amazon.nova-pro-v1:0`, `…-v1:0:24k`, `…-v1`, and on another endpoint without any
//! version. A pattern and an id mean one model if what they both say is the same; what one of them leaves out does not
//! count. So a pattern without a version covers every version, and one with a version no other.

use std::fmt::Write as _;

use super::glob::{anchored, body, glob_to_regex};
use crate::event::model::Name;

/// Any date, any version, any further parts of a version: what an id may say where the pattern says nothing.
const ANY_DATE: &str = "(?:-[0-9]{8}|-[0-9]{4}-[0-9]{2}-[0-9]{2})?";
const ANY_VERSION: &str = "(?:-v[0-9]+(?::[^:]+)*|-[0-9]+(?::[^:]+)+|(?::[^:]+)+)?";
const ANY_MORE: &str = "(?::[^:]+)*";

/// What a `*` before a version stands for in an id without one: no colon, and no `-vN` at the end.
const NO_VERSION: &str = "[^:]*(?:[^:0-9]|[^:0-9v][0-9]+|[^:-]v[0-9]+)";

const VENDOR: &str = r"[^:./]+\.";

/// The pattern as an anchored regular expression over model ids, and over ARNs that end in one; any other reference is
/// matched as [`glob_to_regex`] has it.
pub(super) fn model_glob_to_regex(glob: &str) -> String {
    let (head, id) = glob.split_at(glob.rfind('/').map_or(0, |slash| slash + 1));
    if !is_of_models(head, id) {
        return glob_to_regex(glob);
    }
    let Name { family, date, number, revision } = Name::of(id);
    let open = family.ends_with('*');
    let mut regex = body(head) + &body(family);
    match date {
        // Without it the `*` would stand for other dates.
        Some(date) if open => _ = write!(regex, "-{}", body(date)),
        Some(date) => _ = write!(regex, "(?:-{})?", body(date)),
        None if open => (),
        None => regex.push_str(ANY_DATE),
    }
    let loose = open && date.is_none();
    let revisions = || revision.into_iter().flat_map(|revision| revision.split(':'));
    match number {
        Some(number) => {
            let version = format!("-{number}{}", perhaps(revisions()));
            if loose {
                let stem = body(head) + &body(family.trim_end_matches('*'));
                // A number, or nothing, is no version either, but after a `v` it would be.
                let digits = if stem.ends_with('v') { "" } else { "[0-9]*|" };
                // Where the star stands for the vendor, too, what has none is no model: a name, or nothing.
                let vendor = if id.starts_with('*') { VENDOR } else { "" };
                let _ = write!(regex, "{version}|{vendor}{stem}(?:{digits}{NO_VERSION})");
            } else {
                let _ = write!(regex, "(?:{version})?");
            }
        }
        // Without it the `*` would stand for other versions.
        None if loose => {
            if let Some(revision) = revision {
                let _ = write!(regex, ":{}{ANY_MORE}", body(revision));
            }
        }
        None if revision.is_some() => regex.push_str(&perhaps(revisions())),
        None => regex.push_str(ANY_VERSION),
    }
    anchored(&regex)
}

/// The id of one version, as a lifecycle table has it: with any context size, and with or without the `:0` of a first
/// revision. Other versions, and ids without one, are other models there.
pub(super) fn model_version_to_regex(id: &str) -> String {
    let (head, revision) = id.split_once(':').map_or((id, None), |(head, revision)| (head, Some(revision)));
    let mut regex = body(head);
    match revision {
        None | Some("0") => regex.push_str(&perhaps(["0"].into_iter())),
        Some(revision) => _ = write!(regex, ":{}{ANY_MORE}", body(revision)),
    }
    anchored(&regex)
}

/// The parts of a version behind its number, each of which an id may leave out with all that follow it.
fn perhaps<'a>(parts: impl DoubleEndedIterator<Item = &'a str>) -> String {
    parts.rev().fold(ANY_MORE.to_owned(), |rest, part| format!("(?::{}{rest})?", body(part)))
}

/// Whether it is ids of models that the pattern speaks of. What else has a name has no versions.
fn is_of_models(head: &str, id: &str) -> bool {
    if head.is_empty() {
        return id.contains('.') || id.starts_with('*');
    }
    head.ends_with("foundation-model/")
        || (head.ends_with("inference-profile/") && !head.ends_with("application-inference-profile/"))
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    const MODELS: &str = include_str!("../../queries/data/models.csv");

    fn covers(glob: &str, id: &str) -> bool {
        Regex::new(&model_glob_to_regex(glob)).unwrap().is_match(id)
    }

    #[test]
    fn what_a_pattern_and_an_id_both_say_is_to_be_the_same() {
        for (glob, id, wanted) in [
            // Without a version: every one.
            ("anthropic.claude-opus-4-6", "anthropic.claude-opus-4-6-v1", true),
            ("cohere.embed-multilingual", "cohere.embed-multilingual-v3:0:512", true),
            ("cohere.embed-multilingual-v3", "cohere.embed-multilingual-v3:0:512", true),
            ("nvidia.nemotron-nano-12b", "nvidia.nemotron-nano-12b-v2", true),
            ("openai.gpt-oss-120b", "openai.gpt-oss-120b-1:0", true),
            ("anthropic.claude-3-5-sonnet", "anthropic.claude-3-5-sonnet-20241022-v2:0", true),
            ("anthropic.claude-3-5-sonnet", "anthropic.claude-3-5-sonnet-20241022", true),
            ("*haiku", "anthropic.claude-3-haiku-20240307-v1:0", true),
            // Of another model: never.
            ("anthropic.claude-opus-4", "anthropic.claude-opus-4-6-v1", false),
            ("anthropic.claude-opus-4", "anthropic.claude-opus-4-1-20250805-v1:0", false),
            ("anthropic.claude", "anthropic.claude-instant-v1", false),
            ("cohere.rerank", "cohere.rerank-v3-5:0", false),
            ("cohere.rerank-v3", "cohere.rerank-v3-5:0", false),
            ("cohere.rerank-v3-5", "cohere.rerank-v3-5:0", true),
            ("amazon.nova-pro", "us.amazon.nova-pro-v1:0", false),
            // With a version: the same with more, or with less.
            ("amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0:24k", true),
            ("amazon.nova-pro-v1:0", "amazon.nova-pro-v1", true),
            ("amazon.nova-pro-v1:0:24k", "amazon.nova-pro-v1:0", true),
            ("openai.gpt-oss-120b-1:0", "openai.gpt-oss-120b", true),
            ("anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-haiku-20240307-v1", true),
            ("anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-haiku", true),
            ("anthropic.claude-3-haiku-20240307", "anthropic.claude-3-haiku-20240307-v1:0", true),
            // And no other.
            ("amazon.nova-pro-v1:0:24k", "amazon.nova-pro-v1:0:300k", false),
            ("amazon.nova-reel-v1:0", "amazon.nova-reel-v1:1", false),
            ("amazon.titan-embed-text-v1", "amazon.titan-embed-text-v2:0", false),
            ("amazon.titan-embed-text-v1", "amazon.titan-embed-text-v10", false),
            ("openai.gpt-oss-120b-1:0", "openai.gpt-oss-120b-2:0", false),
            ("openai.gpt-oss-120b-1:0", "openai.gpt-oss-20b", false),
            ("anthropic.claude-3-5-sonnet-20240620", "anthropic.claude-3-5-sonnet-20241022-v1:0", false),
            ("anthropic.claude-3-5-sonnet-20240620-v1:0", "anthropic.claude-3-5-sonnet-20241022", false),
            // A star before a version stands for the name, not for another version.
            ("openai.gpt-oss-*-1:0", "openai.gpt-oss-120b-1:0", true),
            ("openai.gpt-oss-*-1:0", "openai.gpt-oss-120b", true),
            ("openai.gpt-oss-*-1:0", "openai.gpt-oss-20", true),
            ("openai.gpt-oss-*-1:0", "openai.gpt-oss-120b-2:0", false),
            ("openai.gpt-oss-*-1:0", "openai.gpt-5.5", false),
            ("*-v1:0", "amazon.nova-pro-v1:0:24k", true),
            ("*-v1:0", "amazon.nova-pro", true),
            ("*-v1:0", "amazon.titan-embed-text-v2:0", false),
            ("*-v1:0", "", false),
            ("*-v1:0", "HIDDEN_DUE_TO_SECURITY_REASONS", false),
            ("*-v1:0", "abcdefghij12", false),
            ("*haiku*-v1:0", "my-haiku-x", false),
            ("*haiku*-v1:0", "anthropic.claude-3-haiku", true),
            ("*", "", true),
            ("amazon.*-v1:0", "amazon.titan-embed-text-v2:0", false),
            ("amazon.*-v1:0", "amazon.titan-embed-text-v2", false),
            ("amazon.*-v1:0", "amazon.nova-pro-v1:0:24k", true),
            ("amazon.nova-*:24k", "amazon.nova-pro-v1:0:24k", true),
            ("amazon.nova-*:24k", "amazon.nova-pro-v1:0", false),
            ("anthropic.claude-3-*-20240307-v1:0", "anthropic.claude-3-haiku-20240307", true),
            ("anthropic.claude-3-*-20240307-v1:0", "anthropic.claude-3-5-sonnet-20241022", false),
            ("anthropic.claude-*", "anthropic.claude-opus-4-6-v1", true),
            ("*-beta*", "x.y-beta-v1:0", true),
            ("*", "", true),
            // Profiles and ARNs.
            ("us.anthropic.claude-opus-4-6", "us.anthropic.claude-opus-4-6-v1", true),
            (
                "arn:aws:bedrock:*::foundation-model/anthropic.claude-v2",
                "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2:1",
                true,
            ),
            (
                "arn:aws:bedrock:*::foundation-model/anthropic.claude-v2:0",
                "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2:1",
                false,
            ),
            (
                "arn:aws:bedrock:*:*:prompt/ABCDEFGHIJ:1",
                "arn:aws:bedrock:us-east-1:1:prompt/ABCDEFGHIJ",
                false,
            ),
            ("my-throughput", "my-throughput-v2", false),
            ("my-throughput-v2", "my-throughput", false),
        ] {
            assert_eq!(covers(glob, id), wanted, "{glob} {id}: {}", model_glob_to_regex(glob));
        }
    }

    #[test]
    fn known_models_cover_each_other_as_their_families_and_versions_say() {
        let mut reader = csv::Reader::from_reader(MODELS.as_bytes());
        let ids: Vec<String> = reader.records().map(|row| row.unwrap()[0].to_owned()).collect();
        let agree =
            |left: Option<&str>, right: Option<&str>| left.is_none() || right.is_none() || left == right;
        for glob in &ids {
            let regex = Regex::new(&model_glob_to_regex(glob)).unwrap();
            let here = Name::of(glob);
            for id in &ids {
                let there = Name::of(id);
                let parts = |name: Name<'_>| {
                    name.revision.map(|text| text.split(':').map(str::to_owned).collect::<Vec<_>>())
                };
                let revisions = match (parts(here), parts(there)) {
                    (Some(left), Some(right)) => left.iter().zip(&right).all(|(left, right)| left == right),
                    _ => true,
                };
                let wanted = here.family == there.family
                    && agree(here.date, there.date)
                    && agree(here.number, there.number)
                    && revisions;
                assert_eq!(regex.is_match(id), wanted, "{glob} {id}");
            }
        }
    }

    #[test]
    fn a_lifecycle_is_of_one_version() {
        for (listed, id, wanted) in [
            ("amazon.titan-text-lite-v1", "amazon.titan-text-lite-v1", true),
            ("amazon.titan-text-lite-v1", "amazon.titan-text-lite-v1:0:4k", true),
            ("amazon.nova-pro-v1:0", "amazon.nova-pro-v1", true),
            ("amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0:24k", true),
            ("amazon.nova-pro-v1:0", "amazon.nova-pro", false),
            ("anthropic.claude-v2", "anthropic.claude-v2:1", false),
            ("anthropic.claude-v2:1", "anthropic.claude-v2:1:18k", true),
            ("anthropic.claude-v2:1", "anthropic.claude-v2", false),
        ] {
            let regex = Regex::new(&model_version_to_regex(listed)).unwrap();
            assert_eq!(regex.is_match(id), wanted, "{listed} {id}: {regex}");
        }
    }
}
