//! The built-in table of model lifecycles: when a vendor calls a model legacy and when it ends.

use chrono::NaiveDate;

/// Where the vendors' pages were copied to; the `as_of` column says when.
const TABLE: &str = include_str!("../../queries/data/model-lifecycle.csv");

/// One model in one Region, or in every one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lifecycle {
    pub(super) model: String,
    pub(super) region: Option<String>,
    pub(super) legacy: Option<NaiveDate>,
    pub(super) end: Option<NaiveDate>,
    pub(super) replacement: Option<String>,
    /// `lifecycle` and when the row was taken, where the table says so.
    pub(super) basis: String,
}

/// The rows that have a legacy or an end-of-life date, one per Region, in the table's order.
pub(super) fn lifecycles() -> Vec<Lifecycle> {
    let mut reader = csv::Reader::from_reader(TABLE.as_bytes());
    let names = reader.headers().cloned().unwrap_or_default();
    let mut rows = Vec::new();
    // The table is compiled in, and a test reads every row of it.
    for record in reader.records().flatten() {
        let cell = |name: &str| {
            let index = names.iter().position(|column| column == name)?;
            record.get(index).filter(|value| !value.is_empty()).map(str::to_owned)
        };
        let day = |name: &str| cell(name).and_then(|value| value.parse::<NaiveDate>().ok());
        let (legacy, end) = (day("legacy_date"), day("eol_date"));
        let Some(model) = cell("model_id") else { continue };
        if legacy.is_none() && end.is_none() {
            continue;
        }
        let regions = match cell("regions") {
            Some(regions) => regions.split(';').map(|region| Some(region.trim().to_owned())).collect(),
            None => vec![None],
        };
        let basis =
            cell("as_of").map_or_else(|| "lifecycle".to_owned(), |as_of| format!("lifecycle {as_of}"));
        rows.extend(regions.into_iter().map(|region| Lifecycle {
            model: model.clone(),
            region,
            legacy,
            end,
            replacement: cell("replacement").map(|models| models.replace(';', " ")),
            basis: basis.clone(),
        }));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_reads() {
        let mut reader = csv::Reader::from_reader(TABLE.as_bytes());
        let names = reader.headers().unwrap().clone();
        for record in reader.records() {
            let record = record.unwrap();
            for (name, value) in names.iter().zip(&record) {
                if ["legacy_date", "eol_date"].contains(&name) && !value.is_empty() {
                    assert!(value.parse::<NaiveDate>().is_ok(), "{name} {value}");
                }
            }
        }
        let rows = lifecycles();
        assert!(rows.len() > 100);
        assert!(rows.iter().all(|row| row.region.as_deref() != Some("")));
        let sonnet: Vec<_> =
            rows.iter().filter(|row| row.model == "anthropic.claude-3-5-sonnet-20240620-v1:0").collect();
        assert_eq!(sonnet.len(), 7);
        assert_eq!(sonnet[0].region.as_deref(), Some("eu-central-1"));
        assert_eq!(sonnet[0].end, NaiveDate::from_ymd_opt(2026, 3, 1));
        assert_eq!(sonnet[0].basis, "lifecycle 2025-11-13");
    }
}
