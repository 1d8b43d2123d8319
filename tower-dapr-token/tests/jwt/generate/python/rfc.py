"""`rfc.json`: the examples of the standards. Tokens and keys are theirs; rules and expectations are ours."""

import json

from material import jwks
from table import Table

# The times around the `exp` that all examples share.
EXP = 1_300_819_380
ABOUT = (
    "The examples of RFC 7515, 7519, 7520, 7797 and 8037. They were written to show the form, so most lack claims that T4 requires: "
    "with signature_only the signature holds, and the refusal named by expect comes after it."
)
RULES = {"issuer": "joe", "audience": "any", "leeway_s": 0}
t = Table("rfc.json", ABOUT, rules=RULES, now=EXP - 1)

# RFC 7515 appendix A.1: HS256. The header has a line break and a space within its JSON.
A1_KEY = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
A1_HEADER = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
JOE = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
A1_SIGNATURE = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
# Appendix A.2: RS256.
A2_N = (
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5"
    "z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
)
A2_HEADER = "eyJhbGciOiJSUzI1NiJ9"
A2_SIGNATURE = (
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQB"
    "MHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
)
# Appendix A.3: ES256.
A3_X, A3_Y = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
A3_HEADER = "eyJhbGciOiJFUzI1NiJ9"
A3_SIGNATURE = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
# Appendix A.4: ES512.
A4_X = "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk"
A4_Y = "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"
A4_TOKEN = "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"
# Appendices A.6 and A.7 name the keys of A.2 and A.3 in headers that are not signed.
A6_RSA_KID, A6_EC_KID = "2010-12-29", "e9bc097a-ce51-4036-9562-d2ade882db0d"
# RFC 8037 appendix A.
ED_X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
ED_TOKEN = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
# RFC 7519 appendix A.1: an encrypted token.
JWE = (
    "eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0."
    "QR1Owv2ug2WyPBnbQrRARTeEk9kDO2w8qDcjiHnSJflSdv1iNqhWXaKH4MqAkQtMoNfABIPJaZm0HaA415sv3aeuBWnD8J-Ui7Ah6cWafs3ZwwFKDFUUsWHSK-IPKxLGTkND09XyjORj_CHAgOPJ-Sd8ONQRnJvWn_hXV1BNMHzUjPyYwEsRhDhzjAD26ima"
    "sOTsgruobpYGoQcXUwFDn7moXPRfDE8-NoQX7N7ZYMmpUDkR-Cx9obNGwJQ3nM52YCitxoQVPzjbl7WBuB7AohdBoZOdZ24WlN1lVIeh8v1K4krB8xgKvRU8kgFrEn_a1rZgN5TiysnmzTROF869lQ."
    "AxY8DCtDaGlsbGljb3RoZQ.MKOle7UQrG6nSxTLX6Mqwt0orbHvAKeWnDYvpIAeZ72deHxz3roJDXQyhxx0wKaMHDjUEOKIwrtkHthpqEanSBNYHZgmNOV7sln1Eu9g3J8.fiK51VwhsxJ-siBMR-YFiA"
)
# RFC 7519 appendix A.2: an encrypted token whose content is a signed one.
NESTED = (
    "eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2IiwiY3R5IjoiSldUIn0."
    "g_hEwksO1Ax8Qn7HoN-BVeBoa8FXe0kpyk_XdcSmxvcM5_P296JXXtoHISr_DD_MqewaQSH4dZOQHoUgKLeFly-9RI11TG-_Ge1bZFazBPwKC5lJ6OLANLMd0QSL4fYEb9ERe-epKYE3xb2jfY1AltHqBO-PM6j23Guj2yDKnFv6WO72tteVzm_2n17SBFvh"
    "DuR9a2nHTE67pe0XGBUS_TK7ecA-iVq5COeVdJR4U4VZGGlxRGPLRHvolVLEHx6DYyLpw30Ay9R6d68YCLi9FYTq3hIXPK_-dmPlOUlKvPr1GgJzRoeC9G5qCvdcHWsqJGTO_z3Wfo5zsqwkxruxwA."
    "UmVkbW9uZCBXQSA5ODA1Mg."
    "VwHERHPvCNcHHpTjkoigx3_ExK0Qc71RMEParpatm0X_qpg-w8kozSjfNIPPXiTBBLXR65CIPkFqz4l1Ae9w_uowKiwyi9acgVztAi-pSL8GQSXnaamh9kX1mdh3M_TT-FZGQFQsFhu0Z72gJKGdfGE-OE7hS1zuBD5oEUfk0Dmb0VzWEzpxxiSSBbBAzP10"
    "l56pPfAtrjEYw-7ygeMkwBl6Z_mLS6w6xUgKlvW6ULmkV-uLC4FUiyKECK4e3WZYKw1bpgIqGYsw2v_grHjszJZ-_I5uM-9RA8ycX9KqPRp9gc6pXmoU_-27ATs9XCvrZXUtK2902AUzqpeEUJYjWWxSNsS-r1TJ1I-FMJ4XyAiGrfmo9hQPcNBYxPz3GQb2"
    "8Y5CLSQfNgKSGt0A4isp1hBUXBHAndgtcslt7ZoQJaKe_nNJgNliWtWpJ_ebuOpEl8jdhehdccnRMIwAmU1n7SPkmhIl1HlSOpvcvDfhUN5wuqU955vOBvfkBOh5A11UzBuo2WlgZ6hYi9-e3w29bR0C2-pp3jbqxEDw3iWaf2dc5b-LnR0FEYXvI_tYk5rd"
    "_J9N0mg0tQ6RbpxNEMNoA9QWk5lgdPvbh9BaO195abQ.AVO9iT5AV4CzvDJCdhSFlQ"
)
# RFC 7520 section 4 (payload: a sentence, not JSON) and section 6 (the signed half of the nested example).
BILBO = "bilbo.baggins@hobbiton.example"
BILBO_N = (
    "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tp"
    "e-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"
)
ROAD = (
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4"
)
C41_HEADER = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9"
C41_SIGNATURE = (
    "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5a"
    "AE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg"
)
C42_HEADER = "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9"
C42_SIGNATURE = (
    "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRm"
    "BqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw"
)
C43_X = "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt"
C43_Y = "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1"
C43_HEADER = "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9"
C43_SIGNATURE = "AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2"
C44_KEY, C44_KID = "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg", "018c0ae5-4d9b-471b-bfd6-eef314bc7037"
C44_HEADER = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9"
C44_SIGNATURE = "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0"
C6_N = (
    "kNrPIBDXMU6fcyv5i-QHQAQ-K8gsC3HJb7FYhYaw8hXbNJa-t8q0lDKwLZgQXYV-ffWxXJv5GGrlZE4GU52lfMEegTDzYTrRQ3tepgKFjMGg6Iy6fkl1ZNsx2gEonsnlShfzA9GJwRTmtKPbk1s-hwx1IU5AT-AIelNqBgcF2vE5W25_SGGB"
    "oaROVdUYxqETDggM1z5cKV4ZjDZ8-lh4oVB07bkac6LQdHpJUUySH_Er20DXx30Kyi97PciXKTS-QKXnmm8ivyRCmux22ZoPUind2BKC5OiG4MwALhaL2Z2k8CsRdfy-7dg7z41Rp6D0ZeEvtaUp4bX4aKraL4rTfw"
)
C6_TOKEN = (
    "eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJob2JiaXRvbi5leGFtcGxlIiwiZXhwIjoxMzAwODE5MzgwLCJodHRwOi8vZXhhbXBsZS5jb20vaXNfcm9vdCI6dHJ1ZX0."
    "dPpMqwRZxFYi1UfcDAaf8M99o7kwUWtiXZ-ByvVuJih4MhJ_aZqciprz0OWaIAkIvn1qskChirjKvY9ESZNUCP4JjvfyPS-nqjJxYoA5ztWOyFk2cZNIPXjcJXSQwXPO9tEe-v4VSqgD0aKHqPxYog4N6Cz1lKph1U1sYDSI67_bLL7elg_v"
    "kjfMp5_W5l5LuUYGMeh6hxQIaIUXf9EwV2JmvTMuZ-vBOWy0Sniy1EFo72CRTvmtrIf5AROo5MNliY3KtUxeP-SOmD-LEYwW9SlkohYzMVAZDDOrVbv7KVRHpeYNaK75KEQqdCEEkS_rskZS-Qtt_nlegTWh1mEYaA"
)


def rsa(n, **more):
    return jwks({"kty": "RSA", "n": n, "e": "AQAB", **more})


def ec(crv, x, y, **more):
    return jwks({"kty": "EC", "crv": crv, "x": x, "y": y, **more})


def altered(token):
    """The same token with the last bit of its payload's first letter's byte changed."""
    header, payload, signature = token.split(".")
    return f"{header}.{'f' if payload[0] != 'f' else 'g'}{payload[1:]}.{signature}"


def build():
    hs = {"algorithms": ["HS256"]}
    a1, a2, a3 = f"{A1_HEADER}.{JOE}.{A1_SIGNATURE}", f"{A2_HEADER}.{JOE}.{A2_SIGNATURE}", f"{A3_HEADER}.{JOE}.{A3_SIGNATURE}"
    joe = {
        "a1-hs256": (a1, {"secret_b64": A1_KEY}, hs, "RFC 7515 A.1, also RFC 7519 3.1. A line break and a space within the header's JSON are JSON."),
        "a2-rs256": (a2, rsa(A2_N), {}, "RFC 7515 A.2."),
        "a3-es256": (a3, ec("P-256", A3_X, A3_Y), {}, "RFC 7515 A.3."),
    }
    for name, (token, keys, rules, why) in joe.items():
        more = {"rules": rules} if rules else {}
        t.add(f"7515-{name}", ["t1", "t2", "t4"], token, None, f"{why} The signature holds; there is no aud.", keys, signature_only=True, open="claim-absent", **more)
        t.add(f"7515-{name}-altered", ["t1", "t2"], altered(token), "signature", f"{why} One letter of the payload changed.", keys, **more)
    t.add("7515-a1-hs256-jwk", ["t2", "t4"], a1, None, "RFC 7515 A.1 with its key as a JWK.", jwks({"kty": "oct", "k": A1_KEY}), rules=hs, signature_only=True, open="claim-absent")
    t.add("7515-a1-hs256-not-allowed", ["t2"], a1, None, "RFC 7515 A.1 with asymmetric algorithms alone.", jwks({"kty": "oct", "k": A1_KEY}, {"kty": "RSA", "n": A2_N, "e": "AQAB"}), open="alg-narrowed")
    t.add("7515-a4-es512", ["t2"], A4_TOKEN, None, "RFC 7515 A.4. ES512 is not in the list of T2.", jwks({"kty": "RSA", "n": A2_N, "e": "AQAB"}, ec("P-521", A4_X, A4_Y)["keys"][0]), open="alg-unknown")
    t.add("7515-a5-none", ["t1"], f"eyJhbGciOiJub25lIn0.{JOE}.", "alg", "RFC 7515 A.5 and RFC 7519 6.1: an unsecured token.", rsa(A2_N))
    by_rsa = {"protected": A2_HEADER, "header": {"kid": A6_RSA_KID}, "signature": A2_SIGNATURE}
    by_ec = {"protected": A3_HEADER, "header": {"kid": A6_EC_KID}, "signature": A3_SIGNATURE}
    both = jwks(rsa(A2_N, kid=A6_RSA_KID)["keys"][0], ec("P-256", A3_X, A3_Y, kid=A6_EC_KID)["keys"][0])
    for name, members, why in (
        ("a6-general-json", {"signatures": [by_rsa, by_ec]}, "RFC 7515 A.6: two signatures as a JSON object. A token is compact."),
        ("a7-flattened-json", by_ec, "RFC 7515 A.7: one signature as a JSON object. A token is compact."),
    ):
        t.add(f"7515-{name}", ["t1"], json.dumps({"payload": JOE, **members}, separators=(",", ":")), "malformed", why, both)
    t.add("7519-a1-encrypted", ["t1"], JWE, "malformed", "RFC 7519 A.1: an encrypted token has five parts.", rsa(A2_N))
    t.add("7519-a2-nested", ["t1"], NESTED, "malformed", "RFC 7519 A.2: a signed token within an encrypted one has five parts too.", rsa(A2_N))
    t.add("8037-a4-ed25519", ["t1", "t2"], ED_TOKEN, None, "RFC 8037 A.4. The signature holds; the payload is a sentence.", jwks({"kty": "OKP", "crv": "Ed25519", "x": ED_X}), signature_only=True, open="payload-not-json")
    t.add("8037-a4-ed25519-altered", ["t2"], altered(ED_TOKEN), "signature", "RFC 8037 A.4 with one letter of the payload changed.", jwks({"kty": "OKP", "crv": "Ed25519", "x": ED_X}))
    named = {"kid": BILBO, "use": "sig"}
    for name, header, signature, keys, rules in (
        ("4-1-rs256", C41_HEADER, C41_SIGNATURE, rsa(BILBO_N, **named), {}),
        ("4-2-ps384", C42_HEADER, C42_SIGNATURE, rsa(BILBO_N, **named), {}),
        ("4-4-hs256", C44_HEADER, C44_SIGNATURE, jwks({"kty": "oct", "kid": C44_KID, "use": "sig", "alg": "HS256", "k": C44_KEY}), hs),
    ):
        token, more = f"{header}.{ROAD}.{signature}", {"rules": rules} if rules else {}
        t.add(f"7520-{name}", ["t2", "t3"], token, None, f"RFC 7520 {name[:3].replace('-', '.')}. The signature holds; the payload is a sentence.", keys, signature_only=True, open="payload-not-json", **more)
        t.add(f"7520-{name}-altered", ["t2"], altered(token), "signature", f"RFC 7520 {name[:3].replace('-', '.')} with one letter of the payload changed.", keys, **more)
    t.add("7520-4-3-es512", ["t2"], f"{C43_HEADER}.{ROAD}.{C43_SIGNATURE}", None, "RFC 7520 4.3. ES512 is not in the list of T2.", jwks({"kty": "RSA", "n": A2_N, "e": "AQAB"}, ec("P-521", C43_X, C43_Y, **named)["keys"][0]), open="alg-unknown")
    t.add("7520-4-5-detached", ["t1"], f"{C44_HEADER}..{C44_SIGNATURE}", "signature", "RFC 7520 4.5: a payload that is elsewhere is an empty one here.", jwks({"kty": "oct", "kid": C44_KID, "k": C44_KEY}), rules=hs)
    t.add("7520-6-ps256", ["t2", "t4"], C6_TOKEN, None, "RFC 7520 6.2, the signed half of the nested example. The signature holds; there is no aud.", rsa(C6_N, kid="hobbiton.example", use="sig"), rules={"issuer": "hobbiton.example"}, signature_only=True, open="claim-absent")
    t.add(
        "7797-4-2-plain-payload", ["t1"], "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY", None,
        "RFC 7797 4.2: the payload $.02 is not encoded and is elsewhere.", {"secret_b64": A1_KEY}, rules=hs, open="header-member",
    )  # fmt: skip
    t.write()


def check():
    """The facts above were copied; a slip in one of them ends here. Every signature that is said to hold is verified."""
    import jwt

    loaded = 0
    for case in t.cases:
        if not case.get("signature_only"):
            continue
        keys = case["keys"]
        key = {"kty": "oct", "k": keys["secret_b64"]} if "secret_b64" in keys else keys["keys"][0]
        alg = jwt.get_unverified_header(case["token"])["alg"]
        jwt.PyJWS().decode(case["token"], jwt.PyJWK(key, algorithm=alg).key, algorithms=[alg])
        loaded += 1
    for token, key in ((A4_TOKEN, ec("P-521", A4_X, A4_Y)), (f"{C43_HEADER}.{ROAD}.{C43_SIGNATURE}", ec("P-521", C43_X, C43_Y))):
        jwt.PyJWS().decode(token, jwt.PyJWK(key["keys"][0], algorithm="ES512").key, algorithms=["ES512"])
    jwt.PyJWS().decode(
        "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY",
        jwt.PyJWK({"kty": "oct", "k": A1_KEY}, algorithm="HS256").key, algorithms=["HS256"], detached_payload=b"$.02",
    )  # fmt: skip
    assert loaded > 5


if __name__ == "__main__":
    build()
    check()
