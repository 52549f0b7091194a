from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipudebug.align import Alignment, Fit, align, find_fit
from ipudebug.errors import AlignmentError
from ipudebug.tensor import Layout, TensorInfo

FLOAT = np.dtype("<f4")


def info(name, shape=(4,), *, role="out", constant=False, layout=None, dtype=FLOAT):
    return TensorInfo(name, shape, np.dtype(dtype), layout=layout, role=role, constant=constant)


def infos(*names):
    return [info(name) for name in names]


def paired(alignment: Alignment, sample, benchmark):
    return [(sample[pair.sample].name, benchmark[pair.benchmark].name) for pair in alignment.pairs]


def left(leftovers):
    return [(item.name, item.reason) for item in leftovers]


def test_names_are_paired_in_the_samples_order_and_numbered_without_gaps():
    sample, benchmark = infos("c", "a", "b"), infos("a", "b", "c")
    alignment = align(sample=sample, benchmark=benchmark)
    assert paired(alignment, sample, benchmark) == [("c", "c"), ("a", "a"), ("b", "b")]
    assert [pair.index for pair in alignment.pairs] == [0, 1, 2]
    assert (alignment.sample_only, alignment.benchmark_only, alignment.notes) == ((), (), ())


def test_names_are_never_guessed_by_substring_or_position():
    alignment = align(sample=infos("conv1", "x"), benchmark=infos("conv10", "conv", "x"))
    assert len(alignment.pairs) == 1
    assert left(alignment.sample_only) == [("conv1", "no tensor of this name in the benchmark")]
    reason = "not in the sample (fused, or removed by the conversion)"
    assert left(alignment.benchmark_only) == [("conv10", reason), ("conv", reason)]


@pytest.mark.parametrize("name", ["fc11#55", "bn1_node_MUL_output", "x_node_scale", "x_node_offset", "#/Mul0Output#3"])
def test_what_conversion_made_is_left_over_with_that_reason(name):
    alignment = align(sample=infos("x", name), benchmark=infos("x"))
    assert left(alignment.sample_only) == [(name, "made by the conversion")]


def test_an_out_record_stands_for_its_copies_as_inputs():
    sample = [info("a", role="in"), info("a"), info("a", role="in"), info("b")]
    benchmark = [info("a"), info("b", role="in"), info("b"), info("a", role="in")]
    alignment = align(sample=sample, benchmark=benchmark)
    assert [(pair.sample, pair.benchmark) for pair in alignment.pairs] == [(1, 0), (3, 2)]
    assert alignment.notes == ()


def test_what_is_only_read_is_a_graph_input_and_takes_part_once():
    sample = [info("input", role="in"), info("input", role="in"), info("a")]
    alignment = align(sample=sample, benchmark=sample)
    assert [pair.sample for pair in alignment.pairs] == [0, 2]


def test_the_samples_constants_are_left_out_without_a_word():
    sample = [info("w", constant=True, role="in"), info("a")]
    benchmark = [info("w", constant=True, role="in"), info("v", constant=True, role="in"), info("a")]
    alignment = align(sample=sample, benchmark=benchmark)
    assert [pair.sample for pair in alignment.pairs] == [1]
    assert (alignment.sample_only, alignment.benchmark_only) == ((), ())


def test_several_tensors_of_one_name_are_paired_in_their_order_and_the_surplus_is_told():
    for sample, benchmark in ((infos("a", "a", "a"), infos("a", "a")), (infos("a", "a"), infos("a", "a", "a"))):
        alignment = align(sample=sample, benchmark=benchmark)
        assert [(pair.sample, pair.benchmark) for pair in alignment.pairs] == [(0, 0), (1, 1)]
        assert alignment.notes == (
            f"a: {len(sample)} tensors of this name against {len(benchmark)}: paired in their order",
        )
        surplus = alignment.sample_only + alignment.benchmark_only
        assert left(surplus) == [("a", "the other side has fewer tensors of this name")]


def test_twins_without_any_partner_are_only_leftovers():
    alignment = align(sample=infos("x", "a", "a"), benchmark=infos("x"))
    assert alignment.notes == ()
    assert left(alignment.sample_only) == [("a", "no tensor of this name in the benchmark")] * 2


def test_a_mapping_renames_and_wins_over_the_name():
    sample, benchmark = infos("new", "b", "c"), infos("old", "b", "c", "b2")
    alignment = align(sample=sample, benchmark=benchmark, mapping={"new": "old", "b": "b2"})
    assert paired(alignment, sample, benchmark) == [("new", "old"), ("b", "b2"), ("c", "c")]
    assert [item.name for item in alignment.benchmark_only] == ["b"]


@pytest.mark.parametrize(
    ("mapping", "message", "hint"),
    [
        ({"conv": "conv1"}, "map: the sample has no tensor named 'conv'", "it has: conv1, conv2"),
        ({"conv1": "conv9"}, "map: the benchmark has no tensor named 'conv9'", "it has: conv1, conv3"),
        ({"weights": "conv1"}, "map: the sample has no tensor named 'weights'", "it has: conv1, conv2"),
    ],
)
def test_a_mapped_name_must_exist(mapping, message, hint):
    sample = [*infos("conv1", "conv2"), info("weights", constant=True)]
    with pytest.raises(AlignmentError) as caught:
        align(sample=sample, benchmark=infos("conv1", "conv3"), mapping=mapping)
    assert (str(caught.value), caught.value.hint) == (message, hint)


ODD = ["a[0]", "a0", "b*", "bx", "c?", "cd", "x/y:z", "[!a]"]


@pytest.mark.parametrize(
    ("layers", "names"),
    [
        (["a[0]"], ["a[0]"]),
        (["a[[]0]"], ["a[0]"]),
        (["a[01]"], ["a0"]),
        (["b*"], ["b*"]),
        (["b?"], ["b*", "bx"]),
        (["c?"], ["c?"]),
        (["[!a]"], ["[!a]"]),
        (["*:z", "a0"], ["a0", "x/y:z"]),
        (["*"], ODD),
        ([], ODD),
    ],
)
def test_layers_are_names_first_and_patterns_second(layers, names):
    sample = infos(*ODD)
    alignment = align(sample=sample, benchmark=sample, layers=layers)
    assert [sample[pair.sample].name for pair in alignment.pairs] == names
    assert (alignment.sample_only, alignment.benchmark_only) == ((), ())


def test_a_layer_that_finds_nothing_names_the_near_ones():
    with pytest.raises(AlignmentError, match="--layer conv9: the sample has no such tensor") as caught:
        align(sample=infos("conv1", "relu"), benchmark=infos("conv1"), layers=["conv9"])
    assert caught.value.hint == "it has: conv1 ..."


def test_layers_without_a_partner_are_told():
    alignment = align(sample=infos("a", "b"), benchmark=infos("a"), layers=["a", "b"])
    assert [item.name for item in alignment.sample_only] == ["b"]
    with pytest.raises(
        AlignmentError, match="the benchmark has none of the tensors asked for; sample: b; benchmark: a"
    ):
        align(sample=infos("a", "b"), benchmark=infos("a"), layers=["b"])


def test_nothing_in_common_names_a_few_of_each_side():
    sample = infos(*(f"s{number}" for number in range(7)))
    benchmark = [*infos("b0", "b1"), info("s0w", constant=True)]
    with pytest.raises(AlignmentError) as caught:
        align(sample=sample, benchmark=benchmark)
    assert str(caught.value) == "the two dumps share no tensor; sample: s0, s1, s2, s3, s4 ...; benchmark: b0, b1"
    assert caught.value.hint == "are both of the same model? if tensors were renamed, give --map FILE"


@pytest.mark.parametrize(("sample", "benchmark"), [([], infos("a")), (infos("a"), []), ([], [])])
def test_an_empty_dump_is_said_to_be_one(sample, benchmark):
    with pytest.raises(AlignmentError, match="none") as caught:
        align(sample=sample, benchmark=benchmark)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("an empty dump")


def test_pairs_of_which_none_can_be_compared_are_an_error_with_the_reasons():
    sample = [info(name, (3,)) for name in "abcd"]
    with pytest.raises(AlignmentError) as caught:
        align(sample=sample, benchmark=infos(*"abcd"))
    reason = "sizes differ: sample [3] has 3 elements, benchmark [4] 4"
    assert str(caught.value) == (
        f"none of the 4 pairs of tensors can be compared; a: {reason}; b: {reason}; c: {reason} ..."
    )
    with pytest.raises(AlignmentError, match="the only pair of tensors cannot be compared; a: sizes differ"):
        align(sample=sample[:1], benchmark=infos("a"))


def test_a_pair_that_cannot_be_compared_has_no_number_but_keeps_its_place():
    sample = [info("a"), info("b", (5,)), info("c")]
    alignment = align(sample=sample, benchmark=infos("a", "b", "c"))
    assert [(pair.index, pair.fit) for pair in alignment.pairs] == [
        (0, Fit.AS_STORED), (-1, Fit.NONE), (1, Fit.AS_STORED),
    ]  # fmt: skip


NHWC, NCHW = Layout.NHWC, Layout.NCHW


@pytest.mark.parametrize(
    ("sample", "benchmark", "fit", "note"),
    [
        ((1, 4, 5, 6), (1, 4, 5, 6), Fit.AS_STORED, ""),
        ((1, 4, 5, 6), (1, 6, 4, 5), Fit.BENCHMARK_FROM_NCHW,
         "sample [1, 4, 5, 6] is NHWC, benchmark [1, 6, 4, 5] NCHW: transposed"),
        ((1, 6, 4, 5), (1, 4, 5, 6), Fit.BENCHMARK_FROM_NHWC,
         "sample [1, 6, 4, 5] is NCHW, benchmark [1, 4, 5, 6] NHWC: transposed"),
        ((2, 3, 3, 3), (2, 3, 3, 3), Fit.EITHER_LAYOUT, ""),
        ((1, 1, 1, 1), (1, 1, 1, 1), Fit.AS_STORED, ""),
        ((1, 4, 4, 8), (1, 4, 4, 8), Fit.AS_STORED, ""),
        ((120,), (1, 4, 5, 6), Fit.AS_STORED, ""),
        ((1, 4, 5, 6), (120,), Fit.AS_STORED, ""),
        ((1, 10), (1, 1, 1, 10), Fit.AS_STORED, ""),
        ((), (1,), Fit.AS_STORED, ""),
        ((20, 6), (1, 4, 5, 6), Fit.AS_STORED, "shapes differ, [20, 6] against [1, 4, 5, 6]: compared in stored order"),
        ((1, 5, 4, 6), (1, 4, 5, 6), Fit.AS_STORED,
         "shapes differ, [1, 5, 4, 6] against [1, 4, 5, 6]: compared in stored order"),
        ((2, 3), (3, 2), Fit.AS_STORED, "shapes differ, [2, 3] against [3, 2]: compared in stored order"),
        ((3,), (4,), Fit.NONE, "sizes differ: sample [3] has 3 elements, benchmark [4] 4"),
        ((0,), (0,), Fit.NONE, "no elements"),
        ((1, 0, 4), (1, 0, 9), Fit.NONE, "no elements"),
    ],
)  # fmt: skip
def test_shapes_decide_how_two_tensors_fit(sample, benchmark, fit, note):
    assert find_fit(info("x", sample), info("x", benchmark)) == (fit, note)


@pytest.mark.parametrize(
    ("sample", "benchmark", "fit"),
    [(NHWC, NCHW, Fit.BENCHMARK_FROM_NCHW), (NCHW, NHWC, Fit.BENCHMARK_FROM_NHWC), (NHWC, NHWC, Fit.EITHER_LAYOUT)],
)
def test_declared_layouts_decide_where_shapes_cannot(sample, benchmark, fit):
    cube = (1, 3, 3, 3)
    assert find_fit(info("x", cube, layout=sample), info("x", cube, layout=benchmark))[0] is fit


@pytest.mark.parametrize("shape", [(3072,), (1, 32, 32, 3)])
@pytest.mark.parametrize("board", [(4096,), (1, 32, 32, 4)])
def test_a_board_input_of_four_channels_is_compared_over_three_on_either_side(shape, board):
    three, four = info("input", shape, role="in"), info("input", board, role="in")
    assert find_fit(four, three) == (
        Fit.SAMPLE_FOUR_CHANNELS, "sample input with four channels against three: compared over three",
    )  # fmt: skip
    assert find_fit(three, four) == (
        Fit.BENCHMARK_FOUR_CHANNELS, "benchmark input with four channels against three: compared over three",
    )  # fmt: skip


def test_only_an_input_has_a_fourth_channel():
    assert find_fit(info("x", (4096,)), info("x", (3072,)))[0] is Fit.NONE


@pytest.mark.parametrize(("side", "index"), [("sample", 0), ("benchmark", 1)])
def test_an_unknown_element_type_cannot_be_compared(side, index):
    pair = [info("x"), info("x")]
    pair[index] = info("x", dtype="V1")
    assert find_fit(*pair) == (Fit.NONE, f"the {side}'s element type is not known")


RECORDS = st.lists(
    st.builds(
        info,
        st.sampled_from(["a", "b", "c", "d", "e[0]", "f*", "g#1"]),
        st.sampled_from([(4,), (1, 2, 2, 2), (8,), (6,), (0,), (2, 3)]),
        role=st.sampled_from(["out", "in"]),
        constant=st.booleans(),
        dtype=st.sampled_from(["<f4", "V1"]),
    ),
    max_size=14,
)


def variables(records):
    """Return how often each variable counts: once a name, or once for every ``out`` record of it."""
    counts = {}
    for record in records:
        if not record.constant:
            counts.setdefault(record.name, 0)
            counts[record.name] += record.role == "out"
    return {name: max(count, 1) for name, count in counts.items()}


@given(RECORDS, RECORDS)
def test_every_variable_appears_exactly_once_as_pair_or_leftover(sample, benchmark):
    try:
        alignment = align(sample=sample, benchmark=benchmark)
    except AlignmentError:
        common = set(variables(sample)) & {record.name for record in benchmark}
        fits = [
            find_fit(a, b)[0] for a in sample for b in benchmark
            if a.name == b.name and a.name in common and not a.constant
        ]  # fmt: skip
        assert not common or Fit.NONE in fits
        return
    seen: dict[str, int] = {}
    for name in [sample[pair.sample].name for pair in alignment.pairs] + [item.name for item in alignment.sample_only]:
        seen[name] = seen.get(name, 0) + 1
    assert seen == variables(sample)
    known = {benchmark[pair.benchmark].name for pair in alignment.pairs} | {
        item.name for item in alignment.benchmark_only
    }
    assert known >= set(variables(benchmark)) - {record.name for record in benchmark if record.constant}
    positions = [pair.sample for pair in alignment.pairs]
    partners = [pair.benchmark for pair in alignment.pairs]
    assert len(set(positions)) == len(positions)
    assert len(set(partners)) == len(partners)
    assert [pair.index for pair in alignment.pairs if pair.index >= 0] == list(
        range(sum(pair.fit is not Fit.NONE for pair in alignment.pairs))
    )
