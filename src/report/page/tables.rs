//! The tables: tenants by protocol, which is the heat map, users, protocols, and the numbers behind the charts.
//!
//! A table of many rows is written in chunks, each a table with its own header: a browser lays out only those
//! that are seen, and a reader without the script still has every row. End tags that HTML does not need are
//! left out; they would be a third of the page.

use chrono::{DateTime, Utc};

use super::data::{Links, Snapshot, TENANT_ROWS_MAX, in_use, rows_each};
use super::gaps::codes;
use super::markup::Markup;
use super::model::{Model, ProtocolTotal};
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{ProtocolVerdict, TenantAssessment, TenantVerdict};
use lightsout_query::page_usage::BusyUser;

/// Rows of one chunk.
const CHUNK_ROWS: usize = 250;

/// A table, and how many rows had no place in it.
pub(super) struct Listed {
    pub(super) markup: Markup,
    pub(super) left_out: usize,
}

/// The table of users, and what is not in it.
pub(super) struct Users {
    pub(super) markup: Markup,
    pub(super) rows: usize,
    pub(super) tenants: usize,
    pub(super) tenants_left_out: usize,
    pub(super) rows_each: usize,
}

/// A list that the script can sort and filter: one table, or several that follow one another.
pub(super) fn chunks<T>(
    id: &'static str,
    caption: &'static str,
    head: &Markup,
    rows: &[T],
    write: impl Fn(&T, &mut Markup),
) -> Markup {
    let mut html = Markup::default();
    html.raw("<div class=list id=").raw(id).raw("><div class=scroll role=region tabindex=0 aria-label=\"");
    html.raw(caption).raw("\">");
    let chunks = rows.chunks(CHUNK_ROWS);
    let several = chunks.len() > 1;
    for (at, chunk) in chunks.enumerate() {
        html.raw("<div class=chunk><table><caption>").raw(caption);
        if several {
            let first = at * CHUNK_ROWS;
            html.raw("<span class=part>, ").number(first as u64 + 1).raw(" to ");
            html.number((first + chunk.len()) as u64).raw("</span>");
        }
        html.raw("</caption><thead><tr>").add(head).raw("</thead><tbody>\n");
        for row in chunk {
            html.raw("<tr>");
            write(row, &mut html);
            html.raw("\n");
        }
        html.raw("</tbody></table></div>\n");
    }
    html.raw("</div></div>");
    html
}

/// Name and id of a tenant, as the header of its row.
pub(super) fn tenant_cell(tenant: &TenantAssessment, links: &Links<'_>, html: &mut Markup) {
    html.raw("<th scope=row>");
    if let Some(address) = links.tenant {
        html.raw("<a href=\"").attribute(&address(&tenant.tenant_id)).raw("\">");
    }
    if let Some(name) = &tenant.display_name {
        html.text(name).raw(" <small>").text(&tenant.tenant_id).raw("</small>");
    } else {
        html.raw("<small>").text(&tenant.tenant_id).raw("</small>");
    }
    html.raw(if links.tenant.is_some() { "</a>" } else { "" });
}

/// Every tenant with its verdict, and what was found of each protocol: the heat map.
pub(super) fn tenants(model: &Model<'_>, links: &Links<'_>) -> Listed {
    let mut head = Markup::default();
    head.raw("<th scope=col class=t>Tenant<th scope=col class=v>Verdict<th scope=col class=r>Reasons")
        .raw("<th scope=col class=n data-n>Users");
    for total in &model.protocols {
        head.raw(if total.in_scope {
            "<th scope=col class=p data-n><abbr title=\""
        } else {
            "<th scope=col class=\"p out\" data-n><abbr title=\""
        });
        head.attribute(total.protocol.display_name())
            .raw("\">")
            .raw(short_name(total.protocol))
            .raw("</abbr>");
    }
    let tenants: Vec<&TenantAssessment> =
        model.tenants.iter().copied().filter(|tenant| links.shows(tenant)).collect();
    let shown = &tenants[..tenants.len().min(TENANT_ROWS_MAX)];
    let row = |tenant: &&TenantAssessment, html: &mut Markup| {
        tenant_cell(tenant, links, html);
        let (class, words) = in_words(tenant.verdict);
        html.raw("<td class=").raw(class).raw(">").raw(words);
        html.raw("<td>").text(&codes(tenant)).raw("<td class=n>").number(tenant.users);
        let mut found = tenant.protocols.iter().peekable();
        for total in &model.protocols {
            let row = found.next_if(|row| row.protocol == total.protocol);
            match row.map(|row| (row.verdict, row.users)) {
                Some((ProtocolVerdict::InUse, users)) => html.raw(heat(users)).number(users),
                Some((ProtocolVerdict::Unproven, _)) => html.raw("<td class=q>?"),
                Some((ProtocolVerdict::Attempted, _)) => html.raw("<td class=a>×"),
                Some((ProtocolVerdict::AlreadyOff, _)) => html.raw("<td>off"),
                Some((ProtocolVerdict::Unused, _)) | None => html.raw("<td>"),
            };
        }
    };
    let markup = chunks("tenants", "Tenants by protocol: users of each", &head, shown, row);
    Listed { markup, left_out: tenants.len() - shown.len() }
}

/// A verdict as a class of the style sheet, and in two words.
pub(super) const fn in_words(verdict: TenantVerdict) -> (&'static str, &'static str) {
    match verdict {
        TenantVerdict::NoImpact => ("vo", "no impact"),
        TenantVerdict::Warning => ("vw", "warning"),
        TenantVerdict::InsufficientEvidence => ("vi", "cannot tell"),
        TenantVerdict::Excluded => ("vx", "excluded"),
    }
}

/// A cell that is the darker the more users there are.
const fn heat(users: u64) -> &'static str {
    match users {
        0..=1 => "<td class=h1>",
        2..=5 => "<td class=h2>",
        6..=20 => "<td class=h3>",
        21..=100 => "<td class=h4>",
        _ => "<td class=h5>",
    }
}

/// What the heads of the narrow columns stand for.
pub(super) fn abbreviations(model: &Model<'_>) -> Markup {
    let mut html = Markup::default();
    html.raw("<ul class=keys>");
    for total in &model.protocols {
        let (short, name) = (short_name(total.protocol), total.protocol.display_name());
        if short != name {
            html.raw("<li><b>").raw(short).raw("</b> ").text(name);
        }
    }
    html.raw("</ul>");
    html
}

const fn short_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Pop3 => "POP3",
        Protocol::Imap4 => "IMAP4",
        Protocol::SmtpAuth => "SMTP",
        Protocol::ExchangeActivesync => "EAS",
        Protocol::ExchangeWebServices => "EWS",
        Protocol::OfflineAddressBook => "OAB",
        Protocol::MapiOverHttp => "MAPI",
        Protocol::OutlookAnywhereRpc => "RPC",
        Protocol::RemotePowershell => "PS",
        Protocol::Autodiscover => "AutoD",
        Protocol::ReportingWebServices => "RWS",
        Protocol::OutlookService => "OutS",
        Protocol::PasswordGrant => "ROPC",
        Protocol::OtherLegacy => "Other",
        Protocol::NotStated => "N/S",
        Protocol::Unrecognised => "N/R",
    }
}

/// The busiest users of each tenant with usage, as many as fit.
pub(super) fn who(snapshot: &Snapshot<'_>, links: &Links<'_>) -> Users {
    let mut tenants = in_use(snapshot.assessment);
    let rows_each = rows_each(tenants.len());
    tenants.retain(|tenant| links.shows(tenant));
    let listed: Vec<&TenantAssessment> =
        tenants.iter().copied().filter(|tenant| snapshot.usage.who.contains_key(&tenant.tenant_id)).collect();
    let rows: Vec<(&TenantAssessment, &BusyUser)> = listed
        .iter()
        .flat_map(|tenant| snapshot.usage.who[&tenant.tenant_id].iter().map(move |user| (*tenant, user)))
        .collect();
    let mut head = Markup::default();
    head.raw(
        "<th scope=col class=t>Tenant<th scope=col class=n data-n>Users of it<th scope=col class=u>User",
    )
    .raw("<th scope=col class=s>Protocol<th scope=col class=s>App<th scope=col class=n data-n>Sign-ins")
    .raw("<th scope=col class=d>Last seen (UTC)");
    let row = |(tenant, user): &(&TenantAssessment, &BusyUser), html: &mut Markup| {
        tenant_cell(tenant, links, html);
        html.raw("<td class=n>").number(tenant.users).raw("<td>").text(&user.user);
        html.raw("<td>").text(user.protocol.display_name());
        html.raw("<td>").text(user.app.as_deref().unwrap_or("not stated"));
        html.raw("<td class=n>").number(user.sign_ins).raw("<td class=d>");
        moment(user.last_seen, html);
    };
    Users {
        markup: chunks("who", "Who is left, the busiest first", &head, &rows, row),
        rows: rows.len(),
        tenants: listed.len(),
        tenants_left_out: tenants.len() - listed.len(),
        rows_each,
    }
}

pub(super) fn moment(at: Option<DateTime<Utc>>, html: &mut Markup) {
    if let Some(at) = at {
        html.text(&at.format("%Y-%m-%d %H:%M").to_string());
    }
}

/// Every protocol over all tenants.
pub(super) fn protocols(model: &Model<'_>) -> Markup {
    let mut html = Markup::default();
    html.raw(
        "<table><caption>Protocols over all tenants</caption><thead><tr><th scope=col rowspan=2>Protocol",
    )
    .raw("<th scope=colgroup colspan=4>Tenants where it is<th scope=colgroup colspan=2>Usage")
    .raw(
        "<th scope=colgroup colspan=2>Sign-ins that are not usage<th scope=col rowspan=2>Last seen (UTC)<tr>",
    )
    .raw("<th scope=col class=n>in use<th scope=col class=n>unproven<th scope=col class=n>only attempted")
    .raw("<th scope=col class=n>unused<th scope=col class=n>users<th scope=col class=n>sign-ins")
    .raw("<th scope=col class=n>refused<th scope=col class=n>no status</thead><tbody>\n");
    let tenants = model.tenants.len() as u64;
    for total in &model.protocols {
        html.raw("<tr><th scope=row>").text(total.protocol.display_name());
        html.raw(if total.in_scope { "" } else { " <small>not in scope</small>" });
        html.raw(share(total, tenants)).number(total.in_use);
        for count in [
            total.unproven,
            total.attempted,
            total.unused,
            total.users,
            total.sign_ins,
            total.refused,
            total.unknown,
        ] {
            html.raw(if count == 0 { "<td class=\"n zero\">" } else { "<td class=n>" }).number(count);
        }
        html.raw("<td class=d>");
        moment(total.last_seen, &mut html);
        html.raw("\n");
    }
    html.raw("</tbody></table>");
    html
}

/// A cell that is the darker the larger the share of tenants.
fn share(total: &ProtocolTotal, tenants: u64) -> &'static str {
    match (total.in_use * 100).div_ceil(tenants.max(1)) {
        0 => "<td class=\"n zero\">",
        1 => "<td class=\"n h1\">",
        2..=5 => "<td class=\"n h2\">",
        6..=20 => "<td class=\"n h3\">",
        21..=50 => "<td class=\"n h4\">",
        _ => "<td class=\"n h5\">",
    }
}

/// The numbers behind the charts of days.
pub(super) fn days(model: &Model<'_>) -> Markup {
    let mut html = Markup::default();
    html.raw(
        "<table><caption>Users and sign-ins by day (UTC)</caption><thead><tr><th scope=col rowspan=2>Day",
    );
    for trend in &model.trends {
        html.raw("<th scope=colgroup colspan=2>").text(trend.protocol.display_name());
    }
    html.raw("<th scope=col rowspan=2 class=n>Tenants with complete logs<tr>");
    for _ in &model.trends {
        html.raw("<th scope=col class=n>users<th scope=col class=n>sign-ins");
    }
    html.raw("</thead><tbody>\n");
    for (at, day) in model.days.iter().enumerate() {
        html.raw("<tr><th scope=row class=d>").day(*day);
        for count in model.trends.iter().map(|trend| trend.days[at]) {
            for count in [count.users, count.sign_ins] {
                html.raw(if count == 0 { "<td class=\"n zero\">" } else { "<td class=n>" }).number(count);
            }
        }
        html.raw("<td class=n>").number(model.covered[at]).raw("\n");
    }
    html.raw("</tbody></table>");
    html
}
