"""Settings that are probably a mistake: warnings, the proxy as its own backend, a URL that is an endpoint."""

from __future__ import annotations

import pytest

from tests.test_config import read, refusal

CLOSED = {"PROXY_HOST": "127.0.0.1"}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "LOCALHOST", "::1", "[::1]"])
def test_loopback_needs_no_keys(host: str) -> None:
    assert read(PROXY_HOST=host).warnings() == ()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "box.lan"])
def test_open_bind_without_keys(host: str) -> None:
    (warning,) = read(PROXY_HOST=host).warnings()
    assert warning.startswith(f"PROXY_HOST={host} without PROXY_API_KEYS: ")
    assert read(PROXY_HOST=host, PROXY_API_KEYS="one").warnings() == ()


def test_open_bind_with_our_key() -> None:
    (warning,) = read(BACKEND_API_KEY="sk-s3cret").warnings()
    assert "BACKEND_API_KEY" in warning
    assert "s3cret" not in warning


def test_every_origin_without_keys() -> None:
    (warning,) = read(**CLOSED, CORS_ORIGINS="https://a.example,*").warnings()
    assert warning.startswith("CORS_ORIGINS=* ")
    assert read(**CLOSED, CORS_ORIGINS="*", PROXY_API_KEYS="one").warnings() == ()


def test_no_key_left_for_the_backend() -> None:
    (warning,) = read(BACKEND="openai", PROXY_API_KEYS="one").warnings()
    assert "BACKEND_API_KEY" in warning
    assert read(BACKEND="openai", PROXY_API_KEYS="one", BACKEND_API_KEY="two").warnings() == ()


@pytest.mark.parametrize("proxy", ["127.0.0.1", "0.0.0.0", "::"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "0.0.0.0"])
def test_the_proxy_as_its_own_backend(host: str, proxy: str) -> None:
    message = refusal({"PROXY_HOST": proxy, "BACKEND_HOST": host, "BACKEND_PORT": "5000"})
    assert message.startswith("BACKEND_PORT='5000': takes ") and message.isprintable()
    assert message.endswith(":5000 is this proxy itself (PROXY_PORT=5000)")
    assert read(PROXY_HOST=proxy, BACKEND_HOST=host, BACKEND_PORT="5001").proxy_port == 5000
    assert read(PROXY_HOST=proxy, BACKEND_HOST="box.lan", BACKEND_PORT="5000").proxy_port == 5000


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"BACKEND_URL": "http://localhost:5000/v1"}, "BACKEND_URL"),
        ({"BACKEND_URL": "http://localhost", "PROXY_PORT": "80"}, "BACKEND_URL"),
        ({"BACKEND_URL": "http://10.0.0.7:5000", "PROXY_HOST": "10.0.0.7"}, "BACKEND_URL"),
        ({"BACKEND": "ollama", "PROXY_PORT": "11434"}, "BACKEND"),
        ({"PROXY_PORT": "8888"}, "PROXY_PORT"),
    ],
)
def test_the_variable_that_makes_the_proxy_its_own_backend_is_named(environ: dict[str, str], named: str) -> None:
    message = refusal(environ)
    assert message.startswith(f"{named}={environ[named]!r}: takes ") and "is this proxy itself" in message


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://localhost:1234/v1/chat/completions", "/v1/chat/completions"),
        ("http://localhost:1234/v1/chat/completions/", "/v1/chat/completions/"),
        ("http://localhost:1234/chat/completions", "/chat/completions"),
        ("https://host/prefix/V1/Chat/Completions", "/V1/Chat/Completions"),
        ("http://localhost:1234/v1/models", "/v1/models"),
        ("http://localhost:1234/v1/completions", "/v1/completions"),
        ("http://localhost:1234/v1/embeddings", "/v1/embeddings"),
        ("http://localhost:1234/v1/responses", "/v1/responses"),
        ("http://localhost:1234/v1/messages", "/v1/messages"),
        ("http://localhost:11434/api/chat", "/api/chat"),
        ("http://localhost:11434/api/generate", "/api/generate"),
    ],
)
def test_an_endpoint_is_no_base_url(url: str, endpoint: str) -> None:
    message = refusal({"BACKEND_URL": url})
    assert message.startswith(f"BACKEND_URL={url!r}: takes ")
    assert message.endswith(f"; leave out {endpoint}")


@pytest.mark.parametrize(
    "path", ["/models/v1", "/models", "/api", "/openai/v1", "/v1/completions/v1", "/chat", "/v1beta"]
)
def test_a_prefix_that_is_called_like_an_endpoint_is_taken(path: str) -> None:
    assert read(BACKEND_URL=f"https://host{path}").backend_url.startswith("https://host/")


def test_each_warning_is_one_line() -> None:
    environ = {"CORS_ORIGINS": "*", "BACKEND_API_KEY": "sk-s3cret"}
    warnings = read(**environ).warnings()
    assert len(warnings) == 2
    assert all(warning.isprintable() for warning in warnings)
