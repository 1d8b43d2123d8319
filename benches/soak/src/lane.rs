//! [`Lane`]: one set of tokens, its servers and clients, and who rotates.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use tower_dapr_token::{Overlap, Reloaded, RequireTokenLayer, TokenHandle, TokenSet};

use crate::OVERLAP;
use crate::client::{Client, ClientError, token};
use crate::clock::Moved;
use crate::ledger::Ledger;
use crate::mount::Mount;
use crate::report::{Counts, Row};
use crate::server::{Holding, Protocol, serve};

/// How tokens change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A mounted file is swapped, and `refresh()` reads it.
    File,
    /// `rotate()`.
    Hand,
}

/// How fast.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// Over this time, and new content settles as it does in earnest.
    Spread(Duration),
    /// As soon as every client looked at the last change.
    Progress,
}

pub(crate) struct Lane {
    kind: Kind,
    pace: Pace,
    clock: Arc<Moved>,
    ledger: Arc<Ledger>,
    handle: TokenHandle,
    /// Where the tokens come from, if it is a file.
    mount: Option<Mount>,
    stop: Arc<AtomicBool>,
    rounds: Vec<Arc<AtomicU64>>,
    clients: Vec<JoinHandle<Result<Counts, ClientError>>>,
}

/// A rotation that did not do what it was to do.
#[derive(Debug)]
struct NotRotated(String);

impl Lane {
    /// Starts the servers, and a client on each.
    pub(crate) async fn start(
        kind: Kind,
        overlap: Overlap,
        pace: Pace,
    ) -> Result<Self, ClientError> {
        let clock = Arc::new(Moved::new(matches!(pace, Pace::Spread(_))));
        let builder = TokenHandle::builder().overlap(overlap).clock(clock.clone());
        let (builder, mount) = match kind {
            Kind::Hand => (builder.tokens(TokenSet::new(token(0).parse()?)), None),
            Kind::File => {
                let mount = Mount::new(&token(0))?;
                (builder.file(mount.token()), Some(mount))
            }
        };
        let handle = builder.build()?;
        let layer = RequireTokenLayer::builder()
            .reader(handle.reader())
            .build()?;
        let mut lane = Self {
            kind,
            pace,
            clock,
            ledger: Arc::default(),
            handle,
            mount,
            stop: Arc::default(),
            rounds: Vec::new(),
            clients: Vec::new(),
        };
        for (holding, protocol) in [
            (Holding::Router, Protocol::Http1),
            (Holding::PerRequest, Protocol::Http1),
            (Holding::PerRequest, Protocol::Http2),
            (Holding::PerConnection, Protocol::Http1),
            (Holding::PerConnection, Protocol::Http2),
        ] {
            let rounds = Arc::<AtomicU64>::default();
            let client = Client {
                address: serve(&layer, holding, protocol).await?,
                holding,
                protocol,
                ledger: Arc::clone(&lane.ledger),
                stop: Arc::clone(&lane.stop),
                rounds: Arc::clone(&rounds),
            };
            lane.rounds.push(rounds);
            lane.clients.push(tokio::spawn(client.run()));
        }
        Ok(lane)
    }

    /// Rotates so many times, then gives what the clients saw.
    pub(crate) async fn run(mut self, rotations: u64) -> Result<Row, ClientError> {
        let began = Instant::now();
        for number in 1..=rotations {
            self.rotate(number).await?;
            let next = self.due(began, number, rotations);
            self.rest(
                next.map(|next| {
                    Instant::now() + next.saturating_duration_since(Instant::now()) / 2
                }),
            )
            .await?;
            // Every fourth token stays until the next one comes, so that there are two previous ones.
            if !number.is_multiple_of(4) {
                self.end_previous(number);
                self.rest(next).await?;
            }
        }
        self.stop.store(true, Ordering::Relaxed);
        let mut counts = Counts::default();
        for client in self.clients {
            counts.add(client.await??);
        }
        let lane = match self.kind {
            Kind::File => "by file",
            Kind::Hand => "by hand",
        };
        Ok(Row {
            lane,
            rotations,
            counts,
        })
    }

    async fn rotate(&mut self, number: u64) -> Result<(), ClientError> {
        self.ledger.begin(number);
        match &mut self.mount {
            None => self.handle.rotate(token(number).parse()?)?,
            Some(mount) => {
                // Somebody blunders now and then: the last good token stays.
                if number.is_multiple_of(10) {
                    mount.swap("\n")?;
                    let handle = self.handle.clone();
                    if let Ok(reloaded) =
                        tokio::task::spawn_blocking(move || handle.refresh()).await?
                    {
                        return Err(NotRotated(format!("an empty file was {reloaded:?}")).into());
                    }
                }
                mount.swap(&token(number))?;
                let handle = self.handle.clone();
                let reloaded = tokio::task::spawn_blocking(move || handle.refresh()).await??;
                if reloaded != Reloaded::Changed {
                    return Err(NotRotated(format!("token {number} was {reloaded:?}")).into());
                }
            }
        }
        self.ledger.publish(number);
        Ok(())
    }

    /// Ends the previous tokens: mostly because their time is over, sometimes because they are revoked.
    fn end_previous(&self, number: u64) {
        let current = self.ledger.begin_end();
        if number % 10 == 5 {
            let _ = self.handle.revoke_previous();
        } else {
            self.clock.advance(OVERLAP);
        }
        self.ledger.end(current);
    }

    /// When the rotation after this one is due.
    fn due(&self, began: Instant, number: u64, rotations: u64) -> Option<Instant> {
        match self.pace {
            Pace::Progress => None,
            Pace::Spread(time) => Some(began + time.mul_f64(number as f64 / rotations as f64)),
        }
    }

    /// Until then, and until every client asked with every kind of token.
    async fn rest(&self, until: Option<Instant>) -> Result<(), ClientError> {
        let seen: Vec<u64> = self
            .rounds
            .iter()
            .map(|rounds| rounds.load(Ordering::SeqCst))
            .collect();
        if let Some(until) = until {
            tokio::time::sleep_until(until).await;
        }
        for ((rounds, seen), client) in self.rounds.iter().zip(seen).zip(&self.clients) {
            // A round that was under way, and a whole one.
            while rounds.load(Ordering::SeqCst) < seen + 2 {
                if client.is_finished() {
                    return Err(NotRotated("a client gave up".to_owned()).into());
                }
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }
}

impl fmt::Display for NotRotated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotRotated {}
