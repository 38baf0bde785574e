//! Who is who at Acme.

use super::{DATA, PROD, SANDBOX, Story};
use crate::corpus::caller::{Caller, Kind};
use crate::corpus::cast::{BOTO, BROWSER, CLAUDE_CODE, CODEX, TERRAFORM};
use crate::corpus::random::Random;
use crate::corpus::record::october;

/// The VPC endpoint of prod's workloads.
pub const ENDPOINT: &str = "vpce-0aaa1b2c3d4e5f607";

/// Where the attacker calls from.
const ATTACKER_IP: &str = "203.0.113.77";

pub struct People {
    /// Prod: approved.
    pub claims_bot: Caller,
    /// Prod-data: approved.
    pub summarizer: Caller,
    /// Prod: calls the refund agent.
    pub refund_api: Caller,
    /// Prod: the refund agent's execution role.
    pub refund_agent: Caller,
    /// Prod: waived.
    pub legacy_batch: Caller,
    /// Prod: in nobody's list.
    pub marketing: Caller,
    /// Sandbox: Ada, with Codex.
    pub codex: Caller,
    /// Sandbox: Grace, with Claude Code.
    pub claude_code: Caller,
    /// Prod and sandbox: Mary, administrator.
    pub admin: Caller,
    pub sandbox_admin: Caller,
    pub data_admin: Caller,
    /// Prod-data: a contractor.
    pub contractor: Caller,
    /// Prod: the root user.
    pub root: Caller,
    /// Sandbox: the stolen key.
    pub ci_deploy: Caller,
    /// Sandbox: the user the attacker makes.
    pub key_user: Caller,
    bystanders: Vec<Caller>,
}

impl People {
    pub fn new() -> Self {
        let r = &mut Story::random("people");
        let mut claims_bot = Caller::role(PROD, "/service/", "claims-bot", "claims-bot", BOTO, r);
        claims_bot.endpoint = Some(ENDPOINT.to_owned());
        let summarizer = Caller::role(DATA, "/", "support-summarizer", "summarize-tickets", BOTO, r);
        let refund_api = Caller::role(PROD, "/", "refund-api", "refund-api", BOTO, r);
        let session = "BedrockAgentCore-refund-Xk29aLm3Qp";
        let agent =
            "Boto3/1.40.61 md/Botocore#1.40.61 ua/2.1 os/linux#6.1.155 lang/python#3.13.9 strands-agents";
        let mut refund_agent = Caller::role(PROD, "/", "refund-agent-exec", session, agent, r);
        refund_agent.endpoint = Some(ENDPOINT.to_owned());
        let legacy_batch = Caller::role(
            PROD,
            "/",
            "legacy-batch",
            "i-0f1e2d3c4b5a69788",
            "aws-sdk-java/2.20.162 Linux/5.10.245",
            r,
        );
        let marketing = Caller::role(PROD, "/", "marketing-site", "copywriter", BOTO, r);
        let codex = Caller::person(SANDBOX, "Developer", "ada@acme.example", CODEX, r);
        let mut claude_code = Caller::person(SANDBOX, "Developer", "grace@acme.example", CLAUDE_CODE, r);
        // One permission set in one account is one role.
        claude_code.unique_id.clone_from(&codex.unique_id);
        if let (Kind::Role { name, .. }, Kind::Role { name: same, .. }) = (&mut claude_code.kind, &codex.kind)
        {
            name.clone_from(same);
        }
        let mut admin_in = |account: &str| {
            let mut admin = Caller::person(account, "AdministratorAccess", "mary@acme.example", BROWSER, r);
            admin.console = true;
            admin
        };
        let (admin, sandbox_admin, data_admin) = (admin_in(PROD), admin_in(SANDBOX), admin_in(DATA));
        let cli = "aws-cli/2.31.18 md/awscrt#0.28.2 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.13.7 \
            md/pyimpl#CPython m/b,E cfg/retry-mode#standard md/installer#exe md/command#cloudtrail.stop-logging";
        let mut contractor = Caller::role(DATA, "/", "ops-contractor", "sven", cli, r);
        "198.51.100.140".clone_into(&mut contractor.ip);
        let mut root = Caller::root(PROD, BROWSER, r);
        "198.51.100.23".clone_into(&mut root.ip);
        let attacker = "Boto3/1.29.7 md/Botocore#1.32.7 ua/2.0 os/windows#10 md/arch#amd64 lang/python#3.12.1 \
            md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.32.7";
        let mut ci_deploy = Caller::user(SANDBOX, "ci-deploy", attacker, r);
        ATTACKER_IP.clone_into(&mut ci_deploy.ip);
        let mut key_user = Caller::user(SANDBOX, "BedrockAPIKey-x7k2", "python-requests/2.32.5", r);
        ATTACKER_IP.clone_into(&mut key_user.ip);
        let bystanders = [PROD, DATA, SANDBOX]
            .into_iter()
            .flat_map(|account| {
                let mut node =
                    Caller::role(account, "/", "eks-node", "i-0a1b2c3d4e5f60718", "aws-sdk-go-v2/1.39.4", r);
                node.instance = true;
                [node, Caller::role(account, "/", "terraform", "plan", TERRAFORM, r)]
            })
            .collect();
        Self {
            claims_bot,
            summarizer,
            refund_api,
            refund_agent,
            legacy_batch,
            marketing,
            codex,
            claude_code,
            admin,
            sandbox_admin,
            data_admin,
            contractor,
            root,
            ci_deploy,
            key_user,
            bystanders,
        }
    }

    /// Everybody who holds a session gets a new one each day.
    pub fn new_sessions(&mut self, day: i64) {
        let mut random = Story::random(&format!("sessions {day}"));
        for caller in [
            &mut self.claims_bot,
            &mut self.summarizer,
            &mut self.refund_api,
            &mut self.refund_agent,
            &mut self.legacy_batch,
            &mut self.marketing,
            &mut self.codex,
            &mut self.claude_code,
            &mut self.admin,
            &mut self.sandbox_admin,
            &mut self.data_admin,
            &mut self.contractor,
            &mut self.root,
        ] {
            renew(caller, day, &mut random);
        }
    }

    /// Those whose calls are none of our business, in one account.
    pub fn others(&self, account: &str, day: i64) -> Vec<Caller> {
        let mut random = Story::random(&format!("bystanders {account} {day}"));
        let mut here: Vec<Caller> =
            self.bystanders.iter().filter(|caller| caller.account == account).cloned().collect();
        for caller in &mut here {
            renew(caller, day, &mut random);
        }
        here
    }
}

fn renew(caller: &mut Caller, day: i64, random: &mut Random) {
    caller.access_key = format!("ASIA{}", random.unique_id(16));
    caller.since = october(day) + random.seconds(0, 3600);
}
