//! A prefix that is ours: what was put below it is taken away.

use super::{Action, S3Error, Session, Target, Url};

impl Session {
    /// Removes every object below a prefix, which ends in a slash. A whole bucket is never emptied.
    pub async fn empty(&self, url: &Url) -> Result<(), S3Error> {
        if url.prefix.len() < 2 || !url.prefix.ends_with('/') {
            return Err(S3Error::Url(format!("s3://{}/{}", url.bucket, url.prefix)));
        }
        let bucket = self.bucket(&url.bucket).await?;
        let mut token = None;
        loop {
            let request = bucket.client.list_objects_v2().bucket(&url.bucket).prefix(&url.prefix);
            let request = request.set_continuation_token(token).set_request_payer(bucket.payer.clone());
            let target = Target::new(&url.bucket, &url.prefix);
            let page = request.send().await.map_err(|error| S3Error::of(&error, Action::List, &target))?;
            for key in page.contents().iter().filter_map(|object| object.key()) {
                let request = bucket.client.delete_object().bucket(&url.bucket).key(key);
                let request = request.set_request_payer(bucket.payer.clone());
                let target = Target::new(&url.bucket, key);
                request.send().await.map_err(|error| S3Error::of(&error, Action::Delete, &target))?;
            }
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(());
            }
        }
    }
}
