//! How many files, and so connections, the system lets this process open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the process needs beside its connections: listeners, pipes, the runtime's own, files that are read again.
const RESERVE: u64 = 32;

/// Raises the limit as far as it goes without a privilege, and gives how many of `wanted` connections fit into it; at
/// least one.
///
/// With fewer the oldest idle connection makes room; without this the next one would wait for a file.
pub(crate) fn connections(wanted: u32) -> usize {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        // Some systems tell of a limit that they do not grant; then the old one stays.
        let _ = setrlimit(Resource::Nofile, raised);
    }
    fit(wanted, getrlimit(Resource::Nofile).current)
}

fn fit(wanted: u32, files: Option<u64>) -> usize {
    let room = files.map_or(u64::MAX, |files| files.saturating_sub(RESERVE).max(1));
    let wanted = u64::from(wanted);
    if room < wanted {
        tracing::warn!(
            wanted,
            room,
            "the limit of open files leaves room for fewer connections than --max-connections"
        );
    }
    usize::try_from(room.min(wanted)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_g6_connections_leave_room_for_other_files() {
        let rows = [
            (1024, None, 1024),
            (1024, Some(20_000), 1024),
            (1024, Some(1024 + 32), 1024),
            (1024, Some(1024), 992),
            (1024, Some(33), 1),
            (1024, Some(32), 1),
            (1024, Some(0), 1),
            (1, Some(20_000), 1),
        ];
        for (wanted, files, expected) in rows {
            assert_eq!(fit(wanted, files), expected, "{wanted} {files:?}");
        }
    }
}
