from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from ipudebug.catalogue import find_known, load_entries
from ipudebug.sim.constraints.graph import Graph
from ipudebug.sim.constraints.rule import Finding, Subject
from tests.sim.constraints.models import build_model, one


def judge(model: onnx.ModelProto) -> list[Finding]:
    from ipudebug.sim.constraints import check_model

    return [finding for finding in check_model(Subject(Graph(model))) if finding.level != "note"]


def chain(*links: tuple[str, str, str]) -> list[onnx.NodeProto]:
    return [helper.make_node("Relu", [source], [result], name=name) for name, source, result in links]


def test_what_follows_from_constants_and_shapes_is_constant() -> None:
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "i"], ["n"]),
        helper.make_node("Relu", ["x"], ["r"]),
        helper.make_node("NonZero", ["x"], ["z"]),
        helper.make_node("Shape", ["z"], ["zs"]),
        helper.make_node("RandomNormal", [], ["q"], shape=[2]),
    ]
    graph = Graph(build_model(nodes, {"x": (2, 3)}, ["n", "r", "zs"], {"i": np.array(0)}))
    assert [name for name in "xinsrzq" if graph.is_constant(name)] == ["i", "n", "s"]
    assert not graph.is_constant("zs")
    assert graph.is_unsized("z")


def test_shapes_are_inferred_where_they_are_not_stated() -> None:
    graph = Graph(one("Relu", (2, "n")))
    assert graph.find_shape("x") == (2, None)
    assert graph.find_shape("y0") == (2, None)
    assert graph.find_shape("absent") is None


def test_a_model_that_contradicts_itself_is_no_bug() -> None:
    model = one("Concat", (2, 3), more={"w": np.zeros((3, 4), np.float32)}, axis=0)
    with pytest.raises(onnx.shape_inference.InferenceError):
        onnx.shape_inference.infer_shapes(model, strict_mode=True)
    assert Graph(model).find_shape("y0") in (None, (5, None))
    assert judge(model) == []


def test_constants_are_read_from_every_form() -> None:
    nodes = [
        helper.make_node("Constant", [], ["a"], value_ints=[1, 2]),
        helper.make_node("Constant", [], ["b"], value=helper.make_tensor("t", TensorProto.FLOAT, [1], [0.5])),
        helper.make_node("Constant", [], ["c"], value_float=2.0),
    ]
    graph = Graph(build_model(nodes, {}, ["a", "b", "c"], {"d": np.array([3])}))
    values = {name: graph.find_constant(name) for name in "abcd"}
    assert {name: value.tolist() for name, value in values.items() if value is not None} == {
        "a": [1, 2],
        "b": [0.5],
        "c": 2.0,
        "d": [3],
    }


def test_bodies_of_control_flow_are_checked_and_see_the_names_around_them() -> None:
    body = helper.make_graph(
        [helper.make_node("Mod", ["x", "x"], ["t"], name="inside", fmod=1)],
        "then",
        [],
        [helper.make_tensor_value_info("t", TensorProto.FLOAT, None)],
    )
    node = helper.make_node("If", ["c"], ["y"], then_branch=body, else_branch=body)
    model = build_model([node], {"x": (1,), "c": ()}, ["y"], types={"c": TensorProto.BOOL})
    assert [finding.node for finding in judge(model)] == ["inside", "inside"]


def test_nodes_in_reverse_order_are_each_named_once_as_the_onnx_checker_names_the_first() -> None:
    model = build_model(chain(("c", "b", "y"), ("b", "a", "b"), ("a", "x", "a")), {"x": (1,)}, ["y"])
    assert [(finding.entry.key, finding.node) for finding in judge(model)] == [("005", "c"), ("005", "b")]
    model.graph.output[0].type.tensor_type.shape.dim.add().dim_value = 1  # without it the checker ends earlier
    with pytest.raises(onnx.checker.ValidationError) as caught:
        onnx.checker.check_model(model)
    known = find_known(str(caught.value).splitlines(keepends=True), load_entries())
    assert [entry.key for one_ in known for entry in one_.entries] == ["005"]


def test_a_tensor_that_nothing_produces() -> None:
    found = judge(build_model(chain(("a", "ghost", "y")), {"x": (1,)}, ["y"]))
    assert [(finding.entry.key, finding.found) for finding in found] == [("005", "nothing produces ghost")]
    assert "input 'ghost' of node:name: a OpType: Relu is not output" in found[0].message


def test_two_loops_and_what_hangs_on_them() -> None:
    links = [("a", "b1", "a1"), ("b", "a1", "b1"), ("c", "d1", "c1"), ("d", "c1", "d1"), ("e", "d1", "y")]
    found = judge(build_model(chain(*links), {"x": (1,)}, ["y"]))
    assert [(finding.entry.key, sorted(finding.found.split(" -> ")[:2])) for finding in found] == [
        ("004", ["a", "b"]),
        ("004", ["c", "d"]),
    ]


def test_a_node_that_reads_itself() -> None:
    found = judge(build_model(chain(("a", "y", "y")), {"x": (1,)}, ["y"]))
    assert [(finding.entry.key, finding.found) for finding in found] == [("004", "a -> a")]


def test_a_long_loop_is_found_without_recursion() -> None:
    count = 3000
    links = [(f"n{i}", f"t{i - 1 if i else count - 1}", f"t{i}") for i in range(count)]
    found = judge(build_model(chain(*links), {"x": (1,)}, [f"t{count - 1}"]))
    assert [finding.entry.key for finding in found] == ["004"]
    assert len(found[0].found.split(" -> ")) == count + 1


def test_a_node_without_a_name_goes_by_its_output() -> None:
    model = build_model([helper.make_node("CumSum", ["x", "a"], ["total"], reverse=1)], {"x": (3,), "a": ()}, ["total"])
    assert [finding.message for finding in judge(model)] == ["Exception: ONNX CUMSUM reverse only supports 0:total"]


def test_nodes_with_constant_results_are_not_judged() -> None:
    nodes = [
        helper.make_node("Mod", ["a", "a"], ["b"], fmod=1),
        helper.make_node("Add", ["x", "b"], ["y"]),
    ]
    assert judge(build_model(nodes, {"x": (1,)}, ["y"], {"a": np.array([2.0], np.float32)})) == []
    assert judge(build_model(nodes, {"x": (1,), "a": (1,)}, ["y"])) != []


def test_functions_of_the_model_are_expanded(tmp_path: object) -> None:
    function = helper.make_function(
        "local",
        "Twist",
        ["x"],
        ["y"],
        [helper.make_node("Mod", ["x", "x"], ["y"], name="inside", fmod=1)],
        [helper.make_opsetid("", 20)],
    )
    model = build_model([helper.make_node("Twist", ["x"], ["y"], domain="local")], {"x": (1,)}, ["y"])
    model.functions.append(function)
    model.opset_import.append(helper.make_opsetid("local", 1))
    from ipudebug.sim.constraints import check_model, load_subject

    path = f"{tmp_path}/m.onnx"
    onnx.save(model, path)
    assert [finding.entry.key for finding in check_model(load_subject(path))] == ["017"]


def test_our_own_domain_is_no_foreign_one() -> None:
    assert judge(one("Conv2d", domain="ipudebug")) == []


def test_an_output_that_is_left_out_does_not_make_everything_unsized() -> None:
    nodes = [
        helper.make_node("Unique", ["x"], ["u", "", "i"]),
        helper.make_node("Resize", ["x", "", "s"], ["r"]),
        helper.make_node("Shape", ["r"], ["n"]),
        helper.make_node("Shape", ["i"], ["m"]),
    ]
    graph = Graph(build_model(nodes, {"x": (4,)}, ["n", "m"], {"s": np.array([2], np.float32)}))
    assert [graph.is_constant(name) for name in "nm"] == [True, False]
