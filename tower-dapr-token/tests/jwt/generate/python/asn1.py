"""DER by hand, for public keys that no library writes."""


def tlv(tag, *content):
    """One element; its length is in the shortest form, as DER has it."""
    body = b"".join(content)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def sequence(*content):
    return tlv(0x30, *content)


def integer(value):
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(*numbers):
    """An object identifier whose first two numbers are joined already."""
    body = b""
    for number in numbers:
        septets = [number & 0x7F]
        while number := number >> 7:
            septets.append(number & 0x7F | 0x80)
        body += bytes(reversed(septets))
    return tlv(0x06, body)


def bits(content, unused=0):
    return tlv(0x03, bytes([unused]), content)


NULL = tlv(0x05)
RSA_ENCRYPTION = oid(42, 840, 113549, 1, 1, 1)
RSASSA_PSS = oid(42, 840, 113549, 1, 1, 10)
EC_PUBLIC_KEY = oid(42, 840, 10045, 2, 1)
PRIME_FIELD = oid(42, 840, 10045, 1, 1)
P256 = oid(42, 840, 10045, 3, 1, 7)
ED25519 = oid(43, 101, 112)


def spki(algorithm, key, unused=0):
    """SubjectPublicKeyInfo."""
    return sequence(sequence(*algorithm), bits(key, unused))


def rsa_spki(n, e):
    return spki((RSA_ENCRYPTION, NULL), rsa_pkcs1(n, e))


def rsa_pkcs1(n, e):
    return sequence(integer(n), integer(e))
