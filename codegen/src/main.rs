//! Writes the gRPC code of the `.proto` files of this workspace: `cargo run -p codegen`. The code is committed, so
//! that no build needs a compiler of protocol buffers; a test fails when it is not what the files say.
#![forbid(unsafe_code)]

use std::error::Error;
use std::path::{Path, PathBuf};

use prost::Message;
use prost_types::FileDescriptorSet;

/// One file, and the code that is made of it.
struct Source {
    proto: &'static str,
    /// What the one package in it is called.
    package: &'static str,
    code: &'static str,
    output: Output,
}

/// What is made of a file.
enum Output {
    /// Messages, and both sides of each service: a program uses the one, and its test the other.
    Services,
    /// Messages, and clients of the services.
    Clients,
    /// Messages alone.
    Messages,
    /// The file itself, as server reflection hands it out.
    Descriptors,
}

const SOURCES: [Source; 5] = [
    Source {
        proto: "examples/grpc-app/proto/app_callback.proto",
        package: "dapr.proto.runtime.v1",
        code: "examples/grpc-app/src/app_callback.rs",
        output: Output::Services,
    },
    Source {
        proto: "examples/grpc-client/proto/dapr.proto",
        package: "dapr.proto.runtime.v1",
        code: "examples/grpc-client/src/dapr.rs",
        output: Output::Services,
    },
    Source {
        proto: "dapr-secrets-service/proto/dapr.proto",
        package: "dapr.proto.runtime.v1",
        code: "dapr-secrets-service/src/api/grpc/dapr.rs",
        output: Output::Messages,
    },
    Source {
        proto: "dapr-secrets-service/proto/dapr.proto",
        package: "dapr.proto.runtime.v1",
        code: "dapr-secrets-service/src/api/grpc/descriptors.rs",
        output: Output::Descriptors,
    },
    Source {
        proto: "dapr-secrets-service/proto/dapr.proto",
        package: "dapr.proto.runtime.v1",
        code: "dapr-secrets-service/tests/it/dapr.rs",
        output: Output::Clients,
    },
];

fn main() -> Result<(), Box<dyn Error>> {
    for source in &SOURCES {
        std::fs::write(in_workspace(source.code), generate(source)?)?;
    }
    Ok(())
}

fn generate(source: &Source) -> Result<String, Box<dyn Error>> {
    let proto = in_workspace(source.proto);
    let folder = proto.parent().ok_or("a file is in a folder")?;
    let files = protox::compile([&proto], [folder])?;
    let code = match source.output {
        Output::Descriptors => descriptors(files),
        Output::Services => code(files, source.package, true, true)?,
        Output::Clients => code(files, source.package, true, false)?,
        Output::Messages => code(files, source.package, false, false)?,
    };
    let proto = source.proto;
    Ok(format!(
        "//! Made from `{proto}` by `cargo run -p codegen`; not edited by hand.\n{ALLOWED}\n{code}"
    ))
}

fn code(
    files: FileDescriptorSet,
    package: &str,
    clients: bool,
    servers: bool,
) -> Result<String, Box<dyn Error>> {
    let out = tempfile::tempdir()?;
    tonic_prost_build::configure()
        .out_dir(out.path())
        .emit_rerun_if_changed(false)
        .build_client(clients)
        .build_server(servers)
        .compile_fds(files)?;
    Ok(std::fs::read_to_string(
        out.path().join(format!("{package}.rs")),
    )?)
}

/// As a list of numbers: a change of it can be reviewed, and no file but text is committed.
fn descriptors(mut files: FileDescriptorSet) -> String {
    for file in &mut files.file {
        // Comments and places, which no caller needs.
        file.source_code_info = None;
    }
    let mut code = String::from("pub(super) const FILE_DESCRIPTOR_SET: &[u8] = &[");
    for (at, byte) in files.encode_to_vec().into_iter().enumerate() {
        code.push_str(if at % 24 == 0 { "\n    " } else { " " });
        code.push_str(&format!("{byte},"));
    }
    code.push_str("\n];\n");
    code
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
