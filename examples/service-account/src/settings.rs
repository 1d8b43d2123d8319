//! [`Settings`]: the environment of the app, and the layer that it asks for.

use tower_dapr_token::{
    JwtRules, RemoteKeys, RequireRemoteTokenBuilder, RequireTokenLayer, SubjectRule,
};

/// The issuer of a cluster that was told nothing else; `kubectl get --raw /.well-known/openid-configuration` shows it.
const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

pub(crate) struct Settings {
    issuer: String,
    audience: String,
    /// The values of `sub`.
    callers: Vec<String>,
    /// Without it the issuer says where its keys are.
    key_set: Option<String>,
    /// PEM, in place of the root certificates of the operating system.
    root_certificate: Option<Vec<u8>>,
}

impl Settings {
    /// What is wrong is told with what to do about it.
    pub(crate) fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let set = |name| variable(name).filter(|value| !value.trim().is_empty());
        let callers = set("ALLOWED_SERVICE_ACCOUNTS").ok_or(
            "ALLOWED_SERVICE_ACCOUNTS is not set: set it to NAMESPACE/NAME, or to several with commas between them",
        )?;
        let callers = callers.split(',').map(|caller| subject(caller.trim()));
        let root_certificate = set("CLUSTER_CA").map(|path| {
            std::fs::read(&path).map_err(|error| {
                format!("CLUSTER_CA cannot be read, {path}: {error}; name a file in PEM")
            })
        });
        Ok(Self {
            issuer: set("TOKEN_ISSUER").unwrap_or_else(|| ISSUER.to_owned()),
            audience: set("TOKEN_AUDIENCE").ok_or(
                "TOKEN_AUDIENCE is not set: set it to the `audience` of the projected volumes of its callers",
            )?,
            callers: callers.collect::<Result<_, _>>()?,
            key_set: set("KEY_SET"),
            root_certificate: root_certificate.transpose()?,
        })
    }

    pub(crate) fn layer(self) -> RequireRemoteTokenBuilder<'static> {
        let mut keys = match self.key_set {
            Some(url) => RemoteKeys::jwks(url),
            None => RemoteKeys::discovery(self.issuer.clone()),
        };
        if let Some(pem) = self.root_certificate {
            keys = keys.root_certificate(pem);
        }
        let rules = JwtRules::new(self.issuer, self.audience);
        let rules = self.callers.into_iter().fold(rules, |rules, subject| {
            rules.add_subject(SubjectRule::exact(subject))
        });
        RequireTokenLayer::builder()
            .http_health()
            .remote_keys(keys, rules)
    }
}

/// The `sub` of a service account's tokens.
fn subject(caller: &str) -> Result<String, String> {
    let is_name = |name: &str| {
        let is_allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
        !name.is_empty() && name.bytes().all(is_allowed)
    };
    match caller.split_once('/') {
        Some((namespace, name)) if is_name(namespace) && is_name(name) => {
            Ok(format!("system:serviceaccount:{namespace}:{name}"))
        }
        _ => Err(format!(
            "ALLOWED_SERVICE_ACCOUNTS names `{caller}`, which is no service account: write it as NAMESPACE/NAME"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_become_subjects_and_nothing_else_does() {
        for (caller, expected) in [
            ("shop/cart", Some("system:serviceaccount:shop:cart")),
            ("shop/cart-2.a", Some("system:serviceaccount:shop:cart-2.a")),
            ("cart", None),
            ("shop/", None),
            ("/cart", None),
            ("shop/cart/x", None),
            ("shop:x/cart", None),
            ("shop/*", None),
            ("Shop/cart", None),
            ("", None),
        ] {
            let found = subject(caller);
            assert_eq!(found.as_deref().ok(), expected, "{caller:?}");
            let told = found
                .err()
                .is_none_or(|error| error.contains("NAMESPACE/NAME"));
            assert!(told, "{caller:?}");
        }
    }

    #[test]
    fn what_is_missing_is_told_with_what_to_do() {
        let read = |variables: &[(&str, &str)]| {
            let all = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name)?;
                Some(found.1.to_owned())
            };
            Settings::from_env(all).map(|settings| (settings.issuer, settings.callers))
        };
        let callers = ("ALLOWED_SERVICE_ACCOUNTS", "shop/cart, shop/web");
        let audience = ("TOKEN_AUDIENCE", "orders");
        let (issuer, subjects) = read(&[callers, audience]).expect("good");
        assert_eq!(issuer, ISSUER);
        assert_eq!(
            subjects,
            [
                "system:serviceaccount:shop:cart",
                "system:serviceaccount:shop:web"
            ]
        );
        for (variables, expected) in [
            (&[audience][..], "ALLOWED_SERVICE_ACCOUNTS is not set: "),
            (&[callers], "TOKEN_AUDIENCE is not set: "),
            (
                &[callers, audience, ("CLUSTER_CA", "/nowhere/ca.crt")],
                "CLUSTER_CA cannot be read, /nowhere/ca.crt: ",
            ),
            (
                &[audience, ("ALLOWED_SERVICE_ACCOUNTS", "shop/cart,")],
                "ALLOWED_SERVICE_ACCOUNTS names ``",
            ),
        ] {
            let error = read(variables).expect_err(expected);
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
