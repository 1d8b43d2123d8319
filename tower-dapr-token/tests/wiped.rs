//! No secret is left in memory that was given back: every block is searched at the moment it is freed.
#![allow(unsafe_code, reason = "a global allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::convert::Infallible;
use std::ffi::OsString;
use std::fs;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{HeaderValue, Request, Response};
use tower::{Layer, Service, service_fn};
use tower_dapr_token::{
    Clock, FileSource, InjectTokenLayer, LoadedTokens, Overlap, RequireTokenLayer, Token,
    TokenHandle, TokenSet,
};
use zeroize::Zeroizing;

/// Searches what each thread frees by itself, so that the test harness does not disturb.
struct Searching;

thread_local! {
    /// The begin of what must not be found, and how often it was. Nothing is searched for while there is none.
    static SOUGHT: Cell<Option<&'static [u8]>> = const { Cell::new(None) };
    static FOUND: Cell<usize> = const { Cell::new(0) };
}

/// A part of a secret of this length is one too many.
const PART: usize = 12;

/// Whether a part of the secret stands in these bytes: from its beginning, its middle or its end.
fn holds(bytes: &[u8], secret: &[u8]) -> bool {
    let last = secret.len() - PART;
    [0, last / 2, last].into_iter().any(|start| {
        let part = &secret[start..start + PART];
        bytes.windows(PART).any(|window| window == part)
    })
}

// SAFETY: memory comes from the system's allocator and goes back to it unchanged; `realloc` is the trait's own, which
// takes a new block, copies, and frees the old one here.
unsafe impl GlobalAlloc for Searching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Zeros, so that every byte of a block has a value when it is searched.
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // A thread that is going down seeks nothing any more.
        if let Ok(Some(secret)) = SOUGHT.try_with(Cell::get) {
            // SAFETY: the block is of this length, was zeroed when it was handed out, and is the caller's to free.
            let bytes = unsafe { std::slice::from_raw_parts(pointer, layout.size()) };
            if holds(bytes, secret) {
                let _ = FOUND.try_with(|found| found.set(found.get() + 1));
            }
        }
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Searching = Searching;

const SECRET: &str = "8f14e45fceea167a5a36dedd4bea2543c9f0f895fb98ab91";
const OTHER: &str = "45c48cce2e2d7fbdea1afc51c7c6ad26d3d9446802a44259";

/// How many blocks were freed with a part of the secret in them while this ran.
fn left_behind(act: impl FnOnce()) -> usize {
    left_behind_of(SECRET, act)
}

fn left_behind_of(secret: &'static (impl AsRef<[u8]> + ?Sized), act: impl FnOnce()) -> usize {
    FOUND.set(0);
    SOUGHT.set(Some(secret.as_ref()));
    act();
    SOUGHT.set(None);
    FOUND.get()
}

/// Stands still, and waits for nobody.
struct Still;

impl Clock for Still {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn wait(&self, _: Duration) {}
}

#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
impl tower_dapr_token::WallClock for Still {
    fn unix_time(&self) -> Duration {
        Duration::ZERO
    }
}

fn token(text: &str) -> Token {
    text.parse().expect("valid")
}

/// In a block that never grew: the test itself leaves nothing behind.
fn text(parts: &[&str]) -> String {
    parts.concat()
}

fn accepts(layer: &RequireTokenLayer, token: &'static str) -> bool {
    let mut service = layer.layer(service_fn(|_: Request<()>| {
        std::future::ready(Ok::<_, Infallible>(Response::new(())))
    }));
    let mut request = Request::new(());
    let value = HeaderValue::from_static(token);
    request.headers_mut().insert("dapr-api-token", value);
    let future = pin!(service.call(request));
    let mut context = Context::from_waker(Waker::noop());
    match Future::poll(future, &mut context) {
        Poll::Ready(Ok(response)) => response.status() == 200,
        Poll::Pending => unreachable!("all is ready at once"),
    }
}

#[test]
fn the_search_finds_what_is_left_behind_and_nothing_else() {
    assert_eq!(left_behind(|| drop(SECRET.to_owned())), 1, "the whole");
    let (begin, end) = (&SECRET[..PART], &SECRET[SECRET.len() - PART..]);
    assert_eq!(left_behind(|| drop(begin.to_owned())), 1, "its begin");
    assert_eq!(left_behind(|| drop(end.to_owned())), 1, "its end");
    assert_eq!(left_behind(|| drop(OTHER.to_owned())), 0, "another one");
    let grown = left_behind(|| {
        let mut text = Zeroizing::new(SECRET.to_owned());
        text.reserve_exact(4096);
    });
    assert_eq!(grown, 1, "the block that it grew out of");
}

#[test]
fn c5_no_token_is_left_in_freed_memory() {
    type Act = fn();
    let table: &[(&str, Act)] = &[
        ("a token", || drop(token(SECRET))),
        ("a copy of it", || drop(token(SECRET).clone())),
        ("a vector that it came in", || {
            drop(Token::try_from(text(&[" ", SECRET, "\n"]).into_bytes()));
        }),
        ("a vector that is no token", || {
            drop(Token::try_from(text(&[SECRET, " ", SECRET]).into_bytes()));
        }),
        ("a set", || {
            drop(TokenSet::new(token(SECRET)).add_previous(token(OTHER)));
        }),
        ("a set that is full", || {
            let full = (0..9).try_fold(TokenSet::new(token(SECRET)), |set, i| {
                set.add_previous(token(&format!("{i}-{OTHER}")))
            });
            assert!(full.is_err());
        }),
        ("lines", || {
            let lines = Zeroizing::new(text(&[SECRET, "\n", OTHER, "\n"]));
            drop(LoadedTokens::from_lines(lines.as_bytes()));
        }),
        ("lines that are not all tokens", || {
            let lines = Zeroizing::new(text(&[SECRET, "\n", OTHER, " x\n"]));
            drop(LoadedTokens::from_lines(lines.as_bytes()));
        }),
        ("a variable", || {
            let environment =
                |name: &str| (name == "APP_API_TOKEN").then(|| OsString::from(SECRET));
            let layer = RequireTokenLayer::builder()
                .app_token()
                .environment(&environment)
                .build()
                .expect("valid");
            assert!(accepts(&layer, SECRET));
        }),
        ("a builder that built nothing", || {
            drop(RequireTokenLayer::builder().token(token(SECRET)));
            drop(InjectTokenLayer::builder().token(token(SECRET)));
            drop(TokenHandle::builder().tokens(TokenSet::new(token(SECRET))));
        }),
        ("a builder that failed", || {
            let failed = RequireTokenLayer::builder()
                .token(token(SECRET))
                .max_value_len(8)
                .build();
            assert!(failed.is_err());
        }),
        ("a layer that accepted and refused", || {
            let layer = RequireTokenLayer::new(token(SECRET));
            assert!(accepts(&layer, SECRET));
            assert!(!accepts(&layer, OTHER));
        }),
        ("a layer that injected", || {
            let layer = InjectTokenLayer::builder()
                .token(token(SECRET))
                .any_loopback_port()
                .build()
                .expect("valid");
            let mut client = layer.layer(service_fn(|request: Request<()>| {
                let sent = request.headers().contains_key("dapr-api-token");
                std::future::ready(Ok::<_, Infallible>(Response::new(sent)))
            }));
            let request = Request::get("http://127.0.0.1:3500/").body(());
            drop(client.call(request.expect("valid")));
        }),
    ];
    for (name, act) in table {
        assert_eq!(left_behind(act), 0, "{name}");
    }
}

#[test]
fn c5_r7_no_token_is_left_in_freed_memory_when_tokens_change() {
    let built = |overlap| {
        TokenHandle::builder()
            .tokens(TokenSet::new(token(SECRET)))
            .overlap(overlap)
            .clock(Arc::new(Still))
            .build()
            .expect("valid")
    };
    let hour = Overlap::For(Duration::from_secs(3600));
    let rotated = left_behind(|| {
        let handle = built(hour);
        let layer = RequireTokenLayer::builder().reader(handle.reader()).build();
        let layer = layer.expect("valid");
        handle.rotate(token(OTHER)).expect("fits");
        assert!(accepts(&layer, SECRET), "previous");
        handle
            .rotate(token("a-third-token-of-them-all"))
            .expect("fits");
        handle
            .rotate(token("a-fourth-token-of-them-all"))
            .expect("fits");
        assert!(!accepts(&layer, SECRET), "gone");
    });
    assert_eq!(rotated, 0, "rotated");
    let revoked = left_behind(|| {
        let handle = built(hour);
        handle.rotate(token(OTHER)).expect("fits");
        assert_eq!(handle.revoke_previous(), 1);
    });
    assert_eq!(revoked, 0, "revoked");
    let replaced = left_behind(|| {
        let handle = built(Overlap::None);
        drop(handle.reader().header_value());
        handle.replace(TokenSet::new(token(OTHER))).expect("fits");
    });
    assert_eq!(replaced, 0, "replaced, after it was sent");
}

#[test]
fn c5_r2_no_token_is_left_in_freed_memory_when_files_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, old) = (folder.path().join("token"), folder.path().join("old"));
    let write = |path: &std::path::Path, content: &str| {
        fs::write(path, content).expect("written");
    };
    write(&path, SECRET);
    write(&old, OTHER);
    let read = left_behind(|| {
        let handle = TokenHandle::builder()
            .source(FileSource::new(&path).with_previous(&old))
            .clock(Arc::new(Still))
            .build()
            .expect("a token");
        handle.refresh().expect("unchanged");
        for content in [OTHER, SECRET, "", "two words"] {
            write(&path, content);
            let _ = handle.refresh();
        }
        write(&old, &Zeroizing::new(text(&[SECRET, "\n", SECRET, " x\n"])));
        handle.refresh().expect_err("no token in the second file");
    });
    assert_eq!(read, 0);
}

#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
#[test]
fn c5_t2_no_shared_secret_is_left_in_freed_memory() {
    use tower_dapr_token::{Algorithm, Backend, JwtKeys, JwtRules};

    const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.e30.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let rules = || JwtRules::new("https://issuer.example", "orders").algorithms([Algorithm::HS256]);
    /// The secret in base64url.
    const ENCODED: &str = "OGYxNGU0NWZjZWVhMTY3YTVhMzZkZWRkNGJlYTI1NDNjOWYwZjg5NWZiOThhYjkx";

    let dropped = left_behind(|| drop(JwtKeys::secret(SECRET)));
    assert_eq!(dropped, 0, "keys that nothing was built of");
    /// The same text of JSON, with its first and its last letter escaped.
    const ESCAPED: &str =
        r"\u004fGYxNGU0NWZjZWVhMTY3YTVhMzZkZWRkNGJlYTI1NDNjOWYwZjg5NWZiOThhYjk\u0078";
    for (name, k, form) in [
        ("decoded", ENCODED, SECRET),
        ("as it stands there", ENCODED, ENCODED),
        ("with escapes, decoded", ESCAPED, SECRET),
        (
            "with escapes, as it would stand there without",
            ESCAPED,
            ENCODED,
        ),
        ("with escapes, as it stands there", ESCAPED, ESCAPED),
    ] {
        let of_a_set = left_behind_of(form, || {
            let set = [r#"{"keys":[{"kty":"oct","kid":"a","k":""#, k, r#""}]}"#];
            let set = Zeroizing::new(text(&set));
            let layer = RequireTokenLayer::builder()
                .jwt(JwtKeys::key_set(&*set).expect("valid"), rules())
                .build();
            assert!(layer.is_ok());
        });
        assert_eq!(of_a_set, 0, "a key set, {name}");
    }
    let spoilt = left_behind(|| {
        let set = [r#"{"keys":[{"kty":"oct","k":""#, ENCODED, r#"*"}]}"#];
        let set = Zeroizing::new(text(&set));
        assert!(JwtKeys::key_set(&*set).is_err());
    });
    assert_eq!(spoilt, 0, "a key set with a mistake at its end");
    let copied = left_behind(|| {
        let keys = JwtKeys::secret(SECRET).and_then(|keys| keys.with_kid("a"));
        let keys = keys.expect("valid");
        drop(keys.clone().and(JwtKeys::secret(OTHER).expect("valid")));
    });
    assert_eq!(copied, 0, "keys that were named and copied");
    for backend in [
        #[cfg(feature = "jwt")]
        Backend::AwsLc,
        #[cfg(feature = "jwt-rust-crypto")]
        Backend::RustCrypto,
    ] {
        let verified = left_behind(|| {
            let layer = RequireTokenLayer::builder()
                .jwt(JwtKeys::secret(SECRET).expect("valid"), rules())
                .jwt_backend(backend)
                .wall_clock(Arc::new(Still))
                .build()
                .expect("valid");
            assert!(!accepts(&layer, JWT), "signed with another one");
        });
        assert_eq!(verified, 0, "a layer that verified, {backend:?}");
    }
    let failed = left_behind(|| {
        let keys = JwtKeys::secret(SECRET).expect("valid");
        let asymmetric = JwtRules::new("https://issuer.example", "orders");
        let layer = RequireTokenLayer::builder().jwt(keys, asymmetric).build();
        assert!(layer.is_err(), "no algorithm is left for it");
    });
    assert_eq!(failed, 0, "a layer that could not be built");
}

/// The signature makes a JWT a secret; with the payload decoded, the rest of it is known.
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
#[test]
fn c5_i9_no_jwt_to_send_is_left_in_freed_memory() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use tower_dapr_token::{JwtFile, JwtHandle};

    const UNSIGNED: &str = "eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjk5OTk5OTk5OTl9.";
    const PAYLOAD: &str = r#"{"exp":9999999999}"#;
    let signature: &'static [u8] = URL_SAFE_NO_PAD.decode(SECRET).expect("base64url").leak();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("jwt");
    let write = |parts: &[&str]| {
        fs::write(&path, Zeroizing::new(text(parts)).as_bytes()).expect("written");
    };
    write(&[UNSIGNED, SECRET, "\n"]);
    let send_and_renew = |header: &'static str| {
        let handle = JwtHandle::builder(JwtFile::new(&path))
            .clock(Arc::new(Still))
            .wall_clock(Arc::new(Still))
            .build()
            .expect("a JWT");
        let layer = InjectTokenLayer::builder()
            .jwt_handle(&handle)
            .header_name(header.parse().expect("a name"))
            .any_loopback_port()
            .build()
            .expect("valid");
        let mut client = layer.layer(service_fn(move |request: Request<()>| {
            assert!(request.headers().contains_key(header));
            std::future::ready(Ok::<_, Infallible>(Response::new(())))
        }));
        let send = || {
            Request::get("http://127.0.0.1:3500/")
                .body(())
                .expect("valid")
        };
        drop(client.call(send()));
        write(&[UNSIGNED, OTHER]);
        handle.refresh().expect("another one");
        drop(client.call(send()));
        write(&["no JWT: ", SECRET]);
        handle.refresh().expect_err("no JWT");
        write(&[UNSIGNED, SECRET, ".one-part-too-many"]);
        handle.refresh().expect_err("no JWT");
        write(&[UNSIGNED, SECRET, "*"]);
        handle.refresh().expect_err("no base64url");
        write(&[UNSIGNED, SECRET, "\n"]);
    };
    for header in ["dapr-api-token", "authorization"] {
        for (name, sought) in [
            ("as it is sent", SECRET.as_bytes()),
            ("the signature, decoded", signature),
            ("the payload, decoded", PAYLOAD.as_bytes()),
        ] {
            let left = left_behind_of(sought, || send_and_renew(header));
            assert_eq!(left, 0, "{name}, {header}");
        }
    }
}
