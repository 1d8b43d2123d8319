//! What must hold for every request, over the layer: random tokens, values that are almost one, headers in any order and case.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, Request};
use proptest::prelude::*;
use tower_dapr_token::{RequireTokenLayer, Token, TokenHandle, TokenSet};

use crate::support::{Answer, NAME, send};

/// Names of a request, among them those that some program may take for one another.
const NAMES: [&str; 9] = [
    NAME,
    "dapr_api_token",
    "dapr-api_token",
    "x-token",
    "x_token",
    "authorization",
    "cookie",
    "a",
    "b",
];

fn parsed(tokens: &[String]) -> impl Iterator<Item = Token> {
    tokens.iter().map(|token| token.parse().expect("valid"))
}

/// The same tokens, as ones that cannot change and as ones that can.
fn layers(tokens: &[String]) -> [RequireTokenLayer; 2] {
    let mut rest = parsed(tokens);
    let current = rest.next().expect("at least one");
    let fixed = rest.fold(
        RequireTokenLayer::builder().token(current),
        tower_dapr_token::RequireTokenBuilder::add_previous,
    );
    let mut rest = parsed(tokens);
    let current = rest.next().expect("at least one");
    let set = rest.try_fold(TokenSet::new(current), TokenSet::add_previous);
    let handle = TokenHandle::new(set.expect("at most eight"));
    let changing = RequireTokenLayer::builder().reader(handle.reader());
    [fixed, changing].map(|builder| builder.build().expect("valid"))
}

/// A request with these headers, in this order.
fn request(headers: &[(&str, Vec<u8>)]) -> Request<()> {
    let mut request = Request::post("/orders").body(()).expect("valid");
    for (name, value) in headers {
        request.headers_mut().append(
            HeaderName::from_bytes(name.as_bytes()).expect("a name"),
            HeaderValue::from_bytes(value).expect("a value"),
        );
    }
    request
}

fn sent(layer: &RequireTokenLayer, headers: &[(&str, Vec<u8>)]) -> (Answer, Option<HeaderMap>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime
        .expect("a runtime")
        .block_on(send(layer, request(headers)))
}

fn by_name<'h>(
    headers: impl Iterator<Item = (&'h str, &'h [u8])>,
) -> BTreeMap<&'h str, Vec<&'h [u8]>> {
    let mut names = BTreeMap::<_, Vec<_>>::new();
    for (name, value) in headers {
        names.entry(name).or_default().push(value);
    }
    names
}

/// One to eight tokens, with some that are alike.
fn tokens() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(
        prop_oneof!["[!-~]{1,70}", "[ab]{1,3}", "a{60,70}", "[!-~]{250,260}"],
        1..=8,
    )
}

/// Bytes that a header can hold, none of which white space begins or ends: a server would have taken that away.
fn any_value() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(b'\t'), 0x20u8..=0x7e, 0x80u8..=0xff];
    prop::collection::vec(byte, 0..80)
}

/// What is made of a token: itself, or something that is almost it.
fn change(token: &[u8], other: &[u8], how: usize, at: prop::sample::Index) -> Vec<u8> {
    let at = at.index(token.len());
    let mut value = token.to_vec();
    match how {
        0 => {}
        1 => value.truncate(at),
        2 => drop(value.remove(at)),
        3 => value.insert(at, b'x'),
        4 => value.push(value[at]),
        5 => value[at] ^= 0x01,
        6 => value[at] ^= 0x20,
        7 => value[at] |= 0x80,
        8 => value.insert(0, b' '),
        9 => value.push(b' '),
        10 => value = [token, token].concat(),
        11 => value = [token, b",", other].concat(),
        _ => value = [b"Bearer ", token].concat(),
    }
    value
}

proptest! {
    /// The token of any slot is accepted, and nothing else is: no part, no extension, no other case, no list of tokens.
    #[test]
    fn c1_c2_e3_a_value_is_accepted_exactly_if_it_is_a_token(
        tokens in tokens(),
        pick in any::<[prop::sample::Index; 3]>(),
        how in 0usize..14,
        random in any_value(),
    ) {
        let [token, other, at] = pick;
        let value = match how {
            13 => random,
            how => change(token.get(&tokens).as_bytes(), other.get(&tokens).as_bytes(), how, at),
        };
        // A changed byte may have become one that no header can hold.
        prop_assume!(HeaderValue::from_bytes(&value).is_ok());
        let is_token = tokens.iter().any(|token| token.as_bytes() == value);
        for layer in layers(&tokens) {
            let (answer, seen) = sent(&layer, &[(NAME, value.clone())]);
            prop_assert_eq!(answer.status, if is_token { 200 } else { 401 });
            prop_assert_eq!(seen.is_some(), is_token);
        }
    }

    /// In whatever order headers come, and however their names are spelt, the answer is the same.
    #[test]
    fn e1_e2_j4_the_answer_depends_on_neither_the_order_nor_the_case_of_names(
        (headers, shuffled) in prop::collection::vec(
            (prop::sample::select(&NAMES[..]), prop_oneof![Just("secret"), Just("other"), Just("")]),
            0..6,
        ).prop_flat_map(|headers| (Just(headers.clone()), Just(headers).prop_shuffle())),
        capitals in any::<u64>(),
    ) {
        let [layer, _] = layers(&["secret".to_owned()]);
        let spelt: Vec<(String, Vec<u8>)> = shuffled
            .iter()
            .map(|(name, value)| {
                let name = name.bytes().zip((0..64).cycle()).map(|(byte, bit)| {
                    char::from(if capitals >> bit & 1 == 1 { byte.to_ascii_uppercase() } else { byte })
                });
                (name.collect(), value.as_bytes().to_vec())
            })
            .collect();
        let spelt: Vec<(&str, Vec<u8>)> =
            spelt.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let plain: Vec<(&str, Vec<u8>)> =
            headers.iter().map(|(name, value)| (*name, value.as_bytes().to_vec())).collect();
        let (first, first_seen) = sent(&layer, &plain);
        let (second, second_seen) = sent(&layer, &spelt);
        prop_assert_eq!(first.status, second.status);
        prop_assert_eq!(first.body, second.body);
        prop_assert_eq!(first_seen.map(|seen| seen.len()), second_seen.map(|seen| seen.len()));
        let values: Vec<&str> =
            headers.iter().filter(|(name, _)| *name == NAME).map(|(_, value)| *value).collect();
        prop_assert_eq!(first.status == 200, values == ["secret"]);
    }

    /// What is not a name of the token arrives, every name with its values in their order.
    #[test]
    fn e5_what_is_not_stripped_arrives_with_the_values_of_each_name_in_order(
        before in prop::collection::vec((prop::sample::select(&NAMES[..]), "[!-~]{0,4}"), 0..8),
        after in prop::collection::vec((prop::sample::select(&NAMES[..]), "[!-~]{0,4}"), 0..8),
        (custom, keep, underscored) in any::<(bool, bool, bool)>(),
    ) {
        let name = if custom { "x-token" } else { NAME };
        let mut builder = RequireTokenLayer::builder().token("secret".parse().expect("valid"));
        if custom {
            builder = builder.header_name(HeaderName::from_static("x-token"));
        }
        if keep {
            builder = builder.keep_header();
        }
        if underscored {
            builder = builder.strip_underscore_variants();
        }
        let layer = builder.build().expect("valid");

        // One token, and what else there is, so that the request comes through.
        let others = |headers: Vec<(&'static str, String)>| {
            headers.into_iter().filter(|(sent, _)| *sent != name).collect::<Vec<_>>()
        };
        let mut headers = others(before);
        headers.push((name, "secret".to_owned()));
        headers.extend(others(after));
        let stripped: &[&str] = match (custom, underscored) {
            (true, true) => &[NAME, "dapr_api_token", "dapr-api_token", "x_token"],
            (true, false) => &[NAME],
            (false, true) => &["dapr_api_token", "dapr-api_token"],
            (false, false) => &[],
        };
        let expected = headers.iter().filter(|(sent, _)| !stripped.contains(sent) && (keep || *sent != name));
        let expected = by_name(expected.map(|(sent, value)| (*sent, value.as_bytes())));
        let all: Vec<(&str, Vec<u8>)> =
            headers.iter().map(|(sent, value)| (*sent, value.as_bytes().to_vec())).collect();
        let (_, seen) = sent(&layer, &all);
        let seen = seen.expect("the token is there, once");
        prop_assert_eq!(by_name(seen.iter().map(|(sent, value)| (sent.as_str(), value.as_bytes()))), expected);
        for (sent, value) in &seen {
            prop_assert_eq!(value.is_sensitive(), *sent == name);
        }
    }
}
