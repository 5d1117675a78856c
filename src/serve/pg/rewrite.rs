//! What clients write as PostgreSQL has it and the engine does not: types of the catalogue, casts of numbers to names,
//! `ARRAY(SELECT ..)`. Runs before and after the rules of `datafusion-pg-catalog`, which do the rest.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::logical_expr::sqlparser::ast::{
    CastKind, DataType, Expr, FunctionArguments, Ident, ObjectName, ObjectNamePart, Query, SelectItem,
    SetExpr, Statement, TableFactor, Visit, VisitMut, Visitor, VisitorMut, visit_expressions_mut,
    visit_relations,
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
    let _ = visit_expressions_mut(statement, |expr| {
        finish_expression(expr);
        ControlFlow::<()>::Continue(())
    });
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
        // As a number, `x::regclass::oid` is `x`.
        if is_number(data_type)
            && let Some(inner) = named_operand(expr)
        {
            *expr = inner;
            return;
        }
    }
    if let Expr::Cast { expr: operand, data_type, .. } = expr
        && let Some(function) = naming_function(data_type)
        && !matches!(operand.as_ref(), Expr::Value(_) | Expr::Subquery(_))
    {
        *expr = parsed(&format!("{function}({operand})")).unwrap_or_else(|| expr.clone());
        return;
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
            ("user" | "current_role", FunctionArguments::None) => {
                function.name = ObjectName::from(Ident::new("session_user"));
            }
            _ => {}
        }
    }
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
