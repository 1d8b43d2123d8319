//! Layers side by side: what each costs, and what it does not do for that.

use std::error::Error;

use crate::callgrind::Counter;
use crate::case::{Case, find};
use crate::figures::{measure, net_nanoseconds};
use crate::machine::locked_version;
use crate::table::{grouped, markdown};

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Contender {
    /// The crate, whose version is read from the lock file; `None` for what is written here.
    pub package: Option<&'static str>,
    /// The layer and how it was used.
    pub layer: &'static str,
    /// The case that lets the request through.
    pub accept: &'static str,
    /// The case that refuses it, where there is one.
    pub reject: Option<&'static str>,
    /// Whether it checks more than equality, and what.
    pub checks: &'static str,
    /// What it leaves out of what ours does.
    pub leaves_out: &'static str,
}

/// The floor, and ours.
pub const OURS: &[Contender] = &[
    Contender {
        package: None,
        layer: "floor: `headers().get(..)`, forward",
        accept: "floor-get",
        reject: None,
        checks: "nothing",
        leaves_out: "the check",
    },
    Contender {
        package: None,
        layer: "floor with stripping: `headers_mut().remove(..)`, forward",
        accept: "floor-remove",
        reject: None,
        checks: "nothing",
        leaves_out: "the check",
    },
    Contender {
        package: None,
        layer: "**`RequireTokenLayer`**, one token",
        accept: "accept",
        reject: Some("reject-http"),
        checks: "constant time, duplicates, exemptions, strips; answers with headers and a body",
        leaves_out: "",
    },
    Contender {
        package: None,
        layer: "**`RequireTokenLayer`**, current and previous token",
        accept: "accept-two-tokens-previous",
        reject: Some("reject-http-two-tokens"),
        checks: "the same, and rotation",
        leaves_out: "",
    },
    Contender {
        package: None,
        layer: "**`RequireTokenLayer`**, eight tokens, the last one matches",
        accept: "accept-eight-tokens",
        reject: Some("reject-http-eight-tokens"),
        checks: "the same, and rotation",
        leaves_out: "",
    },
    Contender {
        package: None,
        layer: "**`RequireTokenLayer`**, `keep_header`",
        accept: "accept-keep-header",
        reject: None,
        checks: "the same but for stripping",
        leaves_out: "stripping, by choice",
    },
    Contender {
        package: None,
        layer: "**`RequireTokenLayer`**, the last of four exempt paths, no token sent",
        accept: "exempt",
        reject: None,
        checks: "exact method and path",
        leaves_out: "",
    },
    Contender {
        package: None,
        layer: "**`InjectTokenLayer`**",
        accept: "inject",
        reject: None,
        checks: "the origin; overwrites every value, marks it sensitive",
        leaves_out: "",
    },
];

/// The floor beside what stands in front of a tonic server.
pub const GRPC_FLOOR: &[Contender] = &[Contender {
    package: None,
    layer: "floor with stripping: `headers_mut().remove(..)`, forward",
    accept: "floor-remove-grpc",
    reject: None,
    checks: "nothing",
    leaves_out: "the check",
}];

/// Measures the contenders and sets them in a table. `lock` is the text of the lock file that they were built with.
///
/// # Errors
///
/// What keeps a case from being run or counted.
pub fn side_by_side(
    contenders: &[Contender],
    cases: &[Case],
    lock: &str,
) -> Result<String, Box<dyn Error>> {
    let mut counter = Counter::new(cases)?;
    let mut rows = Vec::new();
    for contender in contenders {
        let mut figures = [(); 3].map(|()| Vec::new());
        for name in [Some(contender.accept), contender.reject] {
            let [instructions, allocations, time] = match name {
                None => [(); 3].map(|()| "-".to_owned()),
                Some(name) => {
                    let case = find(cases, name).ok_or_else(|| format!("no case named {name}"))?;
                    let measured = measure(&mut counter, case)?;
                    let baseline = case.baseline.and_then(|name| find(cases, name));
                    [
                        grouped(measured.instructions),
                        measured.allocations.to_string(),
                        net_nanoseconds(case, baseline)?.to_string(),
                    ]
                }
            };
            figures[0].push(instructions);
            figures[1].push(allocations);
            figures[2].push(time);
        }
        let [instructions, allocations, time] = figures;
        let mut row = vec![title(contender, lock)];
        row.extend(instructions);
        row.push(allocations.join(" / "));
        row.push(time.join(" / "));
        row.push(contender.checks.to_owned());
        row.push(contender.leaves_out.to_owned());
        rows.push(row);
    }
    Ok(markdown(
        &[
            "layer",
            "accept",
            "reject",
            "allocations",
            "ns",
            "checks more than `==`?",
            "does not check",
        ],
        &rows,
    ))
}

fn title(contender: &Contender, lock: &str) -> String {
    match contender.package {
        None => contender.layer.to_owned(),
        Some(package) => {
            // Where rivals bring older ones of their own, the newest is the one that is used here. Lock files list it last.
            let versions = locked_version(lock, package).unwrap_or_default();
            let version = versions.rsplit(' ').next().unwrap_or_default();
            format!("{package} {version} {}", contender.layer)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rival_is_named_with_its_locked_version() {
        let rival = Contender {
            package: Some("rival"),
            layer: "`Layer`",
            ..OURS[0]
        };
        let older = "[[package]]\nname = \"rival\"\nversion = \"0.9.3\"\n";
        let lock = "[[package]]\nname = \"rival\"\nversion = \"1.2.3\"\n";
        assert_eq!(title(&rival, lock), "rival 1.2.3 `Layer`");
        assert_eq!(
            title(&rival, &format!("{older}\n{lock}")),
            "rival 1.2.3 `Layer`"
        );
    }

    #[test]
    fn every_contender_has_its_cases() {
        let cases = crate::cases();
        for contender in OURS.iter().chain(GRPC_FLOOR) {
            for name in [Some(contender.accept), contender.reject]
                .into_iter()
                .flatten()
            {
                assert!(find(&cases, name).is_some(), "{name}");
            }
        }
    }
}
