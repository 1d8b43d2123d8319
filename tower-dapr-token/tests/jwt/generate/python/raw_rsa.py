"""RSA with an encoding of one's own: what an honest library refuses to sign (RFC 8017)."""

import hashlib

# DER of DigestInfo up to the hash, RFC 8017 section 9.2 note 1.
DIGEST_INFO = {
    "sha1": bytes.fromhex("3021300906052b0e03021a05000414"),
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}


def size(key):
    """Bytes of the modulus."""
    return (key.key_size + 7) // 8


def raw(key, encoded):
    """The private operation on an encoded message, which may be anything below the modulus."""
    numbers = key.private_numbers()
    n = numbers.public_numbers.n
    value = int.from_bytes(encoded, "big")
    assert value < n
    return pow(value, numbers.d, n).to_bytes(size(key), "big")


def digest_info(name, message):
    return DIGEST_INFO[name] + hashlib.new(name, message).digest()


def pkcs1(length, content, block_type=1, fill=0xFF, separator=0):
    """EMSA-PKCS1-v1_5 around any content, of the given length."""
    gap = length - len(content) - 3
    return bytes([0, block_type]) + bytes([fill]) * gap + bytes([separator]) + content


def mgf1(seed, length, name):
    blocks = (hashlib.new(name, seed + i.to_bytes(4, "big")).digest() for i in range(-(-length // hashlib.new(name).digest_size)))
    return b"".join(blocks)[:length]


def pss(bits, message, name, salt, mgf=None, trailer=0xBC, first=1):
    """EMSA-PSS (RFC 8017 section 9.1.1) for a modulus of `bits`, with each constant replaceable."""
    em_bits = bits - 1
    em_len = (em_bits + 7) // 8
    digest = hashlib.new(name, bytes(8) + hashlib.new(name, message).digest() + salt).digest()
    block = bytes(em_len - len(salt) - len(digest) - 2) + bytes([first]) + salt
    masked = bytearray(a ^ b for a, b in zip(block, mgf1(digest, len(block), mgf or name), strict=True))
    masked[0] &= 0xFF >> (8 * em_len - em_bits)
    return bytes(masked) + digest + bytes([trailer])


def pss_sign(key, message, name, salt=None, **other):
    """An RSASSA-PSS signature. The salt is made from the message, so that the signature repeats."""
    if salt is None:
        salt = hashlib.new(name, b"test only salt" + message).digest()
    return raw(key, pss(key.key_size, message, name, salt, **other))


def cube_root(value):
    """The smallest number whose cube is not below `value`."""
    low, high = 0, 1 << -(-value.bit_length() // 3)
    while low < high:
        middle = (low + high) // 2
        if middle**3 < value:
            low = middle + 1
        else:
            high = middle
    return low


def forge_garbage_after(length, content, fill):
    """A number whose cube begins as an encoded message of `fill` bytes of padding, and then is garbage. Needs no key."""
    prefix = bytes([0, 1]) + b"\xff" * fill + b"\0" + content
    root = cube_root(int.from_bytes(prefix.ljust(length, b"\0"), "big"))
    assert (root**3).to_bytes(length, "big").startswith(prefix)
    return root.to_bytes(length, "big")


def forge_garbage_inside(length, prefix, suffix):
    """A number whose cube begins and ends as wanted, with garbage between. Needs no key; `suffix` must be odd."""
    bits = 8 * len(suffix)
    wanted = int.from_bytes(suffix, "big")
    assert wanted % 2 == 1
    low = 1
    for i in range(1, bits):
        if (low**3 ^ wanted) >> i & 1:
            low |= 1 << i
    root = cube_root(int.from_bytes(prefix.ljust(length, b"\0"), "big")) + (1 << bits)
    root = (root >> bits << bits) | low
    cube = (root**3).to_bytes(length, "big")
    assert cube.startswith(prefix) and cube.endswith(suffix)
    return root.to_bytes(length, "big")
