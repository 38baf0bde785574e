//! The functions on JSON, times and patterns, as queries use them.

use super::*;

const TOOLS: &str = r#"'{"a": {"l": ["x", 1, 2.5, true, null, {"k": [ 1 ]}], "s": "t"}}'"#;

fn asked(expressions: &[&str]) -> String {
    let engine = engine();
    let told = expressions.iter().map(|expression| one(&engine, &expression.replace("$J", TOOLS)));
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn parts_and_sizes_of_json() {
    let told = asked(&[
        "json_extract($J, '$.a.l')",
        "json_extract($J, '$.a.s')",
        "json_extract($J, '$.a.l[4]')",
        "json_extract($J, '$.b')",
        "json_extract('no json', '$')",
        "json_format(json_extract($J, '$.a.l[5]'))",
        "json_array_length(json_extract($J, '$.a.l'))",
        "json_array_length($J)",
        "json_array_length('[]')",
        "json_array_length('[1')",
        "json_size($J, '$.a')",
        "json_size($J, '$.a.l')",
        "json_size($J, '$.a.s')",
        "json_size($J, '$.b')",
    ]);
    insta::assert_snapshot!(told, @r#"
    ["x",1,2.5,true,null,{"k":[1]}]
    "t"
    null
    ∅
    ∅
    {"k":[1]}
    6
    ∅
    0
    ∅
    2
    6
    0
    ∅
    "#);
}

#[test]
fn elements_of_json_arrays() {
    let told = asked(&[
        "json_array_get(json_extract($J, '$.a.l'), 0)",
        "json_array_get(json_extract($J, '$.a.l'), 2)",
        "json_array_get(json_extract($J, '$.a.l'), 4)",
        "json_array_get(json_extract($J, '$.a.l'), -1)",
        "json_array_get(json_extract($J, '$.a.l'), 6)",
        "json_array_get(json_extract($J, '$.a.l'), -7)",
        "json_extract_scalar(json_array_get(json_extract($J, '$.a.l'), 5), '$.k[0]')",
        "json_array_contains('[\"1\", 1, 2.5, true]', '1')",
        "json_array_contains('[\"1\", 2.5, true]', 1)",
        "json_array_contains('[\"1\", 2.5, true]', 2.5)",
        "json_array_contains('[\"1\", 2.5, true]', true)",
        "json_array_contains('[\"1\", 2.5, true]', false)",
        "json_array_contains('{}', 'x')",
        "json_array_contains('[]', CAST(NULL AS VARCHAR))",
        "json_array_contains('[]', DATE '2026-01-01')",
        "json_array_get('[]', 'x')",
        "json_array_get('[]')",
    ]);
    insta::assert_snapshot!(told, @r#"
    x
    2.5
    null
    {"k":[1]}
    ∅
    ∅
    1
    true
    false
    true
    true
    false
    ∅
    ∅
    json_array_contains wants text, not Date32; CAST the argument AS VARCHAR
    json_array_get wants a whole number, not Utf8
    json_array_get takes the JSON text of an array and an index from 0, as in json_array_get(resources, 0)
    "#);
}

#[test]
fn a_path_may_come_from_a_series_of_numbers() {
    let sql = format!(
        "SELECT t.i AS i, json_extract_scalar(x.j, '$.a.l[' || CAST(t.i AS VARCHAR) || ']') AS element
         FROM (SELECT {TOOLS} AS j) AS x CROSS JOIN (VALUES (0), (1), (2), (3), (4), (5)) AS t (i)
         WHERE t.i < json_array_length(json_extract(x.j, '$.a.l')) ORDER BY i"
    );
    assert_eq!(check_portable(&sql), []);
    assert_eq!(lines(&engine().run(&sql).unwrap()), ["0|x", "1|1", "2|2.5", "3|true", "4|∅", "5|∅"]);
}

#[test]
fn times_and_patterns() {
    let told = asked(&[
        "to_unixtime(TIMESTAMP '2026-01-01 00:00:01.5')",
        "CAST(floor(to_unixtime(TIMESTAMP '2026-01-01 00:00:01.5')) AS BIGINT)",
        "day_of_week(TIMESTAMP '2026-11-23 00:00:00')",
        "day_of_week(TIMESTAMP '1969-12-31 23:59:59')",
        "date_add('minute', -90, TIMESTAMP '2026-11-23 00:00:00')",
        "date_add('day', CAST(NULL AS BIGINT), TIMESTAMP '2026-11-23 00:00:00')",
        "date_add('fortnight', 1, TIMESTAMP '2026-11-23 00:00:00')",
        "date_trunc('hour', TIMESTAMP '2026-11-23 05:06:07')",
        "regexp_extract('arn:aws:iam::111122223333:role/x', '[0-9]{12}')",
        "regexp_extract('role/x', 'role/(.*)', 1)",
        "regexp_extract('user/x', 'role/(.*)', 1)",
        "regexp_extract('user/x', 'role/(.*)', 2)",
        "strpos('abc', 'c')",
        "split_part('a/b', '/', 2)",
    ]);
    insta::assert_snapshot!(told, @r"
    1767225601.5
    1767225601
    1
    3
    2026-11-22T22:30:00
    ∅
    date_add counts in second, minute, hour, day or week, not 'fortnight'
    2026-11-23T05:00:00
    111122223333
    x
    ∅
    regexp_extract: the pattern 'role/(.*)' has no group 2
    3
    b
    ");
}
