#!/usr/bin/env bash
# Checks everything that can be checked without building: tools/lint.sh [--fix]. All checks run, and
# the exit code is 1 when any failed. With --fix the C++ files are formatted instead.
# shellcheck disable=SC2329 # the loop at the end calls the checks by their names
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

# Tracked files and new ones, not what .gitignore leaves out. A checkout may belong to someone else.
project_files() {
  git -c safe.directory="$PWD" ls-files --cached --others --exclude-standard --deduplicate -- "$@" |
    while IFS= read -r file; do
      if [[ -f $file ]]; then printf '%s\n' "$file"; fi
    done
}

sources() { project_files '*.h' '*.cc'; }

scripts() {
  project_files | while IFS= read -r file; do
    if head -c 40 "$file" | head -n 1 | grep -qaE '^#!.*[/ ](ba)?sh$'; then printf '%s\n' "$file"; fi
  done
}

check_format() { sources | xargs -r -d '\n' clang-format --dry-run -Werror; }
check_includes() { python3 tools/check_includes.py; }
check_scripts() { scripts | xargs -r -d '\n' shellcheck --external-sources; }
# What the fuzzers begin with is any bytes.
check_text() { project_files . ':!fuzz/corpus' ':!fuzz/regressions' | python3 tools/check_text.py; }

if [[ ${1:-} == --fix ]]; then
  sources | xargs -r -d '\n' clang-format -i
  exit
fi
failed=0
for check in format includes scripts text; do
  if "check_$check"; then
    echo "lint: $check passed"
  else
    echo "lint: $check FAILED" >&2
    failed=1
  fi
done
exit "$failed"
