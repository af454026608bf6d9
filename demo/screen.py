"""What the demo prints: plain text, and colours where somebody looks at it on a terminal."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Mapping, Sequence

__all__ = ["Screen"]

_STYLES = {"bold": "1", "dim": "2", "green": "32", "red": "31", "yellow": "33", "cyan": "36"}
_WIDTH = 100
_BAR = 50


class Screen:
    """Prints the parts of the demo, top to bottom. Colours only on a terminal and without NO_COLOR (https://no-color.org)."""

    def __init__(self) -> None:
        self._coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        sys.stdout.reconfigure(encoding="utf-8", line_buffering=True)  # type: ignore[union-attr]

    def _style(self, text: str, *styles: str) -> str:
        return f"\x1b[{';'.join(_STYLES[style] for style in styles)}m{text}\x1b[0m" if self._coloured else text

    def title(self, text: str, explanation: str) -> None:
        """The first lines."""
        print(f"\n  {self._style(text, 'bold', 'cyan')}\n")
        print(textwrap.fill(explanation, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False))

    def heading(self, text: str) -> None:
        """A heading with a line to the right edge."""
        print(f"\n  {self._style(text, 'bold')} {self._style('─' * (_WIDTH - 3 - len(text)), 'dim')}")

    def fact(self, label: str, text: str, remark: str = "") -> None:
        """A label and what belongs to it."""
        print(f"  {label:<15}{text:<34}{self._style(remark, 'dim')}".rstrip())

    def command(self, text: str) -> None:
        """A command as somebody would type it."""
        for number, line in enumerate(textwrap.wrap(text, _WIDTH - 4, break_long_words=False, break_on_hyphens=False)):
            print(f"  {self._style('$', 'dim') if number == 0 else ' '} {self._style(line, 'cyan')}")
        print()

    def step(self, name: str, text: str, duration: str, file: str) -> None:
        """A step that ended well."""
        print(f"  {self._style('✔', 'green')} {self._style(f'{name:<10}', 'bold')}{text:<46}{duration:>9}   {self._style(file, 'dim')}")

    def failed_step(self, name: str, text: str) -> None:
        """A step that failed, with what Kivuko says about it."""
        print(f"  {self._style('✘', 'red')} {self._style(f'{name:<10}', 'bold')}{text}")

    def share(self, good: int, bad: int, text: str) -> None:
        """A bar of what was accepted and refused."""
        filled = round(_BAR * good / max(good + bad, 1))
        print(f"\n  {self._style('█' * filled, 'green')}{self._style('░' * (_BAR - filled), 'red')}  {text}")

    def table(self, rows: Sequence[Mapping[str, str]], widths: Mapping[str, int]) -> None:
        """Rows under their column names; the last column is as wide as it needs to be."""
        print("\n  " + self._style("".join(f"{name:<{width}}" for name, width in widths.items()).rstrip(), "dim"))
        for row in rows:
            cells = [f"{row[name]:<{width}}" for name, width in widths.items()]
            print("  " + "".join(cells[:-1]) + self._style(cells[-1].rstrip(), "yellow"))

    def choice(self, text: str, target: str) -> None:
        """Something to look at next."""
        print(f"  {text:<38}{self._style(target, 'cyan')}")

    def error(self, text: str) -> None:
        """Why the demo could not go on."""
        print(f"\n  {self._style('✘ ' + text, 'red')}")

    def text(self, text: str) -> None:
        """Lines as they are."""
        print("\n" + textwrap.indent(text, "  "))
