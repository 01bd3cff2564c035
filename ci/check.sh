#!/usr/bin/env bash
# All that must hold before a change lands. The last line is the README's test
# command.
set -euo pipefail
cd "$(dirname "$0")/.."

ci/setup.sh
cargo fmt --check
cargo clippy --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --no-deps
cargo test
