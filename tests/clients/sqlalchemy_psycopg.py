"""SQLAlchemy over psycopg."""
import sqlalchemy_cases


def cases(at):
    return sqlalchemy_cases.cases(at, "psycopg", lambda error: error.sqlstate)
