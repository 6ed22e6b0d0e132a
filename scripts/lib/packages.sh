# Sourced by the scripts: installs the Debian packages that a job needs.
# shellcheck shell=bash

# packages_of GROUP...: names, one a line, from packages.txt.
packages_of() {
  local group
  for group in "$@"; do
    awk -v group="$group" '$1 == group { print $2; found = 1 } END { exit !found }' \
      "$REPOSITORY/scripts/lib/packages.txt" || die "no package group named '$group'"
  done
}

is_installed() {
  [[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

# ensure_packages GROUP...: returns once every package of the groups is there; installs what is
# missing as root or through sudo without a password, else prints the line to run and exits with 1.
ensure_packages() {
  local names missing=() package as_root=()
  names="$(packages_of "$@")"
  if ! command -v dpkg-query >/dev/null; then
    say "not a Debian system: taking it that these are there:" "$(tr '\n' ' ' <<<"$names")"
    return 0
  fi
  for package in $names; do
    is_installed "$package" || missing+=("$package")
  done
  [[ ${#missing[@]} -eq 0 ]] && return 0

  if [[ "$(id -u)" -ne 0 ]]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      as_root=(sudo -n)
    else
      printf 'Packages are missing, and installing them takes root. Run this, then try again:\n' >&2
      printf '\n  sudo apt-get update && sudo apt-get install -y --no-install-recommends %s\n\n' \
        "${missing[*]}" >&2
      exit 1
    fi
  fi
  say "installing ${missing[*]}"
  install_packages "${missing[@]}"
}

# Services that start with the machine.
enabled_services() {
  { find /etc/systemd/system -path '*.wants/*.service' -printf '%f\n' 2>/dev/null || true; } |
    sort -u
}

# Takes the package lists as they are where that works, and refreshes them where not. Tests start
# the servers that they need themselves: none of the installed ones runs, now or later.
install_packages() {
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 apt-get -q -y)
  local before service
  before="$(enabled_services)"
  if ! apt-cache show "$@" >/dev/null 2>&1 ||
    ! "${apt[@]}" install --no-install-recommends "$@" >&2; then
    "${apt[@]}" update >&2 || die "apt-get update failed: is this machine online?"
    "${apt[@]}" install --no-install-recommends "$@" >&2 || die "apt-get could not install $*"
  fi
  comm -13 <(printf '%s\n' "$before") <(enabled_services) | while read -r service; do
    "${as_root[@]}" systemctl disable "$service" >&2
  done
}
