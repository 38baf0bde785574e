//! ④ Rules: one SQL file each under `queries/rules/`, what they find, and the waivers that cover it.
//!
//! [`header`] reads the files, [`folder`] those of a user, [`custom`] makes rules of a policy's conditions, [`parameter`] puts a policy's numbers and lists into their SQL, [`fold`] groups the
//! events they judge, [`plan`] joins them with what the policy says, [`run`] runs them, [`waiver`] splits the events
//! between what is waived and what is not, [`dated`] gives each version of the policy its time, [`text`] writes them out for people.
//!
//! # Writing a rule
//!
//! A rule is a header and one portable SELECT that says what it thinks of each event; the names of its columns tell
//! which of two forms it has ([`Grain`]).
//!
//! *Per event* ([`EVENT_COLUMNS`]), the form of nearly every rule: one row for each event that the rule looked at, the
//! ones found right included, for they are the population. `verdict` is violation, pass, not_applicable or not_assessed;
//! `subject` tells two findings of one principal apart; `reason` says why, also of what is not assessed; `expected` and
//! `observed` are what the policy wants and what was there; `event_time`, `event_id`, `outcome` are the event's own;
//! `severity` may be added where it differs from row to row. No ORDER BY: order is made later. The SELECT becomes
//! `judged` in `queries/fold.sql`, parameters filled in, and the whole stays one portable SELECT, in which
//!
//! - events that pass are one row, all others one row per verdict, account, principal and subject;
//! - times, counts and the population come from the events; the severity is the worst one of the group;
//! - the Region stands if there is one only; `reason` and `observed` stand if they are all alike, else the first and the
//!   last by alphabet do; `expected` is the first by alphabet;
//! - `observed` ends with how many events were ok, denied or neither: `(3 ok, 1 denied, 0 other)`;
//! - the ids of the five earliest events stand for all, those of one instant by alphabet.
//!
//! *Per group* ([`ROW_COLUMNS`]): rules that count over time, follow steps or look for what is missing, and any other
//! that would rather do all this itself. It returns the result as it is, in a total ORDER BY.

mod ask;
mod condition;
pub mod custom;
pub mod dated;
pub mod fold;
pub mod folder;
pub mod header;
mod need;
pub mod outcome;
pub mod parameter;
pub mod plan;
mod row;
pub mod run;
pub mod sigma;
pub mod text;
pub mod waiver;

use std::sync::OnceLock;

pub use ask::Relations;
pub use fold::{EVENT_COLUMNS, Grain};
pub use header::{Kind, Rule};
pub use outcome::{RuleOutcome, State};
pub use plan::{Setting, Settings};
pub use row::ROW_COLUMNS;
pub use run::{Judgement, Scope};
pub use waiver::Waiver;

use crate::query_file;

/// Every rule of the program, sorted by code.
pub fn catalogue() -> Result<&'static [Rule], &'static header::Error> {
    static RULES: OnceLock<Result<Vec<Rule>, header::Error>> = OnceLock::new();
    RULES
        .get_or_init(|| {
            let mut rules = query_file::rules()
                // A test renders them: a run need not.
                .map(|file| Rule::trusted(file.stem, file.sql))
                .collect::<Result<Vec<_>, _>>()?;
            rules.sort_by(|a, b| a.code.cmp(&b.code));
            Ok(rules)
        })
        .as_deref()
}

/// No rule has this code or name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no rule `{name}`; {}`rules list` shows all", query_file::did_you_mean(.nearest.as_deref()))]
pub struct UnknownRule {
    /// The code or name as given.
    pub name: String,
    /// What it most likely meant.
    pub nearest: Option<String>,
}

/// The rule of that code (in either case), name, or code and name together; the error names the nearest one.
pub fn find<'a>(rules: &'a [Rule], name: &str) -> Result<&'a Rule, UnknownRule> {
    rules.iter().find(|rule| rule.is_called(name)).ok_or_else(|| {
        let candidates = rules.iter().flat_map(|rule| [rule.code.as_str(), rule.name.as_str()]);
        let nearest = query_file::nearest(name, candidates).map(str::to_owned);
        UnknownRule { name: name.to_owned(), nearest }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::header::samples;

    #[test]
    fn embedded_rules_are_sound() {
        let rules = catalogue().unwrap();
        for pair in rules.windows(2) {
            assert!(pair[0].code < pair[1].code, "two rules have the code {}", pair[1].code);
        }
        for file in query_file::rules() {
            Rule::parse(file.stem, file.sql).unwrap();
        }
    }

    #[test]
    fn lookup_by_code_name_or_both() {
        let rules = samples();
        for name in ["BT901", "bt901", "model-forbidden", "BT901-model-forbidden"] {
            assert_eq!(find(&rules, name).unwrap().code, "BT901", "{name}");
        }
        insta::assert_snapshot!(find(&rules, "model-forbiden").unwrap_err(), @"there is no rule `model-forbiden`; did you mean `model-forbidden`? `rules list` shows all");
        insta::assert_snapshot!(find(&rules, "nothing").unwrap_err(), @"there is no rule `nothing`; `rules list` shows all");
    }
}
