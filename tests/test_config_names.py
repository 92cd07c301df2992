"""Names of settings: a slip from one of ours is refused, anybody else's name is let alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies

from config import VARIABLES, Config
from errors import ConfigError
from tests.test_config import NAMES, read, refusal, working_directory

__all__ = ["working_directory"]

SLIPS = {
    "BACKND_URL": "BACKEND_URL",
    "BACKEDN_URL": "BACKEND_URL",
    "BACKEND_URLS": "BACKEND_URL",
    "BACKEND_URI": "BACKEND_URL",
    "BACKENDURL": "BACKEND_URL",
    "BACKED": "BACKEND",
    "PROXY_API_KEY": "PROXY_API_KEYS",
    "PROXY-PORT": "PROXY_PORT",
    "LOG_LEVLE": "LOG_LEVEL",
    "XMODEL_SYNTAX": "MODEL_SYNTAX",
    "ENABLE_TOOL_CALL_CONVERSIONS": "ENABLE_TOOL_CALL_CONVERSION",
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_misspelt_variable_is_refused(name: str) -> None:
    (meant,) = [v for v in VARIABLES if v.name == SLIPS[name]]
    shown = "(hidden)" if meant.secret else "'value'"
    message = refusal({name: "value"})
    assert message == f"{name}={shown}: no such setting; did you mean {meant.name}? It takes {meant.kind.takes}"


def test_a_misspelt_variable_is_refused_also_beside_the_right_one() -> None:
    assert refusal({"BACKND_URL": "http://a", "BACKEND_URL": "http://b"}).startswith("BACKND_URL=")


OTHER_NAMES = "BACKEND_URLS_X MY_BACKEND_URL BACKEND_URL_OLD VITE_BACKEND_URL backend_url MPLBACKEND KERAS_BACKEND"
OTHER_NAMES += " BACKENDS LOGLEVEL CORS_ORIGIN REQUESTS_TIMEOUT HTTP_PROXY ALL_PROXY PROXY PROXY_URL NO_PROXY"
OTHER_NAMES += " HEAP HEALS HEAD REAL DEAL FLASK_APP FLASK_DEBUG FLASK_ENVIRONMENT LOG_LEVEL_ROOT PATH MODEL SYNTAX"


@pytest.mark.parametrize("name", OTHER_NAMES.split())
def test_a_name_of_somebody_else_is_no_slip(name: str) -> None:
    assert read(**{name: "value"}) == read()


def test_a_misspelt_variable_without_a_value_means_nothing() -> None:
    assert read(BACKND_URL=" ") == read()


def test_a_misspelt_variable_in_the_file(working_directory: Path) -> None:
    (working_directory / ".env").write_text("PROXY_PROT=5001\n")
    with pytest.raises(ConfigError, match=r"^PROXY_PROT='5001': no such setting; did you mean PROXY_PORT\? It takes "):
        Config.from_environment()


@given(name=strategies.sampled_from(NAMES), at=strategies.integers(0, 40), letter=strategies.characters())
def test_no_name_is_quoted_that_does_not_fit_into_a_line(name: str, at: int, letter: str) -> None:
    for text in (name[:at] + letter + name[at + 1 :], name[:at] + letter + name[at:], name[:at] + name[at + 1 :]):
        try:
            Config.from_environment({text: "1"})
        except ConfigError as error:
            assert str(error).isprintable()
