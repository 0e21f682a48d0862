"""The provider simulator as a process of its own, and its control interface."""

import json

from harness import Program


class Simulator(Program):
    """`tollgate simulate` on a free port."""

    def __init__(self, folder):
        super().__init__(["simulate", "--listen", "127.0.0.1:0"], folder, "simulator")

    def seen(self, field):
        """The values of one top-level body member in all requests so far."""
        return self.get_json(f"/__sim/seen?field={field}")

    def requests(self, marker):
        """The requests whose body contains this text, oldest first, headers as a dictionary."""
        every = self.get_json("/__sim/requests")
        found = [one for one in every if marker in json.dumps(one["body"], ensure_ascii=False)]
        return [one | {"headers": dict(one["headers"])} for one in found]

    def request(self, marker):
        """The one request whose body contains this text."""
        found = self.requests(marker)
        assert len(found) == 1, f"{len(found)} requests with {marker!r} reached the provider, not one"
        return found[0]

    def left_after(self, marker):
        """Seconds from the receipt of that request until its client was gone; None while it is there."""
        microseconds = self.request(marker)["left_after_us"]
        return None if microseconds is None else microseconds / 1e6

    def script(self, marker, behaviour, times=1):
        """Lays out the behaviour for the next requests with this `user` member."""
        script = {"matches": {"member": ["user", marker]}, "behaviour": behaviour, "times": times}
        status, _, body = self.call("POST", "/__sim/script", script)
        assert status == 200, body
