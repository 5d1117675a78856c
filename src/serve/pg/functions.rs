//! Functions of PostgreSQL that clients call to find their way, beside those of `datafusion-pg-catalog`. All look their
//! arguments up as text, which is what they are made of: numbers, names and flags. None reads a file or a setting of the
//! system. What is not known here is NULL, never 0.

use std::sync::Arc;

use arrow::array::{Array as _, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, TimeUnit};
use chrono::{DateTime, Utc};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::expr_fn::SimpleScalarUDF;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Signature, TypeSignature, Volatility};

use super::catalogue::State;
use super::names::Names;
use super::session::held;
use super::startup::VERSION;

type Arguments<'a> = &'a [Option<&'a str>];
type Answer = EngineResult<Option<String>>;

/// Whoever owns what there is.
pub(super) const OWNER: &str = "lightsout";

/// What nobody may do here, among the privileges that PostgreSQL knows.
const WRITING: [&str; 9] =
    ["insert", "update", "delete", "truncate", "references", "trigger", "create", "temp", "temporary"];

/// Functions that say whether something is found without its schema: all is.
const VISIBLE: [&str; 12] = [
    "pg_collation_is_visible",
    "pg_conversion_is_visible",
    "pg_function_is_visible",
    "pg_opclass_is_visible",
    "pg_operator_is_visible",
    "pg_opfamily_is_visible",
    "pg_statistics_obj_is_visible",
    "pg_ts_config_is_visible",
    "pg_ts_dict_is_visible",
    "pg_ts_parser_is_visible",
    "pg_ts_template_is_visible",
    "pg_type_is_visible",
];

/// Functions of any arguments that have nothing to tell here.
const NOTHING: [(&str, DataType); 33] = [
    ("inet_client_addr", DataType::Utf8),
    ("inet_client_port", DataType::Int32),
    ("inet_server_addr", DataType::Utf8),
    ("inet_server_port", DataType::Int32),
    ("pg_database_size", DataType::Int64),
    ("pg_get_function_arguments", DataType::Utf8),
    ("pg_get_function_identity_arguments", DataType::Utf8),
    ("pg_get_function_result", DataType::Utf8),
    ("pg_get_function_sqlbody", DataType::Utf8),
    ("pg_get_functiondef", DataType::Utf8),
    ("pg_get_indexdef", DataType::Utf8),
    ("pg_get_partkeydef", DataType::Utf8),
    ("pg_get_replica_identity_index", DataType::Int32),
    ("pg_get_ruledef", DataType::Utf8),
    ("pg_get_serial_sequence", DataType::Utf8),
    ("pg_get_statisticsobjdef", DataType::Utf8),
    ("pg_get_triggerdef", DataType::Utf8),
    ("pg_indexes_size", DataType::Int64),
    ("pg_last_xact_replay_timestamp", DataType::Timestamp(TimeUnit::Microsecond, None)),
    ("pg_relation_filenode", DataType::Int32),
    ("pg_relation_size", DataType::Int64),
    ("pg_sequence_last_value", DataType::Int64),
    ("pg_stat_get_blocks_fetched", DataType::Int64),
    ("pg_stat_get_last_analyze_time", DataType::Utf8),
    ("pg_stat_get_live_tuples", DataType::Int64),
    ("pg_table_size", DataType::Int64),
    ("pg_tablespace_location", DataType::Utf8),
    ("pg_tablespace_size", DataType::Int64),
    ("pg_total_relation_size", DataType::Int64),
    ("pg_trigger_depth", DataType::Int32),
    ("shobj_description", DataType::Utf8),
    ("to_regproc", DataType::Int32),
    ("to_regprocedure", DataType::Int32),
];

/// Functions with one answer, whatever their arguments are.
const CONSTANT: [(&str, DataType, &str); 16] = [
    ("getdatabaseencoding", DataType::Utf8, "UTF8"),
    ("pg_advisory_unlock_all", DataType::Utf8, ""),
    ("pg_char_to_encoding", DataType::Int32, "6"),
    ("pg_client_encoding", DataType::Utf8, "UTF8"),
    ("pg_encoding_to_char", DataType::Utf8, "UTF8"),
    ("pg_is_in_recovery", DataType::Boolean, "false"),
    ("pg_is_other_temp_schema", DataType::Boolean, "false"),
    ("pg_is_wal_replay_paused", DataType::Boolean, "false"),
    ("pg_my_temp_schema", DataType::Int32, "0"),
    ("pg_relation_is_updatable", DataType::Int32, "0"),
    ("pg_column_is_updatable", DataType::Boolean, "false"),
    ("row_security_active", DataType::Boolean, "false"),
    ("txid_current", DataType::Int64, "1"),
    ("txid_current_if_assigned", DataType::Int64, "1"),
    ("pg_get_userbyid", DataType::Utf8, OWNER),
    ("version", DataType::Utf8, VERSION),
];

/// A function of any number of arguments, which are given as text.
fn function(
    name: &str,
    returns: DataType,
    volatility: Volatility,
    answer: impl Fn(Arguments) -> Answer + Send + Sync + 'static,
) -> ScalarUDF {
    let signature = Signature::one_of(vec![TypeSignature::Nullary, TypeSignature::VariadicAny], volatility);
    let kind = returns.clone();
    let called = move |arguments: &[ColumnarValue]| -> EngineResult<ColumnarValue> {
        let is_one = arguments.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let texts: Vec<_> =
            arrays.iter().map(|array| cast(array, &DataType::Utf8)).collect::<Result<_, _>>()?;
        let texts: Vec<&StringArray> = texts.iter().map(AsArray::as_string::<i32>).collect();
        let rows = texts.first().map_or(1, arrow::array::Array::len);
        let answers: StringArray = (0..rows)
            .map(|row| {
                let values: Vec<Option<&str>> =
                    texts.iter().map(|text| text.is_valid(row).then(|| text.value(row))).collect();
                answer(&values)
            })
            .collect::<EngineResult<_>>()?;
        let answers = cast(&answers, &kind)?;
        if is_one {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&answers, 0)?));
        }
        Ok(ColumnarValue::Array(answers))
    };
    ScalarUDF::new_from_impl(SimpleScalarUDF::new_with_signature(name, signature, returns, Arc::new(called)))
}

/// `information_schema._pg_expandarray`, of the keys of tables: there are none.
fn expanded_array() -> ScalarUDF {
    let field = |name| Arc::new(Field::new(name, DataType::Int32, true));
    let returns = DataType::Struct(vec![field("x"), field("n")].into());
    let none = ScalarValue::try_from(&returns);
    let called = move |_: &[ColumnarValue]| match &none {
        Ok(none) => Ok(ColumnarValue::Scalar(none.clone())),
        Err(error) => Err(DataFusionError::Execution(error.strip_backtrace())),
    };
    let signature = Signature::variadic_any(Volatility::Stable);
    let name = "_pg_expandarray";
    ScalarUDF::new_from_impl(SimpleScalarUDF::new_with_signature(name, signature, returns, Arc::new(called)))
}

/// One argument, by its place.
fn at(arguments: Arguments<'_>, place: usize) -> Option<&str> {
    arguments.get(place).copied().flatten()
}

fn number(arguments: Arguments, place: usize) -> Option<i32> {
    at(arguments, place)?.parse().ok()
}

/// Gives the name of something its number; a number stays one.
fn number_function(
    name: &str,
    names: &Arc<Names>,
    find: impl Fn(&Names, &str) -> Option<i32> + Send + Sync + 'static,
) -> ScalarUDF {
    let names = Arc::clone(names);
    function(name, DataType::Int32, Volatility::Stable, move |arguments| {
        let Some(written) = at(arguments, 0) else { return Ok(None) };
        let number = written.parse().ok().or_else(|| find(&names, written));
        Ok(number.map(|oid: i32| oid.to_string()))
    })
}

/// The function that gives the name of a function its number.
pub(super) fn function_number(names: &Arc<Names>) -> ScalarUDF {
    number_function("regprocnumber", names, Names::function)
}

/// Registers what is the same for all clients.
pub(super) fn register(context: &SessionContext, names: &Arc<Names>) {
    for name in VISIBLE {
        context.register_udf(function(name, DataType::Boolean, Volatility::Stable, |arguments| {
            Ok(at(arguments, 0).map(|_| "true".to_owned()))
        }));
    }
    for (name, returns) in NOTHING {
        context.register_udf(function(name, returns, Volatility::Stable, |_| Ok(None)));
    }
    context.register_udf(expanded_array());
    for (name, returns, answer) in CONSTANT {
        context.register_udf(function(name, returns, Volatility::Stable, |_| Ok(Some(answer.to_owned()))));
    }
    for what in
        ["table", "schema", "database", "any_column", "column", "function", "sequence", "tablespace", "type"]
    {
        let name = format!("has_{what}_privilege");
        context.register_udf(function(&name, DataType::Boolean, Volatility::Stable, |arguments| {
            let wanted = arguments.last().copied().flatten();
            Ok(wanted.map(|wanted| may(wanted).to_string()))
        }));
    }
    context.register_udf(function("pg_has_role", DataType::Boolean, Volatility::Stable, |arguments| {
        Ok(at(arguments, 0).map(|_| "true".to_owned()))
    }));
    context.register_udf(function("pg_size_pretty", DataType::Utf8, Volatility::Immutable, |arguments| {
        Ok(at(arguments, 0).and_then(|bytes| bytes.parse::<i64>().ok()).map(pretty_size))
    }));
    context.register_udf(function("format", DataType::Utf8, Volatility::Immutable, formatted));
    let started: DateTime<Utc> = Utc::now();
    for name in ["pg_postmaster_start_time", "pg_conf_load_time"] {
        let returns = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        context.register_udf(function(name, returns, Volatility::Stable, move |_| {
            Ok(Some(started.to_rfc3339()))
        }));
    }
    context.register_udf(function_number(names));
    register_names(context, names);
}

/// The name of what has a number.
type NameOf = fn(&Names, i32) -> Option<String>;

/// Registers what turns numbers into names, and what tells of tables and views.
fn register_names(context: &SessionContext, names: &Arc<Names>) {
    let shown: [(&str, NameOf); 4] = [
        ("regclassout", Names::relation_name),
        ("regprocout", Names::function_name),
        ("regtypeout", Names::type_name),
        ("regnamespaceout", Names::namespace_name),
    ];
    for (name, find) in shown {
        let names = Arc::clone(names);
        context.register_udf(function(name, DataType::Utf8, Volatility::Stable, move |arguments| {
            let Some(written) = at(arguments, 0) else { return Ok(None) };
            // A name stays one, and so does a number that nothing has.
            let found = written.parse().ok().and_then(|oid| find(&names, oid));
            Ok(Some(found.unwrap_or_else(|| written.to_owned())))
        }));
    }
    context.register_udf(function("regroleout", DataType::Utf8, Volatility::Stable, |arguments| {
        Ok(at(arguments, 0).map(|_| OWNER.to_owned()))
    }));
    let relation = |names: &Names, name: &str| names.relation_named(name).map(|relation| relation.oid);
    context.register_udf(number_function("to_regclass", names, relation));
    context.register_udf(number_function("regclassnumber", names, relation));
    context.register_udf(number_function("to_regtype", names, Names::type_named));
    context.register_udf(number_function("regtypenumber", names, Names::type_named));
    context.register_udf(number_function("to_regnamespace", names, Names::namespace));
    context.register_udf(number_function("regnamespacenumber", names, Names::namespace));
    context.register_udf(number_function("regrolenumber", names, |_, name| (name == OWNER).then_some(10)));
    let of = Arc::clone(names);
    context.register_udf(function("obj_description", DataType::Utf8, Volatility::Stable, move |arguments| {
        let is_relation = arguments.len() < 2 || at(arguments, 1).is_some_and(|of| of == "pg_class");
        let relation = number(arguments, 0).filter(|_| is_relation).and_then(|oid| of.relation(oid));
        Ok(relation.map(|relation| relation.purpose.clone()).filter(|purpose| !purpose.is_empty()))
    }));
    let of = Arc::clone(names);
    context.register_udf(function("col_description", DataType::Utf8, Volatility::Stable, move |arguments| {
        let relation = number(arguments, 0).and_then(|oid| of.relation(oid));
        let place = number(arguments, 1);
        let column =
            relation.and_then(|relation| relation.columns.iter().find(|(column, _)| Some(*column) == place));
        Ok(column.map(|(_, meaning)| meaning.clone()))
    }));
    let of = Arc::clone(names);
    context.register_udf(function("pg_get_viewdef", DataType::Utf8, Volatility::Stable, move |arguments| {
        let relation = match number(arguments, 0) {
            Some(oid) => of.relation(oid),
            None => at(arguments, 0).and_then(|name| of.relation_named(name)),
        };
        Ok(relation.and_then(|relation| relation.definition.clone()))
    }));
}

/// Registers what depends on the client.
pub(super) fn register_for(context: &SessionContext, state: &Arc<State>) {
    let of = Arc::clone(state);
    context.register_udf(function("session_user", DataType::Utf8, Volatility::Stable, move |_| {
        Ok(Some(held(&of.user).clone()))
    }));
    let of = Arc::clone(state);
    context.register_udf(function("current_setting", DataType::Utf8, Volatility::Stable, move |arguments| {
        let Some(name) = at(arguments, 0) else { return Ok(None) };
        let found = held(&of.settings).shown(name);
        if found.is_none() && at(arguments, 1) != Some("true") {
            let told = format!("unrecognized configuration parameter \"{name}\"");
            return Err(DataFusionError::Execution(told));
        }
        Ok(found)
    }));
    let of = Arc::clone(state);
    context.register_udf(function("set_config", DataType::Utf8, Volatility::Volatile, move |arguments| {
        let (Some(name), value) = (at(arguments, 0), at(arguments, 1).unwrap_or_default()) else {
            return Ok(None);
        };
        let mut settings = held(&of.settings);
        settings.set(name, value).map_err(|error| DataFusionError::Execution(error.to_string()))?;
        Ok(settings.shown(name))
    }));
}

/// Whether a privilege is one that everybody has: to read.
fn may(wanted: &str) -> bool {
    // Any of several is enough.
    wanted.split(',').any(|one| {
        let one = one.trim().to_lowercase();
        let one = one.strip_suffix(" with grant option").unwrap_or(&one);
        !WRITING.contains(&one)
    })
}

fn pretty_size(bytes: i64) -> String {
    let (mut size, mut unit) = (bytes, "bytes");
    for next in ["kB", "MB", "GB", "TB", "PB"] {
        if size.unsigned_abs() < 10 * 1024 {
            break;
        }
        (size, unit) = ((size + 512 * size.signum()) / 1024, next);
    }
    format!("{size} {unit}")
}

/// `format('%I.%s = %L', ...)`.
fn formatted(arguments: Arguments) -> Answer {
    let Some(pattern) = at(arguments, 0) else { return Ok(None) };
    let wrong = |told: &str| DataFusionError::Execution(format!("format: {told}"));
    let mut values = arguments[1..].iter();
    let mut out = String::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let kind = letters.next().ok_or_else(|| wrong("unterminated format() type specifier"))?;
        if kind == '%' {
            out.push('%');
            continue;
        }
        let value = values.next().ok_or_else(|| wrong("too few arguments"))?;
        match (kind, value) {
            ('s', value) => out.push_str(value.unwrap_or_default()),
            ('L', None) => out.push_str("NULL"),
            ('L', Some(value)) => {
                out.push('\'');
                out.push_str(&value.replace('\'', "''"));
                out.push('\'');
            }
            ('I', Some(value)) => out.push_str(&identifier(value)),
            ('I', None) => return Err(wrong("null values cannot be formatted as an SQL identifier")),
            _ => return Err(wrong(&format!("expected %s, %I, %L or %%, found %{kind}"))),
        }
    }
    Ok(Some(out))
}

/// A name as it must be written.
fn identifier(name: &str) -> String {
    let is_plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_may_read_and_nobody_may_write() {
        assert!(may("SELECT") && may("usage") && may("INSERT, SELECT"));
        assert!(!may("INSERT") && !may("update with grant option") && !may("CREATE, TEMP"));
    }

    #[test]
    fn sizes_are_written_as_postgresql_writes_them() {
        for (bytes, written) in [
            (0, "0 bytes"),
            (10_239, "10239 bytes"),
            (10_240, "10 kB"),
            (1 << 30, "1024 MB"),
            (-20_480, "-20 kB"),
        ] {
            assert_eq!(pretty_size(bytes), written);
        }
    }

    #[test]
    fn a_pattern_is_filled_and_quoted() {
        let filled = |values: &[Option<&str>]| formatted(values).map_err(|error| error.strip_backtrace());
        let values = [Some("%I.%s = %L%%"), Some("A b"), Some("c"), Some("it's")];
        assert_eq!(filled(&values), Ok(Some("\"A b\".c = 'it''s'%".to_owned())));
        assert!(filled(&[Some("%s")]).expect_err("refused").contains("too few arguments"));
        assert_eq!(filled(&[None]), Ok(None));
    }
}
