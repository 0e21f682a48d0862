//! Dialects against recorded exchanges and against examples of our own.

mod examples;
mod fixtures;
mod golden;
mod passthrough;
mod rebuilt;
mod requests;
