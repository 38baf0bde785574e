//! `athena:DATABASE.TABLE`: a CloudTrail table that somebody has made, by StartQueryExecution and its kin.
//!
//! The catalogue says which columns and partition keys there are: tables differ in SerDe, in age and in partitioning.

mod catalog;
mod service;
mod unload;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::Sender;

pub use catalog::{Found, Table};
pub use service::{Execution, Page, Service, State, Workgroup};
use unload::Unload;

use super::column::Selection;
use super::error::ApiError;
use super::hive::Type;
use super::part::{Form, Gone, Parts};
use super::relevant::{Names, condition, quoted};
use super::slice::{Slice, days, whole};
use super::{Running, Setting, Shared, Wait};
use crate::clock;
use crate::event::scope::Scope;
use crate::source::feed::Word;
use crate::source::s3::{Session, Url, url};
use crate::source::{Extent, LogObject, Place};

/// How long after a day's end the last of its files are there.
const LAG: i64 = 24 * 3_600_000_000;

/// A query under way, which an interrupt stops.
#[derive(Debug, Clone)]
pub(super) struct Query {
    service: Service,
    id: String,
}

impl Query {
    /// Stops it; one that has ended already needs none.
    pub(super) async fn cancel(&self) {
        self.service.stop(&self.id).await;
    }
}

/// A table.
#[derive(Debug)]
pub(super) struct Athena {
    service: Service,
    table: Table,
    selection: Selection,
    slices: Vec<Slice>,
    extent: Extent,
    late_days: i64,
    hold: bool,
    /// How answers are had as files; none where they are paged.
    unload: Option<Unload>,
    /// Whether files were refused, so that answers are paged.
    paged: AtomicBool,
    shared: Arc<Shared>,
}

impl Athena {
    /// Looks the table up in its catalogue.
    pub(super) async fn new(
        session: &Session,
        given: &str,
        setting: &Setting,
        extent: &Extent,
        shared: Arc<Shared>,
    ) -> Result<Self, ApiError> {
        let Some(from) = extent.from else {
            return Err(ApiError::Endless { source_name: format!("athena:{given}") });
        };
        let service = Service::new(
            session,
            setting.catalog.as_deref(),
            setting.workgroup.as_deref(),
            setting.output.as_deref(),
        );
        let mut table = service.table(given).await?;
        let to = extent.to.unwrap_or(setting.now).min(setting.now);
        let bounded = table.partitions(extent, from, to, setting.late_days).days;
        let (_, notes) = table.bounds(extent, from, to, setting.late_days);
        table.notes.drain(..).chain(notes).for_each(|note| shared.note(note));
        shared.note(match setting.max_scan {
            Some(limit) => format!("Athena bills what a query scans: it is stopped beyond {limit} bytes"),
            None => "Athena bills what a query scans: --max-scan sets a limit".to_owned(),
        });
        let slices = if setting.hold && bounded {
            days(from, to, setting.now, LAG, None)
        } else {
            vec![whole(from, to, setting.now)]
        };
        let selection = Selection::of(&table.columns, true);
        let unload = Unload::find(session, &service, given).await;
        Ok(Self {
            service,
            table,
            selection,
            slices,
            extent: extent.clone(),
            late_days: setting.late_days,
            hold: setting.hold,
            unload,
            paged: AtomicBool::new(false),
            shared,
        })
    }

    fn slice_name(&self, slice: &Slice) -> String {
        format!("athena:{}.{}/{}", self.table.database, self.table.name, slice.name)
    }

    /// What would be read.
    pub(super) fn list(&self) -> Vec<LogObject> {
        let name = |slice: &Slice| format!("{}/{}0001", self.slice_name(slice), super::REBUILT);
        self.slices.iter().map(|slice| LogObject::new(name(slice), Place::Fed)).collect()
    }

    /// Reads the slices that are wanted, one after the other.
    pub(super) async fn read(self: Arc<Self>, wanted: Arc<BTreeSet<String>>, out: Sender<Word>) {
        for slice in &self.slices {
            let name = self.slice_name(slice);
            let listed = format!("{name}/{}0001", super::REBUILT);
            if wanted.contains(&listed) && self.slice(slice, &name, &out).await.is_err() {
                return;
            }
        }
    }

    async fn slice(&self, slice: &Slice, name: &str, out: &Sender<Word>) -> Result<(), Gone> {
        let mut parts = Parts::new(name, Form::Rebuilt, self.hold, out);
        match self.query(slice, name, &mut parts).await? {
            Ok(()) => parts.complete().await,
            Err(error) if error.fatal() => {
                let _ = out.send(Err(error.to_string())).await;
                Err(Gone)
            }
            Err(error) => parts.floor(&error.to_string()).await,
        }
    }

    fn statement(&self, slice: &Slice) -> String {
        let type_of = |name: &str| self.table.type_of(name);
        let there = |name: &str| type_of(name).is_some();
        let identity = |field: &str, key: &str| match type_of("useridentity") {
            Some(Type::Struct(fields)) if fields.iter().any(|(one, _)| one == field) => {
                Some(format!("\"useridentity\".\"{field}\""))
            }
            Some(Type::Scalar(_)) => Some(format!("json_extract_scalar(\"useridentity\", '$.{key}')")),
            _ => None,
        };
        let (invoked_by, user) = (identity("invokedby", "invokedBy"), identity("username", "userName"));
        let names = Names {
            source: "\"eventsource\"",
            name: "\"eventname\"",
            invoked_by: invoked_by.as_deref(),
            user: user.as_deref(),
            address: Some("\"sourceipaddress\"").filter(|_| there("sourceipaddress")),
            error_code: Some("\"errorcode\"").filter(|_| there("errorcode")),
            region: "\"awsregion\"",
            account: Some("\"recipientaccountid\"").filter(|_| there("recipientaccountid")),
        };
        let time = |micros: i64| match type_of("eventtime") {
            Some(Type::Scalar(kind)) if kind.starts_with("timestamp") => {
                format!("TIMESTAMP '{}'", clock::format_micros(micros).replace('T', " ").replace('Z', ""))
            }
            // Text of one form: it sorts as time does.
            _ => quoted(&clock::format_micros(micros)),
        };
        let mut all = self.table.partitions(&self.extent, slice.from, slice.to, self.late_days).conditions;
        all.push(format!("\"eventtime\" >= {} AND \"eventtime\" < {}", time(slice.from), time(slice.to)));
        all.push(condition(Scope::get(), &self.extent, &names));
        format!("SELECT {} FROM {} WHERE {}", self.selection.list(), self.table.quoted(), all.join(" AND "))
    }

    /// Asks and reads the answer; the inner error says why it is not whole.
    async fn query(
        &self,
        slice: &Slice,
        name: &str,
        parts: &mut Parts,
    ) -> Result<Result<(), ApiError>, Gone> {
        let select = self.statement(slice);
        if let Some(unload) = self.unload.as_ref().filter(|_| !self.paged.load(Ordering::Relaxed)) {
            let place = unload.place(&slice.name);
            if let Some(answered) = self.unloaded(unload, &select, &place, name, parts).await? {
                return Ok(answered);
            }
        }
        match self.run(&select, name, parts).await? {
            Ok((id, _)) => self.results(&id, name, parts).await,
            Err((error, _)) => Ok(Err(error)),
        }
    }

    /// The same by way of files; nothing where they are not to be had, and no more is tried.
    async fn unloaded(
        &self,
        unload: &Unload,
        select: &str,
        place: &Url,
        name: &str,
        parts: &mut Parts,
    ) -> Result<Option<Result<(), ApiError>>, Gone> {
        let ran = match self.run(&Unload::statement(select, place), name, parts).await {
            Ok(ran) => ran,
            Err(gone) => {
                self.remove(unload, place).await;
                return Err(gone);
            }
        };
        let refused = match ran {
            Ok((_, Execution { manifest: Some(manifest), .. })) => {
                let answered = match unload.files(&manifest).await {
                    Ok(files) => self.files(unload, &files, parts).await.map(Ok),
                    Err(error) => Ok(Err(error.to_string())),
                };
                self.remove(unload, place).await;
                match answered? {
                    Ok(answered) => return Ok(Some(answered)),
                    // No row was handed on yet.
                    Err(error) => error,
                }
            }
            Ok(_) => {
                self.remove(unload, place).await;
                "no manifest of its files".to_owned()
            }
            Err((error, refused)) => {
                self.remove(unload, place).await;
                if !refused {
                    return Ok(Some(Err(error)));
                }
                error.to_string()
            }
        };
        self.paged.store(true, Ordering::Relaxed);
        self.shared
            .note(format!("answers are read a thousand rows at a time, since UNLOAD gave none: {refused}"));
        Ok(None)
    }

    async fn remove(&self, unload: &Unload, place: &Url) {
        if let Err(error) = unload.empty(place).await {
            let files = url::name(&place.bucket, &place.prefix);
            self.shared.note(format!("files below {files} were not removed: {error}"));
        }
    }

    async fn files(
        &self,
        unload: &Unload,
        files: &[Url],
        parts: &mut Parts,
    ) -> Result<Result<(), ApiError>, Gone> {
        for file in files {
            let mut rows = match unload.rows(file, self.selection.len()).await {
                Ok(rows) => rows,
                Err(error) => return Ok(Err(error)),
            };
            loop {
                let texts = match rows.next() {
                    Ok(Some(texts)) => texts,
                    Ok(None) => break,
                    Err(error) => return Ok(Err(error)),
                };
                for row in texts.each() {
                    parts.push(&self.selection.record(&row)).await?;
                }
            }
        }
        Ok(Ok(()))
    }

    /// Runs a statement to its end: its id and what became of it, or why there is no answer, and whether that may be for the
    /// files it was to write.
    async fn run(
        &self,
        statement: &str,
        name: &str,
        parts: &Parts,
    ) -> Result<Result<(String, Execution), (ApiError, bool)>, Gone> {
        if self.shared.over(0) {
            return Ok(Err((self.shared.too_much(name), false)));
        }
        let started = self.service.start(statement, &self.table.database, name).await;
        let id = match started {
            Ok(id) => id,
            Err(error) => return Ok(Err((error, false))),
        };
        let query = Query { service: self.service.clone(), id: id.clone() };
        let _running = self.shared.runs(Running::Athena(query));
        Ok(self.ended(&id, name, parts).await?.map(|found| (id, found)))
    }

    async fn ended(
        &self,
        id: &str,
        name: &str,
        parts: &Parts,
    ) -> Result<Result<Execution, (ApiError, bool)>, Gone> {
        let mut waits = Wait::new(Duration::from_millis(200), Duration::from_secs(3));
        loop {
            let found = match self.service.execution(id, name).await {
                Ok(found) => found,
                // Nobody would know what it scans.
                Err(error) => {
                    self.service.stop(id).await;
                    return Ok(Err((error, false)));
                }
            };
            let scanned = found.scanned;
            if found.state == State::Going {
                let over = self.shared.over(scanned);
                if over || !parts.wanted() {
                    self.service.stop(id).await;
                    self.shared.scanned(scanned, &format!("query {id} of {name}, stopped, had scanned"));
                    return if over { Ok(Err((self.shared.too_much(name), false))) } else { Err(Gone) };
                }
                waits.pass().await;
                continue;
            }
            self.shared.scanned(scanned, &format!("query {id} of {name} scanned"));
            return Ok(match &found.state {
                State::Ended(state, reason) => {
                    let refused = state == "FAILED" && (scanned == 0 || about_files(reason));
                    Err((ApiError::failed(name, state, reason), refused))
                }
                _ => Ok(found),
            });
        }
    }

    async fn results(&self, id: &str, name: &str, parts: &mut Parts) -> Result<Result<(), ApiError>, Gone> {
        let mut token = None::<String>;
        let mut first = true;
        loop {
            let page = match self.service.page(id, token, name).await {
                Ok(page) => page,
                Err(error) => return Ok(Err(error)),
            };
            for row in &page.rows {
                let cells: Vec<Option<&str>> = row.iter().map(Option::as_deref).collect();
                // The first row of a SELECT's answer says what its columns are called.
                if std::mem::take(&mut first) && cells.first() == Some(&Some("c0")) {
                    continue;
                }
                parts.push(&self.selection.record(&cells)).await?;
            }
            token = page.next;
            if token.is_none() {
                return Ok(Ok(()));
            }
        }
    }
}

/// Whether a query failed for the files it was to write, by the service's reason.
fn about_files(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["unload", "hive_writer", "hive_path_already_exists", "bedtrail-run/"]
        .iter()
        .any(|mark| reason.contains(mark))
}
