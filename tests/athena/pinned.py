"""Where engines can differ: a question each, with what the program and what Athena answer.

Shipped SQL keeps to what is the same on both; `same` says how. queries/athena/README.md tells the same in words.
"""

# Athena's answer where it runs no such query; DuckDB does, and is not asked.
REFUSED = "refused"

# (what it is about, SQL of one cell `answer`, what the program says, what Athena says)
PINNED = [
    ("nulls come last where the order says so",
     "SELECT array_join(array_agg(COALESCE(x, 'null') ORDER BY x ASC NULLS LAST), ' ') AS answer FROM (VALUES ('b'), (CAST(NULL AS VARCHAR)), ('a')) AS t (x)",
     "a b null", "a b null"),
    ("integers divide towards zero", "SELECT CAST(-7 / 2 AS VARCHAR) || ' ' || CAST(7 / 2 AS VARCHAR) AS answer", "-3 3", "-3 3"),
    ("halves round away from zero", "SELECT CAST(CAST(ROUND(CAST(2.5 AS DOUBLE)) AS BIGINT) AS VARCHAR) AS answer", "3", "3"),
    ("a day is the day in UTC", "SELECT CAST(CAST(date_trunc('day', TIMESTAMP '2026-10-25 00:30:00') AS DATE) AS VARCHAR) AS answer", "2026-10-25", "2026-10-25"),
    ("a time as text is never shown: its writing differs", "SELECT CASE WHEN CAST(TIMESTAMP '2026-10-05 08:01:00' AS VARCHAR) = '2026-10-05 08:01:00' THEN 'blank' ELSE 'other' END AS answer",
     None, None),
    ("times as text sort as times do", "SELECT CASE WHEN CAST(TIMESTAMP '2026-10-05 08:01:00' AS VARCHAR) < CAST(TIMESTAMP '2026-10-05 08:01:01' AS VARCHAR) THEN 'yes' ELSE 'no' END AS answer", "yes", "yes"),
    ("anchored globs", r"SELECT CASE WHEN regexp_like('a' || chr(10) || 'b', '\A(?s:a.*)\z') THEN 'yes' ELSE 'no' END AS answer", "yes", "yes"),
    ("the end of the text is no line's end", r"SELECT CASE WHEN regexp_like('ab' || chr(10), '\A(?s:ab)\z') THEN 'yes' ELSE 'no' END AS answer", "no", "no"),
    ("classes are ASCII", "SELECT CASE WHEN regexp_like('٣', '[0-9]') THEN 'yes' ELSE 'no' END AS answer", "no", "no"),
    # DataFusion replaces the first match: shipped patterns hold on to one end of the text (\\A or \\z), so that there is one.
    ("every match is replaced, or the first", "SELECT regexp_replace('a-1-2', '-[0-9]', '') AS answer", "a-2", "a"),
    ("one match is replaced", r"SELECT regexp_replace('a-1-2', '-[0-9]\z', '') AS answer", "a-1", "a-1"),
    ("a number in JSON is its text", """SELECT json_extract_scalar('{"a":{"b":12}}', '$.a.b') AS answer""", "12", "12"),
    ("an object in JSON is no scalar", """SELECT COALESCE(json_extract_scalar('{"a":{"b":12}}', '$.a'), 'null') AS answer""", "null", "null"),
    ("nor is JSON null", """SELECT COALESCE(json_extract_scalar('{"a":null}', '$.a'), 'null') AS answer""", "null", "null"),
    ("broken JSON holds nothing", "SELECT COALESCE(json_extract_scalar('{\"a\":', '$.a'), 'null') AS answer", "null", "null"),
    ("text with null is null", "SELECT COALESCE('a' || CAST(NULL AS VARCHAR), 'null') AS answer", "null", "null"),
    ("nulls are left out of a list", "SELECT array_join(array_agg(DISTINCT x ORDER BY x) FILTER (WHERE x IS NOT NULL), ' ') AS answer FROM (VALUES ('b'), ('a'), (CAST(NULL AS VARCHAR))) AS t (x)", "a b", "a b"),
    ("text sorts by its bytes", "SELECT array_join(array_agg(x ORDER BY x), '') AS answer FROM (VALUES ('é'), ('z'), ('Z'), ('a')) AS t (x)", "Zazé", "Zazé"),
    ("a part that is not there is empty or null: test it with COALESCE", "SELECT COALESCE(split_part('a.b', '.', 3), '') AS answer", "", ""),
    ("min_by takes the smallest keys, and none that is null", "SELECT array_join(min_by(x, y, 2), ' ') AS answer FROM (VALUES ('a', '3'), ('b', '1'), ('c', '2'), ('d', CAST(NULL AS VARCHAR))) AS t (x, y)", "b c", "b c"),
    # Trino 435 loses the comparisons of a CASE whose text is made longer, as `||` does: "Compiler failed".
    ("CASE x WHEN does not always compile", "SELECT 'a ' || CASE scope WHEN 'default' THEN 'yes' ELSE 'not' END || scope AS answer FROM run", "a yesdefault", REFUSED),
    ("CASE WHEN x = does", "SELECT 'a ' || CASE WHEN scope = 'default' THEN 'yes' ELSE 'not' END || scope AS answer FROM run", "a yesdefault", "a yesdefault"),
    ("windows take no FILTER", "SELECT CAST(COUNT(*) FILTER (WHERE scope = 'default') OVER (ORDER BY scope) AS VARCHAR) AS answer FROM run", "1", REFUSED),
    ("windows count what a CASE says", "SELECT CAST(COUNT(CASE WHEN scope = 'default' THEN 1 END) OVER (ORDER BY scope) AS VARCHAR) AS answer FROM run", "1", "1"),
]
