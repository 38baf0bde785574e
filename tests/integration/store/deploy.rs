//! The files under `deploy/` are what their readers take.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use clap::Parser as _;
use serde_json::Value;

fn deploy(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(deploy(name)).expect("a file under deploy/")
}

/// The arguments are ones that the program takes.
fn taken<'a>(arguments: impl IntoIterator<Item = &'a str>) {
    let line = std::iter::once("bedtrail").chain(arguments);
    if let Err(error) = bedtrail::cli::Cli::try_parse_from(line) {
        panic!("{error}");
    }
}

#[test]
fn every_command_line_is_one_that_the_program_takes() {
    let after = |line: &str| -> Vec<String> {
        let (_, arguments) = line.split_once("bin/bedtrail ").expect("the program");
        arguments.split_whitespace().map(str::to_owned).collect()
    };
    for (file, start) in [("bedtrail.service", "ExecStart="), ("bedtrail.cron", "30 3 ")] {
        let text = text(file);
        let line = text.lines().find(|line| line.starts_with(start)).expect("a command line");
        taken(after(line).iter().map(String::as_str));
    }
    let actions = text("github-actions.yml");
    let line = actions.lines().find_map(|line| line.trim().strip_prefix("run: bedtrail ")).expect("a step");
    taken(line.split_whitespace());
    let docker = text("Dockerfile");
    let command = docker.lines().find_map(|line| line.strip_prefix("CMD ")).expect("a command");
    let command: Vec<String> = serde_json::from_str(command).expect("JSON");
    taken(command.iter().map(String::as_str));
    let task: Value = serde_json::from_str(&text("ecs-task.json")).expect("JSON");
    let command = task["containerDefinitions"][0]["command"].as_array().expect("a command");
    taken(command.iter().map(|part| part.as_str().expect("text")));
}

#[test]
fn the_container_runs_as_nobody_in_particular() {
    let docker = text("Dockerfile");
    let last = docker.rsplit_once("\nFROM ").expect("two stages").1;
    assert!(last.contains("\nUSER 10001:10001\n") && !last.contains("USER root"));
    let task: Value = serde_json::from_str(&text("ecs-task.json")).expect("JSON");
    assert_eq!(task["containerDefinitions"][0]["user"], "10001:10001");
    // A task keeps nothing when it ends.
    let command = task["containerDefinitions"][0]["command"].as_array().expect("a command");
    for option in ["--store", "--out", "--previous"] {
        let at = command.iter().position(|part| part == option).expect("the option");
        assert!(command[at + 1].as_str().is_some_and(|place| place.starts_with("s3://")), "{option}");
    }
    assert!(task.get("volumes").is_none());
}

#[test]
fn the_schedule_refers_to_what_it_defines() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                if let Some(name) = object.get("Ref").and_then(Value::as_str) {
                    found.insert(name.to_owned());
                }
                if let Some(name) = object.get("Fn::GetAtt").and_then(|pair| pair[0].as_str()) {
                    found.insert(name.to_owned());
                }
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let template: Value = serde_json::from_str(&text("schedule.cloudformation.json")).expect("JSON");
    let mut found = BTreeSet::new();
    references(&template, &mut found);
    for name in found.iter().filter(|name| !name.starts_with("AWS::")) {
        let defined = ["Parameters", "Resources"].iter().any(|section| template[section][name].is_object());
        assert!(defined, "{name} is not defined");
    }
    assert!(found.len() > 5);
}

/// Where systemd is installed, its own check has the last word; the sections are checked everywhere.
#[test]
fn the_units_have_their_sections() {
    for (file, sections) in [
        ("bedtrail.service", ["[Unit]", "[Service]"].as_slice()),
        ("bedtrail.timer", &["[Unit]", "[Timer]", "[Install]"]),
    ] {
        let text = text(file);
        let found: Vec<&str> = text.lines().filter(|line| line.starts_with('[')).collect();
        assert_eq!(found, sections, "{file}");
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '['])) {
            assert!(line.split_once('=').is_some_and(|(key, _)| !key.contains(' ')), "{file}: {line}");
        }
        let verified = Command::new("systemd-analyze")
            .args(["verify", "--recursive-errors=no"])
            .arg(deploy(file))
            .output();
        if let Ok(verified) = verified {
            let said = String::from_utf8_lossy(&verified.stderr).into_owned();
            // The program is not installed where this is tested.
            let wrong = said.lines().find(|line| line.contains(file) && !line.contains("not executable"));
            assert!(wrong.is_none(), "{said}");
        }
    }
}
