# Plain cargo commands, the same ones that `.ci/run` runs. `just` is a convenience: nothing needs it.

# The checks of a minute or two, before every commit.
quick:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
    cargo test --workspace --all-features --lib --bins

# Everything that must pass before a change lands.
full:
    bash .ci/run

# The part of it that every change must pass before a review: no fuzzing, no soak, no nightly.
short:
    bash .ci/run short

# Every fuzz target for a minute. Installs a nightly and cargo-fuzz.
fuzz:
    bash .ci/run fuzz

# A thousand token rotations under load.
soak:
    cargo run --locked --release -p dapr-token-soak

# The listings of the public interfaces, written anew. Installs a nightly.
api:
    bash .ci/run api

# Every figure of benches/RESULTS.md and the record that the gate compares with, measured anew. Needs valgrind.
bench:
    cargo run --locked --release -p dapr-token-benches -- record
