//! Tool calls one after the other. Providers may interleave parallel calls; clients such as Cline put
//! pieces together without looking at `index`, so a call that begins while another is open waits until
//! that one is complete (clients §0.7). Ids, names and argument bytes pass unchanged (I18).

use tollgate_domain::ReplyEvent;

/// What is to be written next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// A call begins, with its index in the answer.
    Start(u32, &'a str, &'a str),
    /// More arguments of the call with this index.
    Arguments(u32, &'a str),
}

#[derive(Debug)]
struct Waiting {
    block: u32,
    id: String,
    name: String,
    arguments: String,
    ended: bool,
}

/// The calls of one answer.
#[derive(Debug, Default)]
pub(super) struct ToolLane {
    next_index: u32,
    open: Option<(u32, u32)>,
    waiting: Vec<Waiting>,
}

impl ToolLane {
    /// Takes a tool event; others are ignored.
    pub(super) fn event(&mut self, event: &ReplyEvent, mut write: impl FnMut(Step<'_>)) {
        match event {
            ReplyEvent::ToolStart { block, id, name } if self.open.is_none() => {
                write(Step::Start(self.next_index, id, name));
                self.open = Some((*block, self.next_index));
                self.next_index += 1;
            }
            ReplyEvent::ToolStart { block, id, name } => self.waiting.push(Waiting {
                block: *block,
                id: id.clone(),
                name: name.clone(),
                arguments: String::new(),
                ended: false,
            }),
            ReplyEvent::ToolDelta { block, arguments } => match self.open {
                Some((open, index)) if open == *block => {
                    if !arguments.is_empty() {
                        write(Step::Arguments(index, arguments));
                    }
                }
                _ => {
                    if let Some(waiting) = self.waiting.iter_mut().find(|w| w.block == *block) {
                        waiting.arguments.push_str(arguments);
                    }
                }
            },
            ReplyEvent::ToolEnd { block } => {
                if self.open.is_some_and(|(open, _)| open == *block) {
                    self.open = None;
                    self.drain(false, write);
                } else if let Some(waiting) = self.waiting.iter_mut().find(|w| w.block == *block) {
                    waiting.ended = true;
                }
            }
            _ => {}
        }
    }

    /// Writes what still waits.
    pub(super) fn finish(&mut self, write: impl FnMut(Step<'_>)) {
        self.open = None;
        self.drain(true, write);
    }

    fn drain(&mut self, all: bool, mut write: impl FnMut(Step<'_>)) {
        while !self.waiting.is_empty() && self.open.is_none() {
            let next = self.waiting.remove(0);
            write(Step::Start(self.next_index, &next.id, &next.name));
            if !next.arguments.is_empty() {
                write(Step::Arguments(self.next_index, &next.arguments));
            }
            if !next.ended && !all {
                self.open = Some((next.block, self.next_index));
            }
            self.next_index += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(events: &[ReplyEvent]) -> Vec<String> {
        let mut lane = ToolLane::default();
        let mut steps = Vec::new();
        let mut note = |step: Step<'_>| {
            steps.push(match step {
                Step::Start(i, id, name) => format!("{i}+{id}:{name}"),
                Step::Arguments(i, text) => format!("{i}{text}"),
            });
        };
        for event in events {
            lane.event(event, &mut note);
        }
        lane.finish(&mut note);
        steps
    }

    fn start(block: u32) -> ReplyEvent {
        ReplyEvent::ToolStart { block, id: format!("c{block}"), name: "f".into() }
    }
    fn delta(block: u32, arguments: &str) -> ReplyEvent {
        ReplyEvent::ToolDelta { block, arguments: arguments.into() }
    }
    fn end(block: u32) -> ReplyEvent {
        ReplyEvent::ToolEnd { block }
    }

    #[test]
    fn i18_interleaved_calls_come_out_one_after_the_other() {
        let events = [
            start(4),
            start(7),
            delta(7, "x"),
            delta(4, "a"),
            start(9),
            delta(9, "9"),
            end(9),
            delta(4, "b"),
            end(4),
            delta(7, "y"),
            end(7),
        ];
        assert_eq!(text(&events), ["0+c4:f", "0a", "0b", "1+c7:f", "1x", "1y", "2+c9:f", "29"]);
    }

    #[test]
    fn calls_that_never_end_are_still_written() {
        assert_eq!(
            text(&[start(0), start(1), delta(1, "p"), delta(0, "q")]),
            ["0+c0:f", "0q", "1+c1:f", "1p"]
        );
    }
}
