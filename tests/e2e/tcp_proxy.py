"""A TCP proxy whose connections can be cut (also amid what is being sent), stalled, left half open, and
made slow, and whose target can be moved."""
import selectors
import socket
import struct
import threading
import time


class Proxy(threading.Thread):
    """Forwards connections to a port. One thread for all; the methods may be called from others."""

    def __init__(self, port, rate=None, listen=0):
        """rate: bytes/s that each connection gets from the server; listen: the port to listen on."""
        super().__init__(daemon=True)
        self.target, self.rate = port, rate
        self.due = {}            # when a socket may be read from again, with a rate
        self.listener = socket.create_server(("127.0.0.1", listen))
        self.port = self.listener.getsockname()[1]
        self.lock = threading.RLock()
        self.pairs = []          # [client, server]
        self.left = {}           # what was read from a socket, and its peer does not take yet
        self.last = set()        # sockets of which nothing but that is forwarded
        self.deaf = set()        # sockets that nothing is read from any more
        self.stalled_until = self.slow_until = 0.0
        self.orderly, self.ending = False, []  # connections to the server that it is not done with
        self.break_in, self.breaks = {}, 0  # from a client (0) or a server (1): bytes until it breaks
        self.going, self.connections, self.bytes = True, 0, 0
        self.start()

    # ---- faults ----

    def cut(self):
        """All connections are reset."""
        with self.lock:
            for pair in list(self.pairs):
                self.close(pair, reset=True)

    def cut_amid(self, after, from_client=False):
        """Of all bytes that servers (or clients) send from now on, the one of that number is the last
        of its connection."""
        with self.lock:
            self.break_in[0 if from_client else 1] = after

    def move(self, port):
        """Another server; who is connected to the former one stays so."""
        self.target = port

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
                if pair[1] not in self.deaf:
                    self.end(pair[1])
                self.deaf.update(pair)

    def stop(self):
        self.going = False
        self.join()
        self.cut()
        for server in self.ending:
            server.close()
        self.listener.close()

    # ---- the thread ----

    def end(self, server):
        """orderly: the server gets to the end of what it was sent before the next client is let in."""
        try:
            if self.orderly:
                server.shutdown(socket.SHUT_WR)
                self.ending.append(server)
                return
        except OSError:
            pass
        server.close()

    def ended(self, server):
        try:
            if server.recv(65536):
                return
        except OSError:
            pass
        server.close()
        with self.lock:
            self.ending.remove(server)

    def close(self, pair, reset=False):
        for s in pair:
            try:
                if self.orderly and s is pair[1]:
                    if s not in self.deaf:
                        self.end(s)
                    continue
                if reset:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                s.close()
            except OSError:
                pass
        for s in pair:
            self.deaf.discard(s)
            self.due.pop(s, None)
            self.left.pop(s, None)
            self.last.discard(s)
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
                data = self.left.pop(source, None) or self.receive(source, pair.index(source))
                if not data and source not in self.last:
                    return
                sent = self.send(other, data)
                self.bytes += sent
                if sent < len(data):
                    self.left[source] = data[sent:]
                    self.due[source] = time.monotonic() + 0.002
                elif source in self.last:
                    self.breaks += 1
                    raise OSError("cut amid it")
            except OSError:
                self.close(pair)

    def receive(self, source, side):
        """What to forward of a client (0) or server (1); nothing: nothing yet."""
        data = source.recv(1 if time.monotonic() < self.slow_until else 65536)
        if not data:
            raise OSError("ended")
        if self.rate and side == 1:
            self.due[source] = max(self.due.get(source, 0), time.monotonic() - 0.1) + len(data) / self.rate
        left = self.break_in.pop(side, None)
        if left is not None and left < len(data):
            data = data[:left + 1]
            self.last.add(source)
        elif left is not None:
            self.break_in[side] = left - len(data)
        return data

    @staticmethod
    def send(to, data):
        """How much of it was taken: one whose peer does not read holds nobody else up."""
        try:
            return to.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0

    def run(self):
        while self.going:
            if time.monotonic() < self.stalled_until:
                time.sleep(0.01)
                continue
            with selectors.DefaultSelector() as ready:
                if not self.ending:
                    ready.register(self.listener, selectors.EVENT_READ)
                now, wait, again = time.monotonic(), 0.05, []
                with self.lock:
                    for s in self.ending:
                        ready.register(s, selectors.EVENT_READ)
                    for s in (s for pair in self.pairs for s in pair if s not in self.deaf and s.fileno() >= 0):
                        if self.due.get(s, 0) > now:
                            wait = min(wait, self.due[s] - now)
                        elif s in self.left:
                            again.append(s)
                            wait = 0
                        else:
                            ready.register(s, selectors.EVENT_READ)
                events = again + [key.fileobj for key, _ in ready.select(wait)]
            for s in events:
                if s is self.listener:
                    self.accept()
                elif s in self.ending:
                    self.ended(s)
                elif s.fileno() >= 0:
                    self.forward(s)
