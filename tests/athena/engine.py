#!/usr/bin/env python3
"""`--engine athena` end to end: every report and rule of an audit, asked of a small Athena (service.py) and of this machine.

    engine.py --bedtrail PATH [--only NAME] [--keep DIR]

The statements are the program's own, as it would send them to AWS; DuckDB runs them. Exits 1 if a row differs that should not:
what rests on the ledger of log objects is not assessed in Athena, and nothing else may be. Needs sqlglot and duckdb (PyPI).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import corpora
import records
from service import Athena, Server

ROOT = Path(__file__).resolve().parents[2]
WINDOW = ["--from", "2020-01-01", "--to", "2030-01-01"]
ACME = ROOT / "fixtures/policy.toml"
OPAQUE = "fixtures/rules/BT008-model-opaque/fires"
SINCE = ["--from", "2026-10-05T08:01:30Z"]
THERE = "athena:logs.cloudtrail"


def versions(folder):
    """Two versions of the policy, the second with fewer grants, another alias and more waivers."""
    acme = ACME.read_text()
    (folder / "a.toml").write_text(acme.replace('version = "2026.11"', 'version = "2026.10"'))
    later = acme.replace("effective_from = 2026-10-01", "effective_from = 2026-10-15").replace("claims-bot\"]", "claims-bot-2\"]")
    waiver = """
[[waiver]]
id = "W-{0}"
rules = [{1}]
match = "{2}"
owner = "genai-platform@acme.example"
approver = "ciso@acme.example"
reason = "it's known; 100% of it"
created = 2026-10-01
expires = 2026-12-31
retroactive = true
"""
    later += waiver.format(1, '"BT001"', "regexp_like(principal, 'claims-bot') AND event_time >= TIMESTAMP '2026-10-16 00:00:00'")
    later += waiver.format(2, '"BT009", "BT035"', "aws_region = 'us-east-1' OR source_ip IS NULL")
    (folder / "b.toml").write_text(later)
    return folder


def aliases(folder):
    """What stands behind a reference, by each version of a policy."""
    profile = "arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/z9y8x7w6v5u4"
    for version, since, model in (("1", "2026-01-01", "amazon.nova-pro-v1:0"), ("2", "2026-10-05", "amazon.nova-micro-v1:0")):
        text = f'schema = 1\nname = "it\'s"\nversion = "{version}"\neffective_from = {since}\n[aliases]\n"{profile}" = "{model}"\n'
        (folder / f"{version}.toml").write_text(text)
    return folder


def large(folder):
    """A policy whose grants alone are longer than a statement may be."""
    grant = '\n[[allow]]\nid = "team-{0}"\nroles = ["arn:aws:iam::111122223333:role/team-{0}-*"]\nmodels = ["anthropic.*"]\npurpose = "{1}"\n'
    policy = folder / "policy.toml"
    policy.write_text(ACME.read_text() + "".join(grant.format(number, "it's a purpose " * 10) for number in range(2000)))
    return policy


def logged(folder):
    """A model-invocation log of the trail's calls: one in five is missing, one in seven counts otherwise, one is of no call."""
    lines = []
    for number, row in enumerate(records.rows(ROOT / "fixtures/trail", ROOT)):
        if row.get("eventname") not in ("Converse", "ConverseStream", "InvokeModel") or "requestid" not in row or number % 5 == 0:
            continue
        tokens = json.loads(row.get("additionaleventdata") or "{}").get("inputTokens") or 40
        lines.append({
            "schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": row["eventtime"], "accountId": row["recipientaccountid"],
            "region": row["awsregion"], "requestId": row["requestid"], "operation": row["eventname"],
            "modelId": json.loads(row.get("requestparameters") or "{}").get("modelId"),
            "input": {"inputTokenCount": tokens + (number % 7 == 0)}, "output": {"outputTokenCount": 10},
        })
    lines.append({**lines[-1], "requestId": "of-no-call"})
    (folder / "log.json").write_text("\n".join(map(json.dumps, lines)))
    return ["--invocation-logs", str(folder / "log.json")]


# (name, records, policy or what writes one, more arguments or what makes them, columns that the table lacks)
CASES = [
    ("trail", "fixtures/trail", ACME, [], ()),
    ("agents", "fixtures/agents/AWSLogs", ROOT / "fixtures/agents/policy.toml", [], ()),
    ("odd", "tests/athena/odd", None, [], ()),
    ("rules", "fixtures/rules", ACME, [], ()),
    ("versions", "fixtures/trail", versions, [], ()),
    ("aliases", OPAQUE, aliases, [], ()),
    # What a profile stands for was recorded before the window.
    ("history", OPAQUE, None, [*SINCE, "--history", OPAQUE], ()),
    ("history there", OPAQUE, None, [*SINCE, "--history", THERE], ()),
    # Service events and an update lie across the edge of the window from what they tell of.
    ("before", "tests/athena/edge", None, ["--from", "2026-10-01", "--to", "2026-10-05T12:00:00Z"], ()),
    ("after", "tests/athena/edge", None, ["--from", "2026-10-05T12:00:00Z", "--to", "2026-10-08"], ()),
    ("large", "fixtures/trail", large, [], ()),
    ("invocation log", "fixtures/trail", ACME, logged, ()),
    # What rests on what the table lacks is not assessed, and every other rule finds what it finds.
    ("without columns", "fixtures/trail", ACME, [], ("errorcode", "vpcendpointid", "sessioncredentialfromconsole")),
]
# What Athena cannot show: the objects of the ledger, and the place of a record in one.
LEDGER = {"coverage", "population", "not-assessed"}
# What only rules fill: all that is compared where the table lacks columns, which other reports show as null.
OF_RULES = {"rules", "violations"}


def run(program, arguments, environment=None):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BEDTRAIL_"))}
    clean |= {"BEDTRAIL_NOW": "2026-11-01T00:00:00Z"} | (environment or {})
    done = subprocess.run([program, *arguments], cwd=ROOT, env=clean, capture_output=True, text=True)
    if done.returncode not in (0, 1, 3):
        sys.exit(f"bedtrail {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    return done


def reports(folder):
    """The rows of each report that an audit wrote."""
    found = {}
    for path in sorted(Path(folder).glob("*.json")):
        if path.name != "manifest.json":
            document = json.loads(path.read_text())
            for report in document["reports"]:
                found[report["name"]] = report["rows"]
    return found


def without_place(row):
    """A row without the places of records in their objects, which Athena does not show."""
    return {name: value for name, value in row.items() if name not in ("sample_records", "log_index")}


def unassessed(found, why):
    """The rules that are not assessed for a reason with these words."""
    return {row["rule_id"] for row in found["rules"] if why in (row.get("reason") or "")}


def rests(row, skipped):
    """Whether a row is of a rule that needs the ledger, or of a control that such a rule supports."""
    return row.get("rule_id") in skipped or bool(skipped & set((row.get("rules") or "").split()))


def differences(ours, theirs, without):
    ledger, lacking = unassessed(theirs, "ledger of log objects"), unassessed(theirs, "the table has no column")
    skipped = ledger | lacking
    lines = []
    if bool(without) != bool(lacking):
        lines.append(f"rules: {len(lacking)} are not assessed for want of a column")
    if sorted(ours) != sorted(theirs):
        lines.append(f"reports {sorted(ours)} and {sorted(theirs)}")
    for name in sorted(set(ours) & set(theirs) & (OF_RULES if without else set(ours)) - LEDGER):
        kept = [[without_place(row) for row in rows if not rests(row, skipped)] for rows in (ours[name], theirs[name])]
        if len(kept[0]) != len(kept[1]):
            lines.append(f"{name}: {len(kept[0])} rows here, {len(kept[1])} in Athena")
        for number, (one, other) in enumerate(zip(*kept)):
            unlike = [column for column in one if same(one[column]) != same(other.get(column))]
            for column in unlike[:3]:
                lines.append(f"{name}, row {number}, {column}: {one[column]!r} here, {other.get(column)!r} in Athena ({one.get('rule_id', '')})")
    return lines, ledger, lacking


def same(value):
    return round(value, 9) if isinstance(value, float) else value


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bedtrail", default=str(ROOT / "target/debug/bedtrail"), help="the program")
    arguments.add_argument("--only", action="append", help="only these cases")
    given = arguments.parse_args()
    failed = False
    generated = [(name, str(logs), ACME, [], ()) for name, logs in corpora.write(given.bedtrail)]
    for case in [*CASES, *generated]:
        if not given.only or case[0] in given.only:
            failed |= differs(given.bedtrail, *case)
    sys.exit(failed)


def differs(program, name, folder, policy, more, without):
    """Whether a case differs; how is printed."""
    with tempfile.TemporaryDirectory() as out, tempfile.TemporaryDirectory() as written:
        policy = policy(Path(written)) if callable(policy) else policy
        more = more(Path(written)) if callable(more) else more
        window = [] if "--from" in more else WINDOW
        common = [*window, "--format", "json", "--quiet", *(["--policy", str(policy)] if policy else []), *more]
        here = [folder if argument == THERE else argument for argument in common]
        run(program, ["audit", "-s", folder, "--out", f"{out}/here", *here])
        athena = Athena(ROOT / folder, without)
        server = Server(athena)
        asked = ["audit", "--engine", "athena", "-s", THERE, "--out", f"{out}/there", *common]
        done = run(program, asked, server.environment())
        server.close()
        lines, ledger, lacking = differences(reports(f"{out}/here"), reports(f"{out}/there"), without)
        told = json.loads((Path(out) / "there/manifest.json").read_text())["athena"]
    lines += [line for line in done.stderr.splitlines() if "could not be run" in line]
    lines += [f"{state} {reason}" for state, reason, _ in athena.queries.values() if state != "SUCCEEDED"]
    lines += [f"the table {table} was left" for table in athena.tables] + [f"{key} was left" for key in athena.objects]
    if not all(query["execution_id"] in athena.queries for query in told["queries"]):
        lines.append("the manifest names queries that were not run")
    print(f"{name}: {len(told['queries'])} queries, the longest of {athena.longest} bytes; "
          f"not assessed for want of a ledger: {', '.join(sorted(ledger)) or 'none'}; "
          + (f"for want of columns: {', '.join(sorted(lacking))}; " if lacking else "")
          + ("all rows equal" if not lines else f"{len(lines)} differences"), flush=True)
    tally = {}
    for line in lines:
        tally[line.split(",")[0].split(":")[0]] = tally.get(line.split(",")[0].split(":")[0], 0) + 1
    if lines:
        print("  by report: " + ", ".join(f"{name} {count}" for name, count in sorted(tally.items())))
    for line in lines[:60]:
        print(f"  {line[:600]}")
    return bool(lines)


if __name__ == "__main__":
    main()
