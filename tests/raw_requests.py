"""Requests byte by byte, as no client of HTTP would send them."""

import json
import re
import socket


def answer_to(address: tuple[str, int], *parts: bytes) -> tuple[int, dict]:
    """The status of what comes back, and its document."""
    with socket.create_connection(address, timeout=30) as client:
        try:
            for part in parts:
                client.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has answered before everything was sent
        return read_answer(client)


def read_answer(client: socket.socket) -> tuple[int, dict]:
    data = b""
    while True:
        try:
            piece = client.recv(1 << 16)
        except ConnectionResetError:
            break
        data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if not piece or (length and len(body) >= int(length[1])):
            break
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def problem_of(answer: tuple[int, dict]) -> tuple[int, str]:
    status, document = answer
    assert document["status"] == status
    return status, document["type"].rpartition(":")[2]
