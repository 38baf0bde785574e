//! Types of columns as a catalogue writes them: `struct<type:string,sessioncontext:struct<…>>`.

/// The type of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Text, a number, a flag or a time, by its name in lower case.
    Scalar(String),
    /// Fields in their order.
    Struct(Vec<(String, Type)>),
    /// Elements of one type.
    Array(Box<Type>),
    /// Whatever the keys, as a rule texts.
    Map,
}

impl Type {
    /// Reads a type; none if brackets do not close.
    pub fn parse(text: &str) -> Option<Self> {
        let text: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        Self::read(&text.to_ascii_lowercase(), 0)
    }

    fn read(text: &str, depth: usize) -> Option<Self> {
        // Deeper than anything CloudTrail has: somebody else's table.
        if depth > 16 {
            return None;
        }
        let Some((kind, rest)) = text.split_once('<') else {
            return (!text.is_empty() && !text.contains(['>', ':'])).then(|| Self::Scalar(text.to_owned()));
        };
        let inner = rest.strip_suffix('>')?;
        match kind {
            "map" => Some(Self::Map),
            "array" => Some(Self::Array(Box::new(Self::read(inner, depth + 1)?))),
            "struct" => {
                let field = |field: &str| {
                    let (name, kind) = field.split_once(':')?;
                    Some((name.trim_matches('`').to_owned(), Self::read(kind, depth + 1)?))
                };
                Some(Self::Struct(fields(inner)?.into_iter().map(field).collect::<Option<_>>()?))
            }
            _ => None,
        }
    }
}

/// Splits at the commas of the outermost level.
fn fields(text: &str) -> Option<Vec<&str>> {
    let (mut depth, mut start, mut found) = (0usize, 0, Vec::new());
    for (at, letter) in text.char_indices() {
        match letter {
            '<' | '(' => depth += 1,
            '>' | ')' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => {
                found.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[start..]);
    (depth == 0).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read_as_written() {
        let scalar = |name: &str| Type::Scalar(name.to_owned());
        assert_eq!(Type::parse("string"), Some(scalar("string")));
        assert_eq!(Type::parse("decimal(10,2)"), Some(scalar("decimal(10,2)")));
        assert_eq!(
            Type::parse("array<struct<arn:string, accountId:STRING>>"),
            Some(Type::Array(Box::new(Type::Struct(vec![
                ("arn".to_owned(), scalar("string")),
                ("accountid".to_owned(), scalar("string")),
            ]))))
        );
        assert_eq!(
            Type::parse("struct<a:map<string,string>,b:decimal(10,2)>"),
            Some(Type::Struct(vec![("a".to_owned(), Type::Map), ("b".to_owned(), scalar("decimal(10,2)"))]))
        );
        for wrong in ["", "struct<a:string", "struct<a>", "a>b", "bag<string>", "array<>"] {
            assert_eq!(Type::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Type::parse(&"array<".repeat(99)), None);
    }
}
