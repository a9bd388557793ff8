# make demo   sets up and runs everything: the tool, its worker and a small built-in platform
# make test   sets up and passes the tests
.PHONY: demo demo-clean test check plugins lock migration clean help

PORT ?= 8700
PLATFORM_PORT ?= 8701

help:
	@sed -n 's/^# //p' $(MAKEFILE_LIST)

.venv/runtime: requirements/runtime.txt requirements/build.txt pyproject.toml scripts/venv
	scripts/venv requirements/build.txt requirements/runtime.txt
	touch $@

.venv/dev: requirements/dev.txt requirements/build.txt pyproject.toml scripts/venv
	scripts/venv requirements/build.txt requirements/dev.txt
	touch $@ .venv/runtime

demo: .venv/runtime
	.venv/bin/python -m demo --port $(PORT) --platform-port $(PLATFORM_PORT)

# make demo-clean   forgets what the demo has stored, so that the next one starts anew
demo-clean:
	rm -rf var/demo

test: .venv/dev
	.venv/bin/python -m pytest $(ARGS)

# make check  runs what CI checks beside the tests: style, types, arrows between rooms, locks
check: .venv/dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	scripts/check-locks

# make plugins   builds the installable zips of the two Moodle plugins in dist/
plugins:
	$(or $(PYTHON),python3) scripts/plugins dist

# make migration MESSAGE="…"   drafts a migration from what changed in the models
migration: .venv/dev
	.venv/bin/python -c "import sys; from lti_tool.migrations import draft; draft(sys.argv[1])" "$(MESSAGE)"
	.venv/bin/ruff format lti_tool/migrations

# make lock   pins the dependencies anew
lock: .venv/dev
	scripts/lock

clean:
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache dist
