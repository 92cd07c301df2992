"""How a field is named that a server does not know, and what no other request would change. Data, no code."""

from __future__ import annotations

UNKNOWN_FIELD: tuple[str, ...] = (
    r"extra_forbidden,? loc:? ?[\[(](?P<path>[\w, .]{1,120})[\])]",
    r"loc:? ?[\[(](?P<path>[\w, .]{1,120})[\])],? msg: extra inputs are not permitted",
    r"loc:? ?(?P<path>[\w.]{1,120}),? msg: extra inputs are not permitted",
    r"(?P<path>[\w.]{1,80}):? extra inputs are not permitted",
    r"(?:unrecognized|unknown|unexpected|unsupported|invalid|extra|additional) (?:request |keyword |body |json )?"
    r"(?:argument|parameter|param|field|property|properties|key|keyword|input)s?"
    r"(?: supplied| provided| name| found| in request)?:? ?[\[(]?(?P<path>[\w.]{2,80})",
    r"(?:does|do) not support (?:the )?(?:parameters?|fields?|arguments?):? \[?(?P<path>[\w.]{2,80})",
    r"(?:parameter|property|field|argument)s? (?P<path>[\w.]{2,80}) (?:is|are) (?:not|un|deprecated|invalid)",
    r"(?P<path>[a-z]+_[\w.]{2,80}):? (?:parameter |field |option )?(?:is |are )?"
    r"(?:not supported|unsupported|not permitted|not allowed|not recognized|unrecognized|unknown)",
    r"unexpected keyword argument (?P<path>\w{2,80})",
)
"""How a field is named that a server does not know; `path` ends in its name."""

NEVER: tuple[str, ...] = (
    r"context[ _](?:length|size|window)",
    r"maximum context|exceed_context|context_length_exceeded",
    r"too many tokens|prompt is too long|input is too long|maximum (?:prompt|input) length",
    r"rate[ _]limit|too many requests|quota|insufficient_(?:quota|balance)|billing",
    r"invalid api key|authentication_error|invalid_api_key|unauthorized|permission_error",
    r"model .{0,80}(?:not found|does not exist)|model_not_found|loading model",
    r"out of memory|overloaded",
)
"""What a refusal speaks of that no other request would change: the context, keys, limits, the model itself."""
