#!/usr/bin/env bash
# Build the core with the address and undefined-behavior sanitizers into build/sanitize, and run the
# contract tests of the kernels with it. PYTHON names the interpreter whose environment has mixtura.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=$(realpath --no-symlinks "${PYTHON:-.venv/bin/python}")
build=build/sanitize
compiler=${CXX:-c++}

"$python" -c 'import nanobind' 2>/dev/null || "$python" -m pip --disable-pip-version-check install --quiet nanobind
cmake -S . -B "$build" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DMIXTURA_SANITIZE=ON -DMIXTURA_WERROR=ON \
    -DPython_EXECUTABLE="$python" -Dnanobind_DIR="$("$python" -m nanobind --cmake_dir)" >"$build.log" 2>&1 ||
    { cat "$build.log"; exit 1; }
cmake --build "$build" --parallel 2

# A copy of the package with the sanitized extension in it, found instead of the installed one.
rm -rf "$build/package"
mkdir -p "$build/package"
cp -R src/mixtura "$build/package/mixtura"
rm -f "$build/package/mixtura/kernels/"_native*
cp "$build/"_native*.so "$build/package/mixtura/kernels/"
run='
import sys
import pytest
package = sys.argv.pop(1)
sys.meta_path = [finder for finder in sys.meta_path if "Redirecting" not in type(finder).__name__]
sys.path.insert(0, package)
import mixtura.kernels._native as extension
assert extension.__file__.startswith(package), extension.__file__
sys.exit(pytest.main(sys.argv[1:]))'

# Python is not linked to the sanitizers, so they are loaded before it; and it leaks on purpose.
library() { "$compiler" -print-file-name="$1"; }
LD_PRELOAD="$(library libasan.so) $(library libubsan.so) $(library libstdc++.so)" \
    ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
    OPENBLAS_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1 \
    "$python" -c "$run" "$PWD/$build/package" -q -p no:cacheprovider \
    tests/contract/test_kernels.py tests/contract/test_kernels_functions.py
