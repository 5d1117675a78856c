//! What the logs of a tenant hold: a strip of days for each log, and every gap with its cure.

use crate::explain::{Day, Explanation};
use crate::page::charts::PATTERNS;
use crate::page::markup::Markup;
use crate::page::tables::chunks;
use lightsout_output::text::count;

/// Width of a strip.
const WIDTH: f64 = 600.0;

/// Of every log a strip of the window's days.
pub(super) fn days(explanation: &Explanation) -> Markup {
    let mut html = Markup::default();
    html.raw("<div class=strip>");
    for (number, category) in explanation.calendar.iter().enumerate() {
        let all = category.days.len();
        let of = |day: Day| category.days.iter().filter(|found| **found == day).count() as u64;
        let mut told = format!("{} of {} covered", of(Day::Covered), count(all as u64, "day", "days"));
        if of(Day::Incomplete) > 0 {
            told = format!("{told}, {} only by files that lack a column", of(Day::Incomplete));
        }
        let name = category.category.as_str().replace('_', " ");
        html.raw("<figure><figcaption><b>").sentence(&name).raw("</b> <span>").sentence(&told);
        html.raw("</span></figcaption><svg viewBox=\"0 0 600 18\" preserveAspectRatio=none role=img");
        html.raw(" aria-labelledby=strip-t")
            .number(number as u64)
            .raw("><title id=strip-t")
            .number(number as u64);
        html.raw(">").sentence(&format!("{name}: {told}")).raw("</title>");
        html.raw(if number == 0 { PATTERNS } else { "" });
        let step = WIDTH / place(all.max(1));
        for (at, day) in category.days.iter().enumerate() {
            let class = match day {
                Day::Covered => "bar",
                Day::Incomplete => "half",
                Day::Uncovered => continue,
            };
            html.raw("<rect class=").raw(class).raw(" x=").length(place(at) * step);
            html.raw(" y=1 height=16 width=").length((step - 1.0).max(0.5)).raw(" />");
        }
        html.raw("<path class=rule d=\"M0 .5H600M0 17.5H600\"/></svg></figure>");
    }
    html.raw("</div>");
    html
}

/// Every run of days that nothing covers.
pub(super) fn gaps(explanation: &Explanation) -> Markup {
    let mut head = Markup::default();
    head.raw("<th scope=col class=t>Log<th scope=col class=d>First day<th scope=col class=d>Last day")
        .raw("<th scope=col class=n data-n>Days<th scope=col class=n data-n>Permitted")
        .raw("<th scope=col class=g>What to do");
    chunks("gaps", "Days not covered", &head, &explanation.gaps, |gap, html| {
        html.raw("<th scope=row>").text(&gap.category.as_str().replace('_', " "));
        html.raw("<td class=d>").day(gap.first).raw("<td class=d>").day(gap.last);
        html.raw("<td class=n>").number(gap.days.unsigned_abs());
        html.raw("<td class=n>").number(gap.permitted_days.into());
        html.raw("<td>").sentence(gap.cure.as_deref().unwrap_or("nothing: within the permitted gap"));
    })
}

/// A number of days as a place in a picture.
#[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
const fn place(days: usize) -> f64 {
    days as f64
}
