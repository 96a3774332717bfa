from collections.abc import Iterator

import pytest

from tests.browser.chromium import Browser, found_chromium, started


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    binary = found_chromium()
    if binary is None:
        pytest.skip("no Chromium: install the package chromium to look at pages in a real browser")
    with started(binary, tmp_path_factory.mktemp("chromium")) as made:
        yield made
