//! Fuzzes the form and the header of JWTs: which are read, and which key is tried.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    dapr_token_fuzz::jwt_header::check(input);
});

#[cfg(not(fuzzing))]
fn main() {}
