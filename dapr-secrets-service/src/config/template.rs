//! Templates in a literal metadata value: `{uuid}`, `{podName}`, `{namespace}`, `{appID}`.
//!
//! Each is replaced once, from left to right; what a replacement holds is not looked at again.
//! Values that come from the environment or from a secret are never touched.

use std::hash::{BuildHasher, RandomState};

use crate::environment::Environment;

/// Where the replacements come from.
pub(super) struct Surroundings<'a> {
    pub(super) app_id: &'a str,
    pub(super) namespace: &'a str,
    pub(super) environment: &'a dyn Environment,
}

/// Replaces every template.
///
/// # Errors
///
/// When `{podName}` is asked for and `POD_NAME` is not set.
pub(super) fn expand(text: &str, from: &Surroundings<'_>) -> Result<String, &'static str> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let (before, brace) = rest.split_at(start);
        expanded.push_str(before);
        let (replacement, template) = if brace.starts_with("{uuid}") {
            (uuid(), "{uuid}")
        } else if brace.starts_with("{podName}") {
            (pod_name(from.environment)?, "{podName}")
        } else if brace.starts_with("{namespace}") {
            (format!("{}.{}", from.namespace, from.app_id), "{namespace}")
        } else if brace.starts_with("{appID}") {
            (from.app_id.to_owned(), "{appID}")
        } else {
            ("{".to_owned(), "{")
        };
        expanded.push_str(&replacement);
        rest = &brace[template.len()..];
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn pod_name(environment: &dyn Environment) -> Result<String, &'static str> {
    environment
        .var("POD_NAME")
        .filter(|name| !name.is_empty())
        .and_then(|name| name.into_string().ok())
        .ok_or("{podName} is used, and the variable POD_NAME is not set: set it, or write a value without {podName}")
}

/// A random UUID (version 4). Its bits come from the keys that the standard library draws for
/// its hash maps: good for telling instances apart, not for keeping a secret.
fn uuid() -> String {
    let random = || RandomState::new().hash_one(0_u8);
    let (high, low) = (random(), random());
    let high = high & !0xf000 | 0x4000;
    let low = low & !(0b11 << 62) | 0b10 << 62;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn expanded(text: &str, pod: Option<&str>) -> Result<String, &'static str> {
        let mut environment = BTreeMap::new();
        if let Some(pod) = pod {
            environment.insert("POD_NAME".to_owned(), pod.to_owned());
        }
        let from = Surroundings {
            app_id: "shop",
            namespace: "prod",
            environment: &environment,
        };
        expand(text, &from)
    }

    #[test]
    fn s17_templates_are_replaced_once() {
        for (name, text, result) in [
            ("none", "plain", "plain"),
            ("app id", "a-{appID}-b", "a-shop-b"),
            ("namespace", "{namespace}", "prod.shop"),
            ("pod name", "{podName}", "pod-{appID}"),
            (
                "several",
                "{appID}{appID}/{namespace}",
                "shopshop/prod.shop",
            ),
            ("not a template", "{other} {AppID} {", "{other} {AppID} {"),
            ("nested braces", "{{appID}}", "{shop}"),
            ("not ASCII", "é{appID}é", "éshopé"),
        ] {
            assert_eq!(
                expanded(text, Some("pod-{appID}")).as_deref(),
                Ok(result),
                "{name}"
            );
        }
        assert!(expanded("{podName}", None).is_err());
        assert!(expanded("{podName}", Some("")).is_err());
    }

    #[test]
    fn s17_every_uuid_is_a_new_one() {
        let text = expanded("{uuid} {uuid}", None).expect("needs nothing");
        let (first, second) = text.split_once(' ').expect("two");
        assert_ne!(first, second);
        for uuid in [first, second] {
            let groups: Vec<usize> = uuid.split('-').map(str::len).collect();
            assert_eq!(groups, [8, 4, 4, 4, 12], "{uuid}");
            assert!(uuid.chars().all(|c| c == '-' || c.is_ascii_hexdigit()));
            assert_eq!(&uuid[14..15], "4", "{uuid}");
            assert!("89ab".contains(&uuid[19..20]), "{uuid}");
        }
    }
}
