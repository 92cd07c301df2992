"""LlamaIndex: its agent of functions, whole and streamed."""

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.llms.openai_like import OpenAILike
from loops import QUESTION, SECONDS, TURNS, URL, play, weather


def get_weather(city: str) -> str:
    """The weather."""
    return weather(city)


def agent(streaming):
    async def run(model):
        server = OpenAILike(
            model=model,
            api_base=f"{URL}/v1",
            api_key="none",
            is_chat_model=True,
            is_function_calling_model=True,
            max_retries=0,
            timeout=SECONDS,
        )
        made = FunctionAgent(tools=[get_weather], llm=server, streaming=streaming)
        return str(await made.run(QUESTION, max_iterations=TURNS))

    return run


play({"whole": agent(False), "streamed": agent(True)})
