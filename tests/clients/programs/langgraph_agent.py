"""LangChain's ChatOpenAI in an agent of LangGraph: whole and streamed, over chat completions and responses."""

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from loops import QUESTION, SECONDS, URL, play, weather

ASKED = {"messages": [("user", QUESTION)]}


@tool
def get_weather(city: str) -> str:
    """The weather."""
    return weather(city)


def agent(model, responses):
    more = {"use_responses_api": True, "store": False} if responses else {}
    chat = ChatOpenAI(base_url=f"{URL}/v1", api_key="none", model=model, max_retries=0, timeout=SECONDS, **more)
    return create_agent(chat, [get_weather])


def whole(responses):
    return lambda model: agent(model, responses).invoke(ASKED)["messages"][-1].text


def streamed(responses):
    def run(model):
        text = ""
        for message, _ in agent(model, responses).stream(ASKED, stream_mode="messages"):
            if message.type == "AIMessageChunk":
                text += message.text
        return text

    return run


play(
    {
        "chat invoke": whole(False),
        "chat stream": streamed(False),
        "responses invoke": whole(True),
        "responses stream": streamed(True),
    }
)
