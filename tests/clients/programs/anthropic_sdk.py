"""The Anthropic SDK: messages whole and streamed, and its tool runner."""

from anthropic import Anthropic, beta_tool
from loops import CITY, QUESTION, SECONDS, TURNS, URL, play, weather

client = Anthropic(base_url=URL, api_key="none", max_retries=0, timeout=SECONDS)
TOOL = {"name": "get_weather", "description": "The weather.", "input_schema": CITY}


@beta_tool
def get_weather(city: str) -> str:
    """The weather.

    Args:
        city: The city.
    """
    return weather(city)


def streamed(**request):
    with client.messages.stream(**request) as stream:
        return stream.get_final_message()


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


def loop(ask):
    def run(model):
        messages = [{"role": "user", "content": QUESTION}]
        for _ in range(TURNS):
            message = ask(model=model, max_tokens=1000, messages=messages, tools=[TOOL])
            calls = [block for block in message.content if block.type == "tool_use"]
            if not calls:
                return text_of(message)
            assert message.stop_reason == "tool_use"
            results = [
                {"type": "tool_result", "tool_use_id": call.id, "content": weather(**call.input)} for call in calls
            ]
            messages += [{"role": "assistant", "content": message.content}, {"role": "user", "content": results}]
        raise AssertionError("the loop does not end")

    return run


def tool_runner(model):
    messages = [{"role": "user", "content": QUESTION}]
    runner = client.beta.messages.tool_runner(model=model, max_tokens=1000, messages=messages, tools=[get_weather])
    return text_of(runner.until_done())


play({"create": loop(client.messages.create), "stream helper": loop(streamed), "tool runner": tool_runner})
