//! Enough of TypeScript's (and JSX's) lexical grammar to tell code from comments and strings, and to find functions.
use crate::rust::{closing, is_word, words};
use crate::source::Class;

/// The class of every byte. What stands in `${…}` of a template is code.
pub fn classify(text: &str) -> Vec<Class> {
    let bytes = text.as_bytes();
    let mut classes = vec![Class::Code; bytes.len()];
    // For every template being read: the depth of braces at which its `${` ends.
    let mut templates: Vec<usize> = Vec::new();
    let (mut at, mut depth, mut before) = (0, 0usize, b'(');
    while at < bytes.len() {
        let next = bytes.get(at + 1).copied();
        let (end, class) = match bytes[at] {
            b'/' if next == Some(b'/') => (until(bytes, at, b"\n"), Class::Comment),
            b'/' if next == Some(b'*') => (until(bytes, at, b"*/"), Class::Comment),
            quote @ (b'"' | b'\'') => match quoted_end(bytes, at, quote) {
                Some(end) => (end, Class::Text),
                None => (at + 1, Class::Code), // an apostrophe in the text of an element
            },
            b'/' if b"(,=:[!&|?{};+\n".contains(&before) => match quoted_end(bytes, at, b'/') {
                Some(end) => (end, Class::Text),
                None => (at + 1, Class::Code),
            },
            b'`' => (template_end(bytes, at + 1, &mut templates, depth), Class::Text),
            b'}' if templates.last() == Some(&depth) => {
                templates.pop();
                (template_end(bytes, at + 1, &mut templates, depth), Class::Text)
            }
            b => {
                match b {
                    b'{' => depth += 1,
                    b'}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                (at + 1, Class::Code)
            }
        };
        classes[at..end].fill(class);
        if class == Class::Text {
            before = b'"';
        } else if class == Class::Code && !matches!(bytes[at], b' ' | b'\t') {
            before = bytes[at];
        }
        at = end;
    }
    classes
}

fn until(bytes: &[u8], at: usize, mark: &[u8]) -> usize {
    let end = bytes[at..].windows(mark.len()).position(|w| w == mark);
    end.map_or(bytes.len(), |n| at + n + if mark == b"\n" { 0 } else { mark.len() })
}

/// The end of a literal that must close on its own line.
fn quoted_end(bytes: &[u8], start: usize, quote: u8) -> Option<usize> {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'\n' => return None,
            b if b == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// From inside a template to the end of it, or of the `${` that interrupts it.
fn template_end(bytes: &[u8], mut at: usize, templates: &mut Vec<usize>, depth: usize) -> usize {
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'`' => return at + 1,
            b'$' if bytes.get(at + 1) == Some(&b'{') => {
                templates.push(depth);
                return at + 2;
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Every function with a body in braces: its name (or `=>`) and the body's range with braces.
pub fn functions(code: &str) -> Vec<(String, std::ops::Range<usize>)> {
    let bytes = code.as_bytes();
    let mut found = Vec::new();
    for (at, word) in words(code) {
        let end = at + word.len();
        if word == "function" {
            let name: String = code[end..]
                .trim_start_matches([' ', '*'])
                .bytes()
                .take_while(|b| is_word(*b))
                .map(char::from)
                .collect();
            if let Some(open) = body_after_parameters(code, end) {
                found.push((name, open..closing(code, open)));
            }
        } else if bytes.get(end) == Some(&b'(') && !is_keyword(word) {
            // A method: a name and parameters at the start of a line, then a body.
            let line = code[..at].rfind('\n').map_or(0, |n| n + 1);
            let modifiers = code[line..at].split_whitespace().all(|w| {
                matches!(
                    w,
                    "async" | "static" | "public" | "private" | "protected" | "get" | "set" | "override"
                )
            });
            if modifiers && let Some(open) = body_after_parameters(code, end) {
                found.push((word.to_owned(), open..closing(code, open)));
            }
        }
    }
    for (at, _) in code.match_indices("=>") {
        let rest = code[at + 2..].trim_start();
        if rest.starts_with('{') {
            let open = code.len() - rest.len();
            found.push((arrow_name(&code[..at]), open..closing(code, open)));
        }
    }
    found
}

fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "if" | "for" | "while" | "switch" | "catch" | "return" | "function" | "with" | "await" | "super"
    )
}

/// The `{` of the body that follows a parameter list, an optional return type between them.
fn body_after_parameters(code: &str, from: usize) -> Option<usize> {
    let open = from + code[from..].find('(')?;
    let after = closing(code, open);
    let rest = code[after..].trim_start();
    let brace = after + code[after..].find(['{', ';', '\n'])?;
    let typed_or_bare = rest.starts_with('{') || rest.starts_with(':');
    (typed_or_bare && code.as_bytes()[brace] == b'{').then_some(brace)
}

/// The name an arrow function is bound to on its line, else `=>`.
fn arrow_name(before: &str) -> String {
    let line = before.rsplit('\n').next().unwrap_or_default().trim_start();
    let mut words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|w| !w.is_empty());
    let bound = words.find(|w| matches!(*w, "const" | "let")).and_then(|_| words.next());
    bound.unwrap_or("=>").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn templates_regexes_and_apostrophes() {
        let text = "const a = `x } ${ f({ b: '}' }) } y`; const r = s.replace(/[\"'}]/g, ''); // }\nreturn <p>don't {n}</p>;\n";
        let code = Source::new("x.tsx", text).code;
        assert_eq!(code.matches('{').count(), code.matches('}').count());
        assert!(code.contains("f({ b:") && code.contains("{n}"));
    }

    #[test]
    fn finds_functions_methods_and_arrows() {
        let text = "export function a(x: number): string {\n return ''\n}\nconst b = (x) => {\n}\nclass C {\n  async m(p: { q: 1 }) {\n  }\n}\nif (a) {\n}\nitems.map((i) => { })\n";
        let found = functions(&Source::new("x.ts", text).code);
        let names: Vec<&str> = found.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, ["a", "m", "b", "=>"]);
    }
}
