"""Tokens from exact bytes: nothing here checks, repairs or completes what it is given."""

import base64
import json


def b64(data):
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact(value):
    """JSON without white space."""
    return json.dumps(value, separators=(",", ":"))


def as_bytes(value):
    """The bytes of one part: bytes stay, text is UTF-8, anything else becomes JSON."""
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else compact(value)).encode()


def part(value):
    """One part of a token."""
    return b64(as_bytes(value))


def members(*pairs):
    """A JSON object from texts that are JSON already, so that names can repeat and values be impossible."""
    return "{" + ",".join(f"{name}:{value}" for name, value in pairs) + "}"


def join(header, payload, signature):
    """A token of three parts that are encoded already, but for the signature's bytes."""
    return f"{header}.{payload}.{b64(signature)}"
