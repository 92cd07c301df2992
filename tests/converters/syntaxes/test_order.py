"""The order in which rows are tried, and that each stands in the file of its shape."""

from __future__ import annotations

import importlib

import pytest

from converters.syntaxes import SYNTAXES, Syntax

ORDER = """
functiongemma gemma4 granite20b functionary_v32 functionary_v2 function_json functools xlam nemotron_v2 deepseek_v3
deepseek_v31 deepseek_v32 deepseek_v4 deepseek_v41 glm45 glm47 jamba hy3 iquest_q1 k2_horizon longcat longcat_kv
qwen3_coder mimo_v2 seed_oss claude_legacy claude minimax_m2 minimax_m1 minimax_m3 dots muse_atem step3 gigachat35
gigachat3 kimi_k3 kimi_k2 minicpm5 beam lfm2 lfm2_json olmo3 mistral_new mistral_old harmony solar_open plamo3
granite3 cohere apertus internlm interns1 inkling hyperclovax hermes pythonic llama4_pythonic llama3_json
llama_builtin llama3_python_tag gigachat3_role gemma3_tool_code gemma4_pythonic hermes_pythonic cohere_action
calling_tool lmstudio generic
"""
FILES = {
    "objects": {"json_object"},
    "headers": {"named_json", "relaxed"},
    "tagged": {"tagged", "elements"},
    "pythonic": {"pythonic"},
}


def test_the_order_is_this_one() -> None:
    """Narrow names before wide ones: a row that moves may take another's models."""
    assert [row.name for row in SYNTAXES] == ORDER.split()


@pytest.mark.parametrize("file", FILES)
def test_a_row_stands_in_the_file_of_its_shape_and_in_the_table(file: str) -> None:
    module = importlib.import_module(f"converters.syntaxes.{file}")
    rows = {name: row for name, row in vars(module).items() if isinstance(row, Syntax)}
    assert rows and {row.shape for row in rows.values()} == FILES[file]
    for name, row in rows.items():
        assert row.name == name.lower() and row in SYNTAXES
