//! What is read next: local files by their place in the listing, objects of a feed as they arrive.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::source::LogObject;
use crate::source::feed::{Arrival, Feed, Now, Word};

/// One object for one thread.
pub(super) enum Task<'o> {
    /// A file that the thread reads itself.
    Local(&'o LogObject),
    /// An object that came with its bytes.
    Fed(Box<Arrival>),
}

/// Hands out objects to threads, each with its ordinal: first those of the listing, then arrivals.
pub(super) struct Queue<'o> {
    objects: &'o [LogObject],
    next: AtomicUsize,
    feed: Option<&'o Feed>,
    arrived: AtomicUsize,
}

impl<'o> Queue<'o> {
    pub(super) fn new(objects: &'o [LogObject], feed: Option<&'o Feed>) -> Self {
        Self { objects, next: AtomicUsize::new(0), feed, arrived: AtomicUsize::new(objects.len()) }
    }

    /// The next object; none if there are no more. The source's words if it cannot go on.
    pub(super) fn take(&self) -> Result<Option<(Task<'o>, usize)>, String> {
        let Some(feed) = self.feed else { return Ok(self.local()) };
        match feed.now() {
            Now::Word(word) => self.fed(word).map(Some),
            Now::End => Ok(self.local()),
            // Files fill the time until something arrives.
            Now::Nothing => match self.local() {
                Some(task) => Ok(Some(task)),
                None => feed.next().map(|word| self.fed(word)).transpose(),
            },
        }
    }

    /// Hands out nothing of the listing any more.
    pub(super) fn close(&self) {
        self.next.store(usize::MAX / 2, Ordering::Relaxed);
    }

    /// How many of the listing were handed out.
    pub(super) fn handed_out(&self) -> usize {
        self.next.load(Ordering::Relaxed).min(self.objects.len())
    }

    fn local(&self) -> Option<(Task<'o>, usize)> {
        let ordinal = self.next.fetch_add(1, Ordering::Relaxed);
        self.objects.get(ordinal).map(|object| (Task::Local(object), ordinal))
    }

    fn fed(&self, word: Word) -> Result<(Task<'o>, usize), String> {
        Ok((Task::Fed(word?), self.arrived.fetch_add(1, Ordering::Relaxed)))
    }
}
