"""Faults in the network itself: parameters, pads, activations, names, and in what it is fed with."""

from __future__ import annotations

import numpy as np

from bench.faults.noise import round_to_grid
from bench.faults.site import (
    Planted,
    Site,
    add_constant,
    copy_model,
    find_maker,
    has_weight,
    insert_after,
    read_attribute,
    read_weight,
    set_attribute,
    write_weight,
)


def plant_bias(site: Site, rng: np.random.Generator) -> Planted | None:
    """Drop the bias of a convolution."""
    names = [
        name
        for name in _find_convolutions(site)
        if len(find_maker(site.model, name).input) > 2 and has_weight(site.model, find_maker(site.model, name).input[2])
    ]
    if not names:
        return None
    layer = str(rng.choice(names))
    model = copy_model(site.model)
    bias = find_maker(model, layer).input[2]
    write_weight(model, bias, 0 * read_weight(model, bias))
    return Planted("bias dropped", layer, ("bias",), model, site.model, site.image)


def plant_weight_channel(site: Site, rng: np.random.Generator) -> Planted | None:
    """Scale the weights of one output channel of a convolution."""
    layer = _draw(rng, _find_convolutions(site))
    if layer is None:
        return None
    model = copy_model(site.model)
    weights = find_maker(model, layer).input[1]
    array = read_weight(model, weights).copy()
    if array.shape[0] < 4:
        return None
    array[int(rng.integers(array.shape[0]))] *= rng.choice([0.25, 0.5, 2.0, 3.0])
    write_weight(model, weights, array)
    return Planted("weight scale of one channel", layer, ("one-channel",), model, site.model, site.image)


def plant_pad_value(site: Site, rng: np.random.Generator) -> Planted | None:
    """Pad a convolution with another value than zero: a zero point that is not."""
    layer = _draw(rng, [name for name in _find_padded(site) if min(site.tensors[name].shape[2:]) >= 8])
    if layer is None:
        return None
    model = copy_model(site.model)
    node = find_maker(model, layer)
    pads = list(read_attribute(node, "pads", []))  # type: ignore[call-overload]
    source = node.input[0]
    reach = np.abs(site.tensors[source]).max() if source in site.tensors else 1.0
    value = np.array(rng.uniform(0.3, 1.0) * reach, np.float32)
    full = np.array([0, 0, *pads[:2], 0, 0, *pads[2:]], np.int64)
    from onnx import helper

    padded = f"{layer}@padded"
    place = list(model.graph.node).index(node)
    inputs = [source, add_constant(model, f"{layer}@pads", full), add_constant(model, f"{layer}@value", value)]
    model.graph.node.insert(place, helper.make_node("Pad", inputs, [padded]))
    node = find_maker(model, layer)
    node.input[0] = padded
    set_attribute(node, "pads", [0, 0, 0, 0])
    return Planted("pad value", layer, ("border",), model, site.model, site.image)


def plant_pad_offset(site: Site, rng: np.random.Generator) -> Planted | None:
    """Move the pads of a convolution or pool of stride 1 from the end to the beginning."""
    layer = _draw(
        rng,
        [
            name
            for name in _find_padded(site)
            if min(site.tensors[name].shape[2:]) >= 8
            and list(read_attribute(find_maker(site.model, name), "strides", [1, 1])) == [1, 1]  # type: ignore[call-overload]
        ],
    )
    if layer is None:
        return None
    model = copy_model(site.model)
    node = find_maker(model, layer)
    top, left, bottom, right = read_attribute(node, "pads", [])  # type: ignore[misc]
    set_attribute(
        node, "pads", [top + 1, left, bottom - 1, right] if rng.random() < 0.5 else [top, left + 1, bottom, right - 1]
    )
    return Planted("pad off by one", layer, ("shifted",), model, site.model, site.image)


def plant_activation(site: Site, rng: np.random.Generator) -> Planted | None:
    """Leave an activation out, or lower its limit."""
    names = [
        name
        for name in site.find_layers()
        if find_maker(site.model, name).op_type in ("Relu", "Clip")
        and find_maker(site.model, name).input[0] in site.tensors
    ]
    layer = _draw(rng, names)
    if layer is None:
        return None
    before = site.tensors[find_maker(site.model, layer).input[0]]
    model = copy_model(site.model)
    node = find_maker(model, layer)
    if not (before < 0).mean() > 0.05:
        return None
    node.op_type = "Identity"
    del node.input[1:]
    del node.attribute[:]
    return Planted("activation left out", layer, ("activation",), model, site.model, site.image)


def plant_wide_range(site: Site, rng: np.random.Generator) -> Planted | None:
    """Widen a tensor's range with an outlying channel, and round it to 8 bits."""
    names = [name for name in _find_convolutions(site) if site.tensors[name].shape[1] >= 8]
    layer = _draw(rng, names)
    if layer is None:
        return None
    array = site.tensors[layer]
    benchmark = copy_model(site.model)
    gains = np.ones((1, array.shape[1], 1, 1), np.float32)
    channel = int(rng.integers(array.shape[1]))
    reach = np.abs(array[:, channel]).max()
    typical = np.sqrt(np.median((array**2).mean(axis=(0, 2, 3))))
    gains[0, channel] = max(60.0, 130 * typical) / max(reach, 1e-3)
    insert_after(benchmark, layer, [("Mul", [gains], {})])
    wide = array * gains
    model = copy_model(benchmark)
    node = find_maker(model, layer)
    node.output[0] = f"{layer}@wide"
    place = list(model.graph.node).index(node) + 1
    added = round_to_grid(model.graph, f"{layer}@wide", layer, float(wide.min()), float(wide.max()), bits=8)
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes[:place], *added, *nodes[place:]])
    return Planted("range too wide for 8 bits", layer, ("wide-range",), model, benchmark, site.image)


def plant_pool_rounding(site: Site, rng: np.random.Generator) -> Planted | None:
    """Round an average pool up where the chip rounds down; both sides lie on its grid."""
    names = [name for name in site.find_layers(4) if find_maker(site.model, name).op_type == "AveragePool"]
    layer = _draw(rng, names)
    if layer is None:
        return None
    low, high = site.ranges[layer]
    models = []
    for how in ("Floor", "Round"):
        model = copy_model(site.model)
        node = find_maker(model, layer)
        node.output[0] = f"{layer}@mean"
        place = list(model.graph.node).index(node) + 1
        added = round_to_grid(model.graph, f"{layer}@mean", layer, low, high, bits=8, how=how)
        nodes = list(model.graph.node)
        del model.graph.node[:]
        model.graph.node.extend([*nodes[:place], *added, *nodes[place:]])
        models.append(model)
    return Planted("pool rounding", layer, ("rounding-mode", "rounding"), models[1], models[0], site.image)


def plant_colours(site: Site, rng: np.random.Generator) -> Planted | None:
    """Feed BGR where RGB is expected."""
    ((name, array),) = site.image.items()
    if array.shape[1] != 3:
        return None
    swapped = np.ascontiguousarray(array[:, ::-1])
    return Planted("RGB and BGR", name, ("channel-order",), site.model, site.model, {name: swapped})


def plant_normalisation(site: Site, rng: np.random.Generator) -> Planted | None:
    """Normalise the input twice, or not at all."""
    ((name, array),) = site.image.items()
    wrong = (array - 127.5) / 127.5 if rng.random() < 0.5 else array * 127.5 + 127.5
    return Planted("normalisation", name, ("normalisation",), site.model, site.model, {name: wrong.astype(np.float32)})


def plant_name(site: Site, rng: np.random.Generator) -> Planted | None:
    """Rename a tensor."""
    names = [
        name for name in site.find_layers(least=256) if name not in [value.name for value in site.model.graph.output]
    ]
    layer = _draw(rng, names)
    return layer and Planted(
        "renamed", layer, ("renamed",), site.model, site.model, site.image, {layer: f"{layer}_renamed#7"}
    )  # type: ignore[return-value]


def _find_convolutions(site: Site) -> list[str]:
    """Return the outputs of convolutions."""
    return [name for name in site.find_layers(4) if find_maker(site.model, name).op_type == "Conv"]


def _find_padded(site: Site) -> list[str]:
    """Return the outputs of convolutions with pads on all sides."""
    return [
        name
        for name in _find_convolutions(site)
        if min(read_attribute(find_maker(site.model, name), "pads", [0])) > 0  # type: ignore[call-overload]
    ]


def _draw(rng: np.random.Generator, names: list[str]) -> str | None:
    """Return one of the names, or None if there is none."""
    return str(rng.choice(names)) if names else None
