"""Reads secrets through the SDK for Python and prints a line of JSON for each.

The SDK finds the sidecar and the token in the environment. Usage: client.py STORE/NAME ... (one secret), STORE ... (all)
"""

import json
import sys

import grpc
from dapr.clients import DaprClient
from dapr.clients.exceptions import DaprGrpcError


def read(client, step):
    """What the SDK gives for one secret, or for all."""
    store, one, name = step.partition("/")
    if one:
        return dict(client.get_secret(store, name).secret)
    found = client.get_bulk_secret(store).secrets
    return {name: dict(values) for name, values in found.items()}


def show(error):
    """What the SDK's own class makes of an error, without the kinds of details that are not there."""
    shown = json.loads(DaprGrpcError(error).json())
    shown["details"] = {kind: detail for kind, detail in shown["details"].items() if detail}
    return shown


def main(steps):
    with DaprClient() as client:
        for step in steps:
            try:
                line = {"step": step, "value": read(client, step)}
            except grpc.RpcError as error:
                line = {"step": step, "error": show(error)}
            print(json.dumps(line))


if __name__ == "__main__":
    main(sys.argv[1:])
