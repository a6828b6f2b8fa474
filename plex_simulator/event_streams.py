"""Keeps listeners informed over one open connection: server-sent events or a websocket."""

import base64
import hashlib
import json
import queue
import select
import socket
import struct
import threading
from io import BufferedIOBase

from plex_simulator.notifications import Message

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # of RFC 6455
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
QUIET = 10.0  # seconds of silence before a sign of life

Listener = queue.Queue[Message | None]


def events(listener: Listener, out: BufferedIOBase, closing: threading.Event) -> None:
    """Send events, named by their type, until either side has had enough."""
    while not closing.is_set():
        try:
            message = listener.get(timeout=QUIET)
        except queue.Empty:
            out.write(b": still here\n\n")
        else:
            if message is None:
                return
            out.write(f"event: {message['type']}\ndata: {_container(message)}\n\n".encode())
        out.flush()


def websocket_accept(key: str) -> str:
    digest = hashlib.sha1(f"{key}{MAGIC}".encode(), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def websocket(
    listener: Listener,
    connection: socket.socket,
    incoming: BufferedIOBase,
    out: BufferedIOBase,
    closing: threading.Event,
) -> None:
    """Send each notification as a text frame; answer pings, and close when asked to."""
    quiet = 0.0
    while not closing.is_set():
        if select.select([connection], [], [], 0)[0] and not _hear(incoming, out):
            return
        try:
            message = listener.get(timeout=0.1)
        except queue.Empty:
            quiet += 0.1
            if quiet < QUIET:
                continue
            out.write(_frame(PING, b""))
        else:
            if message is None:
                return
            out.write(_frame(TEXT, _container(message).encode()))
        quiet = 0.0
        out.flush()


def _hear(incoming: BufferedIOBase, out: BufferedIOBase) -> bool:
    """Read one frame of the client; tell whether to go on."""
    head = incoming.read(2)
    if len(head) < 2:
        return False
    kind, length = head[0] & 0x0F, head[1] & 0x7F
    if length > 125:  # a client has nothing long to say
        return False
    mask, masked = incoming.read(4), incoming.read(length)
    said = bytes(byte ^ mask[place % 4] for place, byte in enumerate(masked))
    if kind == CLOSE:
        out.write(_frame(CLOSE, said[:2]))
    elif kind == PING:
        out.write(_frame(PONG, said))
    out.flush()
    return kind != CLOSE


def _frame(kind: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        return struct.pack(">BB", 0x80 | kind, length) + payload
    if length < 65_536:
        return struct.pack(">BBH", 0x80 | kind, 126, length) + payload
    return struct.pack(">BBQ", 0x80 | kind, 127, length) + payload


def _container(message: Message) -> str:
    return json.dumps({"NotificationContainer": message}, ensure_ascii=False)
