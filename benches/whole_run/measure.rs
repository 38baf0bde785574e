//! Time and peak memory of a process.

#![allow(dead_code, reason = "each bench that includes this uses a part of it")]

use std::fs;
use std::io::{self, Write};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// One run of a process.
pub struct Run {
    pub seconds: f64,
    /// Seconds of processors, its children's with it; to a hundredth, and 0 where `/proc` does not tell.
    pub processor: f64,
    /// Largest sum of high-water marks seen, in KiB; 0 where `/proc` does not tell.
    pub peak: u64,
    pub status: String,
}

/// Several runs of the same.
#[derive(Default)]
pub struct Runs(Vec<Run>);

/// Runs to the end.
pub fn run(command: &mut Command) -> io::Result<Run> {
    let (before, start) = (waited_for(), Instant::now());
    let mut child = command.spawn()?;
    let (id, done) = (child.id(), AtomicBool::new(false));
    let (status, seconds, peak) = thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut peak = 0;
            while !done.load(Ordering::Relaxed) {
                peak = peak.max(high_water(id));
                thread::sleep(Duration::from_millis(10));
            }
            peak
        });
        let status = child.wait();
        let seconds = start.elapsed().as_secs_f64();
        done.store(true, Ordering::Relaxed);
        (status, seconds, watch.join().unwrap_or(0))
    });
    let status = status?;
    let status = if status.success() { String::new() } else { status.to_string() };
    Ok(Run { seconds, processor: waited_for() - before, peak, status })
}

/// Seconds of processors of all children that ended and were waited for.
fn waited_for() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields 16 and 17 of proc_pid_stat(5), in hundredths; the name, in brackets, can hold anything.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    fields.skip(13).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// `VmHWM` of a process and its children, in KiB.
fn high_water(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let own = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|size| size.trim().trim_end_matches(" kB").parse::<u64>().ok())
        .unwrap_or(0);
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    own + children.split_whitespace().filter_map(|child| child.parse().ok()).map(high_water).sum::<u64>()
}

impl Runs {
    pub fn push(&mut self, run: Run) {
        self.0.push(run);
    }

    pub fn extend(&mut self, run: Option<Run>) {
        self.0.extend(run);
    }

    fn sorted(&self) -> Vec<f64> {
        let mut seconds: Vec<f64> = self.0.iter().map(|run| run.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        seconds
    }

    /// The median in seconds.
    pub fn median(&self) -> Option<f64> {
        let seconds = self.sorted();
        seconds.get(seconds.len() / 2).copied()
    }

    /// The least, in seconds: what a busy machine disturbs least.
    pub fn least(&self) -> Option<f64> {
        self.sorted().first().copied()
    }

    /// The least seconds of processors.
    pub fn processor(&self) -> f64 {
        self.0.iter().map(|run| run.processor).fold(f64::INFINITY, f64::min)
    }

    /// The largest peak, in MiB.
    pub fn peak(&self) -> u64 {
        self.0.iter().map(|run| run.peak).max().unwrap_or(0) >> 10
    }

    /// One line of the table; none for what did not run.
    pub fn line(&self, name: &str, floor: Option<f64>, out: &mut impl Write) -> io::Result<()> {
        let seconds = self.sorted();
        let (Some(median), Some(least), Some(most)) = (self.median(), seconds.first(), seconds.last()) else {
            return Ok(());
        };
        let ratio = floor.map_or("-".to_owned(), |floor| format!("{:.2}", median / floor));
        let peak = self.peak();
        let failed = self.0.iter().find(|run| !run.status.is_empty()).map_or("", |run| run.status.as_str());
        let range = format!("{least:.3} to {most:.3}");
        writeln!(out, "{name:<28} {median:>9.3} {range:>17} {ratio:>9} {peak:>10} {failed}")
    }
}
