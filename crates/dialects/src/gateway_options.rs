//! `providerOptions.gateway` and the attribution headers: one reader for every JSON surface
//! (gateway-api §2.2, §4.1). The object is open: keys that are not known here are accepted.

use tollgate_domain::InputError;
use tollgate_domain::options::{GatewayOptions, MAX_TAG_CHARS, MAX_TAGS, MAX_USER_CHARS};
use tollgate_wire::json;

use crate::checked::{Fields, elements};
use crate::json_path::{Path, array, excerpt, object, string, wrong};

/// The header whose tags are united with the body's.
pub const TAGS_HEADER: &str = "ai-reporting-tags";
/// The header whose user wins over the body's.
pub const USER_HEADER: &str = "ai-reporting-user";

/// Reads the gateway's options out of a body's members, which must be JSON already checked as parts of it.
///
/// - `provider_options`: the member `providerOptions`
/// - `user`: the surface's own top-level `user`, if it has one; `providerOptions.gateway.user` wins
/// - `safety_identifier`: its top-level `safety_identifier`, used for attribution only when there is no user
///
/// # Errors
/// A member has a wrong type, or an attribution limit is passed (gateway-api §2.2); the error names its path.
pub fn parse(
    provider_options: Option<&[u8]>,
    user: Option<&[u8]>,
    safety_identifier: Option<&[u8]>,
) -> Result<GatewayOptions, InputError> {
    let mut options = GatewayOptions::default();
    let root = Path::Body.member("providerOptions");
    if let Some(raw) = present(provider_options) {
        object(&root, raw)?;
        let path = root.member("gateway");
        if let Some(gateway) = Fields::of(raw).and_then(|f| f.get("gateway")) {
            object(&path, gateway)?;
            if let Some(fields) = Fields::of(gateway) {
                read_gateway(&path, &fields, &mut options)?;
            }
        }
    }
    if options.user.is_none() {
        if let Some(raw) = present(user) {
            options.user = Some(read_user(&Path::Body.member("user"), raw)?);
        } else if let Some(text) = present(safety_identifier).and_then(json::string) {
            options.user = Some(text.into_owned()).filter(|t| within(t, MAX_USER_CHARS));
        }
    }
    Ok(options)
}

/// Unites the attribution headers with what the body said: tags are united (order kept, a tag counts
/// once), a user in the header wins over the body's (gateway-api §2.2).
///
/// # Errors
/// A limit is passed: more than 10 tags after the union, a tag not of 1 to 64 characters, a user of more
/// than 256.
pub fn attribution(
    tags_header: Option<&str>,
    user_header: Option<&str>,
    options: &mut GatewayOptions,
) -> Result<(), InputError> {
    if let Some(list) = tags_header {
        for tag in list.split(',').map(str::trim).filter(|t| !t.is_empty()) {
            add_tag(TAGS_HEADER, tag, &mut options.tags)?;
        }
    }
    if let Some(user) = user_header.map(str::trim).filter(|u| !u.is_empty()) {
        check_user(USER_HEADER, user)?;
        options.user = Some(user.to_owned());
    }
    check_tag_count(TAGS_HEADER, &options.tags)
}

fn present(raw: Option<&[u8]>) -> Option<&[u8]> {
    raw.filter(|v| !json::is_null(v))
}

fn read_gateway(
    path: &Path<'_>,
    fields: &Fields<'_>,
    options: &mut GatewayOptions,
) -> Result<(), InputError> {
    if let Some(raw) = fields.get("order") {
        options.order = strings(&path.member("order"), raw)?;
    }
    if let Some(raw) = fields.get("only") {
        options.only = strings(&path.member("only"), raw)?;
    }
    if let Some(raw) = fields.get("user") {
        options.user = Some(read_user(&path.member("user"), raw)?);
    }
    if let Some(raw) = fields.get("tags") {
        let path = path.member("tags");
        for (index, tag) in strings(&path, raw)?.iter().enumerate() {
            add_tag(&path.element(index).to_string(), tag, &mut options.tags)?;
        }
        check_tag_count(&path.to_string(), &options.tags)?;
    }
    if let Some(raw) = fields.get("safetyIdentifier") {
        string(&path.member("safetyIdentifier"), raw)?;
    }
    one_of(&path.member("serviceTier"), fields.get("serviceTier"), &["flex", "priority", "fast"])?;
    one_of(&path.member("speed"), fields.get("speed"), &["fast"])
}

/// Checks an option that has only a few values (gateway-api §4.1).
fn one_of(path: &Path<'_>, raw: Option<&[u8]>, words: &[&str]) -> Result<(), InputError> {
    let Some(raw) = raw else { return Ok(()) };
    let word = string(path, raw)?;
    if words.contains(&&*word) {
        return Ok(());
    }
    let expected = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ");
    Err(InputError::invalid(
        path.to_string(),
        format!("'{path}' is \"{}\"; expected {expected}, or leave it out.", excerpt(&word)),
    ))
}

fn strings(path: &Path<'_>, raw: &[u8]) -> Result<Vec<String>, InputError> {
    array(path, raw).map_err(|_| wrong(path, "an array of strings", raw))?;
    elements(raw)
        .into_iter()
        .enumerate()
        .map(|(i, raw)| string(&path.element(i), raw).map(std::borrow::Cow::into_owned))
        .collect()
}

fn read_user(path: &Path<'_>, raw: &[u8]) -> Result<String, InputError> {
    let user = string(path, raw)?.into_owned();
    check_user(&path.to_string(), &user)?;
    Ok(user)
}

fn check_user(path: &str, user: &str) -> Result<(), InputError> {
    if within(user, MAX_USER_CHARS) {
        return Ok(());
    }
    let found = user.chars().count();
    Err(InputError::invalid(
        path,
        format!(
            "'{path}' has {found} characters; a user may have at most {MAX_USER_CHARS}. Send a shorter id."
        ),
    ))
}

fn add_tag(path: &str, tag: &str, tags: &mut Vec<String>) -> Result<(), InputError> {
    if tag.is_empty() || !within(tag, MAX_TAG_CHARS) {
        let found = tag.chars().count();
        return Err(InputError::invalid(
            path,
            format!("'{path}' holds a tag of {found} characters; a tag must have 1 to {MAX_TAG_CHARS}."),
        ));
    }
    if !tags.iter().any(|t| t == tag) {
        tags.push(tag.to_owned());
    }
    Ok(())
}

fn check_tag_count(path: &str, tags: &[String]) -> Result<(), InputError> {
    if tags.len() <= MAX_TAGS {
        return Ok(());
    }
    Err(InputError::invalid(
        path,
        format!(
            "'{path}' brings the request to {} tags, body and header together; at most {MAX_TAGS} are allowed. Remove some.",
            tags.len()
        ),
    ))
}

fn within(text: &str, limit: usize) -> bool {
    text.len() <= limit || text.chars().count() <= limit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(provider_options: &str) -> InputError {
        parse(Some(provider_options.as_bytes()), None, None).unwrap_err()
    }

    #[test]
    fn known_keys_are_read_and_unknown_ones_accepted() {
        let raw = br#"{"gateway":{"order":["a","b"],"only":["a"],"user":"u","tags":["x","y","x"],"sort":"cost","new":{"k":1}},"anthropic":{"z":1}}"#;
        let options = parse(Some(raw), Some(b"\"top\""), None).unwrap();
        assert_eq!(
            (options.order, options.only),
            (vec!["a".to_owned(), "b".to_owned()], vec!["a".to_owned()])
        );
        assert_eq!(
            (options.user.as_deref(), options.tags.len()),
            (Some("u"), 2),
            "nested user wins; tags count once"
        );
        assert_eq!(parse(Some(b"null"), Some(b"\"top\""), None).unwrap().user.as_deref(), Some("top"));
        assert_eq!(parse(None, None, Some(b"\"hash\"")).unwrap().user.as_deref(), Some("hash"));
        assert_eq!(parse(Some(br#"{"gateway":null}"#), None, None).unwrap(), GatewayOptions::default());
    }

    #[test]
    fn wrong_types_name_their_path() {
        for (raw, path) in [
            ("[]", "providerOptions"),
            (r#"{"gateway":1}"#, "providerOptions.gateway"),
            (r#"{"gateway":{"order":"openai"}}"#, "providerOptions.gateway.order"),
            (r#"{"gateway":{"only":["a",1]}}"#, "providerOptions.gateway.only[1]"),
            (r#"{"gateway":{"user":{}}}"#, "providerOptions.gateway.user"),
            (r#"{"gateway":{"tags":["ok",""]}}"#, "providerOptions.gateway.tags[1]"),
            (r#"{"gateway":{"serviceTier":"turbo"}}"#, "providerOptions.gateway.serviceTier"),
            (r#"{"gateway":{"serviceTier":1}}"#, "providerOptions.gateway.serviceTier"),
            (r#"{"gateway":{"speed":"slow"}}"#, "providerOptions.gateway.speed"),
            (r#"{"gateway":{"safetyIdentifier":7}}"#, "providerOptions.gateway.safetyIdentifier"),
        ] {
            let error = error_of(raw);
            assert_eq!((error.param.as_deref(), error.status()), (Some(path), 400), "{raw}: {error}");
        }
    }

    #[test]
    fn tiers_and_speed_have_few_values() {
        for known in [
            r#"{"serviceTier":"flex"}"#,
            r#"{"serviceTier":"priority"}"#,
            r#"{"serviceTier":"fast","speed":"fast"}"#,
            r#"{"serviceTier":null,"speed":null,"safetyIdentifier":null}"#,
            r#"{"safetyIdentifier":"longer than sixty-four characters, which is cut and not refused, as it says"}"#,
        ] {
            let raw = format!(r#"{{"gateway":{known}}}"#);
            assert!(parse(Some(raw.as_bytes()), None, None).is_ok(), "{known}");
        }
        let error = error_of(r#"{"gateway":{"serviceTier":"turbo"}}"#);
        assert!(
            error.message.contains("turbo") && error.message.contains("\"flex\" or \"priority\""),
            "{error}"
        );
    }

    #[test]
    fn limits_hold_after_the_union() {
        let mut options =
            GatewayOptions { tags: (0..8).map(|i| format!("t{i}")).collect(), ..Default::default() };
        attribution(Some(" t1 , n1,, n2 "), Some("head"), &mut options).unwrap();
        assert_eq!((options.tags.len(), options.user.as_deref()), (10, Some("head")));
        let error = attribution(Some("n3"), None, &mut options).unwrap_err();
        assert!(error.message.contains("11 tags") && error.param.as_deref() == Some(TAGS_HEADER), "{error}");
        let mut fresh = GatewayOptions::default();
        assert!(attribution(Some(&"ä".repeat(64)), None, &mut fresh).is_ok(), "characters, not bytes");
        assert!(attribution(Some(&"ä".repeat(65)), None, &mut fresh).is_err());
        assert!(attribution(None, Some(&"u".repeat(257)), &mut fresh).is_err());
        let long = format!("\"{}\"", "u".repeat(257));
        assert_eq!(parse(None, Some(long.as_bytes()), None).unwrap_err().param.as_deref(), Some("user"));
        assert_eq!(
            parse(None, None, Some(long.as_bytes())).unwrap().user,
            None,
            "an over-long hash attributes nothing"
        );
        let eleven = format!(
            r#"{{"gateway":{{"tags":[{}]}}}}"#,
            (0..11).map(|i| format!("\"{i}\"")).collect::<Vec<_>>().join(",")
        );
        assert_eq!(error_of(&eleven).param.as_deref(), Some("providerOptions.gateway.tags"));
    }
}
