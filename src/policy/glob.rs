//! Globs of the policy file: `*` is any text, `?` one character, all else means itself.

use super::problem::Flaw;

/// The glob as an anchored regular expression that means the same to Rust's `regex`, to RE2 and to Java.
///
/// `*` becomes `.*`, `?` becomes `.` (newlines included), what is special in any of the three is escaped with a
/// backslash, other characters stand for themselves.
pub fn glob_to_regex(glob: &str) -> String {
    anchored(&body(glob))
}

/// The same for a role ARN whose path the record lost (`…:role/name` for `…:role/some/path/name`): every role that
/// the glob would match under some path, and every one that it matches as it stands.
///
/// Only a glob that spells a path is taken to mean one: `…:role/claims*` is a role whose name begins so.
pub(super) fn glob_to_pathless_regex(glob: &str) -> String {
    const RESOURCE: &str = ":role/";
    let (head, rest) = match (glob.find(RESOURCE), glob.find('*')) {
        (Some(at), _) => {
            let (head, rest) = glob.split_at(at + RESOURCE.len());
            (head.to_owned(), rest)
        }
        // The `*` may end before the path, or within it.
        (None, Some(at)) => (format!("{}{RESOURCE}", &glob[..=at]), &glob[at..]),
        (None, None) => return glob_to_regex(glob),
    };
    let Some(path) = rest.find('/') else { return glob_to_regex(glob) };
    // Where the name may begin: after a slash of the path, or inside a `*` that spans the rest of it.
    let names = rest[path..].char_indices().filter_map(|(at, c)| match c {
        '/' | '?' => Some(&rest[path + at + 1..]),
        '*' => Some(&rest[path + at..]),
        _ => None,
    });
    let names: std::collections::BTreeSet<String> =
        names.filter(|name| !name.contains('/')).map(body).collect();
    let names: Vec<String> = names.into_iter().collect();
    anchored(&format!("{}|{}(?:{})", body(glob), body(&head), names.join("|")))
}

pub(super) fn anchored(body: &str) -> String {
    format!(r"\A(?s:{body})\z")
}

pub(super) fn body(glob: &str) -> String {
    let mut regex = String::with_capacity(glob.len() + 8);
    for c in glob.chars() {
        match c {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '\\' | '.' | '+' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' => {
                regex.push('\\');
                regex.push(c);
            }
            _ => regex.push(c),
        }
    }
    regex
}

/// Whether the glob matches the whole text; agrees with [`glob_to_regex`].
pub fn glob_matches(glob: &str, text: &str) -> bool {
    let (mut glob, mut text) = (glob.chars(), text.chars());
    // Where to resume when the last `*` has to take one character more.
    let mut resume = None;
    loop {
        let (glob_here, text_here) = (glob.clone(), text.clone());
        match (glob.next(), text.next()) {
            (Some('*'), _) => {
                text = text_here.clone();
                resume = Some((glob.clone(), text_here));
            }
            (None, None) => return true,
            (Some(g), Some(t)) if g == '?' || g == t => {}
            (g, t) => {
                if t.is_none() && g.is_some() {
                    return glob_here.clone().all(|rest| rest == '*');
                }
                let Some((after_star, taken)) = &mut resume else { return false };
                if taken.next().is_none() {
                    return false;
                }
                glob = after_star.clone();
                text = taken.clone();
            }
        }
    }
}

/// Whether some text is matched by both globs.
pub(super) fn globs_meet(left: &str, right: &str) -> bool {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    // meets[j]: left[i..] and right[j..] have a text in common, for the i at hand, from the end.
    let mut meets = vec![false; right.len() + 1];
    for i in (0..=left.len()).rev() {
        let below = meets.clone();
        for j in (0..=right.len()).rev() {
            meets[j] = match (left.get(i), right.get(j)) {
                (None, None) => true,
                (Some('*'), Some(_)) | (Some(_), Some('*')) => below[j] || meets[j + 1],
                (Some('*'), None) => below[j],
                (None, Some('*')) => meets[j + 1],
                (Some(l), Some(r)) => (l == r || *l == '?' || *r == '?') && below[j + 1],
                _ => false,
            };
        }
    }
    meets[0]
}

/// Why a text is no glob of ours: empty, or written in another glob dialect.
pub(super) fn glob_mistake(glob: &str) -> Option<Flaw> {
    if glob.is_empty() {
        return Some((
            "an empty pattern matches nothing",
            "write \"*\" for everything, or leave the key out",
        ));
    }
    if glob.trim() != glob {
        return Some(("a pattern begins or ends with a space", ""));
    }
    let help = "patterns know only * (any text) and ? (one character); list several patterns instead";
    glob.contains(['[', ']', '{', '}']).then_some(("a pattern knows no [ ] or { }", help))
}

/// What a glob looks like that means itself all the same: a regular expression, or a LIKE of SQL. No name of AWS begins
/// or ends so.
pub(super) fn glob_likeness(glob: &str) -> Option<&'static str> {
    if glob.starts_with('^') || glob.ends_with('$') {
        return Some(
            "looks like a regular expression, but ^ and $ mean themselves; a pattern always means the whole text",
        );
    }
    (glob.starts_with('%') || glob.ends_with('%'))
        .then_some("looks like a LIKE of SQL, but % means itself; write * for any text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_other_languages_are_seen() {
        for glob in ["^anthropic.*", "anthropic.*$", "^a$"] {
            assert!(glob_likeness(glob).is_some_and(|told| told.contains("regular expression")), "{glob}");
        }
        assert!(glob_likeness("anthropic.%").is_some_and(|told| told.contains("LIKE")));
        for glob in ["anthropic.*", "*", "a$b", "a^b", "a%b*", "us.anthropic.claude-*"] {
            assert_eq!(glob_likeness(glob), None, "{glob}");
        }
    }

    #[test]
    fn a_role_that_lost_its_path_may_be_any_that_the_glob_means() {
        let role = |name: &str| format!("arn:aws:iam::111122223333:role/{name}");
        for (glob, lost, means) in [
            ("arn:aws:iam::111122223333:role/service/claims-bot", "claims-bot", true),
            ("arn:aws:iam::111122223333:role/service/claims-bot", "analyst", false),
            (
                "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Dev_*",
                "AWSReservedSSO_Dev_1",
                true,
            ),
            // A `*` matches slashes, so that the path may go on in it.
            ("arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Dev_*", "analyst", true),
            (
                "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Dev",
                "AWSReservedSSO_Ops",
                false,
            ),
            ("arn:aws:iam::*:role/aws-reserved/sso*_Dev_*", "AWSReservedSSO_Dev_1", true),
            ("arn:aws:iam::*:role/contractors/*", "anybody", true),
            ("arn:aws:iam::999999999999:role/contractors/*", "anybody", false),
            ("*/contractors/*", "anybody", true),
            ("*/contractors/bob", "bob", true),
            ("*/contractors/bob", "rob", false),
            ("arn:aws:iam::*role/contractors/bob", "bob", true),
            // No path in the glob: the name decides.
            ("arn:aws:iam::111122223333:role/claims*", "claims-bot", true),
            ("arn:aws:iam::111122223333:role/claims*", "analyst", false),
            ("arn:aws:iam::111122223333:role/claims-bot", "claims-bot", true),
            ("*", "anybody", true),
        ] {
            let regex = regex::Regex::new(&glob_to_pathless_regex(glob)).unwrap();
            assert_eq!(regex.is_match(&role(lost)), means, "{glob} {lost}: {regex}");
        }
    }
    use proptest::prelude::*;
    use regex::Regex;

    #[test]
    fn metacharacters_in_names_are_data() {
        let role = "arn:aws:iam::*:role/aws-reserved/AWSReservedSSO_Dev_?";
        assert_eq!(glob_to_regex(role), r"\A(?s:arn:aws:iam::.*:role/aws-reserved/AWSReservedSSO_Dev_.)\z");
        assert!(glob_matches("a.b+c", "a.b+c"));
        assert!(!glob_matches("a.b", "axb"));
        assert!(!glob_matches("AWSReservedSSO_Dev*", "AWSReservedSSOXDev1"));
        assert!(glob_matches("*.*", "."));
        assert!(glob_matches("a*", "a\nb"));
        assert!(!glob_matches("", "a"));
        assert!(glob_matches("*", ""));
        assert!(!glob_matches("?", ""));
    }

    #[test]
    fn globs_that_share_a_text_meet() {
        for (left, right, meet) in [
            ("55*", "5566?*", true),
            ("1*", "*1", true),
            ("1*1", "12", false),
            ("1*", "2*", false),
            ("*", "*", true),
            ("?", "", false),
            ("1?3", "12*", true),
        ] {
            assert_eq!(globs_meet(left, right), meet, "{left} {right}");
            assert_eq!(globs_meet(right, left), meet, "{right} {left}");
        }
    }

    #[test]
    fn other_dialects_are_refused() {
        assert!(glob_mistake("").is_some());
        assert!(glob_mistake("{a,b}").is_some());
        assert!(glob_mistake("role/[ab]").is_some());
        assert!(glob_mistake(" a").is_some());
        assert!(glob_mistake("a.*").is_none());
    }

    proptest! {
        #[test]
        fn both_forms_agree(glob in r"[ab*?.\\+^$|()#&~ü\n -]{0,8}", text in r"[ab*?.\\+^$|()#&~ü\n -]{0,8}") {
            let regex = Regex::new(&glob_to_regex(&glob)).unwrap();
            prop_assert_eq!(regex.is_match(&text), glob_matches(&glob, &text));
        }

        #[test]
        fn a_name_without_stars_matches_itself_only(name in r"[!-)+->@-~]{1,12}", other in r"[!-)+->@-~]{1,12}") {
            let regex = Regex::new(&glob_to_regex(&name)).unwrap();
            prop_assert!(regex.is_match(&name) && glob_matches(&name, &name));
            prop_assert_eq!(regex.is_match(&other), name == other);
        }

        #[test]
        fn a_text_that_both_match_means_they_meet(left in "[ab*?]{0,5}", right in "[ab*?]{0,5}", text in "[ab]{0,5}") {
            if glob_matches(&left, &text) && glob_matches(&right, &text) {
                prop_assert!(globs_meet(&left, &right));
            }
        }
    }
}
