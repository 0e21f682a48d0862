//! Prices as clients read them: decimal strings, dollars a token unless the name says otherwise
//! (gateway-api §13.1).

use serde::Serialize;
use serde::ser::SerializeMap;
use tollgate_domain::Picodollars;

use crate::model::{Capability, Model, ModelKind};
use crate::price::{Level, LevelPrices, PriceTable, Prices};

/// A price as decimal text.
pub(super) struct Decimal(pub(super) Picodollars);

impl Serialize for Decimal {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

/// One step of a price that depends on the prompt's size: `min` inclusive, `max` exclusive.
#[derive(Serialize)]
pub(super) struct Step {
    cost: Decimal,
    min: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<u64>,
}

/// The four text prices, the only ones that service levels and long prompts change.
pub(super) struct Text {
    pub(super) input: Option<Picodollars>,
    pub(super) output: Option<Picodollars>,
    pub(super) cache_read: Option<Picodollars>,
    pub(super) cache_write: Option<Picodollars>,
}

impl Text {
    /// What is stated of a table. A model with cache marks has both cache prices (clients §0.10): where
    /// one is not stated it is what would be charged.
    pub(super) fn new(stated: &PriceTable, marks: bool) -> Self {
        let charged = stated.with_fallbacks(false);
        Self {
            input: stated.input,
            output: stated.output,
            cache_read: if marks { charged.cache_read } else { stated.cache_read },
            cache_write: if marks { charged.cache_write_5m } else { stated.cache_write_5m },
        }
    }

    fn named(&self) -> [(&'static str, Option<Picodollars>); 4] {
        [
            ("input", self.input),
            ("output", self.output),
            ("input_cache_read", self.cache_read),
            ("input_cache_write", self.cache_write),
        ]
    }
}

impl Serialize for Text {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(None)?;
        for (name, price) in self.named() {
            if let Some(price) = price {
                map.serialize_entry(name, &Decimal(price))?;
            }
        }
        map.end()
    }
}

/// The steps of one price; empty when the prompt's size does not matter to it.
pub(super) fn steps(
    prices: &LevelPrices,
    marks: bool,
    pick: impl Fn(&Text) -> Option<Picodollars>,
) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    if prices.tiers.is_empty() {
        return steps;
    }
    let Some(base) = pick(&Text::new(&prices.table, marks)) else { return steps };
    steps.push(Step { cost: Decimal(base), min: 0, max: None });
    for tier in &prices.tiers {
        // A tier holds for prompts larger than its threshold.
        let from = tier.above_input_tokens.saturating_add(1);
        let Some(cost) = pick(&Text::new(&prices.table.replaced_by(&tier.table), marks)) else { continue };
        if let Some(last) = steps.last_mut() {
            last.max = Some(from);
        }
        steps.push(Step { cost: Decimal(cost), min: from, max: None });
    }
    if steps.windows(2).all(|pair| pair[0].cost.0 == pair[1].cost.0) {
        steps.clear();
    }
    steps
}

/// The prices of a service level.
#[derive(Serialize)]
pub(super) struct ServiceTier {
    #[serde(flatten)]
    prices: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    long_context: Option<LongContext>,
}

#[derive(Serialize)]
struct LongContext {
    #[serde(flatten)]
    prices: Text,
    threshold: u64,
}

impl ServiceTier {
    fn new(level: &LevelPrices, marks: bool) -> Self {
        Self {
            prices: Text::new(&level.table, marks),
            long_context: level.tiers.first().map(|tier| LongContext {
                prices: Text::new(&level.table.replaced_by(&tier.table), marks),
                threshold: tier.above_input_tokens,
            }),
        }
    }
}

/// `service_tiers` of a price object.
pub(super) struct ServiceTiers(Vec<(Level, ServiceTier)>);

impl ServiceTiers {
    pub(super) fn new(prices: &Prices, marks: bool) -> Option<Self> {
        let tiers: Vec<_> = prices
            .levels
            .iter()
            .filter(|(level, _)| *level != Level::Fast)
            .map(|(level, prices)| (*level, ServiceTier::new(prices, marks)))
            .collect();
        (!tiers.is_empty()).then_some(Self(tiers))
    }
}

impl Serialize for ServiceTiers {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.0.iter().map(|(level, tier)| (level.as_str(), tier)))
    }
}

/// The `pricing` of a model; `{}` when nothing is known.
#[derive(Default)]
pub(super) struct Pricing(Option<Known>);

struct Known {
    text: Text,
    steps: Vec<(&'static str, Vec<Step>)>,
    others: Vec<(&'static str, Picodollars)>,
    per_second_of_video: Option<Picodollars>,
    fast: Option<Text>,
    service_tiers: Option<ServiceTiers>,
}

impl Pricing {
    pub(super) fn new(model: &Model, prices: &Prices) -> Self {
        let marks = model.can(Capability::ExplicitCaching);
        let level = &prices.standard;
        let video = model.kind == ModelKind::Video;
        let steps = vec![
            ("input_tiers", steps(level, marks, |t| t.input)),
            ("output_tiers", steps(level, marks, |t| t.output)),
            ("input_cache_read_tiers", steps(level, marks, |t| t.cache_read)),
            ("input_cache_write_tiers", steps(level, marks, |t| t.cache_write)),
        ];
        let fast = prices.levels.iter().find(|(l, _)| *l == Level::Fast);
        Self(Some(Known {
            text: Text::new(&level.table, marks),
            steps,
            others: others(model.kind, &level.table),
            per_second_of_video: level.table.output_second.filter(|_| video),
            fast: fast.map(|(_, level)| Text::new(&level.table, marks)),
            service_tiers: ServiceTiers::new(prices, marks),
        }))
    }
}

fn others(kind: ModelKind, table: &PriceTable) -> Vec<(&'static str, Picodollars)> {
    let seconds_of = |of| table.input_second.filter(|_| kind == of);
    // Searches are told by the thousand (gateway-api §13.1).
    let by_thousand = |p: Option<Picodollars>| p.and_then(|p| p.0.checked_mul(1000)).map(Picodollars);
    [
        ("audio_input_token_cost", table.input_audio),
        ("audio_output_token_cost", table.output_audio),
        ("image", table.image),
        ("speech_input_character_cost", table.input_character.filter(|_| kind == ModelKind::Speech)),
        ("transcription_duration_cost_per_second", seconds_of(ModelKind::Transcription)),
        ("realtime_session_duration_cost_per_second", seconds_of(ModelKind::Realtime)),
        ("web_search", by_thousand(table.web_search)),
    ]
    .into_iter()
    .filter_map(|(name, price)| Some((name, price?)))
    .collect()
}

#[derive(Serialize)]
struct VideoDuration {
    cost_per_second: Decimal,
}

impl Serialize for Pricing {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(None)?;
        if let Some(known) = &self.0 {
            for (name, price) in known.text.named().into_iter().filter_map(|(n, p)| Some((n, p?))) {
                map.serialize_entry(name, &Decimal(price))?;
            }
            for (name, steps) in known.steps.iter().filter(|(_, steps)| !steps.is_empty()) {
                map.serialize_entry(name, steps)?;
            }
            for (name, price) in &known.others {
                map.serialize_entry(name, &Decimal(*price))?;
            }
            if let Some(price) = known.per_second_of_video {
                map.serialize_entry(
                    "video_duration_pricing",
                    &[VideoDuration { cost_per_second: Decimal(price) }],
                )?;
            }
            if let Some(fast) = &known.fast {
                map.serialize_entry("fast", fast)?;
            }
            if let Some(tiers) = &known.service_tiers {
                map.serialize_entry("service_tiers", tiers)?;
            }
        }
        map.end()
    }
}
