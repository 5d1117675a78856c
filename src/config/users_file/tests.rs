use super::*;

/// Of the password `pencil`, by PostgreSQL 15.
const VERIFIER: &str = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

fn file(text: &str) -> Result<Vec<User>, UsersFileError> {
    parse(&text.replace("VERIFIER", VERIFIER), "users.toml")
}

#[test]
fn users_have_tenants_and_see_names_unless_told_otherwise() {
    let users = file(
        "[[users]]\nname = \"root\"\npassword = \"VERIFIER\"\ntenants = [\"*\"]\n\n\
         [[users]]\nname = \"mill\"\npassword = \"VERIFIER\"\ntenants = [\"oldmill.example\", \"The Other\"]\n\
         names = \"pseudonyms\"\n",
    )
    .expect("two users");
    assert_eq!(users.len(), 2);
    assert_eq!((&users[0].tenants, users[0].names), (&NamedTenants::All, NamesShown::Shown));
    assert_eq!((users[1].name.as_str(), users[1].names), ("mill", NamesShown::Pseudonyms));
    let NamedTenants::Some(tenants) = &users[1].tenants else { panic!("{users:?}") };
    let places: Vec<_> = tenants.iter().map(|(name, place)| (name.as_str(), place.line)).collect();
    assert_eq!(places, [("oldmill.example", 9), ("The Other", 9)]);
}

#[test]
fn a_verifier_is_written_as_it_is_read_and_shows_no_key() {
    let verifier: Verifier = VERIFIER.parse().expect("a verifier");
    assert_eq!(verifier.to_string(), VERIFIER);
    assert_eq!((verifier.iterations, verifier.salt.len()), (4096, 16));
    assert!(!format!("{verifier:?}").contains("stored_key"), "{verifier:?}");
}

#[test]
fn a_wrong_file_says_where_and_what() {
    let user = |lines: &str| format!("# who may come in\n[[users]]\n{lines}\n");
    for (text, parts) in [
        (String::new(), &["no users", "[[users]]"][..]),
        ("# nobody\n".to_owned(), &["no users"]),
        (user("name = \"a\"\npassword = \"VERIFIER\""), &["line 2", "tenants"]),
        (user("name = \"a\"\npassword = \"VERIFIER\"\ntenants = []"), &["line 5", "[\"*\"] for all", "none"]),
        (
            user("name = \"a\"\npassword = \"VERIFIER\"\ntenants = [\"x\", \"*\"]"),
            &["line 5", "'*' among others"],
        ),
        (user("name = \"a\"\npassword = \"VERIFIER\"\ntenants = [\"*\"]\nrole = \"x\""), &["line 6", "role"]),
        (
            user("name = \"a\"\npassword = \"VERIFIER\"\ntenants = [\"*\"]\nnames = \"some\""),
            &["line 6", "pseudonyms"],
        ),
        (
            user("name = \"a:b\"\npassword = \"VERIFIER\"\ntenants = [\"*\"]"),
            &["line 3", "without ':'", "'a:b'"],
        ),
        (
            user("name = \"a\"\npassword = \"correct horse\"\ntenants = [\"*\"]"),
            &["line 4", "lightsout serve --hash-password"],
        ),
        (
            user("name = \"a\"\npassword = \"SCRAM-SHA-256$4096:abc\"\ntenants = [\"*\"]"),
            &["line 4", "a part of it"],
        ),
        (
            user("name = \"a\"\npassword = \"VERIFIER\"\ntenants = [\"*\"]")
                .replace("VERIFIER", &VERIFIER.replace("$4096", "$1")),
            &["line 4", "4096 to 1000000 iterations"],
        ),
        (
            user(
                "name = \"a\"\npassword = \"VERIFIER\"\ntenants = [\"*\"]\n[[users]]\nname = \"a\"\npassword = \"VERIFIER\"\ntenants = [\"*\"]",
            ),
            &["line 7", "'a' again", "line 3"],
        ),
    ] {
        let told = file(&text).expect_err(&text).to_string();
        assert!(told.starts_with("users.toml") && !told.contains("correct horse"), "{told}");
        for part in parts {
            assert!(told.contains(part), "{part} in: {told}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_everybody_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("users.toml");
    let text = format!("[[users]]\nname = \"a\"\npassword = \"{VERIFIER}\"\ntenants = [\"*\"]\n");
    std::fs::write(&path, text).expect("written");
    let allow =
        |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("allowed");
    allow(0o644);
    let told = read(&path).expect_err("open to everybody").to_string();
    assert!(told.contains("(mode 644)") && told.contains("chmod 600"), "{told}");
    for mode in [0o600, 0o640] {
        allow(mode);
        assert_eq!(read(&path).expect("read").len(), 1);
    }
}
