//! Feature `config`: Dapr's component and configuration files become an engine.
//!
//! 1. Every `.yaml` and `.yml` file directly in a resources folder is read: folders in the order
//!    given, files by name, several documents per file. Documents that declare no secret store
//!    are skipped; one whose type says that it does, and whose kind is not `Component`, is an
//!    error.
//! 2. Scopes come from the `spec.secrets.scopes` of configuration files, every document of which
//!    is a `Configuration`; everything else in it is none of our business. What may be scopes
//!    misspelt or misplaced is an error.
//! 3. Every problem is collected, with file and line, before anything is refused. Nothing starts
//!    half-way.
//! 4. Lenient mode turns into warnings what daprd would only log, but never opens what a slip of
//!    the pen left unclear. A missing required key, two equal keys, two components of one name, a
//!    configuration file that cannot be read, and any doubt about a scope or about whom a
//!    component is meant for stay errors. A default access that cannot be read denies, and so
//!    does a store that two scopes name. A store with an unknown metadata key, or with one whose
//!    value cannot be had or read, is known as failed.
//!
//! 5. A value may be a secret of another store (`secretKeyRef`): stores are opened in the order in
//!    which they need each other. A store, a secret or a key that is not there, an empty value and a
//!    cycle are errors. [`ComponentLoader`] does the same for components of every type.
//! 6. [`Config::reload`] puts files that were read again in place of the first, all or nothing,
//!    without a request that fails: what is declared as before stays open.
//!
//! # Limits
//!
//! A YAML file has at most 1 MiB, 1,000 documents, 64 levels, and 20,000 nodes and 4 MiB of text
//! once aliases are followed; a folder has at most 1,000 of them.
//!
//! # Security
//!
//! Whoever can write these files chooses the secrets and who sees them: a file that its group or
//! others may write gives a warning. Files are opened without waiting, and only regular ones are
//! read. What is reported takes one line each, whatever the files hold.
//!
#![cfg_attr(feature = "env", doc = "```")]
#![cfg_attr(not(feature = "env"), doc = "```text")]
//! use dapr_secrets_service::config::Loader;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! std::fs::write(
//!     folder.path().join("store.yaml"),
//!     "kind: Component\nmetadata: {name: env}\nspec: {type: secretstores.local.env}\n",
//! )?;
//! let config = Loader::new().add_resources_path(folder.path()).load()?;
//! for warning in config.warnings() {
//!     eprintln!("{warning}");
//! }
//! let engine = config.into_engine()?;
//! assert!(engine.stores().any(|store| store.name() == "env"));
//! # Ok(())
//! # }
//! ```

mod audience;
mod blueprint;
mod component;
mod component_loader;
mod dependencies;
mod duration;
mod env_ref;
mod fetch;
mod fields;
mod files;
mod fingerprint;
mod item;
mod loader;
mod making;
mod open;
mod problem;
mod resolved;
mod scopes;
mod secret_ref;
mod skipped;
mod suggest;
mod template;
mod waiting;
mod yaml;

pub use component_loader::ComponentLoader;
pub use files::FilesState;
pub use loader::Loader;
pub use open::{Config, Reloaded};
pub use problem::{Problem, Problems};
pub use resolved::{Components, ResolvedComponent, ResolvedItem, Source};
pub use skipped::Skipped;

pub(crate) use suggest::did_you_mean_or_known;
