"""`interop.json` from what the implementations signed: each token against its key in every form."""

import json
import sys
from pathlib import Path

from encode import unb64
from material import KEYS, jwk, jwks, pem
from table import SIGNING, Table

t = Table(
    "interop.json",
    "Tokens that other implementations made, against keys that openssl made, as PEM and as the implementation exported them. Made anew, signatures of PS and ES differ, and verify just the same.",
)


def same_key(entry):
    """The exported JWK is the key that openssl made, whatever else it says."""
    if entry["key"] == "oct":
        return entry["jwk"]["k"] == (KEYS / "test-only-oct.b64").read_text()
    ours = jwk(entry["key"])
    return all(entry["jwk"].get(name) == value for name, value in ours.items())


def build(entries):
    versions = sorted({f"{e['by']} {e['version']}" for e in entries})
    t.head["made_by"] = versions
    for key in SIGNING["algorithms"]:
        if key == "oct":
            t.key_set("oct-secret", {"secret_b64": (KEYS / "test-only-oct.b64").read_text()})
            continue
        t.key_set(f"{key}-spki", {"pem": pem(key)})
        if key.startswith("rsa"):
            t.key_set(f"{key}-pkcs1", {"pem": pem(key, "pkcs1")})
    for entry in entries:
        assert same_key(entry), f"{entry['by']} exported another key than {entry['key']}"
        key, alg = entry["key"], entry["alg"]
        assert json.loads(unb64(entry["named"].split(".")[0]))["alg"] == alg
        name = f"{entry['by']}-{alg.lower()}-{key}"
        more = {"backends": ["aws_lc"]} if key == "rsa-8192" else {}
        if key == "oct":
            more["rules"] = {"algorithms": [alg]}
        t.add(f"{name}-jwk", ["t2", "t3"], entry["named"], "accept", f"{entry['by']}: {alg}, and its JWK.", jwks(entry["jwk"]), **more)
        forms = ["secret"] if key == "oct" else ["spki", "pkcs1"] if key.startswith("rsa") else ["spki"]
        for form in forms:
            t.add(f"{name}-{form}", ["t2"], entry["nameless"], "accept", f"{entry['by']}: {alg}, and the key in {form} form.", f"{key}-{form}", **more)
        # The claims of one token under the signature of the other: never good, though each half is.
        header, payload, _ = entry["named"].split(".")
        mixed = f"{header}.{payload}.{entry['nameless'].rsplit('.', 1)[1]}"
        t.add(f"{name}-signature-of-the-nameless", ["t2"], mixed, "signature", f"{entry['by']}: {alg}, the signature of its other token.", jwks(entry["jwk"]), **more)
    t.write()


if __name__ == "__main__":
    build([entry for path in sys.argv[1:] for entry in json.loads(Path(path).read_text())])
