//! What kind of address a call came from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `public`, `private`, `aws_service` or `aws_internal`; `None` where the text is no address, as where it is masked.
pub fn kind(address: &str) -> Option<&'static str> {
    let address = address.trim();
    if address.starts_with("AWS Internal") {
        return Some("aws_internal");
    }
    let ip = match ipv4(address) {
        Some(ip) => IpAddr::V4(ip),
        None => match address.parse::<Ipv6Addr>() {
            Ok(ip) => ip.to_canonical(),
            Err(_) => return is_service(address).then_some("aws_service"),
        },
    };
    let private = match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || (a == 100 && (64..128).contains(&b))
                || a == 0
        }
        IpAddr::V6(ip) => {
            ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_unspecified()
        }
    };
    Some(if private { "private" } else { "public" })
}

/// Four decimal numbers; leading zeros, which strict parsers refuse, occur in exports.
fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0u8; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        if !(1..=3).contains(&part.len()) || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *octet = part.parse().ok()?;
    }
    parts.next().is_none().then(|| octets.into())
}

fn is_service(text: &str) -> bool {
    let name = text.strip_suffix(".amazonaws.com").or_else(|| text.strip_suffix(".amazonaws.com.cn"));
    name.is_some_and(|name| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (address, want) in [
            ("198.51.100.7", Some("public")),
            ("035.249.253.232", Some("public")),
            ("2001:db8::1", Some("public")),
            ("10.1.2.3", Some("private")),
            ("172.31.0.1", Some("private")),
            ("192.168.1.1", Some("private")),
            ("100.64.0.1", Some("private")),
            ("127.0.0.1", Some("private")),
            ("fd00::1", Some("private")),
            ("::ffff:10.0.0.1", Some("private")),
            ("bedrock.amazonaws.com", Some("aws_service")),
            ("cloudformation.amazonaws.com.cn", Some("aws_service")),
            ("AWS Internal", Some("aws_internal")),
            ("AWS Internal/3", Some("aws_internal")),
            ("34.XXX.XXX.206", None),
            ("1.2.3.256", None),
            ("1.2.3", None),
            ("a b.amazonaws.com", None),
            ("<REDACTED>", None),
            ("", None),
        ] {
            assert_eq!(kind(address), want, "{address}");
        }
    }
}
