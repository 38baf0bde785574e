"""Questions put to Trino's own engine (tests/athena/trino), and what it has answered before.

An answer is kept under a key made of the statement, of all statements and rows behind the relations it may read, and of how
they are run: the same question over the same data is asked once. `Batch` says what there is to do (batch.py).
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import generate
import records
from batch import MADE, TYPES

HERE = Path(__file__).parent
# Longer statements are slow to read, and more of them slow to compile.
CHUNK = 500_000
# Every plan is compiled and run once, on few rows: what is won by compiling well is never earned.
OPTIONS = ["-Xmx6g", "-XX:TieredStopAtLevel=1", "-XX:+UseParallelGC"]


def trino_type(kind):
    if isinstance(kind, str):
        return kind
    if isinstance(kind, list):
        return f"ARRAY({trino_type(kind[0])})"
    return "ROW(" + ", ".join(f'"{name}" {trino_type(inner)}' for name, inner in kind.items()) + ")"


def digest(*parts):
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def table(name, kinds, selected, lines):
    """The statements that make a table of rows written as JSON: what stands in VALUES Trino computes while it plans, for minutes."""
    chunks, size = [[]], 0
    for line in lines:
        if size > CHUNK:
            chunks, size = [*chunks, []], 0
        chunks[-1].append(line)
        size += len(line)
    for number, chunk in enumerate(chunks):
        source = f"UNNEST(split({generate.quote(chr(10).join(chunk))}, chr(10))) AS t (j)" if chunk else "(VALUES ('')) AS t (j) WHERE FALSE"
        verb = f"INSERT INTO {name}" if number else f"CREATE TABLE {name} AS"
        yield f"{verb} SELECT {selected} FROM (SELECT CAST(json_parse(j) AS {trino_type(kinds)}) AS x FROM {source}) AS u"


def raw(name, rows):
    columns = ", ".join(f'x."{column}"' for column in records.COLUMNS)
    return table(name, records.COLUMNS, columns, [json.dumps(row) for row in rows])


def relation(name, columns, rows):
    kinds = {column: "VARCHAR" if kind == "time" else TYPES[kind] for column, kind in columns}
    # Athena writes no other times than these to Parquet.
    selected = ", ".join(
        f'CAST(replace(rtrim(x."{c}", \'Z\'), \'T\', \' \') AS TIMESTAMP(3)) AS "{c}"' if k == "time" else f'x."{c}"' for c, k in columns
    )
    return table(name, kinds, selected, [json.dumps([row[column] for column, _ in columns]) for row in rows])


class Relation:
    """One relation of a catalog: the statements that make it under a name, and a key that tells it from any other content."""

    def __init__(self, kind, what, made):
        self.shared, self.reads = kind in ("relation", "given"), set()
        if kind == "create":
            sql, where = what if isinstance(what, tuple) else (what, None)
            sql = sql if where is None else sql.replace("'$environment'", where)
            self.reads = named(sql, made)
            self.statements = lambda name: [f"CREATE TABLE {name} AS {sql}"]
        elif kind == "raw":
            rows = list(records.rows(what, generate.ROOT))
            self.statements = lambda name: raw(name, rows)
        else:
            self.statements = lambda name: relation(name, *what)
        self.key = digest(*self.statements("x"), *(made[name].key for name in sorted(self.reads)))


def named(sql, made):
    """Every relation that a statement may read: all whose name stands in it, be it as a column or an alias."""
    return set(re.findall(r"\w+", sql)) & set(made)


class Plan:
    """The batch as Trino runs it: only what is still to be asked, and the relations behind it."""

    def __init__(self, batch, known):
        self.catalogs, self.keys, self.lines = {}, {}, []
        questions = []
        for catalog, name, kind, what in batch.steps:
            # Each reading of events.sql takes Trino seconds to plan, so that the records of all rules are read at once.
            if (catalog not in MADE and name in ("raw", "events") and kind != "given") or (catalog in MADE and kind == "given"):
                continue
            made = self.catalogs.setdefault(catalog, {})
            if kind == "query":
                questions.append((catalog, name, what))
            else:
                made[name] = Relation(kind, what, made)
        engine = digest(OPTIONS, *((HERE / "trino" / part).read_text() for part in ("Runner.java", "pom.xml")))
        asked, needed = [], {}
        for catalog, name, sql in questions:
            made = self.catalogs[catalog]
            reads = named(sql, made)
            key = digest(engine, sql, *(made[one].key for one in sorted(reads)))
            self.keys[catalog, name] = key
            if key not in known:
                asked.append((catalog, key, name, sql))
                wanted = needed.setdefault(catalog, set())
                while reads - wanted:
                    wanted |= reads
                    reads = set().union(*(made[one].reads for one in reads))
        self.count = len(asked)
        shared = set()
        for catalog, wanted in needed.items():
            for name, one in self.catalogs[catalog].items():
                if name in wanted:
                    self.make(catalog, name, one, shared)
        for step in asked:
            self.step(*step)

    def step(self, catalog, key, name, sql):
        self.lines.append(f"-- >>> {catalog} {key} {name}\n{sql}\n")

    def make(self, catalog, name, one, shared):
        if not one.shared:
            for sql in one.statements(name):
                self.step(catalog, "-", name, sql)
            return
        # Most fixtures have the same: its rows are read once. (The runner knows no views.)
        place = f"{name}_{one.key[:16]}"
        if place not in shared:
            shared.add(place)
            for sql in one.statements(place):
                self.step("shared", "-", place, sql)
        self.step(catalog, "-", name, f"CREATE TABLE {name} AS SELECT * FROM shared.default.{place}")


def answered(path):
    """The answers kept, by their key; a line that was cut short is none."""
    found = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            answer = json.loads(line)
        except ValueError:
            continue
        found[answer["key"]] = answer
    return found


def run_trino(batch, classpath, again=False):
    """(catalog, name) -> (columns and types, rows), or the error's text, of each step; and how many were answered before."""
    work = Path(classpath.split(":")[0])
    kept = work / "answers.jsonl"
    if again:
        kept.unlink(missing_ok=True)
    plan = Plan(batch, answered(kept))
    answers = {}
    if plan.count:
        with tempfile.TemporaryDirectory(dir=work) as folder, open(work / "trino.log", "w") as log:
            statements, failures = Path(folder) / "in.sql", Path(folder) / "failures.jsonl"
            statements.write_text("".join(plan.lines))
            threads = str(os.cpu_count() or 1)
            done = subprocess.run(["java", *OPTIONS, "-cp", classpath, "Runner", statements, kept, failures, threads], stdout=log, stderr=log)
            if done.returncode != 0:
                print(f"Trino ended early: see {work / 'trino.log'}", file=sys.stderr)
            for line in failures.read_text().splitlines() if failures.exists() else []:
                answer = json.loads(line)
                answers.setdefault((answer["catalog"], answer["name"]), answer["error"])
    known = answered(kept)
    for place, key in plan.keys.items():
        if key in known:
            answers[place] = read(known[key])
    return answers, len(plan.keys) - plan.count


def read(answer):
    columns = list(zip(answer["columns"], answer["types"]))
    return columns, [{c: from_trino(cell, k) for (c, k), cell in zip(columns, row)} for row in answer["rows"]]


def from_trino(cell, kind):
    if cell is None or not isinstance(cell, str):
        return cell
    if kind.startswith("timestamp"):
        return datetime.fromisoformat(cell)
    if kind in ("double", "real") or kind.startswith("decimal"):
        return float(cell)
    return cell
