//! `lookup:` and `lookup:eu-west-1`: CloudTrail's Event history, by LookupEvents.
//!
//! The service takes one attribute a call and answers two calls a second, 50 events each, newest first, of the last 90 days
//! (API reference, LookupEvents). So each event source is asked on its own: once for the whole window, which is all there is
//! to most of them, and day by day where one answer does not hold it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use aws_config::Region;
use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::config::Builder;
use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::error::ApiError;
use super::part::{Form, Gone, Parts, first, unreachable};
use super::slice::{DAY, Slice, date, days};
use super::{Setting, Shared};
use crate::data;
use crate::event::scope::Scope;
use crate::source::feed::Word;
use crate::source::s3::Session;
use crate::source::{Extent, LogObject, Place};

/// Days that Event history keeps.
const KEPT: i64 = 90;
/// How long after a day's end the last of its events are there.
const LAG: i64 = 3_600_000_000;
const PERMISSION: &str = "cloudtrail:LookupEvents";
/// How often a slice begins again whose token is rejected.
const AGAIN: usize = 3;
/// Waits where the service still throttles after the SDK's tries.
const WAITS: [Duration; 2] = [Duration::from_secs(15), Duration::from_secs(30)];

/// Sources asked by the names that are wanted of them: all else they record is far more.
const BY_NAME: [&str; 3] = ["kms.amazonaws.com", "logs.amazonaws.com", "s3.amazonaws.com"];

/// Event history of some Regions.
#[derive(Debug)]
pub(super) struct Lookup {
    config: aws_config::SdkConfig,
    regions: Vec<data::Region>,
    /// Whether the Regions were asked for by name.
    named: bool,
    days: Vec<Slice>,
    /// What the service does not keep any more, as an object.
    clip: Option<LogObject>,
    gap: Duration,
    hold: bool,
    shared: Arc<Shared>,
}

/// What is asked for in one call after the other.
#[derive(Debug, Clone)]
struct Query<'q> {
    source: &'q str,
    /// One event name, instead of all of the source.
    name: Option<&'q str>,
}

impl Lookup {
    /// What is to be asked of the given Region, else of those of `extent`, else of all in the session's partition.
    pub(super) fn new(
        session: &Session,
        given: Option<&str>,
        setting: &Setting,
        extent: &Extent,
        shared: Arc<Shared>,
    ) -> Self {
        let all = data::regions().unwrap_or_default();
        let named: Vec<String> = given.map_or_else(|| extent.regions.clone(), |given| vec![given.to_owned()]);
        let home = session.config().region().map(AsRef::as_ref);
        let partition = all.iter().find(|region| Some(region.name.as_str()) == home);
        let partition = partition.map_or("aws", |region| &region.partition);
        let regions = if named.is_empty() {
            all.iter().filter(|region| region.partition == partition).cloned().collect()
        } else {
            let region = |name: &String| data::Region {
                name: name.clone(),
                partition: partition.to_owned(),
                opt_in: all.iter().any(|region| region.name == *name && region.opt_in),
            };
            named.iter().map(region).collect()
        };
        let earliest = setting.now - KEPT * DAY;
        let from = extent.from.unwrap_or(earliest).max(earliest);
        let to = extent.to.unwrap_or(setting.now);
        let clip = extent.from.filter(|from| *from < earliest - earliest.rem_euclid(DAY)).map(|from| {
            let reason = format!(
                "CloudTrail keeps Event history for {KEPT} days: what was before {} can only come from a trail, an event data store or a table",
                date(earliest)
            );
            let name = format!("lookup:/{}..{}", date(from), date(earliest));
            LogObject::new(name, Place::Unreachable(reason))
        });
        Self {
            config: session.config().clone(),
            regions,
            named: !named.is_empty(),
            days: days(from, to, setting.now, LAG, Some(earliest)),
            clip,
            gap: Duration::from_secs_f64(1.0 / setting.rate),
            hold: setting.hold,
            shared,
        }
    }

    /// The sources to ask for, with the names wanted of them if not all are.
    fn sources() -> Vec<(&'static str, Option<BTreeSet<&'static str>>)> {
        let scope = Scope::get();
        // CloudTrail itself writes no alias.
        let family = scope.sources().filter(|source| scope.alias(source) == *source);
        family
            .map(|source| (source, None))
            .chain(scope.wanted().map(|(source, names)| (source, BY_NAME.contains(&source).then_some(names))))
            .collect()
    }

    fn slice(region: &str, day: &Slice, source: &str) -> String {
        format!("lookup:{region}/{}/{source}", day.name)
    }

    /// What would be read, in no order.
    pub(super) fn list(&self) -> Vec<LogObject> {
        let mut objects: Vec<LogObject> = self.clip.clone().into_iter().collect();
        for region in &self.regions {
            for day in &self.days {
                for (source, _) in Self::sources() {
                    let name = first(&Self::slice(&region.name, day, source));
                    objects.push(LogObject::new(name, Place::Fed));
                }
            }
        }
        objects
    }

    /// What is to be known before it begins.
    pub(super) fn note(&self) -> String {
        let calls: usize =
            Self::sources().iter().map(|(_, names)| names.as_ref().map_or(1, BTreeSet::len)).sum();
        let seconds = self.gap.as_secs_f64() * f64::from(u32::try_from(calls).unwrap_or(u32::MAX));
        format!(
            "LookupEvents: at least {calls} calls in each of {} Regions, {seconds:.0} seconds; more where one answer does not hold the window",
            self.regions.len()
        )
    }

    /// Reads the objects that are wanted, all Regions at a time.
    pub(super) async fn read(self: Arc<Self>, wanted: Arc<BTreeSet<String>>, out: Sender<Word>) {
        if let Some(LogObject { name, place: Place::Unreachable(reason), .. }) = &self.clip
            && wanted.contains(name)
        {
            let _ = unreachable(&out, name.clone(), reason).await;
        }
        let mut regions = JoinSet::new();
        for region in self.regions.clone() {
            let (lookup, wanted, out) = (Arc::clone(&self), Arc::clone(&wanted), out.clone());
            regions.spawn(async move {
                let ended = Reading::of(&lookup, &region, &wanted, &out).region().await;
                (region, ended)
            });
        }
        let (mut not_enabled, mut rejected) = (BTreeSet::new(), None);
        let count = regions.len();
        while let Some(ended) = regions.join_next().await {
            let Ok((region, Err(End::Because(error)))) = ended else { continue };
            if matches!(error, ApiError::Rejected { .. }) && region.opt_in {
                not_enabled.insert(region.name);
                rejected = Some(error);
            } else if error.fatal() {
                let _ = out.send(Err(error.to_string())).await;
            } else {
                let _ = unreachable(&out, format!("lookup:{}", region.name), &error.to_string()).await;
            }
        }
        // Where all say so, it is the key.
        if let Some(error) = rejected.filter(|_| not_enabled.len() == count) {
            let _ = out.send(Err(error.to_string())).await;
        } else if self.named {
            for region in not_enabled {
                let reason = "the Region is not enabled for the account, or not for this session";
                let _ = unreachable(&out, format!("lookup:{region}"), reason).await;
            }
        } else if !not_enabled.is_empty() {
            let list: Vec<String> = not_enabled.into_iter().collect();
            self.shared.note(format!(
                "Regions that are not enabled for the account were skipped: {}",
                list.join(", ")
            ));
        }
    }
}

/// Why a Region's reading ends early.
enum End {
    Because(ApiError),
    Gone,
}

impl From<Gone> for End {
    fn from(Gone: Gone) -> Self {
        Self::Gone
    }
}

/// The reading of one Region.
struct Reading<'l> {
    lookup: &'l Lookup,
    region: &'l str,
    client: Client,
    wanted: &'l BTreeSet<String>,
    out: &'l Sender<Word>,
    /// When the next call may be made.
    next: Instant,
}

impl<'l> Reading<'l> {
    fn of(
        lookup: &'l Lookup,
        region: &'l data::Region,
        wanted: &'l BTreeSet<String>,
        out: &'l Sender<Word>,
    ) -> Self {
        let config = Builder::from(&lookup.config).region(Region::new(region.name.clone())).build();
        let client = Client::from_conf(config);
        Self { lookup, region: &region.name, client, wanted, out, next: Instant::now() }
    }

    async fn region(&mut self) -> Result<(), End> {
        for (source, names) in Lookup::sources() {
            let needed: Vec<&Slice> = self
                .lookup
                .days
                .iter()
                .filter(|day| self.wanted.contains(&first(&Lookup::slice(self.region, day, source))))
                .collect();
            if needed.is_empty() {
                continue;
            }
            let queries: Vec<Query<'_>> = match &names {
                Some(names) => names.iter().map(|name| Query { source, name: Some(name) }).collect(),
                None => vec![Query { source, name: None }],
            };
            self.source(source, &queries, &needed).await?;
        }
        Ok(())
    }

    /// All days of one source.
    async fn source(&mut self, source: &str, queries: &[Query<'_>], needed: &[&Slice]) -> Result<(), End> {
        let parts = |day: &Slice| {
            let slice = Lookup::slice(self.region, day, source);
            Parts::new(&slice, Form::Events, self.lookup.hold, self.out)
        };
        let mut open: BTreeMap<i64, Parts> = needed.iter().map(|day| (day.from, parts(day))).collect();
        let mut floors: BTreeMap<i64, String> = BTreeMap::new();
        for query in queries {
            match self.window(query, needed).await? {
                Ok(Some(events)) => {
                    for (at, event) in events {
                        if let Some(parts) = open.get_mut(&(at.div_euclid(DAY) * DAY)) {
                            parts.push(&event).await?;
                        }
                    }
                }
                // Too many for one answer.
                Ok(None) => {
                    for day in needed {
                        let Some(parts) = open.get_mut(&day.from) else { continue };
                        if let Err(reason) = self.day(query, day, parts).await? {
                            floors.entry(day.from).or_insert(reason);
                        }
                        // One question alone: the day is done, and need not wait for the others.
                        if queries.len() == 1
                            && let Some(parts) = open.remove(&day.from)
                        {
                            close(parts, floors.get(&day.from)).await?;
                        }
                    }
                }
                Err(reason) => {
                    for day in needed {
                        floors.entry(day.from).or_insert_with(|| reason.clone());
                    }
                }
            }
        }
        for (day, parts) in open {
            close(parts, floors.get(&day)).await?;
        }
        Ok(())
    }

    /// All events of the window with their times, if one answer holds them. The inner error floors the slices.
    async fn window(
        &mut self,
        query: &Query<'_>,
        needed: &[&Slice],
    ) -> Result<Result<Option<Vec<(i64, String)>>, String>, End> {
        let (Some(first), Some(last)) = (needed.first(), needed.last()) else {
            return Ok(Ok(Some(Vec::new())));
        };
        match self.page(query, first.from, last.to, None).await {
            Ok((events, None)) => {
                Ok(Ok(Some(events.iter().filter_map(|event| told(event, query, first.from)).collect())))
            }
            Ok((_, Some(_))) => Ok(Ok(None)),
            Err(error) => floor(error).map(Err),
        }
    }

    /// Reads one day page by page; the inner error says why it is a floor.
    async fn day(
        &mut self,
        query: &Query<'_>,
        day: &Slice,
        parts: &mut Parts,
    ) -> Result<Result<(), String>, End> {
        let mut had: HashSet<String> = HashSet::new();
        for attempt in 0.. {
            let mut token = None;
            loop {
                if !parts.wanted() {
                    return Err(End::Gone);
                }
                match self.page(query, day.from, day.to, token).await {
                    Ok((events, next)) => {
                        for event in &events {
                            // Of pages that were read again.
                            if event.event_id().is_some_and(|id| !had.insert(id.to_owned())) {
                                continue;
                            }
                            if let Some((_, text)) = told(event, query, day.from) {
                                parts.push(&text).await?;
                            }
                        }
                        token = next;
                        if token.is_none() {
                            return Ok(Ok(()));
                        }
                    }
                    Err(ApiError::Token { .. }) if attempt < AGAIN => break,
                    Err(error) => return floor(error).map(Err),
                }
            }
        }
        Ok(Ok(()))
    }

    /// One call, at its time.
    async fn page(
        &mut self,
        query: &Query<'_>,
        from: i64,
        to: i64,
        token: Option<String>,
    ) -> Result<(Vec<Event>, Option<String>), ApiError> {
        let (key, value) = match query.name {
            Some(name) => (LookupAttributeKey::EventName, name),
            None => (LookupAttributeKey::EventSource, query.source),
        };
        let target = format!("lookup:{} {value}", self.region);
        let attribute = LookupAttribute::builder().attribute_key(key).attribute_value(value).build();
        let attribute = attribute
            .map_err(|error| ApiError::Network { target: target.clone(), message: error.to_string() })?;
        let mut waits = WAITS.iter();
        loop {
            tokio::time::sleep_until(self.next).await;
            self.next = self.next.max(Instant::now()) + self.lookup.gap;
            let request = self
                .client
                .lookup_events()
                .lookup_attributes(attribute.clone())
                .start_time(DateTime::from_secs(from.div_euclid(1_000_000)))
                // Both ends are inclusive, and times are whole seconds.
                .end_time(DateTime::from_secs((to - 1).div_euclid(1_000_000)))
                .max_results(50)
                .set_next_token(token.clone());
            match request.send().await {
                Ok(answer) => {
                    let next = answer.next_token.filter(|token| !token.is_empty());
                    return Ok((answer.events.unwrap_or_default(), next));
                }
                Err(error) => match (ApiError::of(&error, PERMISSION, &target), waits.next()) {
                    (ApiError::Throttled { .. }, Some(wait)) => tokio::time::sleep(*wait).await,
                    (error, _) => return Err(error),
                },
            }
        }
    }
}

/// What ends the whole Region, or why a slice is a floor.
fn floor(error: ApiError) -> Result<String, End> {
    match error {
        ApiError::Denied { .. } | ApiError::Rejected { .. } | ApiError::Expired { .. } => {
            Err(End::Because(error))
        }
        other => Ok(other.to_string()),
    }
}

async fn close(parts: Parts, floor: Option<&String>) -> Result<(), Gone> {
    match floor {
        None => parts.complete().await,
        Some(reason) => parts.floor(&format!("not all of it could be read: {reason}")).await,
    }
}

/// An event as the decoder reads it, with its time; none if it is another service's of the same name.
fn told(event: &Event, query: &Query<'_>, otherwise: i64) -> Option<(i64, String)> {
    if event.event_source().is_some_and(|source| query.name.is_some() && source != query.source) {
        return None;
    }
    let at = event.event_time().map_or(otherwise, |time| time.secs() * 1_000_000);
    // What is missing is a record that cannot be read, and is told of as one.
    let text = event.cloud_trail_event().unwrap_or_default();
    let text = serde_json::json!({ "EventId": event.event_id(), "CloudTrailEvent": text });
    Some((at, text.to_string()))
}
