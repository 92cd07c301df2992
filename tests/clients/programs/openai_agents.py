"""The OpenAI Agents SDK: both of its models, whole and streamed."""

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from loops import QUESTION, SECONDS, TURNS, URL, play, weather
from openai import AsyncOpenAI

set_tracing_disabled(True)
get_weather = function_tool(weather, name_override="get_weather")


def agent(kind, model):
    client = AsyncOpenAI(base_url=f"{URL}/v1", api_key="none", max_retries=0, timeout=SECONDS)
    return Agent(name="weather", model=kind(model=model, openai_client=client), tools=[get_weather])


def whole(kind):
    async def run(model):
        return (await Runner.run(agent(kind, model), QUESTION, max_turns=TURNS)).final_output

    return run


def streamed(kind):
    async def run(model):
        result = Runner.run_streamed(agent(kind, model), QUESTION, max_turns=TURNS)
        async for _ in result.stream_events():
            pass
        return result.final_output

    return run


async def stored(model):
    """Each request names the response before it, and sends only what is new."""
    run = Runner.run(agent(OpenAIResponsesModel, model), QUESTION, max_turns=TURNS, auto_previous_response_id=True)
    return (await run).final_output


play(
    {
        "chat run": whole(OpenAIChatCompletionsModel),
        "chat streamed": streamed(OpenAIChatCompletionsModel),
        "responses run": whole(OpenAIResponsesModel),
        "responses streamed": streamed(OpenAIResponsesModel),
        "responses stored": stored,
    }
)
