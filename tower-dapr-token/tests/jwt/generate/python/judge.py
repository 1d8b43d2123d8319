"""Tells for every case whether PyJWT, with strict options, accepts it: "accept", "refuse: why" or "skip: why"."""

import json
import sys
import warnings
from datetime import datetime, timezone
from unittest import mock

import jwt
from encode import unb64
from table import VECTORS

ASYMMETRIC = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
TABLES = ("interop", "rfc", "attacks", "claims", "sentry", "wycheproof_style")
# Rules that PyJWT does not have: a token that they accept is judged without them, one that they refuse is not judged.
FOREIGN = {"max_len", "types", "scopes", "max_lifetime_s", "sub", "dapr_sentry"}
FAMILY = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP", "HS": "oct"}


def read(name):
    return json.loads((VECTORS / f"{name}.json").read_text())


def options(rules, accepts):
    """The arguments of PyJWT that say what the rules say; None if it has none."""
    required = ["exp", "aud"] if "dapr_sentry" in rules else ["exp", "aud", "iss"]
    result = {"algorithms": ASYMMETRIC, "options": {"require": required, "enforce_minimum_key_length": True}}
    result["audience"] = rules.get("dapr_sentry")
    for rule, value in rules.items():
        if rule in ("issuer", "audience", "algorithms", "allow_kidless"):
            result[rule] = value
        elif rule == "leeway_s":
            result["leeway"] = value
        elif rule == "sub" and "exact" in value:
            result["subject"] = value["exact"]
        elif rule != "max_len" and not (accepts and rule in FOREIGN):
            return None
    return result


def choose(token, keys, allow_kidless):
    """The keys to try: a program around PyJWT has to find them by itself, so this part is T3's, not PyJWT's."""
    if "pem" in keys:
        return [keys["pem"]]
    if "secret_b64" in keys:
        return [unb64(keys["secret_b64"])]
    header = jwt.get_unverified_header(token)
    fit = [
        key
        for key in keys["keys"]
        if key.get("use", "sig") == "sig"
        and key.get("alg", header["alg"]) == header["alg"]
        and key["kty"] == FAMILY.get(header["alg"][:2])
        and ("kid" not in header or header["kid"] == key.get("kid"))
    ]
    if not fit or (len(fit) > 1 and "kid" not in header and not allow_kidless):
        raise jwt.PyJWTError(f"{len(fit)} keys fit")
    return [jwt.PyJWK(key, algorithm=header["alg"]) for key in fit[:4]]


def attempt(run):
    try:
        run()
        return "accept"
    except Exception as error:  # whatever it is, the token was not accepted; the report shows it
        return f"refuse: {type(error).__name__}: {error}".split("\n")[0]


def decode(token, keys, arguments, now):
    clock = mock.Mock(wraps=datetime)
    clock.now.return_value = datetime.fromtimestamp(now, tz=timezone.utc) if now < 2**37 else mock.Mock(timestamp=lambda: now)
    with mock.patch("jwt.api_jwt.datetime", clock):
        *first, last = choose(token, keys, arguments.pop("allow_kidless", False))
        for key in first:
            try:
                return jwt.decode(token, key, **arguments)
            except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError, jwt.InvalidKeyError):
                pass  # the next key of the name may hold
        return jwt.decode(token, last, **arguments)


def tokens():
    for name in TABLES:
        table = read(name)
        for case in table["cases"]:
            keys = table["key_sets"][case["keys"]] if isinstance(case["keys"], str) else case["keys"]
            arguments = options({**table["rules"], **case.get("rules", {})}, case["expect"] == "accept")
            if arguments is None:
                verdict = "skip: no such rule"
            elif "token" not in case:
                verdict = "skip: not text"
            else:
                verdict = attempt(lambda: decode(case["token"], keys, arguments, case.get("now", table["now"])))
            yield f"{name}/{case['name']}", verdict


def documents():
    file = read("keys")

    def check(token, keys, rules):
        decode(token, keys, options({**file["rules"], **rules}, False), file["now"])

    def single(case):
        if "token" in case:
            check(case["token"], {"keys": [case["jwk"]]}, case.get("rules", {}))
        else:
            jwt.PyJWK(case["jwk"])

    def several(case):
        jwt.PyJWKSet.from_json(case["text"])
        for entry in case["tokens"]:
            if entry["expect"] == "accept":
                check(entry["token"], json.loads(case["text"]), case.get("rules", {}))

    def pem(case):
        if "token" in case:
            check(case["token"], {"pem": case["pem"]}, {})
        else:
            algorithms = jwt.algorithms.get_default_algorithms()
            kinds = [algorithms["RS256"], algorithms["ES256"], algorithms["EdDSA"]]
            if not any(attempt(lambda a=a: a.prepare_key(case["pem"])) == "accept" for a in kinds):
                raise jwt.InvalidKeyError("no algorithm takes it")

    def shared(case):
        if "token" in case:
            check(case["token"], {"secret_b64": case["secret_b64"]}, case["rules"])
        else:
            key = unb64(case["secret_b64"])
            jwt.decode(jwt.encode({}, key, "HS256"), key, ["HS256"], options={"enforce_minimum_key_length": True})

    for kind, run in (("jwks", single), ("sets", several), ("pems", pem), ("secrets", shared)):
        for case in file[kind]:
            yield f"keys/{kind}/{case['name']}", attempt(lambda: run(case))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(1000)
    json.dump({**dict(tokens()), **dict(documents())}, sys.stdout)
