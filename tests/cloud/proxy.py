"""A proxy between lightsout and an object store, which makes trouble on purpose.

Each request goes over a connection of its own. The proxy adds latency, answers some requests with 503 or 429 instead
of passing them on, and breaks some answers off in the middle. It counts what passes.
"""

import asyncio
import re
import threading


class Proxy:
    def __init__(self, upstream):
        self.upstream = upstream
        self.latency = 0.0
        # Every n-th request is throttled, every n-th answer with a body breaks off; 0: none.
        self.throttle_every = 0
        self.break_every = 0
        self.requests = []
        self.times = []
        self.throttled = 0
        self.broken = 0
        self.in_flight = 0
        self.in_flight_max = 0
        started = threading.Event()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self._run, args=(started,), daemon=True).start()
        started.wait()

    def _run(self, started):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512))
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self.loop.run_forever()

    def reset(self, latency=0.0, throttle_every=0, break_every=0):
        self.latency, self.throttle_every, self.break_every = latency, throttle_every, break_every
        self.requests, self.times, self.throttled, self.broken, self.in_flight_max = [], [], 0, 0, 0

    async def _serve(self, reader, writer):
        self.in_flight += 1
        self.in_flight_max = max(self.in_flight_max, self.in_flight)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            body = await reader.readexactly(int(length[1])) if length else b""
            self.requests.append(head.split(b"\r\n", 1)[0].decode())
            self.times.append(self.loop.time())
            number = len(self.requests)
            await asyncio.sleep(self.latency)
            if self.throttle_every and number % self.throttle_every == 0:
                self.throttled += 1
                status = b"503 Slow Down" if self.throttled % 2 else b"429 Too Many Requests"
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                await writer.drain()
                return
            up_reader, up_writer = await asyncio.open_connection(*self.upstream)
            head = re.sub(rb"(?i)\r\nconnection: [^\r]*", b"", head)
            up_writer.write(head[:-2] + b"Connection: close\r\n\r\n" + body)
            await up_writer.drain()
            answer = await up_reader.readuntil(b"\r\n\r\n")
            answer = re.sub(rb"(?i)\r\nconnection: [^\r]*", b"", answer)
            writer.write(answer[:-2] + b"Connection: close\r\n\r\n")
            if not head.startswith(b"HEAD"):
                rest = await up_reader.read()
                if self.break_every and len(rest) > 1 and number % self.break_every == 0:
                    self.broken += 1
                    rest = rest[: len(rest) // 2]
                writer.write(rest)
            await writer.drain()
            up_writer.close()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.in_flight -= 1
            writer.close()
