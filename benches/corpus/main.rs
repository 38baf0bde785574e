//! Writes a generated corpus of CloudTrail logs, with the truth about it in `truth.json`:
//! `cargo run --release --example corpus -- --out DIR --files 300 --records 2500 --seed 1`.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

#[path = "mod.rs"]
mod corpus;

use corpus::layout::Layout;
use corpus::{Corpus, broken};

/// Writes generated CloudTrail logs and the truth about them.
#[derive(Parser)]
struct Args {
    /// Folder to write to.
    #[arg(long)]
    out: PathBuf,
    /// Number of log files.
    #[arg(long, default_value_t = 20)]
    files: usize,
    /// Records in each file; 1 or 2 with `--small`.
    #[arg(long, default_value_t = 200)]
    records: u64,
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Share of Bedrock records, in a thousand.
    #[arg(long)]
    bedrock: Option<u64>,
    /// Folders above the accounts.
    #[arg(long, value_enum, default_value = "organisation")]
    layout: Folders,
    /// Respell records and plant look-alikes.
    #[arg(long)]
    hostile: bool,
    /// Many files of one or two records.
    #[arg(long)]
    small: bool,
    /// Also write the odd and broken files to `DIR/odd`, with what is expected of each in `odd.json`.
    #[arg(long)]
    odd: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Folders {
    Organisation,
    Accounts,
    Account,
}

fn main() -> io::Result<()> {
    let args = Args::parse();
    let mut corpus = if args.small {
        Corpus::small(args.seed, args.files)
    } else {
        Corpus { files: args.files, records: args.records..=args.records, ..Corpus::new(args.seed) }
    };
    corpus.bedrock = args.bedrock.unwrap_or(corpus.bedrock);
    corpus.hostile = args.hostile;
    corpus.layout = match args.layout {
        Folders::Organisation => corpus.layout,
        Folders::Accounts => Layout::Accounts,
        Folders::Account => Layout::Account,
    };
    let truth = corpus.write(&args.out)?;
    fs::create_dir_all(&args.out)?;
    fs::write(args.out.join("truth.json"), serde_json::to_string_pretty(&truth)?)?;
    if args.odd {
        let odd = broken::odd(args.seed);
        let folder = args.out.join("odd");
        fs::create_dir_all(&folder)?;
        for one in &odd {
            fs::write(folder.join(one.name), &one.bytes)?;
        }
        let text = serde_json::to_string_pretty(&broken::expectations(&odd))?;
        fs::write(args.out.join("odd.json"), text)?;
    }
    writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&truth.records)?)
}
