//! Sources that an answer cites, as annotations of this protocol.

use serde_json::Value;

/// The annotation of a source. Chat's form of a citation, with its members one level deeper, is made flat;
/// places in the text, which are counted over the whole answer, are counted from the part's beginning
/// `before` characters into it. Readers insist on title and places, so a citation without them gets empty
/// ones. What is no citation of a page stays as it is.
pub(super) fn annotation(source: &Value, before: u64) -> Value {
    let inner = source.get("url_citation").filter(|inner| inner.is_object()).unwrap_or(source);
    if !inner.get("url").is_some_and(Value::is_string) {
        return source.clone();
    }
    let mut flat = inner.clone();
    let Some(members) = flat.as_object_mut() else { return flat };
    members.shift_remove("type");
    let mut ordered = serde_json::Map::new();
    ordered.insert("type".to_owned(), Value::from("url_citation"));
    ordered.append(members);
    let place = |value: Option<&Value>| {
        let place = value.and_then(Value::as_u64).unwrap_or(0);
        place.checked_sub(before).unwrap_or(place)
    };
    for key in ["start_index", "end_index"] {
        let place = place(ordered.get(key));
        ordered.insert(key.to_owned(), Value::from(place));
    }
    if !ordered.get("title").is_some_and(Value::is_string) {
        ordered.insert("title".to_owned(), Value::from(""));
    }
    Value::Object(ordered)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn citations_are_flat_and_complete() {
        let chat = json!({"type":"url_citation","url_citation":{"url":"https://x.test","title":"X","start_index":12,"end_index":20,"k":1}});
        assert_eq!(
            annotation(&chat, 10),
            json!({"type":"url_citation","url":"https://x.test","title":"X","start_index":2,"end_index":10,"k":1})
        );
        assert_eq!(
            annotation(&json!({"url":"https://x.test","type":"web"}), 5),
            json!({"type":"url_citation","url":"https://x.test","start_index":0,"end_index":0,"title":""})
        );
        let other = json!({"type":"file_citation","file_id":"f","index":3});
        assert_eq!(annotation(&other, 1), other);
    }
}
