//! An S3 server in this process, over real HTTP and with signature checks: a bucket over a folder, every request
//! written down, and answers that go wrong when told to.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body as _, Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::dto::{
    CommonPrefix, DeleteObjectInput, DeleteObjectOutput, ETag, ETagCondition, GetObjectInput,
    GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput,
    ListObjectsV2Input, ListObjectsV2Output, Metadata, Object, PutObjectInput, PutObjectOutput,
    StreamingBlob,
};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};

/// What the server knows as the only user.
pub const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// The only bucket.
pub const BUCKET: &str = "acme-logs";

/// How an answer goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// S3's error document instead of the answer.
    Says(u16, &'static str, &'static str),
    /// The bucket is in this Region.
    Elsewhere(&'static str),
    /// So much of the body, then the connection is gone.
    Resets(usize),
    /// So much of the body, and a length that fits it.
    Shortens(usize),
    /// The answer comes late.
    Waits(Duration),
}

/// A request as it came in: `GET /acme-logs?list-type=2&…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub method: String,
    pub key: String,
    pub query: BTreeMap<String, String>,
    pub headers: BTreeMap<String, String>,
}

impl Asked {
    /// Whether it lists.
    pub fn lists(&self) -> bool {
        self.query.contains_key("list-type")
    }

    /// Whether it reads an object.
    pub fn reads(&self) -> bool {
        self.method == "GET" && !self.key.is_empty()
    }

    /// What prefix it lists.
    pub fn prefix(&self) -> &str {
        self.query.get("prefix").map_or("", String::as_str)
    }
}

type Rule = dyn Fn(&Asked, usize) -> Option<Fault> + Send + Sync;

/// What was asked so far, in order and counted.
#[derive(Default)]
struct Log {
    asked: Vec<Asked>,
    /// By method and key.
    counts: HashMap<(String, String), usize>,
}

impl Log {
    /// Writes a request down; how many of its kind and key there were before.
    fn add(&mut self, asked: &Asked) -> usize {
        self.asked.push(asked.clone());
        let count = self.counts.entry((asked.method.clone(), asked.key.clone())).or_default();
        *count += 1;
        *count - 1
    }
}

/// A server that runs until it is dropped.
pub struct Server {
    pub url: String,
    asked: Arc<Mutex<Log>>,
    root: PathBuf,
    keys: Keys,
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl Server {
    /// Serves `folder` as [`BUCKET`].
    pub fn over(folder: &Path) -> Self {
        Self::faulty(folder, |_, _| None)
    }

    /// Serves `folder`; `rule` says which request, the `n`-th of its kind and key from 0, goes wrong how.
    pub fn faulty(
        folder: &Path,
        rule: impl Fn(&Asked, usize) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        let folder = Folder::index(folder);
        let (root, keys) = (folder.root.clone(), Arc::clone(&folder.keys));
        let mut builder = S3ServiceBuilder::new(folder);
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let (service, rule): (S3Service, Arc<Rule>) = (builder.build(), Arc::new(rule));
        let asked = Arc::new(Mutex::new(Log::default()));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.spawn(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                while let Ok((socket, _)) = listener.accept().await {
                    let (service, rule, log) = (service.clone(), Arc::clone(&rule), Arc::clone(&log));
                    tokio::spawn(async move {
                        let answer = service_fn(move |request| {
                            let (service, rule, log) = (service.clone(), Arc::clone(&rule), Arc::clone(&log));
                            async move {
                                Ok::<_, Infallible>(answer(&service, rule.as_ref(), &log, request).await)
                            }
                        });
                        let _ = hyper::server::conn::http1::Builder::new()
                            .serve_connection(TokioIo::new(socket), answer)
                            .await;
                    });
                }
            });
            // Until the server is dropped.
            let _ = runtime.block_on(stopped);
            runtime.shutdown_background();
        });
        Self { url, asked, root, keys, _stop: stop }
    }

    /// Takes in what somebody else put into the folder.
    pub fn looking_again(&self) -> impl Fn() + Send + Sync + 'static {
        let (root, keys) = (self.root.clone(), Arc::clone(&self.keys));
        move || *keys.lock().expect("keys") = Folder::keys(&root)
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("a log").asked.clone()
    }

    /// How many requests listed and how many read.
    pub fn counts(&self) -> (usize, usize) {
        let asked = self.asked();
        (asked.iter().filter(|one| one.lists()).count(), asked.iter().filter(|one| one.reads()).count())
    }
}

async fn answer(
    service: &S3Service,
    rule: &Rule,
    log: &Mutex<Log>,
    request: Request<Incoming>,
) -> Response<Scripted> {
    let asked = asked(&request);
    let earlier = log.lock().expect("a log").add(&asked);
    let fault = rule(&asked, earlier);
    match fault {
        Some(Fault::Says(status, code, message)) => return says(status, code, message, None),
        Some(Fault::Elsewhere(region)) => {
            return says(301, "PermanentRedirect", "The bucket is in another Region.", Some(region));
        }
        Some(Fault::Waits(long)) => tokio::time::sleep(long).await,
        _ => {}
    }
    let (head, mut body) =
        hyper::service::Service::call(service, request).await.expect("an answer").into_parts();
    let mut bytes = Vec::new();
    while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(data) = frame.expect("a body").into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    let whole = bytes.len();
    let mut scripted = Scripted { bytes: Some(Bytes::from(bytes)), breaks: false };
    let mut response = Response::from_parts(head, ());
    let length = match fault {
        Some(Fault::Resets(kept)) => {
            scripted = Scripted { bytes: scripted.bytes.map(|bytes| bytes.slice(..kept)), breaks: true };
            whole
        }
        Some(Fault::Shortens(kept)) => {
            scripted.bytes = scripted.bytes.map(|bytes| bytes.slice(..kept));
            kept
        }
        _ => whole,
    };
    if asked.method != "HEAD" {
        response.headers_mut().insert("content-length", length.into());
    }
    response.map(|()| scripted)
}

fn asked(request: &Request<Incoming>) -> Asked {
    let path = decoded(request.uri().path());
    let key = path.trim_start_matches('/').split_once('/').map_or("", |(_, key)| key).to_owned();
    let query = request.uri().query().unwrap_or_default();
    let query = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.to_owned(), decoded(value))
    });
    let headers = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    Asked { method: request.method().to_string(), key, query: query.collect(), headers: headers.collect() }
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).expect("hexadecimal"));
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).expect("UTF-8")
}

fn says(status: u16, code: &str, message: &str, region: Option<&str>) -> Response<Scripted> {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let mut response = Response::new(Scripted { bytes: Some(Bytes::from(text)), breaks: false });
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    if let Some(region) = region {
        response.headers_mut().insert("x-amz-bucket-region", region.parse().expect("a header"));
    }
    response
}

/// A body that ends as the script says.
struct Scripted {
    bytes: Option<Bytes>,
    breaks: bool,
}

impl hyper::body::Body for Scripted {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match self.bytes.take() {
            Some(bytes) if !bytes.is_empty() => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            _ if self.breaks => Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into()))),
            _ => Poll::Ready(None),
        }
    }
}

/// A folder as a bucket: indexed once, since a walk for every page would take longer than what is tested. What is put goes to
/// the folder too.
struct Folder {
    root: PathBuf,
    keys: Keys,
    metadata: Mutex<BTreeMap<String, Metadata>>,
}

type Keys = Arc<Mutex<BTreeMap<String, PathBuf>>>;

impl Folder {
    fn index(root: &Path) -> Self {
        let keys = Arc::new(Mutex::new(Self::keys(root)));
        Self { root: root.to_owned(), keys, metadata: Mutex::default() }
    }

    fn keys(root: &Path) -> BTreeMap<String, PathBuf> {
        let files = walkdir::WalkDir::new(root).into_iter().map(|entry| entry.expect("an entry"));
        let files = files.filter(|entry| entry.file_type().is_file());
        let key = |path: &Path| {
            let key = path.strip_prefix(root).expect("below the root").to_str().expect("UTF-8");
            key.replace('\\', "/")
        };
        files.map(|entry| (key(entry.path()), entry.into_path())).collect()
    }

    fn at(&self, key: &str) -> S3Result<PathBuf> {
        let found = self.keys.lock().expect("keys").get(key).cloned();
        found.ok_or_else(|| s3_error!(NoSuchKey))
    }

    fn known(bucket: &str) -> S3Result<()> {
        if bucket == BUCKET { Ok(()) } else { Err(s3_error!(NoSuchBucket)) }
    }

    fn etag(path: &Path) -> String {
        // Not what AWS computes, but it changes with the content's length, and nobody may rely on more.
        format!("{:032x}", std::fs::metadata(path).map_or(0, |metadata| metadata.len()))
    }
}

#[async_trait::async_trait]
impl S3 for Folder {
    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        Self::known(&request.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        Self::known(&input.bucket)?;
        let path = self.at(&input.key)?;
        let etag = Self::etag(&path);
        if let Some(ETagCondition::ETag(ETag::Strong(wanted))) = &input.if_match
            && *wanted != etag
        {
            return Err(s3_error!(PreconditionFailed));
        }
        let bytes = std::fs::read(&path).map_err(|_| s3_error!(InternalError))?;
        Ok(S3Response::new(GetObjectOutput {
            content_length: i64::try_from(bytes.len()).ok(),
            e_tag: Some(ETag::Strong(etag)),
            body: Some(StreamingBlob::from(Body::from(bytes))),
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        Self::known(&input.bucket)?;
        let path = self.at(&input.key)?;
        let metadata = self.metadata.lock().expect("metadata").get(&input.key).cloned();
        Ok(S3Response::new(HeadObjectOutput {
            e_tag: Some(ETag::Strong(Self::etag(&path))),
            metadata,
            ..HeadObjectOutput::default()
        }))
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let mut input = request.input;
        Self::known(&input.bucket)?;
        let mut bytes = Vec::new();
        if let Some(body) = input.body.take() {
            let stored = Body::from(body).store_all_limited(1 << 30).await;
            bytes.extend_from_slice(&stored.map_err(|_| s3_error!(IncompleteBody))?);
        }
        let mut keys = self.keys.lock().expect("keys");
        if input.if_none_match.is_some() && keys.contains_key(&input.key) {
            return Err(s3_error!(PreconditionFailed));
        }
        let path = self.root.join(&input.key);
        let written = std::fs::create_dir_all(path.parent().expect("below the root"))
            .and_then(|()| std::fs::write(&path, bytes));
        written.map_err(|_| s3_error!(InternalError))?;
        let mut metadata = self.metadata.lock().expect("metadata");
        match input.metadata {
            Some(given) => metadata.insert(input.key.clone(), given),
            None => metadata.remove(&input.key),
        };
        keys.insert(input.key, path);
        Ok(S3Response::new(PutObjectOutput::default()))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = request.input;
        Self::known(&input.bucket)?;
        if let Some(path) = self.keys.lock().expect("keys").remove(&input.key) {
            std::fs::remove_file(path).map_err(|_| s3_error!(InternalError))?;
        }
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        Self::known(&input.bucket)?;
        let prefix = input.prefix.clone().unwrap_or_default();
        let after =
            input.continuation_token.clone().or_else(|| input.start_after.clone()).unwrap_or_default();
        let limit = input.max_keys.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(1000);
        let mut output = ListObjectsV2Output { is_truncated: Some(false), ..ListObjectsV2Output::default() };
        let (mut contents, mut folders) = (Vec::new(), BTreeSet::new());
        let keys = self.keys.lock().expect("keys");
        let start = prefix.as_str().max(after.as_str());
        let keys = keys.range::<str, _>((Bound::Included(start), Bound::Unbounded));
        for (key, path) in keys.take_while(|(key, _)| key.starts_with(&prefix)) {
            let rest = &key[prefix.len()..];
            let folder = input.delimiter.as_ref().and_then(|delimiter| {
                rest.find(delimiter.as_str()).map(|at| key[..prefix.len() + at + delimiter.len()].to_owned())
            });
            let sorts = folder.as_ref().unwrap_or(key);
            if *sorts <= after || folder.as_ref().is_some_and(|folder| folders.contains(folder)) {
                continue;
            }
            if contents.len() + folders.len() == limit {
                output.is_truncated = Some(true);
                break;
            }
            output.next_continuation_token = Some(sorts.clone());
            match folder {
                Some(folder) => drop(folders.insert(folder)),
                None => contents.push(Object {
                    key: Some(key.clone()),
                    size: std::fs::metadata(path)
                        .ok()
                        .and_then(|metadata| i64::try_from(metadata.len()).ok()),
                    e_tag: Some(ETag::Strong(Self::etag(path))),
                    ..Object::default()
                }),
            }
        }
        output.contents = Some(contents);
        let folder = |folder| CommonPrefix { prefix: Some(folder) };
        output.common_prefixes = Some(folders.into_iter().map(folder).collect());
        Ok(S3Response::new(output))
    }
}
