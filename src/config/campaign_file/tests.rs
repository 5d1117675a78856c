//! Campaign files as people write them, and what they are told when one is wrong.

use lightsout_model::campaign::Waves;
use lightsout_model::language::Language;
use lightsout_model::protocol::Protocol;

use super::*;

#[test]
fn the_embedded_campaigns_parse_and_carry_the_name_they_are_found_by() {
    for (name, _) in EMBEDDED {
        let campaign = load(name).expect("an embedded campaign is valid");
        assert_eq!(campaign.name, name);
    }
}

#[test]
fn the_default_campaign_has_the_nine_protocols_of_the_notice_in_scope() {
    let campaign = load(EMBEDDED[0].0).expect("embedded");
    assert_eq!(campaign.scope(), Protocol::ALL[..9]);
}

#[test]
fn a_scope_that_names_one_outlook_protocol_has_the_whole_group_in_scope() {
    let text = EMBEDDED[1].1.replace(r#"["smtp_auth"]"#, r#"["mapi_over_http"]"#);
    let campaign = parse(&text, "test.toml").expect("valid");
    assert_eq!(campaign.scope().len(), 4);
}

/// The second embedded campaign with something put for something else.
fn with(from: &str, to: &str) -> String {
    let text = EMBEDDED[1].1;
    assert!(text.contains(from), "{from}");
    text.replace(from, to)
}

fn told(text: &str) -> String {
    parse(text, "mine.toml").expect_err("the file is wrong").to_string()
}

#[test]
fn a_wrong_key_is_told_with_its_place_and_the_valid_choices() {
    let told = told(&with("window_days", "windw_days"));
    assert!(
        told.starts_with("campaign file mine.toml, line 9, column 1: unknown field `windw_days`"),
        "{told}"
    );
    assert!(told.contains("`window_days`"), "{told}");
    let told = super::tests::told(&(EMBEDDED[1].1.to_owned() + "[waves]\nsise = 3\n"));
    assert!(told.contains("unknown field `sise`, expected one of `size`, `pending_max`"), "{told}");
}

#[test]
fn a_missing_key_and_broken_text_are_told_with_their_place() {
    let told = told("name = 'mine'\n");
    assert!(told.starts_with("campaign file mine.toml, line 1, column 1: missing field `title`"), "{told}");
    let told = super::tests::told(&with("notice_days = 30 ", "notice_days 30 "));
    assert!(told.starts_with("campaign file mine.toml, line 12, column "), "{told}");
}

#[test]
fn a_wrong_value_is_told_with_its_place_and_what_is_expected() {
    let cases = [
        (
            r#"name = "smtp-auth-2026""#,
            r#"name = "a/b""#,
            "line 4, column 8: name is 'a/b'",
            "letters, digits",
        ),
        (r#"name = "smtp-auth-2026""#, r#"name = "-rf""#, "name is '-rf'", "a letter or digit first"),
        (r#"name = "smtp-auth-2026""#, r#"name = """#, "name is ''", "letters, digits"),
        ("window_days = 30", "window_days = 0", "window_days is 0", "1 to 366"),
        ("window_days = 30", "window_days = 'thirty'", "window_days is 'thirty'", "a whole number, 1 to 366"),
        ("notice_days = 30", "notice_days = -1", "line 12, column 15: notice_days is -1", "0 to 366"),
        ("lookback_days = 60", "lookback_days = 1e9", "lookback_days is 1e9", "0 to 366"),
        ("settle_hours = 24", "settle_hours = 9999", "settle_hours is 9999", "0 to 8784"),
        ("interactive = 10", "interactive = 367", "permitted_gap_days.interactive is 367", "0 to 366"),
        (
            "\ninteractive = 10",
            "\nadfs = 10",
            "line 20, column 1: a category",
            "one of: interactive, non_inter",
        ),
        (r#""2026-12-31""#, r#""31.12.2026""#, "effective_date is '31.12.2026'", "a day like 2026-12-31"),
        (r#""2026-12-31""#, "2026-12-31T08:00:00Z", "2026-12-31T08:00:00Z", "a day like 2026-12-31"),
        (r#""2026-12-31""#, r#""26-12-31""#, "effective_date is '26-12-31'", "a day like 2026-12-31"),
        (
            r#""smtp_auth""#,
            r#""smtp""#,
            "line 7, column 14: a protocol of protocols is 'smtp'",
            "pop3, imap4",
        ),
        (r#""smtp_auth""#, r#""other_legacy""#, "'other_legacy'", "one of: pop3"),
        (
            r#""smtp_auth""#,
            r#""pop3", "pop3""#,
            "column 22: a protocol of protocols is 'pop3' again",
            "each once",
        ),
        (r#"["smtp_auth"]"#, "[]", "protocols is empty", "at least one protocol"),
        ("https://techcommunity", "javascript:alert(1)", "texts.latest_information", "https://"),
        ("https://techcommunity", "https:// techcommunity", "texts.latest_information", "https://"),
        (r#"id = "MC786329""#, r#"id = " ""#, "id of an earlier post is ' '", "a text"),
    ];
    for (from, to, found, expected) in cases {
        let told = told(&with(from, to));
        let at = told.find(found).unwrap_or_else(|| panic!("{found} in: {told}"));
        assert!(told[at..].contains(expected) && told.contains(", line "), "{told}");
    }
}

#[test]
fn a_category_without_days_is_not_enough() {
    let told = told(&with("non_interactive = 4\ninteractive = 10\n", ""));
    assert!(told.contains("permitted_gap_days is empty; expected days for at least one of: "), "{told}");
}

#[test]
fn a_day_may_be_written_as_a_text_or_as_toml_writes_days() {
    let text = parse(EMBEDDED[1].1, "mine.toml").expect("valid");
    let day = parse(&with(r#""2026-12-31""#, "2026-12-31"), "mine.toml").expect("valid");
    assert_eq!(day, text);
}

#[test]
fn a_language_is_a_bcp_47_tag_and_english_where_none_is_named() {
    // Its German texts are a translation only beside others.
    let (texts, _) = EMBEDDED[1].1.split_once("[translations.de]").expect("there is one");
    let campaign = |tag: &str| format!("language = \"{tag}\"\n{texts}");
    let read = |tag: &str| parse(&campaign(tag), "mine.toml").map(|campaign| campaign.language);
    assert_eq!(parse(EMBEDDED[1].1, "mine.toml").expect("valid").language, "en");
    for tag in ["de", "de-CH", "zh-Hant-TW", "sr-Latn"] {
        assert_eq!(read(tag).expect("a tag"), tag);
    }
    for tag in ["", "de_CH", "german", "d", "de-", "de-toolongapart", "дe"] {
        let told = told(&campaign(tag));
        assert!(
            told.contains("line 1, column 12: language is ") && told.contains("like en or de-CH"),
            "{told}"
        );
    }
}

#[test]
fn an_operator_has_name_contact_and_one_mail_address() {
    let operator = |name: &str, contact: &str, reply_to: &str| {
        let table = format!("[operator]\nname = {name:?}\ncontact = {contact:?}\nreply_to = {reply_to:?}\n");
        parse(&format!("{}{table}", EMBEDDED[1].1), "mine.toml").map_err(|error| error.to_string())
    };
    let campaign = operator("Example Services", "the desk", "o'brien+basic@mail.example.com").expect("valid");
    assert_eq!(campaign.operator.expect("an operator").reply_to, "o'brien+basic@mail.example.com");
    let expected = "operator.reply_to is ";
    for wrong in
        ["", "desk", "desk@", "@example.com", "a@b@example.com", "desk@localhost", "desk@example..com"]
    {
        let told = operator("Example Services", "the desk", wrong).expect_err("no address");
        assert!(told.contains(expected) && told.contains("basic-auth@example.com"), "{wrong}: {told}");
    }
    let told = operator("Desk <desk@example.com>", " ", "desk@example.com").expect_err("no contact");
    assert!(told.contains("operator.contact is ' '; expected a text"), "{told}");
    let told = told_without_reply_to();
    assert!(told.contains("missing field `reply_to`"), "{told}");
}

fn told_without_reply_to() -> String {
    told(&format!("{}[operator]\nname = 'Example'\ncontact = 'the desk'\n", EMBEDDED[1].1))
}

#[test]
fn the_operator_that_is_offered_in_a_comment_is_valid_where_it_stands() {
    for (name, text) in EMBEDDED {
        let offered = ["[operator", "name = ", "contact = ", "reply_to = ", "signature = "];
        let lines = text.lines().map(|line| match line.strip_prefix("# ") {
            Some(key) if offered.iter().any(|offer| key.starts_with(offer)) => key,
            _ => line,
        });
        let text = lines.collect::<Vec<_>>().join("\n");
        let operator = parse(&text, "mine.toml").expect("valid").operator.expect(name);
        assert!(operator.signature.is_some() && operator.translations.contains_key("de"), "{name}");
    }
}

#[test]
fn waves_say_how_many_and_who_not_and_ids_are_lower_case() {
    let text = EMBEDDED[1].1.to_owned()
        + "[waves]\nsize = 50\npending_max = 200\nexclude_clouds = ['GCC']\n\
           exclude_tenants = ['11111111-AAAA-4BBB-8CCC-000000000001']\n";
    let waves = parse(&text, "mine.toml").expect("valid").waves;
    assert_eq!((waves.size, waves.pending_max), (Some(50), Some(200)));
    let named = "11111111-aaaa-4bbb-8ccc-000000000001";
    assert_eq!(waves.exclude_tenants, [named]);
    let other = "22222222-aaaa-4bbb-8ccc-000000000002";
    assert!(waves.excludes(named, None));
    assert!(waves.excludes(other, Some("gcc")) && waves.excludes(other, Some(" Gcc ")));
    assert!(!waves.excludes(other, Some("gcc-high")) && !waves.excludes(other, None));
    let worldwide = Waves { exclude_clouds: vec!["Worldwide".to_owned()], ..Waves::default() };
    assert!(worldwide.excludes(other, None), "a tenant is worldwide unless the roster says otherwise");

    let wrong = |key: &str| told(&format!("{}[waves]\n{key}\n", EMBEDDED[1].1));
    assert!(wrong("size = 0").contains("waves.size is 0; expected a whole number, 1 to "));
    assert!(
        wrong("exclude_tenants = ['contoso.com']").contains("is 'contoso.com'; expected tenant ids like")
    );
    assert!(wrong("exclude_clouds = ['']").contains("names of clouds like gcc"));
}

#[test]
fn a_campaign_may_group_protocols_and_a_scope_has_whole_groups() {
    let text = with(r#"["smtp_auth"]"#, r#"["pop3"]"#) + "[groups]\nmailboxes = ['imap4', 'pop3']\n";
    let campaign = parse(&text, "mine.toml").expect("valid");
    assert_eq!(campaign.scope(), [Protocol::Pop3, Protocol::Imap4]);
    assert_eq!(campaign.group_of(Protocol::Imap4).len(), 2);
    assert_eq!(campaign.group_of(Protocol::OfflineAddressBook).len(), 4);
    assert_eq!(campaign.group_of(Protocol::SmtpAuth), [Protocol::SmtpAuth]);
}

#[test]
fn outlooks_four_stay_together_and_may_get_company() {
    let groups = |lines: &str| format!("{}[groups]\n{lines}\n", EMBEDDED[1].1);
    let four = "'exchange_web_services', 'offline_address_book', 'mapi_over_http', 'outlook_anywhere_rpc'";
    let five = parse(&groups(&format!("outlook = [{four}, 'autodiscover']")), "mine.toml");
    assert_eq!(five.expect("valid").group_of(Protocol::Autodiscover).len(), 5);
    let told = told(&groups("mac = ['exchange_web_services']"));
    assert!(told.contains("groups.mac is a group that holds only exchange_web_services"), "{told}");
    let place = format!("line {}, column 7", EMBEDDED[1].1.lines().count() + 2);
    assert!(told.contains(&place) && told.contains("outlook_anywhere_rpc or none"), "{told}");
}

#[test]
fn a_protocol_in_two_groups_or_unknown_there_is_told() {
    let groups = |lines: &str| told(&format!("{}[groups]\n{lines}\n", EMBEDDED[1].1));
    let twice = groups("a = ['pop3', 'imap4']\nb = ['imap4', 'smtp_auth']");
    assert!(
        twice.contains("'imap4', which is in groups.a too; expected each protocol in one group"),
        "{twice}"
    );
    let unknown = groups("a = ['imap']");
    let line = EMBEDDED[1].1.lines().count() + 2;
    let expected = format!("line {line}, column 6: a protocol of groups.a is 'imap'");
    assert!(unknown.contains(&expected), "{unknown}");
    assert!(groups("a = []").contains("groups.a is empty"));
}

#[test]
fn keys_that_a_campaign_does_not_use_are_no_part_of_what_a_decision_keeps() {
    let campaign = load(EMBEDDED[0].0).expect("embedded");
    let json = serde_json::to_value(&campaign).expect("JSON");
    for key in ["waves", "language", "groups", "app_ids", "operator"] {
        assert!(json.get(key).is_none(), "{key}");
    }
    assert_eq!(serde_json::from_value::<Campaign>(json).expect("it reads back"), campaign);
}

#[test]
fn a_name_that_is_neither_built_in_nor_a_file_is_told_with_those_that_are() {
    let told = load("basic-auth").expect_err("no such campaign").to_string();
    assert!(told.contains("'basic-auth'") && told.contains(EMBEDDED[1].0), "{told}");
}

#[test]
fn applications_are_named_for_password_grants_alone() {
    let with_protocols = |protocols: &str| with(r#"protocols = ["smtp_auth"]"#, protocols);
    let app_ids = "app_ids = ['FB78D390-0C51-40CD-8E17-FDBFAB77341B']";
    let text = with_protocols(&format!("protocols = ['password_grant']\n{app_ids}"));
    let campaign = parse(&text, "mine.toml").expect("valid");
    assert_eq!(campaign.app_ids, ["fb78d390-0c51-40cd-8e17-fdbfab77341b"]);
    let told_without = told(&with_protocols(&format!("protocols = ['smtp_auth']\n{app_ids}")));
    assert!(told_without.contains("protocols has no 'password_grant'"), "{told_without}");
    let told_name = told(&with_protocols("protocols = ['password_grant']\napp_ids = ['PowerShell']"));
    assert!(told_name.contains("app_ids is 'PowerShell'; expected application ids like"), "{told_name}");
}

#[test]
fn what_counts_follows_from_scope_and_switch() {
    let all = load(EMBEDDED[0].0).expect("embedded");
    assert_eq!(all.auth_methods(), "basic,unknown,modern", "SMTP AUTH goes off as a whole");
    let smtp = load(EMBEDDED[1].0).expect("embedded");
    assert_eq!(smtp.auth_methods(), "basic,unknown");
    let grant = with(r#"protocols = ["smtp_auth"]"#, "protocols = ['password_grant']");
    let grant = parse(&grant, "mine.toml").expect("valid");
    assert_eq!(grant.auth_methods(), "basic,unknown,password_grant");
}

#[test]
fn what_a_campaign_turns_off_with_outlook_counts_as_outlook() {
    let built_in = load(EMBEDDED[0].0).expect("embedded");
    assert!(built_in.turns_off_outlook(&[Protocol::Imap4, Protocol::OfflineAddressBook]));
    assert!(!built_in.turns_off_outlook(&[Protocol::Imap4, Protocol::Autodiscover]));
    let group = "\n[groups]\noutlook = ['exchange_web_services', 'mapi_over_http', 'outlook_anywhere_rpc', \
                 'offline_address_book', 'autodiscover']\n";
    let own = parse(&format!("{}{group}", EMBEDDED[0].1), "test.toml").expect("valid");
    assert!(own.turns_off_outlook(&[Protocol::Autodiscover]));
}

#[test]
fn a_translation_that_lacks_a_text_or_has_no_language_is_told_with_its_place() {
    let text = EMBEDDED[1].1;
    let line = |of: &str| text.lines().position(|line| line == of).expect("a line") + 1;
    let without = told(&text.replace("MC786329 = ", "MC1 = "));
    let place = format!("line {}, column", line("[translations.de]"));
    assert!(without.contains(&place) && without.contains("without earlier_post_dates.MC786329"), "{without}");
    let opt_out = text.lines().rfind(|line| line.starts_with("opt_out = ")).expect("in German");
    assert!(told(&text.replace(opt_out, "")).contains("translations.de is without opt_out"));
    let french = told(
        &text
            .replace("[translations.de]", "[translations.fr]")
            .replace("translations.de.", "translations.fr."),
    );
    assert!(
        french.contains("translations.fr is a language without notices; expected one of: en, de"),
        "{french}"
    );
    let english = told(&text.replace("translations.de", "translations.en"));
    assert!(english.contains("the campaign's own language"), "{english}");
}

#[test]
fn every_embedded_campaign_is_there_in_every_language() {
    for (name, _) in EMBEDDED {
        let campaign = load(name).expect("embedded");
        for language in Language::ALL {
            let translated = campaign.in_language(language).expect("translated");
            assert_eq!(translated.base_language(), language, "{name}");
            assert_eq!(translated.title == campaign.title, language == campaign.base_language(), "{name}");
        }
    }
}

#[test]
fn an_operator_signs_and_is_reached_in_other_languages_too() {
    let operator = "[operator]\nname = 'Example'\ncontact = 'the desk'\nreply_to = 'a@example.com'\n\
                    signature = 'Example'\n[operator.translations.de]\ncontact = 'der Servicedesk'\n";
    let campaign = parse(&EMBEDDED[1].1.replace("[texts]", &format!("{operator}[texts]")), "mine.toml");
    let campaign = campaign.expect("valid");
    let german = campaign.in_language(Language::German).expect("translated");
    let operator = german.operator.as_ref().expect("an operator");
    assert_eq!(
        (operator.contact.as_str(), operator.signature.as_deref()),
        ("der Servicedesk", Some("Example"))
    );
    let french = operator.name.replace("Example", "[operator.translations.fr]\ncontact = 'x'\n");
    let told = told(&EMBEDDED[1].1.replace(
        "[texts]",
        &format!("[operator]\nname = 'E'\ncontact = 'd'\nreply_to = 'a@example.com'\n{french}[texts]"),
    ));
    assert!(told.contains("operator.translations.fr is a language without notices"), "{told}");
}
