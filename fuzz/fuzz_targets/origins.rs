//! Fuzzes origins, the environment that names them, and where the token is sent.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    dapr_token_fuzz::origins::check(input);
});

#[cfg(not(fuzzing))]
fn main() {}
