//! Single secrets.

use super::Check;
use super::names;
use super::subject::{Failure, Known, Subject};
use super::violation::Findings;
use crate::request::Metadata;
use crate::secret::SecretMap;
use crate::store::StoreErrorKind;

/// The known secrets that are answered as they should be: what else is asked of the others would only fail for the same reason.
pub(super) async fn check<'s>(
    subject: &'s Subject<'s>,
    findings: &mut Findings,
) -> Vec<&'s Known<'s>> {
    let mut sound = Vec::new();
    for known in &subject.known {
        if check_known(subject, known, findings).await {
            sound.push(known);
        }
        check_spellings(subject, known, findings).await;
    }
    for (name, canonical) in &subject.missing {
        let told = format!("get({name:?}), which is missing,");
        match subject.get(canonical, name, &Metadata::default()).await {
            Ok(secret) => findings.add(
                Check::GetMissing,
                format!("{told} answered a secret with {} keys", secret.len()),
            ),
            Err(failure) => {
                note_text(subject, &told, &failure, findings);
                if !failure.is_miss() {
                    let check = or_panic(&failure, Check::GetMissing);
                    findings.add(check, format!("{told} {}", failure.told()));
                }
            }
        }
    }
    check_labels(subject, &sound, findings).await;
    for name in names::odd() {
        check_odd(subject, &name, findings).await;
    }
    for known in &sound {
        check_metadata(subject, known, findings).await;
    }
    sound
}

/// What is asked last, because it may change the store.
pub(super) async fn check_later(
    subject: &Subject<'_>,
    sound: &[&Known<'_>],
    findings: &mut Findings,
) {
    for known in sound {
        subject.begin(&known.canonical).await;
        let again = subject
            .get(&known.canonical, known.name, &Metadata::default())
            .await;
        if !again.is_ok_and(|secret| known.is(&secret)) {
            let name = known.name;
            findings.add(
                Check::DroppedCall,
                format!("get({name:?}) is answered otherwise after such a call was given up"),
            );
        }
    }
    check_knows(subject, findings);
    subject.store.refresh();
    for known in sound {
        let again = subject
            .get(&known.canonical, known.name, &Metadata::default())
            .await;
        if !again.is_ok_and(|secret| known.is(&secret)) {
            let name = known.name;
            findings.add(
                Check::Refresh,
                format!("get({name:?}) is answered otherwise after refresh()"),
            );
        }
    }
}

fn check_knows(subject: &Subject<'_>, findings: &mut Findings) {
    for known in &subject.known {
        if subject.store.knows(&known.canonical) == Some(false) {
            findings.add(
                Check::Knows,
                format!("knows({:?}) is false, and it is known", known.canonical),
            );
        }
    }
    for (_, canonical) in &subject.missing {
        if subject.store.knows(canonical) == Some(true) {
            findings.add(
                Check::Knows,
                format!("knows({canonical:?}) is true, and it is missing"),
            );
        }
    }
}

/// Whether it is answered as it should be.
async fn check_known(subject: &Subject<'_>, known: &Known<'_>, findings: &mut Findings) -> bool {
    let name = known.name;
    let told = format!("get({name:?})");
    let secret = match subject
        .get(&known.canonical, name, &Metadata::default())
        .await
    {
        Ok(secret) => secret,
        Err(failure) => {
            note_text(subject, &told, &failure, findings);
            let check = or_panic(&failure, Check::GetKnown);
            findings.add(check, format!("{told} {}", failure.told()));
            return false;
        }
    };
    if !known.is(&secret) {
        let keys = |keys: &[&str]| format!("{keys:?}");
        let answered: Vec<_> = secret.iter().map(|(key, _)| key).collect();
        let expected: Vec<_> = known.keys.iter().map(|(key, _)| *key).collect();
        let how = if answered == expected {
            format!("another value under one of the keys {}", keys(&answered))
        } else {
            format!("the keys {}, not {}", keys(&answered), keys(&expected))
        };
        findings.add(Check::GetKnown, format!("{told} answered {how}"));
    }
    check_shape(subject, &told, &secret, &[name, &known.canonical], findings);
    known.is(&secret)
}

async fn check_metadata(subject: &Subject<'_>, known: &Known<'_>, findings: &mut Findings) {
    for (key, value) in [
        ("x-conformance", "1"),
        ("partial", "true"),
        ("refresh_cache", "true"),
        ("prefix", "no name starts so"),
    ] {
        // A first key always fits.
        let metadata = Metadata::default().with(key, value).unwrap_or_default();
        let again = subject.get(&known.canonical, known.name, &metadata).await;
        if !again.is_ok_and(|secret| known.is(&secret)) {
            let name = known.name;
            findings.add(
                Check::ForeignMetadata,
                format!("get({name:?}) is answered otherwise with the request metadata `{key}`"),
            );
        }
    }
}

/// One key, and one of these names, unless the store advertises more.
pub(super) fn check_shape(
    subject: &Subject<'_>,
    told: &str,
    secret: &SecretMap,
    names: &[&str],
    findings: &mut Findings,
) {
    let mut keys = secret.iter().map(|(key, _)| key);
    let is_single = keys.len() == 1 && keys.all(|key| names.contains(&key));
    if !subject.is_multiple() && !is_single {
        findings.add(
            Check::Shape,
            format!(
                "{told} has not just one key that is called as the secret, and the store does not advertise \
                 MULTIPLE_KEY_VALUES_PER_SECRET"
            ),
        );
    }
}

/// Another spelling is another secret, or it has the canonical name of this one.
async fn check_spellings(subject: &Subject<'_>, known: &Known<'_>, findings: &mut Findings) {
    for spelling in names::other_spellings(known.name) {
        let Ok(canonical) = subject.canonical(&spelling, &Metadata::default()) else {
            continue;
        };
        if subject
            .known
            .iter()
            .any(|known| known.canonical == canonical)
        {
            continue;
        }
        let answer = subject
            .get(&canonical, &spelling, &Metadata::default())
            .await;
        match answer {
            Ok(secret) if !secret.is_empty() && known.has_values_of(&secret) => findings.add(
                Check::OneName,
                format!(
                    "{spelling:?} has the canonical name {canonical:?} and the value of {:?}: a scope that denies {:?} \
                     does not stop it",
                    known.name, known.canonical
                ),
            ),
            Ok(_) => {}
            Err(failure) => check_odd_failure(subject, &spelling, &failure, findings),
        }
    }
}

/// The name that the caller wrote is for labels alone.
async fn check_labels(subject: &Subject<'_>, sound: &[&Known<'_>], findings: &mut Findings) {
    let known = subject.known.iter().map(|known| known.name);
    let labels: Vec<_> = known
        .chain(subject.missing.iter().map(|(name, _)| *name))
        .collect();
    let none = Metadata::default();
    for label in labels {
        for known in sound {
            let answer = subject.get(&known.canonical, label, &none).await;
            if !answer.is_ok_and(|secret| known.has_values_of(&secret)) {
                findings.add(
                    Check::GetByPermit,
                    format!(
                        "a permit for {:?} does not read it when the caller wrote {label:?}",
                        known.canonical
                    ),
                );
            }
        }
        for (name, missing) in &subject.missing {
            // By its own name it was asked for before.
            if *name != label && subject.get(missing, label, &none).await.is_ok() {
                findings.add(
                    Check::GetByPermit,
                    format!(
                        "a permit for {missing:?}, which is missing, reads something when the caller wrote {label:?}"
                    ),
                );
            }
        }
    }
}

async fn check_odd(subject: &Subject<'_>, name: &str, findings: &mut Findings) {
    let Ok(canonical) = subject.canonical(name, &Metadata::default()) else {
        return;
    };
    if let Err(failure) = subject.get(&canonical, name, &Metadata::default()).await {
        check_odd_failure(subject, name, &failure, findings);
    }
}

fn check_odd_failure(
    subject: &Subject<'_>,
    name: &str,
    failure: &Failure,
    findings: &mut Findings,
) {
    let told = format!("get({name:?})");
    note_text(subject, &told, failure, findings);
    let is_refusal = matches!(
        failure.kind(),
        Some(StoreErrorKind::InvalidRequest | StoreErrorKind::Denied)
    );
    if !failure.is_miss() && !is_refusal {
        let check = or_panic(failure, Check::OddName);
        findings.add(check, format!("{told} {}", failure.told()));
    }
}

fn note_text(subject: &Subject<'_>, told: &str, failure: &Failure, findings: &mut Findings) {
    let Failure::Error(error) = failure else {
        return;
    };
    let shown = format!("{error} {error:?}");
    let mut values = subject.known.iter().flat_map(|known| &known.keys);
    if values.any(|(_, value)| !value.is_empty() && shown.contains(value)) {
        findings.add(
            Check::ErrorText,
            format!("{told} failed with an error that shows a value"),
        );
    }
}

fn or_panic(failure: &Failure, check: Check) -> Check {
    match failure {
        Failure::Error(_) => check,
        Failure::Panic => Check::Panic,
    }
}
