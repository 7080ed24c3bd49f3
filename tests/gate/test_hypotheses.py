"""Tests of a difference, against published figures and against exact enumeration."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb, sqrt
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.gate.evalue import betting_evalue
from sigmaloop.gate.hypotheses import mcnemar_mid_p, noninferiority, tango_interval, tango_z
from sigmaloop.gate.statistics import Estimate, wilson_interval

counts = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 60)).filter(lambda t: sum(t) > 0)


@pytest.mark.parametrize(
    ("b", "c", "published"),
    [(1, 7, 0.0390625), (6, 16, 0.034690)],
    ids=["Bentur 2009, in Fagerland et al. 2013", "Cavo 2012, in Fagerland et al. 2017"],
)
def test_the_mid_p_value_of_published_tables(b: int, c: int, published: float) -> None:
    assert mcnemar_mid_p(b, c) == pytest.approx(published, abs=5e-7)
    assert mcnemar_mid_p(c, b) == mcnemar_mid_p(b, c)


@given(b=st.integers(0, 40), c=st.integers(0, 40))
def test_the_mid_p_value_is_the_enumerated_one(b: int, c: int) -> None:
    n, low = b + c, min(b, c)
    below = sum(Fraction(comb(n, k), 2**n) for k in range(low))
    exact = min(Fraction(1), 2 * below + Fraction(comb(n, low), 2**n)) if b != c else None
    if b == c:
        exact = 1 - Fraction(comb(n, b), 2**n) / 2 if n else Fraction(1)
    assert mcnemar_mid_p(b, c) == pytest.approx(float(exact or 0), abs=1e-12)


def test_the_score_interval_of_published_tables() -> None:
    assert tango_interval(6, 16, 161) == pytest.approx((-0.1240, -0.0054), abs=5e-5)
    assert tango_interval(3, 0, 3) == pytest.approx((-0.1230, 1.0), abs=5e-5)
    assert tango_interval(0, 3, 3) == pytest.approx((-1.0, 0.1230), abs=5e-5)


def test_without_a_margin_the_score_test_is_mcnemars() -> None:
    assert tango_z(6, 16, 161) == pytest.approx((6 - 16) / sqrt(22))
    assert tango_z(0, 0, 20) == 0.0


@settings(max_examples=100, deadline=None)
@given(table=counts)
def test_the_score_statistic_uses_the_most_likely_table_under_its_hypothesis(table: tuple[int, int, int]) -> None:
    """The nuisance rate is found again by looking along a fine grid for the highest likelihood."""
    b, c, same = table
    n, delta = b + c + same, -0.07
    import numpy as np

    q = np.linspace(max(0.0, -delta), (1 - abs(delta)) / 2 + max(0.0, -delta), 4_001)[1:-1]
    up, down = q + delta, q
    with np.errstate(divide="ignore"):
        likelihood = (
            (b * np.log(up) if b else 0 * q) + (c * np.log(down) if c else 0 * q)
            + (same * np.log(np.maximum(1 - up - down, 1e-300)) if same else 0 * q)
        )  # fmt: skip
    best = q[int(np.argmax(likelihood))]
    variance = n * (2 * best + delta * (1 - delta))
    assert tango_z(b, c, n, difference=delta) == pytest.approx((b - c - n * delta) / sqrt(variance), rel=0.02, abs=0.02)


@settings(deadline=None)
@given(table=counts, confidence=st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_ends_of_the_score_interval_are_just_not_rejected(table: tuple[int, int, int], confidence: float) -> None:
    b, c, same = table
    n = b + c + same
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    low, high = tango_interval(b, c, n, confidence=confidence)
    assert -1 <= low <= (b - c) / n <= high <= 1
    if low > -1:
        assert tango_z(b, c, n, difference=low) == pytest.approx(z, abs=1e-4)
    if high < 1:
        assert tango_z(b, c, n, difference=high) == pytest.approx(-z, abs=1e-4)
    mirrored = tango_interval(c, b, n, confidence=confidence)
    assert mirrored == pytest.approx((-high, -low), abs=1e-6)


def test_non_inferiority_lets_doubt_count_against_the_candidate() -> None:
    """The reverse direction would accept the second, of which nothing is known."""
    clear = noninferiority(Estimate(mean=0.0, standard_error=0.01, tasks=100), margin=0.02)
    vague = noninferiority(Estimate(mean=0.0, standard_error=0.2, tasks=100), margin=0.02)
    worse = noninferiority(Estimate(mean=-0.05, standard_error=0.01, tasks=100), margin=0.02)
    assert (clear.accepted, vague.accepted, worse.accepted) == (True, False, False)
    assert clear.z == pytest.approx(2.0)
    assert clear.p == pytest.approx(0.02275, abs=1e-5)  # the table of the normal distribution


def test_non_inferiority_errs_as_often_as_it_says() -> None:
    """Every outcome of 12 paired tasks, when the candidate is worse by exactly the margin."""
    n, margin, up, down = 60, 0.1, 0.1, 0.2
    wrong = 0.0
    for b in range(n + 1):
        for c in range(n + 1 - b):
            chance = comb(n, b) * comb(n - b, c) * up**b * down**c * (1 - up - down) ** (n - b - c)
            mean = (b - c) / n
            error = sqrt(((b + c) / n - mean * mean) / (n - 1))
            if error and noninferiority(Estimate(mean=mean, standard_error=error, tasks=n), margin=margin).accepted:
                wrong += chance
    assert wrong == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize(
    "impossible",
    [
        lambda: noninferiority(Estimate(mean=0, standard_error=0.0, tasks=9), margin=0.02),
        lambda: noninferiority(Estimate(mean=float("nan"), standard_error=0.1, tasks=9), margin=0.02),
        lambda: noninferiority(Estimate(mean=0, standard_error=0.1, tasks=9), margin=-0.02),
        lambda: noninferiority(Estimate(mean=0, standard_error=0.1, tasks=9), margin=0.02, alpha=0),
        lambda: mcnemar_mid_p(-1, 2),
        lambda: tango_z(3, 3, 5),
        lambda: tango_z(0, 0, 0),
        lambda: tango_z(1, 1, 5, difference=1.0),
        lambda: tango_interval(1, 1, 5, confidence=1.0),
        lambda: betting_evalue([0.1, float("nan")]),
        lambda: betting_evalue([1.5]),
        lambda: betting_evalue([0.5], stakes=(1.0,)),
        lambda: betting_evalue([0.5], stakes=(0.5,), margin=1.0),
        lambda: betting_evalue([0.5], stakes=(-0.1,)),
        lambda: betting_evalue([0.5], stakes=(1.5,), margin=-0.5),
        lambda: betting_evalue([0.5], stakes=(0.1,), margin=1.1),
        lambda: betting_evalue([0.5], stakes=(0.1,), margin=-1.1),
        lambda: betting_evalue([-1.1]),
        lambda: tango_z(1, 1, 5, difference=-1.0),
        lambda: wilson_interval(3, 2),
    ],
)
def test_impossible_numbers_are_refused(impossible: object) -> None:
    assert callable(impossible)
    with pytest.raises(ValueError, match=r"."):
        impossible()


def test_wilsons_interval_of_a_published_table() -> None:
    """Newcombe 1998, Statistics in Medicine 17, 857-872, table I."""
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson_interval(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_a_bettors_capital_by_hand() -> None:
    found = betting_evalue([1.0, -1.0, 0.5], stakes=(0.5, 0.1))
    assert found.final == pytest.approx((1.5 * 0.5 * 1.25 + 1.1 * 0.9 * 1.05) / 2)
    assert found.largest == pytest.approx(1.3)
    assert found.anytime_p == pytest.approx(1 / 1.3)
    assert betting_evalue([]).anytime_p == 1.0


@pytest.mark.parametrize("margin", [0.0, 0.1, -0.2])
def test_capital_neither_grows_nor_becomes_large_when_nothing_is_better(margin: float) -> None:
    """Every sequence of six pairs with the margin as mean, by its probability: expectation 1, and Ville's bound."""
    up, down = (0.25 + margin / 2, 0.25 - margin / 2)
    chances = {1.0: up, -1.0: down, 0.0: 1 - up - down}
    mean, large = 0.0, {2.0: 0.0, 1.2: 0.0}
    for sequence in product(chances, repeat=6):
        chance = 1.0
        for d in sequence:
            chance *= chances[d]
        found = betting_evalue(sequence, margin=margin)
        mean += chance * found.final
        for bar in large:
            large[bar] += chance * (found.largest >= bar)
    assert mean == pytest.approx(1.0)
    assert all(chance <= 1 / bar for bar, chance in large.items())


def test_a_bet_by_hand_at_the_ends_of_what_is_allowed() -> None:
    assert betting_evalue([1.0, -1.0], stakes=(0.5,)) == (2, 0.75, 1.5)
    assert betting_evalue([1.0], stakes=(0.0, 0.5)) == (1, 1.25, 1.25)
    assert betting_evalue([0.0], stakes=(0.9,), margin=-1.0).final == pytest.approx(1.9)
    assert betting_evalue([1.0], stakes=(0.4,), margin=1.0).final == pytest.approx(1.0)
