# Two commands: `make run` starts a complete practice set-up, `make test` passes everything. Needs python3 >= 3.11 and make.
PYTHON ?= python3
PY := .venv/bin/python
WORKERS ?= 2
MAJORS ?= 13 14 15 16 17
export BREAKGLASS_HOME PORT BREAKGLASS_PLATFORMS

.PHONY: run stop status code drill platform test faults bench platforms lint

run:
	@$(PYTHON) breakglass/practice/virtualenv.py requirements-practice.txt
	@exec $(PY) -m breakglass.practice run

stop status:
	@exec $(PY) -m breakglass.practice $@

code:
	@exec $(PY) -m breakglass.practice code $(WHO)

drill:
	@$(PYTHON) breakglass/practice/virtualenv.py requirements-practice.txt
	@exec $(PY) -m breakglass.practice drill $(ARGS)

# A platform of the file that BREAKGLASS_PLATFORMS names: make platform ARGS="check NAME", or grants, show, key.
platform:
	@$(PYTHON) breakglass/practice/virtualenv.py requirements-practice.txt
	@exec $(PY) -m breakglass.practice manage platform $(ARGS)

test:
	@$(PYTHON) breakglass/practice/virtualenv.py requirements-dev.txt
	@CHROMIUM="$$($(PY) -m tests.chromium)" && export CHROMIUM && exec $(PY) -m pytest -n $(WORKERS) $(ARGS)

# Every cell of the fault matrix: each named point of a run, killed, frozen, with its servers crashed. Then the
# platform side again on each older PostgreSQL, fetched with npm; as root it also installs Debian's PostgreSQL 15 and PgBouncer.
faults:
	@$(PYTHON) breakglass/practice/virtualenv.py requirements-dev.txt
	@$(PY) -m pytest -n $(WORKERS) tests/faults --full $(ARGS)
	@for major in $(MAJORS); do echo "Platforms on PostgreSQL $$major"; \
	  BREAKGLASS_TEST_POSTGRES=$$major $(PY) -m pytest -n $(WORKERS) tests/recovery tests/faults $(ARGS) || exit 1; done

# The numbers to hold, each beside its floor. On disk, because a flush in memory costs nothing; misses fail nothing.
bench:
	@$(PYTHON) breakglass/practice/virtualenv.py requirements-dev.txt
	@BREAKGLASS_TEST_ON_DISK=1 exec $(PY) -m pytest -q tests/benchmarks/bench.py $(ARGS)

# Real software, installed from the public registries, locked out and recovered by drills. Slow; see tests/platforms/README.md.
platforms:
	@$(PYTHON) breakglass/practice/virtualenv.py requirements-dev.txt
	@exec $(PY) -m tests.platforms $(NAMES) $(ARGS)

lint:
	@$(PYTHON) breakglass/practice/virtualenv.py requirements-dev.txt
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	SECRET_KEY=lint DATABASE_URL=postgresql:///lint $(PY) -m mypy
