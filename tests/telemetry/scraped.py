"""What `/metrics` says, as numbers."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families


class Samples:
    """All samples of one answer. `samples(name, label=value …)` is the sum of those that have these labels."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = list(text_string_to_metric_families(text))

    def __iter__(self) -> Iterator[tuple[str, dict[str, str], float]]:
        for family in self.families:
            for sample in family.samples:
                yield sample.name, sample.labels, sample.value

    def __call__(self, name: str, **labels: str) -> float:
        return sum(value for found, given, value in self if found == name and labels.items() <= given.items())

    def labels(self, name: str, label: str) -> set[str]:
        """The values of a label."""
        return {given[label] for found, given, _ in self if found == name and label in given}
