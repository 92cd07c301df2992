"""What refusals and chat templates have taught about each model of a backend: in memory, or in a file for all workers.

May not know: what an adaptation does, dialects, the engine.
"""

from backends.learned.lessons import Learned
from backends.learned.state_file import StateFile
from backends.learned.template_file import TemplateFile

__all__ = ["Learned", "StateFile", "TemplateFile"]
