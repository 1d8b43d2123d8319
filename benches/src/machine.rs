//! Where and when figures were taken, for the line above each table.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, thread};

/// The compiler that built the counted code.
pub const RUSTC: &str = env!("BENCH_RUSTC");

/// The settings of the profile `release`, which both binaries set to the same.
pub const PROFILE: &str = "release, lto = \"thin\", codegen-units = 1";

/// One line: date, processor, compiler, profile and the version of `http` in the lock file.
#[must_use]
#[allow(
    clippy::disallowed_methods,
    reason = "the date of the figures, for their reader"
)]
pub fn provenance(lock_file: &Path) -> String {
    let today = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let lock = fs::read_to_string(lock_file).unwrap_or_default();
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!(
        "{}; {}, {cores} cores; {RUSTC}; {PROFILE}; http {}",
        date(today),
        processor(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default()),
        locked_version(&lock, "http").unwrap_or_else(|| "of an unknown version".to_owned()),
    )
}

/// What the counts depend on besides our code and its compiler: the C library, which copies and compares memory in
/// one of several ways, and the processor, by which it chooses. Counts of another machine cannot be judged.
#[must_use]
pub fn counted_on() -> String {
    let libc = Command::new("getconf")
        .arg("GNU_LIBC_VERSION")
        .output()
        .ok()
        .filter(|output| output.status.success())
        .map_or_else(
            || "unknown C library".to_owned(),
            |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        );
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    format!("{}, {}, {libc}", std::env::consts::ARCH, moves(&cpuinfo))
}

/// The features of the processor by which the C library chooses how it moves memory.
fn moves(cpuinfo: &str) -> String {
    const CHOICES: [&str; 3] = ["avx2", "erms", "rtm"];
    let flags = cpuinfo
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == "flags")
        .map_or("", |(_, flags)| flags);
    let found: Vec<&str> = CHOICES
        .into_iter()
        .filter(|choice| flags.split_whitespace().any(|flag| flag == *choice))
        .collect();
    if found.is_empty() {
        "no vector moves".to_owned()
    } else {
        found.join("+")
    }
}

/// The first `model name` in the text of `/proc/cpuinfo`.
fn processor(cpuinfo: &str) -> &str {
    cpuinfo
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == "model name")
        .map_or("unknown processor", |(_, model)| model.trim())
}

/// The version of a package in the text of a `Cargo.lock`; several are joined with `and`.
#[must_use]
pub fn locked_version(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let versions: Vec<&str> = lock
        .split("[[package]]")
        .filter(|entry| entry.lines().any(|line| line == name))
        .filter_map(|entry| {
            entry
                .lines()
                .find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
        })
        .collect();
    (!versions.is_empty()).then(|| versions.join(" and "))
}

/// The date in UTC, from the time since 1970. Counts in years that begin in March, so that a leap day is a last day.
fn date(since_1970: Duration) -> String {
    const DAYS_FROM_MARCH_0000: u64 = 719_468;
    let days = since_1970.as_secs() / 86_400 + DAYS_FROM_MARCH_0000;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + carry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_named_as_the_calendar_names_them() {
        for (seconds, name) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_735_689_599, "2024-12-31"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(date(Duration::from_secs(seconds)), name);
        }
    }

    #[test]
    fn the_processor_is_the_first_model_name() {
        let cpuinfo =
            "processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\nprocessor\t: 1\nmodel name\t: other\n";
        assert_eq!(processor(cpuinfo), "Some CPU @ 3 GHz");
        assert_eq!(processor(""), "unknown processor");
    }

    #[test]
    fn the_moves_are_told_from_whole_flags() {
        for (flags, expected) in [
            ("flags\t\t: fpu avx avx2 erms sse\n", "avx2+erms"),
            ("flags\t\t: fpu avx512 xavx2 ermsx\n", "no vector moves"),
            ("", "no vector moves"),
        ] {
            assert_eq!(moves(flags), expected, "{flags:?}");
        }
    }

    #[test]
    fn versions_come_from_the_entry_of_exactly_that_name() {
        let lock = "version = 4\n\n[[package]]\nname = \"http\"\nversion = \"1.5.0\"\n\n[[package]]\n\
                    name = \"http-body\"\nversion = \"1.1.0\"\n\n[[package]]\nname = \"http\"\nversion = \"0.2.12\"\n";
        assert_eq!(locked_version(lock, "http").unwrap(), "1.5.0 and 0.2.12");
        assert_eq!(locked_version(lock, "http-body").unwrap(), "1.1.0");
        assert_eq!(locked_version(lock, "htt"), None);
    }
}
