"""A model of the Llama architecture in another number format of GGUF."""
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType, GGUFValueType, LlamaFileType

FILE_TYPES = {
    "F32": LlamaFileType.ALL_F32,
    "F16": LlamaFileType.MOSTLY_F16,
    "Q8_0": LlamaFileType.MOSTLY_Q8_0,
}


def weights(tensor: gguf.ReaderTensor) -> np.ndarray:
    """The tensor in f32 and in row order. Matrices hold what 16 bits can hold, whatever they were stored in."""
    values = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
    values = values.reshape([int(length) for length in reversed(tensor.shape)])
    return values if values.ndim == 1 else values.astype(np.float16).astype(np.float32)


def write(reader: gguf.GGUFReader, name: str, target: Path) -> None:
    """Writes `target` with matrices in the format `name`. Vectors stay in f32, as llama.cpp wants them."""
    writer = gguf.GGUFWriter(target, reader.fields["general.architecture"].contents())
    copy_settings(reader, writer, FILE_TYPES[name])
    for tensor in reader.tensors:
        values = weights(tensor)
        kind = GGMLQuantizationType[name] if values.ndim > 1 else GGMLQuantizationType.F32
        writer.add_tensor(tensor.name, gguf.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def copy_settings(reader: gguf.GGUFReader, writer: gguf.GGUFWriter, file_type: LlamaFileType) -> None:
    """Everything the source says about itself, but for what the writer adds and for the format."""
    for key, field in reader.fields.items():
        if key.startswith("GGUF.") or key == "general.architecture":
            continue
        kind, *rest = field.types
        value = int(file_type) if key == "general.file_type" else field.contents()
        writer.add_key_value(key, value, kind, rest[0] if kind == GGUFValueType.ARRAY else None)
