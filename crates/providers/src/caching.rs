//! Where cache breakpoints go that the client left to the gateway (gateway-api §4.5): behind the last message;
//! behind the one before the last of the person's, or else behind the instructions; behind the message that
//! the client anchored. Marks of the client's own always win: they are neither moved nor taken away, and the
//! prompt gets no other but the one at its end (I21).

use tollgate_domain::Conversation;
use tollgate_domain::conversation::{CacheMark, Content, Message, Part, Role, Tool, ToolOutput, ToolResult};

/// The most breakpoints a request may carry (providers §4).
pub(crate) const MAX_BREAKPOINTS: usize = 4;

/// Who speaks in a message, as far as the positions go by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    Instructions,
    Person,
    Other,
}

impl Speaker {
    /// The speaker by a message's `role` as it is written.
    pub(crate) fn of_role(role: Option<&str>) -> Self {
        match role {
            Some("system" | "developer") => Self::Instructions,
            Some("user") => Self::Person,
            _ => Self::Other,
        }
    }
}

/// The messages to mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Positions {
    /// The end of the prompt.
    pub(crate) last: Option<usize>,
    /// The message before the last of the person's.
    pub(crate) earlier: Option<usize>,
    /// The last of the leading instructions, where the message before cannot be marked.
    pub(crate) instructions: Option<usize>,
}

/// The positions among messages of these speakers.
pub(crate) fn positions(speakers: &[Speaker]) -> Positions {
    let leading = speakers.iter().take_while(|s| **s == Speaker::Instructions).count();
    let person = speakers.iter().rposition(|s| *s == Speaker::Person);
    let last = speakers.len().checked_sub(1);
    Positions {
        last,
        earlier: person.and_then(|at| at.checked_sub(1)),
        instructions: leading.checked_sub(1).filter(|at| Some(*at) != last),
    }
}

/// How many breakpoints may be placed: at the end of the prompt, and elsewhere, in a request with so many of
/// the client's own.
pub(crate) fn room(own: usize) -> (bool, usize) {
    (own < MAX_BREAKPOINTS, if own == 0 { MAX_BREAKPOINTS - 1 } else { 0 })
}

/// The breakpoints of a conversation that are to be placed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Automatic {
    /// At the end of the prompt.
    pub(crate) last: Option<CacheMark>,
    earlier: Option<(usize, CacheMark)>,
    anchor: Option<(usize, CacheMark)>,
}

impl Automatic {
    /// What a conversation asks for.
    pub(crate) fn of(conversation: &Conversation) -> Self {
        if conversation.cache.is_none() && conversation.cache_anchor.is_none() {
            return Self::default();
        }
        let own = own_marks(conversation);
        let (at_end, elsewhere) = room(own);
        let speakers: Vec<Speaker> = conversation.messages.iter().map(|m| speaker(m.role)).collect();
        let found = positions(&speakers);
        let can_be_marked = |at: &usize| conversation.messages.get(*at).is_some_and(has_content);
        let earlier = found.earlier.filter(can_be_marked).or(found.instructions);
        let last = conversation.cache.filter(|_| at_end);
        // The anchor is the client's own word, so that it has a place beside its other marks.
        let anchors = own + usize::from(last.is_some()) < MAX_BREAKPOINTS;
        Self {
            last,
            earlier: conversation.cache.filter(|_| elsewhere > 0).and_then(|mark| Some((earlier?, mark))),
            anchor: conversation.cache_anchor.filter(|_| anchors).map(|a| (a.message, a.mark)),
        }
    }

    /// The mark to place behind a message before the end.
    pub(crate) fn behind(&self, message: usize) -> Option<CacheMark> {
        let marks = [self.anchor, self.earlier].into_iter().flatten();
        marks.into_iter().find(|(at, _)| *at == message).map(|(_, mark)| mark)
    }
}

fn speaker(role: Role) -> Speaker {
    match role {
        Role::System | Role::Developer => Speaker::Instructions,
        Role::User => Speaker::Person,
        Role::Assistant | Role::Tool => Speaker::Other,
    }
}

/// Whether there is something that a mark can stand behind.
fn has_content(message: &Message) -> bool {
    message.parts.iter().any(|part| match &part.content {
        Content::Text(text) | Content::Refusal(text) => !text.trim().is_empty(),
        Content::Reasoning(_) => false,
        _ => true,
    })
}

/// The client's own marks, wherever they stand.
fn own_marks(conversation: &Conversation) -> usize {
    let of_tools = conversation.tools.iter().filter(|tool| match tool {
        Tool::Function(function) => function.cache.is_some(),
        Tool::Provider { value, .. } => value.get("cache_control").is_some_and(|mark| !mark.is_null()),
    });
    let of_message =
        |m: &Message| m.parts.iter().map(of_part).sum::<usize>() + usize::from(m.cache.is_some());
    of_tools.count() + conversation.messages.iter().map(of_message).sum::<usize>()
}

fn of_part(part: &Part) -> usize {
    let inner = match &part.content {
        Content::ToolResult(ToolResult { output: ToolOutput::Parts(parts), .. }) => {
            parts.iter().map(of_part).sum()
        }
        Content::Custom { value, .. } => {
            usize::from(value.get("cache_control").is_some_and(|m| !m.is_null()))
        }
        _ => 0,
    };
    inner + usize::from(part.cache.is_some())
}

#[cfg(test)]
mod tests {
    use tollgate_domain::conversation::{CacheAnchor, CacheTtl};

    use super::*;

    const MARK: CacheMark = CacheMark { ttl: None };
    const HOUR: CacheMark = CacheMark { ttl: Some(CacheTtl::OneHour) };

    fn conversation(roles: &[Role]) -> Conversation {
        let message =
            |role: &Role| Message { role: *role, name: None, parts: vec![Part::text("x")], cache: None };
        Conversation {
            messages: roles.iter().map(message).collect(),
            cache: Some(MARK),
            ..Conversation::default()
        }
    }

    fn marked(conversation: &Conversation) -> Vec<usize> {
        let automatic = Automatic::of(conversation);
        let last = conversation.messages.len() - 1;
        (0..=last)
            .filter(|at| automatic.behind(*at).is_some() || (*at == last && automatic.last.is_some()))
            .collect()
    }

    #[test]
    fn i21_positions_go_by_who_speaks() {
        use Role::{Assistant as A, Developer as D, System as S, Tool as T, User as U};
        for (roles, expected) in [
            (&[U][..], &[0][..]),
            (&[S, U], &[0, 1]),
            (&[S, D, U], &[1, 2]),
            (&[S, U, A, U], &[2, 3]),
            (&[S, U, A, T, A, T], &[0, 5]),
            (&[U, A, U, A], &[1, 3]),
            (&[S, A], &[0, 1]),
            (&[A, T], &[1]),
            (&[S], &[0]),
        ] {
            assert_eq!(marked(&conversation(roles)), expected, "{roles:?}");
        }
        let mut silent = conversation(&[S, U, A, U]);
        silent.messages[2].parts = vec![Part::text(" ")];
        assert_eq!(marked(&silent), [0, 3], "what cannot be marked leaves it to the instructions");
        assert_eq!(Automatic::of(&Conversation { cache: None, ..silent }), Automatic::default());
    }

    #[test]
    fn i21_the_clients_own_marks_win_and_four_are_the_most() {
        use Role::{Assistant as A, System as S, User as U};
        let mut request = conversation(&[S, U, A, U, A, U]);
        request.cache_anchor = Some(CacheAnchor { message: 2, mark: HOUR });
        assert_eq!((marked(&request), Automatic::of(&request).behind(2)), (vec![2, 4, 5], Some(HOUR)));
        request.messages[0].parts[0].cache = Some(HOUR);
        assert_eq!(marked(&request), [2, 5], "beside marks of the client's own only the end and the anchor");
        request.messages[1].cache = Some(MARK);
        request.messages[3].cache = Some(MARK);
        assert_eq!(marked(&request), [5], "three and the end");
        request.messages[4].cache = Some(MARK);
        assert_eq!(Automatic::of(&request), Automatic::default());
    }
}
