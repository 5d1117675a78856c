//! Object stores, for inputs and lakes: the kinds of them, which URLs name them, and which settings each takes from the
//! environment. The client is `object_store`, which repeats what fails.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::path::Path as ObjectPath;
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};

use crate::error::{Error, Result};

/// Whether an argument names something in an object store.
#[must_use]
pub fn is_url(argument: &str) -> bool {
    argument.split_once("://").is_some_and(|(scheme, _)| {
        scheme.len() > 1
            && !scheme.eq_ignore_ascii_case("file")
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// A URL without what may be a secret.
#[must_use]
pub fn without_query(url: &str) -> String {
    url.split_once('?').map_or_else(|| url.to_owned(), |(before, _)| format!("{before}?..."))
}

/// The parts of a URL that names something in an object store.
#[derive(Debug)]
pub struct StoreUrl<'a> {
    pub provider: Provider,
    /// Scheme, account and container.
    pub root: String,
    pub container: &'a str,
    /// Below the container.
    pub path: &'a str,
}

impl<'a> StoreUrl<'a> {
    /// Splits a URL; nothing is asked of its store.
    ///
    /// # Errors
    /// What was found that no such URL has.
    pub fn split(url: &'a str) -> std::result::Result<Self, &'static str> {
        const QUERY: &str = "a query; a shared access signature belongs in AZURE_STORAGE_SAS_TOKEN";
        let (scheme, rest) = url.split_once("://").ok_or("no scheme")?;
        let (authority, mut path) = rest.split_once('/').unwrap_or((rest, ""));
        let provider = Provider::of(scheme, authority).ok_or("an unknown scheme")?;
        // A question mark may be a wildcard.
        if path.split_once('?').is_some_and(|(_, query)| query.contains('=')) {
            return Err(QUERY);
        }
        let mut root = format!("{scheme}://{authority}");
        let mut container = authority.split('@').next().unwrap_or_default();
        if scheme == "https" {
            (container, path) = path.split_once('/').unwrap_or((path, ""));
            root = format!("{root}/{container}");
        }
        if container.is_empty() {
            return Err("no container");
        }
        Ok(Self { provider, root, container, path })
    }
}

/// The URL of a folder in an object store.
#[derive(Debug, Clone)]
pub(crate) struct FolderUrl {
    /// As it was given, without slashes at its end.
    pub(crate) url: String,
    /// Scheme, account and container.
    pub(crate) root: String,
    pub(crate) provider: Provider,
    pub(crate) prefix: ObjectPath,
}

impl FolderUrl {
    pub(crate) fn parse(url: &str) -> Result<Self> {
        Self::split(url).map_err(|problem| Error::StoreUrl { url: without_query(url), problem })
    }

    fn split(url: &str) -> std::result::Result<Self, String> {
        let expected = |found: &str| {
            format!(
                "expected a folder, az://CONTAINER/PATH, abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH, \
                 s3://BUCKET/PATH or gs://BUCKET/PATH, found {found}"
            )
        };
        let StoreUrl { provider, root, path, .. } = StoreUrl::split(url).map_err(expected)?;
        if path.contains('?') {
            return Err(expected("a question mark in the path"));
        }
        let prefix =
            ObjectPath::parse(path.trim_matches('/')).map_err(|error| expected(&error.to_string()))?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), root, provider, prefix })
    }
}

/// Checks the URL of a lake; nothing is asked of its store.
///
/// # Errors
/// What was expected and found, if it is of no kind that is known.
pub fn check_folder_url(url: &str) -> std::result::Result<(), String> {
    FolderUrl::split(url).map(drop)
}

/// Who keeps the blobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    Azure,
    Aws,
    Google,
}

/// A request that throttling or a lost connection fails is repeated for so long.
const RETRY: Duration = Duration::from_secs(170);

/// One request, with its answer: a slow line takes its time for a range of a blob.
const REQUEST_TIMEOUT: &str = "120s";

impl Provider {
    /// By the scheme and host of a URL.
    pub fn of(scheme: &str, authority: &str) -> Option<Self> {
        match scheme {
            "az" | "azure" | "adl" | "abfs" | "abfss" => Some(Self::Azure),
            "https" if authority.ends_with(".core.windows.net") => Some(Self::Azure),
            "s3" | "s3a" => Some(Self::Aws),
            "gs" => Some(Self::Google),
            _ => None,
        }
    }

    /// Variables of which one at least says by which right the store is read.
    const fn credentials(self) -> &'static [&'static str] {
        match self {
            Self::Azure => &[
                "AZURE_STORAGE_ACCOUNT_KEY",
                "AZURE_STORAGE_ACCESS_KEY",
                "AZURE_STORAGE_SAS_TOKEN",
                "AZURE_STORAGE_CLIENT_ID",
                "AZURE_CLIENT_ID",
                "AZURE_FEDERATED_TOKEN_FILE",
                "AZURE_USE_AZURE_CLI",
                "AZURE_SKIP_SIGNATURE",
                "AZURE_STORAGE_USE_EMULATOR",
            ],
            Self::Aws => &[
                "AWS_ACCESS_KEY_ID",
                "AWS_WEB_IDENTITY_TOKEN_FILE",
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                "AWS_SKIP_SIGNATURE",
            ],
            Self::Google => &[
                "GOOGLE_APPLICATION_CREDENTIALS",
                "GOOGLE_SERVICE_ACCOUNT",
                "GOOGLE_SERVICE_ACCOUNT_PATH",
                "GOOGLE_SERVICE_ACCOUNT_KEY",
                "GOOGLE_SKIP_SIGNATURE",
            ],
        }
    }

    /// Variables that say where the store is.
    const fn places(self) -> &'static [&'static str] {
        match self {
            Self::Azure => &["AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ENDPOINT"],
            Self::Aws => &["AWS_REGION", "AWS_ENDPOINT", "AWS_ALLOW_HTTP"],
            Self::Google => &["GOOGLE_BASE_URL"],
        }
    }

    pub fn has_credentials(self) -> bool {
        self.credentials().iter().any(|name| std::env::var_os(name).is_some())
    }

    /// What to look at when the store does not answer: names of variables, never their values.
    pub fn settings(self) -> String {
        let names: Vec<&str> = self.places().iter().chain(self.credentials()).copied().collect();
        let set: Vec<&str> = names.iter().filter(|name| std::env::var_os(name).is_some()).copied().collect();
        let set = if set.is_empty() {
            "none of them is set".to_owned()
        } else {
            format!("set: {}", set.join(", "))
        };
        format!(
            "the address comes from the environment ({}), and so do credentials (one of {}), or they are the machine's own \
             identity; {set}",
            self.places().join(", "),
            self.credentials().join(", ")
        )
    }

    /// Opens the store of a container. `is_probe`: hardly anything is repeated.
    pub fn open(self, root: &str, is_probe: bool) -> object_store::Result<Arc<dyn ObjectStore>> {
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(200),
                max_backoff: Duration::from_secs(15),
                base: 2.0,
            },
            max_retries: if is_probe { 1 } else { 12 },
            retry_timeout: if is_probe { Duration::from_secs(5) } else { RETRY },
        };
        let timeout = ClientConfigKey::Timeout;
        Ok(match self {
            Self::Azure => {
                let key = AzureConfigKey::Client(timeout);
                let builder = MicrosoftAzureBuilder::from_env().with_url(root).with_retry(retry);
                Arc::new(builder.with_config(key, REQUEST_TIMEOUT).build()?)
            }
            Self::Aws => {
                let key = AmazonS3ConfigKey::Client(timeout);
                let builder = AmazonS3Builder::from_env().with_url(root).with_retry(retry);
                Arc::new(builder.with_config(key, REQUEST_TIMEOUT).build()?)
            }
            Self::Google => {
                let key = GoogleConfigKey::Client(timeout);
                let builder = GoogleCloudStorageBuilder::from_env().with_url(root).with_retry(retry);
                Arc::new(builder.with_config(key, REQUEST_TIMEOUT).build()?)
            }
        })
    }
}
