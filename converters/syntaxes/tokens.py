"""Special tokens that end a turn."""

from __future__ import annotations

END_TOKENS: tuple[str, ...] = (
    "<|im_end|>",
    "<|endoftext|>",
    "</s>",
    "<eos>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|eot|>",
    "<|eom|>",
    "<|end_of_text|>",
    "<|END_OF_TURN_TOKEN|>",
    "<|observation|>",
    "<|user|>",
    "<|end|>",
    "<|return|>",
    "<|stop|>",
    "<｜end▁of▁sentence｜>",
    "[e~[",
    "<seed:eos>",
    "<end_of_turn>",
    "<turn|>",
    "<|assistant_end|>",
    "<|message_sep|>",
    "<|role_end|>",
    "</assistant>",
    "<|end_of_msg|>",
    "<|close|>message<|sep|>",
    "<|call|>",
    "<|end_message|>",
    "<|content_model_end_sampling|>",
    "[|endofturn|]",
    "<SPECIAL_12>",
    "<|eos|>",
    "<end_of_sentence>",
    "[END FINAL RESPONSE]",
    "<｜hy_eos｜>",
    "<｜hy_eos:opensource｜>",
    "<｜hy_eos:6124c78e｜>",
    "<sep>",
)
"""End-of-turn tokens, which some servers leave at the end of the text."""

NO_TOOLS: tuple[str, ...] = ("no_function", "directly-answer", "directly_answer")
"""Names of tools that there are not: a model calls one to say that it calls none."""
