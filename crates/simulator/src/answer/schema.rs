//! Values made from a JSON schema: the arguments of tool calls and structured answers.

use serde_json::{Map, Value, json};

use super::text;

/// What values are drawn from.
pub(crate) struct Source<'a> {
    /// The schema's root, for references.
    pub root: &'a Value,
    /// The text that names and numbers are taken from.
    pub question: &'a str,
    /// Tells the calls of one turn apart.
    pub variant: usize,
}

const DEPTH: usize = 12;
const PLACES: [&str; 4] = ["Paris", "Tokyo", "Nairobi", "Lima"];

impl Source<'_> {
    /// A value that follows the schema.
    pub(crate) fn value(&self, schema: &Value) -> Value {
        self.at(schema, "value", DEPTH)
    }

    fn at(&self, schema: &Value, name: &str, depth: usize) -> Value {
        if depth == 0 {
            return Value::Null;
        }
        if let Some(target) = schema["$ref"].as_str() {
            let found = target.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return found.map_or(Value::Null, |s| self.at(s, name, depth - 1));
        }
        for fixed in ["const", "default"] {
            if let Some(value) = schema.get(fixed) {
                return value.clone();
            }
        }
        if let Some(values) = schema["enum"].as_array().filter(|v| !v.is_empty()) {
            return values[self.variant % values.len()].clone();
        }
        for alternatives in ["anyOf", "oneOf"] {
            if let Some(list) = schema[alternatives].as_array() {
                let best = list.iter().find(|s| s["type"] != "null").or(list.first());
                return best.map_or(Value::Null, |s| self.at(s, name, depth - 1));
            }
        }
        if let Some(parts) = schema["allOf"].as_array() {
            return self.merged(parts, name, depth);
        }
        match type_of(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, name, depth),
            "integer" => json!(self.integer(schema)),
            "number" => self.number(schema),
            "boolean" => json!(self.variant.is_multiple_of(2)),
            "null" => Value::Null,
            _ => json!(self.string(schema, name)),
        }
    }

    fn merged(&self, parts: &[Value], name: &str, depth: usize) -> Value {
        let mut members = Map::new();
        let mut last = Value::Null;
        for part in parts {
            match self.at(part, name, depth - 1) {
                Value::Object(more) => members.extend(more),
                other => last = other,
            }
        }
        if members.is_empty() { last } else { Value::Object(members) }
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut members = Map::new();
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            // A recursive schema ends by leaving out what it may leave out.
            if depth > 3 || required.contains(&name.as_str()) {
                members.insert(name.clone(), self.at(member, name, depth - 1));
            }
        }
        Value::Object(members)
    }

    fn array(&self, schema: &Value, name: &str, depth: usize) -> Value {
        let limit = |key: &str| schema[key].as_u64().and_then(|n| usize::try_from(n).ok());
        let count =
            1.max(limit("minItems").unwrap_or(0)).min(limit("maxItems").unwrap_or(usize::MAX)).min(64);
        let item = &schema["items"];
        (0..count)
            .map(|n| {
                let one = Source { variant: self.variant + n, ..*self };
                one.at(item, name.strip_suffix('s').unwrap_or(name), depth - 1)
            })
            .collect()
    }

    fn integer(&self, schema: &Value) -> i64 {
        let found = self.numbers().nth(self.variant).and_then(|n| n.parse().ok());
        let bound = |inclusive: &str, exclusive: &str, step: i64| {
            schema[inclusive].as_i64().or_else(|| schema[exclusive].as_i64().map(|n| n.saturating_add(step)))
        };
        let low = bound("minimum", "exclusiveMinimum", 1).unwrap_or(i64::MIN);
        let high = bound("maximum", "exclusiveMaximum", -1).unwrap_or(i64::MAX).max(low);
        let value: i64 = found.unwrap_or(1 + self.variant as i64);
        let step = schema["multipleOf"].as_i64().filter(|s| *s > 0).unwrap_or(1);
        let value = value.clamp(low, high);
        let rounded = value - value.rem_euclid(step);
        if rounded < low { rounded.saturating_add(step) } else { rounded }
    }

    fn number(&self, schema: &Value) -> Value {
        let decimal = self.numbers().nth(self.variant).filter(|n| n.contains('.'));
        match decimal.and_then(|n| n.parse::<f64>().ok()) {
            Some(value) => {
                let low = schema["minimum"].as_f64().unwrap_or(f64::MIN);
                let high = schema["maximum"].as_f64().unwrap_or(f64::MAX).max(low);
                json!(value.clamp(low, high))
            }
            None => json!(self.integer(schema)),
        }
    }

    fn numbers(&self) -> impl Iterator<Item = &str> {
        self.question
            .split(|c: char| !(c.is_ascii_digit() || c == '.'))
            .map(|n| n.trim_matches('.'))
            .filter(|n| !n.is_empty())
    }

    fn string(&self, schema: &Value, name: &str) -> String {
        let name = name.to_ascii_lowercase();
        let is = |words: &[&str]| words.iter().any(|w| name.contains(w));
        let made = match schema["format"].as_str() {
            Some("date-time") => "2026-01-15T09:30:00Z".to_owned(),
            Some("date") => "2026-01-15".to_owned(),
            Some("time") => "09:30:00Z".to_owned(),
            Some("email") => "ada@example.com".to_owned(),
            Some("uri" | "url") => "https://example.com/".to_owned(),
            Some("uuid") => format!("00000000-0000-4000-8000-{:012x}", self.variant + 1),
            _ if is(&["city", "location", "place", "country", "destination", "origin"]) => self.proper_noun(),
            _ if is(&["date", "day"]) => "2026-01-15".to_owned(),
            _ if is(&["query", "question", "prompt", "search", "text", "message", "topic"]) => {
                text::excerpt(self.question, 80)
            }
            _ if is(&["email"]) => "ada@example.com".to_owned(),
            _ if is(&["url", "link"]) => "https://example.com/".to_owned(),
            _ if is(&["name"]) => "Ada Lovelace".to_owned(),
            _ => format!("sample {}", name.replace('_', " ")),
        };
        self.fitted(schema, made)
    }

    fn fitted(&self, schema: &Value, mut made: String) -> String {
        let limit = |key: &str| schema[key].as_u64().and_then(|n| usize::try_from(n).ok());
        let least = limit("minLength").unwrap_or(0).min(1 << 16);
        while made.chars().count() < least {
            made.push('x');
        }
        match limit("maxLength") {
            Some(most) => made.chars().take(most).collect(),
            None => made,
        }
    }

    /// A capitalised word of the question that does not begin a sentence, else a well-known place.
    fn proper_noun(&self) -> String {
        let mut found = Vec::new();
        let mut starts_sentence = true;
        for word in self.question.split_whitespace() {
            let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
            if !starts_sentence && bare.len() > 1 && bare.starts_with(char::is_uppercase) {
                found.push(bare);
            }
            starts_sentence = word.ends_with(['.', '!', '?', ':']);
        }
        let place = found.get(self.variant).copied();
        place.unwrap_or(PLACES[self.variant % PLACES.len()]).to_owned()
    }
}

fn type_of(schema: &Value) -> &str {
    let named = match &schema["type"] {
        Value::String(one) => Some(one.as_str()),
        Value::Array(several) => several.iter().filter_map(Value::as_str).find(|t| *t != "null"),
        _ => None,
    };
    named.unwrap_or_else(|| match schema {
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "string",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(schema: &Value, question: &str, variant: usize) -> Value {
        Source { root: schema, question, variant }.value(schema)
    }

    #[test]
    fn arguments_are_taken_from_the_question() {
        let schema = json!({"type": "object", "properties": {
            "location": {"type": "string"}, "days": {"type": "integer", "maximum": 7},
            "unit": {"enum": ["celsius", "fahrenheit"]}}});
        let question = "Please tell me the weather in Oslo and Rome for 30 days";
        assert_eq!(made(&schema, question, 0), json!({"location": "Oslo", "days": 7, "unit": "celsius"}));
        assert_eq!(made(&schema, question, 1)["location"], "Rome");
        assert_eq!(made(&schema, "weather?", 1)["location"], "Tokyo");
    }

    #[test]
    fn references_alternatives_and_recursion_end() {
        let schema = json!({"$ref": "#/$defs/node", "$defs": {"node": {"type": "object",
            "properties": {"id": {"type": ["null", "integer"]}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
            "required": ["id"]}}});
        let value = made(&schema, "", 0);
        assert_eq!(value["id"], 1);
        assert_eq!(value["next"]["id"], 1);
        assert!(value.to_string().len() < 500, "{value}");
    }

    #[test]
    fn bounds_are_kept() {
        let schema = json!({"type": "object", "properties": {
            "code": {"type": "string", "minLength": 30, "maxLength": 31},
            "list": {"type": "array", "items": {"type": "number", "minimum": 2.5, "maximum": 3}, "minItems": 3},
            "odd": {"type": "integer", "minimum": 11, "multipleOf": 5}, "flag": {"type": "boolean"}}});
        let value = made(&schema, "pick 9.75", 0);
        assert_eq!(value["code"].as_str().map(str::len), Some(30));
        assert_eq!(value["list"].as_array().map(Vec::len), Some(3));
        assert_eq!(value["list"][0], 3.0);
        assert_eq!(value["odd"], 15);
        assert_eq!(value["flag"], true);
    }
}
