//! Where the campaign stands: tenants by state, the calendar of the days to come, and of every tenant that something was
//! announced to its dates, holds and opt-outs. Without a ledger there is no such section.

use chrono::NaiveDate;
use minijinja::{Value, context};

use super::data::{Links, NAME_CHARACTERS_MAX, TENANT_ROWS_MAX};
use super::markup::Markup;
use super::tables::chunks;
use lightsout_campaign::status::StatusRow;
use lightsout_campaign::work_list::WorkList;
use lightsout_model::protocol::Protocol;
use lightsout_output::text;

/// The tenants of a campaign on a day.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// Also those that nothing was announced to, which are passed over.
    pub rows: &'a [StatusRow],
    pub today: NaiveDate,
}

impl Standing<'_> {
    fn announced(&self) -> Vec<StatusRow> {
        self.rows.iter().filter(|row| row.announced_on.is_some()).cloned().collect()
    }
}

/// What the template prints; none if nothing was announced.
pub(super) fn section(standing: &Standing<'_>, links: &Links<'_>) -> Value {
    let rows = standing.announced();
    if rows.is_empty() {
        return Value::from(());
    }
    let list = WorkList::of(&rows, standing.today);
    let counts = list.counts.iter().filter(|(_, count)| *count > 0);
    let counts: Vec<Value> = counts
        .map(|(state, count)| context! { state => in_words(state.as_str()), meaning => state.meaning(), count => *count as u64 })
        .collect();
    let found = links.asked.and_then(|asked| asked.found);
    let shown: Vec<&StatusRow> =
        rows.iter().filter(|row| found.is_none_or(|found| found.contains(&row.tenant_id))).collect();
    let left_out = shown.len().saturating_sub(TENANT_ROWS_MAX);
    context! {
        today => standing.today.to_string(),
        tenants => rows.len() as u64,
        counts,
        calendar => calendar(&list).into_value(),
        has_calendar => !list.calendar.is_empty(),
        table => table(&shown[..shown.len() - left_out], links).into_value(),
        left_out => left_out as u64,
    }
}

/// The same of one tenant.
pub(super) fn of_tenant(standing: &Standing<'_>, tenant_id: &str) -> Value {
    let Some(row) = standing.rows.iter().find(|row| row.tenant_id == tenant_id && row.announced_on.is_some())
    else {
        return Value::from(());
    };
    let day = |day: Option<NaiveDate>| day.map(|day| day.to_string());
    let lists = [
        ("Still to be turned off", &row.protocols_pending),
        ("On hold", &row.protocols_on_hold),
        ("Opted out", &row.protocols_opted_out),
        ("Turned off", &row.protocols_off),
        ("Used after it was turned off", &row.protocols_used_after_change),
    ];
    let lists = lists.iter().filter(|(_, protocols)| !protocols.is_empty());
    let lists: Vec<Value> =
        lists.map(|(title, protocols)| context! { title, protocols => names(protocols) }).collect();
    context! {
        state => in_words(row.state.as_str()),
        today => standing.today.to_string(),
        announced_on => day(row.announced_on),
        effective_date => day(row.effective_date),
        lists,
        opt_outs => row.opt_outs.iter().map(|of| text::plain_short(of, 2 * NAME_CHARACTERS_MAX)).collect::<Vec<_>>(),
        holds => row.hold_reasons.iter().map(|reason| text::plain(&lightsout_notify::reason_text(reason))).collect::<Vec<_>>(),
        next_step => text::plain(&row.next_step),
    }
}

fn in_words(state: &str) -> String {
    state.replace('_', " ")
}

fn names(protocols: &[Protocol]) -> String {
    text::enumerate(&protocols.iter().map(|of| of.display_name()).collect::<Vec<_>>())
}

fn calendar(list: &WorkList<'_>) -> Markup {
    let mut html = Markup::default();
    html.raw("<table><caption>Days on which something is to be turned off</caption><thead><tr>")
        .raw("<th scope=col>Day<th scope=col class=n>Tenants</thead><tbody>\n");
    for (day, tenants) in &list.calendar {
        html.raw("<tr><th scope=row>").day(*day).raw("<td class=n>").number(*tenants as u64).raw("\n");
    }
    html.raw("</tbody></table>");
    html
}

fn table(rows: &[&StatusRow], links: &Links<'_>) -> Markup {
    let mut head = Markup::default();
    head.raw("<th scope=col class=t>Tenant<th scope=col>State<th scope=col>Announced<th scope=col>Effective")
        .raw("<th scope=col>To be turned off<th scope=col>On hold<th scope=col>Opted out<th scope=col>Off")
        .raw("<th scope=col class=r>Next step");
    let optional_day = |day: Option<NaiveDate>, html: &mut Markup| {
        html.raw("<td>");
        if let Some(day) = day {
            html.day(day);
        }
    };
    let row = |row: &&StatusRow, html: &mut Markup| {
        html.raw("<th scope=row>");
        if let Some(address) = links.tenant {
            html.raw("<a href=\"").attribute(&address(&row.tenant_id)).raw("\">");
        }
        html.text(row.display_name.as_deref().unwrap_or(&row.tenant_id));
        html.raw(if links.tenant.is_some() { "</a>" } else { "" });
        html.raw("<td>").text(&in_words(row.state.as_str()));
        optional_day(row.announced_on, html);
        optional_day(row.effective_date, html);
        let off: Vec<Protocol> =
            row.protocols_off.iter().chain(&row.protocols_used_after_change).copied().collect();
        for protocols in [&row.protocols_pending, &row.protocols_on_hold, &row.protocols_opted_out, &off] {
            html.raw("<td>").sentence(&names(protocols));
        }
        html.raw("<td>").sentence(&row.next_step);
    };
    chunks("standing", "Announced tenants: dates, holds and opt-outs", &head, rows, row)
}

#[cfg(test)]
mod tests {
    use super::super::data::Snapshot;
    use super::super::render;
    use super::super::sample::{HOSTILE, NOTHING_ANNOUNCED, Sample, day, tenant_id};
    use super::*;
    use lightsout_campaign::status::TenantState;

    fn announced(number: usize, name: &str) -> StatusRow {
        StatusRow {
            state: TenantState::Announced,
            display_name: Some(name.to_owned()),
            announced_on: Some(day(11, 2)),
            effective_date: Some(day(12, 2)),
            protocols_announced: vec![Protocol::Imap4, Protocol::Pop3],
            protocols_pending: vec![Protocol::Imap4],
            protocols_opted_out: vec![Protocol::Pop3],
            opt_outs: vec![format!("pop3 on 2026-11-05 by {name}")],
            next_step: "apply on 2026-12-02, in 30 days".to_owned(),
            ..StatusRow::of_nothing(&tenant_id(number))
        }
    }

    fn page(standing: Standing<'_>) -> String {
        let Sample { campaign, assessment, usage } = &Sample::of(3, false);
        render(&Snapshot { campaign, assessment, usage, standing }, &Links::BESIDE).expect("a page")
    }

    #[test]
    fn the_campaign_is_shown_with_its_calendar_and_each_tenants_dates() {
        let rows = [announced(0, "Old Mill"), StatusRow::of_nothing(&tenant_id(1))];
        let page = page(Standing { rows: &rows, today: day(11, 3) });
        assert!(page.contains("<section id=\"campaign\"") && page.contains("<a href=\"#campaign\">"));
        assert!(page.contains("Of 1 tenant with an announcement, as of 2026-11-03"), "{page}");
        assert!(page.contains("<tr><th scope=row>2026-12-02<td class=n>1"));
        let row = page.split("<div class=list id=standing>").nth(1).expect("the list");
        let row = row.split("<tr><th scope=row>").nth(1).and_then(|row| row.lines().next());
        assert_eq!(
            row,
            Some(
                "Old Mill<td>announced<td>2026-11-02<td>2026-12-02<td>IMAP4<td><td>POP3<td><td>apply on \
                 2026-12-02, in 30 days"
            )
        );
    }

    #[test]
    fn without_a_ledger_there_is_no_such_section() {
        assert!(!page(NOTHING_ANNOUNCED).contains("id=\"campaign\""));
        let eligible = [StatusRow::of_nothing(&tenant_id(1))];
        assert!(!page(Standing { rows: &eligible, today: day(11, 3) }).contains("id=\"campaign\""));
    }

    #[test]
    fn names_are_no_markup() {
        for name in HOSTILE {
            let rows = [announced(0, name)];
            let page = page(Standing { rows: &rows, today: day(11, 3) });
            assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{name}");
        }
    }
}
