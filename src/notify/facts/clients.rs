//! What the users of a table sign in with, client by client, and what can take its place.

use serde::Serialize;

use super::TEXT_CHARACTERS_MAX;
use crate::locale::Locale;
use crate::phrases;
use lightsout_model::client::{Client, NOT_KNOWN};
use lightsout_model::evidence::WhoRow;
use lightsout_output::text::plain_short;

/// Users that are named beside one client.
const USERS_MAX: usize = 5;

#[derive(Debug, Serialize)]
pub(super) struct ClientFacts {
    /// "mail app: Thunderbird 91.3", or why the client is not known.
    name: String,
    protocols: String,
    /// "anna@example.com and 3 more".
    users: String,
    advice: &'static str,
    source: &'static str,
}

pub(super) fn client_of(row: &WhoRow, locale: Locale) -> Client {
    Client::in_language(locale.0, row.protocol, row.app.as_deref(), row.user_agent.as_deref())
}

/// Why it is not known is said where the client is.
pub(super) fn kind_in_table(client: &Client, locale: Locale) -> String {
    if client.is_known() { client.kind_and_name() } else { locale.text(NOT_KNOWN).to_owned() }
}

/// Each client once, those of the first rows first.
pub(super) fn clients(rows: &[&WhoRow], locale: Locale) -> Vec<ClientFacts> {
    let mut found: Vec<(Client, Vec<&WhoRow>)> = Vec::new();
    for row in rows {
        let client = client_of(row, locale);
        match found.iter_mut().find(|(known, _)| *known == client) {
            Some((_, rows)) => rows.push(row),
            None => found.push((client, vec![row])),
        }
    }
    found.into_iter().map(|(client, rows)| ClientFacts::of(&client, &rows, locale)).collect()
}

impl ClientFacts {
    fn of(client: &Client, rows: &[&WhoRow], locale: Locale) -> Self {
        let mut protocols: Vec<_> = rows.iter().map(|row| row.protocol).collect();
        protocols.sort_unstable();
        protocols.dedup();
        let protocols = locale.protocols(&protocols);
        let mut users: Vec<String> = Vec::new();
        for row in rows {
            let user = plain_short(&row.user, TEXT_CHARACTERS_MAX);
            let user = if user.is_empty() { locale.text(phrases::NO_USER).to_owned() } else { user };
            if !users.contains(&user) {
                users.push(user);
            }
        }
        let more = users.len().saturating_sub(USERS_MAX);
        users.truncate(USERS_MAX);
        if more > 0 {
            users.push(locale.fill(phrases::MORE_USERS, &[("n", &locale.number(more as u64))]));
        }
        Self {
            name: client.kind_and_name(),
            protocols: locale.enumerate(&protocols),
            users: locale.enumerate(&users),
            advice: client.advice,
            source: client.source,
        }
    }
}
