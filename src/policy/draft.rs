//! A first policy from what was observed: every use as an entry that nobody has approved yet.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A use that was observed: calls alike in all of this.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// The account, where the record names it.
    pub account: Option<String>,
    /// The role's ARN, else the principal.
    pub caller: String,
    /// The model, or the reference that stands for it.
    pub model: Option<String>,
    /// The value of `events.activity`.
    pub activity: String,
    /// The Region that was called.
    pub region: Option<String>,
    /// The geography where the model ran, where it is known.
    pub geography: Option<String>,
    /// How many calls.
    pub calls: i64,
    /// The last one, RFC 3339.
    pub last: String,
}

/// The environment that all observed accounts are put into.
const ENVIRONMENT: &str = "observed";

/// The policy as text; `version` is its version, `basis` says what it was made from. The same uses in any order give
/// the same text.
pub fn draft(uses: &[Use], version: &str, basis: &str) -> String {
    let texts = |of: fn(&Use) -> Option<&str>| -> BTreeSet<&str> {
        uses.iter().filter_map(of).filter(|text| !text.is_empty()).collect()
    };
    let accounts: BTreeSet<&str> =
        texts(|one| one.account.as_deref()).into_iter().filter(|account| is_account(account)).collect();
    let mut out = format!(
        "# A first policy, made from what was observed: {}.\n# Nothing in it is approved. Read every entry, narrow it \
         or take it out, say what it is for and who answers for it.\n\nschema = 1\nname = \"observed-use\"\nversion = \
         {}\n",
        escape(basis),
        quote(version)
    );
    if !accounts.is_empty() {
        let _ =
            write!(out, "\n[[environment]]\nname = {}\naccounts = {}\n", quote(ENVIRONMENT), list(&accounts));
        let regions = globs(&texts(|one| one.region.as_deref()));
        if !regions.is_empty() {
            let _ =
                writeln!(out, "# Observed, not approved: {}.", counted(uses, |one| one.region.as_deref()));
            let _ = writeln!(out, "regions = {}", list(&regions));
        }
        let known = super::check::geographies();
        let geographies: BTreeSet<&str> =
            texts(|one| one.geography.as_deref()).into_iter().filter(|name| known.contains(name)).collect();
        if !geographies.is_empty() {
            let _ =
                writeln!(out, "# Observed, not approved: {}.", counted(uses, |one| one.geography.as_deref()));
            let _ = writeln!(out, "inference_geographies = {}", list(&geographies));
        }
    }
    let mut callers: BTreeMap<&str, Vec<&Use>> = BTreeMap::new();
    for one in uses.iter().filter(|one| !glob(&one.caller).is_empty()) {
        callers.entry(&one.caller).or_default().push(one);
    }
    let mut ids = BTreeSet::new();
    for (caller, uses) in callers {
        entry(&mut out, caller, &uses, &accounts, &mut ids);
    }
    out
}

fn entry(
    out: &mut String,
    caller: &str,
    uses: &[&Use],
    accounts: &BTreeSet<&str>,
    ids: &mut BTreeSet<String>,
) {
    let mut models: BTreeMap<String, (i64, &str)> = BTreeMap::new();
    let mut unnamed = 0;
    for one in uses {
        match one.model.as_deref().map(glob).filter(|model| !model.is_empty()) {
            Some(model) => {
                let held = models.entry(model).or_insert((0, ""));
                *held = (held.0 + one.calls, held.1.max(&one.last));
            }
            None => unnamed += one.calls,
        }
    }
    let calls: i64 = uses.iter().map(|one| one.calls).sum();
    let last = uses.iter().map(|one| one.last.as_str()).max().unwrap_or_default();
    let _ = write!(out, "\n# Observed, not approved: {}, last {}.\n", number(calls), escape(last));
    if unnamed > 0 {
        let _ = writeln!(out, "# Of these {} name no model: no entry can cover them.", number(unnamed));
    }
    if models.is_empty() {
        let _ = writeln!(out, "# No entry is made for {}.", escape(caller));
        return;
    }
    let activities: BTreeSet<&str> = uses.iter().map(|one| one.activity.as_str()).collect();
    let _ = write!(out, "[[allow]]\nid = {}\n", quote(&id(caller, ids)));
    // A call whose account is unknown is in no environment: the entry then holds in every one.
    if uses.iter().all(|one| one.account.as_deref().is_some_and(|account| accounts.contains(account))) {
        let _ = writeln!(out, "environment = [{}]", quote(ENVIRONMENT));
    }
    let _ = write!(out, "roles = [{}]\nmodels = [\n", quote(&glob(caller)));
    for (model, (calls, last)) in &models {
        let _ = writeln!(out, "  {}, # {}, last {}", quote(model), number(*calls), escape(last));
    }
    let _ = write!(out, "]\nactivities = {}\n#purpose = \"\"\n#owner = \"\"\n", list(&activities));
}

/// `eu-west-1 (12 calls), …`
fn counted(uses: &[Use], of: fn(&Use) -> Option<&str>) -> String {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for one in uses {
        if let Some(text) = of(one).filter(|text| !text.is_empty()) {
            *counts.entry(text).or_default() += one.calls;
        }
    }
    let all = counts.iter().map(|(text, calls)| format!("{} ({})", escape(text), number(*calls)));
    all.collect::<Vec<_>>().join(", ")
}

fn number(calls: i64) -> String {
    if calls == 1 { "1 call".to_owned() } else { format!("{calls} calls") }
}

/// An id from the last part of a name, made unique.
fn id(caller: &str, ids: &mut BTreeSet<String>) -> String {
    let name = caller.rsplit(['/', ':']).next().unwrap_or_default().to_lowercase();
    let words: Vec<&str> =
        name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let name = if words.is_empty() { "use".to_owned() } else { words.join("-") };
    let name: String = name.chars().take(60).collect();
    let mut id = name.clone();
    let mut next = 2;
    while !ids.insert(id.clone()) {
        id = format!("{name}-{next}");
        next += 1;
    }
    id
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A glob that matches the text: what is special in globs, or refused in them, is any one character.
pub(super) fn glob(text: &str) -> String {
    let special = |c: char| matches!(c, '*' | '?' | '[' | ']' | '{' | '}');
    let glob: String = text.chars().map(|c| if special(c) { '?' } else { c }).collect();
    let (begin, end) = (glob.len() - glob.trim_start().len(), glob.trim_end().len());
    let outside = |(at, c): (usize, char)| if at < begin || at >= end { '?' } else { c };
    glob.char_indices().map(outside).collect()
}

fn globs(texts: &BTreeSet<&str>) -> BTreeSet<String> {
    texts.iter().map(|text| glob(text)).collect()
}

fn list<T: AsRef<str>>(texts: &BTreeSet<T>) -> String {
    format!("[{}]", texts.iter().map(|text| quote(text.as_ref())).collect::<Vec<_>>().join(", "))
}

/// A basic string of TOML.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() || !c.is_ascii() => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Text within a comment: one line, whatever it holds.
pub(super) fn escape(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_ascii_graphic() || c == ' ' { vec![c] } else { c.escape_default().collect() })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Policy;
    use super::*;

    fn one(caller: &str, model: Option<&str>, calls: i64) -> Use {
        Use {
            account: Some("111122223333".to_owned()),
            caller: caller.to_owned(),
            model: model.map(str::to_owned),
            activity: "model_invocation".to_owned(),
            region: Some("eu-west-1".to_owned()),
            geography: Some("eu".to_owned()),
            calls,
            last: "2026-10-05T00:00:00Z".to_owned(),
        }
    }

    #[test]
    fn uses_become_entries_that_say_they_are_not_approved() {
        let mut uses = vec![
            one("arn:aws:iam::111122223333:role/a/bot", Some("amazon.nova-pro-v1:0"), 3),
            one("arn:aws:iam::111122223333:role/b/bot", Some("amazon.nova-pro-v1:0"), 1),
            one("arn:aws:iam::111122223333:role/b/bot", None, 2),
            one("unknown", None, 1),
        ];
        let text = draft(&uses, "2026-11-23", "6 calls of logs/");
        insta::assert_snapshot!(text, @r#"
        # A first policy, made from what was observed: 6 calls of logs/.
        # Nothing in it is approved. Read every entry, narrow it or take it out, say what it is for and who answers for it.

        schema = 1
        name = "observed-use"
        version = "2026-11-23"

        [[environment]]
        name = "observed"
        accounts = ["111122223333"]
        # Observed, not approved: eu-west-1 (7 calls).
        regions = ["eu-west-1"]
        # Observed, not approved: eu (7 calls).
        inference_geographies = ["eu"]

        # Observed, not approved: 3 calls, last 2026-10-05T00:00:00Z.
        [[allow]]
        id = "bot"
        environment = ["observed"]
        roles = ["arn:aws:iam::111122223333:role/a/bot"]
        models = [
          "amazon.nova-pro-v1:0", # 3 calls, last 2026-10-05T00:00:00Z
        ]
        activities = ["model_invocation"]
        #purpose = ""
        #owner = ""

        # Observed, not approved: 3 calls, last 2026-10-05T00:00:00Z.
        # Of these 2 calls name no model: no entry can cover them.
        [[allow]]
        id = "bot-2"
        environment = ["observed"]
        roles = ["arn:aws:iam::111122223333:role/b/bot"]
        models = [
          "amazon.nova-pro-v1:0", # 1 call, last 2026-10-05T00:00:00Z
        ]
        activities = ["model_invocation"]
        #purpose = ""
        #owner = ""

        # Observed, not approved: 1 call, last 2026-10-05T00:00:00Z.
        # Of these 1 call name no model: no entry can cover them.
        # No entry is made for unknown.
        "#);
        Policy::parse("p.toml", text.as_bytes()).unwrap();
        uses.reverse();
        assert_eq!(draft(&uses, "2026-11-23", "6 calls of logs/"), text);
    }

    proptest! {
        #[test]
        fn hostile_names_stay_data(
            caller in "\\PC{0,20}|[\"'#\\[\\]{}*?\\\\\n\r\t ]{0,9}",
            model in "\\PC{0,20}|[\"'#\\[\\]{}*?\\\\\n\r\t ]{0,9}",
            region in "\\PC{0,20}|[\"'#\\[\\]{}*?\\\\\n\r\t ]{0,9}",
        ) {
            let mut hostile = one(&caller, Some(&model), 1);
            hostile.region = Some(region);
            let text = draft(&[hostile], "v", &caller);
            let policy = Policy::parse("p.toml", text.as_bytes())
                .map_err(|problems| TestCaseError::fail(format!("{problems:?}\n{text}")))?;
            let named = !caller.is_empty() && !model.is_empty();
            prop_assert_eq!(policy.allow().len(), usize::from(named));
            if let Some(grant) = policy.allow().first() {
                prop_assert!(super::super::glob_matches(&grant.roles[0], &caller));
                prop_assert!(super::super::glob_matches(&grant.models[0], &model));
            }
        }
    }
}
