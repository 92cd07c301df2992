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
    "<SPECIAL_12>",
    "<|eos|>",
    "<end_of_sentence>",
    "[END FINAL RESPONSE]",
)
"""End-of-turn tokens, which some servers leave at the end of the text."""
