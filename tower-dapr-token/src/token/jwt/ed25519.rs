//! Which 32 bytes are no key of Ed25519 that a signature may rest on (`T11`).
//!
//! Under a point of small order a signature can be made without any private key, and the backends take such a point.
//! They also take encodings that RFC 8032 does not allow, which would give one key two forms.

/// Without the sign of x, the last bit.
const SIGN: u8 = 0x80;

/// The y of the points whose order divides 8, little-endian: 0, 1, -1, and the two of order 8.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    [
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0,
    ],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0x7f,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// Whether the order of the point divides 8, whatever the sign of its x.
pub(super) fn is_small_order(x: &[u8; 32]) -> bool {
    SMALL_ORDER.contains(&without_sign(x))
}

/// Whether y is below 2^255 - 19, as RFC 8032 section 5.1.3 asks.
pub(super) fn is_canonical(x: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = without_sign(x);
    last != !SIGN || first < 0xed || middle.iter().any(|byte| *byte != 0xff)
}

fn without_sign(x: &[u8; 32]) -> [u8; 32] {
    let mut y = *x;
    y[31] &= !SIGN;
    y
}

#[cfg(test)]
mod tests {
    use super::super::key::{Material, UnusableKey};
    use super::*;

    /// Of this first, middle and last byte.
    fn bytes(first: u8, middle: u8, last: u8) -> [u8; 32] {
        let mut bytes = [middle; 32];
        bytes[0] = first;
        bytes[31] = last;
        bytes
    }

    #[test]
    fn t11_a_point_of_small_order_and_an_encoding_of_no_point_are_refused() {
        let mut table: Vec<(String, [u8; 32], Option<UnusableKey>)> = Vec::new();
        for (index, y) in SMALL_ORDER.iter().enumerate() {
            for sign in [0, SIGN] {
                let mut point = *y;
                point[31] |= sign;
                let name = format!("small order {index}, sign {sign}");
                table.push((name, point, Some(UnusableKey::SmallOrder)));
                point[5] ^= 0x10;
                table.push((format!("beside small order {index}"), point, None));
            }
        }
        for sign in [0, SIGN] {
            let top = 0x7f | sign;
            for first in 0xed..=0xff {
                let name = format!("p + {}", first - 0xed);
                table.push((name, bytes(first, 0xff, top), Some(UnusableKey::Refused)));
            }
            table.push(("p - 2".into(), bytes(0xeb, 0xff, top), None));
            table.push(("a smaller middle".into(), bytes(0xed, 0xfe, top), None));
            table.push(("a smaller end".into(), bytes(0xed, 0xff, top - 1), None));
        }
        for (name, point, expected) in table {
            assert_eq!(Material::ed25519(&point).err(), expected, "{name}");
        }
    }
}
