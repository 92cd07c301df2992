"""Refusals of tools, of a choice among them, of their schemas and of thinking. Data, no code."""

from __future__ import annotations

from backends.adapt.words.row import Words

NO_TOOLS = (
    Words("ollama", "ollama/ollama#8517", "prompted", (r"does not support tools\b",)),
    Words(
        "vllm",
        "vllm-project/vllm#29432; captured from 0.32",
        "raw > prompted",
        (r"tool choice requires --enable-auto-tool-choice", r"requires --tool-call-parser"),
    ),
    Words(
        "sglang", "sgl-project/sglang#9102", "raw > prompted", (r"unsupported tool_call_parser", r"failed to parse fc")
    ),
    Words(
        "sglang",
        "sgl-project/sglang#7082",
        "raw > prompted",
        (r"tool.call.parser.{0,40}(?:not|must be) (?:set|given)",),
    ),
    Words("llama.cpp", "ggml-org/llama.cpp#10920", "prompted", (r"unsupported param: (?:tools|tool_choice)\b",)),
    Words("llama.cpp", "defilantech/LLMKube#126", "prompted", (r"tool(?:s|_choice) param requires --jinja",)),
    Words(
        "llama.cpp",
        "captured from b11669",
        "raw > prompted",
        (r"cannot use custom grammar constraints with tools", r"grammar.{0,30}with tools"),
    ),
    Words(
        "llama.cpp",
        "ggml-org/llama.cpp#20532",
        "raw > prompted",
        (r"failed to parse (?:the )?(?:input|output|response)\b",),
    ),
    Words("litellm", "BerriAI/litellm#4619", "prompted", (r"does not support parameters:? \[?[\w, ]{0,80}\btools\b",)),
    Words("openrouter", "RooCodeInc/Roo-Code#10540", "prompted", (r"no endpoints found that support tool use",)),
    Words(
        "lm studio",
        "SamSaffron/term-llm#385",
        "prompted",
        (
            r"(?:does|do) not support (?:native )?(?:tool|function)[ -](?:use|call)",
            r"\b(?:tool|function)s?[ -]?(?:use|calls?|calling)? (?:is|are) not (?:supported|enabled|available)",
            r"not (?:yet )?support(?:ed)? (?:tool|function)[ -]?call",
        ),
    ),
)

CHOICE = (
    Words(
        "lm studio",
        "lmstudio-ai/lmstudio-bug-tracker#670",
        "choice_required > choice_auto",
        (r"invalid tool_choice type: object",),
    ),
    Words(
        "qwen api",
        "QwenLM/Qwen-Agent#344",
        "choice_auto > without_tool_choice",
        (
            r"tool_choice.{0,60}(?:required|named|object|any).{0,40}"
            r"(?:not supported|unsupported|not allowed|not implemented)",
            r"tool_choice.{0,40}does not support.{0,40}(?:required|object)",
            r"(?:does not support|unsupported|invalid|not supported).{0,30}\btool_choice\b(?! type: object)",
            r"\btool[_ ]choice (?:required |any )?(?:is )?(?:not supported|unsupported|not implemented)",
            r"only (?:supports? )?auto.{0,30}tool[_ ]choice",
            r"tool[_ ]choice.{0,30}only (?:supports? )?auto",
        ),
    ),
)

DECLARATIONS = (
    Words(
        "llama.cpp",
        "VirtusLab/llm-tools-mcp#51",
        "tools_tidy + without_nulls",
        (r"type must be string, but is null", r"type_error\.302", r"expected string, (?:got|received) null"),
    ),
    Words(
        "llama.cpp",
        "ggml-org/llama.cpp#20156, #23041",
        "functions_only > tools_tidy",
        (
            r"type of tool must be function",
            r"unsupported tool type",
            r"only (?:tools of type )?function tools? (?:are|is) supported",
        ),
    ),
    Words(
        "lm studio",
        "lmstudio-ai/lmstudio-bug-tracker#2254",
        "tools_tidy > schema_simple",
        (
            r"\btools[\[.]\d+\]?.{0,60}(?:invalid input|invalid|required|missing)",
            r"object schema missing properties",
            r"parameters.{0,40}(?:missing|required|must (?:be|have))",
        ),
    ),
    Words(
        "openai api",
        "QwenLM/qwen-code#10520",
        "tools_tidy + strict > schema_simple",
        (r"invalid schema for function", r"in context=\(.{0,60}schema"),
    ),
    Words(
        "llama.cpp",
        "ggml-org/llama.cpp#19051; containers/kubernetes-mcp-server#758",
        "schema_simple + strict > raw > prompted",
        (
            r"failed to (?:parse|compile|initialize|build|create|convert) (?:the )?(?:grammar|samplers?|regex)",
            r"pattern must start with \^",
            r"(?:json )?schema conversion failed",
            r"(?:unrecognized|unsupported|unimplemented|invalid) (?:json )?(?:schema|grammar|regex|pattern|keys)\b",
            r"(?:grammar|regex|pattern)\b.{0,60}(?:not supported|unsupported|is invalid|failed|too (?:complex|large))",
            r"number of repetitions exceeds|look-?(?:ahead|around|behind)",
        ),
    ),
)

THOUGHTS = (
    Words(
        "deepseek api",
        "anomalyco/opencode#24146; langchain-ai/langchain#34166",
        "reasoning_empty",
        (
            r"reasoning_content.{0,60}(?:must be passed back|missing|is required|field required)",
            r"missing (?:the )?(?:field )?reasoning_content",
        ),
    ),
    Words(
        "ollama",
        "ollama/ollama#18530",
        "without_reasoning_effort + without_think + without_enable_thinking",
        (r"does not support (?:thinking|reasoning)\b",),
    ),
    Words(
        "vllm",
        "BerriAI/litellm#4619",
        "stream_options",
        (r"stream[_ ]options.{0,60}(?:only|not|when|if|with)\b", r"stream_options.{0,60}(?:not permitted|unsupported)"),
    ),
)
