//! The cases of the "SMTP AUTH clients" report. Its days, whether they are stated, and how many senders it has,
//! by Basic Authentication, and unclear.

use super::{BASIC_ONLY, NOTHING, Row, SMTP, WHOLE};

pub(super) const CASES: &[Row] = &[
    (
        "A sender by Basic in a report of the window is usage.",
        BASIC_ONLY,
        SMTP,
        |case| case.report("2026-10-01", "2026-10-30", true, (2, 1, 0)),
        "in_use | warning | in_use",
    ),
    (
        "So it is in a report of 90 days, which cannot say when.",
        BASIC_ONLY,
        SMTP,
        |case| case.report("2026-08-02", "2026-10-30", true, (2, 1, 0)),
        "in_use | warning | in_use",
    ),
    (
        "A newer report of the window alone has no sender by Basic: the older is answered.",
        BASIC_ONLY,
        SMTP,
        |case| {
            case.report("2026-08-02", "2026-10-30", true, (2, 1, 0));
            case.report("2026-10-01", "2026-10-30", true, (1, 0, 0));
        },
        NOTHING,
    ),
    (
        "A newer report of its last week answers for that week alone: no usage, but a doubt.",
        BASIC_ONLY,
        SMTP,
        |case| {
            case.report("2026-08-02", "2026-10-30", true, (2, 1, 0));
            case.report("2026-10-24", "2026-10-30", true, (0, 0, 0));
        },
        "unproven | insufficient_evidence | no_records smtp_report",
    ),
    (
        "An older report does not answer a newer one.",
        BASIC_ONLY,
        SMTP,
        |case| {
            case.report("2026-09-01", "2026-09-30", true, (0, 0, 0));
            case.report("2026-10-01", "2026-10-30", true, (2, 1, 0));
        },
        "in_use | warning | in_use",
    ),
    (
        "A longer report that lacks the sender is no answer to the shorter one.",
        BASIC_ONLY,
        SMTP,
        |case| {
            case.report("2026-10-01", "2026-10-30", true, (2, 1, 0));
            case.report("2026-09-01", "2026-10-30", true, (1, 0, 0));
        },
        "in_use | warning | in_use",
    ),
    (
        "A report that nobody dated is answered by one of the window.",
        BASIC_ONLY,
        SMTP,
        |case| {
            case.report("2026-08-06", "2026-11-03", false, (1, 1, 0));
            case.report("2026-10-01", "2026-10-30", true, (0, 0, 0));
        },
        NOTHING,
    ),
    (
        "A report that nobody dated answers nothing.",
        BASIC_ONLY,
        SMTP,
        |case| {
            case.report("2026-10-01", "2026-10-30", true, (1, 1, 0));
            case.report("2026-08-06", "2026-11-03", false, (0, 0, 0));
        },
        "in_use | warning | in_use",
    ),
    (
        "Without the column of the protocol a sender is a doubt.",
        BASIC_ONLY,
        SMTP,
        |case| case.report("2026-10-01", "2026-10-30", true, (2, 0, 2)),
        "unproven | insufficient_evidence | no_records smtp_report",
    ),
    (
        "It is a doubt of SMTP AUTH alone, and settings that prove it off come first.",
        WHOLE,
        SMTP,
        |case| {
            case.smtp_auth_off();
            case.report("2026-10-01", "2026-10-30", true, (2, 0, 2));
        },
        "already_off | insufficient_evidence | no_records",
    ),
    (
        "A sender with OAuth is none of Basic's.",
        BASIC_ONLY,
        SMTP,
        |case| case.report("2026-10-01", "2026-10-30", true, (2, 0, 0)),
        NOTHING,
    ),
    (
        "Where SMTP AUTH goes off as a whole, a sender with OAuth is usage.",
        WHOLE,
        SMTP,
        |case| case.report("2026-10-01", "2026-10-30", true, (2, 0, 0)),
        "in_use | warning | in_use",
    ),
    (
        "A report that ended in the lookback days is a doubt.",
        BASIC_ONLY,
        SMTP,
        |case| case.report("2026-08-20", "2026-09-18", true, (1, 1, 0)),
        "unproven | insufficient_evidence | no_records smtp_report",
    ),
    (
        "A report that ended before them says nothing any more.",
        BASIC_ONLY,
        SMTP,
        |case| case.report("2026-05-01", "2026-07-29", true, (1, 1, 0)),
        NOTHING,
    ),
    (
        "A report of the days after the window is usage all the same.",
        BASIC_ONLY,
        SMTP,
        |case| case.report("2026-11-01", "2026-11-07", true, (1, 1, 0)),
        "in_use | warning | in_use",
    ),
    (
        "A sender by Basic is usage although the settings say that it is off.",
        BASIC_ONLY,
        SMTP,
        |case| {
            case.smtp_auth_off();
            case.report("2026-10-01", "2026-10-30", true, (1, 1, 0));
        },
        "in_use | warning | in_use",
    ),
];
