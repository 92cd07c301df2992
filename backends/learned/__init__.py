"""What refusals have taught about each model of a backend: in memory, or in a file that workers share.

May not know: what an adaptation does, dialects, the engine.
"""

from backends.learned.lessons import Learned
from backends.learned.state_file import StateFile

__all__ = ["Learned", "StateFile"]
