//! A component that was read and is not for this app.

use std::fmt;
use std::path::Path;

use super::problem::Place;
use crate::one_line::OneLine;
use crate::request::StoreName;

/// A component that the files declare for other apps or for another namespace.
///
/// It does not exist for this app. `Display` is `file:line: message`.
#[derive(Debug, Clone)]
pub struct Skipped {
    name: StoreName,
    place: Place,
    meant_for: String,
}

impl Skipped {
    pub(super) fn new(name: StoreName, place: Place, meant_for: String) -> Self {
        Self {
            name,
            place,
            meant_for,
        }
    }

    /// The name of the component.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The file that declares it, as its path was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// Whom it is for, in words: `the app "checkout"`, `the namespace "prod"`.
    #[must_use]
    pub fn meant_for(&self) -> &str {
        &self.meant_for
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meant_for = OneLine(&self.meant_for);
        write!(
            f,
            "{}: component {:?} is not loaded: it is for {meant_for}",
            self.place,
            self.name()
        )
    }
}
