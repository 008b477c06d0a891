"""What counts as changed between two executions, and what does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nbship.errors import JobError
from nbship.records.comparison import CellVerdict, ComparisonVerdict
from nbship.vetting.comparison.notebooks import compare_notebooks
from nbship.vetting.comparison.numbers import limit
from nbship.vetting.comparison.tags import CellTags, read_tags
from nbship.vetting.comparison.texts import lines_of
from support.executions import cell, executed, picture, printed, raised, shown

IDENTICAL, NOISE = CellVerdict.IDENTICAL, CellVerdict.NOISE
CLOSE, CHANGED = CellVerdict.WITHIN_TOLERANCE, CellVerdict.CHANGED
UNKNOWN, MISSING = CellVerdict.NOT_VERIFIABLE, CellVerdict.MISSING


def verdict_of(
    published: str, first: str, *others: str, source: str = "print(x)"
) -> CellVerdict:
    """Compare one printed text with those of reruns."""
    a, *runs = (executed(cell(source, printed(t))) for t in (published, first, *others))
    (found,) = compare_notebooks(a, runs).cells
    return found.verdict


@pytest.mark.parametrize(
    ("published", "rerun", "verdict"),
    [
        ("accuracy 0.97", "accuracy 0.97", IDENTICAL),
        ("accuracy 0.97", "accuracy 0.98", CHANGED),
        ("accuracy 0.97", "accuracy 0.9733", CHANGED),
        ("0.3", "0.30000000000000004", CLOSE),
        ("loss 1234.56789012", "loss 1234.56789013", CLOSE),
        ("loss 0.123456", "loss 0.123457", CHANGED),
        ("150 rows", "149 rows", CHANGED),
        ("1000000000 rows", "1000000001 rows", CHANGED),
        ("setosa", "virginica", CHANGED),
        ("a\nb\nc", "a\nc", CHANGED),
        ("a\nc", "a\nb\nc", CHANGED),
        ("x = nan", "x = nan", IDENTICAL),
        ("x = 1.0", "x = inf", CHANGED),
        ("-1", "1", CHANGED),
        ("1e-05", "1e-06", CHANGED),
        ("[1. 2. 3.]", "[1. 2. 4.]", CHANGED),
        ("np.float64(0.5)", "0.5", IDENTICAL),
        ("\x1b[31mred\x1b[0m 1", "red 1", IDENTICAL),
        ("step 1\rstep 2\rstep 3", "step 3", IDENTICAL),
        ("the period is 2.0 s", "the period is 3.0 s", CHANGED),
        ("born 1999-01-02", "born 1999-01-03", CHANGED),
        ("best of 5 models: 0.93", "best of 5 models: 0.94", CHANGED),
        ("it took 5 steps", "it took 6 steps", CHANGED),
        ("took 59 s, loss 0.5", "took 1 min 1 s, loss 0.6", CHANGED),
        ("took 59 s, loss 0.5", "took 1 min 1 s, loss 0.5", NOISE),
        ("duration 3.5", "duration 4.5", CHANGED),
        ("hash 0xdeadbeef", "hash 0xdeadbeee", CHANGED),
    ],
)
def test_texts_where_two_reruns_agree(published, rerun, verdict):
    found = verdict_of(published, rerun, rerun)
    assert found is verdict or (verdict is IDENTICAL and found is CLOSE)


@pytest.mark.parametrize(
    ("published", "first", "second", "source"),
    [
        ("fit took 0.31 s", "fit took 0.29 s", "fit took 0.29 s", "fit()"),
        ("<C at 0x7f01aa2233aa>", "<C at 0x7f99aa2233aa>", "<C at 0x7f99aa2233aa>", "C()"),
        ("5.1 us ± 20 ns per loop", "4.9 us ± 31 ns per loop", "1 ms ± 3 ns per loop", "%timeit f()"),
        ("CPU times: user 3 ms, sys: 1 ms", "CPU times: user 2 ms, sys: 2 ms", "CPU times: user 2 ms, sys: 0 ms", "%time f()"),
        ("today 2026-11-22", "today 2026-11-23", "today 2026-11-23", "print('today', date.today())"),
        ("0.0123", "0.0225", "0.0199", "t = time.time()\nf()\nprint(time.time() - t)"),
        ("pid 4711", "pid 815", "pid 816", "print('pid', os.getpid())"),
        ("/scratch/tmpabc123de", "/scratch/tmpxyz123de", "/scratch/tmpxyz999de", "print(d)"),
        ("{'b', 'a'}", "{'a', 'b'}", "{'b', 'a'}", "print(s)"),
        ("id 1f0e9c0a-aaaa-4bbb-8ccc-1234567890ab", "id 2f0e9c0a-aaaa-4bbb-8ccc-1234567890ab", "id 3f0e9c0a-aaaa-4bbb-8ccc-1234567890ab", "print(u)"),
        ("10 it [00:01, 9.8it/s]", "10 it [00:02, 4.8it/s]", "10 it [00:01, 9.1it/s]", "for i in tqdm(x): pass"),
    ],
)  # fmt: skip
def test_noise_is_no_change(published, first, second, source):
    assert verdict_of(published, first, second, source=source) in {NOISE, IDENTICAL}


@pytest.mark.parametrize(
    ("published", "first", "second", "source"),
    [
        ("took 0.31 s, loss 0.52", "took 0.29 s, loss 0.53", "took 0.30 s, loss 0.53", "fit()"),
        ("{'b', 'a', 'x'}", "{'a', 'b', 'c'}", "{'b', 'c', 'a'}", "print(s)"),
        ("loss 0.512", "loss 0.5000000001", "loss 0.5000000002", "fit()"),
        ("1 done\nrows 150\n0.1 s", "1 done\nrows 149\n0.2 s", "1 done\nrows 149\n0.3 s", "print(time.time())"),
    ],
)  # fmt: skip
def test_a_change_beside_noise_is_found(published, first, second, source):
    assert verdict_of(published, first, second, source=source) is CHANGED


def test_what_two_reruns_draw_at_random_is_not_verifiable_and_so_is_what_rests_on_it():
    def run(draw, mean, other):
        return executed(
            cell("x = draw()\nprint(x)", printed(draw)),
            cell("m = round(x)\nprint(m)", printed(mean)),
            cell("print(rows)", printed(other)),
        )

    found = compare_notebooks(
        run("0.11", "0", "150"), [run("0.54", "1", "149"), run("0.97", "1", "149")]
    )
    assert [c.verdict for c in found.cells] == [UNKNOWN, UNKNOWN, CHANGED]
    assert "rests on cell 1" in found.cells[1].differences[0].detail
    assert found.verdict is ComparisonVerdict.DIVERGED
    assert found.is_excused


def cv_results(fit_time: str, score: str) -> dict:
    """Write a table as pandas shows scikit-learn's ``cv_results_``."""
    rows = f"<tr><th>0</th><td>{fit_time}</td><td>0.5</td><td>{score}</td></tr>"
    head = "<tr><th></th><th>mean_fit_time</th><th>param_C</th><th>mean_test_score</th></tr>"
    return shown(text_html=f"<table>{head}{rows}</table>")


@pytest.mark.parametrize(
    "timed",
    [
        lambda seconds: cv_results(seconds, "0.75"),
        lambda seconds: printed(f"{{'mean_fit_time': array([0.5..., {seconds}])}}"),
        lambda seconds: printed(f"{{'me...me': array([0.5..., {seconds}]), 'st': 1}}"),
        lambda seconds: printed(f"refit_time_: seconds of the last fit | {seconds} |"),
    ],
    ids=["table", "list", "shortened name", "row"],
)
def test_a_change_that_rests_on_a_cell_in_which_only_times_differ_is_found(timed):
    def run(seconds, score):
        return executed(
            cell("grid = G(svc).fit(X)\ngrid", timed(seconds)),
            cell("print(grid.score(X))", printed(score)),
        )

    runs = [run("0.0021", "0.76"), run("0.0035", "0.76")]
    found = compare_notebooks(run("0.0012", "0.72"), runs)
    same = compare_notebooks(run("0.0012", "0.76"), runs)

    assert [c.verdict for c in found.cells] == [NOISE, CHANGED]
    assert same.verdict is ComparisonVerdict.WITHIN_TOLERANCE


def test_a_score_beside_times_is_no_time():
    runs = [
        executed(cell("grid", cv_results(t, s)))
        for t, s in (("0.1", "0.7"), ("0.2", "0.8"))
    ]
    found = compare_notebooks(executed(cell("grid", cv_results("0.3", "0.9"))), runs)

    assert found.verdict is ComparisonVerdict.NOT_VERIFIABLE
    assert found.is_random


def test_small_noise_sets_the_tolerance():
    runs = "loss 0.50010", "loss 0.50012"
    assert verdict_of("loss 0.50015", *runs) is CLOSE
    assert verdict_of("loss 0.54015", *runs) is CHANGED


def test_lines_of_one_form_share_their_noise():
    runs = "epoch 1 0.5001\nepoch 2 0.4", "epoch 1 0.5002\nepoch 2 0.4"
    assert verdict_of("epoch 1 0.5001\nepoch 2 0.4001", *runs) is CLOSE


def test_pictures_count_by_their_pixels_where_reruns_agree():
    def run(png):
        return executed(cell("plot()", shown(image_png=png)))

    def judged(*pngs):
        a, *runs = map(run, pngs)
        return compare_notebooks(a, runs).cells[0].verdict

    same = picture()
    assert judged(same, same, same) is IDENTICAL
    assert judged(picture(line_at=31), same, same) is CHANGED
    assert judged(picture(height=62), same, same) is CHANGED
    assert (
        judged(picture(text_at=40), picture(text_at=42), picture(text_at=44)) is NOISE
    )
    drawn = (picture(line_at=at) for at in (20, 30, 40))
    assert judged(*drawn) is UNKNOWN
    moved = picture(text_at=40, line_at=45)
    assert judged(moved, picture(text_at=42), picture(text_at=44)) is CHANGED


def test_tables_count_by_their_cells():
    def run(value, *, style=""):
        html = f"<style>{style}</style><table id='{style}'><tr><th>a</th><td>{value}</td></tr></table>"
        return executed(cell("df", shown(text_html=html)))

    def judged(a, b):
        return compare_notebooks(a, [b, b]).cells[0].verdict

    assert judged(run("0.5"), run("0.5", style="x")) is IDENTICAL
    assert judged(run("0.5"), run("0.6")) is CHANGED
    assert judged(run("0.5"), run("0.5000000001")) is CLOSE


def test_json_counts_without_made_up_names():
    def run(**chart):
        data = {"application/vnd.plotly.v1+json": chart}
        output = {"output_type": "display_data", "data": data}
        return executed(cell("fig", output))

    a, b = run(y=[1.0, 2.0], uid="a"), run(y=[1.0, 2.0], uid="b")
    assert compare_notebooks(a, [b, b]).verdict is ComparisonVerdict.IDENTICAL
    c = run(y=[1.0, 2.5], uid="c")
    assert compare_notebooks(a, [c, c]).verdict is ComparisonVerdict.DIVERGED


def test_outputs_that_come_or_go_and_cells_that_fail_diverge():
    one = executed(cell("f()", printed("a"), shown(text_plain="1")))
    gone = executed(cell("f()", printed("a")))
    assert compare_notebooks(one, [gone, gone]).cells[0].verdict is MISSING
    assert compare_notebooks(gone, [one, one]).cells[0].verdict is MISSING
    failed = executed(cell("f()", printed("a"), raised("KeyError", "'x'")))
    (found,) = compare_notebooks(gone, [failed]).cells
    assert found.verdict is CellVerdict.ERROR
    assert "KeyError" in found.differences[0].rerun
    stopped = executed(cell("f()", count=None))
    assert compare_notebooks(gone, [stopped]).cells[0].verdict is CellVerdict.ERROR
    other = executed(cell("f()", printed("a"), raised("KeyError", "'y'")))
    assert compare_notebooks(failed, [other, other]).cells[0].verdict is CHANGED


def test_standard_error_never_fails_and_new_warnings_are_noted():
    quiet = executed(cell("f()"))
    loud = executed(cell("f()", printed("x.py:1: FutureWarning: gone\n", "stderr")))
    found = compare_notebooks(quiet, [loud, loud])
    assert found.verdict is ComparisonVerdict.IDENTICAL
    assert found.notes == ("cell 1 warns anew: FutureWarning",)


def test_metrics_count_value_by_value():
    def run(loss, seconds):
        return executed(cell("f()"), metrics={"loss": loss, "fit_s": (seconds,)})

    a = run((0.5, 0.4), 1.0)
    found = compare_notebooks(a, [run((0.6, 0.4), 2.0), run((0.6, 0.4), 1.5)])
    assert {m.name: m.verdict for m in found.metrics} == {
        "loss": CHANGED,
        "fit_s": NOISE,
    }
    assert found.verdict is ComparisonVerdict.DIVERGED


def test_roots_are_compared_byte_for_byte_as_a_note():
    one = replace(executed(cell("f()")), roots={"predict": "aa", "scale": "bb"})
    other = replace(executed(cell("f()")), roots={"predict": "aa", "scale": "cc"})
    found = compare_notebooks(one, [other, other])
    assert found.verdict is ComparisonVerdict.IDENTICAL
    assert found.notes == (
        "root predict: captured again, byte for byte the same",
        "root scale: what was captured is not the same, byte for byte",
    )


def test_the_folder_of_an_execution_does_not_count():
    a = executed(
        cell("p", printed("/home/ada/x/d.csv")), folders={"/home/ada/x": "(folder)"}
    )
    b = executed(
        cell("p", printed("/scratch/q/d.csv")), folders={"/scratch/q": "(folder)"}
    )
    assert compare_notebooks(a, [b, b]).verdict is ComparisonVerdict.IDENTICAL


def test_tags_widen_the_tolerance_and_name_noise():
    a, b = (
        executed(cell("f()", printed("0.5"))),
        executed(cell("f()", printed("0.5001"))),
    )
    wide, noise = CellTags(rtol=1e-3), CellTags(is_noise=True)
    assert compare_notebooks(a, [b, b], tags={"c0": wide}).cells[0].verdict is CLOSE
    assert compare_notebooks(a, [b, b], tags={"c0": noise}).cells[0].verdict is NOISE


def test_tags_of_ours_are_read_and_unknown_ones_refused_together():
    known = executed(
        cell("", tags=("mlops:rtol=1e-3", "other")), cell("", tags=("mlops:noise",))
    )
    assert read_tags(known.cells, where="n.ipynb") == {
        "c0": CellTags(rtol=1e-3),
        "c1": CellTags(is_noise=True),
    }
    unknown = executed(
        cell("", tags=("mlops:rtoll=1",)), cell("", tags=("mlops:rtol=x",))
    )
    with pytest.raises(JobError, match=r"mlops:rtoll=1.*mlops:rtol=x"):
        read_tags(unknown.cells, where="n.ipynb")


def test_terminals_overwrite():
    assert [line.text for line in lines_of("ab\rc\nxy\bz")] == ["cb", "xz"]


def test_limits_follow_what_was_printed():
    assert limit("3.14", "3.1", rtol=0) == pytest.approx(0.005)
    assert limit("3", "4", rtol=1e-6) == 0
    assert limit("1.5e-05", "1.6e-05", rtol=0) == pytest.approx(5e-7)
