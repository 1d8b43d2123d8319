//! The metadata of a `local.env` component becomes settings.

use std::sync::Arc;

use super::EnvStore;
use crate::environment::{Environment, is_foreign_to_names};
use crate::store::SecretStore;
use crate::store::registry::{Kind, Opener, Recipe, Settings, Support};

pub(crate) const KIND: Kind = Kind {
    name: "local.env",
    support: Support::Built(Recipe {
        keys: &["prefix", "allowAll"],
        read,
    }),
};

fn read(settings: &mut Settings, environment: &Arc<dyn Environment>) -> Option<Opener> {
    let allow_all = settings.flag("allowAll");
    let prefix = settings.text("prefix").unwrap_or_default().to_owned();
    if prefix.contains(is_foreign_to_names) {
        settings.refuse(
            "prefix",
            "holds `=` or a control character: no variable is called so",
        );
        return None;
    }
    let environment = Arc::clone(environment);
    Some(Box::new(move || {
        let store = EnvStore::new(environment)
            .with_prefix(prefix)
            .with_allow_all(allow_all);
        Ok(Arc::new(store) as Arc<dyn SecretStore>)
    }))
}
