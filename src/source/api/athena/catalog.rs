//! A CloudTrail table as its catalogue describes it: columns, types and partition keys, which differ in SerDe and age.

use std::collections::BTreeMap;

use super::Service;
use crate::source::Extent;
use crate::source::api::ApiError;
use crate::source::api::hive::Type;
use crate::source::api::partition::{Key, Partitions, partitions};

/// Without these a table tells nothing of who did what, when and where.
const REQUIRED: [&str; 6] = ["awsregion", "eventid", "eventname", "eventsource", "eventtime", "useridentity"];
/// Without these some of our columns are not recorded.
const USEFUL: [&str; 9] = [
    "additionaleventdata",
    "errorcode",
    "recipientaccountid",
    "requestid",
    "requestparameters",
    "resources",
    "responseelements",
    "sourceipaddress",
    "useragent",
];

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its database.
    pub database: String,
    /// Its name.
    pub name: String,
    /// Its columns, names in lower case.
    pub columns: Vec<(String, Type)>,
    /// Where its files lie, if the catalogue says so.
    pub location: Option<String>,
    /// What else it says: projections, for one.
    pub parameters: BTreeMap<String, String>,
    keys: Vec<Key>,
    /// What is to be said of it.
    pub notes: Vec<String>,
}

/// What there is under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A view.
    View,
    /// A table.
    Table,
}

impl Service {
    /// The names of `DATABASE.TABLE`.
    pub fn names(given: &str) -> Result<(&str, &str), ApiError> {
        let wrong = || ApiError::Source { given: format!("athena:{given}"), form: "athena:DATABASE.TABLE" };
        let (database, table) = given.split_once('.').ok_or_else(wrong)?;
        let sound = !database.is_empty() && !table.is_empty() && !table.contains('.');
        if sound { Ok((database, table)) } else { Err(wrong()) }
    }

    /// Looks a CloudTrail table up.
    pub async fn table(&self, given: &str) -> Result<Table, ApiError> {
        let target = format!("athena:{given}");
        let (database, table) = Self::names(given)?;
        let asked = self
            .client()
            .get_table_metadata()
            .catalog_name(self.catalog())
            .database_name(database)
            .table_name(table)
            .set_work_group(self.workgroup_name().map(str::to_owned))
            .send()
            .await
            .map_err(|error| ApiError::of(&error, "athena:GetTableMetadata", &target))?;
        let Some(metadata) = asked.table_metadata else {
            return Err(ApiError::failed(&target, "GetTableMetadata", "no such table"));
        };
        let mut notes = Vec::new();
        let mut columns = Vec::new();
        for column in metadata.columns.unwrap_or_default() {
            let kind = column.r#type.as_deref().unwrap_or("string");
            match Type::parse(kind) {
                Some(kind) => columns.push((column.name.to_ascii_lowercase(), kind)),
                None => {
                    notes
                        .push(format!("{target}: column {} is passed over, its type is {kind}", column.name));
                }
            }
        }
        let lacks = |names: &[&str]| -> Vec<String> {
            let there = |name: &&&str| !columns.iter().any(|(column, _)| column == *name);
            names.iter().filter(there).map(|name| (*name).to_owned()).collect()
        };
        let missing = lacks(&REQUIRED);
        if !missing.is_empty() {
            return Err(ApiError::Columns { table: target, missing: missing.join(", ") });
        }
        let missing = lacks(&USEFUL);
        if !missing.is_empty() {
            notes.push(format!(
                "{target} has no columns {}: what they hold is not recorded",
                missing.join(", ")
            ));
        }
        let keys = metadata.partition_keys.unwrap_or_default().into_iter().map(|key| {
            let kind = key.r#type.unwrap_or_else(|| "string".to_owned()).to_ascii_lowercase();
            (key.name.to_ascii_lowercase(), kind)
        });
        let parameters: BTreeMap<String, String> =
            metadata.parameters.unwrap_or_default().into_iter().collect();
        Ok(Table {
            database: database.to_owned(),
            name: table.to_owned(),
            columns,
            location: parameters.get("location").cloned(),
            keys: keys.collect(),
            parameters,
            notes,
        })
    }

    /// What there is under a name, if anything; `None` where the catalogue knows no such name.
    pub async fn found(
        &self,
        database: &str,
        name: &str,
    ) -> Result<Option<(Found, Option<String>)>, ApiError> {
        let target = format!("{database}.{name}");
        let asked = self
            .client()
            .get_table_metadata()
            .catalog_name(self.catalog())
            .database_name(database)
            .table_name(name)
            .set_work_group(self.workgroup_name().map(str::to_owned))
            .send()
            .await;
        match asked {
            Ok(asked) => Ok(asked.table_metadata.map(|metadata| {
                let view = metadata.table_type.as_deref() == Some("VIRTUAL_VIEW");
                let location = metadata.parameters.and_then(|mut all| all.remove("location"));
                (if view { Found::View } else { Found::Table }, location)
            })),
            Err(error) => match ApiError::of(&error, "athena:GetTableMetadata", &target) {
                ApiError::Other { message, .. } if absent(&message) => Ok(None),
                error => Err(error),
            },
        }
    }
}

/// `name TYPE` of each column of the outermost level as `name:TYPE`.
fn typed(body: &str) -> String {
    let mut depth = 0usize;
    let mut out = String::with_capacity(body.len());
    let mut named = false;
    for letter in body.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        match letter {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => named = false,
            _ => {}
        }
        let first = letter == ' ' && depth == 0 && !named && !out.ends_with([',', ' ']) && !out.is_empty();
        if first {
            named = true;
            out.push(':');
        } else {
            out.push(letter);
        }
    }
    out
}

/// Whether the catalogue's words say that there is no such table.
fn absent(message: &str) -> bool {
    message.contains("EntityNotFound") || message.to_ascii_lowercase().contains("not found")
}

impl Table {
    /// A table of which only this is known.
    pub fn known_as(
        database: &str,
        name: &str,
        columns: Vec<(String, Type)>,
        parameters: BTreeMap<String, String>,
    ) -> Self {
        Self {
            database: database.to_owned(),
            name: name.to_owned(),
            columns,
            location: None,
            parameters,
            keys: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The table that a `CREATE EXTERNAL TABLE` of ours makes, as its catalogue will show it.
    pub fn of_statement(database: &str, name: &str, sql: &str) -> Self {
        let between = |text: &str, from: &str, to: &str| {
            let (_, rest) = text.split_once(from)?;
            rest.split_once(to).map(|(inner, _)| inner.to_owned())
        };
        let body = between(sql, "(\n", "\n)\nPARTITIONED").unwrap_or_default();
        let Some(Type::Struct(columns)) = Type::parse(&format!("struct<{}>", typed(&body))) else {
            return Self::known_as(database, name, Vec::new(), BTreeMap::new());
        };
        let keys = between(sql, "PARTITIONED BY (", ")").unwrap_or_default();
        let key = |key: &str| {
            let (name, kind) = key.trim().split_once(' ')?;
            Some((name.to_ascii_lowercase(), kind.to_ascii_lowercase()))
        };
        let properties = sql.rsplit("TBLPROPERTIES").next().unwrap_or_default();
        let property = |line: &str| {
            let (name, value) = line.split_once(" = ")?;
            let plain = |text: &str| text.trim().trim_end_matches(',').trim_matches('\'').to_owned();
            Some((plain(name), plain(value)))
        };
        let mut table =
            Self::known_as(database, name, columns, properties.lines().filter_map(property).collect());
        table.keys = keys.split(',').filter_map(key).collect();
        table
    }

    /// The type of a column.
    pub fn type_of(&self, name: &str) -> Option<&Type> {
        self.columns.iter().find(|(column, _)| column == name).map(|(_, kind)| kind)
    }

    /// Its name in a statement.
    pub fn quoted(&self) -> String {
        let name = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        format!("{}.{}", name(&self.database), name(&self.name))
    }

    pub(super) fn partitions(&self, extent: &Extent, from: i64, to: i64, late_days: i64) -> Partitions {
        partitions(&self.keys, &self.parameters, extent, from, to, late_days)
    }

    /// Conditions on the partition keys under which nothing of the time is missed, to be joined by AND, and what is to be
    /// said of keys that bound nothing.
    pub fn bounds(&self, extent: &Extent, from: i64, to: i64, late_days: i64) -> (Vec<String>, Vec<String>) {
        let target = format!("athena:{}.{}", self.database, self.name);
        let bounds = self.partitions(extent, from, to, late_days);
        let mut notes = Vec::new();
        if !bounds.unknown.is_empty() {
            notes.push(format!(
                "{target}: nothing is known of the partition keys {}",
                bounds.unknown.join(", ")
            ));
        }
        if !bounds.days {
            notes.push(format!(
                "{target} is not partitioned by day as far as is known: the query scans all of it"
            ));
        }
        (bounds.conditions, notes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_tells_what_the_catalogue_will() {
        let sql = "CREATE EXTERNAL TABLE IF NOT EXISTS a.b (\n  eventid STRING,\n  x STRUCT<\n    y: STRING,\n    z: MAP<STRING, STRING>\n  >\n)\nPARTITIONED BY (account STRING, day STRING)\nTBLPROPERTIES (\n  'projection.day.format' = 'yyyy/MM/dd'\n)";
        let table = Table::of_statement("a", "b", sql);
        assert_eq!(table.columns.len(), 2);
        assert!(matches!(table.type_of("x"), Some(Type::Struct(fields)) if fields.len() == 2));
        let day = 20_727 * 86_400_000_000;
        let (conditions, notes) = table.bounds(&Extent::default(), day, day + 1, 0);
        assert_eq!(conditions, ["\"day\" >= '2026/09/30' AND \"day\" < '2026/10/02'"]);
        assert_eq!(notes, [] as [String; 0]);
    }

    #[test]
    fn names_are_two() {
        assert_eq!(Service::names("logs.trail").ok(), Some(("logs", "trail")));
        for wrong in ["trail", ".trail", "logs.", "a.b.c"] {
            assert!(Service::names(wrong).is_err(), "{wrong}");
        }
    }
}
