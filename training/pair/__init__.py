"""The two models: tokenizer, training, export and offline measurement."""
