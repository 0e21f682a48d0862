//! `tools` and `tool_choice` as a provider takes them (providers §2).

use tollgate_domain::InputError;
use tollgate_wire::json::Object;

use super::super::quirks::{Quirks, ToolChoiceRule};
use super::array::{self, Edit, MayHold, holds, may_hold_any};

/// Rewrites tools and the choice among them.
///
/// # Errors
/// None of its own; the signature is the array editor's.
pub(super) fn rewrite(
    body: &mut Object<'_>,
    quirks: &Quirks,
    may_hold: MayHold<'_>,
) -> Result<(), InputError> {
    choice(body, quirks.tool_choice);
    let Some(raw) = body.get_borrowed("tools") else { return Ok(()) };
    let mut words: Vec<&[u8]> = vec![array::PROVIDER];
    if !quirks.strict_tools {
        words.push(b"\"strict\"");
    }
    if !quirks.cache_marks {
        words.push(b"\"cache_control\"");
    }
    if !may_hold_any(may_hold, &words) || !holds(raw, &words) {
        return Ok(());
    }
    let edited =
        array::edit(raw, |_, tool| Ok(edit(tool, quirks, &words).map_or(Edit::Keep, Edit::Replace)))?;
    if let Some(tools) = edited {
        body.set("tools", tools);
    }
    Ok(())
}

fn choice(body: &mut Object<'_>, rule: ToolChoiceRule) {
    let Some(choice) = body.get("tool_choice").map(<[u8]>::to_vec) else { return };
    match (rule, choice.as_slice()) {
        (ToolChoiceRule::RequiredIsAny, b"\"required\"") => body.set("tool_choice", &b"\"any\""[..]),
        (ToolChoiceRule::RequiredIsAuto, b"\"required\"") => body.set("tool_choice", &b"\"auto\""[..]),
        (ToolChoiceRule::AutoOnly, b"\"auto\"") => {}
        (ToolChoiceRule::AutoOnly, chosen) => {
            if chosen == b"\"none\"" {
                body.remove("tools");
            }
            body.remove("tool_choice");
        }
        _ => {}
    }
}

fn edit(tool: &[u8], quirks: &Quirks, words: &[&[u8]]) -> Option<Vec<u8>> {
    if !holds(tool, words) {
        return None;
    }
    let loose = if quirks.strict_tools { None } else { without_strict(tool) };
    let text = loose.as_deref().unwrap_or(tool);
    let mut object = Object::parse_checked(text).ok()?;
    let mut changed = false;
    if !quirks.cache_marks {
        changed |= object.remove("cache_control").is_some();
    }
    for name in ["providerOptions", "provider_metadata"] {
        changed |= object.remove(name).is_some();
    }
    if changed { Some(object.to_vec()) } else { loose }
}

/// A function tool without `strict`; `None` when it had none.
pub(super) fn without_strict(tool: &[u8]) -> Option<Vec<u8>> {
    let mut object = Object::parse_checked(tool).ok()?;
    let mut changed = object.remove("strict").is_some();
    if let Some(Ok(mut function)) = object.get_borrowed("function").map(Object::parse_checked)
        && function.remove("strict").is_some()
    {
        object.set("function", function.to_vec());
        changed = true;
    }
    changed.then(|| object.to_vec())
}
