//! Prices as JSON: decimal text in dollars a unit, so that no float can come near them (I4).

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tollgate_domain::Picodollars;

use super::{Level, LevelPrices, PriceTable, Prices, Tier};

/// A price as text; refuses JSON and TOML numbers.
struct DecimalText(Picodollars);

impl<'de> Deserialize<'de> for DecimalText {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(d)?;
        let price = Picodollars::parse(&text).map_err(D::Error::custom)?;
        if price.0 < 0 {
            return Err(D::Error::custom(format_args!("'{text}' is negative; a price is zero or more")));
        }
        Ok(Self(price))
    }
}

impl<'de> Deserialize<'de> for Tier {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct TierVisitor;
        impl<'de> Visitor<'de> for TierVisitor {
            type Value = Tier;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("prices above a number of input tokens")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tier, A::Error> {
                let (mut above, mut table) = (None, PriceTable::default());
                while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                    if key == "above_input_tokens" {
                        above = Some(map.next_value()?);
                    } else {
                        read_price(&mut table, &key, &mut map)?;
                    }
                }
                let above_input_tokens =
                    above.ok_or_else(|| A::Error::custom("a tier needs above_input_tokens"))?;
                Ok(Tier { above_input_tokens, table })
            }
        }
        d.deserialize_map(TierVisitor)
    }
}

fn read_price<'de, A: MapAccess<'de>>(
    table: &mut PriceTable,
    key: &str,
    map: &mut A,
) -> Result<(), A::Error> {
    let Some(slot) = table.get_mut(key) else {
        return Err(A::Error::custom(format_args!(
            "'{key}' is no price; expected one of {}, tiers or a service level",
            PriceTable::NAMES.join(", ")
        )));
    };
    *slot = Some(map.next_value::<DecimalText>()?.0);
    Ok(())
}

impl<'de> Deserialize<'de> for Prices {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct PricesVisitor;
        impl<'de> Visitor<'de> for PricesVisitor {
            type Value = Prices;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of prices")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Prices, A::Error> {
                let mut prices = Prices::default();
                while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                    if key == "tiers" {
                        prices.standard.tiers = sorted(map.next_value()?);
                    } else if let Some(level) = Level::parse(&key).filter(|l| *l != Level::Standard) {
                        let nested: Prices = map.next_value()?;
                        if !nested.levels.is_empty() {
                            return Err(A::Error::custom("a service level cannot hold service levels"));
                        }
                        prices.levels.push((level, nested.standard));
                    } else {
                        read_price(&mut prices.standard.table, &key, &mut map)?;
                    }
                }
                prices.levels.sort_by_key(|(level, _)| *level);
                Ok(prices)
            }
        }
        d.deserialize_map(PricesVisitor)
    }
}

fn sorted(mut tiers: Vec<Tier>) -> Vec<Tier> {
    tiers.sort_by_key(|t| t.above_input_tokens);
    tiers
}

impl Serialize for Tier {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(None)?;
        map.serialize_entry("above_input_tokens", &self.above_input_tokens)?;
        write_table(&mut map, &self.table)?;
        map.end()
    }
}

fn write_table<M: SerializeMap>(map: &mut M, table: &PriceTable) -> Result<(), M::Error> {
    table.known().try_for_each(|(name, price)| map.serialize_entry(name, &Text(price)))
}

struct Text(Picodollars);

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

impl Serialize for LevelPrices {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(None)?;
        write_level(&mut map, self)?;
        map.end()
    }
}

fn write_level<M: SerializeMap>(map: &mut M, prices: &LevelPrices) -> Result<(), M::Error> {
    write_table(map, &prices.table)?;
    if !prices.tiers.is_empty() {
        map.serialize_entry("tiers", &prices.tiers)?;
    }
    Ok(())
}

impl Serialize for Prices {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(None)?;
        write_level(&mut map, &self.standard)?;
        for (level, prices) in &self.levels {
            map.serialize_entry(level.as_str(), prices)?;
        }
        map.end()
    }
}
