"""A server that is started before its model is trained."""

import pytest

import serving.cli
from s2s.errors import ModelError


def test_it_waits_until_there_is_a_model_and_says_once_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(serving.cli, "_WAIT_S", 0)
    answers = iter([ModelError("no model yet"), ModelError("no model yet"), None])

    def find() -> None:
        if answer := next(answers):
            raise answer

    serving.cli._await(find)
    assert list(answers) == []
    assert capsys.readouterr().err.count("no model yet") == 1
