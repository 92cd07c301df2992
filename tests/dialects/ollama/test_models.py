"""What clients of the Ollama API ask beside a conversation, in front of backends of all kinds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import ollama
import pytest

from app import create_app
from config import Config
from tests.cases import in_one_test
from tests.servers import Answer, Json, Received, ScriptedBackend, json_answer

NOT_FOUND = json_answer({"error": {"message": "File Not Found", "type": "not_found_error", "code": 404}}, 404)
LISTED = {
    "object": "list",
    "data": [
        {"id": "zai-org/GLM-4.6", "object": "model", "created": 1700000000, "max_model_len": 131072},
        {"id": "llama", "meta": {"n_ctx_train": 4096}, "created": "yesterday"},
        {"id": 7},
        "x",
    ],
}
DETAILS: Json = {
    "parent_model": "",
    "format": "gguf",
    "family": "qwen3",
    "families": ["qwen3"],
    "parameter_size": "8.2B",
    "quantization_level": "Q4_K_M",
}
NO_DETAILS: Json = {
    "parent_model": "",
    "format": "",
    "family": "",
    "families": [],
    "parameter_size": "",
    "quantization_level": "",
}
TAG: Json = {
    "name": "qwen3:8b",
    "model": "qwen3:8b",
    "modified_at": "2025-05-04T17:37:44.706015396-07:00",
    "size": 5225376047,
    "digest": "500a1f067a9f",
    "details": DETAILS,
}
RUNNING: Json = {
    **TAG,
    "expires_at": "2025-06-04T14:38:31.83753-07:00",
    "size_vram": 5137025024,
    "context_length": 4096,
}
SHOWN: Json = {
    "modelfile": "FROM qwen3",
    "parameters": 'stop "<|im_end|>"',
    "template": "{{ .Prompt }}",
    "license": "Apache",
    "details": DETAILS,
    "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40960},
    "capabilities": ["completion", "vision"],
    "modified_at": "2025-05-04T17:37:44.706015396-07:00",
}
LLAMA_SERVER_TAG: Json = {
    "name": "a.gguf",
    "model": "a.gguf",
    "modified_at": "",
    "size": "",
    "digest": "",
    "details": {"families": [""]},
}
LLAMA_SERVER_SHOWN: Json = {
    "details": {"format": "gguf", "families": [""]},
    "model_info": "",
    "capabilities": ["completion"],
}


class Faces:
    """A client of the application, before a backend that answers these paths and no others."""

    def __init__(self, backend: ScriptedBackend) -> None:
        self.backend = backend
        self.paths: Mapping[str, Any] = {}
        backend.answer = self._answer
        config = Config.from_environment({"BACKEND_URL": backend.url})
        self.client = create_app(config).test_client()

    def _answer(self, received: Received) -> Answer:
        answer = self.paths.get(received.target)
        return answer if isinstance(answer, Answer) else NOT_FOUND if answer is None else json_answer(answer)

    def get(self, path: str, **paths: Any) -> Json:
        self.paths = {f"/{name.replace('_', '/')}": answer for name, answer in paths.items()}
        return self._json(self.client.get(path))

    def show(self, model: str, **paths: Any) -> Json:
        self.paths = {f"/{name.replace('_', '/')}": answer for name, answer in paths.items()}
        return self._json(self.client.post("/api/show", json={"model": model}))

    @staticmethod
    def _json(response: Any) -> Json:
        assert response.content_type == "application/json"
        told: Json = {"status": response.status_code, **response.get_json()}
        return told


@pytest.fixture(scope="module")
def faces() -> Iterator[Faces]:
    with ScriptedBackend() as backend:
        yield Faces(backend)


def test_the_version_is_a_number_that_clients_take(faces: Faces) -> None:
    faces.backend.forget()
    told = faces.get("/api/version")
    assert list(told) == ["status", "version"] and re.fullmatch(r"\d+\.\d+\.\d+", told["version"])
    assert tuple(map(int, told["version"].split("."))) >= (0, 6, 4)
    assert not faces.backend.requests, "nobody needs to be asked"


def test_the_models_of_a_backend_that_is_no_ollama(faces: Faces) -> None:
    first, second = faces.get("/api/tags", v1_models=LISTED)["models"]
    assert first == {
        "name": "zai-org/GLM-4.6",
        "model": "zai-org/GLM-4.6",
        "modified_at": "2023-11-14T22:13:20.000000000Z",
        "size": 0,
        "digest": "",
        "details": NO_DETAILS,
    }
    assert second["name"] == "llama" and re.match(r"20\d\d-", second["modified_at"])
    assert [each.target for each in faces.backend.requests[-2:]] == ["/api/tags", "/v1/models"]


def test_the_models_of_an_ollama_are_its_own(faces: Faces) -> None:
    assert faces.get("/api/tags", api_tags={"models": [TAG]})["models"] == [TAG]
    running = {name: value for name, value in RUNNING.items() if name != "modified_at"}
    assert faces.get("/api/ps", api_ps={"models": [RUNNING]})["models"] == [running]
    assert faces.get("/api/ps", api_ps={"models": []}, v1_models=LISTED)["models"] == []


def test_running_models_of_others_are_all_that_they_list(faces: Faces) -> None:
    first, second = faces.get("/api/ps", v1_models=LISTED)["models"]
    assert (first["name"], first["context_length"], second["context_length"]) == ("zai-org/GLM-4.6", 131072, 4096)
    assert first["size"] == first["size_vram"] == 0 and first["expires_at"].startswith("2318-")


def test_what_would_break_a_client_is_put_right(faces: Faces) -> None:
    """llama-server plays an Ollama, with empty texts for dates, sizes and objects."""
    told = faces.get("/api/tags", api_tags={"models": [LLAMA_SERVER_TAG, {"name": ""}, 7]})
    (model,) = ollama.ListResponse(models=told["models"]).models
    assert model.model == "a.gguf" and model.size == 0 and model.modified_at is not None
    shown = faces.show("a.gguf", api_show=LLAMA_SERVER_SHOWN)
    assert shown["model_info"] == {"general.architecture": "unknown", "general.basename": "a.gguf"}
    assert shown["details"] == {**NO_DETAILS, "format": "gguf", "families": [""]}
    ollama.ShowResponse(**shown)


@in_one_test(
    ("model", "capabilities"),
    [("zai-org/GLM-4.6", ["completion", "tools", "thinking"]), ("llama", ["completion", "tools"])],
)
def test_a_model_of_a_backend_that_is_no_ollama(faces: Faces, model: str, capabilities: list[str]) -> None:
    for name in (model, f"{model}:latest"):
        told = faces.show(name, v1_models=LISTED)
        assert told["capabilities"] == capabilities and told["details"] == NO_DETAILS
        length = told["model_info"][f"{told['model_info']['general.architecture']}.context_length"]
        assert length == {"zai-org/GLM-4.6": 131072, "llama": 4096}[model]
        assert told["template"] == told["parameters"] == told["modelfile"] == ""


def test_a_model_of_an_ollama_can_also_call_tools(faces: Faces) -> None:
    told = faces.show("qwen3:8b", api_show=SHOWN)
    assert json.loads(faces.backend.last.body) == {"model": "qwen3:8b"}
    info = {**SHOWN["model_info"], "general.basename": "qwen3:8b"}
    expected = {**SHOWN, "model_info": info, "capabilities": ["completion", "vision", "tools", "thinking"]}
    assert told == {"status": 200, **expected}
    assert faces.show("embed", api_show={**SHOWN, "capabilities": ["embedding"]})["capabilities"] == ["embedding"]


@in_one_test("body", [b"", b"{", b"[]", b"{}", b'{"model": 7}', b'{"name": null}'])
def test_show_needs_a_model(faces: Faces, body: bytes) -> None:
    response = faces.client.post("/api/show", data=body)
    assert response.status_code == 400 and list(response.get_json()) == ["error"]


def test_show_knows_the_older_name_of_its_field(faces: Faces) -> None:
    faces.paths = {"/v1/models": LISTED}
    assert faces.client.post("/api/show", json={"name": "llama"}).status_code == 200


def test_a_model_that_the_backend_does_not_list(faces: Faces) -> None:
    assert faces.show("other", v1_models=LISTED) == {"status": 404, "error": "model 'other' not found"}


@in_one_test(
    ("answer", "status", "text"),
    [
        (json_answer({"error": {"message": "Who are you?"}}, 401), 401, "Who are you?"),
        (json_answer({"error": "Loading."}, 503), 503, "Loading."),
        (NOT_FOUND, 404, "File Not Found"),
        (json_answer({"error": "Unexpected endpoint"}, 200), 502, "Unexpected endpoint"),
        (json_answer(b"[" * 9999), 502, "The backend does not list its models."),
        (json_answer(b"<html>", 500), 500, "The backend does not list its models."),
    ],
)
def test_a_backend_that_does_not_tell_its_models(faces: Faces, answer: Answer, status: int, text: str) -> None:
    for path in ("/api/tags", "/api/ps"):
        assert faces.get(path, v1_models=answer) == {"status": status, "error": text}
    assert faces.show("m", v1_models=answer) == {"status": status, "error": text}


def test_a_backend_that_is_not_there() -> None:
    client = create_app(Config(backend_url="http://127.0.0.1:9")).test_client()
    assert client.get("/api/version").status_code == 200
    for response in (client.get("/api/tags"), client.post("/api/show", json={"model": "m"})):
        assert response.status_code == 502 and list(response.get_json()) == ["error"]
        assert response.headers["Retry-After"]


@in_one_test(
    "path",
    ["/api/delete", "/api/pull", "/api/push", "/api/create", "/api/copy", "/api/embed", "/api/", "/api/v1/models"],
)
def test_nothing_else_reaches_the_backend(faces: Faces, path: str) -> None:
    faces.backend.forget()
    for method in ("POST", "DELETE", "GET", "HEAD", "PUT"):
        response = faces.client.open(path, method=method, json={"model": "m"})
        assert response.status_code == 404, method
        assert method == "HEAD" or list(response.get_json()) == ["error"]
    assert not faces.backend.requests


def test_a_wrong_method_is_told_in_the_form_of_the_api(faces: Faces) -> None:
    for path in ("/api/chat", "/api/generate", "/api/show"):
        response = faces.client.get(path)
        assert response.status_code == 405 and list(response.get_json()) == ["error"]


@in_one_test("settings", [{"FORWARD": "ollama"}, {"ENABLE_TOOL_CALL_CONVERSION": "false"}])
def test_a_forwarded_api_goes_to_the_backend_as_it_is_and_no_further_route_does(settings: dict[str, str]) -> None:
    with ScriptedBackend(json_answer({"as": "it was"})) as backend:
        client = create_app(Config.from_environment({"BACKEND_URL": backend.url, **settings})).test_client()
        for method, path in (
            ("POST", "/api/chat"),
            ("POST", "/api/generate"),
            ("POST", "/api/show"),
            ("GET", "/api/tags"),
            ("GET", "/api/ps"),
            ("GET", "/api/version"),
        ):
            response = client.open(path, method=method, data=b'{"no": "model"}')
            assert response.get_json() == {"as": "it was"}
            assert (backend.last.target, backend.last.body) == (path, b'{"no": "model"}')
        backend.forget()
        assert client.post("/api/delete", json={"model": "m"}).status_code == 404
        assert not backend.requests
