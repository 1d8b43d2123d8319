//! The metadata of a `local.file` component becomes settings.

use std::path::PathBuf;
use std::sync::Arc;

use super::{FileStore, FileStoreError};
use crate::environment::Environment;
use crate::store::SecretStore;
use crate::store::registry::{Kind, OpenFault, Opener, Recipe, Settings, Support};

pub(crate) const KIND: Kind = Kind {
    name: "local.file",
    support: Support::Built(Recipe {
        keys: &["secretsFile", "nestedSeparator", "multiValued"],
        read,
    }),
};

fn read(settings: &mut Settings, _: &Arc<dyn Environment>) -> Option<Opener> {
    let multi_valued = settings.flag("multiValued");
    let separator = settings
        .text("nestedSeparator")
        .filter(|separator| !separator.is_empty())
        .unwrap_or(":")
        .to_owned();
    let path = settings.required(
        "secretsFile",
        "missing local secrets file in metadata (key \"secretsFile\")",
    )?;
    let called = settings
        .called("secretsFile")
        .map(|source| format!("the path in {source}"));
    Some(Box::new(move || {
        let mut builder = FileStore::builder()
            .with_nested_separator(separator)
            .with_multi_valued(multi_valued);
        if let Some(called) = &called {
            builder = builder.with_path_called(called.clone());
        }
        builder
            .open(PathBuf::from(path))
            .map(|store| Arc::new(store) as Arc<dyn SecretStore>)
            .map_err(|error| fault(error, called))
    }))
}

fn fault(error: FileStoreError, called: Option<String>) -> OpenFault {
    let called = called.map_or_else(String::new, |called| format!(" ({called})"));
    OpenFault {
        path: error.path,
        line: error.line,
        message: format!("secrets file: {}{called}", error.message),
    }
}
