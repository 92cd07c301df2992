"""The doctor's data about model servers: every name in it is one that exists."""

from __future__ import annotations

import re

import pytest

from command.doctor.engines import ENGINES, HEALED, OURS, Advice, Engine
from command.doctor.judge import Judged, remedies
from command.doctor.probe import FAULTS, failed
from command.doctor.probes import PROBES
from command.doctor.recognise import Recognised
from config import VARIABLES
from converters.factory import converter_factory
from records import engines

each_engine = pytest.mark.parametrize("engine", ENGINES, ids=[engine.name for engine in ENGINES])
ADVICE = [(engine, fault, advice) for engine in ENGINES for fault, those in engine.advice.items() for advice in those]


@each_engine
def test_what_an_engine_names_exists(engine: Engine) -> None:
    assert set(engine.advice) <= set(FAULTS)
    assert set(engine.parsers) <= set(converter_factory.row_names())
    assert engine.signs and engine.look
    assert any("{parser}" in advice.setting for _, _, advice in ADVICE if engine.parsers) or not engine.parsers


@pytest.mark.parametrize(
    ("engine", "fault", "advice"), ADVICE, ids=[f"{engine.name}-{fault}" for engine, fault, _ in ADVICE]
)
def test_advice_is_one_line_that_can_be_found(engine: Engine, fault: str, advice: Advice) -> None:
    assert advice.setting and advice.setting.isprintable()
    assert not advice.bug or re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+/issues/\d+", advice.bug)
    assert not advice.row or advice.row in converter_factory.row_names()
    re.compile(advice.says)


def test_verdicts_call_the_servers_by_the_same_names() -> None:
    assert {engine.name for engine in ENGINES} == {engine.name for engine in engines.ENGINES}


def test_what_dragoman_can_do_exists() -> None:
    assert {*HEALED, *OURS} <= set(FAULTS)
    names = {variable.name for variable in VARIABLES}
    for text in OURS.values():
        (found,) = re.findall(r"([A-Z_]+)=", text)
        assert found in names


PARSERS = {
    ("vLLM", "Qwen/Qwen3-8B"): "--enable-auto-tool-choice --tool-call-parser hermes",
    ("vLLM", "zai-org/GLM-4.6"): "--enable-auto-tool-choice --tool-call-parser glm45",
    ("vLLM", "somebody/unheard-of"): "--enable-auto-tool-choice --tool-call-parser NAME",
    ("SGLang", "moonshotai/Kimi-K2-Instruct"): "--tool-call-parser kimi_k2",
}


@pytest.mark.parametrize(("engine", "model"), PARSERS)
def test_the_parser_is_named_as_the_engine_names_it(engine: str, model: str) -> None:
    (server,) = [Recognised(each) for each in ENGINES if each.name == engine]
    judged = Judged(PROBES[3], "direct", failed("raw_markup", "seen"), 2, 2)
    (found,) = remedies([judged], model, server)
    assert found.setting == PARSERS[engine, model]


def test_what_the_markup_says_counts_more_than_the_name_of_the_model() -> None:
    (server,) = [Recognised(each) for each in ENGINES if each.name == "vLLM"]
    judged = Judged(PROBES[3], "direct", failed("raw_markup", "seen", "kimi_k2"), 2, 2)
    (found,) = remedies([judged], "Qwen/Qwen3-8B", server)
    assert found.setting.endswith(" kimi_k2")
