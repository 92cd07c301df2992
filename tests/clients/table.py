"""The programs that `make clients` tries: what is installed, how each is pointed at the proxy, what it runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

BASE = "http://localhost:5000"
"""The proxy, as the pages write it; a run puts its own address there."""
MODEL = "glm-4.5-air"
"""A model, as the pages write it; a run puts each of its models there."""
QUESTION = "What is in the file secret.txt? Read it with one command."


@dataclass(frozen=True)
class Client:
    """One program. Its environment is the folder `build/clients/<name>`."""

    name: str
    title: str
    speaks: str
    """The APIs that it uses, as the page says it."""
    kind: Literal["python", "node", "agent"]
    packages: tuple[str, ...]
    """What pip or npm installs. The first one's version is that of the client."""
    points: str
    """How it is pointed here, as the page shows it. For an agent it is the start of the command line that is run."""
    program: str = ""
    """The file in `programs/` that plays the loops. An agent has none."""
    arguments: tuple[str, ...] = ()
    """What follows `points` on the command line of an agent."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that keep an agent quiet; it needs none of them to be pointed here."""


_CODEX = f'{{name="Dragoman", base_url="{BASE}/v1", wire_api="responses"}}'
_OPENCODE = {
    "provider": {
        "dragoman": {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": f"{BASE}/v1"},
            "models": {MODEL: {}},
        }
    }
}

CLIENTS = (
    Client(
        "codex",
        "Codex",
        "Responses",
        "agent",
        ("@openai/codex",),
        f"codex -m {MODEL} -c model_provider=dragoman -c 'model_providers.dragoman={_CODEX}'",
        arguments=("exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", QUESTION),
    ),
    Client(
        "claude",
        "Claude Code",
        "Messages",
        "agent",
        ("@anthropic-ai/claude-code",),
        f"ANTHROPIC_BASE_URL={BASE} ANTHROPIC_AUTH_TOKEN=none ANTHROPIC_MODEL={MODEL} claude",
        arguments=("-p", QUESTION, "--allowedTools", "Bash"),
        environment={"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"},
    ),
    Client(
        "opencode",
        "opencode",
        "chat",
        "agent",
        ("opencode-ai",),
        f"OPENCODE_CONFIG_CONTENT='{json.dumps(_OPENCODE)}' opencode -m dragoman/{MODEL}",
        arguments=("run", QUESTION),
        environment={"OPENCODE_DISABLE_AUTOUPDATE": "1"},
    ),
    Client(
        "qwen-code",
        "Qwen Code",
        "chat",
        "agent",
        ("@qwen-code/qwen-code",),
        f"OPENAI_BASE_URL={BASE}/v1 OPENAI_API_KEY=none OPENAI_MODEL={MODEL} qwen --auth-type openai",
        arguments=("-y", "-p", QUESTION),
    ),
    Client(
        "openai-python",
        "OpenAI SDK for Python",
        "chat, Responses",
        "python",
        ("openai",),
        f'OpenAI(base_url="{BASE}/v1")',
        "openai_sdk.py",
    ),
    Client(
        "openai-js",
        "OpenAI SDK for JavaScript",
        "chat, Responses",
        "node",
        ("openai",),
        f'new OpenAI({{baseURL: "{BASE}/v1"}})',
        "openai_sdk.mjs",
    ),
    Client(
        "anthropic",
        "Anthropic SDK for Python",
        "Messages",
        "python",
        ("anthropic",),
        f'Anthropic(base_url="{BASE}")',
        "anthropic_sdk.py",
    ),
    Client(
        "ollama",
        "Ollama SDK for Python",
        "Ollama",
        "python",
        ("ollama",),
        f'Client(host="{BASE}")',
        "ollama_sdk.py",
    ),
    Client(
        "ai-sdk",
        "AI SDK",
        "chat, Responses",
        "node",
        ("ai", "@ai-sdk/openai", "@ai-sdk/openai-compatible", "zod"),
        f'createOpenAI({{baseURL: "{BASE}/v1"}})',
        "ai_sdk.mjs",
    ),
    Client(
        "openai-agents",
        "OpenAI Agents SDK",
        "chat, Responses",
        "python",
        ("openai-agents",),
        f'AsyncOpenAI(base_url="{BASE}/v1")',
        "openai_agents.py",
    ),
    Client(
        "langgraph",
        "LangChain and LangGraph",
        "chat, Responses",
        "python",
        ("langchain-openai", "langchain", "langgraph"),
        f'ChatOpenAI(base_url="{BASE}/v1")',
        "langgraph_agent.py",
    ),
    Client(
        "pydantic-ai",
        "Pydantic AI",
        "chat, Responses",
        "python",
        ("pydantic-ai-slim[openai]",),
        f'OpenAIProvider(base_url="{BASE}/v1")',
        "pydantic_ai_agent.py",
    ),
    Client(
        "llm",
        "llm",
        "chat",
        "python",
        ("llm",),
        f'api_base: "{BASE}/v1"',
        "llm_command.py",
    ),
    Client(
        "instructor",
        "Instructor",
        "chat",
        "python",
        ("instructor",),
        f'from_openai(OpenAI(base_url="{BASE}/v1"))',
        "instructor_model.py",
    ),
    Client(
        "smolagents",
        "smolagents",
        "chat",
        "python",
        ("smolagents[openai]",),
        f'OpenAIServerModel(api_base="{BASE}/v1")',
        "smolagents_agent.py",
    ),
    Client(
        "litellm",
        "LiteLLM SDK",
        "chat",
        "python",
        ("litellm", "mcp"),
        f'completion(api_base="{BASE}/v1")',
        "litellm_sdk.py",
    ),
    Client(
        "llama-index",
        "LlamaIndex",
        "chat",
        "python",
        ("llama-index-llms-openai-like", "llama-index-core"),
        f'OpenAILike(api_base="{BASE}/v1")',
        "llama_index_agent.py",
    ),
    Client(
        "model-compose",
        "model-compose",
        "chat",
        "python",
        ("model-compose",),
        f'base_url: "{BASE}/v1"',
        "model_compose_workflow.py",
    ),
)
"""In the order in which they are tried and shown: what people use most comes first."""
