#!/usr/bin/env bash
# What a fresh Debian or Ubuntu needs to build pipelab and to run all its tests.
# Elsewhere: a C compiler for the linker, the Rust that Cargo.toml names or a newer
# one, and, for tests that are skipped without them, strace and python3.
set -euo pipefail

missing=()
command -v cc >/dev/null || missing+=(gcc libc6-dev)
command -v strace >/dev/null || missing+=(strace)
command -v python3 >/dev/null || missing+=(python3)
command -v cargo >/dev/null || command -v rustup >/dev/null || missing+=(rustup)

if [ ${#missing[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        echo "ci/setup.sh: please install: ${missing[*]}" >&2
        exit 1
    fi
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" apt-get install -qy "${missing[@]}"
fi
command -v cargo >/dev/null || rustup default stable
