//! Roles of agents, followed into other services: the policy's, and those that Bedrock services assume.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use regex::RegexSet;

use super::Failure;
use crate::decode::filter::Filter;
use crate::event::scope::Scope;
use crate::policy::{self, Policy};

/// More roles than this, and every record is parsed.
const SEARCHED: usize = 200;

/// Which roles are followed.
#[derive(Debug, Default)]
pub(super) struct Follow {
    /// Globs of the policy and ARNs that were seen.
    roles: BTreeSet<String>,
    assumed: Mutex<BTreeSet<String>>,
    patterns: RegexSet,
}

impl Follow {
    /// The execution roles that the policy names.
    pub(super) fn of(policy: Option<&Policy>) -> Result<Self, Failure> {
        let agents = policy.map(Policy::agents).unwrap_or_default();
        let roles = agents.iter().filter_map(|agent| agent.execution_role.clone()).collect();
        let mut follow = Self { roles, ..Self::default() };
        follow.compile()?;
        Ok(follow)
    }

    fn compile(&mut self) -> Result<(), Failure> {
        let globs = self.roles.iter().flat_map(|role| [Some(role.clone()), pathless(role)]).flatten();
        self.patterns =
            RegexSet::new(globs.map(|role| policy::glob_to_regex(&role))).map_err(Failure::failed)?;
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

    /// Takes in a role that a Bedrock service assumed.
    pub(super) fn assume(&self, role: &str) {
        if !self.is(role) {
            self.assumed.lock().unwrap_or_else(PoisonError::into_inner).insert(role.to_owned());
        }
    }

    /// Takes the roles seen meanwhile among those followed: how many are new. Records read before are to be read again.
    pub(super) fn learn(&mut self) -> Result<usize, Failure> {
        let seen = std::mem::take(self.assumed.get_mut().unwrap_or_else(PoisonError::into_inner));
        let before = self.roles.len();
        // An ARN may hold what is special in a pattern of ours only if it is no ARN of a role.
        self.roles.extend(seen.into_iter().filter(|role| !role.contains(['*', '?'])));
        let new = self.roles.len() - before;
        if new > 0 {
            self.compile()?;
        }
        Ok(new)
    }

    /// What may be passed over.
    pub(super) fn filter(&self, scope: &Scope) -> Filter {
        let names: BTreeSet<&str> = self.roles.iter().map(|role| beginning(role)).collect();
        if names.contains("") || names.len() > SEARCHED {
            return Filter::none();
        }
        Filter::new(scope.needles(), scope.names()).following(names)
    }
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
    fn roles_seen_are_followed_from_the_next_reading_on() {
        let mut follow = following(&[]);
        follow.assume("arn:aws:iam::111122223333:role/service-role/AmazonBedrockExecutionRoleForAgents_A");
        follow.assume("arn:aws:iam::111122223333:role/*");
        assert_eq!((follow.learn().unwrap(), follow.count()), (1, 1));
        assert!(follow.is("arn:aws:iam::111122223333:role/AmazonBedrockExecutionRoleForAgents_A"));
        assert_eq!(follow.learn().unwrap(), 0);
    }
}
