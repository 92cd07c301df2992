"""Build a parrot: an ordinary GGUF model whose weights, set by hand, play scripts back token by token.

    python parrot.py OUT.gguf SCRIPTS.json TEMPLATE.jinja [BEHIND.json]

The last `##name##` in the prompt, in the user's text or in a tool's result, picks the script, or a script's own `cue`;
the end-of-turn token follows it. Nothing is trained or downloaded, no grammar is set and the server is not patched: a
real llama-server loads the file as it loads any Qwen2 model, with a real tokenizer and the real chat template in it.
BEHIND.json lists what may stand between the name of the script `answer` and the end of the user's text.

How it works. A token's code is 32 signs. The one layer has 32 attention heads, and head j looks exactly j tokens back:
the projections of queries and keys are zero, so that their biases alone, turned by RoPE, set where a head looks. The
residual stream therefore holds the codes of the last 33 tokens side by side. The feed-forward network has one neuron
for each step of each script. It fires on exactly the tokens that come before that step, and writes the next token.

This file runs in an environment of its own (requirements.txt beside it) and imports nothing of the project.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import gguf
import jinja2
import numpy as np
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

HEADS = 32
HEAD_SIZE = 64
WIDTH = HEADS * HEAD_SIZE
WINDOW = HEADS + 1  # the tokens a step is known by: those the heads fetch and the present one
CODE = 32  # signs per token

# The residual stream: WINDOW codes, one entry that is always 1, and one entry per token for what comes next.
ONE = WINDOW * CODE
NEXT = ONE + 1

CONTEXT = 16384
ROPE_BASE = 10000.0

ANSWER = "answer"  # the script of every second turn
END = "<|im_end|>"
CONTROL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    END,
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|observation|>",
    "[gMASK]",
    "<sop>",
)
# Single tokens in the real vocabularies too; every other tag arrives in pieces, as it does there.
MARKER_TOKENS = (
    "<think>",
    "</think>",
    "<tool_call>",
    "</tool_call>",
    "<arg_key>",
    "</arg_key>",
    "<arg_value>",
    "</arg_value>",
    "<tool_response>",
    "</tool_response>",
)
# Whole words, so that pieces have several lengths and more of a script fits in the window.
WORDS: tuple[str, ...] = (
    *("get", "weather", "city", "name", "days", "function", "parameter", "arguments", "invoke", "calls", "tool"),
    *("assistant", "Seoul", "Paris", " the", " is", " and", "ing"),
)

Steps = dict[tuple[int, ...], int]
Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Vocabulary:
    tokens: list[str]
    types: list[gguf.TokenType]
    merges: list[tuple[str, str]]
    tokenizer: Tokenizer

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def id(self, token: str) -> int:
        return self.tokens.index(token)


def byte_alphabet() -> list[str]:
    """The visible character that stands for each byte in a GPT-2 vocabulary."""
    visible = {*range(33, 127), *range(161, 173), *range(174, 256)}
    hidden = iter(range(256, 512))
    return [chr(byte) if byte in visible else chr(next(hidden)) for byte in range(256)]


def make_vocabulary() -> Vocabulary:
    """All bytes, the few words, the control tokens and the markers."""
    alphabet = byte_alphabet()
    tokens = list(alphabet)
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        letters = [alphabet[byte] for byte in word.encode()]
        start = letters[0]
        for letter in letters[1:]:
            if start + letter not in tokens:
                tokens.append(start + letter)
                merges.append((start, letter))
            start += letter

    tokenizer = Tokenizer(models.BPE(vocab={token: n for n, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in CONTROL_TOKENS])
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in MARKER_TOKENS])
    types = [gguf.TokenType.NORMAL] * len(tokens)
    types += [gguf.TokenType.CONTROL] * len(CONTROL_TOKENS)
    types += [gguf.TokenType.USER_DEFINED] * len(MARKER_TOKENS)
    return Vocabulary([*tokens, *CONTROL_TOKENS, *MARKER_TOKENS], types, merges, tokenizer)


def compile_template(source: str) -> Callable[..., str]:
    """The chat template with the few functions that templates expect around them."""

    def refuse(message: str) -> NoReturn:
        raise jinja2.TemplateError(message)

    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"])
    environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
    environment.globals["raise_exception"] = refuse
    environment.globals["strftime_now"] = lambda pattern: datetime.now().strftime(pattern)
    return environment.from_string(source).render


def generation_tails(template: str) -> set[str]:
    """What the template writes between the text with the marker and the first token of the model.

    A template may refuse some conversations, but not all.
    """
    mark = "##mark##"
    tools = [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}]
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": {}}}
    question: list[dict[str, Any]] = [{"role": "user", "content": mark}]
    result: list[dict[str, Any]] = [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": mark},
    ]
    render = compile_template(template)
    tails: set[str] = set()
    for messages, declared in ((question, tools), (result, tools), (question, None)):
        for thinking in ({}, {"enable_thinking": True}):
            given = {"messages": messages, "tools": declared, **thinking}
            try:
                prompt = render(**given, add_generation_prompt=True, eos_token=END)
            except jinja2.TemplateError:
                continue
            tails.add(prompt.rpartition(mark)[2])
    if not tails:
        raise SystemExit("the template refuses every conversation")
    return tails


def playback(starts: Iterable[tuple[str, str, str]], vocabulary: Vocabulary) -> Steps:
    """The tokens before each step (the window, or fewer while the script begins) and the token that follows.

    A start is (the name of a script, what stands at the end of the prompt, its text).
    """
    steps: Steps = {}
    for name, prompt, text in starts:
        start = vocabulary.encode(prompt)
        tokens = [*start, *vocabulary.encode(text), vocabulary.id(END)]
        for place in range(len(start), len(tokens)):
            before, token = tuple(tokens[max(0, place - WINDOW) : place]), tokens[place]
            if steps.setdefault(before, token) != token:
                seen = vocabulary.tokenizer.decode(list(before), skip_special_tokens=False)
                raise SystemExit(f"script {name!r}: another script goes on otherwise after {seen!r}")
    return steps


def token_codes(count: int) -> Matrix:
    """Random signs of which no two rows agree so far that a neuron could take one token for another."""
    random = np.random.default_rng(1)
    codes: list[Matrix] = []
    while len(codes) < count:
        code = random.choice(np.array([-1.0, 1.0], np.float32), CODE)
        if all(code @ other <= CODE / 2 for other in codes):
            codes.append(code)
    return np.array(codes)


def make_tensors(steps: Steps, vocabulary: Vocabulary) -> Iterator[tuple[str, Matrix]]:
    """Every tensor of a one-layer Qwen2 model by its GGUF name."""
    count, end = len(vocabulary.tokens), vocabulary.id(END)
    assert NEXT + count <= WIDTH, "the vocabulary does not fit in the residual stream"
    codes = token_codes(count)

    embedding = np.zeros((count, WIDTH), np.float32)
    embedding[:, :CODE] = codes
    embedding[:, ONE] = 1
    yield "token_embd.weight", embedding
    head = np.zeros((count, WIDTH), np.float32)
    head[np.arange(count), NEXT + np.arange(count)] = 10
    head[end, ONE] = 5  # lost, the model ends its turn
    yield "output.weight", head
    yield "output_norm.weight", np.ones(WIDTH, np.float32)
    yield from _attention(codes)
    yield from _feed_forward(steps, codes)


def _attention(codes: Matrix) -> Iterator[tuple[str, Matrix]]:
    # RoPE turns the key (1, 0) by the angle of its position; the query of head j is turned j positions back in
    # advance, so their product is largest for exactly the token j back. The factor makes softmax choose it alone.
    sharpness = 250.0
    angles = ROPE_BASE ** (-np.arange(HEAD_SIZE // 2) / (HEAD_SIZE // 2))
    queries = [np.concatenate([np.cos(j * angles), -np.sin(j * angles)]) for j in range(1, HEADS + 1)]
    key = np.concatenate([np.ones(HEAD_SIZE // 2), np.zeros(HEAD_SIZE // 2)])
    # The normed stream here is an embedding: CODE signs and a one, scaled to unit mean square. Undo the scale.
    value = np.zeros((HEAD_SIZE, WIDTH), np.float32)
    value[np.arange(CODE), np.arange(CODE)] = np.sqrt((CODE + 1) / WIDTH)
    output = np.zeros((WIDTH, WIDTH), np.float32)
    for j in range(HEADS):
        output[(j + 1) * CODE + np.arange(CODE), j * HEAD_SIZE + np.arange(CODE)] = 1

    yield "blk.0.attn_norm.weight", np.ones(WIDTH, np.float32)
    yield "blk.0.attn_q.weight", np.zeros((WIDTH, WIDTH), np.float32)
    yield "blk.0.attn_q.bias", (sharpness * np.concatenate(queries)).astype(np.float32)
    yield "blk.0.attn_k.weight", np.zeros((HEAD_SIZE, WIDTH), np.float32)
    yield "blk.0.attn_k.bias", key.astype(np.float32)
    yield "blk.0.attn_v.weight", value
    yield "blk.0.attn_v.bias", np.zeros(HEAD_SIZE, np.float32)
    yield "blk.0.attn_output.weight", output


def _feed_forward(steps: Steps, codes: Matrix) -> Iterator[tuple[str, Matrix]]:
    neurons = -(-len(steps) // 64) * 64
    gate = np.zeros((neurons, WIDTH), np.float32)
    up = np.zeros((neurons, WIDTH), np.float32)
    down = np.zeros((WIDTH, neurons), np.float32)
    # One wrong token takes at least CODE / 2 from the sum of a neuron, which passes zero by a quarter of CODE.
    gain, margin = 2.0, CODE / 4
    scale = np.sqrt((WINDOW * CODE + 1) / WIDTH)
    for neuron, (before, token) in enumerate(steps.items()):
        for distance, seen in enumerate(reversed(before)):
            gate[neuron, distance * CODE : (distance + 1) * CODE] = gain * codes[seen]
        gate[neuron, ONE] = -gain * (CODE * len(before) - margin)
        up[neuron, ONE] = scale
        down[NEXT + token, neuron] = 50
    yield "blk.0.ffn_norm.weight", np.ones(WIDTH, np.float32)
    yield "blk.0.ffn_gate.weight", gate
    yield "blk.0.ffn_up.weight", up
    yield "blk.0.ffn_down.weight", down


def write_model(path: Path, template: str, steps: Steps, vocabulary: Vocabulary) -> None:
    tensors = dict(make_tensors(steps, vocabulary))
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_name("parrot")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(tensors["blk.0.ffn_gate.weight"].shape[0])
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)

    writer.add_vocab_size(len(vocabulary.tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    writer.add_token_merges([f"{left} {right}" for left, right in vocabulary.merges])
    writer.add_bos_token_id(vocabulary.id("<|endoftext|>"))
    writer.add_eos_token_id(vocabulary.id(END))
    writer.add_add_bos_token(False)
    writer.add_chat_template(template)

    for name, tensor in tensors.items():
        # llama.cpp wants norms and biases, which are vectors, as 32-bit floats.
        writer.add_tensor(name, tensor if tensor.ndim == 1 else tensor.astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Build a parrot model.")
    parser.add_argument("out", type=Path)
    parser.add_argument("scripts", type=Path, help="scripts.json: what to say, each text a list of lines")
    parser.add_argument("template", type=Path, help="the chat template (Jinja)")
    parser.add_argument("behind", type=Path, nargs="?", help="a JSON list of what may stand behind a name")
    options = parser.parse_args()
    scripts = json.loads(options.scripts.read_text(encoding="utf-8"))["scripts"]
    template = options.template.read_text(encoding="utf-8")
    behind = json.loads(options.behind.read_text(encoding="utf-8")) if options.behind else []
    vocabulary = make_vocabulary()
    tails = sorted(generation_tails(template))
    starts = []
    for name, script in scripts.items():
        cue = script.get("cue", f"##{name}##")
        ends = ["", *behind] if name == ANSWER else [""]
        starts += [(name, f"{cue}{end}{tail}", "\n".join(script["text"])) for end in ends for tail in tails]
    steps = playback(starts, vocabulary)
    write_model(options.out, template, steps, vocabulary)
    print(f"{options.out.name}: {len(scripts)} scripts, {len(steps)} steps, {len(vocabulary.tokens)} tokens")


if __name__ == "__main__":
    main()
