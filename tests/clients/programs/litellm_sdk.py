"""The SDK of LiteLLM: completion, whole and streamed."""

import json

import litellm
from loops import CHAT_TOOL, QUESTION, SECONDS, TURNS, URL, play, weather

litellm.suppress_debug_info = True


def whole(**request):
    return litellm.completion(**request)


def streamed(**request):
    return litellm.stream_chunk_builder(list(litellm.completion(stream=True, **request)))


def loop(ask):
    def run(model):
        messages = [{"role": "user", "content": QUESTION}]
        server = {"api_base": f"{URL}/v1", "api_key": "none", "max_retries": 0, "timeout": SECONDS}
        for _ in range(TURNS):
            message = ask(model=f"openai/{model}", messages=messages, tools=[CHAT_TOOL], **server).choices[0].message
            if not message.tool_calls:
                return message.content
            messages.append(message.model_dump())
            for call in message.tool_calls:
                result = weather(**json.loads(call.function.arguments))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        raise AssertionError("the loop does not end")

    return run


play({"whole": loop(whole), "streamed": loop(streamed)})
