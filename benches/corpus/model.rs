//! The forms in which a request names its model, and the base id each resolves to.

use super::random::Random;
use super::truth::Outcome;

/// A model as sent, with the base id it resolves to.
#[derive(Clone, Debug)]
pub struct Model {
    pub requested: String,
    /// The base id; the reference itself where it names no model.
    pub id: String,
}

/// Models on the runtime endpoint, each with the geographies of its inference profiles.
const RUNTIME: &[(u64, (&str, &[&str]))] = &[
    (30, ("anthropic.claude-sonnet-4-5-20250929-v1:0", &["eu", "us", "global"])),
    (12, ("anthropic.claude-haiku-4-5-20251001-v1:0", &["eu", "us", "global"])),
    (8, ("anthropic.claude-opus-4-6-v1", &["eu", "us", "global"])),
    (6, ("anthropic.claude-sonnet-4-6", &["eu", "us", "global"])),
    (8, ("amazon.nova-pro-v1:0", &["eu", "us"])),
    (10, ("amazon.nova-lite-v1:0", &["eu", "us"])),
    (14, ("amazon.titan-embed-text-v2:0", &[])),
    (4, ("meta.llama4-maverick-17b-instruct-v1:0", &["us"])),
    (3, ("openai.gpt-oss-120b-1:0", &[])),
    (2, ("deepseek.v3.2", &[])),
    (2, ("mistral.ministral-3-14b-instruct", &[])),
    (1, ("cohere.embed-v4:0", &["eu", "us", "global"])),
];

/// Models on bedrock-mantle, which takes base ids only.
const MANTLE: &[(u64, &str)] = &[
    (40, "openai.gpt-5.6-sol"),
    (20, "openai.gpt-5.6-luna"),
    (10, "openai.gpt-5.6-terra"),
    (10, "anthropic.claude-opus-4-7"),
    (10, "openai.gpt-oss-120b"),
    (5, "anthropic.claude-haiku-4-5"),
    (5, "zai.glm-5"),
];

impl Model {
    /// A base id, sent as it is.
    pub fn base(id: &str) -> Self {
        Self { requested: id.to_owned(), id: id.to_owned() }
    }

    /// A system inference profile by its id.
    pub fn profile(scope: &str, id: &str) -> Self {
        Self { requested: format!("{scope}.{id}"), id: id.to_owned() }
    }

    /// A system inference profile by its ARN.
    pub fn profile_arn(scope: &str, id: &str, region: &str, account: &str) -> Self {
        Self {
            requested: format!("arn:aws:bedrock:{region}:{account}:inference-profile/{scope}.{id}"),
            id: id.to_owned(),
        }
    }

    /// A foundation model by its ARN.
    pub fn arn(id: &str, region: &str) -> Self {
        Self { requested: format!("arn:aws:bedrock:{region}::foundation-model/{id}"), id: id.to_owned() }
    }

    /// An application inference profile: the record does not say which model is behind it.
    pub fn application(profile: &str, region: &str, account: &str) -> Self {
        Self::base(&format!("arn:aws:bedrock:{region}:{account}:application-inference-profile/{profile}"))
    }

    /// Some model in some form.
    pub fn runtime(region: &str, account: &str, random: &mut Random) -> Self {
        let (id, scopes) = random.weighted(RUNTIME);
        let form = random.below(100);
        if form < 3 {
            let profile = random.one(&["a1b2c3d4e5f6", "k9x8c7v6b5n4"]);
            return Self::application(profile, region, account);
        }
        if scopes.is_empty() || form < 20 {
            return if form.is_multiple_of(4) { Self::arn(id, region) } else { Self::base(id) };
        }
        let home = if region.starts_with("eu") { "eu" } else { "us" };
        let scope = if form < 85 && scopes.contains(&home) { home } else { random.one(scopes) };
        if form.is_multiple_of(5) {
            Self::profile_arn(scope, id, region, account)
        } else {
            Self::profile(scope, id)
        }
    }

    /// Some model of the mantle endpoint.
    pub fn mantle(random: &mut Random) -> Self {
        Self::base(random.weighted(MANTLE))
    }

    /// The geography of the inference profile, if it is one.
    pub fn scope(&self) -> Option<&str> {
        let tail = self.requested.rsplit('/').next().unwrap_or(&self.requested);
        tail.split_once('.')
            .map(|(first, _)| first)
            .filter(|first| ["eu", "us", "apac", "global"].contains(first))
    }
}

/// A failed call: code, message and the outcome they mean.
#[derive(Clone, Debug)]
pub struct Failure {
    pub code: &'static str,
    pub message: String,
    pub outcome: Outcome,
}

/// Every error code of the runtime endpoint with what it means. A legacy model is refused as
/// `ResourceNotFoundException`, and only the message tells that it is a denial.
const FAILURES: &[(u64, (&str, &str, Outcome))] = &[
    (20, ("AccessDeniedException", "", Outcome::Denied)),
    (2, ("AccessDenied", "", Outcome::Denied)),
    (30, ("ThrottlingException", "Too many requests, please wait before trying again.", Outcome::Throttled)),
    (2, ("ServiceQuotaExceededException", "Your request exceeds the service quota.", Outcome::Throttled)),
    (15, ("ValidationException", "max_tokens_to_sample: range: 1..1,000,000", Outcome::Invalid)),
    (3, ("ResourceNotFoundException", LEGACY, Outcome::Denied)),
    (2, ("ResourceNotFoundException", "The provided model identifier is not found.", Outcome::Failed)),
    (3, ("ModelTimeoutException", "The model timed out.", Outcome::Failed)),
    (3, ("ModelErrorException", "The model returned an error.", Outcome::Failed)),
    (2, ("ModelStreamErrorException", "An error occurred while streaming the response.", Outcome::Failed)),
    (2, ("ModelNotReadyException", "The model is not ready to serve inference requests.", Outcome::Failed)),
    (3, ("ServiceUnavailableException", "Bedrock is unable to process your request.", Outcome::Failed)),
    (2, ("InternalServerException", "The system encountered an unexpected error.", Outcome::Failed)),
    (1, ("ConflictException", "The request conflicts with another.", Outcome::Failed)),
];

/// The message of a model that its provider has retired for accounts that do not use it.
pub const LEGACY: &str = "Access denied. This Model is marked by provider as Legacy and you have not been \
    actively using the model in the last 30 days. Please upgrade to an active model on Amazon Bedrock";

impl Failure {
    /// A denial by IAM of `action` on `model`.
    pub fn denied(arn: &str, action: &str, model: &str) -> Self {
        Self {
            code: "AccessDeniedException",
            message: format!(
                "User: {arn} is not authorized to perform: {action} on resource: {model} because no \
                 identity-based policy allows the {action} action"
            ),
            outcome: Outcome::Denied,
        }
    }

    /// A named failure of the table above by its code; the first of that code.
    pub fn named(code: &str) -> Self {
        let (_, (code, message, outcome)) =
            FAILURES.iter().find(|(_, (known, ..))| *known == code).expect("a code of the table");
        Self { code, message: (*message).to_owned(), outcome: *outcome }
    }

    /// Some failure.
    pub fn some(arn: &str, action: &str, model: &str, random: &mut Random) -> Self {
        let (code, message, outcome) = random.weighted(FAILURES);
        if message.is_empty() {
            return Self { code, ..Self::denied(arn, action, model) };
        }
        Self { code, message: message.to_owned(), outcome }
    }
}
