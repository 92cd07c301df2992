"""One sentence about an exchange: why there is no call, or what was done, and the setting that helps.

It is read off the record's numbers and codes; what the texts say is used where they were kept (`records/facts.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from records.engines import Topic, setting_for
from records.facts import Facts
from records.repairs import OF_CALLS, OF_THE_PROTOCOL


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code` is stable and means one sentence; `text` is that sentence, with numbers; `advice` may be empty."""

    code: str
    text: str
    advice: str = ""


_AGAIN = "HEAL=retry asks the model again"
_TEMPLATE = "If this model always writes so, CHAT_TEMPLATES with its chat template, or MODEL_SYNTAX, teaches its syntax"

_LEFT: Mapping[str, tuple[str, str]] = {
    "no_tools": (
        "The answer holds the markup of a call, but the request declares no tools, so nothing was translated",
        "Send `tools` in the request; a client that puts its tools into the prompt reads the calls itself",
    ),
    "converter_raised": (
        "A registered converter raised an exception, so all text was passed unchanged",
        "The log holds the exception; without the converter the built-in rows read the answer",
    ),
    "arguments_unreadable": (
        "The model left the arguments of a call incomplete or unreadable, so it was not delivered",
        f"{_AGAIN}; a higher `max_tokens`, and no `stop` strings, let it end",
    ),
    "placeholder_call": (
        "The model wrote a call with a placeholder where its arguments belong, so it is an example",
        "Say in the system prompt that calls are made, not described",
    ),
    "declaration": (
        "The model repeated the declaration of a tool, and called none",
        "Its template may not know tools: TOOL_PROMPTING=prompt declares them in words",
    ),
    "draft_call": (
        "The model wrote a call inside its reasoning and went on, so it is a draft and was not run",
        f"{_AGAIN} where a call is required; turning thinking off may help",
    ),
    "quoted": (
        "The model wrote a call in a code fence, inline code, HTML or quotation marks, so it is an example",
        "Say in the system prompt that calls stand alone, outside code fences",
    ),
    "in_message": (
        "The model wrote a call inside a message that is for the reader, so it is text",
        "Say in the system prompt that calls stand alone",
    ),
    "bare_json_with_text": (
        "The model wrote a call without markup beside other text, so it is text",
        "Without markup a call must be the whole message: say so in the prompt, or let TOOL_PROMPTING=prompt do it",
    ),
    "bare_json_unfit": (
        "The model wrote JSON that names a declared tool, but it holds more or less than a call",
        "TOOL_PROMPTING=prompt shows the model the form of a call; CONSTRAIN=auto enforces it",
    ),
    "undeclared_left": (
        "The model wrote a call of a tool that the request does not declare, so it is text",
        "Declare the tool, or name only declared ones in the prompt",
    ),
    "unknown_markup": ("The model wrote markup of a call that no known syntax has, so it is text", _TEMPLATE),
    "object_left": ("The model wrote objects among its calls that are none, so they are text", ""),
    "marker_left": ("The model began the markup of a call, but stopped, or no syntax reads what follows", _TEMPLATE),
}
"""For each code why nothing was called, and what helps; the first that an answer has is told."""

_TAKEN: Mapping[str, tuple[str, str]] = {
    "choice_other": (
        "The model called another function than `tool_choice` names, so the call was removed",
        f"{_AGAIN}; CONSTRAIN=auto lets only that function be called",
    ),
    "choice_none": (
        "The model called a tool although `tool_choice` is `none`, so the call was removed",
        "Leave `tools` out of the request if none may be called",
    ),
    "builtin_call": (
        "The model called a tool of its training that the request does not declare, so the call was removed",
        "Declare a tool of that name if it shall be called",
    ),
    "required_unmet": (
        "`tool_choice` requires a call, and the model made none",
        f"{_AGAIN}; CONSTRAIN=auto enforces one",
    ),
}
"""The same for calls that the request did not allow, or that it missed."""


CODES = (
    *("open", "lost", "forwarded", "client_left", "no_key", "request_refused"),
    *("backend_unreachable", "backend_timeout", "backend_interrupted", "backend_not_api", "backend_refused"),
    *("backend_error", "cut", "prompt_truncated", "empty", "only_reasoning", "plain", "no_call"),
    "json_answer",
    *("translated", "native", "native_repaired", "repaired", "adapted", "prompted", "asked_again"),
    *("undeclared_name", "arguments_misfit"),
    *_LEFT,
    *_TAKEN,
)
"""All codes of verdicts. Those that an answer can have, too, mean the same there."""


def verdict(facts: Facts) -> Verdict:
    """The sentence. It never raises, whatever the facts are."""
    found = _unfinished(facts) or _failed(facts)
    if found is None and facts.forwarded:
        return Verdict("forwarded", "The request and its answer were forwarded as they are; nothing was read.")
    found = found or _cut(facts)
    if found is None and "arguments_unreadable" in facts.codes:  # whatever else was called
        found = Verdict("arguments_unreadable", *_LEFT["arguments_unreadable"])
    found = found or (_called(facts) if facts.calls else _not_called(facts))
    return Verdict(found.code, _ended(found.text), _ended(found.advice))


def _ended(text: str) -> str:
    return text if not text or text.endswith((".", "…")) else f"{text}."


def _advice(facts: Facts, topic: Topic, ours: str = "") -> str:
    """`ours`, and the setting of the server. Of a text that no server sent there is none.

    Where nobody knows the server, the settings of all are told only if they are short, or nothing else is told.
    """
    tells = facts.served and (facts.engine is not None or topic not in ("calls", "log") or not ours)
    advice = "; ".join(filter(None, [ours, setting_for(topic, facts.engine) if tells else ""]))
    return advice[:1].upper() + advice[1:]


def _unfinished(facts: Facts) -> Verdict | None:
    if facts.state == "open":
        return Verdict("open", "The exchange is under way")
    if facts.state == "lost":
        return Verdict("lost", "The worker ended before the exchange did", "Look into the log for its end")
    return None


def _failed(facts: Facts) -> Verdict | None:
    """Why the request failed; None if it did not."""
    error, status = facts.error, facts.status
    if error is None and status < 400:
        return None
    if error == "client_left":
        seconds = f" after {facts.seconds:.1f} s" if facts.seconds is not None else ""
        text = f"The client hung up{seconds}, before it had the whole answer"
        return Verdict("client_left", text, "Raise the client's time-out; a lower KEEPALIVE_SECONDS keeps it waiting")
    if error == "invalid_api_key" and facts.backend_status is None:
        advice = "Send one as `Authorization: Bearer …` or `x-api-key: …`"
        return Verdict("no_key", "The request carried none of PROXY_API_KEYS", advice)
    if error == "arguments_unreadable":
        return Verdict("arguments_unreadable", *_LEFT["arguments_unreadable"])
    if error == "backend_unreachable":
        advice = "Start the model server, or correct BACKEND_URL; `dragoman doctor` tries it"
        return Verdict("backend_unreachable", "No connection to the backend could be made", advice)
    if error is not None and error.startswith("backend_") and error.endswith("_timeout"):
        phase = error.removeprefix("backend_").removesuffix("_timeout").replace("_", " ")
        limits = {"connect": "CONNECT_TIMEOUT", "first byte": "FIRST_BYTE_TIMEOUT"}
        advice = f"Raise {limits.get(phase, 'REQUEST_TIMEOUT')}, or look whether the server is busy or loads the model"
        return Verdict("backend_timeout", f"The backend took too long ({phase})", advice)
    if error == "backend_interrupted":
        advice = _advice(facts, "log", "The server may have ended or run out of memory")
        return Verdict("backend_interrupted", "The backend's answer broke off", advice)
    if error == "backend_not_api":
        advice = "BACKEND_URL leads to something else than a model server's API"
        return Verdict("backend_not_api", "The backend answered neither JSON nor an event stream", advice)
    if (facts.backend_status is not None and facts.backend_status >= 400) or error == "backend_refused":
        return _refused(facts)
    if error is not None and not error.startswith("backend") and 400 <= status < 500:
        return Verdict("request_refused", f"Dragoman refused the request ({error}), and the backend was not asked")
    reason = error or f"status {status}"
    return Verdict("backend_error", f"The backend's answer could not be used ({reason})", _advice(facts, "log"))


def _refused(facts: Facts) -> Verdict:
    status = facts.backend_status or facts.status
    said = facts.said.lower()
    tried = f" after {facts.attempts} attempts" if facts.attempts > 1 else ""
    text = f"The backend refused the request with {status}{tried}"
    if any(word in said for word in ("auto-tool-choice", "tool-call-parser", "support tools", "jinja", "tool_choice")):
        advice = _advice(facts, "calls", "TOOL_PROMPTING=prompt writes the tools into the prompt")
    elif any(word in said for word in ("context length", "context size", "context window", "too long", "n_ctx")):
        advice = _advice(facts, "context", "The prompt is too long for the model as it was loaded")
    elif status in (401, 403):
        advice = "Set BACKEND_API_KEY, or let the client send the backend's key"
    elif status == 404:
        advice = "The model or the path is not there: `/v1/models` lists the models"
    elif status == 429:
        advice = "It is busy, or a quota is used up: ask again later"
    elif status >= 500:
        advice = _advice(facts, "log", "The server itself failed")
    else:
        advice = "With ADAPT=auto, refusals that are known are adapted; RECORD=full shows what the backend said"
    return Verdict("backend_refused", text, advice)


def _cut(facts: Facts) -> Verdict | None:
    if facts.finish != "length" and "cut" not in facts.codes:
        return None
    what = "a call" if "cut" in facts.codes or facts.calls else "the answer"
    advice = _advice(facts, "length", "Raise `max_tokens` in the request")
    return Verdict("cut", f"`max_tokens` or the end of the context cut off {what}", advice)


def _called(facts: Facts) -> Verdict:
    """What was done to the calls that the client got."""
    calls = "1 call was" if facts.calls == 1 else f"{facts.calls} calls were"
    repairs = [what for code, what in OF_CALLS.items() if code in facts.codes]
    protocol = sorted(OF_THE_PROTOCOL & facts.codes)
    native = facts.native if facts.native is not None else facts.outcome in ("untouched", "repaired")
    advice = ""
    if native:
        code, text = "native", f"{calls} sent by the backend itself, and passed unchanged"
        if protocol or facts.outcome == "repaired":
            code, text = (
                "native_repaired",
                f"{calls} sent by the backend itself, in a form that breaks clients, which was repaired",
            )
            advice = _advice(facts, "calls", "The server's own parser is at fault")
    else:
        code, text = "translated", f"{calls} read in the text of the model ({facts.row or 'a registered converter'})"
        if facts.engine is not None and not facts.prompted:
            setting = facts.engine.settings["calls"]
            advice = f"Nothing needs to be done; to let {facts.engine.name} read calls itself, {setting}"
    text, code = _with_request(facts, text, code)
    if repairs:
        code, text = "repaired", f"{text}; repaired: {', '.join(repairs)}"
    if "undeclared_name" in facts.codes:
        code, text = "undeclared_name", f"{text}; the request declares no tool of that name"
        advice = "The client's error corrects most models; name only declared tools in the prompt"
    elif "arguments_misfit" in facts.codes:
        code, text = "arguments_misfit", f"{text}; the arguments do not fit the tool's schema"
        advice = f"The client's error corrects most models; {_AGAIN}"
    return Verdict(code, text, advice)


def _with_request(facts: Facts, text: str, code: str) -> tuple[str, str]:
    """What was done to the request is told, too."""
    if facts.adaptations:
        code, text = "adapted", f"{text}; the request was adapted ({', '.join(facts.adaptations)})"
    if facts.prompted:
        code, text = "prompted", f"{text}; the tools were written into the prompt"
    if "asked_again" in facts.codes:
        code, text = "asked_again", f"{text}; the model was asked again"
    return text, code


def _not_called(facts: Facts) -> Verdict:
    for table in (_LEFT, _TAKEN):
        for code, (text, advice) in table.items():
            if code in facts.codes:
                return Verdict(code, _with_request(facts, text, code)[0], advice)
    if facts.bare_call and facts.has_tools and facts.json_answer:
        text = "The request asks for an answer in JSON, so a call without markup is that answer"
        return Verdict("json_answer", text, "Leave `response_format` out where tools may be called")
    if facts.bare_call and facts.has_tools:
        text = "The message is a call without markup of a tool that the request does not declare, so it is text"
        return Verdict("undeclared_left", text, _LEFT["undeclared_left"][1])
    if facts.truncated:
        text = f"The prompt was probably truncated: the backend counted {facts.tok_in} tokens, fewer than it was sent"
        return Verdict("prompt_truncated", text, _advice(facts, "context"))
    if facts.empty:
        advice = _advice(facts, "log", "TOOL_PROMPTING=prompt leaves out the server's own parser")
        return Verdict("empty", "The model answered nothing at all", advice)
    if facts.only_reasoning:
        advice = _advice(facts, "reasoning", "Turn thinking off in the request, or raise `max_tokens`")
        return Verdict("only_reasoning", "The model wrote only reasoning, and no answer", advice)
    if facts.has_tools is False:
        return Verdict("plain", *_plain(facts, "The request declares no tools, and the answer is text"))
    if facts.has_tools or facts.prompted:
        text = "The model chose to answer in text: nothing in it looks like a call"
        return Verdict("no_call", *_plain(facts, text, '`tool_choice: "required"` demands a call'))
    return Verdict("plain", *_plain(facts, "The answer is text: nothing in it looks like a call"))


def _plain(facts: Facts, text: str, advice: str = "") -> tuple[str, str]:
    text = _with_request(facts, text, "")[0]
    protocol = sorted(OF_THE_PROTOCOL & facts.codes)
    if protocol:
        text = f"{text}; the form of the backend's answer was repaired ({', '.join(protocol)})"
    return text, advice
