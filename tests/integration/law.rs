//! The laws of the house: what may import what, how files are named and kept, and that the documentation is in step.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use bedtrail::{query_file, report, rule};
use regex::Regex;
use serde_json::Value;

use crate::command::{audited, bedtrail};
use crate::record::{foreign, write};

/// Every module of `src/` and the floor it stands on. A module imports lower floors only.
const FLOORS: [(&str, u8); 19] = [
    ("clock", 0),
    ("config", 0),
    ("data", 0),
    ("event", 0),
    ("exit", 0),
    ("finding", 0),
    ("policy", 0),
    ("query_file", 0),
    ("decode", 1),
    ("source", 1),
    ("ingest", 2),
    ("engine", 3),
    ("evidence", 4),
    ("report", 4),
    ("rule", 4),
    ("output", 5),
    ("cli", 6),
    ("command", 6),
    ("lib", 7),
];

/// Imports within a floor: a policy speaks in the columns of events, a configuration of accounts and Regions as they do, a
/// command in what was typed.
const BESIDE: [(&str, &str); 3] = [("policy", "event"), ("config", "event"), ("command", "cli")];

/// Lines of a file, its tests not counted.
const LONGEST: usize = 600;
const MEDIAN: usize = 150;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A source file: its path below `src`, its module, and its text up to its tests.
struct File {
    path: String,
    module: String,
    text: String,
}

impl File {
    /// Whether it is a module of tests, which the laws about code do not bind.
    fn tests(&self) -> bool {
        self.path.ends_with("tests.rs") || self.path.contains("/tests/") || self.path == "output/sample.rs"
    }
}

static SOURCES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let src = root().join("src");
    let mut files: Vec<File> = files_below(&src, "rs")
        .into_iter()
        .map(|path| {
            let whole = fs::read_to_string(&path).expect("a source file");
            let path = path.strip_prefix(&src).expect("below src").display().to_string();
            let module = path.split(['/', '.']).next().unwrap_or_default().to_owned();
            let text = whole.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
            File { path, module, text }
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.len() > 50, "the sources were not found");
    files
});

fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(files_below(&path, ending));
        } else if path.extension().is_some_and(|found| found == ending) {
            files.push(path);
        }
    }
    files
}

fn floor(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

#[test]
fn imports_point_down() {
    let import = Regex::new(r"\bcrate::(?:\{([^}]*)\}|([a-z_]+))").expect("a pattern");
    let mut broken = BTreeSet::new();
    for file in SOURCES.iter().filter(|file| !["main", "lib"].contains(&file.module.as_str())) {
        let here = floor(&file.module);
        assert!(here.is_some(), "{} stands on no floor: give it one in FLOORS", file.path);
        let code: String = file
            .text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n");
        for found in import.captures_iter(&code) {
            let names = found.get(1).or_else(|| found.get(2)).map_or("", |names| names.as_str());
            for name in names.split(',') {
                let to = name.trim().split("::").next().unwrap_or_default();
                let beside = BESIDE.contains(&(file.module.as_str(), to));
                if !to.is_empty() && to != file.module && !beside && floor(to) >= here {
                    broken.insert(format!("{} imports {to}", file.path));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_command_line_parser_is_named_at_the_top_only() {
    let named: Vec<&str> = SOURCES
        .iter()
        .filter(|file| !["cli", "command"].contains(&file.module.as_str()))
        .filter(|file| file.text.contains("clap"))
        .map(|file| file.path.as_str())
        .collect();
    assert!(named.is_empty(), "{named:?}");
}

#[test]
fn files_are_small_and_open_with_what_they_are() {
    let mut lengths = Vec::new();
    for file in SOURCES.iter().filter(|file| !file.tests()) {
        assert!(file.text.starts_with("//! "), "{} does not say what it is", file.path);
        let length = file.text.lines().count();
        assert!(length <= LONGEST, "{} has {length} lines without its tests", file.path);
        lengths.push(length);
    }
    lengths.sort_unstable();
    assert!(lengths[lengths.len() / 2] <= MEDIAN, "the median is {}", lengths[lengths.len() / 2]);
}

#[test]
fn modules_are_named_for_a_thing() {
    let vague = ["util", "utils", "helper", "helpers", "common", "misc", "manager", "handler"];
    for file in SOURCES.iter() {
        for part in file.path.trim_end_matches(".rs").split('/') {
            assert!(!vague.contains(&part), "{}", file.path);
        }
    }
}

fn kebab(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    name.split('-').all(part)
}

#[test]
fn reports_and_rules_are_unique_kebab_case_and_embedded() {
    let on_disk = |kind: &str| -> BTreeSet<String> {
        let stem = |path: PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
        files_below(&root().join("queries").join(kind), "sql").into_iter().map(stem).collect()
    };
    let embedded = |files: Vec<query_file::QueryFile>| -> BTreeSet<String> {
        files.into_iter().map(|file| file.stem.to_owned()).collect()
    };
    assert_eq!(on_disk("reports"), embedded(query_file::reports().collect()));
    assert_eq!(on_disk("rules"), embedded(query_file::rules().collect()));
    assert_eq!(on_disk("views"), embedded(query_file::views().collect()));
    let rules = rule::catalogue().expect("sound rules");
    for report in report::catalogue().expect("sound reports") {
        assert!(kebab(&report.name), "{}", report.name);
    }
    let mut names = BTreeSet::new();
    for rule in rules {
        assert!(kebab(&rule.name), "{}", rule.name);
        assert!(names.insert(&rule.name), "two rules are called {}", rule.name);
        let digits = rule.code.strip_prefix("BT").unwrap_or_default();
        assert!(digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{}", rule.code);
    }
}

#[test]
fn every_rule_has_a_folder_that_fires_and_one_that_is_silent() {
    let folder = root().join("fixtures/rules");
    let found: BTreeSet<String> = fs::read_dir(&folder)
        .expect("the fixtures")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    let rules = rule::catalogue().expect("sound rules");
    let expected: BTreeSet<String> = rules.iter().map(rule::Rule::stem).collect();
    assert_eq!(found, expected);
    let mut cases = 0;
    for stem in &expected {
        for side in ["fires", "silent"] {
            assert!(!files_below(&folder.join(stem).join(side), "json").is_empty(), "{stem} has no {side}");
        }
        for entry in fs::read_dir(folder.join(stem)).expect("a rule's fixtures") {
            let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
            let case =
                ["fires", "silent"].iter().any(|side| name == *side || name.starts_with(&format!("{side}-")));
            assert!(case || name == "policy.toml", "{stem}/{name} is looked at by no test");
            cases += usize::from(case);
        }
    }
    let outcome = bedtrail(["rules", "test"]).run().exits(0);
    assert_eq!(outcome.stdout, format!("{cases} passed, 0 failed\n"));
}

/// Name and type of every column of every report of an audit.
fn columns(audit: &Value) -> BTreeMap<String, Vec<(String, String)>> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    audit["reports"]
        .as_array()
        .expect("reports")
        .iter()
        .map(|report| {
            let columns = report["columns"].as_array().expect("columns");
            let columns =
                columns.iter().map(|column| (text(&column["name"]), text(&column["type"]))).collect();
            (text(&report["name"]), columns)
        })
        .collect()
}

#[test]
fn every_report_returns_the_columns_it_declares_also_of_nothing() {
    let story = columns(audited());
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), "log", &[foreign(1)]);
    let nothing = columns(&bedtrail(["audit"]).source(folder.path()).format("json").run().exits(0).json());
    assert_eq!(story, nothing, "columns and types do not follow the rows");
    // The others an audit writes to folders only.
    let shown = report::catalogue().expect("sound reports").iter();
    for report in shown.filter(|report| report.audit == report::Audit::Always) {
        let declared: Vec<&str> = report.columns.iter().map(|(name, _)| name.as_str()).collect();
        let returned: Vec<&str> = story[&report.name].iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(declared, returned, "{}", report.name);
    }
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let of = |report: &str| story[report].iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(of("violations"), names(&bedtrail::finding::COLUMNS));
    assert_eq!(of("rules"), names(&rule::outcome::COLUMNS));
    for report in audited()["reports"].as_array().expect("reports") {
        for column in report["columns"].as_array().expect("columns") {
            assert!(column["meaning"].is_string(), "{}: {column}", report["name"]);
        }
    }
}

#[test]
fn every_table_and_column_that_can_be_asked_says_what_it_is() {
    let listing = bedtrail(["query", "--tables"]).run().exits(0).stdout;
    let mut tables = BTreeSet::new();
    for block in listing.split("\n\n").filter(|block| !block.trim().is_empty()) {
        let mut lines = block.lines();
        let name = lines.next().unwrap_or_default();
        assert!(tables.insert(name.to_owned()), "{name} is listed twice");
        assert!(lines.next().is_some_and(|meaning| meaning.trim().len() > 10), "{name} has no meaning");
        for column in lines {
            assert!(column.split_whitespace().count() > 2, "{name}: {column}");
        }
    }
    for name in ["events", "objects", "refusals", "run", "usage", "decisions", "findings", "rule_results"] {
        assert!(tables.contains(name), "{name} is not listed");
    }
}

/// A table of the README, from what the program says of itself.
fn table(head: [&str; 3], rows: impl IntoIterator<Item = [String; 3]>) -> String {
    let line =
        |cells: [String; 3]| format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    let mut text = line(head.map(str::to_owned)) + "|---|---|---|\n";
    text.extend(rows.into_iter().map(line));
    text
}

#[test]
fn the_readme_lists_every_report_and_rule() {
    let listing = bedtrail(["report", "--list"]).run().exits(0).stdout;
    let reports = report::catalogue().expect("sound reports");
    let reports = listing.lines().map(|line| {
        let (name, question) = line.split_once("  ").expect("name and question");
        let frameworks = reports.iter().find(|report| report.name == name).map(|report| &report.frameworks);
        let frameworks = frameworks.map(|frameworks| frameworks.join(", ")).unwrap_or_default();
        [format!("`{name}`"), question.trim().to_owned(), frameworks]
    });
    let rules = rule::catalogue().expect("sound rules").iter().map(|rule| {
        [format!("`{}` {}", rule.code, rule.name), rule.severity.to_string(), rule.title.clone()]
    });
    let tables = [
        ("reports", table(["Report", "Question", "Evidence for"], reports)),
        ("rules", table(["Rule", "Severity", "What it finds"], rules)),
    ];
    let path = root().join("README.md");
    let mut readme = fs::read_to_string(&path).expect("the README");
    let before = readme.clone();
    for (name, table) in tables {
        let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
        let (head, rest) = readme.split_once(&open).expect("the opening mark");
        let (_, tail) = rest.split_once(&close).expect("the closing mark");
        readme = format!("{head}{open}{table}{close}{tail}");
    }
    if ["UPDATE_DOCS", "UPDATE_FIXTURES"].iter().any(|name| std::env::var_os(name).is_some()) {
        fs::write(&path, &readme).expect("the README can be written");
    } else {
        assert!(
            readme == before,
            "README.md is out of step: UPDATE_DOCS=1 cargo test --test integration law"
        );
    }
}
