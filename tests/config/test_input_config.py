from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipudebug.config.input_config import (
    KEYS,
    ConfigNotFound,
    InputConfig,
    UnknownInput,
    UnknownOutput,
    load_input_config,
)
from ipudebug.config.input_formats import INPUT_FORMATS, TRAINING_FORMATS
from ipudebug.errors import ConfigError, IpuDebugError
from ipudebug.tensor import Layout

ROOT = Path(__file__).parents[2]
RGB = "training_input_formats=RGB;\ninput_formats=RGB;\n"


@pytest.fixture
def load(tmp_path):
    def load_text(text):
        path = tmp_path / "input_config.ini"
        path.write_text(text)
        return load_input_config(str(path))

    return load_text


def test_the_template_loads_without_a_remark():
    path = ROOT / "cfg" / "input_config.ini"
    assert load_input_config(str(path)) == InputConfig(
        path=str(path),
        inputs=("image", "score"),
        training_input_formats=("RGB", "RAWDATA_F32_NHWC"),
        input_formats=("RGBA", "RAWDATA_F32_NHWC"),
        quantizations=(True, True),
        mean=((123.7, 116.3, 103.5), (0.0,)),
        std_value=((58.4, 57.1, 57.4), (1.0,)),
        input_layouts=(Layout.NHWC, Layout.NHWC),
        input_width_alignment=(16, 1),
        input_height_alignment=(2, 1),
        outputs=("boxes", "classes"),
        dequantizations=(True, False),
        output_layouts=(Layout.NHWC, Layout.NHWC),
        conv_format="ALL_INT16",
        conv_tensors=("conv1", "block2/add"),
    )


def test_the_template_mentions_every_key():
    text = (ROOT / "cfg" / "input_config.ini").read_text()
    assert [key for keys in KEYS.values() for key in keys if key not in text] == []


@pytest.mark.reference
def test_the_form_of_sdk_1_1_5(reference):
    config = load_input_config(str(reference / "smallnet_int16" / "input_config.ini"))
    assert config.inputs == ("input",)
    assert config.mean == config.std_value == ((127.5, 127.5, 127.5),)
    assert config.outputs == ("prob",)
    assert config.conv_format == "ALL_INT16"
    assert config.notes == ()
    face = load_input_config(str(reference / "rfb320" / "input_config.ini"))
    assert (face.input_formats, face.outputs, face.std_value) == (("RGBA",), ("scores", "boxes"), ((255.0,) * 3,))


def test_defaults(load):
    config = load("[INPUT_CONFIG]\ninputs=a,b;\n[OUTPUT_CONFIG]\noutputs=c\n")
    assert config == InputConfig(
        path=config.path,
        inputs=("a", "b"),
        quantizations=(True, True),
        input_layouts=(Layout.NHWC, Layout.NHWC),
        input_width_alignment=(1, 1),
        input_height_alignment=(1, 1),
        outputs=("c",),
        dequantizations=(True,),
        output_layouts=(Layout.NHWC,),
    )


def test_layouts_go_by_name(load):
    config = load("[INPUT_CONFIG]\ninputs=a,b;\ninput_layouts=NCHW,NHWC;\n")
    assert (config.find_layout("a"), config.find_layout("b"), config.find_layout("c")) == (
        Layout.NCHW,
        Layout.NHWC,
        None,
    )


def test_a_yuv_input_is_aligned_to_two(load):
    config = load("[INPUT_CONFIG]\ninputs=a\ntraining_input_formats=RGB\ninput_formats=YUV_NV12\n")
    assert (config.input_width_alignment, config.input_height_alignment) == ((2,), (2,))


def test_one_alignment_holds_for_all_inputs_and_legacy_keys_are_kept(load):
    assert load("[INPUT_CONFIG]\ninputs=a,b\ninput_width_alignment=8\n").input_width_alignment == (8, 8)
    assert load("[INPUT_CONFIG]\ninputs=a,b\nxrgb_h_pitch_alignment=16\n").legacy_alignments == {
        "xrgb_h_pitch_alignment": 16
    }


def test_gray_takes_one_mean_of_the_old_keys(load):
    text = "[INPUT_CONFIG]\ninputs=a\ntraining_input_formats=GRAY\ninput_formats=GRAY\n"
    config = load(text + "mean_red=1\nmean_green=1\nmean_blue=1\nstd_value=2\n")
    assert (config.mean, config.std_value, config.notes) == (((1.0,),), ((2.0,),), ())
    config = load(text + "mean_red=1\nmean_green=2\nmean_blue=1\n")
    assert config.notes == (f"{config.path}, line 5, [INPUT_CONFIG] mean_red: GRAY input a takes this mean, 1, only",)


def test_sections_without_effect_are_kept(load):
    config = load("[INPUT_CONFIG]\ninputs=a\n[DUMP_CONFIG]\ntensor_arrays=x,y\n[DYNAMIC_CONFIG]\nany=1\n")
    assert config.other_sections == {"DUMP_CONFIG": {"tensor_arrays": ("x", "y")}, "DYNAMIC_CONFIG": {"any": ("1",)}}
    assert config.notes == ()


def test_unknown_keys_and_sections_are_noted(load):
    config = load("[INPUT_CONFIG]\ninputs=a\ninput_layout=NCHW\n[CONF_CONFIG]\nx=1\n")
    assert config.notes == (
        f"{config.path}, line 3, [INPUT_CONFIG] input_layout: unknown key, ignored; did you mean input_layouts?",
        f"{config.path}: unknown section [CONF_CONFIG], ignored; did you mean CONV_CONFIG?",
    )


def test_a_format_stated_alone_is_noted(load):
    config = load("[INPUT_CONFIG]\ninputs=a\ninput_formats=BGR\n")
    assert config.training_input_formats == ("BGR",)
    assert config.notes == (
        f"{config.path}, line 3, [INPUT_CONFIG] input_formats: stated alone; "
        "training and board formats are taken to be equal",
    )


def test_the_limits_of_the_vendor_are_noted(load):
    config = load(
        f"[INPUT_CONFIG]\ninputs={','.join(f'n{i}' for i in range(61))}\n[OUTPUT_CONFIG]\noutputs={'x' * 1025}"
    )
    assert len(config.notes) == 2
    assert "61 names; SigmaStar's tools take 60" in config.notes[0]
    assert "above 1024 characters" in config.notes[1]


@pytest.mark.parametrize(
    ("lines", "message", "place"),
    [
        (
            "training_input_formats=RGB;\ninput_formats=BGR;",
            "`input_formats` is BGR only support `training_input_formats` is BGR!",
            "line 3, [INPUT_CONFIG] training_input_formats: expected BGR for input a, found RGB",
        ),
        (
            "training_input_formats=BGR;\ninput_formats=RGB;",
            "`input_formats` is RGB only support `training_input_formats` is RGB!",
            "line 3, [INPUT_CONFIG] training_input_formats: expected RGB for input a, found BGR",
        ),
        (
            "training_input_formats=RGB;\ninput_formats=NV21;",
            "`input_formats` only support RGB/BGR/RGBA/BGRA/GRAY/YUV_NV12/RAWDATA_S16_NHWC/RAWDATA_F32_NHWC !",
            "line 4, [INPUT_CONFIG] input_formats: expected RGB or BGR",
        ),
        (
            "training_input_formats=rgb;\ninput_formats=RGB;",
            "`training_input_formats` only support RGB/BGR/RGBA/BGRA/GRAY/RAWDATA_S16_NHWC/RAWDATA_F32_NHWC !",
            "found rgb",
        ),
        (RGB + "mean=1;", "input mean/std number != input number.", "expected 3 values for RGB input a, found 1"),
        (RGB + "mean=1:2:3,4:5:6;", "input mean/std number != input number.", "one per input (a), found 2"),
        (
            RGB + "std_value=1:2;",
            "input mean/std number != input number.",
            "expected 3 values for RGB input a, found 2",
        ),
        (RGB + "mean=1:2:x;", "not a number.", "line 5, [INPUT_CONFIG] mean: expected numbers"),
        (RGB + "mean=1:2:nan;", "not a number.", "found nan"),
        (RGB + "mean=1:2:1_0;", "not a number.", "found 1_0"),
        (RGB + "std_value=0;", "division by zero.", "found 0"),
        (RGB + "mean_red=1;\nmean=1:2:3", "mean stated twice.", "either mean (line 6) or this one"),
        (RGB + "mean_red=1;", "input mean/std number != input number.", "expected 3 values for RGB input a, found 1"),
        (RGB + "mean_red=1:2;", "input mean/std number != input number.", "expected one number per input"),
        ("quantizations=TRUE,TRUE", "input arrays number != input values number.", "expected 1 entry"),
        (
            "quantizations=YES;",
            "input quantizations unsupported: YES, only support `TRUE` or `FALSE`.",
            "line 3, [INPUT_CONFIG] quantizations: expected TRUE or FALSE, found YES",
        ),
        ("input_layouts=NHWC,NCHW;", "input layout number != input number.", "found 2 (NHWC,NCHW)"),
        ("input_layouts=HWC;", "input layout unsupported: HWC, only support `NHWC` or `NCHW`.", "found HWC"),
        (
            "training_input_formats=RGB\ninput_formats=RGBA\ninput_layouts=NCHW",
            "RGBA input a:",
            "expected NHWC, found NCHW",
        ),
        ("input_width_alignment=0", "alignment unsupported.", "expected a whole number above 0, found 0"),
        ("input_width_alignment=²", "alignment unsupported.", "found ²"),
        ("xrgb_h_pitch_alignment=6", "alignment unsupported.", "a multiple of 4, found 6"),
        ("yuv420_v_pitch_alignment=3", "alignment unsupported.", "a multiple of 2, found 3"),
        ("yuv420_v_pitch_alignment=2,2", "one alignment for all inputs.", "expected one number"),
        (
            "input_width_alignment=2\nxrgb_h_pitch_alignment=4",
            "two families of alignment keys.",
            "either this one or xrgb_h_pitch_alignment",
        ),
        (
            "training_input_formats=RGB\ninput_formats=YUV_NV12\ninput_height_alignment=3",
            "YUV_NV12 input a:",
            "expected a multiple of 2, found 3",
        ),
        (
            "[OUTPUT_CONFIG]\noutputs=x\ndequantizations=TRUE,FALSE",
            "output arrays number != output dequant number.",
            "(x)",
        ),
        (
            "[OUTPUT_CONFIG]\noutputs=x\ndequantizations=true",
            "output dequantizations unsupported: true, only support `TRUE` or `FALSE`.",
            "line 5, [OUTPUT_CONFIG] dequantizations",
        ),
        ("[OUTPUT_CONFIG]\noutputs=x,x", "name given twice.", "found x"),
        ("[OUTPUT_CONFIG]\noutputs=x,,y", "empty name in a list.", "line 4, [OUTPUT_CONFIG] outputs"),
        ("[OUTPUT_CONFIG]\ndequantizations=TRUE", "outputs is missing.", "line 4"),
        (
            "[CONV_CONFIG]\ninput_format=INT16",
            "CONV_CONFIG:input_format is invalid!!only support ALL_UINT8,ALL_INT16,CONV2D_INT16,DEPTHWISE_INT16!!!",
            "line 4, [CONV_CONFIG] input_format",
        ),
        ("[CONV_CONFIG]\ninput_format=ALL_INT16,ALL_UINT8", "CONV_CONFIG:input_format is invalid!!", "expected one"),
    ],
)
def test_faults_begin_with_the_vendors_words(load, lines, message, place):
    with pytest.raises(ConfigError) as caught:
        load("[INPUT_CONFIG]\ninputs=a;\n" + lines)
    assert caught.value.message.startswith(message)
    assert place in caught.value.message
    assert caught.value.hint


def test_lists_without_inputs(load):
    with pytest.raises(ConfigError, match=r"inputs is missing. .*line 2, \[INPUT_CONFIG\] input_layouts"):
        load("[INPUT_CONFIG]\ninput_layouts=NCHW;\n")


def test_a_missing_file(tmp_path):
    with pytest.raises(ConfigNotFound, match=r"^input_config.ini file not found\.") as caught:
        load_input_config(str(tmp_path / "none.ini"))
    assert isinstance(caught.value, FileNotFoundError)
    assert "none.ini" in str(caught.value)


def test_names_are_checked_against_the_model(load):
    config = load("[INPUT_CONFIG]\ninputs=images1;\n[OUTPUT_CONFIG]\noutputs=output1;\n")
    config.check_inputs(["images1", "other"])
    config.check_outputs(["output1"])
    with pytest.raises(UnknownInput) as caught:
        config.check_inputs(["images"])
    assert caught.value.message == (
        f'The model doesn\'t have input named "images1". {config.path}, line 2, [INPUT_CONFIG] inputs: '
        "expected the model's inputs (images), found images1"
    )
    assert caught.value.hint == "did you mean images? names must be written exactly as in the model"
    assert isinstance(caught.value, RuntimeError)
    with pytest.raises(UnknownOutput, match="'output1' is no output of the model"):
        config.check_outputs(["prob"])
    with pytest.raises(KeyError):
        config.check_outputs([])


@pytest.mark.parametrize("board", INPUT_FORMATS)
@pytest.mark.parametrize("training", TRAINING_FORMATS)
def test_every_pair_of_formats(load, training, board):
    text = f"[INPUT_CONFIG]\ninputs=a\ntraining_input_formats={training}\ninput_formats={board}\n"
    allowed = {
        *(("RGB", "RGB"), ("RGB", "RGBA"), ("RGB", "BGRA"), ("RGB", "YUV_NV12")),
        *(("BGR", "BGR"), ("BGR", "RGBA"), ("BGR", "BGRA"), ("BGR", "YUV_NV12")),
        *(("RGBA", "RGBA"), ("BGRA", "BGRA"), ("GRAY", "GRAY"), ("GRAY", "YUV_NV12")),
        *(("RAWDATA_S16_NHWC", "RAWDATA_S16_NHWC"), ("RAWDATA_F32_NHWC", "RAWDATA_F32_NHWC")),
    }
    if (training, board) in allowed:
        assert load(text).input_formats == (board,)
    else:
        with pytest.raises(ConfigError, match=f"`input_formats` is {board} only support"):
            load(text)


LINES = st.lists(
    st.builds(
        "{}={}".format,
        st.sampled_from([key for keys in KEYS.values() for key in keys]),
        st.sampled_from(["a", "a,b", "RGB", "RGB,GRAY", "TRUE", "1", "0", "1:2:3", "1:2:3,4", "NCHW", "-1", "'", ""])
        | st.text(max_size=8),
    )
    | st.sampled_from(["[INPUT_CONFIG]", "[OUTPUT_CONFIG]", "[CONV_CONFIG]", "[DYNAMIC_CONFIG]"])
    | st.text(max_size=10)
)


@given(LINES)
def test_any_text_gives_a_config_or_an_error_of_ours(tmp_path_factory, lines):
    path = tmp_path_factory.getbasetemp() / "any_config.ini"
    path.write_text("[INPUT_CONFIG]\ninputs=a\n" + "\n".join(lines), encoding="utf-8", errors="surrogatepass")
    try:
        config = load_input_config(str(path))
    except IpuDebugError:
        return
    count = len(config.inputs)
    assert len(config.input_layouts) == len(config.quantizations) == count
    assert len(config.mean) in (0, count)
    assert len(config.outputs) == len(config.output_layouts) == len(config.dequantizations)
