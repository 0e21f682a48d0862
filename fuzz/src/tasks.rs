//! Embeddings, images and rerank, as clients ask for them and as providers are asked and answer. Which dialect
//! a number names is the same for requests and answers.

use bytes::Bytes;
use tollgate_dialects::ai_sdk::{self, Version};
use tollgate_dialects::{TaskRequest, embeddings, images, rerank};
use tollgate_domain::task::{Product, Task};
use tollgate_domain::{Failure, InputError};
use tollgate_providers::{Target, TaskCall, cohere, gemini, openai, rerank as provider_rerank};

use crate::endpoints;

/// The form that targets send in.
pub const FORM: &str = "multipart/form-data; boundary=X";

/// Reads a request of the dialect with this number, counted round and round.
pub fn parse(number: u8, body: &Bytes) -> Result<Box<dyn TaskRequest>, InputError> {
    fn boxed<R: TaskRequest + 'static>(
        request: Result<R, InputError>,
    ) -> Result<Box<dyn TaskRequest>, InputError> {
        request.map(|request| Box::new(request) as Box<dyn TaskRequest>)
    }
    let version = [Version::V2, Version::V3, Version::V4][usize::from(number / 16 % 3)];
    match number % 9 {
        0 => boxed(embeddings::Request::parse(body)),
        1 => boxed(images::Request::generations(body)),
        2 => boxed(images::Request::edits("application/json", body)),
        3 => boxed(images::Request::edits(FORM, body)),
        4 => boxed(rerank::Request::parse(rerank::Version::V1, body)),
        5 => boxed(rerank::Request::parse(rerank::Version::V2, body)),
        6 => boxed(ai_sdk::EmbeddingRequest::parse(version, "a/b", body)),
        7 => boxed(ai_sdk::ImageRequest::parse(version, "a/b", body)),
        _ => boxed(ai_sdk::RerankRequest::parse(version, "a/b", body)),
    }
}

/// Whether the body of this dialect is a form and no JSON.
pub fn is_form(number: u8) -> bool {
    number % 9 == 3
}

/// Which protocol an endpoint speaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Protocol {
    /// OpenAI's, and rerank as most providers have it.
    OpenAi,
    Cohere,
    Gemini,
}

/// Endpoints for a task.
pub fn endpoints(task: &Task) -> Vec<(Protocol, Target)> {
    let of = |protocol, list: &[(&str, &str)]| -> Vec<(Protocol, Target)> {
        list.iter().map(|(provider, model)| (protocol, endpoints::task(provider, model))).collect()
    };
    let (plain, cohere, gemini): (&[_], &[_], &[_]) = match task {
        Task::Embedding(_) => (
            &[
                ("openai", "text-embedding-3-small"),
                ("mistral", "mistral-embed"),
                ("voyage", "voyage-3.5"),
                ("perplexity", "pplx-embed-v1"),
            ],
            &[("cohere", "embed-v4.0")],
            &[("google", "gemini-embedding-001"), ("vertex", "text-embedding-005")],
        ),
        Task::Image(_) => (
            &[
                ("openai", "gpt-image-1"),
                ("xai", "grok-imagine-image"),
                ("together", "flux-1"),
                ("vllm", "house"),
            ],
            &[],
            &[("google", "gemini-2.5-flash-image"), ("vertex", "imagen-4.0-generate-001")],
        ),
        Task::Rerank(_) => (
            &[
                ("voyage", "rerank-2.5"),
                ("jina", "jina-reranker-v3"),
                ("together", "rerank-1"),
                ("vllm", "house"),
            ],
            &[("cohere", "rerank-v3.5")],
            &[],
        ),
    };
    [of(Protocol::OpenAi, plain), of(Protocol::Cohere, cohere), of(Protocol::Gemini, gemini)].concat()
}

/// What an endpoint is asked.
pub fn calls(task: &Task, protocol: Protocol, target: &Target) -> Result<Vec<TaskCall>, InputError> {
    match (task, protocol) {
        (Task::Embedding(request), Protocol::OpenAi) => openai::embeddings::calls(request, target),
        (Task::Embedding(request), Protocol::Cohere) => cohere::embed::calls(request, target),
        (Task::Embedding(request), Protocol::Gemini) => gemini::embeddings::calls(request, target),
        (Task::Image(request), Protocol::Gemini) => gemini::images::calls(request, target),
        (Task::Image(request), _) => openai::images::calls(request, target),
        (Task::Rerank(request), Protocol::Cohere) => cohere::rerank::calls(request, target),
        (Task::Rerank(request), _) => provider_rerank::calls(request, target),
    }
}

/// What an endpoint answers to its first call.
pub fn read(task: &Task, protocol: Protocol, target: &Target, body: &[u8]) -> Result<Product, Failure> {
    match (task, protocol) {
        (Task::Embedding(request), Protocol::OpenAi) => {
            openai::embeddings::read(request, target, 0, body).map(Product::Embedding)
        }
        (Task::Embedding(request), Protocol::Cohere) => {
            cohere::embed::read(request, target, 0, body).map(Product::Embedding)
        }
        (Task::Embedding(request), Protocol::Gemini) => {
            gemini::embeddings::read(request, target, 0, body).map(Product::Embedding)
        }
        (Task::Image(request), Protocol::Gemini) => {
            gemini::images::read(request, target, 0, body).map(Product::Image)
        }
        (Task::Image(request), _) => openai::images::read(request, target, 0, body).map(Product::Image),
        (Task::Rerank(request), Protocol::Cohere) => {
            cohere::rerank::read(request, target, 0, body).map(Product::Rerank)
        }
        (Task::Rerank(request), _) => provider_rerank::read(request, target, 0, body).map(Product::Rerank),
    }
}
