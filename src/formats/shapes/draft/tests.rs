use super::*;

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
