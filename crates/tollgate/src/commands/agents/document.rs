//! Putting settings into a JSON or TOML text without losing what else is in it.

use std::path::Path;

use serde_json::{Map, Value};
use toml_edit::{DocumentMut, Item, Table, TableLike};

use super::plan::{ClientFile, Format, Setting};
use crate::failure::Failure;

/// The text with the settings in it.
#[derive(Debug)]
pub struct Merged {
    /// The whole new text.
    pub text: String,
    /// What became different, by dotted path.
    pub changes: Vec<(String, Change)>,
    /// What was left alone and may be in the way.
    pub warnings: Vec<String>,
}

/// How a member became different. A secret's value is not in it (I28).
#[derive(Debug, PartialEq, Eq)]
pub enum Change {
    /// It was not there.
    Set(String),
    /// It had another value.
    Replaced(String),
    /// It was there.
    Removed,
}

/// The settings as a file that has nothing else in it.
pub fn alone(file: &ClientFile) -> String {
    let mut document = Document::empty(file.format);
    for setting in &file.settings {
        // An empty document has nothing that could be in the way.
        let _ = document.set(&setting.path, &setting.value);
    }
    document.text()
}

/// The text of a file, or of none, with the settings in it.
///
/// # Errors
/// When the text cannot be read as what it should be, so that a rewrite might lose something.
pub fn merge(file: &ClientFile, before: Option<&str>, path: &Path) -> Result<Merged, Failure> {
    let mut document = match before.filter(|text| !text.trim().is_empty()) {
        Some(text) => Document::read(file.format, text).map_err(|wrong| unreadable(file, path, &wrong))?,
        None => Document::empty(file.format),
    };
    let mut changes = Vec::new();
    for gone in &file.obsolete {
        if document.remove(gone) {
            changes.push((gone.join("."), Change::Removed));
        }
    }
    for setting in &file.settings {
        let was = document.get(&setting.path);
        if was.as_deref() == Some(&setting.value) {
            continue;
        }
        let known = document.set(&setting.path, &setting.value).map_err(|place| {
            Failure::new(format!("{}: '{place}' is not a group of settings", path.display()))
                .expected(format!("a group with '{}' in it", setting.path.join(".")))
                .next("correct or remove it, then run the command again; nothing was written")
        })?;
        let shown = shown(setting);
        let change = if known { Change::Replaced(shown) } else { Change::Set(shown) };
        changes.push((setting.path.join("."), change));
    }
    let found = file.in_the_way.iter().filter(|(path, _)| document.has(path));
    Ok(Merged { text: document.text(), changes, warnings: found.map(|(_, why)| (*why).to_owned()).collect() })
}

fn shown(setting: &Setting) -> String {
    if setting.secret { "(the key)".to_owned() } else { setting.value.clone() }
}

fn unreadable(file: &ClientFile, path: &Path, wrong: &str) -> Failure {
    let form = match file.format {
        Format::Json => "JSON without comments, which a rewrite would lose",
        Format::Toml => "TOML",
    };
    Failure::new(format!("{} cannot be read: {wrong}", path.display())).expected(form).next(
        "run the command without --write, and put the settings it prints into the file; nothing was written",
    )
}

enum Document {
    Json(Map<String, Value>),
    Toml(Box<DocumentMut>),
}

impl Document {
    fn empty(format: Format) -> Self {
        match format {
            Format::Json => Self::Json(Map::new()),
            Format::Toml => Self::Toml(Box::default()),
        }
    }

    /// What is wrong is told without the text, which may hold secrets (I28).
    fn read(format: Format, text: &str) -> Result<Self, String> {
        match format {
            Format::Json => match serde_json::from_str(text) {
                Ok(Value::Object(members)) => Ok(Self::Json(members)),
                Ok(_) => Err("it is not an object".to_owned()),
                Err(error) => Err(format!("line {} column {}", error.line(), error.column())),
            },
            Format::Toml => match text.parse::<DocumentMut>() {
                Ok(document) => Ok(Self::Toml(Box::new(document))),
                Err(error) => {
                    let at = error.span().and_then(|span| text.get(..span.start));
                    let line = at.map_or(1, |before| before.matches('\n').count() + 1);
                    Err(format!("line {line}"))
                }
            },
        }
    }

    fn has(&self, path: &[String]) -> bool {
        match self {
            Self::Json(members) => json_at(members, path).is_some(),
            Self::Toml(document) => toml_at(document, path).is_some(),
        }
    }

    /// A text at a path.
    fn get(&self, path: &[String]) -> Option<String> {
        let found = match self {
            Self::Json(members) => json_at(members, path)?.as_str(),
            Self::Toml(document) => toml_at(document, path)?.as_str(),
        };
        found.map(str::to_owned)
    }

    /// Sets a text and makes the groups around it; whether there was a value before.
    fn set(&mut self, path: &[String], value: &str) -> Result<bool, String> {
        match self {
            Self::Json(members) => set_json(members, path, value),
            Self::Toml(document) => set_toml(document.as_table_mut(), path, value),
        }
    }

    /// Removes a member; whether there was one.
    fn remove(&mut self, path: &[String]) -> bool {
        let Some((last, groups)) = path.split_last() else { return false };
        match self {
            Self::Json(members) => {
                let mut group = Some(members);
                for name in groups {
                    group = group.and_then(|g| g.get_mut(name)).and_then(Value::as_object_mut);
                }
                group.and_then(|g| g.shift_remove(last)).is_some()
            }
            Self::Toml(document) => {
                let mut group: Option<&mut dyn TableLike> = Some(document.as_table_mut());
                for name in groups {
                    group = group.and_then(|g| g.get_mut(name)).and_then(Item::as_table_like_mut);
                }
                group.and_then(|g| g.remove(last)).is_some()
            }
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Json(members) => format!("{:#}\n", Value::Object(members.clone())),
            Self::Toml(document) => document.to_string(),
        }
    }
}

fn json_at<'a>(members: &'a Map<String, Value>, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(members.get(first)?, |value, name| value.get(name))
}

fn toml_at<'a>(document: &'a DocumentMut, path: &[String]) -> Option<&'a Item> {
    path.iter().try_fold(document.as_item(), |item, name| item.get(name))
}

fn set_json(members: &mut Map<String, Value>, path: &[String], value: &str) -> Result<bool, String> {
    let Some((last, groups)) = path.split_last() else { return Ok(false) };
    let mut group = members;
    for (depth, name) in groups.iter().enumerate() {
        let inner = group.entry(name.as_str()).or_insert_with(|| Value::Object(Map::new()));
        group = inner.as_object_mut().ok_or_else(|| path[..=depth].join("."))?;
    }
    Ok(group.insert(last.clone(), Value::from(value)).is_some())
}

fn set_toml(table: &mut Table, path: &[String], value: &str) -> Result<bool, String> {
    let Some((last, groups)) = path.split_last() else { return Ok(false) };
    let mut group: &mut dyn TableLike = table;
    for (depth, name) in groups.iter().enumerate() {
        let inner = group.entry(name).or_insert_with(|| {
            let mut made = Table::new();
            // A group that holds only groups needs no heading of its own.
            made.set_implicit(true);
            Item::Table(made)
        });
        group = inner.as_table_like_mut().ok_or_else(|| path[..=depth].join("."))?;
    }
    let mut new = toml_edit::Value::from(value);
    match group.get_mut(last) {
        Some(Item::Value(old)) => {
            // Blanks and comments around the value stay.
            *new.decor_mut() = old.decor().clone();
            *old = new;
            Ok(true)
        }
        Some(Item::None) | None => {
            group.insert(last, Item::Value(new));
            Ok(false)
        }
        Some(_) => Err(path.join(".")),
    }
}
