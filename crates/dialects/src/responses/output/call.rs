//! Calls, and what comes whole: images and items of the provider's own.

use serde_json::Value;
use tollgate_domain::conversation::File;

use super::{Output, Slot, Steps, at, index_of};
use crate::responses::custom_tool;
use crate::responses::item::{Body, Call, Item, member, write_image};

impl Output {
    pub(super) fn call(&mut self, block: u32, call_id: &str, name: &str, steps: &mut impl Steps) {
        let custom = self.custom_tools.iter().any(|tool| tool == name);
        let call = Call {
            block,
            call_id: call_id.to_owned(),
            name: name.to_owned(),
            arguments: String::new(),
            custom,
            told: 0,
            ended: false,
        };
        self.begin(self.new_id(if custom { "ctc" } else { "fc" }), Body::Call(call), steps);
    }

    fn open_call(&mut self, block: u32) -> Option<(usize, &mut Item)> {
        self.find(|item| matches!(&item.body, Body::Call(call) if call.block == block && !call.ended))
    }

    pub(super) fn arguments(&mut self, block: u32, arguments: &str, steps: &mut impl Steps) {
        let Some((index, Item { id, body: Body::Call(call) })) = self.open_call(block) else { return };
        call.arguments.push_str(arguments);
        if call.custom {
            // Text within JSON is known when the JSON is complete.
            if custom_tool::is_plain(&call.arguments) {
                tell_input(id, index, call, steps);
            }
        } else if !arguments.is_empty() {
            steps.step("response.function_call_arguments.delta", |out| {
                at(out, id, index);
                member(out, b",\"delta\":", arguments);
            });
        }
    }

    pub(super) fn call_end(&mut self, block: u32, steps: &mut impl Steps) {
        let Some((index, Item { body: Body::Call(call), .. })) = self.open_call(block) else { return };
        call.ended = true;
        self.settle_earlier(index, steps);
    }

    /// An image; a file of another kind has no form in this protocol.
    pub(super) fn file(&mut self, file: &File, steps: &mut impl Steps) {
        if !file.media_type.starts_with("image/") {
            return;
        }
        self.settle(steps);
        let (id, index) = (self.new_id("ig"), self.slots.len());
        steps.step("response.output_item.added", |out| {
            index_of(out, b",\"output_index\":", index);
            out.extend_from_slice(b",\"item\":");
            write_image(out, &id, None);
        });
        for kind in ["response.image_generation_call.in_progress", "response.image_generation_call.completed"]
        {
            steps.step(kind, |out| at(out, &id, index));
        }
        let mut json = Vec::new();
        write_image(&mut json, &id, Some(file));
        self.slots.push(Slot::Done(String::new(), Vec::new()));
        self.put(index, id, json, steps);
    }

    /// An item of this protocol that has no neutral form (a search that the provider ran), untouched.
    pub(super) fn foreign_item(&mut self, value: &Value, steps: &mut impl Steps) {
        if !value.get("type").is_some_and(Value::is_string) {
            return;
        }
        self.settle(steps);
        let index = self.slots.len();
        let json = value.to_string().into_bytes();
        steps.step("response.output_item.added", |out| {
            index_of(out, b",\"output_index\":", index);
            out.extend_from_slice(b",\"item\":");
            out.extend_from_slice(&json);
        });
        let id = value.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        self.slots.push(Slot::Done(String::new(), Vec::new()));
        self.put(index, id, json, steps);
    }
}

pub(super) fn call_done(id: &str, index: usize, call: &mut Call, steps: &mut impl Steps) {
    if !call.custom {
        steps.step("response.function_call_arguments.done", |out| {
            at(out, id, index);
            member(out, b",\"name\":", &call.name);
            member(out, b",\"arguments\":", &call.arguments);
        });
        return;
    }
    // From here on the arguments are the text.
    call.arguments = custom_tool::input(&call.arguments);
    tell_input(id, index, call, steps);
    steps.step("response.custom_tool_call_input.done", |out| {
        at(out, id, index);
        member(out, b",\"input\":", &call.arguments);
    });
}

/// Tells what was not told of a custom tool's text.
fn tell_input(id: &str, index: usize, call: &mut Call, steps: &mut impl Steps) {
    let more = call.arguments.get(call.told..).unwrap_or_default();
    if more.is_empty() {
        return;
    }
    steps.step("response.custom_tool_call_input.delta", |out| {
        at(out, id, index);
        member(out, b",\"delta\":", more);
    });
    call.told = call.arguments.len();
}
