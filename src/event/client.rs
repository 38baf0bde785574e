//! Which client a user agent names, from `queries/data/clients.csv`. Every user agent can be forged: this finds, it never clears.

use std::sync::OnceLock;

const CLIENTS: &[u8] = include_bytes!("../../queries/data/clients.csv");

#[derive(Debug)]
enum Match {
    Exact,
    Prefix,
    Contains,
    /// Two parts with anything between them; the first begins the user agent.
    Glob(String),
}

#[derive(Debug)]
struct Pattern {
    text: String,
    kind: Match,
    id: &'static str,
    rank: u8,
}

/// A client and its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client<'a> {
    /// A kebab-case id, one per program: `codex-cli`, `claude-code`, `boto3`, …
    pub id: &'static str,
    /// The version as the user agent has it.
    pub version: Option<&'a str>,
}

/// The patterns, most telling first: by `rank`, then longer before shorter.
fn patterns() -> &'static [Pattern] {
    static PATTERNS: OnceLock<Vec<Pattern>> = OnceLock::new();
    PATTERNS.get_or_init(|| {
        let mut reader = csv::Reader::from_reader(CLIENTS);
        let mut patterns: Vec<_> = reader.records().flatten().filter_map(|row| pattern(&row)).collect();
        patterns.sort_by(|a, b| (a.rank, b.text.len(), &a.text).cmp(&(b.rank, a.text.len(), &b.text)));
        patterns
    })
}

/// A row with an id; rows without one only document a part of user agents.
fn pattern(row: &csv::StringRecord) -> Option<Pattern> {
    let (text, kind, id) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let (text, kind) = match kind {
        "exact" => (text, Match::Exact),
        "prefix" => (text, Match::Prefix),
        "contains" => (text, Match::Contains),
        "glob" => text.split_once('*').map(|(start, rest)| (start, Match::Glob(rest.to_owned())))?,
        _ => return None,
    };
    let rank = row.get(3)?.parse().ok()?;
    (!id.is_empty()).then(|| Pattern { text: text.to_owned(), kind, id: id.to_owned().leak(), rank })
}

/// The client that a user agent names; `None` where no pattern matches.
pub fn client(user_agent: &str) -> Option<Client<'_>> {
    let found = patterns().iter().find_map(|pattern| {
        let start = match &pattern.kind {
            Match::Exact => (user_agent == pattern.text).then_some(0),
            Match::Prefix => user_agent.starts_with(&*pattern.text).then_some(0),
            Match::Contains => user_agent.find(&*pattern.text),
            Match::Glob(rest) => {
                user_agent.strip_prefix(&*pattern.text).filter(|tail| tail.contains(&**rest)).map(|_| 0)
            }
        }?;
        let version = version(&user_agent[start..], &pattern.text);
        Some(Client { id: pattern.id, version })
    });
    match found {
        None => is_service(user_agent).then_some(Client { id: "aws-service", version: None }),
        // What follows these is no version of a client.
        Some(Client { id: id @ ("aws-service" | "browser" | "console"), .. }) => {
            Some(Client { id, version: None })
        }
        found => found,
    }
}

/// A browser is the console where the record says that the console's credentials were used.
pub fn in_console(id: &'static str, from_console: bool) -> &'static str {
    if from_console && id == "browser" { "console" } else { id }
}

/// A service's own name stands for a user agent where AWS made the call.
fn is_service(user_agent: &str) -> bool {
    user_agent.ends_with(".amazonaws.com") && !user_agent.contains([' ', '/'])
}

/// The version after the pattern's text, or inside it, as in `aws-cli/2.`.
fn version<'a>(text: &'a str, pattern: &str) -> Option<&'a str> {
    const SEPARATORS: [char; 3] = ['/', ' ', '#'];
    let inside = pattern.rfind(SEPARATORS).map(|at| at + 1);
    let after = text[pattern.len()..].starts_with(SEPARATORS).then_some(pattern.len() + 1);
    [inside, after].into_iter().flatten().find_map(|start| {
        let text = text[start..].split([' ', ';', '(', ')', ',', '#', '/']).next()?;
        (text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_digit())).then_some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(user_agent: &str) -> (&'static str, Option<&str>) {
        client(user_agent).map_or(("", None), |client| (client.id, client.version))
    }

    #[test]
    fn special_clients_come_before_the_sdk_they_use() {
        let boto = "Boto3/1.42.1 md/Botocore#1.42.1 ua/2.0 os/linux#6.1 lang/python#3.13.1";
        assert_eq!(of(boto), ("boto3", Some("1.42.1")));
        assert_eq!(of(&format!("{boto} strands-agents")), ("strands-agents", None));
        assert_eq!(
            of(&format!("{boto} x-client-framework:langchain-aws/1.2.0")),
            ("langchain", Some("1.2.0"))
        );
        assert_eq!(of("codex_cli_rs/0.153.4 (Ubuntu 24.4.0; x86_64) xterm"), ("codex-cli", Some("0.153.4")));
        assert_eq!(of("claude-cli/2.1.220 (external, cli)"), ("claude-code", Some("2.1.220")));
        assert_eq!(of("claude-cli/2.1.220 (external, sdk-cli)"), ("claude-code", Some("2.1.220")));
        assert_eq!(of("aws-sdk-js/3.700.0 ua/2.1 app/RooCode#3.2.1"), ("roo-code", Some("3.2.1")));
        assert_eq!(of("aws-sdk-js/3.700.0 ua/2.1 app/Mine"), ("aws-sdk-js", Some("3.700.0")));
    }

    #[test]
    fn sdks_tools_and_services() {
        for (user_agent, id, version) in [
            ("OpenAI/Python 1.50.0", "openai-python", Some("1.50.0")),
            ("AsyncAnthropicBedrock/Python 0.70.0", "anthropic-python", Some("0.70.0")),
            ("aws-cli/2.31.3 md/awscrt#0.27 exec-env/CloudShell", "cloudshell", Some("2.31.3")),
            ("aws-cli/2.31.3 md/awscrt#0.27", "aws-cli", Some("2.31.3")),
            ("APN/1.0 HashiCorp/1.0 Terraform/1.9.2 (+https://x)", "terraform", Some("1.9.2")),
            ("python-httpx/0.28.1", "python-httpx", Some("0.28.1")),
            ("bedrock.amazonaws.com", "aws-service", None),
            ("lambda.amazonaws.com", "aws-service", None),
            ("AWS Internal/3", "aws-service", None),
            ("signin.amazonaws.com", "console", None),
            ("my-own-script", "", None),
            ("", "", None),
            ("Boto3/", "boto3", None),
            ("Boto3/é", "boto3", None),
        ] {
            assert_eq!(of(user_agent), (id, version), "{user_agent}");
        }
    }

    #[test]
    fn a_browser_is_the_console_only_where_the_record_says_so() {
        let browser = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)";
        assert_eq!(of(browser), ("browser", None));
        assert_eq!(in_console("browser", true), "console");
        assert_eq!(in_console("browser", false), "browser");
        assert_eq!(in_console("aws-cli", true), "aws-cli");
    }

    #[test]
    fn the_table_is_sorted_and_its_ids_are_kebab_case() {
        let mut reader = csv::Reader::from_reader(CLIENTS);
        assert_eq!(
            &reader.headers().unwrap().iter().collect::<Vec<_>>()[..4],
            ["pattern", "match", "id", "rank"]
        );
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert!(rows.windows(2).all(|pair| pair[0][0] < pair[1][0]), "sorted by pattern, each once");
        let with_id = rows.iter().filter(|row| !row[2].is_empty()).count();
        assert_eq!(patterns().len(), with_id);
        for pattern in patterns() {
            assert!(
                pattern.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
                "{}",
                pattern.id
            );
            assert!((1..=5).contains(&pattern.rank), "{}", pattern.text);
        }
    }
}
