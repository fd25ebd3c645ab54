# The four commands a newcomer needs: make demo, make test, make lint, make install.
PYTHON ?= python3
VENV ?= .venv
# Any pip arguments that install a torch; used only where the venv has none yet. README, "Installing", lists choices.
TORCH ?= torch==2.13.0
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check
# Many small tensor operations: a second thread was seen to slow them down on a busy machine.
export OMP_NUM_THREADS ?= 1

.PHONY: demo test test-slow lint docs-check install clean

demo: $(VENV)/.runtime
	$(PY) demo/dto_demo.py --out-dir work_dirs/demo
	$(PY) demo/image_demo.py --out-dir work_dirs/demo/photo

test: $(VENV)/.dev
	$(PY) -m pytest -n 2

test-slow: $(VENV)/.dev
	$(PY) -m pytest -m slow

docs-check: $(VENV)/.dev
	$(PY) -m pytest tests/test_docs.py

lint: $(VENV)/.dev
	$(PY) -m ruff check .

install: $(VENV)/.runtime
	@echo 'Installed. Once in every shell: . $(VENV)/bin/activate; does all work: python tools/misc/doctor.py'

$(VENV)/.runtime: requirements/build.txt requirements/runtime.txt setup.py
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 10))" || \
	  { echo "Python 3.10 or newer is needed: make PYTHON=python3.13 ..."; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV) || \
	  { echo "Could not make $(VENV). On Debian/Ubuntu: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }
	@echo "Installing into $(VENV) (about a minute the first time)"
	@$(PY) -c "import torch" 2>/dev/null || $(PIP) $(TORCH)
	@$(PIP) -r requirements/build.txt
	@$(PIP) --no-build-isolation -r requirements/runtime.txt
# opencv-python links libGL, which a bare server lacks; the headless build brings the same cv2 without it.
	@$(PY) -c "import cv2" 2>/dev/null || $(PIP) --force-reinstall --no-deps opencv-python-headless
	@$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	@$(PIP) -r requirements/dev.txt
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info work_dirs .pytest_cache .ruff_cache .hypothesis
