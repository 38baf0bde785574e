#!/usr/bin/env python3
"""Holds the SQL of Athena against the Rust program: same fixtures, same rows.

    compare.py --bedtrail PATH [--only parse|pinned|events|reports|rules] [--over trail|agents|odd|rules|corpora] [--rule BT001] [--report NAME] [--verbose]

1. parse     every shipped report, rule and view, and what queries/athena prints, parses as Trino's SQL;
2. pinned    the differences between engines that queries/athena/README.md lists, one case each;
3. events    queries/athena/events.sql over the raw records of each fixture, as Athena would show them, gives the rows
             that `bedtrail query` gives, column by column;
4. reports   every report over those events, with the views it reads, of the trail, the agents, the odd records and the corpora;
5. rules     every rule over all cases of its own and over these, folded as the program folds it.

The trail is the story of fixtures/trail, the agents that of fixtures/agents; the odd records are tests/athena/odd; the corpora are generated (see corpora.py).

2 to 5 run on DuckDB (see duck.py), and with --trino on Trino too (see trino.sh, trino_engine.py). Exits 1 on a difference. Needs sqlglot and duckdb (PyPI).
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import sqlglot

sys.path.insert(0, str(Path(__file__).parent))
import corpora
import generate
from batch import MADE, Batch, run_duckdb
from pinned import PINNED, REFUSED
from trino_engine import run_trino

LIMIT = 12
ROOT = Path(__file__).resolve().parents[2]
POLICY = ROOT / "fixtures/policy.toml"
# JSON text is the same if it says the same: white space is not Athena's to keep.
JSON_COLUMNS = {
    "request_parameters", "response_elements", "additional_event_data", "service_event_details", "user_identity", "resources", "addendum",
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\Z")
# The time of the run is shown in answers: it is the same in every run.
NOW = {"BEDTRAIL_NOW": "2026-11-01T00:00:00Z"}
# What an engine gave where it gave nothing.
UNANSWERED = "no answer"
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
        command = [self.path, *(str(one).removeprefix(f"{ROOT}/") for one in arguments)]
        done = subprocess.run(command, cwd=ROOT, env=os.environ | NOW, capture_output=True, text=True)
        if done.returncode not in (0, 1, 3):
            raise RuntimeError(f"bedtrail {' '.join(map(str, arguments))[:200]}: {done.stderr.strip()[:600]}")
        return done.stdout

    def query(self, sql, source, policy=None):
        """(name, type) of the columns, and the rows as dictionaries."""
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(sql)
            file.flush()
            more = ["--policy", policy] if policy else []
            answer = json.loads(self.run("query", "--file", file.name, "-s", source, "--format", "json", *more))
        report = answer["reports"][0]
        return [(column["name"], column["type"]) for column in report["columns"]], report["rows"]

    def collect(self, source, store):
        """Puts the records into a store, which is read in a fraction of the time."""
        self.run("collect", "-s", source, "--store", store)
        return store

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


def value(cell, name):
    """A cell of either engine as one value."""
    if name in JSON_COLUMNS and isinstance(cell, str):
        try:
            return json.dumps(json.loads(cell), sort_keys=True)
        except ValueError:
            return cell
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="microseconds") + "Z"
    if isinstance(cell, str) and TIME.match(cell):
        return datetime.fromisoformat(cell).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        cell = float(cell)
    if isinstance(cell, float):
        return int(cell) if cell == int(cell) else round(cell, 9)
    return cell


class Tally:
    """What was equal and what was not."""

    def __init__(self, verbose):
        self.verbose, self.lines, self.failed, self.kept = verbose, [], 0, {}

    def note(self, part, name, equal, text=""):
        self.lines.append((part, name, equal, text))
        if not equal:
            self.failed += 1
        if self.verbose or not equal:
            print(f"{'equal ' if equal else 'DIFFER'}  {part:15} {name}  {text}", flush=True)


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


def parse(tally, roots):
    folders = [root / "queries" / part for root in roots for part in ("reports", "rules", "views", "athena")]
    files = list({(path.parent.name, path.name): path for folder in folders for path in sorted(folder.glob("*.sql"))}.values())
    for path in [*files, ROOT / "queries/fold.sql"]:
        if path.name.endswith(".template.sql"):
            continue
        sql = without_header(path.read_text())
        if path.parent.name == "athena":
            sql = sql.replace("$", "x") if path.name == "table.sql" else sql.replace("$table", "x")
            sql = sql.replace("$where", "TRUE").replace("$environment", "NULL")
        else:
            sql = re.sub(r"\$[a-z_0-9]+", "1", sql.replace("$during", ""))
        # sqlglot takes it, Trino wants its number in quotes: INTERVAL '90' DAY. The program puts a parameter's into quotes.
        for number, line in enumerate(path.read_text().split("\n"), 1):
            if re.search(r"\bINTERVAL\s+[0-9]", line) and not line.lstrip().startswith("--"):
                tally.note("parse", f"{path.parent.name}/{path.name}:{number}", False, "INTERVAL wants its number in quotes on Trino; use date_add")
        dialects = ["athena"] if path.name.startswith("table") else ["trino", "athena"]
        for dialect in dialects:
            try:
                sqlglot.parse_one(sql, dialect=dialect)
                tally.note("parse", f"{path.parent.name}/{path.name} ({dialect})", True)
            except sqlglot.errors.SqlglotError as error:
                tally.note("parse", f"{path.parent.name}/{path.name} ({dialect})", False, str(error).split("\n")[0])


# ---- what every part needs


def fixtures(more=()):
    """(catalog, folder, policy, rule) of each fixture in the repository."""
    yield "trail", ROOT / "fixtures/trail", POLICY, None
    yield "agents", ROOT / "fixtures/agents/AWSLogs", ROOT / "fixtures/agents/policy.toml", None
    yield "odd", ROOT / "tests/athena/odd", None, None
    yield "rules", ROOT / "fixtures/rules", None, None
    folders = [folder for root in (ROOT, *more) for folder in sorted((root / "fixtures/rules").iterdir())]
    for folder in {folder.name: folder for folder in folders}.values():
        policy = folder / "policy.toml"
        rule = folder.name[:5]
        for case in sorted(case for case in folder.iterdir() if case.is_dir()):
            yield f"{rule}_{case.name}".lower().replace("-", "_"), case, policy if policy.exists() else None, rule


OVER = ["trail", "agents", "odd", "rules", "corpora"]
# What every report and rule is asked of, besides the rules of their own fixtures.
WHOLE = ("trail", "agents", "odd", "corpora")


def over(key):
    """Which of OVER a catalog belongs to."""
    return "corpora" if key.startswith("corpus_") else key if key in OVER else "rules"


def environment(bench, key):
    """The policy's environments as a CASE over e.account_id."""
    rows = []
    if bench.fixtures[key][1] is not None:
        _, rows = bench.query(key, "SELECT environment, account_re FROM policy_environment ORDER BY position, account_re")
    cases = " ".join(
        f"WHEN regexp_like(e.account_id, {generate.quote(row['account_re'])}) THEN {generate.quote(row['environment'])}" for row in rows
    )
    return f"CASE {cases} END" if cases else "CAST(NULL AS VARCHAR)"


def events_sql(where):
    sql = without_header((ROOT / "queries/athena/events.sql").read_text())
    return sql.replace("$table", "raw").replace("$where", "TRUE").replace("$environment", where)


def reads(sql, relations):
    """The relations that a statement names."""
    plain = "\n".join(line for line in sql.split("\n") if not line.lstrip().startswith("--"))
    return {word for word in re.findall(r"(?:FROM|JOIN)\s+([a-z_]+)", plain)} & set(relations)


class Bench:
    """All fixtures, with what the program answers, ready for any engine."""

    def __init__(self, bedtrail, folder, wanted, more=(), trino=False):
        self.trino, self.known, self.stores = trino, {}, {}
        self.bedtrail, self.batch, self.asked, self.there = bedtrail, Batch(), {}, set()
        self.pool = ThreadPoolExecutor(os.cpu_count())
        self.relations = bedtrail.relations()
        self.fixtures = {key: (logs, policy, rule) for key, logs, policy, rule in fixtures(more) if over(key) in wanted}
        if "corpora" in wanted:
            self.fixtures |= {name: (logs, POLICY, None) for name, logs in corpora.write(bedtrail.path)}
        for key, (logs, _, _) in self.fixtures.items():
            # Asked a hundred questions, where the rest is asked a handful.
            if over(key) in WHOLE:
                self.stores[key] = bedtrail.collect(logs, f"{folder}/store_{key}")

    def query(self, key, sql):
        """What the program answers."""
        logs, policy, _ = self.fixtures[key]
        return self.bedtrail.query(sql, self.stores.get(key, logs), policy)

    def need(self, key, name):
        """Puts a relation into a fixture's catalog, with all that it reads."""
        if (key, name) in self.there:
            return
        self.there.add((key, name))
        folder, policy, _ = self.fixtures[key]
        if name == "events":
            self.batch.raw(key, folder)
            self.batch.create(key, "events", (events_sql("'$environment'"), environment(self, key)))
            if self.trino and key not in MADE:
                sql = "SELECT " + ", ".join(column for column, _ in self.relations["events"]) + " FROM events"
                self.batch.given(key, self.relations["events"], self.query(key, sql)[1])
        elif (view := ROOT / f"queries/views/{name}.sql").exists():
            sql = without_header(view.read_text())
            for other in sorted(reads(sql, self.relations)):
                self.need(key, other)
            self.batch.create(key, name, sql)
        else:
            columns = self.relations[name]
            sql = "SELECT " + ", ".join(f'"{column}"' for column, _ in columns) + f" FROM {name}"
            # What comes of the policy or of the program's own tables is the same for every fixture under it.
            shared = (name, policy if name.startswith("policy_") else None if name.startswith("ref_") else key)
            if shared not in self.known:
                self.known[shared] = self.query(key, sql)[1]
            self.batch.relation(key, name, columns, self.known[shared])

    def ask(self, key, name, sql):
        """Asks both."""
        for other in sorted(reads(sql, self.relations)):
            self.need(key, other)
        self.asked[key, name] = self.pool.submit(self.query, key, sql)
        self.batch.query(key, name, sql)

    def want(self, key, name):
        """The program's answer, or what it failed of."""
        try:
            return self.asked[key, name].result()
        except RuntimeError as error:
            return str(error)


def ask_pinned(bench):
    key = next(iter(bench.fixtures))
    for title, sql, _, _ in PINNED:
        bench.ask(key, f"pinned: {title}", sql)


def judge_pinned(tally, bench, engine, answers):
    """What both say is written down; None where only one engine's own tests could hold it."""
    key = next(iter(bench.fixtures))
    for title, _, ours, theirs in PINNED:
        name = f"pinned: {title}"
        want, have = bench.want(key, name), answers.get((key, name), UNANSWERED)
        found = [one if isinstance(one, str) else (one[1][0]["answer"] or "") for one in (want, have)]
        if theirs is REFUSED:
            if engine != "trino":
                continue
            # Refused for what it is, not for want of a relation.
            found[1] = REFUSED if isinstance(have, str) and have != UNANSWERED and "does not exist" not in have else found[1]
        equal = ours is None or found == [ours, theirs]
        tally.note(f"{engine} pinned", title, equal, "" if equal else f"{found[0]!r} in bedtrail, {found[1]!r} in Athena's SQL")


def ask_events(bench):
    columns = [name for name, _ in bench.relations["events"]]
    sql = "SELECT " + ", ".join(columns) + " FROM events ORDER BY event_id NULLS LAST, event_time, log_object, user_agent NULLS LAST"
    for key in bench.fixtures:
        bench.ask(key, "all events", sql)
        bench.ask(key, "key of events", "SELECT COUNT(*) - COUNT(DISTINCT log_object || ' ' || CAST(log_index AS VARCHAR)) AS doubles FROM events")


def ask_reports(bench, only):
    for path in sorted((ROOT / "queries/reports").glob("*.sql")):
        if only and path.stem not in only:
            continue
        sql = without_header(path.read_text())
        for key in bench.fixtures:
            if over(key) in WHOLE:
                bench.ask(key, path.name, sql)


UNRULED = (
    "COALESCE(event_time < (SELECT CASE WHEN COUNT(effective_from) = COUNT(*) THEN MIN(effective_from) END AS in_force_from "
    "FROM policy_version), FALSE)"
)
EVENT_COLUMNS = "verdict account_id aws_region principal subject reason expected observed event_time event_id outcome".split()


def written(value, kind):
    if isinstance(value, list):
        return "(" + ", ".join(written(one, "text") for one in value) + ")"
    if kind == "timestamp":
        return f"TIMESTAMP '{str(value).replace('T', ' ').removesuffix('Z')}'"
    return str(value) if isinstance(value, int) else generate.quote(value)


def rule_sql(path):
    """A rule as the program runs it: parameters filled in, rows of events folded (src/rule/fold.rs)."""
    text = path.read_text()
    head, sql = header(text), without_header(text)
    for name, parameter in head.get("parameters", {}).items():
        value = written(parameter["default"], parameter["type"])
        sql = re.sub(rf"\bINTERVAL \${name}\b", lambda _: f"INTERVAL '{value}'", sql)
        # A list stands inside IN (…) only.
        sql = re.sub(rf"\(\s*\${name}\s*\)", lambda _: value if value.startswith("(") else f"({value})", sql)
        sql = re.sub(rf"\${name}\b", lambda _: value, sql)
    names = [select.alias_or_name for select in sqlglot.parse_one(sql, dialect="trino").selects]
    if names[:11] != EVENT_COLUMNS:
        return head, sql
    severity = f"COALESCE(severity, '{head['severity']}')" if len(names) == 12 else f"'{head['severity']}'"
    by_policy = any(need.startswith("policy_") for need in head.get("needs", []))
    fold = without_header((ROOT / "queries/fold.sql").read_text())
    fold = fold.replace("$during", "").replace("$severity", severity).replace("$unruled", UNRULED if by_policy else "FALSE")
    # As the program does, whatever the first part of the fold is called.
    first = fold.index("WITH ") + len("WITH ")
    return head, f"{fold[:first]}judged AS (\n{sql}\n),\n{fold[first:]}"


def ask_rules(bench, roots, only):
    paths = {path.name[:5]: path for root in roots for path in sorted((root / "queries/rules").glob("*.sql"))}
    for code, path in sorted(paths.items()):
        if only and code not in only:
            continue
        _, sql = rule_sql(path)
        for key, (_, _, rule) in bench.fixtures.items():
            if rule == code or over(key) in WHOLE:
                bench.ask(key, path.stem, sql)


def judge(tally, bench, engine, answers):
    """Holds an engine's answers against the program's."""
    for key, name in bench.asked:
        if name.startswith("pinned: ") or (engine == "trino" and key not in MADE and name in ("all events", "key of events")):
            continue
        want, have = bench.want(key, name), answers.get((key, name), UNANSWERED)
        part = "events" if name.endswith(" events") or name.startswith("key of") else "reports" if name.endswith(".sql") else "rules"
        folder = bench.fixtures[key][0]
        title = f"{name} over " + (f"{folder.parent.name}/{folder.name}" if over(key) == "rules" else key)
        if isinstance(want, str):
            tally.note(f"{engine} {part}", title, False, want)
            continue
        # A question that failed for want of a relation: what that relation failed of.
        broken = [text for step, text in answers.items() if step[0] in (key, "shared") and step not in bench.asked and isinstance(text, str)]
        if isinstance(have, str):
            tally.note(f"{engine} {part}", title, False, (broken or [have])[0][:700])
            continue
        names = [column for column, _ in want[0] if column not in NOT_COMPARED]
        lines = differences(want[1], have[1], names, LIMIT)
        for (column, kind), (other, found) in zip(want[0], have[0]):
            if column != other or not alike(kind, found):
                lines.append(f"column {column} {kind} is {other} {found}")
        tally.note(f"{engine} {part}", title, not lines, "\n        ".join(lines) or f"{len(want[1])} rows")


def alike(kind, found):
    """Whether a column's type in bedtrail is the engine's."""
    found = found.upper()
    numbers = ("DECIMAL", "DOUBLE", "REAL", "FLOAT")
    return {
        "text": found.startswith(("VARCHAR", "CHAR", "UNKNOWN", "STRING", "NULL", "JSON", '"NULL"')),
        "bool": found.startswith(("BOOL", "UNKNOWN")),
        "int": found.startswith(("BIGINT", "HUGEINT", "INT", "SMALLINT", "TINYINT", "DECIMAL(38", "NUMBER")),
        "time": found.startswith(("TIMESTAMP", "DATETIME")),
    }.get(kind, found.startswith(numbers) or found.startswith("DATE") or True)


PARTS = ["parse", "pinned", "events", "reports", "rules"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bedtrail", default=str(ROOT / "target/debug/bedtrail"), help="the program")
    arguments.add_argument("--only", action="append", choices=PARTS)
    arguments.add_argument("--over", action="append", choices=OVER, help="only over these records")
    arguments.add_argument("--rule", action="append", help="only rules of these codes")
    arguments.add_argument("--report", action="append", help="only reports of these names")
    arguments.add_argument("--more", action="append", default=[], type=Path, help="another checkout whose rules are held too")
    arguments.add_argument("--trino", metavar="CLASSPATH", help="run on Trino too (tests/athena/trino.sh gives this)")
    arguments.add_argument("--again", action="store_true", help="ask Trino also what it has answered before, of the same SQL over the same rows")
    arguments.add_argument("--verbose", action="store_true")
    given = arguments.parse_args()
    tally = Tally(given.verbose)
    only = given.only or PARTS
    if generate.OUTPUT.read_text() != generate.generated():
        tally.note("generate", "queries/athena/events.sql", False, "is out of date: run tests/athena/generate.py")
    if "parse" in only:
        parse(tally, [ROOT, *given.more])
    if only == ["parse"]:
        finish(tally)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Bedtrail(given.bedtrail), folder, given.over or OVER, given.more, bool(given.trino))
        if "pinned" in only:
            ask_pinned(bench)
        if "events" in only:
            ask_events(bench)
        if "reports" in only:
            ask_reports(bench, given.report)
        if "rules" in only:
            ask_rules(bench, [ROOT, *given.more], given.rule)
        engines = {"duckdb": lambda: (run_duckdb(bench.batch), 0)}
        if given.trino:
            engines["trino"] = lambda: run_trino(bench.batch, given.trino, given.again)
        for engine, run in engines.items():
            answers, tally.kept[engine] = run()
            judge(tally, bench, engine, answers)
            if "pinned" in only:
                judge_pinned(tally, bench, engine, answers)
    finish(tally)


def finish(tally):
    """Prints what was equal, part by part, and ends."""
    print()
    for part in dict.fromkeys(line[0] for line in tally.lines):
        lines = [line for line in tally.lines if line[0] == part]
        unlike = [line[1] for line in lines if not line[2] and line[3] != UNANSWERED]
        unanswered = [line[1] for line in lines if not line[2] and line[3] == UNANSWERED]
        told = f"{part:15} {len(lines) - len(unlike) - len(unanswered)} of {len(lines)} equal"
        for names, word in ((unlike, "unequal"), (unanswered, "not answered")):
            told += f"; {len(names)} {word}: {', '.join(names)}" if names else ""
        print(told)
        # Equal as they are, these say nothing.
        full = {line[1].split(" over ")[0] for line in lines if line[3] != "0 rows"}
        if empty := sorted({line[1].split(" over ")[0] for line in lines} - full):
            print(f"{part:15} without a row anywhere: {', '.join(empty)}")
    for engine, count in tally.kept.items():
        if count:
            print(f"{engine} had answered {count} of these questions in an earlier run: the same SQL over the same rows")
    sys.exit(1 if tally.failed else 0)


if __name__ == "__main__":
    main()
