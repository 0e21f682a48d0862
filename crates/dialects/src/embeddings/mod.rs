//! OpenAI embeddings (gateway-api §9): `POST /v1/embeddings`. OpenAI's own libraries ask for base64 unless
//! told otherwise (clients §4), so a vector is turned from either form into the other without loss.

mod answer;
mod request;
mod vector;

pub use request::{Encoding, MAX_INPUTS, Request};
pub use vector::{write_base64, write_floats};
