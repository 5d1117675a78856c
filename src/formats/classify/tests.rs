//! What records mean, rule by rule.

use super::*;

const OTHER_RESOURCE: &str = "00000003-0000-0000-c000-000000000000";

fn raw(app: &'static str) -> RawSignIn<'static> {
    RawSignIn {
        category: Some(Category::Interactive),
        client_app: Some(app.into()).filter(|app: &Cow<'_, str>| !app.is_empty()),
        resource_id: Some(EXCHANGE_ONLINE_ID.into()),
        error_code: Some(0),
        ..RawSignIn::default()
    }
}

fn protocol_of(app: &'static str) -> Option<Protocol> {
    classify(&raw(app)).protocol
}

#[test]
fn spellings_fold_to_one_protocol_whatever_case_and_blanks() {
    for (app, protocol) in [
        ("AutoDiscover", Protocol::Autodiscover),
        ("autodiscover", Protocol::Autodiscover),
        ("  imap4 ", Protocol::Imap4),
        ("Other clients; POP", Protocol::Pop3),
        ("MAPI  Over   HTTP", Protocol::MapiOverHttp),
        ("Exchange ActiveSync (unSupported)", Protocol::ExchangeActivesync),
        ("Other clients; Older Office clients", Protocol::OtherLegacy),
        ("Authenticated SMTP", Protocol::SmtpAuth),
        ("UNKNOWN", Protocol::NotStated),
        ("", Protocol::NotStated),
        ("Holographic Mail", Protocol::Unrecognised),
    ] {
        assert_eq!(protocol_of(app), Some(protocol), "{app:?}");
    }
    assert_eq!(protocol_of("Browser"), None);
    assert_eq!(protocol_of("mobile apps and desktop clients"), None);
}

#[test]
fn no_spelling_stands_twice_and_all_are_folded() {
    for (at, (spelling, _)) in CLIENT_APPS.iter().enumerate() {
        assert_eq!(folded(spelling), *spelling);
        assert!(CLIENT_APPS[at + 1..].iter().all(|(other, _)| other != spelling), "{spelling}");
    }
}

#[test]
fn the_rewrite_agents_prove_basic_whatever_the_client_app_says() {
    for agent in ["BAV2ROPC", "CBAInPROD", "CBAinPROD", "cbaintar", "MSRPC"] {
        let mut record = raw("Browser");
        record.user_agent = Some(agent.into());
        let classified = classify(&record);
        assert_eq!(
            (classified.auth_method, classified.auth_evidence),
            (AuthMethod::Basic, Some("user_agent"))
        );
        assert_eq!(classified.protocol, Some(Protocol::OtherLegacy), "{agent}");
        record.client_app = Some("IMAP4".into());
        assert_eq!(classify(&record).protocol, Some(Protocol::Imap4), "a named protocol stays");
    }
}

#[test]
fn the_winrm_client_is_remote_powershell() {
    let mut record = raw("");
    record.user_agent = Some("Microsoft WinRM Client".into());
    let classified = classify(&record);
    assert_eq!(classified.protocol, Some(Protocol::RemotePowershell));
    assert_eq!(classified.auth_method, AuthMethod::Basic);
}

#[test]
fn the_rewrite_agents_at_another_resource_stay_visible_whatever_the_client_app_says() {
    for (app, protocol) in [
        ("Browser", Protocol::OtherLegacy),
        ("Mobile Apps and Desktop clients", Protocol::OtherLegacy),
        ("Other clients", Protocol::OtherLegacy),
        ("", Protocol::NotStated),
        ("Holographic Mail", Protocol::Unrecognised),
        ("IMAP4", Protocol::Imap4),
    ] {
        let mut record = raw(app);
        record.resource_id = Some(OTHER_RESOURCE.into());
        record.user_agent = Some("BAV2ROPC".into());
        let classified = classify(&record);
        assert_eq!(classified.protocol, Some(protocol), "{app}");
        assert_eq!(classified.auth_evidence, Some("user_agent"), "{app}");
        assert!(!classified.is_provably_modern(), "{app}");
    }
}

/// Method and protocol of a record with ropc.
fn by_ropc(
    app: &'static str,
    app_id: Option<&'static str>,
    resource_id: Option<&'static str>,
) -> (AuthMethod, Option<Protocol>) {
    let record = RawSignIn {
        authentication_protocol: Some("ropc".into()),
        app_id: app_id.map(Cow::Borrowed),
        resource_id: resource_id.map(Cow::Borrowed),
        ..raw(app)
    };
    let classified = classify(&record);
    (classified.auth_method, classified.protocol)
}

#[test]
fn ropc_of_a_modern_client_is_basic_by_exchange_and_a_password_grant_by_others() {
    let (exchange, other) = (Some(EXCHANGE_ONLINE_ID), Some(OTHER_RESOURCE));
    let powershell = Some("fb78d390-0c51-40cd-8e17-fdbfab77341b");
    let basic = (AuthMethod::Basic, Some(Protocol::OtherLegacy));
    let grant = (AuthMethod::PasswordGrant, Some(Protocol::PasswordGrant));
    let open = (AuthMethod::Unknown, Some(Protocol::OtherLegacy));
    for app in ["Browser", "Mobile Apps and Desktop clients"] {
        for (app_id, resource, expected) in [
            (exchange, exchange, basic),
            (None, exchange, basic),
            (exchange, None, basic),
            (powershell, exchange, grant),
            (powershell, other, grant),
            (powershell, None, grant),
            (None, other, grant),
            (None, None, open),
            (exchange, other, open),
        ] {
            assert_eq!(by_ropc(app, app_id, resource), expected, "{app_id:?} at {resource:?}");
        }
    }
}

#[test]
fn ropc_of_a_legacy_client_is_basic_at_exchange_and_unknown_elsewhere() {
    let powershell = Some("fb78d390-0c51-40cd-8e17-fdbfab77341b");
    let of = |resource| by_ropc("Exchange Web Services", powershell, resource);
    let ews = Some(Protocol::ExchangeWebServices);
    assert_eq!(of(Some(EXCHANGE_ONLINE_ID)), (AuthMethod::Basic, ews));
    assert_eq!(of(Some(OTHER_RESOURCE)), (AuthMethod::Unknown, ews));
    assert_eq!(of(None), (AuthMethod::Unknown, ews));
}

#[test]
fn ropc_is_known_by_either_spelling_and_an_agent_says_more_than_it() {
    let mut record = raw("Mobile Apps and Desktop clients");
    record.app_name = Some("Microsoft Exchange REST API Based PowerShell".into());
    for spelling in ["ropc", " ROPC ", "rpoc", "oAuth2, ropc", r#"["ropc"]"#] {
        record.authentication_protocol = Some(spelling.into());
        assert_eq!(classify(&record).auth_method, AuthMethod::PasswordGrant, "{spelling}");
    }
    record.user_agent = Some("BAV2ROPC".into());
    let classified = classify(&record);
    assert_eq!(
        (classified.auth_method, classified.protocol),
        (AuthMethod::Basic, Some(Protocol::OtherLegacy))
    );
    record.user_agent = Some("Microsoft WinRM Client".into());
    assert_eq!(classify(&record).protocol, Some(Protocol::RemotePowershell));
}

#[test]
fn a_service_never_has_a_password_grant_of_a_user() {
    let mut record = raw("Mobile Apps and Desktop clients");
    record.category = Some(Category::ServicePrincipal);
    record.authentication_protocol = Some("ropc".into());
    record.app_id = Some(OTHER_RESOURCE.into());
    assert_eq!(classify(&record).protocol, None);
}

#[test]
fn smtp_auth_with_oauth_is_modern_and_still_needed() {
    let mut record = raw("Authenticated SMTP");
    record.authentication_protocol = Some("oAuth2".into());
    let classified = classify(&record);
    assert_eq!((classified.auth_method, classified.protocol), (AuthMethod::Modern, Some(Protocol::SmtpAuth)));
    assert!(!classified.is_provably_modern());
    record.client_app = Some("IMAP4".into());
    assert!(classify(&record).is_provably_modern());
}

#[test]
fn a_legacy_protocol_alone_proves_neither_basic_nor_modern() {
    assert_eq!(classify(&raw("IMAP4")).auth_method, AuthMethod::Unknown);
}

#[test]
fn oauth_over_imap_is_modern_and_still_imap() {
    let mut record = raw("IMAP4");
    record.authentication_protocol = Some("oAuth2".into());
    let classified = classify(&record);
    assert_eq!((classified.protocol, classified.auth_method), (Some(Protocol::Imap4), AuthMethod::Modern));
}

#[test]
fn a_client_certificate_is_modern_on_activesync_alone() {
    let mut record = raw("Exchange ActiveSync");
    record.client_certificate = true;
    assert_eq!(classify(&record).auth_method, AuthMethod::Modern);
    record.client_app = Some("POP3".into());
    assert_eq!(classify(&record).auth_method, AuthMethod::Unknown);
}

#[test]
fn service_principals_and_adfs_are_never_user_legacy_sign_ins() {
    for category in Category::ALL.into_iter().filter(|category| !category.is_user()) {
        let mut record = raw("Unknown");
        record.category = Some(category);
        assert_eq!(classify(&record).protocol, None, "{category}");
    }
}
