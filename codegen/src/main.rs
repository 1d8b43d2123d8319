//! Writes the gRPC code of the `.proto` files of this workspace: `cargo run -p codegen`. The code is committed, so
//! that no build needs a compiler of protocol buffers; a test fails when it is not what the files say.
#![forbid(unsafe_code)]

use std::error::Error;
use std::path::{Path, PathBuf};

/// One file, and the code that is made of it.
struct Source {
    proto: &'static str,
    /// What the one package in it is called.
    package: &'static str,
    code: &'static str,
}

const SOURCES: [Source; 2] = [
    Source {
        proto: "examples/grpc-app/proto/app_callback.proto",
        package: "dapr.proto.runtime.v1",
        code: "examples/grpc-app/src/app_callback.rs",
    },
    Source {
        proto: "examples/grpc-client/proto/dapr.proto",
        package: "dapr.proto.runtime.v1",
        code: "examples/grpc-client/src/dapr.rs",
    },
];

fn main() -> Result<(), Box<dyn Error>> {
    for source in &SOURCES {
        std::fs::write(in_workspace(source.code), generate(source)?)?;
    }
    Ok(())
}

/// Both sides of each service: a program uses the one, and its test the other.
fn generate(source: &Source) -> Result<String, Box<dyn Error>> {
    let proto = in_workspace(source.proto);
    let folder = proto.parent().ok_or("a file is in a folder")?;
    let files = protox::compile([&proto], [folder])?;
    let out = tempfile::tempdir()?;
    tonic_prost_build::configure()
        .out_dir(out.path())
        .emit_rerun_if_changed(false)
        .compile_fds(files)?;
    let code = std::fs::read_to_string(out.path().join(format!("{}.rs", source.package)))?;
    let proto = source.proto;
    Ok(format!(
        "//! Made from `{proto}` by `cargo run -p codegen`; not edited by hand.\n{ALLOWED}\n{code}"
    ))
}

/// A generator writes for everybody: who needs one side has the other one too, and our lints are not its own.
const ALLOWED: &str = r#"#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    reason = "written by a generator"
)]
"#;

fn in_workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_code_is_what_the_proto_files_say() {
        for source in &SOURCES {
            let committed = std::fs::read_to_string(in_workspace(source.code)).expect(source.code);
            let generated = generate(source).expect(source.proto);
            assert!(
                committed == generated,
                "{} is not current: cargo run -p codegen",
                source.code
            );
        }
    }
}
