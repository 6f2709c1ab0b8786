# make demo      everything from a fresh clone to a page that answers; PORT=8000
# make test      install what the tests need and run them; make test-slow runs the slow ones, make test-all both
# make lint      ruff, the layers, types
PYTHON ?= python3
PORT ?= 8000
BIN := $(or $(VENV),.venv)/bin
START := $(PYTHON) platform/consilience/demo/start.py

# bytecode is kept at first use, also where the shell forbids it: every process would compile torch anew
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo up test test-slow test-all lint bench messages screenshots install clean

demo:
	@exec $(START) demo --port $(PORT)

up:
	@exec $(BIN)/consilience up --port $(PORT)

install:
	@$(START) install --extras demo,test,dev
	@$(BIN)/python -m consilience.assets
	@DJANGO_SETTINGS_MODULE=consilience.settings_test $(BIN)/python manage.py setup --only translations

test: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" --numprocesses 2 --dist loadscope $(ARGS)

test-slow: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slow --numprocesses 2 --dist loadscope $(ARGS)

test-all: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadscope $(ARGS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

bench: install
	OMP_NUM_THREADS=1 $(BIN)/python -m bench $(ARGS)

messages: install
	$(BIN)/python manage.py makemessages --locale zh_Hans --no-location --no-obsolete --no-wrap $(addprefix --ignore ,.venv .build static tests bench)

screenshots: install
	$(BIN)/python -m screenshots $(ARGS)

clean:
	rm -rf .venv .build static/vendor
