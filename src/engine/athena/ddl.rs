//! The statements that prepare Athena: the CloudTrail table, and the view `events` over one.

use sha2::{Digest as _, Sha256};

use super::literal;
use crate::source::api::ApiError;
use crate::source::api::athena::{Found, Service, State};
use crate::source::api::{Wait, quoted};
use crate::source::s3::Session;

/// The table, as its head says how to use it.
const TABLE: &str = include_str!("../../../queries/athena/table.sql");
/// The WITH query by which a view of ours is known.
const MARK: &str = "bedtrail_version";

/// Where CloudTrail writes, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// `s3://bucket/prefix/AWSLogs`, with `/o-…` for a trail of an organisation.
    pub location: String,
    /// The accounts.
    pub accounts: Vec<String>,
    /// The Regions.
    pub regions: Vec<String>,
    /// The first day, `2026/01/01`.
    pub from: String,
}

/// A statement to be run, and what it makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// One line for people.
    pub what: String,
    /// The text, without a semicolon.
    pub sql: String,
}

/// What is wrong with a name or a place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given} is no {what}: {form}")]
pub struct Wrong {
    given: String,
    what: &'static str,
    form: &'static str,
}

/// A database, table or view in a statement that makes it: letters, digits and _ only.
pub fn identifier(given: &str) -> Result<&str, Wrong> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !given.is_empty() && given.bytes().all(fits) {
        return Ok(given);
    }
    Err(Wrong { given: given.to_owned(), what: "name in Athena", form: "letters, digits and _ only" })
}

/// The table over what a trail writes, its partitions reckoned.
pub fn table(database: &str, name: &str, layout: &Layout) -> Result<Statement, Wrong> {
    let wrong = |given: &str, what, form| Wrong { given: given.to_owned(), what, form };
    let location = layout.location.trim_end_matches('/');
    let sound = location
        .strip_prefix("s3://")
        .is_some_and(|rest| rest.contains("AWSLogs") && !rest.contains(['\'', '\\', '\n', '$', ';']));
    if !sound {
        let form =
            "give what stands before the account, s3://bucket/prefix/AWSLogs or s3://bucket/AWSLogs/o-…";
        return Err(wrong(location, "place of CloudTrail", form));
    }
    let account =
        |account: &&String| account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(odd) = layout.accounts.iter().find(account) {
        return Err(wrong(odd, "account", "12 digits"));
    }
    let region = |region: &&String| !region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if let Some(odd) = layout.regions.iter().find(region) {
        return Err(wrong(odd, "Region", "such as eu-west-1"));
    }
    let mut sql = TABLE;
    while sql.starts_with("--") || sql.starts_with('\n') {
        sql = sql.split_once('\n').map_or("", |(_, rest)| rest);
    }
    let full = format!("{}.{}", identifier(database)?, identifier(name)?);
    let sql = sql
        .replace("$name", &full)
        .replace("$location", location)
        .replace("$accounts", &layout.accounts.join(","))
        .replace("$regions", &layout.regions.join(","))
        .replace("$from", &layout.from);
    Ok(Statement { what: format!("the CloudTrail table {full}"), sql: sql.trim_end().to_owned() })
}

/// The view over a SELECT of [`adopt`](fn@super::adopt), known again by its version.
pub fn view(database: &str, name: &str, select: &str, replace: bool) -> Result<Statement, Wrong> {
    let full = format!("{}.{}", literal::name(identifier(database)?), literal::name(identifier(name)?));
    let create = if replace { "CREATE OR REPLACE VIEW" } else { "CREATE VIEW" };
    let rest = select.trim().strip_prefix("WITH ").unwrap_or(select.trim());
    let version = quoted(&version(select));
    let sql = format!("{create} {full} AS\nWITH {MARK} AS (SELECT {version} AS version),\n{rest}");
    Ok(Statement { what: format!("the view {database}.{name}"), sql })
}

/// What tells one view from another: the program's version and a hash of the statement.
pub fn version(select: &str) -> String {
    let hash = format!("{:x}", Sha256::digest(select.trim()));
    format!("bedtrail {} {}", env!("CARGO_PKG_VERSION"), hash.get(..12).unwrap_or_default())
}

/// What stands where a view is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Free,
    /// This very view.
    Same,
    /// Another version of it, in its own words.
    Other(String),
    /// Something that is not ours.
    Foreign,
}

/// Athena, for statements that make something.
#[derive(Debug)]
pub struct Apply {
    session: Session,
    service: Service,
}

impl Apply {
    /// With the session's credentials.
    pub fn new(session: Session, service: Service) -> Self {
        Self { session, service }
    }

    /// What stands where the view of `select` is to be made.
    pub fn standing(&self, database: &str, name: &str, select: &str) -> Result<Standing, ApiError> {
        match self.session.block_on(self.service.found(database, name))? {
            None => return Ok(Standing::Free),
            Some((Found::Table, _)) => return Ok(Standing::Foreign),
            Some((Found::View, _)) => {}
        }
        let sql = format!("SHOW CREATE VIEW {}.{}", literal::name(database), literal::name(name));
        let told = self.run(database, &sql, "SHOW CREATE VIEW")?.join("\n");
        let Some((_, rest)) = told.split_once(MARK) else { return Ok(Standing::Foreign) };
        let found = rest.split('\'').nth(1).unwrap_or_default();
        Ok(if found == version(select) { Standing::Same } else { Standing::Other(found.to_owned()) })
    }

    /// Runs a statement to its end; the lines that it answers with.
    pub fn run(&self, database: &str, sql: &str, what: &str) -> Result<Vec<String>, ApiError> {
        self.session.block_on(async {
            let id = self.service.start(sql, database, what).await?;
            let (first, longest) = (std::time::Duration::from_millis(200), std::time::Duration::from_secs(2));
            let mut waits = Wait::new(first, longest);
            loop {
                match self.service.execution(&id, what).await?.state {
                    State::Going => waits.pass().await,
                    State::Succeeded => break,
                    State::Ended(state, reason) => return Err(ApiError::failed(what, &state, &reason)),
                }
            }
            let page = self.service.page(&id, None, what).await?;
            Ok(page.rows.into_iter().flatten().flatten().collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        Layout {
            location: "s3://acme-trail/logs/AWSLogs/o-a1b2c3/".to_owned(),
            accounts: vec!["111122223333".to_owned(), "444455556666".to_owned()],
            regions: vec!["eu-central-1".to_owned()],
            from: "2026/01/01".to_owned(),
        }
    }

    #[test]
    fn a_table_of_an_organisation() {
        let made = table("audit", "cloudtrail", &layout()).unwrap();
        assert!(made.sql.starts_with("CREATE EXTERNAL TABLE IF NOT EXISTS audit.cloudtrail (\n"));
        for part in [
            "LOCATION 's3://acme-trail/logs/AWSLogs/o-a1b2c3/'",
            "'projection.account.values' = '111122223333,444455556666'",
            "'projection.day.range' = '2026/01/01,NOW'",
            "'s3://acme-trail/logs/AWSLogs/o-a1b2c3/${account}/${folder}/${region}/${day}'",
        ] {
            assert!(made.sql.contains(part), "{part}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (layout, told) in [
            (Layout { location: "s3://b/AWSLogs/x' )".to_owned(), ..layout() }, "no place of CloudTrail"),
            (Layout { location: "/var/log".to_owned(), ..layout() }, "no place of CloudTrail"),
            (Layout { accounts: vec!["12'".to_owned()], ..layout() }, "12' is no account"),
            (Layout { regions: vec!["eu'".to_owned()], ..layout() }, "eu' is no Region"),
        ] {
            assert!(table("a", "b", &layout).unwrap_err().to_string().contains(told), "{told}");
        }
        assert!(table("a; DROP", "b", &layout()).is_err());
    }

    #[test]
    fn a_view_knows_its_version() {
        let made = view("audit", "events", "WITH raw AS (SELECT 1) SELECT * FROM raw", false).unwrap();
        let version = version("WITH raw AS (SELECT 1) SELECT * FROM raw");
        assert_eq!(
            made.sql,
            format!(
                "CREATE VIEW \"audit\".\"events\" AS\nWITH bedtrail_version AS (SELECT '{version}' AS version),\nraw AS (SELECT 1) SELECT * FROM raw"
            )
        );
        assert_ne!(version, super::version("SELECT 2"));
    }
}
