//! The price book: what a provider asks for a unit of each kind, exactly (I4), with nothing known being
//! `None` and never zero (I5).
//!
//! [`Prices`] holds the standard prices of an endpoint and those of other service levels, each with
//! prices for long prompts. [`Rates`] are the prices that one request was computed with (I6).

mod rates;
mod table;
#[cfg(test)]
mod tests;
mod text;

pub use rates::{Rates, Units};
pub use table::PriceTable;

use tollgate_domain::{Nanodollars, Usage};

use crate::named::named_enum;

named_enum!(
    /// The class of service a request was served at; each has its own prices.
    Level {
        /// What the endpoint does by itself.
        Standard = "standard",
        /// Later, cheaper.
        Batch = "batch",
        /// When there is room, cheaper.
        Flex = "flex",
        /// First in line, dearer.
        Priority = "priority",
        /// Quicker generation, dearer.
        Fast = "fast",
    }
);

/// Prices for prompts longer than a threshold. They replace the base prices for **all** tokens of the
/// request, not only those above (providers §0.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The tier holds when the prompt, cached tokens included, is larger than this.
    pub above_input_tokens: u64,
    /// What it replaces.
    pub table: PriceTable,
}

/// The prices of one service level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LevelPrices {
    /// Prices of a prompt of ordinary length.
    pub table: PriceTable,
    /// Prices of long prompts, shortest first.
    pub tiers: Vec<Tier>,
}

impl LevelPrices {
    fn tier(&self, input_tokens: u64) -> Option<&Tier> {
        self.tiers.iter().rfind(|t| input_tokens > t.above_input_tokens)
    }
}

/// All prices of an endpoint.
///
/// A level or a tier states its text prices (input, output, cache, reasoning) completely: what it leaves
/// out follows from what it does state, by the rules of [`PriceTable::with_fallbacks`], and not from the
/// standard prices, since a discount on one says nothing about the other. Prices of other things (audio,
/// images, searches, seconds) stay the standard ones unless it states them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    /// What holds when nothing else is asked for.
    pub standard: LevelPrices,
    /// Other service levels.
    pub levels: Vec<(Level, LevelPrices)>,
    /// Writes to an hour's cache cost twice the input price where none is stated: Anthropic's published
    /// multiplier (gateway-api §4.5), on whichever cloud its models run. Elsewhere they cost what the
    /// five-minute write costs.
    pub hour_writes_twice_input: bool,
    /// The levels that `standard` itself is of: for an endpoint of a variant model (`…-batch`, `…-fast`)
    /// the variant's, and the provider's tier that makes it so. Empty for any other.
    pub standard_is: Vec<Level>,
}

impl Prices {
    /// The prices of a level as they are stated; `None` when the level has none.
    #[must_use]
    pub fn level(&self, level: Level) -> Option<&LevelPrices> {
        if self.is_standard(level) {
            return Some(&self.standard);
        }
        self.levels.iter().find(|(l, _)| *l == level).map(|(_, prices)| prices)
    }

    fn is_standard(&self, level: Level) -> bool {
        level == Level::Standard || self.standard_is.contains(&level)
    }

    /// The complete price table for a prompt of this length at this level, fallbacks applied. Empty when
    /// the level has no prices.
    #[must_use]
    pub fn effective(&self, level: Level, input_tokens: u64) -> PriceTable {
        self.table_and_threshold(level, input_tokens).0
    }

    fn table_and_threshold(&self, level: Level, input_tokens: u64) -> (PriceTable, Option<u64>) {
        let Some(prices) = self.level(level) else { return (PriceTable::default(), None) };
        let mut table = if self.is_standard(level) {
            prices.table
        } else {
            let mut table = self.standard.table;
            table.clear_text();
            table.replace_with(&prices.table);
            table
        };
        let tier = prices.tier(input_tokens);
        if let Some(tier) = tier {
            table.replace_with(&tier.table);
        }
        (table.with_fallbacks(self.hour_writes_twice_input), tier.map(|t| t.above_input_tokens))
    }

    /// The prices that a request with this usage is computed with (I6).
    #[must_use]
    pub fn rates(&self, usage: &Usage, level: Level) -> Rates {
        self.rates_with(usage, &Units::default(), level)
    }

    /// As [`Self::rates`], for requests that are paid by characters, seconds or images taken in.
    #[must_use]
    pub fn rates_with(&self, usage: &Usage, units: &Units, level: Level) -> Rates {
        let (table, above) = self.table_and_threshold(level, usage.input_total());
        Rates::new(level, above, table, usage, units)
    }

    /// What the usage costs: the exact sum, rounded half-even once (I4). `None` when a price that is
    /// needed is not known (I5) or the amount exceeds what can be stored.
    #[must_use]
    pub fn cost(&self, usage: &Usage, level: Level) -> Option<Nanodollars> {
        self.rates(usage, level).cost(usage)
    }
}
