//! Tokens that no sentence holds a piece of, and the search for every form in which one could get out.

use std::fmt::Write as _;

/// The shortest run of bytes that is called a leak.
const PIECE: usize = 8;

pub(crate) const CURRENT: &str = "Zq7vX2mK9sWx4tR8yB3nL6pD1fG5hJ0cVaEuQ";
pub(crate) const NEXT: &str = "u1Yw6Tg3Hk8Mz5Rb2Nc9Fj4Xd7Pq0LsWvEoKi";
pub(crate) const PREVIOUS: &str = "pA5oS8iD2uF6yG1tH9rJ4eK7wL3qZ0xMcNvBn";
pub(crate) const WRONG: &str = "Zq7vX2mK9sWx4tR8yB3nL6pD1fG5hJ0cVaEuq";
/// Sent by a caller and written into files where no token can be.
pub(crate) const BAD: &str = "g8Vb1Nh4Jm7Kl0Zx3Cq6Ws9Ed2Rf5Tt8Yy1Uu";

const ALL: [(&str, &str); 5] = [
    ("the current token", CURRENT),
    ("the next token", NEXT),
    ("a previous token", PREVIOUS),
    ("a wrong token", WRONG),
    ("what is no token", BAD),
];

/// Fails if the text holds a piece of any of them, as it is or in disguise.
pub(crate) fn assert_none_in(place: &str, text: &str) {
    // A list of numbers may be printed with one in each line.
    let text = Vec::from_iter(text.split_whitespace()).join(" ");
    for (name, secret) in ALL {
        for (form, piece) in forms(secret) {
            assert!(!text.contains(&piece), "{name}, {form}, in {place}: {text}");
        }
    }
}

/// Every piece of it: plain, backwards, in hexadecimal, in base64, and as a list of numbers.
fn forms(secret: &str) -> Vec<(&'static str, String)> {
    let bytes = secret.as_bytes();
    let backwards: Vec<_> = bytes.iter().rev().copied().collect();
    let mut forms = Vec::new();
    for (plain, hexadecimal, bytes) in [
        ("plain", "in hexadecimal", bytes),
        ("backwards", "backwards in hexadecimal", &backwards),
    ] {
        for piece in bytes.windows(PIECE) {
            let text = String::from_utf8(piece.to_vec()).expect("ASCII");
            let hex = piece.iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").expect("a String takes everything");
                hex
            });
            forms.push((hexadecimal, hex.to_uppercase()));
            forms.push((hexadecimal, hex));
            forms.push((plain, text));
        }
    }
    // Wherever the token begins in what is encoded, some of its groups of three begin with it.
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
