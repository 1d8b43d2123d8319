"""Signatures that repeat: the same key and message give the same bytes, so the tables can be compared with `git diff`."""

import hashlib
import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from encode import join, part
from material import private
from raw_rsa import pss_sign

HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
SIZES = {"secp256r1": 32, "secp384r1": 48, "secp521r1": 66, "secp256k1": 32}


def signature(alg, key, message):
    """The signature that `alg` names; `key` is a shared secret, or the name of a test key."""
    kind, bits = alg[:2], alg[-3:]
    if kind == "HS":
        return hmac.new(key, message, getattr(hashlib, f"sha{bits}")).digest()
    if kind == "RS":
        return private(key).sign(message, padding.PKCS1v15(), HASHES[bits])
    if kind == "PS":
        return pss_sign(private(key), message, f"sha{bits}")
    if kind == "ES":
        r, s = ecdsa(key, message, HASHES[bits])
        size = SIZES[private(key).curve.name]
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    assert alg in ("EdDSA", "Ed25519"), alg
    return private(key).sign(message)


def ecdsa(key, message, hash_):
    """r and s, with the nonce of RFC 6979."""
    return decode_dss_signature(private(key).sign(message, ec.ECDSA(hash_, deterministic_signing=True)))


def signed_parts(alg, key, header, payload):
    """A token of parts that are encoded already."""
    return join(header, payload, signature(alg, key, f"{header}.{payload}".encode()))


def signed(alg, key, header, payload):
    """A token; `header` and `payload` are JSON values, texts or bytes. `alg` is what signs, not what the header says."""
    return signed_parts(alg, key, part(header), part(payload))
