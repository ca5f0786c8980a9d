# Two commands do everything on a fresh machine: `make run` and `make test`.
.PHONY: run test bench types ui fmt clean

run:
	bash tests/tools/run.sh

test:
	bash tests/tools/test.sh

bench:
	bash tests/tools/bench.sh

# The TypeScript of the commands, after a change in src-tauri/crates/api.
types:
	CAIRN_WRITE_TYPES=1 cargo test -q -p cairn-api the_typescript

ui:
	bash tests/tools/setup.sh ui && cd ui && npm run build

fmt:
	cargo fmt --all && cd ui && npx biome check --write .

clean:
	rm -rf target ui/node_modules ui/dist .venv .venv-old
