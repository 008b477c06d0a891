"""What callers may notice of two signatures, and how much of a version it moves."""

import dataclasses

import pytest

from nbship.records.release import Column, Signature
from nbship.records.release_diff import Level, SignatureChange
from nbship.release.signature_changes import signature_changes

KM = Column(name="km", dtype="float64", minimum=0.0, maximum=30.0, unit="km")
TIER = Column(name="tier", dtype="string", categories=("basic", "gold"))
PRICE = Column(name="price", dtype="float64", unit="EUR")
BASE = Signature(inputs=(KM, TIER), outputs=(PRICE,), output_form="object")


def of_input(**changes):
    return dataclasses.replace(BASE, inputs=(dataclasses.replace(KM, **changes), TIER))


def of_tier(**changes):
    return dataclasses.replace(BASE, inputs=(KM, dataclasses.replace(TIER, **changes)))


def of_output(**changes):
    return dataclasses.replace(BASE, outputs=(dataclasses.replace(PRICE, **changes),))


def with_input(**column):
    added = Column(name="tip", dtype="float64", **column)
    return dataclasses.replace(BASE, inputs=(*BASE.inputs, added))


CLOSED = of_tier(is_strict=True)
DECLARED = of_input(is_strict=True)
ADDRESS = Column(
    name="address",
    dtype="object",
    form="object",
    fields=(Column(name="zip", dtype="string"),),
)

CASES = [
    # what callers must change
    (BASE, dataclasses.replace(BASE, inputs=(TIER,)), "major", "input `km` removed: float64 in km"),
    (BASE, with_input(), "major", "input `tip` added: float64"),
    (BASE, of_input(dtype="string"), "major", "input `km`: dtype string where it was float64"),
    (BASE, of_input(unit="m"), "major", "input `km`: unit m where it was km"),
    (BASE, of_input(shape=(3,)), "major", "input `km`: shape (3,) where it was ()"),
    (of_input(is_nullable=True), BASE, "major", "input `km`: missing values never missing where it was may be missing"),
    (with_input(is_required=False), with_input(), "major", "input `tip`: presence always there where it was optional"),
    (BASE, DECLARED, "major", "input `km`: range 0 to 30 (others refused) where it was 0 to 30"),
    (DECLARED, of_input(is_strict=True, maximum=20.0), "major", "input `km`: range 0 to 20 (others refused) where it was 0 to 30 (others refused)"),
    (CLOSED, of_tier(is_strict=True, categories=("basic",)), "major", "input `tier`: values 'basic' (others refused) where it was 'basic', 'gold' (others refused)"),
    (BASE, dataclasses.replace(BASE, input_form="frame"), "major", "call: form of inputs frame where it was arguments"),
    (BASE, dataclasses.replace(BASE, output_form="frame"), "major", "call: form of answers frame where it was object"),
    (dataclasses.replace(BASE, takes_any_name=True), BASE, "major", "call: arguments of any name refused where it was taken"),
    (BASE, dataclasses.replace(BASE, outputs=()), "major", "output `price` removed: float64 in EUR"),
    (BASE, of_output(dtype="int64"), "major", "output `price`: dtype int64 where it was float64"),
    (BASE, of_output(unit="USD"), "major", "output `price`: unit USD where it was EUR"),
    (BASE, of_output(is_nullable=True), "major", "output `price`: missing values may be missing where it was never missing"),
    (BASE, of_output(is_required=False), "major", "output `price`: presence optional where it was always there"),
    # more is taken or given
    (BASE, with_input(is_required=False), "minor", "input `tip` added: float64, optional"),
    (BASE, of_input(is_nullable=True), "minor", "input `km`: missing values may be missing where it was never missing"),
    (of_input(dtype="int64"), BASE, "minor", "input `km`: dtype float64 where it was int64"),
    (DECLARED, BASE, "minor", "input `km`: range 0 to 30 where it was 0 to 30 (others refused)"),
    (CLOSED, of_tier(is_strict=True, categories=("basic", "gold", "vip")), "minor", "input `tier`: values 'basic', 'gold', 'vip' (others refused) where it was 'basic', 'gold' (others refused)"),
    (BASE, of_output(categories=("a",)), "minor", "output `price`: values seen 'a' where it was none"),
    (BASE, of_output(rtol=1e-6), "minor", "output `price`: tolerance 1e-06 where it was none"),
    # what was only seen, or is told now
    (BASE, of_input(maximum=40.0), "patch", "input `km`: range seen 0 to 40 where it was 0 to 30"),
    (BASE, of_tier(categories=("basic",)), "patch", "input `tier`: values seen 'basic' where it was 'basic', 'gold'"),
    (of_output(unit=""), BASE, "patch", "output `price`: unit EUR where it was none"),
    (of_output(is_nullable=True), BASE, "patch", "output `price`: missing values never missing where it was may be missing"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "level", "text"), CASES)
def test_a_change_is_told_with_its_level(old, new, level, text):
    (change,) = signature_changes(old, new)

    assert (change.level.value, change.text) == (level, text)


def test_equal_signatures_differ_in_nothing():
    assert signature_changes(BASE, BASE) == ()


def test_a_part_of_a_part_is_named_by_its_path():
    old = dataclasses.replace(BASE, inputs=(ADDRESS,))
    changed = (Column(name="zip", dtype="int64"), Column(name="town", dtype="string"))
    new = dataclasses.replace(
        BASE, inputs=(dataclasses.replace(ADDRESS, fields=changed),)
    )

    assert signature_changes(old, new) == (
        SignatureChange(
            side="input",
            name="address.zip",
            aspect="dtype",
            level=Level.MAJOR,
            old="string",
            new="int64",
        ),
        SignatureChange(
            side="input",
            name="address.town",
            aspect="added",
            level=Level.MAJOR,
            new="string",
        ),
    )
