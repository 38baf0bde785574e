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
        let file = name.rsplit(['/', '\\']).next().unwrap_or_default();
        // A bucket's copy can lie below another AWSLogs: the innermost one that a layout follows counts.
        let folders = &name[..name.len() - file.len()];
        let mut layout = folders
            .rmatch_indices("AWSLogs")
            .find_map(|(at, root)| {
                let (before, after) = (&folders[..at], &folders[at + root.len()..]);
                let whole = before.is_empty() || before.ends_with(['/', '\\']);
                Self::below(after.strip_prefix(['/', '\\']).filter(|_| whole)?)
            })
            .unwrap_or_default();
        layout.file(file);
        layout
    }

    /// What follows `AWSLogs/`, where it is a layout: an account, after an organisation or not, and folders.
    fn below(rest: &'a str) -> Option<Self> {
        let mut parts = rest.split(['/', '\\']);
        let mut next = parts.next();
        let organization = next.filter(|part| part.starts_with("o-"));
        if organization.is_some() {
            next = parts.next();
        }
        let account = next.filter(|part| is_account(part));
        account?;
        let (service, region) = (parts.next().filter(|part| !part.is_empty()), parts.next());
        Some(Self {
            folder: service.map_or(Folder::Unknown, Folder::named),
            organization,
            account,
            region: region.filter(|part| is_region(part)),
            day: day(parts.next(), parts.next(), parts.next()),
            delivered_at: None,
        })
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
        // A folder of somebody's own can hold CloudTrail's files; then it says nothing about them.
        if self.folder == Folder::Other && Folder::named(service) != Folder::Other {
            *self = Self::default();
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

pub(super) fn is_region(text: &str) -> bool {
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
    fn the_innermost_layout_counts() {
        let inner = format!("AWSLogs/111122223333/CloudTrail/eu-central-1/2026/10/05/{NAME}");
        let alone = Layout::of(&inner);
        for outer in [
            "AWSLogs/copy/",
            "AWSLogs/AWSLogs/",
            "AWSLogs\\o-x/444455556666/vpcflowlogs/us-east-1/2025/01/01/",
            "AWSLogs/444455556666/Config/",
            "MyAWSLogs/444455556666/Config/x",
        ] {
            assert_eq!(Layout::of(&format!("{outer}{inner}")), alone, "{outer}");
        }
        // Not a layout, but below one.
        let below = inner.replace("/2026/", "/AWSLogs/2026/");
        assert_eq!(Layout::of(&below).folder, Folder::CloudTrail);
        // Another AWSLogs alone says nothing, and a name of CloudTrail's says more than a folder of any name.
        for folder in ["backup/us-east-1/2025/01/01", "x", "", "elasticloadbalancing/us-east-1"] {
            let name = format!("AWSLogs/444455556666/{folder}/{NAME}");
            let layout = Layout::of(&name);
            assert_eq!(
                (layout.folder, layout.region),
                (Folder::CloudTrail, Some("eu-central-1")),
                "{folder}"
            );
            assert_eq!(layout.day, Some(DAY), "{folder}");
        }
        let other = "AWSLogs/444455556666/elasticloadbalancing/us-east-1/2025/01/01/444455556666_elasticloadbalancing_us-east-1_x.log.gz";
        assert_eq!(Layout::of(other).folder, Folder::Other);
        let account = Layout::of("AWSLogs/444455556666/x.json");
        assert_eq!((account.folder, account.account), (Folder::Unknown, Some("444455556666")));
    }

    #[test]
    fn other_names_show_nothing() {
        for name in ["events.json", "a/b/c.json.gz", "AWSLogs/readme.txt", "AWSLogs/abc/def/ghi.json", ""] {
            let layout = Layout::of(name);
            assert_eq!((layout.account, layout.region, layout.day), (None, None, None), "{name}");
        }
    }
}
