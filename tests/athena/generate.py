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
RUST_SHOWN = ROOT / "src/event/content/shown.rs"
RUST_OUTCOME = ROOT / "src/event/outcome.rs"

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
        "denials": "|".join(rust_list(RUST_OUTCOME, "DENIALS")),
        "refusals": "|".join(rust_list(RUST_OUTCOME, "REFUSALS")),
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


def shape(signs, longest):
    """Whether a value is a number, true, false, or a text of these signs only; as src/event/content/shape.rs, for `value`."""
    return (
        rf"""(regexp_like(@value, '\A"[{signs}]*"\z') AND length(@value) <= {longest}"""
        rf""" OR regexp_like(@value, '\A[^"{{\[]') AND length(@value) <= 256)"""
    )


def redacted(text, asked):
    """As redact() of src/event/content.rs: token by token, with the depth of what is open, as no regular expression can.
    `asked` tells the request and answer from what AWS adds to them."""
    names = {name: rust_list(RUST_CONTENT, name) for name in ("CONTENT", "KNOWN")}
    names |= {name: rust_list(RUST_SHOWN, name) for name in
              ("ADDED", "ENDPOINT", "NUMBERS", "KINDS", "LISTS", "WORDED", "SAID", "NAMES", "PARTS", "SHOWN", "HIDDEN")}
    parts, shown = names["PARTS"], names["SHOWN"]
    raw = rf"""regexp_extract(x, '\A"((?:[^"\\]|\\.)*)"\s*:', 1)"""
    token = a_row(rf"""
        txt VARCHAR: x
        name VARCHAR: CASE WHEN strpos({raw}, '\') > 0 THEN json_extract_scalar('["' || {raw} || '"]', '$[0]') ELSE {raw} END
        head VARCHAR: COALESCE(regexp_extract(x, '\A{STRING}\s*:\s*'), '')
        colon VARCHAR: COALESCE(regexp_extract(x, '\A{STRING}(\s*:\s*)', 1), '')
        val VARCHAR: substr(x, length(COALESCE(regexp_extract(x, '\A{STRING}\s*:\s*'), '')) + 1)
    """)
    value = "k.val"
    kept = ", ".join(quote(one) for one in ["null", *names["HIDDEN"]])
    length = f"length(to_utf8({value})) - CASE WHEN starts_with({value}, '\"') THEN 2 ELSE 0 END"
    word = shape("A-Za-z0-9._:/@%+=,|*$-", 258)
    long = rf"""(regexp_like(@value, '\A"(?:arn:|s3://)[A-Za-z0-9._:/@%+=,|*$-]*"\z') AND length(@value) <= 2050)"""
    plain = f"({word} OR {long})".replace("@value", value)
    # What the name of a member is: content, what may be shown of whom, none of an API's. All are told apart once.
    mine = ("KNOWN", "ENDPOINT") if asked else ("ADDED", "ENDPOINT")
    others = sorted({name for part in ("KNOWN", "ADDED", "ENDPOINT", "NAMES") for name in names[part]}
                    - set(names["CONTENT"]) - {name for part in mine for name in names[part]})
    both = set(names[mine[0]]) & set(names[mine[1]])
    kinds = [("b", sorted(both)), ("m", sorted(set(names[mine[0]]) - both)), ("e", sorted(set(names[mine[1]]) - both)),
             ("c", names["CONTENT"]), ("n", others)]
    kind = " ".join(f"WHEN k.name IN ({', '.join(quote(one) for one in list)}) THEN '{sign}'" for sign, list in kinds)
    ranked = a_row(f"""
        txt VARCHAR: k.txt
        name VARCHAR: k.name
        head VARCHAR: k.head
        colon VARCHAR: k.colon
        val VARCHAR: k.val
        kind VARCHAR: CASE {kind} ELSE '' END
        plain BOOLEAN: {plain}
        fits BOOLEAN: CASE WHEN {inside('k.name', names["NUMBERS"])} THEN {shape("0-9.eE+-", 26)} WHEN {inside('k.name', names["KINDS"])} THEN {shape("A-Za-z0-9_-", 66)} ELSE {plain} END
        worded BOOLEAN: {inside('k.name', names["WORDED"])}
        opens BOOLEAN: substr(k.txt, -1) IN ('{{', '[') AND (k.name IS NOT NULL OR length(k.txt) = 1)
    """.replace("@value", value))
    asks = "e.asks" if asked else "e.family"
    sets = "e.family AND NOT e.asks" if asked else "FALSE"
    allowed = f"k.kind IN ('b', CASE WHEN {asks} THEN 'm' ELSE 'e' END)"
    pair = f"k.name || '=' || replace({value}, chr(34), '')"
    named = (
        f"CASE WHEN {sets} THEN k.kind = 'c' OR NOT regexp_like(k.name, '\\A[A-Za-z0-9._:/-]{{1,64}}\\z')"
        f" OR NOT (k.opens OR k.worded OR k.plain)"
        f" WHEN {value} = '{{' THEN NOT {allowed} WHEN {value} = '[' THEN NOT ({allowed} AND {inside('k.name', names['LISTS'])})"
        f" ELSE NOT ({allowed} AND (k.worded OR k.fits))"
        f" AND NOT {inside(pair, names['SAID'])} END"
    )
    unnamed = f"CASE WHEN {sets} THEN NOT regexp_like(k.name, '\\A[A-Za-z0-9._:/-]{{1,64}}\\z') ELSE k.kind = '' END"
    # `anywhere` says whether the value is hidden outside of parts.
    judged = a_row(f"""
        name VARCHAR: k.name
        head VARCHAR: k.head
        colon VARCHAR: k.colon
        val VARCHAR: k.val
        cut VARCHAR: CASE WHEN {value} IN ({kept}) OR (k.name IS NULL AND NOT starts_with({value}, '"')) OR (k.name IS NULL AND k.plain) THEN {value} ELSE {BYTES.format(length)} END
        size BIGINT: length(to_utf8(k.txt))
        opens BOOLEAN: k.opens
        closes BOOLEAN: k.txt IN ('}}', ']')
        is_object BOOLEAN: {value} = '{{' AND strpos(k.name, '.') = 0
        plain BOOLEAN: k.plain
        rpc BOOLEAN: {inside('k.name', ['jsonrpc', 'method'])} AND {value} <> 'null'
        anywhere BOOLEAN: k.name IS NOT NULL AND {named}
        unnamed BOOLEAN: k.name IS NOT NULL AND {unnamed}
    """)
    # A body is written both ways until it is known whether it is a message: `held` is the message, `length` the other.
    full = "s.part || '.' || t.name"
    outer = [part for part in parts if "." not in part and part != "body"]
    begins = f"COALESCE(t.is_object AND t.name = 'body' AND s.hidden = 0 AND s.part = '' AND NOT ({sets}), FALSE)"
    enters = (
        f"COALESCE(t.is_object AND s.hidden = 0 AND CASE WHEN s.part <> '' THEN {inside(full, parts)}"
        f" ELSE {inside('t.name', outer) + ' AND e.family' if not asked else 'FALSE'} END, FALSE)"
    )
    hides = (
        f"s.hidden = 0 AND t.name IS NOT NULL AND NOT {begins} AND NOT {enters} AND CASE WHEN s.part <> ''"
        f" THEN t.opens OR NOT t.plain OR strpos(t.name, '.') > 0 OR NOT {inside(full, shown)} ELSE t.anywhere END"
    )
    ends_hidden = "t.closes AND s.hidden > 0 AND s.depth = s.hidden"
    ends_part = "t.closes AND s.hidden = 0 AND s.part <> '' AND s.depth = s.part_depth"
    ends_body = "t.closes AND s.body > 0 AND s.depth = s.body"
    label = "CASE WHEN t.unnamed THEN '\"<hidden ' || CAST(s.unnamed + 1 AS VARCHAR) || '>\"' || t.colon ELSE t.head END"
    said = (
        f"CASE WHEN {ends_hidden} THEN {BYTES.format('s.size + 1')} WHEN s.hidden > 0 THEN ''"
        f" WHEN t.name IS NULL THEN t.cut WHEN {hides} THEN {label} || CASE WHEN t.opens THEN '' ELSE t.cut END ELSE {label} || t.val END"
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
        unnamed BIGINT: CASE WHEN {ends_body} AND NOT s.rpc THEN s.before WHEN s.hidden = 0 AND t.unnamed THEN s.unnamed + 1 ELSE s.unnamed END
        before BIGINT: CASE WHEN {begins} THEN s.unnamed ELSE s.before END
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
        unnamed BIGINT: 0
        before BIGINT: 0
    """)
    # Most texts are a few plain words, and are not taken apart.
    words = ("agentAliasId|agentId|knowledgeBaseId|model|modelId|sessionId", "callWithBearerToken|stream", "max_tokens")
    if not asked:
        words = ("inferenceRegion|parentRequestId|targetId", "callWithBearerToken", "inputTokens|outputTokens")
    ids, flags, counts = words
    flat = (
        rf"""regexp_like({text}, '\A\{{(?:\s*(?:"(?:{ids})"\s*:\s*"[A-Za-z0-9._:/-]{{0,200}}"|"(?:{flags})"\s*:\s*(?:true|false)"""
        rf"""|"(?:{counts})"\s*:\s*[0-9]{{1,18}})\s*[,}}])*\z')"""
    )
    quick = "e.asks" if asked else "e.family"
    return (
        f"CASE WHEN {text} IS NULL OR NOT (e.family OR e.refused) OR {text} IN ({kept}) OR ({quick} AND {flat}) THEN {text}"
        f" WHEN NOT regexp_like({text}, '\\A\\s*\\{{') AND NOT ({sets}) THEN {BYTES.format(f'length(to_utf8(trim({text}))) - CASE WHEN starts_with(trim({text}), chr(34)) THEN 2 ELSE 0 END')}"
        f" ELSE reduce(transform(transform(transform(regexp_extract_all({text}, {quote(TOKEN)}), x -> {token}), k -> {ranked}), k -> {judged}),"
        f" {start}, (s, t) -> {state}, s -> s.out) END"
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
        "asked": lambda text: redacted(text, True),
        "added": lambda text: redacted(text, False),
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
