use tollgate_domain::conversation::FileData;

use super::*;

fn generation(body: &str) -> Result<Request, InputError> {
    Request::generations(&Bytes::copy_from_slice(body.as_bytes()))
}

fn edit(body: &str) -> Result<Request, InputError> {
    Request::edits("application/json; charset=utf-8", &Bytes::copy_from_slice(body.as_bytes()))
}

fn task(request: &Request) -> &ImageRequest {
    match request.task() {
        Task::Image(image) => image,
        other => panic!("{other:?}"),
    }
}

/// A form of text fields and files (name, file name, bytes).
fn form(fields: &[(&str, &str)], files: &[(&str, &str, &[u8])]) -> Result<Request, InputError> {
    let mut body = Vec::new();
    for (name, text) in fields {
        body.extend_from_slice(
            format!("--b0\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n").as_bytes(),
        );
    }
    for (name, file, bytes) in files {
        body.extend_from_slice(
            format!("--b0\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\nContent-Type: application/octet-stream\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b0--\r\n");
    Request::edits("multipart/form-data; boundary=b0", &Bytes::from(body))
}

const PNG: &[u8] = &[0x89, b'P', b'N', b'G', 13, 10, 26, 10, 0, 255];

#[test]
fn a_generation_is_read() {
    let request = generation(
        r#"{"model":"openai/gpt-image-1","prompt":"a cat","n":2,"size":"1024x1024","aspect_ratio":"1:1","seed":-4,"quality":"low","output_compression":80,"background":null,"response_format":"b64_json","stream":false,"partial_images":0,"user":"u","unknown":[1],"providerOptions":{"gateway":{"order":["azure"]},"xai":{"resolution":"2k"}}}"#,
    )
    .unwrap();
    assert_eq!((request.surface(), &request.head().model[..]), ("images", "openai/gpt-image-1"));
    assert!(request.head().needs.image_output && !request.head().needs.images);
    assert_eq!(request.head().options.order, ["azure"]);
    let image = task(&request);
    assert_eq!(
        (&image.prompt[..], image.count, image.size.as_deref()),
        ("a cat", Some(2), Some("1024x1024"))
    );
    assert_eq!((image.aspect_ratio.as_deref(), image.seed), (Some("1:1"), Some(-4)));
    assert_eq!(
        image.extra,
        [("quality".to_owned(), "low".into()), ("output_compression".to_owned(), 80.into())]
    );
    assert_eq!((image.user.as_deref(), &image.provider_options[0].0[..]), (Some("u"), "xai"));
}

#[test]
fn an_edit_as_json_is_read() {
    let request = edit(
        r#"{"model":"m/i","prompt":"p","images":[{"image_url":"https://x.test/a.png"},{"image_url":"data:image/png;base64,QUJD"}],"mask":{"image_url":"data:image/png;base64,QQ=="}}"#,
    )
    .unwrap();
    assert!(request.head().needs.images);
    let image = task(&request);
    assert_eq!(image.images[0].data, FileData::Url("https://x.test/a.png".into()));
    assert_eq!(image.images[1].data, FileData::Base64("QUJD".into()));
    assert!(image.mask.is_some());
}

#[test]
fn an_edit_as_a_form_is_read() {
    let fields = [
        ("model", "m/i"),
        ("prompt", "say \"hi\"\nthen"),
        ("n", "2"),
        ("output_compression", "70"),
        ("quality", "high"),
        ("seed", ""),
        ("providerOptions", r#"{"gateway":{"tags":["t"]},"openai":{"x":1}}"#),
    ];
    let request =
        form(&fields, &[("image[]", "a.png", PNG), ("image", "b", b"raw"), ("mask", "m.png", PNG)]).unwrap();
    assert_eq!((&request.head().options.tags[0][..], request.head().needs.images), ("t", true));
    let image = task(&request);
    assert_eq!((&image.prompt[..], image.count, image.seed), ("say \"hi\"\nthen", Some(2), None));
    assert_eq!(
        image.extra.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>(),
        ["quality=\"high\"", "output_compression=70"]
    );
    let of = |i: usize| (&image.images[i].media_type[..], image.images[i].filename.as_deref());
    assert_eq!((of(0), of(1)), (("image/png", Some("a.png")), ("application/octet-stream", Some("b"))));
    assert_eq!(image.images[1].data, FileData::Base64("cmF3".into()));
    assert_eq!(image.mask.as_ref().unwrap().filename.as_deref(), Some("m.png"));
    let unknown: &[(&str, &str, &[u8])] = &[("image", "a.png", PNG), ("depth_map", "d.bin", &[0xff, 0xfe])];
    assert_eq!(task(&form(&fields[..2], unknown).unwrap()).images.len(), 1, "unknown files are accepted");
    let linked = form(&[("model", "m/i"), ("prompt", "p"), ("image", "https://x.test/a")], &[]).unwrap();
    assert_eq!(task(&linked).images[0].data, FileData::Url("https://x.test/a".into()));
}

#[test]
fn errors_of_json_name_the_member() {
    let many = vec![r#"{"image_url":"https://x.test/a"}"#; MAX_EDITED_IMAGES + 1].join(",");
    for (members, path) in [
        (r#""prompt":"p""#, "model"),
        (r#""model":"m""#, "prompt"),
        (r#""model":"m","prompt":["p"]"#, "prompt"),
        (r#""model":"m","prompt":"p","n":0"#, "n"),
        (r#""model":"m","prompt":"p","n":11"#, "n"),
        (r#""model":"m","prompt":"p","size":512"#, "size"),
        (r#""model":"m","prompt":"p","seed":1.5"#, "seed"),
        (r#""model":"m","prompt":"p","quality":1"#, "quality"),
        (r#""model":"m","prompt":"p","output_compression":"9""#, "output_compression"),
        (r#""model":"m","prompt":"p","stream":true"#, "stream"),
        (r#""model":"m","prompt":"p","partial_images":2"#, "partial_images"),
        (r#""model":"m","prompt":"p","response_format":"url""#, "response_format"),
    ] {
        let error = generation(&format!("{{{members}}}")).unwrap_err();
        assert_eq!((error.param.as_deref(), error.status()), (Some(path), 400), "{members}: {error}");
    }
    for (members, path) in [
        (r#""model":"m","prompt":"p""#, "images"),
        (r#""model":"m","prompt":"p","images":[]"#, "images"),
        (r#""model":"m","prompt":"p","images":{}"#, "images"),
        (&format!(r#""model":"m","prompt":"p","images":[{many}]"#), "images"),
        (r#""model":"m","prompt":"p","images":[{"file_id":"f"}]"#, "images[0].file_id"),
        (
            r#""model":"m","prompt":"p","images":[{"image_url":"https://x.test"},{"image_url":"x"}]"#,
            "images[1].image_url",
        ),
        (r#""model":"m","prompt":"p","images":[{"image_url":"https://x.test"}],"mask":5"#, "mask"),
    ] {
        let error = edit(&format!("{{{members}}}")).unwrap_err();
        assert_eq!((error.param.as_deref(), error.status()), (Some(path), 400), "{members:.80}: {error}");
    }
}

#[test]
fn errors_of_forms_name_the_field() {
    let base = [("model", "m/i"), ("prompt", "p")];
    let with = |field, text| [base[0], base[1], (field, text)];
    let file: &[(&str, &str, &[u8])] = &[("image", "a.png", PNG)];
    for (request, path) in [
        (form(&base, &[]), "image"),
        (form(&base[..1], file), "prompt"),
        (form(&base, &[("image", "a.png", b"")]), "image"),
        (form(&base, &vec![file[0]; MAX_EDITED_IMAGES + 1]), "image"),
        (form(&base, &[file[0], ("size", "x", &[0xff])]), "size"),
        (form(&with("n", "two"), file), "n"),
        (form(&with("n", "\"2\""), file), "n"),
        (form(&with("stream", "true"), file), "stream"),
        (form(&with("response_format", "url"), file), "response_format"),
        (form(&with("providerOptions", "{"), file), "providerOptions"),
        (form(&with("mask", "http://x.test"), file), "mask"),
    ] {
        let error = request.unwrap_err();
        assert_eq!((error.param.as_deref(), error.status()), (Some(path), 400), "{error}");
    }
    let body = Bytes::from_static(b"model=m");
    let error = Request::edits("application/x-www-form-urlencoded", &body).unwrap_err();
    assert!(error.message.contains("multipart/form-data"), "{error}");
    assert_eq!(
        Request::edits("multipart/form-data; boundary=q", &body).unwrap_err().code,
        Some("invalid_form")
    );
}
