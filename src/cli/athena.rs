//! Amazon Athena as the engine, and what prepares it.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Api, Aws};
use crate::event::named;
use crate::source::s3::Url;

/// Which engine answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// This machine.
    #[default]
    Local,
    /// Amazon Athena, over the table given with -s athena:DATABASE.TABLE.
    Athena,
}

/// Where questions are answered, and by which rules.
#[derive(Debug, Clone, Default, Args)]
pub struct Answering {
    /// Which engine answers: local, or athena: where the table of -s athena:DATABASE.TABLE lies, only results come back.
    #[arg(long, value_enum, value_name = "ENGINE", default_value = "local", env = "BEDTRAIL_ENGINE")]
    pub engine: Engine,
    /// Database in which --engine athena makes tables for the time of the run; that of the table by default.
    #[arg(help_heading = "AWS", long, value_name = "NAME", env = "BEDTRAIL_ATHENA_DATABASE")]
    pub athena_database: Option<String>,
    /// Judge by this rule alone, named by its code or name; repeatable. Reports then tell of no other rule.
    #[arg(long = "rule", value_name = "RULE")]
    pub only: Vec<String>,
}

/// `bedtrail athena`
#[derive(Debug, Subcommand)]
pub enum Athena {
    /// Prints what Athena needs: the CloudTrail table, the view events over it or over a table that there is, the
    /// table over a store.
    Ddl(Box<Ddl>),
}

/// `bedtrail athena ddl`
#[derive(Debug, Args)]
pub struct Ddl {
    /// Where the trail writes, as far as AWSLogs, or AWSLogs/o-… for an organisation's; makes the table.
    #[arg(long, value_name = "s3://…/AWSLogs")]
    pub location: Option<String>,
    /// A CloudTrail table that there is, DATABASE.TABLE: only the view is made.
    #[arg(long, value_name = "DATABASE.TABLE", conflicts_with = "location")]
    pub adopt: Option<String>,
    /// An account of the table's partitions; repeatable.
    #[arg(long = "account", value_name = "ID", value_parser = named::account)]
    pub accounts: Vec<String>,
    /// A Region of the table's partitions; repeatable. All of the partition aws by default.
    #[arg(long = "region", value_name = "REGION", value_parser = named::region)]
    pub regions: Vec<String>,
    /// First day of the table and of the view, UTC. A view without it reads everything that there is.
    #[arg(long, value_name = "DAY", env = "BEDTRAIL_FROM")]
    pub from: Option<String>,
    /// First day that the view does not read any more.
    #[arg(long, value_name = "DAY", env = "BEDTRAIL_TO")]
    pub to: Option<String>,
    /// The database.
    #[arg(long, value_name = "NAME", default_value = "bedtrail")]
    pub database: String,
    /// The table.
    #[arg(long, value_name = "NAME", default_value = "cloudtrail")]
    pub table: String,
    /// The view.
    #[arg(long, value_name = "NAME", default_value = "events")]
    pub view: String,
    /// A store in a bucket, over which the table STORE-TABLE is made.
    #[arg(long, value_name = "s3://…", env = "BEDTRAIL_STORE")]
    pub store: Option<String>,
    /// The table over the store.
    #[arg(long, value_name = "NAME", default_value = "bedtrail_events")]
    pub store_table: String,
    /// The policy, for the column environment.
    #[arg(long, value_name = "FILE|DIR", env = "BEDTRAIL_POLICY")]
    pub policy: Option<PathBuf>,
    /// Run the statements, too.
    #[arg(long)]
    pub apply: bool,
    /// With --apply, put the view in place of another version of it.
    #[arg(long, requires = "apply")]
    pub replace: bool,
    /// Files published up to this many days after --to are read too, since delivery can be late.
    #[arg(long, value_name = "DAYS", default_value_t = super::LATE_DAYS, value_parser = clap::value_parser!(i64).range(0..=400))]
    pub late_days: i64,
    /// The present, for runs that must repeat; the system's clock by default.
    #[arg(long, value_name = "TIME", env = "BEDTRAIL_NOW", hide = true)]
    pub now: Option<String>,
    /// How AWS is reached.
    #[command(flatten)]
    pub aws: Aws,
    /// How Athena is asked.
    #[command(flatten)]
    pub api: Api,
}

/// Reads `s3://bucket/prefix/`: a place where Athena writes.
pub(crate) fn place(text: &str) -> Result<String, String> {
    Url::parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}
