//! The answers of one slice as log objects: `…/0001` and on, each of bounded size.
//!
//! `…/0001` is what the slice is known by. Into a store it goes last, so that it says that all of the slice is there.

use tokio::sync::mpsc::Sender;

use crate::source::feed::{Arrival, Word};
use crate::source::{LogObject, Place};

/// Text of one object, in bytes: many objects are open at a time.
const TEXT: usize = 1 << 20;

/// Nobody reads any more.
#[derive(Debug)]
pub(super) struct Gone;

/// How records are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `{"Events":[{"CloudTrailEvent":"…"}]}`
    Events,
    /// `{"Records":[…]}`
    Records,
    /// The same, of records that were put together from a table's columns.
    Rebuilt,
}

/// The objects of one slice in the making.
#[derive(Debug)]
pub(super) struct Parts {
    slice: String,
    form: Form,
    out: Sender<Word>,
    /// Objects wait here until the slice is complete, if they must.
    held: Option<Vec<Arrival>>,
    text: String,
    count: u32,
}

/// The name under which a slice is known.
pub(super) fn first(slice: &str) -> String {
    format!("{slice}/0001")
}

impl Parts {
    /// `hold`: nothing of the slice is handed on before all of it is there.
    pub(super) fn new(slice: &str, form: Form, hold: bool, out: &Sender<Word>) -> Self {
        let held = hold.then(Vec::new);
        Self { slice: slice.to_owned(), form, out: out.clone(), held, text: String::new(), count: 0 }
    }

    /// Adds a record as JSON.
    pub(super) async fn push(&mut self, record: &str) -> Result<(), Gone> {
        if !self.text.is_empty() {
            self.text.push_str(",\n");
        }
        self.text.push_str(record);
        if self.text.len() >= TEXT { self.close().await } else { Ok(()) }
    }

    fn name(&self, number: u32) -> String {
        let kind = if self.form == Form::Rebuilt { super::REBUILT } else { "" };
        format!("{}/{kind}{number:04}", self.slice)
    }

    /// Whether anything came.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.count == 0
    }

    /// Whether anybody still wants it.
    pub(super) fn wanted(&self) -> bool {
        !self.out.is_closed()
    }

    async fn close(&mut self) -> Result<(), Gone> {
        let key = if self.form == Form::Events { "Events" } else { "Records" };
        let text = format!("{{\"{key}\":[{}]}}", std::mem::take(&mut self.text));
        self.count += 1;
        let name = self.name(self.count);
        // Answers come slower than they are packed, and they may wait.
        let bytes = zstd::bulk::compress(text.as_bytes(), 1).unwrap_or_else(|_| text.into_bytes());
        let arrival = Arrival { object: LogObject::new(name, Place::Fed), bytes: Ok(bytes), room: None };
        match &mut self.held {
            Some(held) => {
                held.push(arrival);
                Ok(())
            }
            None => send(&self.out, arrival).await,
        }
    }

    /// There is no more: the slice is complete.
    pub(super) async fn complete(mut self) -> Result<(), Gone> {
        if !self.text.is_empty() || self.count == 0 {
            self.close().await?;
        }
        for arrival in self.held.take().into_iter().flatten().rev() {
            send(&self.out, arrival).await?;
        }
        Ok(())
    }

    /// There is more, but it cannot be had: what came is a floor.
    pub(super) async fn floor(mut self, reason: &str) -> Result<(), Gone> {
        let name = if self.held.is_some() {
            // Not even what came: the next run asks again for all of it.
            self.name(1)
        } else {
            if !self.text.is_empty() {
                self.close().await?;
            }
            format!("{}/floor", self.slice)
        };
        refused(&self.out, LogObject::new(name, Place::Fed), reason).await
    }
}

/// Says that an object cannot be had.
pub(super) async fn refused(out: &Sender<Word>, object: LogObject, reason: &str) -> Result<(), Gone> {
    send(out, Arrival { object, bytes: Err(reason.to_owned()), room: None }).await
}

/// Says that a source could not be reached; in a store that is no object.
pub(super) async fn unreachable(out: &Sender<Word>, name: String, reason: &str) -> Result<(), Gone> {
    refused(out, LogObject::new(name, Place::Unreachable(reason.to_owned())), reason).await
}

async fn send(out: &Sender<Word>, arrival: Arrival) -> Result<(), Gone> {
    out.send(Ok(Box::new(arrival))).await.map_err(|_| Gone)
}
