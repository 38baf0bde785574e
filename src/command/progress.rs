//! Progress on standard error while objects are read, if somebody looks at a terminal.

use std::io::IsTerminal;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::ingest::Progress;

/// Runs `work` and shows how far it is.
pub(super) fn shown<T>(progress: &Progress, objects: u64, quiet: bool, work: impl FnOnce() -> T) -> T {
    if quiet || !std::io::stderr().is_terminal() {
        return work();
    }
    let bar = ProgressBar::new(objects);
    let template = "{bar:30} {pos}/{len} objects  {msg}  {eta} left";
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    let (done, waiting) = channel::<()>();
    std::thread::scope(|scope| {
        let bar = &bar;
        scope.spawn(move || {
            while waiting.recv_timeout(Duration::from_millis(200)) == Err(RecvTimeoutError::Timeout) {
                bar.set_position(progress.objects.load(Ordering::Relaxed));
                let bytes = progress.bytes.load(Ordering::Relaxed);
                bar.set_message(format!("{} read", indicatif::HumanBytes(bytes)));
            }
            bar.finish_and_clear();
        });
        let result = work();
        drop(done);
        result
    })
}
