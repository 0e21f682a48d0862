//! Scripts: behaviours laid out in advance for the requests that match them, first in, first out.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::behaviour::Behaviour;
use crate::replay::{Chunking, Replay, ReplayError};

/// A behaviour for the next matching requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Which requests it is for; all when absent.
    #[serde(default)]
    pub matches: Option<Matcher>,
    /// What they are answered with.
    pub behaviour: Behaviour,
    /// How many requests it answers before it is used up, at least 1.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

/// Which requests a script is for: those that agree with every member given.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Matcher {
    /// How the path ends, for instance `/chat/completions`.
    pub path: Option<String>,
    /// The model, without directives.
    pub model: Option<String>,
    /// A top-level member of the JSON body and its value.
    pub member: Option<(String, Value)>,
}

impl Script {
    /// A behaviour for the next request, whatever it is.
    #[must_use]
    pub fn new(behaviour: Behaviour) -> Self {
        Self { matches: None, behaviour, times: 1 }
    }

    /// Replays a recorded exchange; see [`Replay::new`] for what a recording looks like.
    ///
    /// # Errors
    /// When the recording cannot be replayed.
    pub fn replay(fixture: &Value, chunking: Chunking) -> Result<Self, ReplayError> {
        let answer = crate::behaviour::Answer::Replay(Replay::new(fixture, chunking)?);
        Ok(Self::new(Behaviour { answer, ..Behaviour::default() }))
    }

    /// The same for so many requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// The same for requests whose path ends so.
    #[must_use]
    pub fn on_path(mut self, suffix: impl Into<String>) -> Self {
        self.matches.get_or_insert_default().path = Some(suffix.into());
        self
    }

    /// The same for requests of this model.
    #[must_use]
    pub fn on_model(mut self, model: impl Into<String>) -> Self {
        self.matches.get_or_insert_default().model = Some(model.into());
        self
    }

    /// The same for requests whose body has this top-level member.
    #[must_use]
    pub fn on_member(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.matches.get_or_insert_default().member = Some((name.into(), value.into()));
        self
    }
}

impl Matcher {
    fn matches(&self, path: &str, model: &str, body: &Value) -> bool {
        self.path.as_deref().is_none_or(|suffix| path.ends_with(suffix))
            && self.model.as_deref().is_none_or(|wanted| wanted == model)
            && self.member.as_ref().is_none_or(|(name, value)| body.get(name) == Some(value))
    }
}

/// Takes the behaviour of the first script that matches, and the script with its last use.
pub(crate) fn take(queue: &mut VecDeque<Script>, path: &str, model: &str, body: &Value) -> Option<Behaviour> {
    let at = queue.iter().position(|s| s.matches.as_ref().is_none_or(|m| m.matches(path, model, body)))?;
    let script = queue.get_mut(at)?;
    if script.times > 1 {
        script.times -= 1;
        return Some(script.behaviour.clone());
    }
    queue.remove(at).map(|script| script.behaviour)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_matching_script_is_taken_and_used_up() {
        let mut queue = VecDeque::from([
            Script::new(Behaviour::text("one")).on_model("a").times(2),
            Script::new(Behaviour::text("two")).on_member("user", "u"),
            Script::new(Behaviour::text("three")),
        ]);
        let mut next = |model: &str, body: Value| {
            take(&mut queue, "/v1/chat/completions", model, &body).map(|b| b.answer)
        };
        let text = |t: &str| Some(crate::behaviour::Answer::text(t));
        assert_eq!(next("b", json!({"user": "u"})), text("two"));
        assert_eq!(next("a", json!({})), text("one"));
        assert_eq!(next("a", json!({})), text("one"));
        assert_eq!(next("a", json!({})), text("three"));
        assert_eq!(next("a", json!({})), None);
    }

    #[test]
    fn a_script_reads_directives_or_members() {
        let script: Script = serde_json::from_value(json!({"behaviour": "status=503", "times": 2})).unwrap();
        assert_eq!(script, Script::new(Behaviour::status(503)).times(2));
        let script: Script =
            serde_json::from_value(json!({"behaviour": {"fault": {"kind": "stall", "after": 3}}})).unwrap();
        assert_eq!(script, Script::new(Behaviour::fault(crate::Fault::Stall { after: 3 })));
        assert!(serde_json::from_value::<Script>(json!({"behaviour": {"fualt": null}})).is_err());
    }
}
