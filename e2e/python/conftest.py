"""One simulator and one gateway for the whole run, and clients for them."""

import openai
import pytest
from harness import Gateway, end_children_on_sigterm, gateway_key, temporary_folder
from simulator import Simulator

end_children_on_sigterm()


@pytest.fixture(scope="session")
def folder():
    with temporary_folder() as path:
        yield path


@pytest.fixture(scope="session")
def simulator(folder):
    program = Simulator(folder)
    yield program
    program.stop()


@pytest.fixture(scope="session")
def gateway(folder, simulator):
    program = Gateway(folder, simulator.url, gateway_key())
    yield program
    code = program.stop()
    assert code == 0, f"the gateway did not leave SIGTERM with 0 but with {code}"


@pytest.fixture
def fresh_gateway(tmp_path, simulator):
    """A gateway of the test's own, for what others' requests would disturb."""
    program = Gateway(tmp_path, simulator.url, gateway_key())
    yield program
    program.stop()


@pytest.fixture(scope="session")
def client(gateway):
    with openai.OpenAI(**gateway.client_arguments()) as client:
        yield client


@pytest.fixture
def client_with(gateway):
    """Makes clients that differ from the usual one."""
    made = []

    def make(**changes):
        made.append(openai.OpenAI(**gateway.client_arguments(**changes)))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Puts the end of the gateway's log beside a failure."""
    report = (yield).get_result()
    program = getattr(item, "funcargs", {}).get("gateway")
    if report.failed and program:
        report.sections.append(("gateway log", program.log.read_text(errors="replace")[-3000:]))
