//! Waits between attempts, and the limits of trying.

use std::time::{Duration, Instant};

use tollgate_simulator::{Behaviour, ErrorBody, Fault, Script};

use crate::world::{World, question};

fn asks_to_wait(header: &str, value: &str) -> Behaviour {
    let headers = vec![(header.to_owned(), value.to_owned())];
    Behaviour::fault(Fault::Status { status: 429, headers, body: ErrorBody::Provider })
}

#[tokio::test]
async fn a_short_retry_after_is_waited_for_on_the_same_target() {
    let world = World::start().await;
    world.primary.push_script(Script::new(asks_to_wait("retry-after-ms", "150")));
    let began = Instant::now();
    let answer = world.chat(&question("test/duo", false)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(began.elapsed() >= Duration::from_millis(150));
    assert_eq!((world.primary.stats().requests, world.backup.stats().requests), (2, 0));
    let requests = world.primary.requests();
    assert!(requests[1].received_at - requests[0].received_at >= Duration::from_millis(150));
}

#[tokio::test]
async fn a_long_retry_after_goes_to_the_next_target_at_once() {
    let world = World::start().await;
    world.primary.set_default(asks_to_wait("retry-after", "9"));
    let began = Instant::now();
    assert_eq!(world.chat(&question("test/duo", true)).await.status, 200);
    assert!(began.elapsed() < Duration::from_secs(5), "nothing was waited for");
    assert_eq!((world.primary.stats().requests, world.backup.stats().requests), (1, 1));
}

#[tokio::test]
async fn a_passing_fault_is_tried_again_after_a_jittered_wait() {
    let world = World::with(|setup| {
        setup.settings.retry.backoff_base = Duration::from_millis(200);
        setup.settings.retry.backoff_max = Duration::from_millis(200);
    })
    .await;
    let mut waits = Vec::new();
    for _ in 0..4 {
        world.primary.reset();
        world.primary.push_script(Script::new(Behaviour::status(500)));
        assert_eq!(world.chat(&question("test/solo", false)).await.status, 200);
        let requests = world.primary.requests();
        assert_eq!(requests.len(), 2);
        waits.push(requests[1].received_at - requests[0].received_at);
    }
    assert!(waits.iter().all(|wait| *wait >= Duration::from_millis(100)), "{waits:?}");
    let spread = *waits.iter().max().unwrap() - *waits.iter().min().unwrap();
    assert!(spread > Duration::from_millis(1), "the same wait every time: {waits:?}");
}

#[tokio::test]
async fn i23_the_total_time_ends_the_trying() {
    let world = World::with(|setup| {
        setup.settings.total_timeout = Duration::from_millis(500);
        setup.settings.retry.attempts_per_target = 100;
        setup.settings.retry.attempts_total = 100;
    })
    .await;
    world.primary.set_default(Behaviour::fault(Fault::Hang));
    let began = Instant::now();
    let answer = world.chat(&question("test/solo", true)).await;
    assert_eq!(answer.status, 504, "{}", answer.text());
    assert!(began.elapsed() >= Duration::from_millis(450) && began.elapsed() < Duration::from_secs(10));
    assert_eq!(world.primary.stats().requests, 1, "no time was left for another");
}

#[tokio::test]
async fn when_all_targets_fail_the_last_failure_is_told_and_all_attempts_are_listed() {
    let world = World::start().await;
    world.primary.set_default(Behaviour::status(401));
    world.backup.set_default(Behaviour::status(503));
    let answer = world.chat(&question("test/duo", true)).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    let routing = answer.json()["providerMetadata"]["gateway"]["routing"].clone();
    let attempts: Vec<_> = routing["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| (a["provider"].as_str().unwrap().to_owned(), a["statusCode"].as_u64().unwrap()))
        .collect();
    let expected = [("primary", 401), ("backup", 503), ("backup", 503)];
    assert_eq!(attempts, expected.map(|(slug, status)| (slug.to_owned(), status)));
    assert_eq!(routing["finalProvider"], "backup");
}
