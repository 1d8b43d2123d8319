//! In place of `watch.rs` where files are not watched: without the feature `inotify`, and on other systems than
//! Linux.

use super::task::Reload;

/// There is none: files are polled.
pub(super) enum Watch {}

impl Watch {
    pub(super) fn begin(_: &dyn Reload) -> Option<Self> {
        None
    }

    pub(super) fn renew(&self, _: &dyn Reload) {
        match *self {}
    }

    pub(super) async fn changed(&self) {
        match *self {}
    }
}
