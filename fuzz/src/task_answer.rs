//! A provider's answer to a request for embeddings, images or rerank: as many vectors as inputs and places that
//! there are, or a failure in words; and told to clients of every dialect as JSON.

use bytes::Bytes;
use serde_json::Value;
use tollgate_domain::task::{Product, Task};
use tollgate_wire::json;

use crate::{chunk_stream, shown, tasks};

/// A request of each dialect, in the order of `tasks::parse`.
const REQUESTS: [&str; 9] = [
    r#"{"model":"a/b","input":["one","two"],"encoding_format":"base64"}"#,
    r#"{"model":"a/b","prompt":"a boat","n":2}"#,
    r#"{"model":"a/b","prompt":"a boat","images":[{"image_url":"data:image/png;base64,AAAA"}]}"#,
    "--X\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\na/b\r\n--X\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\na boat\r\n--X\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\r\nbytes\r\n--X--\r\n",
    r#"{"model":"a/b","query":"q","documents":["a",{"t":"b"},"c"],"return_documents":true}"#,
    r#"{"model":"a/b","query":"q","documents":["a","b"]}"#,
    r#"{"values":["one","two"]}"#,
    r#"{"prompt":"a boat","n":1}"#,
    r#"{"query":"q","documents":{"type":"text","values":["a","b"]}}"#,
];

/// A byte that names the dialect, one for the endpoint, then the answer.
pub fn check(data: &[u8]) {
    let [what, endpoint, answer @ ..] = data else { return };
    let body = Bytes::from_static(REQUESTS[usize::from(what % 9)].as_bytes());
    let request = tasks::parse(*what, &body).expect("a request");
    let endpoints = tasks::endpoints(request.task());
    let (protocol, target) = &endpoints[usize::from(*endpoint) % endpoints.len()];
    let product = match tasks::read(request.task(), *protocol, target, answer) {
        Ok(product) => product,
        Err(failure) => {
            assert!(!failure.message.trim().is_empty(), "{protocol:?}");
            return assert!(failure.message.chars().count() <= 2000, "{}", failure.message.len());
        }
    };
    match (request.task(), &product) {
        (Task::Embedding(asked), Product::Embedding(reply)) => {
            assert_eq!(reply.vectors.len(), asked.inputs.len(), "vectors");
        }
        (Task::Rerank(asked), Product::Rerank(reply)) => {
            let mut places: Vec<usize> = reply.ranking.iter().map(|ranked| ranked.index).collect();
            assert!(places.iter().all(|place| *place < asked.documents.len()), "{places:?}");
            let all = places.len();
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), all, "a document twice");
        }
        (Task::Image(_), Product::Image(reply)) => assert!(!reply.images.is_empty(), "no image"),
        (task, product) => panic!("{product:?} for {task:?}"),
    }
    let told = request.encode(&chunk_stream::context(false), &product, &chunk_stream::receipt());
    assert_eq!(json::validate(&told), Ok(()), "{}", shown(&told));
    let told: Value = serde_json::from_slice(&told).unwrap_or_default();
    if let (Product::Embedding(reply), Some(data)) = (&product, told["data"].as_array()) {
        assert_eq!(data.len(), reply.vectors.len());
    }
}
