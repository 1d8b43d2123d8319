# Plain cargo commands, the same ones that `.ci/run` runs. `just` is a convenience: nothing needs it.

# The checks of a minute or two, before every commit.
quick:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
    cargo test --workspace --all-features --lib --bins

# Everything that must pass before a change lands.
full:
    bash .ci/run

# Every figure of benches/RESULTS.md and the record that the gate compares with, measured anew. Needs valgrind.
bench:
    cargo run --locked --release -p dapr-token-benches -- record
