//! What clients write as PostgreSQL has it and the engine does not: types of the catalogue, casts of numbers to names,
//! `ARRAY(SELECT ..)`. Runs before and after the rules of `datafusion-pg-catalog`, which do the rest.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::logical_expr::sqlparser::ast::{
    CastKind, DataType, Expr, FunctionArguments, GroupByExpr, Ident, ObjectName, ObjectNamePart, Query,
    SelectItem, SetExpr, Statement, TableFactor, Value, ValueWithSpan, Visit, VisitMut, Visitor, VisitorMut,
    visit_expressions_mut, visit_relations,
};
use datafusion::logical_expr::sqlparser::dialect::PostgreSqlDialect;
use datafusion::logical_expr::sqlparser::parser::Parser;

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

fn last_name(name: &ObjectName) -> Option<String> {
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

/// Puts the subqueries among the columns into brackets: the rules that follow would put NULL in the place of those that
/// refer to the outer query, which the engine can run.
pub(super) fn protect_subqueries(statement: &mut Statement) {
    struct Protecting;

    impl VisitorMut for Protecting {
        type Break = ();

        fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
            let SetExpr::Select(select) = query.body.as_mut() else { return ControlFlow::Continue(()) };
            for item in &mut select.projection {
                if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item
                    && matches!(expr, Expr::Subquery(_))
                {
                    *expr = Expr::Nested(Box::new(expr.clone()));
                }
            }
            ControlFlow::Continue(())
        }
    }

    let _ = VisitMut::visit(statement, &mut Protecting);
}

/// What is left to do after the rules of the library.
pub(super) fn finish(statement: &mut Statement) {
    let is_of_catalogue = reads_catalogue(statement);
    let _ = visit_expressions_mut(statement, |expr| {
        if is_of_catalogue {
            finish_of_catalogue(expr);
        }
        finish_expression(expr);
        ControlFlow::<()>::Continue(())
    });
}

/// Expressions that only make sense where all that is read is the catalogue.
fn finish_of_catalogue(expr: &mut Expr) {
    match expr {
        Expr::Subquery(query) if is_correlated(query) => {
            if query.to_string().to_lowercase().contains("json_build_object(") {
                // How an identity or a collation is described, which no column has here.
                *expr = parsed("NULL").unwrap_or_else(|| expr.clone());
            } else {
                one_of(query);
            }
        }
        // The library's stand-in for the schemas of the search path: names are always those of one.
        Expr::InList { expr: of, list, .. } if of.to_string().contains("table_schema") => {
            if let [one] = &mut list[..]
                && one.to_string() == "''"
            {
                *one = parsed("'public'").unwrap_or_else(|| one.clone());
            }
        }
        _ => {}
    }
}

/// The engine takes a subquery that refers to the outer query only if it is plain to have one row at most. Those of the
/// catalogue go by a number that nothing else has.
fn one_of(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(by, _) if by.is_empty());
    if let [SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }] =
        &mut select.projection[..]
        && !is_grouped
    {
        let text = expr.to_string().to_lowercase();
        let aggregates =
            ["count(", "max(", "min(", "sum(", "string_agg(", "array_agg(", "bool_and(", "bool_or("];
        if !aggregates.iter().any(|aggregate| text.contains(aggregate)) {
            *expr = parsed(&format!("first_value({expr})")).unwrap_or_else(|| expr.clone());
            query.order_by = None;
            query.limit_clause = None;
        }
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
                let text = format!("unnest(generate_series(1, coalesce(array_length({of}), 0)))");
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

/// Of `x::regclass::oid`, the number; not of a literal, which the library looks up.
fn number_of_name(cast: &Expr) -> Option<Expr> {
    let Expr::Cast { expr, .. } = cast else { return None };
    let inner = match expr.as_ref() {
        Expr::Nested(inner) => inner.as_ref(),
        inner => inner,
    };
    match inner {
        Expr::Cast { kind: CastKind::DoubleColon | CastKind::Cast, expr, data_type, .. }
            if !matches!(expr.as_ref(), Expr::Value(_) | Expr::Subquery(_)) =>
        {
            let kind = naming_type(data_type)?;
            parsed(&format!("{kind}number({expr})"))
        }
        _ => None,
    }
}

fn parsed(text: &str) -> Option<Expr> {
    Parser::new(&PostgreSqlDialect {}).try_with_sql(text).ok()?.parse_expr().ok()
}

/// Whether a query names a table that is not its own.
fn is_correlated(query: &Query) -> bool {
    struct Names(HashSet<String>);

    impl Visitor for Names {
        type Break = ();

        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
            match factor {
                TableFactor::Table { name, alias, .. } => {
                    self.0.extend(last_name(name));
                    self.0.extend(alias.iter().map(|alias| alias.name.value.to_lowercase()));
                }
                TableFactor::Derived { alias, .. }
                | TableFactor::TableFunction { alias, .. }
                | TableFactor::UNNEST { alias, .. } => {
                    self.0.extend(alias.iter().map(|alias| alias.name.value.to_lowercase()));
                }
                _ => {}
            }
            ControlFlow::Continue(())
        }
    }

    struct Outer(HashSet<String>);

    impl Visitor for Outer {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::CompoundIdentifier(parts)
                    if !parts.is_empty() && !self.0.contains(&parts[0].value.to_lowercase()) =>
                {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }

    let mut names = Names(HashSet::new());
    let _ = Visit::visit(query, &mut names);
    Visit::visit(query, &mut Outer(names.0)).is_break()
        // `unnest(evttags)`: a column of the outer query.
        || query.to_string().to_lowercase().contains("from unnest(")
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
