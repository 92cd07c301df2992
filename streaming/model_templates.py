"""What chat templates tell of models: those of CHAT_TEMPLATES, and those that the backend tells of when it is asked.

No request waits for any of it. One thread reads, asks and keeps, one model after the other, and a process of its own
learns (templates/apart.py). Until that is done a model is read as if nothing were known of its template.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from config import Config
from converters.detect.openers import opener_index
from converters.factory import converter_factory
from converters.learning.learn import Learned
from streaming.template_question import Headers, TemplateQuestions, Told
from templates.apart import LearningProcess, Lesson, learned_from
from templates.known import MOST_MODELS, Answer, InMemory, KnownTemplates
from templates.learner import row_name
from templates.rendering import NOT_ENDED
from templates.servers import LLAMA, QUESTIONS
from templates.sources import NoTemplate, Source, Template, read_template, sources_of

log = logging.getLogger("dragoman.templates")

AGAIN = 3600.0
"""Seconds after which a backend that told of no template is asked again."""
_LONGEST_NAME = 512
"""Characters of the name of a model; of a longer one nobody is asked, as clients choose names."""
_MOST_WAITING = 64
"""Models that wait to be asked about; of more nobody is asked until there is room."""
_PLAIN = re.compile(r"[^\w./:@+-]", re.ASCII)


@dataclass(slots=True)
class _Known:
    """What is known of one model or file."""

    learned: Learned | None = None
    until: float = 0.0
    """When it is to be asked again, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class _Job:
    """What the thread is to do."""

    model: str = ""
    headers: Headers = field(default=(), repr=False)
    place: int | None = None
    """The number of a file; None for a question."""


class ModelTemplates:
    """Shared by all threads of the process."""

    def __init__(
        self,
        config: Config,
        known: KnownTemplates | None = None,
        *,
        asks: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`known` is what earlier processes and other workers have learned. `asks`: the backend may be asked.

        Raises ConfigError for a file of CHAT_TEMPLATES that is not there.
        """
        active = config.convert and config.chat_templates is not None
        self._sources = sources_of((config.chat_templates or ()) if active else ())
        self._backend = config.backend_url
        self._known: KnownTemplates = known if known is not None else InMemory()
        questions = QUESTIONS.get(config.backend, ()) if active and asks else ()
        self._questions = TemplateQuestions(config.backend_url, questions)
        self._fresh = config.learn_hours * 3600
        self._clock = clock
        self._file_defaults = dict(LLAMA.defaults) if config.backend == "llamacpp" else {}
        self._of_files: list[_Known] = [_Known() for _ in self._sources]
        self._of_models: OrderedDict[str, _Known] = OrderedDict()
        self._place_of = lru_cache(maxsize=1024)(self._find_place)
        self._templates = [_read(source) for source in self._sources]
        self._begin_anew()
        if self._questions.asks:
            self._recall()
        self._wait_for(*(_Job(place=place) for place in range(len(self._sources)) if not self._recalled(place)))

    def find(self, model: str) -> Learned | None:
        """What is known of a model by now. It never waits."""
        place = self._place_of(model) if self._sources else None
        if place is not None:
            return self._of_files[place].learned
        known = self._of_models.get(model)
        return known.learned if known is not None else None

    def wanted(self, model: str, headers: Callable[[], Headers]) -> None:
        """A request for a model has come: whatever is not known yet is learned behind its back.

        `headers` makes those of the request to the backend; their key is sent with the question.
        """
        if self._process != os.getpid():  # forked: the thread stayed behind
            self._begin_anew()
            self._wait_for(*(_Job(place=place) for place, each in enumerate(self._of_files) if not each.until))
        if not self._questions.asks or (self._sources and self._place_of(model) is not None):
            return
        known = self._of_models.get(model)
        if known is not None and known.until > self._clock():
            return
        if not model or len(model) > _LONGEST_NAME or len(self._waiting) >= _MOST_WAITING:
            return
        if not model.isprintable():  # no server has such a model; half a surrogate pair could not even be sent
            return
        with self._lock:
            known = self._of_models.setdefault(model, _Known())
            if known.until > self._clock():
                return
            known.until = self._clock() + AGAIN  # asked once, however many requests come meanwhile
            while len(self._of_models) > MOST_MODELS:
                self._of_models.popitem(last=False)
        self._wait_for(_Job(model, _key_of(headers())))

    def settled(self, seconds: float) -> bool:
        """Wait until nothing is to be learned any more. Whether that is so."""
        return self._idle.wait(seconds)

    # -- what is kept --------------------------------------------------------------------------------------------------

    def _recall(self) -> None:
        """Take what earlier processes have learned of this backend's models."""
        for model, answer in self._known.answers(self._backend).items():
            self._take(model, answer)

    def _take(self, model: str, answer: Answer) -> bool:
        """Whether an answer that somebody else got can be used."""
        until = answer.at + (self._fresh if answer.key else min(AGAIN, self._fresh))
        text = self._known.told(answer.key) if answer.key else None
        learned = learned_from(text, row_name(model)) if text is not None else None
        if until <= self._clock() or (answer.key and learned is None):
            return False
        self._of_models[model] = _Known(_remembered(learned), until)
        return True

    def _recalled(self, place: int) -> bool:
        """Whether what a file tells is known already, or cannot be."""
        template = self._templates[place]
        if template is None:
            self._of_files[place].until = float("inf")
            return True
        lesson = self._lesson(template, _served(self._sources[place]), self._file_defaults)
        text = self._known.told(lesson.key)
        learned = learned_from(text, lesson.name) if text is not None else None
        if learned is None:
            return False
        self._of_files[place] = _Known(_remembered(learned), float("inf"))
        _tell(f"chat template {self._sources[place].path}", learned, logging.WARNING)
        return True

    @staticmethod
    def _lesson(template: Template, served: str, defaults: dict[str, object], mends: tuple[str, ...] = ()) -> Lesson:
        row = converter_factory.get_builtin(served).syntax
        return Lesson(template, row_name(served), row.name if row is not None else "", defaults, mends)

    def _find_place(self, model: str) -> int | None:
        """The file that serves a model: of several the first."""
        served = (place for place, source in enumerate(self._sources) if source.serves(model))
        return next((place for place in served if self._templates[place] is not None), None)

    # -- the thread ----------------------------------------------------------------------------------------------------

    def _begin_anew(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._waiting: list[_Job] = []
        self._thread: threading.Thread | None = None
        self._idle = threading.Event()
        self._idle.set()

    def _wait_for(self, *jobs: _Job) -> None:
        """Give the thread something to do; it is started if there is none."""
        if not jobs:
            return
        with self._lock:
            self._waiting += jobs
            self._idle.clear()
            if self._thread is not None and self._thread.is_alive():
                return
            self._thread = threading.Thread(target=self._work, daemon=True, name="templates")
            self._thread.start()

    def _work(self) -> None:
        with LearningProcess() as process:
            while (job := self._next()) is not None:
                if job.place is not None:
                    self._learn_file(process, job.place)
                else:
                    self._learn_model(process, job)

    def _next(self) -> _Job | None:
        """What is to be done next. None: nothing, and the thread ends."""
        with self._lock:
            if self._waiting:
                return self._waiting.pop(0)
            self._thread = None
            self._idle.set()
            return None

    def _learn_file(self, process: LearningProcess, place: int) -> None:
        template, source = self._templates[place], self._sources[place]
        assert template is not None
        lesson = self._lesson(template, _served(source), self._file_defaults)
        learned = self._learned(process, lesson)
        self._of_files[place] = _Known(_remembered(learned), float("inf"))
        _tell(f"chat template {source.path}", learned, logging.WARNING)

    def _learn_model(self, process: LearningProcess, job: _Job) -> None:
        answer = self._known.answer(self._backend, job.model)
        if answer is not None and self._take(job.model, answer):  # another worker has asked
            return
        name = f"chat template of {_PLAIN.sub('_', job.model)}"
        now = self._clock()
        try:
            told = self._questions.ask(job.model, job.headers)
        except NoTemplate as error:
            log.info("%s: the backend tells of none: %s", name, error)
            self._known.keep(self._backend, job.model, Answer("", str(error), now))
            return
        learned, key = self._learned_of(process, job.model, told)
        self._known.keep(self._backend, job.model, Answer(key, "" if key else learned.why, now))
        until = now + (self._fresh if key else min(AGAIN, self._fresh))
        self._of_models[job.model] = _Known(_remembered(learned), until)
        _tell(f"{name}, of {told.question.server}", learned, logging.INFO)

    def _learned_of(self, process: LearningProcess, model: str, told: Told) -> tuple[Learned, str]:
        """(what a template tells, its key; empty if it is to be learned again)"""
        lesson = self._lesson(told.template, model, dict(told.question.defaults), told.question.mends)
        text = self._known.told(lesson.key)
        learned = learned_from(text, lesson.name) if text is not None else None
        if learned is None:
            learned = self._learned(process, lesson)
        return learned, "" if learned.why == NOT_ENDED else lesson.key

    def _learned(self, process: LearningProcess, lesson: Lesson) -> Learned:
        text = process.learn(lesson)
        learned = learned_from(text, lesson.name) if text is not None else None
        if text is None or learned is None:
            return Learned(why=NOT_ENDED, not_derived=NOT_ENDED)
        if learned.why != NOT_ENDED:
            self._known.tell(lesson.key, text, self._clock())
        if learned.row is not None:
            opener_index(learned.row)  # made here: it takes a while, and no request shall wait for it
        return learned


def _remembered(learned: Learned | None) -> Learned | None:
    """What was learned; a row of its own can be named from now on."""
    if learned is not None and learned.row is not None and not learned.is_listed:
        converter_factory.remember(learned.row)
    return learned


def _read(source: Source) -> Template | None:
    try:
        return read_template(source.path)
    except NoTemplate as error:
        log.warning("chat template %s: nothing learned: %s", source.path, error)
        return None


def _served(source: Source) -> str:
    return source.pattern or source.name


def _key_of(headers: Sequence[tuple[str, str]]) -> Headers:
    return tuple((name, value) for name, value in headers if name.lower() in ("authorization", "x-api-key"))


def _tell(what: str, learned: Learned, level: int) -> None:
    """One line of the log: which row reads the calls, or, of this level, why none was learned."""
    if learned.row is None:
        why = "".join(letter if letter.isprintable() else "?" for letter in learned.why)
        log.log(level, "%s: no row learned: %s", what, why)
    else:
        kind = "listed" if learned.is_listed else "learned"
        log.info("%s: its calls are read by the %s row %s", what, kind, learned.row.name)
