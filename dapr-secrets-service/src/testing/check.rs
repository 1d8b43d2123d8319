//! The questions, each with the name that it is reported by.

use std::fmt;

macro_rules! checks {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// One question that a store is asked.
        ///
        /// Its `Display` is its name, which stays as it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Check {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Check {
            /// Every question.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name that it is reported by, such as `canonical-idempotent`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

checks! {
    /// The component type begins with `secretstores.` and goes on with a name.
    ComponentType = "component-type",
    /// Only features that exist are advertised, and none twice.
    Features = "features",
    /// The keys of request metadata are the store's own: no key that belongs to every store, and none twice.
    RequestMetadata = "request-metadata",
    /// Every known and every missing name has a canonical form.
    CanonicalAccepts = "canonical-accepts",
    /// The canonical form of a canonical form is itself.
    CanonicalIdempotent = "canonical-idempotent",
    /// A canonical form is a name: not empty, not longer than 2,048 bytes, without control characters.
    CanonicalIsName = "canonical-is-name",
    /// The canonical form depends on the name, and not on how often it is asked for or on `prefix`, `partial` and
    /// `refresh_cache`.
    CanonicalPure = "canonical-pure",
    /// A name without a canonical form is refused as `InvalidRequest`.
    CanonicalRefusal = "canonical-refusal",
    /// No two canonical names reach one secret: a list that denies one of them would not stop the other.
    OneName = "one-name",
    /// A known secret is answered with exactly its keys and values.
    GetKnown = "get-known",
    /// A missing secret is a miss: `NotFound`, `Unset` or `VersionNotFound`; no other error, and no empty answer.
    GetMissing = "get-missing",
    /// What is read is what the permit names, whatever the caller wrote.
    GetByPermit = "get-by-permit",
    /// Without the feature `MULTIPLE_KEY_VALUES_PER_SECRET` a secret has one key, called as the secret.
    Shape = "shape",
    /// Request metadata that means nothing to the store changes nothing, and nor do `partial` and `refresh_cache`.
    ForeignMetadata = "foreign-metadata",
    /// A call that its caller gives up leaves the store usable.
    DroppedCall = "dropped-call",
    /// A name that is odd is a miss, or refused as `InvalidRequest` or `Denied`; it breaks nothing.
    OddName = "odd-name",
    /// No error shows a value.
    ErrorText = "error-text",
    /// A bulk call is answered.
    BulkAnswers = "bulk-answers",
    /// With an allow list, a bulk call answers every name of it that there is, and leaves out the others without an error.
    BulkListed = "bulk-listed",
    /// A bulk call neither answers nor reports a name that its permit refuses.
    BulkScope = "bulk-scope",
    /// A bulk call keeps the names that start with `prefix`, all of them, and no other.
    BulkPrefix = "bulk-prefix",
    /// The names in a bulk answer are canonical.
    BulkCanonical = "bulk-canonical",
    /// A secret in a bulk answer is the one that `get` answers by that name.
    BulkEqualsGet = "bulk-equals-get",
    /// A bulk call that answers some of the known secrets answers all of them.
    BulkWhole = "bulk-whole",
    /// A store that can tell what it holds tells the truth.
    Knows = "knows",
    /// A store that nothing is wrong with does not call itself degraded.
    Degraded = "degraded",
    /// Looking for changes loses nothing.
    Refresh = "refresh",
    /// `canonical`, `get` and `bulk` do not panic.
    Panic = "panic",
    /// The `Debug` output shows no value; asked by `debug_shows_no_value`.
    Debug = "debug",
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
