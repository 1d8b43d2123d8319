//! What must not compile.

#[test]
fn e6_nobody_but_the_layer_makes_the_marks_that_handlers_trust() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
