"""Pydantic AI: an agent over chat completions and over responses, whole and streamed."""

from loops import QUESTION, URL, play, weather
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider


def agent(kind, model):
    made = Agent(kind(model, provider=OpenAIProvider(base_url=f"{URL}/v1", api_key="none")))
    made.tool_plain(weather, name="get_weather")
    return made


def whole(kind):
    async def run(model):
        return (await agent(kind, model).run(QUESTION)).output

    return run


def streamed(kind):
    """Through the events of every turn, as `run_stream` ends at the first text, before the calls."""

    async def run(model):
        async with agent(kind, model).iter(QUESTION) as steps:
            async for node in steps:
                if Agent.is_model_request_node(node):
                    async with node.stream(steps.ctx) as events:
                        async for _ in events:
                            pass
            return steps.result.output

    return run


play(
    {
        "chat run": whole(OpenAIChatModel),
        "chat streamed": streamed(OpenAIChatModel),
        "responses run": whole(OpenAIResponsesModel),
        "responses streamed": streamed(OpenAIResponsesModel),
    }
)
