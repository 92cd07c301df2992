"""What is remembered of refusals, for how long, and of how many models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from backends.learned import Learned, StateFile, lessons, state_file
from backends.learned.lessons import Lesson, LessonStore, Memory

HOUR = 3600.0
URL = "http://backend:8080"


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


MakeStore = Callable[[], LessonStore]


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> LessonStore:
    return Memory() if request.param == "memory" else StateFile(tmp_path / "state.db")


def names(learned: Learned, model: str = "m") -> set[str]:
    return set(learned.recall(model))


def test_a_lesson_is_forgotten_after_learn_hours(store: LessonStore) -> None:
    clock = Clock()
    learned = Learned(URL, 24, store, clock)
    learned.learn("m", {"prompted": "w"})
    clock.now += 23.9 * HOUR
    assert names(learned) == {"prompted"} and len(learned.entries()) == 1
    clock.now += 0.2 * HOUR
    assert names(learned) == set() and learned.entries() == []


def test_each_lesson_has_its_own_time(store: LessonStore) -> None:
    clock = Clock()
    learned = Learned(URL, 24, store, clock)
    learned.learn("m", {"prompted": "w"})
    clock.now += 20 * HOUR
    learned.learn("m", {"system_first": "w"})
    assert names(learned) == {"prompted", "system_first"}
    clock.now += 5 * HOUR
    assert names(learned) == {"system_first"}
    (entry,) = learned.entries()
    assert entry["adaptations"] == [{"name": "system_first", "why": "w", "at": clock.now - 5 * HOUR}]
    learned.learn("m", {"alternate": "w"})
    assert [each.adaptation for each in store.load(URL, "m")] == ["system_first", "alternate"], "old ones are dropped"


def test_what_is_learned_again_counts_from_then(store: LessonStore) -> None:
    clock = Clock()
    learned = Learned(URL, 24, store, clock)
    learned.learn("m", {"prompted": "first"})
    clock.now += 20 * HOUR
    learned.learn("m", {"prompted": "second"})
    clock.now += 20 * HOUR
    assert names(learned) == {"prompted"}
    assert [each.why for each in store.load(URL, "m")] == ["second"]


def test_other_hours(store: LessonStore) -> None:
    clock = Clock()
    learned = Learned(URL, 0.5, store, clock)
    learned.learn("m", {"prompted": "w"})
    clock.now += HOUR / 2 + 1
    assert names(learned) == set()


def test_beyond_a_thousand_models_the_oldest_are_forgotten_first(
    store: LessonStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lessons.MOST_MODELS == 1000
    most = 40  # a file takes milliseconds for each
    for module in (lessons, state_file):
        monkeypatch.setattr(module, "MOST_MODELS", most)
    clock = Clock()
    learned, other = Learned(URL, 24, store, clock), Learned("http://other", 24, store, clock)
    other.learn("m0", {"prompted": "w"})
    for number in range(most):
        clock.now += 1
        learned.learn(f"m{number}", {"prompted": "w"})
        if number == 20:
            clock.now += 1
            learned.learn("m1", {"system_first": "w"})  # m1 is not the oldest any more
    assert len(store.all()) == most
    assert names(other, "m0") == set(), "the oldest of all backends together"
    clock.now += 1
    learned.learn("one more", {"prompted": "w"})
    assert names(learned, "m0") == set() and names(learned, "m1") == {"prompted", "system_first"}
    assert names(learned, "m2") == names(learned, "m39") == names(learned, "one more") == {"prompted"}
    clock.now += 1
    learned.learn("and one", {"prompted": "w"})
    assert names(learned, "m2") == set() and len(store.all()) == most


def test_lessons_belong_to_one_backend_and_one_model(store: LessonStore) -> None:
    here, there = Learned(URL, 24, store), Learned("http://other", 24, store)
    here.learn("m", {"prompted": "w"})
    assert names(there) == names(here, "M") == names(here, "") == set()
    assert there.entries() == [] and there.forget() == 0 and names(here) == {"prompted"}


def test_forgetting_by_hand(store: LessonStore) -> None:
    learned = Learned(URL, 24, store)
    for model in ("a", "b", "c"):
        learned.learn(model, {"prompted": "w"})
    assert learned.forget("b") == 1 and learned.forget("b") == 0
    assert (names(learned, "a"), names(learned, "b")) == ({"prompted"}, set())
    assert learned.forget() == 2 and learned.entries() == []


def test_names_of_models_are_data(store: LessonStore) -> None:
    learned = Learned(URL, 24, store)
    odd = ["", "'; DROP TABLE lessons; --", "a\0b", "모델:30b", "\ud83d", "x" * 512, "%", "_"]
    for number, model in enumerate(odd):
        learned.learn(model, {f"lesson_{number}": "w"})
    assert [names(learned, model) for model in odd] == [{f"lesson_{number}"} for number in range(len(odd))]


def test_a_name_that_no_model_has_is_not_kept(store: LessonStore) -> None:
    learned = Learned(URL, 24, store)
    learned.learn("x" * 10_000, {"prompted": "w"})
    assert names(learned, "x" * 10_000) == set() and store.all() == []


def test_an_entry_says_which_backend_model_and_why(store: LessonStore) -> None:
    clock = Clock()
    Learned(URL, 24, store, clock).learn("m", {"prompted": "status 400, words of ollama"})
    assert store.load(URL, "m") == (Lesson("prompted", "status 400, words of ollama", clock.now),)
    adaptations = [{"name": "prompted", "why": "status 400, words of ollama", "at": clock.now}]
    assert Learned(URL, 24, store, clock).entries() == [{"backend": URL, "model": "m", "adaptations": adaptations}]
