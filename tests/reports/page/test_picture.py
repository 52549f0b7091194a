from __future__ import annotations

import base64
import io

import numpy as np
import pytest

from ipudebug.reports.page.picture import paint


def decode(uri):
    from PIL import Image

    head, _, data = uri.partition(",")
    assert head == "data:image/png;base64"
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    image.load()
    return image


def luma(image):
    return np.asarray(image.convert("L"), int)


def test_more_is_darker():
    image = decode(paint(np.linspace(0, 5, 30).reshape(5, 6)))
    assert image.size == (6, 5)
    brightness = luma(image).reshape(-1)
    assert (np.diff(brightness) < 0).all()
    assert brightness[0] > 220
    assert brightness[-1] < 40


@pytest.mark.parametrize("matrix", [np.zeros((3, 4)), np.zeros((1, 1))])
def test_no_error_is_light(matrix):
    assert (luma(decode(paint(matrix))) > 220).all()


def test_what_is_no_number_has_its_own_colour():
    image = decode(paint(np.array([[np.nan, np.inf, 0.0, 1.0]]))).convert("RGB")
    colours = [image.getpixel((x, 0)) for x in range(4)]
    assert colours[0] == colours[1]
    assert len(set(colours)) == 3


def test_the_smallest_of_numbers_are_painted():
    assert decode(paint(np.array([[0.0, 5e-324]]))).size == (2, 1)
