//! Azure Monitor diagnostic records: `{"time":…,"category":"SignInLogs","properties":{…}}`.
//! The envelope's `time` is when the record was emitted; the sign-in's own time is
//! `properties.createdDateTime`, and only where that is missing the envelope's stands in for it.
//! A SIEM's normaliser may have put the envelope's names in lower case.

mod learned;

use std::borrow::Cow;

use super::draft::{Draft, Item, graver, once, says_success};
use super::names::Names;
use super::{Parsed, nested, wrong_shape};
use crate::json::{Cursor, JsonError, Kind, Strings};
use crate::reject::RejectReason;
use lightsout_model::sign_in::Category;
use lightsout_model::time::DateOrder;

const EXPECTED: &str = "a diagnostic record with category or operationName, and properties";
pub(super) const SIGN_IN_OPERATION: &str = "Sign-in activity";

/// What a member of the envelope tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Time,
    Category,
    OperationName,
    TenantId,
    TenantName,
    ResourcePath,
    ResultType,
    ResultDescription,
    CallerIpAddress,
    CorrelationId,
    Location,
    Properties,
}

/// The envelope's names.
static ENVELOPE: Names<Member> = Names::new(&[
    ("time", Member::Time),
    ("category", Member::Category),
    ("operationName", Member::OperationName),
    ("tenantId", Member::TenantId),
    ("tenant", Member::TenantName),
    ("tenantName", Member::TenantName),
    ("customer", Member::TenantName),
    ("resourceId", Member::ResourcePath),
    ("resultType", Member::ResultType),
    ("resultDescription", Member::ResultDescription),
    ("callerIpAddress", Member::CallerIpAddress),
    ("correlationId", Member::CorrelationId),
    ("location", Member::Location),
    ("properties", Member::Properties),
]);

/// Whether a record is a diagnostic record, of any log category.
pub(super) fn recognise(record: &str) -> bool {
    read(Cursor::new(record)).is_ok_and(|(envelope, _)| envelope.is_diagnostic())
}

#[derive(Default)]
struct Envelope<'a> {
    time: Option<Cow<'a, str>>,
    category: Option<Cow<'a, str>>,
    operation_name: Option<Cow<'a, str>>,
    tenant_id: Option<Cow<'a, str>>,
    tenant_name: Option<Cow<'a, str>>,
    resource_path: Option<Cow<'a, str>>,
    result_type: Option<Cow<'a, str>>,
    result_description: Option<Cow<'a, str>>,
    caller_ip_address: Option<Cow<'a, str>>,
    correlation_id: Option<Cow<'a, str>>,
    location: Option<Cow<'a, str>>,
    has_properties: bool,
    /// What is there twice and says two things.
    twice: Option<&'static str>,
    has_result: bool,
    /// A name of the envelope is there in lower case.
    lower_case: bool,
    /// The properties are beside its members, under names such as `properties.id`.
    is_flattened: bool,
    /// So is one that only Log Analytics has: what it calls its tenant is a workspace.
    of_log_analytics: bool,
}

impl<'a> Envelope<'a> {
    fn set(&mut self, member: Member, text: Option<Cow<'a, str>>) {
        match member {
            Member::Time => once(&mut self.time, text, "time", &mut self.twice),
            Member::Category => once(&mut self.category, text, "category", &mut self.twice),
            Member::OperationName => self.operation_name = text,
            Member::TenantId => once(&mut self.tenant_id, text, "tenantId", &mut self.twice),
            Member::TenantName => self.tenant_name = text,
            Member::ResourcePath => once(&mut self.resource_path, text, "resourceId", &mut self.twice),
            Member::ResultType => {
                self.has_result = true;
                self.result_type = graver(self.result_type.take(), text, |result| !says_success(result));
            }
            Member::ResultDescription => self.result_description = text,
            Member::CallerIpAddress => self.caller_ip_address = text,
            Member::CorrelationId => self.correlation_id = text,
            Member::Location => self.location = text,
            Member::Properties => {}
        }
    }

    fn is_diagnostic(&self) -> bool {
        if (self.of_log_analytics || self.is_flattened) && !self.has_properties {
            return false;
        }
        let Some(category) = self.category.as_deref() else {
            return self.operation_name.as_deref() == Some(SIGN_IN_OPERATION);
        };
        // A record that was cut down to time and category is still told by a sign-in category.
        self.has_properties
            || self.operation_name.is_some()
            || Category::from_diagnostic(category.trim()).is_some()
    }
}

/// JSON text inside JSON text.
const TEXTS_MAX: u8 = 8;

/// What is taken from `properties`.
#[derive(Default)]
struct Properties<'a> {
    draft: Draft<'a>,
    bond_user_agent: Option<Cow<'a, str>>,
}

impl Properties<'_> {
    /// The same, of text that goes away.
    fn into_owned(self) -> Properties<'static> {
        Properties {
            draft: self.draft.into_owned(),
            bond_user_agent: self.bond_user_agent.map(|agent| Cow::Owned(agent.into_owned())),
        }
    }
}

fn read(record: Cursor<'_, impl Strings>) -> Result<(Envelope<'_>, Properties<'_>), JsonError> {
    let found = read_names(record.clone(), false)?;
    if found.0.lower_case { read_names(record, true) } else { Ok(found) }
}

/// The member whose name the key is in lower case. Capitalised names are Log Analytics', and mean other
/// things.
fn lowered_member(key: &str) -> Option<Member> {
    ENVELOPE.in_any_case(key).filter(|_| !key.bytes().any(|byte| byte.is_ascii_uppercase()))
}

/// In lower case, a name that only Log Analytics has.
fn is_of_log_analytics(key: &str) -> bool {
    matches!(key, "aadtenantid" | "timegenerated")
}

/// Whether a name is that of a member of the properties, in a record that was flattened.
fn is_of_properties(key: &str) -> bool {
    key.starts_with("properties.")
}

/// Reads a record; `lowered`: its names may be in lower case.
fn read_names(
    mut cursor: Cursor<'_, impl Strings>,
    lowered: bool,
) -> Result<(Envelope<'_>, Properties<'_>), JsonError> {
    let mut envelope = Envelope::default();
    let mut properties = Properties::default();
    let record = cursor.record();
    let mut place: Option<std::ops::Range<usize>> = None;
    cursor.object::<JsonError>(|cursor, key| {
        let mut member = ENVELOPE.exactly(key);
        if member.is_none() {
            let in_lower_case = lowered_member(key);
            envelope.of_log_analytics |= is_of_log_analytics(key);
            envelope.is_flattened |= is_of_properties(key);
            if lowered {
                member = in_lower_case;
            } else {
                envelope.lower_case |= in_lower_case.is_some();
            }
        }
        match member {
            Some(Member::Properties) if matches!(cursor.kind()?, Kind::Object | Kind::String) => {
                let start = cursor.at();
                let read = properties_of(cursor, lowered)?;
                let this = start..cursor.at();
                if let Some(read) = read {
                    let known = place.replace(this.clone());
                    if known.is_some_and(|known| record[known] != record[this]) {
                        envelope.twice = Some("properties");
                    }
                    envelope.has_properties = true;
                    properties = read;
                }
                Ok(())
            }
            None | Some(Member::Properties) => cursor.skip(),
            Some(member) => {
                let text = cursor.text()?;
                envelope.set(member, text);
                Ok(())
            }
        }
    })?;
    cursor.end()?;
    Ok((envelope, properties))
}

/// What is in an object, or in the text that a database has made of it; `None` of other text.
fn properties_of<'a>(
    cursor: &mut Cursor<'a, impl Strings>,
    lowered: bool,
) -> Result<Option<Properties<'a>>, JsonError> {
    let mut properties = Properties::default();
    if cursor.kind()? == Kind::Object {
        read_properties(cursor, &mut properties, lowered)?;
        return Ok(Some(properties));
    }
    let at = cursor.at();
    let mut text = cursor.string()?;
    // It may have been encoded several times.
    for _ in 0..TEXTS_MAX {
        if !text.trim_start().starts_with('"') {
            break;
        }
        let mut inner = Cursor::new(&text);
        let decoded = inner.string().and_then(|decoded| inner.end().map(|()| decoded.into_owned()));
        text = Cow::Owned(decoded.map_err(|_| not_an_object(at))?);
    }
    if !text.trim_start().starts_with('{') {
        return Ok(None);
    }
    let mut inner = Cursor::new(&text);
    let mut within = Properties::default();
    let read = read_properties(&mut inner, &mut within, lowered).and_then(|()| inner.end());
    read.map_err(|_| not_an_object(at))?;
    Ok(Some(within.into_owned()))
}

fn not_an_object(at: usize) -> JsonError {
    JsonError { at, expected: "an object in the text of properties" }
}

fn read_properties<'a>(
    cursor: &mut Cursor<'a, impl Strings>,
    properties: &mut Properties<'a>,
    lowered: bool,
) -> Result<(), JsonError> {
    cursor.object(|cursor, key| {
        let item = Item::of_member(key);
        match if lowered { item.or_else(|| Item::of_name(key)) } else { item } {
            Some(item) => properties.draft.member(item, cursor)?,
            None if key == "SignInBondData" => {
                properties.bond_user_agent = read_bond_user_agent(cursor)?;
            }
            None => cursor.skip()?,
        }
        Ok(())
    })
}

/// Records of 2019 keep the user agent only in `SignInBondData.DeviceDetails.UserAgent`.
fn read_bond_user_agent<'a>(
    cursor: &mut Cursor<'a, impl Strings>,
) -> Result<Option<Cow<'a, str>>, JsonError> {
    let mut agent = None;
    if cursor.kind()? != Kind::Object {
        cursor.skip()?;
        return Ok(None);
    }
    cursor.object::<JsonError>(|cursor, key| {
        if key == "DeviceDetails" && cursor.kind()? == Kind::Object {
            cursor.object(|cursor, key| {
                if key == "UserAgent" {
                    agent = nested::agent(cursor)?;
                    Ok(())
                } else {
                    cursor.skip()
                }
            })
        } else {
            cursor.skip()
        }
    })?;
    Ok(agent)
}

/// The draft of one record.
pub(super) fn draft(cursor: Cursor<'_, impl Strings>) -> Result<Draft<'_>, RejectReason> {
    let record = cursor.record();
    let (envelope, properties) = read(cursor)?;
    assemble(envelope, properties, record)
}

fn assemble<'a>(
    envelope: Envelope<'a>,
    properties: Properties<'a>,
    record: &str,
) -> Result<Draft<'a>, RejectReason> {
    if !envelope.is_diagnostic() {
        return Err(wrong_shape(EXPECTED, record));
    }
    let mut draft = properties.draft;
    draft.twice = draft.twice.or(envelope.twice);
    draft.set(Item::Category, envelope.category);
    draft.set(Item::Tenant, envelope.tenant_id);
    draft.set(Item::TenantPath, envelope.resource_path);
    draft.set(Item::TenantName, envelope.tenant_name);
    draft.set(Item::EmittedAt, envelope.time);
    draft.set(Item::Country, envelope.location);
    draft.set(Item::ResultDescription, envelope.result_description);
    if envelope.has_result {
        draft.set(Item::ResultType, envelope.result_type);
    }
    let sign_in = &mut draft.sign_in;
    sign_in.ip_address = sign_in.ip_address.take().or(envelope.caller_ip_address);
    sign_in.correlation_id = sign_in.correlation_id.take().or(envelope.correlation_id);
    sign_in.user_agent = sign_in.user_agent.take().or(properties.bond_user_agent);
    Ok(draft)
}

pub(super) use learned::{parse_learned, want};

/// Reads one record. Azure writes the time of emission month first.
pub(super) fn parse(record: Cursor<'_, impl Strings>, dates: DateOrder) -> Result<Parsed<'_>, RejectReason> {
    draft(record)?.finish_with(dates, DateOrder::MonthFirst)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightsout_model::sign_in::RawSignIn;
    use lightsout_model::time::{self, DateOrder};

    const TENANT: &str = "11111111-0000-4000-8000-000000000001";

    fn sign_in(record: &str) -> RawSignIn<'_> {
        match parse(Cursor::new(record), DateOrder::Unsettled).expect("a row") {
            Parsed::SignIn(sign_in) => *sign_in,
            Parsed::NotSignIn => panic!("a sign-in"),
        }
    }

    #[test]
    fn a_record_without_created_date_time_takes_the_time_of_its_emission() {
        let record = format!(
            r#"{{"time":"2026-10-05T10:00:00Z","category":"SignInLogs","tenantId":"{TENANT}","properties":{{}}}}"#
        );
        let sign_in = sign_in(&record);
        assert_eq!(sign_in.signed_in_at.map(time::format).as_deref(), Some("2026-10-05T10:00:00.000000Z"));
        assert_eq!((sign_in.error_code, sign_in.has_result), (None, false));
    }

    #[test]
    fn the_tenant_stands_in_the_resource_path_where_tenant_id_is_missing() {
        let record = format!(
            r#"{{"time":"2026-10-05T10:00:00Z","category":"SignInLogs","resourceId":"/tenants/{TENANT}/providers/Microsoft.aadiam","properties":{{}}}}"#
        );
        assert_eq!(sign_in(&record).tenant_id.as_deref(), Some(TENANT));
    }

    #[test]
    fn numbers_may_be_text_and_the_last_of_duplicate_keys_wins() {
        let record = r#"{"time":"2026-10-05T10:00:00Z","category":"signinlogs","resultType":"50126","properties":{"status":{"errorCode":1},"status":{"errorCode":"50126","failureReason":"Invalid"}}}"#;
        let sign_in = sign_in(record);
        assert_eq!(sign_in.error_code, Some(50126));
        assert_eq!(sign_in.failure_reason.as_deref(), Some("Invalid"));
        assert_eq!(sign_in.category, Some(Category::Interactive));
    }

    // The last of the two counted, and an IMAP4 sign-in was read as a browser's.
    #[test]
    fn a_record_that_says_two_things_under_one_name_is_no_row() {
        let record = |members: &str| {
            format!(
                r#"{{"time":"2026-10-05T10:00:00Z","category":"SignInLogs","tenantId":"{TENANT}",{members}}}"#
            )
        };
        let imap = r#""properties":{"clientAppUsed":"IMAP4"}"#;
        for (members, twice) in [
            (format!(r#"{imap},"properties":{{"clientAppUsed":"Browser"}}"#), "properties"),
            (format!(r#"{imap},"properties":"{{\"clientAppUsed\":\"Browser\"}}""#), "properties"),
            (format!(r#"{imap},"category":"AuditLogs""#), "category"),
            (format!(r#"{imap},"tenantId":"22222222-0000-4000-8000-000000000002""#), "tenantId"),
            (format!(r#"{imap},"time":"2025-10-05T10:00:00Z""#), "time"),
            (r#""properties":{"clientAppUsed":"IMAP4","clientAppUsed":"POP3"}"#.to_owned(), "clientAppUsed"),
            (
                r#""properties":{"createdDateTime":"2026-10-05T10:00:00Z","createdDateTime":"2025-10-05T10:00:00Z"}"#
                    .to_owned(),
                "createdDateTime",
            ),
        ] {
            let record = record(&members);
            assert!(recognise(&record), "{record}");
            let rejected = parse(Cursor::new(&record), DateOrder::Unsettled).expect_err(&record);
            assert_eq!(rejected, RejectReason::MemberTwice { member: twice }, "{record}");
        }
        for members in [format!("{imap},{imap}"), format!(r#"{imap},"properties":null"#)] {
            assert_eq!(sign_in(&record(&members)).client_app.as_deref(), Some("IMAP4"));
        }
    }

    #[test]
    fn of_two_results_the_one_that_may_be_usage_counts() {
        for members in [
            r#""resultType":"0","resultType":"50126","properties":{}"#,
            r#""resultType":"50126","properties":{"status":{"errorCode":0},"status":{"errorCode":50126}}"#,
            r#""resultType":"50126","properties":{"status":{"errorCode":0,"errorCode":50126}}"#,
        ] {
            let record = format!(r#"{{"time":"2026-10-05T10:00:00Z","category":"SignInLogs",{members}}}"#);
            assert_eq!(sign_in(&record).error_code, Some(0), "{record}");
        }
    }

    // The string was passed, and with it client, user and time.
    #[test]
    fn properties_may_be_json_text() {
        let properties = r#"{"id":"1","createdDateTime":"2026-10-04T10:00:00Z","clientAppUsed":"IMAP4","status":{"errorCode":0}}"#;
        let record = |properties: &str| {
            format!(
                r#"{{"time":"2026-10-05T10:00:00Z","category":"SignInLogs","tenantId":"{TENANT}","properties":{properties}}}"#
            )
        };
        let text = serde_json::Value::from(properties).to_string();
        let twice = serde_json::Value::from(text.as_str()).to_string();
        let bare = record(properties);
        for text in [&text, &twice] {
            assert_eq!(sign_in(&record(text)), sign_in(&bare), "{text}");
        }
        let cut = serde_json::Value::from(&properties[..60]).to_string();
        let rejected = parse(Cursor::new(&record(&cut)), DateOrder::Unsettled).expect_err("cut");
        assert_eq!(rejected.code(), "invalid_json");
        assert_eq!(sign_in(&record("\"none\"")).client_app, None);
    }

    // In a list behind a browser's it was not seen, and in an object it was lost.
    #[test]
    fn an_agent_in_a_list_or_an_object_is_not_lost() {
        let record = |agent: &str| {
            format!(
                r#"{{"time":"2026-10-05T10:00:00Z","category":"SignInLogs","tenantId":"{TENANT}","properties":{{"userAgent":{agent}}}}}"#
            )
        };
        for (agent, expected) in [
            (r#"["BAV2ROPC"]"#, Some("BAV2ROPC")),
            (r#"["Mozilla/5.0","BAV2ROPC"]"#, Some("BAV2ROPC")),
            (r#"[["Mozilla/5.0"],["BAV2ROPC"]]"#, Some("BAV2ROPC")),
            (r#"{"name":"Other","original":"BAV2ROPC"}"#, Some("BAV2ROPC")),
            (r#"["Mozilla/5.0"]"#, Some("Mozilla/5.0")),
            (r#"["a","b"]"#, Some("a, b")),
            (r#"{"name":"Chrome"}"#, None),
            ("[]", None),
        ] {
            assert_eq!(sign_in(&record(agent)).user_agent.as_deref(), expected, "{agent}");
        }
    }

    #[test]
    fn capitalised_names_are_not_an_envelopes() {
        let record = r#"{"TimeGenerated":"2026-10-05T10:00:00Z","OperationName":"Sign-in activity","Category":"SignInLogs","TenantId":"w"}"#;
        assert!(!recognise(record));
        assert!(recognise(&record.replace("TimeGenerated", "time").to_ascii_lowercase()));
    }

    #[test]
    fn other_log_categories_are_not_sign_ins() {
        let record = r#"{"time":"2026-10-05T10:00:00Z","category":"AuditLogs","operationName":"Update user","properties":{}}"#;
        assert_eq!(parse(Cursor::new(record), DateOrder::Unsettled), Ok(Parsed::NotSignIn));
        assert!(recognise(record));
    }

    #[test]
    fn a_record_of_another_shape_is_told_by_its_keys() {
        let told = parse(Cursor::new(r#"{"id":"1","createdDateTime":"x"}"#), DateOrder::Unsettled)
            .expect_err("no envelope")
            .to_string();
        assert!(told.contains("id, createdDateTime"), "{told}");
    }

    #[test]
    fn a_cut_line_is_invalid_json_and_says_where() {
        let told = parse(Cursor::new(r#"{"time":"2026-10-05T10:00:00Z","cat"#), DateOrder::Unsettled)
            .expect_err("cut")
            .to_string();
        assert_eq!(told, "not valid JSON: expected the end of the string at byte 35");
    }
}
