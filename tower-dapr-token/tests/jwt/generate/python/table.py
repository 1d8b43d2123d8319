"""The tables: what a case is, what the tables have in common, and how they are written."""

import json
from pathlib import Path

from open_readings import OPEN

HERE = Path(__file__).resolve()
VECTORS = HERE.parents[2] / "vectors"

# What the programs in all languages share: which keys sign with which algorithms, for whom, and when.
SIGNING = json.loads((HERE.parents[1] / "signing.json").read_text())
# 2026-01-01T00:00:00Z. Every case is judged at a fixed time, so no table grows old.
NOW = SIGNING["now"]
ISSUER = SIGNING["issuer"]
AUDIENCE = SIGNING["audience"]
RULES = {"issuer": ISSUER, "audience": AUDIENCE, "leeway_s": 60}

EXPECT = {
    "accept", "empty", "malformed", "alg", "kid", "signature", "expired", "not_yet",
    "aud", "iss", "sub", "claims", "too_large",
}  # fmt: skip


def write_json(name, document):
    """Writes one file of `vectors/` in the one form that all of them have."""
    text = json.dumps(document, indent=1, ensure_ascii=True)
    (VECTORS / name).write_text(text + "\n", encoding="ascii")


class Table:
    """One table of tokens, in the order in which the cases are added."""

    def __init__(self, file, about, rules=RULES, now=NOW):
        self.file = file
        self.head = {"about": about, "now": now, "rules": rules}
        self.key_sets = {}
        self.cases = []
        self.names = set()

    def key_set(self, name, keys):
        """Names keys that several cases use, and returns the name."""
        self.key_sets[name] = keys
        return name

    def add(self, name, rule, token, expect, why, keys, **more):
        """Adds a case. With `open`, the expectation is that reading's answer and `expect` must be None or agree."""
        case = checked(self.names, name, rule, why, expect, more)
        body = {"token": token} if isinstance(token, str) else {"token_hex": token.hex()}
        if isinstance(token, str) and not all(c == "\t" or " " <= c != "\x7f" for c in token):
            body["direct"] = True
        if isinstance(keys, str):
            assert keys in self.key_sets, f"{self.file} {name}: no key set {keys}"
        assert case["expect"] in EXPECT, f"{self.file} {name}: {case['expect']}"
        self.cases.append({**case, **body, "keys": keys, **more})

    def write(self):
        used = {case["keys"] for case in self.cases if isinstance(case["keys"], str)}
        assert used == set(self.key_sets), f"{self.file}: unused key sets {set(self.key_sets) - used}"
        write_json(self.file, {**self.head, "key_sets": self.key_sets, "cases": self.cases})


def checked(names, name, rule, why, expect, more):
    """The members that every case of every table has, with the slips that a table can make refused."""
    assert name not in names, f"two cases are called {name}"
    assert name == name.lower() and " " not in name, f"not a name: {name}"
    names.add(name)
    reading = more.get("open")
    if reading is not None:
        answer = OPEN[reading]["answer"]
        if isinstance(answer, dict):
            assert expect in answer.values(), f"{name}: {expect} is no answer of {reading}"
        else:
            assert expect in (None, answer), f"{name}: {expect} is not the answer of {reading}"
            expect = answer
    assert rule and all(r == r.lower() for r in rule), name
    return {"name": name, "rule": rule, "expect": expect, "why": why}
