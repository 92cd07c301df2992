"""smolagents: its agent that calls tools, whole and streamed. It ends with a call of its own, `final_answer`."""

from loops import QUESTION, SECONDS, TURNS, URL, play, weather
from smolagents import OpenAIServerModel, ToolCallingAgent, tool


@tool
def get_weather(city: str) -> str:
    """The weather.

    Args:
        city: The city.
    """
    return weather(city)


def agent(streamed):
    def run(model):
        patience = {"max_retries": 0, "timeout": SECONDS}
        server = OpenAIServerModel(model_id=model, api_base=f"{URL}/v1", api_key="none", client_kwargs=patience)
        made = ToolCallingAgent(
            tools=[get_weather], model=server, stream_outputs=streamed, max_steps=TURNS, verbosity_level=0
        )
        return str(made.run(QUESTION))

    return run


play({"whole": agent(False), "streamed": agent(True)})
