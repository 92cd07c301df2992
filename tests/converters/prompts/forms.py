"""What the chat template of each family writes for a history, in our words: text and calls, and results.

`declared/` holds what it writes of the two tools of conversations.py, for a request whose system text is `SYS.`.
Both were compared with the templates themselves, which are not here: `of` names the models whose templates were
rendered; a row whose template was only read, or is known from a parser or a guide, says so there. `differences` tells
in a line each what such a template writes otherwise, and why we do not. Two things hold for all and are not repeated:
results stand in a message of the user whatever role the template has for them, and turns have the headers that the
template gives to those roles.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

ONE_SYSTEM = (
    "the template puts the tools into a system turn of their own, before that of the request: here they are one"
)
BARE = "the template has nothing but the header of a role around a result: tags say here what it is"
NO_TEXT = "the template loses the text of a message with calls: here it stands before them"
ONE_CALL = "the template refuses a second call, or loses it: here the calls of a message stand together"
REPR = "the template writes containers and literals as Python spells them (`{'a': None}`, `False`): here they are JSON"
TURNS = "the template gives each result a turn of its own: here neighbours share one"
NOT_DECLARED = (
    "the template declares no tools: here vLLM's template for the family does, but for its missing line breaks"
)
OWN_WORDS = "the family's words about tools stand in a role of its own or were not seen: here they are the common ones"


class Form(NamedTuple):
    """How a family's template writes what has been called and returned."""

    row: str
    of: str
    beside: str = "\n"
    """What stands between text and calls."""
    alone: str = ""
    """What stands before calls without text."""
    apart: bool = False
    """Whether text and calls are two messages."""
    result: str = "<tool_response>\n%(result)s\n</tool_response>"
    between: str = "\n"
    group: str = "%s"
    ids: Literal["", "conversation", "turn", "functions", "given"] = ""
    """How ids count; whether they are those of the history."""
    differences: tuple[str, ...] = ()


_DSML = "<｜DSML｜…> of a call without arguments holds an empty line in the template: here none, as models write it"
_OUTPUT = "<｜tool▁output▁begin｜>%(result)s<｜tool▁output▁end｜>"

FORMS = (
    Form("hermes", "Qwen2.5, Qwen3, QwQ, MiMo-VL (all of it); Reka Edge, Granite 4 (calls and results)"),
    Form(
        "qwen3_coder",
        "Qwen3-Coder; Nemotron 3 (calls and results), Qwen3.5 (calls)",
        beside="\n\n",
        group="%s\n",
        differences=(
            REPR,
            "Qwen3.5, Step and Nemotron have other words, and declare tools as JSON or before the system text",
        ),
    ),
    Form("glm45", "GLM-4.6; Laguna XS, Ling 3 (results)", differences=(ONE_SYSTEM,)),
    Form(
        "glm47",
        "GLM-4.7-Flash; Spark 2.5 (calls and results)",
        beside="",
        result="<tool_response>%(result)s</tool_response>",
        between="",
        differences=(ONE_SYSTEM,),
    ),
    Form("seed_oss", "Seed-OSS", beside="\n\n", differences=(REPR, BARE, TURNS)),
    Form(
        "claude",
        "Anthropic's prompt, read in the template of DeepSeek-V3.2",
        beside="\n\n",
        result="<result>%(result)s</result>",
        group="<function_results>\n%s\n</function_results>",
    ),
    Form("minimax_m2", "MiniMax-M2", alone="\n", result="<response>%(result)s</response>"),
    Form(
        "minimax_m3",
        "MiniMax-M3",
        beside="",
        result="<response>%(result)s</response>",
        differences=("the template expands containers into elements: here they are JSON, which the row reads too",),
    ),
    Form(
        "minimax_m1",
        "MiniMax-M1",
        result="tool result: %(result)s",
        between="\n\n",
        differences=(ONE_SYSTEM, NO_TEXT, TURNS),
    ),
    Form(
        "muse_atem",
        "Muse Glimmer (calls and results)",
        apart=True,
        result='<tool_output name="%(name)s">\n%(result)s\n</tool_output>',
        differences=(
            NO_TEXT,
            TURNS,
            "the template lists namespaces and recipients, which this proxy's tools have not: both are left out",
        ),
    ),
    Form(
        "deepseek_v32",
        "DeepSeek-V3.2",
        beside="\n\n",
        alone="\n\n",
        result="<result>%(result)s</result>",
        group="<function_results>\n%s\n</function_results>",
        differences=(_DSML, "blank lines around the results stand for a header in the template: a message has its own"),
    ),
    Form(
        "deepseek_v4",
        "DeepSeek-V4, V4-Flash",
        beside="\n\n",
        alone="\n\n",
        result="<tool_result>%(result)s</tool_result>",
        between="\n\n",
        differences=(_DSML, "the template sorts results in the order of their calls: here they keep theirs"),
    ),
    Form(
        "deepseek_v3",
        "DeepSeek-R1-Distill-Qwen (calls and results)",
        beside="",
        result=_OUTPUT,
        group="<｜tool▁outputs▁begin｜>%s<｜tool▁outputs▁end｜>",
        differences=(NOT_DECLARED, "the template writes the text behind the calls, as a turn of its own: here before"),
    ),
    Form("deepseek_v31", "DeepSeek-V3.1", beside="", result=_OUTPUT, between="", differences=(NOT_DECLARED,)),
    Form(
        "kimi_k2",
        "Kimi-K2-Instruct, Kimi-K2-Thinking (calls and results)",
        beside="",
        result="## Return of %(id)s\n%(result)s",
        between="\n\n",
        ids="functions",
        differences=(TURNS, OWN_WORDS),
    ),
    Form(
        "kimi_k3",
        "Kimi-K3 (calls)",
        beside="",
        result='<tool_response tool="%(name)s" index="%(number)s">\n%(result)s\n</tool_response>',
        ids="turn",
        differences=(
            "tool and index of a result stand in the header of its turn: here in a tag",
            "the text of a message is a channel of its own: the template puts the calls into it, too",
            OWN_WORDS,
        ),
    ),
    Form(
        "harmony",
        "gpt-oss (declaration)",
        beside="",
        differences=(
            BARE,
            ONE_CALL,
            NO_TEXT,
            "the recipient stands before the channel in the template: here behind it, as the model writes it",
        ),
    ),
    Form("function_json", "Functionary v3.1 (calls)", beside="", differences=(ONE_SYSTEM, BARE, TURNS)),
    Form(
        "functionary_v32",
        "Functionary v3.2 (calls)",
        beside="",
        differences=(
            ONE_SYSTEM,
            BARE,
            TURNS,
            "comments of parameters get a full stop, and objects braces, in the template: here they are as elsewhere",
        ),
    ),
    Form(
        "solar_open",
        "Solar-Open-100B",
        beside="",
        result=(
            "<|tool_response:begin|>%(id)s<|tool_response:name|>%(name)s"
            "<|tool_response:result|>%(result)s<|tool_response:end|>"
        ),
        between="",
        ids="given",
        differences=(NO_TEXT,),
    ),
    Form(
        "gemma4",
        "gemma-4-31B-it (declaration and results)",
        beside="",
        result='<|tool_response>response:%(name)s{value:<|"|>%(result)s<|"|>}<tool_response|>',
        between="",
        differences=(
            "the template writes the text behind results and calls, all in one turn of the model: here before",
            "the template sorts the keys of arguments and writes null as None: here they are as the model wrote them",
        ),
    ),
    Form(
        "functiongemma",
        "functiongemma, known from Google's guide to it",
        beside="",
        result="<start_function_response>response:%(name)s{value:<escape>%(result)s<escape>}<end_function_response>",
        between="",
        differences=("results stand in the turn of the model there",),
    ),
    Form(
        "mistral_new",
        "Ministral-3, Devstral-Small-2507",
        beside="",
        result="[TOOL_RESULTS]%(result)s[/TOOL_RESULTS]",
        between="",
        differences=(
            "the tools stand behind the system prompt's end in the template: here in it",
            "Mistral-Small-3.2 writes ids of calls and results, which later models of the row do not",
        ),
    ),
    Form(
        "mistral_old",
        "Mistral-Nemo (calls and results)",
        result='[TOOL_RESULTS] {"content": %(value)s, "call_id": "%(id)s"}[/TOOL_RESULTS]',
        between="",
        ids="given",
        differences=(
            NO_TEXT,
            "the tools stand before the last message of the user: here in front, where their bytes do not move",
            "results that are no JSON stand raw in the template: here they are JSON strings, as in mistral-common",
        ),
    ),
    Form(
        "granite20b",
        "granite-20b-functioncalling, read",
        beside="",
        result="<function_response> %(result)s",
        differences=(NO_TEXT,),
    ),
    Form(
        "jamba",
        "Apriel 1.5 (declaration, read), Hunyuan-A13B (results, read)",
        result="<tool_response>%(result)s</tool_response>",
        differences=(
            "Apriel declares tools as Python spells them and writes ids behind its calls: here JSON, and none",
        ),
    ),
    Form(
        "nemotron_v2",
        "Nemotron-Nano-v2",
        result="%(result)s",
        between=", ",
        group="<TOOL_RESPONSE>[%s]</TOOL_RESPONSE>",
    ),
    Form(
        "functools",
        "FireFunction-v2 (calls, read), Phi-4-mini (declaration and results, read)",
        beside=" ",
        result='{"result": %(value)s}',
        differences=(
            TURNS,
            "Phi-4-mini's template writes past calls without `functools`, which unteaches it: here with it",
        ),
    ),
    Form(
        "cohere",
        "Command-R7B (results), North (declaration)",
        beside="",
        result=(
            '    {\n        "tool_call_id": "%(id)s",\n        "results": {\n            "0": %(quoted)s\n        },\n'
            '        "is_error": null\n    }'
        ),
        between=",\n",
        group="<|START_TOOL_RESULT|>[\n%s\n]<|END_TOOL_RESULT|>",
        ids="conversation",
        differences=(NO_TEXT, ONE_SYSTEM, "pages of rules stand around the tools in the template: here two sentences"),
    ),
    Form(
        "apertus",
        "Apertus-8B-Instruct-2509",
        beside="",
        result="%(result)s",
        between=", ",
        group="[%s]",
        differences=(
            "the tools stand in a developer turn, behind whether to deliberate: here in the system message",
            "results stand in the assistant's turn, right behind the calls: here the user says them",
        ),
    ),
    Form(
        "llama3_json",
        "Llama-3.1, 3.2 and 3.3, with `tools_in_user_message` off",
        apart=True,
        differences=(BARE, NO_TEXT, ONE_CALL, "by default the tools stand in the first message of the user, there"),
    ),
    Form(
        "pythonic",
        "Llama 4, vLLM's template for it, read",
        apart=True,
        differences=(BARE, "all values stand in quotes in the template: here as Python spells them, as the model does"),
    ),
    Form(
        "xlam",
        "Llama-xLAM-2, read",
        apart=True,
        differences=(BARE, NO_TEXT, "the words stand there without a system text"),
    ),
    Form(
        "lfm2",
        "LFM2-8B-A1B (declaration and results), LFM2.5-8B-A1B (calls)",
        beside="",
        result="<|tool_response_start|>%(result)s<|tool_response_end|>",
        differences=(
            TURNS,
            "containers in arguments are JSON in the template: here as Python spells them, like the rest",
        ),
    ),
    Form(
        "olmo3",
        "Olmo-3, known from Ollama's renderer",
        beside="",
        differences=(
            BARE,
            "calls have no line breaks inside their tags there, and strings double quotes; the row's sample has others",
            "the words about tools stand there without a system text only: here always",
        ),
    ),
    Form(
        "minicpm5",
        "MiniCPM5-1B",
        differences=(
            REPR,
            "values with `<`, `&` or a line break stand in CDATA in the template: here plain, which is read",
        ),
    ),
    Form(
        "hy3",
        "tencent Hy3",
        beside="",
        group="<tool_responses>\n%s\n</tool_responses>",
        differences=("every tag has a suffix that the checkpoint chose (`:opensource`): here none",),
    ),
    Form("internlm", "InternLM2.5, vLLM's template for it, read", beside="", differences=(BARE, OWN_WORDS)),
    Form("granite3", "Granite 3.3 (which writes no past calls)", beside="", differences=(BARE, OWN_WORDS)),
    Form("gigachat3", "GigaChat3.1 (calls, declaration)", beside="", differences=(BARE, ONE_CALL, OWN_WORDS)),
    Form(
        "lmstudio",
        "LM Studio, known from its documentation",
        result="[TOOL_RESULT]%(result)s[END_TOOL_RESULT]",
        differences=("its examples and rules are shortened",),
    ),
    Form(
        "gemma3_tool_code",
        "Gemma 3, known from Google's guide to it",
        result="```tool_output\n%(result)s\n```",
        differences=(OWN_WORDS,),
    ),
)
NO_FORM = {
    **dict.fromkeys(
        ("claude_legacy", "cohere_action", "functionary_v2"), "known from memory, or from the template's words"
    ),
    **dict.fromkeys(("deepseek_v41", "gigachat35"), "the form of deepseek_v4 with other tags; no template was seen"),
    **dict.fromkeys(
        ("gigachat3_role", "interns1", "llama3_python_tag"), "the form of gigachat3, internlm, llama3_json"
    ),
    **dict.fromkeys(("llama4_pythonic", "llama_builtin", "mimo_v2"), "the form of pythonic, of none, of qwen3_coder"),
    **dict.fromkeys(("longcat", "longcat_kv", "iquest_q1", "k2_horizon", "dots", "step3"), "no template was seen"),
    **dict.fromkeys(("beam", "inkling", "plamo3", "hyperclovax"), "no template was seen"),
    **dict.fromkeys(("calling_tool", "generic", "lfm2_json"), "what models write by mistake: nobody prompts for it"),
    **dict.fromkeys(("gemma4_pythonic", "hermes_pythonic"), "what models write by mistake: nobody prompts for it"),
}
"""Rows whose form nobody has written down. They have the common one, or that of a relative."""
