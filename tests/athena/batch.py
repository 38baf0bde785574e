"""Questions, and the relations they are asked over, put to DuckDB (see duck.py); trino_engine.py puts them to Trino."""

import tempfile
from pathlib import Path

import duckdb
import sqlglot

import corpora
import duck
import records

ROOT = Path(__file__).resolve().parents[2]
TYPES = {"text": "VARCHAR", "bool": "BOOLEAN", "int": "BIGINT", "time": "TIMESTAMP", "float": "DOUBLE", "number": "DOUBLE"}


class Batch:
    """What an engine is to do, catalog by catalog: each catalog holds the relations of one fixture."""

    def __init__(self):
        self.steps = []

    def raw(self, catalog, folder):
        """The records of a folder as the CloudTrail table `raw`."""
        self.steps.append((catalog, "raw", "raw", folder))

    def create(self, catalog, name, sql):
        """A relation made by a SELECT."""
        self.steps.append((catalog, name, "create", sql))

    def relation(self, catalog, name, columns, rows):
        """A relation of rows that the program gave."""
        self.steps.append((catalog, name, "relation", (columns, rows)))

    def given(self, catalog, columns, rows):
        """The events that the program gave, for an engine that would take long to make them itself."""
        self.steps.append((catalog, "events", "given", (columns, rows)))

    def query(self, catalog, name, sql):
        """A question."""
        self.steps.append((catalog, name, "query", sql))


def run_duckdb(batch):
    """(catalog, name) -> (columns and types, rows), or the error's text, of each step."""
    answers, connections = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for catalog, name, kind, what in batch.steps:
            if catalog not in connections:
                connections[catalog] = duckdb.connect()
                connections[catalog].execute("SET TimeZone = 'UTC'")
                for statement in duck.MACROS.split(";\n"):
                    if statement.strip():
                        connections[catalog].execute(statement)
            connection = connections[catalog]
            try:
                if kind == "given":
                    continue
                if kind == "raw":
                    records.load(connection, "raw", records.rows(what, ROOT), folder)
                elif kind == "create":
                    sql, where = what if isinstance(what, tuple) else (what, None)
                    connection.execute(f"CREATE TABLE {name} AS {duck.duckdb(sql, where)}")
                elif kind == "relation":
                    columns, rows = what
                    connection.execute(f"CREATE TABLE {name} (" + ", ".join(f'"{c}" {TYPES[k]}' for c, k in columns) + ")")
                    for row in rows:
                        marks = ", ".join("?" for _ in columns)
                        connection.execute(f"INSERT INTO {name} VALUES ({marks})", [strip(row[c], k) for c, k in columns])
                else:
                    answer = connection.execute(duck.duckdb(what))
                    columns = [(column[0], str(column[1])) for column in answer.description]
                    rows = [dict(zip([c for c, _ in columns], row)) for row in answer.fetchall()]
                    answers[catalog, name] = (columns, rows)
            except (duckdb.Error, sqlglot.errors.SqlglotError) as error:
                answers[catalog, name] = str(error)
    return answers


# Fixtures whose events Trino makes of the raw records; `rules` is those of all rules as one trail.
MADE = ("trail", "agents", "odd", "rules", *(f"corpus_{seed}" for seed in corpora.SEEDS))


def strip(cell, kind):
    return cell.removesuffix("Z").replace("T", " ") if kind == "time" and isinstance(cell, str) else cell
