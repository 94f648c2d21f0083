//! The part of the command line that says how a bucket is reached, and the standard variables behind it.

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::Args;
use formats::bucket::{BucketUrl, BucketUrlError, Endpoint, EndpointError};
use inference::{Bucket, Credentials};
use thiserror::Error;

use crate::Store;

/// The region that keepers other than Amazon go by, unless they are told another.
const REGION_ELSEWHERE: &str = "us-east-1";

/// How a bucket is reached. The credentials are in no flag, because every user of a machine reads its command lines:
/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN` have them.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Registry in a bucket")]
pub struct BucketArgs {
    /// Address of who keeps the bucket, in place of Amazon; AWS_ENDPOINT_URL counts where this variable is not set
    #[arg(long, env = "AWS_ENDPOINT_URL_S3", value_name = "URL")]
    pub bucket_endpoint: Option<String>,

    /// Region of the bucket; AWS_DEFAULT_REGION counts where this variable is not set, and us-east-1 with an endpoint
    #[arg(long, env = "AWS_REGION", value_name = "NAME")]
    pub bucket_region: Option<String>,

    /// Certificates in PEM form that the endpoint's must lead to, in place of the public authorities
    #[arg(long, env = "AWS_CA_BUNDLE", value_name = "FILE")]
    pub bucket_certificates: Option<String>,
}

/// Why a registry cannot be where the command line and its environment say.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Something else than a bucket.
    #[error("`--registry` (REGISTRY): {0}")]
    Url(#[from] BucketUrlError),
    /// Something else than an endpoint.
    #[error("`--bucket-endpoint` (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL): {0}")]
    Endpoint(#[from] EndpointError),
    /// Amazon has many.
    #[error("the registry `{0}` is with Amazon: expected a region (`--bucket-region` or AWS_REGION), found none")]
    NoRegion(BucketUrl),
    /// Nobody says who we are.
    #[error("the registry `{url}` takes credentials: expected the variable {name}, found none")]
    NoCredentials {
        /// The registry.
        url: BucketUrl,
        /// What is missing.
        name: &'static str,
    },
    /// Nothing of this can stand in the head of a request.
    #[error("{0}: expected visible ASCII characters, found others")]
    Characters(&'static str),
}

impl BucketArgs {
    /// The store that `registry` means. `variable` knows the environment.
    pub(crate) fn store(
        self,
        registry: String,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Store, StoreError> {
        if !BucketUrl::is_meant(&registry) {
            return Ok(Store::Folder(registry));
        }
        let url: BucketUrl = registry.parse()?;
        let variable = |name: &'static str| match variable(name) {
            // What was read from a file often ends with a line's end, and no key does.
            Some(text) => visible(name, text.trim()),
            None => Ok(None),
        };
        let endpoint = match given(self.bucket_endpoint) {
            Some(endpoint) => Some(endpoint),
            None => variable("AWS_ENDPOINT_URL")?,
        };
        let endpoint = endpoint.map(|endpoint| endpoint.parse::<Endpoint>()).transpose()?;
        let region = match given(self.bucket_region) {
            Some(region) => visible("AWS_REGION", region.trim())?,
            None => variable("AWS_DEFAULT_REGION")?,
        };
        let region = match (region, &endpoint) {
            (Some(region), _) => region,
            (None, Some(_)) => REGION_ELSEWHERE.to_owned(),
            (None, None) => return Err(StoreError::NoRegion(url)),
        };
        let needed = |name| {
            let url = url.clone();
            variable(name)?.ok_or(StoreError::NoCredentials { url, name })
        };
        let credentials = Credentials {
            key_id: needed("AWS_ACCESS_KEY_ID")?,
            secret_key: needed("AWS_SECRET_ACCESS_KEY")?,
            session_token: variable("AWS_SESSION_TOKEN")?,
        };
        Ok(Store::Bucket(Bucket {
            url,
            endpoint,
            region,
            credentials,
            certificates: given(self.bucket_certificates).map(PathBuf::from),
        }))
    }
}

/// Set to nothing is not set.
fn given(value: Option<String>) -> Option<String> {
    value.filter(|text| !text.trim().is_empty())
}

fn visible(name: &'static str, text: &str) -> Result<Option<String>, StoreError> {
    match text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(given(Some(text.to_owned()))),
        false => Err(StoreError::Characters(name)),
    }
}
