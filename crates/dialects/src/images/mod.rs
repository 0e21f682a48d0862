//! OpenAI images (gateway-api §10): `POST /v1/images/generations` and `POST /v1/images/edits`, the latter as
//! JSON or as a form with files.

mod answer;
mod form;
mod multipart;
mod reference;
mod request;

pub use request::{MAX_EDITED_IMAGES, MAX_IMAGES, Request};
