//! When keys are fetched, and what becomes of them meanwhile: played fetches on the paused clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::super::set::{RemoteKeySet, Shared};
use super::super::task::Why;
use super::super::{JwksErrorKind, KeySetSink, RemoteKeys};
use super::support::{DAY, Names, Stage, Step, TokioClock, Told, passes, tasks};
use crate::error::ConfigError;
use crate::observe::Observer;
use crate::token::KeyEvent;

const MINUTE: Duration = Duration::from_secs(60);

fn failed(kind: JwksErrorKind, in_a_row: u32) -> KeyEvent {
    KeyEvent::Failed {
        error: kind.into(),
        in_a_row,
    }
}

/// How far apart the next fetches begin.
async fn gaps(stage: &mut Stage, count: usize) -> Vec<Duration> {
    let (_, mut last) = stage.next_fetch().await;
    let mut gaps = Vec::new();
    for _ in 0..count {
        let (why, began) = stage.next_fetch().await;
        assert_eq!(why, Why::Scheduled);
        gaps.push(began - last);
        last = began;
    }
    gaps
}

#[tokio::test(start_paused = true)]
async fn t6_keys_are_fetched_at_once_and_every_ten_minutes_give_or_take_one() {
    let start = Instant::now();
    let mut stage = Stage::new(&[Step::Keys(&["a"]), Step::Unchanged]);
    stage.set.first_load().await.expect("keys");
    assert!(start.elapsed() < Duration::from_millis(60), "at once");
    for gap in gaps(&mut stage, 20).await {
        // The fetch itself takes 50 ms.
        assert!((539..=661).contains(&gap.as_secs()), "{gap:?}");
    }
}

/// The issuer is asked where its keys are with the schedule alone: it must come, however often strangers ask.
#[tokio::test(start_paused = true)]
async fn t6_t7_requests_with_unknown_keys_do_not_put_the_schedule_off() {
    let mut stage = Stage::new(&[Step::Keys(&["a"]), Step::Unchanged]);
    let (_, began) = stage.next_fetch().await;
    stage.set.first_load().await.expect("keys");
    let mut asked = 0;
    loop {
        passes(Duration::from_secs(31)).await;
        asked += 1;
        let name = format!("stranger-{asked}");
        drop(stage.set.wait_for(&name));
        passes(Duration::from_millis(100)).await;
        let fetches = stage.fetches();
        if fetches.contains(&Why::Scheduled) {
            break;
        }
        assert!(began.elapsed() < MINUTE * 12, "after {asked} strangers");
    }
    assert!(began.elapsed() >= MINUTE * 9, "nor does it come early");
}

#[tokio::test(start_paused = true)]
async fn t6_the_servers_max_age_moves_the_next_fetch() {
    let hour = Duration::from_secs(3600);
    for (lifetime, least, most) in [
        (hour, 3240, 3600),
        (Duration::ZERO, 60, 60),
        (DAY * 9, 38_880, 43_200),
    ] {
        let mut stage = Stage::new(&[Step::KeysFor(&["a"], lifetime)]);
        for gap in gaps(&mut stage, 3).await {
            assert!(
                (least..=most).contains(&gap.as_secs()),
                "{lifetime:?}: {gap:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn t6_a_failure_is_retried_after_a_second_doubling_to_a_minute() {
    let mut stage = Stage::new(&[Step::Fails]);
    let gaps = gaps(&mut stage, 14).await;
    for (gap, seconds) in gaps
        .iter()
        .zip([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0])
    {
        let gap = gap.as_secs_f64() - 0.05;
        assert!(
            (seconds * 0.74..=seconds * 1.26).contains(&gap),
            "{seconds}: {gap}"
        );
    }
    let last = &gaps[6..];
    assert!(
        last.iter().any(|gap| gap != &last[0]),
        "left to chance: {last:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn t6_a_fetch_that_does_not_end_is_ended_after_five_seconds() {
    let mut stage = Stage::new(&[Step::Hangs, Step::Keys(&["a"])]);
    let start = Instant::now();
    let error = stage.set.first_load().await.expect_err("no keys");
    assert_eq!(error.kind(), JwksErrorKind::TimedOut);
    assert_eq!(start.elapsed().as_secs(), 5);
    stage.dropped.recv().await.expect("the fetch was dropped");
    stage.next_fetch().await;
    stage.next_fetch().await;
    passes(Duration::from_secs(1)).await;
    assert!(stage.names.holds("a"), "tried again");
}

#[tokio::test(start_paused = true)]
async fn t8_the_first_load_tells_how_it_went_and_is_tried_again() {
    let stage = Stage::new(&[Step::Fails, Step::Keys(&["a"])]);
    let error = stage.set.first_load().await.expect_err("no keys");
    assert_eq!(error.kind(), JwksErrorKind::Unreachable);
    assert!(stage.is_stale(), "there are none");
    passes(Duration::from_secs(2)).await;
    assert!(!stage.is_stale());
    assert!(stage.names.holds("a"));
    // It is the first one that is told of, however often it is asked.
    assert!(stage.set.first_load().await.is_err());
    assert_eq!(
        stage.told.take(),
        [
            failed(JwksErrorKind::Unreachable, 1),
            KeyEvent::Refreshed {
                keys: 1,
                skipped: 0
            }
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn t8_an_outage_within_max_stale_changes_nothing_and_beyond_it_there_are_no_keys() {
    let max_stale = MINUTE * 30;
    let mut steps = vec![Step::Keys(&["a"])];
    steps.extend([Step::Fails; 200]);
    steps.push(Step::Unchanged);
    let stage = Stage::with(&steps, Duration::from_millis(50), max_stale);
    stage.set.first_load().await.expect("keys");
    let start = Instant::now();
    while start.elapsed() < max_stale {
        assert!(!stage.is_stale(), "{:?}", start.elapsed());
        passes(Duration::from_secs(7)).await;
    }
    passes(Duration::from_secs(1)).await;
    assert!(stage.is_stale());
    assert!(stage.names.holds("a"), "the keys are kept, and not used");
    assert!(stage.set.age(max_stale * 2).expect("keys") > max_stale);
    let failures = stage.told.take().len() - 1;
    assert!((20..=40).contains(&failures), "{failures}");
    // The server comes back.
    while stage.is_stale() {
        passes(MINUTE).await;
    }
    assert_eq!(stage.told.take().last(), Some(&KeyEvent::Unchanged));
}

/// Anybody may name an unknown key every 30 s, and the address where the keys once were may answer for ever.
#[tokio::test(start_paused = true)]
async fn t7_t8_strangers_do_not_keep_keys_alive_whose_issuer_says_no_more_where_they_are() {
    let max_stale = MINUTE * 30;
    let steps = [
        Step::Keys(&["a"]),
        Step::KeysWithoutDiscovery(&["a", "moved"]),
    ];
    let mut stage = Stage::with(&steps, Duration::from_millis(50), max_stale);
    stage.set.first_load().await.expect("keys");
    let start = Instant::now();
    let (mut last_good, mut by_schedule, mut by_strangers) = (start, 0, 0);
    stage.fetches();
    while start.elapsed() < max_stale * 2 {
        passes(Duration::from_secs(31)).await;
        drop(stage.set.wait_for(&format!("stranger-{by_strangers}")));
        passes(Duration::from_millis(100)).await;
        for why in stage.fetches() {
            match why {
                Why::Scheduled => by_schedule += 1,
                Why::UnknownKid => by_strangers += 1,
            }
        }
        if by_schedule == 0 {
            last_good = Instant::now();
        }
        let age = last_good.elapsed();
        if age < max_stale - MINUTE {
            assert!(!stage.is_stale(), "{age:?} after the last good fetch");
        }
        if age > max_stale + MINUTE {
            assert!(stage.is_stale(), "{age:?} after the last good fetch");
        }
    }
    assert!(last_good - start < MINUTE * 12, "the schedule was kept");
    assert!(by_strangers > 60, "{by_strangers}: they were answered");
    assert!(
        stage.names.holds("moved"),
        "and what they had fetched is in force"
    );
    // Once a minute, as after failures alone, and not anew after a second for each stranger.
    assert!((40..=75).contains(&by_schedule), "{by_schedule}");
    let told = stage.told.take();
    let failures = told.iter().filter_map(|event| match event {
        KeyEvent::Failed { in_a_row, .. } => Some(*in_a_row),
        _ => None,
    });
    assert!(failures.zip(1..).all(|(in_a_row, count)| in_a_row == count));
    let refreshed = |event: &&KeyEvent| matches!(event, KeyEvent::Refreshed { .. });
    let refreshed = told.iter().filter(refreshed).count();
    assert!(
        refreshed < 30,
        "{refreshed}: none while the schedule failed"
    );
}

#[tokio::test(start_paused = true)]
async fn t8_a_success_replaces_the_whole_set_and_a_set_without_a_usable_key_is_a_failure() {
    let mut stage = Stage::new(&[
        Step::Keys(&["a", "b", "-bad"]),
        Step::Keys(&["-bad", "-worse"]),
        Step::Keys(&[]),
        Step::Keys(&["b", "c"]),
    ]);
    stage.set.first_load().await.expect("keys");
    for _ in 0..3 {
        stage.next_fetch().await;
    }
    passes(Duration::from_millis(60)).await;
    assert!(stage.names.holds("a"), "the last good set stays");
    stage.next_fetch().await;
    passes(Duration::from_millis(60)).await;
    for (kid, held) in [("a", false), ("b", true), ("c", true)] {
        assert_eq!(stage.names.holds(kid), held, "{kid}");
    }
    assert_eq!(
        stage.told.take(),
        [
            KeyEvent::Refreshed {
                keys: 2,
                skipped: 1
            },
            failed(JwksErrorKind::NoUsableKey, 1),
            failed(JwksErrorKind::NoUsableKey, 2),
            KeyEvent::Refreshed {
                keys: 2,
                skipped: 0
            },
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn r9_the_task_ends_with_its_last_holder_and_a_fetch_under_way_with_it() {
    for (name, steps) in [
        ("between fetches", [Step::Keys(&["a"])]),
        ("in a fetch", [Step::Hangs]),
    ] {
        let mut stage = Stage::new(&steps);
        stage.next_fetch().await;
        passes(Duration::from_secs(1)).await;
        assert_eq!(tasks(), 1, "{name}");
        let set = Arc::new(stage.set);
        let other = Arc::clone(&set);
        drop(set);
        passes(Duration::from_millis(1)).await;
        assert_eq!(tasks(), 1, "{name}: somebody holds it");
        drop(other);
        passes(Duration::from_millis(1)).await;
        assert_eq!(tasks(), 0, "{name}");
        stage.dropped.try_recv().expect("the fetch was dropped");
    }
}

#[tokio::test(start_paused = true)]
async fn r9_a_set_that_is_dropped_before_its_first_load_ends_too() {
    let stage = Stage::new(&[Step::Hangs]);
    drop(stage.set);
    passes(Duration::from_millis(1)).await;
    assert_eq!(tasks(), 0);
}

#[test]
fn r9_when_the_runtime_ends_nobody_waits_and_nothing_is_fetched() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let (stage, waiting) = runtime.block_on(async {
        let mut stage = Stage::new(&[Step::Hangs]);
        stage.next_fetch().await;
        let waiting = stage.set.wait_for("new").expect("joins it");
        (stage, waiting)
    });
    drop(runtime);
    let other = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime without a timer");
    other.block_on(waiting);
    assert!(stage.set.wait_for("new").is_none());
    let error = other.block_on(stage.set.first_load()).expect_err("none");
    assert_eq!(error.kind(), JwksErrorKind::Stopped);
}

#[test]
fn r9_without_a_runtime_there_is_an_error_and_no_panic() {
    let error = RemoteKeys::jwks("http://127.0.0.1:9/keys")
        .start(
            Arc::new(Names::default()),
            Arc::new(crate::SystemClock::default()),
            None,
        )
        .expect_err("no runtime");
    assert_eq!(error, ConfigError::NoRuntime);
}

#[test]
#[should_panic(expected = "timers are disabled")]
fn r9_a_runtime_without_a_timer_is_found_at_once_and_not_in_the_task() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .expect("a runtime without a timer");
    let _inside = runtime.enter();
    let set = RemoteKeys::jwks("http://127.0.0.1:9/keys").start(
        Arc::new(Names::default()),
        Arc::new(crate::SystemClock::default()),
        None,
    );
    assert!(set.is_err(), "no panic");
}

#[tokio::test(start_paused = true)]
async fn r9_no_panic_ends_the_task() {
    struct Panics;

    impl Observer for Panics {
        fn on_key_event(&self, _: &KeyEvent) {
            panic!("told to");
        }
    }

    let takes = Duration::from_millis(50);
    let steps = [
        Step::Keys(&["a"]),
        Step::Keys(&["panic"]),
        Step::Keys(&["b"]),
    ];
    let told = Arc::new(Told::default());
    let mut stage = Stage::observed_by(&steps, takes, DAY, Arc::new(Panics), told);
    stage.set.first_load().await.expect("keys");
    for _ in 0..3 {
        stage.next_fetch().await;
    }
    passes(Duration::from_secs(1)).await;
    assert!(stage.names.holds("b"));

    let mut stage = Stage::new(&steps);
    for _ in 0..3 {
        stage.next_fetch().await;
    }
    assert_eq!(stage.told.take()[1], failed(JwksErrorKind::Panicked, 1));
}

#[tokio::test(start_paused = true)]
async fn t6_the_set_and_what_waits_for_it_can_be_sent_anywhere() {
    fn sendable<T: Send + Sync + 'static>(_: &T) {}

    let stage = Stage::new(&[Step::Hangs]);
    sendable(&stage.set);
    sendable(&stage.set.wait_for("new").expect("a place"));
    let _: fn(
        Shared,
        super::support::Play,
        super::super::schedule::Schedule,
    ) -> Result<RemoteKeySet, ConfigError> = RemoteKeySet::start;
    let clock = TokioClock::start();
    sendable(&clock);
}

#[test]
fn o1_a_pair_of_observers_and_an_arc_are_told_of_keys_too() {
    let told = [(); 2].map(|()| Arc::new(Told::default()));
    let pair = (Arc::clone(&told[0]), Arc::clone(&told[1]));
    let events = [KeyEvent::Unchanged, KeyEvent::UnknownKid { waits: true }];
    for event in &events {
        pair.on_key_event(event);
    }
    for told in told {
        assert_eq!(told.take(), events);
    }
    assert_eq!(
        events.map(|event| event.as_str()),
        ["unchanged", "unknown_kid"]
    );
}
