use super::*;
use crate::source::Source;

fn code(text: &str) -> String {
    Source::new("x.rs", text).code
}

#[test]
fn strings_and_comments_hide_braces() {
    let text = r####"fn a() { let s = "}{"; let c = '{'; let r = r#"}" } {"#; /* } /* { */ } */ // }
}"####;
    let code = code(text);
    assert_eq!(code.matches('{').count(), 1);
    assert_eq!(code.matches('}').count(), 1);
}

#[test]
fn lifetimes_are_not_characters() {
    let code = code("fn a<'a>(x: &'a str) -> &'a str { '\\'' ; '\\u{7d}'; 'é'; b'}'; b\"}\"; br#\"}\"#; x }");
    assert_eq!(code.matches('}').count(), 1);
    assert!(code.contains("&'a str"));
}

#[test]
fn raw_identifiers_and_words_with_prefix_letters_stay_code() {
    let code = code("let r#type = bar\"\"; let r = b; crab!(\"x\")");
    assert!(code.contains("r#type") && code.contains("let r = b;") && code.contains("crab!("));
    assert!(!code.contains('x'));
}

#[test]
fn finds_functions_and_their_bodies() {
    let text = "pub async fn a<const N: usize>(x: [u8; 3], f: fn(u8) -> u8) -> u8\nwhere u8: Copy {\n 1\n}\ntrait T { fn b(&self); }";
    let found = functions(text);
    let names: Vec<(&str, bool)> = found.iter().map(|f| (f.name, f.body.is_some())).collect();
    assert_eq!(names, [("a", true), ("b", false)]);
    assert_eq!(found.first().and_then(|f| f.body.clone()).map(|b| &text[b]), Some("{\n 1\n}"));
}

#[test]
fn test_regions_cover_modules_and_test_functions() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() {} }\n#[tokio::test(start_paused = true)]\nasync fn c() {}\n#[cfg(not(test))]\nfn d() {}";
    let regions = test_regions(text);
    let inside = |name: &str| text.find(name).is_some_and(|at| regions.iter().any(|r| r.contains(&at)));
    assert!(inside("fn b") && inside("fn c"));
    assert!(!inside("fn a") && !inside("fn d"));
}

#[test]
fn declared_modules_are_named() {
    assert_eq!(declared_module("#[cfg(test)]\nmod tests;"), Some("tests".into()));
    assert_eq!(declared_module("#[cfg(test)]\nuse a::b;"), None);
    assert_eq!(declared_module("#[cfg(test)] mod tests { }"), None);
}
