//! Calls whose arguments come in pieces (Vertex `streamFunctionCallArguments`, providers §5): each piece
//! names a place in the arguments and what is added there.

use serde_json::{Map, Value};
use tollgate_wire::json::{self, Object};

/// The longest list that pieces may build, in elements (I26).
const MAX_INDEX: usize = 100_000;
/// How deep a place may lie (I26).
const MAX_STEPS: usize = 64;

/// Arguments as far as they have come.
#[derive(Debug)]
pub(super) struct Arguments {
    value: Value,
    /// The place whose text is still growing.
    growing: Option<String>,
}

impl Default for Arguments {
    fn default() -> Self {
        Self { value: Value::Object(Map::new()), growing: None }
    }
}

/// A step of a place: a member or an element.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
}

impl Arguments {
    /// Adds the pieces of one `partialArgs`. A piece whose place makes no sense is left out.
    pub(super) fn add(&mut self, pieces: &[u8]) {
        for raw in json::elements(pieces).unwrap_or_default() {
            if let Ok(piece) = Object::parse_checked(raw) {
                self.piece(&piece);
            }
        }
    }

    fn piece(&mut self, piece: &Object<'_>) {
        let Some(place) = piece.get("jsonPath").and_then(json::string) else { return };
        let Some(steps) = steps(&place) else { return };
        let more = piece.get("willContinue").and_then(json::boolean) == Some(true);
        let grows = self.growing.as_deref() == Some(&*place);
        self.growing = more.then(|| place.clone().into_owned());
        let text = piece.get("stringValue").and_then(json::string);
        let value = match text {
            Some(text) => Value::String(text.into_owned()),
            None => match ["numberValue", "boolValue"].iter().find_map(|key| piece.get(key)) {
                Some(raw) => serde_json::from_slice(raw).unwrap_or_default(),
                None if piece.has("nullValue") => Value::Null,
                None => return,
            },
        };
        let Some(target) = reach(&mut self.value, &steps) else { return };
        match (target, value) {
            (Value::String(text), Value::String(added)) if grows => text.push_str(&added),
            (target, value) => *target = value,
        }
    }

    /// The arguments as JSON text.
    pub(super) fn into_text(self) -> String {
        self.value.to_string()
    }
}

/// The steps of a place such as `$.a.b[0]['c']`.
fn steps(place: &str) -> Option<Vec<Step>> {
    let mut rest = place.strip_prefix('$').unwrap_or(place);
    let mut found = Vec::new();
    while !rest.is_empty() {
        if found.len() == MAX_STEPS {
            return None;
        }
        if let Some(inner) = rest.strip_prefix('[') {
            let quote = inner.chars().next().filter(|c| matches!(c, '\'' | '"'));
            let (step, after) = match quote {
                Some(quote) => {
                    let (name, after) = inner[1..].split_once(&format!("{quote}]"))?;
                    (Step::Member(name.to_owned()), after)
                }
                None => {
                    let (index, after) = inner.split_once(']')?;
                    (Step::Element(index.parse().ok().filter(|index| *index < MAX_INDEX)?), after)
                }
            };
            found.push(step);
            rest = after;
        } else {
            let name = rest.strip_prefix('.').unwrap_or(rest);
            let end = name.find(['.', '[']).unwrap_or(name.len());
            if end == 0 {
                return None;
            }
            found.push(Step::Member(name[..end].to_owned()));
            rest = &name[end..];
        }
    }
    (!found.is_empty()).then_some(found)
}

/// The value at a place, made on the way there.
fn reach<'v>(value: &'v mut Value, steps: &[Step]) -> Option<&'v mut Value> {
    let mut at = value;
    for step in steps {
        match step {
            Step::Member(name) => {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                at = at.as_object_mut()?.entry(name.as_str()).or_insert(Value::Null);
            }
            Step::Element(index) => {
                if !at.is_array() {
                    *at = Value::Array(Vec::new());
                }
                let list = at.as_array_mut()?;
                if list.len() <= *index {
                    list.resize(index + 1, Value::Null);
                }
                at = list.get_mut(*index)?;
            }
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(pieces: &[&str]) -> String {
        let mut arguments = Arguments::default();
        for piece in pieces {
            arguments.add(piece.as_bytes());
        }
        arguments.into_text()
    }

    #[test]
    fn pieces_grow_texts_and_fill_places() {
        assert_eq!(
            built(&[
                r#"[{"jsonPath":"$.city","stringValue":"San ","willContinue":true}]"#,
                r#"[{"jsonPath":"$.city","stringValue":"José"},{"jsonPath":"$.days","numberValue":2}]"#,
                r#"[{"jsonPath":"$.spots[0].open","boolValue":true},{"jsonPath":"$['a b'][1]","nullValue":"NULL_VALUE"}]"#,
            ]),
            r#"{"city":"San José","days":2,"spots":[{"open":true}],"a b":[null,null]}"#
        );
        assert_eq!(
            built(&[
                r#"[{"jsonPath":"$.a","stringValue":"x"}]"#,
                r#"[{"jsonPath":"$.a","stringValue":"y"}]"#
            ]),
            r#"{"a":"y"}"#
        );
    }

    #[test]
    fn places_without_sense_are_left_out() {
        let odd = r#"[{"jsonPath":"$","numberValue":1},{"jsonPath":"$.a[99999999]","numberValue":1},{"jsonPath":"$..b","numberValue":1},
            {"jsonPath":"$[x]","numberValue":1},{"numberValue":1},{"jsonPath":"$.c"},{"jsonPath":"$['c","numberValue":1},7]"#;
        assert_eq!(built(&[odd, "null", ""]), "{}");
        let deep = format!(r#"[{{"jsonPath":"${}","numberValue":1}}]"#, ".a".repeat(65));
        assert_eq!(built(&[&deep]), "{}");
    }
}
