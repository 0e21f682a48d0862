//! Gemini (providers §5): generating content whole or as a stream, counting, embeddings, images.

pub(crate) mod embed;
mod fields;
mod history;
pub(crate) mod predict;
mod read;
mod write;

pub(crate) use read::{read, read_count};
pub(crate) use write::{count, write};

use serde_json::Value;

/// Whether thought signatures are obligatory on the function calls of the current turn.
fn signs_calls(model: &str) -> bool {
    model.contains("gemini-3")
}

/// A member by its camel-case name; Google takes the snake-case one as well.
fn member<'a>(value: &'a Value, name: &str) -> &'a Value {
    if let Some(found) = value.get(name) {
        return found;
    }
    let mut snake = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    &value[snake.as_str()]
}
