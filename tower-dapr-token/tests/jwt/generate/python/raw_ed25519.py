"""Ed25519 (RFC 8032) by its formulas: for signatures and keys that an honest library does not make."""

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)
ZERO = (0, 1)


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    t = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + t, -1, P) % P
    return x, (y1 * y2 + x1 * x2) * pow(1 - t, -1, P) % P


def multiply(k, point):
    result = ZERO
    while k:
        if k & 1:
            result = add(result, point)
        point = add(point, point)
        k >>= 1
    return result


def point(y, sign):
    """The point with this y and this sign of x, or None if there is none."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT % P
    if x * x % P != square:
        return None
    return (P - x if x & 1 != sign else x), y


BASE = point(4 * pow(5, -1, P) % P, 0)


def encode(at):
    return (at[1] | (at[0] & 1) << 255).to_bytes(32, "little")


def decode(data):
    number = int.from_bytes(data, "little")
    return point(number & (1 << 255) - 1, number >> 255)


def order_eight():
    """A point of order 8: the generator of the small group."""
    for y in range(2, 100):
        at = point(y, 0)
        if at is not None:
            at = multiply(L, at)
            if multiply(4, at) != ZERO:
                return at
    raise AssertionError


def small_order():
    """Every point that eight additions bring to zero, in its one proper encoding."""
    generator = order_eight()
    return [encode(multiply(i, generator)) for i in range(8)]


def challenge(r, public, message, prefix=b""):
    return int.from_bytes(hashlib.sha512(prefix + r + public + message).digest(), "little") % L


def expand(seed):
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
    return scalar, digest[32:]


def sign(seed, message, prefix=b"", torsion=ZERO):
    """A signature; `prefix` is RFC 8032's dom2, `torsion` is added to R before it is hashed."""
    scalar, nonce = expand(seed)
    public = encode(multiply(scalar, BASE))
    k = int.from_bytes(hashlib.sha512(prefix + nonce + message).digest(), "little") % L
    r = encode(add(multiply(k, BASE), torsion))
    return r + ((k + challenge(r, public, message, prefix) * scalar) % L).to_bytes(32, "little")
