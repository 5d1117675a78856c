//! The cursor against `serde_json`: what one accepts the other accepts, and strings read the same.

use proptest::prelude::*;

use super::*;

fn accepts(mut cursor: Cursor<'_, impl Strings>) -> bool {
    cursor.skip().and_then(|()| cursor.end()).is_ok()
}

fn agree(text: &str) {
    let serde = serde_json::from_str::<serde_json::Value>(text).is_ok();
    assert_eq!(accepts(Cursor::new(text)), serde, "serde_json accepts: {serde}, of {text:?}");
    for mut index in [Index::new(), Index::portable()] {
        let accepted = index.cursor(text).is_some_and(accepts);
        assert_eq!(accepted, serde, "serde_json accepts: {serde}, of {text:?}, {index:?}");
    }
}

#[test]
fn what_serde_json_refuses_is_refused() {
    for text in [
        "",
        "{",
        "}",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "1e999",
        "-1e-999",
        "nul",
        "truex",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "\"\\x\"",
        "\"a\nb\"",
        "\"\u{7f}\"",
        "[1 2]",
        "{\"a\":}",
        "[]]",
        " {\"a\":[true,false,null,-0.5e+3]} ",
        "\"\\ud83d\\ude00\"",
        "\"0123456\\\\\"",
        "\"01234567\u{1}\"",
        "\"a\u{e9}bcdefgh\u{20ac}\"",
        "1E5",
        "-0",
        "00",
        "[\"\\u00e9\"]",
    ] {
        agree(text);
    }
    agree(&format!("{}{}", "[".repeat(127), "]".repeat(127)));
    agree(&format!("{}{}", "[".repeat(129), "]".repeat(129)));
}

#[test]
fn strings_come_out_as_serde_json_reads_them() {
    for text in [r#""plain""#, r#""tab\there and \"quotes\" \\ \/ \u00e9 \ud83d\ude00 end""#, r#""""#] {
        let expected: String = serde_json::from_str(text).expect("valid");
        assert_eq!(Cursor::new(text).string().expect("valid"), expected);
    }
}

proptest! {
    #[test]
    fn any_text_is_accepted_exactly_when_serde_json_accepts_it(text in r#"[\[\]{}",:0-9eE.+\-tfnaulrse\\u \n]{0,40}"#) {
        agree(&text);
    }

    #[test]
    fn a_mutated_record_is_accepted_exactly_when_serde_json_accepts_it(at in 0usize..90, byte in 0u8..128) {
        let record = r#"{"time":"2026-10-01T00:00:00.1234567Z","n":-1.5e3,"l":[true,null,{"k":"v\u00e9\n"}],"z":{}}"#;
        let mut bytes = record.as_bytes().to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        agree(&String::from_utf8(bytes).expect("ascii"));
    }
}
