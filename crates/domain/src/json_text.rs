//! JSON kept as the text it came in: what is only handed on is neither parsed nor rebuilt (I17).

use std::fmt;

use serde_json::Value;

/// One JSON value as text, on one line, so that it can stand in a stream's event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonText(String);

impl JsonText {
    /// Takes a text that is already known to be one JSON value. Line breaks, which JSON has only between
    /// its tokens, become spaces.
    #[must_use]
    pub fn new(mut text: String) -> Self {
        // Folding over all of it, rather than stopping early, lets the compiler use vector code.
        if text.bytes().fold(u8::MAX, u8::min) < b' ' {
            text = text.replace(['\n', '\r'], " ");
        }
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value, parsed; null when the text was no JSON after all.
    #[must_use]
    pub fn to_value(&self) -> Value {
        serde_json::from_str(&self.0).unwrap_or(Value::Null)
    }
}

impl From<&Value> for JsonText {
    fn from(value: &Value) -> Self {
        // A `Value` has string keys only, so it always has a JSON text.
        Self(value.to_string())
    }
}

impl fmt::Display for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_on_one_line_and_means_the_same() {
        let text = JsonText::new("{\n  \"a\": [1.50,\r\n2]\n}".to_owned());
        assert_eq!(text.as_str(), "{   \"a\": [1.50,  2] }");
        assert_eq!(text.to_value(), serde_json::json!({"a": [1.5, 2]}));
        assert_eq!(JsonText::from(&text.to_value()).to_string(), r#"{"a":[1.5,2]}"#);
    }
}
