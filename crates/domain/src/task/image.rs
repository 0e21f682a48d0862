//! Images (gateway-api §10, providers §11).

use serde_json::Value;

use super::sum;
use crate::conversation::{File, FileData};
use crate::json_text::JsonText;
use crate::reply::ResponseInfo;
use crate::usage::Usage;
use crate::warning::Warning;

/// Images to be made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageRequest {
    /// What they shall show.
    pub prompt: String,
    /// How many; `None`: one.
    pub count: Option<u64>,
    /// Size such as `1024x1024`, or a word the model knows (`auto`).
    pub size: Option<String>,
    /// Aspect ratio such as `16:9`.
    pub aspect_ratio: Option<String>,
    /// Sampling seed.
    pub seed: Option<i64>,
    /// Images to be changed or combined; empty: made from the prompt alone.
    pub images: Vec<File>,
    /// Where the first of `images` may be changed.
    pub mask: Option<File>,
    /// Further members of OpenAI's shape (`quality`, `background`, `output_format`, `style`, …), for
    /// providers that speak it; scalars keep their JSON type.
    pub extra: Vec<(String, Value)>,
    /// An opaque id of the end user for the provider.
    pub user: Option<String>,
    /// `providerOptions` namespaces other than `gateway`, for the provider of that slug only.
    pub provider_options: Vec<(String, Value)>,
}

/// Images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageReply {
    /// The images.
    pub images: Vec<GeneratedImage>,
    /// What was consumed. `Usage::images` counts the images.
    pub usage: Option<Usage>,
    /// When, in seconds since the epoch, if the provider says so.
    pub created: Option<i64>,
    /// What the provider says of the answer.
    pub info: ResponseInfo,
    /// The provider's own metadata (`provider_metadata.<namespace>`).
    pub native: Option<JsonText>,
    /// What could not be done as asked.
    pub warnings: Vec<Warning>,
}

/// One image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedImage {
    /// Its bytes, or where the gateway must fetch them: clients get bytes only (gateway-api §10).
    pub data: FileData,
    /// Its media type, where known.
    pub media_type: Option<String>,
    /// The prompt as the model rewrote it.
    pub revised_prompt: Option<String>,
}

impl ImageReply {
    pub(super) fn append(&mut self, more: Self) {
        self.images.extend(more.images);
        self.usage = sum(self.usage, more.usage);
        self.warnings.extend(more.warnings);
    }
}
