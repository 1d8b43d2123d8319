//! In place of `watch.rs` where files are not watched: without the feature `inotify`, and on other systems than
//! Linux.

use super::reload::Reloader;

/// There is none: files are polled.
pub(super) enum Watch {}

impl Watch {
    pub(super) fn begin(_: &Reloader) -> Option<Self> {
        None
    }

    pub(super) fn renew(&self, _: &Reloader) {
        match *self {}
    }

    pub(super) async fn changed(&self) {
        match *self {}
    }
}
