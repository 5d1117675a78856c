//! The pictures, as SVG. Colour comes from the style sheet, so that they are right in the dark and in print;
//! no colour says anything alone: what differs has a pattern, a place or a label too. Each has a title and a
//! description, and its numbers are in a table.

use chrono::{Datelike, NaiveDate, Weekday};

use super::markup::Markup;
use super::model::{Model, Trend};
use lightsout_model::verdict::TenantVerdict;
use lightsout_output::text;

const WIDTH: f64 = 300.0;
/// Where bars stand, and how high the highest is.
const BASE: f64 = 72.0;
const BAR_HEIGHT: f64 = 56.0;

/// Tenants by verdict: one bar, divided, and the numbers below.
pub(super) fn verdicts(model: &Model<'_>) -> Markup {
    const PARTS: [(TenantVerdict, &str, &str); 4] = [
        (TenantVerdict::Warning, "vw", "still use it: warning"),
        (TenantVerdict::InsufficientEvidence, "vi", "cannot tell: insufficient evidence"),
        (TenantVerdict::NoImpact, "vo", "no impact"),
        (TenantVerdict::Excluded, "vx", "excluded by the roster"),
    ];
    let total = model.tenants.len().max(1);
    let share = |count: u64| amount(count) / amount(total as u64) * 100.0;
    let mut html = Markup::default();
    html.raw(
        "<svg class=verdicts width=\"100%\" height=28 role=img aria-labelledby=\"verdicts-t verdicts-d\">",
    )
    .raw("<title id=verdicts-t>Tenants by verdict</title><desc id=verdicts-d>");
    let told: Vec<String> = PARTS
        .iter()
        .map(|(verdict, _, words)| format!("{} {words}", text::number(model.tenants_with(*verdict))))
        .collect();
    html.sentence(&text::enumerate(&told)).raw(".</desc>").raw(PATTERNS);
    let mut x = 0.0;
    for (verdict, class, _) in PARTS {
        let width = share(model.tenants_with(verdict));
        if width > 0.0 {
            html.raw("<rect class=").raw(class).raw(" x=\"").length(x).raw("%\" y=1 width=\"").length(width);
            html.raw("%\" height=26 />");
        }
        x += width;
    }
    html.raw("</svg><dl class=verdicts>");
    for (verdict, class, words) in PARTS {
        html.raw("<div><dt><svg width=14 height=14 aria-hidden=true><rect class=").raw(class);
        html.raw(" x=1 y=1 width=12 height=12 /></svg> ").raw(words);
        html.raw("</dt><dd>").number(model.tenants_with(verdict)).raw("</dd></div>");
    }
    html.raw("</dl>");
    html
}

/// Hatching and dots, for those who can't tell the colours apart.
pub(super) const PATTERNS: &str = "<defs>\
    <pattern id=hatch width=6 height=6 patternUnits=userSpaceOnUse patternTransform=\"rotate(45)\">\
    <rect class=ground width=6 height=6 /><rect class=line width=2 height=6 /></pattern>\
    <pattern id=dots width=6 height=6 patternUnits=userSpaceOnUse>\
    <rect class=ground width=6 height=6 /><circle class=line cx=3 cy=3 r=1.1 /></pattern></defs>";

/// Usage day by day, a picture for each protocol, and one of coverage.
pub(super) fn trends(model: &Model<'_>) -> Markup {
    let mut html = Markup::default();
    for (at, trend) in model.trends.iter().enumerate() {
        html.add(&of_protocol(trend, at, &model.days));
    }
    let tenants = model.tenants.len() as u64;
    let counts: Vec<f64> = model.covered.iter().map(|count| amount(*count)).collect();
    html.raw("<figure class=covered><figcaption><b>Tenants with complete logs</b> <span>of ").number(tenants);
    html.raw("; the rest lack a required log that day</span></figcaption>");
    let least = model.covered.iter().min().copied().unwrap_or_default();
    let told = format!("Between {} and {} on each day.", text::number(least), {
        text::number(model.covered.iter().max().copied().unwrap_or_default())
    });
    bars(
        &mut html,
        "Tenants whose logs are complete, by day",
        &told,
        99,
        &counts,
        amount(tenants),
        &model.days,
    );
    html.raw("</figure>");
    html
}

fn of_protocol(trend: &Trend, at: usize, days: &[NaiveDate]) -> Markup {
    let name = trend.protocol.display_name();
    let mut html = Markup::default();
    html.raw("<figure><figcaption><b>").text(name).raw("</b> <span>");
    html.text(&text::count(trend.total.users, "user", "users")).raw(", ");
    html.text(&text::count(trend.total.sign_ins, "sign-in", "sign-ins"));
    html.raw(if trend.in_scope { "" } else { "; not in scope" }).raw("</span></figcaption>");
    let peak = trend.days.iter().map(|day| day.users).max().unwrap_or_default();
    let busiest = trend.days.iter().position(|day| day.users == peak).and_then(|at| days.get(at));
    let used = trend.days.iter().filter(|day| day.users > 0).count() as u64;
    let told = format!(
        "Used on {} of {}; most users, {}, on {}.",
        text::number(used),
        text::count(days.len() as u64, "day", "days"),
        text::number(peak),
        busiest.copied().map(text::date).unwrap_or_default(),
    );
    let counts: Vec<f64> = trend.days.iter().map(|day| amount(day.users)).collect();
    bars(&mut html, &format!("{name}: users by day"), &told, at, &counts, amount(peak), days);
    html.raw("</figure>");
    html
}

/// A bar a day, with weekends marked, the highest value at its line, and the first and last day below.
fn bars(
    html: &mut Markup,
    title: &str,
    told: &str,
    number: usize,
    counts: &[f64],
    highest: f64,
    days: &[NaiveDate],
) {
    let step = WIDTH / amount(days.len().max(1) as u64);
    let width = if step > 3.0 { step - 1.0 } else { step };
    let place = amount(number as u64);
    html.raw("<svg viewBox=\"0 0 300 88\" role=img aria-labelledby=\"trend-t").length(place);
    html.raw(" trend-d").length(place).raw("\"><title id=trend-t").length(place).raw(">").sentence(title);
    html.raw("</title><desc id=trend-d").length(place).raw(">").sentence(told).raw("</desc>");
    for (at, day) in days.iter().enumerate() {
        if matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
            rect(html, "weekend", [amount(at as u64) * step, BASE - BAR_HEIGHT, step, BAR_HEIGHT]);
        }
    }
    html.raw("<path class=rule d=\"M0 16.5H300M0 72.5H300\"/>");
    for (at, count) in counts.iter().enumerate() {
        if *count > 0.0 {
            let height = (count / highest * BAR_HEIGHT).max(1.0);
            rect(
                html,
                "bar",
                [amount(at as u64) * step + (step - width) / 2.0, BASE - height, width, height],
            );
        }
    }
    html.raw("<text x=0 y=12>").text(&highest.to_string()).raw("</text>");
    if let (Some(first), Some(last)) = (days.first(), days.last()) {
        let short = |day: &NaiveDate| day.format("%-d %b").to_string();
        html.raw("<text x=0 y=85>").text(&short(first)).raw("</text><text class=end x=300 y=85>");
        html.text(&short(last)).raw("</text>");
    }
    html.raw("</svg>");
}

fn rect(html: &mut Markup, class: &'static str, [x, y, width, height]: [f64; 4]) {
    html.raw("<rect class=").raw(class).raw(" x=").length(x).raw(" y=").length(y);
    html.raw(" width=").length(width).raw(" height=").length(height).raw(" />");
}

/// A count as a length is reckoned from it.
#[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
const fn amount(count: u64) -> f64 {
    count as f64
}
