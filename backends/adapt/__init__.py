"""Requests for chat completions backends, changed so that a backend takes them.

    table      the adaptations: name, what each does and loses, its function
    refusals   which of them a refusal asks for
    silent     which of them are applied at once, because a template would lose something without a word
    bodies     the bytes of a request as a Request, and the members that changed as bytes again
    plan       what is sent for one request, attempt after attempt
    learned    what refusals have taught about a model; state_file keeps it in SQLite

Adaptations and refusals are pure: no network, no clock, no configuration. May not know: dialects, the engine.
"""

from backends.adapt.learned import Learned
from backends.adapt.plan import AdaptSettings, Planner
from backends.adapt.state_file import StateFile

__all__ = ["AdaptSettings", "Learned", "Planner", "StateFile"]
