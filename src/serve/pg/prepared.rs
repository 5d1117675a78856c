//! A prepared statement: what its parameters and columns are, before it is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::common::{DFSchema, ParamValues, ScalarValue};
use datafusion::logical_expr::{Expr, ExprSchemable as _, LogicalPlan};
use datafusion_postgres::arrow_pg::datatypes::df::deserialize_parameters_with_server_types;
use datafusion_postgres::arrow_pg::datatypes::{PG_OID_ALIAS_KEY, into_pg_type, pg_type_for_alias_kind};
use datafusion_postgres::pgwire::api::Type;
use datafusion_postgres::pgwire::api::portal::Portal;
use datafusion_postgres::pgwire::api::results::FieldFormat;
use datafusion_postgres::pgwire::error::PgWireResult;

use super::array_text::elements;
use super::failure::failure;
use super::text::Request;
use lightsout_query::Parameter;

/// See the file's first lines.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    pub(super) request: Request,
    parameters: Vec<Place>,
    /// `None`: it has no rows to describe.
    pub(super) columns: Option<SchemaRef>,
}

/// One of `$1`, `$2` and so on.
#[derive(Debug, Clone, Default)]
struct Place {
    /// As the engine infers it.
    kind: Option<DataType>,
    /// As the client is to send it, where the engine's type does not say it.
    wire: Option<Type>,
}

impl Prepared {
    pub(super) const fn of_session(request: Request) -> Self {
        Self { request, parameters: Vec::new(), columns: None }
    }

    /// A `FETCH`: its columns are those of the cursor.
    pub(super) const fn of_cursor(request: Request, columns: SchemaRef) -> Self {
        Self { request, parameters: Vec::new(), columns: Some(columns) }
    }

    /// `is_answered`: with rows, and not as a copy or by a cursor.
    pub(super) fn of_query(request: Request, plan: &LogicalPlan, is_answered: bool) -> PgWireResult<Self> {
        let mut places: BTreeMap<usize, Place> = BTreeMap::new();
        let inferred =
            plan.get_parameter_types().map_err(|error| failure("42P18", error.strip_backtrace()))?;
        for (id, kind) in inferred {
            places.entry(number(&id)?).or_default().kind = kind;
        }
        let mut others = Vec::new();
        // Nothing fails here: it only looks.
        let _ = plan.apply_with_subqueries(|node| {
            let schemas: Vec<&DFSchema> = node.inputs().iter().map(|input| input.schema().as_ref()).collect();
            for expression in node.expressions() {
                let _ = expression.apply(|expression| {
                    others.extend(told_otherwise(expression, &schemas));
                    Ok(TreeNodeRecursion::Continue)
                });
            }
            Ok(TreeNodeRecursion::Continue)
        });
        for (id, kind, wire) in others {
            let place = places.entry(number(&id)?).or_default();
            place.kind = place.kind.take().or(kind);
            place.wire = place.wire.take().or(wire);
        }
        // A list of the catalogue's numbers is that to the client.
        if let Request::Query(sql) = &request
            && sql.contains("::oid[]")
        {
            for place in places.values_mut() {
                let is_numbers =
                    matches!(&place.kind, Some(DataType::List(item)) if item.data_type() == &DataType::Int32);
                if is_numbers {
                    place.wire = Some(Type::OID_ARRAY);
                }
            }
        }
        let last = places.keys().next_back().copied().unwrap_or(0);
        let parameters = (1..=last).map(|number| places.remove(&number).unwrap_or_default()).collect();
        let columns = is_answered.then(|| plan.schema().inner().clone());
        Ok(Self { request, parameters, columns })
    }

    /// What the client is to send.
    pub(super) fn types(&self) -> PgWireResult<Vec<Type>> {
        let of = |place: &Place| match (&place.wire, &place.kind) {
            (Some(wire), _) => Ok(wire.clone()),
            (None, Some(kind)) => into_pg_type(kind),
            (None, None) => Ok(Type::UNKNOWN),
        };
        self.parameters.iter().map(of).collect()
    }

    /// What it has sent, by the names that the engine looks for.
    pub(super) fn values(&self, portal: &Portal<Self>) -> PgWireResult<Vec<Parameter>> {
        let (sent, wanted) = (portal.parameter_len(), self.parameters.len());
        if sent < wanted {
            return Err(failure("08P01", format!("expected {wanted} parameters, found {sent}")));
        }
        let mut types = self.types()?;
        // Sent alike, and known to who reads it.
        types.iter_mut().filter(|kind| **kind == Type::OID_ARRAY).for_each(|kind| *kind = Type::INT4_ARRAY);
        let types: Vec<Option<&Type>> = types.iter().map(Some).collect();
        let kinds: Vec<Option<&DataType>> = self.parameters.iter().map(|place| place.kind.as_ref()).collect();
        let mut values: Vec<ScalarValue> =
            match deserialize_parameters_with_server_types(portal, &kinds, &types)? {
                ParamValues::List(values) => values.into_iter().map(|value| value.value).collect(),
                ParamValues::Map(values) => values.into_values().map(|value| value.value).collect(),
            };
        for (at, (value, kind)) in values.iter_mut().zip(&kinds).enumerate() {
            let is_text = matches!(portal.parameter_format.format_for(at), FieldFormat::Text);
            if let (Some(kind @ DataType::List(_)), true) = (kind, is_text) {
                *value = list(portal, at, kind)?;
            }
        }
        Ok(values.into_iter().enumerate().map(|(at, value)| ((at + 1).to_string(), value)).collect())
    }
}

/// A list that was sent as text.
fn list(portal: &Portal<Prepared>, at: usize, kind: &DataType) -> PgWireResult<ScalarValue> {
    let sent = portal.parameters.get(at).and_then(Option::as_deref);
    let wrong = |told: &str| failure("22P02", format!("parameter ${}: {told}", at + 1));
    let Some(sent) = sent else { return ScalarValue::try_from(kind).map_err(|_| wrong("expected a list")) };
    let text = std::str::from_utf8(sent).map_err(|_| wrong("expected UTF-8"))?;
    let found = elements(text).ok_or_else(|| wrong(&format!("malformed array literal: \"{text}\"")))?;
    let found: Vec<ScalarValue> = found.into_iter().map(ScalarValue::Utf8).collect();
    let texts = ScalarValue::List(ScalarValue::new_list(&found, &DataType::Utf8, true));
    texts.cast_to(kind).map_err(|error| wrong(&error.strip_backtrace()))
}

/// Of `$3` the 3.
fn number(id: &str) -> PgWireResult<usize> {
    match id.trim_start_matches('$').parse() {
        Ok(number @ 1..=65_535) => Ok(number),
        _ => Err(failure("42P02", format!("expected parameters $1, $2 and so on, found {id}"))),
    }
}

/// What a cast says of a placeholder, a column of the catalogue, and the value that is looked for in a list.
fn told_otherwise(
    expression: &Expr,
    schemas: &[&DFSchema],
) -> Option<(String, Option<DataType>, Option<Type>)> {
    let (placeholder, cast) = match expression {
        Expr::ScalarFunction(function) if function.func.name() == "array_has" => match &function.args[..] {
            [Expr::Placeholder(placeholder), value] => {
                let kind = schemas.iter().find_map(|schema| value.get_type(*schema).ok())?;
                (placeholder, Some(DataType::List(Arc::new(Field::new_list_field(kind, true)))))
            }
            _ => return None,
        },
        Expr::Placeholder(placeholder) => (placeholder, None),
        Expr::Cast(cast) => match cast.expr.as_ref() {
            Expr::Placeholder(placeholder) => (placeholder, Some(cast.field.data_type().clone())),
            _ => return None,
        },
        _ => return None,
    };
    let alias = placeholder.field.as_ref().and_then(|field| {
        let kind = field.metadata().get(PG_OID_ALIAS_KEY)?;
        if field.data_type() == &DataType::Int32 { pg_type_for_alias_kind(kind) } else { None }
    });
    Some((placeholder.id.clone(), cast, alias))
}
