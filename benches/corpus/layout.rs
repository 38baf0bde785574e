//! Where CloudTrail puts its files.

use super::random::Random;
use super::record::format_time;

/// The folder levels above the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// An organisation trail: `AWSLogs/<organisation>/<account>/…`.
    Organisation(String),
    /// Several accounts without an organisation's level: `AWSLogs/<account>/…`.
    Accounts,
    /// One account's trail: `AWSLogs/<account>/…`, and all records are that account's.
    Account,
}

impl Layout {
    /// The key of a log file of `folder` (`CloudTrail`, `CloudTrail-Insight`, …) delivered at `time`.
    pub fn key(&self, folder: &str, account: &str, region: &str, time: i64, random: &mut Random) -> String {
        let organisation = match self {
            Self::Organisation(id) => format!("{id}/"),
            Self::Accounts | Self::Account => String::new(),
        };
        let day = format_time(time, "%Y/%m/%d");
        // Deliveries are named by the five minutes they fall into.
        let delivered = format_time(time - time % 300, "%Y%m%dT%H%MZ");
        let unique = random.alphanumeric(16);
        format!(
            "AWSLogs/{organisation}{account}/{folder}/{region}/{day}/{account}_{folder}_{region}_{delivered}_{unique}.json.gz"
        )
    }

    /// The key of a digest of the trail `trail` that ends at `time`.
    pub fn digest_key(&self, account: &str, region: &str, trail: &str, time: i64) -> String {
        let organisation = match self {
            Self::Organisation(id) => format!("{id}/"),
            Self::Accounts | Self::Account => String::new(),
        };
        let (day, end) = (format_time(time, "%Y/%m/%d"), format_time(time, "%Y%m%dT%H%M%SZ"));
        format!(
            "AWSLogs/{organisation}{account}/CloudTrail-Digest/{region}/{day}/{account}_CloudTrail-Digest_{region}_{trail}_{region}_{end}.json.gz"
        )
    }
}
