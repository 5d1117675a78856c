//! A campaign file from the outside: printed, changed, checked, used.

mod program;

use program::Place;

fn stdout(place: &Place, arguments: &[&str]) -> String {
    String::from_utf8(place.run("lake", arguments).stdout).expect("text")
}

#[test]
fn a_built_in_campaign_is_copied_changed_checked_and_used() {
    let place = Place::new();
    let text = stdout(&place, &["campaign", "show", "smtp-auth-2026"]);
    assert!(text.contains("# whole UTC days"), "comments come with it: {text}");
    assert_eq!(text, stdout(&place, &["campaign", "show", "--campaign", "smtp-auth-2026"]));

    // What is offered in comments is valid where it stands.
    let offered = ["language", "[groups]", "mailboxes", "[waves]", "size", "pending_max", "exclude_"];
    let mine: Vec<&str> = text
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(key) if offered.iter().any(|offer| key.starts_with(offer)) => key,
            _ => line,
        })
        .collect();
    let mine = mine.join("\n") + "\n";
    assert_ne!(mine, text);
    place.write("mine.toml", mine.as_bytes());
    assert_eq!(stdout(&place, &["campaign", "show", "mine.toml"]), mine);

    place.run("lake", &["ingest", &program::sample("logs")]);
    place.run("lake", &["assess", "--campaign", "mine.toml"]);
    place.run("lake", &["notices", "--campaign", "mine.toml"]);
}

#[test]
fn a_wrong_file_is_told_with_its_place_by_show_as_by_every_other_command() {
    let place = Place::new();
    let text = stdout(&place, &["campaign", "show"]);
    place.write("mine.toml", text.replace("\"imap4\"", "\"imap\"").as_bytes());
    for command in [vec!["campaign", "show", "mine.toml"], vec!["assess", "--campaign", "mine.toml"]] {
        let output = place.tries("lake", &command);
        assert_eq!(output.status.code(), Some(2));
        let told = String::from_utf8(output.stderr).expect("text");
        assert!(
            told.contains("mine.toml, line 15, column 5") && told.contains("pop3, imap4, smtp_auth"),
            "{told}"
        );
    }
}

#[test]
fn the_schema_is_json_and_knows_the_protocols() {
    let schema = stdout(&Place::new(), &["campaign", "schema"]);
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    assert_eq!(schema["$defs"]["Protocol"]["enum"][0], "pop3");
}
