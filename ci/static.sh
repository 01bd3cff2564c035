#!/usr/bin/env bash
# cargo, with all libraries linked in: such a binary runs on any Linux of its kind, and
# its forks copy fewer mappings. It lies in target/TARGET, not in target itself, since only
# with a target do macros of the compiler's own kind go on being loaded.
#
#     ci/static.sh build --release
#     ci/static.sh bench --bench cases
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="-C target-feature=+crt-static"
exec cargo "$@" --target "$target"
