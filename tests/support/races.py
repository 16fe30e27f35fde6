"""Several clients that all want the same at the same moment."""

import concurrent.futures
import threading

import pyarrow as pa


class AtOnce:
    """Lets all clients do something at the same moment, again and again."""

    def __init__(self, clients):
        self._clients = clients
        self._start = threading.Barrier(len(clients))
        self._pool = concurrent.futures.ThreadPoolExecutor(len(clients))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._pool.shutdown()

    def winners(self, attempt):
        """The numbers of those whose `attempt(client, number)` was not refused."""
        def contend(number):
            self._start.wait()
            try:
                attempt(self._clients[number], number)
            except (pa.ArrowInvalid, KeyError):  # The condition did not hold, or it was dropped.
                return None
            return number
        answers = self._pool.map(contend, range(len(self._clients)))
        return [number for number in answers if number is not None]
