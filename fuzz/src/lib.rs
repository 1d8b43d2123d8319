//! What the fuzz targets check, and the replay of their seeds.
//!
//! ```text
//! corpus/TARGET/*  ->  lines.rs  ->  inbound/scene.rs  ->  the layer under test  ->  compared with inbound/oracle.rs,
//!                                    token_file.rs                                   inbound/answer.rs
//!                                    origins.rs
//!                                    jwt_header.rs, jwt_claims.rs, jwks.rs             jwt/oracle.rs, jwt/claims.rs
//! ```
//!
//! Each target has one function `check`, which panics where the code and its oracle differ, and says in a few words what
//! became of the input. The oracles are written from `docs/spec/auth.md` and share no code with the crate.
#![forbid(unsafe_code)]

pub mod inbound;
pub mod jwks;
mod jwt;
pub mod jwt_claims;
pub mod jwt_header;
mod lines;
pub mod origins;
mod poll;
pub mod token_file;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// What follows the last dot of a seed's name is what becomes of it.
    #[test]
    fn every_seed_comes_to_what_its_name_says() {
        let targets: [(&str, fn(&[u8]) -> String); 6] = [
            ("inbound", inbound::check),
            ("token_file", token_file::check),
            ("origins", origins::check),
            ("jwt_header", jwt_header::check),
            ("jwt_claims", jwt_claims::check),
            ("jwks", jwks::check),
        ];
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
        assert_eq!(
            names(&corpus),
            sorted(targets.map(|(name, _)| name.to_owned()))
        );
        for (target, check) in targets {
            let folder = corpus.join(target);
            let seeds = names(&folder);
            assert!(!seeds.is_empty(), "{target} has no seeds");
            for seed in seeds {
                let (_, expected) = seed.rsplit_once('.').expect("a name and an outcome");
                let input = fs::read(folder.join(&seed)).expect("readable");
                assert_eq!(check(&input), expected, "{target}/{seed}");
            }
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        sorted(entries.map(|entry| {
            let name = entry.expect("an entry").file_name();
            name.into_string().expect("UTF-8")
        }))
    }

    fn sorted(names: impl IntoIterator<Item = String>) -> Vec<String> {
        let mut names: Vec<String> = names.into_iter().collect();
        names.sort();
        names
    }
}
