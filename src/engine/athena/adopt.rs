//! `queries/athena/events.sql` over a table that somebody has: what its columns are called, typed and lacking.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::source::api::athena::Table;
use crate::source::api::hive::Type;
use crate::source::api::{known, quoted};

/// The relation `events` over a CloudTrail table, as its head says how to use it.
const EVENTS: &str = include_str!("../../../queries/athena/events.sql");

/// The statement without the comment it opens with.
static STATEMENT: LazyLock<&str> = LazyLock::new(|| {
    let mut rest = EVENTS;
    while rest.starts_with("--") || rest.starts_with('\n') {
        rest = rest.split_once('\n').map_or("", |(_, after)| after);
    }
    rest
});

/// What begins the mark of a line that reads a column which a table may lack.
const MARK: &str = "--? ";

/// Columns of AWS's own table statement that are spelt otherwise there.
const MISSPELT: [(&str, &str); 1] = [("credentialsissuedto", "credentiaisissuedto")];

/// The columns of `events` that rest on one of a table. Not told is what only fills a gap of another.
const RESTS: &[(&str, &[&str])] = &[
    (
        "additionaleventdata",
        &[
            "additional_event_data",
            "cache_read_tokens",
            "cache_write_tokens",
            "credential",
            "inference_region",
            "input_tokens",
            "output_tokens",
        ],
    ),
    ("addendum", &["addendum"]),
    ("errorcode", &["error_code", "outcome"]),
    ("errormessage", &["error_message"]),
    ("eventcategory", &["event_category"]),
    ("eventtype", &["event_type", "record_kind"]),
    ("readonly", &["read_only"]),
    ("recipientaccountid", &["account_id"]),
    ("requestid", &["request_id"]),
    (
        "requestparameters",
        &[
            "agent_alias_id",
            "agent_id",
            "agent_session_id",
            "flow_id",
            "guardrail_id",
            "guardrail_version",
            "knowledge_base_id",
            "mantle_project_id",
            "memory_id",
            "model_id",
            "model_kind",
            "model_requested",
            "model_vendor",
            "params_omitted",
            "request_parameters",
            "streaming",
            "tool_name",
        ],
    ),
    ("resources", &["resource_arn", "resource_type", "resources"]),
    ("responseelements", &["response_elements"]),
    ("serviceeventdetails", &["service_event_details"]),
    ("sessioncredentialfromconsole", &["from_console"]),
    ("sharedeventid", &["shared_event_id"]),
    ("sourceipaddress", &["source_ip", "source_kind"]),
    ("tlsdetails", &["endpoint_host", "tls_version"]),
    ("useragent", &["client", "client_version", "user_agent"]),
    ("vpcendpointid", &["vpc_endpoint_id"]),
];

/// The statement of `events` over one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// One SELECT.
    pub sql: String,
    /// What the table lacks, as paths of its columns.
    pub missing: BTreeSet<String>,
}

impl Adopted {
    /// Columns of `events` that rest on what is missing, each with that.
    pub fn unknown(&self) -> impl Iterator<Item = (&'static str, &str)> {
        RESTS
            .iter()
            .filter_map(|(path, columns)| Some((self.missing.get(*path)?, *columns)))
            .flat_map(|(path, columns)| columns.iter().map(|column| (*column, path.as_str())))
    }
}

/// What stands in a table where a path leads.
enum Reach<'t> {
    /// A value of that type, under the path's own spelling there.
    Value(String, &'t Type),
    /// A member of JSON in a text: the column, and the path in it.
    Json(String, String),
}

/// The relation over a table: `conditions` hold in the innermost SELECT, where the table is `r`; `environment` and `account_name`
/// are expressions over `e.account_id`.
pub fn adopt(table: &Table, conditions: &[String], environment: &str, account_name: &str) -> Adopted {
    let mut missing = BTreeSet::new();
    let mut sql = String::with_capacity(STATEMENT.len());
    for line in STATEMENT.lines() {
        match line.split_once(MARK) {
            None => sql.push_str(line.trim_end()),
            Some((code, mark)) => sql.push_str(&column(table, code.trim_end(), mark, &mut missing)),
        }
        sql.push('\n');
    }
    // Read once more where records of another version are left out.
    if missing.contains("eventversion") {
        sql = sql.replace("r.eventversion", "CAST(NULL AS VARCHAR)");
    }
    let all = if conditions.is_empty() { "TRUE".to_owned() } else { conditions.join(" AND ") };
    // What is put in may hold any text: last comes what is looked for no more.
    let sql = sql
        .replace("CAST(NULL AS VARCHAR) AS account_name", "$account_name AS account_name")
        .replace("$table", &table.quoted());
    let mut out = String::with_capacity(sql.len() + all.len());
    let mut rest = sql.as_str();
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (put, left) =
            [("where", all.as_str()), ("environment", environment), ("account_name", account_name)]
                .into_iter()
                .find_map(|(name, value)| Some((value, after.strip_prefix(name)?)))
                .unwrap_or(("$", after));
        out.push_str(put);
        rest = left;
    }
    out.push_str(rest);
    Adopted { sql: out, missing }
}

/// The expression that reads a text at a path, over the table as `r`; none where the table has none.
pub fn expression(table: &Table, path: &str) -> Option<String> {
    match reach(table, path)? {
        Reach::Value(own, Type::Scalar(kind)) if text(kind) => Some(format!("r.{own}")),
        Reach::Json(own, inner) => Some(format!("json_extract_scalar(r.{own}, {})", quoted(&inner))),
        Reach::Value(..) => None,
    }
}

/// One line that reads a column: `r.path AS name,` with the path and the type that are meant.
fn column(table: &Table, code: &str, mark: &str, missing: &mut BTreeSet<String>) -> String {
    let (path, kind) = mark.trim().split_once(' ').unwrap_or((mark.trim(), "varchar"));
    let Some((expression, name)) = code.rsplit_once(" AS ") else { return code.to_owned() };
    let indent = &expression[..expression.len() - expression.trim_start().len()];
    let read = format!("r.{path}");
    let replaced = |with: &str| format!("{indent}{} AS {name}", expression.trim_start().replace(&read, with));
    let found = match reach(table, path) {
        Some(Reach::Value(own, found)) => {
            let own = format!("r.{own}");
            match (kind, found) {
                ("varchar", Type::Scalar(of)) if text(of) => Some(replaced(&own)),
                ("varchar", Type::Scalar(_)) => Some(replaced(&format!("CAST({own} AS VARCHAR)"))),
                ("varchar", Type::Map) => Some(replaced(&format!("json_format(CAST({own} AS JSON))"))),
                ("timestamp(3)", Type::Scalar(of)) if of.starts_with("timestamp") => {
                    Some(format!("{indent}CAST({own} AS TIMESTAMP(3)) AS {name}"))
                }
                ("timestamp(3)", Type::Scalar(of)) if text(of) => Some(replaced(&own)),
                ("boolean", _) => Some(replaced(&own)),
                (_, Type::Array(of)) if listed(of) => Some(replaced(&own)),
                // The letters of names inside are lost to the catalogue, and with them what they name.
                _ => None,
            }
        }
        Some(Reach::Json(own, inner)) if kind == "varchar" => {
            Some(replaced(&format!("json_extract_scalar(r.{own}, {})", quoted(&inner))))
        }
        Some(Reach::Json(own, inner)) if kind == "boolean" => {
            Some(replaced(&format!("json_extract(r.{own}, {})", quoted(&inner))))
        }
        _ => None,
    };
    found.unwrap_or_else(|| {
        missing.insert(path.to_owned());
        if let Some((top, _)) = path.split_once('.').filter(|(top, _)| table.type_of(top).is_none()) {
            missing.insert(top.to_owned());
        }
        // A flag says whether something is there.
        let nothing = if kind == "boolean" { "FALSE".to_owned() } else { format!("CAST(NULL AS {kind})") };
        format!("{indent}{nothing} AS {name}")
    })
}

fn text(kind: &str) -> bool {
    kind == "string" || kind.starts_with("varchar") || kind.starts_with("char")
}

/// Whether elements have what `resources` is asked for.
fn listed(element: &Type) -> bool {
    match element {
        Type::Struct(fields) => {
            ["arn", "accountid", "type"].iter().all(|name| fields.iter().any(|(field, _)| field == name))
        }
        _ => false,
    }
}

fn reach<'t>(table: &'t Table, path: &str) -> Option<Reach<'t>> {
    let mut parts = path.split('.');
    let top = parts.next()?;
    let mut at = table.type_of(top)?;
    let mut own = top.to_owned();
    while let Some(part) = parts.next() {
        match at {
            Type::Struct(fields) => {
                let named = |name: &str| fields.iter().find(|(field, _)| field == name);
                let misspelt = MISSPELT.iter().find(|(right, _)| *right == part).map(|(_, wrong)| *wrong);
                let (field, kind) = named(part).or_else(|| named(misspelt?))?;
                own = format!("{own}.{field}");
                at = kind;
            }
            Type::Scalar(kind) if text(kind) => {
                let names = std::iter::once(part).chain(parts);
                let path: Vec<&str> = names.map(|name| known(name).unwrap_or(name)).collect();
                return Some(Reach::Json(own, format!("$.{}", path.join("."))));
            }
            _ => return None,
        }
    }
    Some(Reach::Value(own, at))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn table(columns: &[(&str, &str)]) -> Table {
        let columns = columns.iter().map(|(name, kind)| ((*name).to_owned(), Type::parse(kind).unwrap()));
        Table::known_as("logs", "trail", columns.collect(), BTreeMap::new())
    }

    const IDENTITY: &str = "struct<type:string,arn:string,inscopeof:struct<credentiaisissuedto:string>,sessioncontext:struct<attributes:struct<mfaauthenticated:string>>>";

    #[test]
    fn what_is_put_in_is_put_in_once() {
        let of = table(&[("eventversion", "string"), ("useridentity", IDENTITY), ("eventid", "string")]);
        let conditions = ["r.day >= '$environment'".to_owned()];
        let adopted = adopt(&of, &conditions, "'$where'", "CAST(NULL AS VARCHAR)");
        assert!(adopted.sql.starts_with("WITH raw AS (\n"), "{}", &adopted.sql[..80]);
        assert!(adopted.sql.contains("  FROM \"logs\".\"trail\" AS r\n  WHERE r.day >= '$environment'\n"));
        assert!(adopted.sql.contains("\n  '$where' AS environment,\n"));
        assert!(adopted.sql.contains("\n  CAST(NULL AS VARCHAR) AS account_name,\n"));
        assert!(!adopted.sql.contains("--?") && !adopted.sql.contains("$table"));
    }

    #[test]
    fn a_column_that_is_not_there_is_null_and_told() {
        let of = table(&[("useridentity", IDENTITY), ("eventid", "string"), ("readonly", "boolean")]);
        let adopted = adopt(&of, &[], "NULL", "NULL");
        let has = |line: &str| assert!(adopted.sql.contains(line), "{line}");
        has("    CAST(NULL AS varchar) AS event_version,\n");
        has("    CAST(NULL AS timestamp(3)) AS event_time,\n");
        has("    CAST(NULL AS varchar) AS tls_version,\n");
        has("    FALSE AS has_addendum,\n");
        has("    r.useridentity IS NOT NULL AS has_identity,\n");
        has("    r.useridentity.inscopeof.credentiaisissuedto AS credentials_issued_to,\n");
        has("    lower(CAST(CAST(r.readonly AS VARCHAR) AS VARCHAR)) AS read_only,\n");
        has("COALESCE(CAST(NULL AS VARCHAR), '1.0') <> '1.'");
        assert!(
            adopted.missing.contains("tlsdetails")
                && adopted.missing.contains("useridentity.onbehalfof.userid")
        );
        let unknown: BTreeSet<_> = adopted.unknown().collect();
        assert!(
            unknown.contains(&("tls_version", "tlsdetails")) && unknown.contains(&("outcome", "errorcode"))
        );
        assert!(!unknown.iter().any(|(column, _)| *column == "person"));
    }

    #[test]
    fn other_types_are_read_as_what_they_mean() {
        let of = table(&[
            ("useridentity", "string"),
            ("eventtime", "timestamp"),
            ("requestparameters", "map<string,string>"),
            ("responseelements", "struct<a:string>"),
            ("resources", "array<struct<arn:string,accountid:string,type:string>>"),
        ]);
        let adopted = adopt(&of, &[], "NULL", "NULL");
        let has = |line: &str| assert!(adopted.sql.contains(line), "{line}");
        has(
            "    json_extract_scalar(r.useridentity, '$.sessionContext.sessionIssuer.userName') AS issuer_user_name,\n",
        );
        has("    json_extract(r.useridentity, '$.sessionContext') IS NOT NULL AS has_session,\n");
        has("    CAST(r.eventtime AS TIMESTAMP(3)) AS event_time,\n");
        has("    json_format(CAST(r.requestparameters AS JSON)) AS request,\n");
        has("    CAST(NULL AS varchar) AS response,\n");
        has("    r.resources AS raw_resources,\n");
        assert!(adopted.missing.contains("responseelements") && !adopted.missing.contains("resources"));
    }
}
