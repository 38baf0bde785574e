//! `[[waiver]]`.

use toml::Spanned;

use super::rule::code_mistake;
use super::{Collector, Unique, date, expression, filled, optional, required, text, texts};
use crate::policy::entry::Waiver;
use crate::policy::predicate::Place;
use crate::policy::problem::{Named, quoted};
use crate::policy::written;

/// The longest a waiver may last.
const MOST_DAYS: i64 = 366;

/// Rules about tampering with logs (BT080 to BT087) and about what the log cannot show (BT090 to BT099).
fn guards_evidence(code: &str) -> bool {
    matches!(code.as_bytes(), [b'B', b'T', b'0', b'8', b'0'..=b'7'] | [b'B', b'T', b'0', b'9', _])
}

/// The waivers, where each rule is named, and where the condition of each waiver stands.
pub(super) fn waivers(
    out: &mut Collector<'_>,
    written: Vec<Spanned<written::Waiver>>,
    allow_tamper_waiver: bool,
) -> (Vec<Waiver>, Named, Named) {
    let mut unique = Unique::new("waiver", "id");
    let mut waivers = Vec::new();
    let mut spans = Vec::new();
    let mut conditions = Vec::new();
    for entry in written {
        let at = entry.span();
        let entry = entry.into_inner();
        let id = unique.id(out, &at, entry.id, None);
        let whose = if id.is_empty() { "[[waiver]]".to_owned() } else { format!("waiver {}", quoted(&id)) };
        if entry.rules.is_none() {
            out.missing(&at, format!("{whose} has no rules"), "write rules = [\"BT020\"]");
        }
        filled(out, entry.rules.as_ref());
        let mut rules = Vec::new();
        for code in texts(out, entry.rules) {
            let place = code.span();
            let code = code.into_inner();
            if let Some((message, help)) = code_mistake(&code) {
                out.invalid(&place, format!("{message}: {}", quoted(&code)), help);
                continue;
            }
            if guards_evidence(&code) && !allow_tamper_waiver {
                let help = "set allow_tamper_waiver = true to do it all the same";
                out.invalid(&place, format!("{code} guards the evidence itself and is not waived"), help);
            }
            spans.push((code.clone(), place));
            rules.push(code);
        }
        let condition = optional(out, "match", entry.r#match);
        match &condition {
            Some(sql) => {
                conditions.push((id.clone(), sql.span()));
                expression(out, "match", sql, Place::Condition);
            }
            None => out.note(&at, format!("{whose} has no match: it covers every finding of its rules")),
        }
        for (key, value) in [("created", &entry.created), ("expires", &entry.expires)] {
            if value.is_none() {
                out.missing(&at, format!("{whose} has no {key}"), &format!("write {key} = 2026-12-31"));
            }
        }
        let created = date(out, "created", entry.created.as_ref());
        let expires = date(out, "expires", entry.expires.as_ref());
        let owner = required(out, &at, &whose, "owner", entry.owner);
        let approver = required(out, &at, &whose, "approver", entry.approver);
        let reason = required(out, &at, &whose, "reason", entry.reason);
        let ticket = text(out, "ticket", entry.ticket);
        let (Some(created), Some(expires)) = (created, expires) else { continue };
        let days = (expires - created).num_days();
        let place = entry.expires.as_ref().map_or(at, Spanned::span);
        if days <= 0 {
            out.invalid(
                &place,
                format!("{whose} expires before it begins"),
                "expires is the first day not covered",
            );
        } else if days > MOST_DAYS {
            let message = format!("{whose} lasts {days} days; at most {MOST_DAYS}");
            out.invalid(&place, message, "renew it when it expires");
        }
        waivers.push(Waiver {
            id,
            rules,
            condition: condition.map(Spanned::into_inner),
            owner,
            approver,
            reason,
            ticket,
            created,
            expires,
            retroactive: entry.retroactive,
        });
    }
    (waivers, spans, conditions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_that_guard_the_evidence() {
        for (code, guards) in [
            ("BT079", false),
            ("BT080", true),
            ("BT087", true),
            ("BT088", false),
            ("BT090", true),
            ("BT099", true),
        ] {
            assert_eq!(guards_evidence(code), guards, "{code}");
        }
    }
}
