"""Refusals of messages: their contents, roles and order, past calls and their results. Data, no code."""

from __future__ import annotations

from backends.adapt.words.row import Words

CONTENT = (
    Words(
        "llama.cpp",
        "ggml-org/llama.cpp#12279, #13471",
        "content_text + content_empty > result_images > without_nulls",
        (
            r"expected content to be a string",
            r"content (?:field )?(?:must|should) be a (?:str\b|string|valid string)",
            r"content.{0,60}(?:input should be a valid (?:string|str|list)|string_type|none_not_allowed)",
            r"(?:input should be a valid string|string_type|invalid type: (?:null|sequence)).{0,160}content",
            r"(?:missing|null|none|requires?) (?:field )?content\b",
            r"content (?:is|was) (?:required|missing|null|none)",
            r"content.{0,40}(?:cannot be|must not be|may not be|got) (?:null|none)",
        ),
    ),
    Words(
        "template",
        "abetlen/llama-cpp-python#1805; ml-explore/mlx-lm#185",
        "content_empty > without_nulls",
        (
            r"nonetype object is not (?:iterable|subscriptable)",
            r"nonetype object has no attribute",
            r"argument of type nonetype is not iterable",
            r"object of type nonetype has no len",
            r"can only concatenate str \(not nonetype\) to str",
            r"\bnone has no (?:attribute|element)",
            r"dict object has no attribute content",
            r"unsupported operand type.{0,60}nonetype",
            r"object of type undefined is not json serializable",
        ),
    ),
    Words(
        "template",
        "ml-explore/mlx-examples#1195; Neroued/ninfer#56",
        "content_text > result_images",
        (
            r"can only concatenate str \(not list\) to str",
            r"list object has no attribute \w+",
            r"sequence item \d+: expected str",
            r"invalid user message",
            r"tool messages? must contain string content",
            r"only text tool_result blocks",
            r"content.{0,30}(?:must|should) be (?:plain )?text",
        ),
    ),
    Words(
        "llama.cpp",
        "ggml-org/llama.cpp#12293",
        "prefill_dropped > content_empty > content_space",
        (r"must contain either content or tool_calls",),
    ),
    Words("ollama", "ollama/ollama: openai/openai.go", "content_empty", (r"invalid message content type",)),
    Words("ollama", "ollama/ollama: openai/openai.go", "result_images > content_text", (r"invalid message format",)),
    Words(
        "deepseek api",
        "NousResearch/hermes-agent#109707; QwenLM/qwen-code#3616",
        "result_images",
        (
            r"uploaded an unsupported image",
            r"(?:role:? ?tool|tool (?:message|result|role)s?)\b.{0,80}(?:image|only (?:support )?text|multimodal)",
            r"image.{0,60}(?:role:? ?tool\b|tool (?:message|result|role))",
        ),
    ),
    Words(
        "lm studio",
        "QwenLM/qwen-code#3616",
        "result_images > content_text + content_empty > without_nulls > system_first",
        (r"invalid messages in payload",),
    ),
    Words(
        "mistral api",
        "mistralai/client-python#234",
        "prefill_dropped > content_space",
        (
            r"must have either content or tool_calls",
            r"(?:content|text)\b.{0,60}(?:must be|must have|should be|needs to be) non-?empty",
            r"(?:content|text)\b.{0,40}(?:must not|cannot|can not|should not|ca[n]t) be empty",
            r"non-?empty content|empty content (?:is )?not (?:allowed|supported)",
        ),
    ),
)

ROLES = (
    Words(
        "template",
        "mistralai/mistral-vibe#1006; eclipse-theia/theia#17104",
        "alternate + system_first > assistant_between > prompted > system_in_user",
        (
            r"roles must alternate",
            r"conversation roles? must",
            r"must alternate between",
            r"alternating (?:roles|user)",
        ),
    ),
    Words(
        "deepseek api",
        "api-docs.deepseek.com: deepseek-reasoner",
        "alternate",
        (r"(?:successive|consecutive) (?:user|assistant)",),
    ),
    Words("openai api", "platform.openai.com: chat completions", "without_nulls", (r"\[\] is too short",)),
    Words(
        "template",
        "vllm-project/vllm#46976; ggml-org/llama.cpp#20733",
        "system_first > system_in_user",
        (
            r"system (?:message|role|prompt)s? (?:must|should|has to|can only) (?:be|come|appear|stand)?"
            r".{0,20}(?:begin|first|start)",
            r"only the first message can (?:be a|have (?:the )?role) ?system",
            r"unexpected role system after role",
            r"(?:multiple|more than one|several) system messages",
        ),
    ),
    Words(
        "template",
        "arcee-ai/fastmlx#22; huggingface/chat-ui#1539",
        "system_in_user > prompted > alternate",
        (
            r"system (?:role|messages?|prompts?) (?:is |are )?(?:not supported|unsupported|not allowed)",
            r"(?:does not|does[n]t|not) support (?:the )?system (?:role|message|prompt)",
            r"only user and (?:assistant|model) roles? (?:are|is) supported",
            r"developer instruction is not enabled",
            r"role does not support (?:system|developer)",
        ),
    ),
    Words(
        "template",
        "ggml-org/llama.cpp#20215; 1CatAI/1Cat-vLLM#493",
        "developer + system_first + functions > system_in_user",
        (
            r"(?:unexpected|invalid|unknown|unsupported) (?:message )?role\b(?!s? .{0,4}(?:user|tool|assistant) after)",
            r"unsupported role|role:? developer.{0,40}(?:not supported|unsupported|invalid)",
            r"unknown variant developer",
            r"only user, (?:systemm?,? )?assistant and tool roles are supported",
            r"(?:input should be|expected (?:one of)?|must be(?: one of)?):? \[?system, (?:user|assistant)",
            r"developer is not one of",
        ),
    ),
    Words(
        "mistral api",
        "charmbracelet/crush#279; mistralai/mistral-vibe#454",
        "assistant_between",
        (r"unexpected role user after role tool", r"user message after (?:a )?tool (?:message|result)"),
    ),
    Words(
        "llama.cpp",
        "ggml-org/llama.cpp#20861",
        "prefill_dropped > thinking_off",
        (
            r"prefill is incompatible with enable_thinking",
            r"thinking.{0,60}(?:incompatible|not supported) with.{0,20}prefill",
        ),
    ),
    Words(
        "llama.cpp",
        "NousResearch/hermes-agent#80265",
        "prefill_dropped > alternate",
        (r"2 or more assistant messages at the end",),
    ),
    Words(
        "mistral api",
        "open-webui/open-webui#23703",
        "prefill_dropped",
        (
            r"expected last role user or tool",
            r"must end with a (?:user|tool) message",
            r"last message.{0,40}(?:must|should|has to) (?:be|have)",
            r"(?:does not support|not supported?).{0,20}(?:assistant message )?prefill",
        ),
    ),
)

CALLS = (
    Words(
        "template",
        "QwenLM/Qwen3#1894; huggingface/transformers#48120",
        "arguments_object + arguments_raw",
        (
            r"can only get item pairs from a mapping",
            r"str object has no attribute (?:items|keys|get)",
            r"arguments.{0,60}(?:must|should|needs? to) be (?:a |an )?(?:dict|dictionary|object|mapping)",
            r"(?:requires?|expected).{0,60}arguments.{0,40}(?:dict|dictionary|object|mapping)",
            r"invalid tool call arguments passed",
            r"arguments is not an? (?:object|mapping)",
        ),
    ),
    Words(
        "mistral-common",
        "mistralai/mistral-common#311",
        "arguments_text",
        (
            r"can only concatenate str \(not dict\) to str",
            r"arguments\b.{0,60}(?:must be|should be|to be|expected) (?:a )?(?:valid )?(?:json )?(?:string|str\b)",
            r"arguments\b.{0,80}string_type",
            r"string_type.{0,120}arguments\b",
            r"json: cannot unmarshal object into go struct field.{0,80}arguments",
        ),
    ),
    Words(
        "llama.cpp",
        "ggml-org/llama.cpp#25510; vxcontrol/pentagi#313",
        "arguments_raw",
        (
            r"failed to parse tool call arguments",
            r"unterminated string starting at",
            r"expecting (?:value|property name|, delimiter|: delimiter)",
            r"extra data: line",
            r"arguments.{0,60}(?:not|invalid|valid|must be|as) (?:valid )?json",
            r"invalid.{0,30}(?:tool|function).{0,20}arguments(?! passed)",
            r"unexpected end of json input|json\.exception\.parse_error|json_invalid",
        ),
    ),
    Words(
        "mistral-common",
        "vllm-project/vllm#9019; ml-explore/mlx-lm#1375",
        "ids_nine",
        (
            r"tool call ids? (?:should|must) be alphanumeric",
            r"tool call id was.{0,120}a-z, a-z, 0-9",
            r"a-z, a-z, 0-9, with a length of 9",
        ),
    ),
    Words(
        "mistral-common",
        "mistralai/client-ts#106; pipecat-ai/pipecat-flows#178",
        "order_results > one_call",
        (
            r"not the same number of function calls and responses",
            r"unexpected role tool after role",
            r"must be followed by tool (?:messages|results?)",
            r"did not have (?:response messages|tool_result)",
            r"must be a response to a pre(?:ceding|ceeding|vious) message",
            r"tool_use ids? (?:were|was) found without tool_result",
            r"unexpected \w+ found in tool_result",
            r"insufficient tool messages",
            r"no (?:matching )?tool[_ ]calls? found (?:for|with)",
        ),
    ),
    Words(
        "template",
        "chat template of Llama 3.1",
        "one_call",
        (r"only supports? single tool-?calls? at once", r"multiple tool calls.{0,30}not supported"),
    ),
    Words(
        "anthropic api",
        "NousResearch/hermes-agent#67777; cortexkit/magic-context#178",
        "ids_unique",
        (
            r"ids must be unique",
            r"duplicate (?:\w+ )?(?:tool_?call|function_call|call|tool_use)\w*",
            r"multiple tool_result.{0,40}same",
        ),
    ),
    Words(
        "llama.cpp",
        "raullenchai/Rapid-MLX#731; sigoden/aichat#1296",
        "ids_unique > without_nulls",
        (
            r"(?:missing|requires?|expected) (?:field )?tool_call_id\b",
            r"tool_call_id\b.{0,40}(?:is required|field required|missing|(?:must|can)not be (?:empty|null))",
        ),
    ),
)
