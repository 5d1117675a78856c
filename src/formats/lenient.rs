//! What a rejected record may have been, from its raw bytes: cut in the middle, followed by garbage, of too
//! few or too many cells, in another encoding. A reject keeps its tenant from being cleared unless it is
//! certain that it is no sign-in by a legacy client, so whatever may be parts of two records tells nothing.

use super::classify::{classify, is_known_client, is_modern_client, names_basic_agent, names_password_grant};
use super::document::{Extent, extent};
use super::json::Cursor;
use super::reject::RejectReason;
use super::shapes::look_alike::names_legacy_client;
use super::shapes::{Glimpse, RecordReader, Shape};
use lightsout_model::sign_in::{AuthMethod, Category, RawSignIn};
use lightsout_model::tenant::{is_guid, tenant_id};
use lightsout_model::time::{self, DateOrder};

/// What a rejected record reads as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadsAs {
    /// A sign-in by a browser or a modern client.
    ModernClient,
    /// No sign-in, or none of a user.
    OtherCategory,
    /// It may be usage.
    #[default]
    Unclear,
}

impl ReadsAs {
    /// The word in the `rejects` table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ModernClient => "modern_client",
            Self::OtherCategory => "other_category",
            Self::Unclear => "unclear",
        }
    }
}

/// What can be read of a rejected record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lenient {
    pub tenant_id: Option<String>,
    pub category: Option<Category>,
    pub signed_in_at: Option<i64>,
    pub sign_in_id: Option<String>,
    pub reads_as: ReadsAs,
}

/// What is known of a record that does not say it: by its file's path, or because the file was assigned.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    pub tenant_id: Option<&'a str>,
    pub category: Option<Category>,
}

/// Reads what can be read of a record of which only its bytes are known.
#[must_use]
pub fn read(raw: &[u8], reader: &RecordReader, known: Known<'_>, now: i64) -> Lenient {
    read_as(raw, reader, known, now, true)
}

/// Reads what can be read of a record that was rejected for `reason`.
#[must_use]
pub fn read_reject(
    raw: &[u8],
    reason: &RejectReason,
    reader: &RecordReader,
    known: Known<'_>,
    now: i64,
) -> Lenient {
    let knows_columns = !matches!(reason, RejectReason::OtherHeader);
    read_as(raw, reader, known, now, knows_columns)
}

/// `knows_columns`: the header of the file says which cell of the row is which.
fn read_as(raw: &[u8], reader: &RecordReader, known: Known<'_>, now: i64, knows_columns: bool) -> Lenient {
    let text = String::from_utf8_lossy(raw);
    let mut lenient = match reader.delimiter() {
        Some(_) if reader.shape() != Shape::AuditCsv && !knows_columns => {
            of_row_of_other_columns(&text, reader)
        }
        Some(_) if reader.shape() != Shape::AuditCsv => of_row(&text, reader),
        Some(_) => of_json(&text.replace("\"\"", "\""), reader),
        None => of_json(&text, reader),
    };
    lenient.tenant_id = lenient.tenant_id.or_else(|| known.tenant_id.map(str::to_owned));
    lenient.signed_in_at = lenient.signed_in_at.filter(|at| time::is_possible(*at, now));
    let of_no_user = known.category.is_some_and(Category::is_of_no_user);
    lenient.category = lenient.category.or(known.category.filter(|_| !(of_no_user && names_user(&text))));
    if lenient.category.is_some_and(|category| !category.is_user()) && !raw.is_empty() {
        lenient.reads_as = ReadsAs::OtherCategory;
    }
    lenient
}

/// Whether a record names a user, whatever its file is named for: by an address, or by a member.
fn names_user(text: &str) -> bool {
    let is_address = |(at, _): (usize, &str)| {
        let around = [text[..at].chars().next_back(), text[at + 1..].chars().next()];
        around.into_iter().all(|c| c.is_some_and(|c| c.is_alphanumeric() || "._-".contains(c)))
    };
    text.match_indices('@').any(is_address)
        || Members::of(text).value("userId").is_some_and(|id| !id.is_empty())
}

/// Of a record whose members are all known.
fn of_glimpse(glimpse: Glimpse) -> Lenient {
    let sign_in = glimpse.sign_in;
    let reads_as = if !glimpse.is_sign_in || sign_in.category.is_some_and(|category| !category.is_user()) {
        ReadsAs::OtherCategory
    } else if is_modern(&sign_in) {
        ReadsAs::ModernClient
    } else {
        ReadsAs::Unclear
    };
    Lenient {
        tenant_id: sign_in.tenant_id.as_deref().and_then(tenant_id),
        category: sign_in.category,
        signed_in_at: sign_in.signed_in_at,
        sign_in_id: sign_in.sign_in_id.as_deref().map(as_stored),
        reads_as,
    }
}

/// An id as records have it.
fn as_stored(id: &str) -> String {
    if is_guid(id) { id.to_ascii_lowercase() } else { id.to_owned() }
}

fn is_modern(sign_in: &RawSignIn<'_>) -> bool {
    sign_in.client_app.as_deref().is_some_and(is_modern_client)
        && classify(sign_in).auth_method == AuthMethod::Modern
        && !sign_in.authentication_protocol.as_deref().is_some_and(names_password_grant)
}

/// Of a row whose cells are not those of the file's header: nobody knows which one is the tenant.
fn of_row_of_other_columns(row: &str, reader: &RecordReader) -> Lenient {
    let is_modern = of_row(row, reader).reads_as == ReadsAs::ModernClient;
    let reads_as = if is_modern { ReadsAs::ModernClient } else { ReadsAs::Unclear };
    Lenient { reads_as, ..Lenient::default() }
}

fn of_row(row: &str, reader: &RecordReader) -> Lenient {
    let lower = row.to_ascii_lowercase();
    let cells: Vec<&str> = row
        .split([reader.delimiter().unwrap_or(b',') as char, '\n'])
        .map(|cell| cell.trim().trim_matches('"'))
        .filter(|cell| is_known_client(cell))
        .collect();
    // Of two clients one is another record's, or none of both is what it seems.
    let modern_alone = matches!(cells.as_slice(), [one] if is_modern_client(one));
    let is_basic = names_basic_agent(&lower) || lower.contains("ropc") || lower.contains("rpoc");
    let mut lenient = reader.glimpse(row).map(of_glimpse).unwrap_or_default();
    if lenient.reads_as != ReadsAs::OtherCategory {
        let is_modern = modern_alone && !is_basic;
        lenient.reads_as = if is_modern { ReadsAs::ModernClient } else { ReadsAs::Unclear };
    }
    if cells.len() > 1 {
        return Lenient::default();
    }
    lenient
}

fn of_json(text: &str, reader: &RecordReader) -> Lenient {
    let mut cursor = Cursor::new(text);
    if cursor.skip().and_then(|()| cursor.end()).is_ok() {
        if let Some(glimpse) = reader.glimpse(text) {
            let mut lenient = of_glimpse(glimpse);
            if lenient.reads_as != ReadsAs::OtherCategory && !Members::of(text).are_of_one_record() {
                return Lenient::default();
            }
            if let Some(id) = Members::of(text).value("AADTenantId").and_then(tenant_id) {
                lenient.tenant_id = Some(id);
            }
            if names_basic_agent(&text.to_ascii_lowercase()) && lenient.reads_as == ReadsAs::ModernClient {
                lenient.reads_as = ReadsAs::Unclear;
            }
            return lenient;
        }
        if is_other_object(text) {
            return Lenient { reads_as: ReadsAs::OtherCategory, ..Lenient::default() };
        }
    }
    // Text within text.
    let plain = text.replace("\\\"", "\"");
    let members = Members::of(&plain);
    if members.are_of_one_record() {
        return members.read(reader);
    }
    Lenient { tenant_id: members.tenant_of_cut_record(reader.shape()), ..Lenient::default() }
}

/// A sign-in of any kind is longer.
const OTHER_OBJECT_BYTES_MAX: usize = 256;

/// Whether a whole object has nothing that sign-ins, or what holds or stands for them, have.
fn is_other_object(text: &str) -> bool {
    const MARKS: [&str; 19] = [
        "createddatetime",
        "timegenerated",
        "creationtime",
        "userprincipalname",
        "userid",
        "clientappused",
        "appid",
        "appdisplayname",
        "ipaddress",
        "status",
        "error",
        "errors",
        "records",
        "value",
        "properties",
        "message",
        "event",
        "body",
        "data",
    ];
    let lower = text.trim().replace('\\', "").to_ascii_lowercase();
    // What is longer may hold a record in a form that nobody thought of.
    lower.starts_with('{')
        && lower.contains(':')
        && lower.len() <= OTHER_OBJECT_BYTES_MAX
        && !names_legacy_client(lower.as_bytes())
        && !MARKS.iter().any(|mark| lower.contains(&format!("\"{mark}\"")))
}

/// The member that names the tenant; the `TenantId` of Log Analytics is a workspace.
const fn tenant_member(shape: Shape) -> &'static str {
    match shape {
        Shape::LogAnalytics | Shape::LogAnalyticsCsv => "AADTenantId",
        Shape::Audit | Shape::AuditCsv => "OrganizationId",
        Shape::Diagnostic | Shape::Graph | Shape::PortalCsv | Shape::PowershellCsv => "tenantId",
    }
}

/// The members of JSON that need not be whole.
struct Members<'a> {
    text: &'a str,
    lower: String,
}

impl<'a> Members<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, lower: text.to_ascii_lowercase() }
    }

    /// The values of all members of that name, in any case; `None`: it is not there to its end.
    fn values(&self, name: &str) -> Vec<Option<&'a str>> {
        let key = format!("\"{}\"", name.to_ascii_lowercase());
        let mut values = Vec::new();
        let mut from = 0;
        while let Some(at) = self.lower[from..].find(&key) {
            from += at + key.len();
            let Some(rest) = self.text[from..].trim_start().strip_prefix(':') else { continue };
            let rest = rest.trim_start();
            values.push(match rest.strip_prefix('"') {
                Some(rest) => rest
                    .find(['"', '\\', '\n'])
                    .filter(|end| rest[*end..].starts_with('"'))
                    .map(|end| &rest[..end]),
                None => rest.find([',', '}', ']', ' ', '\n', '\r']).map(|end| &rest[..end]),
            });
        }
        values
    }

    /// What names the tenant. Where Log Analytics' own name is there, the other one is of a workspace.
    fn tenants(&self, shape: Shape) -> Vec<&'a str> {
        let of_log_analytics = self.values("AADTenantId");
        let found =
            if of_log_analytics.is_empty() { self.values(tenant_member(shape)) } else { of_log_analytics };
        found.into_iter().flatten().collect()
    }

    /// The value of the only member of that name.
    fn value(&self, name: &str) -> Option<&'a str> {
        match self.values(name).as_slice() {
            [value] => value.filter(|value| !value.trim().is_empty()),
            _ => None,
        }
    }

    fn first(&self, name: &str) -> Option<&'a str> {
        self.values(name).first().copied().flatten()
    }

    /// Whether nothing shows that the text is made of parts of several records.
    fn are_of_one_record(&self) -> bool {
        let text = self.text.trim().trim_start_matches(['[', ',']).trim_start();
        text.starts_with('{')
            && match extent(text.as_bytes()) {
                Extent::Whole(end) => text[end..].trim().trim_matches([',', ']']).is_empty(),
                // What follows a cut closes more than was opened, or ends as only a record does.
                Extent::Cut => !text.ends_with('}'),
                Extent::Broken => false,
            }
            && self.are_named_once()
    }

    /// Whether no member is there twice that a record has once.
    fn are_named_once(&self) -> bool {
        const ONCE: [&str; 8] = [
            "time",
            "operationName",
            "createdDateTime",
            "userPrincipalName",
            "clientAppUsed",
            "TimeGenerated",
            "CreationTime",
            "correlationId",
        ];
        let allowed = |name: &str| if name == "correlationId" { 2 } else { 1 };
        ONCE.iter().all(|name| self.values(name).len() <= allowed(name))
    }

    /// The only tenant that a record names which breaks off where it might have ended, so that nothing tells it
    /// from the parts of two.
    fn tenant_of_cut_record(&self, shape: Shape) -> Option<String> {
        let text = self.text.trim();
        let is_cut = text.starts_with('{') && matches!(extent(text.as_bytes()), Extent::Cut);
        if !is_cut || !self.are_named_once() {
            return None;
        }
        let named = self.tenants(shape).into_iter().filter_map(tenant_id);
        let mut tenants: Vec<String> = named.chain(self.tenant_in_path()).collect();
        tenants.sort_unstable();
        tenants.dedup();
        <[String; 1]>::try_from(tenants).ok().map(|[tenant]| tenant)
    }

    fn read(&self, reader: &RecordReader) -> Lenient {
        let stated = self.value("category").or_else(|| self.value("Type"));
        let category = stated.and_then(|name| {
            Category::from_diagnostic(name.trim()).or_else(|| Category::from_table(name.trim()))
        });
        let other_category = self.value("category").is_some() && category.is_none();
        let other_operation = self.value("Operation").is_some_and(|operation| {
            !["UserLoggedIn", "UserLoginFailed"]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(operation.trim()))
        });
        let is_basic = names_basic_agent(&self.lower)
            || self
                .values("authenticationProtocol")
                .into_iter()
                .any(|name| name.is_some_and(names_password_grant));
        let is_modern = self.value("clientAppUsed").is_some_and(is_modern_client) && !is_basic;
        let reads_as = if other_category || other_operation || category.is_some_and(|known| !known.is_user())
        {
            ReadsAs::OtherCategory
        } else if is_modern {
            ReadsAs::ModernClient
        } else {
            ReadsAs::Unclear
        };
        let time = ["createdDateTime", "CreationTime", "time", "TimeGenerated"]
            .iter()
            .find_map(|name| self.value(name));
        let dates = if reader.shape() == Shape::Diagnostic { DateOrder::MonthFirst } else { reader.dates };
        let tenant = match self.tenants(reader.shape()).as_slice() {
            [tenant] => Some(*tenant).filter(|tenant| !tenant.trim().is_empty()),
            _ => None,
        };
        let id = match reader.shape() {
            Shape::Audit | Shape::AuditCsv => self.value("IntraSystemId"),
            _ => self.first("id"),
        };
        Lenient {
            tenant_id: tenant.and_then(tenant_id).or_else(|| self.tenant_in_path()),
            category,
            signed_in_at: time.and_then(|text| time::parse(text, dates).ok()),
            sign_in_id: id.map(as_stored),
            reads_as,
        }
    }

    /// The tenant in `/tenants/<id>/providers/Microsoft.aadiam`.
    fn tenant_in_path(&self) -> Option<String> {
        let at = self.lower.find("/tenants/")? + "/tenants/".len();
        self.lower[at..].split('/').next().and_then(tenant_id)
    }
}

#[cfg(test)]
mod tests;
