//! ⓪ `bedtrail.toml`: what a scheduled run would otherwise be told on its command line.
//!
//! A flag wins over a variable, a variable over this file. Paths are relative to the folder the program runs in.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::event::named;

/// The name looked for where none is given.
pub const FILE: &str = "bedtrail.toml";

/// The file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `-s`
    pub sources: Vec<String>,
    /// `--store`
    pub store: Option<String>,
    /// `--policy`
    pub policy: Option<PathBuf>,
    /// `--history`
    pub history: Option<String>,
    /// `--rules`
    pub rules: Vec<PathBuf>,
    /// `--aliases`
    pub aliases: Vec<PathBuf>,
    /// Only these accounts.
    pub accounts: Vec<String>,
    /// Only these Regions.
    pub regions: Vec<String>,
    /// What the audit looks at.
    pub window: WindowTable,
    /// What is collected.
    pub collect: Collect,
    /// Where results go.
    pub output: Output,
    /// When the run counts as failed.
    pub verdict: Verdict,
    /// What a run may use.
    pub limits: Limits,
    /// `--engine`
    pub engine: Option<String>,
    /// How Amazon Athena is asked.
    pub athena: Athena,
    /// How AWS is reached.
    pub aws: Aws,
    /// Accounts and Regions expected.
    pub organization: Option<Organization>,
}

/// `[window]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WindowTable {
    /// `--from`
    pub from: Option<String>,
    /// `--to`
    pub to: Option<String>,
    /// `--late-days`
    pub late_days: Option<i64>,
}

/// `[collect]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Collect {
    /// How far back the first run goes.
    pub from: Option<String>,
    /// `--look-back`
    pub look_back: Option<i64>,
    /// `--compact`
    pub compact: bool,
    /// `--keep-content`
    pub keep_content: bool,
    /// `--kms-key`
    pub kms_key: Option<String>,
}

/// `[output]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Output {
    /// `--out`
    pub out: Option<PathBuf>,
    /// `--format`
    pub format: Vec<String>,
}

/// `[verdict]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Verdict {
    /// `--fail-on`
    pub fail_on: Option<String>,
    /// `--strict-evidence`
    pub strict_evidence: bool,
    /// `--previous`
    pub previous: Option<PathBuf>,
    /// `--fail-on-new`
    pub fail_on_new: bool,
}

/// `[limits]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// `--memory-limit`
    pub memory: Option<String>,
    /// `--max-object-size`
    pub object: Option<String>,
    /// `--max-scan`
    pub scan: Option<String>,
    /// `--threads`
    pub threads: Option<u16>,
    /// `--temp-dir`
    pub temp_dir: Option<PathBuf>,
}

/// `[athena]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Athena {
    /// `--athena-workgroup`
    pub workgroup: Option<String>,
    /// `--athena-output`
    pub output: Option<String>,
    /// `--athena-catalog`
    pub catalog: Option<String>,
    /// `--athena-database`
    pub database: Option<String>,
}

/// `[aws]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Aws {
    /// `--aws-profile`
    pub profile: Option<String>,
    /// `--aws-region`
    pub region: Option<String>,
    /// `--role-arn`
    pub role_arn: Option<String>,
    /// `--external-id`
    pub external_id: Option<String>,
    /// `--endpoint-url`
    pub endpoint_url: Option<String>,
    /// `--path-style`
    pub path_style: bool,
    /// `--fips`
    pub fips: bool,
    /// `--dual-stack`
    pub dual_stack: bool,
    /// `--requester-pays`
    pub requester_pays: bool,
}

/// `[organization]`: what should deliver logs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Organization {
    /// Account ids, twelve digits as text.
    pub accounts: Vec<String>,
    /// The answer of `aws organizations list-accounts`, which also gives names.
    pub accounts_file: Option<PathBuf>,
    /// Regions that each account should deliver logs of.
    pub regions: Vec<String>,
    /// Pairs that may be silent.
    pub quiet: Vec<Quiet>,
    /// Names by account, from the file.
    #[serde(skip)]
    pub names: BTreeMap<String, String>,
}

/// `[[organization.quiet]]`: an account, a Region or a pair of them that may be silent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quiet {
    /// The account; every one if it is left out.
    pub account: Option<String>,
    /// The Region; every one if it is left out.
    pub region: Option<String>,
    /// Why nothing is to be expected.
    pub reason: String,
}

/// What is wrong with the file, and where: `bedtrail.toml:3:1: …`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// The file.
    pub file: String,
    /// Line and column, from 1, where there is a place.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.file.escape_debug())?;
        if let Some((line, column)) = self.place {
            write!(out, ":{line}:{column}")?;
        }
        write!(out, ": {}", self.message)
    }
}

impl Config {
    /// Reads a file, and the list of accounts that it names.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let file = path.display().to_string();
        let wrong = |message: String| ConfigError { file: file.clone(), place: None, message };
        let text =
            std::fs::read_to_string(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let mut config = Self::parse(&file, &text)?;
        if let Some(organization) = &mut config.organization {
            organization.complete(&file)?;
        }
        Ok(config)
    }

    fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| {
            let place = error.span().map(|span| place(text, span.start));
            ConfigError { file: file.to_owned(), place, message: error.message().to_owned() }
        })
    }
}

fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}

impl Organization {
    /// Reads the list of accounts, and checks what is written.
    fn complete(&mut self, file: &str) -> Result<(), ConfigError> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(rename = "Accounts")]
            accounts: Vec<Account>,
        }
        #[derive(Deserialize)]
        struct Account {
            #[serde(rename = "Id")]
            id: String,
            #[serde(rename = "Name")]
            name: Option<String>,
            #[serde(rename = "Status")]
            status: Option<String>,
        }
        let wrong = |file: &str, message: String| ConfigError { file: file.to_owned(), place: None, message };
        if let Some(path) = &self.accounts_file {
            let list = path.display().to_string();
            let text = std::fs::read_to_string(path)
                .map_err(|error| wrong(&list, format!("cannot be read: {error}")))?;
            let answer: Answer = serde_json::from_str(&text).map_err(|error| {
                let place = Some((error.line(), error.column())).filter(|(line, _)| *line > 0);
                let message = format!("not what `aws organizations list-accounts` answers: {error}");
                ConfigError { file: list.clone(), place, message }
            })?;
            for account in answer.accounts {
                // A closed account delivers nothing any more; its name still tells of the past.
                if account.status.as_deref().is_none_or(|status| status == "ACTIVE") {
                    self.accounts.push(account.id.clone());
                }
                if let Some(name) = account.name {
                    self.names.insert(account.id, name);
                }
            }
        }
        self.accounts.sort_unstable();
        self.accounts.dedup();
        self.regions.sort_unstable();
        self.regions.dedup();
        let quiet = self.quiet.iter().filter_map(|quiet| quiet.account.as_ref());
        if let Some(account) =
            self.accounts.iter().chain(quiet).find(|account| named::account(account).is_err())
        {
            let message = format!("organization: \"{account}\" is no account id: twelve digits, as text");
            return Err(wrong(file, message));
        }
        Ok(())
    }

    /// Why a pair may be silent, if it may.
    pub fn quiet(&self, account: &str, region: &str) -> Option<&str> {
        let fits = |given: &Option<String>, shown: &str| given.as_deref().is_none_or(|given| given == shown);
        let quiet = |quiet: &&Quiet| fits(&quiet.account, account) && fits(&quiet.region, region);
        self.quiet.iter().find(quiet).map(|quiet| quiet.reason.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read_and_the_rest_is_refused_with_its_place() {
        let text = include_str!("../deploy/bedtrail.toml");
        let config = Config::parse("bedtrail.toml", text).unwrap();
        assert_eq!(config.sources.len(), 1);
        assert!(config.store.is_some() && config.organization.is_some());
        let error = |text: &str| Config::parse("bedtrail.toml", text).unwrap_err().to_string();
        assert!(
            error("store = \"x\"\n\n[window]\nform = \"30d\"\n")
                .starts_with("bedtrail.toml:4:1: unknown field `form`"),
            "{}",
            error("store = \"x\"\n\n[window]\nform = \"30d\"\n")
        );
        assert!(error("store = 5").starts_with("bedtrail.toml:1:9: invalid type"));
        assert!(error("store = \"").starts_with("bedtrail.toml:1:"));
    }

    #[test]
    fn accounts_and_names_come_from_the_organisations_own_list() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("accounts.json");
        let file = folder.path().join("bedtrail.toml");
        std::fs::write(
            &list,
            r#"{"Accounts": [{"Id": "111122223333", "Name": "prod", "Status": "ACTIVE"},
                {"Id": "444455556666", "Name": "old", "Status": "SUSPENDED"}]}"#,
        )
        .unwrap();
        let write = |accounts: &str| {
            let text = format!(
                "[organization]\naccounts = [{accounts}]\naccounts_file = {list:?}\nregions = [\"eu-west-1\"]\n[[organization.quiet]]\nregion = \"eu-west-1\"\nreason = \"unused\"\n"
            );
            std::fs::write(&file, text).unwrap();
        };
        write("\"000000000001\"");
        let organization = Config::load(&file).unwrap().organization.unwrap();
        assert_eq!(organization.accounts, ["000000000001", "111122223333"]);
        assert_eq!(organization.names["444455556666"], "old");
        assert_eq!(organization.quiet("111122223333", "eu-west-1"), Some("unused"));
        assert_eq!(organization.quiet("111122223333", "us-east-1"), None);
        write("\"12\"");
        assert!(Config::load(&file).unwrap_err().to_string().contains("\"12\" is no account id"));
        std::fs::write(&list, "[]").unwrap();
        assert!(Config::load(&file).unwrap_err().to_string().contains("list-accounts"));
        assert!(Config::load(Path::new("/no/such.toml")).unwrap_err().to_string().contains("cannot be read"));
    }
}
