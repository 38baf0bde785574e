"""Questions, and the relations they are asked over, put to DuckDB (see duck.py) or to Trino (see tests/athena/trino)."""

import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import duckdb
import sqlglot

import corpora
import duck
import generate
import records

ROOT = generate.ROOT
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
MADE = ("trail", "odd", "rules", *(f"corpus_{seed}" for seed in corpora.SEEDS))


def trino_type(kind):
    if isinstance(kind, str):
        return kind
    if isinstance(kind, list):
        return f"ARRAY({trino_type(kind[0])})"
    return "ROW(" + ", ".join(f'"{name}" {trino_type(inner)}' for name, inner in kind.items()) + ")"


TRINO_TYPES = {**TYPES, "time": "TIMESTAMP(3)"}


def literal(cell, kind):
    """A value as a literal relation holds it."""
    if cell is None:
        return f"CAST(NULL AS {TRINO_TYPES[kind]})"
    if kind == "time":
        return f"TIMESTAMP '{strip(cell, kind)}'"
    return generate.quote(cell) if kind == "text" else str(cell).upper()


def run_trino(batch, classpath):
    """The same on Trino itself: see tests/athena/trino."""
    lines = []
    for catalog, name, kind, what in batch.steps:
        def step(sql, name=name, catalog=catalog):
            lines.append(f"-- >>> {catalog} {name}\n{sql}\n")

        # Each reading of events.sql takes Trino seconds to plan, so that the records of all rules are read at once.
        if (catalog not in MADE and name in ("raw", "events") and kind != "given") or (catalog in MADE and kind == "given"):
            continue
        if kind == "raw":
            columns = ", ".join(f'x."{column}"' for column in records.COLUMNS)
            # As text first: what stands in VALUES Trino computes while it plans, which takes minutes.
            verb, rows = "CREATE TABLE lines AS", list(records.rows(what, ROOT))
            for start in range(0, max(len(rows), 1), 300):
                values = ", ".join(f"({generate.quote(json.dumps(row))})" for row in rows[start:start + 300])
                step(f"{verb} SELECT CAST(j AS VARCHAR) AS j FROM (VALUES {values}) AS t (j)")
                verb = "INSERT INTO lines"
            row = trino_type(records.COLUMNS)
            step(f"CREATE TABLE raw AS SELECT {columns} FROM (SELECT CAST(json_parse(j) AS {row}) AS x FROM lines) AS t")
        elif kind == "create":
            sql = what[0].replace("'$environment'", what[1]) if isinstance(what, tuple) else what
            step(f"CREATE TABLE {name} AS {sql}")
        elif kind in ("relation", "given"):
            columns, rows = what
            empty = ", ".join(f'CAST(NULL AS {TRINO_TYPES[k]}) AS "{c}"' for c, k in columns)
            step(f"CREATE TABLE {name} AS SELECT {empty} WHERE FALSE")
            for start in range(0, len(rows), 400):
                values = ", ".join("(" + ", ".join(literal(row[c], k) for c, k in columns) + ")" for row in rows[start:start + 400])
                step(f"INSERT INTO {name} VALUES {values}")
        else:
            step(what)
    answers = {}
    with tempfile.TemporaryDirectory() as folder:
        if os.environ.get("KEEP"):
            folder = os.environ["KEEP"]
        (Path(folder) / "in.sql").write_text("".join(lines))
        done = subprocess.run(
            ["java", "-Xmx6g", "-cp", classpath, "Runner", f"{folder}/in.sql", f"{folder}/out.json"], capture_output=True, text=True
        )
        out = Path(folder) / "out.json"
        if not out.exists():
            raise RuntimeError(f"Trino did not start: {done.stderr[-2000:]}")
        if done.returncode != 0:
            print(f"Trino ended early: {done.stderr[-2000:]}", file=sys.stderr)
        kinds = {(catalog, name): kind for catalog, name, kind, _ in batch.steps}
        for line in out.read_text().splitlines():
            answer = json.loads(line)
            key = (answer["catalog"], answer["name"])
            if "error" in answer:
                answers.setdefault(key, answer["error"])
            elif kinds[key] == "query":
                columns = list(zip(answer["columns"], answer["types"]))
                rows = [{c: from_trino(cell, k) for (c, k), cell in zip(columns, row)} for row in answer["rows"]]
                answers[key] = (columns, rows)
    return answers


def from_trino(cell, kind):
    if cell is None or not isinstance(cell, str):
        return cell
    if kind.startswith("timestamp"):
        return datetime.fromisoformat(cell)
    if kind in ("double", "real") or kind.startswith("decimal"):
        return float(cell)
    return cell


def strip(cell, kind):
    return cell.removesuffix("Z").replace("T", " ") if kind == "time" and isinstance(cell, str) else cell
