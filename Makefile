# `make help` lists the targets. VENV, PYTHON, PREFIX and DESTDIR may be overridden.

PYTHON ?= python3
VENV ?= .venv
PREFIX ?= /usr/local
DESTDIR ?=
SEEDS ?= 100
SHARE ?= 1/1

bin = $(abspath $(VENV))/bin
pip = $(bin)/python -m pip --disable-pip-version-check --quiet
with_path = PATH="$(bin):$$PATH"
home = $(PREFIX)/lib/git-fleet
share = $(DESTDIR)$(PREFIX)/share
shell_scripts = .ci/run .ci/newer-git completions/git-fleet.bash examples/agent-write-hook examples/install-pre-commit examples/pre-commit
man_pages = man/git-fleet.1 man/gitfleet-plan.7 man/gitfleet-tutorial.7

# A user's pip may be told to install into the home directory; inside a virtual environment that fails.
export PIP_USER = 0
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: help demo test torture check format lint types architecture man-lint shell-lint bench install uninstall dev clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name what; do printf '  make %-14s%s\n' "$$name" "$$what"; done

demo: $(VENV)/.runtime ## play the main job in a temporary repository
	@$(with_path) git fleet demo

test: $(VENV)/.dev ## run the tests
	@$(with_path) $(bin)/python -m pytest -q -rs -n auto --dist loadgroup

torture: $(VENV)/.dev ## stop every deed at every step, in pairs, for a night: SEEDS=100 rounds of races; SHARE=1/8 of it all
	@$(with_path) FLEET_TORTURE=$(SEEDS) FLEET_SHARE=$(SHARE) $(bin)/python -m pytest -q -n auto tests/safety

check: format lint types architecture man-lint shell-lint test ## everything that CI checks

format: $(VENV)/.dev
	$(bin)/ruff format --check .

lint: $(VENV)/.dev
	$(bin)/ruff check .

types: $(VENV)/.dev
	$(bin)/mypy

architecture: $(VENV)/.dev
	$(bin)/python -m pytest -q tests/test_architecture.py

# need PROGRAM,COMMAND: runs COMMAND; without PROGRAM it is left out, but not under CI.
need = @if command -v $(1) >/dev/null; then echo '$(2)'; $(2); elif [ "$$CI" = true ]; then echo '$(1) is missing' >&2; exit 1; else echo '$(1) is missing: left out'; fi

man-lint:
	$(call need,mandoc,mandoc -Tlint -W warning $(man_pages))

shell-lint:
	$(call need,shellcheck,shellcheck $(shell_scripts))

bench: $(VENV)/.dev ## measure what bench/ promises
	@$(with_path) $(bin)/python bench

# Program and libraries in a folder of their own: no site-packages is touched, any PREFIX works.
install: $(VENV)/.runtime ## install for everybody: PREFIX=/usr/local, DESTDIR=
	rm -rf "$(DESTDIR)$(home)"
	$(pip) install --target "$(DESTDIR)$(home)" .
	rm -rf "$(DESTDIR)$(home)/bin" "$(DESTDIR)$(home)/share" build
	install -d "$(DESTDIR)$(PREFIX)/bin"
	printf '#!%s -I\nimport sys\n\nsys.path.insert(0, "%s")\nfrom git_fleet.start import main\n\nsys.exit(main())\n' \
		"$$($(PYTHON) -c 'import sys; print(sys.executable)')" "$(abspath $(home))" >"$(DESTDIR)$(PREFIX)/bin/git-fleet"
	chmod 755 "$(DESTDIR)$(PREFIX)/bin/git-fleet"
	install -d "$(share)/man/man1" "$(share)/man/man7" "$(share)/bash-completion/completions" \
		"$(share)/zsh/site-functions" "$(share)/fish/vendor_completions.d"
	install -m 644 man/*.1 "$(share)/man/man1"
	install -m 644 man/*.7 "$(share)/man/man7"
	install -m 644 completions/git-fleet.bash "$(share)/bash-completion/completions"
	install -m 644 completions/_git-fleet "$(share)/zsh/site-functions"
	install -m 644 completions/git-fleet.fish "$(share)/fish/vendor_completions.d"

uninstall: ## take away what install put there
	rm -rf "$(DESTDIR)$(home)"
	rm -f "$(DESTDIR)$(PREFIX)/bin/git-fleet" \
		$(patsubst man/%,"$(share)/man/man1/%",$(wildcard man/*.1)) $(patsubst man/%,"$(share)/man/man7/%",$(wildcard man/*.7)) \
		"$(share)/bash-completion/completions/git-fleet.bash" "$(share)/zsh/site-functions/_git-fleet" \
		"$(share)/fish/vendor_completions.d/git-fleet.fish"

dev: $(VENV)/.dev ## set up .venv to work on the program
	@echo 'ready: . $(VENV)/bin/activate'

$(VENV)/.runtime: setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'git fleet needs Python 3.11 or newer: make PYTHON=python3.12 …' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo 'this Python cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }
	@echo 'setting up $(VENV) …'
	@$(PYTHON) -m venv $(VENV)
	@$(pip) install --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	@echo 'installing what the tests need …'
	@$(pip) install --editable '.[dev]'
	@touch $@

clean: ## delete .venv and everything that was built
	rm -rf $(VENV) build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find git_fleet tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
