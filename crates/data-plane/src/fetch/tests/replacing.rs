//! Whole requests and answers: which addresses are replaced, and by what.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tollgate_domain::conversation::{
    Content, Conversation, File, FileData, Message, Part, Role, ToolOutput, ToolResult,
};
use tollgate_domain::task::{GeneratedImage, ImageReply, ImageRequest};

use super::server::{PNG, Server, fetcher, file, inside, status};
use crate::fetch::Fault;
use crate::lanes::BaseUrl;
use crate::settings::Settings;

fn at(media_type: &str, url: &str) -> File {
    File {
        media_type: media_type.to_owned(),
        data: FileData::Url(url.to_owned()),
        filename: None,
        detail: None,
    }
}

fn message(role: Role, contents: Vec<Content>) -> Message {
    Message { role, name: None, parts: contents.into_iter().map(Part::new).collect(), cache: None }
}

fn of(contents: Vec<Content>) -> Conversation {
    Conversation { messages: vec![message(Role::User, contents)], ..Conversation::default() }
}

fn held(media_type: &str, bytes: &[u8]) -> File {
    File { data: FileData::Base64(STANDARD.encode(bytes)), ..at(media_type, "") }
}

async fn files() -> Server {
    Server::start(vec![
        ("/png", file("content-type: text/plain\r\n", PNG)),
        ("/csv", file("content-type: text/csv; charset=utf-8\r\n", b"a,b")),
        ("/page", file("content-type: text/html\r\n", b"<html>")),
        ("/gone", status("410 Gone", "")),
    ])
    .await
}

#[tokio::test]
async fn addresses_become_bytes_wherever_they_stand_and_each_is_fetched_once() {
    let server = files().await;
    let (png, csv) = (server.url("/png"), server.url("/csv"));
    let result = ToolResult {
        call_id: "c".into(),
        name: None,
        output: ToolOutput::Parts(vec![Part::text("t"), Part::new(Content::File(at("image/*", &png)))]),
        is_error: false,
    };
    let mut conversation = Conversation {
        messages: vec![
            message(
                Role::User,
                vec![
                    Content::Text("look".into()),
                    Content::File(at("image/*", &png)),
                    Content::File(at("", &csv)),
                    Content::File(at("application/x-own", &csv)),
                ],
            ),
            message(Role::Assistant, vec![Content::File(at("image/*", &png))]),
            message(Role::Tool, vec![Content::ToolResult(result.clone())]),
        ],
        ..Conversation::default()
    };
    fetcher(inside()).inline(&mut conversation).await.unwrap();
    let expected = ToolResult {
        output: ToolOutput::Parts(vec![Part::text("t"), Part::new(Content::File(held("image/png", PNG)))]),
        ..result
    };
    assert_eq!(
        conversation.messages,
        [
            message(
                Role::User,
                vec![
                    Content::Text("look".into()),
                    Content::File(held("image/png", PNG)),
                    Content::File(held("text/csv", b"a,b")),
                    Content::File(held("application/x-own", b"a,b")),
                ],
            ),
            message(Role::Assistant, vec![Content::File(held("image/png", PNG))]),
            message(Role::Tool, vec![Content::ToolResult(expected)]),
        ]
    );
    assert_eq!(server.heads().len(), 2);
}

#[tokio::test]
async fn what_only_its_own_provider_reads_and_what_is_no_address_stays() {
    let mut conversation = of([
        "gs://bucket/a.png",
        "https://www.youtube.com/watch?v=x",
        "HTTPS://YouTu.be:443/x",
        "https://generativelanguage.googleapis.com/v1beta/files/abc",
        "s3://bucket/a",
    ]
    .map(|url| Content::File(at("image/*", url)))
    .into());
    for data in [FileData::Reference("http://x".into()), FileData::Text("http://x".into())] {
        conversation.messages[0].parts.push(Part::new(Content::File(File { data, ..at("image/*", "") })));
    }
    let before = conversation.clone();
    fetcher(Settings::default()).inline(&mut conversation).await.unwrap();
    assert_eq!(conversation, before);
}

#[tokio::test]
async fn i29_a_file_that_cannot_be_had_is_named_and_nothing_is_replaced() {
    let server = files().await;
    for (media_type, url, expected) in [
        ("image/*", server.url("/gone?sig=not-a-secret"), "status 4"),
        ("image/*", server.url("/page"), "a web page came"),
        ("image/*", "http://[::1]:1/".to_owned(), "port is 1"),
        ("image/*", "http://169.254.169.254/".to_owned(), "a link-local address"),
    ] {
        let good = Content::File(at("image/*", &server.url("/png")));
        let mut conversation = of(vec![good, Content::File(at(media_type, &url))]);
        let before = conversation.clone();
        let error = fetcher(inside()).inline(&mut conversation).await.unwrap_err();
        assert_eq!((error.param.as_deref(), error.status()), (Some("messages[0].content[1]"), 400));
        assert!(error.message.contains(expected) && error.message.contains("base64"), "{error}");
        assert!(!error.message.contains("not-a-secret"), "{error}");
        assert_eq!(conversation, before);
    }
}

#[tokio::test]
async fn i26_number_and_size_of_the_files_of_a_request_are_bounded() {
    let server = files().await;
    let many = |n: usize| {
        of((0..n).map(|i| Content::File(at("image/*", &server.url(&format!("/png#{i}"))))).collect())
    };
    let few = fetcher(Settings { max_fetch_files: 2, ..inside() });
    few.inline(&mut many(2)).await.unwrap();
    let asked = server.heads().len();
    let error = few.inline(&mut many(3)).await.unwrap_err();
    assert_eq!(error.param.as_deref(), Some("messages[0].content[2]"));
    assert!(error.message.contains("more than 2 files") && error.message.contains("max_files"), "{error}");
    assert_eq!(server.heads().len(), asked, "nothing was asked for");

    // The same small file a hundred times is fetched once, but makes a large request.
    let same = vec![Content::File(at("image/*", &server.url("/png"))); 100];
    let size = STANDARD.encode(PNG).len();
    for (limit, fits) in [(100 * size, true), (100 * size - 1, false)] {
        let result =
            fetcher(Settings { max_body_bytes: limit, ..inside() }).inline(&mut of(same.clone())).await;
        assert_eq!(result.is_ok(), fits);
        if let Err(error) = result {
            assert_eq!(error.param.as_deref(), Some("messages[0].content[99]"));
            assert!(error.message.contains(&format!("more than {limit} bytes")), "{error}");
        }
    }
}

#[tokio::test]
async fn files_are_fetched_at_the_same_time() {
    // Neither of two answers comes before both were asked for.
    let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(2));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let barrier = std::sync::Arc::clone(&barrier);
            tokio::spawn(async move {
                use tokio::io::AsyncWriteExt;
                barrier.wait().await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx").await;
            });
        }
    });
    let mut conversation =
        of(["/a", "/b"].map(|p| Content::File(at("image/*", &format!("http://{addr}{p}")))).into());
    fetcher(inside()).inline(&mut conversation).await.unwrap();
    let expected = held("image/*", b"x");
    assert_eq!(conversation, of(vec![Content::File(expected.clone()), Content::File(expected)]));
}

#[tokio::test]
async fn images_to_be_changed_and_the_mask_are_fetched() {
    let server = files().await;
    let mut request = ImageRequest {
        images: vec![held("image/webp", b"w"), at("image/*", &server.url("/png"))],
        mask: Some(at("image/*", &server.url("/png"))),
        ..ImageRequest::default()
    };
    let fetcher = fetcher(inside());
    fetcher.inline_images(&mut request).await.unwrap();
    assert_eq!(request.images, [held("image/webp", b"w"), held("image/png", PNG)]);
    assert_eq!(request.mask, Some(held("image/png", PNG)));
    assert_eq!(server.heads().len(), 1);
    request.mask = Some(at("image/*", &server.url("/gone")));
    assert_eq!(fetcher.inline_images(&mut request).await.unwrap_err().param.as_deref(), Some("mask"));
    request.images[1] = at("image/*", &server.url("/gone"));
    assert_eq!(fetcher.inline_images(&mut request).await.unwrap_err().param.as_deref(), Some("images[1]"));
}

fn made(url: &str, media_type: Option<&str>) -> GeneratedImage {
    GeneratedImage {
        data: FileData::Url(url.to_owned()),
        media_type: media_type.map(str::to_owned),
        revised_prompt: Some("p".into()),
    }
}

#[tokio::test]
async fn i29_images_of_an_answer_come_from_the_providers_own_host() {
    let server = files().await;
    let own = BaseUrl::parse(&server.url("/v1")).unwrap().origin;
    let kept = GeneratedImage { data: FileData::Base64("AA==".into()), ..made("", None) };
    let images =
        vec![made(&server.url("/png"), None), kept.clone(), made(&server.url("/png"), Some("image/own"))];
    let mut reply = ImageReply { images, ..ImageReply::default() };
    let (before, base64) = (reply.clone(), STANDARD.encode(PNG));
    // One at a time.
    let fetcher = fetcher(Settings { max_fetch_files: 1, ..Settings::default() });
    fetcher.resolve_images(&mut reply, &own).await.unwrap();
    let image =
        |kind: &str| GeneratedImage { data: FileData::Base64(base64.clone()), ..made("", Some(kind)) };
    assert_eq!(reply.images, [image("image/png"), kept, image("image/own")]);

    let elsewhere = BaseUrl::parse("https://api.example.test").unwrap().origin;
    let mut reply = before.clone();
    let error = fetcher.resolve_images(&mut reply, &elsewhere).await.unwrap_err();
    assert_eq!(error.fault, Fault::Private("a loopback"));
    assert_eq!(reply, before);

    reply.images[2] = made(&server.url("/page"), None);
    assert_eq!(fetcher.resolve_images(&mut reply, &own).await.unwrap_err().fault, Fault::WebPage);
    reply.images[2] = made("s3://bucket/a", None);
    assert!(matches!(fetcher.resolve_images(&mut reply, &own).await.unwrap_err().fault, Fault::BadUrl(_)));
    reply.images = vec![made(&server.url("/png"), None); 65];
    assert_eq!(fetcher.resolve_images(&mut reply, &own).await.unwrap_err().fault, Fault::TooMany(64));
    reply.images.truncate(2);
    let small = super::server::fetcher(Settings { max_reply_bytes: 2 * base64.len() - 1, ..inside() });
    let error = small.resolve_images(&mut reply, &own).await.unwrap_err();
    assert_eq!(error.fault, Fault::TooLargeTogether(2 * base64.len() - 1));
    assert!(error.to_string().contains("Ask for fewer images"), "{error}");
}
