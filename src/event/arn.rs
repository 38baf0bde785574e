//! Amazon Resource Names: `arn:partition:service:region:account:resource`.

/// The parts of an ARN. The resource may hold colons and slashes of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: &'a str,
    /// The service's namespace, e.g. `bedrock`.
    pub service: &'a str,
    /// The Region; empty for global resources.
    pub region: &'a str,
    /// The account; empty or `aws` for resources of AWS itself.
    pub account: &'a str,
    /// All that follows.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Splits an ARN; `None` for other text.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        let arn = Self {
            partition: parts.next()?,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        };
        (!arn.partition.is_empty() && !arn.service.is_empty()).then_some(arn)
    }

    /// The segment after `kind/` at the start of the resource, up to the next slash or colon.
    pub fn id(&self, kind: &str) -> Option<&'a str> {
        let rest = self.resource.strip_prefix(kind)?.strip_prefix('/')?;
        rest.split(['/', ':']).next().filter(|id| !id.is_empty())
    }

    /// The segment after `/kind/` anywhere in the resource.
    pub fn inner(&self, kind: &str) -> Option<&'a str> {
        let mut segments = self.resource.split(['/', ':']).skip(1);
        segments.find(|segment| *segment == kind)?;
        segments.next().filter(|id| !id.is_empty())
    }
}

/// Whether the text is an account id: twelve digits.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_and_finds_ids() {
        let text = "arn:aws:bedrock-agentcore:us-west-2:111122223333:runtime/a-1/runtime-endpoint/live:2";
        let arn = Arn::parse(text).unwrap();
        assert_eq!((arn.partition, arn.service, arn.region), ("aws", "bedrock-agentcore", "us-west-2"));
        assert!(is_account(arn.account));
        assert_eq!(arn.id("runtime"), Some("a-1"));
        assert_eq!(arn.id("runtim"), None);
        assert_eq!(arn.inner("runtime-endpoint"), Some("live"));
        assert_eq!(arn.inner("absent"), None);
        for text in ["", "arn:aws:iam", "<REDACTED>", "arn::::::", "xarn:aws:iam::1:role/x"] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
        assert!(!is_account("anonymous") && !is_account("11112222333"));
    }
}
