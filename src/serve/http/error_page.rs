//! What can't be shown, as a page that says what was expected, what was found and the way out.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::request::encoded;
use crate::error::Error;
use lightsout_output::text::plain_short;
use lightsout_query::Error as QueryError;
use lightsout_report::page::{Told, render_told};

/// When it is worth asking again.
const RETRY_SECONDS: u64 = 5;

/// Characters of what was found.
const FOUND_MAX: usize = 120;

/// See the file's first lines.
#[derive(Debug)]
pub(super) enum PageError {
    /// A part of the address that can't be used.
    BadRequest {
        name: String,
        expected: String,
        found: String,
    },
    /// A tenant of which neither lake nor roster knows.
    NoTenant {
        id: String,
    },
    /// No such page or file.
    NoPage {
        path: String,
    },
    /// It took longer than it may.
    Late {
        limit: Duration,
    },
    /// Too many others wait.
    Busy,
    Failed(Error),
}

impl From<Error> for PageError {
    fn from(error: Error) -> Self {
        match error {
            Error::Query(QueryError::OutOfTime { limit, .. }) => Self::Late { limit },
            Error::Query(QueryError::Busy { .. }) => Self::Busy,
            error => Self::Failed(error),
        }
    }
}

impl PageError {
    const fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest { .. } => StatusCode::BAD_REQUEST,
            Self::NoTenant { .. } | Self::NoPage { .. } => StatusCode::NOT_FOUND,
            Self::Late { .. } => StatusCode::GATEWAY_TIMEOUT,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Title, sentences, and ways out.
    fn told(&self) -> (&'static str, Vec<String>, Vec<(String, String)>) {
        let short = |text: &str| plain_short(text, FOUND_MAX);
        let home = || ("/".to_owned(), "The report of all tenants".to_owned());
        match self {
            Self::BadRequest { name, expected, found } => (
                "Invalid request",
                vec![format!("In {}: expected {expected}.", short(name)), format!("Found: {}", short(found))],
                vec![home()],
            ),
            Self::NoTenant { id } => {
                let search = format!("/?tenant={}#by-tenant", encoded(&short(id)));
                (
                    "There is no such tenant",
                    vec![
                        "Expected the id of a tenant of the lake or of the roster.".to_owned(),
                        format!("Found: {}", short(id)),
                    ],
                    vec![(search, "Search for it in ids, names and domains".to_owned()), home()],
                )
            }
            Self::NoPage { path } => (
                "There is no such page",
                vec![
                    "Expected /, /tenants/ID, /tenants/ID/who.csv or .json, or one of assessment, protocol_usage and \
                     coverage_gaps as /download/NAME.csv or .json."
                        .to_owned(),
                    format!("Found: {}", short(path)),
                ],
                vec![home()],
            ),
            Self::Late { limit } => (
                "This took too long",
                vec![
                    format!("It was stopped after {limit:?}, the limit of --timeout."),
                    "Choose fewer days, or restart the server with a longer --timeout.".to_owned(),
                ],
                vec![("/?days=7".to_owned(), "The last seven days".to_owned()), home()],
            ),
            Self::Busy => (
                "Too many requests are waiting",
                vec![format!("Try again in {RETRY_SECONDS} seconds, when other pages have been computed.")],
                vec![home()],
            ),
            Self::Failed(error) => ("This failed", vec![error.to_string()], vec![home()]),
        }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        if let Self::Failed(error) = &self {
            lightsout_output::stderr!("lightsout: a page failed: {error}");
        }
        let (title, sentences, ways_out) = self.told();
        let page = render_told(&Told { title, sentences: &sentences, ways_out: &ways_out });
        let mut response = (self.status(), Html(page.unwrap_or_else(|_| title.to_owned()))).into_response();
        if matches!(self, Self::Busy) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_SECONDS));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_sent_away_is_told_when_to_come_back() {
        let response = PageError::Busy.into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "5");
        let late = PageError::from(Error::Query(QueryError::OutOfTime {
            name: "page".to_owned(),
            limit: Duration::from_mins(1),
        }));
        assert_eq!(late.status(), StatusCode::GATEWAY_TIMEOUT);
        assert!(late.told().1[0].contains("60s"));
    }
}
