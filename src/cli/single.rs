//! Commands about one thing: a trace, an event, a trail's selectors, a policy.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Input;

/// `bedtrail trace`
#[derive(Debug, Args)]
pub struct Trace {
    /// A session, agent, request, event or person: the whole name, its last part, or its beginning.
    pub subject: String,
    /// What is read.
    #[command(flatten)]
    pub input: Input,
    /// Spans of OpenTelemetry, one JSON a line: those with the attribute aws.request_id hang under the records of their request.
    #[arg(long, value_name = "FILE")]
    pub spans: Option<PathBuf>,
    /// A tree for people, or JSON.
    #[arg(long, value_enum, default_value = "tree")]
    pub format: Shape,
}

/// `bedtrail event`
#[derive(Debug, Args)]
pub struct Event {
    /// The event's id in full, or its beginning, or the id of its request.
    pub id: String,
    /// What is read.
    #[command(flatten)]
    pub input: Input,
}

/// `bedtrail selectors`
#[derive(Debug, Args)]
pub struct Selectors {
    /// Which data events: those of bedrock-mantle, of Bedrock agents, of AgentCore, or all.
    #[arg(long = "for", value_enum, default_value = "all")]
    pub wanted: Recorded,
}

/// Which data events are to be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Recorded {
    /// OpenAI- and Anthropic-compatible calls.
    Mantle,
    /// Agents, knowledge bases, flows and sessions.
    Agents,
    /// Runtimes, gateways, memory, tools, identity, registries.
    Agentcore,
    /// Calls of Bedrock, AgentCore, Lambda and S3 that the policy of a VPC endpoint refused.
    Network,
    /// All data events: these, and what Bedrock itself has.
    All,
}

/// How a trace is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Shape {
    /// One line a record, indented under what it belongs to.
    Tree,
    /// One document.
    Json,
}

/// `bedtrail policy`
#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Prints a commented policy to start from.
    Init {
        /// Make it of the use that is observed, every entry marked as not approved; give sources with -s.
        #[arg(long)]
        from_usage: bool,
        /// What is read.
        #[command(flatten)]
        input: Box<Input>,
    },
    /// Checks a policy file, or a folder of its versions, and says what is wrong where. With -s or --store also which
    /// entries and waivers cover nothing, and what several entries cover.
    Check {
        /// The file or folder.
        file: PathBuf,
        /// Lines for people, or one SARIF document of the problems and notes, for code review.
        #[arg(long, value_enum, default_value = "text")]
        format: Told,
        /// What is read.
        #[command(flatten)]
        input: Box<Input>,
    },
    /// Prints a service control policy, or another of IAM's, as entries of a policy file.
    ImportScp {
        /// The JSON file; - is standard input.
        file: PathBuf,
    },
}

/// How problems of a policy are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Told {
    /// One line each, on standard error.
    Text,
    /// SARIF 2.1.0 on standard output as well.
    Sarif,
}

/// `bedtrail aliases`
#[derive(Debug, Subcommand)]
pub enum Aliases {
    /// Makes a file for --aliases, or for a policy, of what the AWS CLI printed: `aws bedrock list-inference-profiles`,
    /// list-provisioned-model-throughputs, list-custom-models, list-custom-model-deployments, list-imported-models,
    /// list-prompt-routers, list-marketplace-model-endpoints, the get call of each, `aws bedrock-agent get-prompt`.
    Import {
        /// Answers in JSON; - for standard input.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Write here instead of to standard output.
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}
