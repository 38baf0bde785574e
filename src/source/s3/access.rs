//! Who we are to AWS: the SDK's own credential chain, a role assumed on top, and a client for each bucket's Region.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{Builder, Credentials, ProvideCredentials};
use aws_sdk_s3::types::RequestPayer;
use tokio::runtime::Runtime;

use super::error::{Action, S3Error, Target};

/// Where S3 is asked first if nothing names a Region; the answer tells the bucket's.
const FIRST_REGION: &str = "us-east-1";
/// The header in which S3 names a bucket's Region, also when it refuses.
const BUCKET_REGION: &str = "x-amz-bucket-region";

/// How AWS is reached. Everything left out is as the SDK finds it: environment, profile, container, instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The profile of `~/.aws/config`.
    pub profile: Option<String>,
    /// The Region asked first; a bucket's own Region is found by itself.
    pub region: Option<String>,
    /// A role to assume, in the account that owns the bucket.
    pub role_arn: Option<String>,
    /// The external id that the role's trust policy asks for.
    pub external_id: Option<String>,
    /// Where S3 is, instead of AWS's endpoint.
    pub endpoint_url: Option<String>,
    /// Bucket in the path instead of the host name.
    pub path_style: bool,
    /// FIPS endpoints.
    pub fips: bool,
    /// Endpoints that speak IPv6 too.
    pub dual_stack: bool,
    /// The reader pays, not the bucket's owner.
    pub requester_pays: bool,
    /// Keys instead of the chain, for tests and for embedding.
    pub credentials: Option<Credentials>,
}

/// Access that was resolved: one credential chain, cached, for all buckets of a run, and the threads that wait for S3.
#[derive(Debug, Clone)]
pub struct Session(Arc<Opened>);

#[derive(Debug)]
struct Opened {
    access: Access,
    config: SdkConfig,
    /// Buckets whose Region is known. Clients of one bucket share connections.
    buckets: Mutex<BTreeMap<String, Bucket>>,
    // Clients keep connections in it: it lives as long as they.
    runtime: Runtime,
}

/// The sessions of this process. A run asks for its sources, its store and its results one after the other, and to assume a
/// role or to find a bucket takes a request each time.
static OPEN: Mutex<Vec<Session>> = Mutex::new(Vec::new());

/// A bucket in its Region.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// A client for the Region it is in.
    pub client: Client,
    /// The Region it is in, as far as known.
    pub region: String,
    /// What each request says about who pays.
    pub payer: Option<RequestPayer>,
}

impl Session {
    /// Resolves credentials once, so that their absence is said before anything is listed.
    pub fn open(access: Access) -> Result<Self, S3Error> {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = open.iter().find(|session| session.0.access == access) {
            return Ok(session.clone());
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("s3")
            .enable_all()
            .build()
            .map_err(|error| S3Error::Threads(error.to_string()))?;
        let config = runtime.block_on(resolve(&access))?;
        let session = Self(Arc::new(Opened { access, config, buckets: Mutex::default(), runtime }));
        open.push(session.clone());
        Ok(session)
    }

    /// Runs a future to its end on the session's threads; never call it from one of them.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0.runtime.block_on(future)
    }

    /// Where tasks are spawned.
    pub fn handle(&self) -> &tokio::runtime::Handle {
        self.0.runtime.handle()
    }

    /// Credentials, Region and retries, for clients of other services.
    pub fn config(&self) -> &SdkConfig {
        &self.0.config
    }

    /// The bucket with a client for the Region it is in, asked of S3 by one `HeadBucket`.
    pub async fn bucket(&self, name: &str) -> Result<Bucket, S3Error> {
        let known = || self.0.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = known().get(name) {
            return Ok(bucket.clone());
        }
        let first = self.0.config.region().map_or(FIRST_REGION, Region::as_ref).to_owned();
        let asked = self.bucket_in(name, &first);
        let request = asked.client.head_bucket().bucket(name);
        let region = match request.send().await {
            Ok(found) => found.bucket_region().map(str::to_owned),
            Err(error) => {
                let response = error.raw_response();
                let region = response.and_then(|response| response.headers().get(BUCKET_REGION));
                let status = response.map(|response| response.status().as_u16());
                match (status, region.map(str::to_owned)) {
                    (Some(404), _) => {
                        return Err(S3Error::NoSuchBucket { bucket: name.to_owned(), region: first });
                    }
                    // Without leave to ask, the first listing or read says precisely what is missing.
                    (Some(301 | 400 | 403), region) => region,
                    _ => return Err(S3Error::of(&error, Action::List, &Target::bucket(name))),
                }
            }
        };
        let bucket = match region.filter(|region| *region != first) {
            Some(region) => self.bucket_in(name, &region),
            None => asked,
        };
        known().insert(name.to_owned(), bucket.clone());
        Ok(bucket)
    }

    /// The bucket with a client for `region`, unasked.
    pub fn bucket_in(&self, name: &str, region: &str) -> Bucket {
        let mut builder = Builder::from(&self.0.config)
            .region(Region::new(region.to_owned()))
            .force_path_style(self.0.access.path_style);
        if let Some(endpoint) = &self.0.access.endpoint_url {
            builder = builder.endpoint_url(endpoint);
        }
        Bucket {
            name: name.to_owned(),
            client: Client::from_conf(builder.build()),
            region: region.to_owned(),
            payer: self.0.access.requester_pays.then_some(RequestPayer::Requester),
        }
    }
}

async fn resolve(access: &Access) -> Result<SdkConfig, S3Error> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(10)
                .with_initial_backoff(Duration::from_millis(200))
                .with_max_backoff(Duration::from_secs(20)),
        )
        // A body is not part of an attempt: what stalls later is caught by the SDK's stream guard.
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(5))
                .read_timeout(Duration::from_secs(30))
                .operation_attempt_timeout(Duration::from_mins(1))
                .build(),
        );
    if let Some(profile) = &access.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &access.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if access.fips {
        loader = loader.use_fips(true);
    }
    if access.dual_stack {
        loader = loader.use_dual_stack(true);
    }
    if let Some(credentials) = &access.credentials {
        loader = loader.credentials_provider(credentials.clone());
    }
    let mut config = loader.load().await;
    if config.region().is_none() {
        config = config.into_builder().region(Region::new(FIRST_REGION)).build();
    }
    // A profile that is named comes before keys of the environment, as in the AWS CLI: the SDK's chain would take those, and
    // where there is no such profile whatever else it finds.
    if let (Some(profile), None) = (&access.profile, &access.credentials) {
        let base = ProviderConfig::default()
            .with_region(config.region().cloned())
            .with_use_fips(config.use_fips())
            .with_use_dual_stack(config.use_dual_stack())
            .with_behavior_version(config.behavior_version());
        let provider =
            ProfileFileCredentialsProvider::builder().profile_name(profile).configure(&base).build();
        let provider = aws_sdk_s3::config::SharedCredentialsProvider::new(provider);
        config = config.into_builder().credentials_provider(provider).build();
    }
    if let Some(role) = &access.role_arn {
        let mut provider = AssumeRoleProvider::builder(role).session_name("bedtrail").configure(&config);
        if let Some(id) = &access.external_id {
            provider = provider.external_id(id);
        }
        let provider = aws_sdk_s3::config::SharedCredentialsProvider::new(provider.build().await);
        config = config.into_builder().credentials_provider(provider).build();
    }
    let provider = config.credentials_provider().ok_or_else(|| S3Error::credentials(access, None))?;
    provider.provide_credentials().await.map_err(|error| S3Error::credentials(access, Some(&error)))?;
    Ok(config)
}
