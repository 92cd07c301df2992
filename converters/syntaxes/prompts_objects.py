"""What the prompts of models say that write their calls as JSON objects (objects.py). One `Prompt` for each row."""

from __future__ import annotations

from converters.syntaxes.prompt import Prompt

HERMES = Prompt(
    instruction=(
        "\n\nFor each function call, return a json object with function name and arguments within "
        "<tool_call></tool_call> XML tags:\n<tool_call>\n"
        '{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>'
    ),
)
"""Qwen2.5, Qwen3 and QwQ; also the form for models that nobody knows."""

LMSTUDIO = Prompt(
    declaration=(
        "You are a tool-calling AI. You can request calls to available tools with this EXACT format:\n"
        '[TOOL_REQUEST]{"name": "tool_name", "arguments": {"param1": "value1"}}[END_TOOL_REQUEST]\n\n'
        'AVAILABLE TOOLS:\n{"type": "toolArray", "tools": [{tools}]}'
    ),
    instruction="\n\nOnly use tools from the list. Write no other text beside a request.",
    between_tools=", ",
    result="[TOOL_RESULT]{result}[END_TOOL_RESULT]",
)

MINIMAX_M1 = Prompt(
    declaration="You are provided with these tools:\n<tools>\n{tools}\n</tools>",
    instruction=(
        "\n\nIf you need to call tools, please respond with <tool_calls></tool_calls> XML tags, and provide tool-name "
        "and json-object of arguments, following the format below:\n<tool_calls>\n"
        '{"name": <tool-name>, "arguments": <args-json-object>}\n...\n</tool_calls>'
    ),
    result="tool result: {result}",
    between_results="\n\n",
)

MISTRAL_OLD = Prompt(
    declaration="[AVAILABLE_TOOLS] [{tools}][/AVAILABLE_TOOLS]",
    instruction="",
    between_tools=", ",
    before_system=True,
    result='[TOOL_RESULTS] {"content": {value}, "call_id": "{id}"}[/TOOL_RESULTS]',
    between_results="",
    kept_id=r"[A-Za-z0-9]{9}",
    last_id_key="id",
)

GRANITE20B = Prompt(
    declaration="<|function_call_library|>\n{tools}",
    instruction=(
        "\nIf none of the functions are relevant or the given question lacks the parameters required by the function, "
        'please output "<function_call> {"name": "no_function", "arguments": {}}".'
    ),
    form="function",
    beside_system="\n",
    before_calls="",
    result="<function_response> {result}",
)

JAMBA = Prompt(
    declaration=(
        "You are provided with function signatures within <available_tools></available_tools> XML tags. You may call "
        "one or more functions to assist with the user query. Don't make assumptions about the arguments. You should "
        "infer the argument values from previous user responses and the system message. Here are the available tools:\n"
        "<available_tools>\n{tools}\n</available_tools>"
    ),
    instruction=(
        "\n\nReturn all function calls as a list of JSON objects within <tool_calls></tool_calls> XML tags. Each JSON "
        "object should contain a function name and arguments as follows:\n<tool_calls>["
        '{"name": <function-name-1>, "arguments": <args-dict-1>}, {"name": <function-name-2>, "arguments": '
        "<args-dict-2>},...]</tool_calls>"
    ),
    beside_system="\n",
    result="<tool_response>{result}</tool_response>",
)

NEMOTRON_V2 = Prompt(
    declaration=(
        "You can use the following tools to assist the user if required:\n<AVAILABLE_TOOLS>[{tools}]</AVAILABLE_TOOLS>"
    ),
    instruction=(
        "\n\nIf you decide to call any tool(s), use the following format:\n"
        '<TOOLCALL>[{{"name": "tool_name1", "arguments": "tool_args1"}}, '
        '{{"name": "tool_name2", "arguments": "tool_args2"}}]</TOOLCALL>\n\n'
        "The user will execute tool-calls and return responses from tool(s) in this format:\n"
        '<TOOL_RESPONSE>[{{"tool_response1"}}, {{"tool_response2"}}]</TOOL_RESPONSE>\n\n'
        "Based on the tool responses, you can call additional tools if needed, correct tool calls if any errors are "
        "found, or just respond to the user."
    ),
    form="function",
    between_tools=", ",
    result="{result}",
    results="<TOOL_RESPONSE>[{results}]</TOOL_RESPONSE>",
    between_results=", ",
)

FUNCTOOLS = Prompt(
    declaration=(
        "In addition to plain text responses, you can choose to call one or more of the provided functions.\n\n"
        "Use the following rule to decide when to call a function:\n"
        "  * if the response can be generated from your internal knowledge (e.g., as in the case of queries like "
        '"What is the capital of Poland?"), do so\n'
        "  * if you need external information that can be obtained by calling one or more of the provided functions, "
        "generate a function calls\n\n"
        "If you decide to call functions:\n"
        "  * prefix function calls with functools marker (no closing marker required)\n"
        '  * all function calls should be generated in a single JSON list formatted as functools[{"name": [function '
        'name], "arguments": [function arguments as JSON]}, ...]\n'
        "  * follow the provided JSON schema. Do not hallucinate arguments or values.\n"
        "  * make sure you pick the right functions that match the user intent\n\n{tools}"
    ),
    instruction="",
    form="json_indented",
    between_tools="\n\n",
    beside_system="\n",
    before_calls=" ",
    result='{"result": {value}}',
)

COHERE = Prompt(
    declaration="# Available Tools\n```json\n[\n    {tools}\n]\n```",
    instruction=(
        "\n\nTo call tools, write <|START_ACTION|> followed by a list of JSON-formatted tool calls, with each one "
        'containing "tool_name" and "parameters" fields, and close it with <|END_ACTION|>. You will then receive the '
        "results of those tool calls in the very next turn."
    ),
    form="function_responses",
    between_tools=",\n    ",
    before_system=True,
    before_calls="",
    result=(
        '    {\n        "tool_call_id": "{id}",\n        "results": {\n            "0": {quoted}\n        },\n'
        '        "is_error": null\n    }'
    ),
    results="<|START_TOOL_RESULT|>[\n{results}\n]<|END_TOOL_RESULT|>",
    between_results=",\n",
)

COHERE_ACTION = Prompt(
    declaration="## Available Tools\nHere is a list of tools that you have available to you:\n\n{tools}",
    instruction=(
        "\n\nWrite 'Action:' followed by a json-formatted list of actions that you want to perform in order to produce "
        "a good response to the user's last input. You can use any of the supplied tools any number of times, but you "
        "should aim to execute the minimum number of necessary actions for the input. The list of actions you want to "
        "call should be formatted as a list of json objects, for example:\n{example}"
    ),
    form="function",
    result="{result}",
    results="<results>\n{results}\n</results>",
)

APERTUS = Prompt(
    declaration="Tool Capabilities:\n{tools}",
    instruction="",
    form="typescript_bare",
    before_calls="",
    result="{result}",
    results="[{results}]",
    between_results=", ",
)

GIGACHAT3 = Prompt(
    declaration="namespace functions {\n{tools}\n\n} // namespace functions",
    form="typescript_indented",
    between_tools="\n\n",
    before_calls="",
)
"""The instruction and the tags of results are the common ones: the template has turns of their own roles there."""

LLAMA3 = Prompt(
    declaration=(
        "You have access to the following functions. To call a function, please respond with JSON for a function call."
        'Respond in the format {"name": function name, "parameters": dictionary of argument name and its value}.'
        "Do not use variables.\n\n{tools}"
    ),
    instruction="",
    form="json_indented",
    between_tools="\n\n",
    before_system=True,
)

XLAM = Prompt(
    declaration=(
        "You have access to a set of tools. When using tools, make calls in a single JSON array: \n\n"
        '[{"name": "tool_call_name", "arguments": {"arg1": "value1", "arg2": "value2"}}, '
        "... (additional parallel tool calls as needed)]\n\n"
        "If no tool is suitable, state that explicitly. If the user's input lacks required parameters, ask for "
        "clarification. Do not interpret or respond until tool results are returned. Once they are available, process "
        "them or make additional calls if needed. For tasks that don't require tools, such as casual conversation or "
        "general advice, respond directly in plain text. The available tools are:\n\n{tools}"
    ),
    instruction="",
    form="json_indented",
    between_tools="\n\n",
    beside_system="\n",
)

INTERNLM = Prompt(form="function", before_calls="")
"""The template gives tools and results to turns of a role `plugin`; here the common words say what they are."""

GRANITE3 = Prompt(before_calls="")
"""The template gives the tools to a turn of a role `available_tools`."""
