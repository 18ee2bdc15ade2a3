"""Holds the ids that the product makes with GGUF files of SentencePiece models against those of the sentencepiece library: pieces.py BINARY DIRECTORY.

One model is trained here, as those of Llama 2 were: byte pairs, unknown characters as bytes, nothing normalised. The other is that of Mistral 7B, which
mistral-common brings. The files say of them what llama.cpp's converter would.
"""
import sys
from importlib.resources import files
from pathlib import Path

import gguf
import sentencepiece

from lines import lines
from render import render

COUNT = 10_000
TEMPLATE = "{% for message in messages %}{{ message['role'] + ': ' + message['content'] + eos_token }}{% endfor %}"


def train(directory: Path) -> sentencepiece.SentencePieceProcessor:
    sample = directory / "sample.txt"
    sample.write_text("\n".join(lines(3_000)), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(sample),
        model_prefix=str(directory / "pieces"),
        vocab_size=1_200,
        model_type="bpe",
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        split_digits=True,
        minloglevel=2,
    )
    return sentencepiece.SentencePieceProcessor(model_file=str(directory / "pieces.model"))


def kind(model: sentencepiece.SentencePieceProcessor, token: int) -> gguf.TokenType:
    if model.is_unknown(token):
        return gguf.TokenType.UNKNOWN
    if model.is_control(token):
        return gguf.TokenType.CONTROL
    return gguf.TokenType.BYTE if model.is_byte(token) else gguf.TokenType.NORMAL


def write(model: sentencepiece.SentencePieceProcessor, target: Path) -> None:
    ids = range(model.vocab_size())
    writer = gguf.GGUFWriter(target, "llama")
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([model.id_to_piece(token) for token in ids])
    writer.add_token_scores([model.get_score(token) for token in ids])
    writer.add_token_types([kind(model, token) for token in ids])
    writer.add_bos_token_id(model.bos_id())
    writer.add_eos_token_id(model.eos_id())
    writer.add_unk_token_id(model.unk_id())
    writer.add_chat_template(TEMPLATE)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def compare(binary: str, model: sentencepiece.SentencePieceProcessor, target: Path) -> bool:
    write(model, target)
    # The sentencepiece library takes no text for a control token, and servers do.
    texts = [text for text in lines(COUNT + COUNT // 2) if "<s>" not in text][:COUNT]
    answers = render(binary, target, [{"text": text} for text in texts], "--ids")
    wrong = 0
    for text, answer in zip(texts, answers, strict=True):
        ids = model.encode(text)
        if answer.get("ids") != ids:
            wrong += 1
            if wrong <= 5:
                print(f"{text!r}: wanted {ids}, got {answer}")
    print(f"{target.name}: {len(texts) - wrong} of {len(texts)} lines in the same ids")
    return wrong == 0 and len(texts) == COUNT


def main() -> int:
    binary, directory = sys.argv[1], Path(sys.argv[2])
    mistral = files("mistral_common") / "data" / "tokenizer.model.v1"
    models = {"pieces": train(directory), "mistral-7b": sentencepiece.SentencePieceProcessor(model_file=str(mistral))}
    return int(not all([compare(binary, model, directory / f"{name}.gguf") for name, model in models.items()]))


if __name__ == "__main__":
    sys.exit(main())
