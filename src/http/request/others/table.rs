//! The table. A field that is in no row is read as one of ours, or refused.

use super::effect::Meaning::{self, Is, Nothing, Unless};
use super::effect::{
    apart, as_usual, empty, never, no, not_positive, one_for_each_choice, text_alone, whole_or_without_penalties,
    without_penalties, yes, yes_or_without_penalties, zero, zero_is_whole, zero_or_one,
};
use super::order::{is_ours, last_is_no_different};

/// What `field` means, if it is one of other servers'.
pub fn meaning(field: &str) -> Option<Meaning> {
    let row = TABLE.iter().find(|(names, _)| names.contains(&field));
    row.map(|(_, meaning)| *meaning)
}

/// Names of vLLM's, llama.cpp's, SGLang's, Ollama's, KoboldCpp's, TabbyAPI's, OpenRouter's and OpenAI's, with what each means.
const TABLE: &[(&[&str], Meaning)] = &[
    // The same under another name.
    (&["repeat_penalty", "rep_pen"], Is("repetition_penalty")),
    (
        &["n_predict", "num_predict", "max_new_tokens", "max_length"],
        Is("max_tokens"),
    ),
    (&["stop_sequence", "stop_sequences", "stop_strings"], Is("stop")),
    (&["sampler_seed", "random_seed"], Is("seed")),
    (&["freq_pen"], Is("frequency_penalty")),
    (&["pres_pen"], Is("presence_penalty")),
    // How the server works, or what it keeps.
    (
        &[
            "user",
            "metadata",
            "client_metadata",
            "store",
            "service_tier",
            "safety_identifier",
            "prompt_cache_key",
            "prompt_cache_retention",
            // How long an answer should be: models that can be steered have no such switch.
            "verbosity",
            // Text that the answer may have, to be faster.
            "prediction",
            "cache_prompt",
            "cache_salt",
            "cache_mode",
            "id_slot",
            "slot_id",
            "rid",
            "request_id",
            "priority",
            "genkey",
            "quiet",
            "timings_per_token",
            "return_progress",
            "speculative.n_max",
            "speculative.n_min",
            "speculative.p_min",
            "speculative_ngram",
            "generate_window",
            "keep_alive",
            "num_ctx",
            "num_batch",
            "num_gpu",
            "main_gpu",
            "num_thread",
            "num_keep",
            "n_keep",
            "n_discard",
            "numa",
            "use_mmap",
            "use_mlock",
            "low_vram",
            "max_context_length",
            "max_seq_len",
            // Special tokens are never picked, so none can show or be left out.
            "skip_special_tokens",
            "spaces_between_special_tokens",
            "render_special",
            "special",
        ],
        Nothing,
    ),
    // Numbers of samplers that other fields switch on.
    (
        &[
            "mirostat_tau",
            "mirostat_eta",
            "xtc_threshold",
            "dry_base",
            "dry_allowed_length",
            "dry_penalty_last_n",
            "dry_sequence_breakers",
            "dry_range",
            "dynatemp_exponent",
            "temp_exponent",
            "smoothing_curve",
            "adaptive_decay",
            "length_penalty",
            "early_stopping",
        ],
        Nothing,
    ),
    // Samplers.
    (
        &["typical_p", "typical", "typ_p"],
        Unless(zero_or_one, "typical sampling is not done here; use top_p or min_p"),
    ),
    (
        &["tfs_z", "tfs"],
        Unless(zero_or_one, "tail-free sampling is not done here; use top_p or min_p"),
    ),
    (&["top_a"], Unless(zero, "top-a sampling is not done here; use min_p")),
    (
        &["top_n_sigma", "nsigma"],
        Unless(not_positive, "top-n-sigma sampling is not done here; use min_p"),
    ),
    (
        &["epsilon_cutoff", "eta_cutoff"],
        Unless(zero, "these cutoffs are not made here; use min_p"),
    ),
    (
        &["mirostat", "mirostat_mode"],
        Unless(zero, "mirostat is not done here; use temperature and top_p"),
    ),
    (
        &["xtc_probability"],
        Unless(zero, "the likeliest tokens are never excluded here; use temperature"),
    ),
    (
        &["dry_multiplier"],
        Unless(zero, "repeated sequences are not punished here; use frequency_penalty"),
    ),
    (
        &["dynatemp_range"],
        Unless(zero, "the temperature does not change here from token to token"),
    ),
    (
        &["min_temp", "max_temp", "dynatemp_low", "dynatemp_high"],
        Unless(zero_or_one, "the temperature does not change here from token to token"),
    ),
    (
        &["smoothing_factor"],
        Unless(zero, "smoothing is not done here; use temperature"),
    ),
    (&["skew"], Unless(zero, "the distribution is not skewed here")),
    (
        &["adaptive_target"],
        Unless(not_positive, "adaptive sampling is not done here"),
    ),
    (
        &["min_keep"],
        Unless(
            zero_or_one,
            "samplers keep one token at least here, and no more by request",
        ),
    ),
    (
        &["cfg_scale", "guidance_scale"],
        Unless(zero_or_one, "a negative prompt is not used here"),
    ),
    (
        &["negative_prompt"],
        Unless(empty, "a negative prompt is not used here"),
    ),
    (
        &["samplers", "sampler_order", "sampler_priority"],
        Unless(
            is_ours,
            "samplers act in a fixed order here: temperature, min_p and top_k, top_p; leave others and their order out",
        ),
    ),
    (
        &["temperature_last"],
        Unless(
            last_is_no_different,
            "the temperature acts before top_k, top_p and min_p here",
        ),
    ),
    // Penalties.
    (
        &["repeat_last_n", "repetition_decay"],
        Unless(whole_or_without_penalties, "penalties count the whole answer here"),
    ),
    (
        &["rep_pen_range", "repetition_penalty_range", "penalty_range"],
        Unless(zero_is_whole, "penalties count the whole answer here"),
    ),
    (
        &["rep_pen_slope"],
        Unless(without_penalties, "penalties are the same for all of the answer here"),
    ),
    (
        &["penalize_nl"],
        Unless(
            yes_or_without_penalties,
            "penalties count line breaks like all tokens here",
        ),
    ),
    (
        &["no_repeat_ngram_size"],
        Unless(zero, "repeated sequences are not forbidden here; use frequency_penalty"),
    ),
    // Search.
    (
        &["best_of"],
        Unless(
            one_for_each_choice,
            "answers are not chosen from more than n of them here",
        ),
    ),
    (&["use_beam_search"], Unless(no, "beam search cannot be steered")),
    (
        &["num_beams", "beam_width"],
        Unless(zero_or_one, "beam search cannot be steered"),
    ),
    // The end.
    (
        &["min_tokens", "min_new_tokens", "min_length"],
        Unless(
            not_positive,
            "an answer ends where it ends by itself, not after a number of tokens",
        ),
    ),
    (
        &["ignore_eos", "ban_eos_token", "bypass_eos", "use_default_badwordsids"],
        Unless(no, "an answer is not kept from ending here"),
    ),
    (
        &["stop_token_ids"],
        Unless(
            empty,
            "answers end at the model's own end of turn, and at texts in stop",
        ),
    ),
    (
        &["include_stop_str_in_output", "no_stop_trim"],
        Unless(no, "the text that ended an answer is never a part of it here"),
    ),
    (
        &["trim_stop"],
        Unless(yes, "the text that ended an answer is never a part of it here"),
    ),
    (
        &["t_max_predict_ms"],
        Unless(not_positive, "an answer is not bounded by time here; use max_tokens"),
    ),
    (
        &["n_indent"],
        Unless(zero, "an answer is not ended by its indentation here"),
    ),
    // Tokens.
    (
        &[
            "bad_words",
            "banned_tokens",
            "custom_token_bans",
            "banned_strings",
            "logit_bias_exp",
            "allowed_token_ids",
        ],
        Unless(empty, "tokens are forbidden by logit_bias here"),
    ),
    // What comes back.
    (
        &["n_probs"],
        Unless(
            zero,
            "log-probabilities are asked for by logprobs and top_logprobs here",
        ),
    ),
    (
        &[
            "prompt_logprobs",
            "return_prompt_logprobs",
            "post_sampling_probs",
            "return_hidden_states",
        ],
        Unless(no, "only the answer's log-probabilities are given"),
    ),
    (
        &[
            "return_token_ids",
            "return_tokens_as_token_ids",
            "return_tokens",
            "return_full_text",
            "details",
        ],
        Unless(no, "answers come as text"),
    ),
    (&["echo"], Unless(no, "an answer does not repeat its prompt here")),
    (
        &["reasoning_format"],
        Unless(apart, "thoughts come apart from the answer, in reasoning_content"),
    ),
    (
        &["include_reasoning", "separate_reasoning", "stream_reasoning"],
        Unless(yes, "thoughts come with the answer, in reasoning_content"),
    ),
    (&["modalities"], Unless(text_alone, "answers come as text")),
    (&["audio"], Unless(never, "answers come as text")),
    (
        &["web_search_options"],
        Unless(never, "nothing is searched for on the web here"),
    ),
    (&["response_fields"], Unless(empty, "answers come whole")),
    // The prompt.
    (
        &["suffix", "memory", "images"],
        Unless(empty, "the prompt is what messages or prompt say"),
    ),
    (
        &["add_special_tokens"],
        Unless(
            as_usual,
            "special tokens are a chat template's alone, and stand before a text as its tokenizer has it; token ids are a prompt without",
        ),
    ),
    (
        &["truncate_prompt_tokens"],
        Unless(never, "a prompt is never cut; shorten it"),
    ),
    (&["token_healing"], Unless(no, "a prompt is gone on with as it is")),
    (
        &["documents", "mm_processor_kwargs", "vllm_xargs"],
        Unless(empty, "the chat is what messages say"),
    ),
    (
        &["lora", "lora_path", "lora_request"],
        Unless(empty, "the upstream's adapters are chosen by model"),
    ),
    (&["watermark"], Unless(no, "answers get no watermark here")),
];

#[cfg(test)]
pub fn names() -> Vec<&'static str> {
    TABLE.iter().flat_map(|(names, _)| names.iter().copied()).collect()
}
