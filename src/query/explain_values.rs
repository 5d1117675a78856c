//! Shipped queries with their parameters replaced by values, as SQL that a person can run elsewhere. Only for display:
//! the program itself binds parameters.

use datafusion::common::ScalarValue;

use super::Parameter;
use super::placeholders::placeholders;

/// The query without its header, its values filled in, for one tenant.
#[must_use]
pub fn for_tenant(sql: &str, parameters: &[Parameter], tenant_id: &str) -> String {
    let filled = with_values(sql, parameters);
    let indented: Vec<String> = filled.lines().map(|line| format!("    {line}")).collect();
    format!("SELECT * FROM (\n{}\n) AS found\nWHERE tenant_id = {}", indented.join("\n"), quoted(tenant_id))
}

/// The query without its header, its values filled in.
#[must_use]
pub fn with_values(sql: &str, parameters: &[Parameter]) -> String {
    let is_header = |line: &&str| line.starts_with("--") || line.trim().is_empty();
    let body: Vec<&str> = sql.lines().skip_while(is_header).collect();
    substitute(body.join("\n").trim_end(), parameters)
}

fn substitute(sql: &str, parameters: &[Parameter]) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut end = 0;
    for found in placeholders(sql) {
        if let Some((_, value)) = parameters.iter().find(|(known, _)| known == found.name) {
            text.push_str(&sql[end..found.at.start]);
            text.push_str(&literal(value));
            end = found.at.end;
        }
    }
    text + &sql[end..]
}

fn literal(value: &ScalarValue) -> String {
    match value {
        ScalarValue::Utf8(Some(text)) => quoted(text),
        ScalarValue::TimestampMicrosecond(Some(micros), _) => {
            format!("TIMESTAMPTZ {}", quoted(&lightsout_model::time::format(*micros)))
        }
        ScalarValue::Date32(Some(_)) => format!("DATE {}", quoted(&value.to_string())),
        // A bare `1` would be a bigint.
        ScalarValue::Float64(Some(number)) => format!("CAST({number} AS double)"),
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
    fn quotes_in_a_value_are_escaped() {
        let parameters = [
            ("tenant".to_owned(), ScalarValue::Utf8(Some("o'neil".to_owned()))),
            ("tenant_b".to_owned(), ScalarValue::Utf8(Some("b".to_owned()))),
        ];
        let sql = for_tenant("-- Header\nSELECT $tenant, $tenant_b FROM t", &parameters, "x");
        assert!(sql.contains("SELECT 'o''neil', 'b' FROM t") && !sql.contains("Header"), "{sql}");
    }

    #[test]
    fn only_parameters_are_replaced_by_literals_of_their_type() {
        let parameters = [
            ("top".to_owned(), ScalarValue::Int64(Some(-5))),
            ("share".to_owned(), ScalarValue::Float64(Some(0.5))),
            ("day".to_owned(), ScalarValue::Date32(Some(2))),
            ("on".to_owned(), ScalarValue::Boolean(Some(true))),
        ];
        let sql =
            with_values("-- Header\n\nSELECT '$top', $top, $share, $day, $on, $other -- $top\n", &parameters);
        assert_eq!(sql, "SELECT '$top', -5, CAST(0.5 AS double), DATE '1970-01-03', true, $other -- $top");
    }
}
