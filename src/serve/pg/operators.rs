//! Comparing a column of the catalogue that holds a function's name with a number: `typreceive <> 0`, or with the number
//! of `'array_in'::regproc`. In PostgreSQL such a column is a number that is shown as a name; here it is the name.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::sqlparser::ast::BinaryOperator;
use datafusion::logical_expr::{Expr, ExprSchemable as _, ScalarUDF};
use datafusion_postgres::arrow_pg::datatypes::PG_OID_ALIAS_KEY;

/// See the file's first lines. Has the function that gives a name its number.
#[derive(Debug)]
pub(super) struct NamesAsNumbers(pub(super) Arc<ScalarUDF>);

impl NamesAsNumbers {
    /// The number of a name, if an expression is the name of a function.
    fn number(&self, expr: &Expr, schema: &DFSchema) -> Option<Expr> {
        let (_, field) = expr.to_field(schema).ok()?;
        let is_name = field.metadata().get(PG_OID_ALIAS_KEY).is_some_and(|kind| kind == "regproc");
        (is_name && field.data_type() == &DataType::Utf8).then(|| self.0.call(vec![expr.clone()]))
    }
}

fn is_number(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|kind| kind.is_integer())
}

impl ExprPlanner for NamesAsNumbers {
    fn plan_binary_op(
        &self,
        mut expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> EngineResult<PlannerResult<RawBinaryExpr>> {
        if matches!(expr.op, BinaryOperator::Eq | BinaryOperator::NotEq) {
            if is_number(&expr.right, schema) {
                expr.left = self.number(&expr.left, schema).unwrap_or(expr.left);
            } else if is_number(&expr.left, schema) {
                expr.right = self.number(&expr.right, schema).unwrap_or(expr.right);
            }
        }
        Ok(PlannerResult::Original(expr))
    }
}
