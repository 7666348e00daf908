#!/usr/bin/env bash
# Installs the system packages that let every test run: a test that lacks one is skipped, and CI counts a skip as a failure.
# Safe to repeat; does nothing when all are there.
set -euo pipefail

packages=(chromium g++ libquickfix-dev postgresql)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ "${#missing[@]}" -eq 0 ] && exit 0

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
