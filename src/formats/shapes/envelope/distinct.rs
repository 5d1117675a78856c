//! Several payloads of one object. Programs keep the original beside what they have made of it, so most of what a second
//! payload holds is there already. A sign-in that is not, or that says something else of its client, is a record of its
//! own: which of two is believed is not decided while reading.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::shapes::{Parsed, RecordReader, Shape};
use lightsout_model::sign_in::RawSignIn;

/// What a sign-in says of its client.
struct Client {
    app: Option<String>,
    agent: Option<String>,
    protocol: Option<String>,
}

/// What tells sign-ins apart.
#[derive(PartialEq, Eq, Hash)]
enum Identity {
    Id(String),
    /// Of a record without an id.
    TimeAndUser(Option<i64>, Option<String>),
}

impl Client {
    fn of(sign_in: &RawSignIn<'_>) -> Self {
        let own = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
        Self {
            app: own(&sign_in.client_app),
            agent: own(&sign_in.user_agent),
            protocol: own(&sign_in.authentication_protocol),
        }
    }

    /// Whether it says nothing that the other does not say.
    fn is_within(&self, other: &Self) -> bool {
        let within = |own: &Option<String>, other: &Option<String>| own.is_none() || own == other;
        within(&self.app, &other.app)
            && within(&self.agent, &other.agent)
            && within(&self.protocol, &other.protocol)
    }
}

/// Keeps of the records from `later` on what those before it, from `start` on, do not have.
pub(super) fn keep_new(found: &mut Vec<Cow<'_, str>>, start: usize, later: usize) {
    let candidates = found.split_off(later);
    let texts: HashSet<&str> = found[start..].iter().map(AsRef::as_ref).collect();
    let candidates: Vec<Cow<'_, str>> =
        candidates.into_iter().filter(|record| !texts.contains(record.as_ref())).collect();
    if candidates.is_empty() {
        return;
    }
    let mut known: HashMap<_, Vec<Client>> = HashMap::new();
    for record in &found[start..] {
        if let Some((identity, client)) = facts(record) {
            known.entry(identity).or_default().push(client);
        }
    }
    for record in candidates {
        let Some((identity, client)) = facts(&record) else { continue };
        let clients = known.entry(identity).or_default();
        if !clients.iter().any(|known| client.is_within(known)) {
            clients.push(client);
            found.push(record);
        }
    }
}

/// `None` for what is no sign-in.
fn facts(record: &str) -> Option<(Identity, Client)> {
    let reader = RecordReader::json(Shape::of_record(record)?);
    let Ok(Parsed::SignIn(sign_in)) = reader.parse(record) else { return None };
    let identity = if let Some(id) = &sign_in.sign_in_id {
        Identity::Id(id.to_string())
    } else {
        let user = sign_in.user_principal_name.as_deref().map(str::to_owned);
        Identity::TimeAndUser(sign_in.signed_in_at, user)
    };
    Some((identity, Client::of(&sign_in)))
}
