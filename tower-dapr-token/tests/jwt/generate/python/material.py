"""The test keys, as private keys to sign with, and as the PEM and JWK documents that a verifier is given."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from encode import b64

KEYS = Path(__file__).resolve().parents[1] / "keys"


@cache
def private(name):
    """The private key in `keys/test-only-NAME.pem`."""
    pem = (KEYS / f"test-only-{name}.pem").read_bytes()
    # Keys below the sizes in use are the subject of some cases.
    return serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)


def secret(name, size):
    """A shared secret: not a secret at all, because its name makes it."""
    return hashlib.shake_256(f"test only {name}".encode()).digest(size)


def der(name, form="spki"):
    """The public half in DER: `spki` (RFC 5280) or `pkcs1` (RSA alone)."""
    kind = {
        "spki": serialization.PublicFormat.SubjectPublicKeyInfo,
        "pkcs1": serialization.PublicFormat.PKCS1,
    }[form]
    return private(name).public_key().public_bytes(serialization.Encoding.DER, kind)


def pem(name, form="spki"):
    """The public half in PEM: `spki` is `PUBLIC KEY`, `pkcs1` is `RSA PUBLIC KEY`."""
    label = {"spki": "PUBLIC KEY", "pkcs1": "RSA PUBLIC KEY"}[form]
    return armour(label, der(name, form))


def armour(label, body):
    """PEM around any bytes (RFC 7468)."""
    text = base64.b64encode(body).decode()
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def integer(value, size=None):
    """A number in the base64url form of RFC 7518, in its shortest form or of the given size in bytes."""
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


CURVES = {"secp256r1": ("P-256", 32), "secp384r1": ("P-384", 48), "secp521r1": ("P-521", 66), "secp256k1": ("secp256k1", 32)}


def jwk(name, kid=None, **members):
    """The public half as a JWK; `kid` is the name of the key unless another is given, and `()` leaves it out."""
    public = private(name).public_key()
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        body = {"kty": "RSA", "n": integer(numbers.n), "e": integer(numbers.e)}
    elif isinstance(public, ec.EllipticCurvePublicKey):
        curve, size = CURVES[public.curve.name]
        numbers = public.public_numbers()
        body = {"kty": "EC", "crv": curve, "x": integer(numbers.x, size), "y": integer(numbers.y, size)}
    else:
        curve = type(public).__name__.removeprefix("_").removesuffix("PublicKey")
        body = {"kty": "OKP", "crv": curve, "x": b64(public.public_bytes_raw())}
    named = {} if kid == () else {"kid": name if kid is None else kid}
    return {**body, **named, **members}


def oct_jwk(key, kid, **members):
    """A shared secret as a JWK."""
    return {"kty": "oct", "k": b64(key), "kid": kid, **members}


def jwks(*keys):
    return {"keys": list(keys)}


def public_pem(name):
    return {"pem": pem(name)}


def shared(key):
    return {"secret_b64": b64(key)}


def raw_ed25519(name):
    """The seed of an Ed25519 key."""
    key = private(name)
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    return key.private_bytes_raw()
