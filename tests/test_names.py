"""Which row a model's name speaks for: names as Hugging Face, Ollama, LM Studio and the hosts of models write them.

A name is only a prior, the bytes decide. But it decides between rows that share an opener, and whether an answer begins
inside the reasoning. So what is generic comes last, and the name of a base model must not win over its fine-tune's.
"""

from __future__ import annotations

from converters import SYNTAXES, converter_factory
from converters.builtin import SyntaxConverter
from tests.cases import in_one_test

NAMES = {
    "glm45": """
        zai-org/GLM-4.5 zai-org/GLM-4.5-Air-FP8 zai-org/GLM-4.5V zai-org/GLM-4.6 zai-org/GLM-4.6V-Flash glm4.5:106b
        glm-4.6:cloud glm-4.5-air-mlx@4bit mlx-community/GLM-4.5-Air-3bit glm-4p6 z-ai/glm-4.6:exacto
        inclusionAI/Ling-2.6-flash inclusionAI/Ring-2.6-1T""",
    "glm47": """
        zai-org/GLM-4.7 zai-org/GLM-4.7-Flash glm-4.7-flash:q4_K_M mlx-community/GLM-4.7-Flash-4bit zai-org/GLM-5
        glm-5.1:cloud glm-5p2 zai-org/GLM-5.3-FP8 hf.co/unsloth/GLM-4.7-Flash-GGUF:Q4_K_M iflytek/Spark2.5-13B""",
    "hy3": "tencent/Hy3-preview tencent/Hy4 hy3:295b",
    "iquest_q1": "IQuestLab/IQuest-Q1 iquest-q1-mlx",
    "k2_horizon": "LLM360/K2-V3 LLM360/K2-Horizon k2-horizon:70b",
    "longcat": "meituan-longcat/LongCat-Flash-Chat meituan-longcat/LongCat-Flash-Thinking longcat-2",
    "hermes": """
        NousResearch/Hermes-3-Llama-3.1-8B NousResearch/Hermes-3-Llama-3.2-3B NousResearch/Hermes-4-405B hermes3:70b
        NousResearch/Hermes-2-Pro-Llama-3-8B NousResearch/DeepHermes-3-Llama-3-8B-Preview Qwen/Qwen2.5-7B-Instruct
        qwen2.5:7b-instruct qwen2.5-coder:14b Qwen/Qwen2.5-Coder-32B-Instruct Qwen/Qwen3-8B Qwen/Qwen3-32B-AWQ qwen3:8b
        qwen3:30b-a3b qwen/qwen3-vl-8b Qwen/Qwen3-4B-Thinking-2507 Qwen/Qwen3-Next-80B-A3B-Instruct
        Qwen/Qwen3-Omni-30B-A3B-Instruct qwen3-8b@q8_0 qwq:32b Qwen/QwQ-32B LGAI-EXAONE/EXAONE-4.0-32B
        LGAI-EXAONE/EXAONE-Deep-7.8B XiaomiMiMo/MiMo-7B-RL XiaomiMiMo/MiMo-VL-7B-RL ibm-granite/granite-4.0-h-small
        ibm/granite-4-h-tiny granite4:3b ibm-granite/granite-4.1-8b RekaAI/reka-edge RekaAI/reka-flash-3
        arcee-ai/Trinity-Mini arcee-ai/AFM-4.5B speakleash/Bielik-11B-v3.0-Instruct HuggingFaceTB/SmolLM3-3B
        smollm3:3b skt/A.X-4.0-Light inclusionAI/Ling-mini-2.0 inclusionAI/Ring-1T""",
    "qwen3_coder": """
        Qwen/Qwen3-Coder-30B-A3B-Instruct Qwen/Qwen3-Coder-Next qwen3-coder:480b-cloud qwen/qwen3-coder-30b
        Qwen/Qwen3.5-4B qwen3.5:0.8b qwen3.6:27b Qwen/Qwen3.8-27B qwen3p6-35b-a3b
        nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16 nvidia/nemotron-3-nano nemotron-3-super:120b
        nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-FP8 nvidia/Nemotron-Cascade-8B stepfun-ai/Step-3.5-Flash
        stepfun-ai/Step-3.7-Flash ibm-granite/granite-4.2-8b granite4.2:8b openbmb/MiniCPM-V-4_5 openbmb/MiniCPM-o-2_6
        minicpm-v:8b internlm/Intern-S2 PrimeIntellect/INTELLECT-3 Nanbeige/Nanbeige4-3B-Thinking-2511""",
    "mimo_v2": "XiaomiMiMo/MiMo-V2-Flash mimo-v2.5-pro xiaomi/mimo-v2-omni",
    "seed_oss": "ByteDance-Seed/Seed-OSS-36B-Instruct bytedance/seed-oss-36b seed-oss:36b",
    "claude": """
        claude-3-5-sonnet-20241022 claude-opus-4-5 anthropic/claude-sonnet-4 anthropic/claude-3-haiku
        claude-haiku-4-5-20251001 qwen3-8b-claude-4.5-opus-distill opus-4.6""",
    "claude_legacy": "claude-2 claude-2.1 claude-instant-1.2 anthropic/claude-v1",
    "minimax_m2": "MiniMaxAI/MiniMax-M2 MiniMaxAI/MiniMax-M2.1 minimax-m2.5:cloud minimax/minimax-m2.7",
    "minimax_m3": "MiniMaxAI/MiniMax-M3 minimax-m3:cloud",
    "minimax_m1": "MiniMaxAI/MiniMax-M1-80k MiniMaxAI/MiniMax-Text-01",
    "dots": "rednote-hilab/dots.llm1.inst rednote-hilab/dots.vlm1.inst dots.ocr",
    "muse_atem": "meta/muse-spark muse-glimmer:9b",
    "step3": "stepfun-ai/step3 stepfun-ai/Step-3 stepfun-ai/step3-fp8",
    "deepseek_v32": "deepseek-ai/DeepSeek-V3.2 deepseek-ai/DeepSeek-V3.2-Speciale deepseek-v3.2:cloud deepseek-v3-2",
    "deepseek_v4": "deepseek-ai/DeepSeek-V4 deepseek-ai/DeepSeek-V4-Flash deepseek-v4-flash deepseek-v4-pro:cloud",
    "deepseek_v41": "deepseek-ai/DeepSeek-V4.1 deepseek-ai/DeepSeek-V4.1-Flash deepseek-v4.1:671b",
    "deepseek_v3": """
        deepseek-ai/DeepSeek-V3 deepseek-ai/DeepSeek-V3-0324 deepseek-v3:671b deepseek-ai/DeepSeek-R1 deepseek-r1:14b
        deepseek-ai/DeepSeek-R1-0528 deepseek/deepseek-r1-0528-qwen3-8b deepseek-ai/DeepSeek-R1-Distill-Llama-8B
        deepseek-r1-distill-qwen-7b cogito:70b deepcogito/cogito-v2-preview-llama-70B""",
    "deepseek_v31": """
        deepseek-ai/DeepSeek-V3.1 deepseek-ai/DeepSeek-V3.1-Terminus deepseek-v3.1:671b-cloud deepseek-v3-1-terminus
        deepseek-ai/DeepSeek-V3.2-Exp deepseek-v3.2-exp""",
    "gigachat35": "ai-sage/GigaChat3.5-702B gigachat-3.5",
    "gigachat3": "ai-sage/GigaChat3-10B-A1.8B ai-sage/GigaChat3.1 gigachat3:10b",
    "kimi_k3": "moonshotai/Kimi-K3 kimi-k3:cloud",
    "kimi_k2": """
        moonshotai/Kimi-K2-Instruct-0905 moonshotai/Kimi-K2-Thinking kimi-k2:1t-cloud kimi-k2.5:cloud kimi-k2-thinking
        moonshotai/Kimi-K2.6 mlx-community/Kimi-K2-Instruct-4bit""",
    "minicpm5": "openbmb/MiniCPM5-1B minicpm5:1b",
    "beam": "reflection/Beam beam:24b",
    "lfm2": "LiquidAI/LFM2-1.2B LiquidAI/LFM2-8B-A1B liquid/lfm2-1.2b lfm2.5-thinking:1.2b",
    "olmo3": "allenai/Olmo-3-7B-Instruct allenai/Olmo-3.1-32B-Think olmo-3:32b allenai/olmo-3-32b-think",
    "gemma3_tool_code": "google/gemma-3-27b-it gemma3:4b google/gemma-3n-E4B-it gemma2:9b google/gemma-3-12b",
    "gemma4": "google/gemma-4-31B-it google/gemma-4-E4B-it gemma4:e2b gemma-4-26b-a4b-it-mlx",
    "functiongemma": "google/functiongemma-270m-it functiongemma:270m",
    "mistral_old": """
        mistralai/Mistral-7B-Instruct-v0.3 mistral:7b mistralai/Mistral-Nemo-Instruct-2407 mistral-nemo:12b mixtral:8x7b
        mistralai/Mixtral-8x22B-Instruct-v0.1 mistralai/Ministral-8B-Instruct-2410 ministral-3b-2410
        mistral-large-2411 mistral-small:24b mistralai/Mistral-Small-24B-Instruct-2501 mistral-small3.1:24b
        mistralai/Mistral-Small-3.1-24B-Instruct-2503 mistralai/Devstral-Small-2505 codestral:22b
        mistralai/Pixtral-12B-2409 mistralai/Mathstral-7B-v0.1""",
    "mistral_new": """
        mistralai/Mistral-Small-3.2-24B-Instruct-2506 mistral-small3.2:24b mistral-small-2506
        mistralai/Mistral-Small-4-119B-2603 mistralai/Devstral-Small-2507 devstral-small-2:24b
        mistralai/Devstral-2-123B-Instruct-2512 mistralai/devstral-small-2-2512 magistral:24b
        mistralai/Magistral-Small-2509 ministral-3:8b mistralai/ministral-3-3b
        mistralai/Ministral-3-14B-Reasoning-2512 mistralai/Mistral-Large-3-675B-Instruct-2512 mistral-large-3:675b-cloud
        mistral-medium-3.1""",
    "harmony": "openai/gpt-oss-20b gpt-oss:120b-cloud openai/gpt-oss-safeguard-20b unsloth/gpt-oss-20b-GGUF",
    "function_json": "meetkai/functionary-medium-v3.1 meetkai/functionary-small-v3.1-GGUF",
    "functionary_v32": "meetkai/functionary-small-v3.2 functionary-small-v3.2-GGUF",
    "functionary_v2": "meetkai/functionary-small-v2.4 functionary-small-v2.5 meetkai/functionary-7b-v2.1",
    "solar_open": "upstage/Solar-Open-100B solar-open:100b",
    "plamo3": "pfnet/plamo-3-nict-8b-base pfnet/plamo-3-nict-31b-base",
    "granite3": "ibm-granite/granite-3.3-8b-instruct granite3.1-dense:8b granite3.3:2b ibm/granite-3.2-8b",
    "granite20b": "ibm-granite/granite-20b-functioncalling",
    "jamba": """
        ai21labs/AI21-Jamba-Mini-1.7 ai21-jamba-large-1.7 tencent/Hunyuan-A13B-Instruct
        ServiceNow-AI/Apriel-1.5-15b-Thinker ServiceNow-AI/Apriel-1.6-15b-Thinker""",
    "nemotron_v2": """
        nvidia/NVIDIA-Nemotron-Nano-9B-v2 nvidia/NVIDIA-Nemotron-Nano-12B-v2-VL nvidia/Llama-3.1-Nemotron-Nano-8B-v1
        nvidia/Llama-3_3-Nemotron-Super-49B-v1_5 nvidia/Llama-3.1-Nemotron-Ultra-253B-v1""",
    "functools": "microsoft/Phi-4-mini-instruct phi4-mini:3.8b fireworks-ai/llama-3-firefunction-v2 firefunction-v2",
    "xlam": "Salesforce/Llama-xLAM-2-8b-fc-r Salesforce/xLAM-2-32b-fc-r",
    "cohere": """
        CohereLabs/c4ai-command-a-03-2025 CohereLabs/c4ai-command-r7b-12-2024 command-r7b:7b command-r-plus:104b
        command-a:111b CohereLabs/command-a-reasoning-08-2025 CohereLabs/North-Mini""",
    "apertus": "swiss-ai/Apertus-8B-Instruct-2509 apertus:70b",
    "internlm": "internlm/internlm2_5-7b-chat internlm2.5:7b internlm/internlm3-8b-instruct",
    "interns1": "internlm/Intern-S1 internlm/Intern-S1-mini interns1:8b",
    "inkling": "inkling inkling-30b",
    "hyperclovax": "naver-hyperclovax/HyperCLOVAX-SEED-Think-14B hyperclova-x-seed-think:14b",
    "pythonic": """
        meta-llama/Llama-3.2-1B-Instruct llama3.2:3b llama-3.2-3b-instruct llama4:scout
        meta-llama/Llama-4-Maverick-17B-128E-Instruct Team-ACE/ToolACE-2-8B""",
    "llama3_json": """
        meta-llama/Llama-3.1-8B-Instruct llama3.1:8b meta-llama/Llama-3.3-70B-Instruct llama-3.3-70b-instruct
        meta-llama-3.1-8b-instruct NousResearch/Meta-Llama-3.1-8B-Instruct llama3.2-vision:90b
        meta-llama/Llama-3.2-11B-Vision-Instruct""",
}
"""By row. A row that no name speaks for is not here: the bytes alone find it."""

UNNAMED = """
    gpt-4.1 gpt-4o-mini o4-mini gemini-2.5-flash grok-4 local-model my-model default text-embedding-3-small
    microsoft/Phi-4 phi3.5:3.8b THUDM/glm-4-9b-chat zai-org/GLM-4-32B-0414 LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct
    tencent/Hunyuan-4B-Instruct openbmb/MiniCPM4-8B deepseek-ai/deepseek-coder-6.7b-instruct google/codegemma-7b-it
    LLM360/K2-Think tiiuae/Falcon-H1-7B-Instruct"""
"""Names that say nothing of how the model writes calls."""

CLOSE = {
    "NousResearch/Hermes-2-Pro-Mistral-7B": "hermes",
    "NousResearch/Nous-Hermes-2-Mixtral-8x7B-DPO": "hermes",
    "nous-hermes2-mixtral:8x7b": "hermes",
    "NousResearch/DeepHermes-3-Mistral-24B-Preview": "hermes",
    "nvidia/Qwen3-Nemotron-32B-RLBFF": "hermes",
    "deepseek-v3-241226": "deepseek_v3",
    "deepseek-v3-250324": "deepseek_v3",
    "step3:321b": "step3",
    "baidu/ERNIE-4.5-21B-A3B-Thinking": "hermes",
    "ernie-4.5-21b-a3b-thinking": "hermes",
    "inclusionAI/Ling-3.0-flash": "glm45",
    "inclusionAI/Ring-3.0-mini": "glm45",
    "poolside/Laguna-XS.2": "glm45",
    "laguna:33b": "glm45",
    "poolside/Laguna-S-2.1": "glm47",
    "mlx-community/Mistral-Small-3-24B-Instruct-2501-4bit": "mistral_old",
}
"""Names that the pattern of another row comes close to."""

CASES = [(name, row) for row, names in NAMES.items() for name in names.split()]


def _row(name: str) -> str | None:
    converter = converter_factory.get_converter(name)
    assert isinstance(converter, SyntaxConverter)
    return converter.syntax.name if converter.syntax else None


@in_one_test(("name", "row"), CASES)
def test_the_row_of_a_name(name: str, row: str) -> None:
    assert _row(name) == row


@in_one_test("name", UNNAMED.split())
def test_a_name_that_says_nothing_has_no_row(name: str) -> None:
    assert _row(name) is None


@in_one_test(("name", "row"), CLOSE.items())
def test_the_row_of_a_name_that_comes_close(name: str, row: str) -> None:
    assert _row(name) == row


def test_every_row_that_goes_by_names_has_some_here() -> None:
    assert set(NAMES) == {row.name for row in SYNTAXES if row.models}


@in_one_test("name", ["GLM-4.6", "glm-4.6", "GLM_4.6", "glm 4.6", "ZAI-ORG/GLM-4.6:LATEST"])
def test_capitals_and_separators_say_nothing(name: str) -> None:
    assert _row(name) == "glm45"
