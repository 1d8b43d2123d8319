//! What must not compile: reading a store without the proof that the scope let it through.

#[test]
fn api_e4_no_store_call_without_a_permit_compiles() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
