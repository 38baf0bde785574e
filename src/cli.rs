//! ⑥ What was typed: clap types, no behaviour.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::event::named;
use crate::source::s3::Access;

pub(crate) mod athena;
mod single;

pub use athena::{Answering, Athena, Ddl, Engine};
pub use single::{Aliases, Event, Policy, Recorded, Selectors, Shape, Told, Trace};

/// Evidence of how an organisation uses generative AI on AWS, from its CloudTrail.
#[derive(Debug, Parser)]
#[command(name = "bedtrail", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes:
  0  ran, no violation at or above --fail-on
  1  violations at or above --fail-on (audit, run, rules test)
  2  command line, configuration or policy is wrong, or a named policy does not exist
  3  ran, but the evidence is incomplete: objects or records could not be read, or an expected account
     or Region is silent
  4  could not run: no input found, credentials, network, disk, internal error";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Every report and every rule over a trail: usage, violations, what is not assessed.
    Audit(Audit),
    /// One report.
    Report(Report),
    /// Collects, audits and writes, as bedtrail.toml says: what a scheduler calls.
    Run(Box<Run>),
    /// Adds what is new to a store, for the scheduled job: later runs read the store instead of the logs.
    Collect(Collect),
    /// What a store holds, and keeping it in order.
    #[command(subcommand)]
    Store(Store),
    /// Any question in SQL over the tables (see `query --tables`).
    Query(Query),
    /// Who is behind an agent and what it did, as one timeline.
    Trace(Trace),
    /// One record as it was logged, read again from its object, and the columns made of it.
    Event(Event),
    /// The event selectors with which a trail records all that bedtrail can use, as JSON.
    Selectors(Selectors),
    /// The rules: list, explain, test on their fixtures.
    #[command(subcommand)]
    Rules(Rules),
    /// What Amazon Athena needs, so that --engine athena or anybody's SQL can ask it.
    #[command(subcommand)]
    Athena(Athena),
    /// The policy file: a commented start, and a check.
    #[command(subcommand)]
    Policy(Policy),
    /// The models behind application inference profiles, provisioned throughput and the like.
    #[command(subcommand)]
    Aliases(Aliases),
    /// What auditors ask of the use of AI on AWS, and which command answers.
    Questions {
        /// Where results go.
        #[command(flatten)]
        output: Output,
    },
}

/// Which records are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Scope {
    /// What concerns generative AI.
    #[default]
    Default,
    /// Calls of agents' roles to other services, too.
    Agents,
}

/// Where events come from and which are asked for.
#[derive(Debug, Clone, Args)]
pub struct Input {
    /// CloudTrail files, folders, globs, s3://bucket/prefix, - for standard input; lookup:REGION (Event history),
    /// lake:EVENT-DATA-STORE, athena:DATABASE.TABLE; repeatable.
    #[arg(short = 's', long = "source", value_name = "SOURCE", env = "BEDTRAIL_SOURCE")]
    pub sources: Vec<String>,
    /// Read this store instead of logs (`collect` makes one); `-s` takes a store too.
    #[arg(long, value_name = "DIR|s3://…", env = "BEDTRAIL_STORE")]
    pub store: Option<String>,
    /// First instant wanted, UTC: 2026-10-01, 2026-10, 2026-10-01T12:00:00Z, or back from now: 30d, 12h.
    #[arg(long, value_name = "TIME", env = "BEDTRAIL_FROM")]
    pub from: Option<String>,
    /// First instant not wanted any more, UTC; the same forms.
    #[arg(long, value_name = "TIME", env = "BEDTRAIL_TO")]
    pub to: Option<String>,
    /// Only this account, twelve digits; repeatable.
    #[arg(long = "account", value_name = "ID", value_parser = named::account)]
    pub accounts: Vec<String>,
    /// Only this Region, such as eu-central-1; repeatable.
    #[arg(long = "region", value_name = "REGION", value_parser = named::region)]
    pub regions: Vec<String>,
    /// The policy file (TOML), or a folder of its versions, each with the day from which it is in force.
    #[arg(long, value_name = "FILE|DIR", env = "BEDTRAIL_POLICY")]
    pub policy: Option<PathBuf>,
    /// A folder of further rules (CODE-name.sql); repeatable.
    #[arg(long = "rules", value_name = "DIR")]
    pub rules: Vec<PathBuf>,
    /// A file of aliases: the models behind application inference profiles and the like, as `aliases import` writes it;
    /// repeatable.
    #[arg(long = "aliases", value_name = "FILE")]
    pub aliases: Vec<PathBuf>,
    /// What is kept: default, or agents: also every call of the policy's agent execution roles and of roles that agents are
    /// seen to have, whatever service they call.
    #[arg(long, value_name = "SCOPE", default_value = "default", env = "BEDTRAIL_SCOPE")]
    pub scope: Scope,
    /// What was before --from, for rules that ask what is usual: a store or logs. With --store its own past by default.
    #[arg(long, value_name = "STORE|SOURCE", env = "BEDTRAIL_HISTORY")]
    pub history: Option<String>,
    /// Bedrock's model-invocation log: files, folders, globs or s3://bucket/prefix; repeatable. Only counts are read
    /// (see --show-content).
    #[arg(long = "invocation-logs", value_name = "SOURCE")]
    pub invocation_logs: Vec<String>,
    /// Prices in place of the program's: a CSV file with the columns of the table ref_price.
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,
    /// Files published up to this many days after --to are read too, since delivery can be late.
    #[arg(long, value_name = "DAYS", default_value_t = LATE_DAYS, value_parser = clap::value_parser!(i64).range(0..=400))]
    pub late_days: i64,
    /// Keep and show what callers put in by hand (metadata, tool arguments, prompts, claims) instead of its length; of
    /// --invocation-logs read prompts and answers too, into input_content and output_content (never stored).
    #[arg(long, visible_alias = "show-content")]
    pub keep_content: bool,
    /// Memory that queries and rows may use, e.g. 192M.
    #[arg(long, value_name = "SIZE", default_value = "192M", value_parser = size, env = "BEDTRAIL_MEMORY_LIMIT")]
    pub memory_limit: usize,
    /// Largest object, inflated; a larger one is refused.
    #[arg(long, value_name = "SIZE", default_value = "128M", value_parser = size)]
    pub max_object_size: usize,
    /// Threads that read and decode; as many as cores by default.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// Folder for rows that do not fit into memory.
    #[arg(long, value_name = "DIR", env = "BEDTRAIL_TEMP_DIR")]
    pub temp_dir: Option<PathBuf>,
    /// No progress and no warnings one by one; errors are still said.
    #[arg(short, long)]
    pub quiet: bool,
    /// The present, for runs that must repeat; the system's clock by default.
    #[arg(long, value_name = "TIME", env = "BEDTRAIL_NOW", hide = true)]
    pub now: Option<String>,
    /// How AWS is reached.
    #[command(flatten)]
    pub aws: Aws,
    /// How lookup:, lake: and athena: are asked.
    #[command(flatten)]
    pub api: Api,
}

/// How lookup:, lake: and athena: are asked.
#[derive(Debug, Clone, Default, Args)]
pub struct Api {
    /// Cancel queries of lake: and athena: that together scan more than this, e.g. 20G.
    #[arg(help_heading = "AWS", long, value_name = "SIZE", value_parser = size, env = "BEDTRAIL_MAX_SCAN")]
    pub max_scan: Option<usize>,
    /// Calls of LookupEvents a second in each Region [default: 2, which is what the service answers].
    #[arg(help_heading = "AWS", long, value_name = "N", value_parser = rate)]
    pub lookup_rate: Option<f64>,
    /// Athena workgroup; primary by default.
    #[arg(help_heading = "AWS", long, value_name = "NAME", env = "BEDTRAIL_ATHENA_WORKGROUP")]
    pub athena_workgroup: Option<String>,
    /// Where Athena writes results, if the workgroup does not say.
    #[arg(help_heading = "AWS", long, value_name = "s3://…", value_parser = athena::place, env = "BEDTRAIL_ATHENA_OUTPUT")]
    pub athena_output: Option<String>,
    /// Athena data catalogue; AwsDataCatalog by default.
    #[arg(help_heading = "AWS", long, value_name = "NAME", env = "BEDTRAIL_ATHENA_CATALOG")]
    pub athena_catalog: Option<String>,
}

/// How AWS is reached; what is left out is as every AWS tool finds it.
#[derive(Debug, Clone, Default, Args)]
pub struct Aws {
    /// Profile of ~/.aws/config, before any key in the environment; else the environment, AWS_PROFILE, SSO, container or
    /// instance role.
    #[arg(help_heading = "AWS", long, value_name = "NAME")]
    pub aws_profile: Option<String>,
    /// Region that AWS is asked in first; a bucket's own is found by itself.
    #[arg(help_heading = "AWS", long, value_name = "REGION")]
    pub aws_region: Option<String>,
    /// Role to assume, for a bucket in another account.
    #[arg(help_heading = "AWS", long, value_name = "ARN", env = "BEDTRAIL_ROLE_ARN")]
    pub role_arn: Option<String>,
    /// External id that the role asks for.
    #[arg(
        help_heading = "AWS",
        long,
        value_name = "ID",
        env = "BEDTRAIL_EXTERNAL_ID",
        requires = "role_arn"
    )]
    pub external_id: Option<String>,
    /// S3 somewhere else; AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL work too.
    #[arg(help_heading = "AWS", long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Bucket in the path of URLs, not in the host name.
    #[arg(help_heading = "AWS", long)]
    pub path_style: bool,
    /// FIPS endpoints.
    #[arg(help_heading = "AWS", long)]
    pub fips: bool,
    /// Endpoints that speak IPv6 too.
    #[arg(help_heading = "AWS", long)]
    pub dual_stack: bool,
    /// Pay for requests to a requester-pays bucket.
    #[arg(help_heading = "AWS", long)]
    pub requester_pays: bool,
}

impl Aws {
    /// The same for a source.
    pub fn access(&self) -> Access {
        Access {
            profile: self.aws_profile.clone(),
            region: self.aws_region.clone(),
            role_arn: self.role_arn.clone(),
            external_id: self.external_id.clone(),
            endpoint_url: self.endpoint_url.clone(),
            path_style: self.path_style,
            fips: self.fips,
            dual_stack: self.dual_stack,
            requester_pays: self.requester_pays,
            credentials: None,
        }
    }
}

impl Input {
    /// A folder read whole, under a policy, with everything else as it is by default.
    pub fn folder(folder: &std::path::Path, policy: Option<PathBuf>) -> Self {
        Self {
            sources: vec![folder.display().to_string()],
            store: None,
            from: None,
            to: None,
            accounts: Vec::new(),
            regions: Vec::new(),
            policy,
            rules: Vec::new(),
            aliases: Vec::new(),
            history: None,
            invocation_logs: Vec::new(),
            prices: None,
            scope: Scope::Default,
            late_days: LATE_DAYS,
            keep_content: false,
            memory_limit: 192 << 20,
            max_object_size: 128 << 20,
            threads: Some(1),
            temp_dir: None,
            quiet: true,
            now: None,
            aws: Aws::default(),
            api: Api::default(),
        }
    }
}

/// Days after the window in which late files are still looked for.
const LATE_DAYS: i64 = 7;

/// Days before a complete listing from which the next one begins.
const LOOK_BACK: i64 = 35;

/// How and where results are written.
#[derive(Debug, Args)]
pub struct Output {
    /// table, csv, json, ndjson or parquet, for findings also ocsf or asff; several for --out, separated by commas.
    #[arg(short, long, value_name = "FORMAT", env = "BEDTRAIL_FORMAT", value_delimiter = ',')]
    pub format: Vec<String>,
    /// Write one file per report and format here, a folder or s3://bucket/prefix, and manifest.json last.
    #[arg(short, long, value_name = "DIR|s3://…", env = "BEDTRAIL_OUT")]
    pub out: Option<PathBuf>,
    /// When to use colour.
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    pub color: Colour,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// When a run counts as failed.
#[derive(Debug, Args)]
pub struct Verdict {
    /// Violations of this severity or above make exit code 1: info, low, medium, high, critical or never.
    #[arg(long, value_name = "SEVERITY", env = "BEDTRAIL_FAIL_ON")]
    pub fail_on: Option<String>,
    /// Violations of an earlier run (violations.json, .csv or .parquet of its --out, or that folder or prefix).
    #[arg(long, value_name = "FINDINGS", env = "BEDTRAIL_PREVIOUS")]
    pub previous: Option<PathBuf>,
    /// Only violations that --previous does not have make exit code 1.
    #[arg(long)]
    pub fail_on_new: bool,
    /// Incomplete evidence (exit 3) goes before violations (exit 1), and not-assessed counts as incomplete.
    #[arg(long)]
    pub strict_evidence: bool,
}

/// `bedtrail audit`
#[derive(Debug, Args)]
pub struct Audit {
    /// Read sources, policy, window, organisation and outputs from this file, where the command line has none.
    #[arg(long, value_name = "FILE", env = "BEDTRAIL_CONFIG")]
    pub config: Option<PathBuf>,
    /// Where events come from.
    #[command(flatten)]
    pub input: Input,
    /// Where questions are answered.
    #[command(flatten)]
    pub answering: Answering,
    /// Where results go.
    #[command(flatten)]
    pub output: Output,
    /// When the run counts as failed.
    #[command(flatten)]
    pub verdict: Verdict,
}

/// `bedtrail run`
#[derive(Debug, Args)]
pub struct Run {
    /// The configuration; ./bedtrail.toml where there is one.
    #[arg(long, value_name = "FILE", env = "BEDTRAIL_CONFIG")]
    pub config: Option<PathBuf>,
    /// Where events come from, and the store they go to.
    #[command(flatten)]
    pub input: Input,
    /// Where questions are answered.
    #[command(flatten)]
    pub answering: Answering,
    /// Where results go.
    #[command(flatten)]
    pub output: Output,
    /// When the run counts as failed.
    #[command(flatten)]
    pub verdict: Verdict,
    /// How the store is added to.
    #[command(flatten)]
    pub adding: Adding,
}

/// `bedtrail report`
#[derive(Debug, Args)]
pub struct Report {
    /// The report's name.
    #[arg(required_unless_present = "list")]
    pub name: Option<String>,
    /// List all reports and the question each answers.
    #[arg(long)]
    pub list: bool,
    /// Of the report controls, only this framework: soc2, iso42001, "PCI DSS".
    #[arg(long, value_name = "NAME")]
    pub framework: Option<String>,
    /// Where events come from.
    #[command(flatten)]
    pub input: Input,
    /// Where questions are answered.
    #[command(flatten)]
    pub answering: Answering,
    /// Where results go.
    #[command(flatten)]
    pub output: Output,
    /// Not-assessed counts as incomplete evidence (exit 3).
    #[arg(long)]
    pub strict_evidence: bool,
}

/// `bedtrail collect`
#[derive(Debug, Args)]
pub struct Collect {
    /// Where events come from, and the store they go to (`--store`).
    #[command(flatten)]
    pub input: Input,
    /// Say what would be read, and read nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// How the store is added to.
    #[command(flatten)]
    pub adding: Adding,
}

/// How a store is added to.
#[derive(Debug, Clone, Args)]
pub struct Adding {
    /// KMS key under which a store in a bucket is encrypted; as the bucket says by default.
    #[arg(long, value_name = "KEY", env = "BEDTRAIL_KMS_KEY")]
    pub kms_key: Option<String>,
    /// Afterwards make the small files of each day one.
    #[arg(long)]
    pub compact: bool,
    /// After a run that left nothing out, list buckets only from so many days before it: CloudTrail delivers again for up to 30
    /// days. What is put into the bucket later under an older day is found with a larger number.
    #[arg(long, value_name = "DAYS", default_value_t = LOOK_BACK, value_parser = clap::value_parser!(i64).range(1..=4000))]
    pub look_back: i64,
    /// How many seconds to wait for another run that is changing the store.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub wait: u64,
}

/// A store.
#[derive(Debug, Args)]
pub struct Place {
    /// The store: a folder, or s3://bucket/prefix.
    #[arg(env = "BEDTRAIL_STORE")]
    pub store: String,
    /// How AWS is reached.
    #[command(flatten)]
    pub aws: Aws,
}

/// `bedtrail store`
#[derive(Debug, Subcommand)]
pub enum Store {
    /// What the store holds: days, rows, objects, commits.
    Info {
        /// Which store.
        #[command(flatten)]
        at: Place,
        /// The files that hold the rows of `events`, one a line, instead.
        #[arg(long)]
        files: bool,
        /// Read every file and compare it with the hash it was committed with; exit code 3 if one is lost or altered.
        #[arg(long, conflicts_with = "files")]
        check: bool,
    },
    /// Makes the small files of each day one and removes files that no commit names. No answer changes.
    Compact {
        /// Which store.
        #[command(flatten)]
        at: Place,
    },
    /// Removes the events of days before a date.
    Prune {
        /// Which store.
        #[command(flatten)]
        at: Place,
        /// The first day to keep, UTC, or an age: 2026-01-01, 400d.
        #[arg(long, value_name = "DATE")]
        before: String,
    },
    /// Prints the CREATE EXTERNAL TABLE with which Amazon Athena reads the store.
    Ddl {
        /// Where the store lies: s3://bucket/prefix.
        #[arg(env = "BEDTRAIL_STORE")]
        store: String,
        /// The table's name.
        #[arg(long, default_value = "bedtrail_events")]
        table: String,
    },
}

/// `bedtrail query`
#[derive(Debug, Args)]
pub struct Query {
    /// A SELECT, or the name of a shipped report.
    #[arg(required_unless_present_any = ["file", "tables"], conflicts_with = "file")]
    pub sql: Option<String>,
    /// A file with one SELECT.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// List all tables and what each column means.
    #[arg(long)]
    pub tables: bool,
    /// Show the plan instead of the answer.
    #[arg(long)]
    pub explain: bool,
    /// Where events come from.
    #[command(flatten)]
    pub input: Input,
    /// Where questions are answered.
    #[command(flatten)]
    pub answering: Answering,
    /// Where results go.
    #[command(flatten)]
    pub output: Output,
}

/// `bedtrail rules`
#[derive(Debug, Subcommand)]
pub enum Rules {
    /// All rules with severity and title.
    List {
        /// Rules of one's own.
        #[command(flatten)]
        more: MoreRules,
        /// Where results go.
        #[command(flatten)]
        output: Output,
    },
    /// One rule, as a page of a manual.
    Explain {
        /// Its code or name: BT001, model-not-allowed.
        rule: String,
        /// Rules of one's own.
        #[command(flatten)]
        more: MoreRules,
    },
    /// Makes rule files of Sigma rules on CloudTrail.
    Import {
        /// Sigma rules (YAML), one to a file.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Code of the rule, or of the first of several: ACME001.
        #[arg(long, default_value = "SIGMA001")]
        code: String,
        /// Write CODE-name.sql files into this folder instead of to standard output.
        #[arg(short, long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// A rule as Sigma, where Sigma can say it.
    Export {
        /// Its code or name: BT051, guardrail-deleted.
        rule: String,
        /// Rules of one's own.
        #[command(flatten)]
        more: MoreRules,
    },
    /// Runs each rule over its fixtures: one folder that must fire, one that must stay silent.
    Test {
        /// A folder laid out as `<code>-<name>/{fires,silent}`; the repository's `fixtures/rules` by default. If it
        /// holds rules (CODE-name.sql) beside their fixtures, these are the ones tested.
        #[arg(default_value = "fixtures/rules")]
        folder: PathBuf,
        /// Only this rule.
        #[arg(long)]
        rule: Option<String>,
        /// A folder of further rules (CODE-name.sql); repeatable.
        #[arg(long = "rules", value_name = "DIR")]
        rules: Vec<PathBuf>,
    },
}

/// Rules beside those of the program.
#[derive(Debug, Args)]
pub struct MoreRules {
    /// A folder of further rules (CODE-name.sql); repeatable.
    #[arg(long = "rules", value_name = "DIR")]
    pub rules: Vec<PathBuf>,
    /// A policy, whose custom rules are shown too.
    #[arg(long, value_name = "FILE", env = "BEDTRAIL_POLICY")]
    pub policy: Option<PathBuf>,
}

/// Reads a rate: no slower than one call in a hundred seconds.
fn rate(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|rate: &f64| (0.01..=1e6).contains(rate))
        .ok_or_else(|| format!("{text} is no rate"))
}

/// Reads `192M`, `2G`, `65536`, `64KiB`: bytes, in powers of 1024.
pub(crate) fn size(text: &str) -> Result<usize, String> {
    let wrong = || format!("{text} is no size; write for instance 192M, 2G or 65536");
    let trimmed = text.trim();
    let digits = trimmed.len() - trimmed.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
    let (number, unit) = trimmed.split_at_checked(digits).ok_or_else(wrong)?;
    let number: usize = number.parse().map_err(|_| wrong())?;
    let factor: usize = match unit.trim().to_ascii_uppercase().trim_end_matches("IB").trim_end_matches('B') {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return Err(wrong()),
    };
    number.checked_mul(factor).filter(|bytes| *bytes > 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        assert_eq!(size("192M"), Ok(192 << 20));
        assert_eq!(size("2GiB"), Ok(2 << 30));
        assert_eq!(size("64 kb"), Ok(64 << 10));
        assert_eq!(size("10"), Ok(10));
        for wrong in ["", "M", "-1", "1.5G", "0", "5T", "99999999999G"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
