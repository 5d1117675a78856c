//! Limits functions whose output is far larger than their arguments: the list of `range(0, 100000000000)` takes more
//! memory than any machine has, and no memory limit of the engine sees it. Such a call is refused.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Int64Type, IntervalMonthDayNanoType, TimeUnit};
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature,
};

/// Elements of lists, or bytes of text, that one call may make for a batch of rows.
const OUTPUT_MAX: i128 = 64 << 20;

const DAY_NANOSECONDS: i128 = 86_400_000_000_000;

/// What a function makes more of than it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum OutputSize {
    /// From a first value to a last one.
    Series,
    /// As many as the second argument says.
    Counted,
    /// The first argument as often as the second says.
    Repeated,
}

const FUNCTIONS: [(&str, OutputSize); 7] = [
    ("range", OutputSize::Series),
    ("generate_series", OutputSize::Series),
    ("array_repeat", OutputSize::Counted),
    ("array_resize", OutputSize::Counted),
    ("lpad", OutputSize::Counted),
    ("rpad", OutputSize::Counted),
    ("repeat", OutputSize::Repeated),
];

/// Puts them in the place of the engine's own.
pub(super) fn register(context: &SessionContext) {
    let state = context.state();
    for (name, made) in FUNCTIONS {
        if let Some(inner) = state.scalar_functions().get(name) {
            let limited = LimitedFunction { inner: Arc::clone(inner), made };
            context.register_udf(ScalarUDF::new_from_impl(limited));
        }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct LimitedFunction {
    inner: Arc<ScalarUDF>,
    made: OutputSize,
}

impl ScalarUDFImpl for LimitedFunction {
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

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.return_field_from_args(arguments)
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(arguments)
    }

    fn simplify(&self, arguments: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        self.inner.simplify(arguments, info)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let values = ColumnarValue::values_to_arrays(&arguments.args)?;
        let made = match self.made {
            OutputSize::Series => series(&values)?,
            OutputSize::Counted => counted(&values)?,
            OutputSize::Repeated => repeated(&values)?,
        };
        if made > OUTPUT_MAX {
            return exec_err!(
                "{} would make {made} elements or characters at once, and at most {OUTPUT_MAX} are made",
                self.inner.name()
            );
        }
        self.inner.invoke_with_args(arguments)
    }
}

fn numbers(values: &ArrayRef) -> Result<Vec<i128>> {
    let values = cast(values, &DataType::Int64)?;
    Ok(values.as_primitive::<Int64Type>().iter().map(|value| i128::from(value.unwrap_or(0))).collect())
}

fn counted(values: &[ArrayRef]) -> Result<i128> {
    let Some(counts) = values.get(1) else { return Ok(0) };
    Ok(numbers(counts)?.into_iter().map(|count| count.max(0)).sum())
}

fn repeated(values: &[ArrayRef]) -> Result<i128> {
    let (Some(texts), Some(counts)) = (values.first(), values.get(1)) else { return Ok(0) };
    let texts = cast(texts, &DataType::Utf8)?;
    let lengths = texts.as_string::<i32>().iter().map(|text| text.map_or(0, str::len) as i128);
    Ok(lengths.zip(numbers(counts)?).map(|(length, count)| length * count.max(0)).sum())
}

/// In numbers, or in nanoseconds.
fn ends(values: &ArrayRef) -> Result<Vec<i128>> {
    match values.data_type() {
        DataType::Date32 | DataType::Date64 => {
            let days =
                numbers(&cast(values, &DataType::Date32).and_then(|days| cast(&days, &DataType::Int32))?)?;
            Ok(days.into_iter().map(|day| day * DAY_NANOSECONDS).collect())
        }
        DataType::Timestamp(unit, _) => {
            let factor = match unit {
                TimeUnit::Second => 1_000_000_000,
                TimeUnit::Millisecond => 1_000_000,
                TimeUnit::Microsecond => 1_000,
                TimeUnit::Nanosecond => 1,
            };
            Ok(numbers(values)?.into_iter().map(|time| time * factor).collect())
        }
        _ => numbers(values),
    }
}

fn series(values: &[ArrayRef]) -> Result<i128> {
    let (starts, stops) = match values {
        [stops] => (vec![0; stops.len()], ends(stops)?),
        [starts, stops, ..] => (ends(starts)?, ends(stops)?),
        [] => return Ok(0),
    };
    let widths: Vec<i128> = match values.get(2) {
        Some(values) => match values.as_primitive_opt::<IntervalMonthDayNanoType>() {
            Some(intervals) => intervals
                .iter()
                .map(|step| {
                    step.map_or(1, |step| {
                        let days = i128::from(step.months) * 28 + i128::from(step.days);
                        days * DAY_NANOSECONDS + i128::from(step.nanoseconds)
                    })
                })
                .collect(),
            None => numbers(values)?,
        },
        None => vec![1; starts.len()],
    };
    let rows = starts.into_iter().zip(stops).zip(widths);
    // A step of nothing is refused by the function itself.
    Ok(rows.map(|((start, stop), step)| (stop - start).abs() / step.abs().max(1)).sum())
}

#[cfg(test)]
mod tests {
    use crate::Queries;

    #[tokio::test]
    async fn only_outputs_beyond_the_limit_are_refused() {
        let queries = Queries::over_rows(Vec::new(), 64 << 20).await.expect("an empty lake");
        for sql in [
            "SELECT range(0, 100000000000)",
            "SELECT range(100000000000)",
            "SELECT generate_series(0, 100000000000, 3)",
            "SELECT range(100000000000, 0, -1)",
            "SELECT generate_series(TIMESTAMP '2000-01-01', TIMESTAMP '2026-01-01', INTERVAL '1 millisecond')",
            "SELECT array_repeat(1, 100000000000)",
            "SELECT list_repeat('x', 100000000)",
            "SELECT array_resize([1], 1000000000, 0)",
            "SELECT length(repeat('xxxxxxxxxx', 100000000))",
            "SELECT length(lpad('x', 1000000000, 'y'))",
            "SELECT sum(length(rpad('x', 100000 + n, 'y'))) FROM generate_series(1, 8000) AS t(n)",
        ] {
            let error = queries.run("sql", sql, &[]).await.expect_err(sql).to_string();
            assert!(error.contains("are made"), "{sql}: {error}");
        }
        for sql in [
            "SELECT range(5), range(1, 5), generate_series(5, 1, -2), array_repeat('a', 3)",
            "SELECT range(DATE '2026-10-01', DATE '2026-11-01', INTERVAL '1 day')",
            "SELECT generate_series(DATE '1950-01-01', DATE '2050-01-01', INTERVAL '1 month')",
            "SELECT lpad('x', 3), rpad('x', 3, '-'), repeat('-', 40), array_resize([1], 3, 0)",
            "SELECT unnest(range(0, 1000000)) AS n",
        ] {
            assert!(queries.run("sql", sql, &[]).await.is_ok(), "{sql}");
        }
    }
}
