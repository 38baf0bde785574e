//! The relations a policy becomes.

use super::*;

#[test]
fn relations_of_acme() {
    let relations = policy(ACME).relations(day("2026-11-22"));
    let text: Vec<String> = relations
        .iter()
        .map(|(name, _)| shown(&relations, name, 6).replace(policy(ACME).sha256(), "SHA256"))
        .collect();
    insta::assert_snapshot!(text.join("\n"), @r"
    policy_version
      acme-genai-policy | 2026.11 | SHA256 | 2026-10-01T00:00:00 | - | p.toml
    policy_default
      unknown_model | deny
      fail_on | high
      assess_missing | not_assessed
    policy_environment
      prod | 0 | 111122223333 | \A(?s:111122223333)\z
      prod-data | 1 | 111122224444 | \A(?s:111122224444)\z
      sandbox | 2 | 555566667777 | \A(?s:555566667777)\z
    policy_region
      prod | eu-central-1 | \A(?s:eu-central-1)\z
      prod | eu-west-1 | \A(?s:eu-west-1)\z
      prod-data | eu-central-1 | \A(?s:eu-central-1)\z
      prod-data | eu-west-1 | \A(?s:eu-west-1)\z
      sandbox | * | \A(?s:.*)\z
    policy_geography
      prod | eu
      prod-data | eu
      sandbox | *
    policy_credential
      prod | bearer_tokens | deny
      prod | long_term_keys | deny
      prod | console | deny
      prod-data | bearer_tokens | deny
      prod-data | long_term_keys | deny
      prod-data | console | deny
    policy_guardrail
      prod | arn:aws:bedrock:*:111122223333:guardrail/gr4pr0d* | \A(?s:arn:aws:bedrock:.*:111122223333:guardrail/gr4pr0d.*)\z
      prod | gr4pr0d* | \A(?s:gr4pr0d.*)\z
    policy_vpc_endpoint
      prod | vpce-0aaa* | \A(?s:vpce-0aaa.*)\z
      prod | vpce-0bbb* | \A(?s:vpce-0bbb.*)\z
    policy_cidr
      prod | 10.0.0.0/8
    policy_environment_setting
      prod | data_class | personal
      prod | data_retention | none
      prod | content_logging | required
      sandbox | mantle | used
    policy_business_hours
      prod | 1 | 360 | 1200
      prod | 2 | 360 | 1200
      prod | 3 | 360 | 1200
      prod | 4 | 360 | 1200
      prod | 5 | 360 | 1200
    policy_offset
      2010-01-01T00:00:00 | 2010-03-28T01:00:00 | 60
      2010-03-28T01:00:00 | 2010-10-31T01:00:00 | 120
      2010-10-31T01:00:00 | 2011-03-27T01:00:00 | 60
      2011-03-27T01:00:00 | 2011-10-30T01:00:00 | 120
      2011-10-30T01:00:00 | 2012-03-25T01:00:00 | 60
      2012-03-25T01:00:00 | 2012-10-28T01:00:00 | 120
    policy_model_admin
      arn:aws:iam::111122223333:role/ml-platform-admin | \A(?s:arn:aws:iam::111122223333:role/ml-platform-admin)\z | \A(?s:arn:aws:iam::111122223333:role/ml-platform-admin)\z
    policy_entitlement_admin
      arn:aws:iam::*:role/genai-onboarding | \A(?s:arn:aws:iam::.*:role/genai-onboarding)\z | \A(?s:arn:aws:iam::.*:role/genai-onboarding)\z
    policy_agent_admin
      arn:aws:iam::111122223333:role/agent-deploy | \A(?s:arn:aws:iam::111122223333:role/agent-deploy)\z | \A(?s:arn:aws:iam::111122223333:role/agent-deploy)\z
    policy_capacity_admin
      arn:aws:iam::111122223333:role/capacity-planning | \A(?s:arn:aws:iam::111122223333:role/capacity-planning)\z | \A(?s:arn:aws:iam::111122223333:role/capacity-planning)\z
    policy_evaluator
      arn:aws:iam::555566667777:role/model-evaluation | \A(?s:arn:aws:iam::555566667777:role/model-evaluation)\z | \A(?s:arn:aws:iam::555566667777:role/model-evaluation)\z
    policy_shared_role
      arn:aws:iam::111122223333:role/service/claims-bot | \A(?s:arn:aws:iam::111122223333:role/service/claims-bot)\z | \A(?s:arn:aws:iam::111122223333:role/service/claims-bot|arn:aws:iam::111122223333:role/(?:claims-bot))\z
      arn:aws:iam::111122224444:role/support-summarizer | \A(?s:arn:aws:iam::111122224444:role/support-summarizer)\z | \A(?s:arn:aws:iam::111122224444:role/support-summarizer)\z
    policy_batch_bucket
      acme-batch-* | \A(?s:acme-batch-.*)\z
      s3://acme-data/batch/* | \A(?s:s3://acme-data/batch/.*)\z
    policy_data_bucket
      acme-knowledge-* | \A(?s:acme-knowledge-.*)\z
    policy_trusted_account
      111122223333 | \A(?s:111122223333)\z
      111122224444 | \A(?s:111122224444)\z
    policy_runtime_agent
      *bedrock-agentcore* | \A(?s:.*bedrock-agentcore.*)\z
    policy_allow
      claims-bot | 0 | prod | arn:aws:iam::111122223333:role/service/claims-bot | \A(?s:arn:aws:iam::111122223333:role/service/claims-bot)\z | \A(?s:arn:aws:iam::111122223333:role/service/claims-bot|arn:aws:iam::111122223333:role/(?:claims-bot))\z | 49 | anthropic.claude-sonnet-* | \A(?s:anthropic\.claude-sonnet-.*)\z | model_invocation | First reading of insurance claims | claims-platform@acme.example
      claims-bot | 0 | prod | arn:aws:iam::111122223333:role/service/claims-bot | \A(?s:arn:aws:iam::111122223333:role/service/claims-bot)\z | \A(?s:arn:aws:iam::111122223333:role/service/claims-bot|arn:aws:iam::111122223333:role/(?:claims-bot))\z | 49 | amazon.titan-embed-text-v2* | \A(?s:amazon\.titan-embed-text-v2.*)\z | model_invocation | First reading of insurance claims | claims-platform@acme.example
      support-summarizer | 1 | prod-data | arn:aws:iam::111122224444:role/support-summarizer | \A(?s:arn:aws:iam::111122224444:role/support-summarizer)\z | \A(?s:arn:aws:iam::111122224444:role/support-summarizer)\z | 49 | amazon.nova-* | \A(?s:amazon\.nova-.*)\z | model_invocation | Summaries of support calls | support-tools@acme.example
      support-summarizer | 1 | prod-data | arn:aws:iam::111122224444:role/support-summarizer | \A(?s:arn:aws:iam::111122224444:role/support-summarizer)\z | \A(?s:arn:aws:iam::111122224444:role/support-summarizer)\z | 49 | amazon.nova-* | \A(?s:amazon\.nova-.*)\z | batch | Summaries of support calls | support-tools@acme.example
      refund-agent | 2 | prod | arn:aws:iam::111122223333:role/refund-agent-exec | \A(?s:arn:aws:iam::111122223333:role/refund-agent-exec)\z | \A(?s:arn:aws:iam::111122223333:role/refund-agent-exec)\z | 48 | anthropic.claude-sonnet-* | \A(?s:anthropic\.claude-sonnet-.*)\z | - | The refund agent's own reasoning | payments@acme.example
      developers-coding-agents | 3 | sandbox | arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Developer_* | \A(?s:arn:aws:iam::.*:role/aws-reserved/sso\.amazonaws\.com/.*AWSReservedSSO_Developer_.*)\z | \A(?s:arn:aws:iam::.*:role/aws-reserved/sso\.amazonaws\.com/.*AWSReservedSSO_Developer_.*|arn:aws:iam::.*:role/(?:.*|.*AWSReservedSSO_Developer_.*))\z | 78 | anthropic.claude-* | \A(?s:anthropic\.claude-.*)\z | - | Coding agents | developer-experience@acme.example
    policy_allow_tool
      developers-coding-agents | sandbox | arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Developer_* | \A(?s:arn:aws:iam::.*:role/aws-reserved/sso\.amazonaws\.com/.*AWSReservedSSO_Developer_.*)\z | claude-code
      developers-coding-agents | sandbox | arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Developer_* | \A(?s:arn:aws:iam::.*:role/aws-reserved/sso\.amazonaws\.com/.*AWSReservedSSO_Developer_.*)\z | codex-cli
    policy_deny
      no-preview-models | 0 | - | * | \A(?s:.*)\z | \A(?s:.*)\z | *preview* | \A(?s:.*preview.*)\z | - | Preview terms exclude customer data
    policy_model_end
      anthropic.claude-3-5-sonnet-20240620-v1:0 | \A(?s:anthropic\.claude-3-5-sonnet(?:-20240620)?(?:-v1(?::0(?::[^:]+)*)?)?)\z | 2026-07-31T00:00:00 | - | - | anthropic.claude-sonnet-4-5-20250929-v1:0 | policy
      ai21.j2-mid-v1 | \A(?s:ai21\.j2-mid-v1(?::0(?::[^:]+)*)?)\z | 2024-10-04T00:00:00 | 2024-04-30T00:00:00 | us-west-2 | ai21.jamba-instruct-v1:0 | lifecycle 2025-11-13
      ai21.j2-mid-v1 | \A(?s:ai21\.j2-mid-v1(?::0(?::[^:]+)*)?)\z | 2025-03-12T00:00:00 | 2024-10-04T00:00:00 | us-east-1 | ai21.jamba-instruct-v1:0 | lifecycle 2025-11-13
      ai21.j2-ultra-v1 | \A(?s:ai21\.j2-ultra-v1(?::0(?::[^:]+)*)?)\z | 2024-10-04T00:00:00 | 2024-04-30T00:00:00 | us-west-2 | ai21.jamba-instruct-v1:0 | lifecycle 2025-11-13
      ai21.j2-ultra-v1 | \A(?s:ai21\.j2-ultra-v1(?::0(?::[^:]+)*)?)\z | 2025-03-12T00:00:00 | 2024-10-04T00:00:00 | us-east-1 | ai21.jamba-instruct-v1:0 | lifecycle 2025-11-13
      ai21.jamba-1-5-large-v1:0 | \A(?s:ai21\.jamba-1-5-large-v1(?::0(?::[^:]+)*)?)\z | 2026-11-26T00:00:00 | 2026-05-26T00:00:00 | us-east-1 | - | lifecycle 2026-10
    policy_alias
      arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/a1b2c3d4e5f6 | anthropic.claude-sonnet-4-5-20250929-v1:0 | 2026-10-01T00:00:00
      arn:aws:bedrock:eu-central-1:111122223333:provisioned-model/p1q2r3s4t5u6 | amazon.titan-embed-text-v2:0 | -
    policy_log_target
      invocation_log | acme-bedrock-invocations | \A(?s:acme-bedrock-invocations)\z
      bucket | acme-cloudtrail-* | \A(?s:acme-cloudtrail-.*)\z
      bucket | acme-bedrock-invocations | \A(?s:acme-bedrock-invocations)\z
      key | arn:aws:kms:eu-central-1:111122223333:key/* | \A(?s:arn:aws:kms:eu-central-1:111122223333:key/.*)\z
    policy_agent
      refund-agent | arn:aws:bedrock-agentcore:eu-central-1:111122223333:runtime/refund-* | \A(?s:arn:aws:bedrock-agentcore:eu-central-1:111122223333:runtime/refund-.*)\z | arn:aws:iam::111122223333:role/refund-agent-exec | \A(?s:arn:aws:iam::111122223333:role/refund-agent-exec)\z
    policy_agent_caller
      refund-agent | arn:aws:iam::111122223333:role/refund-api | \A(?s:arn:aws:iam::111122223333:role/refund-api)\z
    policy_agent_service
      refund-agent | bedrock
      refund-agent | bedrock-agentcore
      refund-agent | logs
      refund-agent | xray
      refund-agent | dynamodb
    policy_agent_deny_action
      refund-agent | dynamodb:DeleteTable | \A(?s:dynamodb:DeleteTable)\z
      refund-agent | s3:Delete* | \A(?s:s3:Delete.*)\z
      refund-agent | iam:* | \A(?s:iam:.*)\z
      refund-agent | kms:ScheduleKeyDeletion | \A(?s:kms:ScheduleKeyDeletion)\z
    policy_agent_provider
      refund-agent | zendesk-oauth
    policy_agent_lambda
      refund-agent | arn:aws:lambda:eu-central-1:111122223333:function:refund-* | \A(?s:arn:aws:lambda:eu-central-1:111122223333:function:refund-.*)\z
    policy_agent_use
      refund-agent | refund* | \A(?s:refund.*)\z
    policy_waiver
      W-2026-014 | BT020 BT021 | role_arn LIKE 'arn:aws:iam::111122223333:role/legacy-batch%' | genai-platform@acme.example | ciso@acme.example | US-only model until the EU profile ships; DPIA-221 | GRC-4411 | 2026-10-01T00:00:00 | 2026-12-31T00:00:00 | false | active
    policy_rule
      BT001 | true | critical | - | -
      BT070 | true | - | - | -
      BT072 | false | - | spend guard handled by finance job FIN-88 | finops@acme.example
    ");
}

#[test]
fn without_a_policy_the_relations_are_typed_and_empty() {
    let relations = empty_relations();
    let acme = policy(ACME).relations(day("2026-11-22"));
    assert_eq!(relations.len(), tables().len());
    for (((name, batch), (_, full)), table) in relations.iter().zip(&acme).zip(tables()) {
        assert_eq!(*name, table.name);
        assert_eq!(batch.schema(), full.schema(), "{name}");
        assert_eq!(batch.num_rows() > 0, *name == "policy_model_end", "{name}");
        assert!(full.num_rows() > 0, "acme has no row of {name}");
        assert_eq!(batch.num_columns(), table.columns.len(), "{name} fell back to an empty batch");
        assert!(full.columns().iter().all(|column| column.len() == full.num_rows()));
    }
}
