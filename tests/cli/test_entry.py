"""The boundary of the process."""

from __future__ import annotations

import sys

import pytest

from cli.conftest import CommandLine
from kivuko.cli import dispatch, entry


def run_main(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["/somewhere/openfn", *words])
    return entry.main()


def broken(*_: object) -> int:
    raise ZeroDivisionError("nobody foresaw this")


def test_what_nobody_foresaw_is_told_in_words(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(dispatch, "dispatch", broken)
    assert run_main(monkeypatch, "a.js") == 1
    said = capsys.readouterr().err
    assert "Command failed!" in said
    assert "ZeroDivisionError: nobody foresaw this" in said
    assert "-l debug" in said
    assert "Traceback" not in said


def test_where_it_happened_is_shown_to_who_asks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(dispatch, "dispatch", broken)
    assert run_main(monkeypatch, "a.js", "-l", "debug") == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(dispatch, "dispatch", interrupted)
    assert run_main(monkeypatch, "a.js") == entry.INTERRUPTED == 130


def test_a_command_gets_the_name_it_was_called_by(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr(dispatch, "dispatch", lambda words, program: seen.extend([words, program]) or 9)
    assert run_main(monkeypatch, "a.js", "-x") == 9
    assert seen == [["a.js", "-x"], "openfn"]


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1"])
def test_its_signs_reach_every_screen(kivuko: CommandLine, locale: str) -> None:
    kivuko.write("a.js", "const fn = f => s => f(s);\nfn(s => { console.log('Ünïcode ✔ \\ud800'); return s; })")
    done = kivuko("a.js", env={"LANG": locale, "LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    assert done.exit == 0, done.err
    assert "[JOB] ℹ Ünïcode ✔" in done.out
