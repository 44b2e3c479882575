from __future__ import annotations

import pytest

from testing.api import Api
from tests.gql.server.updates import Source


@pytest.fixture
def source(api: Api, monkeypatch: pytest.MonkeyPatch) -> Source:
    """A source of updates in place of the hub's, silent at first."""
    made = Source()
    monkeypatch.setattr(api.services.feed, "subscribe", made.subscribe)
    return made
