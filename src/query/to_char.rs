//! `to_char` with the patterns of PostgreSQL. The engine's own takes those of strftime, and gives any other text back as
//! it stands: `to_char(signed_in_at, 'YYYY-MM')` would be the words YYYY-MM. A pattern with a `%` is strftime's still.

use std::sync::Arc;

use arrow::array::{AsArray as _, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{ScalarValue, exec_datafusion_err};
use datafusion::error::Result;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

/// Puts it in the place of the engine's own.
pub(super) fn register(context: &SessionContext) {
    let state = context.state();
    if let Some(inner) = state.scalar_functions().get("to_char") {
        context.register_udf(ScalarUDF::new_from_impl(ToChar { inner: Arc::clone(inner) }));
    }
}

/// Whether an expression is one that only this process can compute.
#[cfg(feature = "cluster")]
pub(super) fn is_of_this_process(expression: &Expr) -> bool {
    matches!(expression, Expr::ScalarFunction(call) if call.func.inner().downcast_ref::<ToChar>().is_some())
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ToChar {
    inner: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for ToChar {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arguments)
    }

    /// With a pattern that is a constant it is the engine's own, which other processes have too.
    fn simplify(&self, mut arguments: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        if let [value, Expr::Literal(pattern, _)] = arguments.as_mut_slice()
            && let Some(text) = pattern.try_as_str().flatten()
        {
            // A duration has patterns of its own.
            if matches!(info.get_data_type(value)?, DataType::Duration(_)) {
                return Ok(ExprSimplifyResult::Simplified(self.inner.call(arguments)));
            }
            *pattern = ScalarValue::Utf8(Some(strftime(text)?));
            return Ok(ExprSimplifyResult::Simplified(self.inner.call(arguments)));
        }
        Ok(ExprSimplifyResult::Original(arguments))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn invoke_with_args(&self, mut arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        if let [value, pattern] = arguments.args.as_mut_slice()
            && !matches!(value.data_type(), DataType::Duration(_))
        {
            *pattern = match &*pattern {
                ColumnarValue::Scalar(scalar) => match scalar.try_as_str().flatten() {
                    Some(text) => ColumnarValue::Scalar(ScalarValue::Utf8(Some(strftime(text)?))),
                    None => ColumnarValue::Scalar(ScalarValue::Utf8(None)),
                },
                ColumnarValue::Array(array) => {
                    let texts = cast(array, &DataType::Utf8)?;
                    let patterns = texts.as_string::<i32>().iter().map(|text| text.map(strftime).transpose());
                    let patterns = patterns.collect::<Result<StringArray>>()?;
                    // Of one value and many patterns the engine's own takes the first pattern alone.
                    *value = ColumnarValue::Array(value.to_array(rows)?);
                    ColumnarValue::Array(Arc::new(patterns))
                }
            };
        }
        self.inner.invoke_with_args(arguments)
    }
}

/// Patterns of PostgreSQL and what strftime calls them; of two that begin alike the longer one first.
const PATTERNS: [(&str, &str); 40] = [
    ("YYYY", "%Y"),
    ("IYYY", "%G"),
    ("YY", "%y"),
    ("IY", "%g"),
    ("FMMonth", "%B"),
    ("Month", "%B"),
    ("FMMM", "%-m"),
    ("Mon", "%b"),
    ("MM", "%m"),
    ("MI", "%M"),
    ("MS", "%3f"),
    ("DDD", "%j"),
    ("FMDD", "%-d"),
    ("DD", "%d"),
    ("FMDay", "%A"),
    ("Day", "%A"),
    ("Dy", "%a"),
    ("IW", "%V"),
    ("ID", "%u"),
    ("HH24", "%H"),
    ("HH12", "%I"),
    ("FMHH24", "%-H"),
    ("HH", "%I"),
    ("SS", "%S"),
    ("US", "%6f"),
    ("FF3", "%3f"),
    ("FF6", "%6f"),
    ("AM", "%p"),
    ("PM", "%p"),
    ("am", "%P"),
    ("pm", "%P"),
    ("TZH:TZM", "%:z"),
    ("OF", "%:z"),
    ("Q", "%q"),
    ("yyyy", "%Y"),
    ("mm", "%m"),
    ("dd", "%d"),
    ("hh24", "%H"),
    ("mi", "%M"),
    ("ss", "%S"),
];

/// Patterns that begin as known ones do, and that strftime has no name for.
const UNKNOWN: [&str; 2] = ["IDDD", "SSSSS"];

/// What PostgreSQL pads with blanks, and how it is written without them.
const PADDED: [(&str, &str); 2] = [("Month", "FMMonth"), ("Day", "FMDay")];

/// The pattern of strftime for one of PostgreSQL.
fn strftime(pattern: &str) -> Result<String> {
    if pattern.contains('%') {
        return Ok(pattern.to_owned());
    }
    let (mut text, mut rest) = (String::new(), pattern);
    while let Some(next) = rest.chars().next() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"').ok_or_else(|| {
                exec_datafusion_err!("to_char: a quote is opened in '{pattern}' and not closed")
            })?;
            text.push_str(&quoted[..end]);
            rest = &quoted[end + 1..];
            continue;
        }
        // An ISO time: the T between letters of a pattern.
        let is_name = ["TZ", "TH"].iter().any(|name| rest.starts_with(name)) && !rest.starts_with("THH");
        if !next.is_ascii_alphabetic() || next == 'T' && !is_name {
            text.push(next);
            rest = &rest[next.len_utf8()..];
            continue;
        }
        let is_longer = UNKNOWN.iter().any(|unknown| rest.starts_with(unknown));
        let known = PATTERNS.iter().find(|(name, _)| !is_longer && rest.starts_with(name));
        let Some((name, code)) = known else {
            let word: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
            return Err(exec_datafusion_err!(
                "to_char knows no pattern '{word}' (in '{pattern}'); it knows YYYY, MM, DD, HH24, MI, SS, MS, US, Mon, \
                 FMMonth, Dy, FMDay, DDD, IYYY, IW, ID, Q, AM and OF, other text in \"quotes\", and those of strftime, \
                 as in '%Y-%m-%d'"
            ));
        };
        if let Some((padded, without)) = PADDED.iter().find(|(padded, _)| padded == name) {
            return Err(exec_datafusion_err!(
                "to_char: {padded} would be padded with blanks in PostgreSQL; write {without} for the name alone"
            ));
        }
        text.push_str(code);
        rest = &rest[name.len()..];
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Queries;

    #[test]
    fn patterns_of_postgresql_become_those_of_strftime() {
        for (pattern, expected) in [
            ("YYYY-MM-DD", "%Y-%m-%d"),
            ("YYYY-MM-DD\"T\"HH24:MI:SS.MS", "%Y-%m-%dT%H:%M:%S.%3f"),
            ("YYYY-MM-DDTHH24:MI:SS", "%Y-%m-%dT%H:%M:%S"),
            ("yyyy-mm-dd hh24:mi", "%Y-%m-%d %H:%M"),
            ("IYYY\"-W\"IW", "%G-W%V"),
            ("Dy, FMDD Mon", "%a, %-d %b"),
            ("HH12:MI AM", "%I:%M %p"),
            ("YYYY\"-Q\"Q", "%Y-Q%q"),
            ("%d.%m.%Y", "%d.%m.%Y"),
            ("2026", "2026"),
        ] {
            assert_eq!(strftime(pattern).expect(pattern), expected, "{pattern}");
        }
        for (pattern, why) in [
            ("YYYY-NN", "knows no pattern 'NN' (in 'YYYY-NN')"),
            ("SSSSS", "knows no pattern 'SSSSS'"),
            ("day", "knows no pattern 'day'"),
            ("Month YYYY", "write FMMonth"),
            ("YYYY\"T", "not closed"),
        ] {
            let error = strftime(pattern).expect_err(pattern).to_string();
            assert!(error.contains(why), "{pattern}: {error}");
        }
    }

    #[tokio::test]
    async fn a_query_formats_times_or_says_why_it_does_not() {
        let queries = Queries::over_rows(Vec::new(), 64 << 20).await.expect("an empty lake");
        let sql = "SELECT to_char(TIMESTAMPTZ '2026-03-04T05:06:07Z', 'DD Mon YYYY HH24:MI') AS a, \
                   to_char(DATE '2026-03-04', p) AS b FROM (VALUES ('YYYY-MM'), ('%d')) AS t(p) ORDER BY b DESC";
        let rows = queries.run("sql", sql, &[]).await.expect("rows");
        let text = arrow::util::pretty::pretty_format_batches(&rows).expect("text").to_string();
        assert!(text.contains("| 04 Mar 2026 05:06 | 2026-03 |"), "{text}");
        assert!(text.contains("| 04 Mar 2026 05:06 | 04      |"), "{text}");
        // A duration has patterns of its own.
        let sql = "SELECT to_char(arrow_cast(7, 'Duration(Second)'), 'ISO8601')";
        let rows = queries.run("sql", sql, &[]).await.expect("rows");
        let text = arrow::util::pretty::pretty_format_batches(&rows).expect("text").to_string();
        assert!(text.contains("| PT7S "), "{text}");
        let sql = "SELECT to_char(TIMESTAMPTZ '2026-03-04T05:06:07Z', 'YYYY-xx')";
        let error = queries.run("sql", sql, &[]).await.expect_err("a pattern that is none").to_string();
        assert!(error.contains("to_char knows no pattern 'xx'"), "{error}");
    }
}
