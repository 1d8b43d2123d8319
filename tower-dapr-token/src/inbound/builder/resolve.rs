//! From the settings to the layer: what was asked for is checked, its tokens are loaded, and the observer is told (`R6`).

use std::sync::Arc;

use super::{RequireTokenBuilder, Source};
use crate::error::ConfigError;
use crate::header::{DAPR_API_TOKEN, MAX_TOKEN_LEN};
use crate::inbound::decide::{Decides, Live};
use crate::inbound::extract::{Custom, Extraction, Mode};
use crate::inbound::layer::RequireTokenLayer;
use crate::inbound::service::Policy;
use crate::inbound::verifier::{HeaderVerifier, Parts};
use crate::observe::Notice;
use crate::token::{LoadedTokens, TokenHandle, Verifier, notices_of_reader};

/// The layer, or what is wrong with it.
impl RequireTokenBuilder<'_> {
    /// Checks everything and builds the layer. A file, or another source that is not atomic, is read twice,
    /// 100 ms apart: it **blocks** for that time, once (`R6`).
    ///
    /// # Errors
    ///
    /// The first [`ConfigError`] found. A missing token is one.
    ///
    /// # Panics
    ///
    /// If it is to reload in the background of a Tokio runtime that was built without its timer, or to watch
    /// files in one without I/O.
    pub fn build(self) -> Result<RequireTokenLayer, ConfigError> {
        self.check_unattended()?;
        let (policy, _) = self.finish(false)?;
        Ok(RequireTokenLayer::from_policy(policy))
    }

    /// As [`build()`](Self::build), but gives the check on headers alone, without a layer: for an interceptor, or a
    /// middleware of your own.
    ///
    /// # Errors
    ///
    /// The first [`ConfigError`] found. An exemption is one, because headers tell neither method nor path (`X6`),
    /// and so is an answer of your own: what is answered is up to the caller.
    ///
    /// # Panics
    ///
    /// As [`build()`](Self::build).
    pub fn build_verifier(mut self) -> Result<HeaderVerifier, ConfigError> {
        self.check_unattended()?;
        let settings = [
            (self.exemptions.list().is_some(), "exempt"),
            (self.answers.respond.is_some(), "respond_with"),
            (self.answers.in_extensions, "rejection_in_extensions"),
        ];
        let unseen = settings
            .into_iter()
            .find_map(|(is_set, setting)| is_set.then_some(setting));
        if let Some(setting) = unseen {
            self.mistake(ConfigError::NeedsRequest { setting });
        }
        let decides = self.resolve(false)?;
        Ok(HeaderVerifier::from_parts(Parts {
            extraction: self.extraction(),
            decides,
            verbose: self.answers.verbose,
            dialect: self.dialect,
            with_extensions: self.with_extensions,
            observer: self.observer,
        }))
    }

    pub(super) fn check_unattended(&self) -> Result<(), ConfigError> {
        match self.source {
            Some(Source::Reloaded) => self.rotation.check_unattended(),
            _ => Ok(()),
        }
    }

    pub(super) fn finish(
        mut self,
        lazy: bool,
    ) -> Result<(Policy, Option<TokenHandle>), ConfigError> {
        let decides = self.resolve(lazy)?;
        let live = decides.live.as_ref();
        let handle = live.and_then(|live| live.source.clone());
        let policy = Policy::new(self.extraction(), decides, self.exemptions, self.dialect)
            .answer_with(self.answers)
            .announce_to(self.with_extensions, self.observer);
        Ok((policy, handle))
    }

    /// What decides, and what it follows if its tokens can change. The observer is told what there is to know.
    fn resolve(&mut self, lazy: bool) -> Result<Decides, ConfigError> {
        if let Some(mistake) = self.mistake.take() {
            return Err(mistake);
        }
        let mut notices = Vec::new();
        #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
        #[cfg_attr(
            not(feature = "jwks"),
            allow(unused_mut, reason = "keys are not fetched")
        )]
        let mut jwt = self.jwt_check()?;
        #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
        let accepts_jwts = jwt.is_some();
        #[cfg(not(any(feature = "jwt", feature = "jwt-rust-crypto")))]
        let accepts_jwts = false;
        let source = match self.source.take() {
            Some(source) => source,
            None if accepts_jwts && self.previous.is_empty() => Source::Nothing,
            None => return Err(ConfigError::NoTokenSource),
        };
        if let (
            Source::Nothing
            | Source::AllowAll
            | Source::Token(_)
            | Source::Variable(_)
            | Source::Reader(_),
            Some(setting),
        ) = (&source, self.rotation.idle_setting())
        {
            return Err(ConfigError::NothingToReload { setting });
        }
        if let (Source::Reloaded | Source::Reader(_), false) = (&source, self.previous.is_empty()) {
            return Err(ConfigError::PreviousBesideSource);
        }
        let mut live = None;
        let verifier = match source {
            Source::AllowAll if !self.previous.is_empty() => {
                return Err(ConfigError::SeveralTokenSources);
            }
            Source::Nothing => Verifier::none(),
            Source::AllowAll => {
                notices.push(Notice::NotEnforcing);
                Verifier::allow_all()
            }
            Source::Token(current) => {
                let previous = std::mem::take(&mut self.previous);
                self.verifier(LoadedTokens { current, previous }, &mut notices)?
            }
            Source::Variable(source) => {
                let mut loaded = source.load(self.environment)?;
                loaded.previous.append(&mut self.previous);
                self.verifier(loaded, &mut notices)?
            }
            Source::Reloaded => {
                let mut rotation = std::mem::take(&mut self.rotation).limit(self.limit);
                if let Some(observer) = &self.observer {
                    rotation = rotation.observer(Arc::clone(observer));
                }
                let handle = rotation.finish(lazy)?;
                live = Some(Live {
                    reader: handle.reader(),
                    source: Some(handle),
                });
                Verifier::none()
            }
            Source::Reader(reader) => {
                reader.limit_to(self.limit)?;
                notices.extend(notices_of_reader(&reader));
                live = Some(Live {
                    reader,
                    source: None,
                });
                Verifier::none()
            }
        };
        // Last of what can fail: a layer that is not built fetches nothing.
        #[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
        if let Some(jwt) = &mut jwt {
            jwt.remote.start(self.observer.as_ref())?;
        }
        notices.extend(self.exemptions.list().map(Notice::Exemptions));
        if let Some(observer) = &self.observer {
            for notice in &notices {
                observer.on_notice(notice);
            }
        }
        Ok(Decides {
            verifier,
            live,
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            jwt: jwt.map(Box::new),
        })
    }

    fn verifier(
        &self,
        loaded: LoadedTokens,
        notices: &mut Vec<Notice>,
    ) -> Result<Verifier, ConfigError> {
        notices.extend(loaded.notices());
        let set = loaded.into_set()?;
        if self.limit < set.longest() || self.limit > MAX_TOKEN_LEN {
            return Err(ConfigError::ValueLimit { limit: self.limit });
        }
        Ok(Verifier::tokens(set))
    }

    fn extraction(&self) -> Extraction {
        let name = self.header.clone().filter(|name| *name != DAPR_API_TOKEN);
        let mode = match (name, self.strip_underscored || self.any_valid, self.keep) {
            (None, false, false) => Mode::Take,
            (None, false, true) => Mode::Keep,
            (name, _, keep) => Mode::Custom(Box::new(Custom {
                name,
                strip_twins: self.strip_underscored,
                keep,
                any_valid: self.any_valid,
            })),
        };
        Extraction {
            limit: self.value_limit.unwrap_or(self.limit),
            mode,
        }
    }
}
