//! YAML with places, reduced to what Sigma needs of it.

use saphyr::{LoadableYamlNode as _, MarkedYaml, Scalar, YamlData};

use super::{Place, Problem};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Text(String),
    List(Vec<Node>),
    /// Members in the order they are written.
    Map(Vec<(String, Place, Node)>),
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

impl Node {
    /// The member of a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(members) => members.iter().find(|(name, ..)| name == key).map(|(.., node)| node),
            _ => None,
        }
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// A scalar, or the scalars of a list.
    pub(super) fn texts(&self) -> Vec<&str> {
        match &self.value {
            Value::List(nodes) => nodes.iter().filter_map(Self::text).collect(),
            _ => self.text().into_iter().collect(),
        }
    }
}

/// The one document of a file.
pub(super) fn read(text: &str) -> Result<Node, Problem> {
    let documents = MarkedYaml::load_from_str(text).map_err(|error| {
        let marker = error.marker();
        let place = Place { line: marker.line(), column: marker.col() + 1 };
        place.problem(format!("no YAML: {}", error.info()))
    })?;
    match documents.as_slice() {
        [] => Err(Place::default().problem("the file is empty")),
        [one] => node(one),
        [_, second, ..] => {
            Err(place(second).problem("one file holds one rule; collections and correlations are not read"))
        }
    }
}

fn place(yaml: &MarkedYaml<'_>) -> Place {
    Place { line: yaml.span.start.line(), column: yaml.span.start.col() + 1 }
}

fn node(yaml: &MarkedYaml<'_>) -> Result<Node, Problem> {
    let place = place(yaml);
    let value = match &yaml.data {
        YamlData::Value(scalar) => match scalar {
            Scalar::Null => Value::Null,
            Scalar::Boolean(one) => Value::Bool(*one),
            Scalar::Integer(number) => Value::Text(number.to_string()),
            Scalar::FloatingPoint(number) => Value::Text(number.to_string()),
            Scalar::String(text) => Value::Text(text.to_string()),
        },
        YamlData::Sequence(nodes) => Value::List(nodes.iter().map(node).collect::<Result<_, _>>()?),
        YamlData::Mapping(members) => {
            let member = |(key, value): (&MarkedYaml<'_>, &MarkedYaml<'_>)| {
                let key = node(key)?;
                match key.value {
                    Value::Text(name) => Ok((name, key.place, node(value)?)),
                    _ => Err(key.place.problem("a key is text")),
                }
            };
            Value::Map(members.iter().map(member).collect::<Result<_, _>>()?)
        }
        _ => return Err(place.problem("tags and aliases are not read")),
    };
    Ok(Node { place, value })
}
