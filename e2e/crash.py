#!/usr/bin/env python3
"""Kills the gateway with SIGKILL under load, many times, and checks the ledger after each time.

    crash.py [--rounds N] [--seed S] [--clients C]

What has to hold, for every request of every round (its `user` member is a marker of its own):

* A response that the client received to its end has exactly one row. The row is settled, has the
  id the client was given and the cost the client was shown.
* A request that the provider saw has exactly one row: settled, estimated, void or interrupted.
* There is no row of a request that was never sent, no id appears twice, and what the gateway says it
  has charged in all is the sum of the rows.

Standard library only. Exit code 0 when all of that held, 1 when it did not.
"""

import argparse
import http.client
import json
import random
import sqlite3
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))
from harness import Gateway, end_children_on_sigterm, gateway_key, temporary_folder, wait_until  # noqa: E402
from money import nanodollars  # noqa: E402
from simulator import Simulator  # noqa: E402

FINAL = {"settled", "estimated", "void", "interrupted"}
REQUESTS_PER_CLIENT = 60
LOAD_SECONDS = (0.02, 0.6)
RECOVERY_SECONDS = 10


@dataclass(frozen=True)
class Received:
    """A response that arrived whole."""

    id: str
    cost_nano: int


def read_whole(response):
    """The answer of a request without `stream`; raises when the body was cut."""
    body = json.loads(response.read())
    return Received(body["id"], nanodollars(body["usage"]["cost"]))


def read_stream(response):
    """The answer of a streamed request, or None when it ended before `data: [DONE]`."""
    answer = None
    while line := response.readline():
        if not line.startswith(b"data: "):
            continue
        data = line[6:].strip()
        if data == b"[DONE]":
            return answer
        chunk = json.loads(data)
        if "error" in chunk:
            return None
        if usage := chunk.get("usage"):
            answer = Received(chunk["id"], nanodollars(usage["cost"]))
    return None


class Client(threading.Thread):
    """Sends requests one after the other over one connection until the gateway is gone."""

    def __init__(self, gateway, name, seed):
        super().__init__(daemon=True)
        self.port, self.headers = gateway.port, gateway.authorized() | {"content-type": "application/json"}
        self.marker, self.random = name, random.Random(seed)
        self.sent, self.received, self.refused = [], {}, Counter()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            for number in range(REQUESTS_PER_CLIENT):
                self.request(connection, f"{self.marker}-{number}")
        except (OSError, http.client.HTTPException):
            pass  # The gateway was killed: that is the point of the test.
        finally:
            connection.close()

    def request(self, connection, marker):
        stream = self.random.random() < 0.5
        body = {
            "model": "openai/crash-stream" if stream else "openai/crash-whole",
            "messages": [{"role": "user", "content": f"Tell me about {marker}."}],
            "user": marker,
            "stream": stream,
        }
        self.sent.append(marker)
        connection.request("POST", "/v1/chat/completions", json.dumps(body), self.headers)
        response = connection.getresponse()
        if response.status != 200:
            self.refused[response.status] += 1
            response.read()
            return
        answer = read_stream(response) if stream else read_whole(response)
        if answer is None:
            raise http.client.IncompleteRead(b"")
        self.received[marker] = answer
        response.read()


def ledger(file, markers_like):
    """marker → its rows (id, status, cost_nano), read beside the running gateway."""
    rows = {}
    connection = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=10)
    try:
        query = "SELECT end_user, id, status, cost_nano FROM ledger WHERE end_user LIKE ?"
        for marker, *row in connection.execute(query, (markers_like,)):
            rows.setdefault(marker, []).append(tuple(row))
    finally:
        connection.close()
    return rows


def violations(sent, received, seen, rows):
    """Every way in which the rows contradict what the clients and the provider saw."""
    found = []
    for marker in received.keys() | seen:
        if len(rows.get(marker, [])) != 1:
            found.append(f"{marker}: {len(rows.get(marker, []))} rows instead of one: {rows.get(marker)}")
    for marker, mine in rows.items():
        if marker not in sent:
            found.append(f"{marker}: a row of a request that was never sent")
        for identifier, status, cost in mine:
            if status not in FINAL:
                found.append(f"{marker}: {identifier} is left as {status!r}")
            answer = received.get(marker)
            if answer and status != "settled":
                found.append(f"{marker}: received to the end, but its row is {status!r}")
            if answer and (identifier, cost) != (answer.id, answer.cost_nano):
                found.append(f"{marker}: client was told {answer}, the row says {identifier}, {cost}")
    ids = Counter(row[0] for mine in rows.values() for row in mine)
    found += [f"{identifier}: {count} rows have this id" for identifier, count in ids.items() if count > 1]
    return found


def total_differs(gateway, rows):
    """The sum of all rows against the sum that the gateway shows."""
    rows_say = sum(cost or 0 for mine in rows.values() for _, _, cost in mine)
    gateway_says = nanodollars(gateway.get_json("/v1/credits", gateway.authorized())["total_used"])
    if rows_say == gateway_says:
        return []
    return [f"the rows cost {rows_say} nanodollars, the gateway says {gateway_says}"]


class Totals:
    """What all rounds together have sent, received and found."""

    def __init__(self):
        self.sent, self.received, self.seen = set(), {}, set()
        self.refused, self.statuses = Counter(), Counter()


def load_and_kill(gateway, round_number, clients, rng, totals):
    """One burst of load that ends with SIGKILL at a random moment."""
    threads = [Client(gateway, f"crash-{round_number}-{index}", rng.random()) for index in range(clients)]
    for thread in threads:
        thread.start()
    time.sleep(rng.uniform(*LOAD_SECONDS))
    gateway.kill()
    for thread in threads:
        thread.join(30)
        if thread.is_alive():
            raise RuntimeError(f"client {thread.marker} still waits for a gateway that is dead")
        totals.sent.update(thread.sent)
        totals.received.update(thread.received)
        totals.refused.update(thread.refused)


def check(gateway, totals, markers_like):
    """Compares ledger and clients; waits for the recovery to finish, not for luck."""
    prefix = markers_like.rstrip("%")
    mine = {marker for marker in totals.sent if marker.startswith(prefix)}
    received = {marker: answer for marker, answer in totals.received.items() if marker in mine}
    state = {}

    def settled():
        state["rows"] = ledger(gateway.data / "tollgate.db", markers_like)
        state["found"] = violations(mine, received, totals.seen & mine, state["rows"])
        return not state["found"]

    wait_until(settled, RECOVERY_SECONDS, 0.1)
    return state["rows"], state["found"]


def run(rounds, seed, clients, folder):
    """All rounds; returns the totals and the violations."""
    rng, totals, found = random.Random(seed), Totals(), []
    key = gateway_key()
    simulator = Simulator(folder)
    gateway = None
    try:
        gateway = Gateway(folder, simulator.url, key)
        for number in range(rounds):
            load_and_kill(gateway, number, clients, rng, totals)
            totals.seen.update(simulator.seen("user"))
            gateway = Gateway(folder, simulator.url, key)
            found += check(gateway, totals, f"crash-{number}-%")[1]
            if found:
                break  # The folder is as the violation left it; more load would only bury it.
        # A later recovery must not touch what an earlier one left: everything, once more.
        rows, last = check(gateway, totals, "crash-%")
        found += [text for text in last if text not in found] + total_differs(gateway, rows)
        totals.statuses.update(status for mine in rows.values() for _, status, _ in mine)
    finally:
        if gateway:
            gateway.kill()
        simulator.stop()
    return totals, found


def main():
    """Parses the arguments, runs, and prints one closing line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, default=8, choices=range(1, 33), metavar="1..32")
    options = parser.parse_args()
    end_children_on_sigterm()
    with temporary_folder() as folder:
        totals, found = run(options.rounds, options.seed, options.clients, folder)
    for text in found[:50]:
        print(f"violation: {text}", file=sys.stderr)
    if not totals.received or not totals.seen - totals.received.keys():
        found.append("the load never met the kill")
        print("violation: no request was cut, or none finished: the kill tested nothing", file=sys.stderr)
    statuses = ", ".join(f"{count} {status}" for status, count in sorted(totals.statuses.items()))
    print(
        f"crash: {options.rounds} rounds (seed {options.seed}), {len(totals.sent)} requests sent, "
        f"{len(totals.seen)} seen by the provider, {len(totals.received)} received to the end, "
        f"{sum(totals.refused.values())} refused; rows: {statuses or 'none'}; "
        f"{len(found)} violations"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
