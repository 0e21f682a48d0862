//! The prices one request was computed with, and the computation.

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tollgate_domain::{Nanodollars, Picodollars, Usage};

use super::{Level, PriceTable};

/// Counts that some models are paid by and that are no tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Units {
    /// Characters of text taken in.
    pub input_characters: u64,
    /// Milliseconds of sound taken in.
    pub input_millis: u64,
    /// Milliseconds of sound or video generated.
    pub output_millis: u64,
    /// Images taken in, where no tokens are counted for them.
    pub input_images: u64,
}

/// The prices a request was computed with, for its ledger row (I6): those that its usage needs, input and
/// output price always, fallbacks applied. In JSON compact: `{"input":750000,"output":4500000}` is in
/// picodollars a unit; `level` is there unless standard, `above_input_tokens` when a long prompt's prices
/// hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates {
    /// The service level.
    pub level: Level,
    /// The threshold of the long-prompt prices that hold, in tokens.
    pub above_input_tokens: Option<u64>,
    /// The prices.
    pub prices: PriceTable,
}

/// What one line of a bill counts in.
#[derive(Clone, Copy)]
enum Count {
    Each(u64),
    Thousandth(u64),
}

type Line = (&'static str, Count, Picodollars);

impl Rates {
    pub(super) fn new(
        level: Level,
        above_input_tokens: Option<u64>,
        table: PriceTable,
        usage: &Usage,
        units: &Units,
    ) -> Self {
        let mut prices = table;
        if let Some(lines) = bill(&table, usage, units) {
            prices = PriceTable { input: table.input, output: table.output, ..PriceTable::default() };
            for (name, _, price) in lines {
                if let Some(slot) = prices.get_mut(name) {
                    *slot = Some(price);
                }
            }
        }
        Self { level, above_input_tokens, prices }
    }

    /// What the usage costs at these rates: the exact sum, rounded half-even once (I4). `None` when a
    /// price that is needed is not known (I5) or the amount exceeds what can be stored.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> Option<Nanodollars> {
        self.cost_with(usage, &Units::default())
    }

    /// As [`Self::cost`], for requests that are paid by characters, seconds or images taken in.
    #[must_use]
    pub fn cost_with(&self, usage: &Usage, units: &Units) -> Option<Nanodollars> {
        // In thousandths of a picodollar, so that milliseconds stay exact.
        let mut sum: i128 = 0;
        for (_, count, price) in bill(&self.prices, usage, units)? {
            let (count, scale) = match count {
                Count::Each(n) => (n, 1000),
                Count::Thousandth(n) => (n, 1),
            };
            let line = i128::from(price.0).checked_mul(i128::from(count))?.checked_mul(scale)?;
            sum = sum.checked_add(line)?;
        }
        half_even(sum, 1_000_000)
    }
}

fn half_even(sum: i128, unit: i128) -> Option<Nanodollars> {
    let (quotient, remainder) = (sum.div_euclid(unit), sum.rem_euclid(unit));
    let up = remainder * 2 > unit || (remainder * 2 == unit && quotient % 2 != 0);
    i64::try_from(quotient + i128::from(up)).ok().map(Nanodollars)
}

/// The lines of the bill; `None` when a needed price is not known. Each thing is paid once: a prompt by
/// its tokens when they are counted and priced, else by its characters or seconds; an image by its
/// tokens when they are counted and priced apart, else by the piece.
fn bill(prices: &PriceTable, usage: &Usage, units: &Units) -> Option<Vec<Line>> {
    let mut lines: Vec<Line> = Vec::with_capacity(8);
    bill_input(prices, usage, units, &mut lines)?;
    bill_output(prices, usage, units, &mut lines)?;
    // A rerank request is at least one query: with none counted its cost is not known.
    if usage.searches > 0 || prices.per_query.is_some() {
        let (name, price) = match prices.per_query {
            Some(price) => ("per_query", price),
            None => ("web_search", prices.web_search?),
        };
        if usage.searches == 0 {
            return None;
        }
        lines.push((name, Count::Each(usage.searches), price));
    }
    // Where only images, seconds or characters have a price, none of them counted is not free.
    let priced_by_token = prices.input.is_some() || prices.output.is_some();
    (priced_by_token || !lines.is_empty()).then_some(lines)
}

fn bill_input(prices: &PriceTable, usage: &Usage, units: &Units, lines: &mut Vec<Line>) -> Option<()> {
    let by_unit = [
        ("input_character", Count::Each(units.input_characters), prices.input_character),
        ("input_second", Count::Thousandth(units.input_millis), prices.input_second),
        ("input_image", Count::Each(units.input_images), prices.input_image),
    ];
    let tokens = [
        ("input", usage.input_uncached, prices.input),
        ("cache_read", usage.input_cache_read, prices.cache_read),
        ("cache_write_5m", usage.input_cache_write_5m, prices.cache_write_5m),
        ("cache_write_1h", usage.input_cache_write_1h, prices.cache_write_1h),
        ("input_audio", usage.input_audio, prices.input_audio),
        ("input_image_token", usage.input_image, prices.input_image_token),
    ];
    let tokens_priced = tokens.iter().all(|(_, count, price)| *count == 0 || price.is_some());
    if usage.input_total() > 0 && tokens_priced {
        lines.extend(tokens.iter().filter_map(|(n, c, p)| (*c > 0).then_some((*n, Count::Each(*c), (*p)?))));
        return Some(());
    }
    let before = lines.len();
    lines.extend(by_unit.into_iter().filter_map(|(n, c, p)| counted(c).then_some((n, c, p?))));
    let something = usage.input_total() > 0 || by_unit.iter().any(|(_, c, _)| counted(*c));
    // A video or image is paid by what comes out even where what went in has no price of its own.
    let paid_by_output = (units.output_millis > 0 && prices.output_second.is_some())
        || (usage.images > 0 && prices.image.is_some());
    (lines.len() > before || !something || (usage.input_total() == 0 && paid_by_output)).then_some(())
}

fn bill_output(prices: &PriceTable, usage: &Usage, units: &Units, lines: &mut Vec<Line>) -> Option<()> {
    let by_piece = usage.images > 0
        && prices.image.is_some()
        && (usage.output_image == 0 || prices.output_image_token.is_none());
    let tokens = [
        ("output", usage.output_text, prices.output),
        ("reasoning", usage.output_reasoning, prices.reasoning),
        ("output_audio", usage.output_audio, prices.output_audio),
        // Image tokens without a price of their own and without images counted are plain output.
        (
            "output_image_token",
            if by_piece { 0 } else { usage.output_image },
            prices.output_image_token.or(prices.output),
        ),
    ];
    if by_piece {
        lines.push(("image", Count::Each(usage.images), prices.image?));
    } else if usage.images > 0 && usage.output_total() == 0 {
        return None;
    }
    if units.output_millis > 0
        && usage.output_total() == 0
        && let Some(price) = prices.output_second
    {
        lines.push(("output_second", Count::Thousandth(units.output_millis), price));
    }
    for (name, count, price) in tokens {
        if count > 0 {
            lines.push((name, Count::Each(count), price?));
        }
    }
    Some(())
}

fn counted(count: Count) -> bool {
    match count {
        Count::Each(n) | Count::Thousandth(n) => n > 0,
    }
}

impl Serialize for Rates {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(None)?;
        if self.level != Level::Standard {
            map.serialize_entry("level", &self.level)?;
        }
        if let Some(above) = self.above_input_tokens {
            map.serialize_entry("above_input_tokens", &above)?;
        }
        for (name, price) in self.prices.known() {
            map.serialize_entry(name, &price.0)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Rates {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let map = serde_json::Map::deserialize(d)?;
        let mut rates =
            Self { level: Level::Standard, above_input_tokens: None, prices: PriceTable::default() };
        for (name, value) in &map {
            match (name.as_str(), rates.prices.get_mut(name)) {
                (_, Some(slot)) => {
                    let pico = value.as_i64().ok_or_else(|| {
                        D::Error::custom(format_args!("{name}: expected picodollars as a whole number"))
                    })?;
                    *slot = Some(Picodollars(pico));
                }
                ("level", None) => {
                    rates.level = value
                        .as_str()
                        .and_then(Level::parse)
                        .ok_or_else(|| D::Error::custom("level: expected a service level"))?;
                }
                ("above_input_tokens", None) => rates.above_input_tokens = value.as_u64(),
                _ => return Err(D::Error::custom(format_args!("unknown rate '{name}'"))),
            }
        }
        Ok(rates)
    }
}
