"""Wrong files: each gives one line with file, line, column and cure, and exit code 2.

The first line of each file says what is expected.
"""

import re
from pathlib import Path

import pytest

from cqlsurge.cli.main import main
from cqlsurge.workload.document import WorkloadError
from cqlsurge.workload.loader import load_file

FILES = sorted(Path(__file__).parent.joinpath("wrong").glob("*.yaml"))


def test_there_are_many():
    assert len(FILES) >= 40


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_one_line_with_place_and_cure(path, capsys):
    expected = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
    expected = re.sub(r"^\d+:\d+: ", "", expected)
    assert main(["workload", "check", str(path)]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.count("\n") == 1
    assert re.match(rf"cqlsurge: {re.escape(path.name)}:\d+:\d+: ", error)
    assert expected in error


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("column", (22, 7)),
        ("name", (21, 32)),
        ("expression", (22, 28)),
        ("with", (36, 7)),
        ("schema-parameter", (12, 33)),
    ],
)
def test_places_are_where_the_mistake_is(path, place):
    with pytest.raises(WorkloadError, match=rf"{path}\.yaml:{place[0]}:{place[1]}: "):
        load_file(str(Path(__file__).parent / "wrong" / f"{path}.yaml"))


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"key": "1"}, "the workload has no parameter 'key'; nearest is 'keys'"),
        ({"keys": "many"}, "-p keys=many: 'many' is not a number such as 10k"),
    ],
)
def test_wrong_parameters(params, text):
    with pytest.raises(Exception, match=re.escape(text)):
        load_file("kv", params)
