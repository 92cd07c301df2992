"""What gunicorn makes once where it made it for each request."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest

pytestmark = pytest.mark.long

gunicorn_config = pytest.importorskip("gunicorn.config")
gunicorn_util = pytest.importorskip("gunicorn.util")

from serving import made_once  # noqa: E402


def test_dates_are_those_of_gunicorn(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = gunicorn_util.http_date
    monkeypatch.setattr(gunicorn_util, "http_date", usual)
    made_once.make_dates_once()
    for moment in (0.0, 1_796_000_000.2, 1_796_000_000.9, 1_796_000_001.0):
        assert gunicorn_util.http_date(moment) == usual(moment)
    assert parsedate_to_datetime(gunicorn_util.http_date()).tzinfo is not None


def test_settings_are_the_same_and_properties_go_first() -> None:
    usual, quick = gunicorn_config.Config(), gunicorn_config.Config()
    for each in (usual, quick):
        each.set("keepalive", 75)
        each.set("worker_class", "sync")
        each.set("threads", 3)
    made_once.make_settings_once(quick)
    for name in usual.settings:
        assert str(getattr(quick, name)).split(" at ")[0] == str(getattr(usual, name)).split(" at ")[0], name
    assert quick.worker_class is usual.worker_class
    assert quick.keepalive == 75
