//! Subqueries: the engine takes those that refer to the outer query if it is plain that they have one row at most. What
//! clients ask of the catalogue mostly is so, and is made plain; what is asked of the lake is left as it is.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::logical_expr::sqlparser::ast::{
    Expr, GroupByExpr, JoinOperator, Query, SelectItem, SetExpr, Statement, TableFactor, Visit, VisitMut,
    Visitor, VisitorMut,
};

use super::rewrite::{last_name, parsed};

/// Tables of the catalogue that are always empty here.
const EMPTY: [&str; 14] = [
    "pg_attrdef",
    "pg_constraint",
    "pg_enum",
    "pg_event_trigger",
    "pg_foreign_table",
    "pg_index",
    "pg_inherits",
    "pg_partitioned_table",
    "pg_policy",
    "pg_publication",
    "pg_seclabel",
    "pg_sequence",
    "pg_statistic_ext",
    "pg_trigger",
];

const AGGREGATES: [&str; 8] =
    ["count(", "max(", "min(", "sum(", "string_agg(", "array_agg(", "bool_and(", "bool_or("];

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

/// Expressions that only make sense where all that is read is the catalogue.
pub(super) fn finish_of_catalogue(expr: &mut Expr) {
    match expr {
        Expr::Subquery(query) if is_correlated(query) => {
            let text = query.to_string().to_lowercase();
            // How an identity or a collation is described, which no column has here.
            if text.contains("json_build_object(") || reads_nothing(query) {
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
        if !AGGREGATES.iter().any(|aggregate| text.contains(aggregate)) {
            *expr = parsed(&format!("first_value({expr})")).unwrap_or_else(|| expr.clone());
            query.order_by = None;
            query.limit_clause = None;
        }
    }
}

/// Whether a subquery has no row, whatever the outer query is, and so is NULL.
fn reads_nothing(query: &Query) -> bool {
    let SetExpr::Select(select) = query.body.as_ref() else { return false };
    let [from] = &select.from[..] else { return false };
    let TableFactor::Table { name, .. } = &from.relation else { return false };
    let is_outer = from.joins.iter().any(|join| {
        matches!(
            join.join_operator,
            JoinOperator::Right(_) | JoinOperator::RightOuter(_) | JoinOperator::FullOuter(_)
        )
    });
    let text = select.projection.iter().map(ToString::to_string).collect::<String>().to_lowercase();
    !is_outer
        && !AGGREGATES.iter().any(|aggregate| text.contains(aggregate))
        && last_name(name).is_some_and(|name| EMPTY.contains(&name.as_str()))
}

/// Whether a query names a table that is not its own.
pub(super) fn is_correlated(query: &Query) -> bool {
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
