# Sourced by the scripts: configures and builds a preset.
# shellcheck shell=bash

# build_preset PRESET [TARGET...]: into build/PRESET; ninja's status line is the progress display.
# Output goes to stderr, so that a script that builds first keeps its stdout to itself.
build_preset() {
  local preset="$1" target
  shift
  local targets=()
  for target in "$@"; do targets+=(--target "$target"); done
  say "build $preset"
  (
    cd "$REPOSITORY" || exit 1
    cmake --preset "$preset" --log-level=WARNING &&
      NINJA_STATUS='[%p %f/%t %es] ' cmake --build --preset "$preset" "${targets[@]}"
  ) >&2
}
