//! What the program says of itself. `INSTA_UPDATE=always cargo test --test integration help` rewrites the snapshots.

use crate::command::bedtrail;

fn said(arguments: &[&str]) -> String {
    bedtrail(arguments).run().exits(0).stdout
}

#[test]
fn every_subcommand_explains_itself() {
    insta::assert_snapshot!("bedtrail", said(&["--help"]));
    for subcommand in [
        ["audit"].as_slice(),
        &["run"],
        &["collect"],
        &["store"],
        &["store", "info"],
        &["store", "compact"],
        &["store", "prune"],
        &["store", "ddl"],
        &["report"],
        &["query"],
        &["rules"],
        &["rules", "list"],
        &["rules", "explain"],
        &["rules", "test"],
        &["policy"],
        &["policy", "check"],
        &["policy", "init"],
    ] {
        insta::assert_snapshot!(subcommand.join("-"), said(&[subcommand, &["--help"]].concat()));
    }
}

#[test]
fn what_there_is_can_be_listed() {
    insta::assert_snapshot!("list-of-reports", said(&["report", "--list"]));
    insta::assert_snapshot!("list-of-rules", said(&["rules", "list"]));
    insta::assert_snapshot!("list-of-tables", said(&["query", "--tables"]));
}

#[test]
fn a_rule_is_explained_like_a_page_of_a_manual() {
    let page = said(&["rules", "explain", "BT035"]);
    let (words, sql) = page.split_once("\nSQL\n").expect("the page ends with the SQL");
    insta::assert_snapshot!("explain-BT035", words);
    assert!(sql.contains("SELECT"), "{sql}");
    assert_eq!(said(&["rules", "explain", "root-used"]), said(&["rules", "explain", "bt035"]));
}

#[test]
fn a_policy_to_start_from_is_a_valid_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("policy.toml");
    std::fs::write(&path, said(&["policy", "init"])).expect("a file can be written");
    let outcome = bedtrail(["policy", "check"]).args([&path]).run().exits(0);
    assert!(outcome.stdout.contains(" is valid, sha256 "), "{}", outcome.stdout);
}
