"""`claims.json`: payloads under a signature that holds: their JSON, the types of the claims, times, and who the token is from and for."""

from encode import as_bytes, compact, members
from material import jwk, jwks
from sign import signed
from table import AUDIENCE, ISSUER, NOW, Table

HEADER = {"alg": "EdDSA", "typ": "JWT", "kid": "ed25519"}
CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "caller", "exp": NOW + 300, "iat": NOW - 10}

t = Table("claims.json", "Payloads under a signature that holds: their JSON, the types of the claims, times, and who the token is from and for.")
KEYS = t.key_set("ed25519", jwks(jwk("ed25519")))


def case(name, rule, payload, expect, why, **more):
    """A case whose payload is a JSON value, a text, or bytes."""
    t.add(name, rule.split(), signed("EdDSA", "ed25519", HEADER, payload), expect, why, KEYS, **more)


def claims(**changes):
    """The usual claims with members changed, added, or, with `...`, left out."""
    return {k: v for k, v in {**CLAIMS, **changes}.items() if v is not ...}


def raw(**changes):
    """The same as text, where a change is JSON text already."""
    texts = {k: compact(v) for k, v in CLAIMS.items()}
    texts.update(changes)
    return members(*((f'"{k}"', v) for k, v in texts.items() if v is not ...))


def pairs(*more):
    """The usual claims as text, followed by further members as text."""
    return members(*((f'"{k}"', compact(v)) for k, v in CLAIMS.items()), *more)


def required():
    case("good-claims", "t4", CLAIMS, "accept", "The claims that all others are made from.")
    case("only-required", "t4", claims(sub=..., iat=...), "accept", "exp, aud and iss are enough.")
    for name in ("exp", "aud", "iss"):
        case(f"without-{name}", "t4", claims(**{name: ...}), None, f"{name} is required.", open="claim-absent")
    case("without-all", "t4", "{}", None, "An object without members.", open="claim-absent")
    case("without-sub", "t4", claims(sub=...), "accept", "sub is not required.")
    case("without-iat", "t4", claims(iat=...), "accept", "iat is not required.")
    for name, text in (("exp", "\u0435\u0445\u0440"), ("aud", "\u0430ud"), ("iss", "\u0456ss")):
        case(f"homoglyph-{name}", "t4", {text if k == name else k: v for k, v in CLAIMS.items()}, None, f"The name is in Cyrillic letters, so {name} is absent.", open="claim-absent")
    for name in ("exp", "aud", "iss"):
        case(f"upper-{name}", "t4", {k.upper() if k == name else k: v for k, v in CLAIMS.items()}, None, "Names are compared exactly.", open="claim-absent")
        case(f"space-after-{name}", "t4", {k + " " if k == name else k: v for k, v in CLAIMS.items()}, None, "Names are compared exactly.", open="claim-absent")
    case("upper-exp-beside", "t4", claims(EXP=1, Exp=1), "accept", "A name that differs in case is another claim.")
    case("escaped-names", "t4", pairs().replace('"exp"', '"\\u0065xp"').replace('"aud"', '"a\\u0075d"').replace('"iss"', '"is\\u0073"'), "accept", "Escapes are decoded before names are compared.")
    case("claims-inside", "t4", {"claims": CLAIMS}, None, "Claims below the top level do not count.", open="claim-absent")


NO_NUMBERS = {
    "text-of-number": f'"{NOW + 300}"', "text": '"soon"', "empty-text": '""', "date": '"2026-01-01T00:05:00Z"', "true": "true", "false": "false", "null": "null", "array": "[]",
    "array-of-number": f"[{NOW + 300}]", "object": "{}", "object-of-number": f'{{"$numberLong":{NOW + 300}}}', "minus-one": "-1", "minus-large": "-1e300", "minus-fraction": "-0.5", "minus-now": f"-{NOW}",
    "2-53-and-1": "9007199254740993", "2-53-and-2": "9007199254740994", "2-63": "9223372036854775808", "2-64": "18446744073709551616", "20-digits": "9" * 20, "400-digits": "9" * 400, "1e16": "1e16", "1e19": "1e19", "1e300": "1e300",
    "1e400": "1e400", "minus-1e400": "-1e400", "huge-exponent": "1e99999999999999999999", "large-fraction": "9007199254740994.5", "milliseconds-of-year-300000": "9467000000000000",
}  # fmt: skip
NOT_JSON = {
    "nan": "NaN", "infinity": "Infinity", "minus-infinity": "-Infinity", "hex": "0x6955B900", "octal": "0777", "plus": f"+{NOW}", "leading-zero": f"0{NOW}", "underscore": "1_767_225_900", "no-fraction": f"{NOW}.", "no-integer": ".5",
    "no-exponent": "1e", "comma": "1,767,225,900", "fullwidth": "\uff11\uff12\uff13", "suffix": f"{NOW}n", "nothing": "", "two-numbers": f"{NOW} {NOW}", "two-points": "1.2.3", "minus-alone": "-",
}  # fmt: skip


def numbers():
    for name in ("exp", "nbf", "iat"):
        for label, text in NO_NUMBERS.items():
            case(f"{name}-{label}", "t4", raw(**{name: text}), "claims", f"{name} is {label.replace('-', ' ')}: a wrong type, negative, or above 2^53 (CVE-2026-25537).")
        for label, text in NOT_JSON.items():
            case(f"{name}-not-json-{label}", "t4", raw(**{name: text}), "claims", "Not a JSON number, so the payload is not JSON.")
        for label, text in (("integer", "-0"), ("fraction", "-0.0"), ("exponent", "-0e5")):
            case(f"{name}-minus-zero-{label}", "t4", raw(**{name: text}), None, f"{text} as {name}.", open="minus-zero")
    case("exp-2-53", "t4", raw(exp="9007199254740992"), "accept", "The largest number.")
    case("exp-2-53-as-fraction", "t4", raw(exp="9007199254740992.0"), "accept", "The largest number, written as a fraction.")
    case("nbf-2-53", "t4", raw(nbf="9007199254740992"), "not_yet", "The largest number.")
    case("iat-2-53", "t4", raw(iat="9007199254740992"), None, "The largest number.", open="iat-ahead")
    case("exp-milliseconds", "t4", claims(exp=(NOW + 300) * 1000), "accept", "Milliseconds by mistake: a time in far future is a number like another; max_lifetime is the rule against it.")
    case("nbf-milliseconds", "t4", claims(nbf=NOW * 1000), "not_yet", "Milliseconds by mistake.")
    for label, text in (("zero", "0"), ("zero-fraction", "0.0"), ("zero-exponent", "0e10"), ("tiny", "1e-400"), ("small", "1e-300"), ("one", "1"), ("exponent", "1.5e9"), ("exponent-upper", "15E8"), ("exponent-plus", "1.5e+9")):
        case(f"exp-{label}", "t4", raw(exp=text), "expired", f"{text} is a time long ago.")
        case(f"nbf-{label}", "t4", raw(nbf=text), "accept", f"{text} is a time long ago.")
        case(f"iat-{label}", "t4", raw(iat=text), "accept", f"{text} is a time long ago.")
    case("exp-with-exponent", "t4", raw(exp="1.7672259e9"), "accept", "Five minutes ahead, written with an exponent.")
    case("exp-with-minus-exponent", "t4", raw(exp="17672259000e-1"), "accept", "Five minutes ahead, written with a negative exponent.")


def edges():
    for leeway in (0, 60, 300):
        rules = {"leeway_s": leeway}
        at = f"leeway-{leeway}"
        case(f"exp-{at}-last-second", "t4", claims(exp=NOW - leeway + 1), "accept", "exp > now - leeway.", rules=rules)
        case(f"exp-{at}-over", "t4", claims(exp=NOW - leeway), "expired", "Equal is not above.", rules=rules)
        case(f"exp-{at}-long-over", "t4", claims(exp=NOW - leeway - 1), "expired", "A second later.", rules=rules)
        for name in ("nbf", "iat"):
            more = {"open": "iat-ahead"} if name == "iat" else {}
            case(f"{name}-{at}-first-second", "t4", claims(**{name: NOW + leeway}), "accept", f"{name} <= now + leeway.", rules=rules)
            case(f"{name}-{at}-before", "t4", claims(**{name: NOW + leeway + 1}), "not_yet", "A second too early.", rules=rules, **more)
        edge = NOW - leeway
        case(f"exp-{at}-fraction-down", "t4", raw(exp=f"{edge}.9"), "expired", "exp rounds down.", rules=rules)
        case(f"exp-{at}-fraction-down-long", "t4", raw(exp=f"{edge}.999999"), "expired", "exp rounds down.", rules=rules)
        case(f"exp-{at}-fraction-above", "t4", raw(exp=f"{edge + 1}.1"), "accept", "exp rounds down to the last second.", rules=rules)
        case(f"exp-{at}-whole-fraction", "t4", raw(exp=f"{edge + 1}.0"), "accept", "A whole number, written as a fraction.", rules=rules)
        edge = NOW + leeway
        for name in ("nbf", "iat"):
            more = {"open": "iat-ahead"} if name == "iat" else {}
            case(f"{name}-{at}-fraction-up", "t4", raw(**{name: f"{edge}.1"}), "not_yet", f"{name} rounds up.", rules=rules, **more)
            case(f"{name}-{at}-fraction-up-short", "t4", raw(**{name: f"{edge}.000001"}), "not_yet", f"{name} rounds up.", rules=rules, **more)
            case(f"{name}-{at}-fraction-below", "t4", raw(**{name: f"{edge - 1}.9"}), "accept", f"{name} rounds up to the first second.", rules=rules)
            case(f"{name}-{at}-whole-fraction", "t4", raw(**{name: f"{edge}.0"}), "accept", "A whole number, written as a fraction.", rules=rules)
    case("exp-at-epoch", "t4", claims(exp=1, iat=...), "accept", "A clock at the start of its time.", now=0)
    case("nbf-after-exp", "t4", claims(nbf=NOW + 60, exp=NOW - 59), "accept", "Each claim is judged by itself, within the leeway.")
    case("exp-before-iat", "t4", claims(iat=NOW + 30, exp=NOW - 30), "accept", "Each claim is judged by itself, within the leeway.")
    case("far-clock", "t4", claims(exp=2**53), "accept", "A clock and a time in the far future.", now=2**52)


def texts():
    values = {"number": "1", "zero": "0", "fraction": "1.5", "true": "true", "false": "false", "null": "null", "array": '["x"]', "empty-array": "[]", "object": "{}", "object-of-text": '{"value":"x"}'}
    for name in ("iss", "sub", "jti", "scope"):
        for label, text in values.items():
            expect, more = (None, {"open": "text-claims"}) if name == "scope" else ("claims", {})
            case(f"{name}-is-{label}", "t4", raw(**{name: text}), expect, f"{name} is {label.replace('-', ' ')}.", **more)
    case("iss-array-of-the-issuer", "t4", claims(iss=[ISSUER]), "claims", "One string, no array.")
    case("iss-array-of-two", "t4", claims(iss=["https://evil.example", ISSUER]), "claims", "One string, no array.")
    case("sub-empty", "t4", claims(sub=""), "accept", "Any text, as no rule asks for more.")
    case("jti-text", "t4", claims(jti="a"), "accept", "A text.")
    case("scope-text", "t4", claims(scope="a b"), "accept", "A text.")
    for name, value in (
        ("slash", ISSUER + "/"), ("no-scheme", "issuer.example"), ("http", "http://issuer.example"), ("upper-host", "https://ISSUER.example"), ("upper-scheme", "HTTPS://issuer.example"), ("port", "https://issuer.example:443"),
        ("user", "https://issuer.example@evil.example"), ("user-before", "https://x@issuer.example"), ("suffix", "https://issuer.example.evil.example"), ("prefix", "https://evil-issuer.example"), ("path", "https://issuer.example/tenant"),
        ("query", "https://issuer.example?x=1"), ("fragment", "https://issuer.example#x"), ("space-after", ISSUER + " "), ("space-before", " " + ISSUER), ("newline-after", ISSUER + "\n"), ("nul-after", ISSUER + "\0"), ("empty", ""),
        ("dot-after", "https://issuer.example."), ("percent", "https://issuer%2Eexample"), ("homoglyph", "https://\u0456ssuer.example"), ("fullwidth-dot", "https://issuer\uff0eexample"), ("shorter", ISSUER[:-1]), ("list-in-text", f"{ISSUER},https://evil.example"),
        ("wildcard", "*"), ("audience", AUDIENCE), ("dots", "https://issuer.example/../"), ("backslash", "https:\\\\issuer.example"), ("very-long", ISSUER + "x" * 3000),
    ):  # fmt: skip
        case(f"iss-{name}", "t4", claims(iss=value), "iss", "Compared exactly: no slash, letter case, port or escape is folded.")
    case("iss-escaped", "t4", raw(iss='"https:\\/\\/issuer.ex\\u0061mple"'), "accept", "Escapes are decoded before values are compared.")
    slash = {"issuer": ISSUER + "/"}
    case("iss-rule-has-slash", "t4", CLAIMS, "iss", "The reverse: the rule has a slash, the token has none.", rules=slash)
    case("iss-both-have-slash", "t4", claims(iss=ISSUER + "/"), "accept", "The same text on both sides.", rules=slash)


def audience():
    for name, value in (
        ("other", "other"), ("empty", ""), ("upper", AUDIENCE.upper()), ("slash", AUDIENCE + "/"), ("space-after", AUDIENCE + " "), ("space-before", " " + AUDIENCE), ("longer", AUDIENCE + "2"), ("shorter", AUDIENCE[:-1]), ("wildcard", "*"), ("regex", "dapr-.*"),
        ("list-in-text", f"{AUDIENCE},other"), ("list-with-spaces", f"other {AUDIENCE}"), ("json-in-text", f'["{AUDIENCE}"]'), ("nul-after", AUDIENCE + "\0"), ("homoglyph", "d\u0430pr-app"), ("hyphen", "dapr\u2010app"), ("issuer", ISSUER),
    ):  # fmt: skip
        case(f"aud-{name}", "t4", claims(aud=value), "aud", "Compared exactly.")
        case(f"aud-array-of-{name}", "t4", claims(aud=[value]), "aud", "Compared exactly, in an array too.")
    for name, value in (
        ("alone", [AUDIENCE]), ("first", [AUDIENCE, "other"]), ("last", ["other", "another", AUDIENCE]), ("twice", [AUDIENCE, AUDIENCE]), ("among-empty", ["", AUDIENCE, ""]), ("among-200", [f"a{i}" for i in range(200)] + [AUDIENCE]),
    ):  # fmt: skip
        case(f"aud-array-{name}", "t4", claims(aud=value), "accept", "One of them is ours.")
    case("aud-array-empty", "t4", claims(aud=[]), "aud", "None of them is ours.")
    case("aud-array-of-200-others", "t4", claims(aud=[f"a{i}" for i in range(200)]), "aud", "None of them is ours.")
    for name, text in (
        ("number", "1"), ("true", "true"), ("null", "null"), ("object", "{}"), ("object-with-our-name", f'{{"{AUDIENCE}":true}}'), ("array-with-number", f'["{AUDIENCE}",1]'), ("array-number-first", f'[1,"{AUDIENCE}"]'), ("array-with-null", f'["{AUDIENCE}",null]'),
        ("array-with-true", f'["{AUDIENCE}",true]'), ("array-in-array", f'[["{AUDIENCE}"]]'), ("array-with-array", f'["{AUDIENCE}",["x"]]'), ("array-with-object", f'["{AUDIENCE}",{{}}]'), ("array-of-null", "[null]"), ("array-of-numbers", "[1,2]"),
    ):  # fmt: skip
        case(f"aud-is-{name}", "t4", raw(aud=text), "claims", "A string, or an array of strings alone.")
    two = {"audience": ["dapr-app", "dapr-other"]}
    for name, value, expect in (("first", "dapr-app", "accept"), ("second", "dapr-other", "accept"), ("array", ["x", "dapr-other"], "accept"), ("neither", "dapr", "aud"), ("both-in-one", "dapr-app dapr-other", "aud")):
        case(f"aud-two-configured-{name}", "t4", claims(aud=value), expect, "One of the token's equals one of ours.", rules=two)


def subject():
    exact = {"sub": {"exact": "caller"}}
    case("sub-exact", "t4", CLAIMS, "accept", "The same text.", rules=exact)
    case("sub-exact-absent", "t4", claims(sub=...), None, "A rule asks for sub.", rules=exact, open="claim-absent")
    case("sub-exact-null", "t4", claims(sub=None), "claims", "A rule asks for sub.", rules=exact)
    for name, value in (("upper", "Caller"), ("longer", "caller2"), ("shorter", "calle"), ("empty", ""), ("space", "caller "), ("nul", "caller\0"), ("wildcard", "*")):
        case(f"sub-exact-{name}", "t4", claims(sub=value), "sub", "Compared exactly.", rules=exact)
    spiffe = {"sub": {"spiffe": "spiffe://example.org/ns/default"}}
    for name, value in (("same", ""), ("one-segment", "/caller"), ("two-segments", "/sa/caller"), ("dots-in-name", "/a.b..c"), ("three-dots", "/..."), ("signs", "/A-z_0.9")):
        case(f"spiffe-{name}", "t4", claims(sub="spiffe://example.org/ns/default" + value), "accept", "Below the configured path, by whole segments.", rules=spiffe)
    for name, value in (
        ("segment-extended", "spiffe://example.org/ns/default2/caller"), ("segment-extended-dash", "spiffe://example.org/ns/default-admin"), ("segment-cut", "spiffe://example.org/ns/defaul"), ("other-segment", "spiffe://example.org/ns/other/caller"),
        ("above", "spiffe://example.org/ns"), ("domain-alone", "spiffe://example.org"), ("other-domain", "spiffe://example.net/ns/default/caller"), ("domain-extended", "spiffe://example.org.evil.example/ns/default/caller"),
        ("domain-prefixed", "spiffe://evil-example.org/ns/default/caller"), ("domain-upper", "spiffe://EXAMPLE.org/ns/default/caller"), ("scheme-upper", "SPIFFE://example.org/ns/default/caller"), ("other-scheme", "https://example.org/ns/default/caller"),
        ("no-scheme", "example.org/ns/default/caller"), ("path-upper", "spiffe://example.org/NS/default/caller"), ("trailing-slash", "spiffe://example.org/ns/default/"), ("trailing-slash-deeper", "spiffe://example.org/ns/default/caller/"),
        ("double-slash", "spiffe://example.org/ns//default/caller"), ("double-slash-deeper", "spiffe://example.org/ns/default//caller"), ("double-slash-front", "spiffe://example.org//ns/default/caller"), ("dot", "spiffe://example.org/ns/./default/caller"),
        ("dot-dot", "spiffe://example.org/ns/x/../default/caller"), ("dot-dot-deeper", "spiffe://example.org/ns/default/../other"), ("dot-deeper", "spiffe://example.org/ns/default/./caller"), ("dot-at-end", "spiffe://example.org/ns/default/.."),
        ("percent", "spiffe://example.org/ns/default%2Fcaller"), ("percent-deeper", "spiffe://example.org/ns/default/%2e%2e/other"), ("percent-in-segment", "spiffe://example.org/ns/def%61ult/caller"), ("query", "spiffe://example.org/ns/default?x=1"),
        ("query-deeper", "spiffe://example.org/ns/default/caller?x=1"), ("fragment", "spiffe://example.org/ns/default#x"), ("port", "spiffe://example.org:443/ns/default/caller"), ("user", "spiffe://x@example.org/ns/default/caller"),
        ("user-is-domain", "spiffe://example.org@evil.example/ns/default/caller"), ("backslash", "spiffe://example.org\\ns\\default"), ("space-after", "spiffe://example.org/ns/default "), ("space-in-segment", "spiffe://example.org/ns/default/a b"),
        ("newline", "spiffe://example.org/ns/default/\n"), ("nul", "spiffe://example.org/ns/default\0/caller"), ("non-ascii", "spiffe://example.org/ns/default/\u00fc"), ("fullwidth-slash", "spiffe://example.org/ns/default\uff0fcaller"),
        ("semicolon", "spiffe://example.org/ns/default;x/caller"), ("prefix-before", "xspiffe://example.org/ns/default"), ("nested", "spiffe://evil.example/spiffe://example.org/ns/default"), ("one-slash", "spiffe:/example.org/ns/default"), ("empty", ""),
        ("three-slashes", "spiffe:///example.org/ns/default"), ("too-long", "spiffe://example.org/ns/default/" + "a" * 2048),
    ):  # fmt: skip
        below = value.startswith("spiffe://example.org/ns/default/")
        more = {"open": "spiffe-form"} if below else {}
        case(f"spiffe-{name}", "t4", claims(sub=value), "sub", "Not a SPIFFE id below the configured path.", rules=spiffe, **more)
    case("spiffe-absent", "t4", claims(sub=...), None, "A rule asks for sub.", rules=spiffe, open="claim-absent")
    case("spiffe-array", "t4", claims(sub=["spiffe://example.org/ns/default"]), "claims", "One string.", rules=spiffe)


def limits():
    hour = {"max_lifetime_s": 3600}
    for name, iat, exp, expect in (
        ("below", -10, 3589, "accept"), ("equal", -10, 3590, "accept"), ("above", -10, 3591, "claims"), ("far-above", -10, 10**9, "claims"), ("old-iat", -7200, 60, "claims"), ("iat-ahead-within-leeway", 30, 3630, "accept"), ("exp-before-iat", 30, -30, "accept"),
    ):  # fmt: skip
        case(f"lifetime-{name}", "t4", claims(iat=NOW + iat, exp=NOW + exp), expect, "exp - iat against one hour.", rules=hour, **({"open": "lifetime"} if expect == "claims" else {}))
    case("lifetime-without-iat", "t4", claims(iat=...), None, "Without iat the life cannot be told.", rules=hour, open="lifetime")
    case("lifetime-iat-zero", "t4", claims(iat=0), None, "A life since 1970.", rules=hour, open="lifetime")
    case("lifetime-2-53", "t4", claims(exp=2**53), None, "A life of all time.", rules=hour, open="lifetime")

    asks = {"scopes": ["read", "write"]}
    for name, scope in (("both", "read write"), ("reverse", "write read"), ("among", "a read b write c"), ("twice", "read write read")):
        case(f"scope-{name}", "t4", claims(scope=scope), "accept", "Both are there.", rules=asks)
    for name, scope in (
        ("one", "read"), ("none", "other"), ("empty", ""), ("upper", "Read Write"), ("longer", "reader writer"), ("prefix", "read:all write:all"), ("comma", "read,write"), ("tab", "read\twrite"), ("newline", "read\nwrite"), ("joined", "readwrite"), ("plus", "read+write"), ("nbsp", "read\u00a0write"), ("wildcard", "*"),
    ):  # fmt: skip
        case(f"scope-missing-{name}", "t4", claims(scope=scope), None, "Not both are there.", rules=asks, open="scope")
    case("scope-absent", "t4", CLAIMS, None, "A rule asks for scopes.", rules=asks, open="claim-absent")
    case("scope-array", "t4", claims(scope=["read", "write"]), None, "An array.", rules=asks, open="scope")
    case("scope-array-of-one-text", "t4", claims(scope=["read write"]), None, "An array.", rules=asks, open="scope")
    case("scope-object", "t4", claims(scope={"read": True, "write": True}), "claims", "An object.", rules=asks)
    case("scope-null", "t4", claims(scope=None), "claims", "null.", rules=asks)
    case("scope-under-another-name", "t4", claims(scp="read write", scopes=["read", "write"]), None, "Other names do not count.", rules=asks, open="claim-absent")


def json_text():
    def refused(name, payload, why, **more):
        case(f"json-{name}", "t4", payload, "claims", why, **more)

    for name in ("exp", "aud", "iss", "sub", "iat"):
        refused(f"duplicate-{name}", pairs((f'"{name}"', compact(CLAIMS[name]))), "A duplicate, though both are good.")
        refused(f"duplicate-{name}-escaped", pairs((f'"\\u{ord(name[0]):04x}{name[1:]}"', compact(CLAIMS[name]))), "A duplicate, written differently.")
    refused("duplicate-exp-first-over", members(('"exp"', "1"), *((f'"{k}"', compact(v)) for k, v in CLAIMS.items())), "The first one is over.")
    refused("duplicate-exp-last-over", pairs(('"exp"', "1")), "The last one is over.")
    refused("duplicate-aud-other", pairs(('"aud"', '"other"')), "The last one is for somebody else.")
    refused("duplicate-nbf", pairs(('"nbf"', "1"), ('"nbf"', "1")), "A duplicate of a claim that is not required.")
    refused("duplicate-unread", pairs(('"x"', "1"), ('"x"', "1")), "A duplicate of a claim that nobody reads.")
    refused("duplicate-empty-name", pairs(('""', "1"), ('""', "1")), "A duplicate of the empty name.")
    refused("duplicate-scope", pairs(('"scope"', '"read"'), ('"scope"', '"admin"')), "A duplicate of scope.", rules={"scopes": ["read"]})
    refused("duplicate-inside", pairs(('"realm_access"', '{"roles":["a"],"roles":["admin"]}')), "A duplicate below the top level.", open="duplicate-inside")
    refused("duplicate-inside-array", pairs(('"x"', '[{"a":1,"\\u0061":2}]')), "A duplicate below the top level, written differently.", open="duplicate-inside")
    case("json-same-name-at-two-levels", "t4", claims(act={"sub": "x", "exp": 1, "aud": 7}), "accept", "The same names at two levels are no duplicates, and the inner ones are not read.")

    text = compact(CLAIMS)
    for name, payload in (
        ("array", f"[{text}]"), ("string", compact(text)), ("number", "1"), ("null", "null"), ("true", "true"), ("empty", ""), ("space", " "), ("brace", "{"), ("cut", text[:-1]), ("cut-in-text", text[:20]),
    ):  # fmt: skip
        refused(f"not-object-{name}", payload, "Not one JSON object.", open="payload-not-json")
    for name, payload in (
        ("trailing-comma", text[:-1] + ",}"), ("leading-comma", "{," + text[1:]), ("single-quotes", text.replace('"', "'")), ("bare-names", text.replace('"exp"', "exp")), ("comment", text[:-1] + "/**/}"), ("two-objects", text + text), ("trailing-text", text + "x"),
        ("trailing-nul", text + "\0"), ("trailing-brace", text + "}"), ("line-delimited", text + "\n" + text), ("raw-newline-in-text", pairs(('"x"', '"a\nb"'))), ("raw-nul-in-text", pairs(('"x"', '"a\0b"'))), ("bad-escape", pairs(('"x"', '"\\q"'))), ("short-escape", pairs(('"x"', '"\\u12"'))),
        ("number-name", pairs(("1", "1"))), ("nan-unread", pairs(('"x"', "NaN"))), ("infinity-unread", pairs(('"x"', "-Infinity"))), ("undefined", pairs(('"x"', "undefined"))), ("form-feed", "\f" + text), ("nbsp", "\u00a0" + text), ("base64-again", "eyJpc3MiOiJ4In0"),
    ):  # fmt: skip
        refused(f"not-json-{name}", payload, "Not JSON.", open="payload-not-json")
    blob = as_bytes(text)
    tail = lambda data: as_bytes(pairs(('"x"', '"?"'))).replace(b"?", data)  # noqa: E731
    for name, payload in (
        ("bom", b"\xef\xbb\xbf" + blob), ("utf16", text.encode("utf-16")), ("utf32", text.encode("utf-32-le")), ("bad-utf8", tail(b"\xff")), ("overlong", tail(b"\xc0\xaf")), ("utf8-surrogate", tail(b"\xed\xa0\x80")), ("cut-utf8", tail(b"\xe2\x82")),
        ("bad-utf8-in-sub", as_bytes(raw(sub='"?"')).replace(b"?", b"\xfe")), ("binary", bytes(range(256))), ("gzip", bytes.fromhex("1f8b0800000000000003") + bytes(20)), ("cbor", bytes.fromhex("a301617802617903617a")),
    ):  # fmt: skip
        refused(name, payload, "JSON is UTF-8 without a byte order mark (RFC 8259 8.1).", open="payload-not-json")
    refused("lone-surrogate-in-sub", raw(sub='"\\ud800"'), "Half a character, in a claim that is read.")
    refused("lone-surrogate-in-aud", raw(aud=f'["{AUDIENCE}","\\udfff"]'), "Half a character, in a claim that is read.")
    refused("lone-surrogate-in-name", pairs(('"\\ud83d"', "1")), "Half a character, in a name.")
    refused("surrogates-reversed-in-sub", raw(sub='"\\udd11\\ud83d"'), "Two halves in the wrong order.")
    refused("lone-surrogate-unread", pairs(('"x"', '"\\ud800"')), "Half a character where nobody reads it.", open="unread-member")
    refused("1e400-unread", pairs(('"x"', "1e400")), "A number beyond any float where nobody reads it.", open="unread-member")
    for name, opened, closed in (("arrays", "[", "]"), ("objects", '{"a":', "}")):
        for levels in (200, 1000):
            inner = opened * levels + "1" + closed * levels
            refused(f"{levels}-levels-of-{name}", pairs(('"x"', inner)), "Deep nesting must end in an answer, not in the stack.", rules={"max_len": 65536}, open="depth")
    refused("1000-levels-in-aud", raw(aud="[" * 1000 + "]" * 1000), "Deep nesting in a claim that is read.")
    refused("5000-levels-unclosed", "[" * 5000, "Deep nesting that never closes.")
    refused("20000-levels", pairs(('"x"', "[" * 20000 + "]" * 20000)), "Deep nesting within the largest size.", rules={"max_len": 65536}, open="depth")
    case("json-32-levels", "t4", pairs(('"x"', "[" * 31 + "]" * 31)), "accept", "The object and 31 arrays, as deep as nobody needs.")
    refused("33-levels", pairs(('"x"', "[" * 32 + "]" * 32)), "The object and 32 arrays.", open="depth")
    case("json-500-members", "t4", pairs(*((f'"m{i}"', "0") for i in range(500))), "accept", "Many members within the size.")
    case("json-4000-members", "t4", pairs(*((f'"m{i}"', "0") for i in range(4000))), "accept", "Many members within the largest size.", rules={"max_len": 65536})
    case("json-duplicate-among-4000", "t4", pairs(*((f'"m{i}"', "0") for i in range(4000)), ('"m0"', "0")), "claims", "The last member repeats the first.", rules={"max_len": 65536})
    for name, payload in (
        ("leading-space", " \t\r\n" + text), ("trailing-space", text + " \t\r\n"), ("pretty", text.replace(",", ",\r\n ").replace('":', '" : ')), ("surrogate-pair", pairs(('"x"', '"\\ud83d\\udd11"'))), ("non-ascii", pairs(('"x"', '"\u00fc\U0001f511"'))), ("escaped-nul-unread", pairs(('"x"', '"\\u0000"'))),
        ("empty-name", pairs(('""', "1"))), ("proto", pairs(('"__proto__"', '{"exp":1}'), ('"constructor"', '{"prototype":{}}'))), ("large-integer-unread", pairs(('"x"', "123456789012345678901234567890"))), ("deep-but-small", pairs(('"x"', '{"a":{"b":{"c":[1,2,{"d":null}]}}}'))),
    ):  # fmt: skip
        case(f"json-{name}", "t4", payload, "accept", "Good JSON.")


def build():
    for group in (required, numbers, edges, texts, audience, subject, limits, json_text):
        group()
    t.write()


if __name__ == "__main__":
    build()
