//! A client's request for embeddings, images or rerank: read, or refused with a reason that names its place;
//! and asked of every protocol: JSON, or a form that reads back as the same images.

use bytes::Bytes;
use tollgate_dialects::{TaskRequest, images};
use tollgate_domain::conversation::{File, FileData};
use tollgate_domain::task::{ImageRequest, Task};
use tollgate_wire::json;

use crate::{dialect_request, shown, tasks};

/// A byte that names the dialect, one without a meaning, then the body.
pub fn check(data: &[u8]) {
    let [what, _, body @ ..] = data else { return };
    let body = Bytes::copy_from_slice(body);
    let request = match tasks::parse(*what, &body) {
        Ok(request) => request,
        Err(error) if tasks::is_form(*what) => {
            assert!(!error.message.trim().is_empty());
            return assert!((400..500).contains(&error.status()), "{error}");
        }
        Err(error) => return dialect_request::check_refusal(&body, &error),
    };
    assert!(!request.head().model.trim().is_empty() && !request.head().stream);
    let task = request.task();
    for (protocol, target) in tasks::endpoints(task) {
        let calls = match tasks::calls(task, protocol, &target) {
            Ok(calls) => calls,
            Err(error) => {
                assert!(!error.message.trim().is_empty(), "{}", target.provider);
                assert!((400..500).contains(&error.status()), "{}: {error}", target.provider);
                continue;
            }
        };
        assert!(!calls.is_empty(), "{}: nothing is asked", target.provider);
        for call in calls {
            assert!(call.path.starts_with('/'), "{}", call.path);
            if call.content_type == "application/json" {
                assert_eq!(json::validate(&call.body), Ok(()), "{}: {}", target.provider, shown(&call.body));
                continue;
            }
            let Task::Image(asked) = task else { panic!("a form: {}", call.content_type) };
            reads_back(asked, &call.content_type, call.body);
        }
    }
}

/// The form that a provider gets is one that we would read ourselves, but for images without a byte, which
/// only JSON can name.
fn reads_back(asked: &ImageRequest, content_type: &str, body: Vec<u8>) {
    let empty =
        |file: &File| matches!(&file.data, FileData::Base64(text) if text.trim_end_matches('=').is_empty());
    if asked.images.iter().chain(&asked.mask).any(empty) {
        return;
    }
    let body = Bytes::from(body);
    let again = images::Request::edits(content_type, &body);
    let again = again.unwrap_or_else(|error| panic!("{error}: {}", shown(&body)));
    let Task::Image(again) = again.task() else { panic!("{again:?}") };
    assert_eq!(again.prompt, asked.prompt);
    let data = |file: &File| match &file.data {
        FileData::Base64(text) => text.trim_end_matches('=').to_owned(),
        other => format!("{other:?}"),
    };
    let all = |request: &ImageRequest| -> Vec<String> { request.images.iter().map(data).collect() };
    assert_eq!(all(again), all(asked), "images");
    assert_eq!(again.mask.as_ref().map(data), asked.mask.as_ref().map(data), "mask");
}
