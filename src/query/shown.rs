//! Shipped queries as somebody can run them: values in place of parameters, and one tenant's rows.
//! Only for showing; the program itself binds.

use datafusion::common::ScalarValue;

use super::Parameter;

/// The query without its header, its values filled in, for one tenant.
#[must_use]
pub fn for_tenant(sql: &str, parameters: &[Parameter], tenant_id: &str) -> String {
    let body: Vec<&str> = sql.lines().skip_while(|line| line.starts_with("--")).collect();
    let filled = fill(&body.join("\n"), parameters);
    let indented: Vec<String> = filled.lines().map(|line| format!("    {line}")).collect();
    format!("SELECT * FROM (\n{}\n) AS found\nWHERE tenant_id = {}", indented.join("\n"), quoted(tenant_id))
}

fn fill(sql: &str, parameters: &[Parameter]) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find('$') {
        text.push_str(&rest[..at]);
        let name_len = rest[at + 1..].bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        let name = &rest[at + 1..=at + name_len];
        match parameters.iter().find(|(known, _)| known == name) {
            Some((_, value)) => text.push_str(&literal(value)),
            None => text.push_str(&rest[at..=at + name_len]),
        }
        rest = &rest[at + 1 + name_len..];
    }
    text + rest
}

fn literal(value: &ScalarValue) -> String {
    match value {
        ScalarValue::Utf8(Some(text)) => quoted(text),
        ScalarValue::TimestampMicrosecond(Some(micros), _) => {
            format!("TIMESTAMP {}", quoted(&crate::ingest::time::format(*micros)))
        }
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_parameters_stood_and_quotes_can_not_end_them() {
        let parameters = [
            ("tenant".to_owned(), ScalarValue::Utf8(Some("o'neil".to_owned()))),
            ("tenant_b".to_owned(), ScalarValue::Utf8(Some("b".to_owned()))),
        ];
        let sql = for_tenant("-- Header\nSELECT $tenant, $tenant_b FROM t", &parameters, "x");
        assert!(sql.contains("SELECT 'o''neil', 'b' FROM t") && !sql.contains("Header"), "{sql}");
    }
}
