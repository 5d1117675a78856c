"""SQLAlchemy over pg8000."""
import sqlalchemy_cases


def cases(at):
    return sqlalchemy_cases.cases(at, "pg8000", lambda error: error.args[0]["C"])
