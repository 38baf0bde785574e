//! Runs that are killed, and runs that meet.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Tangle, collect, listing, parts, same};
use crate::command::bedtrail;
use crate::corpus::random::Random;
use crate::program::text;

fn started(logs: &Path, store: &Path) -> std::process::Child {
    let mut command: Command =
        bedtrail(["collect", "--quiet", "--memory-limit", "4M", "--store", text(store)])
            .source(logs)
            .into_command();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the program runs")
}

#[test]
fn killed_at_any_moment_it_ends_where_one_run_would() {
    let kills: u64 =
        std::env::var("BEDTRAIL_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(25);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, whole) = (folder.path().join("logs"), folder.path().join("whole"));
    let tangle = Tangle::new(77, 40);
    tangle.write(&logs, |at| at % 4 != 0);
    collect(&logs, &whole);
    let start = Instant::now();
    tangle.write(&logs, |_| true);
    collect(&logs, &whole);
    let lasts = u64::try_from(start.elapsed().as_micros()).expect("short");
    let mut random = Random::new(5, "kills");
    let (mut killed, mut round) = (0, 0);
    while killed < kills {
        round += 1;
        let (logs, store) =
            (folder.path().join(format!("logs{round}")), folder.path().join(format!("store{round}")));
        for all in [false, true] {
            tangle.write(&logs, |at| all || at % 4 != 0);
            for _ in 0..3 {
                let mut run = started(&logs, &store);
                sleep(Duration::from_micros(random.below(lasts)));
                killed += u64::from(run.try_wait().expect("a child").is_none());
                run.kill().expect("it can be killed");
                run.wait().expect("it ends");
            }
        }
        collect(&logs, &store);
        same(&logs, &store, &[]);
        same(&logs, &store, &["--from", "2026-10-03", "--region", "us-east-1"]);
        let names = |store: &Path| parts(store).len();
        assert!(names(&store) > 0);
        collect(&logs, &store).says(" 0 new objects");
        let drafts = listing(&store).into_iter().filter(|name| name.starts_with("_bedtrail/draft/"));
        assert_eq!(drafts.count(), 0);
    }
}

#[test]
fn a_store_whose_collect_has_not_ended_says_so_until_one_has() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let logs = folder.path().join("logs");
    Tangle::new(21, 2000).write(&logs, |_| true);
    let report = |store: &Path| bedtrail(["report", "usage-by-day", "--store", text(store)]).run();
    let begun =
        |store: &Path| std::fs::read_dir(store.join("_bedtrail/log")).is_ok_and(|log| log.count() > 0);
    // Between its first commit and its last; it may be faster than what kills it.
    let broken = (0..20).find_map(|round| {
        let store = folder.path().join(format!("store{round}"));
        let mut run = started(&logs, &store);
        while !begun(&store) && run.try_wait().expect("a child").is_none() {
            sleep(Duration::from_micros(200));
        }
        run.kill().expect("it can be killed");
        run.wait().expect("it ends");
        let told = report(&store);
        told.stderr.contains("has not ended").then_some((store, told))
    });
    let (store, told) = broken.expect("a run that is killed before it ended");
    assert!(told.exits(3).stdout.contains("what it had not reached is not in the store"));
    let info = bedtrail(["store", "info", text(&store)]).run().exits(0).stdout;
    assert!(info.contains("\nunfinished  "), "{info}");
    collect(&logs, &store);
    let after = report(&store);
    assert!(!after.stderr.contains("has not ended"), "{}", after.stderr);
    same(&logs, &store, &[]);
}

#[test]
fn two_runs_at_once_lose_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
    Tangle::new(3, 20).write(&logs, |_| true);
    let mut runs: Vec<_> = (0..4).map(|_| started(&logs, &store)).collect();
    for run in &mut runs {
        assert!(run.wait().expect("it ends").success());
    }
    same(&logs, &store, &[]);
    collect(&logs, &store).says(" 0 new objects");
    // Somebody holds the store for good.
    let lock = std::fs::File::options().append(true).open(store.join("_bedtrail/lock")).expect("the lock");
    lock.lock().expect("it is free");
    let run = bedtrail(["collect", "--wait", "0", "--store", text(&store)]).source(&logs).run();
    run.exits(4).says("nothing is lost");
}

#[cfg(unix)]
#[test]
fn a_store_that_cannot_be_written_is_told_and_stays_as_it_was() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
    let tangle = Tangle::new(4, 10);
    tangle.write(&logs, |at| at < 5);
    collect(&logs, &store);
    tangle.write(&logs, |_| true);
    // A file where a folder must be: nobody can write there, root neither.
    let events = store.join("_bedtrail/copies");
    let aside = store.join("_bedtrail/aside");
    std::fs::rename(&events, &aside).expect("it can be moved");
    std::fs::write(&events, "").expect("a file");
    bedtrail(["collect", "--store", text(&store)]).source(&logs).run().exits(4).says("cannot ");
    std::fs::remove_file(&events).expect("it is there");
    std::fs::rename(&aside, &events).expect("it can be moved");
    collect(&logs, &store);
    same(&logs, &store, &[]);
}
