"""What the prompts of models say that write a header and then JSON (headers.py). One `Prompt` for each row."""

from __future__ import annotations

from converters.syntaxes.prompt import Prompt

MISTRAL_NEW = Prompt(
    declaration="[AVAILABLE_TOOLS][{tools}][/AVAILABLE_TOOLS]",
    instruction="",
    between_tools=", ",
    beside_system="",
    before_calls="",
    result="[TOOL_RESULTS]{result}[/TOOL_RESULTS]",
    between_results="",
)

DEEPSEEK_V3 = Prompt(
    instruction=(
        "\n\nFor function call returns, you should first print <｜tool▁calls▁begin｜>"
        "For each function call, you should return object like:\n"
        "<｜tool▁call▁begin｜>function<｜tool▁sep｜><function_name>\n```json\n<function_arguments_in_json_format>\n```"
        "<｜tool▁call▁end｜>At the end of function call returns, you should print <｜tool▁calls▁end｜>"
    ),
    before_calls="",
    result="<｜tool▁output▁begin｜>{result}<｜tool▁output▁end｜>",
    results="<｜tool▁outputs▁begin｜>{results}<｜tool▁outputs▁end｜>",
)

DEEPSEEK_V31 = Prompt(
    declaration="## Tools\nYou have access to the following tools:\n{tools}",
    instruction=(
        "\n\nIMPORTANT: ALWAYS adhere to this exact format for tool use:\n"
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>tool_call_name<｜tool▁sep｜>tool_call_arguments<｜tool▁call▁end｜>"
        "{{additional_tool_calls}}<｜tool▁calls▁end｜>\n\nWhere:\n\n"
        "- `tool_call_name` must be an exact match to one of the available tools\n"
        "- `tool_call_arguments` must be valid JSON that strictly follows the tool's Parameters Schema\n"
        "- For multiple tool calls, chain them directly without separators or spaces\n"
    ),
    before_calls="",
    result="<｜tool▁output▁begin｜>{result}<｜tool▁output▁end｜>",
    between_results="",
)

KIMI_K2 = Prompt(
    declaration="# Tools\n\n[{tools}]",
    between_tools=", ",
    before_system=True,
    before_calls="",
    result="## Return of {id}\n{result}",
    between_results="\n\n",
    kept_id=r"functions\.{name}:\d+",
)
"""The template gives the tools to a turn of a role `tool_declare`; here a heading and the common instruction do."""

FUNCTION_JSON = Prompt(
    declaration="You have access to the following functions:\n\n{tools}",
    instruction=(
        "\n\n\nThink very carefully before calling functions.\n"
        "If a you choose to call a function ONLY reply in the following format:\n"
        "<{start_tag}={function_name}>{parameters}{end_tag}\nwhere\n\nstart_tag => `<function`\n"
        "parameters => a JSON dict with the function argument name as key and function argument value as value.\n"
        "end_tag => `</function>`\n\n"
        'Here is an example,\n<function=example_function_name>{"example_name": "example_value"}</function>\n\n'
        "Reminder:\n"
        "- If looking for real time information use relevant functions before falling back to brave_search\n"
        "- Function calls MUST follow the specified format, start with <function= and end with </function>\n"
        "- Required parameters MUST be specified\n"
        "- Only call one function at a time\n"
        "- Put the entire function call reply on one line"
    ),
    form="function",
    tool="Use the function '{name}' to '{description}'\n{tool}",
    between_tools="\n\n",
    before_system=True,
    before_calls="",
)

SOLAR_OPEN = Prompt(
    declaration=(
        "## Tools\n\n### Tool Call Instruction\n"
        "You may invoke one or more tools to assist with the user's query. Available tools are provided in JSON Schema "
        "format: <|tools:begin|><|tool:begin|><tools-json-object><|tool:end|>...<|tools:end|>\n\n"
        "### Available Tools\n<|tools:begin|>{tools}<|tools:end|>"
    ),
    instruction=(
        "\n\n### Tool Call Format\n"
        "For each tool call, return a JSON object with the following structure, enclosed within <|tool_call:begin|> "
        "and <|tool_call:end|> tags: \n"
        "<|tool_call:begin|><tool-call-id><|tool_call:name|><tool-name><|tool_call:args|><args-json-object>"
        "<|tool_call:end|>\n"
        "- The <tool-call-id> must be a randomly generated string consisting of 10 lowercase letters (a-z) and/or "
        "digits (0-9) (e.g., a1b2c3d4e5)\n\n"
        "### Tool Response Format\n"
        "Each tool is responded by `tool` with the following structure:\n"
        "<|tool_response:id|><tool-call-id><|tool_response:name|><tool-name><|tool_response:result|><results>"
        "<|tool_response:end|>\n"
        "- Ensure the <tool-call-id> matches the corresponding tool call"
    ),
    form="function",
    tool="<|tool:begin|>{tool}<|tool:end|>",
    between_tools="",
    before_calls="",
    result=(
        "<|tool_response:begin|>{id}<|tool_response:name|>{name}<|tool_response:result|>{result}<|tool_response:end|>"
    ),
    between_results="",
    kept_id=r"[\w-]{1,64}",
)

FUNCTIONGEMMA = Prompt(
    declaration="You are a model that can do function calling with the following functions{tools}",
    instruction="",
    form="relaxed",
    tool="<start_function_declaration>{tool}<end_function_declaration>",
    between_tools="",
    before_calls="",
    result="<start_function_response>response:{name}{value:<escape>{result}<escape>}<end_function_response>",
    between_results="",
)

GEMMA4 = Prompt(
    declaration="{tools}",
    instruction="",
    form="relaxed",
    tool="<|tool>{tool}<tool|>",
    between_tools="",
    beside_system="",
    before_calls="",
    result='<|tool_response>response:{name}{value:<|"|>{result}<|"|>}<tool_response|>',
    between_results="",
)

HARMONY = Prompt(
    declaration="# Tools\n\n## functions\n\nnamespace functions {\n\n{tools}\n\n} // namespace functions",
    instruction="",
    form="typescript",
    between_tools="\n\n",
    before_calls="",
)

FUNCTIONARY_V32 = Prompt(
    declaration=(
        "You are capable of executing available function(s) if required.\n"
        "Only execute function(s) when absolutely necessary.\n"
        "Ask for the required input to:recipient==all\n"
        "Use JSON for function arguments.\n"
        "Respond in this format:\n>>>${recipient}\n${content}\n"
        "Available functions:\n"
        "// Supported function definitions that should be called when necessary.\n"
        "namespace functions {\n\n{tools}\n\n} // namespace functions"
    ),
    instruction="",
    form="typescript",
    between_tools="\n\n",
    before_system=True,
    before_calls="",
)

FUNCTIONARY_V2 = Prompt(
    declaration=(
        "// Supported function definitions that should be called when necessary.\n"
        "namespace functions {\n\n{tools}\n\n} // namespace functions"
    ),
    form="typescript",
    between_tools="\n\n",
    before_system=True,
)

PLAMO3 = Prompt(before_calls="")
"""No template of this family was seen."""
