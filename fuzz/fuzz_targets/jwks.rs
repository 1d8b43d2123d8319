//! Fuzzes key-set documents, and the tokens that are signed with what is in them.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    dapr_token_fuzz::jwks::check(input);
});

#[cfg(not(fuzzing))]
fn main() {}
