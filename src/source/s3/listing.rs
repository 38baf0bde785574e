//! The keys of trails, streamed: by folder down to the Region, from there by key between the first and the last
//! day that can hold what is asked for; many pages at a time, and never more of them in memory than that.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;

use super::access::Bucket;
use super::error::S3Error;
use super::level::{self, Level};
use super::page::{Key, page};
use super::tally::Tally;
use super::url;
use crate::source::{Extent, Fate, Layout, LogObject, Place};

/// Pages asked for at a time.
const AT_ONCE: usize = 32;
/// Pages of one Region in a row, after which its days are listed side by side.
const IN_A_ROW: u32 = 3;
/// Into how many runs the days left are split then.
const SPLIT: i64 = 8;

/// What is asked for, for all steps.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) extent: Extent,
    /// Until when days can exist, in microseconds: how far a Region's days are split.
    pub(super) now: i64,
    pub(super) tally: Arc<Tally>,
    /// Keys that were given one by one, and are not sent again.
    pub(super) named: BTreeSet<String>,
}

/// One page to ask for.
#[derive(Debug)]
pub(super) struct Step {
    bucket: Arc<Bucket>,
    prefix: String,
    /// Where to go on: a token for folders, a key otherwise.
    after: Option<String>,
    /// The first key not wanted any more.
    until: Option<String>,
    pages: u32,
    /// A prefix as given: if it cannot be listed, the run cannot go on.
    given: bool,
}

impl Step {
    /// The first page of a prefix that somebody gave.
    pub(super) fn given(bucket: &Arc<Bucket>, prefix: String) -> Self {
        Self { given: true, ..Self::first(bucket, prefix) }
    }

    fn first(bucket: &Arc<Bucket>, prefix: String) -> Self {
        Self { bucket: Arc::clone(bucket), prefix, after: None, until: None, pages: 0, given: false }
    }
}

/// Lists what `steps` lead to and sends every object that is to be read, in no order. Ends early if nobody listens.
pub(super) async fn list(
    plan: Arc<Plan>,
    mut steps: Vec<Step>,
    out: Sender<LogObject>,
) -> Result<(), S3Error> {
    let mut running = JoinSet::new();
    steps.reverse();
    loop {
        while running.len() < AT_ONCE
            && let Some(step) = steps.pop()
        {
            running.spawn(walk(Arc::clone(&plan), step, out.clone()));
        }
        let Some(done) = running.join_next().await else { break };
        let more = done.map_err(|error| S3Error::Threads(error.to_string()))??;
        if out.is_closed() {
            return Ok(());
        }
        // Last in, first out: a Region is finished before the next account is begun, so that few steps wait.
        steps.extend(more.into_iter().rev());
    }
    plan.tally.listed.store(true, Ordering::Relaxed);
    Ok(())
}

/// Asks for one page; returns the steps that follow.
async fn walk(plan: Arc<Plan>, step: Step, out: Sender<LogObject>) -> Result<Vec<Step>, S3Error> {
    let name = url::name(&step.bucket.name, &step.prefix);
    let given = step.given;
    let branch = level::level(&step.prefix) == Level::Branch && step.prefix.ends_with('/');
    let walked = if branch { folders(&plan, step, &out).await } else { keys(&plan, step, &out).await };
    match walked {
        Err(error) if !error.fatal() && !given => {
            let _ = out.send(LogObject::new(name, Place::Unreachable(error.to_string()))).await;
            Ok(Vec::new())
        }
        walked => walked,
    }
}

/// A page of folders above the Region.
async fn folders(plan: &Plan, step: Step, out: &Sender<LogObject>) -> Result<Vec<Step>, S3Error> {
    let page = page(&step.bucket, &step.prefix, step.after.as_deref(), true, &plan.tally).await?;
    let mut next = Vec::with_capacity(page.folders.len() + 1);
    for folder in page.folders {
        let file = format!("{folder}-");
        if level::level(&folder) == Level::Foreign {
            continue;
        }
        if plan.extent.reads(&Layout::of(&file)) {
            next.push(Step::first(&step.bucket, folder));
        } else {
            plan.tally.narrowed.store(true, Ordering::Relaxed);
        }
    }
    send(plan, &step.bucket, page.keys, out).await;
    if page.more.is_some() {
        next.push(Step { after: page.more, given: false, ..step });
    }
    Ok(next)
}

/// A page of keys in a Region, or in a folder that is no trail.
async fn keys(plan: &Plan, mut step: Step, out: &Sender<LogObject>) -> Result<Vec<Step>, S3Error> {
    let region = level::region_folder(&step.prefix).map(str::to_owned);
    if step.pages == 0
        && let Some(region) = &region
    {
        if let (None, Some(first)) = (&step.after, level::first_day(&plan.extent)) {
            step.after = Some(format!("{region}{}", level::day_folder(first)));
            plan.tally.narrowed.store(true, Ordering::Relaxed);
        }
        if let (None, Some(end)) = (&step.until, level::end_day(&plan.extent)) {
            step.until = Some(format!("{region}{}", level::day_folder(end)));
        }
    }
    let mut page = page(&step.bucket, &step.prefix, step.after.as_deref(), false, &plan.tally).await?;
    if let Some(until) = &step.until {
        let wanted = page.keys.partition_point(|key| key.name < *until);
        if wanted < page.keys.len() {
            page.keys.truncate(wanted);
            page.more = None;
            plan.tally.narrowed.store(true, Ordering::Relaxed);
        }
    }
    send(plan, &step.bucket, page.keys, out).await;
    let Some(last) = page.more else { return Ok(Vec::new()) };
    step.pages += 1;
    Ok(match region.filter(|_| step.pages >= IN_A_ROW) {
        Some(region) => split(plan, &step, last, &region),
        None => vec![Step { after: Some(last), given: false, ..step }],
    })
}

/// Goes on after `last`, with the days that follow its own side by side.
fn split(plan: &Plan, step: &Step, last: String, region: &str) -> Vec<Step> {
    let end = level::end_day(&plan.extent).map_or(plan.now, |end| end.min(plan.now));
    let name = url::name(&step.bucket.name, &last);
    let days = Layout::of(&name).day.map_or_else(Vec::new, |day| level::days_after(day, end, SPLIT));
    let bounds: Vec<String> = days
        .into_iter()
        .map(|day| format!("{region}{}", level::day_folder(day)))
        .filter(|bound| *bound > last && step.until.as_ref().is_none_or(|until| bound < until))
        .collect();
    let after = std::iter::once(last).chain(bounds.iter().cloned());
    let until = bounds.iter().cloned().map(Some).chain([step.until.clone()]);
    after
        .zip(until)
        .map(|(after, until)| Step {
            bucket: Arc::clone(&step.bucket),
            prefix: step.prefix.clone(),
            after: Some(after),
            until,
            // The bounds are set; splitting again takes as many pages again.
            pages: 0,
            given: false,
        })
        .collect()
}

async fn send(plan: &Plan, bucket: &Bucket, keys: Vec<Key>, out: &Sender<LogObject>) {
    for Key { name: key, size, etag } in keys {
        // The marks that consoles leave for empty folders.
        if key.ends_with('/') {
            continue;
        }
        let name = url::name(&bucket.name, &key);
        match plan.extent.fate(&name) {
            Fate::Skipped => Tally::add(&plan.tally.skipped, 1),
            Fate::Pruned => Tally::add(&plan.tally.pruned, 1),
            Fate::Read => {
                if plan.named.contains(&name) {
                    continue;
                }
                let object = LogObject { name, place: Place::Fed, size: Some(size), etag };
                if out.send(object).await.is_err() {
                    return;
                }
            }
        }
    }
}
