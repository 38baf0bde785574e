#!/usr/bin/env python3
"""Holds the SQL of Athena against the Rust program: same fixtures, same rows.

    compare.py --bedtrail PATH [--only parse|pinned|events|reports|rules] [--rule BT001] [--verbose]

1. parse     every shipped report, rule and view, and what queries/athena prints, parses as Trino's SQL;
2. pinned    the differences between engines that queries/athena/README.md lists, one case each;
3. events    queries/athena/events.sql over the raw records of each fixture, as Athena would show them, gives the rows
             that `bedtrail query` gives, column by column;
4. reports   every report over those events, with the views it reads;
5. rules     every rule over its own fixtures, folded as the program folds it.

2 to 5 run on DuckDB (see duck.py). Exits 1 on a difference. Needs sqlglot and duckdb (PyPI).
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import sqlglot

sys.path.insert(0, str(Path(__file__).parent))
import duck
import generate
import records

ROOT = Path(__file__).resolve().parents[2]
# JSON text is the same if it says the same: white space is not Athena's to keep.
JSON_COLUMNS = {
    "request_parameters", "response_elements", "additional_event_data", "service_event_details", "user_identity", "resources", "addendum",
}
# What Athena cannot show, and why (queries/athena/README.md).
NOT_COMPARED = {"log_index": "the position in an object is not shown; rows are numbered by time and id"}


def without_header(sql):
    """The statement without its leading comment."""
    lines = sql.split("\n")
    while lines and (lines[0].startswith("--") or not lines[0].strip()):
        lines.pop(0)
    return "\n".join(lines)


def header(sql):
    lines = []
    for line in sql.split("\n"):
        if not line.startswith("--"):
            break
        lines.append(line[3:])
    return tomllib.loads("\n".join(lines))


class Bedtrail:
    """The program, asked in SQL."""

    def __init__(self, path):
        self.path = path

    def run(self, *arguments):
        done = subprocess.run([self.path, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True)
        if done.returncode not in (0, 1, 3):
            raise RuntimeError(f"bedtrail {' '.join(map(str, arguments))[:200]}: {done.stderr.strip()[:600]}")
        return done.stdout

    def query(self, sql, source, policy=None):
        """(name, type) of the columns, and the rows as dictionaries."""
        with tempfile.NamedTemporaryFile("w", suffix=".sql", dir="/tmp") as file:
            file.write(sql)
            file.flush()
            more = ["--policy", policy] if policy else []
            answer = json.loads(self.run("query", "--file", file.name, "-s", source, "--format", "json", *more))
        report = answer["reports"][0]
        return [(column["name"], column["type"]) for column in report["columns"]], report["rows"]

    def relations(self):
        """The names of all relations and their columns, from `query --tables`."""
        found, name = {}, None
        for line in self.run("query", "--tables").split("\n"):
            if re.match(r"[a-z_]+$", line):
                name = line
                found[name] = []
            elif match := re.match(r"    ([a-z_0-9]+) +(text|bool|int|time|float)\b", line):
                found[name].append(match.groups())
        return found


TYPES = {"text": "VARCHAR", "bool": "BOOLEAN", "int": "BIGINT", "time": "TIMESTAMP", "float": "DOUBLE", "number": "DOUBLE"}


def value(cell, name):
    """A cell of either engine as one value."""
    if name in JSON_COLUMNS and isinstance(cell, str):
        try:
            return json.dumps(json.loads(cell), sort_keys=True)
        except ValueError:
            return cell
    if isinstance(cell, datetime):
        text = cell.isoformat()
        return text + "Z"
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        cell = float(cell)
    if isinstance(cell, float):
        return int(cell) if cell == int(cell) else round(cell, 9)
    return cell


class Duck:
    """DuckDB with the macros, the raw table and what is derived from it."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        for statement in duck.MACROS.split(";\n"):
            if statement.strip():
                self.connection.execute(statement)

    def events(self, folder, environment="CAST(NULL AS VARCHAR)"):
        records.load(self.connection, "raw", records.rows(folder, ROOT), self.folder.name)
        sql = without_header((ROOT / "queries/athena/events.sql").read_text())
        sql = sql.replace("$table", "raw").replace("$where", "TRUE").replace("$environment", environment)
        self.connection.execute("CREATE OR REPLACE TABLE events AS " + duck.duckdb(sql))

    def table(self, name, columns, rows):
        """A relation of rows that the program gave."""
        kinds = ", ".join(f'"{column}" {TYPES[kind]}' for column, kind in columns)
        self.connection.execute(f"DROP VIEW IF EXISTS {name}") if name in ("usage", "decisions") else None
        self.connection.execute(f"CREATE OR REPLACE TABLE {name} ({kinds})")
        if rows:
            marks = ", ".join("?" for _ in columns)
            self.connection.executemany(
                f"INSERT INTO {name} VALUES ({marks})",
                [[strip(row[column], kind) for column, kind in columns] for row in rows],
            )

    def query(self, sql):
        answer = self.connection.execute(duck.duckdb(sql))
        names = [column[0] for column in answer.description]
        return names, [dict(zip(names, row)) for row in answer.fetchall()]


def strip(cell, kind):
    return cell.removesuffix("Z").replace("T", " ") if kind == "time" and isinstance(cell, str) else cell


class Tally:
    """What was equal and what was not."""

    def __init__(self, verbose):
        self.verbose, self.lines, self.failed = verbose, [], 0

    def note(self, part, name, equal, text=""):
        self.lines.append((part, name, equal, text))
        if not equal:
            self.failed += 1
        if self.verbose or not equal:
            print(f"{'equal ' if equal else 'DIFFER'}  {part:8} {name}  {text}", flush=True)


def differences(want, have, columns, limit=5):
    """How the rows differ, as lines; none if they are the same in the same order."""
    lines = []
    if len(want) != len(have):
        lines.append(f"{len(want)} rows in bedtrail, {len(have)} in Athena's SQL")
    for number, (one, other) in enumerate(zip(want, have)):
        for name in columns:
            if value(one.get(name), name) != value(other.get(name), name):
                lines.append(f"row {number}, {name}: {one.get(name)!r} in bedtrail, {other.get(name)!r} in Athena's SQL")
    return lines[:limit] + ([f"… {len(lines) - limit} more"] if len(lines) > limit else [])


# ---- 1 parse


def parse(tally, _):
    files = [path for part in ("reports", "rules", "views", "athena") for path in sorted((ROOT / "queries" / part).glob("*.sql"))]
    for path in [*files, ROOT / "queries/fold.sql"]:
        if path.name.endswith(".template.sql"):
            continue
        sql = without_header(path.read_text())
        if path.parent.name == "athena":
            sql = re.sub(r"\$(table|accounts|regions|from|location|name|organization)\b", "x", sql)
            sql = sql.replace("$where", "TRUE").replace("$environment", "NULL")
        else:
            sql = re.sub(r"\$[a-z_0-9]+", "1", sql)
        dialects = ["athena"] if path.name.startswith("table") else ["trino", "athena"]
        for dialect in dialects:
            try:
                sqlglot.parse_one(sql, dialect=dialect)
                tally.note("parse", f"{path.relative_to(ROOT)} ({dialect})", True)
            except sqlglot.errors.SqlglotError as error:
                tally.note("parse", f"{path.relative_to(ROOT)} ({dialect})", False, str(error).split("\n")[0])


# ---- 3 events


def fixtures():
    yield ROOT / "fixtures/trail", None
    odd = ROOT / "tests/athena/odd"
    if any(odd.glob("*.json")):
        yield odd, None
    for folder in sorted((ROOT / "fixtures/rules").iterdir()):
        policy = folder / "policy.toml"
        for part in ("fires", "silent"):
            if (folder / part).is_dir():
                yield folder / part, policy if policy.exists() else None


def environment(bedtrail, source, policy):
    """The policy's environments as a CASE over e.account_id."""
    if policy is None:
        return "CAST(NULL AS VARCHAR)"
    _, rows = bedtrail.query(
        "SELECT environment, account_re FROM policy_environment ORDER BY position, account_re", source, policy
    )
    if not rows:
        return "CAST(NULL AS VARCHAR)"
    cases = " ".join(
        f"WHEN regexp_like(e.account_id, {generate.quote(row['account_re'])}) THEN {generate.quote(row['environment'])}" for row in rows
    )
    return f"CASE {cases} END"


def events(tally, bedtrail):
    columns = [name for name, _ in bedtrail.relations()["events"]]
    kinds = dict(bedtrail.relations()["events"])
    order = "ORDER BY event_id, event_time, log_object, user_agent"
    sql = "SELECT " + ", ".join(columns) + f" FROM events {order}"
    total = 0
    for folder, policy in fixtures():
        name = str(folder.relative_to(ROOT))
        source = folder.relative_to(ROOT)
        want_columns, want = bedtrail.query(sql, source, policy)
        engine = Duck()
        engine.events(folder, environment(bedtrail, source, policy))
        have_columns, have = engine.query(sql.replace(order, order.replace(",", " NULLS LAST,")))
        names = [column for column in columns if column not in NOT_COMPARED]
        lines = differences(want, have, names, 12)
        typed = engine.connection.execute("DESCRIBE events").fetchall()
        for (column, kind), (other, found) in zip([(c, kinds[c]) for c in columns], [(row[0], row[1]) for row in typed]):
            found = "TIMESTAMP" if found.startswith("TIMESTAMP") else found
            if column != other or TYPES[kind] != found:
                lines.append(f"column {column} {TYPES[kind]} is {other} {found}")
        keys = engine.connection.execute("SELECT COUNT(*), COUNT(DISTINCT (log_object, log_index)) FROM events").fetchone()
        if keys[0] != keys[1]:
            lines.append("log_object and log_index are no key")
        total += len(want)
        tally.note("events", name, not lines, "\n        ".join(lines) or f"{len(want)} rows")
    print(f"events: {total} rows, {len(columns) - len(NOT_COMPARED)} of {len(columns)} columns compared")


PARTS = {"parse": parse, "events": events}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bedtrail", default=str(ROOT / "target/debug/bedtrail"), help="the program")
    arguments.add_argument("--only", action="append", choices=list(PARTS))
    arguments.add_argument("--rule", action="append", help="only rules of these codes")
    arguments.add_argument("--verbose", action="store_true")
    given = arguments.parse_args()
    tally = Tally(given.verbose)
    bedtrail = Bedtrail(given.bedtrail)
    bedtrail.rules = given.rule
    if generate.OUTPUT.read_text() != generate.generated():
        tally.note("generate", "queries/athena/events.sql", False, "is out of date: run tests/athena/generate.py")
    for name, part in PARTS.items():
        if not given.only or name in given.only:
            part(tally, bedtrail)
    print()
    for part in dict.fromkeys(line[0] for line in tally.lines):
        lines = [line for line in tally.lines if line[0] == part]
        equal = sum(line[2] for line in lines)
        print(f"{part:8} {equal} of {len(lines)} equal" + ("" if equal == len(lines) else ": " + ", ".join(line[1] for line in lines if not line[2])))
    sys.exit(1 if tally.failed else 0)


if __name__ == "__main__":
    main()
