"""Times as microseconds and days since 1970-01-01 UTC."""
import datetime as dt
import re

DAY = 86_400_000_000
HOUR = DAY // 24
EPOCH = dt.date(1970, 1, 1).toordinal()
EARLIEST = (dt.date(2010, 1, 1).toordinal() - EPOCH) * DAY

ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?\s*(Z|z|[+-]\d\d:?\d\d)?$")
US = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}),? (\d{1,2}):(\d\d):(\d\d)(?:\.(\d+))?(?: ([AP]M))?(?: ([+-]\d\d:?\d\d))?$",
                re.IGNORECASE)


def day_of(text):
    """The day that an ISO date names."""
    return dt.date.fromisoformat(text.strip()).toordinal() - EPOCH


def date_of(day):
    return dt.date.fromordinal(day + EPOCH)


def weekday(day):
    """0 is Monday."""
    return (day + 3) % 7


def week(day):
    """Weeks begin on Monday."""
    return (day + 3) // 7


def parse_time(text):
    """Microseconds, or None. Digits past the sixth are cut."""
    if not isinstance(text, str):
        return None
    text = text.strip()
    m = ISO.match(text)
    if m:
        year, month, day, hour, minute, second, fraction, zone = m.groups()
        hour = int(hour)
    else:
        m = US.match(text)
        if not m:
            return None
        month, day, year, hour, minute, second, fraction, half, zone = m.groups()
        hour = int(hour)
        if half:
            hour = hour % 12 + (12 if half.upper() == "PM" else 0)
    try:
        days = dt.date(int(year), int(month), int(day)).toordinal() - EPOCH
    except ValueError:
        return None
    minute, second = int(minute), int(second)
    if hour > 23 or minute > 59 or second > 59:
        return None
    t = days * DAY + (hour * 3600 + minute * 60 + second) * 1_000_000
    if fraction:
        t += int((fraction + "000000")[:6])
    if zone and zone not in "Zz":
        digits = zone[1:].replace(":", "")
        offset = (int(digits[:2]) * 60 + int(digits[2:])) * 60_000_000
        t += offset if zone[0] == "-" else -offset
    return t


def rfc3339(t):
    return (dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=t)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
