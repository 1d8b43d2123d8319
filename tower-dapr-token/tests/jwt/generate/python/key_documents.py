"""`keys.json`: JWK, JWKS and PEM documents and secrets: which keys a verifier may take."""

import json

import asn1
import raw_ed25519 as ed
from cryptography.hazmat.primitives import serialization
from encode import b64, part, join, unb64
from material import KEYS, armour, der, integer, jwk, jwks, oct_jwk, pem, private, secret
from raw_rsa import digest_info, pkcs1
from sign import signed
from table import AUDIENCE, ISSUER, NOW, RULES, checked, write_json

CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "caller", "exp": NOW + 300}
ALG = {"rsa": "RS256", "p256": "ES256", "p384": "ES384", "ed25519": "EdDSA", "p521": "ES512", "secp256k1": "ES256"}
KID = "subject"
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
BELOW_2_33, ABOVE_2_33 = 2**33 - 1, 2**33 + 1


def token(key, alg=None, kid=KID):
    """A good token of this key; the key is the name of a test key, or a secret."""
    alg = alg or ("HS256" if isinstance(key, bytes) else next(a for k, a in ALG.items() if key.startswith(k)))
    head = {"alg": alg} if kid is None else {"alg": alg, "kid": kid}
    return signed(alg, key, head, CLAIMS)


class Cases:
    """One of the lists of the file."""

    def __init__(self, expectations):
        self.expectations = expectations
        self.names, self.list = set(), []

    def add(self, name, rule, expect, why, **more):
        case = checked(self.names, name, rule.split(), why, expect, more)
        assert case["expect"] in self.expectations, name
        self.list.append({**case, **more})


SINGLE = Cases({"accepted", "skipped"})
SETS = Cases({"accepted", "refused"})
PEMS = Cases({"accepted", "refused"})
SECRETS = Cases({"accepted", "refused"})
HS = {"algorithms": ["HS256"]}
# For a secret beside the good key, which is an ES384 one.
HS_OR_GOOD = {"algorithms": ["HS256", "ES384"]}
PEM_TEXTS = (("public-key", pem("rsa-2048")), ("pkcs1", pem("rsa-2048", "pkcs1")), ("leading-space", " " + pem("rsa-2048")), ("leading-newline", "\n" + pem("ed25519")), ("certificate", (KEYS / "test-only-certificate-of-rsa-2048.pem").read_text()))
ASYMMETRIC = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519"}


def one(name, body, expect, why, rule="t2 t11", reason=None, **more):
    """One JWK. A skipped key's token, if there is one, is refused when a good key stands beside it: its key is unknown, or its algorithm not allowed."""
    if "token" in more:
        alg = json.loads(unb64(more["token"].split(".")[0]))["alg"]
        allowed = set(more.get("rules", {}).get("algorithms", ASYMMETRIC))
        more["token_expect"] = "accept" if reason is None else "kid" if alg in allowed else "alg"
    assert (expect == "skipped" or more.get("open") is not None) == (reason is not None), name
    SINGLE.add(name, rule, expect, why, **({"reason": reason} if reason else {}), jwk=body, **more)


def rsa_keys():
    for bits in (2048, 2049, 3072, 4096):
        one(f"rsa-{bits}", jwk(f"rsa-{bits}", KID), "accepted", f"{bits} bits.", token=token(f"rsa-{bits}"))
    for bits in (4104, 8192):
        one(f"rsa-{bits}", jwk(f"rsa-{bits}", KID), "accepted", f"{bits} bits: RustCrypto's limit is 4096.", token=token(f"rsa-{bits}"), backends=["aws_lc"])
    for bits in (1024, 2047, 8200):
        one(f"rsa-{bits}", jwk(f"rsa-{bits}", KID), "skipped", f"{bits} bits.", reason="size", token=token(f"rsa-{bits}"))
    for name, e in (("e3", 3), ("e-below-2-33", BELOW_2_33)):
        one(f"rsa-{name}", jwk(f"rsa-2048-{name}", KID), "accepted", f"Exponent {e}.", token=token(f"rsa-2048-{name}"))
    one("rsa-e-above-2-33", jwk("rsa-2048-e-above-2-33", KID), "skipped", f"Exponent {ABOVE_2_33}.", reason="exponent", token=token("rsa-2048-e-above-2-33"))
    base = jwk("rsa-2048", KID)
    n = unb64(base["n"])
    h, p = part({"alg": "RS256", "kid": KID}), part(CLAIMS)
    forged = join(h, p, pkcs1(256, digest_info("sha256", f"{h}.{p}".encode())))
    one("rsa-e-1", {**base, "e": integer(1)}, "skipped", "Exponent 1: everybody can sign.", reason="exponent", token=forged)
    for name, e in (("2", 2), ("4", 4), ("65536", 65536), ("2-33", 2**33), ("2-64-and-1", 2**64 + 1), ("as-large-as-n", int.from_bytes(n, "big") - 2)):
        one(f"rsa-e-{name}", {**base, "e": integer(e)}, "skipped", "Even, or too large.", reason="exponent")
    one("rsa-e-zero", {**base, "e": "AA"}, "skipped", "Exponent 0.", reason="exponent")
    one("rsa-e-empty", {**base, "e": ""}, "skipped", "No exponent.", reason="exponent")
    one("rsa-e-leading-zero", {**base, "e": b64(bytes.fromhex("00010001"))}, None, "65537 with a zero byte before it.", reason="exponent", token=token("rsa-2048"), open="jwk-encoding")
    for count in (1, 2, 256):
        one(f"rsa-n-{count}-zeros-before", {**base, "n": b64(bytes(count) + n)}, "accepted", "Leading zeros are not counted.", token=token("rsa-2048"))
    small = unb64(jwk("rsa-1024")["n"])
    one("rsa-1024-filled-up", {**jwk("rsa-1024", KID), "n": b64(small.rjust(256, b"\0"))}, "skipped", "1024 bits, filled up with zeros to the length of 2048.", reason="size", token=token("rsa-1024"))
    large = unb64(jwk("rsa-8200")["n"])
    one("rsa-8200-zeros-before", {**jwk("rsa-8200", KID), "n": b64(bytes(3) + large)}, "skipped", "Too large with and without its zeros.", reason="size", token=token("rsa-8200"))
    for name, value in (("empty", ""), ("zero", "AA"), ("zeros", b64(bytes(256))), ("one", "AQ")):
        one(f"rsa-n-{name}", {**base, "n": value}, "skipped", "A modulus that is none.", reason="size")
    for name in ("n", "e"):
        one(f"rsa-{name}-absent", {k: v for k, v in base.items() if k != name}, "skipped", f"{name} is required.", reason="member")
        for label, value in (("number", 65537), ("null", None), ("array", [base[name]]), ("padded", base[name] + "=="), ("with-newline", base[name] + "\n"), ("hex", "10001"), ("impossible-length", base[name][:-3])):
            if name == "n" or label != "impossible-length":
                one(f"rsa-{name}-{label}", {**base, name: value}, None, f"{name} is no base64url text.", reason="member", open="jwk-encoding")
    one("rsa-n-standard-alphabet", {**base, "n": base["n"].replace("-", "+").replace("_", "/")}, None, "The standard alphabet.", reason="member", open="jwk-encoding")
    for alg in ("RS256", "PS512"):
        one(f"rsa-alg-{alg.lower()}", {**base, "alg": alg}, "accepted", "Bound to one algorithm.", token=token("rsa-2048", alg))
    for alg in ("ES256", "EdDSA", "HS256", "none", "", "RSA-OAEP", "RS1", "rs256", "RS256 "):
        one(f"rsa-alg-{alg.lower().replace(' ', '_') or 'empty'}{'-lower' if alg == 'rs256' else ''}", {**base, "alg": alg}, "skipped", "Not an algorithm of RSA.", reason="alg", token=token("rsa-2048"))


def ec_keys():
    for name, size in (("p256", 32), ("p384", 48)):
        base = jwk(name, KID)
        one(name, base, "accepted", "A good key.", token=token(name))
        for axis in "xy":
            value = unb64(base[axis])
            for label, changed in (("short", value[1:]), ("cut", value[:-1]), ("zero-before", b"\0" + value), ("zero-after", value + b"\0"), ("empty", b""), ("one-byte", value[:1])):
                one(f"{name}-{axis}-{label}", {**base, axis: b64(changed)}, "skipped", f"Not {size} bytes.", reason="length", token=token(name))
            one(f"{name}-{axis}-changed", {**base, axis: b64(value[:-1] + bytes([value[-1] ^ 1]))}, "skipped", "Not on the curve.", reason="point")
            one(f"{name}-{axis}-zero", {**base, axis: b64(bytes(size))}, "skipped", "Not on the curve.", reason="point")
            one(f"{name}-{axis}-ones", {**base, axis: b64(b"\xff" * size)}, "skipped", "Above the field's prime.", reason="point")
            one(f"{name}-{axis}-absent", {k: v for k, v in base.items() if k != axis}, "skipped", f"{axis} is required.", reason="member")
        one(f"{name}-swapped", {**base, "x": base["y"], "y": base["x"]}, "skipped", "Not on the curve.", reason="point")
        one(f"{name}-0-0", {**base, "x": b64(bytes(size)), "y": b64(bytes(size))}, "skipped", "Not on the curve.", reason="point")
        one(f"{name}-no-coordinates", {**base, "x": "", "y": ""}, "skipped", "The point at infinity has none.", reason="length")
        one(f"{name}-y-padded", {**base, "y": base["y"] + "="}, None, "Padding.", reason="member", open="jwk-encoding")
        one(f"{name}-y-null", {**base, "y": None}, None, "null.", reason="member", open="jwk-encoding")
    base = jwk("p256", KID)
    one("p256-x-is-p", {**base, "x": integer(P)}, "skipped", "x is the field's prime.", reason="point")
    # b is a square, so there is a point with x = 0; p as its x would be the same point to a reader that reduces.
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    root = pow(b, (P + 1) // 4, P)
    assert root * root % P == b
    one("p256-x-0", {**base, "x": b64(bytes(32)), "y": integer(root, 32)}, "accepted", "The point with x = 0 is on the curve.")
    one("p256-x-p-for-0", {**base, "x": integer(P), "y": integer(root, 32)}, "skipped", "The same point, written with p in place of 0.", reason="point")
    for name in ("p521", "secp256k1"):
        one(name, jwk(name, KID), "skipped", "A curve that T2 does not name.", reason="crv", token=token(name))
    one("p384-named-p256", {**jwk("p384", KID), "crv": "P-256"}, "skipped", "The point of another curve.", reason="length", token=token("p384"))
    one("secp256k1-named-p256", {**jwk("secp256k1", KID), "crv": "P-256"}, "skipped", "The point of another curve.", reason="point", token=token("secp256k1"))
    for label, crv in (("lower", "p-256"), ("space", "P-256 "), ("nist", "nistp256"), ("empty", ""), ("null", None), ("number", 256), ("ed25519", "Ed25519")):
        one(f"p256-crv-{label}", {**base, "crv": crv}, "skipped", "Not the name of the curve.", reason="crv")
    one("p256-crv-absent", {k: v for k, v in base.items() if k != "crv"}, "skipped", "crv is required.", reason="member")
    one("p256-alg-es256", {**base, "alg": "ES256"}, "accepted", "Bound to its algorithm.", token=token("p256"))
    for alg in ("ES384", "ES512", "ES256K", "RS256", "ECDH-ES", "HS256"):
        one(f"p256-alg-{alg.lower()}", {**base, "alg": alg}, "skipped", "Not an algorithm of P-256.", reason="alg", token=token("p256"))


def okp_keys():
    base = jwk("ed25519", KID)
    x = unb64(base["x"])
    one("ed25519", base, "accepted", "A good key.", token=token("ed25519"))
    one("ed25519-with-y", {**base, "y": base["x"]}, "accepted", "A member that does not belong to the type is ignored.", token=token("ed25519"))
    for label, value in (("0", b""), ("1", x[:1]), ("31", x[:31]), ("33", x + b"\0"), ("33-in-front", b"\0" + x), ("57", x + bytes(25)), ("64", x + x)):
        one(f"ed25519-{label}-bytes", {**base, "x": b64(value)}, "skipped", "Not 32 bytes.", reason="length", token=token("ed25519"))
    for label, value in (("padded", base["x"] + "="), ("standard-alphabet", base["x"].replace("-", "+").replace("_", "/")), ("null", None), ("number", 1), ("hex", x.hex())):
        if value != base["x"]:
            one(f"ed25519-x-{label}", {**base, "x": value}, None, "x is no base64url text of 32 bytes.", reason="member", open="jwk-encoding")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    one("ed25519-x-spare-bits", {**base, "x": base["x"][:-1] + letters[letters.index(base["x"][-1]) | 1]}, None, "The last letter's spare bits are not zero.", reason="member", token=token("ed25519"), open="jwk-encoding")
    one("ed25519-x-absent", {k: v for k, v in base.items() if k != "x"}, "skipped", "x is required.", reason="member")
    for name in ("ed448", "x25519"):
        one(name, jwk(name, KID), "skipped", "A curve that T2 does not name.", reason="crv")
    one("x25519-named-ed25519", {**base, "crv": "X25519"}, "skipped", "A key for agreement.", reason="crv", token=token("ed25519"))
    for label, crv in (("lower", "ed25519"), ("upper", "ED25519"), ("x448", "X448"), ("empty", ""), ("null", None), ("p256", "P-256")):
        one(f"ed25519-crv-{label}", {**base, "crv": crv}, "skipped", "Not the name of the curve.", reason="crv")
    for i, small in enumerate(sorted(set(ed.small_order()))):
        one(f"ed25519-small-order-{i}", {**base, "x": b64(small)}, "skipped", "A point of small order.", reason="point", open="small-order")
    for i, value in enumerate((ed.P, ed.P + 1, ed.P | 1 << 255, ed.P + 1 | 1 << 255, 1 | 1 << 255, ed.P - 1 | 1 << 255)):
        one(f"ed25519-small-order-odd-{i}", {**base, "x": b64(value.to_bytes(32, "little"))}, "skipped", "A point of small order in an encoding that RFC 8032 does not allow.", reason="point", open="small-order")
    off = next(y for y in range(2, 50) if ed.point(y, 0) is None)
    one("ed25519-not-a-point", {**base, "x": b64(off.to_bytes(32, "little"))}, None, "No point has this y: aws-lc-rs takes the key and refuses every signature.", backends=["aws_lc"], reason="point", open="no-point")
    for alg in ("EdDSA", "Ed25519"):
        one(f"ed25519-alg-{alg.lower()}", {**base, "alg": alg}, "accepted", "Bound to its algorithm.", token=token("ed25519", alg))
    for alg in ("Ed448", "ES256", "ECDH-ES", "RS256"):
        one(f"ed25519-alg-{alg.lower()}", {**base, "alg": alg}, "skipped", "Not an algorithm of Ed25519.", reason="alg", token=token("ed25519"))


def oct_keys():
    for size in (32, 33, 64, 300):
        key = secret("keys", size)
        one(f"oct-{size}", oct_jwk(key, KID), "accepted", f"{size} bytes.", token=token(key), rules=HS_OR_GOOD)
    for size in (0, 1, 16, 31):
        key = secret("keys", size)
        one(f"oct-{size}", oct_jwk(key, KID), "skipped", f"{size} bytes.", reason="size", token=token(key), rules=HS_OR_GOOD)
    key = secret("keys", 32)
    one("oct-not-allowed", oct_jwk(key, KID), "skipped", "Without a list, asymmetric algorithms alone are allowed.", reason="alg", token=token(key))
    spaced = b"  " + key
    one("oct-with-spaces-in-front", oct_jwk(spaced, KID), "accepted", "The secret is bytes; two of them are spaces.", token=token(spaced), rules=HS_OR_GOOD)
    one("oct-30-and-two-spaces", oct_jwk(b"  " + key[:30], KID), "accepted", "32 bytes, two of which are spaces.", token=token(b"  " + key[:30]), rules=HS_OR_GOOD)
    one("oct-k-with-spaces-in-front", {**oct_jwk(key, KID), "k": "  " + b64(key)}, None, "Spaces before the encoded text.", reason="member", open="jwk-encoding", rules=HS_OR_GOOD)
    one("oct-k-padded", {**oct_jwk(key, KID), "k": b64(key) + "="}, None, "Padding.", reason="member", open="jwk-encoding", rules=HS_OR_GOOD)
    one("oct-k-absent", {"kty": "oct", "kid": KID}, "skipped", "k is required.", reason="member", rules=HS_OR_GOOD)
    one("oct-alg-hs256", oct_jwk(key, KID, alg="HS256"), "accepted", "Bound to one algorithm.", token=token(key), rules=HS_OR_GOOD)
    one("oct-alg-hs512", oct_jwk(key, KID, alg="HS512"), "skipped", "Bound to an algorithm that the list leaves out.", reason="alg", token=token(key), rules=HS_OR_GOOD)
    for alg in ("RS256", "A256GCM", "none"):
        one(f"oct-alg-{alg.lower()}", oct_jwk(key, KID, alg=alg), "skipped", "Not an algorithm of a secret.", reason="alg", token=token(key), rules=HS_OR_GOOD)
    for name, text in PEM_TEXTS:
        one(f"oct-pem-{name}", oct_jwk(text.encode(), KID), "skipped", "The text of a public document as a secret: everybody who has it could sign.", reason="key", token=token(text.encode()), rules=HS_OR_GOOD)


def any_type():
    base = jwk("ed25519", KID)
    for label, kty in (("unknown", "AKP"), ("empty", ""), ("lower", "okp"), ("space", "OKP "), ("null", None), ("number", 1), ("array", ["OKP"]), ("rsa", "RSA"), ("ec", "EC"), ("oct", "oct")):
        one(f"kty-{label}", {**base, "kty": kty}, "skipped", "Not the type of its members.", reason="kty")
    one("kty-absent", {k: v for k, v in base.items() if k != "kty"}, "skipped", "kty is required.", reason="kty", rule="t2")
    one("empty-object", {}, "skipped", "No members.", reason="kty", rule="t2")
    for label, more in (("use-sig", {"use": "sig"}), ("key-ops-verify", {"key_ops": ["verify"]}), ("key-ops-sign-and-verify", {"key_ops": ["sign", "verify"]}), ("use-and-key-ops", {"use": "sig", "key_ops": ["verify"]}), ("unknown-members", {"x-y": {"a": [1]}, "exp": 1, "revoked": True}), ("certificate-of-another-key", {"x5c": ["AAAA"], "x5t": "AAAA", "x5u": "https://evil.example/"})):
        one(label, {**base, **more}, "accepted", "For verifying, or members that T2 does not name.", rule="t2", token=token("ed25519"))
    for label, more in (("use-enc", {"use": "enc"}), ("key-ops-sign", {"key_ops": ["sign"]}), ("key-ops-encrypt", {"key_ops": ["encrypt"]}), ("use-enc-and-key-ops-verify", {"use": "enc", "key_ops": ["verify"]}), ("use-sig-and-key-ops-sign", {"use": "sig", "key_ops": ["sign"]}), ("key-ops-empty", {"key_ops": []})):
        one(label, {**base, **more}, "skipped", "Not for verifying.", reason=next(iter(more)), rule="t2", token=token("ed25519"))
    for label, more in (("use-upper", {"use": "SIG"}), ("use-null", {"use": None}), ("use-array", {"use": ["sig"]}), ("use-empty", {"use": ""}), ("key-ops-text", {"key_ops": "verify"}), ("key-ops-null", {"key_ops": None}), ("key-ops-upper", {"key_ops": ["Verify"]}), ("key-ops-with-number", {"key_ops": ["verify", 1]})):
        one(label, {**base, **more}, None, "A wrong type or case.", reason=next(iter(more)), rule="t2", token=token("ed25519"), open="key-ops")
    one("kid-absent", jwk("ed25519", ()), "accepted", "A key needs no name.", rule="t3", token=token("ed25519", kid=None))
    one("kid-256-bytes", jwk("ed25519", "k" * 256), "accepted", "The longest name.", rule="t3", token=token("ed25519", kid="k" * 256))
    for label, kid in (("257-bytes", "k" * 257), ("number", 1), ("null", None), ("non-ascii", "\u00fc"), ("nul", "a\0b"), ("newline", "a\nb")):
        body = {**jwk("ed25519", ()), "kid": kid}
        one(f"kid-{label}", body, None, "A name that T3 would refuse.", reason="kid", rule="t3", open="jwk-encoding")


def private_members():
    rsa = private("rsa-2048").private_numbers()
    crt = {"p": rsa.p, "q": rsa.q, "dp": rsa.dmp1, "dq": rsa.dmq1, "qi": rsa.iqmp}
    whole = {"d": integer(rsa.d), **{k: integer(v) for k, v in crt.items()}}
    why = "A private key where a public one belongs: whoever read it can sign."
    for name, body, key in (
        ("rsa", {**jwk("rsa-2048", KID), **whole}, "rsa-2048"),
        ("rsa-d-alone", {**jwk("rsa-2048", KID), "d": whole["d"]}, "rsa-2048"),
        ("rsa-p-alone", {**jwk("rsa-2048", KID), "p": whole["p"]}, "rsa-2048"),
        ("p256", {**jwk("p256", KID), "d": integer(private("p256").private_numbers().private_value, 32)}, "p256"),
        ("ed25519", {**jwk("ed25519", KID), "d": b64(private("ed25519").private_bytes_raw())}, "ed25519"),
        ("ed25519-d-empty", {**jwk("ed25519", KID), "d": ""}, "ed25519"),
        ("ed25519-d-null", {**jwk("ed25519", KID), "d": None}, "ed25519"),
    ):
        one(f"private-{name}", body, None, why, reason="private", rule="t2", token=token(key), open="private-jwk")


def documents():
    good = jwk("ed25519", "good")
    bad = {**jwk("ed25519", "bad"), "x": "AA"}

    def doc(name, text, expect, why, usable=None, tokens=(), rule="t8", **more):
        text = text if isinstance(text, str) else json.dumps(text)
        if usable is not None:
            more["usable"] = usable
        more["tokens"] = [{"token": t, "expect": e} for t, e in tokens]
        SETS.add(name, rule, expect, why, text=text, **more)

    ok = (token("ed25519", kid="good"), "accept")
    doc("one-key", jwks(good), "accepted", "The control.", 1, [ok])
    doc("bad-key-first", jwks(bad, good), "accepted", "One unusable key is skipped, the rest is used.", 1, [ok, (token("ed25519", kid="bad"), "kid")])
    doc("bad-key-last", jwks(good, bad), "accepted", "One unusable key is skipped, the rest is used.", 1, [ok, (token("ed25519", kid="bad"), "kid")])
    many_bad = [bad, {"kty": "AKP", "kid": "pq"}, jwk("rsa-1024", "small"), jwk("p521", "p521"), jwk("p256", "enc", use="enc"), {**jwk("p256", "off"), "y": b64(bytes(32))}]
    doc("six-bad-and-one-good", jwks(*many_bad, good), "accepted", "Unusable keys of six kinds are skipped.", 1, [ok])
    doc("six-bad", jwks(*many_bad), "refused", "A set without a usable key.")
    for name, element in (("null", None), ("number", 1), ("text", "key"), ("array", []), ("object", {})):
        doc(f"element-{name}", jwks(good, element), None, "An element that is no key is skipped like any unusable key.", 1, [ok], open="set-elements")
    doc("unknown-members", {"keys": [good], "issuer": "x", "jwks_uri": "https://evil.example/", "next": [1]}, "accepted", "RFC 7517 5: other members are ignored.", 1, [ok])
    doc("pretty-crlf", json.dumps(jwks(good), indent=2).replace("\n", "\r\n") + "\r\n", "accepted", "White space is JSON.", 1, [ok])
    doc("escapes", json.dumps(jwks(good)).replace('"keys"', '"ke\\u0079s"').replace('"good"', '"g\\u006fod"'), "accepted", "Escapes are decoded.", 1, [ok])
    doc("keys-empty", jwks(), "refused", "No key.")
    for name, text in (
        ("keys-absent", {}), ("keys-object", {"keys": {"good": good}}), ("keys-null", {"keys": None}), ("keys-text", {"keys": "x"}), ("keys-upper", {"Keys": [good]}), ("bare-array", [good]), ("bare-key", good), ("text", "x"), ("null", "null"),
        ("empty", ""), ("spaces", " \n"), ("brace", "{"), ("cut", json.dumps(jwks(good))[:-2]), ("trailing-comma", '{"keys":[' + json.dumps(good) + ",]}"), ("trailing-text", json.dumps(jwks(good)) + "x"), ("two-documents", json.dumps(jwks(good)) * 2),
        ("bom", "\ufeff" + json.dumps(jwks(good))), ("comment", "/* */" + json.dumps(jwks(good))), ("pem", pem("ed25519")), ("html", "<html><body>502 Bad Gateway</body></html>"), ("xml-dsig", "<RSAKeyValue><Modulus>AQAB</Modulus></RSAKeyValue>"), ("deep", "[" * 20_000),
        ("deep-object", '{"keys":' + "[" * 20_000),
    ):  # fmt: skip
        doc(name, text, "refused", "Not a key set.")
    inner = json.dumps([good])
    doc("keys-twice", f'{{"keys":{inner},"keys":{inner}}}', None, "Two readers may take different ones.", rule="t8", open="set-members")
    doc("keys-twice-second-empty", f'{{"keys":{inner},"keys":[]}}', None, "Two readers may take different ones.", rule="t8", open="set-members")
    for name, twice in (("kty", '"kty": "OKP"'), ("x", f'"x": "{jwk("ed25519-other")["x"]}"'), ("unread", '"a": 1, "a": 1')):
        doubled = json.dumps(jwk("ed25519", "bad"))[:-1] + f", {twice}}}"
        text = f'{{"keys":[{json.dumps(good)},{doubled}]}}'
        tokens = [ok, (token("ed25519", kid="bad"), "kid"), (token("ed25519-other", kid="bad"), "kid")]
        doc(f"duplicate-{name}-in-key", text, None, "A key with a duplicate member is skipped.", 1, tokens, open="jwk-duplicate")

    doc("one-name-two-types", jwks(jwk("p256", "k"), jwk("ed25519", "k")), "accepted", "The type decides.", 2, [(token("p256", kid="k"), "accept"), (token("ed25519", kid="k"), "accept")], rule="t3")
    doc("one-name-two-keys", jwks(jwk("ed25519", "k"), jwk("ed25519-other", "k")), "accepted", "Both are tried.", 2, [(token("ed25519", kid="k"), "accept"), (token("ed25519-other", kid="k"), "accept")], rule="t3")
    doc("one-key-twice", jwks(good, good), "accepted", "The same key twice is one key.", 1, [ok], rule="t3")
    doc("one-key-two-names", jwks(jwk("ed25519", "a"), jwk("ed25519", "b")), "accepted", "One key under two names.", 2, [(token("ed25519", kid="a"), "accept"), (token("ed25519", kid="b"), "accept"), (token("ed25519"), "kid")], rule="t3")
    doc("names-differ-in-case", jwks(jwk("ed25519", "k"), jwk("ed25519-other", "K")), "accepted", "Names are compared exactly.", 2, [(token("ed25519", kid="k"), "accept"), (token("ed25519", kid="K"), "signature"), (token("ed25519-other", kid="K"), "accept")], rule="t3")
    types = ("rsa-2048", "rsa-4096", "p256", "p384", "ed25519")
    doc("all-types", jwks(*(jwk(n) for n in types)), "accepted", "Every type of T2.", len(types), [(token(n, kid=n), "accept") for n in types], rule="t2")
    hs = secret("keys", 32)
    doc("secret-beside-public-keys", jwks(jwk("ed25519", "good"), oct_jwk(hs, "oct")), "accepted", "A secret needs a list that names its algorithm.", 1, [ok], rule="t2")
    doc("secret-beside-public-keys-allowed", jwks(jwk("ed25519", "good"), oct_jwk(hs, "oct")), "accepted", "A local set may hold a secret.", 2, [ok, (token(hs, kid="oct"), "accept")], rule="t2", rules={"algorithms": ["HS256", "EdDSA"]})
    fill = [jwk("p256", f"k{i}") for i in range(63)]
    doc("64-keys", jwks(*fill, good), "accepted", "As many as allowed.", 64, [ok, (token("p256", kid="k0"), "accept")], rule="t6")
    doc("65-keys", jwks(*fill, good, jwk("p256", "k64")), None, "One too many.", rule="t6", open="too-many-keys")
    doc("65-keys-one-unusable", jwks(*fill, good, bad), None, "One too many, though 64 could be used.", rule="t6", open="too-many-keys")


def pems():
    def add(name, text, expect, why, rule="t2", **more):
        if "token" in more:
            more["token_expect"] = "accept"
        PEMS.add(name, rule, expect, why, pem=text, **more)

    for name in ("rsa-2048", "rsa-2049", "rsa-3072", "rsa-4096", "rsa-2048-e3", "rsa-2048-e-below-2-33", "p256", "p384", "ed25519"):
        add(f"{name}-spki", pem(name), "accepted", "PUBLIC KEY.", token=token(name, kid=None))
    for bits in (4104, 8192):
        add(f"rsa-{bits}-spki", pem(f"rsa-{bits}"), "accepted", "PUBLIC KEY. RustCrypto's limit is 4096 bits.", token=token(f"rsa-{bits}", kid=None), backends=["aws_lc"])
    for name in ("rsa-2048", "rsa-4096", "rsa-2048-e3"):
        add(f"{name}-pkcs1", pem(name, "pkcs1"), "accepted", "RSA PUBLIC KEY.", token=token(name, kid=None))
    for name in ("rsa-1024", "rsa-2047", "rsa-8200", "rsa-2048-e-above-2-33"):
        for form in ("spki", "pkcs1"):
            add(f"{name}-{form}", pem(name, form), "refused", "The size or exponent is out of T2's limits.", rule="t2 t11")
    n = private("rsa-2048").public_key().public_numbers().n
    for e in (1, 2, 65536, 2**33):
        add(f"rsa-e-{e}-spki", armour("PUBLIC KEY", asn1.rsa_spki(n, e)), "refused", "The exponent is out of T2's limits.", rule="t2 t11")
        add(f"rsa-e-{e}-pkcs1", armour("RSA PUBLIC KEY", asn1.rsa_pkcs1(n, e)), "refused", "The exponent is out of T2's limits.", rule="t2 t11")
    negative = asn1.sequence(asn1.tlv(2, n.to_bytes(256, "big")), asn1.integer(65537))
    add("rsa-negative-n", armour("RSA PUBLIC KEY", negative), "refused", "A modulus without its leading zero byte is a negative number.", rule="t2 t11")
    for name in ("p521", "secp256k1", "ed448", "x25519", "dsa"):
        add(f"{name}-spki", pem(name), "refused", "A key type that T2 does not name.")
    # Written by hand: the library reads such a key, and writes it as one of rsaEncryption.
    bound = asn1.rsa_pkcs1(private("rsa-pss").public_key().public_numbers().n, 65537)
    add("rsa-pss-spki", armour("PUBLIC KEY", asn1.spki((asn1.RSASSA_PSS,), bound)), None, "RSASSA-PSS as the key's type.", open="pem-parameters")

    numbers = private("p256").public_key().public_numbers()
    x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
    named = (asn1.EC_PUBLIC_KEY, asn1.P256)
    for label, point in (("off-curve", b"\4" + x + x), ("short", b"\4" + x + y[:-1]), ("long", b"\4" + x + y + b"\0"), ("infinity", b"\0"), ("empty", b""), ("zeros", b"\4" + bytes(64)), ("hybrid", bytes([6 | y[-1] & 1]) + x + y)):
        add(f"p256-point-{label}", armour("PUBLIC KEY", asn1.spki(named, point)), "refused", "Not a point of the curve in its full form.", rule="t2 t11")
    add("p256-point-compressed", armour("PUBLIC KEY", asn1.spki(named, bytes([2 | y[-1] & 1]) + x)), None, "A compressed point.", rule="t2 t11", open="pem-point")
    a, b = P - 3, 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    curve = asn1.sequence(asn1.tlv(4, a.to_bytes(32, "big")), asn1.tlv(4, b.to_bytes(32, "big")))
    field = asn1.sequence(asn1.PRIME_FIELD, asn1.integer(P))
    own_generator = asn1.tlv(4, b"\4" + x + y)
    explicit = asn1.sequence(asn1.integer(1), field, curve, own_generator, asn1.integer(order), asn1.integer(1))
    add("p256-explicit-parameters", armour("PUBLIC KEY", asn1.spki((asn1.EC_PUBLIC_KEY, explicit), b"\4" + x + y)), "refused", "A curve written out, whose generator is the key itself (CVE-2020-0601).")
    add("p256-no-parameters", armour("PUBLIC KEY", asn1.spki((asn1.EC_PUBLIC_KEY,), b"\4" + x + y)), "refused", "No curve.")
    ed_x = unb64(jwk("ed25519")["x"])
    for label, value in (("0", b""), ("31", ed_x[:31]), ("33", ed_x + b"\0")):
        add(f"ed25519-{label}-bytes", armour("PUBLIC KEY", asn1.spki((asn1.ED25519,), value)), "refused", "Not 32 bytes.", rule="t2 t11")
    add("ed25519-small-order", armour("PUBLIC KEY", asn1.spki((asn1.ED25519,), ed.encode(ed.ZERO))), "refused", "A point of small order.", rule="t11", open="small-order")
    body = der("ed25519")
    add("der-byte-after", armour("PUBLIC KEY", body + b"\0"), "refused", "A byte after the key.")
    add("der-cut", armour("PUBLIC KEY", body[:-1]), "refused", "The key is cut off.")
    add("der-unused-bits", armour("PUBLIC KEY", asn1.spki((asn1.ED25519,), ed_x, 1)), "refused", "A bit string that does not end at a byte.")
    add("spki-labelled-pkcs1", armour("RSA PUBLIC KEY", der("rsa-2048")), "refused", "The label and the content disagree.")
    add("pkcs1-labelled-spki", armour("PUBLIC KEY", der("rsa-2048", "pkcs1")), "refused", "The label and the content disagree.")
    add("body-random", armour("PUBLIC KEY", secret("pem", 91)), "refused", "Not a key.")

    pkcs8 = (KEYS / "test-only-ed25519.pem").read_text()
    traditional = private("rsa-2048").private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()).decode()
    sec1 = private("p256").private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()).decode()
    assert "RSA PRIVATE KEY" in traditional and "EC PRIVATE KEY" in sec1
    for label, text in (("private-key", pkcs8), ("rsa-private-key", traditional), ("ec-private-key", sec1)):
        add(label, text, "refused", "A private key: verifying never needs one.")
    for label in ("ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY", "EC PARAMETERS", "CERTIFICATE REQUEST", "X509 CRL", "PKCS7", "PGP PUBLIC KEY BLOCK", "SSH2 PUBLIC KEY", "EC PUBLIC KEY", "ANY", "", "public key", "PUBLIC KEY ", "PUBLIC-KEY"):
        name = {"public key": "lower-case", "PUBLIC KEY ": "trailing-space", "": "empty"}.get(label, label.lower().replace(" ", "-"))
        add(f"label-{name}", armour(label, der("ed25519")), "refused", f"The label is {label or 'empty'}, which is none of T2's.")
    certificate = (KEYS / "test-only-certificate-of-rsa-2048.pem").read_text()
    add("certificate", certificate, None, "A certificate over a good key.", open="pem-certificate", token=token("rsa-2048", kid=None))

    text, other = pem("ed25519"), pem("ed25519-other")
    signed_ = {"token": token("ed25519", kid=None)}
    lines = text.splitlines()
    for label, changed in (("crlf", text.replace("\n", "\r\n")), ("no-last-newline", text.rstrip("\n"))):
        add(label, changed, "accepted", "Line ends of other systems.", **signed_)
    rsa_text = pem("rsa-2048")
    rsa_lines = rsa_text.splitlines()
    for label, changed in (
        ("leading-newline", "\n\n" + rsa_text), ("leading-space", " " + rsa_text), ("trailing-spaces", rsa_text + "  \n\n"), ("one-line", "\n".join([rsa_lines[0], "".join(rsa_lines[1:-1]), rsa_lines[-1]])),
        ("lines-of-76", "\n".join([rsa_lines[0], *split("".join(rsa_lines[1:-1]), 76), rsa_lines[-1]])), ("indented", "\n".join("    " + line for line in rsa_lines)), ("spaces-at-line-ends", "\n".join(line + "  " for line in rsa_lines)),
    ):  # fmt: skip
        add(label, changed, None, "White space alone.", open="pem-lines", token=token("rsa-2048", kid=None))
    for label, changed in (
        ("text-before", "Subject: test only\n" + text), ("text-after", text + "trailing\n"), ("openssl-text-before", "ED25519 Public-Key:\npub:\n    00:01\n" + text), ("bom-before", "\ufeff" + text), ("nul-after", text + "\0"), ("comment-before", "# our issuer\n" + text),
        ("letter-before", "x" + text), ("letter-after", text.rstrip("\n") + "x"), ("json-around", json.dumps({"key": text})),
    ):  # fmt: skip
        add(label, changed, None, "Other text around the block.", open="pem-text")
    for label, changed in (
        ("same-key-twice", text + text), ("two-keys", text + other), ("key-and-certificate", text + certificate), ("certificate-and-key", certificate + text), ("parameters-and-key", armour("EC PARAMETERS", asn1.P256) + pem("p256")), ("key-and-private-key", text + pkcs8), ("key-and-half-a-key", text + lines[0] + "\n"),
    ):  # fmt: skip
        add(label, changed, None, "More than one block.", open="pem-several")
    for label, changed in (
        ("empty", ""), ("spaces", " \n"), ("words", "not a key"), ("no-end", "\n".join(lines[:-1])), ("no-begin", "\n".join(lines[1:])), ("no-body", f"{lines[0]}\n{lines[-1]}\n"), ("end-of-another-label", text.replace("END PUBLIC", "END RSA PUBLIC")), ("four-dashes", text.replace("-----", "----")), ("six-dashes", text.replace("-----", "------")),
        ("not-base64", text.replace(lines[1], "*" + lines[1][1:])), ("url-alphabet", "\n".join([rsa_lines[0], *(line.translate(str.maketrans("+/", "-_")) for line in rsa_lines[1:-1]), rsa_lines[-1], ""])), ("padding-cut", text.replace("=", "")), ("cut-body", text.replace(lines[1], lines[1][:-4])),
        ("headers", text.replace(lines[0], lines[0] + "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n")), ("jwk", json.dumps(jwk("ed25519"))), ("jwks", json.dumps(jwks(jwk("ed25519")))), ("ssh", "ssh-ed25519 " + "AAAAC3NzaC1lZDI1NTE5AAAAIA== test-only"), ("der-as-hex", der("ed25519").hex()), ("base64-alone", lines[1]),
        ("path", "/etc/keys/public.pem"), ("long", lines[0] + "\n" + "A" * 20_000 + "\n" + lines[-1] + "\n"),
    ):  # fmt: skip
        add(label, changed, "refused", "Not one PEM block with a public key.")


def split(text, width):
    return [text[i : i + width] for i in range(0, len(text), width)]


def secrets():
    def add(name, key, expect, why, **more):
        if "token" in more:
            more["token_expect"] = "accept"
        SECRETS.add(name, "t2", expect, why, secret_b64=b64(key), **{"rules": HS, **more})

    for size in (32, 33, 64, 65, 1000, 1024):
        key = secret("keys", size)
        add(f"{size}-bytes", key, "accepted", f"{size} bytes.", token=token(key, kid=None))
    for size in (0, 1, 16, 31, 1025):
        add(f"{size}-bytes", secret("keys", size), "refused", f"{size} bytes.")
    for alg, least in (("HS384", 48), ("HS512", 64)):
        rules = {"algorithms": [alg]}
        key = secret("keys", least)
        add(f"{alg.lower()}-{least}-bytes", key, "accepted", "As long as the hash.", token=token(key, alg, None), rules=rules)
        for size in (32, least - 1):
            add(f"{alg.lower()}-{size}-bytes", secret("keys", size), None, "Shorter than the hash, and no other algorithm is allowed.", open="secret-size-local", rules=rules)
    spaces = b"  " + secret("keys", 32) + b" \n"
    add("spaces-around", spaces, "accepted", "The secret is bytes; nothing is trimmed.", token=token(spaces, kid=None))
    add("spaces-fill-up", b"  " + secret("keys", 30), "accepted", "32 bytes, two of which are spaces.", token=token(b"  " + secret("keys", 30), kid=None))
    add("text", b"correct horse battery staple, 32+ bytes of it", "accepted", "Text is bytes.", token=token(b"correct horse battery staple, 32+ bytes of it", kid=None))
    for name, text in PEM_TEXTS:
        add(f"pem-{name}", text.encode(), None, "The text of a public document as a secret.", open="secret-is-a-key", token=token(text.encode(), kid=None))


def build():
    for group in (rsa_keys, ec_keys, okp_keys, oct_keys, any_type, private_members, documents, pems, secrets):
        group()
    write_json(
        "keys.json",
        {
            "about": "Documents that hold keys. A key set's unusable keys are skipped; a document without a usable key, a PEM text or a secret is refused as a whole.",
            "now": NOW,
            "rules": RULES,
            "good": {"jwk": jwk("p384-other", "good"), "token": signed("ES384", "p384-other", {"alg": "ES384", "kid": "good"}, CLAIMS)},
            "jwks": SINGLE.list,
            "sets": SETS.list,
            "pems": PEMS.list,
            "secrets": SECRETS.list,
        },
    )


if __name__ == "__main__":
    build()
