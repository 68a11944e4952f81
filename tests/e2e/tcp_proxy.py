"""A TCP proxy whose connections can be cut, stalled, left half open, and made slow."""
import selectors
import socket
import struct
import threading
import time


class Proxy(threading.Thread):
    """Forwards connections to a port. One thread for all; the methods may be called from others."""

    def __init__(self, port, rate=None):
        """rate: bytes/s that each connection gets from the server."""
        super().__init__(daemon=True)
        self.target, self.rate = port, rate
        self.due = {}            # when a socket may be read from again, with a rate
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.lock = threading.RLock()
        self.pairs = []          # [client, server]
        self.deaf = set()        # sockets that nothing is read from any more
        self.stalled_until = self.slow_until = 0.0
        self.going, self.connections, self.bytes = True, 0, 0
        self.start()

    # ---- faults ----

    def cut(self):
        """All connections are reset."""
        with self.lock:
            for pair in list(self.pairs):
                self.close(pair, reset=True)

    def stall(self, seconds):
        """Nothing gets through; nobody is told."""
        self.stalled_until = time.monotonic() + seconds

    def slow(self, seconds):
        """A byte at a time."""
        self.slow_until = time.monotonic() + seconds

    def half_open(self):
        """The server's side of all connections goes away, and the client hears nothing of it."""
        with self.lock:
            for pair in self.pairs:
                pair[1].close()
                self.deaf.update(pair)

    def stop(self):
        self.going = False
        self.join()
        self.cut()
        self.listener.close()

    # ---- the thread ----

    def close(self, pair, reset=False):
        for s in pair:
            try:
                if reset:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                s.close()
            except OSError:
                pass
            self.deaf.discard(s)
            self.due.pop(s, None)
        if pair in self.pairs:
            self.pairs.remove(pair)

    def accept(self):
        client, _ = self.listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self.target), 2)
        except OSError:
            client.close()
            return
        for s in (client, server):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            self.pairs.append([client, server])
        self.connections += 1

    def forward(self, source):
        with self.lock:
            pair = next((p for p in self.pairs if source in p), None)
            if not pair or source in self.deaf:
                return
            other = pair[1] if source is pair[0] else pair[0]
            try:
                slow = time.monotonic() < self.slow_until
                data = source.recv(1 if slow else 65536)
                if not data:
                    raise OSError("ended")
                if self.rate and source is pair[1]:
                    self.due[source] = max(self.due.get(source, 0), time.monotonic() - 0.1) + len(data) / self.rate
                other.settimeout(10)
                other.sendall(data)
                self.bytes += len(data)
            except OSError:
                self.close(pair)

    def run(self):
        while self.going:
            if time.monotonic() < self.stalled_until:
                time.sleep(0.01)
                continue
            with selectors.DefaultSelector() as ready:
                ready.register(self.listener, selectors.EVENT_READ)
                now, wait = time.monotonic(), 0.05
                with self.lock:
                    for s in (s for pair in self.pairs for s in pair if s not in self.deaf and s.fileno() >= 0):
                        if self.due.get(s, 0) <= now:
                            ready.register(s, selectors.EVENT_READ)
                        else:
                            wait = min(wait, self.due[s] - now)
                events = [key.fileobj for key, _ in ready.select(wait)]
            for s in events:
                if s is self.listener:
                    self.accept()
                elif s.fileno() >= 0:
                    self.forward(s)
