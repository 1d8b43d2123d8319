//! [`Progress`]: whether a client is in the middle of saying something; pure.
//!
//! A connection is cut when one head takes too long, however steadily its bytes drip. Over HTTP/1.1 that is every byte
//! between two requests. Over HTTP/2 a client may also say what is no request (settings, pings), and bodies come in
//! frames of their own, so the frames are followed: their heads of nine bytes, and whether a block of headers is whole.
//! What the frames hold is none of its business.

/// What an HTTP/2 connection begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 0x4;

/// What was read on one connection so far.
#[derive(Debug)]
pub(super) enum Progress {
    /// So many bytes of the preface, and nothing else.
    Preface(usize),
    Http1,
    Http2(Frames),
}

/// What some bytes were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// HTTP/1.1: they belong to a head, unless a request is being answered.
    Bytes,
    /// HTTP/2.
    Frames {
        /// A frame, or a whole block of headers, came to its end among them.
        finished: bool,
        /// The last of them is in the middle of one.
        partial: bool,
    },
}

impl Progress {
    pub(super) fn new() -> Self {
        Self::Preface(0)
    }

    /// Takes the next bytes, at least one.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> Seen {
        if let Self::Preface(matched) = self {
            let rest = PREFACE.get(*matched..).unwrap_or_default();
            let length = rest.len().min(bytes.len());
            let (these, others) = bytes.split_at(length);
            if rest.get(..length) != Some(these) {
                *self = Self::Http1;
            } else if length < rest.len() {
                *matched += length;
                return Seen::Frames {
                    finished: false,
                    partial: true,
                };
            } else {
                *self = Self::Http2(Frames::default());
                bytes = others;
            }
        }
        match self {
            Self::Http2(frames) => frames.read(bytes),
            Self::Http1 | Self::Preface(_) => Seen::Bytes,
        }
    }
}

/// Where in the frames of a connection its client is.
#[derive(Debug, Default)]
pub(super) struct Frames {
    head: [u8; 9],
    /// Bytes of `head` that are there.
    have: usize,
    /// Bytes of the payload that are still to come.
    left: usize,
    in_payload: bool,
    /// A block of headers has begun and not ended.
    in_block: bool,
    /// The first frame, the client's settings, is whole.
    greeted: bool,
}

impl Frames {
    fn read(&mut self, mut bytes: &[u8]) -> Seen {
        let mut finished = false;
        while !bytes.is_empty() {
            if self.in_payload {
                let taken = self.left.min(bytes.len());
                self.left -= taken;
                bytes = bytes.get(taken..).unwrap_or_default();
            } else {
                let taken = (self.head.len() - self.have).min(bytes.len());
                let (these, others) = bytes.split_at(taken);
                if let Some(place) = self.head.get_mut(self.have..self.have + taken) {
                    place.copy_from_slice(these);
                }
                self.have += taken;
                bytes = others;
                if self.have == self.head.len() {
                    let [a, b, c, ..] = self.head;
                    self.left = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                    self.in_payload = true;
                }
            }
            if self.in_payload && self.left == 0 {
                finished |= self.end();
            }
        }
        Seen::Frames {
            finished,
            partial: self.is_partial(),
        }
    }

    /// A frame is whole; whether with it something is that the client had begun to say.
    fn end(&mut self) -> bool {
        let [_, _, _, kind, flags, ..] = self.head;
        self.have = 0;
        self.in_payload = false;
        self.greeted = true;
        if kind == HEADERS || kind == CONTINUATION {
            self.in_block = flags & END_HEADERS == 0;
        }
        !self.in_block
    }

    fn is_partial(&self) -> bool {
        let [_, _, _, kind, ..] = self.head;
        // A body may take its time: the request is open by then, and has a limit of its own.
        let in_body = self.in_payload && kind == DATA;
        !self.greeted || self.in_block || (self.have > 0 && !in_body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, length: u8) -> Vec<u8> {
        let mut bytes = vec![0, 0, length, kind, flags, 0, 0, 0, 1];
        bytes.extend(vec![0; length.into()]);
        bytes
    }

    const SETTINGS: u8 = 4;
    const PING: u8 = 6;

    fn greeted() -> Progress {
        let mut progress = Progress::new();
        let seen = progress.read(&[PREFACE, &frame(SETTINGS, 0, 6)].concat());
        assert_eq!(
            seen,
            Seen::Frames {
                finished: true,
                partial: false
            }
        );
        progress
    }

    #[test]
    fn api_g6_what_is_no_preface_is_http1_from_its_first_other_byte_on() {
        for bytes in [
            &b"G"[..],
            b"PRX",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rx",
            b"\r\n",
        ] {
            let mut progress = Progress::new();
            assert_eq!(progress.read(bytes), Seen::Bytes, "{bytes:?}");
            assert_eq!(progress.read(PREFACE), Seen::Bytes, "{bytes:?}");
        }
    }

    #[test]
    fn api_g6_a_greeting_is_partial_until_the_first_frame_is_whole() {
        let greeting = [PREFACE, &frame(SETTINGS, 0, 6)].concat();
        let mut progress = Progress::new();
        for byte in &greeting[..greeting.len() - 1] {
            let seen = progress.read(&[*byte]);
            assert_eq!(
                seen,
                Seen::Frames {
                    finished: false,
                    partial: true
                }
            );
        }
        let seen = progress.read(&greeting[greeting.len() - 1..]);
        assert_eq!(
            seen,
            Seen::Frames {
                finished: true,
                partial: false
            }
        );
    }

    #[test]
    fn api_g6_a_frame_counts_as_said_when_it_is_whole() {
        let headers = frame(HEADERS, END_HEADERS, 20);
        let open = frame(HEADERS, 0, 20);
        let more = frame(CONTINUATION, 0, 20);
        let last = frame(CONTINUATION, END_HEADERS, 20);
        let empty = frame(SETTINGS, 1, 0);
        let ping = frame(PING, 0, 8);
        let body = frame(DATA, 0, 20);
        let rows: [(&str, Vec<u8>, bool, bool); 12] = [
            ("headers", headers.clone(), true, false),
            ("half of headers", headers[..15].to_vec(), false, true),
            ("a frame without a payload", empty, true, false),
            ("ping", ping.clone(), true, false),
            ("a byte of a frame", ping[..1].to_vec(), false, true),
            ("half a ping", ping[..12].to_vec(), false, true),
            ("an open block", open.clone(), false, true),
            (
                "a block that goes on",
                [&open[..], &more].concat(),
                false,
                true,
            ),
            (
                "a block that ends",
                [&open[..], &more, &last].concat(),
                true,
                false,
            ),
            ("a body", body.clone(), true, false),
            ("half a body", body[..15].to_vec(), false, false),
            (
                "one after the other",
                [&headers[..], &ping[..3]].concat(),
                true,
                true,
            ),
        ];
        for (name, bytes, finished, partial) in rows {
            assert_eq!(
                greeted().read(&bytes),
                Seen::Frames { finished, partial },
                "{name}: at once"
            );
            let mut progress = greeted();
            let mut any = false;
            let mut last = None;
            for byte in bytes {
                let seen = progress.read(&[byte]);
                let Seen::Frames { finished, partial } = seen else {
                    panic!("{name}: HTTP/2 stays HTTP/2");
                };
                any |= finished;
                last = Some(partial);
            }
            assert_eq!(
                (any, last),
                (finished, Some(partial)),
                "{name}: byte by byte"
            );
        }
    }
}
