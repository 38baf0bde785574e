//! `lake:EVENT-DATA-STORE`: CloudTrail Lake, by StartQuery, DescribeQuery and GetQueryResults.
//!
//! A store has each record as it was logged, in the column `eventjson`; where that is missing, the record is put together
//! from the other columns. The service bills the bytes that a query scans, so that time bounds and sources are part of it.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use aws_config::Region;
use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::config::Builder;
use aws_sdk_cloudtrail::types::QueryStatus;
use serde_json::value::RawValue;
use tokio::sync::mpsc::Sender;

use super::column::Selection;
use super::error::ApiError;
use super::hive::Type;
use super::part::{Form, Gone, Parts, first};
use super::relevant::{Names, condition};
use super::slice::{DAY, Slice, days, whole};
use super::{Running, Setting, Shared, Wait};
use crate::clock;
use crate::event::scope::Scope;
use crate::source::feed::Word;
use crate::source::s3::Session;
use crate::source::{Extent, LogObject, Place};

/// How long after a day's end the last of its events are there.
const LAG: i64 = 6 * 3_600_000_000;
/// Rows of one answer.
const ROWS: i32 = 1000;
/// How often a query waits for others of the account to end.
const TURNS: usize = 30;
/// How often an answer is read again whose token is rejected.
const AGAIN: usize = 3;
/// Characters of a statement, at most (API reference, StartQuery).
const LONGEST: usize = 10_000;
/// What came of the record as it was logged.
const JSON: &str = "eventjson";

/// Columns of an event data store for CloudTrail events (user guide, "Supported SQL schemas for event data stores").
const COLUMNS: &[(&str, &str)] = &[
    ("eventversion", "string"),
    (
        "useridentity",
        "struct<type:string,principalid:string,arn:string,accountid:string,accesskeyid:string,username:string,\
         sessioncontext:struct<attributes:struct<creationdate:timestamp,mfaauthenticated:string>,\
         sessionissuer:struct<type:string,principalid:string,arn:string,accountid:string,username:string>,\
         webidfederationdata:struct<federatedprovider:string,attributes:map<string,string>>,sourceidentity:string,\
         ec2roledelivery:string,ec2issuedinvpc:string>,onbehalfof:struct<userid:string,identitystorearn:string>,\
         inscopeof:struct<sourcearn:string,sourceaccount:string,issuertype:string,credentialsissuedto:string>,\
         invokedby:string,identityprovider:string>",
    ),
    ("eventtime", "timestamp"),
    ("eventsource", "string"),
    ("eventname", "string"),
    ("awsregion", "string"),
    ("sourceipaddress", "string"),
    ("useragent", "string"),
    ("errorcode", "string"),
    ("errormessage", "string"),
    ("requestparameters", "map<string,string>"),
    ("responseelements", "map<string,string>"),
    ("additionaleventdata", "map<string,string>"),
    ("requestid", "string"),
    ("eventid", "string"),
    ("readonly", "boolean"),
    ("resources", "array<struct<accountid:string,type:string,arn:string>>"),
    ("eventtype", "string"),
    ("apiversion", "string"),
    ("managementevent", "boolean"),
    ("recipientaccountid", "string"),
    ("sharedeventid", "string"),
    ("vpcendpointid", "string"),
    ("serviceeventdetails", "map<string,string>"),
    ("addendum", "map<string,string>"),
    ("eventcategory", "string"),
    ("tlsdetails", "struct<tlsversion:string,ciphersuite:string,clientprovidedhostheader:string>"),
    ("sessioncredentialfromconsole", "string"),
];

/// What a statement asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Records as they were logged.
    Logged,
    /// The columns of those without.
    Lacking,
    /// The columns of all.
    All,
}

/// A query under way, which an interrupt cancels.
#[derive(Debug, Clone)]
pub(super) struct Query {
    client: Client,
    id: String,
}

impl Query {
    /// Cancels it; one that has ended already needs none.
    pub(super) async fn cancel(&self) {
        let _ = self.client.cancel_query().query_id(&self.id).send().await;
    }
}

/// An event data store.
#[derive(Debug)]
pub(super) struct Lake {
    client: Client,
    store: String,
    slices: Vec<Slice>,
    extent: Extent,
    selection: Selection,
    /// Whether the store has the column of records as logged.
    json: AtomicBool,
    hold: bool,
    /// Bytes that its queries scanned.
    scanned: AtomicU64,
    shared: Arc<Shared>,
}

impl Lake {
    /// The store by its ARN or id. Asks the service once what state it is in, where that is allowed.
    pub(super) async fn new(
        session: &Session,
        given: &str,
        setting: &Setting,
        extent: &Extent,
        shared: Arc<Shared>,
    ) -> Result<Self, ApiError> {
        let wrong = || ApiError::Source {
            given: format!("lake:{given}"),
            form: "lake: and the id or ARN of an event data store",
        };
        let (region, store) = match given.strip_prefix("arn:") {
            None => (None, given),
            Some(arn) => {
                let region = arn.split(':').nth(2).filter(|region| !region.is_empty()).ok_or_else(wrong)?;
                (Some(region), arn.split_once(":eventdatastore/").ok_or_else(wrong)?.1)
            }
        };
        // It becomes part of a statement.
        if store.is_empty() || !store.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(wrong());
        }
        let Some(from) = extent.from else {
            return Err(ApiError::Endless { source_name: format!("lake:{given}") });
        };
        let mut config = Builder::from(session.config());
        if let Some(region) = region {
            config = config.region(Region::new(region.to_owned()));
        }
        let to = extent.to.unwrap_or(setting.now);
        let slices = if setting.hold {
            days(from, to, setting.now, LAG, None)
        } else if to.min(setting.now) - from > 2 * DAY {
            vec![whole(from, from + DAY, setting.now), whole(from + DAY, to, setting.now)]
        } else {
            vec![whole(from, to, setting.now)]
        };
        let columns: Vec<(String, Type)> = COLUMNS
            .iter()
            .filter_map(|(name, kind)| Some(((*name).to_owned(), Type::parse(kind)?)))
            .collect();
        let lake = Self {
            client: Client::from_conf(config.build()),
            store: store.to_owned(),
            slices,
            extent: extent.clone(),
            selection: Selection::of(&columns, false),
            json: AtomicBool::new(true),
            hold: setting.hold,
            scanned: AtomicU64::new(0),
            shared,
        };
        lake.ready(given).await?;
        Ok(lake)
    }

    /// That the store can be asked, as far as we may know.
    async fn ready(&self, given: &str) -> Result<(), ApiError> {
        let asked = self.client.get_event_data_store().event_data_store(given).send().await;
        let status = match asked {
            Ok(found) => found.status,
            Err(error) => match ApiError::of(&error, "cloudtrail:GetEventDataStore", &self.store) {
                // Nobody needs this permission: a query says as well what is wrong.
                ApiError::Denied { .. } => None,
                error => return Err(error),
            },
        };
        let state = match status.as_ref().map(aws_sdk_cloudtrail::types::EventDataStoreStatus::as_str) {
            Some("PENDING_DELETION") => {
                "it is about to be deleted; `aws cloudtrail restore-event-data-store` brings it back"
            }
            Some("CREATED") => "it was created just now and is not ready; run again later",
            _ => return Ok(()),
        };
        Err(ApiError::Store { store: self.store.clone(), state: state.to_owned() })
    }

    fn slice_name(&self, slice: &Slice) -> String {
        format!("lake:{}/{}", self.store, slice.name)
    }

    /// What would be read.
    pub(super) fn list(&self) -> Vec<LogObject> {
        self.slices.iter().map(|slice| LogObject::new(first(&self.slice_name(slice)), Place::Fed)).collect()
    }

    /// What is to be known before it begins.
    pub(super) fn note(&self) -> String {
        let limit = match self.shared.max_scan {
            Some(limit) => format!("it is stopped beyond {limit} bytes"),
            None => "--max-scan sets a limit".to_owned(),
        };
        format!(
            "CloudTrail Lake bills what a query scans and has no estimate beforehand: of several days the first is asked for \
             alone, which tells about what the others take, and {limit}. The service has been closed to new customers since 2026-05-31"
        )
    }

    /// Reads the slices that are wanted, one after the other.
    pub(super) async fn read(self: Arc<Self>, wanted: Arc<BTreeSet<String>>, out: Sender<Word>) {
        let wanted = |slice: &&Slice| wanted.contains(&first(&self.slice_name(slice)));
        let slices: Vec<&Slice> = self.slices.iter().filter(wanted).collect();
        for (at, slice) in slices.iter().enumerate() {
            let name = self.slice_name(slice);
            // Days that are kept one by one are worth having as far as the limit goes; one query cut short is worth nothing.
            let foreseen = if at == 1 { self.foresee(slices[0], &slices[1..]) } else { 0 };
            let done = if foreseen > 0 && !self.hold && self.shared.over(foreseen) {
                let reason = format!(
                    "it would scan about {foreseen} bytes, beyond --max-scan; ask for less time, or raise it"
                );
                let parts = Parts::new(&name, Form::Records, self.hold, &out);
                parts.floor(&ApiError::failed(&name, "not asked", &reason).to_string()).await
            } else {
                self.slice(slice, &name, &out).await
            };
            if done.is_err() {
                return;
            }
        }
    }

    /// About how many bytes the others take, by what the first took; said before they are asked for.
    fn foresee(&self, first: &Slice, others: &[&Slice]) -> u64 {
        let span = |slice: &Slice| u128::try_from(slice.to - slice.from).unwrap_or(0);
        // Other sources scan at the same time.
        let took = self.scanned.load(Ordering::Relaxed);
        if took == 0 {
            self.shared.note(format!(
                "{} scanned nothing: what the rest takes is not known",
                self.slice_name(first)
            ));
            return 0;
        }
        let all: u128 = others.iter().map(|slice| span(slice)).sum();
        let about = u128::from(took) * all / span(first).max(1);
        let about = u64::try_from(about).unwrap_or(u64::MAX);
        self.shared.note(format!(
            "{} scanned {took} bytes: about {about} more for the rest",
            self.slice_name(first)
        ));
        about
    }

    async fn slice(&self, slice: &Slice, name: &str, out: &Sender<Word>) -> Result<(), Gone> {
        let mut parts = Parts::new(name, Form::Records, self.hold, out);
        let mut rebuilt = Parts::new(name, Form::Rebuilt, self.hold, out);
        let mut done = Ok(0);
        if self.json.load(Ordering::Relaxed) {
            done = self.query(slice, name, Which::Logged, &mut parts, &mut rebuilt).await?;
            match &done {
                Ok(lacking) if *lacking > 0 => {
                    done = self.query(slice, name, Which::Lacking, &mut parts, &mut rebuilt).await?;
                }
                // Stores of some age may not have it.
                Err(error) if error.to_string().to_ascii_lowercase().contains(JSON) => {
                    self.json.store(false, Ordering::Relaxed);
                }
                _ => {}
            }
        }
        if !self.json.load(Ordering::Relaxed) {
            done = self.query(slice, name, Which::All, &mut parts, &mut rebuilt).await?;
        }
        match done {
            Ok(_) => {
                if !rebuilt.is_empty() {
                    rebuilt.complete().await?;
                }
                parts.complete().await
            }
            Err(error) if error.fatal() => {
                let _ = out.send(Err(error.to_string())).await;
                Err(Gone)
            }
            Err(error) => {
                if !self.hold && !rebuilt.is_empty() {
                    rebuilt.complete().await?;
                }
                parts.floor(&error.to_string()).await
            }
        }
    }

    fn statement(&self, slice: &Slice, which: Which) -> String {
        let narrow = self.narrowed(slice, which, &self.extent);
        // A long list of accounts is the decoder's to apply.
        if narrow.len() <= LONGEST { narrow } else { self.narrowed(slice, which, &Extent::default()) }
    }

    fn narrowed(&self, slice: &Slice, which: Which, extent: &Extent) -> String {
        let time = |micros: i64| clock::format_micros(micros).replace('T', " ").replace('Z', "");
        let names = Names {
            source: "eventsource",
            name: "eventname",
            invoked_by: Some("useridentity.invokedby"),
            address: Some("sourceipaddress"),
            user: Some("useridentity.username"),
            error_code: Some("errorcode"),
            region: "awsregion",
            account: Some("recipientaccountid"),
        };
        let (list, also) = match which {
            Which::Logged => (format!("{JSON}, eventid"), String::new()),
            Which::Lacking => (self.selection.list(), format!("{JSON} IS NULL AND ")),
            Which::All => (self.selection.list(), String::new()),
        };
        format!(
            "SELECT {list} FROM {} WHERE {also}eventtime >= '{}' AND eventtime < '{}' AND {}",
            self.store,
            time(slice.from),
            time(slice.to),
            condition(Scope::get(), extent, &names)
        )
    }

    /// Asks and reads the answer: how many of its rows lack the record as logged. The inner error says why it is not whole.
    async fn query(
        &self,
        slice: &Slice,
        name: &str,
        which: Which,
        parts: &mut Parts,
        rebuilt: &mut Parts,
    ) -> Result<Result<u64, ApiError>, Gone> {
        if self.shared.over(0) {
            return Ok(Err(self.shared.too_much(name)));
        }
        let id = match self.start(&self.statement(slice, which)).await {
            Ok(id) => id,
            Err(error) => return Ok(Err(error)),
        };
        let _running = self.shared.runs(Running::Lake(Query { client: self.client.clone(), id: id.clone() }));
        let ended = self.ended(&id, name, parts).await?;
        // A query that timed out has what it found until then.
        if let Err((error, false)) = ended {
            return Ok(Err(error));
        }
        let read = self.results(&id, which, parts, rebuilt).await?;
        Ok(ended.map_err(|(error, _)| error).and(read))
    }

    async fn start(&self, statement: &str) -> Result<String, ApiError> {
        let mut waits = Wait::new(Duration::from_secs(1), Duration::from_secs(20));
        for turn in 0.. {
            let started = self.client.start_query().query_statement(statement).send().await;
            match started {
                Ok(started) => return Ok(started.query_id.unwrap_or_default()),
                Err(error) => match ApiError::of(&error, "cloudtrail:StartQuery", &self.store) {
                    // Ten queries of an account run at a time.
                    ApiError::Throttled { .. } if turn < TURNS => waits.pass().await,
                    error => return Err(error),
                },
            }
        }
        Err(ApiError::failed(&self.store, "QUEUED", "other queries did not end"))
    }

    /// Waits for the end; an error tells whether there are results all the same.
    async fn ended(&self, id: &str, name: &str, parts: &Parts) -> Result<Result<(), (ApiError, bool)>, Gone> {
        let mut waits = Wait::new(Duration::from_millis(200), Duration::from_secs(3));
        loop {
            let asked = self.client.describe_query().query_id(id).send().await;
            let found = match asked {
                Ok(found) => found,
                Err(error) => {
                    return Ok(Err((ApiError::of(&error, "cloudtrail:DescribeQuery", &self.store), false)));
                }
            };
            let scanned = found.query_statistics.as_ref().and_then(|statistics| statistics.bytes_scanned);
            let scanned = scanned.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0);
            let reason = found.error_message.unwrap_or_default();
            let failed = |state: &str| ApiError::failed(name, state, &reason);
            let status = found.query_status.unwrap_or(QueryStatus::Running);
            let over = self.shared.over(scanned);
            if !matches!(status, QueryStatus::Queued | QueryStatus::Running) {
                self.scanned.fetch_add(scanned, Ordering::Relaxed);
                self.shared.scanned(scanned, &format!("query {id} of {name} scanned"));
            }
            return Ok(match status {
                QueryStatus::Queued | QueryStatus::Running => {
                    if over || !parts.wanted() {
                        let _ = self.client.cancel_query().query_id(id).send().await;
                        self.shared
                            .scanned(scanned, &format!("query {id} of {name}, cancelled, had scanned"));
                        if !over {
                            return Err(Gone);
                        }
                        return Ok(Err((self.shared.too_much(name), false)));
                    }
                    waits.pass().await;
                    continue;
                }
                QueryStatus::Finished => Ok(()),
                QueryStatus::TimedOut => Err((failed("TIMED_OUT, results are partial"), true)),
                other => Err((failed(other.as_str()), false)),
            });
        }
    }

    async fn results(
        &self,
        id: &str,
        which: Which,
        parts: &mut Parts,
        rebuilt: &mut Parts,
    ) -> Result<Result<u64, ApiError>, Gone> {
        let mut lacking = 0;
        // Pages that were read before a token was rejected.
        let (mut done, mut token, mut again) = (0, None::<String>, 0);
        let mut page = 0;
        loop {
            let request = self.client.get_query_results().query_id(id).max_query_results(ROWS);
            let answer = match request.set_next_token(token).send().await {
                Ok(answer) => answer,
                Err(error) => match ApiError::of(&error, "cloudtrail:GetQueryResults", &self.store) {
                    ApiError::Token { .. } if again < AGAIN => {
                        (again, page, token) = (again + 1, 0, None);
                        continue;
                    }
                    error => return Ok(Err(error)),
                },
            };
            page += 1;
            if page > done {
                done = page;
                for row in answer.query_result_rows.unwrap_or_default() {
                    let row: HashMap<String, String> = row.into_iter().flatten().collect();
                    match row.get(JSON).filter(|text| !text.is_empty()) {
                        _ if which != Which::Logged => rebuilt.push(&self.rebuilt(&row)).await?,
                        Some(text) => parts.push(&logged(text)).await?,
                        None => lacking += 1,
                    }
                }
            }
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(Ok(lacking));
            }
        }
    }

    fn rebuilt(&self, row: &HashMap<String, String>) -> String {
        let names: Vec<String> = (0..self.selection.len()).map(|at| format!("c{at}")).collect();
        let cells: Vec<Option<&str>> = names.iter().map(|name| row.get(name).map(String::as_str)).collect();
        self.selection.record(&cells)
    }
}

/// A record as it was logged; one that cannot be read is told of as such.
fn logged(text: &str) -> Cow<'_, str> {
    let whole = serde_json::from_str::<&RawValue>(text).is_ok_and(|raw| raw.get().starts_with('{'));
    if whole {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(serde_json::json!({ "unreadable": text }).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_statement_is_one_that_the_service_takes() {
        let columns: Vec<(String, Type)> = COLUMNS
            .iter()
            .map(|(name, kind)| ((*name).to_owned(), Type::parse(kind).expect("a type")))
            .collect();
        let config = aws_sdk_cloudtrail::Config::builder()
            .behavior_version(aws_sdk_cloudtrail::config::BehaviorVersion::latest())
            .build();
        let lake = Lake {
            client: Client::from_conf(config),
            store: "12345678-1234-1234-1234-123456789012".to_owned(),
            slices: Vec::new(),
            extent: Extent::default(),
            selection: Selection::of(&columns, false),
            json: AtomicBool::new(true),
            hold: false,
            scanned: AtomicU64::new(0),
            shared: Arc::default(),
        };
        let slice = whole(0, 86_400_000_000, 86_400_000_000);
        let text = lake.statement(&slice, Which::Lacking);
        // Some Regions and accounts need room too.
        assert!(text.len() < LONGEST - 200, "{}", text.len());
        assert!(
            text.contains(" WHERE eventjson IS NULL AND eventtime >= '1970-01-01 00:00:00' AND eventtime < '1970-01-02 00:00:00' AND (eventsource IN ("),
            "{text}"
        );
    }
}
