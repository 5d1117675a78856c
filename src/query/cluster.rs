//! Queries on a Ballista cluster. A query is planned here, over the files of the snapshot, and its
//! physical plan is sent to the scheduler (`session`, `job`): the executors need nothing of lightsout, and a plan holds
//! only nodes and functions that they have. Where nothing is read from files, the query runs here.

#[cfg(feature = "cluster")]
mod job;
#[cfg(feature = "cluster")]
pub(super) mod session;
#[cfg(all(test, feature = "cluster"))]
mod tests;

#[cfg(feature = "cluster")]
pub use job::cancel_all;

/// The scheduler of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Host and port.
    address: String,
}

impl Cluster {
    /// Reads `df://HOST:PORT`.
    ///
    /// # Errors
    /// What was expected and found.
    pub fn parse(text: &str) -> Result<Self, String> {
        if cfg!(not(feature = "cluster")) {
            return Err(
                "this program was built without the feature 'cluster'; build it with --features cluster"
                    .to_owned(),
            );
        }
        let found = lightsout_output::text::plain_short(text, 80);
        let expected =
            || format!("expected the address of a Ballista scheduler, df://HOST:PORT, found '{found}'");
        let address = text.strip_prefix("df://").ok_or_else(expected)?.trim_end_matches('/');
        let (host, port) = address.rsplit_once(':').ok_or_else(expected)?;
        let is_host = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        if host.is_empty() || !host.chars().all(is_host) || !port.parse::<u16>().is_ok_and(|port| port > 0) {
            return Err(expected());
        }
        Ok(Self { address: address.to_owned() })
    }

    /// As it was given.
    #[must_use]
    pub fn url(&self) -> String {
        format!("df://{}", self.address)
    }
}

/// Cancels what this process still has running on clusters.
#[cfg(not(feature = "cluster"))]
#[expect(clippy::unused_async, reason = "it waits where there are clusters")]
pub async fn cancel_all() {}
