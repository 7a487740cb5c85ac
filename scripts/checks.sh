#!/usr/bin/env bash
# To be sourced, from the repository's root, by scripts whose checks print a line each and are counted in "passed" and "failed".
# Gives them "root", "folder", which is empty and gone at the end, and the checkout's tools.

root=$PWD
export PATH=$root/node_modules/.bin:$PATH
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0
failed=0

try() { # try NAME COMMAND...
  local name=$1
  shift
  if "$@" >"$folder/log" 2>&1; then
    passed=$((passed + 1))
    echo "ok     $name"
  else
    failed=$((failed + 1))
    echo "FAILED $name"
    cat "$folder/log"
  fi
}

# What the checkout has of a package.
version_of() { # version_of PACKAGE
  node -p "require('$root/node_modules/$1/package.json').version"
}
