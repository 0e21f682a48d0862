//! Reasoning items (I19). OpenAI's state is the item's `encrypted_content` as it is; state of another family
//! of providers, which this protocol has no place for, travels wrapped in that same member
//! ([`carried_state`]).

use tollgate_domain::InputError;
use tollgate_domain::conversation::{FORMAT_OPENAI, FORMAT_UNKNOWN, Reasoning, ReasoningKind};

use crate::carried_state;
use crate::checked::{Fields, elements};
use crate::json_path::{Path, array, string};

/// Reads a reasoning item of an earlier turn: a summary or text each, then the state of all of them.
pub(super) fn read(path: &Path<'_>, fields: &Fields<'_>) -> Result<Vec<Reasoning>, InputError> {
    let member = |key: &str| -> Result<Option<String>, InputError> {
        let found = fields.get(key).map(|raw| string(&path.member(key), raw)).transpose()?;
        Ok(found.map(std::borrow::Cow::into_owned).filter(|text| !text.is_empty()))
    };
    let summary = texts(path, fields, "summary")?;
    let content = texts(path, fields, "content")?;
    let state = member("encrypted_content")?;
    if let Some(token) = &state {
        let text = summary.concat() + &content.concat();
        if let Some(foreign) = carried_state::unwrap(token, &text) {
            return Ok(vec![foreign]);
        }
    }
    // Without its state an item is of no use to the provider that made it, and only its text counts.
    let own = state.is_some();
    let id = if own { member("id")? } else { None };
    let format = Some(if own { FORMAT_OPENAI } else { FORMAT_UNKNOWN }.to_owned());
    let entry = |kind, text, data| Reasoning {
        kind,
        text,
        signature: None,
        data,
        id: id.clone(),
        format: format.clone(),
    };
    let summaries = summary.into_iter().map(|text| entry(ReasoningKind::Summary, text, None));
    let mut found: Vec<_> = summaries.collect();
    found.extend(content.into_iter().map(|text| entry(ReasoningKind::Text, text, None)));
    if let Some(data) = state {
        found.push(entry(ReasoningKind::Encrypted, String::new(), Some(data)));
    }
    Ok(found)
}

/// The texts of `summary` or `content`.
fn texts(path: &Path<'_>, fields: &Fields<'_>, key: &str) -> Result<Vec<String>, InputError> {
    let Some(raw) = fields.get(key) else { return Ok(Vec::new()) };
    let path = path.member(key);
    array(&path, raw)?;
    let mut found = Vec::new();
    for (i, raw) in elements(raw).into_iter().enumerate() {
        let path = path.element(i);
        if let Some(raw) = Fields::of(raw).and_then(|part| part.get("text")) {
            found.push(string(&path.member("text"), raw)?.into_owned());
        }
    }
    Ok(found)
}

/// The `encrypted_content` of a block that ended so; `None` when it has no state.
pub(super) fn state(
    kind: ReasoningKind,
    id: Option<&str>,
    format: &str,
    signature: Option<&str>,
    data: Option<&str>,
) -> Option<String> {
    match (signature, data) {
        (None, None) => None,
        (None, Some(data)) if format == FORMAT_OPENAI => Some(data.to_owned()),
        _ => Some(carried_state::wrap(&Reasoning {
            kind,
            text: String::new(),
            signature: signature.map(str::to_owned),
            data: data.map(str::to_owned),
            id: id.map(str::to_owned),
            format: Some(format.to_owned()),
        })),
    }
}
