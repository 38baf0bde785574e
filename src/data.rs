//! ⓪ The reference relations: facts about AWS that queries join with, read from `queries/data`.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, BooleanBuilder, RecordBatch, StringViewBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

const REGIONS: &str = include_str!("../queries/data/regions.csv");
const PROFILES: &str = include_str!("../queries/data/inference-profile-geographies.csv");
const EVENTS: &str = include_str!("../queries/data/event-catalogue.csv");
const CONTROLS: &str = include_str!("../queries/data/controls.csv");
const FRAMEWORKS: &str = include_str!("../queries/data/frameworks.csv");
const TECHNIQUES: &str = include_str!("../queries/data/techniques.csv");
const PRICES: &str = include_str!("../queries/data/prices.csv");
const MODELS: &str = include_str!("../queries/data/models.csv");

/// A column of a reference relation.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The name in SQL.
    pub name: &'static str,
    /// The name in the CSV file.
    source: &'static str,
    /// Whether the CSV's yes and no become a boolean; all else is text.
    pub boolean: bool,
    /// What a value says.
    pub meaning: &'static str,
}

/// A reference relation: a projection of one CSV file.
#[derive(Clone, Copy, Debug)]
pub struct Relation {
    /// The name in SQL.
    pub name: &'static str,
    /// What a row is.
    pub meaning: &'static str,
    /// The columns, in order.
    pub columns: &'static [Column],
    csv: &'static str,
    /// A CSV column that holds several values separated by `;`; each makes a row.
    split: Option<&'static str>,
}

/// A CSV file of the program that cannot be read, which a test rules out.
#[derive(Debug, thiserror::Error)]
#[error("the built-in relation {relation} cannot be read: {message}; this is a fault of the program")]
pub struct DataError {
    relation: &'static str,
    message: String,
}

const fn text(name: &'static str, source: &'static str, meaning: &'static str) -> Column {
    Column { name, source, boolean: false, meaning }
}

/// A Region of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its name, such as `eu-west-1`.
    pub name: String,
    /// `aws`, `aws-us-gov`, `aws-cn`, …
    pub partition: String,
    /// Whether an account has to enable it first.
    pub opt_in: bool,
}

/// Every Region, in the order of their names.
pub fn regions() -> Result<Vec<Region>, DataError> {
    let wrong = |message: String| DataError { relation: "ref_region", message };
    let mut reader = csv::Reader::from_reader(REGIONS.as_bytes());
    let headers = reader.headers().map_err(|error| wrong(error.to_string()))?.clone();
    let place = |name: &str| headers.iter().position(|header| header == name);
    let (Some(name), Some(partition), Some(opt_in)) = (place("region"), place("partition"), place("opt_in"))
    else {
        return Err(wrong("a column is missing".to_owned()));
    };
    let region = |row: Result<csv::StringRecord, csv::Error>| {
        let row = row.map_err(|error| wrong(error.to_string()))?;
        let cell = |at: usize| row.get(at).unwrap_or_default().to_owned();
        Ok(Region { name: cell(name), partition: cell(partition), opt_in: cell(opt_in) == "required" })
    };
    reader.records().map(region).collect()
}

/// A technique of MITRE ATT&CK or ATLAS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Technique {
    /// `T1078.004`, `AML.T0012`.
    pub id: String,
    /// Its name; that of a part begins with the whole's and `: `.
    pub name: String,
    /// The version of the framework, with what is to be said of it.
    pub version: String,
}

/// The technique of that id, if it is known.
pub fn technique(id: &str) -> Option<&'static Technique> {
    static ALL: OnceLock<BTreeMap<String, Technique>> = OnceLock::new();
    let read = || {
        let mut reader = csv::Reader::from_reader(TECHNIQUES.as_bytes());
        let Ok(headers) = reader.headers().cloned() else { return BTreeMap::new() };
        let technique = |row: csv::StringRecord| {
            let cell = |name: &str| {
                let at = headers.iter().position(|header| header == name)?;
                row.get(at).map(str::to_owned)
            };
            Some(Technique { id: cell("id")?, name: cell("name")?, version: cell("version")? })
        };
        let all = reader.records().filter_map(Result::ok).filter_map(technique);
        all.map(|technique| (technique.id.clone(), technique)).collect()
    };
    ALL.get_or_init(read).get(id)
}

/// Every reference relation, sorted by name.
pub const RELATIONS: &[Relation] = &[
    Relation {
        name: "ref_control",
        meaning: "one row per control and rule or report that supports it",
        columns: &[
            text("framework", "framework", "The framework."),
            text("control", "control", "The control's id."),
            text("kind", "kind", "rule or report."),
            text("support", "support", "The rule's code or the report's name."),
            text("basis", "basis", "A public mapping, or our reading."),
            text("source", "source", "Where the mapping comes from."),
            text("as_of", "as_of", "Its date."),
        ],
        csv: CONTROLS,
        split: None,
    },
    Relation {
        name: "ref_event",
        meaning: "one row per known CloudTrail event that concerns generative AI",
        columns: &[
            text("event_source", "event_source", "The service, as in `events.event_source`."),
            text("event_name", "event_name", "The operation, as in `events.event_name`."),
            text("surface", "surface", "The surface it belongs to."),
            text("activity", "activity", "What the call does."),
            text("category", "category", "management or data: which selector must record it."),
            text("category_basis", "category_basis", "How the category is known."),
            text("resource_type", "resource_type", "The resource type a data event selector names."),
        ],
        csv: EVENTS,
        split: None,
    },
    Relation {
        name: "ref_framework",
        meaning: "one row per control of a framework",
        columns: &[
            text("framework", "framework", "The framework."),
            text("version", "version", "Its version."),
            text("control", "control", "The control's id."),
            text("title", "title", "What it asks for, in short."),
            text("id_check", "id_check", "How the id was checked."),
            text("source", "source", "Where it comes from."),
            text("as_of", "as_of", "Its date."),
        ],
        csv: FRAMEWORKS,
        split: None,
    },
    Relation {
        name: "ref_model",
        meaning: "one row per known base model",
        columns: &[
            text("model_id", "model_id", "The base model id."),
            text("vendor", "vendor", "The vendor's name."),
            text("family", "family", "The family, as in `events.model_family`."),
            text("version", "version", "The version part of the id."),
        ],
        csv: MODELS,
        split: None,
    },
    Relation {
        name: "ref_price",
        meaning: "one row per price of a model: US dollars per 1,000 tokens, as text of a decimal number",
        columns: &[
            text("model_id", "model_id", "The base model id."),
            text(
                "region_class",
                "region_class",
                "default, a profile's prefix, a Region, in-region, geo, global or us-gov.",
            ),
            text("tier", "tier", "standard, standard-long-context, batch, flex, priority, …"),
            text("input_usd_per_1k", "input_usd_per_1k", "For tokens in."),
            text("output_usd_per_1k", "output_usd_per_1k", "For tokens out."),
            text("cache_read_usd_per_1k", "cache_read_usd_per_1k", "For tokens read from a cache."),
            text("cache_write_usd_per_1k", "cache_write_usd_per_1k", "For tokens written to a cache."),
            text("source", "source", "Where the price comes from."),
            text("as_of", "as_of", "Its date."),
        ],
        csv: PRICES,
        split: None,
    },
    Relation {
        name: "ref_profile_destination",
        meaning: "one row per Region to which an inference profile may send a request",
        columns: &[
            text("profile_scope", "profile_prefix", "The profile's prefix: us, eu, apac, global, …"),
            text("model_id", "model_id", "The base model id; `*` is any other."),
            text("source_region", "source_region", "The Region that is called; `*` is any other."),
            text(
                "destination_region",
                "destination_regions",
                "A Region that may answer; ALL-COMMERCIAL is any; null is unknown.",
            ),
            text("geography", "geography", "The profile's geography."),
        ],
        csv: PROFILES,
        split: Some("destination_regions"),
    },
    Relation {
        name: "ref_region",
        meaning: "one row per AWS Region",
        columns: &[
            text("region", "region", "The Region's code."),
            text("name", "name", "The Region's name."),
            text("partition", "partition", "aws, aws-cn, aws-us-gov, …"),
            text("country", "country", "The country it stands in."),
            text("geography", "geography", "The geography code that policies use."),
            Column {
                name: "eu_member_state",
                source: "eu_member_state",
                boolean: true,
                meaning: "Whether the country is a member state of the European Union; null is unknown.",
            },
        ],
        csv: REGIONS,
        split: None,
    },
    Relation {
        name: "ref_technique",
        meaning: "one row per technique of MITRE ATT&CK or ATLAS",
        columns: &[
            text("id", "id", "The technique's id."),
            text("name", "name", "Its name."),
            text("framework", "framework", "ATT&CK or ATLAS."),
            text("version", "version", "The version of the framework."),
            text("old_id", "old_id", "The id in older versions, where it was another."),
            text("replaced_by", "replaced_by", "The id that replaced it, where one did."),
            text("source", "source", "Where it comes from."),
            text("note", "note", "What is to be known about it."),
            text("as_of", "as_of", "Its date."),
        ],
        csv: TECHNIQUES,
        split: None,
    },
];

/// The relation of that name.
pub fn relation(name: &str) -> Option<&'static Relation> {
    RELATIONS.iter().find(|relation| relation.name == name)
}

enum Builder {
    Text(StringViewBuilder),
    Bool(BooleanBuilder),
}

impl Relation {
    /// The Arrow schema; every column is nullable.
    pub fn schema(&self) -> SchemaRef {
        let field = |column: &Column| {
            let kind = if column.boolean { DataType::Boolean } else { DataType::Utf8View };
            Field::new(column.name, kind, true)
        };
        Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()))
    }

    /// All rows, in the file's order; an empty cell is null.
    pub fn read(&self) -> Result<RecordBatch, DataError> {
        self.read_of(self.csv)
    }

    /// The rows of another CSV file with the same columns.
    pub fn read_of(&self, csv: &str) -> Result<RecordBatch, DataError> {
        let fail = |message: String| DataError { relation: self.name, message };
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let headers = reader.headers().map_err(|error| fail(error.to_string()))?.clone();
        let position = |name: &str| {
            headers.iter().position(|header| header == name).ok_or_else(|| fail(format!("no column {name}")))
        };
        let positions =
            self.columns.iter().map(|column| position(column.source)).collect::<Result<Vec<_>, _>>()?;
        let split = self.split.map(position).transpose()?;
        let mut builders: Vec<Builder> = self
            .columns
            .iter()
            .map(|column| {
                if column.boolean {
                    Builder::Bool(BooleanBuilder::new())
                } else {
                    Builder::Text(StringViewBuilder::new())
                }
            })
            .collect();
        for record in reader.records() {
            let record = record.map_err(|error| fail(error.to_string()))?;
            let cell = |index: usize| record.get(index).unwrap_or_default();
            let parts: Vec<Option<&str>> =
                split.map_or_else(|| vec![None], |index| cell(index).split(';').map(Some).collect());
            for part in parts {
                for (builder, index) in builders.iter_mut().zip(&positions) {
                    let value = part.filter(|_| split == Some(*index)).unwrap_or_else(|| cell(*index)).trim();
                    match builder {
                        Builder::Text(builder) => builder.append_option((!value.is_empty()).then_some(value)),
                        Builder::Bool(builder) => builder.append_option(match value {
                            "yes" => Some(true),
                            "no" => Some(false),
                            _ => None,
                        }),
                    }
                }
            }
        }
        let arrays = builders
            .into_iter()
            .map(|builder| -> ArrayRef {
                match builder {
                    Builder::Text(mut builder) => Arc::new(builder.finish()),
                    Builder::Bool(mut builder) => Arc::new(builder.finish()),
                }
            })
            .collect();
        RecordBatch::try_new(self.schema(), arrays).map_err(|error| fail(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};

    use super::*;

    #[test]
    fn relations_are_sorted_described_and_readable() {
        assert!(RELATIONS.is_sorted_by_key(|relation| relation.name));
        for relation in RELATIONS {
            let batch = relation.read().unwrap();
            assert!(batch.num_rows() > 20, "{}", relation.name);
            for column in relation.columns {
                assert!(column.meaning.ends_with(['.', '…']), "{}.{}", relation.name, column.name);
                let array = batch.column_by_name(column.name).unwrap();
                assert!(array.null_count() < array.len(), "{}.{} is empty", relation.name, column.name);
            }
        }
    }

    #[test]
    fn a_destination_is_a_row_and_every_commercial_region_stays_one_word() {
        let batch = relation("ref_profile_destination").unwrap().read().unwrap();
        let destinations = batch.column_by_name("destination_region").unwrap().as_string_view().clone();
        assert!(destinations.iter().flatten().all(|region| !region.contains(';')));
        assert!(destinations.iter().flatten().any(|region| region == "ALL-COMMERCIAL"));
        assert!(destinations.null_count() > 0, "some destinations are not published");
    }

    #[test]
    fn member_states_are_booleans() {
        let batch = relation("ref_region").unwrap().read().unwrap();
        let regions = batch.column_by_name("region").unwrap().as_string_view();
        let members = batch.column_by_name("eu_member_state").unwrap().as_boolean();
        let member =
            |name: &str| members.value(regions.iter().position(|region| region == Some(name)).unwrap());
        assert!(member("eu-central-1"));
        assert!(!member("eu-west-2"));
        assert!(members.null_count() < 3, "a country that is not published stays unknown");
    }
}
