//! What an object's name shows: CloudTrail's folder and file-name layouts.
//!
//! `[prefix/]AWSLogs/[o-id/]account/CloudTrail/Region/YYYY/MM/DD/account_CloudTrail_Region_time_unique.json.gz`
//! (CloudTrail user guide, "Finding your CloudTrail log files"); organisation trails from before the `o-…`
//! level lack it. Sibling folders hold digests, Insights, aggregated and network-activity events.

use crate::event::time;

/// The service folder an object lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Folder {
    /// The name shows no layout.
    #[default]
    Unknown,
    /// `CloudTrail`
    CloudTrail,
    /// `CloudTrail-Digest`
    Digest,
    /// `CloudTrail-Insight`
    Insight,
    /// `CloudTrail-Aggregated`
    Aggregated,
    /// `CloudTrail-NetworkActivity`
    NetworkActivity,
    /// `BedrockModelInvocationLogs`
    InvocationLog,
    /// Another service's logs under `AWSLogs`.
    Other,
}

/// What a name shows; a part it does not show is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Layout<'a> {
    /// The service folder.
    pub folder: Folder,
    /// The organisation's id.
    pub organization: Option<&'a str>,
    /// The account whose events these are.
    pub account: Option<&'a str>,
    /// The Region.
    pub region: Option<&'a str>,
    /// Start of the day of publication, microseconds UTC.
    pub day: Option<i64>,
    /// Time of delivery in the file name, microseconds UTC.
    pub delivered_at: Option<i64>,
}

impl<'a> Layout<'a> {
    /// Reads a name; both `/` and `\` separate folders.
    pub fn of(name: &'a str) -> Self {
        let mut layout = Self::default();
        let mut parts = name.split(['/', '\\']);
        let file = parts.next_back().unwrap_or_default();
        if parts.clone().any(|part| part == "AWSLogs") {
            let mut inside = parts.skip_while(|part| *part != "AWSLogs").skip(1);
            let mut next = inside.next();
            if let Some(id) = next.filter(|part| part.starts_with("o-")) {
                layout.organization = Some(id);
                next = inside.next();
            }
            layout.account = next.filter(|part| is_account(part));
            if layout.account.is_some()
                && let Some(service) = inside.next()
            {
                layout.folder = Folder::named(service);
                layout.region = inside.next().filter(|part| is_region(part));
                layout.day = day(inside.next(), inside.next(), inside.next());
            }
        }
        layout.file(file);
        layout
    }

    /// Completes from the file's own name, which also tells when no folders are left.
    fn file(&mut self, file: &'a str) {
        let mut fields = file.split('_');
        let (Some(account), Some(service), Some(region)) = (fields.next(), fields.next(), fields.next())
        else {
            return;
        };
        if !is_account(account) || !is_region(region) {
            return;
        }
        if self.folder == Folder::Unknown {
            self.folder = Folder::named(service);
        }
        self.account.get_or_insert(account);
        self.region.get_or_insert(region);
        // A digest's time ends its name.
        let stem = |field: &'a str| field.split_once('.').map_or(field, |(stem, _)| stem);
        let Some(stamp) = fields.map(stem).find(|field| is_stamp(field)) else { return };
        let (date, clock) = (&stamp.as_bytes()[..8], &stamp.as_bytes()[9..]);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let seconds = if clock.len() >= 7 { text(&clock[4..6]) } else { "00".to_owned() };
        let iso = format!(
            "{}-{}-{}T{}:{}:{seconds}Z",
            text(&date[..4]),
            text(&date[4..6]),
            text(&date[6..]),
            text(&clock[..2]),
            text(&clock[2..4])
        );
        self.delivered_at = time::parse(&iso);
        if self.day.is_none() {
            self.day = self.delivered_at.map(|at| at - at.rem_euclid(86_400_000_000));
        }
    }
}

impl Layout<'_> {
    /// Whether an invocation-log object is a body that Bedrock stores beside the log: `…/YYYY/MM/DD/HH/data/…`.
    pub fn is_body(&self, name: &str) -> bool {
        name.rsplit(['/', '\\']).nth(1) == Some("data")
    }
}

impl Folder {
    fn named(service: &str) -> Self {
        match service {
            "CloudTrail" => Self::CloudTrail,
            "CloudTrail-Digest" => Self::Digest,
            "CloudTrail-Insight" => Self::Insight,
            "CloudTrail-Aggregated" => Self::Aggregated,
            "CloudTrail-NetworkActivity" => Self::NetworkActivity,
            "BedrockModelInvocationLogs" => Self::InvocationLog,
            _ => Self::Other,
        }
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_region(text: &str) -> bool {
    text.len() >= 9
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && text.bytes().filter(|byte| *byte == b'-').count() >= 2
        && text.ends_with(|last: char| last.is_ascii_digit())
}

/// `20261005T1205Z`, or with seconds in digest names.
fn is_stamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    matches!(bytes.len(), 14 | 16)
        && bytes[8] == b'T'
        && bytes[bytes.len() - 1] == b'Z'
        && bytes
            .iter()
            .enumerate()
            .all(|(at, byte)| at == 8 || at == bytes.len() - 1 || byte.is_ascii_digit())
}

fn day(year: Option<&str>, month: Option<&str>, day: Option<&str>) -> Option<i64> {
    let (year, month, day) = (year?, month?, day?);
    if (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return None;
    }
    time::parse(&format!("{year}-{month}-{day}T00:00:00Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "111122223333_CloudTrail_eu-central-1_20261005T1205Z_Abc123Def456Ghi7.json.gz";
    const DAY: i64 = 1_791_158_400_000_000;

    #[test]
    fn every_layout_shows_the_same() {
        for (path, organization) in [
            (format!("b/AWSLogs/111122223333/CloudTrail/eu-central-1/2026/10/05/{NAME}"), None),
            (
                format!("x/y/AWSLogs/o-abc1234567/111122223333/CloudTrail/eu-central-1/2026/10/05/{NAME}"),
                Some("o-abc1234567"),
            ),
            (
                format!("C:\\logs\\AWSLogs\\111122223333\\CloudTrail\\eu-central-1\\2026\\10\\05\\{NAME}"),
                None,
            ),
            (NAME.to_owned(), None),
        ] {
            let layout = Layout::of(&path);
            assert_eq!(layout.folder, Folder::CloudTrail, "{path}");
            assert_eq!(layout.organization, organization);
            assert_eq!((layout.account, layout.region), (Some("111122223333"), Some("eu-central-1")));
            assert_eq!(
                (layout.day, layout.delivered_at),
                (Some(DAY), Some(DAY + (12 * 60 + 5) * 60_000_000))
            );
        }
    }

    #[test]
    fn siblings_are_what_they_are() {
        for (folder, expected) in [
            ("CloudTrail-Digest", Folder::Digest),
            ("CloudTrail-Insight", Folder::Insight),
            ("CloudTrail-Aggregated", Folder::Aggregated),
            ("CloudTrail-NetworkActivity", Folder::NetworkActivity),
            ("BedrockModelInvocationLogs", Folder::InvocationLog),
            ("Config", Folder::Other),
            ("vpcflowlogs", Folder::Other),
        ] {
            let path = format!("AWSLogs/111122223333/{folder}/eu-central-1/2026/10/05/x.json.gz");
            assert_eq!(Layout::of(&path).folder, expected);
        }
        let digest = "111122223333_CloudTrail-Digest_eu-west-1_my_trail_eu-west-1_20261005T130000Z.json.gz";
        assert_eq!(Layout::of(digest).folder, Folder::Digest);
        assert_eq!(Layout::of(digest).delivered_at, Some(DAY + 13 * 3_600_000_000));
    }

    #[test]
    fn other_names_show_nothing() {
        for name in ["events.json", "a/b/c.json.gz", "AWSLogs/readme.txt", "AWSLogs/abc/def/ghi.json", ""] {
            let layout = Layout::of(name);
            assert_eq!((layout.account, layout.region, layout.day), (None, None, None), "{name}");
        }
    }
}
