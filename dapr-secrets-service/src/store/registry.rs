//! Feature `config`: from a component's type and metadata to a store.
//!
//! A [`Kind`] is a component type: its name, its metadata keys, and how its settings are read.
//! Reading the settings touches no file; it gives an [`Opener`], which does.

use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::SecretStore;
use crate::config::did_you_mean_or_known;
use crate::environment::Environment;
use crate::request::parse_bool;

#[cfg(not(feature = "env"))]
use super::disabled::LOCAL_ENV;
#[cfg(not(feature = "file"))]
use super::disabled::LOCAL_FILE;
#[cfg(feature = "env")]
use super::env::KIND as LOCAL_ENV;
#[cfg(feature = "file")]
use super::file::KIND as LOCAL_FILE;

/// What every secret store's component type starts with.
pub(crate) const TYPE_PREFIX: &str = "secretstores.";

static KINDS: [Kind; 2] = [LOCAL_FILE, LOCAL_ENV];

/// A type of component.
#[derive(Debug)]
pub(crate) struct Kind {
    /// The type, without `secretstores.`.
    pub(crate) name: &'static str,
    pub(crate) support: Support,
}

/// Whether this build has the store.
#[derive(Debug)]
pub(crate) enum Support {
    Built(Recipe),
    /// Left out: the Cargo feature that adds it.
    #[cfg_attr(all(feature = "file", feature = "env"), allow(dead_code))]
    NeedsFeature(&'static str),
}

/// How a store is made.
#[derive(Debug)]
pub(crate) struct Recipe {
    /// The metadata keys that it knows.
    pub(crate) keys: &'static [&'static str],
    /// Reads the settings; faults go to the settings themselves.
    pub(crate) read: fn(&mut Settings, &Arc<dyn Environment>) -> Option<Opener>,
}

/// Makes the store: reads files, and later connects.
pub(crate) type Opener = Box<dyn FnOnce() -> Result<Arc<dyn SecretStore>, OpenFault> + Send>;

/// Why a store could not be made.
#[derive(Debug)]
pub(crate) struct OpenFault {
    /// Where it is wrong, when that is not the component.
    pub(crate) path: Option<PathBuf>,
    pub(crate) line: Option<usize>,
    pub(crate) message: String,
}

/// The kind of this component type, in any letter case.
pub(crate) fn find(component_type: &str) -> Option<&'static Kind> {
    let name = component_type.get(TYPE_PREFIX.len()..)?;
    KINDS
        .iter()
        .find(|kind| kind.name.eq_ignore_ascii_case(name))
}

/// The names of the types that this build has.
pub(crate) fn built() -> impl Iterator<Item = &'static str> {
    let is_built = |kind: &&Kind| matches!(kind.support, Support::Built(_));
    KINDS.iter().filter(is_built).map(|kind| kind.name)
}

/// The names of all types that this build knows.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

/// One metadata item. Its value may be a secret.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) key: String,
    /// `None`: it was given, and what is wrong with it has been said, or it is a secret that is yet
    /// to be read.
    pub(crate) value: Option<Zeroizing<String>>,
    /// Where it came from: unless it was written there, it is not to be printed.
    #[cfg_attr(
        not(feature = "file"),
        allow(dead_code, reason = "no store prints a value")
    )]
    pub(crate) origin: Origin,
    pub(crate) line: usize,
}

/// Where the value of a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It stood in the file.
    Written,
    /// An environment variable.
    Variable(String),
    /// A secret of another store.
    Secret(String),
}

/// The metadata of one component, and what is wrong with it.
pub(crate) struct Settings {
    given: Vec<Setting>,
    pub(crate) faults: Vec<SettingFault>,
}

/// Something wrong with the metadata of a component.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SettingFault {
    /// `None`: the component itself.
    pub(crate) line: Option<usize>,
    pub(crate) message: String,
    pub(crate) severity: Severity,
}

/// What lenient mode makes of a fault. In strict mode each is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    /// Still an error.
    Error,
    /// A warning, and the store is known as failed: without the key it might serve too much.
    FailsStore,
}

impl Settings {
    /// Checks the keys: no two equal but for letter case, none unknown.
    pub(crate) fn new(given: Vec<Setting>, known: &[&str]) -> Self {
        let faults = faults_of_keys(&given, Some(known));
        Self { given, faults }
    }

    fn find(&self, key: &str) -> Option<&Setting> {
        self.given
            .iter()
            .find(|setting| setting.key.eq_ignore_ascii_case(key))
    }

    /// The value of an optional key.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.find(key)?.value.as_deref().map(String::as_str)
    }

    /// What the value of a key is called, when it is not to be printed.
    #[cfg(feature = "file")]
    pub(crate) fn called(&self, key: &str) -> Option<String> {
        match &self.find(key)?.origin {
            Origin::Written => None,
            Origin::Variable(name) => Some(format!("${name}")),
            Origin::Secret(name) => Some(format!("the secret {name:?}")),
        }
    }

    /// Notes that the value of a key cannot be used. `why` does not quote it.
    #[cfg(feature = "env")]
    pub(crate) fn refuse(&mut self, key: &str, why: &str) {
        let line = self.find(key).map(|setting| setting.line);
        self.faults.push(SettingFault {
            line,
            message: format!("metadata key {key:?} {why}"),
            severity: Severity::Error,
        });
    }

    /// The value of a required key; an empty one counts as missing. `missing` is what is said.
    #[cfg(feature = "file")]
    pub(crate) fn required(&mut self, key: &str, missing: &str) -> Option<String> {
        let given = self.find(key);
        let text = given.and_then(|setting| setting.value.as_ref());
        let has_been_said = given.is_some() && text.is_none();
        let text = text.filter(|text| !text.is_empty()).map(|t| t.to_string());
        if text.is_none() && !has_been_said {
            let line = given.map(|setting| setting.line);
            self.faults.push(SettingFault {
                line,
                message: missing.to_owned(),
                severity: Severity::Error,
            });
        }
        text
    }

    /// The truth value of an optional key; false when it is not given.
    pub(crate) fn flag(&mut self, key: &str) -> bool {
        let Some(setting) = self.find(key) else {
            return false;
        };
        let line = setting.line;
        match setting.value.as_ref().map(|text| parse_bool(text)) {
            None => false,
            Some(Some(value)) => value,
            Some(None) => {
                self.faults.push(SettingFault {
                    line: Some(line),
                    message: format!(
                        "metadata key {key:?} is neither true nor false: write one of them"
                    ),
                    severity: Severity::FailsStore,
                });
                false
            }
        }
    }
}

/// What is wrong with the keys: two equal but for letter case, and any that is not known.
///
/// Without a list of what is known, none is unknown.
pub(crate) fn faults_of_keys(given: &[Setting], known: Option<&[&str]>) -> Vec<SettingFault> {
    let mut faults = Vec::new();
    for (index, setting) in given.iter().enumerate() {
        let key = &setting.key;
        let is_same = |other: &str| other.eq_ignore_ascii_case(key);
        if let Some(first) = given[..index].iter().find(|first| is_same(&first.key)) {
            faults.push(SettingFault {
                line: Some(setting.line),
                message: format!(
                    "key {key} is duplicate in the metadata: lines {} and {}; letter case does not tell two keys apart",
                    first.line, setting.line
                ),
                severity: Severity::Error,
            });
        } else if let Some(known) = known
            && !known.iter().any(|known| is_same(known))
        {
            let hint = did_you_mean_or_known(key, known);
            faults.push(SettingFault {
                line: Some(setting.line),
                message: format!("unknown metadata key {key:?}{hint}"),
                severity: Severity::FailsStore,
            });
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(given: &[(&str, Option<&str>)], known: &[&str]) -> Settings {
        let given = given
            .iter()
            .zip(1..)
            .map(|((key, value), line)| Setting {
                key: (*key).to_owned(),
                value: value.map(|text| Zeroizing::new(text.to_owned())),
                origin: Origin::Written,
                line,
            })
            .collect();
        Settings::new(given, known)
    }

    #[test]
    fn s10_types_match_in_any_letter_case() {
        for (component_type, name) in [
            ("secretstores.local.file", Some("local.file")),
            ("SecretStores.Local.ENV", Some("local.env")),
            ("secretstores.hashicorp.vault", None),
            ("secretstores.", None),
            ("secret", None),
            ("", None),
        ] {
            let found = find(component_type).map(|kind| kind.name);
            assert_eq!(found, name, "{component_type}");
        }
    }

    #[test]
    fn s14_keys_match_in_any_letter_case_and_twice_is_a_fault() {
        let read = settings(&[("SECRETSFILE", Some("x"))], &["secretsFile"]);
        assert_eq!(read.text("secretsFile"), Some("x"));
        assert!(read.faults.is_empty());

        let twice = settings(
            &[("secretsFile", Some("x")), ("secretsfile", Some("x"))],
            &["secretsFile"],
        );
        let messages: Vec<_> = twice.faults.iter().map(|f| f.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "key secretsfile is duplicate in the metadata: lines 1 and 2; letter case does not tell two keys apart"
            ]
        );
        assert_eq!(twice.faults[0].severity, Severity::Error);
    }

    #[test]
    fn s16_a_flag_that_is_no_truth_value_is_a_fault_and_false() {
        for (text, value, faults) in [
            (Some("yes"), true, 0),
            (Some("0"), false, 0),
            (Some("maybe"), false, 1),
            (None, false, 0),
        ] {
            let mut read = settings(&[("multiValued", text)], &["multiValued"]);
            assert_eq!(read.flag("multiValued"), value, "{text:?}");
            assert_eq!(read.faults.len(), faults, "{text:?}");
        }
    }

    #[cfg(feature = "file")]
    #[test]
    fn s20_a_missing_required_key_is_never_let_pass() {
        for (name, given, faults) in [
            ("missing", &[][..], 1),
            ("empty", &[("k", Some(""))][..], 1),
            ("given", &[("K", Some("v"))][..], 0),
            ("its problem is known", &[("k", None)][..], 0),
        ] {
            let mut read = settings(given, &["k"]);
            read.required("k", "missing k");
            assert_eq!(read.faults.len(), faults, "{name}");
            let errors = |fault: &SettingFault| fault.severity == Severity::Error;
            assert!(read.faults.iter().all(errors), "{name}");
        }
    }
}
