//! Types that are known and were left out of this build: each names the feature that adds it.

use super::registry::{Kind, Support};

#[cfg(not(feature = "file"))]
pub(crate) const LOCAL_FILE: Kind = Kind {
    name: "local.file",
    support: Support::NeedsFeature("file"),
};

#[cfg(not(feature = "env"))]
pub(crate) const LOCAL_ENV: Kind = Kind {
    name: "local.env",
    support: Support::NeedsFeature("env"),
};
