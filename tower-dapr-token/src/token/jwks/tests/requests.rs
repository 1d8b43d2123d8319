//! Requests with unknown keys (`T7`): played fetches on the paused clock.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::time::Instant;

use super::super::task::Why;
use super::super::{KeySetSink, WaitForKeys};
use super::support::{DAY, Stage, Step, passes, tasks};
use crate::token::KeyEvent;

const MILLI: Duration = Duration::from_millis(1);

async fn loaded(steps: &[Step]) -> Stage {
    let mut stage = Stage::new(steps);
    stage.set.first_load().await.expect("keys");
    assert_eq!(stage.fetches(), [Why::Scheduled]);
    stage.told.take();
    stage
}

fn wait(stage: &Stage, kid: &str) -> WaitForKeys {
    stage.set.wait_for(kid).expect("it may wait")
}

/// Waits, and says for how long.
async fn waited(waiting: WaitForKeys) -> Duration {
    let start = Instant::now();
    waiting.await;
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn t7_at_a_rollover_requests_wait_for_the_one_fetch_and_find_the_new_key() {
    let mut stage = loaded(&[Step::Keys(&["old"]), Step::Keys(&["old", "new"])]).await;
    let waiting: Vec<_> = (0..100).map(|_| wait(&stage, "new")).collect();
    for waiting in waiting {
        assert!(waited(waiting).await <= Duration::from_millis(51));
        assert!(stage.names.holds("new"));
    }
    assert_eq!(stage.fetches(), [Why::UnknownKid]);
    let told = stage.told.take();
    assert_eq!(told[..100], vec![KeyEvent::UnknownKid { waits: true }; 100]);
    assert_eq!(
        told[100..],
        [KeyEvent::Refreshed {
            keys: 2,
            skipped: 0
        }]
    );
}

#[tokio::test(start_paused = true)]
async fn t7_a_rollover_right_after_a_scheduled_fetch_is_seen_too() {
    let stage = loaded(&[Step::Keys(&["old"]), Step::Keys(&["new"])]).await;
    wait(&stage, "new").await;
    assert!(stage.names.holds("new"));
}

#[tokio::test(start_paused = true)]
async fn t7_a_known_kid_never_waits_and_never_fetches() {
    let mut stage = loaded(&[Step::Keys(&["a"])]).await;
    for _ in 0..1000 {
        assert_eq!(waited(wait(&stage, "a")).await, Duration::ZERO);
    }
    passes(Duration::from_secs(60)).await;
    assert_eq!(stage.fetches(), []);
    assert_eq!(stage.told.take(), []);

    // Nor while something is fetched, nor in a full queue.
    let waiting: Vec<_> = (0..256).map(|_| wait(&stage, "b")).collect();
    passes(MILLI).await;
    assert_eq!(waited(wait(&stage, "a")).await, Duration::ZERO);
    drop(waiting);
}

#[tokio::test(start_paused = true)]
async fn t7_two_hundred_and_fifty_six_wait_more_are_refused_and_who_leaves_makes_room() {
    let mut stage = loaded(&[Step::Keys(&["a"]), Step::Hangs]).await;
    let mut waiting: Vec<_> = (0..256).map(|n| wait(&stage, &format!("{n}"))).collect();
    assert!(stage.set.wait_for("one more").is_none());
    passes(MILLI).await;
    assert!(stage.set.wait_for("one more").is_none());
    assert_eq!(stage.fetches(), [Why::UnknownKid]);
    // A client that goes away takes its request's future with it, polled or not.
    let mut polled = pin!(waiting.pop().expect("256"));
    assert!(
        polled
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    drop(waiting.pop());
    waiting.push(wait(&stage, "one more"));
    assert!(stage.set.wait_for("two more").is_none());
    drop(waiting);
    for _ in 0..255 {
        std::mem::forget(wait(&stage, "again"));
    }
    assert!(stage.set.wait_for("again").is_none());
}

#[tokio::test(start_paused = true)]
async fn t7_each_waits_for_one_second_at_most_from_its_own_beginning() {
    let mut stage = loaded(&[Step::Keys(&["a"]), Step::Hangs]).await;
    let first = tokio::spawn(waited(wait(&stage, "b")));
    passes(Duration::from_millis(700)).await;
    let second = tokio::spawn(waited(wait(&stage, "b")));
    passes(Duration::from_millis(600)).await;
    // The fetch is still under way, so that this one joins.
    let third = tokio::spawn(waited(wait(&stage, "c")));
    for waiting in [first, second, third] {
        let waited = waiting.await.expect("no panic").as_millis();
        assert!((1000..=1002).contains(&waited), "{waited}");
    }
    assert_eq!(stage.fetches(), [Why::UnknownKid]);
}

#[tokio::test(start_paused = true)]
async fn t7_who_waits_alone_after_others_left_has_its_second_too() {
    let stage = loaded(&[Step::Keys(&["a"]), Step::Hangs]).await;
    let left = wait(&stage, "b");
    passes(Duration::from_millis(300)).await;
    drop(left);
    let waited = waited(wait(&stage, "b")).await.as_millis();
    assert!((1000..=1002).contains(&waited), "{waited}");
}

#[tokio::test(start_paused = true)]
async fn t7_a_flood_of_unknown_kids_makes_one_fetch_in_thirty_seconds_whatever_comes_of_it() {
    for (name, step) in [("found nothing", Step::Unchanged), ("failed", Step::Fails)] {
        let mut stage = loaded(&[Step::Keys(&["a"]), step]).await;
        let start = Instant::now();
        // 10,000 in 100 s.
        for request in 0..10_000 {
            drop(stage.set.wait_for(&format!("kid-{request}")));
            passes(Duration::from_millis(10)).await;
        }
        // The clock of Tokio counts whole milliseconds.
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "{:?}",
            start.elapsed()
        );
        assert_eq!(stage.fetches(), [Why::UnknownKid; 4], "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn t7_a_failed_fetch_for_an_unknown_kid_moves_no_schedule() {
    let mut stage = loaded(&[Step::Keys(&["a"]), Step::Fails, Step::Unchanged]).await;
    let loaded_at = Instant::now();
    passes(Duration::from_secs(100)).await;
    wait(&stage, "b").await;
    let (why, _) = stage.next_fetch().await;
    assert_eq!(why, Why::UnknownKid);
    let (why, began) = stage.next_fetch().await;
    assert_eq!(why, Why::Scheduled);
    let gap = (began - loaded_at).as_secs();
    assert!((539..=660).contains(&gap), "{gap}");

    // While the schedule's own fetches fail, they go on as they would.
    let mut stage = Stage::new(&[Step::Fails]);
    for _ in 0..7 {
        stage.next_fetch().await;
    }
    passes(Duration::from_millis(100)).await;
    let last = Instant::now();
    drop(wait(&stage, "b"));
    assert_eq!(stage.next_fetch().await.0, Why::UnknownKid);
    let (why, began) = stage.next_fetch().await;
    assert_eq!(why, Why::Scheduled);
    assert!((44..=76).contains(&(began - last).as_secs()));
}

#[tokio::test(start_paused = true)]
async fn t7_a_successful_one_does_not_count_as_the_refresh() {
    let mut stage = loaded(&[Step::Keys(&["a"])]).await;
    let loaded_at = Instant::now();
    passes(Duration::from_secs(500)).await;
    wait(&stage, "b").await;
    assert_eq!(stage.next_fetch().await.0, Why::UnknownKid);
    let (why, began) = stage.next_fetch().await;
    assert_eq!(why, Why::Scheduled);
    let gap = (began - loaded_at).as_secs();
    assert!((539..=660).contains(&gap), "{gap}");
}

#[tokio::test(start_paused = true)]
async fn t7_requests_join_a_scheduled_fetch_and_those_before_the_first_keys_too() {
    let mut stage = Stage::with(&[Step::Keys(&["a"])], Duration::from_millis(400), DAY);
    let waited = waited(wait(&stage, "a")).await.as_millis();
    assert!((400..=402).contains(&waited), "{waited}");
    assert!(stage.names.holds("a"));
    assert_eq!(stage.fetches().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn t7_who_joins_a_scheduled_fetch_that_is_slow_waits_for_a_second_too() {
    let mut stage = Stage::new(&[Step::Hangs]);
    stage.next_fetch().await;
    passes(Duration::from_millis(100)).await;
    let waited = waited(wait(&stage, "a")).await.as_millis();
    assert!((1000..=1002).contains(&waited), "{waited}");
    assert_eq!(stage.fetches(), [], "one is enough");
}

#[tokio::test(start_paused = true)]
async fn t7_a_kid_that_was_just_not_found_is_refused_at_once_while_others_may_wait() {
    let stage = Stage::new(&[Step::Keys(&["a"])]);
    passes(MILLI).await;
    // Looked for in the first fetch of the schedule, which claims nothing.
    wait(&stage, "b").await;
    let waiting = wait(&stage, "c");
    passes(MILLI).await;
    assert!(stage.set.wait_for("b").is_none(), "just not found");
    drop(wait(&stage, "d"));
    waiting.await;
    assert!(stage.set.wait_for("d").is_none(), "in the pause");
    passes(Duration::from_secs(30)).await;
    wait(&stage, "b").await;
}

#[tokio::test(start_paused = true)]
async fn t7_a_look_whether_a_request_may_wait_fetches_nothing_and_tells_nobody() {
    let mut stage = loaded(&[Step::Keys(&["a"])]).await;
    stage.told.take();
    assert!(stage.set.may_wait("a"), "it is there by now");
    assert!(stage.set.may_wait("b"));
    passes(Duration::from_secs(1)).await;
    assert_eq!(stage.fetches(), []);
    assert_eq!(stage.told.take(), []);
    wait(&stage, "b").await;
    stage.told.take();
    assert!(!stage.set.may_wait("c"), "in the pause");
    stage.set.refuse();
    assert_eq!(
        stage.told.take(),
        [KeyEvent::UnknownKid { waits: false }],
        "as if it had asked"
    );
}

#[tokio::test(start_paused = true)]
async fn t7_who_waits_when_the_set_is_dropped_waits_no_more() {
    let stage = loaded(&[Step::Keys(&["a"]), Step::Hangs]).await;
    let waiting = tokio::spawn(waited(wait(&stage, "b")));
    passes(Duration::from_millis(100)).await;
    drop(stage.set);
    let waited = waiting.await.expect("no panic").as_millis();
    assert!((100..=102).contains(&waited), "{waited}");
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn t7_who_cannot_wait_has_the_one_fetch_begun_and_finds_a_key_that_came_meanwhile() {
    let mut stage = loaded(&[Step::Keys(&["old"]), Step::Keys(&["old", "new"])]).await;
    for _ in 0..100 {
        assert!(!stage.set.fetch_for_others("new"));
    }
    // It takes no place of those who wait, and they join it.
    let waiting: Vec<_> = (0..256).map(|_| wait(&stage, "new")).collect();
    assert!(!stage.set.fetch_for_others("new"), "nor is it kept out");
    for waiting in waiting {
        assert!(waited(waiting).await <= Duration::from_millis(51));
    }
    assert!(stage.set.fetch_for_others("new"), "there by now");
    assert_eq!(stage.fetches(), [Why::UnknownKid]);
    let told = stage.told.take();
    let refused = KeyEvent::UnknownKid { waits: false };
    assert_eq!(told.iter().filter(|event| **event == refused).count(), 101);

    assert!(!stage.set.fetch_for_others("none"));
    passes(Duration::from_secs(29)).await;
    assert_eq!(stage.fetches(), [], "in the pause");
    passes(Duration::from_secs(1)).await;
    assert!(!stage.set.fetch_for_others("none"));
    passes(Duration::from_millis(100)).await;
    assert_eq!(stage.fetches(), [Why::UnknownKid]);
}
