//! OpenAI's images, and servers that follow them more or less (providers §11). What sets a model apart is
//! data ([`Rules`]).

mod answer;
mod calls;
mod edit;
mod form;
mod rules;

pub use answer::read;
pub use calls::calls;
pub use rules::{Edits, Format, Rules, Shape};

#[cfg(test)]
mod tests;
