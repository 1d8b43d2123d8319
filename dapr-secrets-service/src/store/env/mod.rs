//! Feature `env`: `local.env`, the variables of an environment. The rules are those of [`EnvStore`].

#[cfg(feature = "config")]
mod config;

#[cfg(feature = "config")]
pub(crate) use config::KIND;

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use zeroize::Zeroizing;

use super::{SecretStore, StoreError, StoreErrorKind, StoreFuture};
use crate::bulk::BulkSecrets;
use crate::environment::{Environment, is_daprs_own, is_foreign_to_names};
use crate::request::{Metadata, SecretName};
use crate::scope::{BulkPermit, Permit};
use crate::secret::{SecretMap, SecretValue};

const UNSET: StoreError = StoreError::new(StoreErrorKind::Unset, "");
const BAD_PREFIX: StoreError = StoreError::new(
    StoreErrorKind::Misconfigured,
    "no variable starts with the prefix: it holds `=` or a control character",
);
const NOT_UTF8: StoreError =
    StoreError::new(StoreErrorKind::Corrupt, "the variable's value is not UTF-8");

/// The variables of an environment as secrets: `local.env`.
///
/// 1. A secret `NAME` is the variable `prefix + NAME`. Set but empty is an empty value; unset is
///    a miss. The environment is read at each call.
/// 2. A bulk call answers the variables that start with the prefix and have a name left after
///    it. Without a prefix it is empty, unless [`EnvStore::with_allow_all`] says otherwise: the
///    environment of a process holds more than was meant to be served. A scope with an allow
///    list names what is meant, and its names are answered.
/// 3. `APP_API_TOKEN` and every `DAPR_*` are never served, whatever the letter case: the answer
///    is that of an unset variable.
/// 4. A name is exact text, on Windows in upper case. Neither it nor the prefix holds `=` or a
///    control character: the C library would answer `A=B` from inside of the value of `A`. A
///    store with such a prefix is misconfigured.
/// 5. A value that is not UTF-8 is `Corrupt`.
///
/// # Example
///
/// ```
/// use dapr_secrets_service::{Engine, EnvStore, Metadata, ProcessEnvironment};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let store = EnvStore::new(ProcessEnvironment).with_prefix("SHOP_");
/// let engine = Engine::builder().add_store("env", store).build()?;
/// // Reads SHOP_DB_PASSWORD, which is not set here.
/// assert!(engine.get("env", "DB_PASSWORD", &Metadata::default()).await.is_err());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct EnvStore {
    environment: Arc<dyn Environment>,
    prefix: String,
    allow_all: bool,
    folds_case: bool,
    warned_of_bulk: AtomicBool,
}

impl EnvStore {
    /// A store without a prefix.
    pub fn new(environment: impl Environment) -> Self {
        Self {
            environment: Arc::new(environment),
            prefix: String::new(),
            allow_all: false,
            folds_case: cfg!(windows),
            warned_of_bulk: AtomicBool::new(false),
        }
    }

    /// What stands before each name, letter case included (but on Windows).
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Whether a bulk call without a prefix answers the whole environment.
    #[must_use]
    pub fn with_allow_all(mut self, allow_all: bool) -> Self {
        self.allow_all = allow_all;
        self
    }

    fn fold<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.folds_case && text.chars().any(char::is_lowercase) {
            Cow::Owned(text.to_uppercase())
        } else {
            Cow::Borrowed(text)
        }
    }

    fn find(&self, permit: &Permit<'_>) -> Result<SecretMap, StoreError> {
        self.check_prefix()?;
        let variable = format!("{}{}", self.prefix, permit.name());
        if is_daprs_own(&variable) {
            return Err(UNSET);
        }
        let value = self.environment.var(&variable).ok_or(UNSET)?;
        Ok(SecretMap::single(permit.requested_name(), text(value)?))
    }

    fn check_prefix(&self) -> Result<(), StoreError> {
        if self.prefix.contains(is_foreign_to_names) {
            return Err(BAD_PREFIX);
        }
        Ok(())
    }

    /// Stops as soon as there is too much for any answer.
    fn find_all(&self, permit: &BulkPermit<'_>, prefix: &str) -> Result<BulkSecrets, StoreError> {
        self.check_prefix()?;
        let mut found = BulkSecrets::default();
        if let Some(listed) = permit.listed() {
            for permit in listed.filter(|permit| permit.name().starts_with(prefix)) {
                add(&mut found, permit.name(), self.find(&permit));
                found.check_size()?;
            }
            return Ok(found);
        }
        for (name, value) in self.listed_variables() {
            if name.starts_with(prefix) && permit.check(&name).is_some() {
                let secret = text(value).map(|value| SecretMap::single(name.as_str(), value));
                add(&mut found, &name, secret);
                found.check_size()?;
            }
        }
        Ok(found)
    }

    /// The variables that may be listed, by the name that they are asked for.
    fn listed_variables(&self) -> Vec<(String, OsString)> {
        if self.prefix.is_empty() && !self.allow_all {
            if !self.warned_of_bulk.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    "a bulk call on local.env without `prefix` is empty; `allowAll` changes that"
                );
            }
            return Vec::new();
        }
        let prefix = self.fold(&self.prefix);
        let mut variables = self.environment.vars();
        variables.retain(|(name, _)| name.to_str().is_some_and(|name| !is_daprs_own(name)));
        variables
            .into_iter()
            .filter_map(|(variable, value)| {
                let variable = self.fold(variable.to_str()?);
                let name = variable.strip_prefix(&*prefix)?;
                self.is_name(name).then(|| (name.to_owned(), value))
            })
            .collect()
    }

    fn is_name(&self, name: &str) -> bool {
        SecretName::check(name).is_ok() && !name.contains('=')
    }
}

impl SecretStore for EnvStore {
    fn component_type(&self) -> &str {
        "secretstores.local.env"
    }

    fn canonical<'n>(&self, name: &'n str, _: &Metadata) -> Result<Cow<'n, str>, StoreError> {
        if name.contains('=') {
            return Err(StoreError::new(
                StoreErrorKind::InvalidRequest,
                "the name of a variable holds no `=`",
            ));
        }
        Ok(self.fold(name))
    }

    fn get<'a>(&'a self, permit: Permit<'a>, _: &'a Metadata) -> StoreFuture<'a, SecretMap> {
        StoreFuture::ready(self.find(&permit))
    }

    fn bulk<'a>(
        &'a self,
        permit: BulkPermit<'a>,
        metadata: &'a Metadata,
    ) -> StoreFuture<'a, BulkSecrets> {
        StoreFuture::ready(self.find_all(&permit, metadata.prefix()))
    }
}

impl fmt::Debug for EnvStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvStore")
            .field("prefix", &self.prefix)
            .field("allow_all", &self.allow_all)
            .finish_non_exhaustive()
    }
}

fn text(value: OsString) -> Result<SecretValue, StoreError> {
    value.into_string().map(SecretValue::from).map_err(|value| {
        drop(Zeroizing::new(value.into_encoded_bytes()));
        NOT_UTF8
    })
}

/// A name that is not set is left out; any other failure is noted.
fn add(found: &mut BulkSecrets, name: &str, secret: Result<SecretMap, StoreError>) {
    match secret {
        Ok(secret) => found.insert(name, secret),
        Err(error) if error.kind() == StoreErrorKind::Unset => {}
        Err(error) => found.add_failure(name, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::CanonicalScope;
    use crate::{Access, Engine, ErrorKind, Scope};
    use std::collections::BTreeMap;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn environment(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
        variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn demo() -> BTreeMap<String, String> {
        environment(&[
            ("APP_API_TOKEN", "hidden"),
            ("App_Api_Token", "hidden"),
            ("APP_API_TOKEN_2", "shown"),
            ("DAPR_API_TOKEN", "hidden"),
            ("dapr_http_port", "hidden"),
            ("DEMO_", "no name is left"),
            ("DEMO_EMPTY", ""),
            ("DEMO_GREETING", "hi"),
            ("demo_lower", "other prefix"),
            ("HOME", "/root"),
        ])
    }

    fn engine(store: EnvStore, scope: Scope) -> Engine {
        Engine::builder()
            .add_store("env", store)
            .add_scope("env", scope)
            .build()
            .expect("sound")
    }

    /// A local store answers at once.
    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => answer,
            Poll::Pending => panic!("a local store never waits"),
        }
    }

    fn get(engine: &Engine, name: &str) -> Result<String, ErrorKind> {
        now(engine.get("env", name, &Metadata::default()))
            .map(|secret| {
                let value = secret.get(name).expect("named as it was asked for");
                value.expose().to_owned()
            })
            .map_err(|error| error.kind())
    }

    fn bulk(engine: &Engine, metadata: &Metadata) -> Vec<String> {
        let answer = now(engine.bulk("env", metadata)).expect("answered");
        answer
            .iter()
            .map(|(name, secret)| {
                let value = secret.get(name).expect("named as the secret");
                format!("{name}={}", value.expose())
            })
            .collect()
    }

    #[test]
    fn l1_a_get_reads_prefix_and_name() {
        let prefixed = engine(EnvStore::new(demo()).with_prefix("DEMO_"), Scope::default());
        for (name, asked, answer) in [
            ("set", "GREETING", Ok("hi")),
            ("set but empty", "EMPTY", Ok("")),
            ("unset", "NOPE", Err(ErrorKind::Unset)),
            ("no prefix of its own", "HOME", Err(ErrorKind::Unset)),
            ("letter case counts", "greeting", Err(ErrorKind::Unset)),
            ("and in the prefix", "lower", Err(ErrorKind::Unset)),
        ] {
            assert_eq!(
                get(&prefixed, asked).as_deref(),
                answer.as_ref().copied(),
                "{name}"
            );
        }
        let open = engine(EnvStore::new(demo()), Scope::default());
        assert_eq!(get(&open, "HOME").as_deref(), Ok("/root"));
    }

    #[test]
    fn l2_bulk_lists_what_the_prefix_leaves() {
        let rows: [(&str, EnvStore, &[&str]); 3] = [
            (
                "with a prefix",
                EnvStore::new(demo()).with_prefix("DEMO_"),
                &["EMPTY=", "GREETING=hi"],
            ),
            ("without one", EnvStore::new(demo()), &[]),
            (
                "without one, all allowed",
                EnvStore::new(demo()).with_allow_all(true),
                &[
                    "APP_API_TOKEN_2=shown",
                    "DEMO_=no name is left",
                    "DEMO_EMPTY=",
                    "DEMO_GREETING=hi",
                    "HOME=/root",
                    "demo_lower=other prefix",
                ],
            ),
        ];
        for (name, store, listed) in rows {
            let engine = engine(store, Scope::default());
            assert_eq!(bulk(&engine, &Metadata::default()), listed, "{name}");
        }
    }

    #[test]
    fn s28_an_allow_list_is_read_name_by_name_even_without_a_prefix() {
        let scope = Scope::default()
            .add_allowed("HOME")
            .add_allowed("NOPE")
            .add_allowed("DAPR_API_TOKEN");
        let engine = engine(EnvStore::new(demo()), scope);
        assert_eq!(bulk(&engine, &Metadata::default()), ["HOME=/root"]);
        assert_eq!(
            get(&engine, "DEMO_GREETING"),
            Err(ErrorKind::PermissionDenied)
        );
    }

    #[test]
    fn s27_s30_bulk_is_filtered_by_scope_and_by_prefix() {
        let scope = Scope::default().add_denied("GREETING");
        let filtered = engine(EnvStore::new(demo()).with_prefix("DEMO_"), scope);
        assert_eq!(bulk(&filtered, &Metadata::default()), ["EMPTY="]);
        let closed = Scope::default().with_default_access(Access::Deny);
        let closed = engine(EnvStore::new(demo()).with_prefix("DEMO_"), closed);
        assert!(bulk(&closed, &Metadata::default()).is_empty());

        let open = engine(EnvStore::new(demo()).with_prefix("DEMO_"), Scope::default());
        let metadata = Metadata::default().with("prefix", "GR").expect("room");
        assert_eq!(bulk(&open, &metadata), ["GREETING=hi"]);
    }

    #[test]
    fn l3_dapr_variables_are_never_served() {
        let plain = engine(EnvStore::new(demo()).with_allow_all(true), Scope::default());
        for name in [
            "APP_API_TOKEN",
            "App_Api_Token",
            "DAPR_API_TOKEN",
            "dapr_http_port",
        ] {
            assert_eq!(get(&plain, name), Err(ErrorKind::Unset), "{name}");
        }
        assert_eq!(get(&plain, "APP_API_TOKEN_2").as_deref(), Ok("shown"));
        for (prefix, name) in [
            ("APP_", "API_TOKEN"),
            ("DAPR", "_API_TOKEN"),
            ("d", "apr_http_port"),
        ] {
            let prefixed = engine(EnvStore::new(demo()).with_prefix(prefix), Scope::default());
            assert_eq!(
                get(&prefixed, name),
                Err(ErrorKind::Unset),
                "{prefix} {name}"
            );
            let names = bulk(&prefixed, &Metadata::default());
            assert!(
                !names.iter().any(|line| line.contains("hidden")),
                "{names:?}"
            );
        }
    }

    #[test]
    fn s32_unset_and_forbidden_are_a_kind_of_their_own_with_nothing_to_tell_them_apart() {
        let engine = engine(EnvStore::new(demo()), Scope::default());
        for name in ["NOPE", "DAPR_API_TOKEN"] {
            let error = now(engine.get("env", name, &Metadata::default())).expect_err("a miss");
            assert_eq!(
                (error.kind(), error.detail()),
                (ErrorKind::Unset, ""),
                "{name}"
            );
        }
    }

    /// An environment that looks names up as the C library does: `A=B` is found in `A=B=x`.
    struct Libc(&'static [&'static str]);

    impl Environment for Libc {
        fn var(&self, name: &str) -> Option<OsString> {
            let found = |line: &&str| {
                line.strip_prefix(name)?
                    .strip_prefix('=')
                    .map(OsString::from)
            };
            self.0.iter().find_map(found)
        }

        fn vars(&self) -> Vec<(OsString, OsString)> {
            let split = |line: &&str| line.split_once('=').map(|(n, v)| (n.into(), v.into()));
            self.0.iter().filter_map(split).collect()
        }
    }

    #[test]
    fn l4_a_prefix_with_an_equals_sign_reads_nothing() {
        let variables = Libc(&[
            "APP_API_TOKEN=ab=hidden",
            "A=B=hidden",
            "=C:=hidden",
            "OK=1",
        ]);
        assert_eq!(variables.var("A=B"), Some("hidden".into()), "as feared");
        for prefix in ["A=", "=", "APP_API_TOKEN=a", "A\n"] {
            let variables = Libc(variables.0);
            let store = EnvStore::new(variables).with_prefix(prefix);
            let engine = engine(store, Scope::default());
            for name in ["B", "b", "C:"] {
                assert_eq!(
                    get(&engine, name),
                    Err(ErrorKind::StoreMisconfigured),
                    "{prefix:?}"
                );
            }
            let bulk = now(engine.bulk("env", &Metadata::default())).map_err(|error| error.kind());
            assert_eq!(
                bulk.err(),
                Some(ErrorKind::StoreMisconfigured),
                "{prefix:?}"
            );
        }
    }

    #[test]
    fn l4_the_environment_is_read_at_each_call() {
        struct Changing(std::sync::Mutex<BTreeMap<String, String>>);
        impl Environment for Changing {
            fn var(&self, name: &str) -> Option<OsString> {
                self.0.lock().expect("sound").get(name).map(OsString::from)
            }
            fn vars(&self) -> Vec<(OsString, OsString)> {
                self.0.lock().expect("sound").vars()
            }
        }

        let variables = Arc::new(Changing(environment(&[("DEMO_A", "old")]).into()));
        let store = EnvStore::new(Arc::clone(&variables)).with_prefix("DEMO_");
        let engine = engine(store, Scope::default());
        assert_eq!(get(&engine, "A").as_deref(), Ok("old"));
        *variables.0.lock().expect("sound") = environment(&[("DEMO_A", "new"), ("DEMO_B", "b")]);
        assert_eq!(get(&engine, "A").as_deref(), Ok("new"));
        assert_eq!(bulk(&engine, &Metadata::default()), ["A=new", "B=b"]);
        variables.0.lock().expect("sound").clear();
        assert_eq!(get(&engine, "A"), Err(ErrorKind::Unset));
    }

    #[test]
    fn s31_bulk_stops_when_there_is_too_much() {
        let variables = (0..10_001).map(|index| (format!("V{index}"), String::new()));
        let variables: BTreeMap<_, _> = variables.collect();
        let store = EnvStore::new(variables).with_allow_all(true);
        for (scope, prefix, found) in [
            (Scope::default(), "", Err(StoreErrorKind::InvalidRequest)),
            (Scope::default(), "V1000", Ok(2)),
            (Scope::only(["V1", "V2", "W"]), "", Ok(2)),
            (Scope::only(["V1", "V2"]), "V2", Ok(1)),
        ] {
            let (scope, _) = CanonicalScope::new(&scope, &store);
            let answer = store.find_all(&scope.check_bulk("env"), prefix);
            let counted = answer
                .map(|found| found.len())
                .map_err(|error| error.kind());
            assert_eq!(counted, found, "{prefix:?}");
        }
    }

    #[test]
    fn l4_names_are_exact_and_upper_case_on_windows() {
        let mut windows = EnvStore::new(environment(&[("PATH", "p"), ("MY_KEY", "k")]));
        windows.folds_case = true;
        let none = Metadata::default();
        assert_eq!(windows.canonical("Path", &none).as_deref(), Ok("PATH"));
        assert_eq!(windows.canonical("PATH", &none).as_deref(), Ok("PATH"));
        let engine_on_windows = engine(windows, Scope::default().add_denied("path"));
        assert_eq!(
            get(&engine_on_windows, "PaTh"),
            Err(ErrorKind::PermissionDenied)
        );
        assert_eq!(get(&engine_on_windows, "my_key").as_deref(), Ok("k"));

        let here = EnvStore::new(demo());
        for name in ["A=B", "=", "=A"] {
            assert_eq!(
                here.canonical(name, &none).map_err(|error| error.kind()),
                Err(StoreErrorKind::InvalidRequest),
                "{name}"
            );
        }
    }

    #[test]
    fn l2_a_prefix_on_windows_matches_any_case() {
        let mut windows = EnvStore::new(environment(&[("DEMO_a", "1")])).with_prefix("demo_");
        windows.folds_case = true;
        let engine = engine(windows, Scope::default());
        assert_eq!(bulk(&engine, &Metadata::default()), ["A=1"]);
    }

    #[cfg(unix)]
    #[test]
    fn api_c5_s2_a_value_that_is_not_utf8_is_corrupt_and_fails_bulk_unless_partial() {
        use std::os::unix::ffi::OsStringExt;

        struct Broken;
        impl Environment for Broken {
            fn var(&self, name: &str) -> Option<OsString> {
                (name == "BAD").then(|| OsString::from_vec(vec![b's', 0xff]))
            }
            fn vars(&self) -> Vec<(OsString, OsString)> {
                vec![
                    ("BAD".into(), OsString::from_vec(vec![b's', 0xff])),
                    ("GOOD".into(), "g".into()),
                    (OsString::from_vec(vec![b'N', 0xff]), "no name".into()),
                ]
            }
        }

        let engine = engine(EnvStore::new(Broken).with_allow_all(true), Scope::default());
        assert_eq!(get(&engine, "BAD"), Err(ErrorKind::Corrupt));
        let error = now(engine.bulk("env", &Metadata::default())).expect_err("one is corrupt");
        assert_eq!(
            (error.kind(), error.secret()),
            (ErrorKind::Corrupt, Some("BAD"))
        );
        let partial = Metadata::default().with("partial", "true").expect("room");
        let answer = now(engine.bulk("env", &partial)).expect("the rest");
        assert_eq!(
            answer.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            ["GOOD"]
        );
        assert_eq!(
            answer.failed().map(|(name, _)| name).collect::<Vec<_>>(),
            ["BAD"]
        );
    }

    proptest::proptest! {
        #[test]
        fn n7_canonical_names_of_one_variable_are_equal(name in "[a-zA-Z_é]{1,20}", fold: bool) {
            let mut store = EnvStore::new(demo());
            store.folds_case = fold;
            let none = Metadata::default();
            let once = store.canonical(&name, &none).expect("no equals sign").into_owned();
            let twice = store.canonical(&once, &none).expect("canonical").into_owned();
            proptest::prop_assert_eq!(&once, &twice);
            if fold {
                let upper = name.to_uppercase();
                let other = store.canonical(&upper, &none).expect("no equals sign");
                proptest::prop_assert_eq!(once.as_str(), &*other);
            }
        }
    }
}
