//! Bulk calls.

use std::collections::BTreeSet;

use super::Check;
use super::get::check_shape;
use super::subject::{Failure, Subject};
use super::violation::Findings;
use crate::bulk::BulkSecrets;
use crate::request::{Metadata, SecretName};
use crate::scope::{Access, Scope};

pub(super) async fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let known: BTreeSet<&str> = subject
        .known
        .iter()
        .map(|known| known.canonical.as_str())
        .collect();
    check_open(subject, &known, findings).await;
    check_listed(subject, &known, findings).await;
    check_refused(subject, &known, findings).await;
    check_prefixes(subject, &known, findings).await;
}

/// No scope at all: the answer may be empty, for a store that lists nothing, but not incomplete.
async fn check_open(subject: &Subject<'_>, known: &BTreeSet<&str>, findings: &mut Findings) {
    let none = Metadata::default();
    let Some(answer) = bulk(
        subject,
        "without a scope",
        &Scope::default(),
        &none,
        findings,
    )
    .await
    else {
        return;
    };
    check_content(subject, &answer, findings).await;
    let names = names(&answer);
    let (there, gone): (Vec<&str>, Vec<&str>) =
        known.iter().partition(|name| names.contains(*name));
    if !there.is_empty() && !gone.is_empty() {
        findings.add(
            Check::BulkWhole,
            format!("a bulk call answers {there:?} and leaves out {gone:?}"),
        );
    }
}

/// An allow list of everything that is known and missing.
async fn check_listed(subject: &Subject<'_>, known: &BTreeSet<&str>, findings: &mut Findings) {
    let missing = subject.missing.iter().map(|(_, canonical)| &**canonical);
    let scope = Scope::only(known.iter().copied().chain(missing));
    let none = Metadata::default();
    let Some(answer) = bulk(subject, "with an allow list", &scope, &none, findings).await else {
        return;
    };
    check_content(subject, &answer, findings).await;
    for name in known {
        if answer.get(name).is_none() {
            findings.add(
                Check::BulkListed,
                format!("a bulk call leaves out {name:?}, which the allow list names"),
            );
        }
    }
    for (_, missing) in &subject.missing {
        if names(&answer).contains(&**missing) {
            findings.add(
                Check::BulkListed,
                format!(
                    "a bulk call answers or reports {missing:?}, which is missing: leave it out"
                ),
            );
        }
    }
}

/// Scopes that refuse something.
async fn check_refused(subject: &Subject<'_>, known: &BTreeSet<&str>, findings: &mut Findings) {
    let closed = Scope::default().with_default_access(Access::Deny);
    let mut scopes = vec![
        ("that denies everything".to_owned(), closed),
        (
            "with an empty allow list".to_owned(),
            Scope::only::<&str>([]),
        ),
    ];
    for name in known {
        let denied = Scope::default().add_denied(*name);
        scopes.push((format!("that denies {name:?}"), denied));
        let allowed = Scope::only([*name]);
        scopes.push((format!("that allows {name:?} alone"), allowed));
    }
    let none = Metadata::default();
    for (what, scope) in scopes {
        let what = format!("with a scope {what}");
        let Some(answer) = bulk(subject, &what, &scope, &none, findings).await else {
            continue;
        };
        // What the scope makes of a name is asked of the scope itself, in canonical form as it is here.
        let (scope, _) = crate::scope::CanonicalScope::new(&scope, subject.store);
        let permit = scope.check_bulk("");
        for name in names(&answer) {
            if permit.check(name).is_none() {
                findings.add(
                    Check::BulkScope,
                    format!("a bulk call {what} answers or reports {name:?}"),
                );
            }
        }
    }
}

/// Prefixes of every known name: nothing, its first character, all of it, and more than it.
async fn check_prefixes(subject: &Subject<'_>, known: &BTreeSet<&str>, findings: &mut Findings) {
    let none = Metadata::default();
    for scope in [Scope::default(), Scope::only(known.iter().copied())] {
        let Ok(whole) = subject.bulk(&scope, &none).await else {
            // It was asked for before.
            continue;
        };
        for name in known {
            let first: String = name.chars().take(1).collect();
            let more = format!("{name}{name}\u{10ffff}");
            for prefix in ["", &first, name, &more] {
                // A first key always fits.
                let metadata = none.clone().with("prefix", prefix).unwrap_or_default();
                let what = format!("with the prefix {prefix:?}");
                let Some(answer) = bulk(subject, &what, &scope, &metadata, findings).await else {
                    continue;
                };
                let answered = names(&answer);
                let mut expected = names(&whole);
                expected.retain(|name| name.starts_with(prefix));
                if answered != expected {
                    findings.add(
                        Check::BulkPrefix,
                        format!("a bulk call {what} answers {answered:?}, not {expected:?}"),
                    );
                }
            }
        }
    }
}

/// Names are canonical, and every secret is what `get` says.
async fn check_content(subject: &Subject<'_>, answer: &BulkSecrets, findings: &mut Findings) {
    let none = Metadata::default();
    for name in names(answer) {
        let canonical = subject.canonical(name, &none);
        if SecretName::check(name).is_err() || canonical.is_ok_and(|canonical| canonical != name) {
            findings.add(
                Check::BulkCanonical,
                format!("a bulk call answers {name:?}, which is not a canonical name"),
            );
            continue;
        }
        let single = subject.get(name, name, &none).await.ok();
        let is_same = match (answer.get(name), single) {
            (Some(secret), Some(single)) => {
                let pairs = |(key, value): (&str, &crate::secret::SecretValue)| {
                    (key.to_owned(), value.expose().to_owned())
                };
                secret.iter().map(pairs).eq(single.iter().map(pairs))
            }
            (None, None) => true,
            _ => false,
        };
        if !is_same {
            findings.add(
                Check::BulkEqualsGet,
                format!("a bulk call answers {name:?} otherwise than get({name:?})"),
            );
        }
        if let Some(secret) = answer.get(name) {
            let told = format!("{name:?} in a bulk answer");
            check_shape(subject, &told, secret, &[name], findings);
        }
    }
}

/// The names that are answered or reported as failed.
fn names(answer: &BulkSecrets) -> BTreeSet<&str> {
    let failed = answer.failed().map(|(name, _)| name);
    answer.iter().map(|(name, _)| name).chain(failed).collect()
}

async fn bulk(
    subject: &Subject<'_>,
    what: &str,
    scope: &Scope,
    metadata: &Metadata,
    findings: &mut Findings,
) -> Option<BulkSecrets> {
    match subject.bulk(scope, metadata).await {
        Ok(answer) => Some(answer),
        Err(failure) => {
            let check = match failure {
                Failure::Error(_) => Check::BulkAnswers,
                Failure::Panic => Check::Panic,
            };
            findings.add(check, format!("a bulk call {what} {}", failure.told()));
            None
        }
    }
}
