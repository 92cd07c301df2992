"""The OpenAI SDK: chat completions and responses, whole, streamed and with the helpers of the SDK."""

import json

from loops import CHAT_TOOL, QUESTION, RESPONSES_TOOL, SECONDS, TURNS, URL, play, weather
from openai import AsyncOpenAI, OpenAI, pydantic_function_tool
from pydantic import BaseModel

client = OpenAI(base_url=f"{URL}/v1", api_key="none", max_retries=0, timeout=SECONDS)


class GetWeather(BaseModel):
    city: str


STRICT_TOOL = pydantic_function_tool(GetWeather, name="get_weather")


def created(model, messages):
    return client.chat.completions.create(model=model, messages=messages, tools=[CHAT_TOOL]).choices[0].message


def parsed(model, messages):
    message = client.chat.completions.parse(model=model, messages=messages, tools=[STRICT_TOOL]).choices[0].message
    for call in message.tool_calls or ():
        assert isinstance(call.function.parsed_arguments, GetWeather)
    return message


def helped(model, messages):
    with client.chat.completions.stream(model=model, messages=messages, tools=[CHAT_TOOL]) as stream:
        return stream.get_final_completion().choices[0].message


def loop(ask):
    def run(model):
        messages = [{"role": "user", "content": QUESTION}]
        for _ in range(TURNS):
            message = ask(model, messages)
            if not message.tool_calls:
                return message.content
            messages.append(message)
            for call in message.tool_calls:
                result = weather(**json.loads(call.function.arguments))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        raise AssertionError("the loop does not end")

    return run


async def streamed(model):
    """The deltas, put together by hand, in the asynchronous client."""
    messages = [{"role": "user", "content": QUESTION}]
    async with AsyncOpenAI(base_url=f"{URL}/v1", api_key="none", max_retries=0, timeout=SECONDS) as asynchronous:
        for _ in range(TURNS):
            text, calls = "", {}
            stream = await asynchronous.chat.completions.create(
                model=model, messages=messages, tools=[CHAT_TOOL], stream=True
            )
            async for chunk in stream:
                for choice in chunk.choices:
                    text += choice.delta.content or ""
                    for delta in choice.delta.tool_calls or ():
                        call = calls.setdefault(delta.index, {"id": delta.id, "name": "", "arguments": ""})
                        call["name"] += delta.function.name or ""
                        call["arguments"] += delta.function.arguments or ""
            if not calls:
                return text
            wanted = [
                {"id": call["id"], "type": "function", "function": {k: call[k] for k in ("name", "arguments")}}
                for call in calls.values()
            ]
            messages.append({"role": "assistant", "content": text, "tool_calls": wanted})
            for call in calls.values():
                result = weather(**json.loads(call["arguments"]))
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    raise AssertionError("the loop does not end")


def responses(ask):
    def run(model):
        items = [{"role": "user", "content": QUESTION}]
        for _ in range(TURNS):
            response = ask(model=model, input=items, tools=[RESPONSES_TOOL], store=False)
            calls = [item for item in response.output if item.type == "function_call"]
            if not calls:
                return response.output_text
            items += response.output
            for call in calls:
                result = weather(**json.loads(call.arguments))
                items.append({"type": "function_call_output", "call_id": call.call_id, "output": result})
        raise AssertionError("the loop does not end")

    return run


def stored(model):
    """Each request names the response before it, and sends only what is new."""
    items, previous = QUESTION, None
    for _ in range(TURNS):
        response = client.responses.create(
            model=model, input=items, tools=[RESPONSES_TOOL], previous_response_id=previous
        )
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            return response.output_text
        previous, items = response.id, []
        for call in calls:
            result = weather(**json.loads(call.arguments))
            items.append({"type": "function_call_output", "call_id": call.call_id, "output": result})
    raise AssertionError("the loop does not end")


def responses_helper(**request):
    with client.responses.stream(**request) as stream:
        return stream.get_final_response()


def responses_events(**request):
    for event in client.responses.create(stream=True, **request):
        if event.type == "response.completed":
            return event.response
    raise AssertionError("the response is never completed")


play(
    {
        "chat create": loop(created),
        "chat parse": loop(parsed),
        "chat stream helper": loop(helped),
        "chat async stream": streamed,
        "responses create": responses(client.responses.create),
        "responses stream helper": responses(responses_helper),
        "responses events": responses(responses_events),
        "responses stored": stored,
    }
)
