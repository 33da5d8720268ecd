"""How the starter model is made: corpus, tokenizer, samples, training, export, evaluation. See README.md."""
