//! Reads the secrets that a component refers to: each once, whatever number of items use it.
//!
//! Scopes do not apply: they bind the app, and its operator wrote the reference.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::component::{Component, Plan};
use super::item::Item;
use super::problem::Report;
use super::secret_ref::SecretRef;
use super::suggest::did_you_mean;
use super::waiting::{Waiting, at_once, join_all};
use crate::bulk;
use crate::request::{Metadata, SecretName};
use crate::scope::CanonicalScope;
use crate::secret::SecretMap;
use crate::store::registry::Setting;
use crate::store::{SecretStore, StoreError, StoreErrorKind};

/// Most secrets that are read side by side for one component.
const SIDE_BY_SIDE: usize = 8;

/// The store that a component refers to.
pub(super) struct Needed<'a> {
    pub(super) name: &'a str,
    /// `None`: it could not be made.
    pub(super) store: Option<&'a dyn SecretStore>,
    /// Whether that is an error which has been reported.
    pub(super) is_told: bool,
}

/// What came of asking for a secret.
enum Fetched {
    Answer(SecretMap),
    /// It will not be there when it is asked for again: [`StoreError`]'s definite kinds.
    Missed(StoreError),
    /// It may be there the next time.
    PutOff(StoreError),
    /// The store does not answer at once, and nobody waits for it.
    MustWait,
}

/// The settings of a component, with the values of its references; `None` after reporting which of
/// them cannot be had. `namespace` is that of the component.
pub(super) async fn settings(
    component: &Component,
    needed: Option<Needed<'_>>,
    namespace: Option<&str>,
    waiting: Waiting,
    report: &mut Report,
) -> Option<Vec<Setting>> {
    let (store_name, secrets) = match needed {
        None if component.refers() => return None,
        None => ("", BTreeMap::new()),
        Some(Needed {
            name,
            store: Some(store),
            ..
        }) => (
            name,
            fetch_all(component, (name, store), namespace, waiting).await,
        ),
        Some(Needed { name, is_told, .. }) => {
            if !is_told {
                let message = format!(
                    "component {:?} waits for the secret store {name:?}, which is not ready",
                    component.name.as_str()
                );
                match component.plan {
                    Plan::Values => report.strict(&component.place, message),
                    _ => report.warn(&component.place, message),
                }
            }
            return None;
        }
    };
    for (secret, fetched) in &secrets {
        match fetched {
            Fetched::PutOff(error) => {
                let message = format!("waits for the secret {secret:?} of the store {store_name:?}: {error}");
                put_off(component, &message, report);
            }
            Fetched::MustWait if waiting == Waiting::Never => report.error(
                &component.place,
                format!(
                    "component {:?} needs the secret {secret:?} of the store {store_name:?}, which must be waited for: use the `_async` function",
                    component.name.as_str()
                ),
            ),
            Fetched::Answer(_) | Fetched::Missed(_) | Fetched::MustWait => {}
        }
    }
    let mut is_whole = true;
    let mut settings = Vec::with_capacity(component.items.len());
    for item in &component.items {
        let value = item.reference().and_then(|reference| {
            let fetched = secrets.get(reference.secret.as_str())?;
            let found = value(fetched, reference, store_name)?;
            let refused = |reason: String| refuse(component, item, reference, &reason, report);
            found.map_err(refused).ok()
        });
        is_whole &= !item.is_unusable() && (value.is_some() || item.reference().is_none());
        settings.push(item.setting(value));
    }
    is_whole.then_some(settings)
}

async fn fetch_all<'c>(
    component: &'c Component,
    (store_name, store): (&str, &dyn SecretStore),
    namespace: Option<&str>,
    waiting: Waiting,
) -> BTreeMap<&'c str, Fetched> {
    let references = component.items.iter().filter_map(Item::reference);
    let mut names: Vec<&str> = references.map(|reference| &*reference.secret).collect();
    names.sort_unstable();
    names.dedup();
    let mut metadata = Metadata::default();
    if let Some(namespace) = namespace
        && store.request_metadata().contains(&"namespace")
    {
        // The first key of 32 always finds room.
        let _ = metadata.insert("namespace", namespace);
    }
    let mut all = BTreeMap::new();
    for some in names.chunks(SIDE_BY_SIDE) {
        let fetches = some
            .iter()
            .map(|name| fetch(store_name, store, name, &metadata, waiting));
        let fetched = join_all(fetches).await;
        all.extend(some.iter().copied().zip(fetched));
    }
    all
}

async fn fetch(
    store_name: &str,
    store: &dyn SecretStore,
    name: &str,
    metadata: &Metadata,
    waiting: Waiting,
) -> Fetched {
    let unscoped = CanonicalScope::default();
    let canonical = SecretName::check(name)
        .map_err(StoreError::from)
        .and_then(|()| store.canonical(name, metadata));
    let answer = match &canonical {
        Err(error) => Err(error.clone()),
        Ok(canonical) => {
            let Some(permit) = unscoped.check(store_name, name, canonical) else {
                return Fetched::Missed(StoreError::new(StoreErrorKind::Denied, ""));
            };
            let answer = store.get(permit, metadata);
            let answer = match waiting {
                Waiting::Patient => Some(answer.await),
                Waiting::Never | Waiting::PassOver => at_once(answer),
            };
            let Some(answer) = answer else {
                return Fetched::MustWait;
            };
            answer.and_then(|secret| bulk::check_size(&secret).map(|()| secret))
        }
    };
    match answer {
        Ok(secret) => Fetched::Answer(secret),
        Err(error) if is_definite(error.kind()) => Fetched::Missed(error),
        Err(error) => Fetched::PutOff(error),
    }
}

/// Whether asking again would be of no use.
fn is_definite(kind: StoreErrorKind) -> bool {
    match kind {
        StoreErrorKind::NotFound
        | StoreErrorKind::Unset
        | StoreErrorKind::VersionNotFound
        | StoreErrorKind::Denied
        | StoreErrorKind::InvalidRequest
        | StoreErrorKind::Corrupt => true,
        StoreErrorKind::Throttled
        | StoreErrorKind::Timeout
        | StoreErrorKind::Unavailable
        | StoreErrorKind::Misconfigured => false,
    }
}

/// A store that cannot have its values yet is known and not ready. Values alone are asked for once, so
/// that nothing would come of waiting.
fn put_off(component: &Component, message: &str, report: &mut Report) {
    let message = format!("component {:?} {message}", component.name.as_str());
    match component.plan {
        Plan::Values => report.error(&component.place, message),
        _ => report.warn(&component.place, message),
    }
}

/// The value that a reference stands for, or what is wrong with it in words; `None` when it is not known yet.
fn value(
    fetched: &Fetched,
    reference: &SecretRef,
    store: &str,
) -> Option<Result<Zeroizing<String>, String>> {
    let SecretRef { secret, key, .. } = reference;
    let whole = match fetched {
        Fetched::PutOff(_) | Fetched::MustWait => return None,
        Fetched::Missed(error) => return Some(Err(missed(error, secret, store))),
        Fetched::Answer(whole) => whole,
    };
    let Some(value) = whole.get(key) else {
        let keys: Vec<_> = whole.iter().map(|(key, _)| key).collect();
        let hint = match &keys[..] {
            [] => ": it has no keys at all".to_owned(),
            [only] => format!(": its only key is {only:?}"),
            _ => did_you_mean(key, &keys),
        };
        return Some(Err(format!(
            "the secret {secret:?} of the store {store:?} has no key {key:?}{hint}"
        )));
    };
    if value.expose().is_empty() {
        return Some(Err(format!(
            "the secret {secret:?} of the store {store:?} is empty under the key {key:?}: give it a value"
        )));
    }
    Some(Ok(Zeroizing::new(value.expose().to_owned())))
}

fn missed(error: &StoreError, secret: &str, store: &str) -> String {
    let said = match error.kind() {
        StoreErrorKind::Denied => {
            format!("the store {store:?} refuses the secret {secret:?}: grant the right to read it")
        }
        StoreErrorKind::InvalidRequest => {
            format!("the store {store:?} can hold no secret {secret:?}: correct the name")
        }
        StoreErrorKind::Corrupt => {
            format!("the store {store:?} holds a secret {secret:?} that cannot be read as text")
        }
        _ => {
            format!("the store {store:?} has no secret {secret:?}: add it, or correct the name")
        }
    };
    match error.detail() {
        "" => said,
        detail => format!("{said} ({detail})"),
    }
}

fn refuse(
    component: &Component,
    item: &Item,
    reference: &SecretRef,
    reason: &str,
    report: &mut Report,
) {
    report.strict(
        &component.place.line(reference.line),
        format!(
            "component {:?}, metadata key {:?}: secretKeyRef: {reason}",
            component.name.as_str(),
            item.key
        ),
    );
}
