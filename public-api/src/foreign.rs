//! Which other crates a listing names, and which it may.
//!
//! A type of a dependency's dependency in a public signature ties the users of a package to a version that its manifest does
//! not name. `foreign.txt` says, package by package, which crates may occur; what is in neither list fails, on both sides.

use std::collections::BTreeSet;

/// The crates whose paths occur in the listing of `package`, its own left out.
pub(crate) fn named<'l>(package: &str, listing: &'l str) -> BTreeSet<&'l str> {
    let own = package.replace('-', "_");
    listing
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        .filter_map(|path| path.split_once("::"))
        .map(|(root, _)| root)
        // `Self::Error` and `S::Future` begin with a capital, and what follows a `>` with nothing.
        .filter(|root| {
            root.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') && *root != own
        })
        .collect()
}

/// What is wrong with the crates of a listing, one sentence each.
pub(crate) fn faults(package: &str, listing: &str, allowed: &str) -> Vec<String> {
    let line = allowed
        .lines()
        .find_map(|line| line.strip_prefix(package)?.strip_prefix(':'));
    let Some(line) = line else {
        return vec![format!("foreign.txt has no line for {package}")];
    };
    let allowed: BTreeSet<&str> = line.split_whitespace().collect();
    let named = named(package, listing);
    let unknown = named.difference(&allowed).map(|name| {
        format!(
            "{package}: `{name}` is named in a public signature, and foreign.txt does not allow it"
        )
    });
    let idle = allowed
        .difference(&named)
        .map(|name| format!("{package}: foreign.txt allows `{name}`, which is named nowhere"));
    unknown.chain(idle).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "\
pub struct our_crate::Layer<S>
impl<S> tower_layer::Layer<S> for our_crate::Layer<S>
pub type our_crate::Layer<S>::Service = <S as tower_service::Service<http::request::Request<B>>>::Future
pub fn our_crate::Layer<S>::get(&self) -> core::option::Option<&'static str>
pub fn our_crate::Layer<S>::error(self) -> Self::Error
";

    #[test]
    fn the_roots_of_paths_are_the_crates() {
        let found: Vec<&str> = named("our-crate", LISTING).into_iter().collect();
        assert_eq!(found, ["core", "http", "tower_layer", "tower_service"]);
    }

    #[test]
    fn a_crate_that_is_not_allowed_and_one_that_is_not_named_are_faults() {
        let all = "our-crate: core http tower_layer tower_service\n";
        for (name, allowed, faults_found) in [
            ("exactly these", all.to_owned(), 0),
            ("one more is named", all.replace("http ", ""), 1),
            ("one more is allowed", all.replace("http", "http bytes"), 1),
            ("both", all.replace("http", "bytes"), 2),
            (
                "the line of another package",
                all.replace("our-crate", "our-crate-too"),
                1,
            ),
            ("nothing", String::new(), 1),
        ] {
            assert_eq!(
                faults("our-crate", LISTING, &allowed).len(),
                faults_found,
                "{name}"
            );
        }
    }
}
