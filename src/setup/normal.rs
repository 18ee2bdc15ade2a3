/// A model's name without what its writers do not agree on: small letters, digits and points are left.
///
/// "Qwen/Qwen2.5-7B-Instruct", "qwen2.5:7b" and "Qwen2.5_7B.gguf" begin the same.
pub fn normal(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let last = last.strip_suffix(".gguf").unwrap_or(last);
    last.chars()
        .filter(|character| character.is_ascii_alphanumeric() || *character == '.')
        .map(|character| character.to_ascii_lowercase())
        .collect()
}
