//! Azure Monitor diagnostic records: `{"time":…,"category":"SignInLogs","properties":{…}}`.
//! The envelope's `time` is when the record was emitted; the sign-in's own time is
//! `properties.createdDateTime`, and only where that is missing the envelope's stands in for it.
//! A SIEM's normaliser may have put the envelope's names in lower case.

mod learned;

use std::borrow::Cow;

use super::draft::{Draft, Item};
use super::names::Names;
use super::{Parsed, wrong_shape};
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
    has_result: bool,
    /// A name of the envelope is there in lower case.
    lower_case: bool,
    /// So is one that only Log Analytics has: what it calls its tenant is a workspace.
    of_log_analytics: bool,
}

impl<'a> Envelope<'a> {
    fn set(&mut self, member: Member, text: Option<Cow<'a, str>>) {
        match member {
            Member::Time => self.time = text,
            Member::Category => self.category = text,
            Member::OperationName => self.operation_name = text,
            Member::TenantId => self.tenant_id = text,
            Member::TenantName => self.tenant_name = text,
            Member::ResourcePath => self.resource_path = text,
            Member::ResultType => {
                self.has_result = true;
                self.result_type = text;
            }
            Member::ResultDescription => self.result_description = text,
            Member::CallerIpAddress => self.caller_ip_address = text,
            Member::CorrelationId => self.correlation_id = text,
            Member::Location => self.location = text,
            Member::Properties => {}
        }
    }

    fn is_diagnostic(&self) -> bool {
        if self.of_log_analytics && !self.has_properties {
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

/// What is taken from `properties`.
#[derive(Default)]
struct Properties<'a> {
    draft: Draft<'a>,
    bond_user_agent: Option<Cow<'a, str>>,
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

/// Reads a record; `lowered`: its names may be in lower case.
fn read_names(
    mut cursor: Cursor<'_, impl Strings>,
    lowered: bool,
) -> Result<(Envelope<'_>, Properties<'_>), JsonError> {
    let mut envelope = Envelope::default();
    let mut properties = Properties::default();
    cursor.object::<JsonError>(|cursor, key| {
        let mut member = ENVELOPE.exactly(key);
        if member.is_none() {
            let in_lower_case = lowered_member(key);
            envelope.of_log_analytics |= is_of_log_analytics(key);
            if lowered {
                member = in_lower_case;
            } else {
                envelope.lower_case |= in_lower_case.is_some();
            }
        }
        match member {
            Some(Member::Properties) if cursor.kind()? == Kind::Object => {
                envelope.has_properties = true;
                // Of two objects with this key the last one counts, as a whole.
                properties = Properties::default();
                read_properties(cursor, &mut properties, lowered)
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
                    agent = cursor.text()?;
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
