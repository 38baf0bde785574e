//! What accounts and Regions are called.

use super::arn::is_account;

/// An account as it is named everywhere; else what is wrong with the text.
pub fn account(text: &str) -> Result<String, String> {
    if is_account(text) {
        return Ok(text.to_owned());
    }
    Err("an account is twelve digits, such as 111122223333 or 000011112222".to_owned())
}

/// A Region, or what may be one: new ones appear without our doing. Else what is wrong with the text.
pub fn region(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('-').collect();
    let letters = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let known = match &parts[..] {
        [first, middle @ .., number] => {
            (2..=4).contains(&first.len())
                && (1..=2).contains(&middle.len())
                && std::iter::once(first).chain(middle).all(letters)
                && (1..=2).contains(&number.len())
                && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        _ => false,
    };
    if known {
        return Ok(text.to_owned());
    }
    Err("a Region is named as in eu-central-1 or us-gov-west-1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_twelve_digits() {
        assert!(account("000011112222").is_ok());
        for wrong in
            ["", "12", "1111222233334", "11112222333x", "1111-2222-3333", "١١١١٢٢٢٢٣٣٣٣", " 11122223333"]
        {
            assert!(account(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn regions_of_every_partition_are_taken_and_zones_and_words_are_not() {
        for name in [
            "us-east-1",
            "ap-southeast-7",
            "us-gov-west-1",
            "cn-northwest-1",
            "us-iso-east-1",
            "us-isob-east-1",
            "eu-isoe-west-1",
            "eusc-de-east-1",
            "mx-central-1",
            "il-central-1",
        ] {
            assert_eq!(region(name).as_deref(), Ok(name));
        }
        for wrong in [
            "",
            "eu",
            "EU-CENTRAL-1",
            "eu-central",
            "eucentral1",
            "eu-central-1a",
            "global",
            "eu_central_1",
            "eu--1",
            "x-y-1",
            "eu-central-100",
        ] {
            assert!(region(wrong).is_err(), "{wrong}");
        }
    }
}
