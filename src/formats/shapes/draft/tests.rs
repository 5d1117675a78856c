use super::*;
use crate::shapes::{RecordReader, Shape};

const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

#[test]
fn only_a_guid_is_a_tenant_id() {
    const ID: &str = "7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c";
    let path = format!("/tenants/{{{ID}}}/providers/Microsoft.aadiam");
    for (stated, path, name, expected) in [
        (Some(ID), None, Some("contoso.com"), (Some(ID), None)),
        (Some("customer-17"), Some(path.as_str()), None, (Some(ID), None)),
        (Some("customer-17"), Some("/tenants/17/providers"), None, (None, Some("customer-17"))),
        (Some(NOBODY), None, Some("contoso.com"), (None, Some("contoso.com"))),
        (Some(NOBODY), None, None, (None, None)),
        (None, None, Some("{7A1F3C52-0B1D-4E6A-9C2F-5D8E0F1A2B3C}"), (Some(ID), None)),
        (None, Some(path.as_str()), Some("contoso.com"), (Some(ID), None)),
    ] {
        let mut draft = Draft::default();
        for (item, text) in [(Item::Tenant, stated), (Item::TenantPath, path), (Item::TenantName, name)] {
            draft.set(item, text.map(Cow::Borrowed));
        }
        draft.settle_tenant();
        let RawSignIn { tenant_id, tenant_name, .. } = draft.sign_in;
        assert_eq!((tenant_id.as_deref(), tenant_name.as_deref()), expected, "{stated:?} {path:?} {name:?}");
    }
}

#[test]
fn a_code_is_a_whole_number_however_it_is_written() {
    for (text, expected) in [
        ("0", Some(0)),
        (" 50126 ", Some(50126)),
        ("50126.0", Some(50126)),
        ("0.5", None),
        ("", None),
        (".0", None),
        ("Success", None),
    ] {
        assert_eq!(code(text), expected, "{text}");
    }
}

// The last of two members of one name counted, so a harmless one hid Basic Authentication.
#[test]
fn of_a_member_that_is_there_twice_the_graver_value_counts() {
    let read = |item: Item, values: [&'static str; 2]| {
        let mut draft = Draft::default();
        for value in values {
            draft.set(item, Some(Cow::Borrowed(value)));
        }
        draft.sign_in
    };
    for values in [["IMAP4", "Browser"], ["Browser", "IMAP4"]] {
        assert_eq!(read(Item::ClientApp, values).client_app.as_deref(), Some("IMAP4"));
    }
    for values in [["BAV2ROPC", "Mozilla/5.0"], ["Mozilla/5.0", "BAV2ROPC"]] {
        assert_eq!(read(Item::UserAgent, values).user_agent.as_deref(), Some("BAV2ROPC"));
    }
    for values in [["ropc", "oAuth2"], ["oAuth2", "ropc"]] {
        let protocol = read(Item::AuthenticationProtocol, values).authentication_protocol;
        assert_eq!(protocol.as_deref(), Some("ropc"));
    }
    let last = read(Item::ClientApp, ["Browser", "Mobile Apps and Desktop clients"]);
    assert_eq!(last.client_app.as_deref(), Some("Mobile Apps and Desktop clients"));
}

// A failure in one member hid a success in another.
#[test]
fn of_results_that_contradict_each_other_the_one_that_may_be_usage_counts() {
    use crate::classify::outcome_of;
    use lightsout_model::sign_in::Outcome;

    let status = |code: &'static str| (Item::Status, code);
    let result = |code: &'static str| (Item::ResultType, code);
    let flat = |code: &'static str| (Item::ErrorCode, code);
    for (members, expected) in [
        ([status("0"), result("50126")], Outcome::Success),
        ([status("50126"), result("0")], Outcome::Success),
        ([status("50126"), result("50053")], Outcome::Failure),
        ([status("{\"errorCode\":50126}"), result("0")], Outcome::Success),
        ([status("Success"), flat("50126")], Outcome::Success),
        ([status("Failure"), flat("0")], Outcome::Success),
        ([status("Failure"), flat("50126")], Outcome::Failure),
        ([status("50126"), result("Success")], Outcome::Success),
        ([status("50126"), flat("0")], Outcome::Success),
        ([flat("0"), status("50126")], Outcome::Success),
        ([status("Interrupted"), flat("50140")], Outcome::Interrupted),
    ] {
        let mut draft = Draft { created: Some("2026-10-05T08:15:30Z".into()), ..Draft::default() };
        for (item, text) in members {
            draft.set(item, Some(Cow::Borrowed(text)));
        }
        let Ok(Parsed::SignIn(sign_in)) = draft.finish(DateOrder::Unsettled) else { panic!("a sign-in") };
        assert_eq!(outcome_of(&sign_in), expected, "{members:?}");
    }
}

// One of two protocols was lost.
#[test]
fn of_two_client_apps_that_may_be_usage_none_is_lost() {
    let read = |values: [&'static str; 2]| {
        let mut draft = Draft { created: Some("2026-10-05T08:15:30Z".into()), ..Draft::default() };
        for value in values {
            draft.set(Item::ClientApp, Some(Cow::Borrowed(value)));
        }
        match draft.finish(DateOrder::Unsettled) {
            Ok(Parsed::SignIn(sign_in)) => Ok(sign_in.client_app.map(Cow::into_owned)),
            Ok(Parsed::NotSignIn) => panic!("a sign-in"),
            Err(reason) => Err(reason.code()),
        }
    };
    for (a, b, expected) in [
        ("IMAP4", "POP3", None),
        ("IMAP4", "Other clients", None),
        ("IMAP4", "A client", None),
        ("A client", "Another client", None),
        ("IMAP4", "Unknown", Some("IMAP4")),
        ("IMAP4", " ", Some("IMAP4")),
        ("A client", "Unknown", Some("A client")),
        ("IMAP4", "Browser", Some("IMAP4")),
        ("Unknown", "Browser", Some("Unknown")),
        ("IMAP4", "IMAP4", Some("IMAP4")),
    ] {
        let expected = expected.map(|app| Some(app.to_owned())).ok_or("member_twice");
        assert_eq!(read([a, b]), expected, "{a}, {b}");
        assert_eq!(read([b, a]), expected, "{b}, {a}");
    }
    assert_eq!(read(["IMAP4", "imap"]), Ok(Some("IMAP4".to_owned())), "the same protocol");
}

// The last tenant and the last time counted.
#[test]
fn two_tenants_or_times_are_none() {
    for (shape, record) in [
        (
            Shape::LogAnalytics,
            r#"{"TimeGenerated":"2026-10-05T08:20:00Z","Category":"SignInLogs","ResultType":"0","AADTenantId":"7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c","AADTenantId":"22222222-0000-4000-8000-000000000002"}"#,
        ),
        (
            Shape::LogAnalytics,
            r#"{"TimeGenerated":"2026-10-05T08:20:00Z","TimeGenerated":"2025-10-05T08:20:00Z","Category":"SignInLogs","ResultType":"0"}"#,
        ),
        (
            Shape::Graph,
            r#"{"createdDateTime":"2026-10-05T08:20:00Z","userId":"1","clientAppUsed":"IMAP4","tenantId":"7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c","tenantId":"22222222-0000-4000-8000-000000000002"}"#,
        ),
    ] {
        let rejected = RecordReader::json(shape).parse(record).expect_err(record);
        assert_eq!(rejected.code(), "member_twice", "{record}");
    }
}
