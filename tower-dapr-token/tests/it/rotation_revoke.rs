//! A token that was revoked stays away, whatever was being loaded at that moment.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, OnceLock};

use tower_dapr_token::{
    ConfigError, InjectTokenLayer, LoadedTokens, Reloaded, RequireTokenLayer, SourceError,
    TokenHandle, TokenSet, TokenSource,
};

use crate::support::{request, send};

fn token(text: &str) -> tower_dapr_token::Token {
    text.parse().expect("valid")
}

async fn accepts(layer: &RequireTokenLayer, value: &str) -> bool {
    send(layer, request(&[value])).await.0.status == 200
}

type Work = Box<dyn FnMut() -> ControlFlow<()> + Send>;

/// Says what it is told to, and does something while it is asked.
#[derive(Clone, Default)]
struct Busy {
    lines: Arc<Mutex<&'static str>>,
    meanwhile: Arc<Mutex<Option<Work>>>,
}

impl TokenSource for Busy {
    fn load(&self) -> Result<LoadedTokens, SourceError> {
        let lines = *self.lines.lock().expect("no test panicked");
        if let Some(work) = self.meanwhile.lock().expect("no test panicked").as_mut() {
            let _ = work();
        }
        LoadedTokens::from_lines(lines.as_bytes())
    }

    fn is_atomic(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn r7_a_load_that_began_before_a_revocation_brings_nothing_back() {
    for (name, next, accepted) in [
        ("a new token alone", "b", "b"),
        ("a new token and the leaked one", "b\na", "b"),
    ] {
        let source = Busy::default();
        *source.lines.lock().expect("no test panicked") = "a";
        let (layer, handle) = RequireTokenLayer::builder()
            .source(source.clone())
            .build_with_handle()
            .expect("valid");
        let revoking: Arc<OnceLock<TokenHandle>> = Arc::new(OnceLock::from(handle.clone()));
        *source.lines.lock().expect("no test panicked") = next;
        *source.meanwhile.lock().expect("no test panicked") = Some(Box::new(move || {
            let ended = revoking.get().map(TokenHandle::revoke_previous);
            assert_eq!(ended, Some(0), "the leaked token is the current one still");
            ControlFlow::Continue(())
        }));
        assert_eq!(handle.refresh(), Ok(Reloaded::Changed), "{name}");
        assert!(accepts(&layer, accepted).await, "{name}");
        assert!(!accepts(&layer, "a").await, "{name}: revoked");
        *source.meanwhile.lock().expect("no test panicked") = None;
    }
}

#[tokio::test]
async fn r7_revoking_tells_how_many_it_ended() {
    let handle = TokenHandle::new(TokenSet::new(token("a")));
    assert_eq!(handle.revoke_previous(), 0);
    handle.rotate(token("b")).expect("fits");
    handle.rotate(token("c")).expect("fits");
    assert_eq!(handle.revoke_previous(), 2);
    assert_eq!(handle.revoke_previous(), 0);
}

#[tokio::test]
async fn r7_a_list_that_names_one_token_twice_is_a_list() {
    let source = Busy::default();
    *source.lines.lock().expect("no test panicked") = "a";
    let (layer, handle) = RequireTokenLayer::builder()
        .source(source.clone())
        .build_with_handle()
        .expect("valid");
    *source.lines.lock().expect("no test panicked") = "b\nb";
    assert_eq!(handle.refresh(), Ok(Reloaded::Changed));
    assert!(accepts(&layer, "b").await);
    assert!(!accepts(&layer, "a").await, "it is not on the list");
}

#[test]
fn i6_a_wish_to_reload_tokens_that_have_no_source_is_granted_by_a_refresh() {
    let handle = TokenHandle::new(TokenSet::new(token("a")));
    assert!(!handle.is_reload_wanted());
    assert_eq!(handle.refresh(), Ok(Reloaded::Unchanged));
    assert!(!handle.is_reload_wanted());
}

#[test]
fn r5_a_limit_on_the_age_of_tokens_needs_somebody_who_reads_them() {
    let hour = std::time::Duration::from_secs(3600);
    let source = || {
        let source = Busy::default();
        *source.lines.lock().expect("no test panicked") = "a";
        source
    };
    let inbound = || {
        RequireTokenLayer::builder()
            .source(source())
            .max_stale(hour)
    };
    let outbound = || {
        InjectTokenLayer::builder()
            .any_loopback_port()
            .source(source())
            .max_stale(hour)
    };
    for (name, error) in [
        ("inbound", inbound().build().err()),
        ("outbound", outbound().build().err()),
    ] {
        let error = error.expect(name);
        assert_eq!(error, ConfigError::NobodyReloads, "{name}");
        assert!(
            error.to_string().contains("build_with_handle()"),
            "{name}: {error}"
        );
    }
    assert!(inbound().build_with_handle().is_ok());
    assert!(outbound().build_with_handle().is_ok());
    let open = RequireTokenLayer::builder()
        .insecure_allow_all()
        .max_stale(hour)
        .build_with_handle();
    assert!(
        matches!(
            open.map(|_| ()),
            Err(ConfigError::NothingToReload {
                setting: "max_stale",
                ..
            })
        ),
        "nothing is enforced, so nothing can be stale"
    );
}
