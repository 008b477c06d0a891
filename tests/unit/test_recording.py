"""The recorder around a root: what it keeps, what it forgets, and that it never disturbs."""

from __future__ import annotations

import numpy as np
import pytest

from nbship.release import recording
from nbship.release.recording import record, recorder_of, unrecorded
from support.executed import ExecutedNotebook


def cases_of(function):
    return recorder_of(function).cases()


def test_a_call_is_kept_with_its_inputs_as_they_were_before_it():
    def predict(rows, *, add=0):
        rows[0] = 99
        return [row + add for row in rows]

    recorded = record(predict, lambda: "In[3]")
    rows = [1, 2]
    answer = recorded(rows, add=1)
    rows.append(7)
    answer.append(8)

    assert cases_of(recorded) == (
        {
            "case": 1,
            "args": [[1, 2]],
            "kwargs": {"add": 1},
            "output": [100, 3],
            "changed": {"args": {"0": [99, 2]}},
            "origin": "In[3]",
        },
    )


def test_a_call_that_fails_is_passed_on_and_not_kept():
    def predict(x):
        raise ValueError("no")

    recorded = record(predict, str)

    with pytest.raises(ValueError, match="no"):
        recorded(1)
    assert cases_of(recorded) == ()


def test_only_the_outermost_call_is_kept():
    notebook = ExecutedNotebook(
        "def predict(n):\n    return 1 if n == 0 else n * predict(n - 1)\n",
        "predict(4)",
    )

    (case,) = cases_of(notebook.namespace["predict"])
    assert case["args"] == [4]


def test_values_that_cannot_be_written_are_counted_and_never_break_the_call():
    def predict(x):
        return x

    recorded = record(predict, lambda: 1 / 0)
    thing = object()

    assert recorded(thing) is thing
    assert recorded(np.float64(2)) == 2
    assert recorded(1) == 1
    assert [case["origin"] for case in cases_of(recorded)] == ["", ""]
    assert recorder_of(recorded).remarks() == (
        "1 call not recorded: a value of type builtins.object cannot be recorded",
    )


def test_calls_stop_being_kept_at_the_limits(monkeypatch):
    monkeypatch.setattr(recording, "MAX_CASES", 3)
    recorded = record(lambda x: x, str)
    for i in range(5):
        recorded(i)

    assert len(cases_of(recorded)) == 3
    assert recorder_of(recorded).remarks() == (
        "2 calls not recorded: more than 3 calls",
    )


def test_a_large_table_is_left_out_before_it_is_encoded():
    recorded = record(len, str)

    assert recorded(np.zeros((2000, 1000))) == 2000
    assert cases_of(recorded) == ()
    assert "more than 5 MB together" in recorder_of(recorded).remarks()[0]


def test_calls_before_a_new_definition_or_new_state_are_forgotten():
    notebook = ExecutedNotebook(
        "import numpy as np\nW = np.ones(2)\ndef helper(x):\n    return x\n",
        "def predict(x):\n    return float((W * helper(x)).sum())\n",
        "predict(1)",
    )
    count = lambda: len(cases_of(notebook.namespace["predict"]))  # noqa: E731
    assert count() == 1

    notebook.run("def helper(x):\n    return x\n")
    assert count() == 1, "the same text is the same function"
    notebook.run("def helper(x):\n    return x * 2\n")
    assert count() == 0
    notebook.run("predict(1); predict(2)")
    assert count() == 2
    notebook.run("W = np.zeros(2)")
    assert count() == 0
    notebook.run("predict(1)")
    notebook.run("def predict(x):\n    return x\n")
    assert count() == 0


def test_a_counter_that_predict_keeps_does_not_forget_its_calls():
    notebook = ExecutedNotebook(
        "N = 0\ndef predict(x):\n    global N\n    N += 1\n    return x\n",
        "predict(1); predict(2)",
    )

    assert len(cases_of(notebook.namespace["predict"])) == 2


def test_the_recorder_looks_like_the_function_and_comes_off():
    def predict(x):
        """Answer."""
        return x

    recorded = record(predict, str)

    assert recorded.__doc__ == "Answer."
    assert recorded.__wrapped__ is predict
    assert unrecorded(recorded) is predict
    assert unrecorded(predict) is predict
    assert recorder_of(3) is None


def test_threads_are_kept_apart():
    import threading

    barrier = threading.Barrier(2)

    def predict(x):
        barrier.wait(10)
        return x

    recorded = record(predict, str)
    threads = [threading.Thread(target=recorded, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(cases_of(recorded)) == 2


def test_a_root_that_only_other_functions_call_is_recorded():
    notebook = ExecutedNotebook(
        "def helper(x):\n    return x * 2",
        "def outer(x):\n    return helper(x) + helper(x + 1)",
        "outer(1)",
        roots=("helper", "outer"),
    )

    helper, outer = (cases_of(notebook.namespace[n]) for n in ("helper", "outer"))
    assert [(case["args"], case["output"]) for case in helper] == [([1], 2), ([2], 4)]
    assert [(case["args"], case["output"]) for case in outer] == [([1], 6)]
