//! What a store says of itself.

use std::collections::BTreeSet;

use super::Check;
use super::violation::Findings;
use crate::engine::COMMON_KEYS;
use crate::store::{MULTIPLE_KEY_VALUES_PER_SECRET, SecretStore};

pub(super) fn check(store: &dyn SecretStore, findings: &mut Findings) {
    let component_type = store.component_type();
    let name = component_type.strip_prefix("secretstores.");
    if name.is_none_or(|name| {
        name.is_empty()
            || name
                .chars()
                .any(|char| char.is_control() || char.is_whitespace())
    }) {
        findings.add(
            Check::ComponentType,
            format!("{component_type:?} is not `secretstores.` and a name"),
        );
    }
    let mut seen = BTreeSet::new();
    for feature in store.features() {
        if *feature != MULTIPLE_KEY_VALUES_PER_SECRET {
            findings.add(Check::Features, format!("there is no feature {feature:?}"));
        }
        if !seen.insert(*feature) {
            findings.add(Check::Features, format!("{feature:?} stands twice"));
        }
    }
    let mut seen = BTreeSet::new();
    for key in store.request_metadata() {
        if COMMON_KEYS.contains(key) {
            findings.add(
                Check::RequestMetadata,
                format!("{key:?} belongs to every store and is not listed"),
            );
        }
        if key.is_empty() || !seen.insert(*key) {
            findings.add(
                Check::RequestMetadata,
                format!("{key:?} is empty or stands twice"),
            );
        }
    }
    if store.is_degraded() {
        findings.add(
            Check::Degraded,
            "the store says that it serves what it read earlier".to_owned(),
        );
    }
}
