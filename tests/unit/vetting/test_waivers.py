"""Waivers and the policy: what they cover, what they refuse."""

from datetime import date

import pytest

from nbship.errors import VettingError
from nbship.records.policy import MetricRule, Policy
from nbship.records.vetting import Finding, Severity, Waiver
from nbship.testing import make_cell, make_dossier, make_notebook
from nbship.vetting.gates import BUILT_IN
from nbship.vetting.verdict import judge
from nbship.vetting.waivers import apply_waivers

UNSEEDED = make_notebook(
    make_cell("rows = 3", tags=["parameters"]),
    "import random\nprint(random.sample(range(9), rows))",
)
DEMANDED = (MetricRule(name="accuracy", minimum=0.9),)


def waiver(**changes):
    given = {
        "code": "NB205",
        "reason": "drawn for a plot alone",
        "person": "ada",
        "expires_on": "2026-01-05",
    }
    return Waiver(**{**given, **changes})


def verdict_with(notebook=UNSEEDED, today=date(2026, 1, 5), logged=None, **policy):
    dossier = make_dossier(
        notebook,
        policy=Policy(**{"metrics": DEMANDED, **policy}),
        metrics=logged or {"accuracy": 0.95},
        today=today,
    )
    at = dossier.outcome.ended_at
    return judge(dossier, BUILT_IN, verdict_id="verdict-x", vetted_at=at)


def codes(verdict):
    return [finding.code for finding in verdict.findings]


def test_a_blocker_blocks():
    verdict = verdict_with()
    assert (codes(verdict), verdict.passed) == (["NB205"], False)


def test_a_waiver_lets_a_blocker_pass_and_stands_beside_it():
    given = waiver()
    verdict = verdict_with(waivers=(given,))
    [finding] = verdict.findings
    assert verdict.passed
    assert (finding.severity, finding.waiver) == (Severity.BLOCKER, given)


def test_a_waiver_holds_until_the_end_of_its_day_and_then_is_a_warning():
    verdict = verdict_with(waivers=(waiver(),), today=date(2026, 1, 6))
    assert not verdict.passed
    assert [(f.code, f.severity) for f in verdict.findings] == [
        ("NB205", Severity.BLOCKER),
        ("NB001", Severity.WARNING),
    ]


def test_a_waiver_of_one_cell_covers_no_other_and_is_reported_as_unused():
    verdict = verdict_with(waivers=(waiver(cell_id="cell-0"),))
    assert not verdict.passed
    assert codes(verdict) == ["NB205", "NB002"]


def test_a_waiver_of_that_cell_covers_it():
    assert verdict_with(waivers=(waiver(cell_id="cell-1"),)).passed


def test_a_renewed_waiver_covers_what_the_expired_one_did():
    old, new = waiver(expires_on="2025-01-01"), waiver(expires_on="2027-01-01")
    verdict = verdict_with(waivers=(old, new))
    assert verdict.passed
    assert codes(verdict) == ["NB205", "NB001"]


def test_waivers_do_not_cover_remarks_about_waivers():
    found = apply_waivers(
        [], [waiver(code="NB002"), waiver(code="NB205")], today=date(2026, 1, 5)
    )
    assert [f.waiver for f in found] == [None, None]


def test_incomplete_waivers_are_refused_all_at_once():
    with pytest.raises(VettingError) as refused:
        verdict_with(waivers=(waiver(reason=" "), waiver(person="", expires_on="soon")))
    assert refused.value.message.splitlines() == [
        "vet.waivers, number 1 (NB205): reason is empty",
        "vet.waivers, number 2 (NB205): person is empty",
        "vet.waivers, number 2 (NB205): expires_on is 'soon', no day such as 2027-01-31",
    ]


def test_block_raises_a_code_to_a_blocker():
    notebook = make_notebook("import os")
    assert verdict_with(notebook).passed
    verdict = verdict_with(notebook, block=("F401",))
    assert not verdict.passed
    assert [f.severity for f in verdict.findings if f.code == "F401"] == [
        Severity.BLOCKER
    ]


def test_a_blocked_code_can_be_waived():
    waived = waiver(code="F401")
    assert verdict_with(
        make_notebook("import os"), block=("F401",), waivers=(waived,)
    ).passed


def test_skip_leaves_a_gate_unasked_and_the_verdict_says_so():
    verdict = verdict_with(skip=("NB205",))
    assert verdict.passed
    assert "NB205" not in verdict.gates
    assert codes(verdict) == []


def test_skip_takes_single_codes_of_ruff_too():
    verdict = verdict_with(make_notebook("import os\nimport os"), skip=("F811",))
    assert "F811" not in codes(verdict)
    assert "F401" in codes(verdict)


def test_codes_that_no_gate_has_are_refused_with_the_nearest_one():
    with pytest.raises(VettingError) as refused:
        verdict_with(block=("NB25",), skip=("nb501", "F40"))
    assert refused.value.message.splitlines() == [
        "vet.block: no gate has the code 'NB25'; did you mean 'NB205'?",
        "vet.skip: no gate has the code 'nb501'; did you mean 'NB501'?",
        "vet.skip: no gate has the code 'F40'; did you mean 'F405'?",
    ]


def test_findings_are_worst_first_then_in_the_order_of_the_document():
    notebook = make_notebook("import os", "import sys", "pd = 1", "%pip install x")
    found = [(f.severity, f.code, f.cell_id) for f in verdict_with(notebook).findings]
    assert found == [
        (Severity.BLOCKER, "NB209", "cell-3"),
        (Severity.WARNING, "NB301", None),
        (Severity.NOTE, "F401", "cell-0"),
        (Severity.NOTE, "F401", "cell-1"),
    ]


def test_metrics_stand_beside_what_was_demanded():
    rules = (
        MetricRule(name="accuracy", minimum=0.9, baseline=0.94, tolerance=0.02),
        MetricRule(name="loss", maximum=0.3, direction="minimize"),
        MetricRule(name="f1"),
    )
    logged = {"accuracy": 0.93, "loss": float("nan")}
    verdict = verdict_with(logged=logged, metrics=rules)
    assert verdict.metrics["accuracy"] == {
        "value": 0.93,
        "threshold": 0.9,
        "minimum": 0.9,
        "maximum": None,
        "baseline": 0.94,
        "tolerance": 0.02,
        "direction": "maximize",
        "passed": True,
    }
    assert (verdict.metrics["loss"]["value"], verdict.metrics["loss"]["passed"]) == (
        "nan",
        False,
    )
    assert (verdict.metrics["f1"]["value"], verdict.metrics["f1"]["passed"]) == (
        None,
        False,
    )


def test_equal_findings_give_equal_subjects_and_another_finding_another_one():
    first, again = verdict_with(), verdict_with()
    other = verdict_with(waivers=(waiver(),))
    assert first.subject == again.subject
    assert {k for k in first.subject if first.subject[k] != other.subject[k]} == {
        "findings"
    }


class Broken:
    code, title, severity = "ACME1", "breaks", Severity.NOTE

    def __init__(self, answer):
        self.answer = answer

    def ask(self, _dossier):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (KeyError("x"), "gate ACME1 broke: KeyError: 'x'"),
        (["no"], "gate ACME1 answered with str, not with findings"),
    ],
)
def test_a_gate_that_breaks_stops_the_vetting_and_is_named(answer, message):
    with pytest.raises(VettingError, match="ACME1") as refused:
        judge(
            make_dossier(UNSEEDED),
            (Broken(answer),),
            verdict_id="verdict-x",
            vetted_at=make_dossier(UNSEEDED).outcome.ended_at,
        )
    assert refused.value.message == message


def test_messages_hold_no_secret_and_no_control_character():
    secret = "ghp_" + "a1B2" * 9
    finding = Finding(
        code="ACME1",
        severity=Severity.NOTE,
        message=f"\x1b[31mred\x1b[0m\x00 {secret}\n\u202eturned " + "long " * 200,
        fix="\ud800",
    )
    [said] = judge(
        make_dossier(UNSEEDED),
        (Broken([finding]),),
        verdict_id="verdict-x",
        vetted_at=make_dossier(UNSEEDED).outcome.ended_at,
    ).findings
    assert said.message.startswith("red [secret] turned long")
    assert said.message.isprintable()
    assert len(said.message) <= 400
    assert said.fix == ""
