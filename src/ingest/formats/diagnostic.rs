//! Azure Monitor diagnostic records: `{"time":…,"category":"SignInLogs","properties":{…}}`.
//! The envelope's `time` is when the record was emitted; the sign-in's own time is
//! `properties.createdDateTime`, and only where that is missing the envelope's stands in for it.

use std::borrow::Cow;

use super::{Parsed, RejectReason};
use crate::ingest::json::{Cursor, JsonError, Kind};
use crate::ingest::time;
use crate::sign_in::{Category, RawSignIn};

const EXPECTED: &str = "a diagnostic record with category or operationName, and properties";
const SIGN_IN_OPERATION: &str = "Sign-in activity";

/// Whether a record is a diagnostic record, of any log category.
pub(super) fn recognise(record: &str) -> bool {
    let mut envelope = Envelope::default();
    let mut cursor = Cursor::new(record);
    let known = read(&mut cursor, &mut envelope, &mut Properties::default()).is_ok();
    known && envelope.is_diagnostic()
}

#[derive(Default)]
struct Envelope<'a> {
    time: Option<Cow<'a, str>>,
    category: Option<Cow<'a, str>>,
    operation_name: Option<Cow<'a, str>>,
    tenant_id: Option<Cow<'a, str>>,
    resource_path: Option<Cow<'a, str>>,
    result_type: Option<Cow<'a, str>>,
    result_description: Option<Cow<'a, str>>,
    caller_ip_address: Option<Cow<'a, str>>,
    correlation_id: Option<Cow<'a, str>>,
    location: Option<Cow<'a, str>>,
    has_properties: bool,
    has_result: bool,
}

impl Envelope<'_> {
    fn is_diagnostic(&self) -> bool {
        let Some(category) = self.category.as_deref() else {
            return self.operation_name.as_deref() == Some(SIGN_IN_OPERATION);
        };
        // A record that was cut down to time and category is still told by a sign-in category.
        self.has_properties
            || self.operation_name.is_some()
            || Category::from_diagnostic(category.trim()).is_some()
    }
}

/// What is taken from `properties`: the sign-in's own members, and those that need reading.
#[derive(Default)]
struct Properties<'a> {
    sign_in: RawSignIn<'a>,
    created: Option<Cow<'a, str>>,
    bond_user_agent: Option<Cow<'a, str>>,
}

fn read<'a>(
    cursor: &mut Cursor<'a>,
    envelope: &mut Envelope<'a>,
    properties: &mut Properties<'a>,
) -> Result<(), JsonError> {
    cursor.object(|cursor, key| {
        match key {
            "time" => envelope.time = cursor.text()?,
            "category" => envelope.category = cursor.text()?,
            "operationName" => envelope.operation_name = cursor.text()?,
            "tenantId" => envelope.tenant_id = cursor.text()?,
            "resourceId" => envelope.resource_path = cursor.text()?,
            "resultType" => {
                envelope.has_result = true;
                envelope.result_type = cursor.text()?;
            }
            "resultDescription" => envelope.result_description = cursor.text()?,
            "callerIpAddress" => envelope.caller_ip_address = cursor.text()?,
            "correlationId" => envelope.correlation_id = cursor.text()?,
            "location" => envelope.location = cursor.text()?,
            "properties" if cursor.kind()? == Kind::Object => {
                envelope.has_properties = true;
                // Of two objects with this key the last one counts, as a whole.
                *properties = Properties::default();
                read_properties(cursor, properties)?;
            }
            _ => cursor.skip()?,
        }
        Ok(())
    })?;
    cursor.end()
}

fn read_properties<'a>(cursor: &mut Cursor<'a>, properties: &mut Properties<'a>) -> Result<(), JsonError> {
    cursor.object(|cursor, key| {
        let sign_in = &mut properties.sign_in;
        match key {
            "id" => sign_in.sign_in_id = cursor.text()?,
            "createdDateTime" => properties.created = cursor.text()?,
            "userId" => sign_in.user_id = cursor.text()?,
            "userPrincipalName" => sign_in.user_principal_name = cursor.text()?,
            "userType" => sign_in.user_type = cursor.text()?,
            "appId" => sign_in.app_id = cursor.text()?,
            "appDisplayName" => sign_in.app_name = cursor.text()?,
            "resourceId" => sign_in.resource_id = cursor.text()?,
            "resourceDisplayName" => sign_in.resource_name = cursor.text()?,
            "clientAppUsed" => {
                sign_in.has_client_app = true;
                sign_in.client_app = cursor.text()?;
            }
            "authenticationProtocol" => sign_in.authentication_protocol = cursor.text()?,
            "authenticationDetails" => sign_in.client_certificate = names_certificate(cursor)?,
            "status" => {
                sign_in.has_result = true;
                (sign_in.error_code, sign_in.failure_reason) = read_status(cursor)?;
            }
            "conditionalAccessStatus" => sign_in.conditional_access = cursor.text()?,
            "userAgent" => sign_in.user_agent = cursor.text()?,
            "ipAddress" => sign_in.ip_address = cursor.text()?,
            "location" => sign_in.country = read_country(cursor)?,
            "isInteractive" => {
                sign_in.is_interactive =
                    match cursor.text()?.as_deref().map(str::to_ascii_lowercase).as_deref() {
                        Some("true") => Some(true),
                        Some("false") => Some(false),
                        _ => None,
                    };
            }
            "homeTenantId" => sign_in.home_tenant_id = cursor.text()?,
            "resourceTenantId" => sign_in.resource_tenant_id = cursor.text()?,
            "correlationId" => sign_in.correlation_id = cursor.text()?,
            "SignInBondData" => properties.bond_user_agent = read_bond_user_agent(cursor)?,
            _ => cursor.skip()?,
        }
        Ok(())
    })
}

/// `{"errorCode":50126,"failureReason":"…"}`; numbers may be text.
fn read_status<'a>(cursor: &mut Cursor<'a>) -> Result<(Option<i64>, Option<Cow<'a, str>>), JsonError> {
    let (mut code, mut reason) = (None, None);
    if cursor.kind()? == Kind::Object {
        cursor.object::<JsonError>(|cursor, key| {
            match key {
                "errorCode" => code = cursor.text()?.and_then(|text| text.trim().parse().ok()),
                "failureReason" => reason = cursor.text()?,
                _ => cursor.skip()?,
            }
            Ok(())
        })?;
    } else {
        cursor.skip()?;
    }
    Ok((code, reason))
}

fn read_country<'a>(cursor: &mut Cursor<'a>) -> Result<Option<Cow<'a, str>>, JsonError> {
    if cursor.kind()? != Kind::Object {
        return cursor.text();
    }
    let mut country = None;
    cursor.object::<JsonError>(|cursor, key| {
        match key {
            "countryOrRegion" => country = cursor.text()?,
            _ => cursor.skip()?,
        }
        Ok(())
    })?;
    Ok(country)
}

/// Whether some authentication step was done with a certificate: `authenticationDetails` is an
/// array of steps.
fn names_certificate(cursor: &mut Cursor<'_>) -> Result<bool, JsonError> {
    let mut certificate = false;
    if cursor.kind()? != Kind::Array {
        cursor.skip()?;
        return Ok(false);
    }
    cursor.array::<JsonError>(|cursor| {
        if cursor.kind()? != Kind::Object {
            return cursor.skip();
        }
        cursor.object(|cursor, key| {
            if key == "authenticationMethod" {
                let method = cursor.text()?;
                certificate |=
                    method.is_some_and(|method| method.to_ascii_lowercase().contains("certificate"));
                Ok(())
            } else {
                cursor.skip()
            }
        })
    })?;
    Ok(certificate)
}

/// Records of 2019 keep the user agent only in `SignInBondData.DeviceDetails.UserAgent`.
fn read_bond_user_agent<'a>(cursor: &mut Cursor<'a>) -> Result<Option<Cow<'a, str>>, JsonError> {
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

/// Reads one diagnostic record.
pub(super) fn parse(record: &str) -> Result<Parsed<'_>, RejectReason> {
    let mut envelope = Envelope::default();
    let mut properties = Properties::default();
    read(&mut Cursor::new(record), &mut envelope, &mut properties)?;
    if !envelope.is_diagnostic() {
        let keys = super::top_level_keys(record);
        let found =
            if keys.is_empty() { "no keys".to_owned() } else { format!("the keys {}", keys.join(", ")) };
        return Err(RejectReason::WrongShape { expected: EXPECTED, found });
    }
    let category = envelope.category.as_deref().map(str::trim);
    let sign_in_category = category.and_then(Category::from_diagnostic);
    if category.is_some() && sign_in_category.is_none() {
        return Ok(Parsed::NotSignIn);
    }

    let mut sign_in = properties.sign_in;
    sign_in.category = sign_in_category;
    sign_in.tenant_id = envelope
        .tenant_id
        .or_else(|| envelope.resource_path.as_deref().and_then(tenant_in_path).map(Cow::Owned));
    sign_in.emitted_at = envelope.time.as_deref().and_then(time::parse);
    sign_in.signed_in_at = match (&properties.created, &envelope.time) {
        (Some(created), _) => Some(time::parse(created).ok_or_else(|| bad_time("createdDateTime", created))?),
        (None, Some(time)) => Some(sign_in.emitted_at.ok_or_else(|| bad_time("time", time))?),
        (None, None) => return Err(RejectReason::NoTime),
    };
    sign_in.has_result |= envelope.has_result;
    sign_in.error_code = sign_in
        .error_code
        .or_else(|| envelope.result_type.as_deref().and_then(|text| text.trim().parse().ok()));
    sign_in.failure_reason = sign_in.failure_reason.or(envelope.result_description);
    sign_in.ip_address = sign_in.ip_address.or(envelope.caller_ip_address);
    sign_in.correlation_id = sign_in.correlation_id.or(envelope.correlation_id);
    sign_in.country = sign_in.country.or(envelope.location);
    sign_in.user_agent = sign_in.user_agent.or(properties.bond_user_agent);
    Ok(Parsed::SignIn(Box::new(sign_in)))
}

fn bad_time(member: &'static str, found: &str) -> RejectReason {
    RejectReason::BadTime { member, found: found.chars().take(60).collect() }
}

/// The tenant in `/tenants/<id>/providers/Microsoft.aadiam`.
fn tenant_in_path(path: &str) -> Option<String> {
    let mut parts = path.split('/');
    parts.find(|part| part.eq_ignore_ascii_case("tenants"))?;
    parts.next().filter(|tenant| !tenant.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "11111111-0000-4000-8000-000000000001";

    fn sign_in(record: &str) -> RawSignIn<'_> {
        match parse(record).expect("a row") {
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
        let record = r#"{"time":"2026-10-05T10:00:00Z","category":"signinlogs","resultType":"0","properties":{"status":{"errorCode":1},"status":{"errorCode":"50126","failureReason":"Invalid"}}}"#;
        let sign_in = sign_in(record);
        assert_eq!(sign_in.error_code, Some(50126));
        assert_eq!(sign_in.failure_reason.as_deref(), Some("Invalid"));
        assert_eq!(sign_in.category, Some(Category::Interactive));
    }

    #[test]
    fn other_log_categories_are_not_sign_ins() {
        let record = r#"{"time":"2026-10-05T10:00:00Z","category":"AuditLogs","operationName":"Update user","properties":{}}"#;
        assert_eq!(parse(record), Ok(Parsed::NotSignIn));
        assert!(recognise(record));
    }

    #[test]
    fn a_record_of_another_shape_is_told_by_its_keys() {
        let told = parse(r#"{"id":"1","createdDateTime":"x"}"#).expect_err("no envelope").to_string();
        assert!(told.contains("id, createdDateTime"), "{told}");
    }

    #[test]
    fn a_cut_line_is_invalid_json_and_says_where() {
        let told = parse(r#"{"time":"2026-10-05T10:00:00Z","cat"#).expect_err("cut").to_string();
        assert_eq!(told, "not valid JSON: expected the end of the string at byte 35");
    }
}
