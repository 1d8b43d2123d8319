//! Fuzzes the inbound flow: configuration and request in, verdict, forwarded request and answer out.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    dapr_token_fuzz::inbound::check(input);
});

#[cfg(not(fuzzing))]
fn main() {}
