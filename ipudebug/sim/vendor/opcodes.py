"""Names behind the numbers of a .sim (SPEC 10.3, 10.4): operators, element types, memory layouts, formats, domains."""

from __future__ import annotations

import numpy as np

CUSTOM = 32
"""The operator code whose name stands in ``custom_code``."""

_WORDS = """
    ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR
    FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION
    LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH
    CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER
    BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE
    BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM
    ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE
    EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR
    ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE
    RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND
    COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE
    NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL
    """
BUILTIN = tuple(_WORDS.split())
"""Names of the built-in operators by number, as TFLite schema version 3 numbers them."""

DTYPES: dict[int, np.dtype] = {
    0: np.dtype("<f4"),
    1: np.dtype("<f2"),
    2: np.dtype("<i4"),
    3: np.dtype("u1"),
    4: np.dtype("<i8"),
    6: np.dtype("?"),
    7: np.dtype("<i2"),
    9: np.dtype("i1"),
}
"""Element types by number."""

MEMORY_LAYOUTS = {
    0: "",
    1: "RGB",
    3: "RGBA",
    4: "BGRA",
    6: "IPU_U8_NHWX",
    7: "IPU_U8_NHWC",
    10: "IPU_S8_KB",
    11: "IPU_S16_NHWX",
    12: "IPU_S16_NHWC",
    13: "IPU_S16_KB",
    14: "IPU_S32_NHWC",
}
"""How a tensor lies in the chip's memory, by number (``ddr_type``)."""

IMAGE_FORMATS = {1: "RGB", 3: "RGBA", 4: "BGRA"}
"""Formats of an image input by number; 0 is no image, others have not been seen."""

DOMAINS = {
    0: "",
    1: "head of a convolution's domain",
    2: "member of a convolution's domain",
    3: "a domain of its own",
    4: "member of an elementwise domain",
    6: "elementwise, alone or head of a domain",
}
"""What an operator is in the group of operators that the chip executes as one unit, by number."""

MEMBERS = frozenset({2, 4})
"""The domain types of operators that continue the domain of the one before."""


def name_builtin(code: int) -> str:
    """Return the name of a built-in operator, or ``OPERATOR_<code>`` for a number that has none here."""
    return BUILTIN[code] if 0 <= code < len(BUILTIN) else f"OPERATOR_{code}"
