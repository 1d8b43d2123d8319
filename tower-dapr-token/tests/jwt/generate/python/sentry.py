"""`sentry.json`: tokens in the form of Dapr's certificate authority, judged by the preset of T5."""

from material import jwk, jwks
from sign import signed
from table import NOW, Table

DOMAIN = "cluster.example"
SUBJECT = f"spiffe://{DOMAIN}/ns/default/app"
CLAIMS = {"aud": DOMAIN, "sub": SUBJECT, "exp": NOW + 300, "iat": NOW - 10, "nbf": NOW - 10}

# The rules are the preset's: `issuer` is absent unless the case gives one, and `audience` is the trust domain.
t = Table(
    "sentry.json",
    "Tokens in the form of Dapr's certificate authority, judged by the preset dapr_sentry. Each rules object has the preset's trust domain; issuer and audience are those the case gives besides.",
    rules={"dapr_sentry": DOMAIN, "leeway_s": 60},
)
KEYS = t.key_set("all", jwks(jwk("rsa-2048"), jwk("p256"), jwk("p384"), jwk("ed25519")))


def case(name, claims, expect, why, alg="EdDSA", key="ed25519", **more):
    body = {k: v for k, v in {**CLAIMS, **claims}.items() if v is not ...}
    t.add(name, ["t5"], signed(alg, key, {"alg": alg, "kid": key, "typ": "JWT"}, body), expect, why, KEYS, **more)


def build():
    for alg, key in (("RS256", "rsa-2048"), ("ES256", "p256"), ("EdDSA", "ed25519")):
        case(f"good-{alg.lower()}", {}, "accept", "No issuer, the trust domain as audience, and a subject below it.", alg, key)
    for alg, key in (("PS256", "rsa-2048"), ("RS512", "rsa-2048"), ("ES384", "p384")):
        case(f"alg-{alg.lower()}", {}, None, "The preset allows RS256, ES256 and EdDSA.", alg, key, open="alg-narrowed")
    case("issuer-not-configured", {"iss": "https://issuer.example"}, None, "An issuer, and no rule for it.", open="sentry-issuer")
    named = {"issuer": "https://sentry.example"}
    case("issuer-configured", {"iss": "https://sentry.example"}, "accept", "The configured issuer.", rules=named)
    case("issuer-configured-other", {"iss": "https://evil.example"}, "iss", "Another issuer.", rules=named)
    case("issuer-configured-absent", {}, None, "A configured issuer is required.", rules=named, open="claim-absent")
    case("issuer-number", {"iss": 1}, "claims", "A wrong type, also for a claim that is not required.")
    case("aud-absent", {"aud": ...}, None, "aud stays required.", open="claim-absent")
    case("aud-other", {"aud": "other.example"}, "aud", "Another trust domain.")
    case("aud-array", {"aud": ["x", DOMAIN]}, "accept", "One of them is ours.")
    given = {"audience": ["dapr.io/sentry", "second"]}
    case("aud-given", {"aud": "second"}, "accept", "Given values take the place of the trust domain.", rules=given)
    case("aud-given-domain", {"aud": DOMAIN}, "aud", "Given values take the place of the trust domain.", rules=given)
    case("exp-absent", {"exp": ...}, None, "exp stays required.", open="claim-absent")
    case("exp-over", {"exp": NOW - 60}, "expired", "Over.")
    case("sub-absent", {"sub": ...}, None, "The preset asks for sub.", open="claim-absent")
    for name, subject in (("other-namespace", f"spiffe://{DOMAIN}/ns/other/app"), ("one-segment", f"spiffe://{DOMAIN}/ns/default")):
        case(f"sub-{name}", {"sub": subject}, "accept", "Below the trust domain's ns.")
    for name, subject in (
        ("other-domain", "spiffe://other.example/ns/default/app"), ("domain-extended", f"spiffe://{DOMAIN}.evil.example/ns/default/app"), ("domain-cut", f"spiffe://{DOMAIN[:-1]}/ns/default/app"), ("domain-upper", f"spiffe://{DOMAIN.upper()}/ns/default/app"), ("not-ns", f"spiffe://{DOMAIN}/nsx/default/app"),
        ("no-path", f"spiffe://{DOMAIN}"), ("other-path", f"spiffe://{DOMAIN}/sa/default"), ("dots", f"spiffe://{DOMAIN}/ns/../admin"), ("double-slash", f"spiffe://{DOMAIN}//ns/default/app"), ("not-spiffe", "default/app"), ("user", f"spiffe://{DOMAIN}@evil.example/ns/default/app"), ("empty", ""),
    ):  # fmt: skip
        case(f"sub-{name}", {"sub": subject}, "sub", "Not below the trust domain's ns.")
    t.write()


if __name__ == "__main__":
    build()
