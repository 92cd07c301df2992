"""Defect B11: where the reasoning of each family starts, as its chat template says it (114 were rendered)."""

from __future__ import annotations

from typing import Any

import pytest

from converters.thinking import Prompt, asked, asked_in, family_of, keeps_reasoning, left_open, settings_for
from tests.cases import in_one_test

ON, OFF = Prompt(settings={"enable_thinking": True}), Prompt(settings={"enable_thinking": False})
THINKING, NOT_THINKING = Prompt(settings={"thinking": True}), Prompt(settings={"thinking": False})
BARE = Prompt()


def inside(model: str, prompt: Prompt) -> bool:
    family = family_of(model)
    wish = asked(family, prompt)
    return wish if wish is not None else family is not None and family.opens


@in_one_test(
    ("model", "bare", "on", "off"),
    [
        ("ServiceNow-AI/Apriel-1.6-15b-Thinker", True, True, True),
        ("ServiceNow-AI/Apriel-1.5-15b-Thinker", False, False, False),
        ("speakleash/Bielik-11B-v3.0-Instruct", False, True, False),
        ("CohereLabs/Cohere2MoE", True, True, True),
        ("CohereLabs/c4ai-command-r7b-12-2024", False, False, False),
        ("zai-org/GLM-4.6", False, False, False),
        ("zai-org/GLM-4.7-Flash", True, True, False),
        ("zai-org/GLM-5", True, True, False),
        ("zai-org/GLM-5.3", True, True, True),
        ("moonshotai/Kimi-K2-Instruct-0905", False, False, False),
        ("moonshotai/Kimi-K2-Thinking", False, False, False),
        ("moonshotai/Kimi-K2.5", True, True, True),
        ("moonshotai/Kimi-K3", True, True, True),
        ("MiniMaxAI/MiniMax-M2", True, True, True),
        ("MiniMaxAI/MiniMax-M3", False, False, False),
        ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", True, True, False),
        ("nvidia/NVIDIA-Nemotron-Nano-9B-v2", True, True, True),
        ("Qwen/QwQ-32B", True, True, False),
        ("Qwen/Qwen3-0.6B", False, False, False),
        ("Qwen/Qwen3-235B-A22B-Thinking-2507", True, True, True),
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct", False, False, False),
        ("Qwen/Qwen3.5-4B", True, True, False),
        ("RekaAI/reka-edge", False, True, False),
        ("iflytek/Spark2.5", True, True, False),
        ("stepfun-ai/Step-3.5-Flash", True, True, True),
        ("stepfun-ai/StepFun3.5-Flash", True, True, True),
        ("deepseek-ai/DeepSeek-R1", True, True, True),
        ("deepseek-r1:14b", True, True, True),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-8B", True, True, True),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", True, True, False),
        ("deepseek-ai/DeepSeek-V3-0324", False, False, False),
        ("deepseek-ai/DeepSeek-V3.1", False, True, False),
        ("deepseek-ai/DeepSeek-V3.2", False, True, False),
        ("deepseek-ai/DeepSeek-V3.2-Exp", False, True, False),
        ("deepseek-ai/DeepSeek-V4", False, True, False),
        ("deepseek-ai/DeepSeek-V4-Flash-0731", False, True, False),
        ("deepcogito/cogito-v2-preview-llama-70B", False, True, False),
        ("google/gemma-4-31B-it", False, False, False),
        ("ibm-granite/granite-3.3-8b-instruct", False, False, False),
        ("ibm-granite/granite-4.1-8b", False, False, False),
        ("ibm-granite/granite-4.2-8b", True, True, False),
        ("inclusionAI/Ling-3.0-flash", True, True, False),
        ("openbmb/MiniCPM5-1B", False, True, False),
        ("poolside/Laguna-S-2.1", True, True, False),
        ("poolside/Laguna-XS.2", False, True, False),
        ("tencent/Hy3", False, False, False),
        ("allenai/Olmo-3-32B-Think", True, True, True),
        ("allenai/Olmo-3-7B-Instruct", False, False, False),
        ("Hcompany/Holo2-4B", True, True, False),
        ("pfnet/plamo-3-nict-31b", True, True, True),
        ("BlinkDL/rwkv-world", False, True, False),
        ("openai/gpt-oss-120b", False, False, False),
        ("somebody/anything", False, False, False),
        ("somebody/llama-step-3", False, False, False),
        ("somebody/string-3", False, False, False),
        ("stepfun-step-3.5-flash", True, True, True),
    ],
)
def test_defect_b11_what_templates_do_with_enable_thinking(model: str, bare: bool, on: bool, off: bool) -> None:
    assert (inside(model, BARE), inside(model, ON), inside(model, OFF)) == (bare, on, off)


@in_one_test(
    ("model", "prompt", "expected"),
    [
        ("tencent/Hy3", Prompt(settings={"reasoning_effort": "high"}), True),
        ("tencent/Hy3", Prompt(effort="low"), True),
        ("tencent/Hy3", Prompt(effort="none"), False),
        ("CohereLabs/Cohere2MoE", Prompt(settings={"reasoning_effort": "none"}), False),
        ("CohereLabs/Cohere2MoE", Prompt(effort="none"), False),
        ("moonshotai/Kimi-K3", NOT_THINKING, False),
        ("moonshotai/Kimi-K2.5", NOT_THINKING, False),
        ("moonshotai/Kimi-K2-Thinking", THINKING, False),
        ("MiniMaxAI/MiniMax-M3", Prompt(settings={"thinking_mode": "enabled"}), True),
        ("MiniMaxAI/MiniMax-M3", Prompt(settings={"thinking_mode": "adaptive"}), False),
        ("MiniMaxAI/MiniMax-M3", Prompt(settings={"thinking_mode": "disabled"}), False),
        ("deepseek-ai/DeepSeek-V3.1", THINKING, True),
        ("deepseek-ai/DeepSeek-V4", THINKING, True),
        ("deepseek-ai/DeepSeek-V4", Prompt(settings={"thinking": False, "enable_thinking": True}), False),
        ("Hcompany/Holo2-4B", NOT_THINKING, False),
        ("zai-org/GLM-4.7", NOT_THINKING, True),
        ("zai-org/GLM-4.7", Prompt(effort="none"), False),
        ("zai-org/GLM-4.7", Prompt(effort="high"), True),
        ("deepseek-ai/DeepSeek-V3.1", Prompt(effort="high"), False),
        ("deepcogito/cogito-v2", Prompt(think=True), True),
        ("deepcogito/cogito-v2", Prompt(think="low"), True),
        ("Qwen/Qwen3.5-4B", Prompt(think=False), False),
        ("Qwen/Qwen3-0.6B", Prompt(think=True), False),
        ("MiniMaxAI/MiniMax-M2", Prompt(think=False), True),
        ("nvidia/NVIDIA-Nemotron-Nano-9B-v2", Prompt(asked_in_messages=False), False),
        ("Qwen/Qwen3.5-4B", Prompt(asked_in_messages=False), True),
        ("Qwen/Qwen3.5-4B", Prompt(settings={"enable_thinking": None}), True),
        ("Qwen/Qwen3.5-4B", Prompt(settings={"enable_thinking": [1]}), True),
        ("Qwen/Qwen3.5-4B", Prompt(settings={"enable_thinking": 0}), False),
    ],
)
def test_defect_b11_other_settings(model: str, prompt: Prompt, expected: bool) -> None:
    assert inside(model, prompt) is expected


@in_one_test(
    ("model", "on", "off"),
    [
        ("Qwen/Qwen3-8B", {"enable_thinking": True}, {"enable_thinking": False}),
        ("qwen3.5:4b", {"enable_thinking": True}, {"enable_thinking": False}),
        ("zai-org/GLM-4.5-Air", {"enable_thinking": True}, {"enable_thinking": False}),
        ("google/gemma-4-31B-it", {"enable_thinking": True}, {"enable_thinking": False}),
        ("deepseek-ai/DeepSeek-V3.1", {"thinking": True}, {"thinking": False}),
        ("ibm-granite/granite-3.3-8b-instruct", {"thinking": True}, {"thinking": False}),
        ("MiniMaxAI/MiniMax-M3", {"thinking_mode": "enabled"}, {"thinking_mode": "disabled"}),
        ("CohereLabs/Cohere2MoE", {}, {"reasoning_effort": "none"}),
        ("tencent/Hy3", {"reasoning_effort": "high"}, {}),
        ("MiniMaxAI/MiniMax-M2", {}, {}),
        ("openai/gpt-oss-120b", {}, {}),
        ("Qwen/Qwen3-Coder-30B", {}, {}),
        ("somebody/anything", {}, {}),
    ],
)
def test_the_settings_that_make_a_model_think_or_not(model: str, on: dict[str, Any], off: dict[str, Any]) -> None:
    assert (settings_for(model, True), settings_for(model, False)) == (on, off)
    for thinks, settings in ((True, on), (False, off)):  # and they are understood as they are meant
        family = family_of(model)
        if family is not None and settings:
            assert inside(model, Prompt(settings=settings)) is thinks


@in_one_test(
    ("model", "keeps"),
    [
        *((name, True) for name in ("zai-org/GLM-4.6", "GLM-5", "gpt-oss:20b", "MiniMax-M2", "Kimi-K2-Thinking")),
        *((name, True) for name in ("qwen3:8b", "Qwen3.5-4B", "DeepSeek-V3.2", "DeepSeek-V4", "Seed-OSS-36B", "Hy3")),
        *((name, False) for name in ("llama3.2", "Qwen3-Coder-30B", "DeepSeek-R1", "Kimi-K2-Instruct", "hermes-3")),
        *((name, False) for name in ("Qwen3-4B-Instruct-2507", "chatglm-4.5", "mistral-nemo", "")),
    ],
)
def test_whose_template_takes_reasoning_back(model: str, keeps: bool) -> None:
    assert keeps_reasoning(model) is keeps


@in_one_test(
    ("model", "settings", "expected"),
    [
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-8B", {}, False),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", {"enable_thinking": True}, False),
        ("deepseek-ai/DeepSeek-V3.1", {"thinking": True}, False),
        ("deepseek-ai/DeepSeek-R1", {}, True),
        ("deepseek-ai/DeepSeek-V3.2", {"thinking": True}, True),
        ("zai-org/GLM-4.7", {}, True),
    ],
)
def test_defect_b11_behind_the_result_of_a_tool(model: str, settings: dict[str, Any], expected: bool) -> None:
    assert inside(model, Prompt(settings=settings, behind_result=True)) is expected


def test_of_a_family_that_nobody_knows_only_off_is_believed() -> None:
    assert [asked(None, each) for each in (BARE, ON, OFF, Prompt(effort="none"))] == [None, None, False, False]


@pytest.mark.parametrize(
    ("text", "wish"), [("", None), ("/think", True), ("a /no_think", False), ("/no_think, no: /think", True)]
)
def test_what_a_message_asks_for(text: str, wish: bool | None) -> None:
    assert asked_in(text) is wish


@pytest.mark.parametrize(
    ("prefill", "open_"),
    [
        ("", False),
        ("<think>", True),
        ("Well.\n<think>\nLet me", True),
        ("<think>a</think>", False),
        ("<think>a</think>\n<think>b", True),
        ("[THINK]a", True),
        ("<think:opensource>a", True),
        ("In `<think>` and", False),
        ("```\n<think>\n", False),
        ("The tag <think> is", False),
    ],
)
def test_defect_b12_what_a_prefill_leaves_open(prefill: str, open_: bool) -> None:
    assert left_open(prefill) is open_
