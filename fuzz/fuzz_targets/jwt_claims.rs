//! Fuzzes what a JWT with a good signature says, against what its rules ask for.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    dapr_token_fuzz::jwt_claims::check(input);
});

#[cfg(not(fuzzing))]
fn main() {}
