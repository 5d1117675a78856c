//! Chooses one record for each sign-in. The rule is that of the SQL views `sign_ins` and `contested_sign_ins`.

use std::cmp::Ordering;
use std::collections::HashMap;

/// Interns texts that repeat.
#[derive(Debug, Default)]
pub(super) struct Interner {
    texts: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Interner {
    pub(super) fn intern(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }

    pub(super) fn resolve(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", String::as_str)
    }
}

/// Where a record is: the file, and the row in it.
pub(super) type Place = (u32, u32);

/// A record that may be chosen for its sign-in.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) tenant: Option<u32>,
    pub(super) id: Box<str>,
    pub(super) category: Option<u32>,
    pub(super) signed_in_at: Option<i64>,
    pub(super) user_id: Option<u32>,
    /// The lower-cased user principal name.
    pub(super) address: Option<u32>,
    pub(super) states_client_app: bool,
    /// One that a verdict can need.
    pub(super) names_protocol: bool,
    pub(super) is_modern: bool,
    pub(super) is_basic: bool,
    /// The auth method is unknown.
    pub(super) is_unknown: bool,
    pub(super) provably_modern: bool,
    pub(super) emitted_at: Option<i64>,
    pub(super) is_success: Option<bool>,
    pub(super) record_hash: Option<i64>,
    pub(super) source: Option<u32>,
    pub(super) offset: Option<i64>,
    /// `None`: a duplicate outside the legacy side, which is only ever chosen instead of a legacy record.
    pub(super) place: Option<Place>,
}

/// What becomes of the records.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ranked {
    /// Those that another record is chosen over.
    pub(super) superseded: Vec<Place>,
    /// Chosen records of sign-ins whose category only another record states.
    pub(super) categorised: Vec<(Place, u32)>,
}

pub(super) fn rank(mut candidates: Vec<Candidate>, interner: &Interner) -> Ranked {
    candidates.sort_unstable_by(|a, b| (&a.id, a.tenant).cmp(&(&b.id, b.tenant)));
    let mut ranked = Ranked::default();
    for of_id in candidates.chunk_by_mut(|a, b| a.id == b.id && a.tenant == b.tenant) {
        let is_unique = is_unique(of_id.iter());
        let known = of_id.iter().filter(|_| is_unique).filter_map(|candidate| candidate.category);
        let known = known.max_by(|a, b| interner.resolve(*a).cmp(interner.resolve(*b)));
        let sign_in = |candidate: &Candidate| {
            let record = match candidate.record_hash {
                _ if is_unique => Record::Any,
                Some(hash) => Record::Hash(hash),
                None => Record::Place(candidate.source, candidate.offset),
            };
            (candidate.category.or(known), record)
        };
        of_id.sort_unstable_by(|a, b| sign_in(a).cmp(&sign_in(b)).then_with(|| preference(a, b, interner)));
        for of_sign_in in of_id.chunk_by(|a, b| sign_in(a) == sign_in(b)) {
            if let [chosen, others @ ..] = of_sign_in {
                ranked.superseded.extend(others.iter().filter_map(|candidate| candidate.place));
                if let (None, Some(known), Some(place)) = (chosen.category, known, chosen.place) {
                    ranked.categorised.push((place, known));
                }
            }
        }
    }
    ranked
}

/// Which records of an id are one sign-in: of one that is not unique only those that are the same record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Record {
    Any,
    Hash(i64),
    Place(Option<u32>, Option<i64>),
}

/// How far apart the records of one sign-in are at most.
const SAME_SIGN_IN_MICROS_MAX: i64 = 1_000_000;

/// Whether all records that have an id agree: on the second, and on who it was.
pub(super) fn is_unique<'c>(of_id: impl Iterator<Item = &'c Candidate> + Clone) -> bool {
    let times = || of_id.clone().filter_map(|candidate| candidate.signed_in_at);
    let is_one_moment = times().max().zip(times().min()).is_none_or(|(last, first)| {
        // Times come from logs, and may be any.
        last.saturating_sub(first) <= SAME_SIGN_IN_MICROS_MAX
    });
    is_one_moment
        && all_same(of_id.clone().filter_map(|candidate| candidate.user_id))
        && (of_id.clone().all(|candidate| candidate.user_id.is_some() || candidate.address.is_none())
            || all_same(of_id.filter_map(|candidate| candidate.address)))
}

fn all_same(mut numbers: impl Iterator<Item = u32>) -> bool {
    numbers.next().is_none_or(|first| numbers.all(|number| number == first))
}

/// The order of preference, the chosen record first.
fn preference(a: &Candidate, b: &Candidate, interner: &Interner) -> Ordering {
    let source = |candidate: &Candidate| candidate.source.map(|source| interner.resolve(source));
    (client_certainty(a).cmp(&client_certainty(b)))
        .then(a.is_modern.cmp(&b.is_modern))
        .then(a.provably_modern.cmp(&b.provably_modern))
        // Nothing is less than something, so the latest is first and nothing is last.
        .then(b.emitted_at.cmp(&a.emitted_at))
        .then(b.is_success.cmp(&a.is_success))
        .then_with(|| nulls_last(a.record_hash, b.record_hash))
        .then_with(|| nulls_last(source(a), source(b)))
        .then_with(|| nulls_last(a.offset, b.offset))
        .then(a.place.cmp(&b.place))
}

/// How well a record says by which client the user signed in; the least is the best. That somebody used Basic
/// Authentication is not refuted by a record that no verdict counts: of a modern client, a password grant, a service.
const fn client_certainty(candidate: &Candidate) -> u8 {
    if candidate.names_protocol && candidate.states_client_app && (candidate.is_basic || candidate.is_unknown)
    {
        1
    } else if candidate.names_protocol && candidate.is_basic {
        2
    } else if candidate.states_client_app {
        3
    } else {
        4
    }
}

fn nulls_last<T: Ord + Copy>(a: Option<T>, b: Option<T>) -> Ordering {
    (a.is_none().cmp(&b.is_none())).then_with(|| a.cmp(&b))
}
