//! One complete set of prices.

use tollgate_domain::Picodollars;

macro_rules! price_table {
    ($($(#[$doc:meta])* $field:ident,)+) => {
        /// A price for each kind of unit, in picodollars a unit. `None` is not known (I5).
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct PriceTable { $($(#[$doc])* pub $field: Option<Picodollars>,)+ }

        impl PriceTable {
            /// The names of all prices, in the order in which they are written.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($field),)+];

            /// The place of a price by its name.
            pub fn get_mut(&mut self, name: &str) -> Option<&mut Option<Picodollars>> {
                match name { $(stringify!($field) => Some(&mut self.$field),)+ _ => None }
            }

            /// The prices that are known, with their names.
            pub fn known(&self) -> impl Iterator<Item = (&'static str, Picodollars)> + use<> {
                [$((stringify!($field), self.$field),)+].into_iter().filter_map(|(n, p)| Some((n, p?)))
            }
        }
    };
}

price_table! {
    /// A prompt token.
    input,
    /// A generated token.
    output,
    /// A prompt token read from the provider's cache.
    cache_read,
    /// A prompt token written to the cache for five minutes or an unstated time.
    cache_write_5m,
    /// A prompt token written to the cache for an hour.
    cache_write_1h,
    /// A reasoning token.
    reasoning,
    /// An audio token of the prompt.
    input_audio,
    /// A generated audio token.
    output_audio,
    /// An image token of the prompt.
    input_image_token,
    /// A generated image token.
    output_image_token,
    /// An image taken in.
    input_image,
    /// A generated image.
    image,
    /// A search on the web.
    web_search,
    /// A query of a rerank request.
    per_query,
    /// A character of text to speak or embed.
    input_character,
    /// A second of sound taken in.
    input_second,
    /// A second of sound or video generated.
    output_second,
}

impl PriceTable {
    /// Whether nothing is known at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Forgets the text prices: those that a service level states completely.
    pub(super) fn clear_text(&mut self) {
        *self = Self {
            input: None,
            output: None,
            cache_read: None,
            cache_write_5m: None,
            cache_write_1h: None,
            reasoning: None,
            ..*self
        };
    }

    /// Takes over what `other` states. Prices that depend on one it replaces go with it: a new input
    /// price ends the old cache prices, a new output price the old reasoning price.
    pub(super) fn replace_with(&mut self, other: &Self) {
        if other.input.is_some() {
            (self.cache_read, self.cache_write_5m, self.cache_write_1h) = (None, None, None);
        }
        if other.output.is_some() {
            self.reasoning = None;
        }
        for (name, price) in other.known() {
            if let Some(slot) = self.get_mut(name) {
                *slot = Some(price);
            }
        }
    }

    /// What holds when `other` replaces what it states.
    #[must_use]
    pub fn replaced_by(mut self, other: &Self) -> Self {
        self.replace_with(other);
        self
    }

    /// Fills what is missing where it follows from what is known:
    /// - cache read and five-minute write: the input price;
    /// - hour write: twice the input price for Anthropic's models, else the five-minute write;
    /// - reasoning: the output price;
    /// - audio and image tokens: input or output price, since providers list them apart only where
    ///   they differ.
    ///
    /// Input and output themselves have no fallback: they stay unknown (I5).
    #[must_use]
    pub fn with_fallbacks(mut self, hour_writes_twice_input: bool) -> Self {
        let twice = self.input.and_then(|p| p.0.checked_mul(2)).map(Picodollars);
        self.cache_read = self.cache_read.or(self.input);
        self.cache_write_5m = self.cache_write_5m.or(self.input);
        self.cache_write_1h =
            self.cache_write_1h.or(if hour_writes_twice_input { twice } else { self.cache_write_5m });
        self.reasoning = self.reasoning.or(self.output);
        self.input_audio = self.input_audio.or(self.input);
        self.input_image_token = self.input_image_token.or(self.input);
        self.output_audio = self.output_audio.or(self.output);
        if self.image.is_none() {
            self.output_image_token = self.output_image_token.or(self.output);
        }
        self
    }
}
