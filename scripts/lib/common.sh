# Sourced by the scripts: messages, and the place of the repository.
# shellcheck shell=bash

REPOSITORY="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
export REPOSITORY

say() { printf '==> %s\n' "$*" >&2; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Prints the comment block at the head of a script: its --help.
print_help() { sed -n '2,/^[^#]/{ s/^# \{0,1\}//p }' "$1"; }
