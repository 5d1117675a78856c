//! The tables of a tenant's page.

use chrono::{DateTime, Utc};

use super::Address;
use crate::explain::{Attempts, Explanation};
use crate::page::markup::Markup;
use crate::page::tables::{Listed, chunks, moment};
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{ProtocolVerdict, TenantAssessment};

/// Rows of a list: the downloads have all.
const ROWS_MAX: usize = 2_000;

/// Every protocol in scope and every other seen.
pub(super) fn protocols(tenant: &TenantAssessment) -> Markup {
    let mut html = Markup::default();
    html.raw("<table><caption>Protocols in scope, and every other seen</caption><thead><tr>")
        .raw("<th scope=col>Protocol<th scope=col>Verdict")
        .raw("<th scope=col class=n>Users<th scope=col class=n>Sign-ins<th scope=col class=n>Interrupted")
        .raw("<th scope=col class=n>Blocked<th scope=col class=n>Failed<th scope=col class=n>No status")
        .raw("<th scope=col>Last seen (UTC)</thead><tbody>\n");
    for row in &tenant.protocols {
        html.raw("<tr><th scope=row>").text(row.protocol.display_name());
        html.raw(if row.in_scope { "" } else { " <small>not in scope</small>" }).raw("<td>");
        html.raw(match row.verdict {
            ProtocolVerdict::InUse => "in use",
            ProtocolVerdict::AlreadyOff => "already off",
            ProtocolVerdict::Unproven => "unproven",
            ProtocolVerdict::Attempted => "only attempted",
            ProtocolVerdict::Unused => "unused",
        });
        for count in [row.users, row.sign_ins, row.interrupted, row.blocked, row.failures, row.unknown] {
            html.raw(if count == 0 { "<td class=\"n zero\">" } else { "<td class=n>" }).number(count);
        }
        html.raw("<td class=d>");
        moment(row.last_seen, &mut html);
        html.raw("\n");
    }
    html.raw("</tbody></table>");
    html
}

/// Who uses what, with which app and program, the busiest of a protocol first.
pub(super) fn who(explanation: &Explanation) -> Listed {
    let mut head = Markup::default();
    head.raw("<th scope=col class=t>User<th scope=col class=m>Protocol<th scope=col class=m>App")
        .raw("<th scope=col class=m>Client app<th scope=col class=m>User agent")
        .raw("<th scope=col class=n data-n>IPs<th scope=col class=n data-n>Sign-ins")
        .raw("<th scope=col class=\"d b\">First seen (UTC)<th scope=col class=\"d b\">Last seen (UTC)");
    let rows = &explanation.who[..explanation.who.len().min(ROWS_MAX)];
    let markup = chunks("who", "Who uses it, and with what", &head, rows, |shown, html| {
        let row = &shown.row;
        html.raw("<th scope=row>").text(&row.user).raw("<td>").text(row.protocol.display_name());
        for text in [&row.app, &row.client_app, &row.user_agent] {
            html.raw("<td>").text(text.as_deref().unwrap_or("not stated"));
        }
        html.raw("<td class=n>").number(row.ip_addresses).raw("<td class=n>").number(row.sign_ins);
        seen(row.first_seen, row.last_seen, html);
    });
    Listed { markup, left_out: explanation.who.len() - rows.len() }
}

/// Where it comes from.
pub(super) fn addresses(addresses: &[Address]) -> Markup {
    let mut head = Markup::default();
    head.raw("<th scope=col class=t>Address<th scope=col class=s>Country<th scope=col class=u>Protocols")
        .raw("<th scope=col class=n data-n>Users<th scope=col class=n data-n>Sign-ins")
        .raw("<th scope=col class=d>First seen (UTC)<th scope=col class=d>Last seen (UTC)");
    chunks("addresses", "Source addresses, the busiest first", &head, addresses, |row, html| {
        html.raw("<th scope=row>").text(row.ip_address.as_deref().unwrap_or("not stated"));
        html.raw("<td>").text(&row.countries.as_ref().map_or_else(String::new, |of| of.join(", ")));
        html.raw("<td>").text(&row.protocols.iter().map(|name| named(name)).collect::<Vec<_>>().join(", "));
        html.raw("<td class=n>").number(row.users).raw("<td class=n>").number(row.sign_ins);
        seen(row.first_seen, row.last_seen, html);
    })
}

/// What was refused or broken off, by result code.
pub(super) fn codes(attempts: &Attempts) -> Markup {
    let mut head = Markup::default();
    head.raw("<th scope=col class=t>Protocol<th scope=col class=v>Outcome<th scope=col class=v data-n>Code")
        .raw("<th scope=col class=g>Reason<th scope=col class=n data-n>Sign-ins<th scope=col class=n data-n>Users")
        .raw("<th scope=col class=n data-n>IPs<th scope=col class=d>Last seen (UTC)");
    let rows = &attempts.codes[..attempts.codes.len().min(ROWS_MAX)];
    chunks("codes", "Only attempted, by result code", &head, rows, |row, html| {
        html.raw("<th scope=row>").text(named(&row.protocol)).raw("<td>").text(&row.outcome).raw("<td>");
        html.text(&row.error_code.map_or_else(String::new, |code| code.to_string()));
        html.raw("<td>").text(row.failure_reason.as_deref().unwrap_or_default());
        for count in [row.sign_ins, row.users, row.ip_addresses] {
            html.raw("<td class=n>").number(count);
        }
        html.raw("<td class=d>");
        moment(Some(row.last_seen), html);
    })
}

/// Where that came from.
pub(super) fn sources(attempts: &Attempts) -> Markup {
    let mut head = Markup::default();
    head.raw("<th scope=col class=t>Address<th scope=col class=s>Country<th scope=col class=s>Protocol")
        .raw("<th scope=col class=n data-n>Sign-ins<th scope=col class=n data-n>Blocked")
        .raw("<th scope=col class=n data-n>Failed<th scope=col class=n data-n>Users")
        .raw("<th scope=col class=d>First seen (UTC)<th scope=col class=d>Last seen (UTC)");
    let rows = &attempts.sources[..attempts.sources.len().min(ROWS_MAX)];
    chunks("sources", "Only attempted, by address", &head, rows, |row, html| {
        html.raw("<th scope=row>").text(row.ip_address.as_deref().unwrap_or("not stated"));
        html.raw("<td>").text(row.country.as_deref().unwrap_or_default());
        html.raw("<td>").text(named(&row.protocol));
        for count in [row.sign_ins, row.blocked, row.failures, row.users] {
            html.raw("<td class=n>").number(count);
        }
        seen(row.first_seen, row.last_seen, html);
    })
}

/// A protocol of a row, as people call it.
fn named(protocol: &str) -> &str {
    match protocol.parse::<Protocol>() {
        Ok(known) => known.display_name(),
        Err(_) => protocol,
    }
}

fn seen(first: DateTime<Utc>, last: DateTime<Utc>, html: &mut Markup) {
    html.raw("<td class=d>");
    moment(Some(first), html);
    html.raw("<td class=d>");
    moment(Some(last), html);
}
