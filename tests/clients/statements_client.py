"""What Npgsql, Power BI, Grafana, Metabase and DBeaver ask of the catalogue: the files of statements/, sent as text."""
import pathlib
import re

import psycopg

from common import holds


def cases(at):
    def run(sql, expects):
        with psycopg.connect(host=at.host, port=at.port, user=at.user, dbname=at.database, autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            if expects == "any":
                return
            found = cursor.fetchall()
            holds(bool(found) == (expects == "rows"), f"{len(found)} rows: {found[:3]}")

    found = {}
    for file in sorted(pathlib.Path(__file__).parent.joinpath("statements").glob("*.sql")):
        for case in re.split(r"^-- case: ", file.read_text(), flags=re.MULTILINE)[1:]:
            head, sql = case.split("\n", 1)
            name, expects = head.split("; expects: ")
            assert expects in ("rows", "no rows", "any"), head
            found[f"{file.stem}: {name}"] = lambda sql=sql, expects=expects: run(sql, expects)
    return found
