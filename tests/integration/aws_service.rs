//! A server in this process that speaks AWS JSON 1.1 as CloudTrail and Athena do: operations by `x-amz-target`, errors by
//! `__type`, every call written down. What it answers, a test says; the shapes are those of AWS's API references.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use hyper::body::{Body as _, Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

use crate::command::{Run, bedtrail};

/// One call as it came in.
#[derive(Clone, Debug)]
pub struct Call {
    /// `LookupEvents`
    pub operation: String,
    /// The Region it was signed for.
    pub region: String,
    pub body: Value,
    /// How many calls of the same operation and Region came before it.
    pub nth: usize,
}

impl Call {
    /// A text of the request.
    pub fn text(&self, key: &str) -> &str {
        self.body[key].as_str().unwrap_or_default()
    }
}

/// What is answered: a document, or an error's type and message.
pub type Answer = Result<Value, (&'static str, String)>;
type Handler = dyn Fn(&Call) -> Answer + Send + Sync;

/// A service that runs until it is dropped.
pub struct Service {
    pub url: String,
    calls: Arc<Mutex<Vec<Call>>>,
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl Service {
    pub fn new(handler: impl Fn(&Call) -> Answer + Send + Sync + 'static) -> Self {
        let (handler, calls): (Arc<Handler>, _) = (Arc::new(handler), Arc::new(Mutex::new(Vec::new())));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let log = Arc::clone(&calls);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.spawn(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                while let Ok((socket, _)) = listener.accept().await {
                    let (handler, log) = (Arc::clone(&handler), Arc::clone(&log));
                    tokio::spawn(async move {
                        let answer = service_fn(move |request| {
                            let (handler, log) = (Arc::clone(&handler), Arc::clone(&log));
                            async move { Ok::<_, Infallible>(answer(handler.as_ref(), &log, request).await) }
                        });
                        let _ = hyper::server::conn::http1::Builder::new()
                            .serve_connection(TokioIo::new(socket), answer)
                            .await;
                    });
                }
            });
            // Until the service is dropped.
            let _ = runtime.block_on(stopped);
            runtime.shutdown_background();
        });
        Self { url, calls, _stop: stop }
    }

    /// The calls so far of one operation.
    pub fn calls(&self, operation: &str) -> Vec<Call> {
        let calls = self.calls.lock().expect("a log");
        calls.iter().filter(|call| call.operation == operation).cloned().collect()
    }

    /// The program with access to this service.
    pub fn run(&self, arguments: &[&str]) -> Run {
        bedtrail(arguments)
            .args(["--aws-region", "eu-west-1", "--lookup-rate", "10000"])
            .env("AWS_ENDPOINT_URL_CLOUDTRAIL", &self.url)
            .env("AWS_ENDPOINT_URL_ATHENA", &self.url)
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "/nonexistent")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
            .env("NO_PROXY", "127.0.0.1")
    }
}

async fn answer(handler: &Handler, log: &Mutex<Vec<Call>>, request: Request<Incoming>) -> Response<Whole> {
    let header = |name: &str| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let operation = header("x-amz-target").rsplit('.').next().unwrap_or_default().to_owned();
    // Credential=KEY/20261101/eu-west-1/cloudtrail/aws4_request
    let region = header("authorization").split('/').nth(2).unwrap_or_default().to_owned();
    let mut body = request.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(data) = frame.expect("a request").into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    let call = {
        let mut log = log.lock().expect("a log");
        let same = |other: &&Call| (&other.operation, &other.region) == (&operation, &region);
        let nth = log.iter().filter(same).count();
        let call = Call { operation, region, body: serde_json::from_slice(&bytes).unwrap_or_default(), nth };
        log.push(call.clone());
        call
    };
    let (status, document) = match handler(&call) {
        Ok(document) => (200, document),
        Err((kind, message)) => (400, json!({ "__type": kind, "message": message })),
    };
    let mut response = Response::new(Whole(Some(Bytes::from(document.to_string()))));
    *response.status_mut() = hyper::StatusCode::from_u16(status).expect("a status");
    response.headers_mut().insert("content-type", "application/x-amz-json-1.1".parse().expect("a header"));
    response
}

struct Whole(Option<Bytes>);

impl hyper::body::Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// The refusal of an operation that a test did not foresee.
pub fn unforeseen(call: &Call) -> Answer {
    Err(("InvalidActionException", format!("{} {}", call.operation, call.body)))
}
