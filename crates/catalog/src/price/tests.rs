use proptest::prelude::*;
use tollgate_domain::{Nanodollars, Picodollars, Usage};

use super::*;

fn prices(json: &str) -> Prices {
    serde_json::from_str(json).unwrap()
}

fn haiku() -> Prices {
    Prices {
        hour_writes_twice_input: true,
        ..prices(
            r#"{"input":"0.000001","output":"0.000005","cache_read":"0.0000001","cache_write_5m":"0.00000125",
                "batch":{"input":"0.0000005","output":"0.0000025","cache_write_5m":"0.000000625"},
                "tiers":[{"above_input_tokens":200000,"input":"0.000002","output":"0.00001"}]}"#,
        )
    }
}

fn nano(n: i64) -> Option<Nanodollars> {
    Some(Nanodollars(n))
}

#[test]
fn i01_each_bucket_has_its_price() {
    let usage = Usage {
        input_uncached: 100,
        input_cache_read: 1000,
        input_cache_write_5m: 10,
        input_cache_write_1h: 20,
        output_text: 30,
        output_reasoning: 7,
        ..Usage::default()
    };
    // In millionths of a dollar: 100 + 100 + 12.5 + 40 (twice the input price) + 150 + 35.
    assert_eq!(haiku().cost(&usage, Level::Standard), nano(437_500));
}

#[test]
fn i05_an_unknown_price_is_null_and_never_zero() {
    let p = prices(r#"{"input":"0.000001"}"#);
    let input = Usage { input_uncached: 10, ..Usage::default() };
    assert_eq!(p.cost(&input, Level::Standard), nano(10_000));
    assert_eq!(p.cost(&Usage { output_text: 1, ..input }, Level::Standard), None, "no output price");
    assert_eq!(p.cost(&Usage { output_reasoning: 1, ..input }, Level::Standard), None);
    assert_eq!(p.cost(&Usage { searches: 1, ..input }, Level::Standard), None, "no search price");
    assert_eq!(p.cost(&Usage { images: 1, ..input }, Level::Standard), None, "no image price");
    assert_eq!(p.cost(&input, Level::Flex), None, "no prices for the level");
    assert_eq!(p.cost(&Usage::default(), Level::Flex), None, "not even nothing has a price there");
    assert_eq!(Prices::default().cost(&Usage::default(), Level::Standard), None);
    assert_eq!(prices(r#"{"output":"1"}"#).cost(&input, Level::Standard), None, "no input price");
    let free = prices(r#"{"input":"0","output":"0"}"#);
    assert_eq!(free.cost(&Usage { output_text: 5, ..input }, Level::Standard), nano(0), "zero is a price");
}

#[test]
fn a_tier_replaces_the_prices_of_the_whole_request() {
    let at =
        |input_uncached, input_cache_read| Usage { input_uncached, input_cache_read, ..Usage::default() };
    assert_eq!(
        haiku().cost(&at(200_000, 0), Level::Standard),
        nano(200_000_000),
        "the threshold itself is below"
    );
    assert_eq!(haiku().cost(&at(200_001, 0), Level::Standard), nano(400_002_000));
    // Cached tokens count for the threshold; the tier states no cache price, so its input price holds.
    assert_eq!(haiku().cost(&at(1, 200_000), Level::Standard), nano(400_002_000));
    assert_eq!(haiku().rates(&at(1, 200_000), Level::Standard).above_input_tokens, Some(200_000));
    let several = prices(
        r#"{"input":"3","tiers":[{"above_input_tokens":20,"input":"5"},{"above_input_tokens":10,"input":"4"}]}"#,
    );
    let input = |n| several.effective(Level::Standard, n).input;
    assert_eq!([10, 11, 20, 21].map(input), [3, 4, 4, 5].map(|d| Some(Picodollars(d * 1_000_000_000_000))));
}

#[test]
fn a_level_states_its_text_prices_completely() {
    let table = haiku().effective(Level::Batch, 10);
    assert_eq!(table.cache_read, Some(Picodollars(500_000)), "not the standard cache price");
    assert_eq!(table.cache_write_1h, Some(Picodollars(1_000_000)), "twice its own input price");
    assert_eq!(haiku().effective(Level::Batch, 300_000).input, Some(Picodollars(500_000)), "own tiers only");
    let p = prices(r#"{"input":"1","web_search":"2","input_audio":"3","flex":{"input":"4"}}"#);
    let flex = p.effective(Level::Flex, 0);
    assert_eq!(
        (flex.web_search, flex.input_audio),
        (p.standard.table.web_search, p.standard.table.input_audio)
    );
}

#[test]
fn hour_writes_without_a_price_follow_the_family() {
    let usage = Usage { input_cache_write_1h: 1, ..Usage::default() };
    let rate = |p: &Prices| p.rates(&usage, Level::Standard).prices.cache_write_1h.map(|p| p.0);
    assert_eq!(rate(&haiku()), Some(2_000_000));
    assert_eq!(rate(&Prices { hour_writes_twice_input: false, ..haiku() }), Some(1_250_000));
    assert_eq!(rate(&prices(r#"{"input":"1"}"#)), Some(1_000_000_000_000));
}

#[test]
fn a_variant_answers_for_its_own_level() {
    let fast = Prices { standard_is: vec![Level::Priority], ..prices(r#"{"input":"2"}"#) };
    let usage = Usage { input_uncached: 1, ..Usage::default() };
    assert_eq!(fast.cost(&usage, Level::Priority), nano(2_000_000_000));
    assert_eq!(fast.cost(&usage, Level::Batch), None);
}

#[test]
fn an_image_is_paid_once() {
    let both =
        prices(r#"{"input":"0.000001","output":"0.00001","output_image_token":"0.00003","image":"0.039"}"#);
    let tokens = Usage { images: 1, output_image: 1290, ..Usage::default() };
    assert_eq!(both.cost(&tokens, Level::Standard), nano(38_700_000), "by its tokens");
    let piece = Usage { images: 2, ..Usage::default() };
    assert_eq!(both.cost(&piece, Level::Standard), nano(78_000_000), "by the piece");
    let only_piece = prices(r#"{"image":"0.04"}"#);
    assert_eq!(only_piece.cost(&tokens, Level::Standard), nano(40_000_000));
    assert_eq!(only_piece.cost(&Usage::default(), Level::Standard), None, "no image counted is not free");
}

#[test]
fn units_are_exact_to_the_millisecond() {
    let transcribe = prices(r#"{"input_second":"0.0000583333"}"#);
    let units = Units { input_millis: 1_001, ..Units::default() };
    let usage = Usage::default();
    let rates = transcribe.rates_with(&usage, &units, Level::Standard);
    // 58 333 300 picodollars × 1.001 = 58 391 633.3 picodollars.
    assert_eq!(rates.cost_with(&usage, &units), nano(58_392));
    assert_eq!(transcribe.cost(&usage, Level::Standard), None, "nothing counted is not free");
    let speech = prices(r#"{"input_character":"0.000015"}"#);
    let units = Units { input_characters: 100, output_millis: 5_000, ..Units::default() };
    let rates = speech.rates_with(&usage, &units, Level::Standard);
    assert_eq!(rates.cost_with(&usage, &units), nano(1_500_000));
    let by_both = prices(r#"{"input":"0.000001","input_second":"0.0001"}"#);
    let usage = Usage { input_uncached: 10, ..usage };
    let units = Units { input_millis: 1000, ..Units::default() };
    let rates = by_both.rates_with(&usage, &units, Level::Standard);
    assert_eq!(rates.cost_with(&usage, &units), nano(10_000), "tokens that are counted come first");
}

#[test]
fn a_rerank_without_a_count_has_no_known_cost() {
    let rerank = prices(r#"{"input":"0","output":"0","per_query":"0.002"}"#);
    assert_eq!(rerank.cost(&Usage { searches: 3, ..Usage::default() }, Level::Standard), nano(6_000_000));
    assert_eq!(rerank.cost(&Usage { input_uncached: 3, ..Usage::default() }, Level::Standard), None);
}

#[test]
fn i06_rates_are_compact_and_come_back() {
    let usage = Usage { input_uncached: 5, output_text: 1, input_cache_read: 250_000, ..Usage::default() };
    let rates = haiku().rates(&usage, Level::Standard);
    let json = serde_json::to_string(&rates).unwrap();
    assert_eq!(
        json,
        r#"{"above_input_tokens":200000,"input":2000000,"output":10000000,"cache_read":2000000}"#
    );
    let back: Rates = serde_json::from_str(&json).unwrap();
    assert_eq!(back, rates);
    assert_eq!(back.cost(&usage), haiku().cost(&usage, Level::Standard));
    assert!(serde_json::from_str::<Rates>(r#"{"inputs":1}"#).is_err());
    assert!(serde_json::from_str::<Rates>(r#"{"input":1.5}"#).is_err());
}

#[test]
fn i04_prices_are_text_and_nothing_else() {
    for bad in [
        r#"{"input":0.1}"#,
        r#"{"input":1}"#,
        r#"{"input":"-1"}"#,
        r#"{"inptu":"1"}"#,
        r#"{"tiers":[{"input":"1"}]}"#,
        r#"{"standard":{"input":"1"}}"#,
        r#"{"batch":{"flex":{"input":"1"}}}"#,
        r#"{"input":"0.0000000000001"}"#,
    ] {
        assert!(serde_json::from_str::<Prices>(bad).is_err(), "{bad}");
    }
    let text =
        r#"{"input":"0.00000125","tiers":[{"above_input_tokens":5,"output":"2"}],"flex":{"input":"3"}}"#;
    assert_eq!(serde_json::to_string(&prices(text)).unwrap(), text);
}

#[test]
fn an_amount_beyond_range_is_unknown_and_does_not_wrap() {
    let p = prices(r#"{"input":"9000000"}"#);
    assert_eq!(p.cost(&Usage { input_uncached: u64::MAX, ..Usage::default() }, Level::Standard), None);
}

/// Another way to the same number: whole nanodollars and the picodollars left over are summed apart, and
/// the rules are those of the documentation, written out.
fn expected(p: &Prices, level: Level, u: &Usage) -> Option<i64> {
    let stated = match level {
        Level::Standard => &p.standard,
        _ => &p.levels.iter().find(|(l, _)| *l == level)?.1,
    };
    let mut t = stated.table;
    let other = |own: Option<Picodollars>, std: Option<Picodollars>| own.or(std);
    let std = &p.standard.table;
    let (audio_in, audio_out) =
        (other(t.input_audio, std.input_audio), other(t.output_audio, std.output_audio));
    let (image_in, image_out) = (
        other(t.input_image_token, std.input_image_token),
        other(t.output_image_token, std.output_image_token),
    );
    let search = other(t.web_search, std.web_search);
    let prompt = u.input_uncached
        + u.input_cache_read
        + u.input_cache_write_5m
        + u.input_cache_write_1h
        + u.input_audio
        + u.input_image;
    if let Some(tier) =
        stated.tiers.iter().filter(|t| prompt > t.above_input_tokens).max_by_key(|t| t.above_input_tokens)
    {
        if tier.table.input.is_some() {
            (t.input, t.cache_read, t.cache_write_5m, t.cache_write_1h) =
                (tier.table.input, None, None, None);
        }
        if tier.table.output.is_some() {
            (t.output, t.reasoning) = (tier.table.output, None);
        }
        t.cache_read = tier.table.cache_read.or(t.cache_read);
    }
    let five = t.cache_write_5m.or(t.input);
    let hour = match p.hour_writes_twice_input {
        true => t.input.map(|p| Picodollars(p.0 * 2)),
        false => five,
    };
    let needed = [
        (u.input_uncached, t.input),
        (u.input_cache_read, t.cache_read.or(t.input)),
        (u.input_cache_write_5m, five),
        (u.input_cache_write_1h, t.cache_write_1h.or(hour)),
        (u.input_audio, audio_in.or(t.input)),
        (u.input_image, image_in.or(t.input)),
        (u.output_text, t.output),
        (u.output_reasoning, t.reasoning.or(t.output)),
        (u.output_audio, audio_out.or(t.output)),
        (u.output_image, image_out.or(t.output)),
        (u.searches, search),
    ];
    let (mut whole, mut rest) = (0u128, 0u128);
    for (count, price) in needed {
        if count > 0 {
            let (count, price) = (u128::from(count), u128::try_from(price?.0).unwrap());
            whole += count * (price / 1000);
            rest += count * (price % 1000);
        }
    }
    if t.input.is_none() && t.output.is_none() && whole == 0 && rest == 0 {
        return None;
    }
    whole += rest / 1000;
    match (rest % 1000).cmp(&500) {
        std::cmp::Ordering::Greater => whole += 1,
        std::cmp::Ordering::Equal => whole += whole % 2,
        std::cmp::Ordering::Less => {}
    }
    i64::try_from(whole).ok()
}

fn price() -> impl Strategy<Value = Option<Picodollars>> {
    // Few digits, so that exact halves come up.
    proptest::option::weighted(
        0.8,
        prop_oneof![(1i64..5000).prop_map(|p| p * 100), 1i64..20_000_000].prop_map(Picodollars),
    )
}

fn table() -> impl Strategy<Value = PriceTable> {
    let text = (price(), price(), price(), price(), price(), price());
    let rest = (price(), price(), price(), price(), price());
    (text, rest).prop_map(|((input, output, cache_read, w5, w1, reasoning), (ia, oa, ii, oi, web_search))| {
        PriceTable {
            input,
            output,
            cache_read,
            cache_write_5m: w5,
            cache_write_1h: w1,
            reasoning,
            input_audio: ia,
            output_audio: oa,
            input_image_token: ii,
            output_image_token: oi,
            web_search,
            ..PriceTable::default()
        }
    })
}

fn tiers() -> impl Strategy<Value = Vec<Tier>> {
    let tier = (0u64..3000, price(), price(), price()).prop_map(
        |(above_input_tokens, input, output, cache_read)| Tier {
            above_input_tokens,
            table: PriceTable { input, output, cache_read, ..PriceTable::default() },
        },
    );
    proptest::collection::vec(tier, 0..3).prop_map(|mut tiers| {
        tiers.sort_by_key(|t| t.above_input_tokens);
        tiers.dedup_by_key(|t| t.above_input_tokens);
        tiers
    })
}

fn any_prices() -> impl Strategy<Value = Prices> {
    let level = || (table(), tiers()).prop_map(|(table, tiers)| LevelPrices { table, tiers });
    (level(), proptest::option::of(level()), any::<bool>()).prop_map(|(standard, batch, twice)| Prices {
        standard,
        levels: batch.into_iter().map(|b| (Level::Batch, b)).collect(),
        hour_writes_twice_input: twice,
        standard_is: Vec::new(),
    })
}

fn usage() -> impl Strategy<Value = Usage> {
    let count = || prop_oneof![3 => Just(0u64), 4 => 0u64..2000, 1 => 0u64..1_000_000];
    ((count(), count(), count(), count(), count()), (count(), count(), count(), count(), count()), 0u64..3)
        .prop_map(|((a, b, c, d, e), (f, g, h, i, j), searches)| Usage {
            input_uncached: a,
            input_cache_read: b,
            input_cache_write_5m: c,
            input_cache_write_1h: d,
            input_audio: e,
            input_image: f,
            output_text: g,
            output_reasoning: h,
            output_audio: i,
            output_image: j,
            searches,
            ..Usage::default()
        })
}

proptest! {
    #[test]
    fn i04_cost_is_the_exact_sum_rounded_once(p in any_prices(), u in usage(), batch in any::<bool>()) {
        let level = if batch { Level::Batch } else { Level::Standard };
        prop_assert_eq!(p.cost(&u, level).map(|c| c.0), expected(&p, level, &u));
    }

    #[test]
    fn i06_the_rates_alone_give_the_cost_again(p in any_prices(), u in usage()) {
        let rates = p.rates(&u, Level::Standard);
        let back: Rates = serde_json::from_str(&serde_json::to_string(&rates).unwrap()).unwrap();
        prop_assert_eq!(back.cost(&u), p.cost(&u, Level::Standard));
    }

    #[test]
    fn written_prices_come_back(p in any_prices()) {
        let text = serde_json::to_string(&p).unwrap();
        let back: Prices = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(Prices { hour_writes_twice_input: p.hour_writes_twice_input, ..back }, p);
    }
}
