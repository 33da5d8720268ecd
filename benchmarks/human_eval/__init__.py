"""pass@1 of HumanEval and HumanEval-Infilling, from their official JSONL files, through a real worker."""
