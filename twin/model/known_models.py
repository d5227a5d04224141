"""Known transformers by name: shape, published parameter counts and source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

from pydantic_core import PydanticCustomError

from ..errors import CatalogueError, did_you_mean
from .records import asdict_compact
from .shape import ModelShape


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A published transformer: shape at its training sequence length, and parameter counts."""

    shape: ModelShape
    n_parameters: int
    """All parameters, as published."""
    n_parameters_active: int
    source: str


LLAMA = "Llama 3 paper (arXiv:2407.21783, table 3)"
MEGATRON = "Narayanan et al. 2021 (arXiv:2104.04473, table 1)"
CORE = "Megatron-LM README, table of Megatron-Core 0.8"


def _llama(n_layers: int, n_hidden: int, n_heads: int, n_ffn: int) -> ModelShape:
    return ModelShape(n_layers, n_hidden, n_heads, n_ffn, 128_256, 8_192, n_kv_heads=8, gated_ffn=True)


def _megatron(n_layers: int, n_hidden: int, n_heads: int) -> ModelShape:
    return ModelShape(n_layers, n_hidden, n_heads, 4 * n_hidden, 51_200, 2_048, tied_embedding=True)


def _core(n_layers: int, n_hidden: int, n_heads: int) -> ModelShape:
    return ModelShape(n_layers, n_hidden, n_heads, 4 * n_hidden, 131_072, 4_096)


def _dense(shape: ModelShape, billions: float, source: str) -> KnownModel:
    n = round(billions * 1e9)
    return KnownModel(shape, n, n, source)


def _mixture(shape: ModelShape, billions: float, active_billions: float, source: str) -> KnownModel:
    return KnownModel(shape, round(billions * 1e9), round(active_billions * 1e9), source)


_MIXTRAL = ModelShape(
    32, 4096, 32, 14_336, 32_000, 4_096, n_kv_heads=8, gated_ffn=True, n_experts=8, n_experts_active=2
)
_QWEN3 = ModelShape(
    94,
    4096,
    64,
    1_536,
    151_936,
    4_096,
    n_kv_heads=4,
    gated_ffn=True,
    n_experts=128,
    n_experts_active=8,
    n_head_width=128,
)
_DEEPSEEK = ModelShape(
    n_layers=61,
    n_hidden=7168,
    n_heads=128,
    n_ffn_hidden=2_048,
    n_vocab=129_280,
    n_sequence=4_096,
    gated_ffn=True,
    n_experts=256,
    n_experts_active=8,
    n_shared_experts=1,
    n_dense_layers=3,
    n_dense_ffn_hidden=18_432,
    # queries and keys 192 wide, values 128; keys and values come out of a latent of 512, queries out of one of 1536
    n_head_width=160,
    n_attention_parameters=7168 * (1536 + 512 + 64) + 1536 * 128 * 192 + 512 * 128 * (128 + 128) + 128 * 128 * 7168,
)

MODELS: dict[str, KnownModel] = {
    "llama-3.1-8b": _dense(_llama(32, 4096, 32, 14_336), 8.03, LLAMA),
    "llama-3.1-70b": _dense(_llama(80, 8192, 64, 28_672), 70.6, LLAMA),
    "llama-3.1-405b": _dense(_llama(126, 16_384, 128, 53_248), 405.9, LLAMA),
    "gpt-3-175b": _dense(
        ModelShape(96, 12_288, 96, 49_152, 50_257, 2_048, tied_embedding=True),
        174.6,
        "GPT-3 paper (arXiv:2005.14165, table 2.1)",
    ),
    "nemotron-4-15b": _dense(
        ModelShape(32, 6144, 48, 24_576, 256_000, 4_096, n_kv_heads=8), 15.7, "Nemotron-4 15B report (arXiv:2402.16819)"
    ),
    "nemotron-4-340b": _dense(
        ModelShape(96, 18_432, 96, 73_728, 256_000, 4_096, n_kv_heads=8),
        341.0,
        "Nemotron-4 340B report (arXiv:2406.11704)",
    ),
    "mixtral-8x7b": _mixture(_MIXTRAL, 46.7, 12.9, "Mixtral paper (arXiv:2401.04088, table 1)"),
    "mixtral-8x22b": _mixture(
        replace(_MIXTRAL, n_layers=56, n_hidden=6144, n_heads=48, n_ffn_hidden=16_384, n_vocab=32_768),
        141.0,
        39.0,
        "background, unchecked: release note of Mixtral 8x22B",
    ),
    "qwen3-235b-a22b": _mixture(_QWEN3, 235.0, 22.0, "Qwen3 report (arXiv:2505.09388, table 2)"),
    "qwen3-30b-a3b": _mixture(
        replace(_QWEN3, n_layers=48, n_hidden=2048, n_heads=32, n_ffn_hidden=768),
        30.5,
        3.3,
        "background, unchecked: model card",
    ),
    "deepseek-v3": _mixture(_DEEPSEEK, 671.0, 37.0, "DeepSeek-V3 report (arXiv:2412.19437, section 4.2)"),
    "megatron-3.6b": _dense(_megatron(30, 3072, 32), 3.6, MEGATRON),
    "megatron-39b": _dense(_megatron(48, 8192, 64), 39.1, MEGATRON),
    "megatron-145b": _dense(_megatron(80, 12_288, 96), 145.6, MEGATRON),
    "megatron-530b": _dense(_megatron(105, 20_480, 128), 529.6, MEGATRON),
    "megatron-1t": _dense(_megatron(128, 25_600, 160), 1008.0, MEGATRON),
    "megatron-core-16b": _dense(_core(32, 6144, 48), 16.0, CORE),
    "megatron-core-32b": _dense(_core(48, 7168, 56), 32.0, CORE),
    "megatron-core-119b": _dense(_core(92, 10_240, 80), 119.0, CORE),
    "megatron-core-177b": _dense(_core(96, 12_288, 96), 177.0, CORE),
    "megatron-core-462b": _dense(_core(112, 18_432, 144), 462.0, CORE),
}
"""Dense models and models with experts. Simplified: no biases, no multi-token heads.

Compressed attention is described by its parameter count.
"""


def known_model(name: str) -> KnownModel:
    """Return the model of a name. Raises CatalogueError with similar names."""
    model = MODELS.get(name)
    if model is None:
        raise CatalogueError(
            f"unknown model {name!r}", expected=f"one of {', '.join(MODELS)}", hint=did_you_mean(name, MODELS)
        )
    return model


def model_rows() -> list[dict[str, Any]]:
    """Return all models as plain data: shape, published parameters, source."""
    return [
        {
            "id": name,
            "n_parameters": model.n_parameters,
            "n_parameters_active": model.n_parameters_active,
            "shape": asdict_compact(model.shape),
            "source": model.source,
        }
        for name, model in MODELS.items()
    ]


def known_shape(name: str, **changed: Any) -> ModelShape:
    """Return the shape of a known model with its name as `preset`.

    Args:
        name: name of a known model; `twin models` lists them.
        changed: fields of the shape that differ, such as `n_sequence`.

    Raises:
        CatalogueError: unknown name; the message has similar names.
    """
    return replace(known_model(name).shape, preset=name, **changed)


def expand_preset(data: Any) -> Any:
    """Add the fields of the named preset to the document data of a model; fields stated in the data stay.

    Raises:
        PydanticCustomError: the name is unknown, or the data has neither a name nor a shape.
    """
    fields_of_data = {"preset": data} if isinstance(data, str) else data
    expected_text = "the name of a model (`twin models` lists them), or its shape"
    if not isinstance(fields_of_data, Mapping | ModelShape):
        raise PydanticCustomError("preset", "should be {wanted}", {"wanted": expected_text})
    shape_fields = {spec.name for spec in fields(ModelShape)}
    required = {spec.name for spec in fields(ModelShape) if spec.default is MISSING} - {"n_sequence"} | {"preset"}
    # misspelt fields are reported one by one by the validation of the shape
    if isinstance(fields_of_data, Mapping) and shape_fields >= {*fields_of_data} and not required & {*fields_of_data}:
        raise PydanticCustomError("preset", "names no preset and has no shape: {wanted}", {"wanted": expected_text})
    if not isinstance(fields_of_data, Mapping) or not isinstance(fields_of_data.get("preset"), str):
        return data
    try:
        shape = known_model(fields_of_data["preset"]).shape
    except CatalogueError as error:
        hint = f"{error.hint} " if error.hint else ""
        problem = f"{error.args[0]}; {hint}`twin models` lists what there is"
        raise PydanticCustomError("preset", "{problem}", {"problem": problem}) from error
    return {spec.name: getattr(shape, spec.name) for spec in fields(shape)} | dict(fields_of_data)
