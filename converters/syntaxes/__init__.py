"""The table of syntaxes: one row for each way in which models write tool calls. Rows hold no code.

`row.py` defines what a row is. The rows are grouped in files by what carries the arguments; this file orders them.
"""

from __future__ import annotations

from converters.syntaxes.headers import (
    CALLING_TOOL,
    DEEPSEEK_V3,
    DEEPSEEK_V31,
    FUNCTION_JSON,
    FUNCTIONARY_V2,
    FUNCTIONARY_V32,
    FUNCTIONGEMMA,
    GEMMA4,
    HARMONY,
    KIMI_K2,
    MISTRAL_NEW,
    PLAMO3,
    SOLAR_OPEN,
)
from converters.syntaxes.objects import (
    APERTUS,
    COHERE,
    COHERE_ACTION,
    FUNCTOOLS,
    GENERIC,
    GIGACHAT3,
    GIGACHAT3_ROLE,
    GRANITE3,
    GRANITE20B,
    HERMES,
    HYPERCLOVAX,
    INKLING,
    INTERNLM,
    INTERNS1,
    JAMBA,
    LFM2_JSON,
    LLAMA3_JSON,
    LLAMA3_PYTHON_TAG,
    LMSTUDIO,
    LONGCAT,
    MINIMAX_M1,
    MISTRAL_OLD,
    NEMOTRON_V2,
    XLAM,
)
from converters.syntaxes.pythonic import (
    GEMMA3_TOOL_CODE,
    GEMMA4_PYTHONIC,
    HERMES_PYTHONIC,
    LFM2,
    LLAMA4_PYTHONIC,
    LLAMA_BUILTIN,
    OLMO3,
    PYTHONIC,
)
from converters.syntaxes.reasoning_tags import REASONING_TAGS, ReasoningTag
from converters.syntaxes.row import Syntax
from converters.syntaxes.tagged import (
    BEAM,
    CLAUDE,
    CLAUDE_LEGACY,
    DEEPSEEK_V4,
    DEEPSEEK_V32,
    DEEPSEEK_V41,
    DOTS,
    GIGACHAT35,
    GLM45,
    GLM47,
    HY3,
    IQUEST_Q1,
    K2_HORIZON,
    KIMI_K3,
    LONGCAT_KV,
    MIMO_V2,
    MINICPM5,
    MINIMAX_M2,
    MINIMAX_M3,
    MUSE_ATEM,
    QWEN3_CODER,
    SEED_OSS,
    STEP3,
)
from converters.syntaxes.thinking import THINKING, ThinkingFamily
from converters.syntaxes.tokens import END_TOKENS, NO_TOOLS
from converters.syntaxes.turns import RESULTS, TURN_HEADERS, Speaker, TurnHeader

__all__ = [
    "END_TOKENS",
    "NO_TOOLS",
    "REASONING_TAGS",
    "RESULTS",
    "SYNTAXES",
    "THINKING",
    "TURN_HEADERS",
    "ReasoningTag",
    "Speaker",
    "Syntax",
    "ThinkingFamily",
    "TurnHeader",
]

SYNTAXES: tuple[Syntax, ...] = (
    *(FUNCTIONGEMMA, GEMMA4, GRANITE20B, FUNCTIONARY_V32, FUNCTIONARY_V2, FUNCTION_JSON, FUNCTOOLS, XLAM, NEMOTRON_V2),
    *(DEEPSEEK_V3, DEEPSEEK_V31, DEEPSEEK_V32, DEEPSEEK_V4, DEEPSEEK_V41, GLM45, GLM47, JAMBA, HY3, IQUEST_Q1),
    *(K2_HORIZON, LONGCAT, LONGCAT_KV, QWEN3_CODER, MIMO_V2, SEED_OSS, CLAUDE_LEGACY, CLAUDE, MINIMAX_M2, MINIMAX_M1),
    *(
        MINIMAX_M3,
        DOTS,
        MUSE_ATEM,
        STEP3,
        GIGACHAT35,
        GIGACHAT3,
        KIMI_K3,
        KIMI_K2,
        MINICPM5,
        BEAM,
        LFM2,
        LFM2_JSON,
        OLMO3,
    ),
    *(MISTRAL_NEW, MISTRAL_OLD, HARMONY, SOLAR_OPEN, PLAMO3, GRANITE3, COHERE, APERTUS, INTERNLM, INTERNS1, INKLING),
    *(HYPERCLOVAX, HERMES, PYTHONIC, LLAMA4_PYTHONIC, LLAMA3_JSON, LLAMA_BUILTIN, LLAMA3_PYTHON_TAG, GIGACHAT3_ROLE),
    *(GEMMA3_TOOL_CODE, GEMMA4_PYTHONIC, HERMES_PYTHONIC, COHERE_ACTION, CALLING_TOOL, LMSTUDIO, GENERIC),
)
"""In the order in which `models` is searched in a model's name: specific patterns precede general ones of a family."""
