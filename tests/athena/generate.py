#!/usr/bin/env python3
"""Writes queries/athena/events.sql: the template with its macros expanded and the lookup tables of queries/ put in.

    generate.py           writes the file
    generate.py --check   fails if the file is not what would be written

In the template `@name` is a lookup and `@name(…)` a macro; arguments of macros hold no parentheses of their own unless
said otherwise. `$name` is left for whoever runs the SQL. Needs Python 3.11 and nothing else.
"""

import csv
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "queries/athena/events.template.sql"
OUTPUT = ROOT / "queries/athena/events.sql"
# Where Rust has MORE_VENDORS and SCOPES, and what is content.
RUST_MODEL = ROOT / "src/event/model.rs"
RUST_CONTENT = ROOT / "src/event/content/names.rs"

ARN = r"arn:[^:\n]+:[^:\n]+:[^:\n]*:[^:\n]*:"


def quote(text):
    return "'" + text.replace("'", "''") + "'"


def rust_list(path, name):
    """The strings of a `const NAME: &[&str] = &[…];` in Rust source: one source of truth, read where it stands."""
    body = re.search(rf"const {name}: &\[&str\] =\s*&\[(.*?)\];", path.read_text(), re.S).group(1)
    return [re.sub(r'\\(.)', r"\1", text) for text in re.findall(r'"((?:[^"\\]|\\.)*)"', body)]


def rows(name):
    with open(ROOT / "queries/data" / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def words(values, indent, width=110):
    """A comma-separated list broken into lines."""
    lines, line = [], ""
    for index, value in enumerate(values):
        part = value + (", " if index + 1 < len(values) else "")
        if line and len(line) + len(part) > width:
            lines.append(line.rstrip())
            line = ""
        line += part
    lines.append(line)
    return ("\n" + " " * indent).join(lines)


# ---- lookups


def lookups():
    scope = tomllib.loads((ROOT / "queries/scope.toml").read_text())
    wanted = {}
    for entry in scope["wanted"]:
        wanted.setdefault(entry["source"], set()).update(entry["names"])
    wanted = "\n".join(
        f"      OR (w.event_source = {quote(source)} AND w.event_name IN (\n        "
        + words([quote(name) for name in sorted(names)], 8)
        + "\n      ))"
        for source, names in sorted(wanted.items())
    )
    catalogue = {}
    for row in rows("event-catalogue.csv"):
        catalogue.setdefault((row["event_source"], row["surface"], row["activity"]), []).append(row["event_name"])
    catalogue = ",\n".join(
        f"      ({quote(source)}, {quote(surface)}, {quote(activity)}, {quote(' '.join(names))})"
        for (source, surface, activity), names in sorted(catalogue.items())
    )
    vendors = {row["model_id"].split(".")[0] for row in rows("models.csv")} | set(rust_list(RUST_MODEL, "MORE_VENDORS"))
    # Most telling first, as client::patterns sorts them.
    clients = []
    for row in rows("clients.csv"):
        if row["id"]:
            text, _, rest = row["pattern"].partition("*") if row["match"] == "glob" else (row["pattern"], "", "")
            clients.append((int(row["rank"]), -len(text), text, row["match"], rest, row["id"]))
    clients.sort()
    ua, cases = "c.user_agent", []
    for number, (_, length, text, kind, rest, _) in enumerate(clients, 1):
        test = {
            "exact": f"{ua} = {quote(text)}",
            "prefix": f"starts_with({ua}, {quote(text)})",
            "contains": f"strpos({ua}, {quote(text)}) > 0",
            "glob": f"starts_with({ua}, {quote(text)}) AND strpos(substr({ua}, {1 - length}), {quote(rest)}) > 0",
        }[kind]
        cases.append(f"      WHEN {test} THEN {number}")
    inside = [max((text.rfind(sign) for sign in "/ #"), default=-1) for _, _, text, _, _, _ in clients]
    return {
        "family": ", ".join(quote(source) for source in sorted(scope["family"])),
        "alias": "\n".join(
            f"      WHEN w.event_source = {quote(source)} THEN {quote(meant)}" for source, meant in sorted(scope["alias"].items())
        ),
        "wanted": wanted,
        "makers": sorted(scope["made_by"]),
        "users": sorted(scope["users"]),
        "run_time": ", ".join(quote(one) for one in rust_list(RUST_CONTENT, "RUN_TIME")),
        "endpoint_error": quote(scope["at_endpoint"]["error_code"]),
        "endpoint_sources": ", ".join(quote(source) for source in scope["at_endpoint"]["sources"]),
        "catalogue": catalogue,
        "vendors": "|".join(sorted(vendors, key=lambda vendor: (-len(vendor), vendor))),
        "scopes": "|".join(sorted(rust_list(RUST_MODEL, "SCOPES"), key=lambda scope: (-len(scope), scope))),
        "client_rank": "\n".join(cases),
        "client_ids": words([quote(client[5]) for client in clients], 6),
        "client_texts": words([quote(client[2]) for client in clients], 6),
        "client_contained": ", ".join(str(n) for n, client in enumerate(clients, 1) if client[3] == "contains"),
        # Where, from 1, the version begins in the pattern itself; 0 where it holds no separator.
        "client_insides": words([str(at + 2 if at >= 0 else 0) for at in inside], 6),
        "client_lengths": words([str(-client[1]) for client in clients], 6),
        "octet": "(?:0{0,2}[0-9]|0?[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])",
        "ipv6": ipv6(),
        "entries": entries("k.service"),
    }


def ipv6():
    word = "[0-9a-f]{1,4}"
    forms = [f"(?:{word}:){{7}}{word}", f"(?:{word}:){{1,7}}:", f":(?::{word}){{1,7}}", "::"]
    forms += [f"(?:{word}:){{1,{7 - n}}}(?::{word}){{1,{n}}}" for n in range(1, 7)]
    return "(?:" + "|".join(forms) + ")"


def entries(column):
    """Where a service event's twin keeps its tokens: the first of these that is there."""
    paths = [f"{holder}.{name}" for holder in ("AdditionalEventData", "additionalEventData")
             for name in ("additionalEntries", "AdditionalEntries")]
    paths += ["additionalEntries", "AdditionalEntries", "AdditionalEventData", "additionalEventData"]
    return "COALESCE(" + ", ".join(f"NULLIF(json_format(json_extract({column}, '$.{path}')), 'null')" for path in paths) + ")"


# ---- what callers put in by hand

STRING = r'"(?:[^"\\]|\\.)*"'
# A member with its value, or with the bracket that opens it; a string; a bracket; all between these.
TOKEN = rf'{STRING}\s*:\s*(?:[{{\[]|{STRING}|[^"{{}}\[\],\s]+)?|{STRING}|[{{}}\[\]]|[^"{{}}\[\]]+|"'
BYTES = "'\"<' || CAST({} AS VARCHAR) || ' bytes>\"'"


def a_row(fields):
    """A ROW of `name TYPE: value` lines."""
    pairs = [line.strip().split(": ", 1) for line in fields.strip().split("\n")]
    return "CAST(ROW(" + ", ".join(value for _, value in pairs) + ") AS ROW(" + ", ".join(name for name, _ in pairs) + "))"


def inside(name, names):
    return f"COALESCE({name} IN ({', '.join(quote(one) for one in names)}), FALSE)"


def redacted(text, asks="FALSE"):
    """As redact() of src/event/content.rs: token by token, with the depth of what is open, as no regular expression can.
    Where `asks` is true, what is not known is content."""
    content, known, parts, shown = (rust_list(RUST_CONTENT, name) for name in ("CONTENT", "KNOWN", "PARTS", "SHOWN"))
    outer = [part for part in parts if "." not in part and part != "body"]
    raw = rf"""regexp_extract(x, '\A"((?:[^"\\]|\\.)*)"\s*:', 1)"""
    token = a_row(rf"""
        txt VARCHAR: x
        name VARCHAR: CASE WHEN strpos({raw}, '\') > 0 THEN json_extract_scalar('["' || {raw} || '"]', '$[0]') ELSE {raw} END
        head VARCHAR: COALESCE(regexp_extract(x, '\A{STRING}\s*:\s*'), '')
    """)
    value = "substr(k.txt, length(k.head) + 1)"
    kept = ", ".join(quote(one) for one in ["null", *rust_list(RUST_CONTENT, "HIDDEN")])
    length = f"length(to_utf8({value})) - CASE WHEN starts_with({value}, '\"') THEN 2 ELSE 0 END"
    named = inside("k.name", content)
    if asks != "FALSE":
        named = f"k.name IS NOT NULL AND CASE WHEN {asks} THEN NOT {inside('k.name', known)} ELSE {named} END"
    # `anywhere` says whether the value is hidden outside of parts.
    judged = a_row(f"""
        txt VARCHAR: k.txt
        name VARCHAR: k.name
        head VARCHAR: k.head
        cut VARCHAR: CASE WHEN k.name IS NULL OR {value} IN ({kept}) THEN k.txt ELSE k.head || {BYTES.format(length)} END
        size BIGINT: length(to_utf8(k.txt))
        opens BOOLEAN: substr(k.txt, -1) IN ('{{', '[')
        closes BOOLEAN: k.txt IN ('}}', ']')
        is_object BOOLEAN: {value} = '{{' AND strpos(k.name, '.') = 0
        rpc BOOLEAN: {inside('k.name', ['jsonrpc', 'method'])} AND {value} <> 'null'
        anywhere BOOLEAN: {named}
    """)
    # A body is written both ways until it is known whether it is a message: `held` is the message, `length` the other.
    full = "s.part || '.' || t.name"
    begins = "COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '', FALSE)"
    enters = (
        f"COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN {inside(full, parts)}"
        f" ELSE t.name IN ({', '.join(quote(part) for part in outer)}) AND NOT {asks} END, FALSE)"
    )
    hides = (
        f"s.hidden = 0 AND t.name IS NOT NULL AND NOT {begins} AND NOT {enters} AND CASE WHEN s.part <> ''"
        f" THEN t.opens OR strpos(t.name, '.') > 0 OR NOT {inside(full, shown)} ELSE t.anywhere END"
    )
    ends_hidden = "t.closes AND s.hidden > 0 AND s.depth = s.hidden"
    ends_part = "t.closes AND s.hidden = 0 AND s.part <> '' AND s.depth = s.part_depth"
    ends_body = "t.closes AND s.body > 0 AND s.depth = s.body"
    said = (
        f"CASE WHEN {ends_hidden} THEN {BYTES.format('s.size + 1')} WHEN s.hidden > 0 THEN ''"
        f" WHEN {hides} THEN CASE WHEN t.opens THEN t.head ELSE t.cut END ELSE t.txt END"
    )
    body = f"CASE WHEN s.rpc THEN s.held || '}}' ELSE {BYTES.format('s.length + 1')} END"
    state = a_row(f"""
        out VARCHAR: s.out || CASE WHEN {begins} THEN t.head WHEN {ends_body} THEN {body} WHEN s.body > 0 THEN '' ELSE {said} END
        held VARCHAR: CASE WHEN {begins} THEN '{{' WHEN s.body > 0 THEN s.held || {said} ELSE '' END
        rpc BOOLEAN: s.body > 0 AND (s.rpc OR (t.rpc AND s.depth = s.body))
        length BIGINT: CASE WHEN {begins} THEN 1 WHEN s.body > 0 THEN s.length + t.size ELSE 0 END
        size BIGINT: CASE WHEN s.hidden > 0 THEN s.size + t.size ELSE 1 END
        depth BIGINT: s.depth + CASE WHEN t.opens THEN 1 WHEN t.closes THEN -1 ELSE 0 END
        hidden BIGINT: CASE WHEN {ends_hidden} THEN 0 WHEN s.hidden > 0 THEN s.hidden WHEN t.opens AND {hides} THEN s.depth + 1 ELSE 0 END
        body BIGINT: CASE WHEN {ends_body} THEN 0 WHEN s.body > 0 THEN s.body WHEN {begins} THEN s.depth + 1 ELSE 0 END
        part VARCHAR: CASE WHEN {ends_part} THEN COALESCE(regexp_extract(s.part, '\\A(.*)[.][^.]*\\z', 1), '') WHEN {begins} THEN 'body' WHEN NOT {enters} THEN s.part WHEN s.part = '' THEN t.name ELSE {full} END
        part_depth BIGINT: CASE WHEN {ends_part} THEN s.part_depth - 1 WHEN {begins} OR {enters} THEN s.depth + 1 ELSE s.part_depth END
    """)
    start = a_row("""
        out VARCHAR: ''
        held VARCHAR: ''
        rpc BOOLEAN: FALSE
        length BIGINT: 0
        size BIGINT: 0
        depth BIGINT: 0
        hidden BIGINT: 0
        body BIGINT: 0
        part VARCHAR: ''
        part_depth BIGINT: 0
    """)
    # Most texts have nothing to hide, and are not taken apart. An escaped quote could make a longer name look like a known one.
    touched = rf"""strpos({text}, '\u00') > 0 OR regexp_like({text}, '"(?:{"|".join(content)})"\s*:')"""
    if asks != "FALSE":
        strange = (
            rf"""strpos({text}, '\') > 0 OR cardinality(regexp_extract_all({text}, '"\s*:'))"""
            rf""" > cardinality(regexp_extract_all({text}, '"(?:{"|".join(known)})"\s*:'))"""
        )
        touched = f"CASE WHEN {asks} THEN {strange} ELSE {touched} END"
    return (
        f"CASE WHEN e.family AND ({touched})"
        f" THEN reduce(transform(transform(regexp_extract_all({text}, {quote(TOKEN)}), x -> {token}), k -> {judged}),"
        f" {start}, (s, t) -> {state}, s -> s.out) ELSE {text} END"
    )


# ---- macros


def members(text):
    """`a=x, b={c=y}` as pairs."""
    pairs, depth, start = [], 0, 0
    for at, sign in enumerate(text + ","):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            name, _, value = text[start:at].strip().partition("=")
            pairs.append((name, value))
            start = at + 1
    return pairs


def an_object(text):
    """A JSON object of the members that are not null; null where none is."""
    parts = []
    for name, value in members(text):
        value = an_object(value[1:-1]) if value.startswith("{") else f"json_format(CAST({value} AS JSON))"
        parts.append(f"'\"{name}\":' || {value}")
    return "NULLIF('{' || array_join(ARRAY[" + ", ".join(parts) + "], ',') || '}', '{}')"


def integer(text):
    """A whole number, written as digits, with a fraction of 0 or an exponent."""
    return (
        rf"CASE WHEN regexp_like({text}, '\A[+-]?[0-9]{{1,18}}\z') THEN CAST({text} AS BIGINT)"
        rf" WHEN regexp_like({text}, '\A[-+0-9.eE]+\z') AND TRY_CAST({text} AS DOUBLE) = floor(TRY_CAST({text} AS DOUBLE))"
        f" AND abs(TRY_CAST({text} AS DOUBLE)) <= 9007199254740992 THEN CAST(TRY_CAST({text} AS DOUBLE) AS BIGINT) END"
    )


def begins(text, heads):
    return "(" + " OR ".join(f"starts_with({text}, {quote(head)})" for head in heads) + ")"


def count(names):
    names = list(dict.fromkeys(name.strip() for name in names.split(",")))
    texts = [f"json_extract_scalar(v.{column}, '$.{name}')" for column in ("additional", "entries") for name in names]
    return "COALESCE(" + ", ".join(texts) + ")"


def macros(found):
    def split(text):
        column, _, path = text.partition(", ")
        return column, path

    def raw_text(text):
        column, path = split(text)
        return f"json_extract_scalar({column}, '$.{path}')"

    return {
        "text": lambda text: f"NULLIF({raw_text(text)}, '')",
        "raw_text": raw_text,
        "arn": lambda kind: f"regexp_extract(arns, '(?:\\A|\\n){ARN}{kind}/([^/:\\n]+)', 1)",
        "whole": lambda kind: f"regexp_extract(arns, '(?:\\A|\\n)({ARN}(?:{kind})/[^/:\\n][^\\n]*)', 1)",
        "inner": lambda kind: f"regexp_extract(arns, '(?:\\A|\\n){ARN}[^/:\\n]*[/:](?:[^/:\\n]*[/:])*?{kind}[/:]([^/:\\n]+)', 1)",
        "int": integer,
        "count": count,
        "either": lambda name: f"COALESCE(NULLIF(json_extract_scalar(e.additional, '$.{name}'), ''), NULLIF(json_extract_scalar(e.entries, '$.{name}'), ''))",
        "made_by": lambda text: begins(text, found["makers"]),
        "made_for_key": lambda text: begins(text, found["users"]),
        "decoded": lambda text: (
            f"CASE WHEN strpos({text}, '%') > 0 AND NOT regexp_like({text}, '%([^0-7]|[0-7][^0-9A-Fa-f]|[0-7]?\\z)')"
            f" THEN url_decode(replace({text}, '+', '%2B')) ELSE {text} END"
        ),
        "object": an_object,
        "redacted": redacted,
        "asked": lambda text: redacted(text, "e.asks"),
    }


def expand(template):
    found = lookups()
    makers = macros(found)
    out, at = [], 0
    for place in re.finditer(r"@([a-z0-9_]+)(\(?)", template):
        if place.start() < at:
            continue
        name, start = place.group(1), place.start()
        if place.group(2) and name in makers:
            end, depth = place.end(), 1
            while depth:
                depth += {"(": 1, ")": -1}.get(template[end], 0)
                end += 1
            out += [template[at:start], makers[name](expand(template[place.end():end - 1]))]
            at = end
        elif name in found:
            out += [template[at:start], found[name]]
            at = place.end() - len(place.group(2))
        else:
            raise SystemExit(f"{TEMPLATE}: there is no @{name}")
    return "".join(out) + template[at:]


def generated():
    template = TEMPLATE.read_text(encoding="utf-8")
    head, body = template.split("\nWITH raw AS (", 1)
    head = head.replace("SOURCE of queries/athena/events.sql, which is made of\n-- this file,", "MADE of queries/athena/events.template.sql,\n--")
    head = head.replace("; never edit that one by hand.", "; never edit it by hand.")
    return head + "\nWITH raw AS (" + expand(body)


if __name__ == "__main__":
    text = generated()
    if "--check" in sys.argv[1:]:
        if not OUTPUT.exists() or OUTPUT.read_text(encoding="utf-8") != text:
            sys.exit(f"{OUTPUT.relative_to(ROOT)} is out of date: run tests/athena/generate.py")
    else:
        OUTPUT.write_text(text, encoding="utf-8")
        print(f"{OUTPUT.relative_to(ROOT)}: {len(text.encode())} bytes")
