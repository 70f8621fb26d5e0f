"""What a benchmark finds: figures with their targets, and the table they make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN = "<!-- benchmarks -->"
END = "<!-- end of benchmarks -->"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. Without a target it only informs."""

    what: str
    value: float
    unit: str = ""
    target: float | None = None
    goal: float | None = None
    more_is_better: bool = True
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; ``None`` without one."""
        if self.target is None:
            return None
        return self.value >= self.target if self.more_is_better else self.value <= self.target

    def cells(self) -> tuple[str, str, str, str, str]:
        """The row in the table."""
        sign = "≥" if self.more_is_better else "≤"
        return (
            self.what,
            shown(self.value, self.unit) + (f" ({self.note})" if self.note else ""),
            "" if self.target is None else f"{sign} {shown(self.target, self.unit)}",
            "" if self.goal is None else f"{sign} {shown(self.goal, self.unit)}",
            {None: "", True: "yes", False: "**no**"}[self.met],
        )


def shown(value: float, unit: str) -> str:
    """A figure with as many digits as it deserves."""
    if unit == "x":
        return f"{value:.2f} x"
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 0.1 else 4
    return f"{value:,.{digits}f} {unit}".rstrip()


def table(figures: Iterable[Figure]) -> str:
    """Markdown."""
    lines = ["| what | measured | target | goal | met |", "|---|---|---|---|---|"]
    lines += ["| " + " | ".join(figure.cells()) + " |" for figure in figures]
    return "\n".join(lines)


def write_readme(text: str) -> None:
    """Put the table where the README keeps it."""
    readme = README.read_text(encoding="utf-8")
    before, _, rest = readme.partition(BEGIN)
    _, ended, after = rest.partition(END)
    after = after if ended else rest
    README.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
