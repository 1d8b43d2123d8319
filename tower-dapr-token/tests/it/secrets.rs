//! Tokens that no sentence holds a piece of, and the search for every form in which one could get out.

use std::fmt::Write as _;

/// The shortest run of bytes of a token that is called a leak.
const PIECE: usize = 8;
/// The same of its hash, which is often cut to a few digits.
const PIECE_OF_HASH: usize = 4;

pub(crate) const CURRENT: &str = "Zq7vX2mK9sWx4tR8yB3nL6pD1fG5hJ0cVaEuQ";
pub(crate) const NEXT: &str = "u1Yw6Tg3Hk8Mz5Rb2Nc9Fj4Xd7Pq0LsWvEoKi";
pub(crate) const PREVIOUS: &str = "pA5oS8iD2uF6yG1tH9rJ4eK7wL3qZ0xMcNvBn";
pub(crate) const WRONG: &str = "Zq7vX2mK9sWx4tR8yB3nL6pD1fG5hJ0cVaEuq";
/// Sent by a caller and written into files where no token can be.
pub(crate) const BAD: &str = "g8Vb1Nh4Jm7Kl0Zx3Cq6Ws9Ed2Rf5Tt8Yy1Uu";

/// Each with its SHA-256: `printf %s SECRET | sha256sum`.
const ALL: [(&str, &str, &str); 5] = [
    (
        "the current token",
        CURRENT,
        "471a88ffa56f4a0f083ef3c6931e6c01c235c41bfb14aebefbaf7f579c98644c",
    ),
    (
        "the next token",
        NEXT,
        "1beb6ab7510f7dc3928d21a5e5fe724c401770df2f7cbdedd4b1afa51fab2943",
    ),
    (
        "a previous token",
        PREVIOUS,
        "cd4a34041deee9d151cf3af77b3c98163a7346a8a81dfa105c6da69cbc9cd908",
    ),
    (
        "a wrong token",
        WRONG,
        "22e0092b40d39a7abab7264dde9b3edbf1dc3c95c8d9f673d08ab07843dba7e9",
    ),
    (
        "what is no token",
        BAD,
        "141f94b8b054b9e9c13aa890848699f58cb7503e3b2b6258e937399ee63e4d9c",
    ),
];

/// Fails if the text holds a piece of any of them, as it is or in disguise.
pub(crate) fn assert_none_in(place: &str, text: &str) {
    // A list of numbers may be printed with one in each line.
    let text = Vec::from_iter(text.split_whitespace()).join(" ");
    for (name, secret, hash) in ALL {
        for (form, piece) in forms(secret) {
            assert!(!text.contains(&piece), "{name}, {form}, in {place}: {text}");
        }
        for (form, piece) in encodings(&bytes_of(hash), PIECE_OF_HASH) {
            assert!(
                !text.contains(&piece),
                "the hash of {name}, {form}, in {place}: {text}"
            );
        }
    }
}

/// Every piece of it, forwards and backwards: as it is, and encoded.
fn forms(secret: &str) -> Vec<(&'static str, String)> {
    let backwards: String = secret.chars().rev().collect();
    let mut forms = encodings(secret.as_bytes(), PIECE);
    for (name, text) in [("plain", secret), ("backwards", &backwards)] {
        for piece in text.as_bytes().windows(PIECE) {
            forms.push((name, String::from_utf8(piece.to_vec()).expect("ASCII")));
        }
    }
    for piece in backwards.as_bytes().windows(PIECE) {
        forms.push(("backwards in hexadecimal", hexadecimal(piece)));
        forms.push((
            "backwards in hexadecimal",
            hexadecimal(piece).to_uppercase(),
        ));
    }
    forms
}

/// In hexadecimal, of that many bytes; in base64; and as a list of numbers.
fn encodings(bytes: &[u8], piece: usize) -> Vec<(&'static str, String)> {
    let mut forms = Vec::new();
    for piece in bytes.windows(piece) {
        forms.push(("in hexadecimal", hexadecimal(piece).to_uppercase()));
        forms.push(("in hexadecimal", hexadecimal(piece)));
    }
    // Wherever the bytes begin in what is encoded, some of its groups of three begin with them.
    for piece in bytes.windows(6) {
        let text = base64(piece);
        forms.push((
            "in base64 of addresses",
            text.replace('+', "-").replace('/', "_"),
        ));
        forms.push(("in base64", text));
    }
    for piece in bytes.windows(4) {
        forms.push((
            "in numbers",
            format!("{piece:?}").trim_matches(['[', ']']).to_owned(),
        ));
    }
    forms
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}

fn bytes_of(hexadecimal: &str) -> Vec<u8> {
    let digits = hexadecimal.as_bytes().chunks_exact(2);
    digits
        .map(|two| {
            let text = std::str::from_utf8(two).expect("ASCII");
            u8::from_str_radix(text, 16).expect("two digits")
        })
        .collect()
}

/// Of a number of bytes that three divides.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .chunks_exact(3)
        .flat_map(|three| {
            let bits = three
                .iter()
                .fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
            [18, 12, 6, 0].map(|shift| char::from(DIGITS[bits >> shift & 63]))
        })
        .collect()
}

#[test]
fn the_search_finds_a_token_in_every_disguise() {
    let finds = |text: &str| std::panic::catch_unwind(|| assert_none_in("a test", text)).is_err();
    let backwards: String = CURRENT.chars().rev().collect();
    let table = [
        ("whole", format!("token={CURRENT}"), true),
        ("a piece", CURRENT[5..13].to_owned(), true),
        ("a smaller piece", CURRENT[5..12].to_owned(), false),
        ("the end", CURRENT[CURRENT.len() - 8..].to_owned(), true),
        ("another one", NEXT.to_owned(), true),
        ("backwards", backwards, true),
        ("in hexadecimal", "5A71377658326D4B".to_owned(), true),
        (
            "in small hexadecimal",
            "5a713776 5a71377658326d4b".to_owned(),
            true,
        ),
        ("bytes", format!("{:?}", CURRENT.as_bytes()), true),
        ("bytes in lines", format!("{:#?}", CURRENT.as_bytes()), true),
        (
            "its hash",
            "sha256=471a88ffa56f4a0f083ef3c6931e6c01c235c41bfb14aebefbaf7f579c98644c".to_owned(),
            true,
        ),
        ("the beginning of its hash", "471a88ff".to_owned(), true),
        ("too little of its hash", "471a88f".to_owned(), false),
        ("the end of its hash", "9C98644C".to_owned(), true),
        (
            "the hash of another one",
            "cd4a34041deee9d151cf3af77b3c98163a7346a8a81dfa105c6da69cbc9cd908".to_owned(),
            true,
        ),
        (
            "its hash in base64",
            "RxqI/6VvSg8IPvPGkx5sAcI1xBv7FK6++69/V5yYZEw=".to_owned(),
            true,
        ),
        (
            "the beginning of its hash in base64 of addresses",
            "RxqI_6Vv".to_owned(),
            true,
        ),
        ("bytes of its hash", "[71, 26, 136, 255]".to_owned(), true),
        ("nothing", "the token is not there".to_owned(), false),
    ];
    for (name, text, found) in table {
        assert_eq!(finds(&text), found, "{name}");
    }
    // `printf 'xZq7vX2mK9s' | base64`, and with one and two letters more in front
    for text in [
        "eFpxN3ZYMm1LOXM=",
        "eHhacTd2WDJtSzlz",
        "eHh4WnE3dlgybUs5cw==",
    ] {
        assert!(finds(text), "{text}");
    }
}

/// The feature brings the library that computes them.
#[cfg(feature = "jwt")]
#[test]
fn each_hash_is_that_of_its_secret() {
    for (name, secret, hash) in ALL {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
        assert_eq!(hexadecimal(digest.as_ref()), hash, "{name}");
    }
}
