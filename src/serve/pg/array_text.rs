//! Lists as PostgreSQL writes them: `{a, "b c", NULL}`.

/// The elements of a list of one dimension, `None` if it is not written as one.
pub(super) fn elements(text: &str) -> Option<Vec<Option<String>>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    if inner.trim().is_empty() {
        return Some(Vec::new());
    }
    let mut elements = Vec::new();
    let mut letters = inner.chars().peekable();
    loop {
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        let mut element = String::new();
        if letters.next_if_eq(&'"').is_some() {
            loop {
                match letters.next()? {
                    '"' => break,
                    '\\' => element.push(letters.next()?),
                    letter => element.push(letter),
                }
            }
            while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
            elements.push(Some(element));
        } else {
            while let Some(letter) = letters.next_if(|letter| *letter != ',') {
                match letter {
                    '\\' => element.push(letters.next()?),
                    '{' | '}' | '"' => return None,
                    letter => element.push(letter),
                }
            }
            let element = element.trim_end();
            if element.is_empty() {
                return None;
            }
            elements.push((!element.eq_ignore_ascii_case("null")).then(|| element.to_owned()));
        }
        match letters.next() {
            None => return Some(elements),
            Some(',') => {}
            Some(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_its_elements_without_quotes_and_blanks() {
        let texts = |text: &str| {
            elements(text).map(|found| found.into_iter().map(Option::unwrap_or_default).collect())
        };
        let of = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(texts(r#"{"p", "f" ,m}"#), of(&["p", "f", "m"]));
        assert_eq!(texts(r#"{"a,b","c\"d", e f }"#), of(&["a,b", "c\"d", "e f"]));
        assert_eq!(texts("{}"), of(&[]));
        assert_eq!(elements(r#"{NULL,"NULL"}"#), Some(vec![None, Some("NULL".to_owned())]));
        for wrong in ["", "a", "{a,}", "{{a},{b}}", r#"{"a}"#, "{a} b"] {
            assert_eq!(elements(wrong), None, "{wrong}");
        }
    }
}
