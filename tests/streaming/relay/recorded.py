"""Streams as three engines sent them, byte for byte, with their buffered forms and what both mean."""

from __future__ import annotations

import json

from tests.servers import (
    Json,
    completion,
)
from tests.streaming.relay.phrases import CALLED, spoken


def http_chunks(*parts: str) -> bytes:
    encoded = [part.encode() for part in parts] + [b""]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in encoded)


def llamacpp() -> bytes:
    """llama-server b11669 with --skip-chat-parsing, a model that writes as GLM-4.7 does."""
    top = (
        '"created":1795161940,"id":"chatcmpl-kR5xjksaz4CxnJCjka93sV8KVh5TT9ue","model":"parrot-glm.gguf",'
        '"system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"'
    )

    def event(delta: str, finish: str = "null") -> str:
        return f'data: {{"choices":[{{"finish_reason":{finish},"index":0,"delta":{delta}}}],{top}}}\n\n'

    texts = ["C", "h", "e", "c", "k", "ing", ".", " ", "<tool_call>", "get", "_", "weather"]
    texts += ["<arg_key>", "city", "</arg_key>", "<arg_value>", "서", "울", "</arg_value>", "</tool_call>"]
    first, *others = [event(f'{{"content":"{text}"}}') for text in texts]
    usage = (
        f'data: {{"choices":[],{top},"usage":{{"completion_tokens":25,"prompt_tokens":757,"total_tokens":782,'
        '"prompt_tokens_details":{"cached_tokens":752}},"timings":{"cache_n":752,"prompt_n":5,"prompt_ms":9.766,'
        '"prompt_per_token_ms":1.9532,"prompt_per_second":511.98033995494575,"predicted_n":25,"predicted_ms":60.989,'
        '"predicted_per_token_ms":2.541208333333333,"predicted_per_second":393.5135844168621}}\n\n'
    )
    head = (
        "HTTP/1.1 200 OK\r\nServer: llama.cpp\r\nAccess-Control-Allow-Origin: \r\nX-Accel-Buffering: no\r\n"
        "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    begin = event('{"role":"assistant","content":null}') + first
    return head.encode() + http_chunks(begin, *others, event("{}", '"stop"') + usage, "data: [DONE]\n\n")


LLAMACPP_BUFFERED = (
    '{"choices":[{"finish_reason":"stop","index":0,"message":{"role":"assistant","content":"Checking. <tool_call>'
    'get_weather<arg_key>city</arg_key><arg_value>서울</arg_value></tool_call>"}}],"created":1795161940,"model":'
    '"parrot-glm.gguf","system_fingerprint":"b11669-Debian","object":"chat.completion","usage":{"completion_tokens":25,'
    '"prompt_tokens":757,"total_tokens":782,"prompt_tokens_details":{"cached_tokens":756}},"id":'
    '"chatcmpl-ws1hLMkDwkCKDMjcPfK3Ao71y2C4ivuR","timings":{"cache_n":756,"prompt_n":1,"prompt_ms":2.831,'
    '"prompt_per_token_ms":2.831,"prompt_per_second":353.2320734722713,"predicted_n":25,"predicted_ms":60.84,'
    '"predicted_per_token_ms":2.535,"predicted_per_second":394.4773175542406}}'
)


def vllm() -> bytes:
    """vLLM 0.32.0 with its own parser for GLM-4.7: the same answer, with real tool_calls."""
    top = '"id":"chatcmpl-ae3ccec03c9512b0","object":"chat.completion.chunk","created":1795161237,"model":"tiny"'

    def event(delta: str, finish: str = 'null,"token_ids":null', more: str = "") -> str:
        choice = f'"choices":[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}]'
        return f"data: {{{top},{choice}{more}}}\n\n"

    def called(entry: str) -> str:
        return event(f'{{"tool_calls":[{{{entry}}}]}}')

    opening = '"id":"chatcmpl-tool-83975ef9ea20f92c","type":"function","index":0,"function":{"name":"get_weather"}'
    parts = [r"{\"city\": \"", "서", "울", r"\"}"]
    usage = '"usage":{"prompt_tokens":444,"total_tokens":469,"completion_tokens":25}'
    head = (
        "HTTP/1.1 200 OK\r\ndate: Fri, 20 Nov 2026 07:53:57 GMT\r\nserver: uvicorn\r\n"
        "content-type: text/event-stream; charset=utf-8\r\nvary: Origin\r\nconnection: close\r\n"
        "transfer-encoding: chunked\r\n\r\n"
    )
    return head.encode() + http_chunks(
        event('{"role":"assistant","content":""}', "null", ',"prompt_token_ids":null,"prompt_text":null'),
        *(event(f'{{"content":"{text}"}}') for text in ["C", "h", "e", "c", "k", "ing", ".", " "]),
        called(opening),
        *(called(f'"index":0,"function":{{"arguments":"{part}"}}') for part in parts),
        event("{}", '"tool_calls","stop_reason":null,"token_ids":null'),
        f'data: {{{top},"choices":[],{usage},"system_fingerprint":"vllm-0.32.0-20a5b5c9"}}\n\n',
        "data: [DONE]\n\n",
    )


VLLM_BUFFERED = (
    '{"id":"chatcmpl-b313407eaa79d0ba","object":"chat.completion","created":1795161238,"model":"tiny","choices":['
    '{"index":0,"message":{"role":"assistant","content":"Checking.","refusal":null,"annotations":null,"audio":null,'
    '"function_call":null,"tool_calls":[{"id":"chatcmpl-tool-a3752d6a9ff595f8","type":"function","function":{"name":'
    '"get_weather","arguments":"{\\"city\\": \\"서울\\"}"}}],"reasoning":null},"logprobs":null,"finish_reason":'
    '"tool_calls","stop_reason":null,"token_ids":null,"routed_experts":null}],"service_tier":null,"usage":'
    '{"prompt_tokens":444,"total_tokens":469,"completion_tokens":25}}'
)

TRANSFORMERS_TEXTS = [
    *("서", "울", " ", "날", "씨", "를", " ", "확", "인", "하", "겠", "습", "니", "다", ".", "\n"),
    *("<tool_call>", "get", "_", "weather", "\n", "<arg_key>", "city", "</arg_key>", "\n", "<arg_value>", "서", "울"),
    *("</arg_value>", "\n", "<arg_key>", "d", "a", "y", "s", "</arg_key>", "\n", "<arg_value>", "3", "</arg_value>"),
    *("\n", "</tool_call>"),
]


def transformers() -> bytes:
    """transformers serve 5.23, a model that writes as GLM-4.5 does: no [DONE], usage beside the finish reason."""

    def event(choice: str, more: str = "") -> str:
        return (
            f'data: {{"id":"0eb768ad-0bfc-4634-888d-01d6e273966a","choices":[{choice}],"created":1795161124,"model":'
            f'"hf-glm@main","object":"chat.completion.chunk","system_fingerprint":""{more}}}\n\n'
        )

    texts = [json.dumps(text, ensure_ascii=False) for text in TRANSFORMERS_TEXTS]
    head = (
        "HTTP/1.1 200 OK\r\ndate: Fri, 20 Nov 2026 07:52:04 GMT\r\nserver: uvicorn\r\n"
        "content-type: text/event-stream; charset=utf-8\r\nx-request-id: 0eb768ad-0bfc-4634-888d-01d6e273966a\r\n"
        "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    usage = ',"usage":{"completion_tokens":71,"prompt_tokens":442,"total_tokens":513}'
    return head.encode() + http_chunks(
        event('{"delta":{"role":"assistant"},"index":0}'),
        *(event(f'{{"delta":{{"content":{text}}},"index":0}}') for text in texts),
        event('{"delta":{},"index":0,"finish_reason":"stop"}', usage),
    )


SEOUL = {"name": "get_weather", "arguments": '{"city": "서울"}'}
RECORDED: dict[str, tuple[bytes, Json, Json]] = {
    "llama.cpp": (llamacpp(), json.loads(LLAMACPP_BUFFERED), spoken("Checking.", SEOUL, reason="tool_calls")),
    # vLLM sends the blank before the call in a stream but not in a buffered answer; neither is ours to change.
    "vllm": (vllm(), json.loads(VLLM_BUFFERED), spoken("Checking. ", SEOUL, reason="tool_calls")),
    "transformers": (
        transformers(),
        {**completion("".join(TRANSFORMERS_TEXTS)), "model": "hf-glm@main"},
        spoken("서울 날씨를 확인하겠습니다.", CALLED, reason="tool_calls"),
    ),
}
