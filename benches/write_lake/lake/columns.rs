//! Drafts as the columns of `sign_in_records`.

use std::io::Write as _;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Int64Array, RecordBatch, StringBuilder, TimestampMicrosecondArray,
};
use lightsout_lake::schema::Table;
use lightsout_model::sign_in::Category;

use super::DAY_MICROS;
use super::draw::{AGENTS, CLIENT_APPS, CODES, COUNTRIES, Draft, Named, RESOURCES, World};
use super::text::{guid, mix, wide};

const USERS: u64 = 1;
const IDS: u64 = 2;
const CORRELATIONS: u64 = 3;
const APP_IDS: u64 = 4;
const ELSEWHERE: u64 = 5;

/// Writes the text of one row, or says that there is none.
type Text<'a> = dyn Fn(&Draft, &mut Vec<u8>) -> bool + 'a;

fn texts(rows: &[Draft], write: &Text<'_>) -> ArrayRef {
    let mut column = StringBuilder::with_capacity(rows.len(), rows.len() * 36);
    let mut text = Vec::with_capacity(64);
    for row in rows {
        text.clear();
        if write(row, &mut text) {
            column.append_value(std::str::from_utf8(&text).expect("text"));
        } else {
            column.append_null();
        }
    }
    Arc::new(column.finish())
}

fn words<'a>(rows: &[Draft], word: impl Fn(&Draft) -> Option<&'a str>) -> ArrayRef {
    let mut column = StringBuilder::with_capacity(rows.len(), rows.len() * 16);
    for row in rows {
        column.append_option(word(row));
    }
    Arc::new(column.finish())
}

fn put_guid(number: u128, out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(guid(number, &mut [0; 36]).as_bytes());
    true
}

fn times(rows: &[Draft], time: impl Fn(&Draft) -> i64) -> ArrayRef {
    let times: TimestampMicrosecondArray = rows.iter().map(|row| Some(time(row))).collect();
    Arc::new(times.with_timezone("UTC"))
}

/// The rows in their order.
pub(super) fn batch(world: &World, rows: &[Draft], source_id: &dyn Fn(u32) -> String) -> RecordBatch {
    let tenant = |row: &Draft| Some(world.tenant_ids[row.tenant as usize].as_str());
    let user = |row: &Draft| u64::from(row.tenant) << 32 | u64::from(row.user);
    let classified: Vec<_> = rows.iter().map(Draft::classified).collect();
    let of_class = |word: &dyn Fn(usize) -> Option<&'static str>| -> ArrayRef {
        let mut column = StringBuilder::with_capacity(rows.len(), rows.len() * 8);
        for at in 0..rows.len() {
            column.append_option(word(at));
        }
        Arc::new(column.finish())
    };
    let mut sources: std::collections::HashMap<u32, String> = std::collections::HashMap::new();
    for row in rows {
        sources.entry(row.source).or_insert_with(|| source_id(row.source));
    }
    let schema = Table::SignInRecords.file_schema();
    let column = |name: &str| -> ArrayRef {
        match name {
            "tenant_id" | "home_tenant_id" => words(rows, tenant),
            "sign_in_id" => texts(rows, &|row, out| put_guid(wide(row.id, IDS), out)),
            "category" => words(rows, |row| Some(row.category.as_str())),
            "signed_in_at" => times(rows, |row| row.signed_in_at),
            "emitted_at" => times(rows, |row| row.emitted_at),
            "event_date" => {
                let day = |row: &Draft| i32::try_from(row.signed_in_at.div_euclid(DAY_MICROS)).ok();
                Arc::new(rows.iter().map(day).collect::<Date32Array>())
            }
            "user_id" => {
                texts(rows, &|row, out| row.named == Named::ById && put_guid(wide(user(row), USERS), out))
            }
            "user_principal_name" => texts(rows, &|row, out| {
                row.named != Named::NotAtAll
                    && write!(out, "user{}@t{}.example.com", row.user, row.tenant).is_ok()
            }),
            "user_type" => words(rows, |row| row.category.is_user().then_some("Member")),
            "app_id" => texts(rows, &|row, out| put_guid(wide(row.app.into(), APP_IDS), out)),
            "app_name" => texts(rows, &|row, out| write!(out, "Example App {}", row.app).is_ok()),
            "resource_id" => words(rows, |row| RESOURCES[usize::from(row.resource)].0),
            "resource_name" => words(rows, |row| RESOURCES[usize::from(row.resource)].1),
            "client_app" => words(rows, |row| CLIENT_APPS[usize::from(row.client_app)].0),
            "protocol" => {
                of_class(&|at| classified[at].protocol.map(lightsout_model::protocol::Protocol::as_str))
            }
            "auth_method" => of_class(&|at| Some(classified[at].auth_method.as_str())),
            "auth_evidence" => of_class(&|at| classified[at].auth_evidence),
            "outcome" => of_class(&|at| Some(classified[at].outcome.as_str())),
            "error_code" => {
                Arc::new(rows.iter().map(|row| CODES[usize::from(row.code)].0).collect::<Int64Array>())
            }
            "failure_reason" => words(rows, |row| CODES[usize::from(row.code)].1),
            "conditional_access" => words(rows, |row| {
                Some(match row.code {
                    6 => "failure",
                    _ if row.agent.is_multiple_of(2) => "success",
                    _ => "notApplied",
                })
            }),
            "user_agent" => words(rows, |row| AGENTS[usize::from(row.agent)]),
            "ip_address" => texts(rows, &|row, out| {
                let [a, b, c, ..] = mix(row.address ^ u64::from(row.user & 63)).to_le_bytes();
                match a & 3 {
                    0 => write!(out, "192.0.2.{b}"),
                    1 => write!(out, "198.51.100.{b}"),
                    _ => write!(out, "2001:db8:{a:x}{b:02x}:{c:x}::{:x}", row.user & 0xff),
                }
                .is_ok()
            }),
            "country" => words(rows, |row| Some(COUNTRIES[usize::from(row.country)])),
            "is_interactive" => {
                let interactive = |row: &Draft| match row.category {
                    Category::Interactive => Some(true),
                    Category::NonInteractive => Some(false),
                    _ => None,
                };
                Arc::new(rows.iter().map(interactive).collect::<BooleanArray>())
            }
            "resource_tenant_id" => texts(rows, &|row, out| {
                if row.abroad {
                    return put_guid(wide(row.country.into(), ELSEWHERE), out);
                }
                out.extend_from_slice(world.tenant_ids[row.tenant as usize].as_bytes());
                true
            }),
            "correlation_id" => texts(rows, &|row, out| put_guid(wide(row.id, CORRELATIONS), out)),
            "source_id" => words(rows, |row| Some(sources[&row.source].as_str())),
            "source_offset" => {
                Arc::new(rows.iter().map(|row| Some(row.source_offset)).collect::<Int64Array>())
            }
            "record_hash" => Arc::new(rows.iter().map(|row| Some(row.record_hash())).collect::<Int64Array>()),
            other => panic!("the table has a column that is not drawn: {other}"),
        }
    };
    let columns = schema.fields().iter().map(|field| column(field.name())).collect();
    RecordBatch::try_new(Arc::clone(&schema), columns).expect("the table's columns")
}
