//! Step 2: which secrets of a store this app may read, and the proof of it. The rules are those of
//! [`Scope`].

use std::collections::BTreeSet;

use crate::request::{InvalidRequest, Metadata, SecretName};
use crate::store::SecretStore;

/// What is answered for a secret that no list names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// The secret may be read. Dapr's default.
    #[default]
    Allow,
    /// The secret may not be read.
    Deny,
}

/// The scope of one store, as an operator writes it.
///
/// 1. A non-empty list of allowed secrets decides alone; else a listed denied secret is refused;
///    else the default access decides. These are Dapr's rules: an *empty* allow list is none.
/// 2. The check is made on the store's canonical name, before anything is read.
/// 3. Its proof is a [`Permit`], which nothing else can make.
/// 4. A bulk call carries a [`BulkPermit`]: the same function, name by name.
///
/// ```
/// use dapr_secrets_service::{Access, Scope};
///
/// // Nothing but these two; with an empty list, nothing at all.
/// let listed = Scope::only(["db:user", "db:password"]);
/// // Everything but this one.
/// let open = Scope::default().add_denied("root-key");
/// // Nothing at all.
/// let closed = Scope::default().with_default_access(Access::Deny);
/// # let _ = (listed, open, closed);
/// ```
///
/// # Security
///
/// Prefer an allow list: a secret that is added later is then closed until someone opens it, and
/// a misspelt entry closes too much rather than too little.
///
/// Entries are brought into canonical form when the engine is built. An entry that has none can
/// match no name: dropping an allowed one keeps the list, so that an allow list never turns into
/// "everything is allowed". A denied entry that the store says it does not know gives a warning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    default_access: Access,
    allowed: Vec<String>,
    denied: Vec<String>,
}

impl Scope {
    /// Allows these secrets and nothing else; an empty list allows nothing.
    #[must_use]
    pub fn only<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        names.into_iter().fold(
            Self::default().with_default_access(Access::Deny),
            Self::add_allowed,
        )
    }

    /// What is answered for a secret that no list names. An allow list makes it void.
    #[must_use]
    pub fn with_default_access(mut self, access: Access) -> Self {
        self.default_access = access;
        self
    }

    /// Allows a secret. From the first one on, nothing else is allowed.
    #[must_use]
    pub fn add_allowed(mut self, name: impl Into<String>) -> Self {
        self.allowed.push(name.into());
        self
    }

    /// Denies a secret. Void when an allow list is given.
    #[must_use]
    pub fn add_denied(mut self, name: impl Into<String>) -> Self {
        self.denied.push(name.into());
        self
    }

    pub(crate) fn entry(&self, entry: Entry) -> &str {
        match entry {
            Entry::Allowed(index) => &self.allowed[index],
            Entry::Denied(index) => &self.denied[index],
        }
    }
}

/// A scope with its entries in the store's canonical form; the only thing that makes permits.
#[derive(Debug, Default)]
pub(crate) struct CanonicalScope {
    default_access: Access,
    /// `None` when the scope has no allow list; an empty list allows nothing.
    allowed: Option<BTreeSet<Box<str>>>,
    denied: BTreeSet<Box<str>>,
}

/// Which of a scope's two lists an entry stands in, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Allowed(usize),
    Denied(usize),
}

/// Something about one entry of a scope.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum EntryFault {
    /// The store says that it can hold no secret of this name.
    NotCanonical(Entry, &'static str),
    /// A second entry of the same list with one canonical form.
    Repeated(Entry),
    /// A denied entry that the store does not have: as written it denies nothing.
    Unknown(Entry),
}

impl CanonicalScope {
    /// Brings every entry into canonical form, and reports what is odd about them.
    pub(crate) fn new(scope: &Scope, store: &dyn SecretStore) -> (Self, Vec<EntryFault>) {
        let mut faults = Vec::new();
        let mut canonical = |names: &[String], entry: fn(usize) -> Entry| {
            let mut list = BTreeSet::new();
            for (index, name) in names.iter().enumerate() {
                match canonical_entry(store, name) {
                    Err(reason) => faults.push(EntryFault::NotCanonical(entry(index), reason)),
                    Ok(name) => {
                        let entry = entry(index);
                        if matches!(entry, Entry::Denied(_)) && store.knows(&name) == Some(false) {
                            faults.push(EntryFault::Unknown(entry));
                        }
                        if !list.insert(name) {
                            faults.push(EntryFault::Repeated(entry));
                        }
                    }
                }
            }
            list
        };
        let allowed = canonical(&scope.allowed, Entry::Allowed);
        let denied = canonical(&scope.denied, Entry::Denied);
        let scope = Self {
            default_access: scope.default_access,
            allowed: (!scope.allowed.is_empty()).then_some(allowed),
            denied,
        };
        (scope, faults)
    }

    fn allows(&self, canonical: &str) -> bool {
        if let Some(allowed) = &self.allowed {
            return allowed.contains(canonical);
        }
        !self.denied.contains(canonical) && self.default_access == Access::Allow
    }

    /// The proof that `canonical` may be read, or `None` when it may not.
    pub(crate) fn check<'a>(
        &self,
        store: &'a str,
        requested: &'a str,
        canonical: &'a str,
    ) -> Option<Permit<'a>> {
        self.allows(canonical).then_some(Permit {
            store,
            name: canonical,
            requested,
        })
    }

    /// The proof that a bulk call asks name by name.
    pub(crate) fn check_bulk<'a>(&'a self, store: &'a str) -> BulkPermit<'a> {
        BulkPermit { store, scope: self }
    }
}

fn canonical_entry(store: &dyn SecretStore, name: &str) -> Result<Box<str>, &'static str> {
    SecretName::check(name).map_err(InvalidRequest::reason)?;
    store
        .canonical(name, &Metadata::default())
        .map(Into::into)
        .map_err(|error| match error.detail() {
            "" => "the store can hold no secret of this name",
            detail => detail,
        })
}

/// Proof that the scope lets one secret through. A store reads nothing without it.
///
/// It cannot be built outside the scope check, nor copied by a store to be used twice:
///
/// ```compile_fail
/// use dapr_secrets_service::Permit;
///
/// let forged = Permit { store: "vault", name: "root", requested: "root" };
/// ```
#[derive(Debug)]
pub struct Permit<'a> {
    store: &'a str,
    name: &'a str,
    requested: &'a str,
}

impl<'a> Permit<'a> {
    /// The name of the store, as its component is called.
    #[must_use]
    pub fn store(&self) -> &'a str {
        self.store
    }

    /// The canonical name of the secret: the one to ask the backend for.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The name as the caller wrote it: for labelling an answer, never for reading one.
    #[must_use]
    pub fn requested_name(&self) -> &'a str {
        self.requested
    }
}

/// Proof that a bulk call was checked: it says of each name whether the scope lets it through.
#[derive(Debug)]
pub struct BulkPermit<'a> {
    store: &'a str,
    scope: &'a CanonicalScope,
}

impl<'a> BulkPermit<'a> {
    /// The name of the store, as its component is called.
    #[must_use]
    pub fn store(&self) -> &'a str {
        self.store
    }

    /// Asks whether the secret of this canonical name may be read.
    #[must_use]
    pub fn check<'n>(&'n self, canonical: &'n str) -> Option<Permit<'n>> {
        self.scope.check(self.store, canonical, canonical)
    }

    /// A permit for each name of the allow list, when the scope has one: then the store reads
    /// exactly those names and lists nothing.
    #[must_use]
    pub fn listed(&self) -> Option<impl Iterator<Item = Permit<'a>>> {
        let store = self.store;
        let allowed = self.scope.allowed.as_ref()?;
        Some(allowed.iter().map(move |name| Permit {
            store,
            name,
            requested: name,
        }))
    }

    /// The same permit again, to check what came back.
    pub(crate) fn again(&self) -> Self {
        Self { ..*self }
    }
}
