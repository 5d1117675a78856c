"""What all clients are asked, and what they must answer."""
import datetime
import decimal

UTC = datetime.timezone.utc

# A column of each type that a table, view or report has, or that a usual expression gives.
TYPES = """SELECT 7::smallint AS small, 70000::integer AS middle, 5000000000::bigint AS big,
 1.5::real AS single, 2.25::double precision AS double, 12.34::numeric(10, 2) AS exact,
 true AS yes, 'grüße' AS words, DATE '2026-11-02' AS day,
 TIMESTAMP '2026-11-02 10:20:30.5' AS local, TIMESTAMPTZ '2026-11-02 10:20:30.5+00' AS moment,
 NULL::text AS nothing"""
VALUES = [
    7, 70000, 5000000000, 1.5, 2.25, decimal.Decimal("12.34"), True, "grüße", datetime.date(2026, 11, 2),
    datetime.datetime(2026, 11, 2, 10, 20, 30, 500000),
    datetime.datetime(2026, 11, 2, 10, 20, 30, 500000, UTC), None,
]
BY_PROTOCOL = "SELECT protocol, count(*) AS n FROM sign_ins WHERE protocol IS NOT NULL GROUP BY protocol ORDER BY protocol"


def equal(found, expected):
    assert found == expected, f"found {found!r}, expected {expected!r}"


def holds(condition, found):
    assert condition, f"found {found!r}"


def same_values(row):
    equal(list(row), VALUES)


def rows(found):
    return [list(row) for row in found]


def refused(action, code, of_error):
    """Whether an action fails with that SQLSTATE, as the client gives it."""
    try:
        action()
    except Exception as error:
        equal(of_error(error), code)
    else:
        raise AssertionError("was taken")
