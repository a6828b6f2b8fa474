"""Send notifications over an open connection: as server-sent events or over a websocket.

An event has the type of the notification as its name and one object as its data. A message of the
websocket wraps the object in a list and a NotificationContainer.
"""

import base64
import hashlib
import json
import queue
import select
import socket
import struct
import threading
from io import BufferedIOBase
from typing import Any

from plex_simulator.notifications import Listener

WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # from RFC 6455
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
KEEPALIVE_INTERVAL = 10.0  # seconds without a notification
MAX_CLIENT_PAYLOAD = 125  # bytes; larger frames have another header


def send_events(listener: Listener, out: BufferedIOBase, closing: threading.Event) -> None:
    """Send notifications as server-sent events until the server ends the connection."""
    while not closing.is_set():
        try:
            message = listener.get(timeout=KEEPALIVE_INTERVAL)
        except queue.Empty:
            out.write(b"event: ping\ndata: {}\n\n")
        else:
            if message is None:
                return
            data = _to_json({message.key: message.content})
            out.write(f"event: {message.type}\ndata: {data}\n\n".encode())
        out.flush()


def websocket_accept(key: str) -> str:
    """Return the value of Sec-WebSocket-Accept for the key of a client."""
    digest = hashlib.sha1(f"{key}{WEBSOCKET_GUID}".encode(), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def send_websocket_messages(
    listener: Listener,
    connection: socket.socket,
    incoming: BufferedIOBase,
    out: BufferedIOBase,
    closing: threading.Event,
) -> None:
    """Send notifications as text frames, and answer the ping and close frames of the client."""
    idle = 0.0
    while not closing.is_set():
        has_data = select.select([connection], [], [], 0)[0]
        if has_data and not _answer_frame(incoming, out):
            return
        try:
            message = listener.get(timeout=0.1)
        except queue.Empty:
            idle += 0.1
            if idle < KEEPALIVE_INTERVAL:
                continue
            out.write(_frame(PING, b""))
        else:
            if message is None:
                return
            container = {"type": message.type, "size": 1, message.key: [message.content]}
            out.write(_frame(TEXT, _to_json({"NotificationContainer": container}).encode()))
        idle = 0.0
        out.flush()


def _answer_frame(incoming: BufferedIOBase, out: BufferedIOBase) -> bool:
    """Read and answer one frame of the client; return False if the connection is over."""
    header = incoming.read(2)
    if len(header) < 2:
        return False
    opcode, length = header[0] & 0x0F, header[1] & 0x7F
    if length > MAX_CLIENT_PAYLOAD:
        return False
    mask, masked = incoming.read(4), incoming.read(length)
    payload = bytes(byte ^ mask[position % 4] for position, byte in enumerate(masked))
    if opcode == CLOSE:
        out.write(_frame(CLOSE, payload[:2]))
    elif opcode == PING:
        out.write(_frame(PONG, payload))
    out.flush()
    return opcode != CLOSE


def _frame(opcode: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        return struct.pack(">BB", 0x80 | opcode, length) + payload
    if length < 65_536:
        return struct.pack(">BBH", 0x80 | opcode, 126, length) + payload
    return struct.pack(">BBQ", 0x80 | opcode, 127, length) + payload


def _to_json(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False)
