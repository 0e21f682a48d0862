//! Mutations that keep JSON JSON. Random bytes seldom come past the parser; these change values, members and
//! elements, so that the code behind it is reached. Every other time libFuzzer's own mutation is used.

use libfuzzer_sys::fuzzer_mutate;
use serde_json::{Map, Value, json};

/// A small generator (xorshift); libFuzzer gives the seed.
struct Random(u32);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % n.max(1)
    }
}

/// Changes a JSON document.
pub fn body(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Random(seed | 1);
    if random.below(3) == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let Some(changed) = document(&data[..size], &mut random) else {
        return fuzzer_mutate(data, size, max_size);
    };
    put(data, &changed, max_size)
}

/// Changes a reply after its two bytes of header: the JSON of one of its events, or its whole body; or drops,
/// doubles or swaps events.
pub fn reply(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Random(seed | 1);
    let Some((header, text)) = data[..size].split_at_checked(2) else {
        return fuzzer_mutate(data, size, max_size);
    };
    if random.below(3) == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let changed = document(text, &mut random).or_else(|| events(text, &mut random));
    let Some(changed) = changed.map(|text| [header, &text].concat()) else {
        return fuzzer_mutate(data, size, max_size);
    };
    put(data, &changed, max_size)
}

fn put(data: &mut [u8], changed: &[u8], max_size: usize) -> usize {
    let size = changed.len().min(max_size);
    data[..size].copy_from_slice(&changed[..size]);
    size
}

fn document(text: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(text).ok()?;
    for _ in 0..=random.below(3) {
        let donor = value.clone();
        change(&mut value, &donor, random);
    }
    serde_json::to_vec(&value).ok()
}

fn events(text: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = text.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    let filled: Vec<usize> = (0..lines.len()).filter(|i| !lines[*i].trim_ascii().is_empty()).collect();
    let at = *filled.get(random.below(filled.len()))?;
    match random.below(8) {
        0 => {
            lines.remove(at);
        }
        1 => {
            let doubled = [lines[at].clone(), Vec::new()];
            lines.splice(at..at, doubled);
        }
        2 => {
            let other = filled[random.below(filled.len())];
            lines.swap(at, other);
        }
        _ => {
            let json = lines[at].strip_prefix(b"data:")?;
            let changed = document(json, random)?;
            lines[at] = [b"data: ", &changed[..]].concat();
        }
    }
    Some(lines.join(&b'\n'))
}

/// Walks to some value and changes it.
fn change(value: &mut Value, donor: &Value, random: &mut Random) {
    let children = match value {
        Value::Array(list) => list.len(),
        Value::Object(map) => map.len(),
        _ => 0,
    };
    if children == 0 || random.below(4) == 0 {
        return alter(value, donor, random);
    }
    let at = random.below(children);
    let child = match value {
        Value::Array(list) => list.get_mut(at),
        Value::Object(map) => map.values_mut().nth(at),
        _ => None,
    };
    if let Some(child) = child {
        change(child, donor, random);
    }
}

fn alter(value: &mut Value, donor: &Value, random: &mut Random) {
    match (value, random.below(5)) {
        (Value::Object(map), 0) => {
            if let Some(name) = map.keys().nth(random.below(map.len())).cloned() {
                map.shift_remove(&name);
            }
        }
        (Value::Object(map), 1) => {
            let (name, value) = member_of(donor, random).unwrap_or_default();
            map.insert(name, value);
        }
        (Value::Array(list), 0) if !list.is_empty() => {
            list.remove(random.below(list.len()));
        }
        (Value::Array(list), 1) if !list.is_empty() && list.len() < 64 => {
            let copied = list[random.below(list.len())].clone();
            list.insert(random.below(list.len() + 1), copied);
        }
        (value, 2) => *value = inside(donor, random).clone(),
        (Value::String(text), 3) => {
            text.extend(["\u{0}", "\"", "\\", "ä", "\u{1F600}", " ", "0"][random.below(7)].chars());
        }
        (value, _) => *value = plain(random),
    }
}

fn plain(random: &mut Random) -> Value {
    match random.below(12) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(false),
        3 => json!(0),
        4 => json!(-1),
        5 => json!(u64::MAX),
        6 => json!(1.5),
        7 => json!(""),
        8 => json!("text"),
        9 => json!([]),
        10 => json!({}),
        _ => json!(random.below(5)),
    }
}

/// Some value of a document.
fn inside<'a>(value: &'a Value, random: &mut Random) -> &'a Value {
    let children: Vec<&Value> = match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => Vec::new(),
    };
    if children.is_empty() || random.below(4) == 0 {
        return value;
    }
    inside(children[random.below(children.len())], random)
}

/// Some member of some object of a document.
fn member_of(value: &Value, random: &mut Random) -> Option<(String, Value)> {
    let map: &Map<String, Value> = match inside(value, random) {
        Value::Object(map) if !map.is_empty() => map,
        _ => value.as_object()?,
    };
    let (name, value) = map.iter().nth(random.below(map.len()))?;
    Some((name.clone(), value.clone()))
}
