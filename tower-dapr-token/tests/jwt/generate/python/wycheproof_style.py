"""`wycheproof_style.json`: each algorithm against wrong signatures, in the manner of Project Wycheproof; the cases are our own."""

import hashlib

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

import raw_ed25519 as ed
from encode import b64, join, part
from material import integer, jwk, jwks, oct_jwk, private, raw_ed25519, secret
from raw_rsa import DIGEST_INFO, digest_info, forge_garbage_after, forge_garbage_inside, pkcs1, pss_sign, raw, size
from sign import HASHES, ecdsa, signature, signed
from table import AUDIENCE, ISSUER, NOW, Table

CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "caller", "exp": NOW + 300}
N256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
N384 = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973

t = Table("wycheproof_style.json", "Each algorithm against wrong signatures: tampered, of another key or hash, of another length, badly encoded, and numbers at the edges.")

# Two keys of each type; the second one is the wrong one.
SECRETS = {"oct": secret("wycheproof", 64), "oct-other": secret("wycheproof other", 64)}
KEYS = {
    "RS": t.key_set("rsa", jwks(jwk("rsa-2048"), jwk("rsa-2048-other"))),
    "ES256": t.key_set("p256", jwks(jwk("p256"), jwk("p256-other"))),
    "ES384": t.key_set("p384", jwks(jwk("p384"), jwk("p384-other"))),
    "Ed": t.key_set("ed25519", jwks(jwk("ed25519"), jwk("ed25519-other"))),
    "HS": t.key_set("oct", jwks(*(oct_jwk(key, kid) for kid, key in SECRETS.items()))),
}
FAMILIES = {
    **{f"{kind}{bits}": ("RS", "rsa-2048") for kind in ("RS", "PS") for bits in (256, 384, 512)},
    "ES256": ("ES256", "p256"), "ES384": ("ES384", "p384"), "EdDSA": ("Ed", "ed25519"), "Ed25519": ("Ed", "ed25519"),
    **{f"HS{bits}": ("HS", "oct") for bits in (256, 384, 512)},
}  # fmt: skip


def case(name, token, expect, why, keys, **more):
    t.add(name, ["t2"], token, expect, why, keys, **more)


def signer(key):
    return SECRETS.get(key, key)


def rules_for(alg):
    return {"rules": {"algorithms": [alg]}} if alg.startswith("HS") else {}


def flip(data, i, bit=1):
    """The same bytes with one bit changed."""
    changed = bytearray(data)
    changed[i] ^= bit
    return bytes(changed)


def every_algorithm():
    for alg, (family, key) in FAMILIES.items():
        keys, rules = KEYS[family], rules_for(alg)
        header = {"alg": alg, "kid": key}
        h, p = part(header), part(CLAIMS)
        message = f"{h}.{p}".encode()
        sig = signature(alg, signer(key), message)

        def one(name, why, sig_=None, head=h, body=p, expect="signature", alg=alg, keys=keys, rules=rules, **more):
            case(f"{alg.lower()}-{name}", join(head, body, sig if sig_ is None else sig_), expect, why, keys, **rules, **more)

        one("valid", "The control.", expect="accept")
        one("valid-other-key", "The control, with the second key.", signature(alg, signer(f"{key}-other"), f"{part({**header, 'kid': key + '-other'})}.{p}".encode()), head=part({**header, "kid": f"{key}-other"}), expect="accept")
        one("payload-changed", "A change of a claim without a new signature.", body=part({**CLAIMS, "sub": "admin"}))
        one("payload-space", "The same claims, written with a space.", body=part('{"iss":"%s","aud":"%s","sub":"caller", "exp":%d}' % (ISSUER, AUDIENCE, NOW + 300)))
        one("header-member-added", "A header member without a new signature.", head=part({**header, "x": 1}))
        one("header-order", "The same header in another order, without a new signature.", head=part({"kid": key, "alg": alg}))
        one("header-typ-added", "typ without a new signature.", head=part({**header, "typ": "JWT"}))
        for i, place in ((0, "first"), (len(sig) // 2, "middle"), (len(sig) - 1, "last")):
            one(f"bit-of-{place}-byte", f"One bit of the signature's {place} byte.", flip(sig, i))
            one(f"high-bit-of-{place}-byte", f"The highest bit of the signature's {place} byte.", flip(sig, i, 0x80))
        one("cut-by-one", "The last byte is missing.", sig[:-1])
        one("cut-in-front", "The first byte is missing.", sig[1:])
        one("cut-in-half", "Half a signature.", sig[: len(sig) // 2])
        one("of-one-byte", "One byte.", sig[:1])
        one("empty", "No signature.", b"")
        one("byte-after", "A byte after the signature.", sig + b"\0")
        one("byte-before", "A byte before the signature.", b"\0" + sig)
        one("twice", "The signature twice.", sig + sig)
        one("reversed", "The bytes in reverse.", sig[::-1])
        one("zeros", "Zeros.", bytes(len(sig)))
        one("ones", "All bits set.", b"\xff" * len(sig))
        one("hash-as-signature", "The message's hash as the signature.", hashlib.sha512(message).digest())
        one("wrong-key", "The other key of the type.", signature(alg, signer(f"{key}-other"), message))
        one("under-other-name", "This key under the other one's name.", signature(alg, signer(key), f"{part({**header, 'kid': key + '-other'})}.{p}".encode()), head=part({**header, "kid": f"{key}-other"}))
        one("of-payload-alone", "Signed: the payload part.", signature(alg, signer(key), p.encode()))
        one("of-header-alone", "Signed: the header part.", signature(alg, signer(key), h.encode()))
        one("of-decoded-parts", "Signed: the parts before their encoding.", signature(alg, signer(key), b"%s.%s" % (part(header).encode(), str(CLAIMS).encode())))
        one("without-dot", "Signed: the parts without the dot.", signature(alg, signer(key), (h + p).encode()))
        one("with-trailing-dot", "Signed: the parts and a dot after them.", signature(alg, signer(key), message + b"."))
        one("with-newline", "Signed: the parts and a line break.", signature(alg, signer(key), message + b"\n"))
        one("of-empty-message", "Signed: nothing.", signature(alg, signer(key), b""))
        one("of-whole-token", "Signed: the whole token.", signature(alg, signer(key), join(h, p, sig).encode()))
        one("of-hash", "Signed: the hash of the parts.", signature(alg, signer(key), hashlib.sha256(message).digest()))
        for bits in ("256", "384", "512"):
            if alg[:2] in ("RS", "PS", "HS") and not alg.endswith(bits):
                one(f"made-with-sha{bits}", f"Signed with SHA-{bits}.", signature(alg[:2] + bits, signer(key), message))
        for kind, other in (("RS", "PS"), ("PS", "RS")):
            if alg[:2] == kind:
                one(f"made-as-{other.lower()}", f"Signed as {other}.", signature(other + alg[-3:], key, message))
        if alg[:2] in ("RS", "PS", "ES"):
            with_hmac = signature(f"HS{alg[-3:]}", integer_bytes(key), message)
            one("hmac-in-place", "An HMAC keyed with the public key.", with_hmac)
        swapped = join(h, part({**CLAIMS, "sub": "admin"}), signature(alg, signer(key), f"{h}.{part({**CLAIMS, 'sub': 'guest'})}".encode()))
        case(f"{alg.lower()}-of-another-token", swapped, "signature", "The signature of another token of the same key.", keys, **rules)


def integer_bytes(key):
    public = jwk(key)
    return (public.get("n") or public["x"]).encode()


def rsa_pkcs1():
    key = private("rsa-2048")
    n, length = key.public_key().public_numbers().n, size(key)
    h = part({"alg": "RS256", "kid": "rsa-2048"})

    def one(name, why, make, expect="signature", **more):
        """`make` is given the message and returns the signature."""
        p = part({**CLAIMS, "jti": name})
        case(f"rs256-{name}", join(h, p, make(f"{h}.{p}".encode())), expect, why, KEYS["RS"], **more)

    def encoded(change):
        return lambda message: raw(key, change(digest_info("sha256", message)))

    one("encoded-well", "The control: the raw operation on a good encoding.", encoded(lambda d: pkcs1(length, d)), "accept")
    for value in (0, 2, 3, 0xFF):
        one(f"block-type-{value}", f"Block type {value} in place of 1.", encoded(lambda d: pkcs1(length, d, block_type=value)))
    for value in (0x00, 0xFE, 0x01, 0xAA):
        one(f"padding-of-{value:02x}", f"Padding of {value:02x} in place of ff.", encoded(lambda d: pkcs1(length, d, fill=value)))
    one("separator-ff", "No zero byte between padding and content.", encoded(lambda d: pkcs1(length, d, separator=0xFF)))
    one("separator-one", "A 1 between padding and content.", encoded(lambda d: pkcs1(length, d, separator=1)))
    one("padding-bit", "One bit of the padding.", encoded(lambda d: flip(pkcs1(length, d), 100)))
    one("padding-first-byte", "The first byte of the padding.", encoded(lambda d: flip(pkcs1(length, d), 2)))
    one("padding-last-byte", "The last byte of the padding.", encoded(lambda d: flip(pkcs1(length, d), length - len(d) - 2)))
    for fill in (0, 7, 8, 100):
        one(f"garbage-after-{fill}-bytes", f"{fill} bytes of padding, the content, then garbage (Bleichenbacher 2006).", encoded(lambda d: (b"\0\1" + b"\xff" * fill + b"\0" + d).ljust(length, b"\x5a")))
        one(f"zeros-after-{fill}-bytes", f"{fill} bytes of padding, the content, then zeros.", encoded(lambda d: (b"\0\1" + b"\xff" * fill + b"\0" + d).ljust(length, b"\0")))
    one("byte-after-content", "The padding is one byte shorter, and one byte follows.", encoded(lambda d: pkcs1(length - 1, d) + b"\0"))
    one("zero-in-padding", "A zero within the padding: a second place where content could begin.", encoded(lambda d: pkcs1(length, d)[:20] + b"\0" + pkcs1(length, d)[21:]))
    one("content-twice", "The content twice.", encoded(lambda d: pkcs1(length, d + d)))
    one("bare-hash", "The hash without a DigestInfo.", lambda m: raw(key, pkcs1(length, hashlib.sha256(m).digest())))
    one("octet-string-alone", "The hash in an OCTET STRING alone.", lambda m: raw(key, pkcs1(length, b"\x04\x20" + hashlib.sha256(m).digest())))
    one("no-padding", "The content alone, as a small number.", lambda m: raw(key, digest_info("sha256", m).rjust(length, b"\0")))
    prefix = DIGEST_INFO["sha256"]
    without_null = bytes.fromhex("302f300b0609608648016503040201") + bytes.fromhex("0420")
    one("missing-null", "The algorithm's NULL is left out, as the old text of PKCS#1 could be read.", lambda m: raw(key, pkcs1(length, without_null + hashlib.sha256(m).digest())), None, open="missing-null")
    for name, text, why in (
        ("null-of-length-one", "3032300e0609608648016503040201050100" "0420", "The NULL has a byte within."),
        ("null-is-octets", "3031300d0609608648016503040201040004" "20", "An empty OCTET STRING in place of NULL."),
        ("null-twice", "3033300f060960864801650304020105000500" "0420", "Two NULLs."),
        ("long-length-outer", "308131300d06096086480165030402010500" "0420", "A length of two bytes where one is enough (BER, not DER)."),
        ("long-length-inner", "303230810d06096086480165030402010500" "0420", "A length of two bytes where one is enough (BER, not DER)."),
        ("long-length-hash", "3032300d06096086480165030402010500048120", "A length of two bytes where one is enough (BER, not DER)."),
        ("long-length-four", "308400000031" "300d06096086480165030402010500" "0420", "A length of five bytes where one is enough (BER, not DER)."),
        ("indefinite-length", "3080300d060960864801650304020105000420", "An indefinite length (BER, not DER)."),
        ("set-for-sequence", "3131300d060960864801650304020105000420", "A SET in place of the SEQUENCE."),
        ("oid-of-sha384", "3031300d060960864801650304020205000420", "The name of SHA-384 over a SHA-256 hash."),
        ("oid-of-sha1", "302d300906052b0e03021a05000420", "The name of SHA-1 over a SHA-256 hash."),
        ("oid-of-sha3", "3031300d060960864801650304020805000420", "The name of SHA3-256 over a SHA-256 hash."),
        ("oid-bit", "3031300d060960864801650304020005000420", "A name that is none."),
        ("outer-length-short", "3030300d060960864801650304020105000420", "The outer length is one too small."),
        ("outer-length-long", "3032300d060960864801650304020105000420", "The outer length is one too large."),
        ("hash-length-short", "3031300d06096086480165030402010500041f", "The hash's length is one too small."),
    ):  # fmt: skip
        one(f"digestinfo-{name}", why, lambda m, text=text: raw(key, pkcs1(length, bytes.fromhex(text) + hashlib.sha256(m).digest())))
    one("digestinfo-tail", "A byte after the hash, within the outer length.", lambda m: raw(key, pkcs1(length, bytes.fromhex("3032300d060960864801650304020105000420") + hashlib.sha256(m).digest() + b"\0")))
    for other in ("sha1", "sha384", "sha512"):
        one(f"digestinfo-of-{other}", f"A whole DigestInfo of {other}.", lambda m, other=other: raw(key, pkcs1(length, digest_info(other, m))))
    one("hash-of-nothing", "A good encoding of the hash of nothing.", lambda m: raw(key, pkcs1(length, prefix + hashlib.sha256(b"").digest())))
    one("first-byte-one", "The first byte of the encoding is 1.", lambda m: raw(key, b"\1" + pkcs1(length, digest_info("sha256", m))[1:]))

    good = lambda m: raw(key, pkcs1(length, digest_info("sha256", m)))  # noqa: E731
    one("leading-zero", "A zero byte before a good signature: 257 bytes.", lambda m: b"\0" + good(m))
    one("leading-zeros-8", "Eight zero bytes before a good signature.", lambda m: bytes(8) + good(m))
    one("plus-n", "The signature plus the modulus: the same number to the formula.", lambda m: (int.from_bytes(good(m), "big") + n).to_bytes(length + 1, "big"))
    one("n-minus", "The modulus minus the signature.", lambda m: (n - int.from_bytes(good(m), "big")).to_bytes(length, "big"))
    one("little-endian", "The signature's bytes in reverse.", lambda m: good(m)[::-1])
    one("is-the-encoding", "The encoding itself, without the private operation.", lambda m: pkcs1(length, digest_info("sha256", m)))
    for name, value in (("one", 1), ("two", 2), ("n-minus-one", n - 1), ("n", n), ("n-plus-one", n + 1)):
        one(f"number-{name}", f"The number {name.replace('-', ' ')} as the signature.", lambda m, value=value: value.to_bytes(length, "big"))
    # A good signature that begins with a zero byte, found by trying; it must keep the byte.
    for i in range(20000):
        p = part({**CLAIMS, "jti": f"zero {i}"})
        found = good(f"{h}.{p}".encode())
        if found[0] == 0:
            break
    case("rs256-begins-with-zero", join(h, p, found), "accept", "A good signature that begins with a zero byte.", KEYS["RS"])
    case("rs256-begins-with-zero-cut", join(h, p, found[1:]), "signature", "The same without its zero byte: 255 bytes.", KEYS["RS"])


def rsa_exponent_three():
    """Forgeries that need no private key, against a key with the smallest exponent."""
    keys = t.key_set("rsa-e3", jwks(jwk("rsa-2048-e3")))
    h = part({"alg": "RS256", "kid": "rsa-2048-e3"})
    length = 256
    good = signed("RS256", "rsa-2048-e3", {"alg": "RS256", "kid": "rsa-2048-e3"}, CLAIMS)
    case("rs256-e3-valid", good, "accept", "The control: exponent 3 is allowed.", keys)
    good = signed("PS256", "rsa-2048-e3", {"alg": "PS256", "kid": "rsa-2048-e3"}, CLAIMS)
    case("ps256-e3-valid", good, "accept", "The control: exponent 3 is allowed.", keys)
    for fill in (0, 1, 7, 8, 16):
        p = part({**CLAIMS, "sub": "admin", "jti": f"forged {fill}"})
        forged = forge_garbage_after(length, digest_info("sha256", f"{h}.{p}".encode()), fill)
        case(f"rs256-e3-forged-garbage-after-{fill}", join(h, p, forged), "signature", f"Forged without the key: {fill} bytes of padding, the content, garbage (Bleichenbacher 2006).", keys)
    for fill in (0, 8):
        for place in ("parameters", "outside"):
            for i in range(100):
                p = part({**CLAIMS, "sub": "admin", "jti": f"{place} {fill} {i}"})
                digest = hashlib.sha256(f"{h}.{p}".encode()).digest()
                if digest[-1] % 2:
                    break
            tail = b"\x04\x20" + digest
            start = b"\0\1" + b"\xff" * fill + b"\0"
            if place == "parameters":
                # DigestInfo whose algorithm parameters are an OCTET STRING of garbage, so that every length is right.
                oid = bytes.fromhex("0609608648016503040201")
                total = length - len(start)
                inner = total - 4 - 4 - len(tail)
                rest = inner - len(oid) - 4
                prefix = start + b"\x30\x82" + (total - 4).to_bytes(2, "big") + b"\x30\x82" + inner.to_bytes(2, "big") + oid + b"\x04\x82" + rest.to_bytes(2, "big")
            else:
                prefix = start
            forged = forge_garbage_inside(length, prefix, tail)
            case(f"rs256-e3-forged-garbage-in-{place}-{fill}", join(h, p, forged), "signature", f"Forged without the key: garbage in the {place}, the hash at the end ({fill} bytes of padding; CVE-2014-1568).", keys)


def rsa_one():
    """Exponent 1: the signature is the encoding, so T2 refuses the key."""
    length = 256
    n = private("rsa-2048").public_key().public_numbers().n
    keys = jwks(jwk("p256"), {"kty": "RSA", "kid": "one", "n": integer(n), "e": integer(1)})
    h, p = part({"alg": "RS256", "kid": "one"}), part({**CLAIMS, "sub": "admin"})
    forged = pkcs1(length, digest_info("sha256", f"{h}.{p}".encode()))
    case("rs256-e1-forged", join(h, p, forged), None, "Under exponent 1 the encoding is its own signature; the key is skipped.", keys, open="kid-skipped")


def rsa_sizes():
    for bits in (2049, 3072, 4096, 8192):
        name = f"rsa-{bits}"
        keys = t.key_set(name, jwks(jwk(name)))
        more = {"backends": ["aws_lc"]} if bits > 4096 else {}
        for alg in ("RS256", "PS256", "RS512", "PS512"):
            token = signed(alg, name, {"alg": alg, "kid": name}, CLAIMS)
            case(f"{alg.lower()}-{bits}-bits", token, "accept", f"A modulus of {bits} bits." + (" With 2049 bits the PSS encoding is a byte shorter than the modulus." if bits == 2049 else ""), keys, **more)
            h, p, sig = token.rsplit(".", 2)
            case(f"{alg.lower()}-{bits}-bits-tampered", f"{h}.{part({**CLAIMS, 'sub': 'admin'})}.{sig}", "signature", f"A modulus of {bits} bits, and another payload.", keys, **more)


def rsa_pss():
    key = private("rsa-2048")
    length = size(key)
    for alg, name in (("PS256", "sha256"), ("PS384", "sha384"), ("PS512", "sha512")):
        h = part({"alg": alg, "kid": "rsa-2048"})
        digest = hashlib.new(name).digest_size
        most = length - digest - 2

        def one(label, why, expect="signature", alg=alg, name=name, h=h, **pss):
            p = part({**CLAIMS, "jti": label})
            sig = pss_sign(key, f"{h}.{p}".encode(), name, **pss)
            case(f"{alg.lower()}-{label}", join(h, p, sig), expect, why, KEYS["RS"])

        one("salt-zeros", "A salt of the hash's size, all zeros.", "accept", salt=bytes(digest))
        one("salt-ones", "A salt of the hash's size, all bits set.", "accept", salt=b"\xff" * digest)
        for count in sorted({0, 1, 8, 20, digest - 1, digest + 1, digest * 2, most - 1, most}):
            if count != digest:
                one(f"salt-of-{count}", f"A salt of {count} bytes: RFC 7518 3.5 wants {digest}.", salt=b"\xa5" * count)
        for other in ("sha1", "sha256", "sha384", "sha512"):
            if other != name:
                one(f"mgf-{other}", f"The mask made with {other}.", salt=bytes(digest), mgf=other)
        for trailer in (0xCC, 0x00, 0xBD, 0xFF):
            one(f"trailer-{trailer:02x}", f"The last byte is {trailer:02x} in place of bc.", salt=bytes(digest), trailer=trailer)
        one("separator-zero", "No 1 before the salt.", salt=bytes(digest), first=0)
        one("separator-two", "A 2 before the salt.", salt=bytes(digest), first=2)


def ec():
    for alg, key, n, length in (("ES256", "p256", N256, 32), ("ES384", "p384", N384, 48)):
        h = part({"alg": alg, "kid": key})
        keys = KEYS[alg]
        hash_ = HASHES[alg[-3:]]

        def one(name, why, make, expect="signature", alg=alg, h=h, keys=keys, hash_=hash_, key=key, **more):
            p = part({**CLAIMS, "jti": name})
            r, s = ecdsa(key, f"{h}.{p}".encode(), hash_)
            case(f"{alg.lower()}-{name}", join(h, p, make(r, s)), expect, why, keys, **more)

        def both(r, s, length=length):
            return r.to_bytes(length, "big") + s.to_bytes(length, "big")

        one("low-s", "s in the lower half.", lambda r, s: both(r, min(s, n - s)), "accept")
        one("high-s", "s in the upper half: the same signature in its other form.", lambda r, s: both(r, max(s, n - s)), None, open="high-s")
        one("der", "The signature in DER, as X.509 has it.", lambda r, s: encode_dss_signature(r, s))
        one("der-padded", "The signature in DER, filled up to the right length or beyond.", lambda r, s: encode_dss_signature(r, s).ljust(2 * length, b"\0"))
        one("s-before-r", "r and s swapped.", lambda r, s: both(s, r))
        one("little-endian", "Each number in little-endian order.", lambda r, s: r.to_bytes(length, "little") + s.to_bytes(length, "little"))
        one("shortest-form", "r and s without a byte each.", lambda r, s: both(r, s)[1:length] + both(r, s)[length + 1 :])
        one("padded-numbers", "A zero byte before r and before s.", lambda r, s: both(r, s, length + 1))
        one("r-alone", "r without s.", lambda r, s: r.to_bytes(length, "big"))
        one("with-recovery-byte", "A byte for the recovery of the key after s.", lambda r, s: both(r, s) + b"\1")
        for label, values in (
            ("r-0-s-0", (0, 0)), ("r-0", (0, None)), ("s-0", (None, 0)), ("r-1-s-0", (1, 0)), ("r-0-s-1", (0, 1)), ("r-1-s-1", (1, 1)), ("r-n", (n, None)), ("s-n", (None, n)), ("r-n-s-n", (n, n)), ("r-n-s-0", (n, 0)), ("r-0-s-n", (0, n)),
            ("r-n-minus-1", (n - 1, None)), ("s-n-minus-1", (None, n - 1)), ("r-n-plus-1", (n + 1, None)), ("s-n-plus-1", (None, n + 1)), ("r-n-plus-1-s-1", (n + 1, 1)), ("r-max", (2 ** (8 * length) - 1, None)), ("s-max", (None, 2 ** (8 * length) - 1)), ("r-1", (1, None)), ("s-1", (None, 1)),
        ):  # fmt: skip
            one(label, "Numbers at the edge: 0 < r, s < n (for 0 and 0 CVE-2022-21449).", lambda r, s, values=values: both(r if values[0] is None else values[0], s if values[1] is None else values[1]))
        one("minus-r", "n - r.", lambda r, s: both(n - r, s))
        one("minus-both", "n - r and n - s.", lambda r, s: both(n - r, n - s))
        one("s-inverse", "The inverse of s.", lambda r, s: both(r, pow(s, -1, n)))
        for half, pick in (("r", 0), ("s", 1)):
            for i in range(20000):
                p = part({**CLAIMS, "jti": f"{half} {i}"})
                pair = ecdsa(key, f"{h}.{p}".encode(), hash_)
                if pair[pick] >> (8 * (length - 1)) == 0:
                    break
            case(f"{alg.lower()}-{half}-begins-with-zero", join(h, p, both(*pair)), "accept", f"A good signature whose {half} begins with a zero byte.", keys)
            short = b"".join(v.to_bytes((v.bit_length() + 7) // 8, "big") for v in pair)
            case(f"{alg.lower()}-{half}-begins-with-zero-cut", join(h, p, short), "signature", "The same without the zero byte.", keys)
        p = part(CLAIMS)
        message = f"{h}.{p}".encode()
        for bits in ("256", "384", "512"):
            if not alg.endswith(bits):
                r, s = ecdsa(key, message, HASHES[bits])
                case(f"{alg.lower()}-made-with-sha{bits}", join(h, p, both(r, s)), "signature", f"Signed with SHA-{bits}.", keys)
        # Without the private key: r and s from points that the attacker chooses fit some hash, never this one.
        point = private(key).public_key().public_numbers()
        r = point.x % n
        case(f"{alg.lower()}-public-point-as-signature", join(h, p, both(r, r)), "signature", "r and s from the public key itself: they fit the hash zero.", keys)


def eddsa():
    seed = raw_ed25519("ed25519")
    keys = KEYS["Ed"]
    h = part({"alg": "EdDSA", "kid": "ed25519"})
    scalar, _ = ed.expand(seed)
    public = ed.encode(ed.multiply(scalar, ed.BASE))

    def one(name, why, make, expect="signature", **more):
        p = part({**CLAIMS, "jti": name})
        message = f"{h}.{p}".encode()
        case(f"eddsa-{name}", join(h, p, make(message, ed.sign(seed, message))), expect, why, keys, **more)

    def s_of(sig):
        return int.from_bytes(sig[32:], "little")

    one("by-formula", "The control: made by RFC 8032's formulas.", lambda m, s: s, "accept")
    for times in (1, 2, 7, 15):
        one(f"s-plus-{times}-l", f"S plus {times} times the group order: the same to the formula (CVE-2020-36843 and others).", lambda m, s: s[:32] + (s_of(s) + times * ed.L).to_bytes(32, "little"))
    one("s-l-minus", "The group order minus S.", lambda m, s: s[:32] + (ed.L - s_of(s)).to_bytes(32, "little"))
    for name, value in (("zero", 0), ("one", 1), ("l", ed.L), ("l-minus-1", ed.L - 1), ("max", 2**256 - 1)):
        one(f"s-{name}", f"S is {name}.", lambda m, s, value=value: s[:32] + value.to_bytes(32, "little"))
    for i, small in enumerate(sorted(set(ed.small_order()))):
        one(f"r-small-{i}", "R is a point of small order.", lambda m, s, small=small: small + s[32:])
        one(f"r-small-{i}-s-zero", "R is a point of small order, S is zero: right for a public key of small order.", lambda m, s, small=small: small + bytes(32))
        one(f"r-small-{i}-signed", "R is a point of small order, S is made for it by the signer: right with the cofactor or at R = 0 alone.", lambda m, s, small=small: small + (ed.challenge(small, public, m) * scalar % ed.L).to_bytes(32, "little"), "accept" if small == ed.encode(ed.ZERO) else "signature")
    torsion = ed.order_eight()
    for i in (1, 2, 4):
        one(f"r-with-torsion-{i}", "R carries a point of small order, by the signer: right with the cofactor alone (RFC 8032 5.1.7 allows both; the two backends must agree).", lambda m, s: ed.sign(seed, m, torsion=ed.multiply(i, torsion)))
    one("r-not-a-point", "R is no point.", lambda m, s: not_a_point() + s[32:])
    one("r-minus", "The sign of R is changed.", lambda m, s: flip(s, 31, 0x80))
    one("r-above-p", "R is y = 1, written as p + 1.", lambda m, s: (ed.P + 1).to_bytes(32, "little") + (ed.challenge((ed.P + 1).to_bytes(32, "little"), public, m) * scalar % ed.L).to_bytes(32, "little"))
    one("s-before-r", "R and S swapped.", lambda m, s: s[32:] + s[:32])
    one("big-endian", "Each half in reverse.", lambda m, s: s[:32][::-1] + s[32:][::-1])
    one("r-alone", "R without S.", lambda m, s: s[:32])
    one("prehashed", "Ed25519ph: another algorithm of the same key.", lambda m, s: ed.sign(seed, hashlib.sha512(m).digest(), prefix=b"SigEd25519 no Ed25519 collisions\1\0"))
    one("with-context", "Ed25519ctx: another algorithm of the same key.", lambda m, s: ed.sign(seed, m, prefix=b"SigEd25519 no Ed25519 collisions\0\3JWT"))
    one("of-sha512", "Signed: the SHA-512 of the parts.", lambda m, s: ed.sign(seed, hashlib.sha512(m).digest()))
    one("with-public-key", "The public key after the signature.", lambda m, s: s + public)

    # Keys under which R = S B + k A holds for everybody, because k A runs through eight points alone.
    for i, small in enumerate(sorted(set(ed.small_order()))):
        head = part({"alg": "EdDSA", "kid": "small"})
        at = ed.decode(small)
        for j in range(1000):
            p = part({**CLAIMS, "sub": "admin", "jti": f"{i} {j}"})
            message = f"{head}.{p}".encode()
            forged = next((r for r in ed.small_order() if ed.encode(ed.multiply(-ed.challenge(r, small, message) % 8, at)) == r), None)
            if forged is not None:
                break
        sig = forged + bytes(32)
        case(f"eddsa-key-of-small-order-{i}", join(head, p, sig), None, "The public key has small order, so a signature for it needs no private key; the key is skipped.", jwks(jwk("p256"), {"kty": "OKP", "crv": "Ed25519", "kid": "small", "x": b64(small)}), open="small-order-token")


def not_a_point():
    return next(y.to_bytes(32, "little") for y in range(2, 50) if ed.point(y, 0) is None)


def hmac_edges():
    for alg in ("HS256", "HS384", "HS512"):
        bits = alg[-3:]
        h, p = part({"alg": alg, "kid": "oct"}), part(CLAIMS)
        message = f"{h}.{p}".encode()
        key = SECRETS["oct"]
        sig = signature(alg, key, message)
        rules = {"algorithms": [alg]}
        for count in (8, 10, 12, 20):
            case(f"{alg.lower()}-first-{count}-bytes", join(h, p, sig[:count]), "signature", "A truncated HMAC is none.", KEYS["HS"], rules=rules)
        for name, other in (("empty-key", b""), ("zero-key", bytes(64)), ("key-text", b64(key).encode()), ("key-cut", key[:-1]), ("key-and-newline", key + b"\n"), ("key-in-hex", key.hex().encode())):
            case(f"{alg.lower()}-{name}", join(h, p, signature(alg, other, message)), "signature", "Another key.", KEYS["HS"], rules=rules)
        case(f"{alg.lower()}-plain-hash", join(h, p, hashlib.new(f"sha{bits}", message).digest()), "signature", "A hash without a key.", KEYS["HS"], rules=rules)
        case(f"{alg.lower()}-prefix-hash", join(h, p, hashlib.new(f"sha{bits}", key + message).digest()), "signature", "A hash of key and message, which is no HMAC.", KEYS["HS"], rules=rules)
        in_hex = join(h, p, sig.hex().encode())
        case(f"{alg.lower()}-in-hex", in_hex, "signature", "The HMAC in hexadecimal.", KEYS["HS"], rules=rules)
        # A property of HMAC, not a fault: zeros after a key that is shorter than the hash's block change nothing.
        least = int(bits) // 8
        short = secret("wycheproof short", least + 8)
        padded = jwks(oct_jwk(short + bytes(4), "oct"))
        token = signed(alg, short, {"alg": alg, "kid": "oct"}, CLAIMS)
        case(f"{alg.lower()}-key-with-zeros-after", token, "accept", "Zeros after a key do not change its HMAC (RFC 2104), so this is the same key.", padded, rules=rules)
        shortest = secret("wycheproof least", least)
        token = signed(alg, shortest, {"alg": alg, "kid": "oct"}, CLAIMS)
        case(f"{alg.lower()}-key-of-{least}-bytes", token, "accept", "The shortest secret.", jwks(oct_jwk(shortest, "oct")), rules=rules)
        for size in (32, least - 1) if least > 32 else ():
            cut = secret("wycheproof least", size)
            token = signed(alg, cut, {"alg": alg, "kid": "oct"}, CLAIMS)
            case(f"{alg.lower()}-key-of-{size}-bytes", token, None, "A secret shorter than the hash is skipped.", jwks(oct_jwk(cut, "oct")), rules=rules, open="secret-size")
            both = {"algorithms": ["HS256", alg]}
            case(f"{alg.lower()}-key-of-{size}-bytes-for-hs256", token, "alg", "A secret shorter than the hash is a key of HS256 alone.", jwks(oct_jwk(cut, "oct")), rules=both)
        long = secret("wycheproof long", 300)
        token = signed(alg, long, {"alg": alg, "kid": "oct"}, CLAIMS)
        case(f"{alg.lower()}-key-of-300-bytes", token, "accept", "A secret above the hash's block.", jwks(oct_jwk(long, "oct")), rules=rules)
        spaced = b"  " + secret("wycheproof spaced", least + 8) + b"\n"
        keys = jwks(oct_jwk(spaced, "oct"))
        case(f"{alg.lower()}-key-with-spaces", signed(alg, spaced, {"alg": alg, "kid": "oct"}, CLAIMS), "accept", "A secret is bytes: spaces and line breaks belong to it.", keys, rules=rules)
        case(f"{alg.lower()}-key-with-spaces-trimmed", signed(alg, spaced.strip(), {"alg": alg, "kid": "oct"}, CLAIMS), "signature", "A secret is bytes: without its spaces it is another one.", keys, rules=rules)


def build():
    for group in (every_algorithm, rsa_pkcs1, rsa_exponent_three, rsa_one, rsa_sizes, rsa_pss, ec, eddsa, hmac_edges):
        group()
    t.write()


if __name__ == "__main__":
    build()
