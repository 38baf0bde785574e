//! Statements and what they become.

use proptest::prelude::*;

use super::super::Policy;
use super::*;

fn imported(statements: &str) -> String {
    let text =
        import(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#), "scp.json").unwrap();
    Policy::parse("p.toml", text.as_bytes()).unwrap_or_else(|problems| {
        panic!("{text}\n{}", problems.iter().map(ToString::to_string).collect::<String>())
    });
    text
}

#[test]
fn regions_and_models_are_expressed() {
    insta::assert_snapshot!(imported(
        r#"{"Sid":"Regions","Effect":"Deny","NotAction":["iam:*","sts:*"],"Resource":"*",
            "Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1","eu-central-1"]}}},
           {"Effect":"Deny","Action":"bedrock:*","Resource":"*",
            "Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-central-1","us-east-1"]}}},
           {"Sid":"NoPreview","Effect":"Deny","Action":["bedrock:InvokeModel*","bedrock:Converse*"],
            "Resource":["arn:aws:bedrock:*::foundation-model/*preview*","arn:aws:bedrock:*::foundation-model/deepseek.*"]},
           {"Effect":"Deny","Action":"bedrock:*","Resource":"*",
            "Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/contractor-*"}}},
           {"Effect":"Deny","Action":"s3:*","Resource":"*"},
           {"Sid":"FullAWSAccess","Effect":"Allow","Action":"*","Resource":"*"}"#
    ), @r#"
    # Made from scp.json. Statement by statement:
    # statement 1 (Regions): Regions of the environment below.
    # statement 2: Regions of the environment below.
    # statement 3 (NoPreview): a deny entry.
    # statement 4: a deny entry.
    # statement 5: it says nothing of using models or agents of Bedrock.
    # statement 6 (FullAWSAccess): it allows without saying to whom: write an allow entry with roles by hand.

    schema = 1
    name = "imported"
    version = "1"

    [[environment]]
    name = "imported"
    # The accounts that the policy is attached to.
    accounts = ["*"]
    regions = ["eu-central-1"]

    [[deny]]
    id = "scp-3"
    models = ["*preview*", "deepseek.*"]
    activities = ["model_invocation"]
    reason = "scp.json, statement 3 (NoPreview)"

    [[deny]]
    id = "scp-4"
    roles = ["arn:aws:iam::*:role/contractor-*"]
    models = ["*"]
    reason = "scp.json, statement 4"
    "#);
}

#[test]
fn what_cannot_be_said_is_told() {
    insta::assert_snapshot!(imported(
        r#"{"Effect":"Deny","Action":"bedrock:InvokeModel","NotResource":"arn:aws:bedrock:*::foundation-model/amazon.*"},
           {"Effect":"Deny","Action":"bedrock:*","Resource":"*",
            "Condition":{"StringNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/admin"}}},
           {"Effect":"Deny","Action":"bedrock:*","Resource":"*",
            "Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}},
           {"Effect":"Deny","Action":"bedrock:*","Resource":"*","Condition":{
             "StringNotEquals":{"aws:RequestedRegion":"eu-west-1"},"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/x"}}},
           {"Effect":"Deny","NotAction":["bedrock:List*"],"Resource":"*"},
           {"Effect":"Deny","Action":"bedrock:InvokeModel","Resource":"arn:aws:bedrock:us-east-1::foundation-model/a"},
           {"Effect":"Allow","Action":"bedrock:*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}},
           {"Effect":"Deny","Action":7,"Resource":"*"},
           {"Effect":"Nonsense\nname = \"x\"","Sid":"a\nb = 1","Action":"bedrock:*"}"#
    ), @r#"
    # Made from scp.json. Statement by statement:
    # statement 1: NOT EXPRESSED: it denies all models but some: write allow entries for those.
    # statement 2: NOT EXPRESSED: a deny entry has no exceptions, and this one excepts principals.
    # statement 3: NOT EXPRESSED: a deny entry knows no condition StringEquals on aws:requestedregion.
    # statement 4: NOT EXPRESSED: a deny entry has no exceptions, and this one excepts principals.
    # statement 5: NOT EXPRESSED: it excepts actions of Bedrock.
    # statement 6: NOT EXPRESSED: arn:aws:bedrock:us-east-1::foundation-model/a is more or less than a foundation model, or a profile of AWS, in every Region.
    # statement 7: NOT EXPRESSED: an Allow with conditions says who may: write an allow entry by hand.
    # statement 8: NOT EXPRESSED: it has an element that is neither text nor a list of texts.
    # statement 9 (a\nb = 1): NOT EXPRESSED: its Effect is neither Allow nor Deny.

    schema = 1
    name = "imported"
    version = "1"
    "#);
}

#[test]
fn what_is_no_policy_is_refused() {
    for text in ["", "[]", "{}", r#"{"Statement":"x"}"#] {
        assert!(import(text, "f").is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_stays_data(sid in "\\PC{0,12}|[\"\n#=]{0,5}", model in "\\PC{1,12}", region in "\\PC{1,12}") {
        let document = serde_json::json!({"Statement": [
            {"Sid": sid, "Effect": "Deny", "Action": "bedrock:*",
             "Resource": format!("arn:aws:bedrock:*::foundation-model/{model}")},
            {"Effect": "Deny", "Action": "bedrock:*", "Resource": "*",
             "Condition": {"StringNotLike": {"aws:RequestedRegion": [region]}}},
        ]});
        let text = import(&document.to_string(), &sid).unwrap();
        prop_assert!(Policy::parse("p.toml", text.as_bytes()).is_ok(), "{}", text);
    }
}

#[test]
fn a_profile_is_denied_with_its_prefix() {
    let profile = |id: &str| model(&format!("arn:aws:bedrock:*:*:inference-profile/{id}"));
    for id in ["us.*", "us-gov.*", "global.anthropic.claude-opus-*"] {
        assert_eq!(profile(id).as_deref(), Some(id));
    }
    // Any profile, one of an application, and one of a single account are not what a pattern of models says.
    for id in ["*", "us*", "*.anthropic.*", "a1b2c3d4e5f6", ""] {
        assert_eq!(profile(id), None, "{id}");
    }
    assert_eq!(model("arn:aws:bedrock:*:111122223333:inference-profile/us.*"), None);
    assert_eq!(model("arn:aws:bedrock:eu-west-1:*:inference-profile/us.*"), None);
    assert_eq!(model("arn:aws:bedrock:*:*:application-inference-profile/us.*"), None);
}
