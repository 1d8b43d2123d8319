"""Calls a server that requires a token, in all four forms of a call, without it and with it, and checks what a Python
program sees. Messages are bytes as they are. Usage: client.py ADDRESS TOKEN
"""

import sys

import grpc
from google.rpc import error_details_pb2, status_pb2

KEY = "dapr-api-token"
DETAILS = "grpc-status-details-bin"
# A refused upload would have this many messages of a mebibyte.
UPLOAD = 1024

# Name, whether the client streams, whether the server does, what is asked, and what comes back.
FORMS = [
    ("Unary", False, False, [b"hello"], [b"hello"]),
    ("ServerStream", False, True, [b"3"], [b"0", b"1", b"2"]),
    ("ClientStream", True, False, [b"one", b"two", b"three"], [b"3:11"]),
    ("BothWays", True, True, [b"one", b"two", b"three"], [b"one", b"two", b"three"]),
]


def expect(condition, *told):
    if not condition:
        sys.exit(" ".join(str(part) for part in told))


def call(channel, name, client_streams, server_streams, asks, tokens):
    """Makes one call; gives its answers."""
    kinds = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
        (True, True): channel.stream_stream,
    }
    stub = kinds[client_streams, server_streams](f"/test.Echo/{name}")
    metadata = [(KEY, token) for token in tokens]
    messages = iter(asks) if client_streams else next(iter(asks))
    answer = stub(messages, metadata=metadata, timeout=30)
    return list(answer) if server_streams else [answer]


class Upload:
    """Gives out one message after the other, and counts them."""

    def __init__(self):
        self.given = 0

    def __iter__(self):
        while self.given < UPLOAD:
            self.given += 1
            yield bytes(1 << 20)


def check_refusal(name, error, missing):
    if missing:
        reason, message = "API_TOKEN_MISSING", "missing api token"
        complaint = "missing api token in request metadata"
    else:
        reason, message = "API_TOKEN_INVALID", "invalid api token"
        complaint = "authentication error: api token mismatch"
    expect(error.code() == grpc.StatusCode.UNAUTHENTICATED, name, error.code())
    expect(error.details() == message, name, error.details())
    found = [value for key, value in error.trailing_metadata() if key == DETAILS]
    expect(len(found) == 1, name, "details:", len(found))
    status = status_pb2.Status.FromString(found[0])
    expect(status.code == grpc.StatusCode.UNAUTHENTICATED.value[0], name, status.code)
    expect(status.message == message, name, status.message)
    expect(len(status.details) == 1, name, status.details)
    info = error_details_pb2.ErrorInfo()
    expect(status.details[0].Unpack(info), name, "no ErrorInfo")
    expect((info.reason, info.domain) == (reason, "dapr.io"), name, info)
    expected = {"http.code": "401", "http.error_message": complaint}
    expect(dict(info.metadata) == expected, name, info)


def main(address, token):
    calls = 0
    with grpc.insecure_channel(address) as channel:
        for form, client_streams, server_streams, asks, wants in FORMS:
            for case, tokens in [
                ("none", []),
                ("wrong", [token + "x"]),
                ("empty", [""]),
                ("twice", [token, token]),
            ]:
                name = f"{form}, {case}:"
                upload = Upload()
                wrong = upload if client_streams else asks
                try:
                    call(channel, form, client_streams, server_streams, wrong, tokens)
                except grpc.RpcError as error:
                    check_refusal(name, error, not tokens)
                else:
                    sys.exit(f"{name} not refused")
                expect(upload.given <= UPLOAD // 16, name, upload.given, "MiB went out")
                calls += 1
            answers = call(channel, form, client_streams, server_streams, asks, [token])
            expect(answers == wants, form, answers)
            calls += 1
    print(f"{calls} calls were as they should be")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: client.py ADDRESS TOKEN")
    main(sys.argv[1], sys.argv[2])
