//! Unified Audit Log records (Office 365 Management Activity API, Purview): `UserLoggedIn` and
//! `UserLoginFailed` of Entra ID. The log never says the client app; whether a sign-in succeeded is
//! told by operation and error number, since `ResultStatus` says "Success" of failures too.
//!
//! Collectors flatten such records: the user agent and other extended properties become members of their own, and the
//! lists that held them become text. Those are read too.

use std::borrow::Cow;

use super::draft::{code, last_code};
use super::nested::{agent, graver_agent};
use super::{Parsed, wrong_shape};
use crate::json::{Cursor, JsonError, Kind, Strings};
use crate::reject::RejectReason;
use lightsout_model::sign_in::{Outcome, RawSignIn};
use lightsout_model::time::{self, DateOrder};

const EXPECTED: &str = "an audit record with CreationTime, Operation and OrganizationId";
const LOGGED_IN: &str = "UserLoggedIn";
const LOGIN_FAILED: &str = "UserLoginFailed";

/// Names of errors that older records have instead of a number, with the number they stand for.
const ERROR_NAMES: [(&str, i64); 15] = [
    ("InvalidUserNameOrPassword", 50126),
    ("IdsLocked", 50053),
    ("UserStrongAuthEnrollmentRequiredInterrupt", 50072),
    ("UserStrongAuthClientAuthNRequiredInterrupt", 50074),
    ("UserStrongAuthClientAuthNRequired", 50076),
    ("UserInformationNotProvided", 50058),
    ("SsoArtifactInvalidOrExpired", 50132),
    ("SsoArtifactRevoked", 50133),
    ("FlowTokenExpired", 50089),
    ("DelegationDoesNotExist", 65001),
    ("InvalidReplyTo", 50011),
    ("UserNotBoundError", 1000000),
    ("AdminConsentRequiredDueToRiskyApp", 900941),
    ("AuthenticationFailedSasError", 500121),
    ("UserAccountNotFound", 50034),
];

#[derive(Default)]
struct Members<'a> {
    sign_in: RawSignIn<'a>,
    created: Option<Cow<'a, str>>,
    operation: Option<Cow<'a, str>>,
    workload: Option<Cow<'a, str>>,
    record_type: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    intra_system_id: Option<Cow<'a, str>>,
    user_key: Option<Cow<'a, str>>,
    actor_id: Option<Cow<'a, str>>,
    object_id: Option<Cow<'a, str>>,
    target_id: Option<Cow<'a, str>>,
    client_ip: Option<Cow<'a, str>>,
    actor_ip: Option<Cow<'a, str>>,
    logon_error: Option<Cow<'a, str>>,
    /// Where a collector has put it beside the extended properties.
    flat_agent: Option<Cow<'a, str>>,
    /// What is read is around the record.
    is_outside: bool,
}

fn read(mut cursor: Cursor<'_, impl Strings>) -> Result<Members<'_>, JsonError> {
    let mut members = Members::default();
    cursor.object::<JsonError>(|cursor, key| {
        let sign_in = &mut members.sign_in;
        match key {
            "CreationTime" => members.created = cursor.text()?,
            "CreationDate" => members.created = members.created.take().or(cursor.text()?),
            // Of two operations a login that succeeded is the graver.
            "Operation" | "Operations" => {
                let known = members.operation.take().filter(|known| known.trim() == LOGGED_IN);
                members.operation = known.or(cursor.text()?);
            }
            "Workload" => members.workload = cursor.text()?,
            "RecordType" => members.record_type = cursor.text()?,
            "Id" => members.id = cursor.text()?,
            "IntraSystemId" => members.intra_system_id = cursor.text()?,
            "InterSystemsId" => sign_in.correlation_id = cursor.text()?,
            "OrganizationId" => sign_in.tenant_id = cursor.text()?,
            "TargetContextId" => sign_in.resource_tenant_id = cursor.text()?,
            "ActorContextId" => sign_in.home_tenant_id = cursor.text()?,
            "UserKey" => members.user_key = cursor.text()?,
            "UserId" | "UserIds" => sign_in.user_principal_name = cursor.text()?,
            "ApplicationId" => sign_in.app_id = cursor.text()?,
            "ObjectId" => members.object_id = cursor.text()?,
            "ErrorNumber" => {
                let number = cursor.text()?.as_deref().and_then(code);
                sign_in.error_code = last_code(sign_in.error_code, number);
            }
            "LogonError" => members.logon_error = cursor.text()?,
            "ClientIP" | "ClientIp" | "ClientIPAddress" => members.client_ip = cursor.text()?,
            "ActorIpAddress" => members.actor_ip = cursor.text()?,
            "Actor" => members.actor_id = typed_id(cursor)?,
            "Target" => members.target_id = typed_id(cursor)?,
            "ExtendedProperties" => {
                sign_in.user_agent = graver_agent(sign_in.user_agent.take(), user_agent(cursor)?);
            }
            "UserAgent" => members.flat_agent = graver_agent(members.flat_agent.take(), agent(cursor)?),
            // The record as its service wrote it is inside.
            "AuditData" => {
                members.is_outside |= matches!(cursor.kind()?, Kind::String | Kind::Object);
                cursor.skip()?;
            }
            _ => cursor.skip()?,
        }
        Ok(())
    })?;
    cursor.end()?;
    Ok(members)
}

impl Members<'_> {
    fn is_audit(&self) -> bool {
        // A collector may keep neither of the last two.
        self.created.is_some()
            && self.operation.is_some()
            && !self.is_outside
            && (self.workload.is_some() || self.record_type.is_some() || self.names_sign_in())
    }

    fn names_sign_in(&self) -> bool {
        self.operation.as_deref().is_some_and(|operation| {
            [LOGGED_IN, LOGIN_FAILED].iter().any(|known| known.eq_ignore_ascii_case(operation.trim()))
        })
    }

    fn is_sign_in(&self) -> bool {
        // 15: logons of Entra ID's token service.
        self.names_sign_in()
            && self.record_type.as_deref().is_none_or(|kind| {
                kind.trim() == "15" || kind.trim().eq_ignore_ascii_case("AzureActiveDirectoryStsLogon")
            })
            && self.workload.as_deref().is_none_or(|workload| workload.trim() == "AzureActiveDirectory")
    }
}

/// Whether a record is an audit record, of any operation.
pub(super) fn recognise(record: &str) -> bool {
    read(Cursor::new(record)).is_ok_and(|members| members.is_audit())
}

/// The time of a record, as written.
pub(super) fn created(record: &str) -> Option<Cow<'_, str>> {
    read(Cursor::new(record)).ok()?.created
}

/// Reads one record.
pub(super) fn parse(cursor: Cursor<'_, impl Strings>, dates: DateOrder) -> Result<Parsed<'_>, RejectReason> {
    let record = cursor.record();
    let members = read(cursor)?;
    if !members.is_audit() {
        return Err(wrong_shape(EXPECTED, record));
    }
    if !members.is_sign_in() {
        return Ok(Parsed::NotSignIn);
    }
    let mut sign_in = members.sign_in;
    sign_in.tenant_id =
        sign_in.tenant_id.as_deref().and_then(lightsout_model::tenant::tenant_id).map(Cow::Owned);
    let created = members.created.as_deref().unwrap_or_default();
    let read = time::parse(created, dates);
    sign_in.signed_in_at = Some(read.map_err(|error| RejectReason::of_time("CreationTime", created, error))?);
    sign_in.user_agent = graver_agent(members.flat_agent, sign_in.user_agent);
    sign_in.sign_in_id = members.intra_system_id.or(members.id);
    let guid = |id: &Cow<'_, str>| lightsout_model::tenant::is_guid(id);
    sign_in.user_id = members.user_key.filter(guid).or(members.actor_id.filter(|id| !says_nothing(id)));
    sign_in.user_principal_name = sign_in.user_principal_name.filter(|name| !says_nothing(name));
    sign_in.resource_id =
        [members.object_id, members.target_id].into_iter().flatten().find(|id| !says_nothing(id));
    sign_in.ip_address = members.client_ip.or(members.actor_ip).map(without_port);
    sign_in.has_result = true;
    let failed = members.operation.as_deref().map(str::trim) == Some(LOGIN_FAILED);
    let named = members.logon_error.as_deref().and_then(|name| {
        ERROR_NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim())).map(|(_, code)| *code)
    });
    sign_in.stated_outcome = match (sign_in.error_code, named) {
        (None, Some(code)) => Some(crate::classify::outcome(Some(code))),
        (None | Some(0), _) => Some(if failed { Outcome::Failure } else { Outcome::Success }),
        // An operation that logged in may have been interrupted: the number says so.
        (Some(_), _) => None,
    };
    sign_in.failure_reason = members.logon_error;
    Ok(Parsed::SignIn(Box::new(sign_in)))
}

fn says_nothing(text: &str) -> bool {
    ["unknown", "not available"].iter().any(|word| text.trim().eq_ignore_ascii_case(word))
}

/// The id of type 0, the object's own, in `[{"ID":"…","Type":0}]`.
fn typed_id<'a>(cursor: &mut Cursor<'a, impl Strings>) -> Result<Option<Cow<'a, str>>, JsonError> {
    let mut found = None;
    pairs(cursor, ["ID", "Type"], |id, kind| {
        if kind.as_deref() == Some("0") && found.is_none() {
            found = id;
        }
    })?;
    Ok(found)
}

fn user_agent<'a>(cursor: &mut Cursor<'a, impl Strings>) -> Result<Option<Cow<'a, str>>, JsonError> {
    let mut found = None;
    if cursor.kind()? == Kind::String {
        let text = cursor.string()?;
        return Ok(agent_in_text(&text).map(Cow::Owned));
    }
    pairs(cursor, ["Value", "Name"], |value, name| {
        if name.is_some_and(|name| name.eq_ignore_ascii_case("UserAgent")) {
            found = graver_agent(found.take(), value);
        }
    })?;
    Ok(found)
}

/// The agent where the list became text: JSON, or `UserAgent:…,RequestType:…`.
fn agent_in_text(text: &str) -> Option<String> {
    if text.trim_start().starts_with('[') {
        return user_agent(&mut Cursor::new(text.trim())).ok()?.map(Cow::into_owned);
    }
    let name = "useragent";
    let at = text.to_ascii_lowercase().find(name)? + name.len();
    let value = text[at..].trim_start().strip_prefix([':', '='])?;
    // The next property ends it; agents have commas and semicolons of their own.
    let ends = [",RequestType", ", RequestType", ",ResultStatusDetail", ";RequestType", "\n"];
    let end = ends.iter().filter_map(|end| value.find(end)).min().unwrap_or(value.len());
    Some(value[..end].trim().to_owned()).filter(|agent| !agent.is_empty())
}

/// Walks an array of objects and hands out two members of each.
fn pairs<'a>(
    cursor: &mut Cursor<'a, impl Strings>,
    names: [&str; 2],
    mut take: impl FnMut(Option<Cow<'a, str>>, Option<Cow<'a, str>>),
) -> Result<(), JsonError> {
    if cursor.kind()? != Kind::Array {
        return cursor.skip();
    }
    cursor.array::<JsonError>(|cursor| {
        if cursor.kind()? != Kind::Object {
            return cursor.skip();
        }
        let (mut first, mut second) = (None, None);
        cursor.object::<JsonError>(|cursor, key| {
            if key == names[0] {
                first = agent(cursor)?;
            } else if key == names[1] {
                second = cursor.text()?;
            } else {
                cursor.skip()?;
            }
            Ok(())
        })?;
        take(first, second);
        Ok(())
    })
}

/// `1.2.3.4:8085` and `[2001:db8::1]:443` without their port.
fn without_port(address: Cow<'_, str>) -> Cow<'_, str> {
    let text = address.trim();
    let bare = if let Some(rest) = text.strip_prefix('[') {
        rest.split(']').next().unwrap_or(rest)
    } else if text.matches(':').count() == 1 {
        text.split(':').next().unwrap_or(text)
    } else {
        text
    };
    if bare.len() == address.len() { address } else { Cow::Owned(bare.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_in(members: &str) -> RawSignIn<'static> {
        let record = format!(
            r#"{{"CreationTime":"2026-10-05T08:15:30","Workload":"AzureActiveDirectory","RecordType":15,{members}}}"#
        );
        match parse(Cursor::new(&record), DateOrder::Unsettled).expect("a row") {
            Parsed::SignIn(sign_in) => sign_in.into_owned(),
            Parsed::NotSignIn => panic!("a sign-in: {record}"),
        }
    }

    #[test]
    fn operation_and_number_tell_the_result_and_never_the_result_status() {
        use crate::classify::classify;
        for (members, expected) in [
            (r#""Operation":"UserLoggedIn","ErrorNumber":"0""#, Outcome::Success),
            (r#""Operation":"UserLoggedIn""#, Outcome::Success),
            (r#""Operation":"UserLoggedIn","ErrorNumber":"50140""#, Outcome::Interrupted),
            (
                r#""Operation":"UserLoginFailed","ResultStatus":"Success","ErrorNumber":"50126""#,
                Outcome::Failure,
            ),
            (r#""Operation":"UserLoginFailed","ResultStatus":"Success""#, Outcome::Failure),
            (r#""Operation":"UserLoginFailed","ErrorNumber":"0""#, Outcome::Failure),
            (
                r#""Operation":"UserLoginFailed","LogonError":"AuthenticationFailedSasError""#,
                Outcome::Blocked,
            ),
        ] {
            assert_eq!(classify(&sign_in(members)).outcome, expected, "{members}");
        }
    }

    #[test]
    fn the_token_services_id_names_the_sign_in() {
        let read = sign_in(r#""Operation":"UserLoggedIn","Id":"a","IntraSystemId":"b""#);
        assert_eq!(read.sign_in_id.as_deref(), Some("b"));
    }

    #[test]
    fn a_port_is_no_part_of_an_address() {
        for (text, expected) in [
            ("192.0.2.1:8085", "192.0.2.1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(without_port(text.into()), expected);
        }
    }

    #[test]
    fn other_operations_are_not_sign_ins() {
        let record = r#"{"CreationTime":"2026-10-05T08:15:30","Workload":"Exchange","RecordType":1,"Operation":"New-InboxRule"}"#;
        assert!(recognise(record));
        assert_eq!(parse(Cursor::new(record), DateOrder::Unsettled), Ok(Parsed::NotSignIn));
    }

    #[test]
    fn what_a_collector_flattened_is_read_as_the_record_that_it_was() {
        for members in [
            r#""Operation":"UserLoggedIn","UserAgent":"BAV2ROPC","ExtendedProperties":"UserAgent:,RequestType:""#,
            r#""Operation":"UserLoggedIn","ExtendedProperties":"RequestType:OAuth2:Token,UserAgent:BAV2ROPC""#,
            r#""Operation":"UserLoggedIn","ExtendedProperties":"[{\"Name\":\"UserAgent\",\"Value\":\"BAV2ROPC\"}]""#,
            r#""Operation":"UserLoggedIn","ExtendedProperties":[],"UserAgent":"BAV2ROPC""#,
            r#""Operation":"UserLoggedIn","UserAgent":"x","ExtendedProperties":[{"Name":"UserAgent","Value":"BAV2ROPC"}]"#,
            r#""Operation":"UserLoggedIn","UserAgent":["x","BAV2ROPC"]"#,
            r#""Operation":"UserLoggedIn","ExtendedProperties":[{"Name":"UserAgent","Value":["BAV2ROPC"]}]"#,
            r#""Operation":"UserLoggedIn","UserAgent":"BAV2ROPC","UserAgent":"x""#,
            r#""Operation":"UserLoggedIn","ExtendedProperties":[{"Name":"UserAgent","Value":"BAV2ROPC"},{"Name":"UserAgent","Value":"x"}]"#,
        ] {
            assert_eq!(sign_in(members).user_agent.as_deref(), Some("BAV2ROPC"), "{members}");
        }
        let bare =
            r#"{"CreationTime":"2026-10-05T08:15:30","Operation":"UserLoggedIn","UserId":"a@example.com"}"#;
        assert!(recognise(bare) && !recognise(&bare.replace("UserLoggedIn", "New-InboxRule")));
    }

    #[test]
    fn a_date_in_numbers_is_read_in_the_order_of_its_file_alone() {
        let record = r#"{"CreationTime":"05/10/2026 08:15","Workload":"AzureActiveDirectory","Operation":"UserLoggedIn"}"#;
        let read = |dates| match parse(Cursor::new(record), dates) {
            Ok(Parsed::SignIn(sign_in)) => sign_in.signed_in_at.map(time::format),
            Ok(Parsed::NotSignIn) | Err(_) => None,
        };
        assert_eq!(read(DateOrder::Unsettled), None);
        assert_eq!(read(DateOrder::DayFirst).as_deref(), Some("2026-10-05T08:15:00.000000Z"));
    }
}
