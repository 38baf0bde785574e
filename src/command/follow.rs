//! Roles of agents, followed into other services: the policy's, those that Bedrock services assume, and those that a
//! recorded change gives an agent, flow, runtime or gateway. And the functions
//! of agents: whoever calls them, and what they call with the credentials that were issued to them.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use regex::RegexSet;

use super::Failure;
use crate::decode::filter::Filter;
use crate::event::scope::Scope;
use crate::ingest::store;
use crate::policy::{self, Policy};

/// More names than this, and every record is parsed.
const SEARCHED: usize = 200;

/// Which roles are followed.
#[derive(Debug, Default)]
pub(super) struct Follow {
    /// Globs of the policy and ARNs that were seen.
    roles: BTreeSet<String>,
    /// Globs of the functions of agents' action groups.
    functions: BTreeSet<String>,
    met: Mutex<BTreeSet<String>>,
    patterns: RegexSet,
    function_patterns: RegexSet,
}

impl Follow {
    /// The execution roles and functions that the versions of the policy name.
    pub(super) fn of<'p>(policies: impl Iterator<Item = &'p Policy>) -> Result<Self, Failure> {
        let (mut roles, mut functions) = (BTreeSet::new(), BTreeSet::new());
        for agent in policies.flat_map(Policy::agents) {
            roles.extend(agent.execution_role.clone());
            functions.extend(agent.lambdas.iter().cloned());
        }
        let mut follow = Self { roles, functions, ..Self::default() };
        follow.compile()?;
        Ok(follow)
    }

    /// The same, and what a store was collected with.
    pub(super) fn with<'p>(
        policies: impl Iterator<Item = &'p Policy>,
        stored: Option<&store::Followed>,
    ) -> Result<Self, Failure> {
        let mut follow = Self::of(policies)?;
        if let Some(stored) = stored {
            follow.roles.extend(stored.roles.iter().chain(&stored.late_roles).cloned());
            follow.functions.extend(stored.functions.iter().chain(&stored.late_functions).cloned());
            follow.compile()?;
        }
        Ok(follow)
    }

    /// What a store remembers of it.
    pub(super) fn remembered(&self) -> store::Followed {
        store::Followed {
            roles: self.roles.iter().cloned().collect(),
            functions: self.functions.iter().cloned().collect(),
            ..store::Followed::default()
        }
    }

    /// Roles that were seen and are not followed yet, in order.
    pub(super) fn seen(&self) -> Vec<String> {
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        // An ARN may hold what is special in a pattern of ours only if it is no ARN of a role.
        met.iter().filter(|role| !role.contains(['*', '?'])).cloned().collect()
    }

    /// What of it a store was not collected with, or not from the beginning.
    pub(super) fn lacking<'f>(&'f self, stored: &'f store::Followed) -> Vec<&'f str> {
        let roles = self.roles.iter().filter(|role| !stored.roles.contains(role));
        let functions = self.functions.iter().filter(|function| !stored.functions.contains(function));
        roles.chain(functions).map(String::as_str).collect()
    }

    fn compile(&mut self) -> Result<(), Failure> {
        let globs = self.roles.iter().flat_map(|role| [Some(role.clone()), pathless(role)]).flatten();
        self.patterns =
            RegexSet::new(globs.map(|role| policy::glob_to_regex(&role))).map_err(Failure::failed)?;
        let functions = self.functions.iter().map(|function| policy::glob_to_regex(function));
        self.function_patterns = RegexSet::new(functions).map_err(Failure::failed)?;
        Ok(())
    }

    /// How many roles and patterns of roles.
    pub(super) fn count(&self) -> usize {
        self.roles.len()
    }

    /// Whether a role is followed.
    pub(super) fn is(&self, role: &str) -> bool {
        self.patterns.is_match(role)
    }

    /// Whether a function is one of an agent's; a version or alias after its name makes it no other.
    pub(super) fn function(&self, arn: &str) -> bool {
        let name = arn.find(":function:").map(|at| at + ":function:".len());
        let end = name.and_then(|name| Some(name + arn.get(name..)?.find(':')?));
        let plain = end.and_then(|end| arn.get(..end)).unwrap_or(arn);
        self.function_patterns.is_match(plain) || self.function_patterns.is_match(arn)
    }

    /// Takes in a role that a Bedrock service assumed or that an agent was given.
    pub(super) fn see(&self, role: &str) {
        if !self.is(role) {
            self.met.lock().unwrap_or_else(PoisonError::into_inner).insert(role.to_owned());
        }
    }

    /// Takes the roles seen meanwhile among those followed: how many are new. Records read before are to be read again.
    pub(super) fn learn(&mut self) -> Result<usize, Failure> {
        let before = self.roles.len();
        self.roles.extend(self.seen());
        self.met.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        let new = self.roles.len() - before;
        if new > 0 {
            self.compile()?;
        }
        Ok(new)
    }

    /// What may be passed over.
    pub(super) fn filter(&self, scope: &Scope) -> Filter {
        let names: BTreeSet<&str> = self.roles.iter().map(|role| beginning(role)).collect();
        let functions: BTreeSet<&str> = self.functions.iter().map(|glob| function_beginning(glob)).collect();
        if names.contains("") || names.len() + functions.len() > SEARCHED {
            return Filter::none();
        }
        // The name of a role stands after a slash, in its ARN and in those of its sessions.
        let roles = names.into_iter().map(|name| format!("/{name}"));
        // A function whose name may begin in any way is found by the service, or by the ARN that its credentials name.
        let functions = if functions.contains("") {
            vec!["\"lambda".to_owned(), ":function".to_owned()]
        } else {
            functions.into_iter().map(str::to_owned).collect()
        };
        Filter::new(scope.needles(), scope.names()).following(roles.chain(functions))
    }
}

/// How the function's name begins: what stands in every record of an invocation that the glob matches, in an ARN or
/// alone. Empty where that says nothing.
fn function_beginning(glob: &str) -> &str {
    let name = glob.split_once(":function:").map_or("", |(_, name)| name);
    let begins = name.find(['*', '?', ':']).map_or(name, |at| &name[..at]);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if begins.len() > 1 && begins.bytes().all(plain) { begins } else { "" }
}

/// How the role's name begins: what stands after the last slash in every ARN that the glob matches.
fn beginning(glob: &str) -> &str {
    let name = glob.rsplit('/').next().unwrap_or_default();
    let whole = name.find(['*', '?']).map_or(name, |at| &name[..at]);
    // What JSON may write in more than one way is not searched for.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    if glob.contains('/') && whole.bytes().all(plain) { whole } else { "" }
}

/// The same role where its path is lost, if the glob names it in full.
fn pathless(glob: &str) -> Option<String> {
    let (head, path) = glob.split_once(":role/")?;
    let (_, name) = path.rsplit_once('/')?;
    (!name.contains(['*', '?'])).then(|| format!("{head}:role/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn following(roles: &[&str]) -> Follow {
        let mut follow =
            Follow { roles: roles.iter().map(|&role| role.to_owned()).collect(), ..Follow::default() };
        follow.compile().unwrap();
        follow
    }

    #[test]
    fn a_role_is_followed_with_its_path_and_without() {
        let follow =
            following(&["arn:aws:iam::111122223333:role/agents/refund-exec", "arn:aws:iam::*:role/team-*"]);
        for (role, followed) in [
            ("arn:aws:iam::111122223333:role/agents/refund-exec", true),
            ("arn:aws:iam::111122223333:role/refund-exec", true),
            ("arn:aws:iam::444455556666:role/refund-exec", false),
            ("arn:aws:iam::111122223333:role/other/refund-exec", false),
            ("arn:aws:iam::444455556666:role/team-a", true),
            ("arn:aws:iam::444455556666:role/my-team-a", false),
        ] {
            assert_eq!(follow.is(role), followed, "{role}");
        }
    }

    #[test]
    fn roles_are_searched_for_by_how_their_names_begin() {
        for (glob, name) in [
            ("arn:aws:iam::111122223333:role/agents/refund-exec", "refund-exec"),
            ("arn:aws:iam::111122223333:role/refund-*-exec", "refund-"),
            ("arn:aws:iam::*:role/*", ""),
            ("arn:aws:iam::111122223333:role*", ""),
            ("arn:aws:iam::111122223333:role/b&fc", ""),
        ] {
            assert_eq!(beginning(glob), name, "{glob}");
        }
    }

    #[test]
    fn functions_are_known_with_and_without_a_version() {
        let functions = [
            "arn:aws:lambda:*:111122223333:function:refund-*",
            "arn:aws:lambda:eu-west-1:111122223333:function:pay",
        ];
        let mut follow =
            Follow { functions: functions.map(str::to_owned).into_iter().collect(), ..Follow::default() };
        follow.compile().unwrap();
        for (arn, is) in [
            ("arn:aws:lambda:eu-central-1:111122223333:function:refund-issue", true),
            ("arn:aws:lambda:eu-west-1:111122223333:function:pay:live", true),
            ("arn:aws:lambda:eu-west-1:111122223333:function:pay", true),
            ("arn:aws:lambda:eu-west-1:111122223333:function:payroll", false),
            ("arn:aws:lambda:eu-west-1:444455556666:function:refund-issue", false),
            ("pay", false),
        ] {
            assert_eq!(follow.function(arn), is, "{arn}");
        }
        for (glob, begins) in [
            (functions[0], "refund-"),
            (functions[1], "pay"),
            ("arn:aws:lambda:*:*:function:pay:live", "pay"),
            ("arn:aws:lambda:*:*:function:*-tool", ""),
            ("arn:aws:lambda:*", ""),
            ("*", ""),
        ] {
            assert_eq!(function_beginning(glob), begins, "{glob}");
        }
    }

    #[test]
    fn roles_seen_are_followed_from_the_next_reading_on() {
        let mut follow = following(&[]);
        follow.see("arn:aws:iam::111122223333:role/service-role/AmazonBedrockExecutionRoleForAgents_A");
        follow.see("arn:aws:iam::111122223333:role/*");
        assert_eq!((follow.learn().unwrap(), follow.count()), (1, 1));
        assert!(follow.is("arn:aws:iam::111122223333:role/AmazonBedrockExecutionRoleForAgents_A"));
        assert_eq!(follow.learn().unwrap(), 0);
    }
}
