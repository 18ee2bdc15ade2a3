import pytest

import support


@pytest.fixture(scope="session")
def sdk():
    with support.client() as sdk:
        yield sdk


@pytest.fixture
def slow():
    """The slow proxy, its only slot free."""
    with support.client(support.SLOW_PROXY) as sdk:
        support.ask_when_free(sdk)
        yield sdk


@pytest.fixture(scope="session")
def answer(sdk):
    """The steered answer that others are compared with."""
    return support.ask(sdk)


@pytest.fixture(scope="session")
def text(answer):
    return support.content(answer)
