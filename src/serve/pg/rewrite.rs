//! What clients write as PostgreSQL has it and the engine does not: types of the catalogue, casts of numbers to names,
//! `ARRAY(SELECT ..)`. Runs before and after the rules of `datafusion-pg-catalog`, which do the rest.

use std::ops::ControlFlow;

use datafusion::logical_expr::sqlparser::ast::{
    AccessExpr, DataType, Expr, FunctionArguments, Ident, ObjectName, ObjectNamePart, Statement,
    TableAliasColumnDef, TableFactor, Value, ValueWithSpan, VisitMut, VisitorMut, visit_expressions_mut,
    visit_relations, visit_relations_mut,
};
use datafusion::logical_expr::sqlparser::dialect::PostgreSqlDialect;
use datafusion::logical_expr::sqlparser::parser::Parser;

use super::array_text::elements;
use super::pg_catalog::OWN;
use super::subqueries::{finish_of_catalogue, is_correlated};

/// Types that display a number of the catalogue as a name. `regclassout` is the function that does so, and
/// `regclassnumber` gives the number of either.
const NAMING: [(&str, &str); 6] = [
    ("regclass", "regclass"),
    ("regproc", "regproc"),
    ("regprocedure", "regproc"),
    ("regtype", "regtype"),
    ("regnamespace", "regnamespace"),
    ("regrole", "regrole"),
];

/// Types that are text here.
const TEXTS: [&str; 10] = [
    "name",
    "char",
    "cstring",
    "bpchar",
    "json",
    "jsonb",
    "sql_identifier",
    "character_data",
    "yes_or_no",
    "unknown",
];

/// Types that are numbers here.
const NUMBERS: [&str; 2] = ["xid", "cardinal_number"];

pub(super) fn last_name(name: &ObjectName) -> Option<String> {
    match name.0.last()? {
        ObjectNamePart::Identifier(part) => Some(part.value.to_lowercase()),
        ObjectNamePart::Function(_) => None,
    }
}

/// Whether a statement asks about the catalogue.
pub(super) fn reads_catalogue(statement: &Statement) -> bool {
    let is_found = visit_relations(statement, |relation| {
        let of_catalogue = relation.0.iter().any(|part| match part {
            ObjectNamePart::Identifier(part) => {
                let part = part.value.to_lowercase();
                part.starts_with("pg_") || part == "information_schema"
            }
            ObjectNamePart::Function(_) => false,
        });
        if of_catalogue { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    is_found.is_break()
}

/// Reads the lists of `x = ANY ('{a, b}')`, of which the library's rules take quotes and blanks for parts of the elements.
pub(super) fn read_lists(statement: &mut Statement) -> bool {
    let mut is_changed = false;
    let _ = visit_expressions_mut(statement, |expr| {
        if let Expr::AnyOp { right, .. } | Expr::AllOp { right, .. } = expr
            && let Expr::Value(value) = right.as_ref()
            && let Some(elements) = value.value.clone().into_string().and_then(|text| elements(&text))
        {
            let texts: Vec<String> = elements
                .iter()
                .map(|element| match element {
                    Some(text) => Value::SingleQuotedString(text.clone()).to_string(),
                    None => "NULL".to_owned(),
                })
                .collect();
            let list = if texts.is_empty() {
                "array_remove(make_array(''), '')".to_owned()
            } else {
                format!("ARRAY[{}]", texts.join(", "))
            };
            if let Some(list) = parsed(&list) {
                **right = list;
                is_changed = true;
            }
        }
        ControlFlow::<()>::Continue(())
    });
    is_changed
}

/// What is left to do after the rules of the library.
pub(super) fn finish(statement: &mut Statement) {
    let _ = visit_relations_mut(statement, |relation| {
        // The library knows its own tables alone.
        if let [ObjectNamePart::Identifier(name)] = &relation.0[..]
            && OWN.contains(&name.value.to_lowercase().as_str())
        {
            relation.0.insert(0, ObjectNamePart::Identifier(Ident::new("pg_catalog")));
        }
        ControlFlow::<()>::Continue(())
    });
    let _ = VisitMut::visit(statement, &mut NamedElements);
    let is_of_catalogue = reads_catalogue(statement);
    let _ = visit_expressions_mut(statement, |expr| {
        if is_of_catalogue {
            finish_of_catalogue(expr);
        }
        finish_expression(expr);
        ControlFlow::<()>::Continue(())
    });
}

/// `FROM unnest(list) AS x`: in PostgreSQL the column is called so too.
struct NamedElements;

impl VisitorMut for NamedElements {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::UNNEST { alias: Some(alias), array_exprs, .. } = factor
            && alias.columns.is_empty()
            && array_exprs.len() == 1
        {
            alias.columns.push(TableAliasColumnDef::from_name(alias.name.value.clone()));
        }
        ControlFlow::Continue(())
    }
}

fn finish_expression(expr: &mut Expr) {
    if let Expr::Cast { data_type, .. } = expr {
        if let DataType::Custom(name, modifiers) = data_type
            && modifiers.is_empty()
            && let Some(name) = last_name(name)
        {
            if TEXTS.contains(&name.as_str()) {
                *data_type = DataType::Text;
            } else if NUMBERS.contains(&name.as_str()) {
                *data_type = DataType::Integer(None);
            }
        }
        // `x::regclass::oid`
        if is_number(data_type)
            && let Some(number) = number_of_name(expr)
        {
            *expr = number;
            return;
        }
    }
    if let Expr::Cast { expr: operand, data_type, .. } = expr
        && let Some(kind) = naming_type(data_type)
        && !matches!(operand.as_ref(), Expr::Value(_) | Expr::Subquery(_))
    {
        *expr = parsed(&format!("{kind}out({operand})")).unwrap_or_else(|| expr.clone());
        return;
    }
    if let Expr::CompoundFieldAccess { root, access_chain } = expr
        && let [AccessExpr::Dot(Expr::Identifier(field))] = &access_chain[..]
    {
        // `(x).n`, of what is no name of a table.
        let text = format!("get_field({root}, '{}')", field.value.replace('\'', "''"));
        *expr = parsed(&text).unwrap_or_else(|| expr.clone());
        return;
    }
    if let Some(bytes) = bytes_in_hex(expr) {
        *expr = bytes;
        return;
    }
    if let Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. } = expr {
        unescape(pattern, escape_char);
    }
    if let Expr::Function(function) = expr {
        let name = last_name(&function.name).unwrap_or_default();
        match (&name[..], &function.args) {
            ("array", FunctionArguments::Subquery(query)) => {
                let text = if is_correlated(query) {
                    // Of the catalogue's own lists, which are empty here.
                    "array_remove(make_array(''), '')".to_owned()
                } else {
                    format!("(SELECT array_agg(element) FROM ({query}) AS elements(element))")
                };
                *expr = parsed(&text).unwrap_or_else(|| expr.clone());
            }
            ("generate_subscripts", FunctionArguments::List(list)) if !list.args.is_empty() => {
                let of = &list.args[0];
                let text =
                    format!("unnest(generate_series(1, coalesce(CAST(array_length({of}) AS BIGINT), 0)))");
                *expr = parsed(&text).unwrap_or_else(|| expr.clone());
            }
            ("user" | "current_role", FunctionArguments::None) => {
                function.name = ObjectName::from(Ident::new("session_user"));
            }
            _ => {}
        }
    }
}

/// `'\x00ff'::bytea`, which the engine would take for six letters.
fn bytes_in_hex(expr: &Expr) -> Option<Expr> {
    let Expr::Cast { expr, data_type: DataType::Bytea, .. } = expr else { return None };
    let Expr::Value(value) = expr.as_ref() else { return None };
    let text = value.value.clone().into_string()?;
    let hex = text.strip_prefix("\\x")?;
    hex.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| parsed(&format!("decode('{hex}', 'hex')")))?
}

/// `LIKE 'a/_%' ESCAPE '/'`: the engine knows the backslash alone.
fn unescape(pattern: &mut Box<Expr>, escape: &mut Option<ValueWithSpan>) {
    let Some(by) = escape.as_ref().and_then(|escape| escape.value.clone().into_string()) else { return };
    let mut letters = by.chars();
    let (Some(by), None) = (letters.next(), letters.next()) else { return };
    if by == '\\' {
        return;
    }
    let text = match pattern.as_ref() {
        Expr::Value(value) => value.value.clone().into_string(),
        _ => None,
    };
    let Some(text) = text else {
        let replaced = parsed(&format!("replace({pattern}, '{}', '\\')", by.to_string().replace('\'', "''")));
        if let Some(replaced) = replaced {
            **pattern = replaced;
            *escape = None;
        }
        return;
    };
    let mut out = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            letter if letter == by => {
                if let Some(next) = letters.next() {
                    if ['%', '_', '\\'].contains(&next) {
                        out.push('\\');
                    }
                    out.push(next);
                }
            }
            '\\' => out.push_str("\\\\"),
            letter => out.push(letter),
        }
    }
    **pattern = Expr::Value(Value::SingleQuotedString(out).with_empty_span());
    *escape = None;
}

fn naming_type(data_type: &DataType) -> Option<&'static str> {
    let name = match data_type {
        DataType::Regclass => "regclass".to_owned(),
        DataType::Custom(name, modifiers) if modifiers.is_empty() => last_name(name)?,
        _ => return None,
    };
    NAMING.iter().find(|(named, _)| *named == name).map(|(_, kind)| *kind)
}

fn is_number(data_type: &DataType) -> bool {
    match data_type {
        DataType::Integer(_) | DataType::Int(_) | DataType::BigInt(_) | DataType::Int4(_) => true,
        DataType::Custom(name, _) => last_name(name).is_some_and(|name| name == "oid"),
        _ => false,
    }
}

/// Of `x::regclass::oid`, the number: the cast within has become a function by now.
fn number_of_name(cast: &Expr) -> Option<Expr> {
    let Expr::Cast { expr, .. } = cast else { return None };
    let inner = match expr.as_ref() {
        Expr::Nested(inner) => inner.as_ref(),
        inner => inner,
    };
    let Expr::Function(function) = inner else { return None };
    let name = last_name(&function.name)?;
    let kind = name.strip_suffix("out").filter(|kind| NAMING.iter().any(|(_, known)| known == kind))?;
    let mut number = function.clone();
    number.name = ObjectName::from(Ident::new(format!("{kind}number")));
    Some(Expr::Function(number))
}

pub(super) fn parsed(text: &str) -> Option<Expr> {
    Parser::new(&PostgreSqlDialect {}).try_with_sql(text).ok()?.parse_expr().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(sql: &str) -> String {
        let mut statement = Parser::parse_sql(&PostgreSqlDialect {}, sql).expect(sql).remove(0);
        finish(&mut statement);
        statement.to_string()
    }

    #[test]
    fn a_number_that_is_cast_to_a_name_is_named() {
        assert_eq!(finished("SELECT c.oid::regclass FROM t AS c"), "SELECT regclassout(c.oid) FROM t AS c");
        assert_eq!(
            finished("SELECT c.oid::pg_catalog.regtype::text FROM t AS c"),
            "SELECT regtypeout(c.oid)::TEXT FROM t AS c"
        );
        assert_eq!(finished("SELECT t.x::regclass::oid FROM t"), "SELECT regclassnumber(t.x) FROM t");
    }

    #[test]
    fn types_of_the_catalogue_are_text_or_numbers() {
        assert_eq!(finished("SELECT 'x'::name, a::\"char\""), "SELECT 'x'::TEXT, a::TEXT");
        assert_eq!(finished("SELECT x::information_schema.sql_identifier"), "SELECT x::TEXT");
    }

    #[test]
    fn an_array_of_a_query_is_aggregated() {
        assert_eq!(
            finished("SELECT ARRAY(SELECT x FROM t ORDER BY x)"),
            "SELECT (SELECT array_agg(element) FROM (SELECT x FROM t ORDER BY x) AS elements (element))"
        );
        assert!(finished("SELECT ARRAY(SELECT x FROM t WHERE t.y = o.y) FROM o").contains("array_remove"));
    }

    #[test]
    fn a_pattern_is_escaped_by_a_backslash() {
        assert_eq!(finished("SELECT a LIKE 'pg/_%/%' ESCAPE '/'"), "SELECT a LIKE 'pg\\_%\\%'");
        assert_eq!(finished("SELECT a LIKE b ESCAPE '!'"), "SELECT a LIKE replace(b, '!', '\\')");
    }

    #[test]
    fn a_list_in_a_text_is_a_list() {
        let mut statement = Parser::parse_sql(&PostgreSqlDialect {}, "SELECT a = ANY('{\"r\", v}')")
            .expect("parsed")
            .remove(0);
        assert!(read_lists(&mut statement));
        assert_eq!(statement.to_string(), "SELECT a = ANY(ARRAY['r', 'v'])");
    }

    #[test]
    fn a_subquery_of_an_empty_table_is_null() {
        let sql = "SELECT CASE WHEN a.x THEN (SELECT d.adbin FROM pg_attrdef AS d WHERE d.adrelid = a.attrelid) END \
                   FROM pg_attribute AS a";
        assert_eq!(finished(sql), "SELECT CASE WHEN a.x THEN NULL END FROM pg_attribute AS a");
    }

    #[test]
    fn an_element_is_called_as_its_list() {
        assert_eq!(finished("SELECT x FROM unnest(a) AS x"), "SELECT x FROM UNNEST(a) AS x (x)");
        assert_eq!(finished("SELECT name FROM pg_cursors"), "SELECT name FROM pg_catalog.pg_cursors");
    }

    #[test]
    fn bytes_in_hex_are_bytes() {
        assert_eq!(finished("SELECT '\\x00ff'::bytea"), "SELECT decode('00ff', 'hex')");
    }

    #[test]
    fn a_subquery_of_the_catalogue_has_one_row_and_one_of_the_lake_is_left_alone() {
        let of_catalogue = "SELECT 1 FROM pg_type AS t WHERE (SELECT c.relkind = 'c' FROM pg_class AS c WHERE c.oid = t.typrelid)";
        assert!(finished(of_catalogue).contains("(SELECT first_value(c.relkind = 'c') FROM"));
        let of_lake = "SELECT 1 FROM t WHERE (SELECT u.a FROM u WHERE u.b = t.b)";
        assert_eq!(finished(of_lake), of_lake);
    }

    #[test]
    fn only_the_catalogue_is_the_catalogue() {
        let reads =
            |sql: &str| reads_catalogue(&Parser::parse_sql(&PostgreSqlDialect {}, sql).expect(sql)[0]);
        assert!(
            reads("SELECT 1 FROM pg_class")
                && reads("SELECT 1 FROM a JOIN information_schema.tables ON true")
        );
        assert!(!reads("SELECT 'pg_class' FROM sign_ins"));
    }
}
