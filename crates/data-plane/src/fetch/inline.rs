//! Addresses in requests and answers, replaced by the bytes that are there.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tollgate_domain::InputError;
use tollgate_domain::conversation::{Content, Conversation, File, FileData, ToolOutput};
use tollgate_domain::task::{ImageReply, ImageRequest};

use super::fault::Asked;
use super::together::{Boxed, together};
use super::{Fault, FetchError, Fetched, Fetcher, Trust, media_type};
use crate::lanes::Origin;

/// The most images of one answer.
const MOST_IMAGES: usize = 64;

/// A place in a request, and the file there.
type Placed<'a> = (String, &'a mut File);

impl Fetcher {
    /// Replaces the addresses of a conversation's files, those in tools' results included, by bytes. Left as
    /// they are: addresses that only Google's models read (`gs://`, YouTube, the Gemini Files API).
    ///
    /// # Errors
    /// The file that could not be had, by its path; then nothing was replaced.
    pub(crate) async fn inline(&self, conversation: &mut Conversation) -> Result<(), InputError> {
        let mut files = Vec::new();
        for (index, message) in conversation.messages.iter_mut().enumerate() {
            for (at, part) in message.parts.iter_mut().enumerate() {
                let path = || format!("messages[{index}].content[{at}]");
                match &mut part.content {
                    Content::File(file) => files.push((path(), file)),
                    Content::ToolResult(result) => {
                        let ToolOutput::Parts(parts) = &mut result.output else { continue };
                        for (inner, part) in parts.iter_mut().enumerate() {
                            if let Content::File(file) = &mut part.content {
                                files.push((format!("{}.output[{inner}]", path()), file));
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
        self.fill(files).await
    }

    /// Replaces the addresses of the images to be changed, and of the mask.
    ///
    /// # Errors
    /// As [`inline`](Self::inline).
    pub(crate) async fn inline_images(&self, request: &mut ImageRequest) -> Result<(), InputError> {
        let images = request.images.iter_mut().enumerate().map(|(at, file)| (format!("images[{at}]"), file));
        let mask = request.mask.iter_mut().map(|file| ("mask".to_owned(), file));
        self.fill(images.chain(mask).collect()).await
    }

    async fn fill(&self, files: Vec<Placed<'_>>) -> Result<(), InputError> {
        let wanted: Vec<Placed<'_>> = files
            .into_iter()
            .filter(|(_, file)| matches!(&file.data, FileData::Url(url) if is_fetchable(url)))
            .collect();
        let failed = |path: &str, fault, url: &str| invalid(path, &self.failed(fault, url, Asked::Client));
        // Each address once, by the path at which it came first.
        let mut order: Vec<(&str, &str)> = Vec::new();
        let mut slots: HashMap<String, usize> = HashMap::new();
        for (path, file) in &wanted {
            let url = address_of(file);
            if slots.contains_key(url) {
                continue;
            }
            let limit = self.settings.max_fetch_files;
            if order.len() == limit {
                return Err(failed(path, Fault::TooMany(limit), url));
            }
            slots.insert(url.to_owned(), order.len());
            order.push((path, url));
        }
        let fetch = |(path, url)| -> Boxed<'_, Result<Fetched, InputError>> {
            Box::pin(async move { self.get(url, Trust::Client).await.map_err(|e| invalid(path, &e)) })
        };
        let fetched = together(order.into_iter().map(fetch).collect()).await?;
        // Fetching must not make a request larger than sending the bytes could, however often an address
        // comes in it.
        let (limit, mut total) = (self.settings.max_body_bytes, 0);
        let mut found = Vec::with_capacity(wanted.len());
        for (path, file) in &wanted {
            let url = address_of(file);
            let Some(slot) = slots.get(url).copied() else { continue };
            let Some(bytes) = fetched.get(slot) else { continue };
            if media_type::is_web_page(&file.media_type, bytes) {
                return Err(failed(path, Fault::WebPage, url));
            }
            total += bytes.bytes.len().div_ceil(3) * 4;
            if total > limit {
                return Err(failed(path, Fault::TooLargeTogether(limit), url));
            }
            found.push((slot, media_type::of(&file.media_type, bytes)));
        }
        let texts: Vec<String> = fetched.into_iter().map(|file| STANDARD.encode(&file.bytes)).collect();
        for ((_, file), (slot, media_type)) in wanted.into_iter().zip(found) {
            let Some(text) = texts.get(slot) else { continue };
            file.data = FileData::Base64(text.clone());
            if let Some(media_type) = media_type {
                file.media_type = media_type;
            }
        }
        Ok(())
    }

    /// Replaces the addresses of a provider's images by bytes: clients get no addresses (gateway-api §10).
    ///
    /// # Errors
    /// The image that could not be had; then nothing was replaced.
    pub(crate) async fn resolve_images(
        &self,
        reply: &mut ImageReply,
        provider: &Origin,
    ) -> Result<(), FetchError> {
        let failed = |fault, url: &str| self.failed(fault, url, Asked::Provider);
        let urls = reply.images.iter().enumerate().filter_map(|(at, image)| match &image.data {
            FileData::Url(url) => Some((at, url.as_str())),
            _ => None,
        });
        let urls: Vec<(usize, &str)> = urls.collect();
        if let Some((_, url)) = urls.get(MOST_IMAGES) {
            return Err(failed(Fault::TooMany(MOST_IMAGES), url));
        }
        let (limit, mut total) = (self.settings.max_reply_bytes, 0);
        let mut found = Vec::with_capacity(urls.len());
        for group in urls.chunks(self.settings.max_fetch_files.max(1)) {
            let fetch = |(_, url): &(usize, &str)| -> Boxed<'_, Result<Fetched, FetchError>> {
                let url = (*url).to_owned();
                Box::pin(async move { self.get(&url, Trust::Provider(provider)).await })
            };
            let files = together(group.iter().map(fetch).collect()).await?;
            for ((at, url), file) in group.iter().zip(files) {
                if media_type::is_web_page("image/*", &file) {
                    return Err(failed(Fault::WebPage, url));
                }
                total += file.bytes.len().div_ceil(3) * 4;
                if total > limit {
                    return Err(failed(Fault::TooLargeTogether(limit), url));
                }
                let named = reply.images.get(*at).and_then(|image| image.media_type.as_deref());
                let media_type = media_type::of(named.unwrap_or_default(), &file);
                found.push((*at, media_type, STANDARD.encode(&file.bytes)));
            }
        }
        for (at, media_type, text) in found {
            let Some(image) = reply.images.get_mut(at) else { continue };
            image.data = FileData::Base64(text);
            image.media_type = media_type.or_else(|| image.media_type.take());
        }
        Ok(())
    }
}

fn address_of(file: &File) -> &str {
    match &file.data {
        FileData::Url(url) => url,
        _ => "",
    }
}

fn invalid(path: &str, error: &FetchError) -> InputError {
    InputError::invalid(path, error.to_string())
}

/// Whether an address is one of a file that anybody can fetch.
fn is_fetchable(url: &str) -> bool {
    let Some((scheme, rest)) = url.trim().split_once("://") else { return false };
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return false;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let host = authority.split(':').next().unwrap_or_default();
    // A page of YouTube is no video, and files of the Gemini API open only to their owner's key.
    !matches!(
        host,
        "youtu.be"
            | "youtube.com"
            | "www.youtube.com"
            | "m.youtube.com"
            | "generativelanguage.googleapis.com"
    )
}
