"""SQLAlchemy over psycopg2."""
import sqlalchemy_cases


def cases(at):
    return sqlalchemy_cases.cases(at, "psycopg2", lambda error: error.pgcode)
