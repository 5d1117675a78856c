//! Inputs in object stores: which URLs name them, how a store is opened, and what of it is an input. What a store holds is
//! listed while it is read (`listing`); of a batch the blobs are fetched into temporary files (`fetch`), from which they are
//! read like any other file; a blob whose version the lake knows is not fetched (`known_versions`). The client is
//! `object_store`: it takes endpoints and credentials from the environment, and repeats what fails.

pub(super) mod fetch;
mod known_versions;
mod layout;
mod listing;
mod shard;

use std::sync::Arc;

use chrono::NaiveDate;
use futures::StreamExt as _;
use object_store::path::Path as BlobPath;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _};

pub(super) use self::known_versions::KnownVersions;
pub(super) use self::listing::Listing;
pub use self::shard::Shard;
use crate::assign::Assignments;
use crate::blob::Blob;
use crate::find::{Assigned, Input, PathFacts};
use crate::{Error, Result};
use lightsout_lake::object_stores::{Provider, StoreUrl, is_url, without_query};

/// Requests in flight, where nobody says otherwise.
pub const CONNECTIONS: usize = 32;

/// Parts arguments into what is in object stores and all others.
///
/// # Errors
/// As [`Location::parse`].
pub fn part(arguments: &[String]) -> Result<(Vec<Location>, Vec<String>)> {
    let (urls, others): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|url| is_url(url));
    let locations = urls.into_iter().map(|url| Location::parse(url)).collect::<Result<_>>()?;
    Ok((locations, others.into_iter().cloned().collect()))
}

/// Whether the URL of an input and that of a lake are the same, or one is below the other.
#[must_use]
pub fn holds(input: &str, lake: &str) -> bool {
    let [input, lake] = [input, lake].map(|url| format!("{}/", url.trim_end_matches('/')));
    is_url(&input) && is_url(&lake) && (lake.starts_with(&input) || input.starts_with(&lake))
}

/// A container of an object store, or what is below a prefix of it, or one blob.
#[derive(Debug, Clone)]
pub struct Location {
    /// As it was given.
    url: String,
    /// What names of blobs begin with: scheme, account and container.
    root: String,
    /// The container's name alone: diagnostic settings name it by the category.
    container: String,
    provider: Provider,
    store: Arc<dyn ObjectStore>,
    prefix: BlobPath,
    /// Which of the blobs below the prefix, where it was given as a pattern.
    pattern: Option<glob::Pattern>,
}

impl Location {
    /// Reads a URL and opens its store; nothing is asked of it yet.
    ///
    /// # Errors
    /// Fails if the URL is of no kind that is known, or a setting that its store needs is missing.
    pub fn parse(url: &str) -> Result<Self> {
        let wrong = |found: &str| Error::StoreUrl { url: without_query(url), found: found.to_owned() };
        let StoreUrl { provider, root, container, path } = StoreUrl::split(url).map_err(wrong)?;
        // Up to the folder that holds the first wildcard.
        let is_wild = |part: &str| part.contains(['*', '?', '[']);
        let plain: Vec<&str> = path.split('/').take_while(|part| !is_wild(part)).collect();
        let pattern = path.split('/').any(is_wild).then(|| glob::Pattern::new(path)).transpose();
        let pattern = pattern.map_err(|error| wrong(&error.to_string()))?;
        let prefix = plain.join("/");
        let prefix = BlobPath::parse(prefix.trim_matches('/')).map_err(|error| wrong(&error.to_string()))?;
        let store = provider.open(&root, false).map_err(|source| Error::Store {
            action: "opening",
            url: url.to_owned(),
            hint: provider.settings(),
            source: Box::new(source),
        })?;
        let (url, container) = (url.to_owned(), container.to_owned());
        Ok(Self { url, root, container, provider, store, prefix, pattern })
    }

    fn failed(&self, action: &'static str) -> impl Fn(object_store::Error) -> Error + use<> {
        let (url, provider) = (self.url.clone(), self.provider);
        move |source| {
            let hint = provider.settings();
            Error::Store { action, url: url.clone(), hint, source: Box::new(source) }
        }
    }

    /// Asks the store for one blob, so that wrong settings are told before long work. Where no credentials are set, they may
    /// be those of the machine; elsewhere nobody answers, which is not waited for as long as otherwise.
    ///
    /// # Errors
    /// Fails if the store refuses to answer.
    pub async fn check(&self) -> Result<()> {
        let store = if self.provider.has_credentials() {
            Arc::clone(&self.store)
        } else {
            self.provider.open(&self.root, true).map_err(self.failed("opening"))?
        };
        let prefix = Some(&self.prefix).filter(|prefix| !prefix.as_ref().is_empty());
        match store.list(prefix).next().await {
            Some(Err(error)) => Err(self.failed("listing")(error)),
            Some(Ok(_)) => Ok(()),
            // A container may have no log yet.
            None if self.is_container() || self.head().await?.is_some() => Ok(()),
            None => Err(Error::NoBlob { url: self.url.clone() }),
        }
    }

    /// Whether it is a container as a whole.
    fn is_container(&self) -> bool {
        self.prefix.as_ref().is_empty() && self.pattern.is_none()
    }

    /// The blob that the URL names, if it names one.
    async fn head(&self) -> Result<Option<ObjectMeta>> {
        if self.prefix.as_ref().is_empty() || self.pattern.is_some() || self.url.ends_with('/') {
            return Ok(None);
        }
        match self.store.head(&self.prefix).await {
            Ok(meta) => Ok(Some(meta)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("looking for")(error)),
        }
    }

    /// Whether a blob is one of those that the pattern means, or lies below a folder that is.
    fn fits(&self, path: &BlobPath) -> bool {
        const OPTIONS: glob::MatchOptions = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: false,
        };
        let Some(pattern) = &self.pattern else { return true };
        let path = path.as_ref();
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        ends.into_iter().any(|end| pattern.matches_with(&path[..end], OPTIONS))
    }

    /// Whether a blob lies in a hidden folder below the prefix, or is hidden itself.
    fn hides(&self, path: &BlobPath) -> bool {
        let below = path.as_ref().strip_prefix(self.prefix.as_ref()).unwrap_or(path.as_ref());
        path != &self.prefix && below.split('/').any(|part| part.starts_with('.'))
    }

    fn input(&self, blob: ObjectMeta) -> Input {
        let name = format!("{}/{}", self.root, blob.location);
        let mut says = PathFacts::of(&std::path::Path::new(&self.container).join(blob.location.as_ref()));
        // The folder that holds the logs, as a URL: an account, a container or a prefix.
        says.storage_root = says.storage_root.map(|root| {
            let root = root.to_string_lossy();
            let within = root.strip_prefix(self.container.as_str()).unwrap_or_default();
            let account = if root.is_empty() { self.account() } else { self.root.clone() };
            format!("{account}{within}").into()
        });
        Input {
            path: None,
            name,
            stored_bytes: blob.size,
            says,
            assigned: Assigned::default(),
            is_of_folder: blob.location != self.prefix,
            unreadable: None,
            blob: Some(Blob { store: Arc::clone(&self.store), path: blob.location, etag: blob.e_tag }),
        }
    }

    /// What holds the container, as far as the URL says it.
    fn account(&self) -> String {
        let (scheme, rest) = self.root.split_once("://").unwrap_or_default();
        let account = match rest.split_once('@') {
            Some((_, account)) => account,
            None => rest.strip_suffix(&self.container).unwrap_or_default().trim_end_matches('/'),
        };
        format!("{scheme}://{account}")
    }
}

/// The inputs in object stores, and which of them are read.
#[derive(Debug)]
pub struct Stores {
    pub locations: Vec<Location>,
    pub assignments: Assignments,
    /// What the layout's paths say to be of an earlier day is not listed.
    pub since: Option<NaiveDate>,
    pub shard: Option<Shard>,
    /// Requests in flight.
    pub connections: usize,
    /// Blobs are read whose version the lake knows.
    pub again: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(url: &str, path: &str) -> Input {
        let location = Location::parse(url).expect("a location");
        location.input(ObjectMeta {
            location: BlobPath::parse(path).expect("a path"),
            last_modified: chrono::DateTime::UNIX_EPOCH,
            size: 7,
            e_tag: Some("\"1\"".to_owned()),
            version: None,
        })
    }

    const BLOB: &str = "tenantId=7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c/y=2026/m=10/d=05/h=23/m=00/PT1H.json";

    #[test]
    fn a_blob_says_what_a_file_of_the_same_path_does() {
        let cases = [
            ("gs://logs/x", format!("x/insights-logs-signinlogs/{BLOB}"), "gs://logs/x"),
            ("gs://insights-logs-signinlogs", BLOB.to_owned(), "gs://"),
            (
                "abfss://insights-logs-signinlogs@contoso.dfs.core.windows.net/",
                BLOB.to_owned(),
                "abfss://contoso.dfs.core.windows.net",
            ),
            (
                "https://contoso.blob.core.windows.net/insights-logs-signinlogs/",
                BLOB.to_owned(),
                "https://contoso.blob.core.windows.net",
            ),
        ];
        for (url, path, root) in cases {
            let input = listed(url, &path);
            let (tenant, category, _) = input.says.storage().expect("a whole storage path");
            assert_eq!((tenant, category.as_str()), ("7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c", "interactive"));
            assert_eq!(input.says.storage_root, Some(root.into()), "{url}");
            assert!(
                input.name.ends_with(&path) && input.name.starts_with(url.trim_end_matches('/')),
                "{url}"
            );
        }
    }

    #[test]
    fn a_pattern_lists_from_the_folder_before_its_first_wildcard() {
        let location = Location::parse("gs://logs/a/*/PT1H.json").expect("a location");
        assert_eq!(location.prefix.as_ref(), "a");
        let fits = |path: &str| location.fits(&BlobPath::parse(path).expect("a path"));
        assert!(fits("a/b/PT1H.json") && fits("a/b/PT1H.json/c"));
        assert!(!fits("a/PT1H.json") && !fits("a/b/c/PT1H.json"));
    }

    #[test]
    fn inputs_around_the_lake_are_told_from_those_beside_it() {
        let lake = "az://logs/lake";
        for around in ["az://logs", "az://logs/", "az://logs/lake", "az://logs/lake/sources"] {
            assert!(holds(around, lake), "{around}");
        }
        for beside in ["az://logs/lakes", "az://other", "s3://logs", "./lake"] {
            assert!(!holds(beside, lake), "{beside}");
        }
    }

    #[test]
    fn a_url_that_is_not_known_is_refused_without_its_secret() {
        for url in ["ftp://host/x", "https://example.com/x", "az://", "s3:///x"] {
            assert!(matches!(Location::parse(url), Err(Error::StoreUrl { .. })), "{url}");
        }
        let error = Location::parse("https://contoso.blob.core.windows.net/logs/x?sv=1&sig=secret");
        let error = error.expect_err("refused").to_string();
        assert!(error.contains("AZURE_STORAGE_SAS_TOKEN") && !error.contains("secret"), "{error}");
    }
}
