# SPDX-License-Identifier: BSD-3-Clause
"""The control socket, spoken to byte by byte."""
import json
import socket


class RpcError(RuntimeError):
    """The daemon answered with an error."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code = error["code"]
        self.message = error["message"]


class Rpc:
    """One connection to the control socket."""

    def __init__(self, path, timeout=10):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(path))  # without a time-out: with one, a full queue of connections is an error
        self.sock.settimeout(timeout)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        """Bytes, or something to be sent as JSON."""
        self.sock.sendall(data if isinstance(data, bytes) else json.dumps(data).encode())

    def answer(self):
        """The next answer; None when the daemon has closed the connection."""
        while b"\n" not in self.buffer:
            block = self.sock.recv(65536)
            if not block:
                assert self.buffer == b"", "half an answer"
                return None
            self.buffer += block
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def ask(self, message):
        """The answer to a message."""
        self.send(message)
        return self.answer()

    def call(self, method, **params):
        """The result of a method; keys with '_' for '-' are left as they are."""
        answer = self.ask(request(method, params))
        assert answer["jsonrpc"] == "2.0" and answer["id"] == 7
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]


def request(method, params=None, id=7):
    """A request as a dictionary."""
    message = {"jsonrpc": "2.0", "id": id, "method": method}
    return message if params is None else {**message, "params": params}
