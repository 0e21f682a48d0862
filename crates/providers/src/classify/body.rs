//! Reads error bodies of every shape that providers send (providers §0.3): an object, a string, an array of
//! one, `detail`, flat members, HTML, plain text, nothing.

use std::time::Duration;

use serde_json::Value;

use super::wait;

/// The longest message that is kept, in characters (I26).
const MAX_MESSAGE: usize = 2000;

/// What an error body says.
#[derive(Debug, Default)]
pub(super) struct ErrorBody {
    /// The sentence for people; never empty.
    pub(super) message: String,
    /// `code`: a word, or a number as text.
    pub(super) code: Option<String>,
    /// `type`, Google's `status`, Amazon's `__type`.
    pub(super) kind: Option<String>,
    /// The status the body itself claims.
    pub(super) status: Option<u16>,
    /// Google's `RetryInfo`.
    pub(super) retry_delay: Option<Duration>,
    /// Google's `QuotaFailure` names a quota per day.
    pub(super) daily_quota: bool,
    /// Everything that may hold a telling word, in lower case.
    words: String,
}

impl ErrorBody {
    /// Reads a response's body.
    pub(super) fn read(body: &[u8], status: u16) -> Self {
        let text = body.trim_ascii();
        // Blank is also what only Unicode calls so: the message is trimmed that way.
        if String::from_utf8_lossy(text).trim().is_empty() {
            return Self::from_message(format!("The provider answered {status} without a body."));
        }
        if matches!(text.first(), Some(b'{' | b'[' | b'"'))
            && let Ok(value) = serde_json::from_slice::<Value>(text)
        {
            return Self::of(&value, status);
        }
        let text = String::from_utf8_lossy(text);
        if text.starts_with('<') {
            return Self::from_message(match html_title(&text) {
                Some(title) => format!("The provider answered {status} with an HTML page: {title}."),
                None => format!("The provider answered {status} with an HTML page."),
            });
        }
        Self::from_message(text.into_owned())
    }

    /// Reads a JSON error.
    pub(super) fn of(value: &Value, status: u16) -> Self {
        let outer = value.as_array().and_then(|list| list.first()).unwrap_or(value);
        let mut error = Self::default();
        let message = match outer.get("error").filter(|e| !e.is_null()) {
            Some(Value::Object(_)) => error.read_object(&outer["error"]),
            // Flat words stand beside a bare string (xAI: `{code, error}`).
            Some(Value::String(text)) => {
                error.read_object(outer);
                // OAuth has a word there, and its sentence beside it.
                match sentence(&outer["error_description"]) {
                    Some(description) => {
                        error.note(text);
                        error.code = Some(text.clone());
                        Some(description)
                    }
                    None => Some(text.clone()),
                }
            }
            Some(Value::Array(list)) => list.first().and_then(|first| error.read_object(first)),
            _ if outer.get("base_resp").is_some() => error.read_minimax(&outer["base_resp"]),
            _ => error.read_object(outer),
        };
        let message = message.or_else(|| outer.as_str().map(str::to_owned));
        let message = message.filter(|m| !m.trim().is_empty()).unwrap_or_else(|| match &error.kind {
            Some(kind) => format!("The provider answered {status} and said only '{kind}'."),
            None => format!("The provider answered {status} with an error that it did not explain."),
        });
        error.set_message(&message);
        error
    }

    fn from_message(message: String) -> Self {
        let mut error = Self::default();
        error.set_message(&message);
        error
    }

    fn set_message(&mut self, message: &str) {
        self.message = message.trim().chars().take(MAX_MESSAGE).collect();
        self.note(message);
    }

    /// Remembers words to search in.
    fn note(&mut self, text: &str) {
        self.words.extend(text.chars().take(4 * MAX_MESSAGE).flat_map(char::to_lowercase));
        self.words.push('\n');
    }

    /// Takes in an error object's members; gives its sentence.
    fn read_object(&mut self, object: &Value) -> Option<String> {
        self.code = word(&object["code"]).or_else(|| word(&object["error_code"]));
        self.kind = word(&object["type"])
            .filter(|kind| kind != "error")
            .or_else(|| word(&object["status"]).filter(|status| status.parse::<u16>().is_err()))
            .or_else(|| word(&object["__type"]))
            .or_else(|| word(&object["error_type"]));
        self.status = ["status", "status_code", "statusCode", "code"]
            .iter()
            .find_map(|key| word(&object[*key])?.parse::<u16>().ok().filter(|n| (400..600).contains(n)));
        for text in [&self.code, &self.kind].into_iter().flatten().cloned().collect::<Vec<_>>() {
            self.note(&text);
        }
        if let Some(code) = object.pointer("/innererror/code").and_then(Value::as_str) {
            self.note(code);
        }
        self.read_details(&object["details"]);
        let message = ["message", "msg", "detail", "error_message", "reason"]
            .iter()
            .find_map(|key| sentence(&object[*key]));
        self.with_upstream(message, &object["metadata"])
    }

    /// OpenRouter says `Provider returned error` and keeps the provider's own words in `metadata.raw`.
    fn with_upstream(&mut self, message: Option<String>, metadata: &Value) -> Option<String> {
        let raw = match &metadata["raw"] {
            Value::String(text) => text.clone(),
            Value::Object(_) => metadata["raw"].to_string(),
            _ => return message,
        };
        let inner = serde_json::from_str::<Value>(&raw).ok().filter(Value::is_object).map(|value| {
            let nested = value.get("error").filter(|e| e.is_object()).unwrap_or(&value);
            for key in ["code", "type", "status"] {
                if let Some(text) = word(&nested[key]) {
                    self.note(&text);
                }
            }
            sentence(&nested["message"]).unwrap_or_default()
        });
        let upstream = inner.filter(|text| !text.is_empty()).unwrap_or(raw);
        Some(match message {
            Some(message) => format!("{message}: {upstream}"),
            None => upstream,
        })
    }

    /// Google's details: reasons, the delay, the quota's name.
    fn read_details(&mut self, details: &Value) {
        for detail in details.as_array().into_iter().flatten() {
            for key in ["reason", "@type"] {
                if let Some(text) = detail[key].as_str() {
                    self.note(text);
                }
            }
            if let Some(delay) = detail["retryDelay"].as_str() {
                self.retry_delay = wait::duration(delay);
            }
            for violation in detail["violations"].as_array().into_iter().flatten() {
                self.daily_quota |= violation["quotaId"].as_str().is_some_and(|id| id.contains("PerDay"));
            }
        }
    }

    /// MiniMax answers 200 and puts the error beside the answer.
    fn read_minimax(&mut self, base: &Value) -> Option<String> {
        self.code = word(&base["status_code"]);
        self.status = match self.code.as_deref() {
            Some("1002" | "1039" | "1041") => Some(429),
            Some("1004" | "2049") => Some(401),
            Some("1008") => Some(402),
            Some("1026" | "1027" | "2013") => Some(400),
            _ => Some(500),
        };
        if matches!(self.code.as_deref(), Some("1026" | "1027")) {
            self.note("content_filter");
        }
        sentence(&base["status_msg"])
    }

    /// Amazon names the error in a header (providers §7).
    pub(super) fn note_header(&mut self, header: Option<&str>) {
        if let Some(name) = header.and_then(|value| value.split(':').next()).filter(|name| !name.is_empty()) {
            self.note(name);
            self.kind.get_or_insert_with(|| name.to_owned());
        }
    }

    /// Whether a word (in lower case) occurs in the message, the codes or the details.
    pub(super) fn says(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    /// Whether any of the words occurs.
    pub(super) fn says_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.says(word))
    }

    /// Whether code or type is exactly one of these.
    pub(super) fn is_coded(&self, codes: &[&str]) -> bool {
        [&self.code, &self.kind]
            .into_iter()
            .flatten()
            .any(|own| codes.iter().any(|c| own.eq_ignore_ascii_case(c)))
    }

    /// The word for machines: the code unless it only repeats a status or is a sentence, else the type.
    pub(super) fn machine_code(&self) -> Option<String> {
        let is_word =
            |text: &&String| !text.is_empty() && !text.contains(char::is_whitespace) && text.len() <= 100;
        let is_status = |text: &String| text.parse::<u16>().is_ok_and(|n| (400..600).contains(&n));
        let code = self.code.as_ref().filter(is_word);
        let kind = self.kind.as_ref().filter(is_word);
        code.filter(|code| !is_status(code)).or(kind).or(code).cloned()
    }
}

/// A string, or a number as text.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A sentence: text, or a list of complaints with their places (Mistral, FastAPI).
fn sentence(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Array(list) => {
            let lines: Vec<String> = list.iter().take(20).filter_map(complaint).collect();
            (!lines.is_empty()).then(|| lines.join("; "))
        }
        Value::Object(inner) => inner
            .get("message")
            .or_else(|| inner.get("msg"))
            .or_else(|| inner.get("detail"))
            .and_then(sentence),
        _ => None,
    }
}

fn complaint(value: &Value) -> Option<String> {
    if let Some(text) = value.as_str() {
        return Some(text.to_owned());
    }
    let message = sentence(&value["msg"]).or_else(|| sentence(&value["message"]))?;
    let place: Vec<String> = value["loc"].as_array().into_iter().flatten().filter_map(word).collect();
    Some(if place.is_empty() { message } else { format!("{}: {message}", place.join(".")) })
}

/// The title of an HTML page.
fn html_title(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let end = start + lower[start..].find("</title>")?;
    let title = text.get(start..end)?.split_whitespace().collect::<Vec<_>>().join(" ");
    (!title.is_empty()).then(|| title.trim_end_matches('.').chars().take(200).collect())
}
