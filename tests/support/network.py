"""A network of its own for a test: machines with an address each, which can be cut off.

    with Network() as network:
        node, client = network.machine(), network.machine()
        server = start_server(listen=node.address_of(8815), wrapper=node.enter())
        subprocess.run(client.enter() + [...])
        node.cut()                  # nothing gets to it or from it any more, and nobody is told
        node.join()

A machine is a network namespace, all of them hang on one bridge, and nothing of it is seen outside:
it goes with the process that made it. Only the network is the machine's own; files and processes
are everybody's. To let what runs on machines and what runs outside reach each other:

    network.expose(host, port)            # an outside server, as (address, port) for all machines
    network.reach(machine.address, port)  # a machine's server, as (127.0.0.1, port) for outside
"""

import contextlib
import os
import shutil
import socket
import subprocess
import threading

_PREFIX = "10.77.0"
_BRIDGE = "bridge"
_BLOCK_BYTES = 1 << 20


def why_not():
    """Why networks cannot be made here; None where they can."""
    if shutil.which("ip") is None:
        return "ip(8) is not installed (package iproute2)"
    try:
        with Network():
            return None
    except (OSError, subprocess.CalledProcessError) as error:
        return f"network namespaces cannot be made here: {error}"


class _Namespace:
    """A network namespace that lives as long as this object is open."""

    def __init__(self):
        made = _in_thread(self._make)
        self._descriptor = made
        self.path = f"/proc/{os.getpid()}/fd/{made}"
        self.run("ip", "link", "set", "lo", "up")

    @staticmethod
    def _make():
        os.unshare(os.CLONE_NEWNET)
        return os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net",
                       os.O_RDONLY | os.O_CLOEXEC)

    def enter(self):
        """The beginning of a command line, which then runs in here."""
        return ["nsenter", f"--net={self.path}"]

    def run(self, *command):
        subprocess.run([*self.enter(), *command], check=True, capture_output=True, text=True)

    def call(self, function):
        """What `function()` gives, run in here. Sockets that it opens stay in here."""
        def inside():
            os.setns(self._descriptor, os.CLONE_NEWNET)
            return function()
        return _in_thread(inside)

    def close(self):
        os.close(self._descriptor)


def _in_thread(function):
    """Runs it in a thread of its own: a thread that changed its namespace ends with it."""
    outcome = {}

    def run():
        try:
            outcome["value"] = function()
        except BaseException as error:  # pylint: disable=broad-except
            outcome["error"] = error
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


class Machine:
    """One machine of a Network."""

    def __init__(self, switch, number):
        self.address = f"{_PREFIX}.{number}"
        self._switch = switch
        self._port = f"port{number}"
        self._namespace = _Namespace()
        switch.run("ip", "link", "add", self._port, "type", "veth",
                   "peer", "name", "eth0", "netns", self._namespace.path)
        switch.run("ip", "link", "set", self._port, "master", _BRIDGE, "up")
        self._namespace.run("ip", "address", "add", f"{self.address}/24", "dev", "eth0")
        self._namespace.run("ip", "link", "set", "eth0", "up")

    def uri_of(self, port, scheme="grpc"):
        """Where something on this machine listens, for programs on machines."""
        return f"{scheme}://{self.address}:{port}"

    def enter(self):
        """The beginning of a command line, which then runs on this machine."""
        return self._namespace.enter()

    def run(self, command, **options):
        """subprocess.run on this machine."""
        return subprocess.run([*self.enter(), *map(str, command)], check=False, **options)

    def popen(self, command, **options):
        """subprocess.Popen on this machine; the program ends with the tests."""
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *self.enter(), *map(str, command)], **options)

    def cut(self):
        """From now on nothing gets to the machine or from it, as if a cable were pulled."""
        self._switch.run("ip", "link", "set", self._port, "down")

    def join(self):
        """Undoes `cut`."""
        self._switch.run("ip", "link", "set", self._port, "up")

    def close(self):
        self._namespace.close()


class Network:
    """See the head of this file."""

    def __init__(self):
        self._open = contextlib.ExitStack()
        self._machines = 0
        with contextlib.ExitStack() as undo:
            self._switch = _Namespace()
            undo.callback(self._switch.close)
            self._switch.run("ip", "link", "add", _BRIDGE, "type", "bridge")
            # A port that comes up passes on at once what comes.
            self._switch.run("ip", "address", "add", f"{_PREFIX}.1/24", "dev", _BRIDGE)
            self._switch.run("ip", "link", "set", _BRIDGE, "up")
            self._open = undo.pop_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._open.close()

    def machine(self):
        """A new machine."""
        self._machines += 1
        machine = Machine(self._switch, 10 + self._machines)
        self._open.callback(machine.close)
        return machine

    def expose(self, host, port):
        """Lets machines reach what listens outside on HOST:PORT: the address and port for them."""
        listener = self._switch.call(lambda: socket.create_server((f"{_PREFIX}.1", 0), backlog=128))
        self._forward(listener, lambda: socket.create_connection((host, port)))
        return listener.getsockname()

    def reach(self, address, port):
        """Lets programs outside reach what listens on a machine: the address and port for them."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._forward(listener, lambda: self._switch.call(
            lambda: socket.create_connection((address, port), timeout=5)))
        return listener.getsockname()

    def _forward(self, listener, connect):
        forwarder = _Forwarder(listener, connect)
        self._open.callback(forwarder.close)


class _Forwarder:
    """Accepts connections and passes on, in both directions, what comes."""

    def __init__(self, listener, connect):
        self._listener = listener
        self._connect = connect
        self._lock = threading.Lock()
        self._sockets = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self):
        # Ends accept(), and what waits in recv() and send().
        for one in (self._listener, *self._take_all()):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _take_all(self):
        with self._lock:
            return list(self._sockets)

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        with near:
            try:
                far = self._connect()
            except OSError:
                return
            with far:
                far.settimeout(None)
                for one in (near, far):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._sockets |= {near, far}
                try:
                    back = threading.Thread(target=_pass_on, args=(far, near), daemon=True)
                    back.start()
                    _pass_on(near, far)
                    back.join()
                finally:
                    with self._lock:
                        self._sockets -= {near, far}


def _pass_on(source, target):
    """Until the source ends or either fails, which the other one then learns of."""
    block = bytearray(_BLOCK_BYTES)
    view = memoryview(block)
    try:
        while count := source.recv_into(block):
            target.sendall(view[:count])
    except OSError:
        with contextlib.suppress(OSError):
            source.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
