"""The SDK of Ollama: chat, whole, streamed and asynchronous."""

from loops import QUESTION, SECONDS, TURNS, URL, play, weather
from ollama import AsyncClient, Client

client = Client(host=URL, timeout=SECONDS)


def get_weather(city: str) -> str:
    """The weather.

    Args:
        city: The city.
    """
    return weather(city)


def results_of(calls):
    return [
        {"role": "tool", "tool_name": call.function.name, "content": get_weather(**call.function.arguments)}
        for call in calls
    ]


def whole(model):
    messages = [{"role": "user", "content": QUESTION}]
    for _ in range(TURNS):
        message = client.chat(model, messages=messages, tools=[get_weather]).message
        if not message.tool_calls:
            return message.content
        messages += [message, *results_of(message.tool_calls)]
    raise AssertionError("the loop does not end")


async def streamed(model):
    messages = [{"role": "user", "content": QUESTION}]
    for _ in range(TURNS):
        text, thinking, calls = "", "", []
        parts = await AsyncClient(host=URL, timeout=SECONDS).chat(
            model, messages=messages, tools=[get_weather], stream=True
        )
        async for part in parts:
            text += part.message.content or ""
            thinking += part.message.thinking or ""
            calls += part.message.tool_calls or ()
        if not calls:
            return text
        said = {"role": "assistant", "content": text, "thinking": thinking, "tool_calls": calls}
        messages += [said, *results_of(calls)]
    raise AssertionError("the loop does not end")


play({"chat": whole, "chat async stream": streamed})
