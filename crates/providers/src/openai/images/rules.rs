//! What sets a model of images apart (providers §11).

use crate::Target;

/// How base64 is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Not at all: it is all there is, and asking is refused (`gpt-image-*`).
    Unasked,
    /// `response_format: b64_json`.
    B64Json,
    /// `response_format: base64` (Together).
    Base64,
}

/// How the size is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `size`.
    Size,
    /// `width` and `height` (Together).
    WidthHeight,
    /// `aspect_ratio` (xAI).
    AspectRatio,
}

/// How images are given to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edits {
    /// A form with files; JSON with `image_url` where one has to be fetched.
    FormOrJson,
    /// A form with files only: one file `image` (`dall-e-2`).
    Form,
    /// `/images/edits` with JSON of typed URLs (xAI).
    TypedUrls,
    /// `image_url` beside the prompt of a generation (Together).
    BesidePrompt,
    /// Not at all.
    None,
}

/// Everything that sets one model apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How base64 is asked for.
    pub format: Format,
    /// How the size is said.
    pub shape: Shape,
    /// How images are given to be changed.
    pub edits: Edits,
    /// `seed` is understood, under this name.
    pub seed: Option<&'static str>,
    /// Which of OpenAI's further members are understood; `None`: all.
    pub extra: Option<&'static [&'static str]>,
    /// `user` is understood.
    pub user: bool,
    /// The most images of a call.
    pub max_images: u64,
}

const OPENAI: Rules = Rules {
    format: Format::Unasked,
    shape: Shape::Size,
    edits: Edits::FormOrJson,
    seed: None,
    extra: None,
    user: true,
    max_images: 10,
};

/// A server that follows OpenAI, of which nothing more is known.
const COMPATIBLE: Rules = Rules { format: Format::B64Json, seed: Some("seed"), user: false, ..OPENAI };

impl Rules {
    /// The rules of an endpoint.
    #[must_use]
    pub fn for_target(target: &Target) -> Self {
        match target.provider.as_str() {
            "openai" | "azure" => openai(target),
            "xai" => Self {
                shape: Shape::AspectRatio,
                edits: Edits::TypedUrls,
                seed: None,
                extra: Some(&["quality"]),
                ..COMPATIBLE
            },
            "together" | "togetherai" => Self {
                format: Format::Base64,
                shape: Shape::WidthHeight,
                edits: Edits::BesidePrompt,
                extra: Some(&["output_format"]),
                max_images: 4,
                ..COMPATIBLE
            },
            "recraft" => Self {
                edits: Edits::None,
                seed: Some("random_seed"),
                extra: Some(&["style"]),
                max_images: 6,
                ..COMPATIBLE
            },
            // OpenAI's own models behind another gateway or proxy.
            _ if target.model.contains("gpt-image") || target.canonical.contains("gpt-image") => OPENAI,
            _ => COMPATIBLE,
        }
    }
}

fn openai(target: &Target) -> Rules {
    let named = |word: &str| target.canonical.contains(word) || target.model.contains(word);
    if named("dall-e-3") {
        return Rules { format: Format::B64Json, edits: Edits::None, max_images: 1, ..OPENAI };
    }
    if named("dall-e") {
        return Rules { format: Format::B64Json, edits: Edits::Form, ..OPENAI };
    }
    // Azure serves other makers' models under the same path; its deployments may have any name.
    let others = !target.canonical.is_empty() && !target.canonical.starts_with("openai/");
    if target.provider == "azure" && others { COMPATIBLE } else { OPENAI }
}
