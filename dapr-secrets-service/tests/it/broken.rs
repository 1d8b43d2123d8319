//! A store that keeps the contract but for one fault, as an implementer might make it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use dapr_secrets_service::{
    BulkPermit, BulkSecrets, MULTIPLE_KEY_VALUES_PER_SECRET, Metadata, Permit, SecretMap,
    SecretStore, StoreError, StoreErrorKind, StoreFuture,
};

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Nothing,
    ForeignType,
    UnnamedType,
    UnknownFeature,
    FeatureTwice,
    ListsCommonKey,
    ListsKeyTwice,
    IsDegraded,
    RefusesWhatItHolds,
    GrowsCanonical,
    RefusesItsCanonical,
    EmptiesCanonical,
    CountsCanonical,
    FoldsByPrefix,
    RefusesAsNotFound,
    BackendIgnoresCase,
    BackendDropsSlash,
    BackendDropsQuery,
    AnswersAnother,
    MisnamesKey,
    LosesAKey,
    FailsToGet,
    EmptyForMissing,
    MissingIsUnavailable,
    ReadsByLabel,
    SeveralKeys,
    RefusesForeignMetadata,
    FiltersGet,
    StaysBusy,
    BreaksOnOddNames,
    TellsTheValue,
    FailsToList,
    ListsWithoutAllowed,
    ReportsMissing,
    IgnoresPermit,
    ReportsRefused,
    IgnoresPrefix,
    ListsRawNames,
    ListsOtherValues,
    ListsOneAlone,
    ListsWhatIsNotThere,
    ForgetsWhatItHolds,
    KnowsEverything,
    LosesOnRefresh,
    PanicsOnCanonical,
    PanicsOnCall,
    PanicsOnPoll,
    PanicsOnBulk,
}

/// The values are names of nothing else.
pub(crate) const KNOWN: &[(&str, &[(&str, &str)])] = &[
    ("db:password", &[("db:password", "correct-horse")]),
    ("db:user", &[("db:user", "tr0ub4dor")]),
    // Another spelling of the same: names are folded to lower case.
    ("DB:User", &[("DB:User", "tr0ub4dor")]),
    ("redis", &[("redis", "hunter2")]),
];

pub(crate) const MISSING: &[&str] = &["db:host", "Nothing"];

const NOT_FOUND: StoreError = StoreError::new(StoreErrorKind::NotFound, "");

/// Its names are in lower case; it answers after it has waited once.
pub(crate) struct Broken {
    fault: Fault,
    content: BTreeMap<String, String>,
    asked: AtomicUsize,
    is_busy: AtomicBool,
    is_lost: AtomicBool,
}

impl Broken {
    pub(crate) fn new(fault: Fault) -> Self {
        let content = KNOWN
            .iter()
            .map(|(name, keys)| (name.to_lowercase(), keys[0].1.to_owned()));
        Self {
            fault,
            content: content.collect(),
            asked: AtomicUsize::new(0),
            is_busy: AtomicBool::new(false),
            is_lost: AtomicBool::new(false),
        }
    }

    fn find(&self, name: &str) -> Result<&str, StoreError> {
        if self.is_lost.load(Ordering::Relaxed) {
            return Err(NOT_FOUND);
        }
        let read = match self.fault {
            Fault::BackendIgnoresCase => Cow::Owned(name.to_lowercase()),
            Fault::BackendDropsSlash => Cow::Borrowed(name.trim_end_matches('/')),
            Fault::BackendDropsQuery => {
                Cow::Borrowed(name.split_once('?').map_or(name, |(name, _)| name))
            }
            _ => Cow::Borrowed(name),
        };
        let value = self.content.get(&*read).ok_or(NOT_FOUND)?;
        Ok(match self.fault {
            Fault::AnswersAnother if name == "redis" => "another",
            _ => value,
        })
    }

    fn read(&self, name: &str, label: &str, metadata: &Metadata) -> Result<SecretMap, StoreError> {
        let fail = |kind| Err(StoreError::new(kind, ""));
        let value = match (self.fault, self.find(name)) {
            (Fault::ReadsByLabel, _) => self.find(&label.to_lowercase())?,
            (Fault::EmptyForMissing, Err(_)) => return Ok([("", ""); 0].into_iter().collect()),
            (Fault::MissingIsUnavailable, Err(_)) => return fail(StoreErrorKind::Unavailable),
            (Fault::TellsTheValue, Err(_)) => {
                return Err(StoreError::new(
                    StoreErrorKind::NotFound,
                    "only hunter2 is there",
                ));
            }
            (_, found) => found?,
        };
        match self.fault {
            Fault::FailsToGet => fail(StoreErrorKind::Timeout),
            Fault::FiltersGet if !name.starts_with(metadata.prefix()) => Err(NOT_FOUND),
            Fault::RefusesForeignMetadata if metadata.get("x-conformance").is_some() => {
                fail(StoreErrorKind::InvalidRequest)
            }
            Fault::MisnamesKey => Ok(SecretMap::single("value", value)),
            Fault::LosesAKey => Ok([("", ""); 0].into_iter().collect()),
            Fault::SeveralKeys => Ok([(label, value), ("version", "1")].into_iter().collect()),
            _ => Ok(SecretMap::single(label, value)),
        }
    }

    fn read_all(
        &self,
        permit: &BulkPermit<'_>,
        metadata: &Metadata,
    ) -> Result<BulkSecrets, StoreError> {
        let mut answer = BulkSecrets::default();
        let listed: Option<Vec<String>> = permit
            .listed()
            .map(|listed| listed.map(|permit| permit.name().to_owned()).collect());
        if self.fault == Fault::FailsToList && listed.is_none() {
            return Err(StoreError::new(StoreErrorKind::Denied, ""));
        }
        if self.fault == Fault::ListsWithoutAllowed && listed.is_some() {
            return Ok(answer);
        }
        let all = || self.content.keys().cloned().collect();
        let mut names = match (self.fault, listed) {
            (Fault::IgnoresPermit, _) | (_, None) => all(),
            (_, Some(listed)) => listed,
        };
        if self.fault == Fault::ListsWhatIsNotThere {
            names.push("phantom".to_owned());
        }
        if self.fault == Fault::ListsOneAlone {
            names.truncate(1);
        }
        for name in names {
            let prefix = metadata.prefix();
            if self.fault != Fault::IgnoresPrefix && !name.starts_with(prefix) {
                continue;
            }
            if self.fault != Fault::IgnoresPermit && permit.check(&name).is_none() {
                if self.fault == Fault::ReportsRefused {
                    answer.add_failure(&name, NOT_FOUND);
                }
                continue;
            }
            let found = match self.fault {
                Fault::ListsWhatIsNotThere if name == "phantom" => {
                    Ok(SecretMap::single("phantom", "boo"))
                }
                Fault::ListsOtherValues => Ok(SecretMap::single(name.as_str(), "stale")),
                _ => self.read(&name, &name, &Metadata::default()),
            };
            match found {
                Ok(secret) if self.fault == Fault::ListsRawNames => {
                    answer.insert(name.to_uppercase(), secret);
                }
                Ok(secret) => answer.insert(name, secret),
                Err(error) if self.fault == Fault::ReportsMissing => {
                    answer.add_failure(&name, error);
                }
                Err(_) => {}
            }
        }
        Ok(answer)
    }
}

impl SecretStore for Broken {
    fn component_type(&self) -> &str {
        match self.fault {
            Fault::ForeignType => "bindings.kafka",
            Fault::UnnamedType => "secretstores.",
            _ => "secretstores.broken",
        }
    }

    fn canonical<'n>(
        &self,
        name: &'n str,
        metadata: &Metadata,
    ) -> Result<Cow<'n, str>, StoreError> {
        let refuse = |kind| Err(StoreError::new(kind, ""));
        let folded = name.to_lowercase();
        match self.fault {
            Fault::PanicsOnCanonical => {
                // As one slices who thinks of ASCII alone.
                Ok(Cow::Owned(name[..1].to_owned() + &name[1..]))
            }
            Fault::RefusesWhatItHolds if folded == "redis" => {
                refuse(StoreErrorKind::InvalidRequest)
            }
            Fault::RefusesAsNotFound if name.contains('/') => refuse(StoreErrorKind::NotFound),
            Fault::RefusesItsCanonical if name.starts_with("secret/") => {
                refuse(StoreErrorKind::InvalidRequest)
            }
            Fault::GrowsCanonical | Fault::RefusesItsCanonical => {
                Ok(Cow::Owned(format!("secret/{folded}")))
            }
            Fault::EmptiesCanonical => Ok(Cow::Owned(folded.trim_matches('/').to_owned())),
            Fault::CountsCanonical => {
                let asked = self.asked.fetch_add(1, Ordering::Relaxed);
                Ok(Cow::Owned(format!("{folded}{asked}")))
            }
            Fault::FoldsByPrefix if !metadata.prefix().is_empty() => {
                Ok(Cow::Owned(format!("{}{folded}", metadata.prefix())))
            }
            Fault::BackendIgnoresCase => Ok(Cow::Borrowed(name)),
            _ => Ok(Cow::Owned(folded)),
        }
    }

    fn get<'a>(&'a self, permit: Permit<'a>, metadata: &'a Metadata) -> StoreFuture<'a, SecretMap> {
        let is_escape = permit.name().contains('%');
        assert!(!is_escape || self.fault != Fault::PanicsOnCall, "no escape");
        StoreFuture::boxed(async move {
            if self.fault == Fault::StaysBusy && self.is_busy.swap(true, Ordering::Relaxed) {
                return Err(StoreError::new(StoreErrorKind::Unavailable, "busy"));
            }
            tokio::task::yield_now().await;
            self.is_busy.store(false, Ordering::Relaxed);
            let is_outside = permit.name().contains("..");
            assert!(!is_outside || self.fault != Fault::PanicsOnPoll, "outside");
            if self.fault == Fault::BreaksOnOddNames && permit.name().contains('?') {
                return Err(StoreError::new(StoreErrorKind::Corrupt, ""));
            }
            self.read(permit.name(), permit.requested_name(), metadata)
        })
    }

    fn bulk<'a>(
        &'a self,
        permit: BulkPermit<'a>,
        metadata: &'a Metadata,
    ) -> StoreFuture<'a, BulkSecrets> {
        StoreFuture::boxed(async move {
            tokio::task::yield_now().await;
            assert!(self.fault != Fault::PanicsOnBulk, "no list");
            self.read_all(&permit, metadata)
        })
    }

    fn knows(&self, canonical: &str) -> Option<bool> {
        match self.fault {
            Fault::ForgetsWhatItHolds => Some(false),
            Fault::KnowsEverything => Some(true),
            _ => Some(self.content.contains_key(canonical)),
        }
    }

    fn refresh(&self) -> bool {
        let loses = self.fault == Fault::LosesOnRefresh;
        self.is_lost.store(loses, Ordering::Relaxed);
        loses
    }

    fn is_degraded(&self) -> bool {
        self.fault == Fault::IsDegraded
    }

    fn features(&self) -> &[&'static str] {
        match self.fault {
            Fault::UnknownFeature => &["VERSIONED"],
            Fault::FeatureTwice => &[
                MULTIPLE_KEY_VALUES_PER_SECRET,
                MULTIPLE_KEY_VALUES_PER_SECRET,
            ],
            _ => &[],
        }
    }

    fn request_metadata(&self) -> &[&'static str] {
        match self.fault {
            Fault::ListsCommonKey => &["prefix"],
            Fault::ListsKeyTwice => &["version_id", "version_id"],
            _ => &["version_id"],
        }
    }
}
