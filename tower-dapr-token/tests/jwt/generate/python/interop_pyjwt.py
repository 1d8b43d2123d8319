"""Signs with PyJWT, for `interop.json`; writes a list of tokens and the keys as PyJWT exports them."""

import json
import sys

import jwt
from encode import unb64
from jwt.algorithms import get_default_algorithms
from material import KEYS, private
from table import AUDIENCE, ISSUER, NOW, SIGNING

CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "caller", "exp": NOW + 300, "nbf": NOW, "iat": NOW, "jti": "pyjwt"}


def entries():
    algorithms = get_default_algorithms()
    for key, names in SIGNING["algorithms"].items():
        for alg in names:
            if alg not in algorithms:
                continue
            algorithm = algorithms[alg]
            if key == "oct":
                own = unb64((KEYS / "test-only-oct.b64").read_text())
                public = algorithm.to_jwk(own, as_dict=True)
            else:
                own = private(key)
                public = algorithm.to_jwk(own.public_key(), as_dict=True)
            yield {
                "by": "pyjwt",
                "version": jwt.__version__,
                "key": key,
                "alg": alg,
                "named": jwt.encode(CLAIMS, own, alg, headers={"kid": key}),
                "nameless": jwt.encode(CLAIMS, own, alg),
                "jwk": {**public, "kid": key},
            }


if __name__ == "__main__":
    json.dump(list(entries()), sys.stdout)
