//! What a command prints as its result: all of it at once, and an error if it cannot be written.

use std::io::{self, Write};

use crate::error::StartError;

/// Writes `text`, which ends with a line feed.
///
/// In one piece it passes through the buffer of stdout without staying there.
///
/// # Errors
///
/// [`StartError::Output`]: a result that nobody got is no success.
pub(crate) fn write(text: &[u8]) -> Result<(), StartError> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text)
        .and_then(|()| stdout.flush())
        .map_err(StartError::Output)
}
