//! User agents as they stand in public logs, configurations and documentation, and what the table makes of them.

use super::*;

/// User agent, kind, name, and a word of what takes its place.
const SEEN: [(&str, &str, &str, &str); 27] = [
    ("Apple-iPhone9C1/1402.100", "phone", "Apple Mail on iOS or iPadOS", "add it again"),
    ("Apple-iPad6C3/1705.36", "phone", "Apple Mail on iOS or iPadOS", "add it again"),
    ("iOS/16.5.1 (20F75) dataaccessd/1.0", "phone", "Apple Mail on iOS or iPadOS 16.5.1", "add it again"),
    ("macOS/13.4 (22F66) dataaccessd/1.0", "mail app", "Apple Mail on macOS 13.4", "Outlook for Mac"),
    (
        "Mac OS X/10.6.8 (10K549); ExchangeWebServices/1.3 (61); Mail/4.6 (1085)",
        "mail app",
        "Apple Mail on macOS 10.6.8",
        "Outlook for Mac",
    ),
    (
        "Android-Mail/2020.11.29.346182102.Release",
        "phone",
        "Gmail for Android 2020.11.29.346182102",
        "Outlook for Android",
    ),
    ("Android-SAMSUNG-SM-A515F/101.10", "phone", "mail app of a Samsung phone", "Outlook for Android"),
    ("SAMSUNG-SM-G960F/101.90000", "phone", "mail app of a Samsung phone", "Outlook for Android"),
    ("Android/7.1.1-EAS-2.0", "phone", "mail app of an Android phone", "Outlook for Android"),
    ("Outlook-iOS-Android/1.0", "phone", "Outlook for iOS and Android", "remove the account"),
    ("MSFT-WP/8.10.14219", "phone", "Windows phone", "another phone"),
    ("Thunderbird/140.9", "mail app", "Thunderbird 140.9", "OAuth2"),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:91.0) Gecko/20100101 Thunderbird/91.3.0",
        "mail app",
        "Thunderbird 91.3.0",
        "OAuth2",
    ),
    (
        "Microsoft-MacOutlook/16.70.23021201",
        "mail app",
        "Outlook for Mac 16.70.23021201",
        "Outlook 2016 for Mac",
    ),
    (
        "Microsoft Office/14.0 (Windows NT 6.1; Microsoft Outlook 14.0.7190; Pro)",
        "mail app",
        "Outlook 2007 or 2010 for Windows",
        "current Outlook",
    ),
    (
        "Mozilla/4.0 (compatible; Microsoft Outlook 15.0.4605; ms-office; MSOffice 15)",
        "mail app",
        "Outlook 2013 for Windows 15.0.4605",
        "registry",
    ),
    (
        "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.12026; Pro)",
        "mail app",
        "Outlook for Windows 16.0.12026",
        "in the tenant",
    ),
    ("Outlook/16.0 (16.0.19426.20076; x86)", "mail app", "Outlook for Windows 16.0", "in the tenant"),
    ("MSRPC", "mail app", "Outlook for Windows with RPC over HTTP", "current Outlook"),
    ("ExchangeServicesClient/15.00.0913.015", "script library", "EWS Managed API 15.00.0913.015", "Graph"),
    ("ERP-Connector/2.1 (EWS Managed API 2.2)", "script library", "EWS Managed API", "Graph"),
    ("exchangelib/4.9.0 (python-requests/2.28.1)", "script library", "exchangelib (Python) 4.9.0", "Graph"),
    ("python-requests/2.28.1", "script library", "Python script 2.28.1", "OAuth"),
    ("curl/7.68.0", "script library", "script or business application", "OAuth"),
    ("Go-http-client/1.1", "script library", "script or business application", "OAuth"),
    ("Microsoft WinRM Client", "PowerShell", "remote PowerShell session (WinRM)", "certificate"),
    (
        "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.1682",
        "PowerShell",
        "script with PowerShell web requests 5.1.19041.1682",
        "Microsoft Graph",
    ),
];

#[test]
fn each_user_agent_of_public_logs_is_told_with_its_replacement() {
    for (agent, kind, name, replacement) in SEEN {
        let client = Client::of(Protocol::Imap4, None, Some(agent));
        assert_eq!((client.kind, client.name.as_str()), (kind, name), "{agent}");
        assert!(client.advice.contains(replacement), "{agent}: {}", client.advice);
        let other_case = Client::of(Protocol::Imap4, None, Some(&agent.to_uppercase()));
        assert_eq!(other_case.kind, kind, "{agent}");
    }
}

#[test]
fn a_scanner_that_names_itself_is_told_as_one() {
    let client = Client::of(Protocol::SmtpAuth, None, Some("KONICA MINOLTA bizhub C3350"));
    assert_eq!(client.kind, "scanner or printer");
    assert!(client.advice.contains("High Volume Email") && client.advice.contains("connector"));
}

#[test]
fn the_application_tells_a_client_whose_agent_does_not() {
    let app = Some("Microsoft Exchange REST API Based Powershell");
    let client = Client::of(Protocol::PasswordGrant, app, None);
    assert_eq!(client.name, "Exchange Online PowerShell with -Credential");
    for other in ["Contoso Orders", "Microsoft Azure PowerShell"] {
        assert!(!Client::of(Protocol::PasswordGrant, Some(other), None).is_known(), "{other}");
    }
}

#[test]
fn what_no_row_knows_is_not_guessed_and_the_way_to_find_out_is_told() {
    let strange = [
        (None, "the log has no user agent"),
        (Some(" "), "the log has no user agent"),
        (Some("BAV2ROPC"), "Exchange replaced its user agent with BAV2ROPC"),
        (Some("CBAinPROD"), "Exchange replaced its user agent with CBAInPROD"),
        (Some("Mozilla/5.0 (Linux; Android 14; Pixel)"), "its user agent is not in our list"),
        (Some("MyScanner 3000"), "its user agent is not in our list"),
    ];
    for (agent, why) in strange {
        for protocol in Protocol::ALL {
            let client = Client::of(protocol, Some("Office 365 Exchange Online"), agent);
            assert_eq!((client.kind, client.name.as_str()), (NOT_KNOWN.en, why), "{agent:?}");
            assert!(
                client.advice.contains("IP addresses")
                    || client.advice.contains("which version")
                    || client.advice.contains("Get-MobileDeviceStatistics"),
                "{protocol}: {}",
                client.advice
            );
        }
    }
    let of = |protocol| Client::of(protocol, None, None).advice;
    assert!(of(Protocol::SmtpAuth).contains("SMTP AUTH clients"));
    assert_ne!(of(Protocol::Pop3), of(Protocol::OtherLegacy));
}

#[test]
fn every_row_can_be_reached_and_says_something_checked() {
    let first = |row: &KnownRow| {
        let agent = row.agent.first().cloned().unwrap_or_default();
        let app = row.app.first().cloned();
        Client::of(Protocol::Pop3, app.as_deref(), Some(&agent))
    };
    for row in &TABLE.client {
        assert!(!row.agent.is_empty() || !row.app.is_empty(), "{} fits everything", row.name);
        assert_eq!(first(row).advice, row.replacement, "an earlier row hides {}", row.name);
        assert!(first(row).name.starts_with(&row.name), "{}", row.name);
        assert!(row.source.starts_with("https://") && row.replacement.ends_with('.'), "{}", row.name);
    }
    let others = TABLE.unknown.iter().filter(|row| row.protocols.is_empty()).count();
    assert!(others == 1 && TABLE.unknown.last().is_some_and(|row| row.protocols.is_empty()));
}

#[test]
fn every_kind_and_advice_is_there_in_german() {
    for row in &TABLE.client {
        assert!(TABLE.kinds_de.contains_key(&row.kind), "{} has no German name", row.kind);
        assert!(row.replacement_de.ends_with('.') && row.replacement_de != row.replacement, "{}", row.name);
    }
    for kind in TABLE.kinds_de.keys() {
        assert!(TABLE.client.iter().any(|row| row.kind == *kind), "no client is a {kind}");
    }
    for row in &TABLE.unknown {
        assert!(row.find_out_de.ends_with('.') && row.find_out_de != row.find_out, "{:?}", row.protocols);
    }
    let agent = Some("Thunderbird/91.3.0");
    let client = Client::in_language(Language::German, Protocol::Imap4, None, agent);
    assert_eq!(client.kind_and_name(), "E-Mail-App: Thunderbird 91.3.0");
    let client = Client::in_language(Language::German, Protocol::Imap4, None, None);
    assert!(!client.is_known());
    assert_eq!(client.kind_and_name(), "nicht bekannt: im Anmeldeprotokoll steht kein Benutzer-Agent");
}
