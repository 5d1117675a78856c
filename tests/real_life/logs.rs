//! Logs of invented tenants: who signs in on which day, and the shapes in which that leaves a tenant.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc, Weekday};
use chrono::{Datelike, Timelike};
use serde_json::{Value, json};

use crate::program::Place;

/// The two logs of users, by the names of Entra ID's diagnostic settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Log {
    Interactive,
    NonInteractive,
}

impl Log {
    const BOTH: [Self; 2] = [Self::Interactive, Self::NonInteractive];

    const fn name(self) -> &'static str {
        match self {
            Self::Interactive => "SignInLogs",
            Self::NonInteractive => "NonInteractiveUserSignInLogs",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct SignIn {
    log: Log,
    at: DateTime<Utc>,
    user: usize,
    client_app: &'static str,
    error_code: u32,
    ip: String,
    country: &'static str,
}

/// A tenant and all that it logs, whether or not anybody exports it.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    pub(crate) id: String,
    domain: &'static str,
    sign_ins: Vec<SignIn>,
}

impl Tenant {
    pub(crate) fn new(number: u32, domain: &'static str) -> Self {
        Self { id: format!("{number:08x}-0000-4000-8000-000000000000"), domain, sign_ins: Vec::new() }
    }

    /// On these days some users sign in to Outlook on the web in the morning, and their phones and
    /// Office renew tokens until the afternoon.
    pub(crate) fn works(self, days: impl IntoIterator<Item = NaiveDate>, users: usize) -> Self {
        let days: Vec<NaiveDate> = days.into_iter().collect();
        self.signs_in(days.iter().copied(), users).renews(days, users)
    }

    /// Interactive sign-ins alone.
    pub(crate) fn signs_in(mut self, days: impl IntoIterator<Item = NaiveDate>, users: usize) -> Self {
        for day in days {
            for user in 0..users {
                self.modern(Log::Interactive, at(day, 7, 10 + user), user);
            }
        }
        self
    }

    /// What a filter for browsers lets through of both logs.
    pub(crate) fn signs_in_by_browser(self, days: impl IntoIterator<Item = NaiveDate>, users: usize) -> Self {
        let mut tenant = self.works(days, users);
        tenant.sign_ins.retain(|sign_in| sign_in.client_app == "Browser");
        tenant
    }

    /// Non-interactive sign-ins alone.
    pub(crate) fn renews(mut self, days: impl IntoIterator<Item = NaiveDate>, users: usize) -> Self {
        for day in days {
            for user in 0..users {
                self.modern(Log::NonInteractive, at(day, 8, 20 + user), user);
                self.modern(Log::NonInteractive, at(day, 15, 40 + user), user);
            }
        }
        self
    }

    fn modern(&mut self, log: Log, at: DateTime<Utc>, user: usize) {
        // Now and then somebody signs in to an app, and a browser renews a token.
        let is_usual = !(at.ordinal() as usize + user).is_multiple_of(4);
        let client_app = match (log, is_usual) {
            (Log::Interactive, true) | (Log::NonInteractive, false) => "Browser",
            (Log::NonInteractive, true) | (Log::Interactive, false) => "Mobile Apps and Desktop clients",
        };
        let ip = "192.0.2.10".to_owned();
        self.sign_ins.push(SignIn { log, at, user, client_app, error_code: 0, ip, country: "DE" });
    }

    /// Somebody outside guesses passwords on one day, from one address, a try a minute, at all users
    /// in turn.
    pub(crate) fn with_guesses(
        mut self,
        day: NaiveDate,
        tries: usize,
        client_app: &'static str,
        error_code: u32,
        from: (&str, &'static str),
    ) -> Self {
        for n in 0..tries {
            self.sign_ins.push(SignIn {
                log: Log::NonInteractive,
                at: at(day, 1 + n / 60, n % 60),
                user: n % 3,
                client_app,
                error_code,
                ip: from.0.to_owned(),
                country: from.1,
            });
        }
        self
    }

    fn between(&self, log: Log, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<Value> {
        let mut found: Vec<(usize, &SignIn)> = self
            .sign_ins
            .iter()
            .enumerate()
            .filter(|(_, sign_in)| sign_in.log == log && (from..until).contains(&sign_in.at))
            .collect();
        found.sort_by_key(|(n, sign_in)| (sign_in.at, *n));
        found.into_iter().map(|(n, sign_in)| self.object(n, sign_in)).collect()
    }

    /// As Graph beta, the portal's JSON download and the `properties` of a diagnostic record say it.
    fn object(&self, n: usize, sign_in: &SignIn) -> Value {
        let user = sign_in.user;
        let (app, app_id) = if sign_in.client_app == "Browser" && n.is_multiple_of(3) {
            ("Microsoft Teams", "1fec8e78-bce4-4aaf-ab1b-5451cc387264")
        } else {
            ("Office 365 Exchange Online", "00000002-0000-0ff1-ce00-000000000000")
        };
        json!({
            "id": format!("{}-{n:04x}-4000-8000-{:012x}", &self.id[..8], sign_in.at.timestamp()),
            "createdDateTime": written(sign_in.at),
            "userId": format!("{}-0000-4000-9000-{user:012}", &self.id[..8]),
            "userPrincipalName": format!("user{user}@{}", self.domain),
            "appDisplayName": app,
            "appId": app_id,
            "resourceDisplayName": "Office 365 Exchange Online",
            "resourceId": "00000002-0000-0ff1-ce00-000000000000",
            "clientAppUsed": sign_in.client_app,
            "userAgent": "Mozilla/5.0",
            "ipAddress": sign_in.ip,
            "location": { "countryOrRegion": sign_in.country },
            "conditionalAccessStatus": if sign_in.error_code == 53003 { "failure" } else { "notApplied" },
            "isInteractive": sign_in.log == Log::Interactive,
            "status": { "errorCode": sign_in.error_code, "failureReason": failure_reason(sign_in.error_code) },
        })
    }

    fn diagnostic_record(&self, log: Log, sign_in: &Value) -> String {
        let emitted: DateTime<Utc> =
            sign_in["createdDateTime"].as_str().and_then(|at| at.parse().ok()).expect("a time");
        let record = json!({
            "time": written(emitted + TimeDelta::minutes(5)),
            "resourceId": format!("/tenants/{}/providers/Microsoft.aadiam", self.id),
            "operationName": "Sign-in activity",
            "category": log.name(),
            "tenantId": self.id,
            "resultType": sign_in["status"]["errorCode"].to_string(),
            "properties": sign_in,
        });
        record.to_string() + "\n"
    }

    /// What a forwarder has written of one log until an instant.
    pub(crate) fn diagnostic_log(&self, log: Log, until: DateTime<Utc>) -> Vec<u8> {
        let records = self.between(log, DateTime::UNIX_EPOCH, until);
        records.iter().map(|record| self.diagnostic_record(log, record)).collect::<String>().into_bytes()
    }

    /// Both logs.
    pub(crate) fn diagnostic(&self, until: DateTime<Utc>) -> Vec<u8> {
        Log::BOTH.map(|log| self.diagnostic_log(log, until)).concat()
    }

    /// The portal's JSON download at an instant: what the tenant still keeps.
    pub(crate) fn portal_download(&self, log: Log, at: DateTime<Utc>, kept_days: i64) -> Vec<u8> {
        Value::from(self.between(log, at - TimeDelta::days(kept_days), at)).to_string().into_bytes()
    }

    /// Both downloads, by the portal's file names, in a folder.
    pub(crate) fn download(&self, place: &Place, folder: &str, at: DateTime<Utc>, kept_days: i64) {
        for (log, name) in
            [(Log::Interactive, "InteractiveSignIns"), (Log::NonInteractive, "NonInteractiveSignIns")]
        {
            let first = (at - TimeDelta::days(kept_days)).date_naive();
            let name = format!("{folder}/{name}_{first}_{}.json", at.date_naive());
            place.write(&name, &self.portal_download(log, at, kept_days));
        }
    }

    /// A page of Graph v1.0 `/auditLogs/signIns`, which gives interactive sign-ins and no user agent.
    pub(crate) fn graph_v1(&self, at: DateTime<Utc>, kept_days: i64) -> Vec<u8> {
        let mut sign_ins = self.between(Log::Interactive, at - TimeDelta::days(kept_days), at);
        for sign_in in &mut sign_ins {
            sign_in.as_object_mut().expect("an object").remove("userAgent");
        }
        let context = "https://graph.microsoft.com/v1.0/$metadata#auditLogs/signIns";
        json!({ "@odata.context": context, "value": sign_ins }).to_string().into_bytes()
    }

    /// The storage-export layout, a file for every hour of some days, empty where nobody signed in.
    pub(crate) fn storage(&self, place: &Place, folder: &str, days: impl IntoIterator<Item = NaiveDate>) {
        for day in days {
            for (log, hour) in Log::BOTH.into_iter().flat_map(|log| (0..24).map(move |hour| (log, hour))) {
                let from = at(day, hour, 0);
                let records = self.between(log, from, from + TimeDelta::hours(1));
                let text: String = records.iter().map(|record| self.diagnostic_record(log, record)).collect();
                let name = format!(
                    "{folder}/insights-logs-{}/tenantId={}/y={}/m={:02}/d={:02}/h={:02}/m=00/PT1H.json",
                    log.name().to_lowercase(),
                    self.id,
                    day.year(),
                    day.month(),
                    day.day(),
                    from.hour(),
                );
                place.write(&name, text.as_bytes());
            }
        }
    }
}

/// As Entra ID words it.
const fn failure_reason(error_code: u32) -> &'static str {
    match error_code {
        0 => "Other.",
        50053 => "Sign-in was blocked because it came from an IP address with malicious activity",
        50126 => "Error validating credentials due to invalid username or password.",
        53003 => "Access has been blocked by Conditional Access policies.",
        _ => "",
    }
}

fn written(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

pub(crate) fn at(day: NaiveDate, hour: usize, minute: usize) -> DateTime<Utc> {
    let time = u32::try_from(hour).ok().zip(u32::try_from(minute).ok());
    time.and_then(|(hour, minute)| day.and_hms_opt(hour, minute, 0)).expect("a time").and_utc()
}

/// Every day from the first to the last.
pub(crate) fn days(first: &str, last: &str) -> impl Iterator<Item = NaiveDate> + Clone {
    let last = day(last);
    day(first).iter_days().take_while(move |day| *day <= last)
}

/// The days among them that offices are open on.
pub(crate) fn working_days(first: &str, last: &str) -> impl Iterator<Item = NaiveDate> + Clone {
    days(first, last).filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun))
}

/// A day, and every so many days after it.
pub(crate) fn every(days: u64, first: &str, times: usize) -> Vec<NaiveDate> {
    (0..times as u64).map(|n| day(first) + Days::new(n * days)).collect()
}
