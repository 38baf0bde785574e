//! Who calls: the shapes of `userIdentity`, and the principal each of them is reported as.

use super::random::Random;
use super::record::stamp;

/// The kind of identity behind a call.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A session of an IAM role. `path` begins and ends with a slash.
    Role { path: String, name: String, session: String },
    /// As `Role`, but the record carries no `sessionIssuer`, and the path is lost.
    RoleWithoutIssuer { name: String, session: String },
    /// An IAM user.
    User { name: String },
    /// The account's root user.
    Root,
    /// An AWS service for itself, by its DNS name.
    Service { name: String },
}

/// A caller with what stays the same over its calls.
#[derive(Clone, Debug)]
pub struct Caller {
    pub account: String,
    pub kind: Kind,
    /// `AROA…`, `AIDA…`: the identity's unique id.
    pub unique_id: String,
    pub access_key: String,
    pub agent: String,
    pub ip: String,
    pub mfa: bool,
    pub console: bool,
    /// Start of the session, seconds since the epoch.
    pub since: i64,
    /// The service that calls on the caller's behalf.
    pub invoked_by: Option<String>,
    /// The VPC endpoint the calls come through.
    pub endpoint: Option<String>,
    /// The IAM Identity Center user behind the session.
    pub on_behalf_of: Option<String>,
    /// The Lambda function the session's credentials were issued to.
    pub function: Option<String>,
    /// How the instance got its credentials: `ec2RoleDelivery`.
    pub instance: bool,
}

impl Caller {
    fn new(account: &str, kind: Kind, agent: &str, random: &mut Random) -> Self {
        let (id, key) = match kind {
            Kind::User { .. } => ("AIDA", "AKIA"),
            _ => ("AROA", "ASIA"),
        };
        Self {
            account: account.to_owned(),
            kind,
            unique_id: format!("{id}{}", random.unique_id(17)),
            access_key: format!("{key}{}", random.unique_id(16)),
            agent: agent.to_owned(),
            ip: format!("10.{}.{}.{}", random.below(64), random.below(256), random.between(1, 254)),
            mfa: false,
            console: false,
            since: 0,
            invoked_by: None,
            endpoint: None,
            on_behalf_of: None,
            function: None,
            instance: false,
        }
    }

    /// A session of a role; `path` is `/` for most.
    pub fn role(
        account: &str,
        path: &str,
        name: &str,
        session: &str,
        agent: &str,
        random: &mut Random,
    ) -> Self {
        let kind = Kind::Role { path: path.to_owned(), name: name.to_owned(), session: session.to_owned() };
        Self::new(account, kind, agent, random)
    }

    /// A session of a role whose record does not say which path it has.
    pub fn role_without_issuer(
        account: &str,
        name: &str,
        session: &str,
        agent: &str,
        random: &mut Random,
    ) -> Self {
        let kind = Kind::RoleWithoutIssuer { name: name.to_owned(), session: session.to_owned() };
        Self::new(account, kind, agent, random)
    }

    /// A person signed in through IAM Identity Center with a permission set.
    pub fn person(account: &str, set: &str, email: &str, agent: &str, random: &mut Random) -> Self {
        let name = format!("AWSReservedSSO_{set}_{}", random.hex(16));
        let path = "/aws-reserved/sso.amazonaws.com/eu-central-1/";
        let mut caller = Self::role(account, path, &name, email, agent, random);
        caller.on_behalf_of = Some(format!("{}-{}", random.hex(10), random.uuid()));
        caller.ip = format!("198.51.100.{}", random.between(1, 254));
        caller
    }

    /// An IAM user with a long-term key.
    pub fn user(account: &str, name: &str, agent: &str, random: &mut Random) -> Self {
        Self::new(account, Kind::User { name: name.to_owned() }, agent, random)
    }

    /// The root user, in the console.
    pub fn root(account: &str, agent: &str, random: &mut Random) -> Self {
        let mut root = Self::new(account, Kind::Root, agent, random);
        root.console = true;
        root.mfa = true;
        root
    }

    /// A service for itself.
    pub fn service(account: &str, name: &str, random: &mut Random) -> Self {
        let mut service = Self::new(account, Kind::Service { name: name.to_owned() }, name, random);
        service.invoked_by = Some(name.to_owned());
        service
    }

    /// The same session, used by `service` on the caller's behalf.
    pub fn through(&self, service: &str) -> Self {
        Self { invoked_by: Some(service.to_owned()), endpoint: None, ..self.clone() }
    }

    /// What `principal` is: the role's ARN, else the user's, else the service.
    pub fn principal(&self) -> String {
        let account = &self.account;
        match &self.kind {
            Kind::Role { .. } | Kind::RoleWithoutIssuer { .. } => self.role_arn().expect("a role"),
            Kind::User { name } => format!("arn:aws:iam::{account}:user/{name}"),
            Kind::Root => format!("arn:aws:iam::{account}:root"),
            Kind::Service { name } => format!("service:{name}"),
        }
    }

    /// The role's own ARN.
    pub fn role_arn(&self) -> Option<String> {
        let account = &self.account;
        match &self.kind {
            Kind::Role { path, name, .. } => Some(format!("arn:aws:iam::{account}:role{path}{name}")),
            Kind::RoleWithoutIssuer { name, .. } => Some(format!("arn:aws:iam::{account}:role/{name}")),
            _ => None,
        }
    }

    /// `userIdentity.arn`.
    pub fn arn(&self) -> String {
        let account = &self.account;
        match &self.kind {
            Kind::Role { name, session, .. } | Kind::RoleWithoutIssuer { name, session } => {
                format!("arn:aws:sts::{account}:assumed-role/{name}/{session}")
            }
            _ => self.principal(),
        }
    }

    /// `sourceIPAddress`: the service where one calls for us.
    pub fn source_ip(&self) -> String {
        self.invoked_by.as_ref().unwrap_or(&self.ip).clone()
    }

    /// `userAgent`: the service where one calls for us.
    pub fn user_agent(&self) -> String {
        self.invoked_by.as_ref().unwrap_or(&self.agent).clone()
    }

    /// `userIdentity`.
    pub fn identity(&self) -> String {
        let Self { account, unique_id, access_key, .. } = self;
        let arn = self.arn();
        let mut out = match &self.kind {
            Kind::Service { name } => {
                return format!(r#"{{"type":"AWSService","invokedBy":"{name}"}}"#);
            }
            Kind::Root => format!(
                r#"{{"type":"Root","principalId":"{account}","arn":"{arn}","accountId":"{account}","accessKeyId":"{access_key}""#
            ),
            Kind::User { name } => format!(
                r#"{{"type":"IAMUser","principalId":"{unique_id}","arn":"{arn}","accountId":"{account}","accessKeyId":"{access_key}","userName":"{name}""#
            ),
            Kind::Role { session, .. } | Kind::RoleWithoutIssuer { session, .. } => format!(
                r#"{{"type":"AssumedRole","principalId":"{unique_id}:{session}","arn":"{arn}","accountId":"{account}","accessKeyId":"{access_key}""#
            ),
        };
        let attributes = format!(
            r#""attributes":{{"creationDate":"{}","mfaAuthenticated":"{}"}}"#,
            stamp(self.since),
            self.mfa
        );
        match &self.kind {
            Kind::Role { name, .. } => {
                let role = self.role_arn().expect("a role");
                let delivery = if self.instance { r#","ec2RoleDelivery":"2.0""# } else { "" };
                out += &format!(
                    r#","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"{unique_id}","arn":"{role}","accountId":"{account}","userName":"{name}"}},{attributes}{delivery}}}"#
                );
            }
            Kind::RoleWithoutIssuer { .. } | Kind::Root => {
                out += &format!(r#","sessionContext":{{{attributes}}}"#);
            }
            Kind::User { .. } if self.console => {
                out += &format!(r#","sessionContext":{{{attributes}}}"#);
            }
            _ => {}
        }
        if let Some(user) = &self.on_behalf_of {
            out += &format!(
                r#","onBehalfOf":{{"userId":"{user}","identityStoreArn":"arn:aws:identitystore::111122220000:identitystore/d-9967a1b2c3"}}"#
            );
        }
        if let Some(function) = &self.function {
            out += &format!(
                r#","inScopeOf":{{"sourceArn":"{function}","sourceAccount":"{account}","issuerType":"AWS::Lambda::Function","credentialsIssuedTo":"{function}"}}"#
            );
        }
        if let Some(service) = &self.invoked_by {
            out += &format!(r#","invokedBy":"{service}""#);
        }
        out.push('}');
        out
    }
}
