//! Objects whose bytes come by themselves: a source fetches ahead, bounded in number and bytes, and the threads that
//! decode take what has arrived.

use std::sync::{Mutex, PoisonError, TryLockError};

use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{Receiver, Sender, channel, error::TryRecvError};

use super::LogObject;

/// An object with its stored bytes, or with why they cannot be had.
#[derive(Debug)]
pub struct Arrival {
    /// Which object.
    pub object: LogObject,
    /// Its stored bytes.
    pub bytes: Result<Vec<u8>, String>,
    /// Room for its bytes, given back when it is dropped.
    pub room: Option<OwnedSemaphorePermit>,
}

/// What a source has to say: an object, or why it cannot go on at all.
pub type Word = Result<Box<Arrival>, String>;

/// Where arrivals are taken, by any number of threads.
#[derive(Debug)]
pub struct Feed {
    words: Mutex<Receiver<Word>>,
}

/// What is there just now.
#[derive(Debug)]
pub enum Now {
    /// This.
    Word(Word),
    /// Nothing yet.
    Nothing,
    /// Nothing any more.
    End,
}

impl Feed {
    /// A feed that holds up to `depth` arrivals, and where its source puts them.
    pub fn new(depth: usize) -> (Sender<Word>, Self) {
        let (sender, words) = channel(depth);
        (sender, Self { words: Mutex::new(words) })
    }

    /// Waits for the next; none once the source has ended. Never call it where async code runs.
    pub fn next(&self) -> Option<Word> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv()
    }

    /// Hands everything on to another feed, until one of them ends. Never call it where async code runs.
    pub fn pour(&self, out: &Sender<Word>) {
        while let Some(word) = self.next() {
            if out.blocking_send(word).is_err() {
                return;
            }
        }
    }

    /// What is there without waiting.
    pub fn now(&self) -> Now {
        let mut words = match self.words.try_lock() {
            Ok(words) => words,
            Err(TryLockError::Poisoned(words)) => words.into_inner(),
            Err(TryLockError::WouldBlock) => return Now::Nothing,
        };
        match words.try_recv() {
            Ok(word) => Now::Word(word),
            Err(TryRecvError::Empty) => Now::Nothing,
            Err(TryRecvError::Disconnected) => Now::End,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::source::Place;

    #[test]
    fn every_arrival_is_taken_once_and_the_end_is_seen_by_all() {
        let (sender, feed) = Feed::new(4);
        assert!(matches!(feed.now(), Now::Nothing));
        let taken = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while let Some(word) = feed.next() {
                        assert!(word.is_ok());
                        taken.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            for number in 0..100 {
                let object = LogObject::new(number.to_string(), Place::Fed);
                let arrival = Arrival { object, bytes: Ok(Vec::new()), room: None };
                sender.blocking_send(Ok(Box::new(arrival))).expect("somebody listens");
            }
            drop(sender);
        });
        assert_eq!(taken.load(Ordering::Relaxed), 100);
        assert!(matches!(feed.now(), Now::End));
    }
}
