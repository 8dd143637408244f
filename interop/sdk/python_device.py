#!/usr/bin/env python3
"""A device on the unmodified azure-iot-device SDK.

Sends messages and prints one JSON line for each that the hub acknowledged.
"""
import argparse
import json
import sys
import uuid
from datetime import datetime, timezone

from azure.iot.device import IoTHubDeviceClient, Message


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--connection-string", required=True)
    p.add_argument("--ca", required=True, help="PEM file of the hub's CA")
    p.add_argument("--count", type=int, default=1)
    p.add_argument("--property", action="append", default=[], metavar="NAME=VALUE")
    p.add_argument("--websockets", action="store_true")
    p.add_argument("--twin", action="store_true", help="ask for the twin before the first message")
    a = p.parse_args()
    with open(a.ca, encoding="ascii") as f:
        ca = f.read()
    client = IoTHubDeviceClient.create_from_connection_string(
        a.connection_string, server_verification_cert=ca, websockets=a.websockets
    )
    client.connect()
    try:
        if a.twin:
            print(json.dumps({"twin": client.get_twin()}), flush=True)
        for seq in range(a.count):
            body = json.dumps({"ts": datetime.now(timezone.utc).isoformat(), "seq": seq, "temperature": 20 + seq / 2, "sdk": "python"})
            m = Message(body, content_type="application/json", content_encoding="utf-8", message_id=str(uuid.uuid4()))
            for pair in a.property:
                name, _, value = pair.partition("=")
                m.custom_properties[name] = value
            client.send_message(m)  # returns after PUBACK
            print(json.dumps({"acknowledged": seq, "message_id": m.message_id, "body": body}), flush=True)
    finally:
        client.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
