//! The accounts of a generated trail and who calls in them.

use super::caller::Caller;
use super::random::Random;
use super::record::october;

pub const ACCOUNTS: &[&str] = &["111122223333", "111122224444", "555566667777", "999900001111"];
pub const REGIONS: &[&str] = &["eu-central-1", "us-east-1", "eu-west-1", "us-west-2", "ap-northeast-1"];

/// boto3 as it names itself.
pub const BOTO: &str = "Boto3/1.40.61 md/Botocore#1.40.61 ua/2.1 os/linux#6.12.48 md/arch#x86_64 \
    lang/python#3.13.9 md/pyimpl#CPython cfg/retry-mode#standard Botocore/1.40.61";
/// Claude Code.
pub const CLAUDE_CODE: &str = "claude-cli/2.1.220 (external, cli)";
/// Codex.
pub const CODEX: &str = "codex_cli_rs/0.153.4 (Mac OS 26.1.0; arm64) iTerm.app/3.6.5";
/// A browser, as the console shows it.
pub const BROWSER: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) \
    Chrome/142.0.0.0 Safari/537.36";
/// Terraform.
pub const TERRAFORM: &str = "APN/1.0 HashiCorp/1.0 Terraform/1.13.4 (+https://www.terraform.io) \
    terraform-provider-aws/6.20.0 (+https://registry.terraform.io/providers/hashicorp/aws) \
    aws-sdk-go-v2/1.39.4 ua/2.1 os/linux lang/go#1.24.9 md/GOOS#linux md/GOARCH#amd64 api/sts#1.38.9";

/// Who calls in one account and Region.
#[derive(Clone, Debug)]
pub struct Cast {
    pub account: String,
    pub region: String,
    /// Workloads that call models on the runtime endpoint.
    pub callers: Vec<Caller>,
    /// People with coding agents, who call mantle too.
    pub people: Vec<Caller>,
    /// A user made for a long-term Bedrock key.
    pub key_user: Caller,
    /// Everybody else.
    pub passers: Vec<Caller>,
}

impl Cast {
    /// The cast of an account: the same in every file but for sessions and keys, which `random` gives.
    pub fn new(seed: u64, account: &str, region: &str, random: &mut Random) -> Self {
        let mut steady = Random::new(seed, account);
        let boto = BOTO;
        let mut callers: Vec<Caller> = (0..6)
            .map(|number| {
                let path = ["/", "/service/", "/team/payments/"][number % 3];
                let name = ["claims-bot", "summarizer", "search", "triage", "translator", "batch"][number];
                Caller::role(account, path, name, "session", boto, &mut steady)
            })
            .collect();
        callers.push(Caller::role_without_issuer(account, "imported", "task", boto, &mut steady));
        callers.push(Caller::user(account, "ml-user", boto, &mut steady));
        callers.push(Caller::service(account, "bedrock.amazonaws.com", &mut steady));
        callers.push(callers[1].through("bedrock.amazonaws.com"));
        if account == ACCOUNTS[0] {
            callers.push(Caller::root(account, BROWSER, &mut steady));
        }
        let people = [("ada", CODEX), ("grace", CLAUDE_CODE), ("linus", CODEX)]
            .map(|(who, agent)| {
                Caller::person(account, "Developer", &format!("{who}@acme.example"), agent, &mut steady)
            })
            .to_vec();
        let key_user = Caller::user(account, "BedrockAPIKey-x7k2", "OpenAI/Python 2.6.1", &mut steady);
        let mut passers: Vec<Caller> = (0..5)
            .map(|number| {
                let agent = [TERRAFORM, BOTO, "aws-sdk-go-v2/1.39.4 os/linux lang/go#1.24.9"][number % 3];
                Caller::role(account, "/", &format!("worker-{number}"), "i-0abc", agent, &mut steady)
            })
            .collect();
        passers[1].instance = true;
        passers.push(Caller::user(account, "terraform", TERRAFORM, &mut steady));
        let mut cast = Self {
            account: account.to_owned(),
            region: region.to_owned(),
            callers,
            people,
            key_user,
            passers,
        };
        cast.new_sessions(random);
        cast
    }

    fn new_sessions(&mut self, random: &mut Random) {
        for caller in self.callers.iter_mut().chain(&mut self.people).chain(&mut self.passers) {
            if caller.access_key.starts_with("ASIA") {
                caller.access_key = format!("ASIA{}", random.unique_id(16));
                caller.since = october(5) + random.seconds(0, 20 * 86_400 - 1);
            }
            if let super::caller::Kind::Role { session, .. } = &mut caller.kind {
                if session == "session" {
                    *session = format!("session-{}", random.below(10_000));
                } else if session == "i-0abc" {
                    *session = format!("i-0{}", random.hex(16));
                }
            }
        }
    }
}
