//! Statements and what they become.

use proptest::prelude::*;

use super::super::Policy;
use super::*;

fn imported(statements: &str) -> String {
    let text = import(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#), "scp.json").unwrap();
    Policy::parse("p.toml", text.as_bytes())
        .unwrap_or_else(|problems| panic!("{text}\n{}", problems.iter().map(ToString::to_string).collect::<String>()));
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
    ), @"");
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
    ), @"");
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
