"""`attacks.json`: hostile tokens up to the signature: their form, their header, the choice of the key."""

import zlib

from cryptography.hazmat.primitives.asymmetric import ec
from encode import b64, compact, members, part, unb64
from material import KEYS, der, jwk, jwks, oct_jwk, pem, private, public_pem, secret, shared
from sign import signature, signed, signed_parts
from table import AUDIENCE, ISSUER, NOW, Table

CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "caller", "exp": NOW + 300, "iat": NOW - 10}
HEADER = {"alg": "EdDSA", "typ": "JWT", "kid": "ed25519"}
BODY = part(CLAIMS)

t = Table(
    "attacks.json",
    "Hostile tokens up to the signature: their form, their header, the choice of the key. Nearly all carry good claims and, where they can, a good signature, so that only the named fault refuses them.",
)

ALL = t.key_set("all", jwks(jwk("ed25519"), jwk("p256"), jwk("p384"), jwk("rsa-2048")))
ONE = t.key_set("ed25519", jwks(jwk("ed25519")))
SECRET = secret("attacks", 64)


def header(**changes):
    """The usual header with members changed, added, or, with `...`, left out."""
    return {k: v for k, v in {**HEADER, **changes}.items() if v is not ...}


def raw_header(*pairs):
    """The usual header as text, with further members as text."""
    return members(('"alg"', '"EdDSA"'), ('"kid"', '"ed25519"'), *pairs)


def ed(head, payload=CLAIMS, key="ed25519"):
    return signed("EdDSA", key, head, payload)


def stranger(index):
    """A P-256 key of the name `k` that signs nothing here."""
    point = ec.derive_private_key(1000 + index, ec.SECP256R1()).public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": b64(point.x.to_bytes(32, "big")), "y": b64(point.y.to_bytes(32, "big")), "kid": "k"}


GOOD = ed(HEADER)


def case(name, rule, token, expect, why, keys=ALL, **more):
    t.add(name, rule.split(), token, expect, why, keys, **more)


def baseline():
    case("good-token", "t1", GOOD, "accept", "The token that all others are made from.")
    case("good-token-single-key", "t1", GOOD, "accept", "The same with one key in the set.", ONE)
    for name, alg in (("ed25519", "EdDSA"), ("p256", "ES256"), ("p384", "ES384"), ("rsa-2048", "RS256")):
        token = signed(alg, name, header(alg=alg, kid=name), CLAIMS)
        case(f"good-token-{name}", "t2", token, "accept", f"{alg} in a set of four key types.")


def alg_none():
    for i, spelling in enumerate(("none", "None", "NONE", "nOnE", "nonE", "NonE")):
        head = part(header(alg=spelling))
        why = f"alg {spelling}, whatever its case (CVE-2015-9235, CVE-2026-23993)."
        case(f"none-{i}-without-signature", "t1", f"{head}.{BODY}.", "alg", why)
        case(f"none-{i}-with-good-signature", "t1", signed_parts("EdDSA", "ed25519", head, BODY), "alg", why + " The signature holds.")
        case(f"none-{i}-with-any-signature", "t1", f"{head}.{BODY}.AAAA", "alg", why)
    for name, keys in (("kidless", {"alg": "none"}), ("unknown-kid", {"alg": "none", "kid": "nobody"})):
        case(f"none-{name}", "t1", f"{part(keys)}.{BODY}.", "alg", "none is refused before a key is looked for.")
    case("none-with-pem-key", "t1", f"{part({'alg': 'none'})}.{BODY}.", "alg", "A PEM key changes nothing.", public_pem("p256"))
    case(
        "none-with-secret", "t1", f"{part({'alg': 'none'})}.{BODY}.", "alg", "A shared secret changes nothing.",
        shared(SECRET), rules={"algorithms": ["HS256"]},
    )  # fmt: skip
    for name, pair in (("value", ('"alg"', '"n\\u006fne"')), ("name", ('"\\u0061lg"', '"none"'))):
        head = part(members(pair, ('"kid"', '"ed25519"')))
        case(f"none-with-escaped-{name}", "t1", f"{head}.{BODY}.", "alg", f"An escape in the {name} is decoded first.")
    for name, value in (("space-after", "none "), ("space-before", " none"), ("nul", "none\0"), ("fullwidth", "\uff4e\uff4f\uff4e\uff45"), ("dotless", "n\u00f6ne")):
        case(f"none-{name}", "t1 t2", f"{part(header(alg=value))}.{BODY}.", "alg", "Nearly none is no algorithm either.", open="alg-unknown")


def alg_form():
    case("alg-absent", "t1 t2", ed(header(alg=...)), None, "RFC 7515 4.1.1: alg must be there.", open="alg-form")
    for name, value in (("null", None), ("number", 256), ("bool", True), ("array", ["EdDSA"]), ("object", {"EdDSA": "EdDSA"})):
        case(f"alg-{name}", "t1 t2", ed(header(alg=value)), None, f"alg is {name}.", open="alg-form")
    case("alg-empty", "t2", ed(header(alg="")), None, "alg is the empty string.", open="alg-unknown")
    for value in ("eddsa", "EDDSA", "ed25519", "EdDSA ", " EdDSA", "EdDSA\n"):
        name = value.replace(" ", "_").replace("\n", "-lf")
        name = {"eddsa": "lower", "EDDSA": "upper", "ed25519": "lower-ed25519"}.get(name, name.lower())
        case(f"alg-spelled-{name}", "t2", ed(header(alg=value)), None, "Names of algorithms are compared exactly.", open="alg-unknown")
    for alg, key in (("RS256", "rsa-2048"), ("ES256", "p256")):
        token = signed(alg, key, header(alg=alg.lower(), kid=key), CLAIMS)
        case(f"alg-spelled-{alg.lower()}", "t2", token, None, "Names of algorithms are compared exactly.", open="alg-unknown")
    case("alg-ed25519-by-name", "t2", ed(header(alg="Ed25519")), "accept", "The name of RFC 9864.")
    unknown = ("Ed448", "ES512", "ES256K", "RS1", "HS1", "RSA-OAEP", "dir", "A128KW", "PBES2-HS256+A128KW", "MD5", "SM2", "ML-DSA-44")
    for alg in unknown:
        case(f"alg-unknown-{alg.lower()}", "t2", ed(header(alg=alg)), None, f"{alg} is not in the list of T2.", open="alg-unknown")
    case("alg-unknown-and-unknown-kid", "t2", ed(header(alg="ES512", kid="nobody")), None, "The algorithm comes first.", open="alg-unknown")
    case("alg-of-1000-letters", "t2", ed(header(alg="A" * 1000)), None, "A long name.", open="alg-unknown")
    p521 = signed("ES512", "p521", header(alg="ES512", kid="p521"), CLAIMS)
    case("alg-es512-with-its-key", "t2", p521, None, "A good ES512 token, and its key is in the set.", jwks(jwk("ed25519"), jwk("p521")), open="alg-unknown")
    k1 = signed("ES256", "secp256k1", header(alg="ES256K", kid="secp256k1"), CLAIMS)
    case("alg-es256k-with-its-key", "t2", k1, None, "A good ES256K token, and its key is in the set.", jwks(jwk("ed25519"), jwk("secp256k1")), open="alg-unknown")
    k1 = signed("ES256", "secp256k1", header(alg="ES256", kid="secp256k1"), CLAIMS)
    case("alg-es256-by-secp256k1", "t2", k1, None, "The curve is not P-256, so the key is skipped.", jwks(jwk("ed25519"), jwk("secp256k1")), open="kid-skipped")


def hmac_with_public_key():
    rsa = private("rsa-2048").public_key().public_numbers()
    texts = {
        "pem": pem("rsa-2048").encode(),
        "pem-without-last-newline": pem("rsa-2048").rstrip("\n").encode(),
        "pem-with-leading-space": (" " + pem("rsa-2048")).encode(),
        "pem-crlf": pem("rsa-2048").replace("\n", "\r\n").encode(),
        "pkcs1-pem": pem("rsa-2048", "pkcs1").encode(),
        "der": der("rsa-2048"),
        "pkcs1-der": der("rsa-2048", "pkcs1"),
        "modulus": rsa.n.to_bytes(256, "big"),
        "modulus-text": jwk("rsa-2048")["n"].encode(),
        "jwk-text": compact(jwk("rsa-2048")).encode(),
        "empty": b"",
    }
    both = {"algorithms": ["HS256", "RS256"]}
    for name, key in texts.items():
        kidless = signed("HS256", key, {"alg": "HS256"}, CLAIMS)
        named = signed("HS256", key, {"alg": "HS256", "kid": "rsa-2048"}, CLAIMS)
        why = f"HS256 with the RSA key's {name} as the secret (CVE-2015-9235, CVE-2024-33663)."
        case(f"hs256-by-{name}-pem-key", "t2", kidless, "alg", why, public_pem("rsa-2048"))
        case(f"hs256-by-{name}-both-allowed", "t2", kidless, "alg", why + " Both algorithms are allowed.", public_pem("rsa-2048"), rules=both)
        case(f"hs256-by-{name}-jwk-without-alg", "t2", named, "alg", why + " The JWK has no alg (CVE-2026-22817).", jwks(jwk("rsa-2048")), rules=both)
    for alg in ("HS384", "HS512"):
        token = signed(alg, texts["pem"], {"alg": alg}, CLAIMS)
        case(f"{alg.lower()}-by-pem-both-allowed", "t2", token, "alg", f"The same with {alg}.", public_pem("rsa-2048"), rules={"algorithms": [alg, "RS256"]})
    for name in ("ed25519", "p256"):
        for form, key in (("pem", pem(name).encode()), ("x", unb64(jwk(name)["x"])), ("x-text", jwk(name)["x"].encode())):
            token = signed("HS256", key, {"alg": "HS256", "kid": name}, CLAIMS)
            case(f"hs256-by-{name}-{form}", "t2", token, "alg", f"HS256 with the {form} of the {name} key as the secret.", rules={"algorithms": ["HS256", "EdDSA", "ES256"]})
    beside = t.key_set("rsa-and-oct", jwks(jwk("rsa-2048", "rsa"), oct_jwk(SECRET, "oct")))
    token = signed("HS256", texts["pem"], {"alg": "HS256", "kid": "rsa"}, CLAIMS)
    case("hs256-under-the-name-of-rsa", "t2 t3", token, "alg", "A secret is in the set, but the name is the RSA key's.", beside, rules=both)
    token = signed("HS256", texts["pem"], {"alg": "HS256", "kid": "oct"}, CLAIMS)
    case("hs256-by-pem-under-the-name-of-oct", "t2 t3", token, "signature", "The name is the secret's, the secret used is not.", beside, rules=both)
    token = signed("HS256", SECRET, {"alg": "HS256", "kid": "oct"}, CLAIMS)
    case("hs256-by-oct", "t2 t3", token, "accept", "The secret itself, from local configuration and with its algorithm allowed.", beside, rules=both)
    case("hs256-by-oct-not-allowed", "t2", token, None, "Without a list, asymmetric algorithms alone are allowed.", beside, open="alg-narrowed")
    token = signed("RS256", "rsa-2048", {"alg": "RS256", "kid": "oct"}, CLAIMS)
    case("rs256-under-the-name-of-oct", "t2 t3", token, "alg", "The reverse: RS256 under the secret's name.", beside, rules=both)
    token = signed("RS256", "rsa-2048", {"alg": "RS256"}, CLAIMS)
    case("rs256-against-secret", "t2", token, "alg", "RS256 against a secret.", shared(SECRET), rules=both)


def family_mix():
    def foreign(alg, signer, keys, name, why, expect="alg", **more):
        case(name, "t2", signed(alg, signer, {"alg": alg}, CLAIMS), expect, why, keys, **more)

    for alg, signer, victims in (
        ("RS256", "rsa-2048", ("p256", "p384", "ed25519")),
        ("PS256", "rsa-2048", ("p256", "ed25519")),
        ("ES256", "p256", ("rsa-2048", "p384", "ed25519")),
        ("ES384", "p384", ("rsa-2048", "p256", "ed25519")),
        ("EdDSA", "ed25519", ("rsa-2048", "p256", "p384")),
        ("Ed25519", "ed25519", ("p256",)),
    ):
        for victim in victims:
            foreign(alg, signer, public_pem(victim), f"{alg.lower()}-against-{victim}-pem", f"{alg} against a key of another type.")
            token = signed(alg, signer, {"alg": alg, "kid": victim}, CLAIMS)
            case(f"{alg.lower()}-under-the-name-of-{victim}", "t2 t3", token, "alg", f"{alg} under the name of a key of another type.")
    token = signed("ES256", "p384", {"alg": "ES256", "kid": "p384"}, CLAIMS)
    case("es256-signed-by-p384", "t2", token, "alg", "SHA-256 with the P-384 key: ES256 is P-256 alone.")
    token = signed("ES384", "p256", {"alg": "ES384", "kid": "p256"}, CLAIMS)
    case("es384-signed-by-p256", "t2", token, "alg", "SHA-384 with the P-256 key: ES384 is P-384 alone.")
    two = t.key_set("p256-and-p384", jwks(jwk("p256"), jwk("p384")))
    case("kidless-rs256-no-rsa-key", "t2 t3", signed("RS256", "rsa-2048", {"alg": "RS256"}, CLAIMS), None, "No key of the set fits.", two, open="alg-unfit")
    case("kidless-eddsa-no-ed-key", "t2 t3", signed("EdDSA", "ed25519", {"alg": "EdDSA"}, CLAIMS), None, "No key of the set fits.", two, open="alg-unfit")
    case("kidless-es384-one-fits", "t2 t3", signed("ES384", "p384", {"alg": "ES384"}, CLAIMS), "accept", "Two EC keys, of which one fits.", two)

    for bits in ("256", "384", "512"):
        rs, ps = f"RS{bits}", f"PS{bits}"
        for bound, other in ((rs, ps), (ps, rs)):
            keys = jwks(jwk("rsa-2048", alg=bound))
            token = signed(other, "rsa-2048", {"alg": other, "kid": "rsa-2048"}, CLAIMS)
            case(f"{other.lower()}-against-jwk-{bound.lower()}", "t2", token, "alg", f"The JWK is for {bound}; the {other} signature holds (CVE-2026-48523).", keys)
            token = signed(bound, "rsa-2048", {"alg": bound, "kid": "rsa-2048"}, CLAIMS)
            case(f"{bound.lower()}-against-jwk-{bound.lower()}", "t2", token, "accept", f"The JWK is for {bound}.", keys)
    token = signed("RS256", "rsa-2048", {"alg": "RS256", "kid": "rsa-2048"}, CLAIMS)
    case("rs256-against-jwk-rs512", "t2", token, "alg", "Another hash is another algorithm.", jwks(jwk("rsa-2048", alg="RS512")))
    case("rs256-against-jwk-rs256-lower", "t2", token, None, "The JWK's alg is in lower case, so it allows nothing.", jwks(jwk("ed25519"), jwk("rsa-2048", alg="rs256")), open="kid-skipped")
    case("rs256-against-jwk-rsa-oaep", "t2", token, None, "The JWK is for encryption.", jwks(jwk("ed25519"), jwk("rsa-2048", alg="RSA-OAEP")), open="kid-skipped")
    case("rs256-against-jwk-hs256", "t2", token, None, "The JWK's alg is not one of its type.", jwks(jwk("ed25519"), jwk("rsa-2048", alg="HS256")), open="kid-skipped")
    case("rs256-against-jwk-alg-number", "t2", token, None, "The JWK's alg is no string.", jwks(jwk("ed25519"), jwk("rsa-2048", alg=256)), open="kid-skipped")
    for alg in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"):
        token = signed(alg, "rsa-2048", {"alg": alg, "kid": "rsa-2048"}, CLAIMS)
        case(f"{alg.lower()}-against-jwk-without-alg", "t2", token, "accept", "Without an alg the JWK takes all of its type.")
    case("jwk-eddsa-header-ed25519", "t2", ed(header(alg="Ed25519")), None, "Two names of one algorithm.", jwks(jwk("ed25519", alg="EdDSA")), open="eddsa-names")
    case("jwk-ed25519-header-eddsa", "t2", ed(HEADER), None, "Two names of one algorithm.", jwks(jwk("ed25519", alg="Ed25519")), open="eddsa-names")
    case("jwk-ed25519-header-ed25519", "t2", ed(header(alg="Ed25519")), "accept", "The name of RFC 9864 on both sides.", jwks(jwk("ed25519", alg="Ed25519")))

    listed = {"algorithms": ["ES256", "EdDSA"]}
    token = signed("RS256", "rsa-2048", {"alg": "RS256", "kid": "rsa-2048"}, CLAIMS)
    case("list-without-rs256", "t2", token, None, "The builder's list leaves RS256 out.", rules=listed, open="alg-narrowed")
    case("list-with-eddsa", "t2", GOOD, "accept", "The builder's list has EdDSA.", rules=listed)
    token = signed("ES256", "p256", {"alg": "ES256"}, CLAIMS)
    case("list-makes-one-fit", "t2 t3", token, "accept", "Kidless, and one key fits the list.", rules=listed)
    token = signed("PS256", "rsa-2048", {"alg": "PS256", "kid": "rsa-2048"}, CLAIMS)
    case("list-rs256-token-ps256", "t2", token, "alg", "The list has RS256, the key could do both, the token says PS256.", rules={"algorithms": ["RS256"]})


def key_choice():
    case("kid-unknown", "t3", ed(header(kid="nobody")), "kid", "No key has this name, though the only key would fit.", ONE)
    for name, kid in (
        ("upper-case", "ED25519"), ("trailing-space", "ed25519 "), ("leading-space", " ed25519"), ("shorter", "ed2551"), ("longer", "ed255199"),
        ("escaped-percent", "ed%32%355%31%39"), ("wildcard", "*"), ("regex", "ed.*"), ("path", "../../../../dev/null"), ("path-to-key", "/etc/ssl/certs/ca-certificates.crt"),
        ("windows-path", "..\\..\\key"), ("sql", "x' UNION SELECT 'key'; --"), ("sql-or", "' OR '1'='1"), ("shell", "$(id)"), ("pipe", "|cat /etc/passwd"),
        ("url", "https://evil.example/jwks.json"), ("html", "<script>"), ("json", '{"kid":"ed25519"}'), ("template", "{{7*7}}"), ("format", "%s%n"),
    ):  # fmt: skip
        case(f"kid-{name}", "t3", ed(header(kid=kid)), "kid", "A name is compared, not interpreted.")
    for name, kid in (("path", "../../../../dev/null"), ("sql", "x' UNION SELECT 'key'; --"), ("space", "a key with spaces"), ("one-letter", "k"), ("tilde", "~" * 256)):
        case(f"kid-known-{name}", "t3", ed(header(kid=kid)), "accept", "Any printable ASCII text of 1 to 256 bytes is a name like another.", jwks(jwk("ed25519", kid)))
    case("kid-empty", "t3", ed(header(kid="")), "kid", "The empty name is not the absent one.", ONE)
    case("kid-256-bytes", "t3", ed(header(kid="k" * 256)), "accept", "The longest name.", jwks(jwk("ed25519", "k" * 256)))
    case("kid-257-bytes", "t3", ed(header(kid="k" * 257)), None, "One byte too long, though the set has it.", jwks(jwk("ed25519", "k" * 257), jwk("p256")), open="kid-form")
    for name, kid in (("nul", "ed25519\0"), ("nul-alone", "\0"), ("tab", "ed\t25519"), ("newline", "ed25519\r\nx: y"), ("del", "ed25519\x7f"), ("non-ascii", "schl\u00fcssel"), ("emoji", "\U0001f511"), ("homoglyph", "\u0435d25519")):
        case(f"kid-{name}", "t3", ed(header(kid=kid)), None, "Not printable ASCII, though the set has it.", jwks(jwk("ed25519", kid), jwk("p256")), open="kid-form")
    for name, kid in (("number", 1), ("float", 1.5), ("bool", True), ("null", None), ("array", ["ed25519"]), ("object", {"kid": "ed25519"})):
        case(f"kid-is-{name}", "t3", ed(header(kid=kid)), None, f"kid is {name}, and the only key would fit.", ONE, open="kid-form")
    case("kid-number-and-name-of-digits", "t3", ed(header(kid=1)), None, "The number 1 is not the name 1.", jwks(jwk("ed25519", "1")), open="kid-form")

    two = t.key_set("two-ed25519", jwks(jwk("ed25519", "a"), jwk("ed25519-other", "b")))
    case("kid-of-the-other-key", "t3", ed(header(kid="b")), "signature", "Signed by a, named b: the other key is not tried.", two)
    case("kid-of-this-key", "t3", ed(header(kid="a")), "accept", "Signed by a, named a.", two)
    case("kid-of-another-type", "t2 t3", ed(header(kid="rsa-2048")), "alg", "The name of a key of another type.")
    case("kid-on-pem-key", "t3", ed(header(kid="anything")), None, "A PEM key has no name.", public_pem("ed25519"), open="kid-without-names")
    token = signed("HS256", SECRET, {"alg": "HS256", "kid": "anything"}, CLAIMS)
    case("kid-on-secret", "t3", token, None, "A secret has no name.", shared(SECRET), rules={"algorithms": ["HS256"]}, open="kid-without-names")
    case("kid-on-unnamed-jwk", "t3", GOOD, None, "The JWK has no kid.", jwks(jwk("ed25519", ())), open="kid-unnamed-jwk")

    kidless = ed(header(kid=...))
    case("kidless-one-key", "t3", kidless, "accept", "One key fits.", ONE)
    case("kidless-one-fits", "t3", kidless, "accept", "One of four fits.")
    case("kidless-unnamed-jwk", "t3", kidless, "accept", "Neither has a name.", jwks(jwk("ed25519", ())))
    case("kidless-two-fit", "t3", kidless, None, "Two keys fit.", two, open="kid-ambiguous")
    case("kidless-two-fit-allowed", "t3", kidless, "accept", "Two fit, and both are tried.", two, rules={"allow_kidless": True})
    other = ed(header(kid=...), key="ed25519-other")
    case("kidless-second-fits-allowed", "t3", other, "accept", "The second one holds.", two, rules={"allow_kidless": True})
    case("kidless-allowed-wrong-key", "t3", ed(header(kid=...), key="ed25519-other"), "signature", "One fits, and does not hold.", ONE, rules={"allow_kidless": True})
    case("kidless-enc-key-does-not-count", "t2 t3", kidless, "accept", "The other key is for encryption, so one fits.", jwks(jwk("ed25519"), jwk("ed25519-other", use="enc")))
    rs = signed("RS256", "rsa-2048", {"alg": "RS256"}, CLAIMS)
    case("kidless-jwk-alg-decides", "t2 t3", rs, "accept", "Two RSA keys, of which one is for RS256.", jwks(jwk("rsa-2048", "a", alg="RS256"), jwk("rsa-2048-other", "b", alg="PS256")))
    case("kidless-jwk-alg-leaves-two", "t2 t3", rs, None, "Two RSA keys fit.", jwks(jwk("rsa-2048", "a", alg="RS256"), jwk("rsa-2048-other", "b")), open="kid-ambiguous")

    filler = ("p256", "p256-other", "rsa-2048")
    several = jwks(jwk("ed25519-other", "k"), *(jwk(f, "k") for f in filler), jwk("ed25519", "k"))
    case("one-kid-other-types-do-not-count", "t3", ed(header(kid="k")), "accept", "Five keys of one name, two of the right type; the last one holds.", several)
    es = signed("ES256", "p256", {"alg": "ES256", "kid": "k"}, CLAIMS)
    strangers = [stranger(i) for i in range(4)]
    case("one-kid-fourth-holds", "t3", es, "accept", "The fourth key of the name holds.", jwks(*strangers[:3], jwk("p256", "k")))
    case("one-kid-fifth-holds", "t3", es, None, "The fifth key of the name would hold.", jwks(*strangers, jwk("p256", "k")), open="kid-fifth")
    case("one-kid-same-key-often", "t3", es, None, "The same key four times is tried once.", jwks(*(stranger(0) for _ in range(4)), jwk("p256", "k")), open="key-twice")
    named = [jwk("p256-other", f"other-{i}") for i in range(4)]
    nameless = signed("ES256", "p256", {"alg": "ES256"}, CLAIMS)
    case("kidless-fourth-holds", "t3", nameless, "accept", "The fourth of four.", jwks(*named[:3], jwk("p256", "k")), rules={"allow_kidless": True})
    case("kidless-fifth-holds", "t3", nameless, None, "The fifth of five.", jwks(*named, jwk("p256", "k")), rules={"allow_kidless": True}, open="kid-fifth")

    for name, changes in (
        ("use-enc", {"use": "enc"}), ("use-upper", {"use": "SIG"}), ("use-empty", {"use": ""}), ("use-null", {"use": None}), ("use-number", {"use": 1}), ("use-array", {"use": ["sig"]}),
        ("key-ops-sign", {"key_ops": ["sign"]}), ("key-ops-empty", {"key_ops": []}), ("key-ops-upper", {"key_ops": ["VERIFY"]}), ("key-ops-text", {"key_ops": "verify"}),
        ("key-ops-null", {"key_ops": None}), ("key-ops-encrypt", {"key_ops": ["encrypt", "wrapKey"]}), ("use-enc-key-ops-verify", {"use": "enc", "key_ops": ["verify"]}),
        ("use-sig-key-ops-derive", {"use": "sig", "key_ops": ["deriveBits"]}),
    ):  # fmt: skip
        case(f"jwk-{name}", "t2", GOOD, None, "The key is not for verifying, and is skipped.", jwks(jwk("p256"), jwk("ed25519", **changes)), open="kid-skipped")
    for name, changes in (
        ("use-sig", {"use": "sig"}), ("key-ops-verify", {"key_ops": ["verify"]}), ("key-ops-sign-verify", {"key_ops": ["sign", "verify"]}),
        ("use-and-key-ops", {"use": "sig", "key_ops": ["verify"]}), ("unknown-members", {"x5t": "AAAA", "exp": 1, "nbf": "x", "revoked": {"at": 1}, "ext": True}),
        ("x5c-garbage", {"x5c": ["bm90IGEgY2VydGlmaWNhdGU="], "x5u": "https://evil.example/"}),
    ):  # fmt: skip
        case(f"jwk-{name}", "t2", GOOD, "accept", "The key is for verifying; members that T2 does not name are ignored.", jwks(jwk("p256"), jwk("ed25519", **changes)))


def embedded_keys():
    attacker = jwk("ed25519-other")
    sneaky = "https://evil.example/jwks.json"
    text = (KEYS / "test-only-certificate-of-ed25519-other.pem").read_text()
    certificate = ["".join(line for line in text.splitlines() if not line.startswith("-----"))]
    for name, member, value in (
        ("jwk", "jwk", attacker), ("jwk-same-kid", "jwk", jwk("ed25519-other", "ed25519")), ("jku", "jku", sneaky), ("x5u", "x5u", sneaky), ("x5c", "x5c", certificate),
        ("x5t", "x5t", "AAAA"), ("x5t-s256", "x5t#S256", "AAAA"),
    ):  # fmt: skip
        case(f"embedded-{name}-attacker-signs", "t3", ed(header(**{member: value}), key="ed25519-other"), "signature", f"Signed by the key that {member} points at, under a known name.")
        case(f"embedded-{name}-attacker-named", "t3", ed(header(kid="ed25519-other", **{member: value}), key="ed25519-other"), "kid", f"Signed and named by the attacker; {member} adds no key.")
        case(f"embedded-{name}-attacker-kidless", "t3", ed(header(kid=..., **{member: value}), key="ed25519-other"), "signature", f"Without a name the only key is tried, not the one of {member}.", ONE)
        case(f"embedded-{name}-right-key", "t3", ed(header(**{member: value})), "accept", f"{member} is ignored (CVE-2026-32301).")
    token = signed("HS256", SECRET, header(alg="HS256", jwk=oct_jwk(SECRET, "ed25519")), CLAIMS)
    case("embedded-jwk-oct", "t2 t3", token, "alg", "A secret in the header is no key either.", rules={"algorithms": ["HS256", "EdDSA"]})
    for name, member, value in (
        ("jwk-text", "jwk", "text"), ("jwk-null", "jwk", None), ("jku-number", "jku", 7), ("jku-loopback", "jku", "http://127.0.0.1:1/"), ("jku-file", "jku", "file:///etc/passwd"), ("x5c-number", "x5c", 7),
        ("x5u-null", "x5u", None), ("jwk-private", "jwk", {**attacker, "d": "AAAA"}),
    ):  # fmt: skip
        case(f"ignored-{name}", "t3", ed(header(**{member: value})), "accept", f"{member} is ignored, whatever it holds.")


def refused_members():
    for name, changes in (
        ("crit-unknown", {"crit": ["http://example.com/unknown"], "http://example.com/unknown": True}), ("crit-b64", {"crit": ["b64"], "b64": True}), ("crit-exp", {"crit": ["exp"], "exp": NOW + 300}),
        ("crit-alg", {"crit": ["alg"]}), ("crit-missing-member", {"crit": ["gone"]}), ("crit-empty", {"crit": []}), ("crit-null", {"crit": None}), ("crit-text", {"crit": "exp"}), ("crit-number", {"crit": 1}),
        ("crit-false", {"crit": False}), ("crit-object", {"crit": {}}), ("crit-empty-name", {"crit": [""]}), ("crit-duplicate", {"crit": ["x", "x"], "x": 1}), ("crit-itself", {"crit": ["crit"]}),
        ("b64-false", {"b64": False}), ("b64-true", {"b64": True}), ("b64-null", {"b64": None}), ("b64-text", {"b64": "false"}), ("b64-zero", {"b64": 0}),
        ("zip-def", {"zip": "DEF"}), ("zip-gz", {"zip": "GZ"}), ("zip-empty", {"zip": ""}), ("zip-null", {"zip": None}), ("zip-none", {"zip": "none"}),
        ("enc", {"enc": "A256GCM"}), ("enc-null", {"enc": None}), ("enc-empty", {"enc": ""}),
    ):  # fmt: skip
        case(f"header-{name}", "t1", ed(header(**changes)), None, "Present is enough; the signature holds (CVE-2024-28180 for zip).", open="header-member")
    head = raw_header(('"\\u0063rit"', '["exp"]'))
    case("header-crit-escaped-name", "t1", ed(head), None, "The name is compared after its escapes.", open="header-member")
    body = b"plain, not encoded"
    head = part(header(b64=False, crit=["b64"]))
    case("header-b64-false-plain-payload", "t1", f"{head}.{b64(body)}.{b64(signature('EdDSA', 'ed25519', head.encode() + b'.' + body))}", None, "RFC 7797: signed over the payload without its encoding.", open="header-member")
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    squeezed = deflate.compress(compact({**CLAIMS, "pad": "A" * 1_000_000}).encode()) + deflate.flush()
    case("header-zip-bomb", "t1", signed("EdDSA", "ed25519", header(zip="DEF"), squeezed), None, "A megabyte in a small token: it is never unpacked.", open="header-member")
    for name, changes in (
        ("crit-upper", {"CRIT": ["exp"]}), ("alg-upper-beside", {"ALG": "none"}), ("alg-with-space-beside", {"alg ": "none"}), ("nonce", {"nonce": "AAAA"}), ("p2c", {"p2c": 2**31}), ("epk", {"epk": {}}),
        ("cty-jwt", {"cty": "JWT"}), ("claims-in-header", {"exp": 1, "iss": "evil", "aud": "evil"}), ("empty-name", {"": "x"}), ("proto", {"__proto__": {"alg": "none"}}),
        ("replicated-iss", {"iss": ISSUER}),
    ):  # fmt: skip
        case(f"header-{name}", "t1", ed(header(**changes)), "accept", "A member that T1 does not name is ignored; names are compared exactly.")
    case("header-only-upper-alg", "t1 t2", ed({"ALG": "EdDSA", "kid": "ed25519"}), None, "Names are compared exactly, so alg is absent.", open="alg-form")


def types():
    case("typ-absent", "t1", ed(header(typ=...)), "accept", "No typ.")
    for i, typ in enumerate(("JWT", "jwt", "Jwt", "jWt", "at+jwt", "AT+JWT", "At+Jwt")):
        case(f"typ-listed-{i}", "t1", ed(header(typ=typ)), "accept", f"{typ}: the list is compared ignoring case.")
    for i, typ in enumerate(("application/at+jwt", "application/jwt", "application/AT+JWT", "APPLICATION/JWT")):
        case(f"typ-with-prefix-{i}", "t1", ed(header(typ=typ)), None, f"{typ}: RFC 9068 4 and RFC 7515 4.1.9 take it for the same type.", open="typ-prefix")
    for name, typ in (
        ("secevent", "secevent+jwt"), ("logout", "logout+jwt"), ("dpop", "dpop+jwt"), ("kb", "kb+jwt"), ("sd", "dc+sd-jwt"), ("entity-statement", "entity-statement+jwt"), ("jose", "JOSE"), ("jose-json", "JOSE+JSON"), ("jws", "JWS"),
        ("empty", ""), ("leading-space", " JWT"), ("trailing-space", "JWT "), ("nul", "JWT\0"), ("parameter", "JWT; a=b"), ("list", "JWT,at+jwt"), ("at", "at"), ("plus-jwt", "+jwt"), ("x-jwt", "x+jwt"), ("at-jwt-space", "at jwt"),
        ("fullwidth", "\uff2a\uff37\uff34"), ("prefix-twice", "application/application/jwt"), ("text-prefix", "text/jwt"),
        ("number", 1), ("null", None), ("bool", True), ("array", ["JWT"]), ("object", {"JWT": 1}),
    ):  # fmt: skip
        case(f"typ-{name}", "t1", ed(header(typ=typ)), None, "Not in the list.", open="typ")
    listed = {"types": ["at+jwt"]}
    case("typ-list-at-jwt-hit", "t1", ed(header(typ="AT+jwt")), "accept", "A configured list.", rules=listed)
    case("typ-list-at-jwt-miss", "t1", ed(header(typ="JWT")), None, "A configured list replaces the usual one.", rules=listed, open="typ")
    for name, listed_, typ in (("kelvin", "kb+jwt", "\u212ab+jwt"), ("long-s", "secevent+jwt", "\u017fecevent+jwt")):
        case(f"typ-list-{name}", "t1", ed(header(typ=typ)), None, "Ignoring case is about ASCII: this letter is another one, though Unicode folds it.", rules={"types": [listed_]}, open="typ")
    case("typ-list-secevent", "t1", ed(header(typ="secevent+jwt")), "accept", "A type that only a configured list takes.", rules={"types": ["secevent+jwt"]})


def header_json():
    def malformed(name, head, why, **more):
        case(f"header-json-{name}", "t1", ed(head), "malformed", why, **more)

    def fine(name, head, why):
        case(f"header-json-{name}", "t1", ed(head), "accept", why)

    for name, pair in (
        ("alg-same", ('"alg"', '"EdDSA"')), ("alg-none", ('"alg"', '"none"')), ("alg-escaped", ('"al\\u0067"', '"EdDSA"')), ("alg-escaped-none", ('"\\u0061\\u006C\\u0067"', '"none"')),
        ("kid", ('"kid"', '"ed25519"')), ("kid-other", ('"kid"', '"p256"')), ("kid-escaped", ('"k\\u0069d"', '"ed25519"')), ("kid-null", ('"kid"', "null")),
    ):  # fmt: skip
        malformed(f"duplicate-{name}", raw_header(pair), "A duplicate member: two readers may take different ones.")
    malformed("duplicate-first-none", members(('"alg"', '"none"'), ('"alg"', '"EdDSA"'), ('"kid"', '"ed25519"')), "The first of the two is none.")
    malformed("duplicate-typ", raw_header(('"typ"', '"JWT"'), ('"typ"', '"JWT"')), "A duplicate typ.")
    malformed("duplicate-unread", raw_header(('"x"', "1"), ('"x"', "1")), "A duplicate of a member that nobody reads.")
    malformed("duplicate-unread-escaped", raw_header(('"x"', "1"), ('"\\u0078"', "2")), "The same, written differently.")
    malformed("duplicate-jwk", raw_header(('"jwk"', "{}"), ('"jwk"', "{}")), "A duplicate of an ignored member.")
    malformed("duplicate-empty-name", raw_header(('""', "1"), ('""', "2")), "A duplicate of the empty name.")
    case("header-json-duplicate-inside", "t1", ed(raw_header(('"jwk"', '{"kty":"OKP","kty":"RSA"}'))), "malformed", "A duplicate below the top level.", open="duplicate-inside")
    case("header-json-duplicate-inside-array", "t1", ed(raw_header(('"x"', '[{"a":1,"a":2}]'))), "malformed", "A duplicate below the top level.", open="duplicate-inside")
    fine("same-name-at-two-levels", raw_header(('"jwk"', '{"kid":"x","alg":"none"}')), "The same names at two levels are no duplicates.")
    fine("names-differ-in-case", raw_header(('"Alg"', '"none"'), ('"KID"', '"x"')), "Names that differ in case are no duplicates.")

    for name, head in (
        ("array", '["alg","EdDSA"]'), ("array-of-object", "[" + compact(HEADER) + "]"), ("string", '"EdDSA"'), ("number", "1"), ("null", "null"), ("true", "true"), ("empty", ""), ("space", " "), ("brace", "{"), ("open-string", '{"alg":"EdDSA'),
        ("trailing-comma", '{"alg":"EdDSA","kid":"ed25519",}'), ("single-quotes", "{'alg':'EdDSA','kid':'ed25519'}"), ("bare-names", '{alg:"EdDSA",kid:"ed25519"}'), ("comment", '{"alg":"EdDSA","kid":"ed25519"/**/}'),
        ("line-comment", '{"alg":"EdDSA","kid":"ed25519"}//x'), ("two-objects", compact(HEADER) * 2), ("trailing-text", compact(HEADER) + "x"), ("trailing-nul", compact(HEADER) + "\0"), ("leading-nul", "\0" + compact(HEADER)),
        ("no-comma", '{"alg":"EdDSA" "kid":"ed25519"}'), ("no-colon", '{"alg" "EdDSA"}'), ("nan", raw_header(('"x"', "NaN"))), ("infinity", raw_header(('"x"', "Infinity"))), ("hex", raw_header(('"x"', "0x10"))), ("leading-zero", raw_header(('"x"', "01"))),
        ("true-upper", raw_header(('"x"', "True"))), ("undefined", raw_header(('"x"', "undefined"))), ("number-name", '{1:2,"alg":"EdDSA","kid":"ed25519"}'), ("bad-escape", raw_header(('"x"', '"\\x41"'))), ("short-escape", raw_header(('"x"', '"\\u00"'))),
        ("raw-newline-in-text", raw_header(('"x"', '"a\nb"'))), ("raw-nul-in-text", raw_header(('"x"', '"a\0b"'))), ("raw-tab-in-text", raw_header(('"x"', '"a\tb"'))), ("form-feed-between", '{"alg":"EdDSA",\f"kid":"ed25519"}'), ("nbsp-between", '{"alg":"EdDSA",\u00a0"kid":"ed25519"}'),
    ):  # fmt: skip
        malformed(name, head, "Not one JSON object.")
    text = compact(HEADER)
    for name, data in (
        ("bom", b"\xef\xbb\xbf" + text.encode()), ("utf16", text.encode("utf-16")), ("utf16-le", text.encode("utf-16-le")), ("utf32", text.encode("utf-32-be")), ("bad-utf8", raw_header(('"x"', '"?"')).encode().replace(b"?", b"\xff")),
        ("overlong", raw_header(('"x"', '"?"')).encode().replace(b"?", b"\xc0\xaf")), ("utf8-surrogate", raw_header(('"x"', '"?"')).encode().replace(b"?", b"\xed\xa0\x80")), ("cut-utf8", raw_header(('"x"', '"?"')).encode().replace(b"?", b"\xe2\x82")),
        ("utf8-above-10ffff", raw_header(('"x"', '"?"')).encode().replace(b"?", b"\xf4\x90\x80\x80")), ("overlong-quote", b'{"alg\xc0\xa2:"EdDSA"}'),
    ):  # fmt: skip
        malformed(name, data, "JSON is UTF-8 without a byte order mark (RFC 8259 8.1).")
    malformed("lone-surrogate-in-typ", raw_header(('"typ"', '"\\ud800"')), "An escape of half a character, in a member that is read.")
    malformed("lone-surrogate-in-name", raw_header(('"\\udc00"', "1")), "An escape of half a character, in a name.")
    case("header-json-lone-surrogate-unread", "t1", ed(raw_header(('"x"', '"\\ud800"'))), "malformed", "Half a character where nobody reads it.", open="unread-member")
    case("header-json-1e400-unread", "t1", ed(raw_header(('"x"', "1e400"))), "malformed", "A number beyond any float where nobody reads it.", open="unread-member")
    for name, opened, closed in (("arrays", "[", "]"), ("objects", '{"a":', "}")):
        inner = opened * 400 + "1" + closed * 400
        case(f"header-json-400-levels-of-{name}", "t1", ed(raw_header(('"x"', inner))), "malformed", "Deep nesting must end in an answer, not in the stack.", open="depth")
    fine("8-levels", raw_header(('"x"', "[" * 7 + "]" * 7)), "The object and seven arrays.")
    case("header-json-9-levels", "t1", ed(raw_header(('"x"', "[" * 8 + "]" * 8))), "malformed", "The object and eight arrays.", open="depth")
    deep = "[" * 1000 + "]" * 1000
    case("header-json-1000-levels", "t1", ed(raw_header(('"x"', deep))), "malformed", "Deep nesting must end in an answer, not in the stack.", open="depth")
    malformed("1000-levels-unclosed", '{"alg":' + "[" * 1000, "Deep nesting that never closes.")
    malformed("3000-open-braces", "{" * 3000, "Nothing but opening braces.")
    fine("300-members", raw_header(*((f'"m{i}"', "0") for i in range(300))), "Many members within the size.")
    fine("leading-space", " \t\r\n" + text, "White space around JSON is JSON.")
    fine("trailing-space", text + " \t\r\n", "White space around JSON is JSON.")
    fine("pretty", '{\r\n  "alg" : "EdDSA",\r\n  "kid" : "ed25519"\r\n}', "White space within JSON, as in RFC 7515 A.1.")
    fine("escaped-values", '{"alg":"\\u0045dDSA","kid":"ed\\u00325519","typ":"J\\u0057T"}', "Escapes are decoded before values are compared.")
    fine("escaped-names", '{"\\u0061lg":"EdDSA","\\u006bid":"ed25519"}', "Escapes are decoded before names are compared.")
    fine("surrogate-pair-unread", raw_header(('"x"', '"\\ud83d\\udd11"')), "Two halves that make a character.")
    fine("non-ascii-unread", raw_header(('"x"', '"\u00fc\U0001f511"')), "UTF-8 text.")
    case("header-json-empty-object", "t1 t2", ed("{}"), None, "An object without members.", open="alg-form")
    case("header-json-homoglyph-alg", "t1 t2", ed('{"\u0430lg":"EdDSA","kid":"ed25519"}'), None, "A Cyrillic a: alg is absent.", open="alg-form")

    def sized(length):
        return raw_header(('"x"', '"' + "a" * (length - len(raw_header(('"x"', '""')))) + '"'))

    big = {"max_len": 65536}
    fine("4096-bytes", sized(4096), "The longest header.")
    case("header-json-4097-bytes", "t1", ed(sized(4097)), None, "One byte too long.", open="header-size")
    case("header-json-5-kib", "t1", ed(sized(5120)), None, "Too long.", open="header-size")
    case("header-json-40-kib", "t1", ed(sized(40960)), None, "Too long, in a token that is not.", rules=big, open="header-size")
    case("header-json-5-kib-garbage", "t1", ed(b"\xff" * 5120), None, "Too long, and nothing is parsed.", open="header-size")


def form():
    h, p, s = GOOD.split(".")

    def malformed(name, token, why, rule="t1", **more):
        case(f"form-{name}", rule, token, "malformed", why, **more)

    long = {"max_len": 65536}
    case("form-empty-value", "e3", "", "empty", "An empty header value.")
    malformed("no-dot", "abc", "No dot.")
    malformed("one-dot", f"{h}.{p}", "One dot.")
    malformed("three-dots", f"{GOOD}.", "Three dots.")
    malformed("three-dots-in-front", f".{GOOD}", "Three dots.")
    malformed("four-dots", f"{GOOD}..", "Four dots.")
    malformed("dots-alone-2", "..", "Three empty parts.")
    malformed("dots-alone-1", ".", "One dot.")
    malformed("dots-alone-3", "...", "Three dots.")
    malformed("dots-8000", "." * 8000, "8,000 dots within the size (CVE-2025-30204, CVE-2025-27144, CVE-2025-22868).")
    malformed("dots-10000", "." * 10000, "10,000 dots within the size.", rules=long)
    malformed("dots-60000-after-token", GOOD + "." * 60000, "A good token and 60,000 dots.", rules=long)
    case("form-dots-10000-above-limit", "t1 e4", "." * 10000, "too_large", "The size comes first.")
    malformed("header-empty", f".{p}.{s}", "An empty header.")
    malformed("two-tokens-comma", f"{GOOD},{GOOD}", "Two tokens in one value (CVE-2025-64527).")
    malformed("two-tokens-space", f"{GOOD} {GOOD}", "Two tokens in one value.")
    malformed("trailing-comma", f"{GOOD},", "A comma after the token.")
    malformed("bearer", f"Bearer {GOOD}", "A scheme, in a header that has none.")
    malformed("quoted", f'"{GOOD}"', "Quotes are not taken off.")
    malformed("json-serialization", compact({"protected": h, "payload": p, "signature": s}), "RFC 7515 7.2 is another form.")
    malformed("json-serialization-two-dots", compact({"protected": h, "payload": p, "signature": s, "a.b.c": 1}), "The same, with two dots.")
    malformed("plain-header", f"{compact(HEADER)}.{p}.{s}", "A header that is not encoded.")
    malformed("plain-payload", f"{h}.{compact({**CLAIMS, 'iss': 'x'})}.{s}", "A payload that is not encoded.")
    malformed("jwe-five-parts", ".".join([part({"alg": "dir", "enc": "A256GCM"}), "", b64(bytes(12)), b64(b"cipher"), b64(bytes(16))]), "Five parts: an encrypted token.")
    malformed("jwe-five-parts-alg-none", ".".join([part({"alg": "none"}), "", "", "", ""]), "Five parts, four of them empty.")
    malformed("percent-dots", GOOD.replace(".", "%2E"), "Nothing is unescaped.")
    malformed("percent-letter", GOOD.replace("e", "%65", 1), "Nothing is unescaped.")
    for name, at in (("before", 0), ("in-header", 5), ("before-dot", len(h)), ("after-dot", len(h) + 1), ("in-payload", len(h) + 9), ("in-signature", len(GOOD) - 9), ("after", len(GOOD))):
        for label, text in (("space", " "), ("tab", "\t"), ("newline", "\n"), ("crlf", "\r\n"), ("nul", "\0")):
            malformed(f"{label}-{name}", GOOD[:at] + text + GOOD[at:], "Nothing is trimmed or left out (E3).", rule="t1 e3")
    for name, text in (("bom", "\ufeff"), ("zero-width-space", "\u200b"), ("nbsp", "\u00a0"), ("soft-hyphen", "\u00ad")):
        malformed(f"{name}-before", (text + GOOD).encode(), "Not in the alphabet.")
        malformed(f"{name}-after", (GOOD + text).encode(), "Not in the alphabet.")
    malformed("fullwidth-dots", GOOD.replace(".", "\uff0e").encode(), "Look-alikes are no dots.")
    malformed("fullwidth-letter", GOOD.replace("e", "\uff45", 1).encode(), "Look-alikes are no letters.")
    malformed("byte-ff", GOOD.encode()[:9] + b"\xff" + GOOD.encode()[9:], "A byte that is no text.")
    malformed("byte-80-at-end", GOOD.encode() + b"\x80", "A byte that is no text.")

    # Each part in a way that base64url does not allow, signed as it stands.
    def with_part(i, change):
        texts = [h, p]
        if i < 2:
            texts[i] = change(texts[i])
            return signed_parts("EdDSA", "ed25519", *texts)
        return f"{h}.{p}.{change(s)}"

    spare = {0: header(x="a"), 1: {**CLAIMS, "x": "a"}}
    for i, name in enumerate(("header", "payload", "signature")):
        for pad in ("=", "==", "===", "=" * 8):
            malformed(f"padding-{len(pad)}-{name}", with_part(i, lambda text: text + pad), f"Padding after the {name}.")
        malformed(f"percent-padding-{name}", with_part(i, lambda text: text + "%3D"), f"Escaped padding after the {name}.")
        malformed(f"letter-more-{name}", with_part(i, lambda text: text + "A" * (1 - len(text) % 4 + (4 if len(text) % 4 > 1 else 0))), f"A length of 1 mod 4 cannot be base64 ({name}).")
        for mark in "+/~*!$:@":
            malformed(f"mark-{ord(mark):02x}-{name}", with_part(i, lambda text: text[:-3] + mark + text[-2:]), f"{mark} is not in the alphabet ({name}).")
    for i, name in ((0, "header"), (1, "payload")):
        for rest in (2, 3):
            base = spare[i]
            text = part(base)
            while len(text) % 4 != rest:
                base = {**base, "x": base["x"] + "a"}
                text = part(base)
            parts = [h, p]
            parts[i] = text
            case(f"form-canonical-{rest}-{name}", "t1", signed_parts("EdDSA", "ed25519", *parts), "accept", "The control: the last letter's spare bits are zero.")
            parts[i] = text[:-1] + alphabet(text[-1], 1)
            malformed(f"spare-bits-{rest}-{name}", signed_parts("EdDSA", "ed25519", *parts), f"The last letter's spare bits are not zero ({name}): a second spelling of the same bytes.")
    for bits in (1, 8, 15):
        malformed(f"spare-bits-signature-{bits}", f"{h}.{p}.{s[:-1]}{alphabet(s[-1], bits)}", "The last letter's spare bits are not zero (signature): a second spelling of the same bytes.")
    standard = next(
        token for token in (ed(header(kid="ed25519"), {**CLAIMS, "jti": f"{i}>?~~>?~~"}) for i in range(2000)) if all(any(c in part_ for c in "-_") for part_ in token.split(".")[1:])
    )
    sh, sp, ss = standard.split(".")
    case("form-url-alphabet", "t1", standard, "accept", "The control: - and _ in payload and signature.")
    plus = str.maketrans("-_", "+/")
    malformed("standard-alphabet-payload", signed_parts("EdDSA", "ed25519", sh, sp.translate(plus)), "The standard alphabet.")
    malformed("standard-alphabet-signature", f"{sh}.{sp}.{ss.translate(plus)}", "The standard alphabet.")
    malformed("payload-not-base64-and-bad-signature", f"{h}.!!!.{s}", "The form comes before the signature.")
    malformed("alg-none-and-payload-not-base64", f"{part({'alg': 'none'})}.!!!.", "The form comes before the header.")
    malformed("signature-not-base64-and-unknown-kid", f"{part(header(kid='nobody'))}.{p}.!!!", "The form comes before the key.")
    case("form-payload-empty", "t1 t4", ed(HEADER, b""), None, "Signed, and nothing in it.", open="payload-not-json")
    case("form-signature-empty", "t1", f"{h}.{p}.", "signature", "No signature under a good algorithm.")
    case("form-signature-of-one-byte", "t1", f"{h}.{p}.AA", "signature", "A short signature.")
    case("form-parts-swapped", "t1", f"{p}.{h}.{s}", None, "Claims as the header: they have no alg.", open="alg-form")
    case("form-signature-of-another-token", "t1", f"{h}.{part({**CLAIMS, 'sub': 'admin'})}.{s}", "signature", "The signature of another token.")

    nested = ed(header(cty="JWT"), GOOD)
    case("form-nested-jwt", "t1 t4", nested, None, "A token as the payload.", open="payload-not-json")
    case("form-nested-jwt-as-text", "t1 t4", ed(header(cty="JWT"), compact(GOOD)), None, "A token as a JSON string as the payload.", open="payload-not-json")

    def total(length):
        """A good token of exactly this length."""
        for kid_pad in range(4):
            base = header(x="a" * kid_pad)
            empty = len(ed(base, {**CLAIMS, "pad": ""}))
            for extra in range(max(0, (length - empty) * 3 // 4 - 4), (length - empty) * 3 // 4 + 5):
                token = ed(base, {**CLAIMS, "pad": "a" * extra})
                if len(token) == length:
                    return token
        raise AssertionError(length)

    case("form-8192-bytes", "t1 e4", total(8192), "accept", "The longest token.")
    case("form-8193-bytes", "t1 e4", total(8193), "too_large", "One byte too long.")
    case("form-8193-letters", "t1 e4", "a" * 8193, "too_large", "The size comes before the form.")
    malformed("8192-letters", "a" * 8192, "Within the size, and no dot.")
    case("form-65536-bytes", "t1 e4", total(65536), "accept", "The longest token of the largest limit.", rules=long)
    case("form-65537-bytes", "t1 e4", total(65537), "too_large", "One byte above the largest limit.", rules=long)
    case("form-limit-lowered", "t1 e4", GOOD, "too_large", "A good token above a lower limit.", rules={"max_len": 64})


def alphabet(letter, bits):
    """The letter of base64url that differs from this one in these bits."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return letters[letters.index(letter) ^ bits]


def order():
    """Faults of two kinds: the earlier step of T1 gives the reason."""
    bad = lambda head, payload=CLAIMS: f"{part(head)}.{part(payload)}.{b64(bytes(64))}"  # noqa: E731
    stale = {**CLAIMS, "exp": 1}
    case("order-signature-before-exp", "t1", bad(HEADER, stale), "signature", "Nothing of the payload is used before the signature holds.")
    case("order-signature-before-aud", "t1", bad(HEADER, {**CLAIMS, "aud": "other"}), "signature", "Nothing of the payload is used before the signature holds.")
    case("order-signature-before-iss", "t1", bad(HEADER, {**CLAIMS, "iss": "other"}), "signature", "With one issuer, not even iss is used before the signature holds.")
    case("order-signature-before-json", "t1", bad(HEADER, "not json"), "signature", "Nothing of the payload is used before the signature holds.")
    case("order-signature-before-duplicate", "t1", bad(HEADER, '{"exp":1,"exp":1}'), "signature", "Nothing of the payload is used before the signature holds.")
    case("order-signature-before-depth", "t1", bad(HEADER, "[" * 3000), "signature", "Nothing of the payload is used before the signature holds.")
    case("order-kid-before-signature", "t1", bad(header(kid="nobody")), "kid", "No key, nothing to verify.")
    case("order-kid-before-exp", "t1", ed(header(kid="nobody"), stale), "kid", "No key, nothing to verify.")
    case("order-alg-before-exp", "t1", ed(header(alg="ES256", kid="rsa-2048"), stale), "alg", "The algorithm comes before the claims.")
    case("order-typ-before-kid", "t1", ed(header(typ="x", kid="nobody")), None, "typ comes before the key.", open="typ")
    case("order-crit-before-kid", "t1", ed(header(crit=[], kid="nobody")), None, "crit comes before the key.", open="header-member")
    case("order-crit-before-signature", "t1", bad(header(crit=["x"])), None, "crit comes before the signature.", open="header-member")
    case("order-none-before-kid", "t1", f"{part({'alg': 'NONE', 'kid': 'nobody'})}.{BODY}.", "alg", "none comes before the key.")
    case("order-size-before-form", "t1", "." * 9000, "too_large", "The size comes first.")


def build():
    for group in (baseline, alg_none, alg_form, hmac_with_public_key, family_mix, key_choice, embedded_keys, refused_members, types, header_json, form, order):
        group()
    t.write()


if __name__ == "__main__":
    build()
