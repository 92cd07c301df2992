"""Learn a row from a chat template: the row as it would stand in the table, the proof, what was not derived and why.

  dragoman template model.gguf
  dragoman template http://localhost:8080 --model my-model
  dragoman template tokenizer_config.json --model my-model-7b --add

FILE is a .jinja, a .gguf, a tokenizer_config.json or a chat_template.json; URL is that of such a file, or the base URL
of a llama-server or vLLM. The template runs in a child process with 2 s of CPU and 512 MB.
With --add, in a checkout of the project, the row and its corpus cases are written for a pull request.

Exit status: 0 if a row reads all calls of the proof, 1 if none does, 2 if the template cannot be read, 3 if a server
does not answer.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import requests

from command.subcommand import FINE, FOUND, UNREACHABLE, CommandError
from command.template_row import as_fields, row_code
from command.terminal import paint, say, say_json, table, visible
from config import Config
from converters.builtin import plain_name
from converters.factory import converter_factory
from converters.learning.learn import Learned
from converters.learning.proof import Proof
from converters.syntaxes import Syntax, ThinkingFamily
from errors import ConfigError
from streaming.template_question import TemplateQuestions
from templates.learner import learn_template
from templates.servers import QUESTIONS
from templates.sources import NoTemplate, Template, read_template

_LARGEST = 64 << 20
"""Bytes of a file that is fetched."""
_PATIENCE = 30.0
"""Seconds to wait for one."""
_SERVERS = ("", "/", "/v1", "/v1/")
"""Paths of a base URL."""


@dataclass(frozen=True)
class Source:
    """A template, what its model is called, and the settings that its server sets."""

    template: Template
    model: str
    defaults: Mapping[str, Any] = field(default_factory=dict)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="FILE|URL", help="a chat template, a file that holds one, or a server")
    parser.add_argument("--model", default="", metavar="NAME", help="the model's name; else that of the file")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--add", action="store_true", help="write the row and its corpus cases into this checkout")


def run(options: argparse.Namespace) -> int:
    source = _fetched(options) if "://" in options.source else _of_file(options)
    name = row_name(source.model)
    prior = converter_factory.get_builtin(source.model).syntax
    prior_name = prior.name if prior is not None else ""
    learned = learn_template(source.template, name, prior=prior_name, thorough=True, defaults=source.defaults)
    added: list[str] = []
    if options.add:
        from command.template_added import add

        added = add(source.template, learned, source.model)
    if options.json:
        say_json(_as_json(source, learned, prior_name, added))
    else:
        for line in _report(source, learned, prior_name, added):
            say(line)
    return FINE if learned.row is not None else FOUND


def row_name(model: str) -> str:
    """The name of the row of a model, as rows of the table are called."""
    return re.sub(r"\W+", "_", plain_name(model.rpartition("/")[2])).strip("_") or "row"


# -- the template ------------------------------------------------------------------------------------------------------


def _of_file(options: argparse.Namespace) -> Source:
    path = Path(options.source)
    named = path.resolve().parent.name if path.suffix == ".json" or path.stem == "chat_template" else path.stem
    if not path.is_file():
        raise CommandError(f"{options.source}: there is no such file")
    try:
        return Source(read_template(path), options.model or named)
    except NoTemplate as error:
        raise CommandError(f"{options.source}: {error}") from None


def _fetched(options: argparse.Namespace) -> Source:
    url = options.source
    try:
        parts = urlsplit(url)
    except ValueError:
        raise CommandError(f"{url}: no URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CommandError(f"{url}: takes http:// or https://")
    return _of_server(url, options.model) if parts.path in _SERVERS else _of_url(url, parts.path, options.model)


def _of_server(url: str, model: str) -> Source:
    try:
        config = Config.from_environment({"BACKEND_URL": url, "PROXY_PORT": "1"})
        key = Config.from_environment().backend_api_key
    except ConfigError as error:
        raise CommandError(str(error)) from None
    headers = [("Authorization", f"Bearer {key}")] if key else []
    try:
        told = TemplateQuestions(config.backend_url, QUESTIONS[None]).ask(model, headers)
    except NoTemplate as error:
        raise CommandError(f"{url} tells of no template: {error}", UNREACHABLE) from None
    return Source(told.template, model or urlsplit(url).hostname or "", dict(told.question.defaults))


def _of_url(url: str, path: str, model: str) -> Source:
    """A file, fetched into a folder of its own; its name says what it is."""
    data = b""
    try:
        with requests.get(url, timeout=_PATIENCE, stream=True) as answer:
            if not answer.ok:
                raise CommandError(f"{url}: status {answer.status_code}", UNREACHABLE)
            for piece in answer.iter_content(1 << 16):
                data += piece
                if len(data) > _LARGEST:
                    raise CommandError(f"{url}: more than {_LARGEST} bytes")
    except requests.RequestException as error:
        raise CommandError(f"{url}: {error}", UNREACHABLE) from None
    name = Path(unquote(path)).name or "template"
    suffix = ".json" if data.lstrip()[:1] == b"{" and not data.lstrip().startswith((b"{{", b"{%", b"{#")) else ".jinja"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / ("tokenizer_config.json" if suffix == ".json" else f"template{suffix}")
        file.write_bytes(data)
        try:
            return Source(read_template(file), model or Path(name).stem)
        except NoTemplate as error:
            raise CommandError(f"{url}: {error}") from None


# -- what is told ------------------------------------------------------------------------------------------------------


def _report(source: Source, learned: Learned, prior: str, added: list[str]) -> Iterator[str]:
    row = learned.row
    yield f"{paint('template', 'title')}  of {visible(source.model)}, {source.template.key[:12]}"
    if row is None:
        yield f"{paint('row', 'title')}       {paint('none', 'problem')}: {visible(learned.why)}"
    elif learned.is_listed:
        yield f"{paint('row', 'title')}       {paint(row.name, 'good')}, of the table"
    else:
        yield f"{paint('row', 'title')}       {paint(row.name, 'good')}, learned"
    if prior and (row is None or row.name != prior):
        yield f"          by the model's name it is {prior}"
    if learned.not_derived:
        yield f"          none could be derived: {visible(learned.not_derived)}"
    shown = row if row is not None and not learned.is_listed else learned.derived
    if shown is not None:
        yield ""
        yield from row_code(shown, source.model).splitlines()
    yield ""
    yield from _proof(learned.proof or learned.derived_proof)
    yield from _facts(learned)
    for path in added:
        yield f"{paint('written', 'title')}   {path}"


def _proof(proof: Proof | None) -> Iterator[str]:
    title = paint("proof", "title")
    if proof is None:
        yield f"{title}     nothing was proved"
        return
    count = len(proof.tried)
    if proof.holds:
        yield f"{title}     {paint('holds', 'good')}: {count} texts, read whole and by character"
    else:
        yield f"{title}     {paint('fails', 'problem')}: {len(proof.failed)} of {count} texts"
        for name, why in proof.failed.items():
            yield f"          {name}: {visible(why)}"
    if proof.not_rendered:
        yield f"          not rendered: {', '.join(proof.not_rendered)}"


def _facts(learned: Learned) -> Iterator[str]:
    yield ""
    rows = [
        ("reasoning", _thinking(learned)),
        ("ends of a turn that the table lacks", ", ".join(learned.ends) or "none"),
        ("opener of results", learned.result_opener or "not known"),
        ("declared tools", learned.declaration or "not told"),
        *((name.replace("_", " "), answer) for name, answer in learned.history.items()),
    ]
    yield from table(["what", "what the template does"], ([name, visible(answer)] for name, answer in rows))


def _thinking(learned: Learned) -> str:
    thinking = learned.thinking
    if thinking is None:
        return "not known"
    tags = f"{thinking.tag.opens.strip()} … {thinking.tag.closes[0].strip()}; " if thinking.tag is not None else ""
    when = _when(thinking.family)
    without = _when(thinking.without_tools)
    return tags + when + (f"; without tools {without}" if without != when else "")


def _when(family: ThinkingFamily) -> str:
    """When the prompt opens the reasoning."""
    if not family.opens and not family.heeds:
        return "the prompt never opens it"
    parts = ["the prompt opens it unless asked not to" if family.opens else "the prompt opens it if asked to"]
    parts += [f"heeds {', '.join(family.heeds)}"] if family.heeds else []
    parts += [] if family.after_result else ["not behind a result"]
    return ", ".join(parts)


def _as_json(source: Source, learned: Learned, prior: str, added: list[str]) -> dict[str, Any]:
    proof = learned.proof or learned.derived_proof
    thinking = learned.thinking
    return {
        "model": source.model,
        "template": source.template.key,
        "row": _row(learned.row),
        "listed": learned.is_listed,
        "row_by_name": prior or None,
        "derived": _row(learned.derived),
        "why": learned.why or None,
        "not_derived": learned.not_derived or None,
        "proof": None
        if proof is None
        else {
            "holds": proof.holds,
            "tried": list(proof.tried),
            "failed": dict(proof.failed),
            "not_rendered": list(proof.not_rendered),
        },
        "reasoning": None
        if thinking is None
        else {
            "tags": None if thinking.tag is None else [thinking.tag.opens, *thinking.tag.closes],
            "with_tools": as_fields(thinking.family),
            "without_tools": as_fields(thinking.without_tools),
        },
        "ends": list(learned.ends),
        "result_opener": learned.result_opener or None,
        "declaration": learned.declaration or None,
        "history": dict(learned.history),
        "written": added,
    }


def _row(row: Syntax | None) -> dict[str, Any] | None:
    return None if row is None else as_fields(row)
