//! Aliases out of what Bedrock's list and get calls answer, in the JSON that the AWS CLI prints.
//!
//! Shapes: the API reference of Amazon Bedrock and of Agents for Amazon Bedrock (`ListInferenceProfiles`,
//! `ListProvisionedModelThroughputs`, `ListCustomModels`, `ListCustomModelDeployments`, `ListImportedModels`,
//! `ListPromptRouters`, `ListMarketplaceModelEndpoints`, `GetPrompt`, and the get call of each). Whatever wraps the
//! objects is passed over: answers may stand one after the other, or in a list.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate};
use serde_json::{Map, Value};

use super::super::draft::quote;
use crate::event::model::normalise;

/// How one kind of thing is told, and where its model stands.
struct Thing {
    /// The member that holds its ARN.
    reference: &'static str,
    /// The kinds of ARN that it may be, each as the resource begins.
    resources: &'static [&'static str],
    /// What people call it.
    what: &'static str,
    /// The member that holds its name.
    name: &'static str,
    /// The members that hold its model, or a list of them.
    models: &'static [&'static str],
    /// When it was last changed, where its model can change.
    changed: Option<&'static str>,
    /// What is to be said where it names no model.
    nameless: &'static str,
}

const THINGS: &[Thing] = &[
    Thing {
        reference: "inferenceProfileArn",
        resources: &["application-inference-profile/", "inference-profile/"],
        what: "application inference profile",
        name: "inferenceProfileName",
        models: &["models"],
        changed: None,
        nameless: "it names no model",
    },
    Thing {
        reference: "provisionedModelArn",
        resources: &["provisioned-model/"],
        what: "provisioned throughput",
        name: "provisionedModelName",
        models: &["modelArn"],
        changed: Some("lastModifiedTime"),
        nameless: "it names no model",
    },
    Thing {
        reference: "customModelDeploymentArn",
        resources: &["custom-model-deployment/"],
        what: "deployment",
        name: "customModelDeploymentName",
        models: &["modelArn"],
        changed: Some("lastUpdatedAt"),
        nameless: "it names no model",
    },
    Thing {
        reference: "modelArn",
        resources: &["imported-model/", "custom-model/imported/"],
        what: "imported model",
        name: "modelName",
        models: &[],
        changed: None,
        nameless: "an architecture is no model of Bedrock: give it an alias by hand",
    },
    Thing {
        reference: "modelArn",
        resources: &["custom-model/"],
        what: "custom model",
        name: "modelName",
        models: &["baseModelArn"],
        changed: None,
        nameless: "it names no base model",
    },
    Thing {
        reference: "promptRouterArn",
        resources: &["prompt-router/", "default-prompt-router/"],
        what: "prompt router",
        name: "promptRouterName",
        models: &["models", "fallbackModel"],
        changed: None,
        nameless: "it names no model",
    },
    Thing {
        reference: "endpointArn",
        resources: &["endpoint/"],
        what: "marketplace endpoint",
        name: "endpointName",
        models: &["modelSourceIdentifier"],
        changed: None,
        nameless: "it names no model",
    },
    Thing {
        reference: "arn",
        resources: &["prompt/"],
        what: "prompt",
        name: "name",
        models: &["variants"],
        changed: None,
        nameless: "it names no model",
    },
];

/// What a file of answers held.
#[derive(Debug, Default)]
pub struct Listed {
    /// The file of aliases, with a comment for each.
    pub text: String,
    /// How many aliases there are.
    pub aliases: usize,
    /// What has no alias, and why; one line each.
    pub without: Vec<String>,
}

/// One thing and its model.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    model: String,
    since: Option<NaiveDate>,
    comment: String,
}

/// Aliases made of answers: each with the name of its file and its text.
///
/// # Errors
/// Text that is no JSON, answers that name none of the things, and two that disagree about one thing.
pub fn aliases(answers: &[(String, String)]) -> Result<Listed, String> {
    let mut found: BTreeMap<String, (Found, &str)> = BTreeMap::new();
    let mut without: BTreeMap<String, String> = BTreeMap::new();
    for (file, text) in answers {
        let mut objects = Vec::new();
        for document in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
            let document = document.map_err(|error| format!("{file} is not JSON: {error}"))?;
            collect(document, &mut objects);
        }
        let mut known = 0;
        for object in &objects {
            let Some((thing, reference)) = thing(object) else { continue };
            known += 1;
            match read(thing, reference, object) {
                // It says its model in its own name.
                Ok(None) => {}
                Ok(Some((one, behind))) => {
                    for (reference, one) in std::iter::once((reference.to_owned(), one)).chain(behind) {
                        merge(&mut found, reference, one, file)?;
                    }
                }
                Err(why) => {
                    let name = object.get(thing.name).and_then(Value::as_str).unwrap_or_default();
                    without.insert(reference.to_owned(), format!("{} {}: {why}", thing.what, shown(name)));
                }
            }
        }
        if known == 0 {
            return Err(format!(
                "{file} has none of: inference profiles, provisioned throughput, custom or imported models, \
                 deployments, prompt routers, marketplace endpoints, prompts"
            ));
        }
    }
    let mut listed = Listed { aliases: found.len(), ..Listed::default() };
    for (reference, (one, _)) in &found {
        let since = one.since.map(|day| format!("since = {day}\n")).unwrap_or_default();
        let (reference, model) = (quote(reference), quote(&one.model));
        let _ = write!(
            listed.text,
            "# {}\n[[alias]]\nreference = {reference}\nmodel_id = {model}\n{since}\n",
            one.comment
        );
    }
    for (reference, why) in &without {
        let _ = writeln!(listed.text, "# no alias: {}, {why}", shown(reference));
        listed.without.push(format!("{reference}, {why}"));
    }
    Ok(listed)
}

/// Every object, however deep it stands.
fn collect(value: Value, objects: &mut Vec<Map<String, Value>>) {
    match value {
        Value::Array(values) => values.into_iter().for_each(|value| collect(value, objects)),
        Value::Object(object) => {
            if thing(&object).is_some() {
                objects.push(object);
            } else {
                object.into_iter().for_each(|(_, value)| collect(value, objects));
            }
        }
        _ => {}
    }
}

/// What an object describes, and its ARN.
fn thing(object: &Map<String, Value>) -> Option<(&'static Thing, &str)> {
    THINGS.iter().find_map(|thing| {
        let arn = object.get(thing.reference)?.as_str()?;
        let resource = arn.strip_prefix("arn:")?.splitn(5, ':').nth(4)?;
        thing.resources.iter().any(|begin| resource.starts_with(begin)).then_some((thing, arn))
    })
}

type Read = Option<(Found, Option<(String, Found)>)>;

/// The model of a thing; with it, where that is a custom one, what that one is made of. None where the thing's own ARN
/// says it.
fn read(thing: &Thing, reference: &str, object: &Map<String, Value>) -> Result<Read, String> {
    if normalise(reference).kind == "inference_profile" {
        return Ok(None);
    }
    let mut models = Vec::new();
    for member in thing.models {
        models.extend(object.get(*member).map(arns).unwrap_or_default());
    }
    let ids = |models: &[String]| {
        let mut ids: Vec<String> = models.iter().map(|arn| normalise(arn).id.into_owned()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let ids = ids(&models);
    let [id] = &ids[..] else {
        let nameless = || thing.nameless.to_owned();
        return Err(if ids.is_empty() { nameless() } else { format!("one of {}", ids.join(", ")) });
    };
    // One profile of a geography names its model with the prefix; the same model in several Regions has no prefix.
    let scope = models.first().and_then(|arn| normalise(arn).scope.map(std::borrow::Cow::into_owned));
    let model =
        scope.filter(|_| models.len() == 1).map_or_else(|| id.clone(), |scope| format!("{scope}.{id}"));
    let name = object.get(thing.name).and_then(Value::as_str).unwrap_or_default();
    let day = |member: &str| day(object.get(member)?);
    let found = |model: &str, comment: String| Found {
        model: model.to_owned(),
        since: thing.changed.and_then(day),
        comment,
    };
    let behind = object.get("foundationModelArn").and_then(Value::as_str).filter(|_| id.starts_with("arn:"));
    let behind = behind.map(|base| {
        let comment = format!("custom model of the {} {}", thing.what, shown(name));
        (id.clone(), Found { since: None, ..found(&normalise(base).id, comment) })
    });
    Ok(Some((found(&model, format!("{} {}", thing.what, shown(name))), behind)))
}

/// The ARNs or ids that a member holds: a text, an object with one, or a list of these.
fn arns(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(arns).collect(),
        Value::Object(object) => {
            let model = object.get("modelArn").or_else(|| object.get("modelId"));
            model.map(arns).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// The day of a time, as text or in seconds.
fn day(value: &Value) -> Option<NaiveDate> {
    match value {
        Value::String(text) => DateTime::parse_from_rfc3339(text).ok().map(|time| time.naive_utc().date()),
        #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
        Value::Number(number) => {
            DateTime::from_timestamp(number.as_f64()? as i64, 0).map(|time| time.naive_utc().date())
        }
        _ => None,
    }
}

/// Takes one in; of two about one thing the later counts.
fn merge<'f>(
    found: &mut BTreeMap<String, (Found, &'f str)>,
    reference: String,
    one: Found,
    file: &'f str,
) -> Result<(), String> {
    if let Some((known, other)) = found.get(&reference) {
        if known.model != one.model && known.since == one.since {
            return Err(format!(
                "{} is {} in {other} and {} in {file}: leave one out",
                shown(&reference),
                shown(&known.model),
                shown(&one.model)
            ));
        }
        if known.since >= one.since {
            return Ok(());
        }
    }
    found.insert(reference, (one, file));
    Ok(())
}

/// A name within a comment: on one line, without control characters.
fn shown(text: &str) -> String {
    text.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers as the API reference shows them, their ids made up.
    const ANSWERS: &str = r#"
        {"inferenceProfileSummaries": [
            {"inferenceProfileName": "US Nova Pro", "type": "SYSTEM_DEFINED", "inferenceProfileId": "us.amazon.nova-pro-v1:0",
             "inferenceProfileArn": "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-pro-v1:0",
             "models": [{"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"}]},
            {"inferenceProfileName": "claims", "type": "APPLICATION", "createdAt": "2026-05-01T08:00:00+00:00",
             "inferenceProfileArn": "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc",
             "models": [{"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"},
                        {"modelArn": "arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-pro-v1:0"}]}]}
        {"provisionedModelSummaries": [
            {"provisionedModelName": "tuned", "provisionedModelArn": "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/p1",
             "modelArn": "arn:aws:bedrock:us-east-1:111122223333:custom-model/amazon.nova-lite-v1:0:300k/c1",
             "foundationModelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0:300k",
             "lastModifiedTime": "2026-06-02T23:30:00-02:00"}]}
        {"modelSummaries": [
            {"modelName": "brought", "modelArn": "arn:aws:bedrock:us-east-1:111122223333:imported-model/i1",
             "modelArchitecture": "mistral"},
            {"modelName": "mine", "modelArn": "arn:aws:bedrock:us-east-1:111122223333:custom-model/amazon.nova-micro-v1:0/c2",
             "baseModelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0"}]}
        {"promptRouterSummaries": [
            {"promptRouterName": "either", "promptRouterArn": "arn:aws:bedrock:us-east-1:111122223333:prompt-router/r1",
             "models": [{"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"}],
             "fallbackModel": {"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"}}]}
        {"arn": "arn:aws:bedrock:us-east-1:111122223333:prompt/PROMPT1", "name": "greet",
         "variants": [{"name": "a", "modelId": "us.amazon.nova-pro-v1:0"}]}
    "#;

    fn of(texts: &[&str]) -> Result<Listed, String> {
        let file = |(at, text): (usize, &&str)| (format!("{at}.json"), (*text).to_owned());
        aliases(&texts.iter().enumerate().map(file).collect::<Vec<_>>())
    }

    #[test]
    fn each_thing_has_its_model_and_what_has_none_is_told() {
        let listed = of(&[ANSWERS]).unwrap();
        let account = "arn:aws:bedrock:us-east-1:111122223333:";
        let custom = format!("{account}custom-model/amazon.nova-lite-v1:0:300k/c1");
        let expected = [
            ("application-inference-profile/abc", "amazon.nova-pro-v1:0", ""),
            ("custom-model/amazon.nova-lite-v1:0:300k/c1", "amazon.nova-lite-v1:0:300k", ""),
            ("custom-model/amazon.nova-micro-v1:0/c2", "amazon.nova-micro-v1:0", ""),
            ("prompt/PROMPT1", "us.amazon.nova-pro-v1:0", ""),
            ("provisioned-model/p1", &custom, "since = 2026-06-03\n"),
        ];
        for (tail, model, since) in expected {
            let alias =
                format!("[[alias]]\nreference = \"{account}{tail}\"\nmodel_id = \"{model}\"\n{since}\n");
            assert!(listed.text.contains(&alias), "{alias} is not in {}", listed.text);
        }
        assert!(
            listed.text.contains("# custom model of the provisioned throughput tuned\n"),
            "{}",
            listed.text
        );
        assert!(listed.without[0].ends_with("give it an alias by hand"), "{:?}", listed.without);
        assert!(
            listed.without[1].ends_with("one of amazon.nova-lite-v1:0, amazon.nova-pro-v1:0"),
            "{:?}",
            listed.without
        );
        assert_eq!((listed.aliases, listed.without.len()), (5, 2));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &listed.text).unwrap();
        assert_eq!(super::super::load(file.path()).unwrap().len(), 5);
    }

    #[test]
    fn of_two_answers_about_one_thing_the_later_counts_and_a_tie_is_an_error() {
        let answer = |model: &str, time: &str| {
            format!(
                r#"[{{"provisionedModelArn": "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/p1",
                    "modelArn": "arn:aws:bedrock:us-east-1::foundation-model/{model}", "lastModifiedTime": "{time}"}}]"#
            )
        };
        let (old, new) = (answer("a.b", "2026-05-01T00:00:00Z"), answer("a.c", "2026-06-01T00:00:00Z"));
        for both in [[&*old, &*new], [&*new, &*old]] {
            assert!(of(&both).unwrap().text.contains("model_id = \"a.c\"\nsince = 2026-06-01"));
        }
        let error = of(&[&old, &answer("a.c", "2026-05-01T00:00:00Z")]).unwrap_err();
        assert!(error.contains("is a.b in 0.json and a.c in 1.json"), "{error}");
    }

    #[test]
    fn what_is_no_answer_is_an_error_and_names_are_harmless() {
        assert!(of(&["{"]).unwrap_err().starts_with("0.json is not JSON"));
        assert!(of(&["{}"]).unwrap_err().contains("0.json has none of"));
        let name = ANSWERS.replace("claims", "x\\n[[alias]]\\u001b");
        assert!(of(&[&name]).unwrap().text.contains(r"profile x\n[[alias]]\u{1b}"));
    }
}
