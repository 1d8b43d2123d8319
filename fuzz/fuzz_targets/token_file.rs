//! Fuzzes the content of a token file.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    dapr_token_fuzz::token_file::check(input);
});

#[cfg(not(fuzzing))]
fn main() {}
