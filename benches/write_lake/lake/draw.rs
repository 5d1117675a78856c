//! Draws sign-ins: few tenants and users are most of the log, a tenant uses some protocols and is only
//! tried by others, a few percent are delivered twice, and of those some end otherwise the second time.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use lightsout_formats::classify::{EXCHANGE_ONLINE_ID, classify};
use lightsout_model::sign_in::{Category, Classified, RawSignIn};

use super::Settings;
use super::text::{Random, guid, mix, wide};
use super::truth::Truth;

/// Share of sign-ins that are delivered a second time.
const REPEATED: f64 = 0.03;
/// So many sign-ins wait for their repetition, where there are so many.
const REPEATED_AFTER: u64 = 5_000;

/// Client apps: the modern two, then legacy ones with how often of a thousand they are drawn.
pub(super) const CLIENT_APPS: [(Option<&str>, u64); 18] = [
    (Some("Browser"), 0),
    (Some("Mobile Apps and Desktop clients"), 0),
    (Some("IMAP4"), 240),
    (Some("Authenticated SMTP"), 240),
    (Some("Exchange ActiveSync"), 190),
    (Some("POP3"), 90),
    (Some("Exchange Web Services"), 80),
    (Some("MAPI Over HTTP"), 40),
    (Some("Other clients; IMAP"), 20),
    (Some("Outlook Anywhere (RPC over HTTP)"), 20),
    (Some("Other clients"), 20),
    (Some("Offline Address Book"), 15),
    (Some("AutoDiscover"), 15),
    (Some("Exchange Online PowerShell"), 10),
    (Some("Outlook Service"), 8),
    (Some("Reporting Web Services"), 4),
    (None, 6),
    (Some("Example Mail Gateway"), 2),
];
const NOT_STATED: u8 = 16;

pub(super) const RESOURCES: [(Option<&str>, Option<&str>); 5] = [
    (Some(EXCHANGE_ONLINE_ID), Some("Office 365 Exchange Online")),
    (Some("00000003-0000-0000-c000-000000000000"), Some("Microsoft Graph")),
    (Some("00000003-0000-0ff1-ce00-000000000000"), Some("Office 365 SharePoint Online")),
    (Some("00000002-0000-0000-c000-000000000000"), Some("Windows Azure Active Directory")),
    (None, None),
];

/// Result codes with their words; the first is success, the last has no status.
pub(super) const CODES: [(Option<i64>, Option<&str>); 9] = [
    (Some(0), None),
    (
        Some(50140),
        Some("This error occurred due to 'Keep me signed in' interrupt when the user was signing-in."),
    ),
    (Some(50074), Some("Strong Authentication is required.")),
    (Some(50126), Some("Error validating credentials due to invalid username or password.")),
    (Some(50053), Some("The account is locked.")),
    (Some(50034), Some("The user account does not exist in the directory.")),
    (Some(53003), Some("Access has been blocked by Conditional Access policies.")),
    (Some(50055), Some("The password is expired.")),
    (None, None),
];
const INTERRUPTED: u8 = 1;
const NO_STATUS: u8 = 8;

pub(super) const AGENTS: [Option<&str>; 12] = [
    Some(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36 Edg/129.0.0.0",
    ),
    Some(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36",
    ),
    Some(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    ),
    Some(
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
    ),
    Some("Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"),
    Some(
        "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Mobile Safari/537.36",
    ),
    None,
    Some("BAV2ROPC"),
    Some("CBAInPROD"),
    Some("Example-Mailer/4.2"),
    Some("python-requests/2.32.3"),
    Some("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)"),
];
const BASIC_AGENT: u8 = 7;

pub(super) const COUNTRIES: [&str; 10] = ["DE", "US", "GB", "FR", "NL", "PL", "IN", "JP", "BR", "CH"];
pub(super) const APPS: u32 = 60;

/// Where rows lie together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Legacy,
    Service,
    Modern,
}

impl Stream {
    pub(super) const ALL: [Self; 3] = [Self::Legacy, Self::Service, Self::Modern];

    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Service => "service",
            Self::Modern => "modern",
        }
    }
}

/// Which of a user's names a record has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Named {
    ById,
    ByName,
    NotAtAll,
}

/// A sign-in as one row of it will stand, in numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draft {
    pub(super) tenant: u32,
    pub(super) user: u32,
    pub(super) named: Named,
    pub(super) category: Category,
    pub(super) client_app: u8,
    pub(super) resource: u8,
    pub(super) code: u8,
    pub(super) agent: u8,
    pub(super) country: u8,
    pub(super) app: u8,
    /// The resource is another tenant's.
    pub(super) abroad: bool,
    pub(super) signed_in_at: i64,
    pub(super) emitted_at: i64,
    pub(super) id: u64,
    pub(super) address: u64,
    pub(super) source: u32,
    pub(super) source_offset: i64,
}

impl Draft {
    pub(super) fn classified(&self) -> Classified {
        let text = |text: Option<&'static str>| text.map(Cow::Borrowed);
        let (resource_id, resource_name) = RESOURCES[usize::from(self.resource)];
        classify(&RawSignIn {
            category: Some(self.category),
            resource_id: text(resource_id),
            resource_name: text(resource_name),
            client_app: text(CLIENT_APPS[usize::from(self.client_app)].0),
            user_agent: text(AGENTS[usize::from(self.agent)]),
            error_code: CODES[usize::from(self.code)].0,
            ..RawSignIn::default()
        })
    }

    /// Stands for the hash of its text: as hard to compress.
    pub(super) const fn record_hash(&self) -> i64 {
        (self.id.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.emitted_at.cast_unsigned()).cast_signed()
    }

    /// The same division as an ingest's.
    pub(super) fn stream(&self) -> Stream {
        let classified = self.classified();
        match (classified.is_provably_modern(), classified.protocol) {
            (true, _) => Stream::Modern,
            (false, None) => Stream::Service,
            (false, Some(_)) => Stream::Legacy,
        }
    }
}

/// What all parts draw from.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) settings: Settings,
    /// Sorted, as rows are.
    pub(super) tenant_ids: Arc<Vec<String>>,
    /// For each rank by size the tenant that has it.
    by_size: Arc<Vec<u32>>,
    /// Users of each tenant.
    users: Arc<Vec<u32>>,
}

impl World {
    pub(super) fn new(settings: &Settings) -> Self {
        let count = settings.tenants;
        let mut ranked: Vec<(String, u32)> = (0..count)
            .map(|rank| (guid(wide(rank.into(), settings.seed), &mut [0; 36]).to_owned(), rank))
            .collect();
        ranked.sort();
        let mut by_size = vec![0; ranked.len()];
        let mut users = Vec::with_capacity(ranked.len());
        for (tenant, (_, rank)) in (0..).zip(&ranked) {
            by_size[*rank as usize] = tenant;
            users.push(5 + 40_000 / (rank + 1));
        }
        let tenant_ids = Arc::new(ranked.into_iter().map(|(id, _)| id).collect());
        Self { settings: *settings, tenant_ids, by_size: Arc::new(by_size), users: Arc::new(users) }
    }
}

/// One part's way through time.
pub(super) struct Drawing {
    pub(super) world: World,
    random: Random,
    repetitions: VecDeque<Draft>,
    pub(super) truth: Truth,
    id: u64,
}

impl Drawing {
    pub(super) fn new(world: World, part: u32) -> Self {
        let seed = mix(world.settings.seed) ^ u64::from(part);
        let id = mix(seed) << 40;
        let truth = Truth::default();
        Self { world, random: Random::new(seed), repetitions: VecDeque::new(), truth, id }
    }

    /// Times of a slice in their order, about evenly spread.
    pub(super) fn sorted_times(&mut self, count: u64, from: i64, to: i64) -> Vec<i64> {
        let count = i64::try_from(count).unwrap_or(0);
        let step = (to - from) / count.max(1);
        let jitter = u64::try_from(step.max(1)).unwrap_or(1);
        (0..count)
            .map(|at| from + step * at + i64::try_from(self.random.below(jitter)).unwrap_or(0))
            .collect()
    }

    /// The next row of those that are `left`: a new sign-in, or one that was drawn before.
    pub(super) fn draw(&mut self, at: i64, left: u64) -> Draft {
        let waiting = self.repetitions.len() as u64;
        let enough = REPEATED_AFTER.min(self.world.settings.records / 200);
        if (waiting >= left || waiting > enough && self.random.chance(REPEATED))
            && let Some(again) = self.repetitions.pop_front()
        {
            return again;
        }
        let draft = self.sign_in(at);
        // A repetition needs a row of its own.
        let room = left > waiting + 1;
        let spoken_by = if room && self.random.chance(REPEATED * 1.02) { self.repeat(draft) } else { draft };
        self.truth.count(&spoken_by);
        draft
    }

    /// What is delivered of a sign-in the second time, and will speak for it.
    fn repeat(&mut self, first: Draft) -> Draft {
        let random = &mut self.random;
        let mut again = Draft { emitted_at: first.emitted_at + 90_000_000, ..first };
        if first.code == INTERRUPTED && random.chance(0.5) {
            again.code = 0;
        }
        if first.client_app == NOT_STATED && random.chance(0.2) {
            again.client_app = 0;
        }
        self.repetitions.push_back(again);
        again
    }

    #[expect(clippy::cast_possible_truncation, reason = "indices of small tables")]
    fn sign_in(&mut self, at: i64) -> Draft {
        let World { settings, by_size, users, .. } = &self.world;
        let random = &mut self.random;
        let tenant = by_size[random.zipf(settings.tenants) as usize];
        self.id += 1;
        let bits = random.next();
        let mut draft = Draft {
            tenant,
            user: random.zipf(users[tenant as usize]),
            named: match bits & 1023 {
                0 => Named::NotAtAll,
                1..=10 => Named::ByName,
                _ => Named::ById,
            },
            category: if bits >> 10 & 7 < 2 { Category::Interactive } else { Category::NonInteractive },
            client_app: u8::from(bits >> 13 & 3 != 0),
            resource: (bits >> 15 & 3) as u8,
            code: 0,
            agent: (bits >> 17 & 7) as u8 % 6,
            country: if (bits >> 20).is_multiple_of(8) {
                (bits >> 23) as u8 % 10
            } else {
                mix(tenant.into()) as u8 % 10
            },
            app: random.zipf(APPS) as u8,
            abroad: (bits >> 31).is_multiple_of(128),
            signed_in_at: at,
            emitted_at: at + 30_000_000 + i64::from(bits as u32 >> 8) * 20,
            id: self.id,
            address: mix(bits >> 38 & 15 ^ u64::from(tenant) << 20),
            source: 0,
            source_offset: 0,
        };
        let kind = random.unit();
        if kind < settings.legacy_share {
            legacy(&mut draft, random);
        } else {
            modern_or_service(&mut draft, random, bits >> 44);
        }
        draft
    }
}

fn legacy(draft: &mut Draft, random: &mut Random) {
    let mut left = random.below(1_000);
    for (at, (_, often)) in (0..).zip(CLIENT_APPS) {
        if left < often {
            draft.client_app = at;
            break;
        }
        left -= often;
    }
    let pick = random.next();
    draft.resource = match pick & 127 {
        0 | 1 => 1,
        2..=4 => 4,
        _ => 0,
    };
    draft.agent = match pick >> 7 & 7 {
        0 | 1 => BASIC_AGENT,
        2 => 8,
        3 => 6,
        4 => 9,
        5 => 10,
        _ => 11,
    };
    // Half of the tenants use one protocol in three; by the others they are only tried.
    let tenant = u64::from(draft.tenant);
    let uses =
        mix(tenant).is_multiple_of(2) && mix(tenant << 8 | u64::from(draft.client_app)).is_multiple_of(3);
    draft.code = match (uses, pick >> 10 & 1023) {
        (_, 0) => NO_STATUS,
        (true, 1..=30) => INTERRUPTED,
        (true, 31..=160) => 3,
        (true, 161..=190) | (false, 201..=300) => 6,
        (true, _) => 0,
        (false, 1..=100) => 4,
        (false, 101..=200) => 5,
        (false, _) => 3,
    };
}

fn modern_or_service(draft: &mut Draft, random: &mut Random, bits: u64) {
    let category = match bits & 127 {
        0..=9 => Category::ServicePrincipal,
        10..=15 => Category::ManagedIdentity,
        16 => Category::MicrosoftServicePrincipal,
        _ => draft.category,
    };
    draft.category = category;
    if !category.is_user() {
        draft.client_app = NOT_STATED;
        draft.agent = 6;
        draft.named = Named::NotAtAll;
    }
    draft.code = match random.below(100) {
        0..=5 => INTERRUPTED,
        6 | 7 => 2,
        8..=10 => 3,
        11 => 6,
        _ => 0,
    };
}
