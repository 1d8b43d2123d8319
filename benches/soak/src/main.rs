//! A soak: token rotations under load over loopback, and every answer judged (`docs/spec/performance.md`, section 3).
//!
//! ```text
//! lane.rs     one set of tokens: by file or by hand, its servers, its clients, and who rotates
//!   mount.rs    the file, swapped as Kubernetes swaps a mounted Secret
//!   server.rs   the layer, held in the three ways in which frameworks hold it
//!   client.rs   requests with current, previous, ended and wrong tokens
//!   clock.rs    the time by which a token ends: it moves when the lane says so
//! ledger.rs   what is certain about a token, before a request and after it
//! report.rs   what was counted, and whether it is good
//! ```
//!
//! Half of the rotations goes through a file and `refresh()`, the other half through `rotate()`. An overlap ends because the
//! lane moves the clock, so that it is known to the moment which token must be accepted and which refused. What changes while
//! a request is under way may be judged either way, and is counted apart.
#![forbid(unsafe_code)]

mod client;
mod clock;
mod lane;
mod ledger;
mod mount;
mod report;
mod server;

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use tower_dapr_token::Overlap;

use crate::lane::{Kind, Lane, Pace};
use crate::report::Report;

/// How long a token is accepted after another one took its place, by the clock of the lane.
const OVERLAP: Duration = Duration::from_secs(3600);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Option<Vec<u64>> = arguments.iter().map(|text| text.parse().ok()).collect();
    let (rotations, seconds) = match numbers.as_deref() {
        Some([]) => (1_000, 60),
        Some([rotations, seconds]) if *rotations >= 20 => (*rotations, *seconds),
        _ => {
            drop(writeln!(
                io::stderr(),
                "usage: dapr-token-soak [ROTATIONS SECONDS]\n  1000 and 60 unless told otherwise; at least 20 rotations, and 0 seconds are as many as it takes"
            ));
            return ExitCode::from(2);
        }
    };
    let pace = match seconds {
        0 => Pace::Progress,
        seconds => Pace::Spread(Duration::from_secs(seconds)),
    };
    match soak(rotations, pace, Overlap::For(OVERLAP)) {
        Ok(report) => {
            drop(writeln!(io::stdout(), "{report}"));
            if report.faults().is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            drop(writeln!(io::stderr(), "the soak could not be run: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// So many rotations in all. The layers are built with `overlap`; the ledger believes [`OVERLAP`].
fn soak(rotations: u64, pace: Pace, overlap: Overlap) -> Result<Report, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let began = std::time::Instant::now();
    let rows = runtime.block_on(async {
        let by_file = Lane::start(Kind::File, overlap, pace).await?;
        let by_hand = Lane::start(Kind::Hand, overlap, pace).await?;
        let by_file = tokio::spawn(by_file.run(rotations / 2));
        let by_hand = by_hand.run(rotations - rotations / 2).await?;
        Ok::<_, Box<dyn Error + Send + Sync>>([by_file.await??, by_hand])
    });
    Ok(Report {
        rows: rows.map_err(|error| error.to_string())?.into(),
        took: began.elapsed(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The soak itself, as long as it takes and no longer.
    #[test]
    fn r7_r8_a_short_soak_accepts_and_refuses_nothing_wrongly() {
        let report = soak(40, Pace::Progress, Overlap::For(OVERLAP)).expect("it runs");
        assert_eq!(report.faults(), Vec::<String>::new(), "{report}");
    }

    /// Layers that keep a token for longer, or for no time at all, are found out: a soak that finds nothing means something.
    #[test]
    fn a_wrong_overlap_is_found() {
        for (overlap, expected) in [
            (Overlap::For(2 * OVERLAP), "wrongly accepted"),
            (Overlap::UntilRestart, "wrongly accepted"),
            (Overlap::None, "wrongly refused"),
        ] {
            let report = soak(20, Pace::Progress, overlap).expect("it runs");
            let faults = report.faults().join("\n");
            assert!(faults.contains(expected), "{overlap:?}: {faults}");
        }
    }
}
