import pytest

import support


@pytest.fixture(scope="session")
def text():
    """The answer that all clients are to get."""
    text = support.asked_directly()
    assert support.NAME in text
    return text
