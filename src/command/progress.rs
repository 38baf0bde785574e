//! Progress on standard error while objects are read: a bar on a terminal, elsewhere a line a minute.

use std::io::IsTerminal;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressStyle};

use super::say;
use crate::ingest::Progress;

/// Runs `work` and shows how far it is. `known` tells how many objects there are so far, and whether that is all.
pub(super) fn shown<T>(
    progress: &Progress,
    known: &(dyn Fn() -> (u64, bool) + Sync),
    quiet: bool,
    work: impl FnOnce() -> T,
) -> T {
    if quiet {
        return work();
    }
    let (done, waiting) = channel::<()>();
    let terminal = std::io::stderr().is_terminal();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if terminal {
                bar(progress, known, &waiting);
            } else {
                lines(progress, known, &waiting);
            }
        });
        let result = work();
        drop(done);
        result
    })
}

/// Whether the work still goes on after so long.
fn goes_on(waiting: &Receiver<()>, for_long: Duration) -> bool {
    waiting.recv_timeout(for_long) == Err(RecvTimeoutError::Timeout)
}

fn bar(progress: &Progress, known: &(dyn Fn() -> (u64, bool) + Sync), waiting: &Receiver<()>) {
    let bar = ProgressBar::new(known().0);
    let template = "{bar:30} {pos}/{len}{msg}  {eta} left";
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    while goes_on(waiting, Duration::from_millis(200)) {
        let (objects, all) = known();
        bar.set_length(objects);
        bar.set_position(progress.objects.load(Ordering::Relaxed));
        let bytes = progress.bytes.load(Ordering::Relaxed);
        let rate = rate(bytes, bar.elapsed());
        let more = if all { "" } else { "+" };
        bar.set_message(format!("{more} objects  {} read  {}/s", HumanBytes(bytes), HumanBytes(rate)));
    }
    bar.finish_and_clear();
}

fn lines(progress: &Progress, known: &(dyn Fn() -> (u64, bool) + Sync), waiting: &Receiver<()>) {
    let start = Instant::now();
    while goes_on(waiting, Duration::from_mins(1)) {
        let read = progress.objects.load(Ordering::Relaxed);
        say(&line(read, progress.bytes.load(Ordering::Relaxed), known(), start.elapsed()));
    }
}

fn line(read: u64, bytes: u64, (objects, all): (u64, bool), elapsed: Duration) -> String {
    let rate = HumanBytes(rate(bytes, elapsed));
    let mut line = format!(
        "{} of {} objects, {} read, {rate}/s",
        HumanCount(read),
        HumanCount(objects),
        HumanBytes(bytes)
    );
    if !all {
        line.push_str(", still listing");
    } else if read > 0 && objects >= read {
        let each = elapsed.as_secs_f64() / whole(read);
        let left = Duration::from_secs_f64(each * whole(objects - read));
        line = format!("{line}, {} left", HumanDuration(left));
    }
    line
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn whole(count: u64) -> f64 {
    count as f64
}

fn rate(bytes: u64, elapsed: Duration) -> u64 {
    u64::try_from(u128::from(bytes) * 1000 / elapsed.as_millis().max(1)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_and_how_long() {
        let minute = Duration::from_mins(1);
        assert_eq!(
            line(30_000, 120 << 20, (120_000, true), minute),
            "30,000 of 120,000 objects, 120.00 MiB read, 2.00 MiB/s, 3 minutes left"
        );
        assert_eq!(line(0, 0, (1000, false), minute), "0 of 1,000 objects, 0 B read, 0 B/s, still listing");
    }
}
