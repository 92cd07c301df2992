"""What the prompts of models say that write a tag for each argument (tagged.py). One `Prompt` for each row."""

from __future__ import annotations

from converters.syntaxes.prompt import Prompt

GLM45 = Prompt(
    instruction=(
        "\n\nFor each function call, output the function name and arguments within the following XML format:\n"
        "<tool_call>{function-name}\n<arg_key>{arg-key-1}</arg_key>\n<arg_value>{arg-value-1}</arg_value>\n"
        "<arg_key>{arg-key-2}</arg_key>\n<arg_value>{arg-value-2}</arg_value>\n...\n</tool_call>"
    ),
    before_system=True,
)

GLM47 = Prompt(
    instruction=(
        "\n\nFor each function call, output the function name and arguments within the following XML format:\n"
        "<tool_call>{function-name}<arg_key>{arg-key-1}</arg_key><arg_value>{arg-value-1}</arg_value>"
        "<arg_key>{arg-key-2}</arg_key><arg_value>{arg-value-2}</arg_value>...</tool_call>"
    ),
    before_system=True,
    before_calls="",
    result="<tool_response>{result}</tool_response>",
    between_results="",
)

QWEN3_CODER = Prompt(
    declaration="# Tools\n\nYou have access to the following tools:\n\n<tools>\n{tools}\n</tools>",
    instruction=(
        "\n\nIf you choose to call a tool ONLY reply in the following format with NO suffix:\n\n"
        "<tool_call>\n<function=example_function_name>\n<parameter=example_parameter_1>\nvalue_1\n</parameter>\n"
        "<parameter=example_parameter_2>\nvalue_2\n</parameter>\n</function>\n</tool_call>\n\n"
        "<IMPORTANT>\nReminder:\n"
        "- Function calls MUST follow the specified format: the tool calling block MUST begin with an opening "
        "<tool_call> tag and end with a closing </tool_call> tag.\n"
        "- Required parameters MUST be specified\n"
        "- You may provide optional reasoning for your function call in natural language BEFORE the function call, but "
        "NOT after\n"
        "- If there is no function call available, answer the question like normal with your current knowledge and do "
        "not tell the user about function calls\n</IMPORTANT>"
    ),
    form="xml",
    before_calls="\n\n",
    results="{results}\n",
)

MIMO_V2 = Prompt(
    instruction=(
        "\n\nFor each function call, output the function name and arguments in the following XML format:\n{example}"
    ),
)

SEED_OSS = Prompt(
    declaration="{tools}",
    instruction=(
        "\n工具调用请遵循如下格式:\n<seed:tool_call>\n<function=example_function_name>\n"
        "<parameter=example_parameter_1>value_1</parameter>\n"
        "<parameter=example_parameter_2>This is the value for the second parameter\nthat can span\nmultiple lines"
        "</parameter>\n</function>\n</seed:tool_call>\n"
    ),
    form="python",
    tool="Function:\n{tool}",
    between_tools="\n\n",
    before_calls="\n\n",
)

CLAUDE = Prompt(
    declaration=(
        "In this environment you have access to a set of tools you can use to answer the user's question.\n"
        'You can invoke functions by writing a "<function_calls>" block like the following as part of your reply to '
        "the user:\n<function_calls>\n"
        '<invoke name="$FUNCTION_NAME">\n<parameter name="$PARAMETER_NAME">$PARAMETER_VALUE</parameter>\n...\n'
        '</invoke>\n<invoke name="$FUNCTION_NAME2">\n...\n</invoke>\n</function_calls>\n\n'
        "String and scalar parameters should be specified as is, while lists and objects should use JSON format.\n\n"
        "Here are the functions available in JSONSchema format:\n<functions>\n{tools}\n</functions>"
    ),
    instruction="",
    form="function",
    tool="<function>{tool}</function>",
    before_calls="\n\n",
    result="<result>{result}</result>",
    results="<function_results>\n{results}\n</function_results>",
)

CLAUDE_LEGACY = Prompt(
    declaration=(
        "In this environment you have access to a set of tools you can use to answer the user's question.\n\n"
        "You may call them like this:\n<function_calls>\n<invoke>\n<tool_name>$TOOL_NAME</tool_name>\n<parameters>\n"
        "<$PARAMETER_NAME>$PARAMETER_VALUE</$PARAMETER_NAME>\n...\n</parameters>\n</invoke>\n</function_calls>\n\n"
        "Here are the tools available:\n<tools>\n{tools}\n</tools>"
    ),
    instruction="",
    form="xml_descriptions",
    result="<result>\n<tool_name>{name}</tool_name>\n<stdout>\n{result}\n</stdout>\n</result>",
    results="<function_results>\n{results}\n</function_results>",
)

HY3 = Prompt(
    instruction=(
        "\n\nFor function call returns, you should first print <tool_calls>\n"
        "For each function call, you should return object like:\n"
        "<tool_call>{function-name}<tool_sep>\n"
        "<arg_key>{arg-key-1}</arg_key>\n<arg_value>{arg-value-1}</arg_value>\n"
        "<arg_key>{arg-key-2}</arg_key>\n<arg_value>{arg-value-2}</arg_value>\n...\n</tool_call>\n"
        "At the end of function call returns, you should print </tool_calls>"
    ),
    before_calls="",
    results="<tool_responses>\n{results}\n</tool_responses>",
)

MINIMAX_M2 = Prompt(
    declaration=(
        "# Tools\nYou may call one or more tools to assist with the user query.\n"
        "Here are the tools available in JSONSchema format:\n\n<tools>\n{tools}\n</tools>"
    ),
    instruction=(
        "\n\nWhen making tool calls, use XML format to invoke tools and pass parameters:\n\n<minimax:tool_call>\n"
        '<invoke name="tool-name-1">\n<parameter name="param-key-1">param-value-1</parameter>\n'
        '<parameter name="param-key-2">param-value-2</parameter>\n...\n</invoke>\n</minimax:tool_call>'
    ),
    form="function",
    tool="<tool>{tool}</tool>",
    before_lone_calls="\n",
    result="<response>{result}</response>",
)

_M3_EXAMPLE = (
    "]<]minimax[>[<tool_call>\n"
    ']<]minimax[>[<invoke name="tool-name-1">]<]minimax[>[<param-1>value-1]<]minimax[>[</param-1>'
    "]<]minimax[>[<param-2>]<]minimax[>[<item>]<]minimax[>[<key-a>val-a]<]minimax[>[</key-a>"
    "]<]minimax[>[<key-b>val-b]<]minimax[>[</key-b>]<]minimax[>[</item>]<]minimax[>[</param-2>]<]minimax[>[</invoke>\n"
    ']<]minimax[>[<invoke name="tool-name-2">]<]minimax[>[<param-1>value-1]<]minimax[>[</param-1>]<]minimax[>[</invoke>'
    "\n]<]minimax[>[</tool_call>"
)

MINIMAX_M3 = Prompt(
    declaration=MINIMAX_M2.declaration,
    instruction=(
        "\n\nTo call tools, wrap all invocations in a single ]<]minimax[>[<tool_call>]<]minimax[>[</tool_call> block. "
        "Parameter values containing nested objects or arrays are recursively expanded into XML elements. Example:\n\n"
        + _M3_EXAMPLE
    ),
    form="function",
    tool="<tool>{tool}</tool>",
    before_calls="",
    result="<response>{result}</response>",
)

MUSE_ATEM = Prompt(
    declaration=(
        "In this environment you have access to a set of tools you can use to answer the user's question.\n\n"
        'You can invoke a function by writing a "<atem:function_calls>" block like the following:\n'
        '<atem:function_calls>\n<atem:invoke name="$FUNCTION_NAME">\n'
        '<atem:parameter name="$PARAMETER_NAME">$PARAMETER_VALUE</atem:parameter>\n...\n</atem:invoke>\n'
        "</atem:function_calls>\n\n"
        "String and scalar parameters should be specified as is, while lists and objects should use JSON format. Note "
        "that spaces for string values are not stripped. The output is not expected to be valid XML and is parsed with "
        "regular expressions.\nHere are the functions available in JSONSchema format:\n// Function schemas\n{tools}"
    ),
    instruction=(
        "\n\nHere's an example of how to call a function in the tool set:\n\n"
        "to=example_function_name\n\n<atem:function_calls>\n"
        '<atem:invoke name="example_function_name">\n'
        '<atem:parameter name="example_parameter_1">value_1</atem:parameter>\n'
        "</atem:invoke>\n</atem:function_calls>"
    ),
    form="function",
    result='<tool_output name="{name}">\n{result}\n</tool_output>',
)

_DSML_EXAMPLE = (
    "<｜DSML｜{block}>\n"
    '<｜DSML｜invoke name="${NAME}_NAME">\n'
    '<｜DSML｜parameter name="$PARAMETER_NAME" string="true|false">$PARAMETER_VALUE</｜DSML｜parameter>\n...\n'
    '</｜DSML｜invoke>\n<｜DSML｜invoke name="${NAME}_NAME2">\n...\n</｜DSML｜invoke>\n'
    "</｜DSML｜{block}>\n\n"
)

DEEPSEEK_V32 = Prompt(
    declaration=(
        "## Tools\n\nYou have access to a set of tools you can use to answer the user's question.\n"
        'You can invoke functions by writing a "<｜DSML｜function_calls>" block like the following as part of your '
        "reply to the user:\n"
        + _DSML_EXAMPLE.replace("{block}", "function_calls").replace("{NAME}", "FUNCTION")
        + "String and scalar parameters should be specified as is without any escaping or quotes, while lists and "
        'objects should use JSON format. The "string" attribute should be set to "true" for string type parameters and '
        '"false" for other types (numbers, booleans, arrays, objects).\n\n'
        "If the thinking_mode is enabled, then after function results you should strongly consider outputting a "
        "thinking block. Here is an example:\n\n<｜DSML｜function_calls>\n...\n</｜DSML｜function_calls>\n\n"
        "<function_results>\n...\n</function_results>\n\n<think>...thinking about results</think>\n\n"
        "Here are the functions available in JSONSchema format:\n<functions>\n{tools}\n</functions>\n"
    ),
    instruction="",
    form="function",
    before_calls="\n\n",
    before_lone_calls="\n\n",
    result="<result>{result}</result>",
    results="<function_results>\n{results}\n</function_results>",
)

DEEPSEEK_V4 = Prompt(
    declaration=(
        "## Tools\n\nYou have access to a set of tools to help answer the user's question. You can invoke tools by "
        'writing a "<｜DSML｜tool_calls>" block like the following:\n\n'
        + _DSML_EXAMPLE.replace("{block}", "tool_calls").replace("{NAME}", "TOOL")
        + 'String parameters should be specified as is and set `string="true"`. For all other types (numbers, '
        'booleans, arrays, objects), pass the value in JSON format and set `string="false"`.\n\n'
        "If thinking_mode is enabled (triggered by <think>), you MUST output your complete reasoning inside "
        "<think>...</think> BEFORE any tool calls or final response.\n\n"
        "Otherwise, output directly after </think> with tool calls or final response.\n\n"
        "### Available Tool Schemas\n\n{tools}\n\n"
        "You MUST strictly follow the above defined tool name and parameter schemas to invoke tool calls.\n"
    ),
    instruction="",
    form="function",
    before_calls="\n\n",
    before_lone_calls="\n\n",
    result="<tool_result>{result}</tool_result>",
    between_results="\n\n",
)

DEEPSEEK_V41 = Prompt(
    declaration=DEEPSEEK_V4.declaration.replace("｜DSML｜tool_calls", "｜DSML｜ calls")
    .replace("｜DSML｜invoke", "｜DSML｜ invoke")
    .replace("｜DSML｜parameter", "｜DSML｜ parameter"),
    instruction="",
    form="function",
    before_calls="\n\n",
    before_lone_calls="\n\n",
    result=DEEPSEEK_V4.result,
    between_results="\n\n",
)

GIGACHAT35 = Prompt(
    declaration=DEEPSEEK_V4.declaration.replace("DSML", "GCML"),
    instruction="",
    form="function",
    before_calls="\n\n",
    before_lone_calls="\n\n",
    result=DEEPSEEK_V4.result,
    between_results="\n\n",
)
"""No template of this family was seen; its markup is that of DeepSeek V4 with another name."""

KIMI_K3 = Prompt(
    declaration="# Tools\nHere are the available tools, described in JSONSchema.\n\n```json\n[{tools}]\n```",
    form="json_compact",
    between_tools=",",
    before_system=True,
    before_calls="",
    result='<tool_response tool="{name}" index="{number}">\n{result}\n</tool_response>',
    counted="turn",
)

MINICPM5 = Prompt(
    declaration=(
        "# Tools\n\nYou are provided with function signatures within <tools></tools> XML tags:\n"
        "<tools>\n{tools}\n</tools>"
    ),
    instruction=(
        "\n\nTool usage guidelines:\n"
        "- You may call zero or more functions. If no function calls are needed, just answer normally and do not "
        "include any <function ... </function>.\n"
        "- When calling a function, return an XML object within <function ... </function> using:\n"
        '<function name="function-name"><param name="param-name">param-value</param></function>\n'
        "- param-value may be multi-line. If it contains <, & or newline characters, wrap it in a CDATA block: "
        '<param name="param-name"><![CDATA[...multi-line value...]]></param>'
    ),
)

COMPACT = Prompt(before_calls="")
"""For rows of which no template was seen and whose markup stands without line breaks."""
