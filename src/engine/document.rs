//! What there is to query, for people: tables, columns, types and meanings.

use datafusion::arrow::datatypes::{DataType, Schema};

use super::schema::{TABLES, data_type};
use super::{Engine, Error, Result};
use crate::event::column::COLUMNS;
use crate::{data, query_file};

/// A relation, described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDoc {
    /// The name in SQL.
    pub name: String,
    /// What a row is.
    pub meaning: String,
    /// Name, type (text, int, bool, time, …) and meaning of each column, in table order.
    pub columns: Vec<(String, String, String)>,
}

impl Engine {
    /// Every relation: the base tables, the views, the reference relations, and what the caller adds, sorted by name.
    ///
    /// Views are planned for it, so the policy relations must be registered.
    pub fn tables(&self, more: Vec<TableDoc>) -> Result<Vec<TableDoc>> {
        let mut docs = more;
        for (name, meaning, columns) in TABLES {
            let column = |column: &crate::event::column::Column| {
                describe(column.name, &data_type(column.kind), column.meaning)
            };
            docs.push(TableDoc {
                name: (*name).to_owned(),
                meaning: (*meaning).to_owned(),
                columns: columns.iter().map(column).collect(),
            });
        }
        for relation in data::RELATIONS {
            let kind = |boolean: bool| if boolean { DataType::Boolean } else { DataType::Utf8View };
            let column = |column: &data::Column| describe(column.name, &kind(column.boolean), column.meaning);
            docs.push(TableDoc {
                name: relation.name.to_owned(),
                meaning: relation.meaning.to_owned(),
                columns: relation.columns.iter().map(column).collect(),
            });
        }
        for (name, sql) in &self.views {
            docs.push(self.view(name, sql)?);
        }
        docs.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(docs)
    }

    /// A view's header says `meaning` and, under `[columns]`, what is not a column of `events`.
    fn view(&self, name: &str, sql: &str) -> Result<TableDoc> {
        let (header, _) = query_file::split_header(sql)
            .map_err(|error| Error::Internal(format!("the view {name} has a wrong header: {error}")))?;
        let text =
            |value: Option<&toml::Value>| value.and_then(toml::Value::as_str).unwrap_or_default().to_owned();
        let schema: Schema = self.plan(sql)?.schema().as_arrow().clone();
        let columns = schema.fields().iter().map(|field| {
            let own = text(header.get("columns").and_then(|columns| columns.get(field.name())));
            let event = || COLUMNS.iter().find(|column| column.name == field.name());
            let meaning = if own.is_empty() { event().map_or("", |column| column.meaning) } else { &own };
            describe(field.name(), field.data_type(), meaning)
        });
        Ok(TableDoc {
            name: name.to_owned(),
            meaning: text(header.get("meaning").or_else(|| header.get("title"))),
            columns: columns.collect(),
        })
    }
}

fn describe(name: &str, kind: &DataType, meaning: &str) -> (String, String, String) {
    (name.to_owned(), type_name(kind), meaning.to_owned())
}

/// The type in a word that the pages about columns use.
fn type_name(kind: &DataType) -> String {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        kind if kind.is_integer() => "int".to_owned(),
        DataType::Timestamp(..) => "time".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        other => other.to_string().to_lowercase(),
    }
}
