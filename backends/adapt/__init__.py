"""Requests for chat completions backends, changed so that a backend takes them.

    table      the adaptations: name, what each does and loses, its function
    refusals   which of them a refusal asks for
    silent     which of them are applied at once, because a template would lose something without a word
    bodies     the bytes of a request as a Request, and the members that changed as bytes again
    plan       what is sent for one request, attempt after attempt

All of it is pure: no network, no clock, no configuration. May not know: dialects, the engine.
"""

from backends.adapt.plan import AdaptSettings, Planner

__all__ = ["AdaptSettings", "Planner"]
