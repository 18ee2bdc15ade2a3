"""Lines of mixed text, the same in every run."""
import random

WORDS = "the a of Weather garden's I'll don't café naïve Übergröße Здравствуйте привет مرحبا नमस्ते 안녕하세요 こんにちは 東京 世界 你好 谢谢 हिन्दी ไทย ελληνικά".split()
CODE = ["def f(x):", "    return x**2", "if (a != b) { c += 1; }", "\tfor i in 0..10 {", "SELECT * FROM t WHERE id = 42;", "x = {'a': [1, 2, 3]}", "// TODO: λ → μ", "#include <stdio.h>", "camelCaseName snake_case_name", "https://example.com/?q=1&r=%20"]
NUMBERS = ["0", "7", "42", "1234567890", "3.14159", "1e-9", "0x1F", "２０２６", "¾", "Ⅷ", "१२३", "-17", "1,000,000"]
MARKS = ["🙂", "👩‍👩‍👧‍👦", "🇳🇴", "…", "—", "«»", "“quoted”", "™", "e\u0301", "ﬁ", "\u200b", "\u00a0", "!?", "...", "¿", "<|im_start|>", "<s>", "▁", "\ufffd"]
BLANKS = ["", " ", "  ", "   ", "\t", "\n", "\r\n", " \n ", "\n\n\n", "\u3000", " \t "]


def lines(count: int) -> list[str]:
    draw = random.Random(17)
    kinds = [WORDS, WORDS, CODE, NUMBERS, MARKS, BLANKS]
    joints = [" ", " ", "", "  ", "\n", "\t"]
    made = []
    for _ in range(count):
        parts = [draw.choice(draw.choice(kinds)) for _ in range(draw.randrange(1, 14))]
        made.append("".join(part + draw.choice(joints) for part in parts))
    return made
