"""Holds the tables against the judges, and writes `open-readings.md` and `generate/judges.md`. Fails where no reading explains a judge."""

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

from open_readings import OPEN
from table import VECTORS

HOME = VECTORS.parent
TABLES = ("interop", "rfc", "attacks", "claims", "sentry", "wycheproof_style")
KINDS = ("jwks", "sets", "pems", "secrets")
GOOD = ("accept", "accepted")

# PyJWT's errors say enough to hold a reason against them; every refusal with one of these reasons must be one of its errors.
ERRORS = {
    "signature": {"InvalidSignatureError"},
    "expired": {"ExpiredSignatureError"},
    "not_yet": {"ImmatureSignatureError"},
    "aud": {"InvalidAudienceError", "MissingRequiredClaimError"},
    "iss": {"InvalidIssuerError"},
    "sub": {"InvalidSubjectError"},
}
# PyJWT has no `Ed25519` by that name, and wants a secret as long as the hash (reading secret-size).
UNABLE = ("PyJWKError", "InvalidKeyError")
# golang-jwt takes a PSS salt of any length (RFC 7518 3.5 wants the hash's) and a secret that is shorter than the hash (RFC 7518 3.2 does not): all that a judge accepts and the tables refuse
# as `alg` or `signature`.
LAX = ("-salt-of-", "-bytes-for-hs256")


def cases():
    """Every case as (id, case)."""
    for name in TABLES:
        for case in json.loads((VECTORS / f"{name}.json").read_text())["cases"]:
            yield f"{name}/{case['name']}", case
    keys = json.loads((VECTORS / "keys.json").read_text())
    for kind in KINDS:
        for case in keys[kind]:
            yield f"keys/{kind}/{case['name']}", case


def hold(every, judges):
    """The disagreements that are a fault of the tables or of a judge until somebody explains them."""
    faults = []
    for name, case in every:
        expect, verdicts = case["expect"], {j: v.get(name, "skip: not asked") for j, v in judges.items()}
        accepted = [j for j, v in verdicts.items() if v == "accept"]
        if expect in GOOD and not accepted and case.get("open") not in ("set-elements", "key-twice"):
            faults.append(f"{name}: no judge accepts it: {verdicts}")
        if expect in ("signature", "alg") and accepted and not (accepted == ["golang-jwt"] and any(part in name for part in LAX)):
            faults.append(f"{name}: {expect} is expected, and accepted by {accepted}")
        error = verdicts["pyjwt"].removeprefix("refuse: ").split(":")[0]
        if verdicts["pyjwt"].startswith("refuse") and error not in ERRORS.get(expect, {error}) and error not in UNABLE:
            faults.append(f"{name}: {expect} is expected, PyJWT says {verdicts['pyjwt']}")
    return faults


def judges_md(every, judges, versions):
    lines = [
        "# What other implementations say",
        "",
        "Made by `report.py`; see [README.md](README.md). Each judge runs with its strictest options, at the time and with the rules of the case. A case whose rules a judge does not",
        "have is left out for it. Where a judge leaves the choice of the key to its caller, the choice is ours, after T3.",
        "",
        f"Judges: {', '.join(versions)}.",
        "",
        "## Counts",
        "",
        "| table | cases | " + " | ".join(f"{j}: judged, agrees" for j in judges) + " |",
        "| --- | --- |" + " --- |" * len(judges),
    ]
    groups = defaultdict(list)
    for name, case in every:
        groups[name.rsplit("/", 1)[0]].append((name, case))
    for group, members in groups.items():
        row = [group, str(len(members))]
        for verdicts in judges.values():
            seen = [(verdicts.get(n, "skip"), c["expect"] in GOOD) for n, c in members]
            seen = [(v, good) for v, good in seen if not v.startswith("skip")]
            row.append(f"{len(seen)}, {sum((v == 'accept') == good for v, good in seen)}" if seen else "-")
        lines.append("| " + " | ".join(row) + " |")
    lines += [
        "",
        "Every token that the tables accept is accepted by at least one judge, every key document too, but for sets with an element that is no object, or with one key four times. No judge accepts a token that the",
        "tables refuse as `alg` or `signature`, but for golang-jwt with PSS salts of a wrong length and secrets shorter than the hash. PyJWT gives the same cause for every `signature`, `expired`, `not_yet`, `aud`, `iss` and",
        "`sub` that it refuses (its secrets must be as long as the hash, and it has no `Ed25519` by that name).",
        "",
        "## Refused here, accepted there",
        "",
        "Strictness of the rules, not a fault of the judge: most of what follows is left to the caller by RFC 7515 to 7519.",
    ]
    lines += disagreements(every, judges, lambda expect: expect not in GOOD, "accept")
    lines += ["", "## Accepted here, refused there", "", "What a judge lacks, or limits more."]
    lines += disagreements(every, judges, lambda expect: expect in GOOD, "refuse")
    return "\n".join(lines) + "\n"


def disagreements(every, judges, chosen, verdict):
    groups = defaultdict(list)
    for name, case in every:
        who = tuple(j for j, v in judges.items() if v.get(name, "").startswith(verdict))
        if chosen(case["expect"]) and who:
            table, short = name.rsplit("/", 1)
            groups[table, who].append(short)
    lines = []
    for (table, who), names in groups.items():
        lines += ["", f"- **{table}**, {', '.join(who)} ({len(names)}): " + ", ".join(names)]
    return lines


def readings_md(every):
    used = Counter(case.get("open") for _, case in every)
    lines = [
        "# Open readings",
        "",
        "Made by `generate/python/report.py` from `generate/python/open_readings.py`. The rules of `docs/spec/auth.md` left these expectations open, and were then written to say what the",
        "tables expect; a case that rests on one names it in `open`. To decide otherwise, change the rule, and the answer there, and make the tables again.",
        "",
        "| reading | rule | question | the tables expect | instead of | why | cases |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, reading in OPEN.items():
        assert used[name], f"no case uses the reading {name}"
        answer = reading["answer"]
        answer = ", ".join(f"{v} ({k})" for k, v in answer.items()) if isinstance(answer, dict) else answer
        row = [f"`{name}`", reading["rule"], reading["question"], answer, reading["other"], reading["why"], str(used[name])]
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines) + "\n"


def main(folder):
    every = list(cases())
    judges = {j: json.loads((folder / f"judge-{j}.json").read_text()) for j in ("pyjwt", "golang-jwt", "jose")}
    versions = json.loads((VECTORS / "interop.json").read_text())["made_by"]
    (HOME / "open-readings.md").write_text(readings_md(every))
    (HOME / "generate" / "judges.md").write_text(judges_md(every, judges, versions))
    faults = hold(every, judges)
    for fault in faults:
        print(fault, file=sys.stderr)
    counts = Counter(name.rsplit("/", 1)[0] for name, _ in every)
    print(f"{len(every)} cases: " + ", ".join(f"{table} {count}" for table, count in counts.items()))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
