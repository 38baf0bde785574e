"""Trino's SQL on DuckDB: what sqlglot does not bring over, in one place.

sqlglot parses every statement as Trino; `duckdb()` then changes the calls whose meaning differs between the engines
into macros (`MACROS`) that mean in DuckDB what Trino's manual says, and writes the rest as DuckDB's SQL.
"""

import functools

import sqlglot
from sqlglot import exp
from sqlglot.dialects import Trino

# Each macro has the behaviour of Trino 435's function of the same name; `t_` keeps them from DuckDB's own.
MACROS = r"""
-- null for objects, arrays, JSON null and text that is no JSON; DuckDB's ->> writes objects out and fails on broken text.
CREATE MACRO t_json_extract_scalar(j, p) AS
  CASE WHEN j IS NULL OR NOT json_valid(j) THEN NULL
       WHEN json_type(j, p) IN ('OBJECT', 'ARRAY', 'NULL') THEN NULL
       ELSE json_extract_string(j, p) END;
CREATE MACRO t_json_extract(j, p) AS CASE WHEN j IS NOT NULL AND json_valid(j) THEN json_extract(j, p) END;
CREATE MACRO t_json_array_length(j) AS
  CASE WHEN j IS NOT NULL AND json_valid(j) AND json_type(j) = 'ARRAY' THEN CAST(json_array_length(j) AS BIGINT) END;
CREATE MACRO t_json_size(j, p) AS
  CASE WHEN j IS NULL OR NOT json_valid(j) THEN NULL
       WHEN json_type(j, p) = 'ARRAY' THEN CAST(json_array_length(j, p) AS BIGINT)
       WHEN json_type(j, p) = 'OBJECT' THEN CAST(len(json_keys(j, p)) AS BIGINT)
       WHEN json_type(j, p) IS NOT NULL THEN 0 END;
CREATE MACRO t_json_array_get(j, i) AS
  CASE WHEN j IS NOT NULL AND json_valid(j) AND json_type(j) = 'ARRAY' THEN
    CASE WHEN json_type(j, '$[' || CAST(i AS VARCHAR) || ']') = 'NULL' THEN NULL ELSE json_extract(j, '$[' || CAST(i AS VARCHAR) || ']') END END;
CREATE MACRO t_json_array_contains(j, v) AS
  CASE WHEN j IS NULL OR NOT json_valid(j) OR json_type(j) <> 'ARRAY' THEN NULL
       ELSE list_contains(CAST(json_extract(j, '$[*]') AS JSON[]), CAST(to_json(v) AS JSON)) END;
CREATE MACRO t_json_format(j) AS CAST(j AS VARCHAR);
CREATE MACRO t_json_parse(j) AS CAST(j AS JSON);
-- null where the pattern does not match; DuckDB gives ''.
CREATE MACRO t_regexp_extract(s, p) AS CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p) END;
CREATE MACRO t_regexp_group(s, p, g) AS CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END;
-- All matches, as Trino does; $1 for groups becomes \1.
CREATE MACRO t_regexp_replace(s, p, r) AS regexp_replace(s, p, regexp_replace(r, '\$([0-9])', '\\\1', 'g'), 'g');
CREATE MACRO t_regexp_all(s, p) AS regexp_extract_all(s, p);
-- Nulls are left out; DuckDB's array_to_string does so too, but gives '' where Trino gives ''.
CREATE MACRO t_array_join(a, s) AS array_to_string(a, s);
CREATE MACRO t_array_join_null(a, s, n) AS array_to_string(list_transform(a, lambda x: COALESCE(CAST(x AS VARCHAR), n)), s);
CREATE MACRO t_md5(s) AS md5(s);
CREATE MACRO t_bytes(s) AS CAST(strlen(s) AS BIGINT);
CREATE MACRO t_day_of_week(t) AS CAST(isodow(t) AS BIGINT);
CREATE MACRO t_date_add(unit, n, t) AS t + CASE unit
  WHEN 'second' THEN to_seconds(n) WHEN 'minute' THEN to_minutes(n) WHEN 'hour' THEN to_hours(n)
  WHEN 'day' THEN to_days(CAST(n AS INTEGER)) END;
CREATE MACRO t_date_diff(unit, a, b) AS CAST(trunc(epoch_us(b - a) / CASE unit
  WHEN 'second' THEN 1e6 WHEN 'minute' THEN 6e7 WHEN 'hour' THEN 3.6e9 WHEN 'day' THEN 8.64e10 END) AS BIGINT);
CREATE MACRO t_to_unixtime(t) AS epoch(t);
"""

SCALAR = {
    "JSON_ARRAY_GET": "t_json_array_get",
    "JSON_ARRAY_LENGTH": "t_json_array_length",
    "JSON_ARRAY_CONTAINS": "t_json_array_contains",
    "JSON_SIZE": "t_json_size",
    "JSON_EXTRACT": "t_json_extract",
    "JSON_EXTRACT_SCALAR": "t_json_extract_scalar",
    "JSON_FORMAT": "t_json_format",
    "JSON_PARSE": "t_json_parse",
    "ARRAY_JOIN": "t_array_join",
    "URL_DECODE": "url_decode",
    "ARRAY_MIN": "list_min",
    "DAY_OF_WEEK": "t_day_of_week",
    "TO_UNIXTIME": "t_to_unixtime",
}


class TrinoKept(Trino):
    """Trino, with the calls that sqlglot would rewrite by its own lights kept as they are written."""

    class Parser(Trino.Parser):
        FUNCTIONS = {
            name: build
            for name, build in Trino.Parser.FUNCTIONS.items()
            if name
            not in {
                "JSON_EXTRACT", "JSON_EXTRACT_SCALAR", "JSON_FORMAT", "JSON_PARSE", "JSON_ARRAY_LENGTH", "JSON_SIZE",
                "REGEXP_EXTRACT", "REGEXP_EXTRACT_ALL", "REGEXP_REPLACE", "REGEXP_LIKE", "ARRAY_JOIN", "ELEMENT_AT",
                "MD5", "TO_HEX", "TO_UTF8", "LENGTH", "SPLIT", "TRANSFORM", "FILTER", "ARRAY_MIN", "DAY_OF_WEEK", "DATE_ADD",
                "DATE_DIFF", "TO_UNIXTIME", "DATE_TRUNC", "STRPOS", "SPLIT_PART", "SUBSTR", "URL_DECODE", "MIN_BY", "JSON_ARRAY_GET",
                "JSON_ARRAY_CONTAINS", "REDUCE",
            }
        }


def call(name, *arguments):
    return exp.Anonymous(this=name, expressions=list(arguments))


def broken(node):
    """Whether an operand is a DOUBLE, as far as it says so itself."""
    if isinstance(node, exp.Cast):
        return node.to.this == exp.DataType.Type.DOUBLE
    if isinstance(node, exp.Anonymous) and node.this == "t_to_unixtime":
        return True
    return any(broken(one) for one in node.iter_expressions())


def change(node):
    """One node, its children already changed."""
    if isinstance(node, exp.Anonymous):
        name, arguments = str(node.this).upper(), node.expressions
        if name == "ARRAY_JOIN" and len(arguments) == 3:
            return call("t_array_join_null", *arguments)
        if name == "ARRAY_JOIN" and isinstance(arguments[0], exp.ArrayAgg):
            # DISTINCT leaves nulls out in DuckDB, so that a group of nothing else has no list; Trino joins it to ''.
            return exp.Coalesce(this=call("t_array_join", *arguments), expressions=[exp.Literal.string("")])
        if name in SCALAR:
            return call(SCALAR[name], *arguments)
        if name == "REGEXP_LIKE":
            return call("regexp_matches", *arguments)
        if name == "REGEXP_EXTRACT":
            return call("t_regexp_group" if len(arguments) == 3 else "t_regexp_extract", *arguments)
        if name == "REGEXP_EXTRACT_ALL":
            return call("t_regexp_all", *arguments)
        if name == "REGEXP_REPLACE":
            return call("t_regexp_replace", *(arguments if len(arguments) == 3 else [*arguments, exp.Literal.string("")]))
        # to_hex(md5(to_utf8(x))) and length(to_utf8(x)) are the only uses of bytes.
        if name == "TO_HEX":
            return call("t_md5", arguments[0].expressions[0].expressions[0])
        if name == "LENGTH" and isinstance(arguments[0], exp.Anonymous) and str(arguments[0].this).upper() == "TO_UTF8":
            return call("t_bytes", arguments[0].expressions[0])
        if name == "ELEMENT_AT":
            return call("list_extract", *arguments)
        if name in ("TRANSFORM", "FILTER"):
            return call("list_transform" if name == "TRANSFORM" else "list_filter", *arguments)
        if name == "REDUCE":
            items, start, step, finish = arguments
            reduced = exp.Array(expressions=[call("list_reduce", items, step, start)])
            return call("list_extract", call("list_transform", reduced, finish), exp.Literal.number(1))
        if name == "SPLIT":
            return call("string_split", *arguments)
        if name == "DATE_ADD":
            return call("t_date_add", *arguments)
        if name == "DATE_DIFF":
            return call("t_date_diff", *arguments)
    if isinstance(node, exp.Div) and not any(broken(one) for one in (node.this, node.expression)):
        # Whole numbers divide to whole numbers in Trino; shipped SQL casts to DOUBLE before it divides anything else.
        return exp.IntDiv(this=node.this, expression=node.expression)
    if isinstance(node, exp.Cast) and node.to.this == exp.DataType.Type.JSON:
        # Trino makes a JSON string of text; DuckDB would parse it.
        return call("to_json", node.this)
    return node


def parse(sql):
    """The one statement, as Trino reads it."""
    return sqlglot.parse_one(sql, dialect=TrinoKept)


def duckdb(sql, where=None):
    """The statement in DuckDB's SQL; `where` is put in place of '$environment', so that a long text is read once."""
    done = read(sql)
    return done if where is None else done.replace("'$environment'", read(f"SELECT {where}").removeprefix("SELECT "))


@functools.lru_cache(maxsize=None)
def read(sql):
    tree = parse(sql)
    tree = tree.transform(lambda node: node, copy=True)
    for node in list(reversed(list(tree.walk(bfs=True)))):
        changed = change(node)
        if changed is not node:
            if node is tree:
                tree = changed
            else:
                node.replace(changed)
    return tree.sql(dialect="duckdb")
