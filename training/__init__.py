"""How the starter model is made: corpus, tokenizer, samples, training, export, model card. See README.md."""
