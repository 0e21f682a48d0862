//! Messages, files and results of tools.

use serde_json::json;
use tollgate_domain::Conversation;
use tollgate_domain::conversation::{CacheMark, Content, File, FileData, Part, Role, ToolOutput, ToolResult};

use super::{body, call, contents, message, model, result, said, target, user};
use crate::codec::Target;
use crate::gemini::generate::encode;

fn image(data: FileData) -> Part {
    Part::new(Content::File(File { media_type: "image/png".into(), data, filename: None, detail: None }))
}

fn png() -> Part {
    image(FileData::Base64("iVBORw0KGgo=".into()))
}

#[test]
fn roles_are_merged_and_instructions_stand_apart() {
    let conversation = Conversation {
        messages: vec![
            message(Role::System, vec![Part::text("Be brief.")]),
            message(Role::Developer, vec![Part::text("Be kind.")]),
            user("one"),
            message(Role::System, vec![Part::text("late")]),
            user(""),
            model(vec![Part::text("a"), Part::text("")]),
            model(vec![Part::text("b")]),
            user("two"),
        ],
        cache: Some(CacheMark::default()),
        ..Conversation::default()
    };
    assert_eq!(
        body(&conversation, &target("gemini-2.5-flash")),
        (
            json!({
                "systemInstruction": {"parts": [{"text": "Be brief."}, {"text": "Be kind."}]},
                "contents": [
                    {"role": "user", "parts": [{"text": "one"}, {"text": "late"}]},
                    {"role": "model", "parts": [{"text": "a"}, {"text": "b"}]},
                    {"role": "user", "parts": [{"text": "two"}]},
                ],
            }),
            vec![]
        )
    );
}

#[test]
fn somebody_has_to_speak() {
    let system = || message(Role::System, vec![Part::text("Sing.")]);
    assert_eq!(
        contents(vec![system()], "gemini-2.5-flash"),
        json!([{"role": "user", "parts": [{"text": "Sing."}]}])
    );
    assert_eq!(contents(vec![model(vec![Part::text("a")])], "gemini-2.5-flash")[0]["role"], "user");
    let empty = Conversation { messages: vec![user("")], ..Conversation::default() };
    assert_eq!(encode(&empty, &target("m"), false).unwrap_err().param.as_deref(), Some("messages"));
}

#[test]
fn gemma_is_instructed_in_the_first_turn() {
    let conversation = Conversation {
        messages: vec![message(Role::System, vec![Part::text("Be brief.")]), user("one")],
        ..Conversation::default()
    };
    let (found, _) = body(&conversation, &target("gemma-3-27b-it"));
    assert_eq!(found, json!({"contents": [{"role": "user", "parts": [{"text": "Be brief.\n\none"}]}]}));
}

#[test]
fn i18_results_of_one_turn_are_one_turn_with_names_and_known_ids() {
    let minted = "call_gem0123456789abcdef";
    let found = contents(
        vec![
            user("go"),
            model(vec![
                call("id1", "first", r#"{"big":12345678901234567890123}"#),
                call(minted, "second", ""),
            ]),
            said("id1", "text"),
            message(Role::User, vec![Part::text("and?"), result(minted, ToolOutput::Json(json!({"a": 1})))]),
        ],
        "gemini-2.5-flash",
    );
    assert_eq!(
        found[2],
        json!({"role": "user", "parts": [
            {"functionResponse": {"id": "id1", "name": "first", "response": {"result": "text"}}},
            {"functionResponse": {"name": "second", "response": {"a": 1}}},
            {"text": "and?"},
        ]})
    );
    assert_eq!(found[1]["parts"][1], json!({"functionCall": {"name": "second", "args": {}}}));
    let conversation = Conversation {
        messages: vec![
            user("go"),
            model(vec![call("id1", "f", r#" {"big":12345678901234567890123, "n":1.50} "#)]),
        ],
        ..Conversation::default()
    };
    let raw = encode(&conversation, &target("gemini-2.5-flash"), false).unwrap().body;
    let raw = String::from_utf8(raw).unwrap();
    assert!(raw.contains(r#""args":{"big":12345678901234567890123, "n":1.50}"#), "{raw}");
}

#[test]
fn ids_are_kept_from_older_models_on_vertex() {
    let history = vec![user("go"), model(vec![call("id1", "f", "{}")]), said("id1", "x")];
    let conversation = Conversation { messages: history, ..Conversation::default() };
    for (name, id) in [("gemini-2.5-flash", false), ("gemini-3-flash", true)] {
        let vertex = Target { provider: "vertex".into(), ..target(name) };
        let (found, _) = body(&conversation, &vertex);
        assert_eq!(found["contents"][1]["parts"][0]["functionCall"].get("id").is_some(), id, "{name}");
        assert_eq!(found["contents"][2]["parts"][0]["functionResponse"].get("id").is_some(), id, "{name}");
    }
}

#[test]
fn what_is_no_object_is_wrapped() {
    let answers = |output: ToolOutput, is_error: bool| {
        let result = Part::new(Content::ToolResult(ToolResult {
            call_id: "lost".into(),
            name: Some("named".into()),
            output,
            is_error,
        }));
        contents(vec![message(Role::Tool, vec![result])], "gemini-2.5-flash")[0]["parts"][0]["functionResponse"].take()
    };
    assert_eq!(answers(ToolOutput::Json(json!([1])), false)["response"], json!({"result": [1]}));
    assert_eq!(
        answers(ToolOutput::Text("no".into()), true),
        json!({"id": "lost", "name": "named", "response": {"error": "no"}})
    );
    assert_eq!(answers(ToolOutput::Parts(vec![]), false)["response"], json!({"result": ""}));
    let odd = contents(
        vec![user("go"), model(vec![call("c", "f", "[1]"), call("d", "f", "{bad")])],
        "gemini-2.5-flash",
    );
    assert_eq!(odd[1]["parts"][0]["functionCall"]["args"], json!({"arguments": [1]}));
    assert_eq!(odd[1]["parts"][1]["functionCall"]["args"], json!({"arguments": "{bad"}));
}

#[test]
fn files_of_results_stand_in_or_behind_the_answer() {
    let history = || {
        let output = ToolOutput::Parts(vec![Part::text("see"), png()]);
        vec![user("go"), model(vec![call("c", "shot", "{}")]), message(Role::Tool, vec![result("c", output)])]
    };
    let bytes = json!({"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}});
    assert_eq!(
        contents(history(), "gemini-3-flash")[2]["parts"],
        json!([{"functionResponse": {"id": "c", "name": "shot", "response": {"result": "see"}, "parts": [bytes]}}])
    );
    assert_eq!(
        contents(history(), "gemini-2.5-flash")[2]["parts"],
        json!([{"functionResponse": {"id": "c", "name": "shot", "response": {"result": "see"}}}, bytes])
    );
}

#[test]
fn files_and_parts_of_the_protocol_itself() {
    let mut video = image(FileData::Url("https://youtu.be/x".into()));
    video.provider.push(("google".into(), json!({"videoMetadata": {"startOffset": "3s"}})));
    let code = json!({"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "S"});
    let own = Part::new(Content::Custom { namespace: "google".into(), value: code.clone() });
    let foreign = Part::new(Content::Custom { namespace: "anthropic".into(), value: json!({"type": "x"}) });
    let text = image(FileData::Text("a,b".into()));
    let found =
        contents(vec![message(Role::User, vec![video, text]), model(vec![foreign, own])], "gemini-2.5-flash");
    assert_eq!(
        found,
        json!([
            {"role": "user", "parts": [
                {"fileData": {"mimeType": "video/mp4", "fileUri": "https://youtu.be/x"}, "videoMetadata": {"startOffset": "3s"}},
                {"text": "a,b"},
            ]},
            {"role": "model", "parts": [code]},
        ])
    );
    let far = message(Role::User, vec![Part::text("a"), image(FileData::Url("https://x.test/a.png".into()))]);
    let conversation = Conversation { messages: vec![far], ..Conversation::default() };
    let error = encode(&conversation, &target("gemini-2.0-flash"), false).unwrap_err();
    assert_eq!(error.param.as_deref(), Some("messages[0].content[1]"));
}
