"""Rows whose calls are a header with the name, followed by one tag for each argument."""

from __future__ import annotations

from converters.syntaxes import prompts_tagged
from converters.syntaxes.row import Syntax

GLM45 = Syntax(
    name="glm45",
    shape="tagged",
    call="<tool_call>{name}\n{parameters}</tool_call>",
    parameter="<arg_key>{key}</arg_key>\n<arg_value>{value}</arg_value>\n",
    also_parameter=(
        "<arg_key>{key}</arg_key>\n{value}\n</arg_value>",
        "<arg_key>{key}\n<arg_value>{value}</arg_value>",
        "<arg_key>{key}<arg_key>\n<arg_value>{value}</arg_value>",
    ),
    prompt=prompts_tagged.GLM45,
    models=r"glm-?4[.p-]?[56](?!\d)|(ling|ring)-.*2[.-]6|(ling|ring)-?3(?!\d)|bailing.*v?3|laguna(?!-?s\b)|poolside(?!.*laguna-?s\b)",
    source="chat template of zai-org/GLM-4.6",
)

GLM47 = Syntax(
    name="glm47",
    shape="tagged",
    call="<tool_call>{name}{parameters}</tool_call>",
    parameter="<arg_key>{key}</arg_key><arg_value>{value}</arg_value>",
    also_parameter=(
        "<arg_key>{key}</arg_key>{value}</arg_value>",
        "<arg_key>{key}<arg_value>{value}</arg_value>",
        "<arg_key>{key}<arg_key><arg_value>{value}</arg_value>",
    ),
    between="",
    prompt=prompts_tagged.GLM47,
    models=r"(?<!chat)glm-?(4[.p-]?[78]|[5-9](?!\d))|spark-?2[.p-]?5|laguna-?s\b",
    source="chat template of zai-org/GLM-4.7",
)

QWEN3_CODER = Syntax(
    name="qwen3_coder",
    shape="tagged",
    group="<tool_call>\n{calls}\n</tool_call>",
    grouped="each",
    call="<function={name}>\n{parameters}</function>",
    also_call=('<function name="{name}">\n{parameters}</function>',),
    parameter="<parameter={key}>\n{value}\n</parameter>\n",
    also_parameter=('<parameter name="{key}">\n{value}\n</parameter>\n',),
    prompt=prompts_tagged.QWEN3_CODER,
    models=(
        r"nemotron-?(3(?!\d)|nano-?30b|cascade)|step-?3[.p-]?[57]|step-?5|minicpm-?(v|o)|granite-?4[.-]?2"
        r"|intern-?s2|intellect-?3|nanbeige|ornith|qwen-?3.*coder|qwen-?3[.p-]?[5-9](?!\d)(?!b)"
    ),
    source="chat template of Qwen/Qwen3-Coder-30B-A3B-Instruct",
)

MIMO_V2 = Syntax(
    name="mimo_v2",
    shape="tagged",
    group="<tool_call>\n{calls}\n</tool_call>",
    grouped="each",
    call="<function={name}>\n{parameters}</function>",
    also_call=('<function name="{name}">\n{parameters}</function>',),
    parameter="<parameter={key}>{value}</parameter>\n",
    also_parameter=('<parameter name="{key}">{value}</parameter>\n',),
    prompt=prompts_tagged.MIMO_V2,
    models=r"mimo-?v2",
    source="chat template of XiaomiMiMo/MiMo-V2-Flash",
)

CLAUDE = Syntax(
    name="claude",
    shape="tagged",
    group="<function_calls>\n{calls}\n</function_calls>",
    call='<invoke name="{name}">\n{parameters}</invoke>',
    parameter='<parameter name="{key}">{value}</parameter>\n',
    prefix="antml:",
    prompt=prompts_tagged.CLAUDE,
    models=r"claude(?!-?(instant|v?[12](?!\d)|2[.-]))|\b(opus|sonnet|haiku)\b",
    source="Anthropic's tool prompt, as quoted in the chat template of deepseek-ai/DeepSeek-V3.2",
)

CLAUDE_LEGACY = Syntax(
    name="claude_legacy",
    shape="elements",
    group="<function_calls>\n{calls}\n</function_calls>",
    call="<invoke>\n<tool_name>{name}</tool_name>\n<parameters>\n{parameters}</parameters>\n</invoke>",
    parameter="<{key}>{value}</{key}>\n",
    prompt=prompts_tagged.CLAUDE_LEGACY,
    models=r"claude-(instant|v?[12](?!\d)|2[.-])",
    source="Anthropic's legacy tool use page",
)

SEED_OSS = Syntax(
    name="seed_oss",
    shape="tagged",
    group="<seed:tool_call>\n{calls}\n</seed:tool_call>",
    grouped="each",
    call="<function={name}>\n{parameters}</function>",
    also_call=('<function name="{name}">\n{parameters}</function>',),
    parameter="<parameter={key}>{value}</parameter>\n",
    also_parameter=('<parameter name="{key}">{value}</parameter>\n',),
    prompt=prompts_tagged.SEED_OSS,
    models=r"seed-?oss",
    source="chat template of ByteDance-Seed/Seed-OSS-36B-Instruct",
)

IQUEST_Q1 = Syntax(
    name="iquest_q1",
    shape="tagged",
    call="<iquest_tool_call>{name}{parameters}</iquest_tool_call>",
    parameter="<arg_key>{key}</arg_key><arg_value>{value}</arg_value>",
    between="",
    prompt=prompts_tagged.COMPACT,
    models=r"iquest-?q1",
    source="SGLang's parser of IQuest-Q1",
)

LONGCAT_KV = Syntax(
    name="longcat_kv",
    shape="tagged",
    call="<longcat_tool_call>{name}\n{parameters}</longcat_tool_call>",
    parameter=("<longcat_arg_key>{key}</longcat_arg_key>\n<longcat_arg_value>{value}</longcat_arg_value>\n"),
    source="chat template of meituan-longcat/LongCat-Flash-Thinking",
)

K2_HORIZON = Syntax(
    name="k2_horizon",
    shape="tagged",
    group="<ifm|tool_calls>\n{calls}\n</ifm|tool_calls>",
    call="<ifm|tool_call>{name}\n{parameters}</ifm|tool_call>",
    parameter="<ifm|arg_key>{key}</ifm|arg_key>\n<ifm|arg_value>{value}</ifm|arg_value>\n",
    also_parameter=(
        "<ifm|arg_key>{key}</ifm|arg_key>\n<ifm|arg_type>{type}</ifm|arg_type>\n<ifm|arg_value>{value}</ifm|arg_value>\n",
    ),
    string_types=("string", "str"),
    models=r"k2-?(horizon|v3)",
    source="vLLM's parser of K2 Horizon",
)

HY3 = Syntax(
    name="hy3",
    shape="tagged",
    group="<tool_calls>\n{calls}\n</tool_calls>",
    call="<tool_call>{name}<tool_sep>\n{parameters}</tool_call>",
    also_call=("<tool_call>{name}\n{parameters}</tool_call>",),
    suffixed=True,
    parameter="<arg_key>{key}</arg_key>\n<arg_value>{value}</arg_value>\n",
    prompt=prompts_tagged.HY3,
    models=r"\bhy-?[34]\b|hunyuan-?[34]\b",
    source="chat template of tencent/Hy3",
)

MINIMAX_M2 = Syntax(
    name="minimax_m2",
    shape="tagged",
    group="<minimax:tool_call>\n{calls}\n</minimax:tool_call>",
    call='<invoke name="{name}">\n{parameters}</invoke>',
    parameter='<parameter name="{key}">{value}</parameter>\n',
    prompt=prompts_tagged.MINIMAX_M2,
    models=r"minimax-?m2",
    source="chat template of MiniMaxAI/MiniMax-M2",
)

DOTS = Syntax(
    name="dots",
    shape="tagged",
    group="<dots_function_call>\n{calls}\n</dots_function_call>",
    call='<invoke name="{name}">\n{parameters}</invoke>',
    parameter='<parameter name="{key}">{value}</parameter>\n',
    models=r"\bdots[.-]?(llm|ocr|note|vlm|\d)",
    source="vLLM's parser of dots",
)

MUSE_ATEM = Syntax(
    name="muse_atem",
    shape="tagged",
    group=" to={name}<|message|><atem:function_calls>\n{calls}\n</atem:function_calls>",
    grouped="each",
    also_group=(
        " to={to}<|message|><atem:function_calls>\n{calls}\n</atem:function_calls><|eom|>",
        "<|start|>assistant to={to}<|message|><atem:function_calls>\n{calls}\n</atem:function_calls><|eom|>",
        "<atem:function_calls>\n{calls}\n</atem:function_calls><|eot|>",
    ),
    between="<|eom|><|start|>assistant",
    turn_end="<|eot|>",
    call='<atem:invoke name="{name}">\n{parameters}</atem:invoke>',
    also_call=('<atem:invoke name="{name}<|message|>">\n{parameters}</atem:invoke>',),
    addressed=("<atem:",),
    parameter='<atem:parameter name="{key}">{value}</atem:parameter>\n',
    prompt=prompts_tagged.MUSE_ATEM,
    models=r"muse-?(spark|glimmer)|glimmer",
    source="vLLM's parser of Muse",
)

STEP3 = Syntax(
    name="step3",
    shape="tagged",
    group="<｜tool_calls_begin｜>\n{calls}\n<｜tool_calls_end｜>",
    call=(
        '<｜tool_call_begin｜>function<｜tool_sep｜><steptml:invoke name="{name}">'
        "\n{parameters}</steptml:invoke><｜tool_call_end｜>"
    ),
    also_call=(
        '<｜tool_call_begin｜><steptml:invoke name="{name}">\n{parameters}</steptml:invoke><｜tool_call_end｜>',
    ),
    parameter='<steptml:parameter name="{key}">{value}</steptml:parameter>\n',
    models=r"step-?3(?![.p]\d|-?[57](?!\d))",
    source="chat template of stepfun-ai/step3",
)

DEEPSEEK_V32 = Syntax(
    name="deepseek_v32",
    shape="tagged",
    group="<｜DSML｜function_calls>\n{calls}\n</｜DSML｜function_calls>",
    call='<｜DSML｜invoke name="{name}">\n{parameters}</｜DSML｜invoke>',
    also_call=('<｜DSML｜invoke name="{name}"/>{parameters}',),
    parameter='<｜DSML｜parameter name="{key}" string="{type}">{value}</｜DSML｜parameter>\n',
    also_parameter=('<｜DSML｜parameter name="{key}">{value}</｜DSML｜parameter>\n',),
    prompt=prompts_tagged.DEEPSEEK_V32,
    models=r"deepseek.*v3[.-]?2(?!\d|-?exp)",
    source="encoding of deepseek-ai/DeepSeek-V3.2",
)

DEEPSEEK_V4 = Syntax(
    name="deepseek_v4",
    shape="tagged",
    group="<｜DSML｜tool_calls>\n{calls}\n</｜DSML｜tool_calls>",
    also_group=(
        "<｜DSML｜toolcalls>\n{calls}\n</｜DSML｜toolcalls>",
        "<｜DSML｜tool>\n{calls}\n</｜DSML｜tool>",
    ),
    call='<｜DSML｜invoke name="{name}">\n{parameters}</｜DSML｜invoke>',
    also_call=('<｜DSML｜invoke name="{name}"/>{parameters}',),
    parameter='<｜DSML｜parameter name="{key}" string="{type}">{value}</｜DSML｜parameter>\n',
    also_parameter=('<｜DSML｜parameter name="{key}">{value}</｜DSML｜parameter>\n',),
    prompt=prompts_tagged.DEEPSEEK_V4,
    models=r"deepseek.*v4(?![.-]?1)",
    source="encoding of deepseek-ai/DeepSeek-V4",
)

DEEPSEEK_V41 = Syntax(
    name="deepseek_v41",
    shape="tagged",
    group="<｜DSML｜ calls>\n{calls}\n</｜DSML｜ calls>",
    call='<｜DSML｜ invoke name="{name}">\n{parameters}</｜DSML｜ invoke>',
    also_call=('<｜DSML｜ invoke name="{name}"/>{parameters}',),
    parameter='<｜DSML｜ parameter name="{key}" string="{type}">{value}</｜DSML｜ parameter>\n',
    also_parameter=('<｜DSML｜ parameter name="{key}">{value}</｜DSML｜ parameter>\n',),
    prompt=prompts_tagged.DEEPSEEK_V41,
    models=r"deepseek.*v4[.-]?1",
    source="encoding of deepseek-ai/DeepSeek-V4.1",
)

GIGACHAT35 = Syntax(
    name="gigachat35",
    shape="tagged",
    group="<｜GCML｜tool_calls>\n{calls}\n</｜GCML｜tool_calls>",
    call='<｜GCML｜invoke name="{name}">\n{parameters}</｜GCML｜invoke>',
    also_call=('<｜GCML｜invoke name="{name}"/>{parameters}',),
    parameter='<｜GCML｜parameter name="{key}" string="{type}">{value}</｜GCML｜parameter>\n',
    also_parameter=('<｜GCML｜parameter name="{key}">{value}</｜GCML｜parameter>\n',),
    prompt=prompts_tagged.GIGACHAT35,
    models=r"gigachat-?3[.-]5",
    source="SGLang's parser of GigaChat 3.5",
)

KIMI_K3 = Syntax(
    name="kimi_k3",
    shape="tagged",
    group="<|open|>tools<|sep|>{calls}<|close|>tools<|sep|>",
    call='<|open|>call tool="{name}" index="{id}"<|sep|>{parameters}<|close|>call<|sep|>',
    also_call=(
        '<|open|>call tool="{name}" index="{id}"<|sep|><|open|>json type="object"<|sep|>{parameters}'
        "<|close|>json<|sep|><|close|>call<|sep|>",
        '<|open|>call tool="{name}"<|sep|>{parameters}<|close|>call<|sep|>',
        '<|open|>call index="{id}" tool="{name}"<|sep|>{parameters}<|close|>call<|sep|>',
    ),
    parameter='<|open|>argument key="{key}" type="{type}"<|sep|>{value}<|close|>argument<|sep|>',
    also_parameter=(
        '<|open|>argument key="{key}"<|sep|>{value}<|close|>argument<|sep|>',
        '<|open|>argument type="{type}" key="{key}"<|sep|>{value}<|close|>argument<|sep|>',
    ),
    between="",
    string_types=("string", "str"),
    id="{number}",
    escaped_keys=True,
    prompt=prompts_tagged.KIMI_K3,
    models=r"kimi-?k3",
    source="chat template of moonshotai/Kimi-K3",
)

MINICPM5 = Syntax(
    name="minicpm5",
    shape="tagged",
    call='<function name="{name}">{parameters}</function>',
    parameter='<param name="{key}">{value}</param>',
    also_parameter=('<param name="{key}"><![CDATA[{value}]]></param>',),
    prompt=prompts_tagged.MINICPM5,
    models=r"minicpm-?5",
    source="chat template of openbmb/MiniCPM5",
)

BEAM = Syntax(
    name="beam",
    shape="tagged",
    call=" to={name}<|channel|>analysis <|constrain|>xml<|message|>{parameters}",
    also_call=(
        "<|start|>assistant to={name}<|channel|>analysis <|constrain|>xml<|message|>{parameters}<|end|>",
        "<|start|>assistant to={name}<|channel|>analysis <|constrain|>xml<|message|>{parameters}<|call|>",
    ),
    turn_end="<|call|>",
    parameter='<rfl:parameter name="{key}">\n{value}\n</rfl:parameter>',
    between="<|end|><|start|>assistant",
    addressed=("<rfl:parameter", "<|call|>", "<|end|>"),
    models=r"\bbeam\b",
    source="vLLM's parser of Beam",
)

MINIMAX_M3 = Syntax(
    name="minimax_m3",
    shape="elements",
    lead_token="]<]minimax[>[",
    group="]<]minimax[>[<tool_call>\n{calls}\n]<]minimax[>[</tool_call>",
    call=']<]minimax[>[<invoke name="{name}">{parameters}]<]minimax[>[</invoke>',
    parameter="]<]minimax[>[<{key}>{value}]<]minimax[>[</{key}>",
    prompt=prompts_tagged.MINIMAX_M3,
    models=r"minimax-?m3",
    source="chat template of MiniMaxAI/MiniMax-M3",
)
