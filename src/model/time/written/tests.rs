use super::super::{DateOrder, TimeError, format, parse};

fn read(text: &str, dates: DateOrder) -> Result<String, TimeError> {
    parse(text, dates).map(format)
}

#[test]
fn regional_settings_write_one_instant_in_many_ways() {
    for text in [
        "2026. 10. 05. 15:15:30",
        "2026. 10. 5. du. 3:15:30",
        "2026-10-05 15 h 15 min 30 s",
        "2026-10-05 15 h 15 min30 s",
        "5.10.2026 г. 15:15:30 ч.",
        "5.10.2026, 15:15:30 Uhr",
        "5.10.2026 3:15:30 m.d.",
        "5.10.2026, 3:15:30 PTG",
        "Oct 5, 2026 @ 15:15:30.000",
        "1791213330000000",
        "1791213330000000000",
        "5. 10. 2026 15:15:30",
        "5. 10. 2026. 15:15:30",
        "5.10.2026 г. 15:15:30",
        "05.10.2026 г., 15:15:30",
        "5.10.2026 15.15.30",
        "5.10.2026 klo 15.15.30",
        "05.10.2026 kl. 15:15:30",
        "05.10.2026 15:15:30",
        "2026-10-05 15:15:30",
        "2026-10-05 오후 3:15:30",
        "2026. 10. 5. 오후 3:15:30",
        "2026년 10월 5일 오후 3:15:30",
        "2026/10/5 下午 03:15:30",
        "2026/10/05 15:15:30",
        "2026年10月5日 15:15:30",
        "2026/10/05 午後 3:15:30",
        "5 Oct 2026 15:15:30",
        "05-Oct-2026 15:15:30",
        "05-Oct-26 3:15:30 PM",
        "2026-Oct-05 15:15:30",
        "Oct 5, 2026 3:15:30 PM",
        "October 5, 2026, 3:15:30 PM",
        "Monday, October 5, 2026 3:15:30 PM",
        "Monday, 5 October 2026 15:15:30",
        "Mon, 05 Oct 2026 15:15:30 GMT",
        "Mon, 05 Oct 2026 17:15:30 +0200",
        "Mon Oct  5 15:15:30 2026",
        "October 5, 2026 at 3:15:30 PM",
        "1791213330",
        "1791213330000",
        "1791213330.000",
        "/Date(1791213330000)/",
        "/Date(1791213330000+0200)/",
        "5.10.2026\u{a0}15:15:30",
        "2026-10-05\u{202f}15:15:30",
    ] {
        assert_eq!(read(text, DateOrder::Unsettled).as_deref(), Ok("2026-10-05T15:15:30.000000Z"), "{text}");
    }
}

#[test]
fn an_order_of_day_and_month_is_never_taken_from_a_language() {
    for text in [
        "5/10/2026 3:15:30 μμ",
        "5/10/2026 3:15:30 μ.μ.",
        "05-10-2026 15:15:30",
        "5/10/2026 3:15:30\u{202f}PM",
        "5/10/2026 03:15:30 p.\u{a0}m.",
        "٥/١٠/٢٠٢٦ ٣:١٥:٣٠ م",
    ] {
        assert_eq!(read(text, DateOrder::Unsettled), Err(TimeError::Unsettled), "{text}");
        assert_eq!(read(text, DateOrder::DayFirst).as_deref(), Ok("2026-10-05T15:15:30.000000Z"), "{text}");
    }
}

#[test]
fn times_without_seconds_are_read() {
    for text in [
        "2026. 10. 05. 8:15",
        "5 Oct 2026 08:15",
        "Oct 5, 2026 8:15 AM",
        "2026/10/5 上午 08:15",
        "2026/10/5 清晨8:15",
    ] {
        assert_eq!(read(text, DateOrder::Unsettled).as_deref(), Ok("2026-10-05T08:15:00.000000Z"), "{text}");
    }
}

#[test]
fn other_calendars_are_refused_by_name() {
    for (text, name) in [
        ("13/07/1405 08:15:30", "Persian"),
        ("1405/07/13 08:15:30 ق.ظ", "Persian"),
        ("24/04/1448 08:15:30 ص", "Islamic (Hijri)"),
        ("٢٤/٠٤/١٤٤٨ ٠٨:١٥:٣٠ ص", "Islamic (Hijri)"),
        ("5/10/2569 8:15:30", "Thai Buddhist"),
        ("๕/๑๐/๒๕๖๙ ๘:๑๕:๓๐", "Thai Buddhist"),
    ] {
        assert_eq!(read(text, DateOrder::MonthFirst), Err(TimeError::OtherCalendar(name)), "{text}");
    }
}

#[test]
fn what_is_not_understood_to_its_end_is_no_time() {
    for text in [
        "5. 10. 2026",
        "31. 2. 2026 8:15:30",
        "5 Foo 2026 8:15:30",
        "5.10.2026 8:15:30 zz",
        "5.10.2026 pm 8:15 pm",
        "Oct 5 8:15:30",
        "5.10.26 8:15:30",
        "2026/13/05 8:15:30",
        "179121333",
        "17912133300001",
        "5.10.2026 8:1:30",
    ] {
        assert_eq!(read(text, DateOrder::MonthFirst), Err(TimeError::Unknown), "{text}");
    }
}
