//! Canonical names.

use super::Check;
use super::names;
use super::subject::{Failure, Subject};
use super::violation::Findings;
use crate::request::{Metadata, SecretName};
use crate::store::StoreErrorKind;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let none = Metadata::default();
    let known = subject.known.iter().map(|known| known.name.to_owned());
    let missing = subject.missing.iter().map(|(name, _)| (*name).to_owned());
    let spellings = subject
        .known
        .iter()
        .flat_map(|known| names::other_spellings(known.name));
    for name in known.chain(missing).chain(spellings).chain(names::odd()) {
        match subject.canonical(&name, &none) {
            Ok(canonical) => one(subject, &name, &canonical, findings),
            Err(failure) => refused(&name, &failure, findings),
        }
    }
}

fn one(subject: &Subject<'_>, name: &str, canonical: &str, findings: &mut Findings) {
    if let Err(fault) = SecretName::check(canonical) {
        return findings.add(
            Check::CanonicalIsName,
            format!("canonical({name:?}) is {canonical:?}: {fault}"),
        );
    }
    let none = Metadata::default();
    match subject.canonical(canonical, &none) {
        Ok(twice) if twice == canonical => {}
        Ok(twice) => findings.add(
            Check::CanonicalIdempotent,
            format!("canonical({name:?}) is {canonical:?}, and canonical of that is {twice:?}"),
        ),
        Err(failure) => findings.add(
            Check::CanonicalIdempotent,
            format!(
                "canonical({name:?}) is {canonical:?}, and canonical of that {}",
                failure.told()
            ),
        ),
    }
    for (key, value) in [
        ("", ""),
        ("prefix", "p"),
        ("partial", "true"),
        ("refresh_cache", "true"),
    ] {
        // A first key always fits.
        let metadata = none.clone().with(key, value).unwrap_or_default();
        let again = subject.canonical(name, &metadata);
        if again.is_ok_and(|again| again == canonical) {
            continue;
        }
        let circumstance = match key {
            "" => "asked for once more".to_owned(),
            key => format!("with the request metadata `{key}`"),
        };
        findings.add(
            Check::CanonicalPure,
            format!("canonical({name:?}) is another one when {circumstance}"),
        );
    }
}

fn refused(name: &str, failure: &Failure, findings: &mut Findings) {
    let check = match failure.kind() {
        Some(StoreErrorKind::InvalidRequest) => return,
        Some(_) => Check::CanonicalRefusal,
        None => Check::Panic,
    };
    let told = failure.told();
    findings.add(check, format!("canonical({name:?}) {told}"));
}
